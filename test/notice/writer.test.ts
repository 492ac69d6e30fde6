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

/** The management system says so, and no campaign asks for it. */
const byNoCampaign = { campaign: undefined, title: undefined, deadline: undefined } as const;

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
        "Remove TikTok from your iPhone to get your mail back",
        "",
        "Example does not allow TikTok on phones that read company mail. It is on this iPhone. So your mail is held back here for now, and this message stands in for your inbox.",
        "",
        "What this is about",
        "- TikTok",
        "  Deadline: until Friday, 20 November 2026 at 23:59 (Eastern Time, UTC−05:00)",
        "  Found: Thursday, 19 November 2026 at 14:05 (Eastern Time, UTC−05:00)",
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
      ["- Douyin", "- tiktok", "- CapCut"],
    );
    assert.match(text, /each of these apps/);
    assert.match(text, /3 apps of that kind are on this iPhone/);
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
      findings: [
        { kind: "source-noncompliant", ...byNoCampaign, reasons: ["COM.zhiliaoapp.musically"], foundAt: undefined },
      ],
      subject: "Remove TikTok from your iPhone to get your mail back",
      says: [/- TikTok\r\n {2}Deadline: now\r\n/],
      saysNot: [/zhiliao/i],
    },
    {
      title: "the management system reports an app that the phone's own list names",
      findings: [{ kind: "source-noncompliant", ...byNoCampaign, reasons: ["com.example.game"], foundAt: undefined }],
      parts: { device: { ...alicesPhone, apps: [{ id: "com.example.Game", name: "The Game", version: "1" }] } },
      subject: "Remove The Game from your iPhone to get your mail back",
      says: [/- The Game\r\n/],
    },
    {
      title: "the management system reports an app and something else",
      findings: [
        {
          kind: "source-noncompliant",
          ...byNoCampaign,
          reasons: ["com.zhiliaoapp.musically", "PasscodeTooShort"],
          foundAt: undefined,
        },
      ],
      subject: "Remove TikTok from your iPhone to get your mail back",
      says: [/- TikTok\r\n/, /- PasscodeTooShort\r\n/, /Open Company Portal: it shows what else has to change/],
    },
    {
      title: "the management system reports something that only it can explain",
      findings: [{ kind: "source-noncompliant", ...byNoCampaign, reasons: ["PasscodeTooShort"], foundAt: undefined }],
      subject: "Your iPhone needs a change to get your mail back",
      says: [/- PasscodeTooShort\r\n/, /Open Company Portal\. It shows what to change/],
    },
    {
      title: "phones of two people go by one id",
      findings: [{ kind: "id-contested" }],
      subject: "Your mail is held back: two phones have the name of your phone",
      says: [/Tell the Example help desk that this phone is yours/, /You have done nothing wrong/],
      // It may be the other one's record.
      saysNot: [/alice|iPhone|26\.1|Company Portal/],
    },
    {
      title: "the management system does not say why",
      findings: [{ kind: "source-noncompliant", ...byNoCampaign, reasons: [], foundAt: undefined }],
      parts: { device: { ...alicesPhone, source: undefined } },
      subject: "Your iPhone needs a change to get your mail back",
      says: [/Open the app with which Example looks after this iPhone/],
      saysNot: [/What this is about/],
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
      says: [/has switched off mail on this iPhone\. So your mail/],
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
      says: [/during the last 3 days\. This iPhone last checked in on Sunday, 1 November 2026 at 05:00 \(Eastern Time/],
    },
    {
      title: "a phone that has not reported for hours",
      findings: [{ kind: "stale", reportedAt: new Date(Number.NaN), maxAgeHours: 36 }],
      subject: "Your iPhone needs to check in to get your mail back",
      says: [/during the last 36 hours\. This iPhone has not checked in lately\. So/],
    },
    {
      title: "a phone that cannot be looked into",
      findings: [
        {
          kind: "uninspectable",
          campaign: "c",
          title: "t",
          unseen: { kind: "app", name: "TikTok" },
          deadline: undefined,
        },
      ],
      subject: "Your iPhone needs to be checked to get your mail back",
      says: [/nobody can tell whether it is there/],
    },
    {
      title: "a phone that cannot be looked into for two apps",
      findings: [
        {
          kind: "uninspectable",
          campaign: "c",
          title: "t",
          unseen: { kind: "app", name: "TikTok" },
          deadline: undefined,
        },
        {
          kind: "uninspectable",
          campaign: "d",
          title: "t",
          unseen: { kind: "app", name: "CapCut" },
          deadline: undefined,
        },
      ],
      subject: "Your iPhone needs to be checked to get your mail back",
      says: [/does not allow TikTok, CapCut on phones/, /whether they are there/],
    },
    {
      title: "a phone whose version cannot be seen",
      findings: [{ kind: "uninspectable", campaign: "c", title: "t", unseen: { kind: "os" }, deadline: undefined }],
      subject: "Your iPhone needs to be checked to get your mail back",
      says: [/nobody can tell whether it has what Example asks for/],
      saysNot: [/What this is about/],
    },
    {
      title: "an old system",
      findings: [
        { kind: "os-outdated", campaign: "c", title: "t", osVersion: "26.1", minimum: "26.2", deadline: undefined },
      ],
      subject: "Update your iPhone to get your mail back",
      says: [
        /- iOS 26\.2 or newer\r\n {2}On this phone: iOS 26\.1\r\n {2}Deadline: now\r\n/,
        /1\. Open “Settings” > “General” > “Software Update”/,
        /3\. Open Company Portal and let it check/,
      ],
    },
    {
      title: "an old security update",
      findings: [
        {
          kind: "patch-outdated",
          campaign: "c",
          title: "t",
          securityPatch: "2026-02-01",
          minimum: "2026-05-01",
          deadline: undefined,
        },
      ],
      parts: { device: { ...alicesPhone, platform: "android", model: "Pixel 9" } },
      subject: "Install the security update on your Android phone to get your mail back",
      says: [
        /- Security update of 1 May 2026 or newer\r\n {2}On this phone: 1 February 2026\r\n/,
        /1\. Open “Settings” > “System” > “Software update”/,
      ],
    },
    {
      title: "a phone that reports too seldom for a campaign",
      findings: [
        {
          kind: "report-overdue",
          campaign: "c",
          title: "t",
          reportedAt: new Date("2026-11-01T10:00:00Z"),
          withinHours: 24,
          deadline: new Date("2026-11-21T04:59:00Z"),
        },
      ],
      subject: "Your iPhone needs to check in to get your mail back",
      says: [
        /during the last 24 hours\. This iPhone last checked in on Sunday/,
        /- Checking in\r\n {2}Deadline: until Fri/,
      ],
    },
    {
      title: "a phone whose protection is broken",
      findings: [{ kind: "compromised", campaign: "c", title: "t", deadline: undefined }],
      subject: "The help desk needs to look at your iPhone",
      says: [/built-in protection of this iPhone is not as its maker ships it/, /Give them the phone ID/],
      saysNot: [/jailb|root/i],
    },
    {
      title: "a phone that a campaign wants to be set up",
      findings: [{ kind: "not-enrolled-for", campaign: "c", title: "t", deadline: undefined }],
      subject: "Set up your iPhone with Example to get your mail",
      says: [/- Setting up for work\r\n {2}Deadline: now/],
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
      {
        kind: "uninspectable",
        campaign: "c",
        title: "t",
        unseen: { kind: "app", name: "CapCut" },
        deadline: undefined,
      },
      { kind: "record-unreadable", fields: ["groups"] },
      { kind: "source-noncompliant", ...byNoCampaign, reasons: ["com.zhiliaoapp.musically"], foundAt: undefined },
    ]);
    assert.match(subject, /^Remove TikTok/);
    assert.match(text, /\d\. Open Company Portal and wait until it has checked in\.\r\n/);
    assert.match(
      text,
      /\d\. Open Company Portal and finish whatever it asks for: not all of this iPhone could be checked/,
    );
    assert.match(text, /\d\. Tell the help desk that a part of our record of this iPhone cannot be read/);
    const other = write([{ kind: "not-enrolled" }, { kind: "override", why: undefined, who: undefined }, tiktok]);
    assert.match(other.subject, /^Set up your iPhone/);
    assert.match(other.text, /why the IT team has switched off mail/);
    assert.match(other.text, /Remove TikTok\. Taking the icon off the screen is not enough/);
  });

  test("somebody else's phone stays somebody else's: nothing in their record is told", () => {
    const device = { ...alicesPhone, model: "Secret Phone", locale: "de" };
    const { subject, text, html } = write([{ kind: "owner-mismatch" }, tiktok], { device });
    assert.equal(subject, "Your phone is registered to someone else");
    for (const secret of ["alice", "Secret", "TikTok", "Eastern", "iPhone", "26.1", "Company Portal"]) {
      assert.ok(!`${subject}${text}${html}`.includes(secret), secret);
    }
  });
});

