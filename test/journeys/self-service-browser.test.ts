/** The page in a real browser: with a script and without, by keyboard alone, on the narrowest phone, in the dark, in each language. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import type { Rechecks } from "../../src/inventory/recheck.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { languageTags } from "../../src/policy/wording.ts";
import type { Sources } from "../../src/self-service/self-service.ts";
import { startChromium } from "../support/chromium.ts";
import type { Chromium, Tab } from "../support/chromium.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { deviceId } from "../support/records.ts";
import { linkOn, withPages } from "../support/self-service.ts";

const mdm: Sources = { areThere: () => true, refreshOf: () => ({ usualSeconds: [2, 120], unlockFirst: true }) };
const phoneA = deviceId("PHONEA");

interface Scene {
  readonly gate: Gate;
  readonly rechecks: Rechecks;
  readonly phone: Phone;
  readonly url: string;
  readonly browser: Chromium;
}

async function aScene(t: TestContext): Promise<Scene> {
  const gate = await aGate(t, { config: withPages, sources: mdm });
  await gate.reports("PHONEA", { ...withTiktok, owner: "alice", model: "iPhone 17", osVersion: "26.1" });
  const phone = gate.phone();
  await phone.refresh();
  const url = gate.url + (await linkOn(phone));
  return { gate, rechecks: createRechecks(gate.store), phone, url, browser: await startChromium(t) };
}

const headingOf = async (tab: Tab): Promise<string> =>
  String(await tab.evaluate("document.querySelector('h1').innerText"));
/** Resolves when this is the heading. */
const shows = (tab: Tab, heading: string): Promise<void> =>
  eventually(async () => assert.equal((await headingOf(tab)).replaceAll(/\s+/g, " "), heading), 20_000);

