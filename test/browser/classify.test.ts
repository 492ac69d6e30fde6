import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { looksLike, USER_AGENT_LIMIT_BYTES } from "../../src/browser/classify.ts";

/** What a browser of today sends, as far as it tells anything about the machine. */
interface Row {
  readonly title: string;
  readonly agent: string | undefined;
  /** Chromium's client hints: Sec-CH-UA-Mobile and Sec-CH-UA-Platform. */
  readonly hints?: readonly [mobile: string, platform: string];
}

const webkit = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const blink = "AppleWebKit/537.36 (KHTML, like Gecko)";
const windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
const macintosh = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
const linux = "Mozilla/5.0 (X11; Linux x86_64)";
const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)";
const ipad = "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X)";
const android = "Mozilla/5.0 (Linux; Android 10; K)";

const laptops: readonly Row[] = [
  {
    title: "Chrome on Windows",
    agent: `${windows} ${blink} Chrome/142.0.0.0 Safari/537.36`,
    hints: ["?0", `"Windows"`],
  },
  { title: "Chrome on Windows without client hints", agent: `${windows} ${blink} Chrome/142.0.0.0 Safari/537.36` },
  {
    title: "Edge on Windows",
    agent: `${windows} ${blink} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`,
    hints: ["?0", `"Windows"`],
  },
  {
    title: "Firefox on Windows",
    agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
  },
  {
    title: "Opera on Windows",
    agent: `${windows} ${blink} Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0`,
    hints: ["?0", `"Windows"`],
  },
  {
    title: "Vivaldi on Windows",
    agent: `${windows} ${blink} Chrome/140.0.0.0 Safari/537.36 Vivaldi/7.6`,
    hints: ["?0", `"Windows"`],
  },
  {
    title: "Edge in the mode of Internet Explorer",
    agent: "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
  },
  {
    title: "the same on a laptop with a touch screen",
    agent: "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; Touch; .NET4.0C; Tablet PC 2.0; rv:11.0) like Gecko",
  },
  {
    title: "the new Outlook for Windows, which is Edge",
    agent: `${windows} ${blink} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0 OneOutlook/1.2025.1`,
    hints: ["?0", `"Windows"`],
  },
  { title: "Safari on a Mac", agent: `${macintosh} ${webkit} Version/26.1 Safari/605.1.15` },
  { title: "Chrome on a Mac", agent: `${macintosh} ${blink} Chrome/142.0.0.0 Safari/537.36`, hints: ["?0", `"macOS"`] },
  {
    title: "Edge on a Mac",
    agent: `${macintosh} ${blink} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`,
    hints: ["?0", `"macOS"`],
  },
  {
    title: "Firefox on a Mac",
    agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
  },
  { title: "Chrome on Linux", agent: `${linux} ${blink} Chrome/142.0.0.0 Safari/537.36`, hints: ["?0", `"Linux"`] },
  { title: "Firefox on Linux", agent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0" },
  {
    title: "Firefox on Ubuntu",
    agent: "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
  },
  { title: "GNOME Web", agent: `${linux} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15` },
  { title: "Firefox on FreeBSD", agent: "Mozilla/5.0 (X11; FreeBSD amd64; rv:143.0) Gecko/20100101 Firefox/143.0" },
  {
    title: "Chrome on a Chromebook",
    agent: `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${blink} Chrome/141.0.0.0 Safari/537.36`,
    hints: ["?0", `"Chrome OS"`],
  },
  {
    title: "a browser that is driven by a test",
    agent: `${linux} ${blink} HeadlessChrome/142.0.0.0 Safari/537.36`,
    hints: ["?0", `"Linux"`],
  },
  // Not told apart, because nothing that is sent differs: this is the limit of what a gate can see.
  {
    title: "Safari on an iPad, which calls itself a Macintosh",
    agent: `${macintosh} ${webkit} Version/26.1 Safari/605.1.15`,
  },
  {
    title: "an iPhone that was asked for the desktop site",
    agent: `${macintosh} ${webkit} Version/18.6 Safari/605.1.15`,
  },
  {
    title: "an Android phone that was asked for the desktop site",
    agent: `${linux} ${blink} Chrome/142.0.0.0 Safari/537.36`,
    hints: ["?0", `"Linux"`],
  },
];

const phones: readonly Row[] = [
  { title: "Safari on an iPhone", agent: `${iphone} ${webkit} Version/26.0 Mobile/15E148 Safari/604.1` },
  { title: "Chrome on an iPhone", agent: `${iphone} ${webkit} CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1` },
  { title: "Firefox on an iPhone", agent: `${iphone} ${webkit} FxiOS/145.0 Mobile/15E148 Safari/605.1.15` },
  { title: "Edge on an iPhone", agent: `${iphone} ${webkit} Version/18.0 EdgiOS/142.0.0.0 Mobile/15E148 Safari/604.1` },
  { title: "an app's browser on an iPhone", agent: `${iphone} ${webkit} Mobile/15E148` },
  {
    title: "Safari on an iPad with the mobile site",
    agent: `${ipad} ${webkit} Version/26.0 Mobile/15E148 Safari/604.1`,
  },
  {
    title: "Chrome on an iPad with the desktop site",
    agent: `${macintosh} ${webkit} CriOS/142.0.7444.77 Version/18.0 Safari/605.1.15`,
  },
  { title: "Firefox on an iPad with the desktop site", agent: `${macintosh} ${webkit} FxiOS/145.0 Safari/605.1.15` },
  {
    title: "Chrome on Android",
    agent: `${android} ${blink} Chrome/142.0.0.0 Mobile Safari/537.36`,
    hints: ["?1", `"Android"`],
  },
  {
    title: "Chrome on an Android tablet",
    agent: `${android} ${blink} Chrome/142.0.0.0 Safari/537.36`,
    hints: ["?0", `"Android"`],
  },
  {
    title: "Chrome on Android with the desktop site, which leaves the platform",
    agent: `${linux} ${blink} Chrome/142.0.0.0 Safari/537.36`,
    hints: ["?0", `"Android"`],
  },
  {
    title: "Samsung Internet",
    agent: `Mozilla/5.0 (Linux; Android 10; K) ${blink} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
    hints: ["?1", `"Android"`],
  },
  {
    title: "Edge on Android",
    agent: `${android} ${blink} Chrome/142.0.0.0 Mobile Safari/537.36 EdgA/142.0.0.0`,
    hints: ["?1", `"Android"`],
  },
  { title: "Firefox on Android", agent: "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0" },
  {
    title: "Firefox on an Android tablet",
    agent: "Mozilla/5.0 (Android 15; Tablet; rv:145.0) Gecko/145.0 Firefox/145.0",
  },
  {
    title: "an app's browser on Android",
    agent: `Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A; wv) ${blink} Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36`,
    hints: ["?1", `"Android"`],
  },
  { title: "Opera Mini", agent: "Opera/9.80 (Android; Opera Mini/79.0/191.308; U; en) Presto/2.12.423 Version/12.16" },
  {
    title: "Silk on a Fire tablet with the desktop site",
    agent: `${linux} ${blink} Silk/140.1.1 like Chrome/140.0.0.0 Safari/537.36`,
  },
  {
    title: "Huawei's browser",
    agent: `Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00) ${blink} Chrome/114.0.0.0 HuaweiBrowser/15.0 Mobile Safari/537.36`,
  },
  {
    title: "HarmonyOS NEXT",
    agent: `Mozilla/5.0 (Phone; OpenHarmony 5.0) ${blink} Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1 Mobile`,
  },
  {
    title: "a Windows phone that calls itself Windows",
    agent:
      "Mozilla/5.0 (Windows NT 10.0; ARM; Trident/8.0; Touch; rv:11.0; WebBrowser/8.1; IEMobile/11.0; NOKIA; Lumia 520) like iPhone OS 7_0_3",
  },
  {
    title: "a BlackBerry",
    agent: "Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) Version/10.1 Mobile Safari/537.10+",
  },
  { title: "a KaiOS phone", agent: "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5" },
  { title: "a television", agent: `Mozilla/5.0 (Linux; Tizen 8.0; SMART-TV) ${blink} 120.0 Safari/537.36` },
  {
    title: "a game console",
    agent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) ${blink} Chrome/120.0.0.0 Safari/537.36 Edge/44`,
  },
  { title: "Outlook for iOS and Android", agent: "Outlook-iOS-Android/1.0" },
  { title: "OWA for iPhone", agent: `${iphone} ${webkit} Mobile/15E148 MOWAHost/1.0` },
  { title: "Apple Mail", agent: "Apple-iPhone14C3/1805.32" },
  { title: "a mail app on Android", agent: "Android-Mail/2025.10" },
  { title: "Outlook for Mac", agent: "MacOutlook/16.102.25101223 (Intelx64 Mac OS X 15.7)" },
  { title: "Office", agent: "Mozilla/4.0 (compatible; ms-office; MSOffice 16)" },
  { title: "curl", agent: "curl/8.14.1" },
  { title: "Python", agent: "python-requests/2.32.5" },
  {
    title: "Googlebot for phones",
    agent: `${android} ${blink} Chrome/142.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
  },
  {
    title: "Bingbot",
    agent: `Mozilla/5.0 ${blink} (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36`,
  },
  { title: "a script that has only the beginning right", agent: windows },
  { title: "a script with a space in front", agent: ` ${windows} ${blink} Chrome/142.0.0.0 Safari/537.36` },
  { title: "an empty User-Agent", agent: "" },
  { title: "no User-Agent", agent: undefined },
  { title: "no User-Agent, but all the hints of a computer", agent: undefined, hints: ["?0", `"Windows"`] },
];

suite("a computer's browser reads its mail", () => {
  for (const row of laptops) test(row.title, () => assert.equal(looksLike(signalsOf(row)), "laptop"));
});

suite("a phone's browser does not, nor does what says nothing about itself", () => {
  for (const row of phones) test(row.title, () => assert.equal(looksLike(signalsOf(row)), "phone"));
});

suite("one signal that disagrees is enough", () => {
  const chrome = `${windows} ${blink} Chrome/142.0.0.0 Safari/537.36`;
  const disagreeing: readonly (readonly [name: string, value: string])[] = [
    ["sec-ch-ua-mobile", "?1"],
    ["sec-ch-ua-mobile", ""],
    ["sec-ch-ua-mobile", "0"],
    ["sec-ch-ua-mobile", "?0, ?1"],
    ["sec-ch-ua-platform", `"Android"`],
    ["sec-ch-ua-platform", `"iOS"`],
    ["sec-ch-ua-platform", `"Linux"`],
    ["sec-ch-ua-platform", `"Unknown"`],
    ["sec-ch-ua-platform", "Windows"],
    ["sec-ch-ua-platform", `"Windows", "Android"`],
    ["sec-ch-ua-platform", ""],
    ["sec-ch-ua-model", `"Pixel 9"`],
    ["sec-ch-ua-form-factors", `"Mobile"`],
    ["sec-ch-ua-form-factors", `"Desktop", "Tablet"`],
    ["sec-ch-ua", `"Chromium";v="142", "Android WebView";v="142"`],
    ["x-requested-with", "com.android.browser"],
    ["x-operamini-phone-ua", "x"],
  ];
  for (const [name, value] of disagreeing) {
    test(`${name}: ${value}`, () => {
      assert.equal(
        looksLike(
          new Map([
            ["user-agent", chrome],
            [name, value],
          ]),
        ),
        "phone",
      );
    });
  }
  const agreeing: readonly (readonly [name: string, value: string])[] = [
    ["sec-ch-ua", `"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"`],
    ["sec-ch-ua-model", `""`],
    ["sec-ch-ua-form-factors", `"Desktop"`],
    ["x-requested-with", "XMLHttpRequest"],
  ];
  for (const [name, value] of agreeing) {
    test(`${name}: ${value} does not disagree`, () => {
      assert.equal(
        looksLike(
          new Map([
            ["user-agent", chrome],
            [name, value],
          ]),
        ),
        "laptop",
      );
    });
  }

  test("no header added to a phone's request makes it a laptop's", () => {
    const name = fc.constantFrom(
      "sec-ch-ua",
      "sec-ch-ua-mobile",
      "sec-ch-ua-platform",
      "sec-ch-ua-model",
      "x-requested-with",
      "accept",
    );
    const value = fc.oneof(
      fc.constantFrom("?0", `"Windows"`, `"macOS"`, `"Linux"`, `""`, "XMLHttpRequest"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...phones), fc.dictionary(name, value), (row, headers) => {
        const signals = new Map([...Object.entries(headers), ...signalsOf(row)]);
        assert.equal(looksLike(signals), "phone");
      }),
    );
  });
});

test("a User-Agent is read up to its limit and not one byte further", () => {
  const agent = `${windows} ${blink} Chrome/142.0.0.0 Safari/537.36 `;
  const atLimit = agent.padEnd(USER_AGENT_LIMIT_BYTES, "x");
  assert.equal(looksLike(new Map([["user-agent", atLimit]])), "laptop");
  assert.equal(looksLike(new Map([["user-agent", `${atLimit}x`]])), "phone");
});

function signalsOf({ agent, hints }: Row): Map<string, string> {
  const signals = new Map<string, string>();
  if (agent !== undefined) signals.set("user-agent", agent);
  if (hints !== undefined) signals.set("sec-ch-ua-mobile", hints[0]).set("sec-ch-ua-platform", hints[1]);
  return signals;
}
