/** The sync role: one leader, syncs that go on where they were, sources that are left alone when they ask for it, and nothing written late. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createIntake } from "../../src/inventory/intake.ts";
import { ConnectorFailure } from "../../src/inventory/connector.ts";
import { managedDocument } from "../../src/inventory/managed-document.ts";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { readState, stateKey, writtenWish } from "../../src/sync/connector-state.ts";
import type { ConnectorState } from "../../src/sync/connector-state.ts";
import type { SyncEvent } from "../../src/sync/events.ts";
import { noteSignal } from "../../src/sync/signals.ts";
import { startSync } from "../../src/sync/sync.ts";
import type { Sync, SyncOptions } from "../../src/sync/sync.ts";
import { startRedis } from "../support/redis-server.ts";
import { deviceId } from "../support/records.ts";
import { eventually } from "../support/eventually.ts";
import { aListSource, aPlainIntake, enrolledIn } from "../support/sync-sources.ts";
import type { ListSource } from "../support/sync-sources.ts";

const at = new Date("2026-01-28T11:00:00Z");
const devices = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `d${index + 1}`, at }));

async function aStore(t: TestContext): Promise<Store> {
  const store = await openStore({ embedded: { path: ":memory:" } });
  t.after(() => store.close());
  return store;
}

interface Node extends Sync {
  readonly told: SyncEvent[];
  /** Moves its clock. */
  clock: { offsetMs: number };
}

async function aNode(
  t: TestContext,
  store: Store,
  sources: readonly ListSource[],
  termMs = 30_000,
  intakeOn: SyncOptions["intakeOn"] = aPlainIntake,
): Promise<Node> {
  const told: SyncEvent[] = [];
  const clock = { offsetMs: 0 };
  const sync = await startSync({
    sources,
    listen: undefined,
    store,
    intakeOn,
    rechecksOn: createRechecks,
    view: () => Promise.resolve({ managed: undefined, deviceAt: undefined, appsAt: undefined, isHeld: false }),
    appIds: () => [],
    hashDevice: () => "hash",
    tell: (event) => told.push(event),
    now: () => new Date(Date.now() + clock.offsetMs),
    termMs,
  });
  t.after(() => sync.close());
  return { ...sync, told, clock };
}

async function stateOf(store: Store, source: string): Promise<ConnectorState> {
  const [fields] = await store.readDocuments([stateKey(source)]);
  return readState(fields);
}

async function wish(
  store: Store,
  source: string,
  number: number,
  more: { full?: boolean; acceptFewer?: boolean } = {},
) {
  const key = stateKey(source);
  const set = writtenWish({ number, full: more.full ?? false, acceptFewer: more.acceptFewer ?? false, by: "alice" });
  await store.transact([key], () => ({ changes: [{ key, set }], result: undefined }));
}

/** Until a wish is fulfilled. */
async function fulfilled(store: Store, source: string, number: number): Promise<ConnectorState> {
  return eventually(async () => {
    const state = await stateOf(store, source);
    assert.equal(state.fulfilled, number);
    return state;
  });
}

