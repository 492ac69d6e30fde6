/** An operator's own words in a notice: where they stand, and what stands where they say nothing. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { languages } from "../../src/notice/languages.ts";
import type { Notice, NoticeCase } from "../../src/notice/notice.ts";
import { TEXT_LIMIT_BYTES } from "../../src/notice/plain-text.ts";
import { createNoticeWriter, HELP_URL_LIMIT_BYTES } from "../../src/notice/writer.ts";
import { platforms } from "../../src/policy/device.ts";
import type { Finding } from "../../src/policy/verdict.ts";
import { languageTags, placeholders } from "../../src/policy/wording.ts";
import type { LanguageTag, Placeholder, Template, Wording } from "../../src/policy/wording.ts";
import { aRecord, deviceId } from "../support/records.ts";

const from = { name: "IT", address: "it@corp.example" };
const helpUrl = "https://help.corp.example/";
const writer = createNoticeWriter({ organisation: "Example", from, helpUrl });
const none: Wording = { title: undefined, subject: undefined, why: undefined, steps: undefined, after: undefined };

/** As the configuration reads it. */
function template(text: string): Template {
  return text.split(/(?<=\})|(?=\{)/).map((part) => {
    const place = placeholders.find((known) => part === `{${known}}`);
    return place === undefined ? part : { place };
  });
}

function appFound(campaign: string, parts: Partial<Extract<Finding, { kind: "app-present" }>> = {}): Finding {
  return {
    kind: "app-present",
    campaign,
    title: `Rule of ${campaign}`,
    appName: "TikTok",
    app: { id: "a.b", name: undefined, version: undefined },
    foundAt: undefined,
    deadline: new Date("2026-11-20T22:59:00Z"),
    ...parts,
  };
}

function write(wording: ReadonlyMap<LanguageTag, Wording>, parts: Partial<NoticeCase> = {}): Notice {
  return writer.write({
    findings: [appFound("tiktok")],
    device: aRecord({ timezone: "Europe/Berlin" }),
    deviceId: deviceId("PHONE1"),
    campaigns: [{ id: "tiktok", wording }],
    ...parts,
  });
}

const german: Wording = {
  title: "TikTok ist nicht erlaubt",
  subject: template("{app} bis {deadline} löschen"),
  why: template("Der Betriebsrat von {organisation} hat zugestimmt: {app} muss weg."),
  steps: [template("{app} vom {device} löschen."), template("Fragen? {helpUrl}")],
  after: template("Danke!"),
};

suite("an operator's words stand where ours would", () => {
  test("in the language that they are in, with data in their places", () => {
    const { subject, text, html } = write(new Map([["de", german]]), { locale: "de" });
    assert.equal(subject, "TikTok bis Freitag, 20. November 2026 um 23:59 Uhr löschen");
    assert.match(text, /^TikTok bis Freitag/);
    assert.match(text, /Der Betriebsrat von Example hat zugestimmt: TikTok muss weg\. Deshalb werden Ihre E-Mails/);
    assert.match(
      text,
      /zurück\r\n1\. TikTok vom iPhone löschen\.\r\n2\. Fragen\? https:\/\/help\.corp\.example\/\r\n\r\nDanke!\r\n/,
    );
    assert.match(text, /Regel: TikTok ist nicht erlaubt\r\n/);
    assert.match(html, /<bdi>TikTok<\/bdi> vom iPhone löschen\./);
    assert.doesNotMatch(html, /Rule of/);
  });

  test("what is left out is said in the words that come with the program", () => {
    const { subject, text } = write(new Map([["de", { ...none, after: template("Danke!") }]]), { locale: "de" });
    assert.equal(subject, "Bitte TikTok vom iPhone entfernen, damit Ihre E-Mails zurückkommen");
    assert.match(text, /\r\n\r\nDanke!\r\n/);
    assert.match(text, /Regel: Rule of tiktok/);
  });

  test("a person whose language has no words of the operator's reads their own language", () => {
    assert.equal(write(new Map([["de", german]]), { locale: "fr" }).text, write(new Map(), { locale: "fr" }).text);
  });

  test("a person whose language is not there reads the operator's choice of language, with the words for it", () => {
    const inGerman = createNoticeWriter({ organisation: "Example", from, helpUrl, language: "de" });
    const { subject } = inGerman.write({
      findings: [appFound("tiktok")],
      device: aRecord({ locale: "pl" }),
      deviceId: deviceId("PHONE1"),
      locale: "pl,cs;q=0.5",
      campaigns: [{ id: "tiktok", wording: new Map([["de", german]]) }],
    });
    assert.match(subject, /^TikTok bis /);
  });

  test("the words of one campaign are not used for another", () => {
    const other = write(new Map([["en", { ...none, subject: template("Mine") }]]), { findings: [appFound("capcut")] });
    assert.doesNotMatch(other.subject, /Mine/);
  });

  test("of several campaigns, that of the nearest deadline words the notice, and the others add their steps", () => {
    const { subject, text } = write(
      new Map([["en", { ...none, subject: template("Mine"), steps: [template("Do it.")] }]]),
      {
        findings: [
          {
            kind: "os-outdated",
            campaign: "os",
            title: "t",
            osVersion: "26.1",
            minimum: "26.2",
            deadline: new Date("2026-12-20T22:59:00Z"),
          },
          appFound("tiktok"),
        ],
      },
    );
    assert.equal(subject, "Mine");
    assert.match(text, /1\. Do it\.\r\n2\. Update to iOS 26\.2 or newer/);
  });

  test("a part with a place for which there is nothing is left to our words", () => {
    const wording = {
      ...none,
      subject: template("Before {deadline}!"),
      steps: [template("One"), template("{minimum}")],
    };
    const { subject, text } = write(new Map([["en", wording]]), {
      findings: [appFound("tiktok", { deadline: undefined })],
    });
    assert.match(subject, /^Remove TikTok from/);
    assert.match(text, /1\. Find TikTok/);
  });

  test("a subject that gets too long with a name in it is left to our words", () => {
    const wording = { ...none, subject: template(`${"x".repeat(79)} {deadline} {app}`) };
    const { subject } = write(new Map([["de", wording]]), { locale: "de" });
    assert.match(subject, /^Bitte TikTok/);
  });

  test("new words are a new notice", () => {
    assert.notEqual(write(new Map([["en", german]])).digest, write(new Map()).digest);
    assert.equal(write(new Map([["en", german]])).digest, write(new Map([["en", german]])).digest);
  });
});

