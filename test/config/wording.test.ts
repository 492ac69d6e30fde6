/** An operator's own words for a campaign: what is read, and what is refused with its place. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { aConfigDirectory } from "../support/config-directory.ts";

const head = `upstream: { url: http://mail.internal }
campaigns:
  - id: tiktok
    title: No TikTok
    require: [{ absent: { name: TikTok, ios: [a.b] } }]
    notice:
`;

function withNotice(t: TestContext, notice: string): ReturnType<typeof aConfigDirectory> {
  const lines = notice.split("\n").map((line) => `      ${line}`);
  return aConfigDirectory(t, `${head}${lines.join("\n")}\n`);
}

test("words are read into text and places, and every language that is left out is left out", (t) => {
  const directory = withNotice(
    t,
    `de:
  title: Kein TikTok
  subject: "Bitte {app} löschen"
  why: >-
    {organisation} verlangt das
    bis {deadline}.
  steps: ["Erst {app}", zweitens]
  after: Danke > alles gut & "fertig"
zh-Hans: { after: 谢谢 }`,
  );
  assert.deepEqual(directory.faults(), []);
  const { policy, notice } = directory.load();
  assert.deepEqual(
    policy.campaigns[0]?.wording,
    new Map([
      [
        "de",
        {
          title: "Kein TikTok",
          subject: ["Bitte ", { place: "app" }, " löschen"],
          why: [{ place: "organisation" }, " verlangt das bis ", { place: "deadline" }, "."],
          steps: [["Erst ", { place: "app" }], ["zweitens"]],
          after: ['Danke > alles gut & "fertig"'],
        },
      ],
      ["zh-Hans", { title: undefined, subject: undefined, why: undefined, steps: undefined, after: ["谢谢"] }],
    ]),
  );
  assert.equal(notice.language, "en");
});

test("everything that is wrong is said at once, each with its line and column", (t) => {
  const directory = withNotice(
    t,
    `de:
  subject: "{ap} weg"
  why: "a\\nb"
  steps: ["<b>fett</b>", "{", "a } b", "{secret-Value9}"]
  afterwards: x
pt: { after: x }`,
  );
  assert.deepEqual(directory.faults(), [
    "postern.yaml:8:18 campaigns[0].notice.de.subject: has braces around something else than {app}, {deadline}, {device}, {minimum}, {organisation}, {version}; did you mean {app}?",
    "postern.yaml:9:14 campaigns[0].notice.de.why: must be one line without control characters and characters that nobody sees",
    "postern.yaml:10:17 campaigns[0].notice.de.steps[0]: must have no <: it is text, and never HTML",
    ...["10:32", "10:37", "10:46"].map(
      (place, index) =>
        `postern.yaml:${place} campaigns[0].notice.de.steps[${index + 1}]: has braces around something else than {app}, {deadline}, {device}, {helpUrl}, {minimum}, {organisation}, {version}`,
    ),
    "postern.yaml:11:9 campaigns[0].notice.de.afterwards: unknown key",
    "postern.yaml:12:7 campaigns[0].notice.pt: unknown key",
  ]);
});

suite("words that could not stand in a notice are refused", () => {
  const rows: readonly (readonly [title: string, notice: string, fault: RegExp])[] = [
    ["none at all", "de: {}", /de: must have at least one of title, subject, why, steps, after$/],
    ["no steps", "de: { steps: [] }", /de\.steps: must have at least 1 entry$/],
    ["seven steps", "de: { steps: [a, b, c, d, e, f, g] }", /de\.steps: must have at most 6 entries$/],
    ["an empty one", 'de: { after: " " }', /de\.after: must not be empty$/],
    ["a space at the end", 'de: { after: "a " }', /de\.after: must not begin or end with a space$/],
    ["another direction", 'de: { after: "a\\u202eb" }', /de\.after: must be one line without control/],
    ["half a character", 'de: { after: "a\\ud800b" }', /de\.after: must be one line without control/],
    ["NUL", 'de: { after: "a\\0b" }', /de\.after: must be one line without control/],
    ["an address in the subject", 'de: { subject: "{helpUrl}" }', /de\.subject: has no room for \{helpUrl\}/],
    ["a number", "de: { after: 1 }", /de\.after: must be text; put it in quotes$/],
    [
      "more than a notice has room for",
      `ja: { why: "${"漢".repeat(234)}" }`,
      /ja: must have at most 700 bytes together, and has 702: a notice stays below 2 KB/,
    ],
    ["many places", `ja: { why: "${"{helpUrl}".repeat(4)}" }`, /ja: must have at most 700 bytes together, and has 800/],
  ];
  for (const [title, notice, fault] of rows) {
    test(title, (t) => {
      const [first = "", ...others] = withNotice(t, notice).faults();
      assert.match(first, fault);
      assert.deepEqual(others, []);
    });
  }

  test("each at its limit, and one past it", (t) => {
    for (const [key, limit] of [
      ["subject", 80],
      ["why", 400],
      ["after", 400],
    ] as const) {
      assert.deepEqual(withNotice(t, `en: { ${key}: ${"x".repeat(limit)} }`).faults(), []);
      const [fault = ""] = withNotice(t, `en: { ${key}: ${"x".repeat(limit + 1)} }`).faults();
      assert.match(fault, new RegExp(`${key}: must have at most ${limit} characters`));
    }
    assert.deepEqual(withNotice(t, `en: { steps: [${"x".repeat(200)}] }`).faults(), []);
    assert.equal(withNotice(t, `en: { steps: [${"x".repeat(201)}] }`).faults().length, 1);
    assert.deepEqual(withNotice(t, `ja: { why: "${"漢".repeat(233)}" }`).faults(), []);
  });
});

test("the language of people whose own is not there is one that there is", (t) => {
  const upstream = "upstream: { url: http://mail.internal }\n";
  assert.equal(aConfigDirectory(t, `${upstream}notice: { language: de }\n`).load().notice.language, "de");
  assert.deepEqual(aConfigDirectory(t, `${upstream}notice: { language: pt }\n`).faults(), [
    "postern.yaml:2:21 notice.language: must be one of en, de, fr, es, ja, zh-Hans",
  ]);
});