suite("a sync", () => {
  test("names every device, and then asks for changes only", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list", { everyMs: 60_000 });
    source.devices.push(...devices(5));
    const node = await aNode(t, store, [source]);
    await eventually(async () => assert.notEqual((await stateOf(store, "list")).fullAt, undefined));
    assert.deepEqual(await enrolledIn(store, "list"), ["d1", "d2", "d3", "d4", "d5"]);
    assert.deepEqual(source.asked, ["full", "full 2", "full 4"]);
    const state = await stateOf(store, "list");
    assert.deepEqual([state.devices, state.run, state.failures], [5, undefined, 0]);
    node.clock.offsetMs += 65_000;
    await eventually(() => assert.equal(source.asked.at(-1), "changed"));
    assert.ok(node.told.some((event) => event.kind === "reports" && event.result === "accepted"));
  });

  test("goes on at its cursor after the program was killed", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list");
    source.devices.push(...devices(6));
    const third = Promise.withResolvers<void>();
    source.before = async (what, { signal }) => {
      if (what !== "full 4") return;
      third.resolve();
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("ended")), { once: true });
      });
    };
    const first = await aNode(t, store, [source]);
    await third.promise;
    const { run } = await stateOf(store, "list");
    assert.deepEqual([run?.kind, run?.cursor, run?.pages, run?.devices, run?.total], ["full", "4", 2, 4, 6]);
    await first.close();

    const again = aListSource("list");
    again.devices.push(...source.devices);
    await aNode(t, store, [again]);
    await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 6));
    assert.deepEqual(again.asked, ["full 4"]);
    const sweeps = new Set<string | undefined>();
    for await (const [, fields] of store.documents("managed", "list/")) sweeps.add(fields.get("sweep"));
    assert.deepEqual([...sweeps], [run?.sweep], "one full sync, before and after");
  });

  test("begins anew where the system does not know the cursor any more", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list");
    source.devices.push(...devices(6));
    let isBroken = true;
    source.before = (what) => {
      if (what === "full 4" && isBroken) throw new ConnectorFailure("refused", "no such cursor");
    };
    const node = await aNode(t, store, [source]);
    await eventually(async () => assert.equal((await stateOf(store, "list")).failures, 1));
    node.clock.offsetMs += 7_200_000;
    await eventually(async () => assert.equal((await stateOf(store, "list")).failures, 2));
    isBroken = false;
    node.clock.offsetMs += 7_200_000;
    await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 6));
    assert.deepEqual(source.asked, ["full", "full 2", "full 4", "full 4", "full", "full 2", "full 4"]);
  });

  test("that has read all of its pages does not count them again where its end has to wait for the store", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list", { pageSize: 20 });
    source.devices.push(...devices(12));
    let isAway = false;
    const failing: SyncOptions["intakeOn"] = (ground) => {
      const intake = aPlainIntake(ground);
      return {
        ...intake,
        async endSweep(...of) {
          if (isAway) throw new StoreUnavailable(new Error("away"));
          return intake.endSweep(...of);
        },
      };
    };
    const node = await aNode(t, store, [source], 30_000, failing);
    await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 12));
    // Counted twice they would be 14, of which the next sync would name too few.
    source.devices.splice(7);
    isAway = true;
    await wish(store, "list", 1, { full: true });
    const waits = (): number =>
      node.told.filter((event) => event.kind === "log" && event.event === "a sync waits for the store").length;
    await eventually(() => assert.ok(waits() >= 2), 10_000);
    assert.equal((await stateOf(store, "list")).run?.devices, 7);
    isAway = false;
    const state = await fulfilled(store, "list", 1);
    assert.deepEqual([state.devices, state.run], [7, undefined]);
    assert.deepEqual(source.asked, ["full", "full"]);
    assert.equal((await enrolledIn(store, "list")).length, 7);
  });

  test("un-enrols what a full one does not name, and nothing after one that broke off", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list");
    source.devices.push(...devices(12));
    await aNode(t, store, [source]);
    await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 12));
    source.devices.splice(0, 2);
    source.before = (what) => {
      if (what === "full 8") throw new ConnectorFailure("refused", "no");
    };
    await wish(store, "list", 1, { full: true });
    const failed = await fulfilled(store, "list", 1);
    assert.deepEqual([failed.failure?.code, failed.failure?.detail], ["refused", "no"]);
    assert.equal((await enrolledIn(store, "list")).length, 12);
  });

  test("un-enrols what is gone after a whole one", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list");
    source.devices.push(...devices(12));
    await aNode(t, store, [source]);
    await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 12));
    source.devices.splice(0, 2);
    await wish(store, "list", 1, { full: true });
    await fulfilled(store, "list", 1);
    assert.equal((await enrolledIn(store, "list")).length, 10);
    assert.ok(!(await enrolledIn(store, "list")).includes("d1"));
  });

  test("that names fewer than half of the devices un-enrols nobody until an operator says so", async (t) => {
    for (const [left, enrolled] of [
      [6, 6],
      [5, 12],
    ] as const) {
      const store = await aStore(t);
      const source = aListSource("list", { pageSize: 20 });
      source.devices.push(...devices(12));
      const node = await aNode(t, store, [source]);
      await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 12));
      source.devices.splice(left);
      await wish(store, "list", 1, { full: true });
      const state = await fulfilled(store, "list", 1);
      assert.equal((await enrolledIn(store, "list")).length, enrolled);
      if (left === 6) continue;
      assert.deepEqual(state.fewDevices, { named: 5, before: 12 });
      assert.ok(node.told.some((event) => event.kind === "alert" && event.alert === "few-devices"));
      await wish(store, "list", 2, { full: true, acceptFewer: true });
      const after = await fulfilled(store, "list", 2);
      assert.deepEqual([after.fewDevices, after.devices], [undefined, 5]);
      assert.equal((await enrolledIn(store, "list")).length, 5);
    }
  });

  test("leaves a source alone for as long as it asks, wish or no wish, and no longer", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list");
    source.devices.push(...devices(1));
    let isThrottled = true;
    source.before = () => {
      if (isThrottled) throw new ConnectorFailure("throttled", "too much", { retryAfterMs: 600_000 });
    };
    const node = await aNode(t, store, [source]);
    await eventually(async () => assert.equal((await stateOf(store, "list")).failures, 1));
    await wish(store, "list", 1, { full: true });
    const { nextAt } = await stateOf(store, "list");
    assert.ok(nextAt !== undefined && nextAt.getTime() - Date.now() > 590_000);
    node.clock.offsetMs += 500_000;
    await wish(store, "list", 2, { full: true });
    isThrottled = false;
    node.clock.offsetMs += 110_000;
    await fulfilled(store, "list", 2);
    assert.deepEqual(source.asked, ["full", "full"]);
  });

  test("of one source that fails keeps no other from its own", async (t) => {
    const store = await aStore(t);
    const [bad, good] = [aListSource("bad"), aListSource("good")];
    bad.before = () => {
      throw new TypeError("a fault of the program");
    };
    good.devices.push(...devices(3));
    await aNode(t, store, [bad, good]);
    await eventually(async () => assert.equal((await stateOf(store, "good")).devices, 3));
    await eventually(async () => {
      const { failure } = await stateOf(store, "bad");
      assert.deepEqual([failure?.code, failure?.detail], ["unreadable", "a fault of the connector (TypeError)"]);
    });
  });
});

