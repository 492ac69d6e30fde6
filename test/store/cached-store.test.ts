/** What the store makes of a backend, with one whose answers come exactly when the test says. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import type { DeviceId } from "../../src/policy/device.ts";
import { ONLY_VALUE } from "../../src/store/backend.ts";
import type { Backend, BackendEvents, Key, Stored } from "../../src/store/backend.ts";
import { createStore } from "../../src/store/cached-store.ts";
import type { CachedStore } from "../../src/store/cached-store.ts";
import { ACCOUNTS_PER_DEVICE } from "../../src/store/facts-cache.ts";
import type { CacheLimits } from "../../src/store/facts-cache.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import { fields, listen } from "../contracts/store.ts";
import { deviceId } from "../support/records.ts";

const phone = deviceId("ABC123");
const other = deviceId("OTHER9");
const account = "alice";
const limits: CacheLimits = { knownEntries: 100, unknownEntries: 10 };

interface Bench {
  readonly store: CachedStore;
  readonly events: BackendEvents;
  /** Reads that wait for their answer, oldest first. */
  readonly waiting: (() => void)[];
  /** How many reads there have been. */
  readonly reads: () => number;
  /** From now on each read waits until it is let through; its answer is of the moment when it was asked, or let through. */
  readonly hold: (answersAre: "of-asking" | "of-answering") => void;
  readonly track: (isTracking: boolean) => void;
  /** Changes the data as another node would, and tells of it unless told not to. */
  readonly put: (id: DeviceId, osVersion: string, isTold?: boolean) => void;
  readonly alias: (alias: DeviceId, id: DeviceId) => void;
}

function aBench(own: Partial<CacheLimits> = {}): Bench {
  const data = new Map<string, Map<string, string>>();
  const waiting: (() => void)[] = [];
  let holding: "no" | "of-asking" | "of-answering" = "no";
  let isTracking = true;
  let reads = 0;
  let told: BackendEvents | undefined;

  const nameOf = (key: Key): string => [key.kind, key.id, key.kind === "mailbox" ? key.account : ""].join(" ");
  const readNow = (keys: readonly Key[]): readonly Stored[] =>
    keys.map((key) => {
      const stored = data.get(nameOf(key));
      return stored === undefined ? { kind: "absent" } : { kind: "fields", fields: new Map(stored) };
    });

  const backend: Backend = {
    async read(keys) {
      reads += 1;
      if (holding === "no") return readNow(keys);
      const asked = holding === "of-asking" ? readNow(keys) : undefined;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return asked ?? readNow(keys);
    },
    async write(key, { set, remove }) {
      const stored = data.get(nameOf(key)) ?? new Map<string, string>();
      for (const field of remove) stored.delete(field);
      for (const [field, value] of set) stored.set(field, value);
      data.set(nameOf(key), stored);
    },
    remove: async (id) => data.delete(`device ${id} `),
    async *scan() {},
    devicePage: async () => ({ devices: [], next: undefined }),
    readDevices: async () => [],
    readDocuments: async () => [],
    appendAudit: async () => false,
    auditMarks: async () => new Map(),
    auditAfter: async () => [],
    auditBefore: async () => [],
    trimAudit: async () => {},
    async *documents() {},
    transact: async (_keys, decide) => decide([]).result,
    readPolicy: async () => undefined,
    readPolicyVersion: async () => undefined,
    addPolicy: async () => false,
    policyHistory: async () => [],
    async noteFirstSeen(ids, atMs) {
      for (const id of ids)
        if (!data.has(`first-seen ${id} `)) data.set(`first-seen ${id} `, new Map([[ONLY_VALUE, String(atMs)]]));
    },
    firstSeenSince: async () => 1,
    beginFirstSeen: async () => {},
    noteLast: async () => {},
    readLast: async () => [],
    readStrangers: async () => [],
    writeStrangers: async () => 0,
    async *strangers() {},
    noteSeen: async () => {},
    async *seen() {},
    addToTallies: async () => {},
    readTallies: async () => [],
    keepPreview: async () => {},
    readPreview: async () => undefined,
    claim: async () => false,
    note: async () => {},
    line: async () => undefined,
    async *lines() {},
    lease: async () => false,
    isTracking: () => isTracking,
    health: () => ({ state: "live", since: new Date(0), detail: "" }),
    settled: async () => {},
    answersWithinMs: 150,
    close: async () => {},
  };
  const store = createStore(
    (events) => {
      told = events;
      return backend;
    },
    { ...limits, ...own },
    { now: () => new Date("2026-11-20T12:00:00Z"), report: () => {} },
  );
  assert.ok(told !== undefined);
  const events = told;
  return {
    store,
    events,
    waiting,
    reads: () => reads,
    hold: (answersAre) => (holding = answersAre),
    track: (value) => (isTracking = value),
    put(id, osVersion, isTold = true): void {
      data.set(`device ${id} `, new Map([["osVersion", osVersion]]));
      if (isTold) events.changed("device", id);
    },
    alias(from, id): void {
      data.set(`alias ${from} `, new Map([[ONLY_VALUE, id]]));
      events.changed("alias", from);
    },
  };
}

