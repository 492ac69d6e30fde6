/** A real Redis that is slow, frozen, gone, back, emptied, read-only or cut off, and what a gate makes of it. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { inspect } from "node:util";
import type { CachedStore } from "../../src/store/cached-store.ts";
import { openStore } from "../../src/store/open.ts";
import { recordFields } from "../../src/store/record.ts";
import type { RedisStoreOptions } from "../../src/store/redis-address.ts";
import { PolicyUnreadable, StoreUnavailable } from "../../src/store/store.ts";
import type { StoreEvent } from "../../src/store/store.ts";
import { fields, listen } from "../contracts/store.ts";
import type { PolicyVersion } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { deviceId } from "../support/records.ts";
import { freePort, startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startTcpRelay } from "../support/tcp-relay.ts";

const phone = deviceId("ABC123");
const key = "postern:device:ABC123";
const account = "alice";

/** What the gate promises: the answer or the refusal of the store, within this. */
const REQUEST_LIMIT_MS = 200;
const SECOND_MS = 1_000;

interface Bench {
  readonly server: RedisServer;
  readonly store: CachedStore;
  readonly events: StoreEvent[];
}

async function aServer(t: TestContext, ...serverArguments: string[]): Promise<RedisServer> {
  const server = await startRedis(...serverArguments);
  t.after(() => server.stop());
  return server;
}

async function aStore(t: TestContext, redis: RedisStoreOptions, events: StoreEvent[] = []): Promise<CachedStore> {
  const store = await openStore({ redis }, { report: (event) => events.push(event) });
  t.after(() => store.close());
  return store;
}

async function aBench(t: TestContext, options: Partial<RedisStoreOptions> = {}): Promise<Bench> {
  const server = await aServer(t);
  const events: StoreEvent[] = [];
  return { server, store: await aStore(t, { url: server.url, ...options }, events), events };
}

/** For tests about something else than time: a busy machine may take longer than a phone would wait. */
const unhurried: Partial<RedisStoreOptions> = { timeoutMs: 5_000 };

const complianceOf = async (store: CachedStore): Promise<string | undefined> =>
  (await store.facts([phone], account)).record?.compliance;

const aVersion = (version: number): PolicyVersion => ({
  version,
  at: new Date("2026-11-20T12:00:00Z"),
  act: "apply",
  about: [],
  who: "bob",
  why: "test",
  campaigns: [],
  exemptions: [],
  runs: {},
});

const statesOf = (events: readonly StoreEvent[]): readonly string[] =>
  events.flatMap((event) => (event.kind === "health" ? [event.health.state] : []));

/** How long a call took, whatever became of it, without what this machine adds to any timer at the moment. */
async function msOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  const control = setTimeout(180).then(() => performance.now() - began - 180);
  const waited = work()
    .catch(() => {})
    .then(() => performance.now() - began);
  return (await waited) - (await control);
}

const clientId = async (server: RedisServer, name: RegExp): Promise<string> => {
  const line = (await server.cli("CLIENT", "LIST")).split("\n").find((each) => name.test(each));
  const id = /^id=(\d+)/.exec(line ?? "")?.[1];
  assert.ok(id !== undefined, `no connection is called ${name}`);
  return id;
};

