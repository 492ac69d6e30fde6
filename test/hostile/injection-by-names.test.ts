/** Names that want to be more than names: of apps, phones, people and reasons, in a header, in text and in HTML. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { children, element, text } from "../../src/activesync/document.ts";
import { applicationData } from "../../src/activesync/notice-item.ts";
import { composeNotice } from "../../src/activesync/notice-mime.ts";
import { featuresOf } from "../../src/activesync/version.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { createBrowserProtocol } from "../../src/browser/browser.ts";
import { languages } from "../../src/notice/languages.ts";
import { HTML_LIMIT_BYTES } from "../../src/notice/html.ts";
import type { Notice } from "../../src/notice/notice.ts";
import { TEXT_LIMIT_BYTES } from "../../src/notice/plain-text.ts";
import type { CampaignWords } from "../../src/notice/template.ts";
import { createNoticeWriter, HELP_URL_LIMIT_BYTES } from "../../src/notice/writer.ts";
import type { DeviceRecord } from "../../src/policy/device.ts";
import { platforms } from "../../src/policy/device.ts";
import type { Finding } from "../../src/policy/verdict.ts";
import { languageTags, placeholders } from "../../src/policy/wording.ts";
import type { LanguageTag, Placeholder, Template, Wording } from "../../src/policy/wording.ts";
import { aMailRequest, answerOf, aRemediation, withHeaders } from "../support/mail-request.ts";
import { aRecord, deviceId } from "../support/records.ts";

const from = { name: "Mail", address: "mail@corp.example" };
const helpUrl = "https://help.corp.example/?a=b&c=%22";
/** The longest address that a configuration may have. */
const longHelpUrl = `https://help.corp.example/${"x".repeat(HELP_URL_LIMIT_BYTES - 26)}`;
const longId = deviceId("A".repeat(64));

const attacks: readonly (readonly [title: string, name: string])[] = [
  ["an element", "<script>alert(1)</script>"],
  ["an element that ends ours", "</bdi></b></li></ul></style></title><img src=x onerror=alert(1)>"],
  ["an attribute", `" onmouseover="alert(1)`],
  ["an attribute in single quotes", `' onmouseover='alert(1)`],
  ["a comment", "<!-- --><![CDATA[x]]>"],
  ["an entity", "&lt;script&gt;&#60;b&#62;&nbsp;"],
  ["a header", "TikTok\r\nBcc: everybody@corp.example\r\n\r\nHello"],
  ["a bare line feed", "TikTok\nSubject: other"],
  ["a bare carriage return", "TikTok\rSubject: other"],
  ["other line ends", "TikTok\u2028a\u2029b\u0085c\u000bd\u000ce"],
  ["NUL", "TikTok\u0000evil"],
  ["another direction", "\u202eKoTkiT\u202c\u2067x"],
  ["a link", "TikTok https://evil.example/login now www.evil.example"],
  ["a link in pieces", "hhttp://ttp://evil.example"],
  ["the end of a message", "TikTok\r\n.\r\nQUIT"],
  ["an encoded word", "=?utf-8?B?PGI+?="],
  ["a template", "${process.exit(1)} {{7*7}} $& $1 $`"],
  ["half a character", "TikTok\ud83d"],
  ["a long name", "x".repeat(5000)],
  ["a long name of wide characters", "𝕏🎮".repeat(2000)],
  ["a name of quotes", `"&<>'`.repeat(500)],
  ["marks without end", `T${"\u0335".repeat(3000)}`],
  ["nothing to be seen", "\u200b\u202e\u0000"],
  ["a place of a template", "{helpUrl} {app} {{deadline}} {organisation"],
  ["300 characters", "ア".repeat(300)],
];

const place = (name: Placeholder): { readonly place: Placeholder } => ({ place: name });

