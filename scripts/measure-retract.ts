/**
 * How fast a mistake is taken back: records of 100 000 phones that a campaign holds, two gates on one Redis with as many of
 * their Pings parked as descriptors allow, and an operator who runs `campaign retract`. Milliseconds are from the start of the
 * command. `npm run measure:retract -- --json`; `--parked 1000` where the machine is small, `--letters no` without letters.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { runOf } from "../src/campaign/ledger.ts";
import { createMailServer } from "../src/demo/mail-server.ts";
import { createPhone } from "../src/phone/phone.ts";
import type { Phone } from "../src/phone/phone.ts";
import { toDeviceId } from "../src/policy/device.ts";
import { openStore } from "../src/store/open.ts";
import { eventually } from "../test/support/eventually.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { startSmtpServer } from "../test/support/smtp-server.ts";
import { configure, patienceMs, startCommand, startGates, waitingAt } from "./measured-gates.ts";
import type { Gate } from "./measured-gates.ts";
import { cpuSeconds, load, machine, print, progress, quantiles, rounded } from "./measuring.ts";

const { values: flags } = parseArgs({
  options: {
    devices: { type: "string", default: "100000" },
    /** Of both gates together. */
    parked: { type: "string", default: "16000" },
    /** Phones that are not parked, and ask one after another while the campaign is taken back. */
    asking: { type: "string", default: "3000" },
    letters: { type: "string", default: "yes" },
    json: { type: "boolean", default: false },
  },
});

interface HeldPhone {
  readonly phone: Phone;
  /** When its Ping ends; undefined where it does not wait. */
  readonly ended: Promise<number> | undefined;
}

/** When a phone asked and when its mail was there, since the start of the command. */
interface Release {
  readonly askedMs: number;
  readonly mailMs: number;
}

const [devices, parked, asking] = [Number(flags.devices), Number(flags.parked), Number(flags.asking)];
/** Parked phones that look into their Inbox as soon as their Ping has ended: all of them would measure this script. */
const looking = Math.min(500, parked);
const atOnce = 16;
const parkedSeconds = 3000;
const mailSubject = "Mail";
const opened = new AsyncDisposableStack();
/** Requests that a busy gate answered with "come back later". */
let askedToComeBack = 0;
/** Whatever ends a Ping before is no news of it. */
let isTakenBack = false;

const campaign = `id: tiktok
title: TikTok is not permitted on phones that read company mail
require:
  - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
waves: [{}]
`;
const idOf = (index: number): string => `PHONE${index}`;
const userOf = (index: number): string => `user${index}`;
const users = Array.from({ length: parked + asking }, (_, index) => ({
  name: userOf(index),
  password: `pw-${index}`,
  displayName: `User ${index}`,
  messages: [{ from: "Carol Clerk <carol@corp.example>", subject: mailSubject, text: "Some text" }],
}));

