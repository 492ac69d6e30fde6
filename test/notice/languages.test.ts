import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Language, Matter, Setting } from "../../src/notice/language.ts";
import { findLanguage, languageFor, languageOf, languages } from "../../src/notice/languages.ts";
import { datumOf, plain } from "../../src/notice/phrase.ts";
import type { Phrase } from "../../src/notice/phrase.ts";
import { platforms } from "../../src/policy/device.ts";
import { languageTags } from "../../src/policy/wording.ts";

suite("a person reads the first language of their list that there is, and English where there is none", () => {
  const rows: readonly (readonly [wishes: string | undefined, tag: string])[] = [
    [undefined, "en"],
    ["", "en"],
    ["en-GB", "en"],
    ["EN_us", "en"],
    ["de", "de"],
    ["de-CH, en;q=0.5", "de"],
    ["de-Latn-AT-1996", "de"],
    ["de-DE-x-goethe", "de"],
    ["fr_CA", "fr"],
    ["es-419,es;q=0.9", "es"],
    ["ja-JP-u-ca-japanese", "ja"],
    // RFC 9110: the weight counts, not the order.
    ["en;q=0.5, fr;q=0.8, nl", "fr"],
    ["de;q=0, fr;q=0.1", "fr"],
    ["de;q=0", "en"],
    ["fr;q=0.9,de;q=0.9", "fr"],
    ["pl,ja;q=0.2", "ja"],
    ["*", "en"],
    ["*,de;q=0.1", "de"],
    // What cannot be read is no wish.
    ["de;q=2,fr;q=0.1", "fr"],
    ["de;q=0.5555,fr;q=0.1", "fr"],
    ["de;level=1,fr;q=0.1", "fr"],
    ["de\u0000,fr", "fr"],
    ["<b>,ja", "ja"],
    ["e", "en"],
    [";q=1", "en"],
    ["deutsch", "en"],
    ["dede-DE", "en"],
    ["x".repeat(10_000), "en"],
    [`${"nl,".repeat(16)}de`, "en"],
    [`${" ".repeat(600)}de`, "en"],
  ];
  for (const [wishes, tag] of rows) {
    test(`${(JSON.stringify(wishes) ?? "none").slice(0, 40)} → ${tag}`, () =>
      assert.equal(languageFor(wishes).tag, tag));
  }

  test("or the language that the operator names instead of English", () => {
    assert.equal(languageFor("pl", languageOf("de")).tag, "de");
    assert.equal(languageFor("en", languageOf("de")).tag, "en");
    assert.equal(findLanguage("pl"), undefined);
  });
});

suite("Chinese is in simplified characters, for whoever reads those or asks for Chinese", () => {
  for (const wishes of [
    "zh",
    "zh-CN",
    "zh-SG",
    "zh-Hans",
    "zh-Hans-CN",
    "zh-Hans-HK",
    "zh_CN",
    "cmn-Hans-CN",
    "zh-TW,zh;q=0.9",
  ]) {
    test(wishes, () => assert.equal(languageFor(wishes).tag, "zh-Hans"));
  }
  for (const wishes of ["zh-TW", "zh-HK", "zh-MO", "zh-Hant", "zh-Hant-SG", "zh-TW,en;q=0.5"]) {
    test(`${wishes}: not for whoever reads the traditional ones only`, () =>
      assert.equal(languageFor(wishes).tag, "en"));
  }
});

const app = datumOf("An App") ?? { datum: "" };
const matters: readonly Matter[] = [
  { kind: "apps", apps: [app], onlyInWorkProfile: false },
  { kind: "apps", apps: [app, app, app, app, app], onlyInWorkProfile: true },
  { kind: "os", minimum: ["26.2"] },
  { kind: "patch", minimum: ["2026"] },
  { kind: "reported" },
  { kind: "switched-off", why: undefined },
  { kind: "switched-off", why: app },
  { kind: "not-enrolled" },
  { kind: "owner-mismatch" },
  { kind: "id-contested" },
  { kind: "stale", reportedAt: "2026", withinHours: 1 },
  { kind: "stale", reportedAt: undefined, withinHours: 168 },
  { kind: "uninspectable", apps: [app] },
  { kind: "uninspectable", apps: [app, app, app, app] },
  { kind: "uninspectable", apps: [] },
  { kind: "compromised" },
  { kind: "record-unreadable" },
  { kind: "nothing-known" },
];

function settingsOf({ names }: Language): Setting[] {
  return [undefined, ...platforms].flatMap((platform) =>
    [undefined, app].flatMap((manager) =>
      (["held", "warned"] as const).map((phase) => ({
        phase,
        organisation: app,
        platform,
        name: names[platform ?? "unknown"],
        manager,
      })),
    ),
  );
}

