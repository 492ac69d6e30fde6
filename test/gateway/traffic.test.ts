/** What is written down of what passes: which phones, and what each campaign did to them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createTraffic } from "../../src/gateway/traffic.ts";
import type { Seen, Traffic, TrafficOptions } from "../../src/gateway/traffic.ts";
import type { Policy } from "../../src/policy/campaign.ts";
import type { DeviceRecord } from "../../src/policy/device.ts";
import { judge } from "../../src/policy/judge.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Sighting, Store } from "../../src/store/store.ts";
import { aCampaign, aPolicy, aRecord, deviceId, ordinaryStances, tiktok } from "../support/records.ts";

interface Bench {
  readonly traffic: Traffic;
  readonly store: Store;
  readonly counted: string[];
  readonly failures: unknown[];
  readonly later: (minutes: number) => void;
  readonly sightings: () => Promise<Sighting[]>;
  readonly tally: (name: string) => Promise<unknown>;
}

async function aBench(t: TestContext, own: Partial<TrafficOptions["store"]> = {}): Promise<Bench> {
  let time = new Date("2026-11-20T12:00:00Z");
  const store = await openStore({ embedded: { path: ":memory:" } }, { now: () => time });
  const counted: string[] = [];
  const failures: unknown[] = [];
  const traffic = createTraffic({
    store: { noteSightings: store.noteSightings, addToTallies: store.addToTallies, ...own },
    namesOf: (campaign, effect, isShadow) => [`${campaign} ${isShadow ? "would be" : "was"} ${effect}`],
    onCounted: async (names) => {
      counted.push(...names);
    },
    onFailure: (cause) => failures.push(cause),
    now: () => time,
  });
  t.after(async () => {
    await traffic.stop();
    await store.close();
  });
  return {
    traffic,
    store,
    counted,
    failures,
    later: (minutes) => (time = new Date(time.getTime() + minutes * 60_000)),
    sightings: async () => Array.fromAsync(store.sightings(new Date(0))),
    tally: async (name) => (await store.readTallies([name]))[0],
  };
}

function seen(
  id: string,
  record: Partial<DeviceRecord> | undefined,
  policy: Partial<Policy> = {},
  account = "alice",
): Seen {
  const facts = {
    record: record === undefined ? undefined : aRecord({ id: deviceId(id), ...record }),
    person: { account, domain: undefined },
    lastKnown: undefined,
  };
  return { id: deviceId(id), account, verdict: judge(facts, aPolicy(policy), new Date("2026-11-20T12:00:00Z")) };
}

suite("what passes", () => {
  test("is noted with its time, a phone that asks all the time once in five minutes", async (t) => {
    const { traffic, sightings, later } = await aBench(t);
    for (let round = 0; round < 50; round += 1) traffic.note(seen("A", {}));
    await traffic.flush();
    later(4);
    traffic.note(seen("A", {}));
    traffic.note(seen("B", undefined, {}, "eve"));
    await traffic.flush();
    assert.deepEqual(
      (await sightings()).map(({ id, account, at }) => `${id} ${account} ${at.toISOString().slice(14, 16)}`).toSorted(),
      ["A alice 00", "B eve 04"],
    );
    later(1);
    traffic.note(seen("A", {}));
    await traffic.flush();
    assert.equal(
      (await sightings())
        .find(({ id }) => id === "A")
        ?.at.toISOString()
        .slice(14, 16),
      "05",
    );
  });

  test("counts each phone once under what a campaign did to it, and every decision", async (t) => {
    const { traffic, tally, counted } = await aBench(t);
    for (let round = 0; round < 3; round += 1) {
      traffic.note(seen("A", { apps: [tiktok] }));
      traffic.note(seen("B", { apps: [tiktok] }));
      traffic.note(seen("C", { apps: [] }));
      await traffic.flush();
    }
    assert.deepEqual(await tally("tiktok was cut"), { subjects: 2, decisions: 6 });
    assert.deepEqual(await tally("tiktok was clean"), { subjects: 1, decisions: 3 });
    assert.deepEqual([...new Set(counted)].toSorted(), ["tiktok was clean", "tiktok was cut"]);
  });

  test("counts apart what a campaign that only looks on would have done", async (t) => {
    const { traffic, tally } = await aBench(t);
    const policy = { campaigns: [aCampaign({ mode: "shadow" })] };
    traffic.note(seen("A", { apps: [tiktok] }, policy));
    await traffic.flush();
    assert.deepEqual(await tally("tiktok would be cut"), { subjects: 1, decisions: 1 });
    assert.deepEqual(await tally("tiktok was cut"), { subjects: 0, decisions: 0 });
  });

  test("does not hold against a campaign what is held anyway", async (t) => {
    const { traffic, tally } = await aBench(t);
    traffic.note(seen("A", { apps: [tiktok], compliance: "noncompliant" }));
    traffic.note(seen("B", undefined));
    await traffic.flush();
    assert.deepEqual(await tally("tiktok was cut"), { subjects: 0, decisions: 0 });
    assert.deepEqual(await tally("tiktok was held"), { subjects: 2, decisions: 2 });
  });

  test("lets nobody pause a campaign with invented phones: a stranger counts by the person", async (t) => {
    const { traffic, tally, sightings } = await aBench(t);
    const policy = { stances: { ...ordinaryStances, notEnrolled: "allow" } } as const;
    for (let index = 0; index < 500; index += 1) traffic.note(seen(`FAKE${index}`, undefined, policy, "mallory"));
    traffic.note(seen("A", undefined, policy, "alice"));
    await traffic.flush();
    assert.deepEqual(await tally("tiktok was cut"), { subjects: 2, decisions: 501 });
    assert.equal((await sightings()).length, 21);
  });

  test("is lost while the store is away, without growing, and noted again when it is back", async (t) => {
    let isAway = true;
    const notes: number[] = [];
    const { traffic, failures } = await aBench(t, {
      noteSightings(list): Promise<void> {
        if (isAway) return Promise.reject(new StoreUnavailable(new Error("away")));
        notes.push(list.length);
        return Promise.resolve();
      },
    });
    traffic.note(seen("A", {}));
    await traffic.flush();
    assert.equal(failures.length, 1);
    isAway = false;
    await traffic.flush();
    traffic.note(seen("A", {}));
    await traffic.flush();
    assert.deepEqual(notes, [0, 1]);
  });

  test("is written to the last when the gate stops", async (t) => {
    const { traffic, sightings } = await aBench(t);
    traffic.note(seen("A", {}));
    await traffic.stop();
    assert.equal((await sightings()).length, 1);
  });
});