try {
  assert.ok(devices >= parked + asking, "there are fewer devices than phones");
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
  const smtp = flags.letters === "yes" ? await startSmtpServer() : undefined;
  opened.defer(() => smtp?.stop());
  const file = configure(opened, {
    upstream: listening.url,
    redis: redis.url,
    // Beside its Ping a phone may look at its mail, and its last connection may not be gone yet.
    connections: parked + asking + 2_000,
    more: smtp === undefined ? "" : `letters: { smtp: "smtp://127.0.0.1:${smtp.port}" }`,
  });
  const campaignFile = path.join(path.dirname(file), "tiktok.yaml");
  writeFileSync(campaignFile, campaign);

  await writeRecords(redis.url);
  await command("apply", campaignFile, "--yes");
  if (smtp !== undefined) await writeLetters(redis.url);
  const gates = await startGates(opened, file);
  const held = await holdAll(gates);
  const waiters = held.slice(0, parked);
  await eventually(async () => {
    const waiting = (await waitingAt(gates[0])) + (await waitingAt(gates[1]));
    progress("phones wait", waiting, parked);
    assert.equal(waiting, parked);
  }, patienceMs * 5);

  askedToComeBack = 0;
  isTakenBack = true;
  const pids = gates.map(({ child }) => child.pid ?? 0);
  const cpuBefore = pids.map(cpuSeconds);
  progress("the campaign is taken back", 0, 1);
  const started = performance.now();
  const since = (): number => performance.now() - started;
  const ofPolicy = nextVersion(redis.url).then(since);
  const ofCommand = command("retract", "tiktok", "--yes").then(since);
  const ofPings = Promise.all(waiters.map(async ({ ended }) => ((await ended) ?? NaN) - started));
  const ofLooks = Promise.all(
    waiters.slice(0, looking).map(async ({ phone, ended }) => {
      await ended;
      return untilMail(phone, since);
    }),
  );
  const ofAsking = askInTurn(held.slice(parked), since);
  const [policyMs, commandMs, pingMs] = await Promise.all([ofPolicy, ofCommand, ofPings]);
  const [looks, asked] = await Promise.all([ofLooks, ofAsking]);
  const cpuSpent = pids.map((pid, index) => rounded(cpuSeconds(pid) - (cpuBefore[index] ?? 0)));
  progress("done", 1, 1);
  print(
    {
      machine: machine(),
      at: new Date().toISOString(),
      loadBefore,
      loadAfter: load(),
      devices,
      parkedPings: parked,
      letters: smtp === undefined ? "off" : `${devices} announced, ${smtp.messages().length} corrections sent so far`,
      "to the policy in Redis, ms": rounded(policyMs),
      "to the end of the command, ms": rounded(commandMs),
      "to the end of each parked Ping, ms": quantiles(pingMs),
      "from the policy in Redis to the end of each, ms": quantiles(pingMs.map((ms) => ms - policyMs)),
      "requests that were answered with: come back later": askedToComeBack,
      [`to mail in the Inbox of ${looking} phones that were parked, ms`]: quantiles(looks.map(({ mailMs }) => mailMs)),
      "to the last answer that still held a phone, ms": rounded(asked.lastHeldMs),
      [`to mail in the Inbox of ${asking} phones that asked in turn, ms`]: quantiles(
        asked.releases.map(({ mailMs }) => mailMs),
      ),
      "from their request to their mail, ms": quantiles(asked.releases.map(({ askedMs, mailMs }) => mailMs - askedMs)),
      "CPU seconds of each gate": cpuSpent,
    },
    flags.json,
  );

  async function command(act: string, what: string, ...more: readonly string[]): Promise<void> {
    const child = startCommand(["campaign", act, what, "--why", "a measurement", "--config", file, ...more]);
    child.stdout?.resume();
    await once(child, "exit");
    assert.equal(child.exitCode, 0, `campaign ${act} ended with ${child.exitCode ?? child.signalCode}`);
  }
}

async function writeRecords(url: string): Promise<void> {
  const client = new Redis(url);
  const appsAt = new Date().toISOString();
  for (let first = 0; first < devices; first += 1_000) {
    progress("devices written", first, devices);
    const pipeline = client.pipeline();
    for (let index = first; index < Math.min(first + 1_000, devices); index += 1) {
      pipeline.hset(`postern:device:${idOf(index)}`, {
        owner: userOf(index),
        email: `${userOf(index)}@corp.example`,
        platform: "ios",
        appsScope: "all",
        apps: '["com.zhiliaoapp.musically"]',
        appsAt,
      });
    }
    await pipeline.exec();
  }
  client.disconnect();
}