/** An operator's words that put everything in that can be put in, as a configuration would have them. */
function wordsFor(id: string): CampaignWords[] {
  const all = placeholders
    .filter((name) => name !== "minimum" && name !== "deadline")
    .flatMap((name): Template => [" ", place(name)]);
  const wording: Wording = {
    title: id,
    subject: ["& ", place("app"), " on ", place("device"), place("organisation")],
    why: ["Why?", ...all],
    steps: [
      ["One: ", place("app")],
      ["Two > ", place("version"), place("device")],
    ],
    after: ["Then ", place("organisation")],
  };
  return [
    { id, wording: new Map(languageTags.map((tag) => [tag, wording])) },
    { id: "os", wording: new Map(languageTags.map((tag) => [tag, { ...wording, why: [place("minimum"), ...all] }])) },
  ];
}

interface Told {
  readonly language?: LanguageTag;
  readonly worded?: boolean;
  readonly phase?: "warned" | "held";
  /** Only findings of this kind. */
  readonly only?: Finding["kind"];
}

function noticeWith(name: string, parts: Partial<DeviceRecord> = {}, told: Told = {}): Notice {
  const device = aRecord({
    model: name,
    osVersion: name,
    email: name,
    timezone: name,
    locale: name,
    source: name,
    ...parts,
  });
  const app = { id: name, name: `${name}2`, version: name };
  const findings: readonly Finding[] = [
    {
      kind: "app-present",
      campaign: name,
      title: name,
      appName: name,
      app,
      foundAt: new Date(0),
      deadline: new Date(0),
    },
    {
      kind: "source-noncompliant",
      reasons: [name, `${name}3`],
      foundAt: new Date(0),
      campaign: name,
      title: name,
      deadline: new Date(1),
    },
    { kind: "os-outdated", campaign: "os", title: name, osVersion: name, minimum: name, deadline: new Date(0) },
    { kind: "patch-outdated", campaign: name, title: name, securityPatch: name, minimum: name, deadline: new Date(2) },
    { kind: "override", why: name, who: name },
    { kind: "uninspectable", campaign: name, title: name, unseen: { kind: "app", name }, deadline: undefined },
    { kind: "record-unreadable", fields: [name] },
  ];
  const organisation = `O ${name}`;
  const { language, worded = false, phase, only } = told;
  return createNoticeWriter({ organisation, from: { ...from, name: organisation }, helpUrl, language }).write({
    phase,
    findings: (parts.platform === undefined || worded ? findings : findings.toReversed()).filter(
      ({ kind }) => only === undefined || kind === only,
    ),
    device,
    deviceId: longId,
    locale: name,
    timezone: name,
    campaigns: worded ? wordsFor(name) : [],
  });
}

/** What stands in what, and which text in it. */
function shapeOf({ tag, content }: Element): unknown {
  return [tag, content.map((part) => (typeof part === "object" && "tag" in part ? shapeOf(part) : Buffer.from(part)))];
}