test("a full sync tells the gate which phones are managed no more", async (t) => {
  const store = await aStore(t);
  const source = aListSource("list", { pageSize: 3, easDeviceIds: true });
  source.devices.push(...devices(12));
  let offsetMs = 0;
  const node = await aNode(t, store, [source], 30_000, (ground) =>
    createIntake({
      store: ground,
      appIds: () => [],
      privacy: "all",
      homeDomains: [],
      ownerRequired: true,
      now: () => new Date(Date.now() + offsetMs),
    }),
  );
  await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 12));
  const [phone, gone] = [deviceId("EASD2"), deviceId("EASD1")];
  const enrolled = async (id: typeof phone): Promise<boolean | undefined> =>
    (await store.facts([id], undefined)).record?.enrolled;
  assert.notEqual(await enrolled(gone), false);
  source.devices.splice(0, 1);
  offsetMs = 3_600_000;
  node.clock.offsetMs = offsetMs;
  await wish(store, "list", 1, { full: true });
  await fulfilled(store, "list", 1);
  await eventually(async () => assert.equal(await enrolled(gone), false));
  assert.notEqual(await enrolled(phone), false);
});

test("a phone that slipped from one page to another while a full sync read them is managed still", async (t) => {
  for (const problem of [undefined, "away", "unreadable"] as const) {
    const store = await aStore(t);
    const source = aListSource("list", { pageSize: 3, easDeviceIds: true });
    source.devices.push(...devices(12));
    let offsetMs = 0;
    const node = await aNode(t, store, [source], 30_000, (ground) =>
      createIntake({
        store: ground,
        appIds: () => [],
        privacy: "all",
        homeDomains: [],
        ownerRequired: true,
        now: () => new Date(Date.now() + offsetMs),
      }),
    );
    await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 12));
    const managed = async (id: string) =>
      (await store.readDocuments([managedDocument({ source: "list", sourceDeviceId: id })]))[0];
    offsetMs = 3_600_000;
    node.clock.offsetMs = offsetMs;
    source.before = (what) => {
      // Somebody removes the first phone at the source: the fourth one is on the page that was read already.
      if (what === "full 3" && source.devices.length === 12) source.devices.splice(0, 1);
      if (what.startsWith("one") && problem !== undefined) throw new ConnectorFailure(problem, "HTTP 500");
    };
    const sync = async (number: number): Promise<void> => {
      await wish(store, "list", number, { full: true });
      await fulfilled(store, "list", number);
    };
    await sync(1);
    assert.equal((await managed("d4"))?.has("isMissing"), false, "it is there");
    // On no page any more. Where a look at it says nothing, it stays as it is until the next one.
    offsetMs = 7_200_000;
    node.clock.offsetMs = offsetMs;
    await sync(2);
    assert.equal((await managed("d1"))?.has("isMissing"), problem === undefined);
    source.before = () => undefined;
    await sync(3);
    assert.deepEqual([(await managed("d1"))?.has("isMissing"), (await managed("d4"))?.has("isMissing")], [true, false]);
    const looks = (): number => source.asked.filter((what) => what.startsWith("one")).length;
    const before = looks();
    await sync(4);
    assert.equal(looks(), before, "what is gone is not looked for again");
  }
});