suite("several campaigns are one notice with everything that has to be done", () => {
  const sooner = new Date("2026-11-21T04:59:00Z");
  const later = new Date("2026-12-21T04:59:00Z");
  const old = { kind: "os-outdated", campaign: "os", title: "t", osVersion: "26.1", minimum: "26.2" } as const;
  const silent = { kind: "report-overdue", campaign: "r", title: "t", reportedAt: undefined, withinHours: 24 } as const;
  const lines = (text: string): string[] => text.split("\r\n");

  test("the nearest deadline first, each with its own", () => {
    const { subject, text } = write(
      [{ ...old, deadline: later }, { ...silent, deadline: sooner }, anAppFound("TikTok", { deadline: later })],
      { phase: "warned" },
    );
    assert.equal(subject, "Your iPhone needs to check in to keep your mail");
    const list = lines(text).filter((line) => /^- |^ {2}Deadline/.test(line));
    assert.deepEqual(list.slice(0, 6), [
      "- Checking in",
      "  Deadline: until Friday, 20 November 2026 at 23:59 (Eastern Time, UTC−05:00)",
      "- iOS 26.2 or newer",
      "  Deadline: until Sunday, 20 December 2026 at 23:59 (Eastern Time, UTC−05:00)",
      "- TikTok",
      "  Deadline: until Sunday, 20 December 2026 at 23:59 (Eastern Time, UTC−05:00)",
    ]);
    const steps = lines(text).filter((line) => /^\d\. /.test(line));
    assert.match(
      steps.join("\n"),
      /4\. Update to iOS 26\.2 or newer.*\n5\. Remove TikTok\..*\n6\. Open Company Portal/,
    );
  });

  test("a deadline that they have in common is said once", () => {
    const { text } = write([anAppFound("TikTok", { deadline: sooner }), { ...old, deadline: sooner }]);
    assert.equal(text.match(/Deadline: /g)?.length, 1);
    assert.match(text, /What this is about\r\nDeadline: until Friday, 20 November/);
  });

  test("what is due already comes before what has time, and other matters keep their place", () => {
    const stale = { kind: "stale", reportedAt: later, maxAgeHours: 72 } as const;
    const { text } = write([{ ...old, deadline: later }, stale, anAppFound("TikTok", { deadline: undefined })]);
    assert.match(text, /- TikTok[\s\S]*- iOS 26\.2/);
    assert.match(text, /^Remove TikTok/);
  });

  test("while mail still flows nothing is said to be due now", () => {
    assert.doesNotMatch(write([{ ...silent, deadline: undefined }], { phase: "warned" }).text, /Deadline/);
  });

  for (const locale of ["en", "de", "fr", "es", "ja", "zh-Hans"]) {
    test(`nothing that has to be done is left out for want of room: ${locale}`, () => {
      for (const platform of ["ios", "android"] as const) {
        const findings: Finding[] = [
          anAppFound("TikTok", { deadline: sooner }),
          { ...old, deadline: later },
          { ...silent, deadline: later },
          { kind: "uninspectable", campaign: "c", title: "t", unseen: { kind: "integrity" }, deadline: undefined },
        ];
        for (const phase of ["warned", "held"] as const) {
          const { text, html } = write(findings, { phase, locale, device: { ...alicesPhone, platform, locale } });
          assert.equal(lines(text).filter((line) => /^\d\. /.test(line)).length, 5, text);
          assert.equal(html.match(/<b>/g)?.length, 3);
          assert.match(html, /26\.2/);
        }
      }
    });
  }
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