suite("as many words as the configuration lets through are shown on ordinary phones", () => {
  for (const { tag } of languages) {
    test(tag, () => {
      const words: Wording = { ...none, why: ["x".repeat(400)], after: ["y".repeat(300)] };
      const withSteps: Wording = { ...words, steps: [["z".repeat(200)], ["z".repeat(100)]] };
      for (const wording of [words, withSteps]) {
        for (const phase of ["warned", "held"] as const) {
          for (const platform of ["ios", "android"] as const) {
            const parts = { platform, source: "intune", email: "alice@corp.example", timezone: "Europe/Berlin" };
            const { text } = write(new Map([[tag, wording]]), { phase, device: aRecord(parts), locale: tag });
            assert.match(text, /x{400}[\s\S]*y{300}/, `${phase} ${platform}`);
          }
        }
      }
    });
  }
});

suite("which language a person reads", () => {
  const rows: readonly (readonly [record: string | undefined, asked: string | undefined, says: RegExp])[] = [
    ["de", "fr", /^Bitte /],
    [undefined, "fr,en;q=0.5", /^Supprimez /],
    ["pl", "ja", /^「/],
    ["pl", "cs", /^Remove /],
    ["zh-TW", "zh-TW,zh;q=0.9", /^请/],
    [undefined, undefined, /^Remove /],
  ];
  for (const [record, asked, says] of rows) {
    test(`the record says ${record ?? "nothing"}, the phone asks for ${asked ?? "nothing"}`, () => {
      assert.match(write(new Map(), { device: aRecord({ locale: record }), locale: asked }).subject, says);
    });
  }
});

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom("TikTok", "抖音".repeat(150), "{app}", "a\r\nb", "\ud800", ""),
);
const instant = fc.option(fc.date({ noInvalidDate: false }), { nil: undefined });
const common = { campaign: fc.constantFrom("a", "b"), title: text, deadline: instant };
const anyFinding: fc.Arbitrary<Finding> = fc.oneof(
  fc.record({
    ...common,
    kind: fc.constant("app-present" as const),
    appName: text,
    app: fc.record({ id: text, name: fc.option(text, { nil: undefined }), version: fc.constant(undefined) }),
    foundAt: instant,
  }),
  fc.record({
    kind: fc.constant("source-noncompliant" as const),
    reasons: fc.array(text, { maxLength: 4 }),
    foundAt: instant,
    campaign: fc.constantFrom("a", undefined),
    title: fc.option(text, { nil: undefined }),
    deadline: instant,
  }),
  fc.record({ ...common, kind: fc.constant("os-outdated" as const), osVersion: text, minimum: text }),
  fc.record({ ...common, kind: fc.constant("patch-outdated" as const), securityPatch: text, minimum: text }),
  fc.record({ ...common, kind: fc.constant("report-overdue" as const), reportedAt: instant, withinHours: fc.nat() }),
  fc.record({ ...common, kind: fc.constant("compromised" as const) }),
  fc.record({ ...common, kind: fc.constant("not-enrolled-for" as const) }),
  fc.record({ kind: fc.constant("override" as const), why: text, who: text }),
  fc.constant({ kind: "not-enrolled" as const }),
  fc.constant({ kind: "owner-mismatch" as const }),
  fc.constant({ kind: "id-contested" as const }),
  fc.record({
    kind: fc.constant("stale" as const),
    reportedAt: fc.date({ noInvalidDate: false }),
    maxAgeHours: fc.nat(),
  }),
  fc.record({
    ...common,
    kind: fc.constant("uninspectable" as const),
    unseen: fc.oneof(
      fc.record({ kind: fc.constant("app" as const), name: text }),
      fc.constantFrom({ kind: "os" as const }, { kind: "security-patch" as const }, { kind: "integrity" as const }),
    ),
  }),
  fc.record({ kind: fc.constant("record-unreadable" as const), fields: fc.array(text, { maxLength: 3 }) }),
);

