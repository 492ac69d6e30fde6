/** The link to the page about a phone, in a notice and in a letter. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createCompose } from "../../src/letters/compose.ts";
import { HTML_LIMIT_BYTES } from "../../src/notice/html.ts";
import { languages } from "../../src/notice/languages.ts";
import { TEXT_LIMIT_BYTES } from "../../src/notice/plain-text.ts";
import { createNoticeWriter, HELP_URL_LIMIT_BYTES } from "../../src/notice/writer.ts";
import type { Finding } from "../../src/policy/verdict.ts";
import { TOKEN_LIMIT_CHARS } from "../../src/self-service/links.ts";
import { aCampaign, aRecord, deviceId, tiktok } from "../support/records.ts";

const from = { name: "IT", address: "it@corp.example" };
const writer = createNoticeWriter({ organisation: "Example Ltd", from });
const link = `https://mail.corp.example/postern/${"x".repeat(180)}`;
const deadline = new Date("2026-11-20T22:59:00Z");
const appPresent: Finding = {
  kind: "app-present",
  campaign: "tiktok",
  title: "No TikTok",
  appName: "TikTok",
  app: tiktok,
  foundAt: undefined,
  deadline,
};
const about = { findings: [appPresent], device: aRecord(), deviceId: deviceId("PHONE1") };

suite("a notice", () => {
  test("has the link as text, and behind words in HTML, in each language", () => {
    for (const { tag, checkLink } of languages) {
      const { text, html } = writer.write({ ...about, locale: tag, link });
      assert.ok(text.split("\r\n").includes(link), tag);
      assert.ok(html.includes(`<a class="button" href="${link}">`), tag);
      assert.ok(text.includes(checkLink));
      const without = writer.write({ ...about, locale: tag });
      assert.equal(without.text.includes(checkLink) || without.html.includes(checkLink), false, tag);
    }
  });

  test("is the same one whatever its link is", () => {
    const digests = [undefined, link, `${link}y`].map((each) => writer.write({ ...about, link: each }).digest);
    assert.equal(new Set(digests).size, 1);
  });

  test("has what is to be done before it has the link, where there is no room for both", () => {
    const name = "𝕏".repeat(300);
    const crowded = createNoticeWriter({
      organisation: name,
      from: { ...from, name },
      helpUrl: `https://help.corp.example/${"x".repeat(HELP_URL_LIMIT_BYTES - 26)}`,
    });
    const findings: Finding[] = Array.from({ length: 40 }, (_, index) => ({
      ...appPresent,
      appName: `${String(index)} ${name}`,
      title: name,
    }));
    const others: Finding[] = [
      { kind: "compromised", campaign: "x", title: name, deadline },
      { kind: "record-unreadable", fields: [name] },
    ];
    for (const { tag } of languages) {
      for (const phase of ["held", "warned"] as const) {
        const { text, html } = crowded.write({
          phase,
          findings: [...findings, ...others],
          device: aRecord({ model: name, email: `${"a".repeat(400)}@corp.example`, locale: tag }),
          deviceId: deviceId("A".repeat(64)),
          link: `https://${"mail.".repeat(40)}corp.example/postern/${"x".repeat(TOKEN_LIMIT_CHARS)}`,
        });
        assert.ok(Buffer.byteLength(text) <= TEXT_LIMIT_BYTES, tag);
        assert.ok(Buffer.byteLength(html) <= HTML_LIMIT_BYTES, tag);
        assert.match(text, /^1\. /m, tag);
      }
    }
  });

  test("of an ordinary size keeps its words beside the link", () => {
    for (const { tag, meanwhile } of languages) {
      const { text } = writer.write({ ...about, locale: tag, link });
      assert.ok(text.includes(meanwhile.heading), `${tag}: ${Buffer.byteLength(text)} bytes`);
    }
  });
});

suite("a letter about one phone", () => {
  const campaign = aCampaign();
  const compose = createCompose({
    notices: writer,
    organisation: "Example Ltd",
    from,
    linkTo: (record, until) => `${link}${record.id}/${until?.toISOString() ?? ""}`,
  });
  const record = aRecord({ owner: "alice" });

  test("has the link of that phone, which lasts from the deadline on", () => {
    const later: Finding = { ...appPresent, deadline: new Date("2026-12-24T00:00:00Z") };
    const { text } = compose({
      campaign,
      kind: "announcement",
      number: 0,
      remindersDue: 0,
      phase: "warned",
      findings: [later, appPresent],
      record,
    });
    assert.ok(text.includes(`${link}PHONE1/2026-12-24T00:00:00.000Z`));
  });

  test("that says that all is well has none", () => {
    for (const kind of ["confirmation", "correction"] as const) {
      const letter =
        kind === "correction"
          ? ({ campaign, kind, record } as const)
          : ({ campaign, kind, number: 0, remindersDue: 0, phase: "warned", findings: [], record } as const);
      assert.doesNotMatch(compose(letter).text, /postern\//);
    }
  });
});
