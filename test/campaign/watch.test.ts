/** The guard while a campaign is in force, with several nodes on one Redis. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { keepPreview, readKeptPreview } from "../../src/campaign/kept-preview.ts";
import { applying, createLedger, inMode } from "../../src/campaign/ledger.ts";
import type { Ledger } from "../../src/campaign/ledger.ts";
import { openLivePolicy } from "../../src/campaign/live-policy.ts";
import type { LivePolicy } from "../../src/campaign/live-policy.ts";
import { previewChange } from "../../src/campaign/preview-change.ts";
import { createWatch, GUARD_NAME } from "../../src/campaign/watch.ts";
import type { CampaignWatch, Tripped } from "../../src/campaign/watch.ts";
import type { Policy } from "../../src/policy/campaign.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { aCampaign, aPolicy, deviceId } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

const author = { who: "bob", why: "the order of today" };
const campaign = (parts: Record<string, unknown> = {}) => ({
  id: "tiktok",
  title: "T",
  require: [{ absent: { name: "TikTok", ios: ["com.zhiliaoapp.musically"] } }],
  guard: { maxDevices: 20 },
  ...parts,
});

interface Node {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly livePolicy: LivePolicy;
  readonly watch: CampaignWatch;
  readonly tripped: Tripped[];
  readonly failures: unknown[];
  /** Counts so many phones of the campaign as cut, and looks. */
  cut(first: number, count: number): Promise<void>;
  mode(): string | undefined;
}

async function nodesOn(
  t: TestContext,
  count: number,
  configured: Policy = aPolicy({ campaigns: [] }),
): Promise<Node[]> {
  const prefix = `${randomUUID()}:`;
  return Promise.all(
    Array.from({ length: count }, async (): Promise<Node> => {
      const store = await openStore({ redis: { url: server.url, prefix, timeoutMs: 5_000 } });
      const ledger = createLedger({ store, stances: configured.stances, now: () => new Date() });
      const livePolicy = await openLivePolicy({ store, configured, report: () => {} });
      const tripped: Tripped[] = [];
      const failures: unknown[] = [];
      const watch = createWatch({
        livePolicy,
        ledger,
        store,
        onTripped: (each) => tripped.push(each),
        onFailure: (cause) => failures.push(cause),
      });
      t.after(async () => {
        watch.close();
        livePolicy.close();
        await store.close();
      });
      return {
        store,
        ledger,
        livePolicy,
        watch,
        tripped,
        failures,
        async cut(first, count): Promise<void> {
          const name = watch.countNameOf("tiktok");
          assert.ok(name !== undefined, "the campaign is watched");
          const subjects = Array.from({ length: count }, (_, index) => `PHONE${first + index}`);
          await store.addToTallies([{ name, subjects, decisions: count }]);
          await watch.check([name]);
        },
        mode: () => livePolicy.current()?.policy.campaigns.find(({ id }) => id === "tiktok")?.mode,
      };
    }),
  );
}

async function applied(nodes: readonly Node[], written: unknown): Promise<void> {
  const [first] = nodes;
  await first?.ledger.commit(applying({ campaigns: [written], exemptions: [] }), author);
  await watched(nodes);
}

async function watched(nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) await eventually(() => assert.notEqual(node.watch.countNameOf("tiktok"), undefined));
}