const stores: readonly (readonly [title: string, open: (t: TestContext) => Promise<Store>])[] = [
  ["the embedded store", aStore],
  [
    "Redis",
    async (t): Promise<Store> => {
      const redis = await startRedis();
      const store = await openStore({ redis: { url: redis.url } });
      t.after(async () => {
        await store.close();
        await redis.stop();
      });
      return store;
    },
  ],
];

for (const [title, open] of stores)
  suite(`the lead on ${title}`, () => {
    test("is one node's, and another's soon after that one ends", async (t) => {
      const store = await open(t);
      const [a, b] = [aListSource("list"), aListSource("list")];
      for (const { devices: list } of [a, b]) list.push(...devices(2));
      const first = await aNode(t, store, [a], 600);
      await eventually(() => assert.ok(first.isLeading()));
      const second = await aNode(t, store, [b], 600);
      await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 2));
      assert.deepEqual([second.isLeading(), b.asked], [false, []]);
      await first.close();
      await eventually(() => assert.ok(second.isLeading()));
    });

    test("that was lost in a pause writes nothing any more, neither state nor devices", async (t) => {
      const store = await open(t);
      // The paused node's own view of the store: its renewals do not come through, as in a process that stands still.
      let isPaused = false;
      const [held, renewal] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      t.after(() => {
        held.resolve();
        renewal.resolve();
      });
      const old = aListSource("list");
      old.devices.push(...devices(4));
      const asked = Promise.withResolvers<void>();
      old.before = async (what) => {
        if (what !== "full 2") return;
        isPaused = true;
        asked.resolve();
        await held.promise;
      };
      const halted: Store = {
        ...store,
        async transact(keys, decide) {
          if (isPaused && keys.length === 1 && keys[0]?.kind === "leader") await renewal.promise;
          return store.transact(keys, decide);
        },
      };
      const paused = await aNode(t, halted, [old], 300);
      await asked.promise;
      const fresh = aListSource("list");
      // It goes on behind the first page, where the other one stood still.
      fresh.devices.push(...devices(2), { id: "new", at });
      const successor = await aNode(t, store, [fresh], 300);
      await eventually(async () => assert.ok((await enrolledIn(store, "list")).includes("new")));
      await eventually(async () => assert.equal((await stateOf(store, "list")).run, undefined));
      const before = await store.readDocuments([stateKey("list")]);
      const enrolled = await enrolledIn(store, "list");
      assert.ok(!enrolled.includes("d3"));

      // It wakes up, and its work goes on before it has heard that its term is over.
      held.resolve();
      await eventually(() => assert.ok(!paused.isLeading()));
      isPaused = false;
      renewal.resolve();
      assert.ok(successor.isLeading());
      assert.deepEqual(await store.readDocuments([stateKey("list")]), before);
      assert.deepEqual(await enrolledIn(store, "list"), enrolled);
    });
  });