const versionOf = async (store: CachedStore, id: DeviceId = phone): Promise<string | undefined> =>
  (await store.facts([id], account)).record?.osVersion;

suite("what is kept", () => {
  test("when a device was seen first comes with its other facts, and is read anew once it is noted", async () => {
    const { store, put, reads } = aBench();
    put(phone, "1");
    assert.equal((await store.facts([phone], account)).record?.firstSeenAt, undefined);
    assert.equal(await store.meet(phone), true);
    for (let round = 0; round < 5; round++) {
      const { record } = await store.facts([phone], account);
      assert.deepEqual(record?.firstSeenAt, new Date("2026-11-20T12:00:00Z"));
    }
    assert.equal(reads(), 3, "before, for the note, and after it; never again");
    assert.equal(await store.meet(other), false, "an id without a record is not noted");
    put(other, "1");
    assert.equal((await store.facts([other], account)).record?.firstSeenAt, undefined);
  });

  test("a device is read once until it changes", async () => {
    const { store, put, reads } = aBench();
    put(phone, "1");
    for (let round = 0; round < 5; round++) assert.equal(await versionOf(store), "1");
    assert.equal(reads(), 1);
    put(phone, "2");
    assert.equal(await versionOf(store), "2");
    assert.equal(reads(), 2);
  });

  test("an id without a record is remembered too, until it has one", async () => {
    const { store, put, reads } = aBench();
    await versionOf(store);
    await versionOf(store);
    assert.equal(reads(), 1);
    put(phone, "1");
    assert.equal(await versionOf(store), "1");
  });

  test("nothing is kept or served while changes are not tracked", async () => {
    const { store, put, track, reads } = aBench();
    put(phone, "1");
    await versionOf(store);
    track(false);
    put(phone, "2", false);
    assert.equal(await versionOf(store), "2");
    put(phone, "3", false);
    await versionOf(store, other);
    assert.equal(await versionOf(store), "3");
    assert.equal(reads(), 4);
    assert.deepEqual(store.cacheSizes(), { known: 1, unknown: 0 });
  });

  test("nothing that was read before tracking began anew is served after it", async () => {
    const { store, put, track, events } = aBench();
    put(phone, "1");
    await versionOf(store);
    track(false);
    put(phone, "2", false);
    track(true);
    events.everythingChanged();
    assert.equal(await versionOf(store), "2");
  });

  test("a change of any spelling that was looked at counts, and is told with the canonical id", async () => {
    const { store, put, alias } = aBench();
    const changes = listen(store);
    alias(phone, other);
    put(other, "1");
    assert.equal((await store.facts([phone], account)).id, other);
    changes.length = 0;
    put(phone, "2");
    assert.deepEqual(changes, [
      { kind: "device", id: phone },
      { kind: "device", id: other },
    ]);
    assert.equal((await store.facts([phone], account)).id, phone);
  });
});

suite("a flood", () => {
  test("of invented ids never pushes out a known device", async () => {
    const { store, put, reads } = aBench();
    const known = Array.from({ length: 100 }, (_, index) => deviceId(`K${index}`));
    for (const id of known) {
      put(id, "1");
      await versionOf(store, id);
    }
    for (let index = 0; index < 5_000; index++) await store.facts([deviceId(`X${index}`)], `nobody${index}`);
    assert.deepEqual(store.cacheSizes(), { known: 100, unknown: 10 });
    const before = reads();
    for (const id of known) assert.equal(await versionOf(store, id), "1");
    assert.equal(reads(), before);
  });

  test("of invented accounts on one device pushes out no other device, nor grows", async () => {
    const { store, put, reads } = aBench();
    put(phone, "1");
    put(other, "1");
    await versionOf(store, other);
    for (let index = 0; index < 5_000; index++) await store.facts([phone], `nobody${index}`);
    assert.equal(store.cacheSizes().known, 2);
    const before = reads();
    await versionOf(store, other);
    for (let index = 0; index < ACCOUNTS_PER_DEVICE; index++) await store.facts([phone], `nobody${4_999 - index}`);
    assert.equal(reads(), before);
    await store.facts([phone], `nobody${4_999 - ACCOUNTS_PER_DEVICE}`);
    assert.equal(reads(), before + 1);
  });

  test("of devices beyond the limit pushes out those that nobody asks for", async () => {
    const { store, put, reads } = aBench();
    put(phone, "1");
    for (let index = 0; index < 1_000; index++) {
      const id = deviceId(`K${index}`);
      put(id, "1");
      await versionOf(store, id);
      await versionOf(store);
    }
    assert.equal(store.cacheSizes().known, 100);
    assert.equal(reads(), 1_001);
  });
});

