/**
 * How long `campaign preview` takes over a whole store, how much CPU and memory: the real command as a process of its own, on a
 * Redis of this script's own. `--alone` has one thread look at all of it as well and compares the figures.
 * `node scripts/measure-preview.ts --devices 1000000 --alone --json`
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { previewPolicy } from "../src/campaign/preview.ts";
import { readPolicyFile } from "../src/config/policy-document.ts";
import type { Policy } from "../src/policy/campaign.ts";
import { toDeviceId } from "../src/policy/device.ts";
import { openStore } from "../src/store/open.ts";
import type { StoreOptions } from "../src/store/open.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { cpuSeconds, cpuSecondsOfEnded, load, machine, peakMebibytes, print, progress, rounded } from "./measuring.ts";

const { values: flags } = parseArgs({
  options: {
    devices: { type: "string", default: "1000000" },
    apps: { type: "string", default: "40" },
    runs: { type: "string", default: "2" },
    store: { type: "string", default: "redis" },
    alone: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const devices = Number(flags.devices);
const apps = Number(flags.apps);
const watchMs = 100;
const root = fileURLToPath(new URL("../", import.meta.url));
const opened = new AsyncDisposableStack();
const folder = mkdtempSync(path.join(tmpdir(), "postern-measure-"));
opened.defer(() => rmSync(folder, { recursive: true, force: true }));
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
const stances: Policy["stances"] = {
  notEnrolled: "quarantine",
  stale: "warn",
  uninspectable: "allow",
  unknown: "last-known",
};

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
    source: "measure",
  };
}

const idOf = (index: number): string => `PHONE${index.toString(36).toUpperCase().padStart(8, "0")}`;

try {
  await measure();
} finally {
  await opened.disposeAsync();
}

async function measure(): Promise<void> {
  const loadBefore = load();
  const { options, serverCpu } = await (flags.store === "embedded" ? fillFile() : fillRedis());
  const store = await openStore(options);
  opened.defer(() => store.close());
  for (let first = 0; first < devices / 10; first += 5_000) {
    const ids = Array.from({ length: 5_000 }, (_, index) => toDeviceId(idOf(first + index + devices / 20)));
    await store.noteSightings(
      ids.flatMap((id) => (id === undefined ? [] : [{ id, account: "somebody", at: new Date() }])),
    );
  }

  const runs = [];
  let said: Record<string, unknown> = {};
  for (let run = 0; run < Number(flags.runs); run += 1) {
    progress("previews", run, Number(flags.runs));
    const before = { server: serverCpu(), ended: cpuSecondsOfEnded(), at: performance.now() };
    const { preview, peak } = await runCommand(options);
    said = preview;
    runs.push({
      seconds: rounded((performance.now() - before.at) / 1000),
      "CPU seconds of the command": rounded(cpuSecondsOfEnded() - before.ended),
      "CPU seconds of Redis": rounded(serverCpu() - before.server),
      "memory of the command at most, MiB": peak,
      load: load()[0],
    });
  }
  progress("done", 1, 1);
  const { records, concerned, clean, warned, cut } = said;
  print(
    {
      machine: machine(),
      at: now.toISOString(),
      store: flags.store,
      loadBefore,
      loadAfter: load(),
      devices,
      appsOfEach: apps,
      runs,
      figures: { records, concerned, clean, warned, cut },
      ...(flags.alone && { "one thread of one process": await lookAlone(said) }),
    },
    flags.json,
  );

  /** In this process, without any thread beside it. @throws where its figures are others. */
  async function lookAlone(expected: Record<string, unknown>) {
    const base: Policy = { campaigns: [], exemptions: [], stances, maxReportAgeHours: 168, homeDomains: [] };
    const read = readPolicyFile(campaign, "measure.yaml", stances);
    if (!read.ok) throw new Error(JSON.stringify(read.faults));
    const [started, cpu] = [performance.now(), process.cpuUsage()];
    const [preview] = await previewPolicy({
      store,
      before: base,
      after: { ...base, ...read.policy },
      about: ["tiktok"],
      now: new Date(),
    });
    const { user, system } = process.cpuUsage(cpu);
    const seconds = rounded((performance.now() - started) / 1000);
    // As it comes out of `--json`, and but for the moment.
    const figures: unknown = JSON.parse(JSON.stringify({ ...preview, at: expected["at"] }));
    assert.deepEqual(figures, expected, "the figures are others than those of one who looks alone");
    return { seconds, "CPU seconds": rounded((user + system) / 1e6), figures: "the same" };
  }
}

async function runCommand(
  options: StoreOptions,
): Promise<{ readonly preview: Record<string, unknown>; readonly peak: number }> {
  const [configuration, file] = [path.join(folder, "postern.yaml"), path.join(folder, "tiktok.yaml")];
  writeFileSync(file, campaign);
  writeFileSync(
    configuration,
    JSON.stringify({
      upstream: { url: "http://127.0.0.1:9" },
      store: "redis" in options ? { redis: options.redis } : { embedded: options.embedded.path },
      notice: { organisation: "Example Ltd", from: { name: "IT Security", address: "it@corp.example" } },
    }),
  );
  const child = spawn(
    process.execPath,
    [path.join(root, "src/main.ts"), "campaign", "preview", file, "--config", configuration, "--json"],
    { env: { PATH: process.env["PATH"], HOME: process.env["HOME"] }, stdio: ["ignore", "pipe", "inherit"] },
  );
  process.on("exit", () => child.kill());
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, peakMebibytes(child.pid ?? 0) || 0)), watchMs);
  const [printed] = await Promise.all([text(child.stdout), once(child, "exit")]);
  clearInterval(watch);
  assert.equal(child.exitCode, 0, `campaign preview ended with ${child.exitCode ?? child.signalCode}`);
  const previews: unknown = JSON.parse(printed);
  const preview: unknown = Array.isArray(previews) ? previews[0] : undefined;
  assert.ok(isRecord(preview), "campaign preview printed something else");
  return { preview, peak };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

interface Filled {
  readonly options: StoreOptions;
  /** CPU seconds of the server so far; 0 where there is none. */
  readonly serverCpu: () => number;
}

async function fillRedis(): Promise<Filled> {
  const redis = await startRedis();
  opened.defer(() => redis.stop());
  const pid = Number(/process_id:(\d+)/.exec(await redis.cli("info", "server"))?.[1]);
  const connection = createConnection(redis.port, "127.0.0.1");
  connection.resume();
  for (let index = 0; index < devices; index += 1) {
    if (index % 10_000 === 0) progress("devices written", index, devices);
    const words = ["HSET", `postern:device:${idOf(index)}`, ...Object.entries(fieldsOf(index)).flat()];
    const command = `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
    if (!connection.write(command)) await once(connection, "drain");
  }
  connection.end();
  await once(connection, "close");
  return { options: { redis: { url: redis.url } }, serverCpu: () => cpuSeconds(pid) };
}

async function fillFile(): Promise<Filled> {
  const file = path.join(folder, "postern.db");
  await (await openStore({ embedded: { path: file } })).close();
  const database = new DatabaseSync(file);
  database.exec("PRAGMA synchronous = OFF; BEGIN");
  const insert = database.prepare("INSERT INTO device (id, field, value) VALUES (?, ?, ?)");
  for (let index = 0; index < devices; index += 1)
    for (const [field, value] of Object.entries(fieldsOf(index))) insert.run(idOf(index), field, value);
  database.exec("COMMIT");
  database.close();
  return { options: { embedded: { path: file } }, serverCpu: () => 0 };
}
