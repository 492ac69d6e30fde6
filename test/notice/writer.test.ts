import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Notice, NoticeCase } from "../../src/notice/notice.ts";
import { languages } from "../../src/notice/languages.ts";
import { createNoticeWriter } from "../../src/notice/writer.ts";
import type { Finding } from "../../src/policy/verdict.ts";
import { aRecord, deviceId } from "../support/records.ts";

const options = {
  organisation: "Example",
  from: { name: "Example Mail", address: "mail@corp.example" },
  helpUrl: "https://help.corp.example/phone",
};
const writer = createNoticeWriter(options);
const id = deviceId("APPLF4KQ2P1XJC");
const alicesPhone = aRecord({
  owner: "alice",
  email: "alice@corp.example",
  timezone: "America/New_York",
  model: "iPhone 17",
  osVersion: "26.1",
  source: "intune",
});

function write(findings: readonly Finding[], parts: Partial<NoticeCase> = {}): Notice {
  return writer.write({ findings, device: alicesPhone, deviceId: id, ...parts });
}

type AppFound = Extract<Finding, { kind: "app-present" }>;

function anAppFound(appName: string, parts: Partial<AppFound> = {}): AppFound {
  return {
    kind: "app-present",
    campaign: appName,
    title: `${appName} is not permitted on phones that read company mail`,
    appName,
    app: { id: `example.${appName}`, name: undefined, version: undefined },
    foundAt: new Date("2026-11-19T19:05:00Z"),
    deadline: undefined,
    ...parts,
  };
}

const tiktok = anAppFound("TikTok", { deadline: new Date("2026-11-21T04:59:00Z") });

suite("a person who finds the notice instead of their mail is told everything they need", () => {
  test("which app, on which phone, since when, why, how to remove it, what goes on, and whom to ask", () => {
    const { subject, text, from } = write([tiktok]);
    assert.equal(subject, "Remove TikTok from your iPhone to get your mail back");
    assert.deepEqual(from, options.from);
    assert.equal(
      text,
      [
        "Remove TikTok to get your mail back",
        "",
        "Example does not allow TikTok on phones that read company mail. It is on this iPhone, so your mail is held back here until the app is gone. For now, this message stands in for your inbox.",
        "",
        "What was found",
        "- TikTok",
        "  To be removed by: Friday, 20 November 2026 at 23:59 (New York time, UTC−05:00)",
        "  Found: Thursday, 19 November 2026 at 14:05 (New York time, UTC−05:00)",
        "  Rule: TikTok is not permitted on phones that read company mail",
        "",
        "How to get your mail back",
        "1. Find TikTok: swipe down on the Home Screen and type its name. Touch and hold the icon.",
        "2. Tap “Delete App”, or “Remove App” and then “Delete App”. Taking it off the Home Screen is not enough.",
        "3. Open Company Portal and let it check the iPhone, so that the change is reported at once.",
        "",
        "Your mail comes back by itself within seconds after the phone has reported. You do not have to tell anyone.",
        "",
        "In the meantime",
        "- Mail on your computer works as usual, in the mail program and in the browser.",
        "- Nothing is lost. New mail waits for you on the server, and what you have written on this phone will be sent once your mail is back.",
        "",
        "Questions? The Example help desk is glad to help:",
        "https://help.corp.example/phone",
        "",
        "For the help desk",
        "Phone: iPhone 17, iOS 26.1",
        "Phone ID: APPLF4KQ2P1XJC",
        "Account: alice@corp.example",
        "",
      ].join("\r\n"),
    );
  });

  test("the page says the same in the same order", () => {
    const { text, html } = write([tiktok]);
    const words = html.replaceAll(/<style>.*<\/style>|<title>.*<\/title>/gs, "").replaceAll(/<[^>]*>/g, " ");
    const flat = (written: string): string => written.replaceAll(/\s+|^- |^\d\. /gm, "").replaceAll(/[-:\d.]/g, "");
    assert.ok(flat(words).endsWith(flat(text)), `${flat(words)}\n${flat(text)}`);
  });

  test("several apps are one list, the nearest deadline first, what is due already before it", () => {
    const { subject, text } = write([
      tiktok,
      anAppFound("CapCut", { deadline: new Date("2026-11-20T04:59:00Z") }),
      anAppFound("Douyin"),
      anAppFound("tiktok"),
    ]);
    assert.equal(subject, "Remove 3 apps from your iPhone to get your mail back");
    assert.deepEqual(
      text
        .split("\r\n")
        .filter((line) => line.startsWith("- "))
        .slice(0, 3),
      ["- tiktok", "- Douyin", "- CapCut"],
    );
    assert.match(text, /each of these apps/);
    assert.match(text, /until they are gone/);
  });

  test("a name under the icon that is not the name of the rule is named too", () => {
    const app = { id: "com.zhiliaoapp.musically.go", name: "TikTok Lite", version: undefined };
    assert.match(write([anAppFound("TikTok", { app })]).text, /On this phone it is called TikTok Lite/);
    const same = { ...app, name: "TIKTOK" };
    assert.doesNotMatch(write([anAppFound("TikTok", { app: same })]).text, /it is called/);
  });
});