suite("a script writes to Redis", () => {
  test("a raw HSET is seen within a second, and told", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    assert.equal(await complianceOf(store), undefined);
    const changes = listen(store);
    await server.cli("HSET", key, "compliance", "noncompliant", "reasons", "com.zhiliaoapp.musically");
    await eventually(async () => assert.equal(await complianceOf(store), "noncompliant"), SECOND_MS);
    assert.deepEqual((await store.facts([phone], account)).record?.reasons, ["com.zhiliaoapp.musically"]);
    assert.deepEqual(changes[0], { kind: "device", id: phone });
    await server.cli("HDEL", key, "compliance");
    await eventually(async () => assert.equal(await complianceOf(store), undefined), SECOND_MS);
    await server.cli("DEL", key);
    await eventually(async () => assert.equal((await store.facts([phone], account)).record, undefined), SECOND_MS);
  });

  test("a raw alias is seen within a second, in whatever case its target is written", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await server.cli("HSET", "postern:device:REAL", "owner", "alice");
    assert.equal((await store.facts([phone], account)).id, phone);
    await server.cli("SET", "postern:alias:ABC123", " real ");
    await eventually(async () => assert.equal((await store.facts([phone], account)).id, "REAL"), SECOND_MS);
  });

  test("a key that expires is gone within a second", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await server.cli("HSET", key, "compliance", "compliant");
    await eventually(async () => assert.equal(await complianceOf(store), "compliant"), SECOND_MS);
    await server.cli("PEXPIRE", key, "1");
    await eventually(async () => assert.equal(await complianceOf(store), undefined), SECOND_MS);
  });

  test("a key of another type makes every field unknown, and an alias of another type leads nowhere", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await server.cli("SET", key, "noncompliant");
    await server.cli("HSET", "postern:alias:OTHER9", "id", "ABC123");
    const { record } = await store.facts([phone], account);
    assert.deepEqual(
      record?.faults.map(({ field }) => field),
      [...recordFields],
    );
    await assert.rejects(store.readFields(phone), StoreUnavailable);
    assert.equal((await store.facts([deviceId("OTHER9")], account)).record, undefined);
    assert.equal(store.health().state, "live");
  });

  test("keys that are not ours disturb nobody", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    const changes = listen(store);
    for (const name of [
      "postern:device:abc123",
      "postern:device:",
      "postern:device:A B",
      "postern:device:Ünï",
      "elsewhere",
    ]) {
      await server.cli("HSET", name, "compliance", "noncompliant");
    }
    await server.cli("HSET", key, "compliance", "compliant");
    await eventually(() => assert.ok(changes.length > 0), SECOND_MS);
    assert.deepEqual(changes, [{ kind: "device", id: phone }]);
  });

  test("a new policy in the store is told to every node", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    const changes = listen(store);
    await server.cli("SET", "postern:policy", "{}");
    await eventually(() => assert.deepEqual(changes, [{ kind: "policy" }]), SECOND_MS);
  });

  test("a new policy is told with its first step, so that an act that is interrupted there is in force", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    const changes = listen(store);
    await server.cli("HSET", "postern:policy:history", "1", "{}");
    await eventually(() => assert.deepEqual(changes, [{ kind: "policy" }]), SECOND_MS);
  });

  test("a version that nobody can read is told from a store that does not answer, and left out of the history", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await store.addPolicy(aVersion(1));
    const history = "postern:policy:history";
    await server.cli("HSET", history, "7", "not JSON", "9", JSON.stringify(aVersion(8)), "x", "y");
    await assert.rejects(store.readPolicy(), (error) => error instanceof PolicyUnreadable && error.version === 9);
    const skipped: string[] = [];
    const versions = await store.policyHistory(10, (version, problem) => skipped.push(`${version} ${problem}`));
    assert.deepEqual(
      versions.map(({ version }) => version),
      [1],
    );
    assert.deepEqual(skipped, ["9 stands under the number of another version", "7 is not valid JSON"]);
  });

  for (const [what, ...serverArguments] of [["an operator"], ["the server's own timeout", "--timeout", "1"]] as const) {
    test(`what is read by the patient connection is read though ${what} has closed it`, async (t) => {
      const server = await aServer(t, ...serverArguments);
      const store = await aStore(t, { url: server.url, ...unhurried });
      await store.addPolicy(aVersion(1));
      const idle = async (): Promise<string[]> =>
        (await server.cli("CLIENT", "LIST")).split("\n").filter((line) => line.includes("name=postern-work"));
      for (const line of serverArguments.length === 0 ? await idle() : [])
        await server.cli("CLIENT", "KILL", "ID", /id=(\d+)/.exec(line)?.[1] ?? "");
      await eventually(async () => assert.deepEqual(await idle(), []), 20_000);
      assert.equal((await store.readPolicy())?.version, 1);
      assert.equal(await store.addPolicy(aVersion(2)), true);
    });
  }

  test("what operators ask for is refused in the end where Redis is frozen, and answered when it is back", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await server.cli("HSET", key, "owner", "alice");
    assert.equal((await store.readRecords([phone, phone])).length, 2);
    server.pause();
    await assert.rejects(store.readRecords([phone, phone]), (error) => {
      assert.ok(error instanceof StoreUnavailable && error.cause instanceof Error);
      assert.match(error.cause.message, /timed out/);
      return true;
    });
    server.resume();
    await eventually(async () => assert.equal((await store.readRecords([phone])).length, 1));
  });

  test("records of certain ids are read though somebody has closed the patient connection", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await server.cli("HSET", key, "owner", "alice");
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(
        (await store.readRecords([phone])).map(({ owner }) => owner),
        ["alice"],
      );
      const work = (await server.cli("CLIENT", "LIST"))
        .split("\n")
        .filter((line) => line.includes("name=postern-work"));
      for (const line of work) await server.cli("CLIENT", "KILL", "ID", /id=(\d+)/.exec(line)?.[1] ?? "");
    }
  });

  test("a node that falls asleep between the two steps of a new policy does not take back what came after", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    assert.equal(await store.addPolicy(aVersion(1)), true);
    assert.equal(await store.addPolicy(aVersion(2)), true);
    await server.cli("SET", "postern:policy", JSON.stringify(aVersion(1)));
    assert.equal((await store.readPolicy())?.version, 2);
  });

  test("FLUSHALL is seen within a second, and told as everything", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await server.cli("HSET", key, "compliance", "compliant");
    await eventually(async () => assert.equal(await complianceOf(store), "compliant"), SECOND_MS);
    const changes = listen(store);
    await server.cli("FLUSHALL");
    await eventually(async () => assert.equal(await complianceOf(store), undefined), SECOND_MS);
    assert.deepEqual(changes, [{ kind: "everything" }]);
  });

  test("mailbox states end by themselves after 400 days without a phone", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await store.updateMailbox({ device: phone, account: "a:b" }, { issue: ["5"] });
    for (const name of ["postern:mailbox:ABC123:a%3Ab", "postern:accounts:ABC123"]) {
      const seconds = Number(await server.cli("TTL", name));
      assert.ok(seconds > 399 * 86_400 && seconds <= 400 * 86_400, `${name}: ${seconds}`);
    }
    assert.deepEqual((await server.cli("KEYS", "*")).split("\n").sort(), [
      "postern:accounts:ABC123",
      "postern:mailbox:ABC123:a%3Ab",
    ]);
  });
});