/** Everything that a language says, as it is read. */
function everythingIn(language: Language): string[] {
  const { about, page, details, meanwhile, stepsHeading, afterReport, afterWarning } = language;
  const phrases: Phrase[] = [
    about.os(["1"]),
    about.patch(["1"]),
    about.setUp,
    about.checkIn,
    about.helpDesk,
    about.now(["1"]),
    about.shownAs(app),
    about.at("1"),
    about.due("1"),
    about.dueNow,
    about.rule(app),
    about.more(1),
    about.more(2),
    ...Object.values(afterReport),
    afterWarning,
    ...meanwhile.items.held,
    ...meanwhile.items.warned,
    language.ask(app, true),
    language.ask(app, false),
    page.why(app),
    ...page.steps(app),
    page.mistaken,
    page.ask(app, true),
    page.ask(app, false),
  ];
  for (const setting of settingsOf(language)) {
    phrases.push(language.consequence(setting, true), language.consequence(setting, false), language.report(setting));
    for (const matter of matters) {
      const { subject, why, steps, briefly, after } = language.tell(matter, setting);
      phrases.push(subject, why, ...steps, briefly, ...(after === undefined ? [] : [after]));
    }
  }
  const headings = [page.title, page.stepsHeading, page.mistakenHeading, page.helpLink, page.problem];
  const labels = [details.heading, details.phone, details.phoneId, details.account, details.fields, about.unnamed];
  const all = [
    about.heading,
    meanwhile.heading,
    ...Object.values(stepsHeading),
    language.checkLink,
    ...headings,
    ...labels,
  ];
  return [...new Set([...phrases.map((phrase) => plain(phrase, 24)), ...all])];
}

/** In these a language may say what another says too: names of things that are called so everywhere. */
const sameEverywhere = /An App|iPhone|iPad|Android|Windows Update|Windows|Mac|Wi-Fi|Internet|App\b|IT\b|ID\b/g;

suite("a language can say everything", () => {
  test("there is one for each tag of the configuration", () => {
    assert.deepEqual(
      languages.map(({ tag }) => tag),
      [...languageTags],
    );
    for (const tag of languageTags) assert.equal(languageOf(tag).tag, tag);
  });

  for (const language of languages) {
    const said = everythingIn(language);

    test(`${language.tag}: without a hole where a word should be, two spaces, or a brace`, () => {
      for (const text of said) {
        assert.match(text, /\S/);
        assert.doesNotMatch(text, /undefined|null|\[object|NaN|[{}]| {2}|^ | $/);
      }
    });

    test(`${language.tag}: every subject has fewer than 120 characters with names of 24 bytes`, () => {
      for (const setting of settingsOf(language)) {
        for (const matter of matters) {
          const subject = plain(language.tell(matter, setting).subject, 24);
          assert.ok(subject.length < 120, subject);
        }
      }
    });

    test(`${language.tag}: phones that are warned and phones that are held are told different things`, () => {
      const [held, warned] = (["held", "warned"] as const).map((phase) => ({
        phase,
        organisation: app,
        platform: "ios" as const,
        name: "iPhone",
        manager: undefined,
      }));
      assert.ok(held !== undefined && warned !== undefined);
      assert.notDeepEqual(language.consequence(held, true), language.consequence(warned, true));
      assert.notDeepEqual(language.consequence(warned, false), language.consequence(warned, true));
      for (const kind of ["apps", "os", "patch", "reported", "not-enrolled", "stale", "uninspectable"] as const) {
        const matter = matters.find((one) => one.kind === kind);
        assert.ok(matter !== undefined);
        assert.notDeepEqual(language.tell(matter, held).subject, language.tell(matter, warned).subject, kind);
      }
    });
  }

  const english = new Set(everythingIn(languageOf("en")));
  for (const language of languages.filter(({ tag }) => tag !== "en")) {
    test(`${language.tag}: no sentence is left in English`, () => {
      for (const text of everythingIn(language)) {
        assert.ok(!english.has(text), text);
        assert.doesNotMatch(
          text.replaceAll(sameEverywhere, ""),
          wordOf("the|your|you|this|phone|is|open|please|help desk"),
        );
      }
    });
  }
});

suite("a language looks as it is set", () => {
  const own: Readonly<Record<string, RegExp>> = {
    en: / [.,;:!?]|["„«»']|\.\./u,
    // „so“, and never "so" or “so”.
    de: / [.,;:!?]|["”«»']|“(?=\p{L})/u,
    // A space that no line breaks at before : ; ? ! and inside « », and no straight or English quotes.
    fr: /[^\u00a0][:;?!](?!\/\/)| [.,]|["“”„']|«[^\u00a0]|[^\u00a0]»/u,
    es: / [.,;:!?]|["“”„']|« | »|^[^¿]*\?/u,
    ja: /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}」][,.;:!?()"']|[,;:!?()"'][\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}「]|[“”]/u,
    "zh-Hans":
      /[\p{sc=Han}”][,.;:!?()"']|[,;:!?()"'][\p{sc=Han}“]|[「」、]$|\p{sc=Han}[A-Za-z0-9]|[A-Za-z0-9]\p{sc=Han}/u,
  };
  for (const language of languages) {
    test(language.tag, () => {
      for (const text of everythingIn(language)) assert.doesNotMatch(text, own[language.tag] ?? /(?:)/, text);
    });
  }

  test("people are spoken to politely", () => {
    const all = (tag: (typeof languageTags)[number]): string => everythingIn(languageOf(tag)).join("\n");
    assert.doesNotMatch(all("de"), wordOf("du|dein|deine[mnrs]?|dich|dir|öffne|tippe"));
    assert.doesNotMatch(all("fr"), wordOf("tu|ton|ta|tes|toi"));
    assert.doesNotMatch(all("es"), wordOf("tú|tu|tus|ti|contigo"));
    assert.doesNotMatch(all("zh-Hans"), /你/);
    for (const text of everythingIn(languageOf("ja"))) assert.doesNotMatch(text, /(?:だ|である|しろ|せよ)。/);
  });
});

function wordOf(words: string): RegExp {
  return new RegExp(`(?<!\\p{L})(?:${words})(?!\\p{L})`, "iu");
}
