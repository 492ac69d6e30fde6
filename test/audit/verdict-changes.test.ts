/** Changes of verdicts in the trail: each once, whoever sees it, and no cost where nothing has changed. */
import assert from "node:assert/strict";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createAudit } from "../../src/audit/audit.ts";
import { GATE_BUSY_TIMEOUT_MS, openJournal } from "../../src/audit/journal.ts";
import { createVerdictChanges } from "../../src/audit/verdict-changes.ts";
import type { Judged, VerdictChanges } from "../../src/audit/verdict-changes.ts";
import { auditOldestFirst } from "../../src/audit/listing.ts";
import type { Verdict } from "../../src/policy/verdict.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { deviceId } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { aMachine, chain } from "./bench.ts";

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

const phone = deviceId("ABC123");
let clock = Date.UTC(2026, 10, 20);

function verdict(
  word: "allow" | "warn" | "quarantine" | "block",
  reason: Verdict["reason"],
  campaign?: string,
): Verdict {
  const action = word === "warn" ? "allow" : word;
  const demands: Verdict["demands"] = word === "warn" ? [{ kind: "not-enrolled" }] : [];
  return {
    action,
    reason,
    state: "compliant",
    findings: [],
    demands,
    changesAt: undefined,
    rulings: [{ action: word, state: "compliant", reason, campaign }],
  };
}

const flows = verdict("allow", "compliant");
const held = verdict("quarantine", "app-present", "tiktok");

function judged(of: Verdict, more: Partial<Judged> = {}): Judged {
  clock += 1_000;
  return { id: phone, account: "alice", whose: "owner", verdict: of, decidedAt: new Date(clock), ...more };
}

interface Node extends VerdictChanges {
  readonly store: Store;
  /** Calls of the store, as far as they are about verdicts. */
  readonly calls: () => number;
  readonly failures: unknown[];
}

async function aNode(t: TestContext, around: (store: Store) => Partial<Store> = () => ({})): Promise<Node> {
  const opened = await openStore({ redis: { url: redis.url, timeoutMs: 5_000 } });
  t.after(() => opened.close());
  let calls = 0;
  const store: Store = {
    ...opened,
    readDocuments: (keys) => {
      calls += 1;
      return opened.readDocuments(keys);
    },
    ...around(opened),
  };
  const failures: unknown[] = [];
  const { audit } = aMachine(t, store);
  const changes = createVerdictChanges({ store, audit, onFailure: (cause) => failures.push(cause) });
  t.after(() => changes.stop());
  return { ...changes, store, calls: () => calls, failures };
}

async function told(store: Store): Promise<string[]> {
  const found: string[] = [];
  for await (const { entry } of auditOldestFirst(store, chain, {})) {
    const { kind, device, before: was, after: is, why, about } = entry;
    if (kind === "verdict")
      found.push(
        [device, was["verdict"] ?? "?", "→", is["verdict"], why, ...about, is["askedBy"] ?? ""].join(" ").trim(),
      );
    else found.push(`${kind} ${is["changes"] ?? ""}`);
  }
  return found;
}

async function fresh(): Promise<void> {
  await redis.cli("FLUSHALL");
}