suite("a connection is lost", () => {
  test("not while the proofs succeed: what was read is kept, and nothing is told", async (t) => {
    const { server, store, events } = await aBench(t);
    const changes = listen(store);
    await eventually(async () => {
      const proofs = /cmdstat_client\|trackinginfo:calls=(\d+)/.exec(await server.cli("INFO", "commandstats"))?.[1];
      assert.ok(Number(proofs) >= 3);
    });
    assert.deepEqual([statesOf(events), changes], [["live"], []]);
  });

  for (const [name, what] of [
    [/name=postern-changes-/, "that hears of changes"],
    [/name=postern /, "that reads"],
  ] as const) {
    test(`the one ${what}, killed by an operator: no change is missed, and all is well within a second`, async (t) => {
      const { server, store, events } = await aBench(t);
      await server.cli("HSET", key, "compliance", "compliant");
      await eventually(async () => assert.equal(await complianceOf(store), "compliant"), SECOND_MS);
      const changes = listen(store);
      const killed = await clientId(server, name);
      await Promise.all([
        server.cli("CLIENT", "KILL", "ID", killed),
        server.cli("HSET", key, "compliance", "noncompliant"),
      ]);
      await eventually(async () => assert.equal(await complianceOf(store), "noncompliant"), SECOND_MS);
      await eventually(() => assert.equal(store.health().state, "live"), SECOND_MS);
      assert.ok(changes.some(({ kind }) => kind === "everything"));
      assert.equal(statesOf(events).at(-1), "live");
      assert.notEqual(await clientId(server, name), killed);

      changes.length = 0;
      await server.cli("HSET", key, "compliance", "compliant");
      await eventually(() => assert.deepEqual(changes, [{ kind: "device", id: phone }]), SECOND_MS);
      assert.equal(await complianceOf(store), "compliant");
    });
  }

  test("one of them ends at another server, during a failover: what that one does not tell is not kept", async (t) => {
    const [before, now] = [await aServer(t), await aServer(t)];
    const relay = await startTcpRelay(before);
    t.after(() => relay.close());
    const store = await aStore(t, { url: `redis://127.0.0.1:${relay.port}` });
    relay.redirect(now);
    // The number of the new listener may well be the one of some connection at the old server.
    for (let count = 0; count < 20; count++) {
      const client = connect(before.port, "127.0.0.1");
      t.after(() => client.destroy());
    }
    await before.cli("CLIENT", "KILL", "ID", await clientId(before, /name=postern-changes-/));
    await eventually(async () => {
      assert.equal(store.health().state, "live");
      await clientId(now, /name=postern /);
      await clientId(now, /name=postern-changes-/);
    });
    for (const compliance of ["compliant", "noncompliant"]) {
      await now.cli("HSET", key, "compliance", compliance);
      await eventually(async () => assert.equal(await complianceOf(store), compliance), SECOND_MS);
    }
  });

  for (const [sent, what] of [
    ["subscribe", "that hears of changes"],
    ["tracking", "that reads"],
  ] as const) {
    test(`the one ${what}, silently: noticed within about two seconds, and no change is missed`, async (t) => {
      const server = await aServer(t);
      const relay = await startTcpRelay(server);
      t.after(() => relay.close());
      const store = await aStore(t, { url: `redis://127.0.0.1:${relay.port}` });
      const changes = listen(store);
      await server.cli("HSET", key, "compliance", "compliant");
      // Only once it was told: news that is still on its way through the cable would help us out below.
      await eventually(() => assert.equal(changes.length, 1), SECOND_MS);
      assert.equal(await complianceOf(store), "compliant");

      assert.equal(relay.silence(sent), 1);
      await server.cli("HSET", key, "compliance", "noncompliant");
      await eventually(async () => assert.equal(await complianceOf(store), "noncompliant"), 2_500);
      await eventually(() => assert.equal(store.health().state, "live"), SECOND_MS);
    });
  }
});