suite("every kind of finding has its own words", () => {
  interface Row {
    readonly title: string;
    readonly findings: readonly Finding[];
    readonly parts?: Partial<NoticeCase>;
    readonly subject: string;
    readonly says: readonly RegExp[];
    readonly saysNot?: readonly RegExp[];
  }
  const rows: readonly Row[] = [
    {
      title: "the management system reports a known app",
      findings: [{ kind: "source-noncompliant", reasons: ["COM.zhiliaoapp.musically"], foundAt: undefined }],
      subject: "Remove TikTok from your iPhone to get your mail back",
      says: [/- TikTok\r\n {2}To be removed now\r\n/],
      saysNot: [/zhiliao/i],
    },
    {
      title: "the management system reports an app that the phone's own list names",
      findings: [{ kind: "source-noncompliant", reasons: ["com.example.game"], foundAt: undefined }],
      parts: { device: { ...alicesPhone, apps: [{ id: "com.example.Game", name: "The Game", version: "1" }] } },
      subject: "Remove The Game from your iPhone to get your mail back",
      says: [/- The Game\r\n/],
    },
    {
      title: "the management system reports an app and something else",
      findings: [
        { kind: "source-noncompliant", reasons: ["com.zhiliaoapp.musically", "PasscodeTooShort"], foundAt: undefined },
      ],
      subject: "Remove TikTok from your iPhone to get your mail back",
      says: [
        /- TikTok\r\n/,
        /- PasscodeTooShort\r\n/,
        /Something else on this iPhone has to change as well\. Company Portal shows/,
      ],
    },
    {
      title: "the management system reports something that only it can explain",
      findings: [{ kind: "source-noncompliant", reasons: ["PasscodeTooShort"], foundAt: undefined }],
      subject: "Your iPhone needs a change before your mail comes back",
      says: [/- PasscodeTooShort\r\n/, /Open Company Portal on this iPhone\. It shows what to change/],
    },
    {
      title: "the management system does not say why",
      findings: [{ kind: "source-noncompliant", reasons: [], foundAt: undefined }],
      parts: { device: { ...alicesPhone, source: undefined } },
      subject: "Your iPhone needs a change before your mail comes back",
      says: [/Open the app with which Example looks after this iPhone/],
      saysNot: [/What was found/],
    },
    {
      title: "somebody has switched mail off",
      findings: [{ kind: "override", why: "Reported lost on Monday", who: "bob@corp.example" }],
      subject: "Mail is switched off on your iPhone",
      says: [/The reason it gave: “Reported lost on Monday”\./, /As soon as the IT team has switched mail on again/],
      saysNot: [/bob/],
    },
    {
      title: "somebody has switched mail off without saying why",
      findings: [{ kind: "override", why: undefined, who: undefined }],
      subject: "Mail is switched off on your iPhone",
      says: [/has switched off mail on this iPhone\. For now/],
    },
    {
      title: "a phone that nobody has set up",
      findings: [{ kind: "not-enrolled" }],
      parts: { device: undefined },
      subject: "Set up your phone with Example to get your mail",
      says: [/1\. Set up this phone for work/, /Phone ID: APPLF4KQ2P1XJC/],
      saysNot: [/Phone:|Account:/],
    },
    {
      title: "a phone that has not reported for days",
      findings: [{ kind: "stale", reportedAt: new Date("2026-11-01T10:00:00Z"), maxAgeHours: 72 }],
      subject: "Your iPhone needs to check in to get your mail back",
      says: [
        /during the last 3 days\. This iPhone last checked in on Sunday, 1 November 2026 at 05:00 \(New York time/,
      ],
    },
    {
      title: "a phone that has not reported for hours",
      findings: [{ kind: "stale", reportedAt: new Date(Number.NaN), maxAgeHours: 36 }],
      subject: "Your iPhone needs to check in to get your mail back",
      says: [/during the last 36 hours\. This iPhone has not checked in lately, so/],
    },
    {
      title: "a phone that cannot be looked into",
      findings: [{ kind: "uninspectable", campaign: "c", title: "t", appName: "TikTok" }],
      subject: "Your iPhone needs to be checked before your mail comes back",
      says: [/nobody can tell whether it is there/],
    },
    {
      title: "a phone that cannot be looked into for two apps",
      findings: [
        { kind: "uninspectable", campaign: "c", title: "t", appName: "TikTok" },
        { kind: "uninspectable", campaign: "d", title: "t", appName: "CapCut" },
      ],
      subject: "Your iPhone needs to be checked before your mail comes back",
      says: [/does not allow TikTok, CapCut on phones/, /whether they are there/],
    },
    {
      title: "a record with a fault",
      findings: [{ kind: "record-unreadable", fields: ["apps", "appsAt", "apps"] }],
      subject: "Your mail is held back: our record of your iPhone has a fault",
      says: [/You have done nothing wrong/, /Unreadable: apps, appsAt\r\n/],
    },
    {
      title: "nothing that could be named",
      findings: [],
      parts: { device: undefined },
      subject: "Your mail is held back on your phone for now",
      says: [/Ask the help desk/],
    },
  ];
  for (const { title, findings, parts, subject, says, saysNot } of rows) {
    test(title, () => {
      const notice = write(findings, parts);
      assert.equal(notice.subject, subject);
      for (const pattern of says) assert.match(notice.text, pattern);
      for (const pattern of saysNot ?? []) assert.doesNotMatch(notice.text, pattern);
      // The one word that no employee should have to know, and the ones that go with it.
      assert.doesNotMatch(notice.subject + notice.text + notice.html, /complian|quarantine|enrol|policy|MDM|violat/i);
    });
  }

  test("the first finding decides what it is about, the others are mentioned", () => {
    const { subject, text } = write([
      tiktok,
      { kind: "stale", reportedAt: new Date("2026-11-01T10:00:00Z"), maxAgeHours: 72 },
      { kind: "uninspectable", campaign: "c", title: "t", appName: "CapCut" },
      { kind: "record-unreadable", fields: ["groups"] },
      { kind: "source-noncompliant", reasons: ["com.zhiliaoapp.musically"], foundAt: undefined },
    ]);
    assert.match(subject, /^Remove TikTok/);
    assert.match(text, /It has to check in before your mail comes back/);
    assert.match(text, /Nobody can tell whether CapCut is on this iPhone/);
    assert.match(text, /A part of our record of this iPhone cannot be read/);
    const other = write([{ kind: "not-enrolled" }, { kind: "override", why: undefined, who: undefined }, tiktok]);
    assert.match(other.subject, /^Set up your iPhone/);
    assert.match(other.text, /The IT team has switched off mail/);
    assert.match(other.text, /asks you to remove them: TikTok\./);
  });

  test("somebody else's phone stays somebody else's: nothing in their record is told", () => {
    const device = { ...alicesPhone, model: "Secret Phone", locale: "de" };
    const { subject, text, html } = write([{ kind: "owner-mismatch" }, tiktok], { device });
    assert.equal(subject, "Your phone is registered to someone else");
    for (const secret of ["alice", "Secret", "TikTok", "New York", "iPhone", "26.1", "Company Portal"]) {
      assert.ok(!`${subject}${text}${html}`.includes(secret), secret);
    }
  });
});

suite("the steps are those of the phone in the hand", () => {
  const rows: readonly (readonly [title: string, device: NoticeCase["device"], says: RegExp])[] = [
    ["an iPhone", alicesPhone, /your iPhone[\s\S]*“Delete App”/],
    ["an iPad that reports iOS", { ...alicesPhone, model: "iPad Pro" }, /your iPad[\s\S]*“Delete App”/],
    [
      "an Android phone",
      { ...alicesPhone, platform: "android" },
      /your Android phone[\s\S]*“Uninstall”[\s\S]*“Personal” and “Work”, look in both/,
    ],
    [
      "an Android work profile",
      { ...alicesPhone, platform: "android", appsScope: "work-profile" },
      /found in your work profile: look under “Work”/,
    ],
    [
      "a phone of which nothing is known",
      { ...alicesPhone, platform: undefined },
      /your phone[\s\S]*1\. Delete or uninstall TikTok/,
    ],
    [
      "something that is no phone",
      { ...alicesPhone, platform: "windows" },
      /your Windows device[\s\S]*1\. Delete or uninstall TikTok/,
    ],
    [
      "a phone whose management app has no known name",
      { ...alicesPhone, source: "acme" },
      /Keep the iPhone online: it reports the change by itself/,
    ],
    [
      "a phone that is looked after with Workspace ONE",
      { ...alicesPhone, source: "Workspace ONE" },
      /Open Intelligent Hub/,
    ],
  ];
  for (const [title, device, says] of rows) {
    test(title, () => {
      const { subject, text } = write([tiktok], { device });
      assert.match(`${subject}\n${text}`, says);
    });
  }
});

suite("when the notice is delivered anew", () => {
  const before = write([tiktok]).digest;

  test("the same case has the same digest, in every writer", () => {
    assert.equal(write([tiktok]).digest, before);
    assert.equal(
      createNoticeWriter(options).write({ findings: [tiktok], device: alicesPhone, deviceId: id }).digest,
      before,
    );
    assert.match(before, /^[A-Za-z0-9_-]{16}$/);
  });

  test("a phone that reports the same app again gets no second message", () => {
    assert.equal(write([{ ...tiktok, foundAt: new Date("2026-11-20T07:00:00Z") }]).digest, before);
  });

  const changes: readonly (readonly [title: string, notice: Notice])[] = [
    ["another app", write([anAppFound("CapCut")])],
    ["another deadline", write([{ ...tiktok, deadline: new Date("2026-11-22T04:59:00Z") }])],
    ["one finding more", write([tiktok, { kind: "record-unreadable", fields: ["groups"] }])],
    ["another time zone", write([tiktok], { timezone: "Europe/Berlin" })],
    ["another system on the phone", write([tiktok], { device: { ...alicesPhone, osVersion: "26.2" } })],
    [
      "another organisation",
      createNoticeWriter({ ...options, organisation: "Other" }).write({
        findings: [tiktok],
        device: alicesPhone,
        deviceId: id,
      }),
    ],
    [
      "another sender",
      createNoticeWriter({ ...options, from: { ...options.from, name: "IT" } }).write({
        findings: [tiktok],
        device: alicesPhone,
        deviceId: id,
      }),
    ],
  ];
  for (const [title, notice] of changes) test(title, () => assert.notEqual(notice.digest, before));
});

suite("a writer that could not write is refused when the gate starts", () => {
  const rows: readonly (readonly [title: string, parts: Partial<Parameters<typeof createNoticeWriter>[0]>])[] = [
    ["no organisation", { organisation: " \u200b" }],
    ["no sender's name", { from: { name: "\r\n", address: "mail@corp.example" } }],
    ["a sender's address with a line end", { from: { name: "IT", address: "mail@corp.example\r\nBcc: x@y.example" } }],
    ["a sender's address with a name", { from: { name: "IT", address: "IT <mail@corp.example>" } }],
    ["a help page that runs", { helpUrl: "javascript:alert(1)" }],
    ["a help page that is no address", { helpUrl: "the help desk" }],
    ["a help page that fills the message", { helpUrl: `https://help.example/${"x".repeat(200)}` }],
  ];
  for (const [title, parts] of rows)
    test(title, () => assert.throws(() => createNoticeWriter({ ...options, ...parts }), TypeError));
});

suite("a phone that asks for two languages", () => {
  for (const first of languages) {
    for (const wish of languages) {
      test(`is told the same in the same language, and something else in the other: ${first.tag}, then ${wish.tag}`, () => {
        const before = write([tiktok], { locale: first.tag });
        const again = write([tiktok], { locale: wish.tag, before });
        assert.deepEqual(again, before);
        assert.equal(before.language, first.tag);
        const other = write([anAppFound("Douyin")], { locale: wish.tag, before });
        assert.equal(other.language, wish.tag);
        assert.equal(write([tiktok], { locale: wish.tag }).digest, before.digest, "what is said has no language");
      });
    }
  }
});