function isInLimits({ subject, text: body, html }: Notice): void {
  assert.ok(subject.length >= 1 && subject.length <= 119, subject);
  assert.doesNotMatch(subject, /[\p{Cc}\p{Zl}\p{Zp}]/u);
  assert.ok(Buffer.byteLength(body) <= TEXT_LIMIT_BYTES, body);
  assert.ok([subject, body, html].every((written) => written.isWellFormed()));
}

suite("whatever is found, on whichever phone, in whichever language", () => {
  test("the text stays below 2 KB of good UTF-8, and the subject is one line of at most 119 characters", () => {
    const someTemplate = fc.array(
      fc.oneof(
        fc.constantFrom("Words ", "言葉"),
        fc.constantFrom<Placeholder>(...placeholders).map((place) => ({ place })),
      ),
      { minLength: 1, maxLength: 3 },
    );
    const device = fc.record({
      model: text,
      osVersion: text,
      email: text,
      source: fc.constantFrom("intune", "x"),
      timezone: fc.constantFrom("Asia/Tokyo", "x", undefined),
    });
    fc.assert(
      fc.property(
        fc.array(anyFinding, { maxLength: 6 }),
        device,
        fc.constantFrom(undefined, ...platforms),
        fc.constantFrom(...languageTags),
        fc.constantFrom("warned" as const, "held" as const),
        fc.option(someTemplate, { nil: undefined }),
        (findings, parts, platform, locale, phase, subject) => {
          const wording: Wording = { ...none, subject, why: subject };
          const campaigns = [{ id: "a", wording: new Map([[locale, wording]]) }];
          const phone = aRecord({ ...parts, platform });
          isInLimits(
            writer.write({ phase, findings, device: phone, deviceId: deviceId("P".repeat(64)), locale, campaigns }),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  /** What the configuration lets through at most, with ours around it. */
  const longest: readonly (readonly [title: string, why: string, after: string])[] = [
    ["letters", "x".repeat(400), "x".repeat(300)],
    ["wide characters", "漢".repeat(133), "漢".repeat(100)],
    ["addresses", "{helpUrl}{helpUrl}", "{helpUrl}{minimum}{version}{device}"],
    ["times", "{deadline}{deadline}", "{deadline}{deadline}{deadline}"],
    ["apps", "{app}".repeat(5), "{app}".repeat(5)],
    ["the organisation", "{organisation}".repeat(28), "{organisation}".repeat(28)],
  ];
  for (const language of languages) {
    for (const [title, why, after] of longest) {
      test(`with the longest words that an operator may have: ${language.tag}, ${title}`, () => {
        const wording: Wording = { ...none, why: template(why), after: template(after) };
        const url = `https://help.corp.example/${"x".repeat(HELP_URL_LIMIT_BYTES - 26)}`;
        const long = createNoticeWriter({ organisation: "Ö".repeat(200), from, helpUrl: url });
        const findings: Finding[] = Array.from({ length: 9 }, (_, index) =>
          appFound("tiktok", { appName: `${String(index)}${"🎮".repeat(50)}`, deadline: new Date(8.64e15) }),
        );
        const unreadable = { kind: "record-unreadable", fields: ["apps".repeat(50)] } as const;
        for (const phase of ["warned", "held"] as const) {
          for (const platform of ["ios", "android", undefined] as const) {
            isInLimits(
              long.write({
                phase,
                findings: [...findings, unreadable],
                device: aRecord({
                  platform,
                  email: "a".repeat(300),
                  model: "📱".repeat(100),
                  osVersion: "9".repeat(99),
                }),
                deviceId: deviceId("A".repeat(64)),
                timezone: "America/Argentina/ComodRivadavia",
                locale: language.tag,
                campaigns: [{ id: "tiktok", wording: new Map([[language.tag, wording]]) }],
              }),
            );
          }
        }
      });
    }
  }
});