suite("Redis is away", () => {
  test("frozen: nobody waits longer than 200 ms, a known device is still known at first, and it is back within a second", async (t) => {
    const { server, store, events } = await aBench(t);
    await server.cli("HSET", key, "compliance", "noncompliant");
    await eventually(async () => assert.equal(await complianceOf(store), "noncompliant"), SECOND_MS);
    server.pause();

    assert.equal(await complianceOf(store), "noncompliant");
    const waits = await Promise.all(
      Array.from({ length: 50 }, (_, index) => msOf(() => store.facts([deviceId(`NEW${index}`)], account))),
    );
    assert.ok(Math.max(...waits) < REQUEST_LIMIT_MS, `${Math.max(...waits)} ms`);
    assert.ok((await msOf(() => store.updateMailbox({ device: phone, account }, { issue: ["5"] }))) < REQUEST_LIMIT_MS);
    await eventually(() => assert.equal(store.health().state, "down"), 2_000);
    await assert.rejects(complianceOf(store), StoreUnavailable);
    assert.ok((await msOf(() => complianceOf(store))) < REQUEST_LIMIT_MS);

    server.resume();
    await eventually(async () => assert.equal(await complianceOf(store), "noncompliant"), SECOND_MS);
    await eventually(() => assert.equal(store.health().state, "live"), SECOND_MS);
    assert.deepEqual(
      statesOf(events).filter((state) => state !== "degraded"),
      ["live", "down", "live"],
    );
  });

  test("dead and started again: refused at once meanwhile, and it is back within a second", async (t) => {
    const { server, store, events } = await aBench(t);
    await server.cli("HSET", key, "compliance", "compliant");
    await eventually(async () => assert.equal(await complianceOf(store), "compliant"), SECOND_MS);
    const changes = listen(store);
    await server.kill();
    await eventually(() => assert.equal(store.health().state, "down"), SECOND_MS);
    assert.ok((await msOf(() => complianceOf(store))) < 50);

    await server.start();
    await eventually(async () => assert.equal((await store.facts([phone], account)).record, undefined), SECOND_MS);
    await eventually(() => assert.equal(store.health().state, "live"), SECOND_MS);
    assert.ok(changes.some(({ kind }) => kind === "everything"));
    assert.deepEqual(
      statesOf(events).filter((state) => state !== "degraded"),
      ["live", "down", "live"],
    );
  });

  test("away at the start: the store opens after a second, says so, and works as soon as Redis does", async (t) => {
    const server = await aServer(t);
    await server.kill();
    const events: StoreEvent[] = [];
    const began = performance.now();
    const store = await aStore(t, { url: server.url }, events);
    assert.ok(performance.now() - began < 1_500);
    assert.deepEqual(statesOf(events), ["down"]);
    assert.match(store.health().detail, /ECONNREFUSED/);
    await server.start();
    await eventually(() => assert.equal(store.health().state, "live"), SECOND_MS);
    assert.deepEqual(
      statesOf(events).filter((state) => state !== "degraded"),
      ["down", "live"],
    );
  });

  test("loading its data: no answer is invented, and it is back when all is loaded", async (t) => {
    // Redis looks at its connections once in 1 024 bytes while it loads, so each key is larger than that.
    const server = await aServer(t, "--rdbcompression", "no");
    await server.cli("DEBUG", "POPULATE", "300", "filler", "2048");
    await server.cli("HSET", key, "compliance", "noncompliant");
    await server.cli("SAVE");
    const store = await aStore(t, { url: server.url });
    await server.kill();
    const began = server.start("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024");
    await eventually(() => assert.match(store.health().detail, /LOADING/));
    await assert.rejects(store.facts([phone], account), StoreUnavailable);
    await began;
    await eventually(async () => assert.equal(await complianceOf(store), "noncompliant"), 5_000);
    await eventually(() => assert.equal(store.health().state, "live"), SECOND_MS);
  });

  test("read-only after a failover: reads go on, writes are refused, and work again without a restart", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await store.writeFields(phone, fields({ compliance: "compliant" }));
    await server.cli("REPLICAOF", "127.0.0.1", String(await freePort()));
    await assert.rejects(store.writeFields(phone, fields({ compliance: "noncompliant" })), StoreUnavailable);
    await assert.rejects(store.updateMailbox({ device: phone, account }, { issue: ["5"] }), StoreUnavailable);
    await eventually(async () => assert.equal(await complianceOf(store), "compliant"), SECOND_MS);
    await server.cli("REPLICAOF", "NO", "ONE");
    await eventually(() => store.writeFields(phone, fields({ compliance: "noncompliant" })), SECOND_MS);
    await eventually(() => store.updateMailbox({ device: phone, account }, { issue: ["5"] }), SECOND_MS);
    assert.equal(await complianceOf(store), "noncompliant");
  });

  test("read-only, while its address leads to a new primary by now: the next write finds it", async (t) => {
    const [before, now] = [await aServer(t), await aServer(t)];
    const relay = await startTcpRelay(before);
    t.after(() => relay.close());
    const store = await aStore(t, { url: `redis://127.0.0.1:${relay.port}` });
    await before.cli("REPLICAOF", "127.0.0.1", String(now.port));
    relay.redirect(now);
    await eventually(() => store.updateMailbox({ device: phone, account }, { issue: ["5"] }));
    await eventually(() => assert.equal(store.health().state, "live"));
    assert.equal(await now.cli("EXISTS", "postern:mailbox:ABC123:alice"), "1");
    await clientId(now, /name=postern /);
    await clientId(now, /name=postern-changes-/);
  });

  test("full: what stands in it is still read, and a write that it refuses is an error", async (t) => {
    const { server, store } = await aBench(t, unhurried);
    await store.writeFields(phone, fields({ compliance: "compliant" }));
    await server.cli("CONFIG", "SET", "maxmemory", "1");
    await assert.rejects(store.writeFields(phone, fields({ owner: "alice" })), StoreUnavailable);
    await eventually(async () => assert.equal(await complianceOf(store), "compliant"), SECOND_MS);
    assert.equal(store.health().state, "live");
  });

  test("nothing that is thrown or reported names a device, an account or a password", async (t) => {
    const server = await aServer(t, "--requirepass", "s3cret-pass");
    const events: StoreEvent[] = [];
    const store = await aStore(t, { url: `redis://default:wr0ng-pass@127.0.0.1:${server.port}` }, events);
    assert.equal(store.health().state, "down");
    assert.match(store.health().detail, /WRONGPASS/);
    const failures = await Promise.allSettled([
      store.facts([phone], "alice-account"),
      store.writeFields(phone, fields({ owner: "alice-account" })),
      store.updateMailbox({ device: phone, account: "alice-account" }, { issue: ["5"] }),
      store.forget(phone),
      store.list()[Symbol.asyncIterator]().next(),
    ]);
    for (const failure of failures) {
      assert.equal(failure.status, "rejected");
      const text = inspect(failure, { depth: 20, showHidden: true });
      assert.doesNotMatch(text, /ABC123|alice-account|wr0ng-pass|s3cret-pass/);
    }
    assert.doesNotMatch(inspect(events, { depth: 20 }), /wr0ng-pass|s3cret-pass/);
  });

  test("closing leaves no connection behind, also while Redis is frozen", async (t) => {
    const { server, store } = await aBench(t);
    const frozen = await openStore({ redis: { url: server.url } });
    await store.close();
    await eventually(async () => {
      const connections = (await server.cli("CLIENT", "LIST")).match(/name=postern/g) ?? [];
      assert.equal(connections.length, 2);
    });
    server.pause();
    assert.ok((await msOf(() => frozen.close())) < 500);
    server.resume();
    await eventually(async () => assert.doesNotMatch(await server.cli("CLIENT", "LIST"), /name=postern/));
  });
});