suite("a signal", () => {
  test("has one device read, once for several, and is gone then", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list");
    source.devices.push(...devices(2));
    await aNode(t, store, [source]);
    await eventually(async () => assert.equal((await stateOf(store, "list")).devices, 2));
    const hold = Promise.withResolvers<void>();
    source.before = (what) => (what === "one d1" ? hold.promise : undefined);
    for (const id of ["d1", "d2", "d2", "d2"]) await noteSignal(store, "list", id, "read", new Date());
    await eventually(() => assert.equal(source.asked.at(-1), "one d1"));
    hold.resolve();
    await eventually(async () =>
      assert.deepEqual(await Array.fromAsync(store.documents("connector", "list/signal/")), []),
    );
    assert.deepEqual(
      source.asked.filter((what) => what.startsWith("one")),
      ["one d1", "one d2"],
    );
  });

  test("is not lost with the node that heard it, nor while the source is away", async (t) => {
    const store = await aStore(t);
    await noteSignal(store, "list", "d1", "read", new Date());
    await noteSignal(store, "list", "gone", "read", new Date());
    const source = aListSource("list");
    source.devices.push(...devices(1));
    let failures = 0;
    source.before = (what) => {
      if (what !== "one d1" || failures > 0) return;
      failures += 1;
      throw new ConnectorFailure("away", "not now");
    };
    await aNode(t, store, [source]);
    await eventually(
      async () => assert.deepEqual(await Array.fromAsync(store.documents("connector", "list/signal/")), []),
      20_000,
    );
    assert.equal(source.asked.filter((what) => what === "one d1").length, 2);
    const [gone] = await store.readDocuments([{ kind: "managed", name: "list/gone" }]);
    assert.equal(gone?.get("enrolled"), "false");
  });

  test("of a device that the source cannot speak about keeps no other waiting behind it", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list");
    source.devices.push(...devices(3));
    source.before = (what) => {
      if (what === "one d1") throw new ConnectorFailure("away", "HTTP 500");
    };
    for (const id of ["d1", "d2", "d3"]) await noteSignal(store, "list", id, "read", new Date());
    await aNode(t, store, [source]);
    await eventually(() => assert.ok(["one d2", "one d3"].every((what) => source.asked.includes(what))), 30_000);
    const left = await Array.fromAsync(store.documents("connector", "list/signal/"));
    assert.ok(
      left.some(([name]) => name.endsWith("/d1")),
      "it is not lost",
    );
  });

  test("to have a device report anew is an order, and outranks a look", async (t) => {
    const store = await aStore(t);
    const source = aListSource("list", { refresh: { usualSeconds: [1, 2], unlockFirst: false } });
    await noteSignal(store, "list", "d1", "refresh", new Date());
    await noteSignal(store, "list", "d1", "read", new Date());
    await aNode(t, store, [source]);
    await eventually(() => assert.ok(source.asked.includes("refresh d1")));
    await eventually(async () =>
      assert.deepEqual(await Array.fromAsync(store.documents("connector", "list/signal/")), []),
    );
    assert.ok(!source.asked.includes("one d1"));
  });
});
