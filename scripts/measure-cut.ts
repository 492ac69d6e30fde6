/**
 * How fast the cut is: two gates as processes of their own on one Redis, phones that wait with a Ping on either of them, and a
 * script that writes to Redis as an operator's would. `npm run measure -- --json` prints the same as data.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { createMailServer } from "../src/demo/mail-server.ts";
import { createPhone } from "../src/phone/phone.ts";
import type { Phone } from "../src/phone/phone.ts";
import { eventually } from "../test/support/eventually.ts";
import { startRedis } from "../test/support/redis-server.ts";

const { values: flags } = parseArgs({
  options: {
    phones: { type: "string", default: "500" },
    json: { type: "boolean", default: false },
  },
});

interface Gate {
  readonly mailUrl: string;
  readonly adminUrl: string;
  readonly child: ChildProcess;
}

interface MeasuredPhone {
  readonly id: string;
  readonly gate: Gate;
  readonly phone: Phone;
  readonly version: "12.1" | "14.1";
  /** The Ping that waits, and when its answer was there. */
  ended: Promise<number>;
  isWaiting: boolean;
}

/** Requests of a phone, and milliseconds since the record was written. */
interface Measures {
  readonly pingMs: number[];
  readonly contentMs: number[];
  readonly inboxRequests: Set<number>;
  readonly wholeRequests: Set<number>;
}

const count = Number(flags.phones);
const mailPerPhone = 10;
const patienceMs = 60_000;
const parkedSeconds = 3000;
const root = fileURLToPath(new URL("../", import.meta.url));
const opened = new AsyncDisposableStack();
let inVain = 0;

const users = Array.from({ length: count }, (_, index) => ({
  name: `user${index}`,
  password: `pw-${index}`,
  displayName: `User ${index}`,
  messages: Array.from({ length: mailPerPhone }, (_each, number) => ({
    from: "Carol Clerk <carol@corp.example>",
    subject: `Mail ${number}`,
    text: "Some text",
  })),
}));
const compliant = { platform: "ios", appsScope: "all", apps: "[]", compliance: "compliant" };

try {
  await measure();
} finally {
  await opened.disposeAsync();
}

async function measure(): Promise<void> {
  const loadBefore = os.loadavg();
  const upstream = createMailServer({ users, seed: "measure" });
  const listening = await upstream.listen();
  opened.defer(() => listening.close());
  const redis = await startRedis();
  opened.defer(() => redis.stop());
  const client = new Redis(redis.url);
  opened.defer(() => client.disconnect());
  const gates = await startGates(listening.url, redis.url);

  const phones: MeasuredPhone[] = [];
  for (const [index, { name, password }] of users.entries()) {
    progress("phones fetch their mail", index, count);
    const id = `PHONE${index}`;
    await client.hset(`postern:device:${id}`, compliant);
    const gate = gates[index % 2] ?? gates[0];
    // Two and two, so that each gate has both versions.
    const version = Math.floor(index / 2) % 2 === 0 ? "12.1" : "14.1";
    const phone = createPhone({ url: gate.mailUrl, user: name, password, deviceId: id, protocolVersion: version });
    opened.defer(() => phone.close());
    await phone.refresh();
    assert.equal(phone.inbox().length, mailPerPhone);
    const measured: MeasuredPhone = { id, gate, phone, version, ended: Promise.resolve(0), isWaiting: false };
    park(measured);
    phones.push(measured);
  }
  await allWait();

  const enter = { "12.1": measures(), "14.1": measures() };
  const leave = { "12.1": measures(), "14.1": measures() };
  for (const [index, each] of phones.entries()) {
    progress("one phone after another is cut and released", index, count);
    await flip(each, "noncompliant", enter[each.version], () => subjects(each) === 1);
    await flip(each, "compliant", leave[each.version], () => subjects(each) === mailPerPhone);
  }
  const burst = { cut: await flipAll("noncompliant"), release: await flipAll("compliant") };
  progress("done", count, count);

  const times = (list: readonly Measures[], of: "pingMs" | "contentMs") => quantiles(list.flatMap((each) => each[of]));
  const every = [...Object.values(enter), ...Object.values(leave)];
  print({
    machine: `${os.cpus().length} × ${os.cpus()[0]?.model ?? "unknown"}, Node ${process.versions.node}`,
    redis: /redis_version:(\S+)/.exec(await client.info("server"))?.[1] ?? "unknown",
    at: new Date().toISOString(),
    loadBefore: loadBefore.map((load) => Number(load.toFixed(1))),
    loadAfter: os.loadavg().map((load) => Number(load.toFixed(1))),
    phones: count,
    flips: every.reduce((sum, each) => sum + each.pingMs.length, 0),
    "from the record to the end of the Ping, ms": times(every, "pingMs"),
    "from the record to the notice in the Inbox, ms": times(Object.values(enter), "contentMs"),
    "from the record to mail in the Inbox, ms": times(Object.values(leave), "contentMs"),
    [`from ${count} records at once to the end of each Ping, cut, ms`]: burst.cut,
    [`from ${count} records at once to the end of each Ping, released, ms`]: burst.release,
    "Pings that ended and there was nothing to fetch": inVain,
    "requests until the notice is in the Inbox": requestsOf(enter, "inboxRequests"),
    "requests until the mail of the Inbox is back": requestsOf(leave, "inboxRequests"),
    "requests until every folder is back": requestsOf(leave, "wholeRequests"),
  });

  /** The record is written, the Ping ends, the phone looks into its Inbox, then at everything, and waits again. */
  async function flip(
    each: MeasuredPhone,
    compliance: "compliant" | "noncompliant",
    into: Measures,
    isThere: () => boolean,
  ): Promise<void> {
    const { phone } = each;
    const before = phone.journal().length;
    const written = performance.now();
    await client.hset(`postern:device:${each.id}`, "compliance", compliance);
    into.pingMs.push((await each.ended) - written);
    // The Ping that has ended belongs to the time before.
    const asked = (): number => phone.journal().length - before - 1;
    await phone.sync("Inbox");
    into.contentMs.push(performance.now() - written);
    assert.ok(isThere(), `after ${compliance} the Inbox has ${phone.inbox().length} messages`);
    into.inboxRequests.add(asked());
    await phone.refresh();
    into.wholeRequests.add(asked());
    park(each);
    await allWait();
  }

  async function flipAll(compliance: "compliant" | "noncompliant") {
    progress(`all phones at once: ${compliance}`, 0, count);
    const pipeline = client.pipeline();
    for (const { id } of phones) pipeline.hset(`postern:device:${id}`, "compliance", compliance);
    const written = performance.now();
    await pipeline.exec();
    const ended = await Promise.all(phones.map(async (each) => (await each.ended) - written));
    for (const [index, each] of phones.entries()) {
      progress(`all phones at once: ${compliance}`, index, count);
      await each.phone.refresh();
      park(each);
    }
    await allWait();
    return quantiles(ended);
  }

  /** Both gates watch over the Pings of all their phones. */
  async function allWait(): Promise<void> {
    for (const gate of gates) {
      const own = phones.filter((each) => each.gate === gate).length;
      await eventually(async () => {
        const metrics = await (await fetch(`${gate.adminUrl}/metrics`)).text();
        const waiting = Number(/^postern_waiting_requests (\d+)$/m.exec(metrics)?.[1]);
        const back = phones.filter((each) => !each.isWaiting).map(({ id }) => id);
        // A Ping that ends although there is nothing new costs the phone a look at everything, so it is counted.
        for (const each of phones.filter((one) => one.gate === gate && !one.isWaiting)) {
          inVain += 1;
          await each.phone.refresh();
          park(each);
        }
        assert.equal(waiting, own, `phones that do not wait: ${back.join()}`);
      }, patienceMs);
    }
  }
}

