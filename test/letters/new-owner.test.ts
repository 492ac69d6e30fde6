/** A phone that goes to somebody else while a campaign runs: the new owner is told from the beginning, and nobody twice. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { applying, inMode } from "../../src/campaign/ledger.ts";
import { deviceId } from "../support/records.ts";
import { aBench, author, hours, noon, tiktok, withApp, withoutApp } from "./bench.ts";

const alice = { owner: "alice", email: "alice@corp.example" };
const carol = { owner: "carol", email: "carol@corp.example" };

suite("a phone with a new owner", { concurrency: 2 }, () => {
  test("is announced to the new owner, in the same run and once", async (t) => {
    const { ledger, round, report, subjects } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, ...alice });
    assert.equal((await round(noon)).sent, 1);
    await report("A1", carol);
    assert.equal((await round(hours(1))).sent, 1);
    assert.equal((await round(hours(1))).sent, 0);
    assert.match(subjects().at(-1) ?? "", /^carol@corp\.example: Remove TikTok/);
    assert.equal((await round(hours(8))).sent, 1, "her reminder");
    assert.match(subjects().at(-1) ?? "", /^carol/);
    // In order: only whoever has it now is told so, and only because she was told before.
    await report("A1", withoutApp);
    assert.equal((await round(hours(9))).sent, 1);
    assert.match(subjects().at(-1) ?? "", /^carol@corp\.example: Your phone is in order/);
    assert.equal((await round(hours(10))).sent, 0);
    await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    assert.equal((await round(hours(11))).sent, 2, "both were told, and both are told that it was taken back");
    assert.equal((await round(hours(11))).sent, 0);
  });

  test("that comes back to the one before writes to nobody again", async (t) => {
    const { ledger, round, report, subjects } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, ...alice });
    await round(noon);
    for (let time = 0; time < 4; time += 1) {
      for (const owner of [carol, alice]) {
        await report("A1", owner);
        await round(hours(1));
      }
    }
    assert.deepEqual(
      subjects().map((subject) => subject.split("@")[0]),
      ["alice", "carol"],
    );
  });

  test("who was never told is not told that all is well", async (t) => {
    const { ledger, round, report } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, ...alice });
    await round(noon);
    await report("A1", { ...withoutApp, ...carol });
    assert.equal((await round(hours(1))).sent, 0);
  });

  for (const [title, change] of [
    ["another address of the same person", { owner: "alice", email: "alice.smith@corp.example" }],
    ["another spelling of the same person", { owner: "CORP\\alice", email: "alice@corp.example" }],
    ["another name behind the same address", { owner: "asmith", email: "alice@corp.example" }],
  ] as const) {
    test(`is none where there is only ${title}`, async (t) => {
      const { ledger, round, report } = await aBench(t);
      await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
      await report("A1", { ...withApp, ...alice });
      assert.equal((await round(noon)).sent, 1);
      await report("A1", change);
      assert.equal((await round(hours(1))).sent, 0);
    });
  }

  test("is announced to the new owner though the mailbox of the one before never took it", async (t) => {
    const { ledger, round, report, smtp, store, subjects } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, owner: "alice", email: "later@corp.example" });
    smtp.setBusy(true);
    for (let hour = 0; hour < 10; hour += 1) await round(hours(hour));
    await report("A1", carol);
    assert.equal((await round(hours(10))).sent, 1);
    assert.match(subjects().at(-1) ?? "", /^carol/);
    // And a letter of an earlier version, which does not say whose phone it was, counts by its address.
    const key = { campaign: "tiktok", run: 1, device: deviceId("B1"), kind: "announcement", number: 0 } as const;
    const earlier = { to: "bob@corp.example", person: "", state: "sent", at: noon, detail: "" } as const;
    await store.settleLetter({ ...key, ...earlier, attempt: 1 });
    await report("B1", { ...withApp, owner: "bob", email: "bob@corp.example" });
    assert.equal((await round(hours(10))).sent, 1, "the reminder alone");
  });

  test("is announced once where two nodes see the change at the same time", async (t) => {
    const { ledger, round, report, subjects, store } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, ...alice });
    await round(noon);
    await report("A1", carol);
    await Promise.all([round(hours(1)), round(hours(1), { ...store })]);
    assert.deepEqual(
      subjects().map((subject) => subject.split("@")[0]),
      ["alice", "carol"],
    );
  });
});
