/** What a whole gate keeps of the last request of each phone, for whoever is asked why. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import { deviceId } from "../support/records.ts";

/** The gate writes what it notes every two seconds. */
const SOON_MS = 20_000;

test("who asked, in which words, and what the gate said", async (t) => {
  const config = `
campaigns:
  - { id: tiktok, title: TikTok is not permitted, require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }] }
exemptions:
  - { who: { owner: bob }, campaign: all, until: 2100-01-01, reason: tests it, by: eve }
`;
  const gate = await aGate(t, { config });
  await gate.reports("PHONEA", { ...withTiktok, owner: "alice" });
  const began = Date.now();
  await gate.phone({ queryForm: "base64", userAgent: "Apple-iPhone14C5/2307.77", deviceType: "iPhone" }).refresh();
  await gate.phone({ user: "bob", password: "bob-Pw-2" }).refresh();
  await gate.phone({ deviceId: "INVENTED" }).refresh();

  await eventually(async () => {
    const [bobs, alices, ...others] = await gate.store.lastRequests([deviceId("PHONEA")]);
    assert.equal(others.length, 0);
    assert.deepEqual([bobs?.whose, bobs?.account, bobs?.reason], ["somebody-else", "bob", "exempted"]);
    assert.ok(alices !== undefined && alices.at.getTime() >= began && alices.at.getTime() <= Date.now());
    assert.match(alices.command, /^(FolderSync|Provision|Sync|Settings)$/);
    assert.deepEqual(alices, {
      at: alices.at,
      id: deviceId("PHONEA"),
      whose: "owner",
      account: "alice",
      spellings: [deviceId("PHONEA"), deviceId("50484F4E4541")],
      queryForm: "base64",
      version: "14.1",
      command: alices.command,
      deviceType: "iPhone",
      program: "Apple-iPhone14C5/2307.77",
      action: "quarantine",
      reason: "app-present",
      state: "non-compliant",
    });
    const strangers = await Array.fromAsync(gate.store.strangers());
    assert.deepEqual(
      strangers.map(({ id, account, reason, queryForm }) => [id, account, reason, queryForm]),
      [["INVENTED", "alice", "not-enrolled", "plain"]],
    );
    assert.deepEqual((await gate.store.lastRequests([deviceId("INVENTED")]))[0], strangers[0]);
  }, SOON_MS);
});

test("nothing is kept of a request that the mail server has not accepted", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", clean);
  await gate.phone({ password: "guessed" }).refresh();
  await gate.phone({ deviceId: "INVENTED", password: "guessed" }).refresh();
  await gate.phone({ deviceId: "PHONEB", user: "bob", password: "bob-Pw-2" }).refresh();
  await eventually(async () => assert.equal((await Array.fromAsync(gate.store.strangers())).length, 1), SOON_MS);
  assert.deepEqual(await gate.store.lastRequests([deviceId("PHONEA"), deviceId("INVENTED")]), []);
});
