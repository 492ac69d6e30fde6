/** What operators do to the policy: every act a version of its own, with who and why. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { isDeepStrictEqual } from "node:util";
import {
  applying,
  createLedger,
  endingExemption,
  excusing,
  inMode,
  PolicyRefused,
  removing,
  rollingBackTo,
} from "../../src/campaign/ledger.ts";
import type { Ledger, Proposal } from "../../src/campaign/ledger.ts";
import { openStore } from "../../src/store/open.ts";
import { PolicyUnreadable, StoreUnavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { ordinaryStances } from "../support/records.ts";

const now = new Date("2026-11-24T12:00:00Z");
const author = { who: "bob@corp.example", why: "the order of today" };
const tiktok = { id: "tiktok", title: "T", require: [{ enrolled: true }] };
const update = { id: "update", title: "U", require: [{ "not-compromised": true }] };
const excuse = { id: "ceo", who: { owner: "ceo" }, campaign: "tiktok", until: "2026-12-01", reason: "R", by: "bob" };

async function aLedger(t: TestContext): Promise<{ ledger: Ledger; store: Store }> {
  const store = await openStore({ embedded: { path: ":memory:" } });
  t.after(() => store.close());
  return { store, ledger: createLedger({ store, stances: ordinaryStances, now: () => now }) };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PolicyRefused) return error.code;
    throw error;
  }
  return "not refused";
}

suite("the ledger", () => {
  test("begins empty, and keeps who did what and why", async (t) => {
    const { ledger } = await aLedger(t);
    assert.equal((await ledger.read()).version, 0);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    assert.deepEqual(await ledger.history(10), [
      {
        version: 1,
        at: now,
        act: "apply",
        about: ["tiktok"],
        ...author,
        campaigns: [tiktok],
        exemptions: [],
        runs: { tiktok: 1 },
      },
    ]);
    assert.deepEqual(
      (await ledger.read()).policy.campaigns.map(({ id }) => id),
      ["tiktok"],
    );
  });

  test("replaces a campaign of the same id in its place, and leaves the others", async (t) => {
    const { ledger } = await aLedger(t);
    await ledger.commit(applying({ campaigns: [tiktok, update], exemptions: [excuse] }), author);
    await ledger.commit(applying({ campaigns: [{ ...tiktok, title: "New" }], exemptions: [] }), author);
    const { campaigns, exemptions } = (await ledger.read()).policy;
    assert.deepEqual(
      campaigns.map(({ id, title }) => [id, title]),
      [
        ["tiktok", "New"],
        ["update", "U"],
      ],
    );
    assert.equal(exemptions.length, 1);
  });

  test("retracts, and a campaign that is applied anew is in force anew", async (t) => {
    const { ledger } = await aLedger(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    const retracted = await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    assert.equal(retracted.act, "retract");
    assert.equal((await ledger.read()).policy.campaigns[0]?.mode, "retracted");
    assert.equal(await refusal(ledger.commit(inMode("tiktok", "retracted", "retract"), author)), "not-changed");
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    assert.equal((await ledger.read()).policy.campaigns[0]?.mode, "enforce");
  });

  test("excuses, and ends an excuse", async (t) => {
    const { ledger } = await aLedger(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await ledger.commit(excusing(excuse), author);
    assert.equal((await ledger.read()).policy.exemptions[0]?.id, "ceo");
    await ledger.commit(endingExemption("ceo"), author);
    assert.deepEqual((await ledger.read()).policy.exemptions, []);
    assert.equal(await refusal(ledger.commit(endingExemption("ceo"), author)), "unknown-exemption");
  });

  test("rolls everything back to an earlier version, as a new version", async (t) => {
    const { ledger } = await aLedger(t);
    const first = await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await ledger.commit(applying({ campaigns: [update], exemptions: [excuse] }), author);
    const back = await ledger.commit(rollingBackTo(first), author);
    assert.equal(back.version, 3);
    const { campaigns, exemptions } = (await ledger.read()).policy;
    assert.deepEqual(
      [campaigns.map(({ id, mode }) => `${id} ${mode}`), exemptions.length],
      [["tiktok enforce", "update retracted"], 0],
    );
  });

  test("numbers the runs of a campaign: a new one when it comes, or comes back after it was retracted", async (t) => {
    const { ledger } = await aLedger(t);
    const run = async (change: Parameters<Ledger["commit"]>[0]): Promise<number | undefined> =>
      (await ledger.commit(change, author)).runs["tiktok"];
    const first = applying({ campaigns: [tiktok], exemptions: [] });
    assert.equal(await run(applying({ campaigns: [update], exemptions: [] })), undefined);
    assert.equal(await run(first), 2);
    assert.equal(await run(inMode("tiktok", "paused", "pause")), 2);
    assert.equal(await run(inMode("tiktok", "enforce", "resume")), 2);
    assert.equal(await run(inMode("tiktok", "retracted", "retract")), 2, "those who were told in it are corrected");
    assert.equal(await run(inMode("tiktok", "enforce", "resume")), 6);
    assert.equal(await run(inMode("tiktok", "retracted", "retract")), 6);
    assert.equal(await run(removing("tiktok")), undefined);
    assert.equal(await run(first), 9);
    assert.equal(await run(rollingBackTo(await ledger.version(1))), 9);
    assert.equal(await run(rollingBackTo(await ledger.version(2))), 11);
  });

  test("takes a campaign out with its exemptions, once it does nothing any more", async (t) => {
    const { ledger } = await aLedger(t);
    await ledger.commit(applying({ campaigns: [tiktok, update], exemptions: [excuse] }), author);
    assert.equal(await refusal(ledger.commit(removing("tiktok"), author)), "in-force");
    assert.equal(await refusal(ledger.commit(removing("nothing"), author)), "unknown-campaign");
    await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    await ledger.commit(removing("tiktok"), author);
    const { campaigns, exemptions } = (await ledger.read()).policy;
    assert.deepEqual([campaigns.map(({ id }) => id), exemptions], [["update"], []]);
  });

  test("a help desk can break the glass where ten thousand exemptions are over", async (t) => {
    const { ledger, store } = await aLedger(t);
    const over = Array.from({ length: 10_000 }, (_, index) => ({ ...excuse, id: `x-${index}`, campaign: "all" }));
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: over }), author);
    const later = createLedger({ store, stances: ordinaryStances, now: () => new Date("2026-12-02T12:00:00Z") });
    const { exemptions } = await later.commit(excusing({ ...excuse, campaign: "all", until: "2027-01-01" }), author);
    assert.equal(exemptions.length, 1);
    assert.equal(await refusal(later.commit(excusing({ ...excuse, id: "late" }), author)), "not-changed", "it is over");
  });

  test("refuses what is larger than a version may be", async (t) => {
    const { ledger } = await aLedger(t);
    const reason = "long ".repeat(80).trim();
    const many = Array.from({ length: 9_000 }, (_, index) => ({
      ...excuse,
      id: `x-${index}`,
      campaign: "all",
      reason,
    }));
    assert.equal(await refusal(ledger.commit(applying({ campaigns: [], exemptions: many }), author)), "invalid");
  });

  test("writes what was approved, or says that it would be another change by now", async (t) => {
    const { ledger } = await aLedger(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    const change = applying({ campaigns: [{ ...tiktok, title: "New" }], exemptions: [] });
    const shown = await ledger.propose(change);
    const isShown = (proposal: Proposal): boolean => isDeepStrictEqual(proposal, shown);
    await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    assert.equal(await refusal(ledger.commit(change, author, isShown)), "busy");
    assert.equal((await ledger.read()).policy.campaigns[0]?.mode, "retracted");
  });

  test("an act whose connection broke after it was written is done, once", async (t) => {
    const { store } = await aLedger(t);
    let isBroken = true;
    const ledger = createLedger({
      store: {
        ...store,
        addPolicy: async (version) => {
          const isAdded = await store.addPolicy(version);
          if (isBroken) {
            isBroken = false;
            throw new StoreUnavailable(new Error("the connection was closed"));
          }
          return isAdded;
        },
      },
      stances: ordinaryStances,
      now: () => now,
    });
    const version = await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    assert.equal(version.version, 1);
    assert.equal((await ledger.history(10)).length, 1);
  });

  test("what is there already is told to every node again: the act before may have been interrupted", async (t) => {
    const { store, ledger } = await aLedger(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    let told = 0;
    store.onChange(({ kind }) => (told += kind === "policy" ? 1 : 0));
    assert.equal(await refusal(ledger.commit(inMode("tiktok", "retracted", "retract"), author)), "not-changed");
    assert.equal(told, 1);
    assert.equal((await ledger.history(10)).length, 2);
  });

  test("a version that cannot be read may be rolled back from, and nothing else", async (t) => {
    const { store, ledger } = await aLedger(t);
    const first = await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    const damaged = createLedger({
      store: { ...store, readPolicy: () => Promise.reject(new PolicyUnreadable(2, "is not valid JSON")) },
      stances: ordinaryStances,
      now: () => now,
    });
    await assert.rejects(damaged.commit(inMode("tiktok", "retracted", "retract"), author), PolicyUnreadable);
    assert.equal((await damaged.commit(rollingBackTo(first), author)).version, 3);
    assert.equal((await store.readPolicy())?.version, 3);
  });

  test("refuses what could not be read back, what is there already, and what nobody knows; and writes nothing", async (t) => {
    const { ledger, store } = await aLedger(t);
    const broken = { id: "tiktok", title: "", require: [] };
    assert.equal(await refusal(ledger.commit(applying({ campaigns: [broken], exemptions: [] }), author)), "invalid");
    assert.equal(await refusal(ledger.commit(excusing(excuse), author)), "invalid");
    assert.equal(await refusal(ledger.commit(inMode("tiktok", "paused", "pause"), author)), "unknown-campaign");
    assert.equal(await store.readPolicy(), undefined);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    assert.equal(
      await refusal(ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author)),
      "not-changed",
    );
    assert.equal((await store.readPolicy())?.version, 1);
  });

  test("loses no act of two operators who act at once", async (t) => {
    const { ledger } = await aLedger(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await Promise.all(
      ["a", "b", "c"].map((id) => ledger.commit(excusing({ ...excuse, id, who: { owner: id } }), author)),
    );
    const { policy, version } = await ledger.read();
    assert.equal(version, 4);
    assert.deepEqual(policy.exemptions.map(({ id }) => id).toSorted(), ["a", "b", "c"]);
  });
});
