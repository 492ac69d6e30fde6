/** Letters to people: everybody who should have one gets it once, from a real mail server, in their language. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { applying, inMode, rollingBackTo } from "../../src/campaign/ledger.ts";
import { openLivePolicy } from "../../src/campaign/live-policy.ts";
import { createCompose } from "../../src/letters/compose.ts";
import { createCourier } from "../../src/letters/courier.ts";
import { openPostOffice } from "../../src/letters/post-office.ts";
import { createNoticeWriter } from "../../src/notice/writer.ts";
import { readWrittenPolicy } from "../../src/config/policy-document.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { aPolicy, deviceId, ordinaryStances } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";
import { aBench, author, from, hours, noon, tiktok, withApp, withoutApp } from "./bench.ts";

suite("letters", { concurrency: 2 }, () => {
  test("announce, remind, confirm: each once, whatever is repeated", async (t) => {
    const { ledger, round, report, subjects, smtp } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, owner: "alice", email: "alice@corp.example" });
    await report("B1", { ...withoutApp, owner: "bob", email: "bob@corp.example" });

    assert.equal((await round(hours(-1))).sent, 0, "nothing before the announcement");
    assert.equal((await round(noon)).sent, 1);
    assert.equal((await round(hours(1))).sent, 0);
    assert.equal((await round(hours(8))).sent, 1, "four hours before");
    assert.equal((await round(hours(8))).sent, 0);
    assert.equal((await round(hours(11))).sent, 1, "one hour before");
    assert.equal((await round(hours(13))).sent, 0, "the deadline itself is no letter");
    await report("A1", withoutApp);
    assert.equal((await round(hours(14))).sent, 1, "in order");
    assert.equal((await round(hours(15))).sent, 0);
    assert.equal(subjects().length, 4);
    assert.ok(subjects().every((subject) => subject.startsWith("alice@corp.example: ")));
    assert.match(subjects()[3] ?? "", /Your phone is in order/);
    const [first] = smtp.messages();
    assert.match(first?.text ?? "", /^Auto-Submitted: auto-generated$/m);
    assert.match(first?.text ?? "", /^Content-Language: en$/m);
    assert.match(first?.text ?? "", /TikTok/);
  });

  test("taken back: a correction to exactly those who were told, and all anew when it is applied anew", async (t) => {
    const { ledger, round, report, subjects } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "alice@corp.example" });
    await report("B1", { ...withApp, email: "nobody@corp.example" });
    await report("C1", { ...withoutApp, email: "carol@corp.example" });
    await round(noon);
    await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    assert.equal((await round(hours(1))).sent, 1);
    assert.equal((await round(hours(2))).sent, 0);
    assert.match(subjects().at(-1) ?? "", /^alice@corp\.example: You need not do anything/);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    assert.equal((await round(hours(3))).sent, 1, "told anew");
    await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    assert.equal((await round(hours(4))).sent, 1, "and corrected anew");
    assert.equal(subjects().length, 4);
  });

  test("whoever is told when a reminder is due already is told once", async (t) => {
    const { ledger, round, report } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "alice@corp.example" });
    assert.equal((await round(hours(9))).sent, 1);
    assert.equal((await round(hours(9))).sent, 0);
    assert.equal((await round(hours(11))).sent, 1);
  });

  test("what the mail server refuses is reported and not repeated; what it postpones is tried again", async (t) => {
    const { ledger, round, report, problems, smtp, subjects, store } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "nobody@corp.example" });
    await report("B1", { ...withApp, email: "later@corp.example" });
    await report("C1", withApp);
    smtp.setBusy(true);
    assert.deepEqual(await round(noon), { sent: 0, refused: 1, postponed: 1, unknown: 0, withoutAddress: 1 });
    assert.deepEqual(problems.map(({ device, kind }) => `${device} ${kind}`).toSorted(), [
      "A1 refused",
      "B1 postponed",
      "C1 no-address",
    ]);
    smtp.setBusy(false);
    assert.deepEqual(await round(hours(1)), { sent: 1, refused: 0, postponed: 0, unknown: 0, withoutAddress: 1 });
    assert.equal((await round(hours(2))).sent, 0);
    assert.deepEqual(
      subjects().map((line) => line.split(":")[0]),
      ["later@corp.example"],
    );
    const states: string[] = [];
    for await (const letter of store.letters("tiktok", 1))
      states.push(`${letter.device} ${letter.attempt} ${letter.state}`);
    assert.deepEqual(states.toSorted(), ["A1 1 refused", "B1 1 postponed", "B1 2 sent"]);
  });

  test("a phone without an address is reported once in a run, and counted each time", async (t) => {
    const { ledger, round, report, problems } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("C1", withApp);
    assert.equal((await round(noon)).withoutAddress, 1);
    assert.equal((await round(hours(1))).withoutAddress, 1);
    assert.equal(problems.length, 1);
    await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    await ledger.commit(inMode("tiktok", "enforce", "resume"), author);
    await round(hours(2));
    assert.equal(problems.length, 2);
  });

  test("mailboxes that must wait do not delay the others", async (t) => {
    const { ledger, round, report, smtp } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    for (const id of ["A1", "A2", "A3", "A4", "A5"])
      await report(id, { ...withApp, email: `later-${id.toLowerCase()}@corp.example` });
    await report("B1", { ...withApp, email: "bob@corp.example" });
    smtp.setBusy(true);
    assert.deepEqual(await round(noon), { sent: 1, refused: 0, postponed: 5, unknown: 0, withoutAddress: 0 });
  });

  test("what was told is taken back at the address that was told, whoever has the phone now", async (t) => {
    const { ledger, round, report, store, subjects, smtp } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "alice@corp.example", locale: "de" });
    await report("B1", { ...withApp, email: "bob@corp.example" });
    assert.equal((await round(noon)).sent, 2);
    await report("A1", { email: "carol@corp.example" });
    assert.equal((await round(hours(8))).sent, 2, "reminders: carol is told of what is asked of her phone");
    await store.forget(deviceId("B1"));
    await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
    assert.equal((await round(hours(9))).sent, 3);
    assert.equal((await round(hours(9))).sent, 0);
    assert.deepEqual(
      new Set(
        subjects()
          .slice(4)
          .map((line) => line.split(":")[0]),
      ),
      new Set(["alice@corp.example", "bob@corp.example", "carol@corp.example"]),
    );
    const toAlice = smtp.messages().filter(({ to }) => to === "alice@corp.example");
    assert.match(toAlice.at(-1)?.text ?? "", /^Content-Language: en$/m, "her language was in a record that is gone");
  });

  test("a roll-back behind a campaign takes it back for whoever was told of it", async (t) => {
    const { ledger, round, report, subjects } = await aBench(t);
    const before = await ledger.commit(
      applying({ campaigns: [{ ...tiktok, id: "other", mode: "shadow" }], exemptions: [] }),
      author,
    );
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "alice@corp.example" });
    assert.equal((await round(noon)).sent, 1);
    await ledger.commit(rollingBackTo(before), author);
    assert.equal((await round(hours(1))).sent, 1);
    assert.match(subjects().at(-1) ?? "", /^alice@corp\.example: You need not do anything/);
  });

  test("a phone that falls out of order after its confirmation is announced anew, and five times at most", async (t) => {
    const { ledger, round, report, subjects } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "alice@corp.example" });
    for (let time = 1; time <= 6; time += 1) {
      await report("A1", withApp);
      assert.equal((await round(noon)).sent, time <= 5 ? 1 : 0, `announcement ${time}`);
      assert.equal((await round(noon)).sent, 0);
      await report("A1", withoutApp);
      assert.equal((await round(noon)).sent, time <= 5 ? 1 : 0, `confirmation ${time}`);
    }
    assert.equal(subjects().length, 10);
  });

  test("a store that is away when a letter has gone neither loses it nor doubles it", async (t) => {
    const { ledger, round, report, smtp, store } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "later@corp.example" });
    let isAway = true;
    const shaky: Store = {
      ...store,
      settleLetter: async (entry) =>
        isAway ? Promise.reject(new StoreUnavailable(new Error("away"))) : store.settleLetter(entry),
    };
    smtp.setBusy(true);
    await assert.rejects(round(noon, shaky), StoreUnavailable);
    isAway = false;
    smtp.setBusy(false);
    assert.equal((await round(hours(1), shaky)).sent, 1, "it was postponed, and is not lost");
    await report("B1", { ...withApp, email: "bob@corp.example" });
    isAway = true;
    await assert.rejects(round(hours(9), shaky), StoreUnavailable);
    isAway = false;
    assert.equal((await round(hours(9), shaky)).sent, 1, "the reminder of the first one alone");
    assert.equal(smtp.messages().filter(({ to }) => to === "bob@corp.example").length, 1);
  });

  test("a mail server that is away costs nobody a letter", async (t) => {
    const { ledger, round, report, smtp } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    for (const id of ["A1", "B1", "C1", "D1", "E1"])
      await report(id, { ...withApp, email: `${id.toLowerCase()}@corp.example` });
    await smtp.stop();
    const away = await round(noon);
    assert.equal(away.sent, 0);
    assert.ok(away.postponed <= 3, "it does not try them all");
    await smtp.start();
    assert.equal((await round(hours(1))).sent, 5);
  });

  test("a record is no way to write to somebody else, nor into a header", async (t) => {
    const { ledger, round, report, smtp } = await aBench(t);
    const title = "TikTok\u202e is not permitted";
    await ledger.commit(
      applying({ campaigns: [{ ...tiktok, title: title.replace("\u202e", "") }], exemptions: [] }),
      author,
    );
    await report("A1", { ...withApp, email: "a@corp.example, mallory@evil.example" });
    await report("B1", { ...withApp, email: "b@corp.example", model: "iPhone\r\nBcc: mallory@evil.example" });
    await round(noon);
    const messages = smtp.messages();
    assert.deepEqual(
      messages.map(({ to }) => to),
      ["b@corp.example"],
    );
    assert.doesNotMatch(messages[0]?.text.split(/\r?\n\r?\n/)[0] ?? "", /mallory/);
  });

  test("people in another language get it in theirs", async (t) => {
    const { ledger, round, report, smtp } = await aBench(t);
    await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
    await report("A1", { ...withApp, email: "alice@corp.example", locale: "en-GB" });
    await round(noon);
    assert.match(smtp.messages()[0]?.text ?? "", /^Content-Language: en$/m);
  });
});

test("two nodes that send at the same time send each letter once", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const [one, other] = [await openStore({ redis: { url: redis.url } }), await openStore({ redis: { url: redis.url } })];
  t.after(async () => Promise.all([one.close(), other.close()]));
  const { ledger, round, report, smtp } = await aBench(t, one);
  await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
  const people = Array.from({ length: 40 }, (_, index) => `P${index}`);
  for (const id of people) await report(id, { ...withApp, email: `${id.toLowerCase()}@corp.example` });
  const results = await Promise.all([round(noon, one), round(noon, other)]);
  assert.equal(results[0].sent + results[1].sent, people.length);
  assert.equal(new Set(smtp.messages().map(({ to }) => to)).size, people.length);
  assert.equal(smtp.messages().length, people.length);
});

test("the post office sends when the policy changes, and waits for the mail server", async (t) => {
  const { store, smtp, ledger, report } = await aBench(t);
  const events: string[] = [];
  await report("A1", { ...withApp, email: "alice@corp.example" });
  const livePolicy = await openLivePolicy({ store, configured: aPolicy({ campaigns: [] }), report: () => {} });
  t.after(() => livePolicy.close());
  const courier = { host: "127.0.0.1", port: smtp.port, tls: false, username: undefined, password: undefined };
  const office = openPostOffice({
    store,
    livePolicy,
    courier: createCourier({ ...courier, perMinute: 6_000 }),
    compose: createCompose({ notices: createNoticeWriter({ organisation: "E", from }), organisation: "E", from }),
    now: () => noon,
    report: (event) => events.push(event.kind),
  });
  t.after(() => office.close());
  await ledger.commit(applying({ campaigns: [tiktok], exemptions: [] }), author);
  await eventually(() => assert.equal(smtp.messages().length, 1), 20_000);
  await ledger.commit(inMode("tiktok", "retracted", "retract"), author);
  await eventually(() => assert.equal(smtp.messages().length, 2), 20_000);
  assert.ok(events.includes("round"));
  assert.ok(!events.includes("failed"));
  const read = readWrittenPolicy({ campaigns: [tiktok], exemptions: [] }, ordinaryStances);
  assert.ok(read.ok);
});
