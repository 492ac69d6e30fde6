/** A mail server that is away, or full, for a while: no letter is lost by it, and none is sent twice. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { applying, inMode } from "../../src/campaign/ledger.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { aBench, author, hours, noon, tiktok, withApp, withoutApp } from "./bench.ts";

const minutes = (count: number): Date => new Date(noon.getTime() + count * 60_000);
const ROUND_MINUTES = 5;

suite("an outage of the mail server", { concurrency: 2 }, () => {
  test("of an hour costs nobody a letter, though a round is made every five minutes", async (t) => {
    const { ledger, round, report, smtp, store } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    for (const id of ["A1", "B1", "C1", "D1", "E1"])
      await report(id, { ...withApp, email: `${id.toLowerCase()}@corp.example` });
    await smtp.stop();
    for (let minute = 0; minute < 60; minute += ROUND_MINUTES)
      assert.equal((await round(minutes(minute))).sent, 0, `after ${minute} minutes`);
    const states = new Set<string>();
    for await (const letter of store.letters("tiktok", 1)) states.add(letter.state);
    assert.deepEqual([...states], ["waiting"]);
    await smtp.start();
    assert.equal((await round(minutes(60))).sent, 5);
    assert.equal((await round(minutes(65))).sent, 0);
    assert.equal(new Set(smtp.messages().map(({ to }) => to)).size, 5);
    assert.equal(smtp.messages().length, 5);
  });

  test("that lets us in and has room for nothing is outlived for seven hours, with longer and longer pauses", async (t) => {
    const { ledger, round, report, smtp, store } = await aBench(t);
    await ledger.commit(applying({ campaigns: [{ ...tiktok, remind: [] }], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "later@corp.example" });
    smtp.setBusy(true);
    const triedAt: number[] = [];
    for (let minute = 0; minute < 600; minute += ROUND_MINUTES) {
      const { postponed } = await round(minutes(minute));
      if (postponed > 0) triedAt.push(minute);
    }
    assert.deepEqual(triedAt, [0, 10, 40, 130, 400]);
    smtp.setBusy(false);
    assert.equal((await round(hours(10.5))).sent, 0, "five answers are enough");
    const states: string[] = [];
    for await (const letter of store.letters("tiktok", 1)) states.push(`${letter.attempt} ${letter.state}`);
    assert.deepEqual(states.toSorted(), ["1 postponed", "2 postponed", "3 postponed", "4 postponed", "5 postponed"]);
  });

  test("between two refusals does not count as one", async (t) => {
    const { ledger, round, report, smtp } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "later@corp.example" });
    smtp.setBusy(true);
    assert.equal((await round(minutes(0))).postponed, 1);
    await smtp.stop();
    for (let minute = 10; minute < 60; minute += ROUND_MINUTES) await round(minutes(minute));
    await smtp.start();
    for (const minute of [60, 100, 200]) assert.equal((await round(minutes(minute))).postponed, 1, `minute ${minute}`);
    smtp.setBusy(false);
    assert.equal((await round(minutes(600))).sent, 1, "the fifth answer is a yes");
    assert.equal(smtp.messages().length, 1);
  });
});

test("a letter whose envelope could not be noted waits, and goes out once", async (t) => {
  const { ledger, round, report, store, smtp } = await aBench(t);
  await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
  await report("A1", { ...withApp, email: "alice@corp.example" });
  let isAway = true;
  const shaky: Store = {
    ...store,
    noteEnvelope: async (envelope, key) =>
      isAway ? Promise.reject(new StoreUnavailable(new Error("away"))) : store.noteEnvelope(envelope, key),
  };
  await assert.rejects(round(noon, shaky), StoreUnavailable);
  assert.equal(smtp.messages().length, 0);
  isAway = false;
  assert.equal((await round(minutes(5), shaky)).sent, 1);
  assert.equal((await round(minutes(10), shaky)).sent, 0);
  assert.equal(smtp.messages().length, 1);
});

test("each letter has an envelope of its own, in its Message-ID", async (t) => {
  const { ledger, round, report, smtp, store } = await aBench(t);
  await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
  for (const id of ["A1", "B1"]) await report(id, { ...withApp, email: `${id.toLowerCase()}@corp.example` });
  await round(noon);
  const secrets = smtp.messages().map(({ text }) => {
    const [, secret = ""] = /^Message-ID: <([0-9a-f]{24})\.1\.tiktok@corp\.example>$/im.exec(text) ?? [];
    return secret;
  });
  assert.equal(new Set(secrets).size, 2);
  for (const secret of secrets) {
    const letter = await store.bounceLetter({ campaign: "tiktok", run: 1, secret }, hours(1), "550 nobody");
    assert.equal(letter?.state, "bounced");
  }
});

test("a letter that came back is not sent again, and nothing is said to follow it up", async (t) => {
  const { ledger, round, report, store, smtp } = await aBench(t);
  await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
  for (const id of ["A1", "B1"]) await report(id, { ...withApp, email: `${id.toLowerCase()}@corp.example` });
  assert.equal((await round(noon)).sent, 2);
  const [, secret = ""] =
    smtp
      .messages()
      .filter(({ to }) => to === "a1@corp.example")
      .map(({ text }) => /^Message-ID: <([0-9a-f]{24})\./im.exec(text))[0] ?? [];
  assert.equal(
    (await store.bounceLetter({ campaign: "tiktok", run: 1, secret }, noon, "550 nobody"))?.state,
    "bounced",
  );
  assert.equal((await round(hours(1))).sent, 0);
  for (const id of ["A1", "B1"]) await report(id, withoutApp);
  assert.equal((await round(hours(2))).sent, 1, "the one who was told is told that all is well");
  await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
  assert.equal((await round(hours(3))).sent, 1, "and that it was taken back");
  assert.deepEqual(smtp.messages().filter(({ to }) => to === "a1@corp.example").length, 1);
});