/** As if everybody had been told of the campaign: each will have a correction. */
async function writeLetters(url: string): Promise<void> {
  const store = await openStore({ redis: { url } });
  const run = runOf((await store.readPolicy())?.runs ?? {}, "tiktok");
  const announcement = { campaign: "tiktok", run, kind: "announcement", number: 0, attempt: 1, state: "sent" } as const;
  for (let first = 0; first < devices; first += 1_000) {
    progress("letters written", first, devices);
    const page = Array.from({ length: Math.min(1_000, devices - first) }, (_, index) => first + index);
    await Promise.all(
      page.map(async (index) => {
        const device = toDeviceId(idOf(index));
        assert.ok(device !== undefined);
        const to = `${userOf(index)}@corp.example`;
        await store.settleLetter({ ...announcement, device, at: new Date(), to, detail: "", person: userOf(index) });
      }),
    );
  }
  await store.close();
}

/** Resolves when another version of the policy stands in Redis, to a few milliseconds. */
async function nextVersion(url: string): Promise<void> {
  const client = new Redis(url);
  const before = await client.hlen("postern:policy:history");
  await eventually(async () => assert.ok((await client.hlen("postern:policy:history")) > before), patienceMs);
  client.disconnect();
}

/** Every phone asks for its mail and finds the notice; the first of them wait for news from then on. */
async function holdAll(gates: readonly [Gate, Gate]): Promise<readonly HeldPhone[]> {
  const held: HeldPhone[] = [];
  const indexes = users.keys();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const index of indexes) {
        const gate = gates[index % 2 === 0 ? 0 : 1];
        const phone = createPhone({
          url: gate.mailUrl,
          user: userOf(index),
          password: `pw-${index}`,
          deviceId: idOf(index),
          protocolVersion: Math.floor(index / 2) % 2 === 0 ? "12.1" : "14.1",
        });
        opened.defer(() => phone.close());
        // On a machine that is busy a gate may ask to come back.
        await eventually(async () => {
          const folders = await phone.folderSync();
          assert.equal(folders.kind, "ok");
          await phone.sync("Inbox");
          assert.ok(!hasMail(phone) && phone.inbox().length === 1, "the phone is not held");
        }, patienceMs);
        const ended = index < parked ? park(phone) : undefined;
        // Whoever waits for it hears of a failure.
        ended?.catch(() => {});
        held[index] = { phone, ended };
        if (index % 100 === 0) progress("phones are held", index, users.length);
      }
    }),
  );
  return held;
}

function hasMail(phone: Phone): boolean {
  return phone.inbox().some(({ subject }) => subject === mailSubject);
}

/** Waits, and comes again where a busy gate asked for it. @returns when it was told to look at its mail. */
async function park(phone: Phone): Promise<number> {
  for (;;) {
    const outcome = await phone.ping(parkedSeconds);
    const at = performance.now();
    if (outcome.kind === "changes") {
      if (isTakenBack) return at;
      await phone.sync("Inbox");
    } else {
      assert.equal(outcome.kind, "busy");
      askedToComeBack += 1;
    }
  }
}

async function untilMail(phone: Phone, since: () => number): Promise<Release> {
  const askedMs = since();
  await eventually(async () => {
    await phone.sync("Inbox");
    assert.ok(hasMail(phone), "the Ping has ended, and the phone is still held");
  }, patienceMs);
  return { askedMs, mailMs: since() };
}

/** A few at a time, each until it has its mail. */
async function askInTurn(
  phones: readonly HeldPhone[],
  since: () => number,
): Promise<{ readonly releases: readonly Release[]; readonly lastHeldMs: number }> {
  const waiting = phones.map(({ phone }) => phone);
  const releases: Release[] = [];
  let lastHeldMs = 0;
  await Promise.all(
    Array.from({ length: atOnce / 4 }, async () => {
      for (let phone = waiting.shift(); phone !== undefined; phone = waiting.shift()) {
        const askedMs = since();
        const { kind } = await phone.sync("Inbox");
        if (hasMail(phone)) releases.push({ askedMs, mailMs: since() });
        else {
          if (kind === "ok") lastHeldMs = Math.max(lastHeldMs, askedMs);
          else askedToComeBack += 1;
          waiting.push(phone);
        }
      }
    }),
  );
  return { releases, lastHeldMs };
}
