/**
 * How fast the cut is: two gates as processes of their own on one Redis, phones that wait with a Ping on either of them, and a
 * script that writes to Redis as an operator's would. `npm run measure -- --json` prints the same as data.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { createMailServer } from "../src/demo/mail-server.ts";
import { createPhone } from "../src/phone/phone.ts";
import type { Phone } from "../src/phone/phone.ts";
import { eventually } from "../test/support/eventually.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { configure, patienceMs, startGates, waitingAt } from "./measured-gates.ts";
import type { Gate } from "./measured-gates.ts";
import { load, machine, print, progress, quantiles } from "./measuring.ts";

const { values: flags } = parseArgs({
  options: {
    phones: { type: "string", default: "500" },
    json: { type: "boolean", default: false },
  },
});

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
const parkedSeconds = 3000;
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
  const loadBefore = load();
  const upstream = createMailServer({ users, seed: "measure" });
  const listening = await upstream.listen();
  opened.defer(() => listening.close());
  const redis = await startRedis();
  opened.defer(() => redis.stop());
  const client = new Redis(redis.url);
  opened.defer(() => client.disconnect());
  const gates = await startGates(
    opened,
    configure(opened, { upstream: listening.url, redis: redis.url, connections: 10_000 }),
  );

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
  print(
    {
      machine: machine(),
      redis: /redis_version:(\S+)/.exec(await client.info("server"))?.[1] ?? "unknown",
      at: new Date().toISOString(),
      loadBefore,
      loadAfter: load(),
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
    },
    flags.json,
  );

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
        const waiting = await waitingAt(gate);
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
