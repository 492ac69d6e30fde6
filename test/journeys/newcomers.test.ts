/** Grace for a phone that comes after everybody's deadline: once, from its first request on, and for no id without a record. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { deviceId } from "../support/records.ts";

const config = (graceFor: string): string => `
stance: { not-enrolled: quarantine }
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "2026-11-20T12:00", timezone: UTC }]
    grace: 24h
    graceFor: ${graceFor}
`;
/** Some days after the deadline. */
const start = new Date("2026-11-24T08:00:00Z");
const dayMs = 86_400_000;
const old = deviceId("OLDPHONE");
const isNotice = ({ from }: { readonly from: { readonly address: string } }): boolean =>
  from.address === "it@corp.example";

interface Bench {
  readonly gate: Gate;
  readonly setClock: (to: Date) => void;
  /** How many messages the inbox of a phone has after it has looked, and how many of them are the notice. */
  readonly looks: (phone: ReturnType<Gate["phone"]>) => Promise<readonly [messages: number, notices: number]>;
}

/** A gate that has looked at who was there: one phone. */
async function aBench(t: TestContext, graceFor = "newly-seen"): Promise<Bench> {
  let at = start;
  const store = await openStore({ embedded: { path: ":memory:" } }, { now: () => at });
  await store.writeFields(old, { set: new Map(Object.entries(withTiktok)), remove: [] });
  await store.meetEverybody(() => true);
  const gate = await aGate(t, { config: config(graceFor), now: () => at, store });
  return {
    gate,
    setClock: (to) => (at = to),
    looks: async (phone) => {
      for (let time = 0; time < 3; time += 1) assert.equal((await phone.refresh()).kind, "ok");
      return [phone.inbox().length, phone.inbox().filter(isNotice).length];
    },
  };
}

test("a phone that comes first after the deadline has its grace from its first request, and is cut when that ends", async (t) => {
  const { gate, looks, setClock } = await aBench(t);
  await gate.reports("PHONEA", withTiktok);
  const phone = gate.phone();
  assert.deepEqual(await looks(phone), [4, 1], "its mail, and the notice");
  assert.deepEqual(await looks(gate.phone({ deviceId: old })), [1, 1], "not for a phone that was there before");

  const pinged = phone.ping(480);
  await gate.upstream.whenParked(1);
  setClock(new Date(start.getTime() + dayMs - 60_000));
  setClock(new Date(start.getTime() + dayMs + 60_000));
  assert.equal((await pinged).kind, "changes");
  assert.deepEqual(await looks(phone), [1, 1]);

  await gate.store.forget(deviceId("PHONEA"));
  await gate.reports("PHONEA", { ...withTiktok, enrolledAt: new Date(start.getTime() + dayMs).toISOString() });
  assert.deepEqual(await looks(phone), [1, 1], "a record that is removed and written again renews nothing");
});

test("an id without a record has no grace, and has it from the moment on at which it has a record", async (t) => {
  const { gate, looks, setClock } = await aBench(t);
  for (const id of ["INVENTED1", "INVENTED2"])
    assert.deepEqual(await looks(gate.phone({ deviceId: id })), [1, 1], "whoever invents ids gets no mail by it");
  setClock(new Date(start.getTime() + 10 * dayMs));
  await gate.reports("INVENTED1", withTiktok);
  assert.deepEqual(await looks(gate.phone({ deviceId: "INVENTED1" })), [4, 1]);
  assert.deepEqual(
    (await gate.store.readRecords([deviceId("INVENTED1")]))[0]?.firstSeenAt,
    new Date(start.getTime() + 10 * dayMs),
  );
});

test("without a campaign that asks for it a new phone has no grace by being new", async (t) => {
  const { gate, looks } = await aBench(t, "newly-enrolled");
  await gate.reports("PHONEA", withTiktok);
  assert.deepEqual(await looks(gate.phone()), [1, 1]);
});

test("a gate that starts looks at who is there, and only then at who is new", async (t) => {
  const store = await openStore({ embedded: { path: ":memory:" } });
  await store.writeFields(old, { set: new Map(Object.entries(withTiktok)), remove: [] });
  await aGate(t, { config: config("newly-seen"), store });
  // Whoever has asked in vain asks again some seconds later.
  await eventually(async () => assert.equal(await store.meet(old), true), 20_000);
  assert.equal((await store.readRecords([old]))[0]?.firstSeenAt, "earlier");
});
