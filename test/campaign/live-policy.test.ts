/** Which policy is in force on a node, and when another one comes. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openLivePolicy } from "../../src/campaign/live-policy.ts";
import type { LivePolicy, LivePolicyEvent } from "../../src/campaign/live-policy.ts";
import type { Policy } from "../../src/policy/campaign.ts";
import { openStore } from "../../src/store/open.ts";
import { PolicyUnreadable, StoreUnavailable } from "../../src/store/store.ts";
import type { PolicyVersion, Store } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { aCampaign, aPolicy } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";

const tiktok = {
  id: "tiktok",
  title: "T",
  require: [{ absent: { name: "TikTok", ios: ["com.zhiliaoapp.musically"] } }],
};

function aVersion(version: number, campaigns: readonly unknown[] = [tiktok]): PolicyVersion {
  return {
    version,
    at: new Date(0),
    act: "apply",
    about: [],
    who: "bob",
    why: "test",
    campaigns,
    exemptions: [],
    runs: {},
  };
}

interface Bench {
  readonly store: Store;
  readonly events: LivePolicyEvent[];
  readonly open: (
    configured?: Policy,
    store?: Partial<Store>,
    own?: Partial<Parameters<typeof openLivePolicy>[0]>,
  ) => Promise<LivePolicy>;
}

async function aBench(t: TestContext): Promise<Bench> {
  const store = await openStore({ embedded: { path: ":memory:" } });
  t.after(() => store.close());
  const events: LivePolicyEvent[] = [];
  return {
    store,
    events,
    async open(configured = aPolicy({ campaigns: [] }), own = {}, options = {}): Promise<LivePolicy> {
      const live = await openLivePolicy({
        store: { ...store, ...own },
        configured,
        report: (event) => events.push(event),
        ...options,
      });
      t.after(() => live.close());
      return live;
    },
  };
}

const idsOf = (live: LivePolicy): string[] | undefined => live.current()?.policy.campaigns.map(({ id }) => id);

suite("the policy in force", () => {
  test("is empty where nobody has written one, and the store's as soon as it is there", async (t) => {
    const { store, open, events } = await aBench(t);
    const live = await open();
    assert.deepEqual(idsOf(live), []);
    let changes = 0;
    live.onChange(() => (changes += 1));
    await store.addPolicy(aVersion(1));
    await eventually(() => assert.deepEqual(idsOf(live), ["tiktok"]), 2_000);
    assert.equal(live.current()?.version, 1);
    assert.equal(changes, 1);
    assert.deepEqual(events, [
      { kind: "in-force", version: undefined },
      { kind: "in-force", version: 1 },
    ]);
  });

  test("is that of the configuration file where it has campaigns, and the store's is said to be ignored", async (t) => {
    const { store, open, events } = await aBench(t);
    await store.addPolicy(aVersion(1));
    const live = await open(aPolicy({ campaigns: [aCampaign({ id: "from-file" })] }));
    assert.deepEqual(idsOf(live), ["from-file"]);
    assert.deepEqual(events, [{ kind: "ignored", version: 1 }]);
  });

  test("stays what it was where a version cannot be read, and says so once", async (t) => {
    const { store, open, events } = await aBench(t);
    await store.addPolicy(aVersion(1));
    const live = await open();
    await store.addPolicy(aVersion(2, [{ id: "from-another-time", ask: "something" }]));
    await eventually(() => assert.equal(events.at(-1)?.kind, "unreadable"), 2_000);
    assert.equal(live.current()?.version, 1);
    await store.addPolicy(aVersion(3, []));
    await eventually(() => assert.equal(live.current()?.version, 3), 2_000);
    assert.equal(events.filter(({ kind }) => kind === "unreadable").length, 1);
  });

  test("is not known while the store is away, and asked for until it is", async (t) => {
    const { store, open } = await aBench(t);
    await store.addPolicy(aVersion(1));
    let isAway = true;
    const live = await open(undefined, {
      readPolicy: () => (isAway ? Promise.reject(new StoreUnavailable(new Error("away"))) : store.readPolicy()),
    });
    assert.equal(live.current(), undefined);
    isAway = false;
    await eventually(() => assert.deepEqual(idsOf(live), ["tiktok"]), 5_000);
  });

  test("is asked for again where one question failed, however well the store is", async (t) => {
    const { store, open } = await aBench(t);
    await store.addPolicy(aVersion(1));
    let failures = 0;
    const live = await open(undefined, {
      readPolicy: () => {
        if (failures === 0) return store.readPolicy();
        failures -= 1;
        return Promise.reject(new StoreUnavailable(new Error("the connection was closed")));
      },
    });
    assert.equal(live.current()?.version, 1);
    failures = 1;
    await store.addPolicy(aVersion(2, []));
    await eventually(() => assert.equal(live.current()?.version, 2), 10_000);
    assert.equal(store.health().state, "live");
  });

  test("is found now and then, though nobody tells of it", async (t) => {
    const { store, open } = await aBench(t);
    const live = await open(undefined, { onChange: () => () => {} }, { times: { askAgainMs: 20, askAnywayMs: 100 } });
    await store.addPolicy(aVersion(1));
    await eventually(() => assert.equal(live.current()?.version, 1), 10_000);
  });

  test("is said to be in doubt where nobody can read it for long, and to be well again", async (t) => {
    const { store, open, events } = await aBench(t);
    await store.addPolicy(aVersion(1));
    let isAway = false;
    const live = await open(
      undefined,
      { readPolicy: () => (isAway ? Promise.reject(new StoreUnavailable(new Error("away"))) : store.readPolicy()) },
      { times: { askAgainMs: 20, unansweredMs: 60, askAnywayMs: 20 } },
    );
    isAway = true;
    await eventually(() => assert.equal(events.at(-1)?.kind, "unanswered"), 10_000);
    assert.match(live.problem() ?? "", /could not be read/);
    assert.equal(live.current()?.version, 1);
    isAway = false;
    await eventually(() => assert.equal(events.at(-1)?.kind, "answered"), 10_000);
    assert.equal(live.problem(), undefined);
    assert.equal(events.filter(({ kind }) => kind === "unanswered").length, 1);
  });

  test("stays in force where the store has lost it, loudly, until an operator acts", async (t) => {
    const { open, events } = await aBench(t);
    const day = (date: number): Date => new Date(Date.UTC(2026, 10, date));
    let stored: PolicyVersion | undefined = { ...aVersion(8), at: day(8) };
    const live = await open(
      undefined,
      { readPolicy: async () => stored },
      { times: { askAgainMs: 10, askAnywayMs: 10 }, now: () => day(20) },
    );
    for (const found of [{ ...aVersion(5, []), at: day(5) }, undefined]) {
      stored = found;
      await eventually(
        () => assert.deepEqual(events.at(-1), { kind: "lost", version: 8, found: found?.version }),
        10_000,
      );
      assert.deepEqual([live.current()?.version, idsOf(live)], [8, ["tiktok"]]);
      assert.match(live.problem() ?? "", /has lost version 8/);
    }
    stored = { ...aVersion(1, [{ ...tiktok, mode: "retracted" }]), at: day(21) };
    await eventually(() => assert.equal(live.current()?.version, 1), 10_000);
    assert.equal(live.current()?.policy.campaigns[0]?.mode, "retracted");
    assert.equal(live.problem(), undefined);
    assert.equal(events.filter(({ kind }) => kind === "lost").length, 2);
  });

  test("an act counts after a loss, even where the clock of the author before was ahead", async (t) => {
    const { open } = await aBench(t);
    const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 20, 12, minute));
    let stored: PolicyVersion | undefined = { ...aVersion(8), at: at(30) };
    const live = await open(
      undefined,
      { readPolicy: async () => stored },
      { times: { askAgainMs: 10, askAnywayMs: 10 }, now: () => at(0) },
    );
    stored = { ...aVersion(1, []), at: at(5) };
    await eventually(() => assert.equal(live.current()?.version, 1), 10_000);
    assert.deepEqual(idsOf(live), []);
  });

  test("is the newer content where a store that took over has another version of the same number", async (t) => {
    const { open, events } = await aBench(t);
    let stored = aVersion(6);
    const live = await open(
      undefined,
      { readPolicy: async () => stored },
      { times: { askAgainMs: 10, askAnywayMs: 10 } },
    );
    stored = aVersion(6, [{ ...tiktok, mode: "retracted" }]);
    await eventually(() => assert.equal(live.current()?.policy.campaigns[0]?.mode, "retracted"), 10_000);
    assert.deepEqual(events.slice(1), [
      { kind: "replaced", version: 6 },
      { kind: "in-force", version: 6 },
    ]);
  });

  test("stays what it was where the newest version is no policy at all, and the store is not said to be away", async (t) => {
    const { store, open, events } = await aBench(t);
    await store.addPolicy(aVersion(1));
    const live = await open(undefined, {
      readPolicy: async () => {
        if ((await store.readPolicy())?.version === 1) return store.readPolicy();
        throw new PolicyUnreadable(2, "is not valid JSON");
      },
    });
    await store.addPolicy(aVersion(2, []));
    await eventually(() => assert.equal(events.at(-1)?.kind, "unreadable"), 10_000);
    assert.equal(live.current()?.version, 1);
    assert.match(live.problem() ?? "", /version 2 of the policy cannot be read/);
  });
});

test("a retract is in force on a gate whose connection the server had closed while it was idle", async (t) => {
  const redis = await startRedis("--timeout", "1");
  t.after(() => redis.stop());
  const open = async (): Promise<Store> => {
    const store = await openStore({ redis: { url: redis.url, timeoutMs: 5_000 } });
    t.after(() => store.close());
    return store;
  };
  const [gate, operator] = [await open(), await open()];
  await operator.addPolicy(aVersion(1));
  const live = await openLivePolicy({ store: gate, configured: aPolicy({ campaigns: [] }), report: () => {} });
  t.after(() => live.close());
  assert.equal(live.current()?.version, 1);
  await eventually(async () => assert.doesNotMatch(await redis.cli("CLIENT", "LIST"), /name=postern-work/), 20_000);
  // An operator who dies behind the first of two writes.
  const retracted = aVersion(2, [{ ...tiktok, mode: "retracted" }]);
  await redis.cli("HSET", "postern:policy:history", "2", JSON.stringify(retracted));
  await eventually(() => assert.equal(live.current()?.policy.campaigns[0]?.mode, "retracted"), 5_000);
});