suite("changes of verdicts", () => {
  test("are told from one to the next, with reason and campaign; that mail flows at first is none", async (t) => {
    await fresh();
    const node = await aNode(t);
    const steps = [
      flows,
      verdict("allow", "stale"),
      verdict("warn", "in-grace", "tiktok"),
      held,
      held,
      verdict("quarantine", "os-outdated", "update"),
      verdict("block", "override-block"),
      flows,
    ];
    for (const step of steps) {
      node.note(judged(step));
      await node.flush();
    }
    assert.deepEqual(await told(node.store), [
      "ABC123 allow → warn in-grace tiktok",
      "ABC123 warn → quarantine app-present tiktok",
      "ABC123 quarantine → quarantine os-outdated update",
      "ABC123 quarantine → block override-block",
      "ABC123 block → allow compliant",
    ]);
  });

  test("that come within one batch are told one by one, in their order", async (t) => {
    await fresh();
    const node = await aNode(t);
    for (const step of [held, flows, held]) node.note(judged(step));
    await node.flush();
    assert.deepEqual(await told(node.store), [
      "ABC123 ? → quarantine app-present tiktok",
      "ABC123 quarantine → allow compliant",
      "ABC123 allow → quarantine app-present tiktok",
    ]);
  });

  test("are told once by two nodes that see the same, and none is missed by one that saw another before", async (t) => {
    await fresh();
    const [one, other] = [await aNode(t), await aNode(t)];
    for (const step of [held, flows, held, flows]) {
      one.note(judged(step));
      other.note(judged(step));
      await Promise.all([one.flush(), other.flush()]);
    }
    const expected = [
      "ABC123 ? → quarantine app-present tiktok",
      "ABC123 quarantine → allow compliant",
      "ABC123 allow → quarantine app-present tiktok",
      "ABC123 quarantine → allow compliant",
    ];
    assert.deepEqual(await told(one.store), expected);
    // One node sees the phone held, the other sees it released; then the first sees it held again.
    one.note(judged(held));
    await one.flush();
    other.note(judged(flows));
    await other.flush();
    await eventually(async () => {
      one.note(judged(held));
      await one.flush();
      assert.equal((await told(one.store)).length, 7);
    });
    assert.deepEqual((await told(one.store)).slice(4), [
      "ABC123 allow → quarantine app-present tiktok",
      "ABC123 quarantine → allow compliant",
      "ABC123 allow → quarantine app-present tiktok",
    ]);
  });

  test("cost the store nothing while nothing changes", async (t) => {
    await fresh();
    const node = await aNode(t);
    node.note(judged(flows));
    await node.flush();
    // Its own write is told to it too, and makes it look once more.
    await eventually(async () => {
      const before = node.calls();
      node.note(judged(flows));
      await node.flush();
      assert.equal(node.calls(), before);
    });
    const before = node.calls();
    for (let index = 0; index < 1_000; index += 1)
      node.note(judged(index % 2 === 0 ? flows : verdict("allow", "stale")));
    await node.flush();
    assert.equal(node.calls(), before);
  });

  test("are not told by an answer that was decided long ago and ends only now", async (t) => {
    await fresh();
    const node = await aNode(t);
    const ping = judged(flows);
    node.note(judged(held));
    node.note(ping);
    await node.flush();
    const other = await aNode(t);
    other.note(ping);
    await other.flush();
    other.note(judged(held));
    await other.flush();
    assert.deepEqual(await told(node.store), ["ABC123 ? → quarantine app-present tiktok"]);
    other.note(judged(flows));
    await other.flush();
    assert.equal((await told(node.store)).length, 2);
  });

  test("of somebody else with the same id are their own", async (t) => {
    await fresh();
    const node = await aNode(t);
    const mismatch = verdict("quarantine", "owner-mismatch");
    for (let round = 0; round < 3; round += 1) {
      node.note(judged(flows));
      node.note(judged(mismatch, { account: "mallory", whose: "somebody-else" }));
      await node.flush();
    }
    assert.deepEqual(await told(node.store), ["ABC123 ? → quarantine owner-mismatch mallory"]);
  });

  test("are none while the store is away", async (t) => {
    await fresh();
    const node = await aNode(t);
    node.note(judged(held));
    node.note(judged({ ...flows, reason: "last-known" }));
    node.note(judged({ ...flows, action: "defer", reason: "store-unavailable" }));
    await node.flush();
    assert.deepEqual(await told(node.store), ["ABC123 ? → quarantine app-present tiktok"]);
  });

  test("wait for a store that does not answer, and one whose answer was lost is told once", async (t) => {
    await fresh();
    let mode: "well" | "away" | "answer lost" = "away";
    const silence = (): Promise<never> => Promise.reject(new StoreUnavailable(new Error("silence")));
    const node = await aNode(t, (store) => ({
      transact: async (keys, decide) => {
        if (mode === "away") return silence();
        const result = await store.transact(keys, decide);
        return mode === "answer lost" && keys.some(({ kind }) => kind === "verdict") ? silence() : result;
      },
    }));
    node.note(judged(held));
    node.note(judged(flows));
    await node.flush();
    assert.deepEqual([await told(node.store), node.failures.length], [[], 1]);
    mode = "answer lost";
    await node.flush();
    assert.deepEqual(await told(node.store), []);
    mode = "well";
    await node.flush();
    assert.deepEqual(await told(node.store), [
      "ABC123 ? → quarantine app-present tiktok",
      "ABC123 quarantine → allow compliant",
    ]);
  });

  test("wait for a journal that another program holds, and are told once then", async (t) => {
    await fresh();
    const store = await openStore({ redis: { url: redis.url, timeoutMs: 5_000 } });
    t.after(() => store.close());
    const { audit, folder } = aMachine(t, store);
    const mine = openJournal(folder, GATE_BUSY_TIMEOUT_MS);
    t.after(() => mine.close());
    const failures: unknown[] = [];
    const changes = createVerdictChanges({
      store,
      audit: createAudit({ store, journal: mine, chain, now: () => new Date() }),
      onFailure: (cause) => failures.push(cause),
    });
    t.after(() => changes.stop());
    const holder = new DatabaseSync(path.join(folder, "journal.db"));
    t.after(() => holder.close());
    holder.exec("BEGIN IMMEDIATE");
    changes.note(judged(held));
    await changes.flush();
    assert.deepEqual([await told(store), failures.length], [[], 1]);
    holder.exec("ROLLBACK");
    await changes.flush();
    await changes.flush();
    assert.deepEqual(await told(store), ["ABC123 ? → quarantine app-present tiktok"]);
    await audit.sync();
    assert.equal((await told(store)).length, 1);
  });

  test("beyond 50 000 that wait are counted, and the count is in the trail", async (t) => {
    await fresh();
    const node = await aNode(t, () => ({
      readDocuments: async (keys) => keys.map(() => undefined),
      // Somebody has known better about each of them: only the count is looked at here.
      transact: async (keys, decide) =>
        decide(
          keys.map(
            () =>
              new Map([
                ["verdict", "allow"],
                ["at", "8000000000000000"],
              ]),
          ),
        ).result,
    }));
    for (let index = 0; index < 50_003; index += 1) node.note(judged(held, { id: deviceId(`D${index}`) }));
    await node.flush();
    assert.deepEqual(await told(node.store), ["verdicts-lost 3"]);
  });
});