suite("races", () => {
  test("a hundred who ask at once cause one read", async () => {
    const { store, put, hold, waiting, reads } = aBench();
    put(phone, "1");
    hold("of-asking");
    const answers = Array.from({ length: 100 }, () => versionOf(store));
    waiting.shift()?.();
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(["1"]));
    assert.equal(reads(), 1);
  });

  test("a change that overtakes a read makes it read again, and leaves nothing stale behind", async () => {
    const { store, put, hold, waiting, reads } = aBench();
    put(phone, "1");
    hold("of-asking");
    const early = versionOf(store);
    put(phone, "2");
    const late = versionOf(store);
    assert.equal(reads(), 2, "who asks after the change does not wait for the read from before it");
    for (let round = 0; round < 4; round++) {
      for (const go of waiting.splice(0)) go();
      await setImmediate();
    }
    assert.deepEqual(await Promise.all([early, late]), ["2", "2"]);
    assert.equal(await versionOf(store), "2");
  });

  test("a gap in the changes outdates every read under way", async () => {
    const { store, put, hold, waiting, events } = aBench();
    put(phone, "1");
    hold("of-asking");
    const answer = versionOf(store);
    put(phone, "2", false);
    events.everythingChanged();
    waiting.shift()?.();
    await setImmediate();
    waiting.shift()?.();
    assert.equal(await answer, "2");
  });

  test("a device that changes with every read is answered nevertheless, and not kept", async () => {
    const { store, put, hold, waiting, reads } = aBench();
    put(phone, "0");
    hold("of-asking");
    const answer = versionOf(store);
    let round = 0;
    while (waiting.length > 0) {
      put(phone, String(++round));
      waiting.shift()?.();
      await setImmediate();
    }
    assert.equal(await answer, "2");
    const again = versionOf(store);
    assert.equal(reads(), 4);
    waiting.shift()?.();
    assert.equal(await again, "3");
  });

  test("a target that an alias leads to is watched before it is read", async () => {
    const { store, put, alias, hold, waiting } = aBench();
    alias(phone, other);
    put(other, "1");
    hold("of-asking");
    const answer = versionOf(store);
    waiting.shift()?.();
    await setImmediate();
    put(other, "2");
    for (let round = 0; round < 4; round++) {
      waiting.shift()?.();
      await setImmediate();
    }
    assert.equal(await answer, "2");
    assert.equal(await versionOf(store), "2");
  });

  test("a store that never answers is given up within 200 ms, and its late answer changes nothing", async () => {
    const { store, put, hold, waiting } = aBench();
    put(phone, "1");
    hold("of-asking");
    const began = performance.now();
    await assert.rejects(versionOf(store), StoreUnavailable);
    assert.ok(performance.now() - began < 200, `${performance.now() - began} ms`);
    put(phone, "2");
    const late = versionOf(store);
    for (let round = 0; round < 4; round++) {
      for (const go of waiting.splice(0)) go();
      await setImmediate();
    }
    assert.equal(await late, "2");
    assert.equal(await versionOf(store), "2");
  });

  test("a write that never answers is given up as well, and outdates what was read", async () => {
    const { store, hold } = aBench();
    hold("of-asking");
    const key = { device: phone, account };
    await assert.rejects(store.updateMailbox(key, { issue: ["5"] }), StoreUnavailable);
  });

  test("whatever the order of reads, changes and answers, what is kept is what stands in the store", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant("ask" as const) },
      { weight: 3, arbitrary: fc.constant("answer" as const) },
      { weight: 3, arbitrary: fc.constant("change" as const) },
      { weight: 1, arbitrary: fc.constant("own-write" as const) },
      { weight: 1, arbitrary: fc.constant("gap" as const) },
      { weight: 1, arbitrary: fc.constant("alias" as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.constantFrom("of-asking" as const, "of-answering" as const),
        async (steps, answersAre) => {
          const { store, put, alias, events, hold, waiting } = aBench();
          let version = 0;
          let newestTold = 0;
          const answers: Promise<void>[] = [];
          put(other, "0");
          alias(phone, other);
          hold(answersAre);
          for (const each of steps) {
            switch (each) {
              case "ask": {
                const atLeast = newestTold;
                answers.push(
                  versionOf(store).then((seen) => assert.ok(Number(seen) >= atLeast, `${seen} < ${atLeast}`)),
                );
                break;
              }
              case "answer":
                waiting.shift()?.();
                break;
              case "change":
                put(other, String(++version));
                newestTold = version;
                break;
              case "own-write":
                await store.writeFields(other, fields({ osVersion: String(++version) }));
                newestTold = version;
                break;
              case "gap":
                put(other, String(++version), false);
                events.everythingChanged();
                newestTold = version;
                break;
              case "alias":
                alias(phone, other);
            }
            if (each !== "ask") await setImmediate();
          }
          const last = versionOf(store);
          while (waiting.length > 0) {
            for (const go of waiting.splice(0)) go();
            await setImmediate();
          }
          await Promise.all(answers);
          assert.equal(await last, String(version));
          assert.equal(await versionOf(store), String(version));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
