/** Which policy is in force on a node, and when another one comes. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openLivePolicy } from "../../src/campaign/live-policy.ts";
import type { LivePolicy, LivePolicyEvent } from "../../src/campaign/live-policy.ts";
import type { Policy } from "../../src/policy/campaign.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { PolicyVersion, Store } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { aCampaign, aPolicy } from "../support/records.ts";

const tiktok = {
  id: "tiktok",
  title: "T",
  require: [{ absent: { name: "TikTok", ios: ["com.zhiliaoapp.musically"] } }],
};

function aVersion(version: number, campaigns: readonly unknown[] = [tiktok]): PolicyVersion {
  return { version, at: new Date(0), act: "apply", about: [], who: "bob", why: "test", campaigns, exemptions: [] };
}

interface Bench {
  readonly store: Store;
  readonly events: LivePolicyEvent[];
  readonly open: (configured?: Policy, store?: Partial<Store>) => Promise<LivePolicy>;
}

async function aBench(t: TestContext): Promise<Bench> {
  const store = await openStore({ embedded: { path: ":memory:" } });
  t.after(() => store.close());
  const events: LivePolicyEvent[] = [];
  return {
    store,
    events,
    async open(configured = aPolicy({ campaigns: [] }), own = {}): Promise<LivePolicy> {
      const live = await openLivePolicy({
        store: { ...store, ...own },
        configured,
        report: (event) => events.push(event),
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
});
