import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Matter, Setting } from "../../src/notice/language.ts";
import { languageFor, languages } from "../../src/notice/languages.ts";
import { datumOf, plain } from "../../src/notice/phrase.ts";
import type { Phrase } from "../../src/notice/phrase.ts";
import { platforms } from "../../src/policy/device.ts";

suite("a person reads their own language where there is one, and English where there is not", () => {
  for (const wish of [
    undefined,
    "",
    "en",
    "en-GB",
    "EN_us",
    "de",
    "de-CH, en;q=0.5",
    "*",
    "e",
    ";q=1",
    "x".repeat(10_000),
  ]) {
    test(JSON.stringify(wish)?.slice(0, 40) ?? "none", () => assert.equal(languageFor(wish).tag, "en"));
  }
});

suite("a language can say everything", () => {
  const app = datumOf("An App") ?? { datum: "" };
  const matters: readonly Matter[] = [
    { kind: "apps", apps: [app], onlyInWorkProfile: false },
    { kind: "apps", apps: [app, app, app, app, app], onlyInWorkProfile: true },
    { kind: "reported" },
    { kind: "switched-off", why: undefined },
    { kind: "switched-off", why: app },
    { kind: "not-enrolled" },
    { kind: "owner-mismatch" },
    { kind: "stale", reportedAt: "some day", maxAgeHours: 1 },
    { kind: "stale", reportedAt: undefined, maxAgeHours: 168 },
    { kind: "uninspectable", apps: [app] },
    { kind: "uninspectable", apps: [app, app, app, app] },
    { kind: "record-unreadable" },
    { kind: "nothing-known" },
  ];
  const settings: readonly Setting[] = [undefined, ...platforms].flatMap((platform) =>
    [undefined, app].map((manager) => ({ organisation: app, platform, manager })),
  );

  for (const language of languages) {
    for (const matter of matters) {
      test(`${language.tag}: ${JSON.stringify(matter).slice(0, 60)}`, () => {
        for (const setting of settings) {
          const { subject, title, why, steps, after } = language.tell(matter, setting);
          assert.ok(steps.length > 0);
          const phrases: readonly Phrase[] = [subject, title, why, ...steps, after, language.also(matter, setting)];
          for (const phrase of phrases) {
            const said = plain(phrase, 24);
            assert.match(said, /\S/);
            // No hole where a word should be, no two spaces, no space before a full stop.
            assert.doesNotMatch(said, /undefined|null|\[object|NaN| {2}| [.,;]|^ | $/);
          }
          assert.ok(plain(subject, 24).length < 120, plain(subject, 24));
        }
      });
    }
  }
});