suite("the guard of a campaign in force", () => {
  test("pauses it on every node when two nodes together cut more than it allows, and one of them says so", async (t) => {
    const nodes = await nodesOn(t, 2);
    const [one, another] = nodes;
    assert.ok(one !== undefined && another !== undefined);
    await applied(nodes, campaign());
    await one.cut(0, 20);
    await another.cut(10, 10);
    assert.deepEqual([one.mode(), another.mode()], ["enforce", "enforce"]);
    await Promise.all([one.cut(30, 10), another.cut(40, 10)]);
    await eventually(() => assert.deepEqual([one.mode(), another.mode()], ["paused", "paused"]));
    const tripped = [...one.tripped, ...another.tripped];
    assert.equal(tripped.length, 1);
    assert.equal(tripped[0]?.limit, 20);
    const [newest, ...older] = await one.ledger.history(10);
    assert.deepEqual([newest?.act, newest?.about], ["pause", ["tiktok"]]);
    assert.ok(newest?.who.startsWith(`${GUARD_NAME} `));
    assert.match(newest?.why ?? "", /it has cut \d+ phones, and 20 were foreseen at most/);
    assert.equal(older.length, 1);
    assert.deepEqual([...one.failures, ...another.failures], []);
    assert.equal(one.watch.countNameOf("tiktok"), undefined);
  });

  test("goes by the preview where more was foreseen, and begins anew with each preview", async (t) => {
    const nodes = await nodesOn(t, 1);
    const [node] = nodes;
    assert.ok(node !== undefined);
    for (let index = 0; index < 40; index += 1) {
      await node.store.writeFields(deviceId(`P${index}`), {
        set: new Map([
          ["platform", "ios"],
          ["apps", "com.zhiliaoapp.musically"],
        ]),
        remove: [],
      });
    }
    const configured = aPolicy({ campaigns: [] });
    const apply = applying({ campaigns: [campaign()], exemptions: [] });
    const foresee = async (change: Parameters<typeof previewChange>[0]): Promise<void> => {
      const [preview] = await previewChange(change, {
        store: node.store,
        ledger: node.ledger,
        configured,
        now: new Date(),
      });
      assert.equal(preview?.cut, 40);
      await keepPreview(node.store, preview, "bob");
    };
    await foresee(apply);
    assert.equal((await readKeptPreview(node.store, "tiktok"))?.who, "bob");
    await node.ledger.commit(apply, author);
    await watched(nodes);
    await node.cut(0, 60);
    assert.equal(node.mode(), "enforce");
    await node.cut(60, 5);
    await eventually(() => assert.equal(node.mode(), "paused"));

    const resume = inMode("tiktok", "enforce", "resume");
    await foresee(resume);
    await node.ledger.commit(resume, author);
    await watched(nodes);
    await node.cut(0, 60);
    assert.equal(node.mode(), "enforce");
  });

  test("does not let go on by itself what was resumed without a look", async (t) => {
    const nodes = await nodesOn(t, 1);
    const [node] = nodes;
    assert.ok(node !== undefined);
    await applied(nodes, campaign());
    await node.cut(0, 21);
    await eventually(() => assert.equal(node.mode(), "paused"));
    await node.ledger.commit(inMode("tiktok", "enforce", "resume"), author);
    await watched(nodes);
    await node.cut(0, 1);
    await eventually(() => assert.equal(node.mode(), "paused"));
    assert.equal(node.tripped.length, 2);
  });

  test("leaves alone what it does not know, what looks on, and what somebody has just changed", async (t) => {
    const nodes = await nodesOn(t, 1);
    const [node] = nodes;
    assert.ok(node !== undefined);
    await node.ledger.commit(
      applying({
        campaigns: [campaign({ id: "free", guard: undefined }), campaign({ id: "shadow", mode: "shadow" })],
        exemptions: [],
      }),
      author,
    );
    await applied(nodes, campaign());
    assert.equal(node.watch.countNameOf("free"), undefined);
    assert.equal(node.watch.countNameOf("shadow"), undefined);
    const name = node.watch.countNameOf("tiktok") ?? "";
    const subjects = Array.from({ length: 30 }, (_, index) => `PHONE${index}`);
    await node.store.addToTallies([{ name, subjects, decisions: 30 }]);
    // Another policy, with the guard that somebody has thought about again.
    await node.ledger.commit(
      applying({ campaigns: [campaign({ guard: { maxDevices: 100 } })], exemptions: [] }),
      author,
    );
    await node.watch.check([name]);
    await eventually(() => assert.equal(node.livePolicy.current()?.policy.campaigns.at(-1)?.guard?.maxDevices, 100));
    await watched(nodes);
    await node.watch.check([name]);
    assert.equal(node.mode(), "enforce");
    assert.deepEqual([node.tripped, node.failures], [[], []]);
  });

  test("shouts once about a campaign of the configuration file, which nobody can pause", async (t) => {
    const inFile = aPolicy({ campaigns: [aCampaign({ guard: { maxShare: 1, maxDevices: 5 } })] });
    const nodes = await nodesOn(t, 1, inFile);
    const [node] = nodes;
    assert.ok(node !== undefined);
    await watched(nodes);
    await node.cut(0, 6);
    await node.cut(6, 1);
    assert.deepEqual(node.tripped, [{ campaign: "tiktok", cut: 6, limit: 5, paused: undefined }]);
    assert.equal(await node.store.readPolicy(), undefined);
  });
});

suite("a kept preview", () => {
  test("that cannot be read was never made", async (t) => {
    const [node] = await nodesOn(t, 1);
    assert.ok(node !== undefined);
    assert.equal(await readKeptPreview(node.store, "tiktok"), undefined);
    for (const text of [
      "",
      "[",
      "null",
      "7",
      "{}",
      '{"who":"bob","at":"now","fingerprint":"a","cut":-1,"newlyCut":0,"records":1}',
    ]) {
      await node.store.keepPreview("tiktok", text);
      assert.equal(await readKeptPreview(node.store, "tiktok"), undefined, text);
    }
  });
});
