/** Time alone changes what a phone may have: while it waits, on every node, and when the clock is set. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Phone } from "../../src/phone/phone.ts";
import { aGate, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { deviceId } from "../support/records.ts";

const start = new Date("2026-11-24T08:00:00Z");
/** The minute of the deadline is still the owner's. */
const overdue = new Date("2026-11-25T12:01:00Z");
const config = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "2026-11-25T12:00", timezone: UTC }]
`;
const isNotice = ({ from }: { readonly from: { readonly address: string } }): boolean =>
  from.address === "it@corp.example";

/** Two gates before one mail server, with one clock that a test sets, and alice's phone at the one and bob's at the other. */
async function twoGates(t: TestContext) {
  let at = start;
  const now = (): Date => at;
  const one = await aGate(t, { config, now });
  const other = await aGate(t, { config, now, store: one.store, upstream: one.upstreamUrl });
  const alice = one.phone();
  const bob = other.phone({ user: "bob", password: "bob-Pw-2", deviceId: "PHONEB" });
  return {
    one,
    other,
    phones: [alice, bob],
    setClock: (to: Date): void => {
      at = to;
    },
  };
}

async function reports({ store }: Gate, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const id of ["PHONEA", "PHONEB"])
    await store.writeFields(deviceId(id), { set: new Map(Object.entries(fields)), remove: [] });
}

async function refreshed(phones: readonly Phone[]): Promise<void> {
  for (const phone of phones) for (let time = 0; time < 2; time += 1) assert.equal((await phone.refresh()).kind, "ok");
}

test("when the deadline passes, the Pings that upstream holds end on every node, and the notice alone is left", async (t) => {
  const { one, phones, setClock } = await twoGates(t);
  await reports(one, withTiktok);
  await refreshed(phones);
  for (const phone of phones) assert.deepEqual([phone.inbox().length, phone.inbox().filter(isNotice).length], [4, 1]);
  const pinged = phones.map((phone) => phone.ping(480));
  await one.upstream.whenParked(2);
  setClock(overdue);
  for (const outcome of await Promise.all(pinged)) assert.equal(outcome.kind, "changes");
  await one.upstream.whenParked(0);
  await refreshed(phones);
  for (const phone of phones) assert.deepEqual([phone.inbox().length, phone.inbox().filter(isNotice).length], [1, 1]);
});

test("when an exception is over, the Pings that upstream holds end on every node", async (t) => {
  const { one, phones, setClock } = await twoGates(t);
  const until = "2026-11-26T12:00:00Z";
  await reports(one, {
    ...withTiktok,
    override: JSON.stringify({ action: "allow", why: "loan phone", who: "bob", until }),
  });
  setClock(overdue);
  await refreshed(phones);
  const pinged = phones.map((phone) => phone.ping(480));
  await one.upstream.whenParked(2);
  setClock(new Date(until));
  for (const outcome of await Promise.all(pinged)) assert.equal(outcome.kind, "changes");
  await refreshed(phones);
  for (const phone of phones) assert.deepEqual(phone.inbox().filter(isNotice).length, phone.inbox().length);
});

test("when a block is over, the Pings that the gates hold end, and mail is back", async (t) => {
  const { one, other, phones, setClock } = await twoGates(t);
  const until = "2026-11-24T09:00:00Z";
  await reports(one, {
    ...withTiktok,
    apps: "[]",
    override: JSON.stringify({ action: "block", why: "lost", who: "bob", until }),
  });
  await refreshed(phones);
  for (const phone of phones) assert.equal(phone.inbox().length, 1);
  const pinged = phones.map((phone) => phone.ping(480));
  await one.whenWaiting(1);
  await other.whenWaiting(1);
  setClock(new Date(until));
  for (const outcome of await Promise.all(pinged)) assert.equal(outcome.kind, "changes");
  await refreshed(phones);
  for (const phone of phones) assert.deepEqual([phone.inbox().length, phone.inbox().filter(isNotice).length], [3, 0]);
});

test("a clock that was set forward by mistake and is set back costs no mail", async (t) => {
  const { one, other, phones, setClock } = await twoGates(t);
  await reports(one, withTiktok);
  await refreshed(phones);
  setClock(new Date(overdue.getTime() + 3_600_000));
  await refreshed(phones);
  for (const phone of phones) assert.equal(phone.inbox().length, 1);
  const pinged = phones.map((phone) => phone.ping(480));
  await one.whenWaiting(1);
  await other.whenWaiting(1);
  setClock(start);
  for (const outcome of await Promise.all(pinged)) assert.equal(outcome.kind, "changes");
  await refreshed(phones);
  for (const phone of phones) assert.deepEqual([phone.inbox().length, phone.inbox().filter(isNotice).length], [4, 1]);
});
