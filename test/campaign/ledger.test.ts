/** What operators do to the policy: every act a version of its own, with who and why. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import {
  applying,
  createLedger,
  endingExemption,
  excusing,
  inMode,
  PolicyRefused,
  rollingBackTo,
} from "../../src/campaign/ledger.ts";
import type { Ledger } from "../../src/campaign/ledger.ts";
import { openStore } from "../../src/store/open.ts";
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
      { version: 1, at: now, act: "apply", about: ["tiktok"], ...author, campaigns: [tiktok], exemptions: [] },
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
    assert.deepEqual([campaigns.map(({ id }) => id), exemptions.length], [["tiktok"], 0]);
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
