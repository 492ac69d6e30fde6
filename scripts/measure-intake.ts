/**
 * How many reports a second are taken in, into Redis and into a file: devices that are new, that say what they said before, and that
 * have a newer list of 100 apps. `node scripts/measure-intake.ts --devices 4000`. Beside the rate stands the time of this processor,
 * which says more on a machine that has other work.
 */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { createIntake } from "../src/inventory/intake.ts";
import type { InventoryReport } from "../src/inventory/report.ts";
import { openStore } from "../src/store/open.ts";
import type { StoreOptions } from "../src/store/open.ts";
import { startRedis } from "../test/support/redis-server.ts";

const { values: flags } = parseArgs({ options: { devices: { type: "string", default: "4000" } } });
const devices = Number(flags.devices);
const start = Date.now() - 3_600_000;
const REPORTS_AT_ONCE = 200;

function report(device: number, round: number): InventoryReport {
  const at = new Date(start + round * 1_000);
  return {
    source: "measured",
    sourceDeviceId: String(device),
    enrolled: true,
    easDeviceIds: [`APPL${device}`],
    owner: { email: `user${device}@corp.example`, name: `user${device}` },
    platform: "ios",
    osVersion: "26.1",
    osBuild: "23B85",
    model: "iPhone 17",
    serial: `S${device}`,
    ownership: "corporate",
    enrolledAt: new Date(start - 86_400_000),
    deviceAt: at,
    verdict: { state: "compliant", reasons: [] },
    apps: { scope: "all", at, apps: Array.from({ length: 100 }, (_, app) => appOf((device + app) % 400)) },
  };
}

function appOf(number: number) {
  return { id: `com.example.app${number}`, name: `App ${number}`, version: "1.2.3" };
}

async function measure(title: string, options: StoreOptions, privacy: "all" | "rules-only"): Promise<void> {
  const store = await openStore(options);
  const intake = createIntake({
    store,
    appIds: () => ["com.zhiliaoapp.musically"],
    privacy,
    homeDomains: ["corp.example"],
    ownerRequired: true,
    now: () => new Date(),
  });
  const rounds = [
    ["new", 0],
    ["the same again", 0],
    ["a newer list", 1],
  ] as const;
  for (const [what, round] of rounds) {
    const reports = Array.from({ length: devices }, (_, device) => report(device, round));
    const [from, cpu] = [performance.now(), process.cpuUsage()];
    for (let first = 0; first < devices; first += REPORTS_AT_ONCE)
      await intake.takeAll(reports.slice(first, first + REPORTS_AT_ONCE));
    const seconds = (performance.now() - from) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const each = (user + system) / 1_000 / devices;
    process.stdout.write(
      `${title}, ${privacy}, ${what}: ${Math.round(devices / seconds)}/s, ${each.toFixed(2)} ms of processor each\n`,
    );
  }
  await store.close();
}

const folder = mkdtempSync(path.join(os.tmpdir(), "postern-measure-"));
const redis = await startRedis();
try {
  for (const privacy of ["all", "rules-only"] as const) {
    await measure("Redis", { redis: { url: redis.url, prefix: `${privacy}:`, timeoutMs: 5_000 } }, privacy);
    await measure("file", { embedded: { path: path.join(folder, `${privacy}.db`) } }, privacy);
  }
} finally {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}
