/** Draws the pictures of docs/self-service.md anew, from a real gate and in a real browser: `node scripts/self-service-pictures.ts`. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { createRechecks } from "../src/inventory/rechecks.ts";
import { startChromium } from "../test/support/chromium.ts";
import { aGate, withTiktok } from "../test/support/gate.ts";
import { repository } from "../test/support/postern.ts";
import { deviceId } from "../test/support/records.ts";
import { linkOn, withPages } from "../test/support/self-service.ts";

const waves = "    waves: [{ deadline: 2026-11-20T23:59, timezone: Europe/London }]\n";

void test("docs/images/self-service-*.png", async (t) => {
  const gate = await aGate(t, {
    config: `${withPages.trimEnd()}\n${waves}`,
    sources: { areThere: () => true, refreshOf: () => ({ usualSeconds: [10, 90], unlockFirst: true }) },
  });
  const rechecks = createRechecks(gate.store);
  const device = deviceId("PHONEA");
  const now = Date.now();
  const ago = (seconds: number): Date => new Date(now - seconds * 1000);
  const facts = { ...withTiktok, owner: "alice", email: "alice@corp.example", model: "iPhone 17", osVersion: "26.1" };
  const reported = { timezone: "Europe/London", appsAt: ago(7200).toISOString(), deviceAt: ago(7200).toISOString() };
  await gate.reports("PHONEA", { ...facts, ...reported });
  const phone = gate.phone();
  await phone.refresh();
  const url = gate.url + (await linkOn(phone));
  const browser = await startChromium(t);

  async function draw(name: string): Promise<void> {
    const tab = await browser.tab({ width: 390, height: 780, reducedMotion: true });
    await tab.open(url);
    writeFileSync(path.join(repository, `docs/images/self-service-${name}.png`), await tab.picture());
    await tab.close();
  }

  await draw("to-do");
  await rechecks.ask(device, "page", ago(24));
  await rechecks.advance(device, 1, { step: "sent", at: ago(22), source: "mdm" });
  await draw("checking");
  await rechecks.advance(device, 1, { step: "answered", at: ago(5) });
  await gate.reports("PHONEA", { ...facts, ...reported, apps: "[]" });
  await rechecks.advance(device, 1, { step: "clear", at: ago(4) });
  await rechecks.advance(device, 1, { step: "mail-back", at: ago(1) });
  await draw("back");
});
