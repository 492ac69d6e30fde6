/** What sources report, on a whole gate: phones in front of it, and records that nobody but the intake has written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createBindings } from "../../src/inventory/bindings.ts";
import { createIntake } from "../../src/inventory/intake.ts";
import type { Intake, InventoryReport } from "../../src/inventory/report.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { aGate } from "../support/gate.ts";
import type { Gate, GateOptions } from "../support/gate.ts";
import { deviceId } from "../support/records.ts";

const tiktok = { id: "com.zhiliaoapp.musically", name: "TikTok", version: "42.1" };
const mail = { id: "com.example.mail", name: "Mail", version: "1" };
const settings = { appIds: () => [tiktok.id], homeDomains: [], ownerRequired: true } as const;
const minuteMs = 60_000;

async function aManagedGate(t: TestContext, options: GateOptions = {}): Promise<Gate & { readonly intake: Intake }> {
  const gate = await aGate(t, options);
  const now = options.now ?? ((): Date => new Date());
  return { ...gate, intake: createIntake({ ...settings, store: gate.store, privacy: "all", now }) };
}

/** What a source says of a clean phone of alice's, minutes ago. */
function report(minutesAgo: number, parts: Partial<InventoryReport> = {}, now = new Date()): InventoryReport {
  const at = new Date(now.getTime() - minutesAgo * minuteMs);
  return {
    source: "jamf",
    sourceDeviceId: "17",
    enrolled: true,
    easDeviceIds: ["PHONEA"],
    owner: { email: "alice@demo.example", name: "alice" },
    platform: "ios",
    deviceAt: at,
    apps: { scope: "all", apps: [mail], at },
    ...parts,
  };
}

const bob = { user: "bob", password: "bob-Pw-2" } as const;

async function inboxOf(phone: Phone): Promise<string[]> {
  for (let time = 0; time < 3; time += 1) await phone.refresh();
  return phone
    .inbox()
    .map(({ subject }) => subject)
    .toSorted();
}

const ofAlice = ["Message 1 for alice", "Message 2 for alice", "Message 3 for alice"];

test("a compliant phone of a colleague's with another person's credential is not compliant", async (t) => {
  const gate = await aManagedGate(t);
  await gate.intake.take(report(5));
  assert.deepEqual(await inboxOf(gate.phone()), ofAlice);
  assert.deepEqual(await inboxOf(gate.phone(bob)), ["Your phone is registered to someone else"]);
});

test("a phone whose owner its source does not name is nobody's, until it does", async (t) => {
  const gate = await aManagedGate(t);
  await gate.intake.take(report(5, { owner: undefined }));
  const [phone, another] = [gate.phone(), gate.phone(bob)];
  for (const each of [phone, another]) assert.match(String(await inboxOf(each)), /^Set up your phone with Example Ltd/);
  await gate.intake.take(report(4));
  assert.deepEqual(await inboxOf(phone), ofAlice);
  assert.deepEqual(await inboxOf(another), ["Your phone is registered to someone else"]);
});

test("the app is found, the mail is held; the app is gone, the mail is back; the phone is un-enrolled, and held", async (t) => {
  const gate = await aManagedGate(t);
  const phone = gate.phone();
  await gate.intake.take(report(9));
  assert.deepEqual(await inboxOf(phone), ofAlice);

  // The request that waits for news ends by itself: nobody tells the gate but the store.
  const pinged = phone.ping(480);
  await gate.upstream.whenParked(1);
  await gate.intake.take(
    report(8, { apps: { scope: "all", apps: [mail, tiktok], at: new Date(Date.now() - 8 * minuteMs) } }),
  );
  assert.equal((await pinged).kind, "changes");
  assert.deepEqual(await inboxOf(phone), ["Remove TikTok from your iPhone to get your mail back"]);

  await gate.intake.take(report(7));
  assert.deepEqual(await inboxOf(phone), ofAlice);

  await gate.intake.take({ source: "jamf", sourceDeviceId: "17", enrolled: false });
  assert.match(String(await inboxOf(phone)), /^Set up your/);
});

test("an id under two people is told to both without a word of the other, and decided by an operator", async (t) => {
  const gate = await aManagedGate(t);
  await gate.intake.take(report(9, { enrolledAt: new Date("2026-01-01T00:00Z"), model: "Secret Phone" }));
  await gate.intake.take(
    report(8, { sourceDeviceId: "18", owner: { name: "bob" }, enrolledAt: new Date("2026-02-01T00:00Z") }),
  );
  const phones = [gate.phone(), gate.phone(bob)];
  for (const phone of phones) {
    const [notice, ...others] = await inboxOf(phone);
    assert.equal(notice, "Your mail is held back: two phones have the name of your phone");
    assert.deepEqual(others, []);
    assert.doesNotMatch(JSON.stringify(phone.inbox()), /Secret|alice@/);
  }
  const bindings = createBindings({ ...settings, store: gate.store, now: () => new Date() });
  const order = { id: deviceId("PHONEA"), source: "jamf", sourceDeviceId: "17", how: "operator", by: "olga" } as const;
  assert.deepEqual(await bindings.bind({ ...order, takenFrom: ["bob"] }), {
    kind: "bound",
    problem: undefined,
    account: "alice",
  });
  const [alices, bobs] = phones;
  assert.ok(alices !== undefined && bobs !== undefined);
  assert.deepEqual(await inboxOf(alices), ofAlice);
  assert.deepEqual(await inboxOf(bobs), ["Your phone is registered to someone else"]);
});

test("who read mail before somebody else's phone came with the same id goes on reading it", async (t) => {
  const gate = await aManagedGate(t);
  await gate.intake.take(report(9, { enrolledAt: new Date("2026-01-01T00:00Z") }));
  const [alices, bobs] = [gate.phone(), gate.phone(bob)];
  assert.deepEqual(await inboxOf(alices), ofAlice);
  await gate.intake.take(
    report(8, { sourceDeviceId: "18", owner: { name: "bob" }, enrolledAt: new Date("2026-02-01T00:00Z") }),
  );
  assert.deepEqual(await inboxOf(alices), ofAlice);
  assert.deepEqual(await inboxOf(bobs), ["Your mail is held back: two phones have the name of your phone"]);
  // What is known of the phone that was there first counts all the same.
  const at = new Date(Date.now() - 7 * minuteMs);
  await gate.intake.take(
    report(7, { enrolledAt: new Date("2026-01-01T00:00Z"), apps: { scope: "all", apps: [tiktok], at } }),
  );
  assert.deepEqual(await inboxOf(alices), ["Remove TikTok from your iPhone to get your mail back"]);
});

test("the time that a source gives ends while the phone waits, and nobody reports anew", async (t) => {
  let now = new Date("2026-11-24T08:00:00Z");
  const until = new Date("2026-11-24T20:00:00Z");
  const gate = await aManagedGate(t, { now: () => now });
  await gate.intake.take(report(5, { verdict: { state: "in-grace", reasons: ["PasscodeTooShort"], until } }, now));
  const phone = gate.phone();
  const warned = await inboxOf(phone);
  assert.equal(warned.length, 4);
  assert.ok(warned.includes("Your iPhone needs a change to keep your mail"));
  const pinged = phone.ping(480);
  await gate.upstream.whenParked(1);
  now = until;
  assert.equal((await pinged).kind, "changes");
  assert.deepEqual(await inboxOf(phone), ["Your iPhone needs a change to get your mail back"]);
});