/** Whatever the names were: these hold for every notice. */
function isHarmless({ subject, text, html, from }: Notice, addresses = 1): void {
  for (const line of [subject, from.name]) {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.ok(line.isWellFormed());
  }
  assert.ok(subject.length < 120, subject);
  assert.ok(Buffer.byteLength(text) <= TEXT_LIMIT_BYTES && TEXT_LIMIT_BYTES < 2048, String(Buffer.byteLength(text)));
  assert.ok(Buffer.byteLength(html) <= HTML_LIMIT_BYTES && HTML_LIMIT_BYTES < 6144, String(Buffer.byteLength(html)));
  assert.ok(text.isWellFormed() && html.isWellFormed());
  assert.doesNotMatch(text.replaceAll("\r\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.doesNotMatch(html, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.ok(text.endsWith("\r\n"));
  assert.ok((text.match(/:\/\/|www\./gi) ?? []).length <= addresses, text);

  // What is left after the elements that we write is text, and text has no angle brackets and no bare ampersands.
  const ours =
    /<(\/?)(html|head|meta|title|style|body|main|section|footer|h1|h2|p|ul|ol|li|b|small|bdi|dl|dt|dd|a)((?: [a-z]+="[^"<>]*")*)>/g;
  const names = html
    .replace("<!doctype html>", "")
    .replace(/<style>[^<]*<\/style>/, "")
    .replaceAll(ours, "");
  assert.doesNotMatch(names, /[<>]/);
  assert.doesNotMatch(names, /&(?!amp;|lt;|gt;|quot;|#39;)/);
  for (const [, slash, element, attributes = ""] of html.matchAll(ours)) {
    assert.doesNotMatch(attributes, / on| style=| src=/);
    if (element === "a" && slash === "") assert.match(attributes, /^ href="https:\/\/help\.corp\.example\/[^"]*"$/);
  }
  assert.equal(html.match(/<a /g)?.length ?? 0, 1);
}

suite("a name cannot be more than a name", () => {
  for (const [title, name] of attacks) {
    test(title, () => {
      isHarmless(noticeWith(name));
      for (const platform of platforms) isHarmless(noticeWith(name, { platform }));
      for (const language of languageTags) {
        for (const phase of ["warned", "held"] as const) isHarmless(noticeWith(name, {}, { language, phase }));
        isHarmless(noticeWith(name, { platform: "android" }, { language, worded: true }), 2);
        isHarmless(noticeWith(name, {}, { language, worded: true, only: "os-outdated" }), 2);
      }
    });
  }

  for (const language of languageTags) {
    test(`no name adds a header to the message, or an element to the WBXML: ${language}`, async () => {
      const fields =
        /^(?:From|To|Subject|Date|Message-ID|MIME-Version|Content-Type|Auto-Submitted|Content-Transfer-Encoding): /;
      for (const [, name] of attacks) {
        const notice = noticeWith(name, { platform: "ios" }, { language, worded: true });
        const message = await composeNotice(notice, "alice@corp.example", new Date(0));
        const [head = ""] = message.split("\r\n\r\n");
        for (const line of head.split(/\r\n(?![ \t])|(?<!\r)\n|\r(?!\n)/)) assert.match(line, fields);
        assert.ok(head.split("\r\n").every((line) => line.length <= 998 && /^[\t\x20-\x7e]*$/.test(line)));

        const item = { notice, mime: message, to: "alice@corp.example", at: new Date(0) };
        for (const type of ["1", "2", "4"] as const) {
          const wish = { type, truncationBytes: undefined, allOrNone: false };
          const sent = element("AirSync:ApplicationData", ...applicationData(item, wish, featuresOf("14.1")));
          const read = decode(encode(element("AirSync:Sync", sent)));
          assert.deepEqual(shapeOf(read), shapeOf(element("AirSync:Sync", sent)));
          const data = children(sent, "AirSyncBase:Body").flatMap((body) => text(body, "AirSyncBase:Data") ?? []);
          assert.deepEqual(data, [type === "1" ? notice.text : type === "2" ? notice.html : message]);
        }
      }
    });
  }

  test("any name whatever", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc
        .array(
          fc.constantFrom(
            "<",
            ">",
            "&",
            '"',
            "'",
            "\r\n",
            "\u0000",
            "\u202e",
            "http://",
            "</style>",
            "𝕏",
            "a",
            " ",
            "\ud800",
          ),
          { maxLength: 60 },
        )
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(
        name,
        fc.constantFrom(undefined, ...platforms),
        fc.constantFrom(...languageTags),
        fc.boolean(),
        (name, platform, language, worded) => {
          const parts = platform === undefined ? {} : { platform };
          isHarmless(noticeWith(name, parts, { language, worded }), worded ? 2 : 1);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a name that looks like a place in a template is shown as it is, and nothing is put into it", () => {
    const { subject, text } = noticeWith("{helpUrl}", { platform: "ios" }, { worded: true });
    assert.match(subject, /^& \{helpUrl\}.* on iPhoneO \{helpUrl\}/);
    assert.match(text, /Why\? \{helpUrl\}/);
    assert.match(text, /1\. One: \{helpUrl\}.*\r\n2\. Two > \{helpUrl\}iPhone\r\n/);
  });

  test("the name of a whole organisation cannot be more in a browser either", async () => {
    for (const [, name] of attacks) {
      const protocol = createBrowserProtocol({ phonePage: { organisation: `O ${name}`, helpUrl } });
      const request = aMailRequest(withHeaders({ accept: "text/html" }));
      const { text, headers } = answerOf(await protocol.identify(request).remediate(aRemediation(request)));
      const page = text.replace(/<style>[^<]*<\/style>/, "");
      assert.doesNotMatch(page, /<script|<img|onerror="|onmouseover="|evil\.example"/);
      assert.doesNotMatch(page, /[\p{Cc}\p{Cf}]/u);
      for (const value of headers.values()) assert.match(value, /^[\x20-\x7e]+$/);
    }
  });
});

suite("the notice keeps its limits with the longest of everything", () => {
  const many = Array.from({ length: 40 }, (_, index): Finding => {
    const name = `${String(index)} ${"🎮".repeat(100)}`;
    return {
      kind: "app-present",
      campaign: name,
      title: name,
      appName: name,
      app: { id: name, name: `${name} `.repeat(3), version: undefined },
      foundAt: new Date(8.64e15),
      deadline: new Date(8.64e15 - index),
    };
  });
  const far = new Date(8.64e15);
  const others: readonly Finding[] = [
    {
      kind: "source-noncompliant",
      reasons: many.map((_, index) => `${"\u{1f600}".repeat(90)}${String(index)}`),
      foundAt: new Date(0),
      campaign: "",
      title: "é".repeat(1000),
      deadline: new Date(8.64e15),
    },
    {
      kind: "os-outdated",
      campaign: "",
      title: "é",
      osVersion: "9".repeat(500),
      minimum: "8".repeat(500),
      deadline: far,
    },
    {
      kind: "patch-outdated",
      campaign: "",
      title: "é",
      securityPatch: "2026-09-30",
      minimum: "2026-12-31",
      deadline: far,
    },
    {
      kind: "report-overdue",
      campaign: "",
      title: "é",
      reportedAt: new Date(8.64e15),
      withinHours: 1e9,
      deadline: far,
    },
    { kind: "compromised", campaign: "", title: "é", deadline: far },
    { kind: "not-enrolled-for", campaign: "", title: "é", deadline: far },
    { kind: "uninspectable", campaign: "", title: "", unseen: { kind: "os" }, deadline: far },
    { kind: "override", why: "é".repeat(1000), who: undefined },
    { kind: "not-enrolled" },
    { kind: "stale", reportedAt: new Date(8.64e15), maxAgeHours: 1e9 },
    { kind: "uninspectable", campaign: "", title: "", unseen: { kind: "app", name: "ß".repeat(1000) }, deadline: far },
    { kind: "record-unreadable", fields: Array.from({ length: 100 }, (_, index) => `field${String(index)}`) },
  ];
  const all = [...many, ...others];
  const device = (parts: Partial<DeviceRecord>): DeviceRecord =>
    aRecord({
      model: "\u{1f4f1}".repeat(200),
      osVersion: "9".repeat(500),
      email: `${"a".repeat(400)}@corp.example`,
      timezone: "America/Argentina/ComodRivadavia",
      ...parts,
    });

  for (const { tag } of languages) {
    for (const platform of [undefined, "ios", "android"] as const) {
      for (const source of platform === "ios" ? ["intune"] : ["acme"]) {
        test(`${tag}, ${platform ?? "unknown"}, ${source}`, () => {
          const organisation = "Ö".repeat(300);
          const writer = createNoticeWriter({
            organisation,
            from: { ...from, name: organisation },
            helpUrl: longHelpUrl,
          });
          const phone = device({ platform, source });
          const mismatch: Finding = { kind: "owner-mismatch" };
          // Each of them leads once, with everything else behind it.
          for (const lead of [...many.slice(0, 1), ...others, mismatch]) {
            for (const findings of [[lead], [lead, ...all]]) {
              for (const phase of ["warned", "held"] as const) {
                isHarmless(writer.write({ phase, findings, device: phone, deviceId: longId, locale: tag }));
              }
            }
          }
          isHarmless(writer.write({ findings: [], device: undefined, deviceId: longId, locale: tag }));
        });
      }
    }
  }

  test("a list that is cut says how much is missing", () => {
    const { text } = createNoticeWriter({ organisation: "O", from }).write({
      findings: many,
      device: undefined,
      deviceId: longId,
    });
    const [, count] = /- and (\d+) more\r\n/.exec(text) ?? [];
    const shown = text.split("\r\n").filter((line) => /^- \d/.test(line)).length;
    assert.equal(Number(count) + shown, 40);
  });
});
