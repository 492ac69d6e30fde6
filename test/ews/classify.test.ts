import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createClassify, USER_AGENT_LIMIT_BYTES } from "../../src/ews/classify.ts";

const classify = createClassify([]);
const agent = (text: string): ReadonlyMap<string, string> => new Map([["user-agent", text]]);

const laptops: readonly string[] = [
  "MacOutlook/16.78.23100802 (Intelx64 Mac OS X Version 13.6 (Build 22G120))",
  "MacOutlook/16.102.25101223 (Arm64 Mac OS X Version 26.1 (Build 25B78))",
  "MacOutlook/14.3.2.130206 (Intel Mac OS X 10.8.2)",
  "Entourage/13.3.0 (Intel Mac OS X 10.6.8)",
  "Mac OS X/10.6.8 (10K549); ExchangeWebServices/1.3 (61); Mail/4.6 (1085)",
  "Mac OS X/10.10.5 (14F27) CalendarAgent/316.1",
  "Mac+OS+X/10.11.6 (15G1611) CalendarAgent/361.2",
  "Mac_OS_X/10.9.5 (13F34) CalendarAgent/176.2",
  "Mac OS X/10.15 (19A603) AddressBookCore/1",
  "macOS/11.0 (20A5343i) CalendarAgent/950",
  "macOS/13.0 (22A380) Mail/16.0 (3731.200.110.1.12)",
  "macOS/26.1 (25B78) exchangesyncd/1.0",
  "macOS/14.6.1 (23G93) accountsd/113",
  "Microsoft Office/12.0 (Windows NT 6.0; Microsoft Office Outlook 12.0.6739; Pro)",
  "Microsoft Office/14.0 (Windows NT 6.1; Microsoft Outlook 14.0.7113; Pro)",
  "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
  "Microsoft Office/16.0 (Windows NT 10.0; MAPI 16.0.8431; Pro)",
  "Microsoft Outlook 16.0.17328 (Windows NT 10.0)",
  "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Thunderbird/145.0",
  "Evolution/3.52.3",
  "eM Client/9.2.2157.0",
];

const others: readonly (readonly [title: string, agent: string])[] = [
  ["nothing", ""],
  ["iOS Mail", "Apple-iPhone14C3/1805.32"],
  ["the sync service of an iPhone", "iOS/17.1 (21B74) dataaccessd/1.0"],
  ["the calendar of an iPhone", "iOS/18.6 (22G86) CalendarAgent/960"],
  ["the same of an iPad", "iPadOS/18.6 (22G86) exchangesyncd/1.0"],
  ["Outlook on phones", "Outlook-iOS-Android/1.0"],
  ["Outlook on an iPhone", "Outlook-iOS/2.0"],
  ["Office on an iPhone", "Microsoft Office/16.0 (iOS 18.6; Microsoft Outlook 16.0)"],
  ["Office on Android", "Microsoft Office/16.0 (Android 15; Microsoft Outlook 16.0)"],
  ["Office on a Windows phone", "Microsoft Office/16.0 (Windows NT 10.0; Windows Phone 10.0; Microsoft Outlook 16.0)"],
  ["Office on nothing in particular", "Microsoft Office/16.0"],
  ["Gmail", "Android-Mail/2026.11.02"],
  ["Samsung Email", "Android-SAMSUNG-SM-S928B/101.15"],
  ["Nine", "Nine-2b2c8a9a"],
  ["a library of Android", "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9)"],
  ["another one", "okhttp/5.0.0"],
  ["an app of iOS", "MyMail/3.1 CFNetwork/1490.0.4 Darwin/23.2.0"],
  ["Safari on an iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"],
  ["a browser on a computer", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"],
  ["Thunderbird on Android", "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Thunderbird/140.0"],
  ["Thunderbird in a name only", "Mozilla/5.0 (X11; Linux) Thunderbird/140.0"],
  ["a Mac that does not say which program", "macOS/14.6.1 (23G93)"],
  ["a name of a Mac further behind", "x MacOutlook/16.78"],
  ["a phone that calls itself Outlook for Mac as well", "MacOutlook/16.78 (iPhone; Mac OS X Version 13.6)"],
  ["a script", "curl/8.10.1"],
  ["the managed API", "ExchangeServicesClient/15.00.0847.030"],
  ["Skype for Business", "OC/16.0.4266.1001 (Skype for Business)"],
  ["a room panel", "Crestron-TSW/3.002"],
];

suite("a mail program on a computer", () => {
  for (const text of laptops) {
    test(text, () => {
      assert.equal(classify(agent(text)), "laptop");
      assert.equal(classify(agent(text.toUpperCase())), "laptop", "letter case says nothing");
    });
  }
});

suite("anything else is not let in", () => {
  for (const [title, text] of others) {
    test(`${title}: ${text}`, () => assert.equal(classify(agent(text)), "other"));
  }

  test("no User-Agent at all", () => assert.equal(classify(new Map()), "other"));

  test("a User-Agent at the limit is read, one past it is not", () => {
    const [start = ""] = laptops;
    assert.equal(classify(agent(start.padEnd(USER_AGENT_LIMIT_BYTES, "x"))), "laptop");
    assert.equal(classify(agent(start.padEnd(USER_AGENT_LIMIT_BYTES + 1, "x"))), "other");
  });

  test("a User-Agent with a word of a phone anywhere in it", () => {
    const words = fc.constantFrom("iPhone", "iPad", "Android", "Mobile", "iOS/18", "Windows Phone", "okhttp/5");
    fc.assert(
      fc.property(fc.constantFrom(...laptops), words, fc.nat(), (text, word, position) => {
        const at = position % (text.length + 1);
        assert.equal(classify(agent(`${text.slice(0, at)}${word}${text.slice(at)}`)), "other");
      }),
    );
  });
});

suite("another header that speaks for a phone outweighs the User-Agent", () => {
  const [outlook = ""] = laptops;
  const rows: readonly (readonly [header: string, value: string, expected: string])[] = [
    ["sec-ch-ua-mobile", "?1", "other"],
    ["sec-ch-ua-mobile", "?0", "laptop"],
    ["sec-ch-ua-mobile", "", "other"],
    ["sec-ch-ua-platform", '"Android"', "other"],
    ["sec-ch-ua-platform", '"iOS"', "other"],
    ["sec-ch-ua-platform", '"macOS"', "laptop"],
    ["sec-ch-ua-model", '"Pixel 9"', "other"],
    ["sec-ch-ua-model", '""', "laptop"],
    ["x-requested-with", "com.example.mail", "other"],
  ];
  for (const [header, value, expected] of rows) {
    test(`${header}: ${value} → ${expected}`, () => {
      assert.equal(classify(new Map([...agent(outlook), [header, value]])), expected);
    });
  }
});

suite("programs that the operator has named", () => {
  const listing = createClassify(["Crestron-TSW", "Mozilla/5.0 (Linux; Android 9; TSW-"]);
  const rows: readonly (readonly [agent: string, expected: string])[] = [
    ["Crestron-TSW/3.002", "listed"],
    ["crestron-tsw", "listed"],
    ["Mozilla/5.0 (Linux; Android 9; TSW-1070) Mobile", "listed"],
    ["Crestron-TS", "other"],
    ["x Crestron-TSW", "other"],
    ["MacOutlook/16.78", "laptop"],
    ["curl/8.10.1", "other"],
  ];
  for (const [text, expected] of rows) {
    test(`${text} → ${expected}`, () => assert.equal(listing(agent(text)), expected));
  }
});