/** Goes on with the Tab key until this is what has the focus. */
async function tabTo(tab: Tab, selector: string): Promise<void> {
  for (let count = 0; count < 30; count += 1) {
    await tab.press("Tab");
    if ((await tab.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) === true) return;
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

suite("a person with a keyboard alone", () => {
  test("asks for a check, and sees each step without touching anything again", async (t) => {
    const { gate, rechecks, phone, url, browser } = await aScene(t);
    const tab = await browser.tab({ reducedMotion: true });
    await tab.open(url);
    assert.equal(await tab.evaluate("document.documentElement.classList.contains('live')"), true);
    await tabTo(tab, "#check");
    assert.match(String(await tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")), /solid/);
    await tab.press("Enter");
    await shows(tab, "Checking your iPhone");
    // A page that is loaded anew would have lost this.
    await tab.evaluate("globalThis.stays = true");
    await rechecks.advance(phoneA, 1, { step: "sent", at: new Date(), source: "mdm" });
    await eventually(async () => assert.match(await tab.text(), /has been asked for a new report/));
    await tabTo(tab, "summary");
    await tab.press("Enter");
    assert.match(await tab.text(), /Delete App/);
    await rechecks.advance(phoneA, 1, { step: "answered", at: new Date() });
    await shows(tab, "Your iPhone has answered");
    assert.equal(await tab.evaluate("document.querySelector('details').open"), true, "what was open stays open");
    assert.equal(await tab.evaluate("document.activeElement.tagName"), "H1", "the focus is where the news is");
    assert.match(
      String(await tab.evaluate("document.getElementById('spoken').textContent")),
      /^Your iPhone has answered/,
    );
    await gate.reports("PHONEA", { ...clean, owner: "alice" });
    await rechecks.advance(phoneA, 1, { step: "clear", at: new Date() });
    await shows(tab, "All clear");
    await phone.refresh();
    await shows(tab, "Your mail is back");
    assert.equal(await tab.evaluate("globalThis.stays"), true);
    assert.equal(await tab.evaluate("document.title"), "Your mail is back · Example Ltd");
    assert.deepEqual(tab.complaints(), []);
    const referers = tab
      .requests()
      .flatMap(({ headers }) => Object.entries(headers))
      .filter(([name, value]) => name.toLowerCase() === "referer" && value !== "");
    assert.ok(tab.requests().length > 5);
    assert.deepEqual(referers, [], "the address goes nowhere, not even to ourselves");
  });

  test("does the same where no script runs", async (t) => {
    const { gate, rechecks, phone, url, browser } = await aScene(t);
    const tab = await browser.tab({ scripts: false });
    await tab.open(url);
    assert.equal(await tab.evaluate("document.documentElement.classList.contains('live')"), false);
    await tabTo(tab, "#check");
    await tab.press(" ");
    await shows(tab, "Checking your iPhone");
    assert.match(await tab.text(), /This page looks again every 15 seconds/);
    assert.match(String(await tab.evaluate("document.head.innerHTML")), /<meta http-equiv="refresh" content="15">/);
    await rechecks.advance(phoneA, 1, { step: "answered", at: new Date() });
    await gate.reports("PHONEA", { ...clean, owner: "alice" });
    await rechecks.advance(phoneA, 1, { step: "clear", at: new Date() });
    await tabTo(tab, "a.again");
    await tab.press("Enter");
    await shows(tab, "All clear");
    await phone.refresh();
    await eventually(async () => {
      const recheck = await rechecks.read(phoneA);
      assert.ok(recheck?.steps["mail-back"] !== undefined);
    });
    await tabTo(tab, "a.again");
    await tab.press("Enter");
    await shows(tab, "Your mail is back");
    assert.doesNotMatch(String(await tab.evaluate("document.head.innerHTML")), /http-equiv="refresh"/);
  });

  test("reads it in another language", async (t) => {
    const { url, browser } = await aScene(t);
    const tab = await browser.tab({ language: "de-CH,de" });
    await tab.open(url);
    assert.match(await headingOf(tab), /^Entfernen|^Löschen|TikTok/);
    assert.equal(await tab.evaluate("document.documentElement.lang"), "de");
    await tabTo(tab, 'nav a[hreflang="ja"]');
    await tab.press("Enter");
    await eventually(async () => assert.equal(await tab.evaluate("document.documentElement.lang"), "ja"));
    await tabTo(tab, "#check");
    await tab.press("Enter");
    await shows(tab, "iPhoneを確認しています");
  });
});

/** In the page: what does not fit, what is too small to be hit, and what is too faint to be read (WCAG 2.2, 1.4.10, 2.5.8, 1.4.3). */
const audit = `(() => {
  const faults = [];
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the screen");
  for (const each of document.querySelectorAll("a, button, summary")) {
    if (each.getClientRects().length === 0) continue;
    const { width, height } = each.getBoundingClientRect();
    if (width < 24 || height < 24) faults.push("small: " + each.textContent);
  }
  const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if ((channels(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walk.nextNode() !== null) {
    const element = walk.currentNode.parentElement;
    if (walk.currentNode.data.trim() === "" || element.getClientRects().length === 0) continue;
    texts += 1;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faults.push("faint: " + walk.currentNode.data);
  }
  if (texts < 5) faults.push("nothing to read");
  if (document.querySelectorAll("h1").length !== 1 || document.documentElement.lang === "") faults.push("without a heading or a language");
  return faults;
})()`;

test("everybody can read and use it, on 320 pixels, by day and by night, in each language and at each stage", async (t) => {
  const { gate, rechecks, url, browser } = await aScene(t);
  const asked = new Date(Date.now() - 100_000);
  const stages: readonly (readonly [name: string, reach: () => Promise<unknown>])[] = [
    ["to do", async () => undefined],
    ["checking", () => rechecks.ask(phoneA, "page", asked)],
    ["no answer", () => rechecks.advance(phoneA, 1, { end: "no-answer", at: new Date() })],
    ["still there, too soon", () => rechecks.ask(phoneA, "page", new Date())],
    ["", () => rechecks.advance(phoneA, 2, { end: "still-there", at: new Date() })],
    ["well", () => gate.reports("PHONEA", { ...clean, owner: "alice" })],
  ];
  const tabs = await Promise.all([false, true].map((dark) => browser.tab({ width: 320, height: 568, dark })));
  for (const [name, reach] of stages) {
    await reach();
    if (name.endsWith("too soon")) continue;
    for (const [index, tab] of tabs.entries()) {
      // Half of the languages by day, the others by night, at each stage the other way round.
      const some = languageTags.filter((_, at) => (at + index + stages.findIndex(([each]) => each === name)) % 2 === 0);
      for (const language of some) {
        await tab.open(`${url}?lang=${language}`);
        assert.deepEqual(await tab.evaluate(audit), [], `${name}, ${language}, ${index === 0 ? "light" : "dark"}`);
      }
    }
  }
  const [tab] = tabs;
  await tab?.open(`${gate.url}/postern/made-up?lang=de`);
  assert.deepEqual(await tab?.evaluate(audit), []);
});