function park(each: MeasuredPhone): void {
  each.isWaiting = true;
  each.ended = each.phone.ping(parkedSeconds).then((outcome) => {
    const at = performance.now();
    each.isWaiting = false;
    assert.equal(outcome.kind, "changes");
    return at;
  });
  // Whoever waits for it hears of a failure; until then it is nobody's.
  each.ended.catch(() => {});
}

function subjects({ phone }: MeasuredPhone): number {
  return phone.inbox().length;
}

async function startGates(upstream: string, redis: string): Promise<readonly [Gate, Gate]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-measure-"));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "postern.yaml");
  writeFileSync(
    file,
    `mail:
  listen: 127.0.0.1:0
  limits: { maxConnections: 10000, maxConnectionsPerAddress: 10000 }
admin: { listen: "127.0.0.1:0" }
upstream: { url: "${upstream}" }
store: { redis: { url: "${redis}" } }
notice: { organisation: Example Ltd, from: { name: IT Security, address: it@corp.example } }
routes: [{ path: /Microsoft-Server-ActiveSync, protocol: activesync }]
log: { level: error }
`,
  );
  // One after the other: the first makes the secret, and both need the same.
  return [await startGate(file), await startGate(file)];
}

async function startGate(file: string): Promise<Gate> {
  const child = spawn(process.execPath, [path.join(root, "src/main.ts"), "serve", "--config", file], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
    stdio: ["ignore", "pipe", "inherit"],
  });
  opened.defer(() => void child.kill());
  process.on("exit", () => child.kill());
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return eventually(() => {
    const found = /^postern: mail (\S+) {2}admin (\S+)\n/.exec(said);
    if (found === null) throw new Error(`the gate does not listen: ${said}`);
    return { mailUrl: found[1] ?? "", adminUrl: found[2] ?? "", child };
  }, patienceMs);
}

function measures(): Measures {
  return { pingMs: [], contentMs: [], inboxRequests: new Set(), wholeRequests: new Set() };
}

function requestsOf(
  versions: Readonly<Record<string, Measures>>,
  of: "inboxRequests" | "wholeRequests",
): Record<string, readonly number[]> {
  return Object.fromEntries(
    Object.entries(versions).map(([version, each]) => [version, [...each[of]].toSorted((a, b) => a - b)]),
  );
}

function quantiles(list: readonly number[]): { p50: number; p99: number; max: number } {
  const ordered = list.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Number((ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))] ?? 0).toFixed(1));
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function progress(what: string, done: number, all: number): void {
  if (!process.stderr.isTTY) return;
  const width = 30;
  const filled = Math.round((width * done) / all);
  process.stderr.write(`\r[${"#".repeat(filled)}${".".repeat(width - filled)}] ${done}/${all} ${what}\u001B[K`);
  if (what === "done") process.stderr.write("\n");
}

function print(result: Readonly<Record<string, unknown>>): void {
  if (flags.json) console.log(JSON.stringify(result, null, 2));
  else for (const [what, value] of Object.entries(result)) console.log(`${what}: ${JSON.stringify(value)}`);
}
