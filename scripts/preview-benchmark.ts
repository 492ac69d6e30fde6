/**
 * How long a preview takes, and how much memory: `node scripts/preview-benchmark.ts redis|embedded [devices] [apps] [threads,…]`.
 * Makes a store of its own, which is gone afterwards, and looks at it once with each number of threads (0: without any, in the
 * main one). Redis is started from the PATH.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { cpus, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { previewPolicy } from "../src/campaign/preview.ts";
import type { Preview } from "../src/campaign/preview-result.ts";
import { createPreviewCrew } from "../src/cli/preview-crew.ts";
import { readPolicyFile } from "../src/config/policy-document.ts";
import type { Policy } from "../src/policy/campaign.ts";
import { toDeviceId } from "../src/policy/device.ts";
import { openStore } from "../src/store/open.ts";
import type { StoreOptions } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";

const kind = process.argv[2] ?? "redis";
const devices = Number(process.argv[3] ?? 1_000_000);
const apps = Number(process.argv[4] ?? 40);
const threads = (process.argv[5] ?? "1,2").split(",").map(Number);
const folder = mkdtempSync(path.join(tmpdir(), "postern-benchmark-"));
const now = new Date();

const campaign = `
id: tiktok
title: TikTok is not permitted on phones that read company mail
require:
  - absent: { name: TikTok, ios: [com.zhiliaoapp.musically], android: [com.zhiliaoapp.musically] }
  - os: { ios: ">=26.1", android: ">=15" }
waves:
  - { audience: { region: [US] }, announce: 2027-11-20T12:00, deadline: 2027-11-20T23:59, timezone: America/New_York }
  - { audience: { region: [EU] }, deadline: 2027-11-21T23:59, timezone: owner }
  - {}
remind: [24h, 4h]
grace: 24h
guard: { maxShare: 5%, maxDevices: 500 }
`;

const zones = ["Europe/Berlin", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Asia/Tokyo"];
const regions = ["US", "EU", "APAC", "LATAM"];

function fieldsOf(index: number): Record<string, string> {
  const isPhone = index % 3 !== 0;
  const installed = Array.from({ length: apps }, (_, app) => `com.example.app${(index * 7 + app * 13) % 3_000}`);
  if (index % 17 === 0) installed.push("com.zhiliaoapp.musically");
  return {
    owner: `person${index >> 1}@corp.example`,
    groups: JSON.stringify([`department-${index % 40}`, `site-${index % 25}`]),
    region: regions[index % 4] ?? "",
    timezone: zones[index % 5] ?? "",
    platform: isPhone ? "ios" : "android",
    osVersion: isPhone ? `26.${index % 4}` : `${13 + (index % 4)}`,
    model: isPhone ? "iPhone 17" : "Pixel 10",
    ownership: index % 5 === 0 ? "personal" : "corporate",
    appsScope: index % 5 === 0 ? "work-profile" : "all",
    apps: JSON.stringify(installed),
    appsAt: new Date(now.getTime() - (index % 200) * 3_600_000).toISOString(),
    deviceAt: new Date(now.getTime() - (index % 100) * 3_600_000).toISOString(),
    source: "benchmark",
  };
}

const idOf = (index: number): string => `BENCH${index.toString(36).toUpperCase().padStart(8, "0")}`;

interface Filled {
  readonly store: Store;
  readonly storeOptions: StoreOptions;
  readonly stop: () => Promise<void>;
}

async function redis(): Promise<Filled> {
  const socket = path.join(folder, "redis.sock");
  const server = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder], {
    stdio: "ignore",
  });
  await setTimeout(1_000);
  const connection = createConnection(socket);
  connection.resume();
  for (let index = 0; index < devices; index += 1) {
    const words = ["HSET", `postern:device:${idOf(index)}`, ...Object.entries(fieldsOf(index)).flat()];
    const command = `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
    if (!connection.write(command)) await once(connection, "drain");
  }
  connection.end();
  await once(connection, "close");
  const storeOptions = { redis: { url: `unix://${socket}` } };
  const store = await openStore(storeOptions);
  return {
    store,
    storeOptions,
    async stop(): Promise<void> {
      await store.close();
      server.kill("SIGKILL");
      await once(server, "exit");
    },
  };
}

async function embedded(): Promise<Filled> {
  const file = path.join(folder, "postern.db");
  await (await openStore({ embedded: { path: file } })).close();
  const database = new DatabaseSync(file);
  database.exec("PRAGMA synchronous = OFF; BEGIN");
  const insert = database.prepare("INSERT INTO device (id, field, value) VALUES (?, ?, ?)");
  for (let index = 0; index < devices; index += 1)
    for (const [field, value] of Object.entries(fieldsOf(index))) insert.run(idOf(index), field, value);
  database.exec("COMMIT");
  database.close();
  const storeOptions = { embedded: { path: file } };
  const store = await openStore(storeOptions);
  return { store, storeOptions, stop: () => store.close() };
}

const base: Policy = {
  campaigns: [],
  exemptions: [],
  stances: { notEnrolled: "quarantine", stale: "warn", uninspectable: "allow", unknown: "last-known" },
  maxReportAgeHours: 168,
  homeDomains: ["corp.example"],
};
const read = readPolicyFile(campaign, "benchmark.yaml", base.stances);
if (!read.ok) throw new Error(JSON.stringify(read.faults));

const filled = performance.now();
const { store, storeOptions, stop } = await (kind === "redis" ? redis() : embedded());
process.stdout.write(`${kind}: ${devices} devices filled in ${seconds(filled)} s\n`);
for (let first = 0; first < devices / 10; first += 5_000) {
  const ids = Array.from({ length: 5_000 }, (_, index) => toDeviceId(idOf(first + index + devices / 20)));
  await store.noteSightings(
    ids.flatMap((id) => (id === undefined ? [] : [{ id, account: "somebody", at: new Date() }])),
  );
}

const { policy } = read;
process.stdout.write(`${cpus().length} cores of ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}\n`);
let first: { readonly preview: Preview | undefined; readonly ms: number } | undefined;
for (const workers of threads) {
  const { preview, ms } = await measured(workers);
  first ??= { preview, ms };
  if (!isDeepStrictEqual(preview, first.preview)) throw new Error("the figures are others than those of the first run");
  process.stdout.write(`  ${(ms / first.ms).toFixed(2)} of the time of the first run\n`);
}
await stop();
rmSync(folder, { recursive: true, force: true });

async function measured(workers: number): Promise<{ readonly preview: Preview | undefined; readonly ms: number }> {
  const crew = workers === 0 ? undefined : createPreviewCrew({ store, storeOptions, workers });
  const started = performance.now();
  const cpu = process.cpuUsage();
  let peak = 0;
  const [preview] = await previewPolicy({
    store,
    before: base,
    after: { ...base, ...policy },
    about: ["tiktok"],
    now,
    crew,
    onProgress: () => (peak = Math.max(peak, process.memoryUsage.rss())),
  });
  const ms = performance.now() - started;
  crew?.end();
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(
    `${workers} threads: ${preview?.records} in ${(ms / 1000).toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of CPU here), ` +
      `at most ${Math.round(peak / 1_048_576)} MiB, load ${loadavg()[0]?.toFixed(1)}: ` +
      `${preview?.cut} cut, ${preview?.warned} warned, ${preview?.clean} clean, ${preview?.traffic.seen} seen\n`,
  );
  return { preview, ms };
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
