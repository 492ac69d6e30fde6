/** Calendar and contacts of a phone in quarantine, as the configuration treats them, over HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { bearsMark } from "../../src/activesync/gateway-key.ts";
import type { ProtocolVersion } from "../../src/phone/dialect.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { textsIn } from "../support/activesync-documents.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";

const campaign = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically], android: [com.zhiliaoapp.musically] }
`;
/** The demonstration server gives it this id in every mailbox. */
const calendarId = "1";
const at = (subject: string) => ({
  subject,
  location: "",
  start: "2026-12-01T12:00:00.000Z",
  end: "2026-12-01T13:00:00.000Z",
});
const events = (phone: Phone): string[] =>
  phone
    .calendar()
    .filter((event) => !event.pending)
    .map(({ subject }) => subject)
    .toSorted();

/** A phone with one event, in quarantine now, and a tablet of the same person that is not. */
async function quarantined(t: TestContext, heldFolders: string, protocolVersion: ProtocolVersion) {
  const gate = await aGate(t, { config: `quarantine: { heldFolders: ${heldFolders} }\n${campaign}` });
  const phone = gate.phone({ protocolVersion });
  const tablet = gate.phone({ deviceId: "TABLET" });
  await gate.reports("PHONEA", clean);
  await gate.reports("TABLET", clean);
  await tablet.refresh();
  await tablet.addEvent(at("Before"));
  await phone.refresh();
  await phone.sync("Calendar");
  await phone.sync("Contacts");
  assert.deepEqual(events(phone), ["Before"]);
  const requestsBefore = gate.upstream.journal().length;
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  assert.equal(phone.inbox().length, 1);
  return { gate, phone, tablet, requestsBefore };
}

const there = (gate: Gate): string[] =>
  gate.upstream
    .mailbox("alice")
    .calendar.map(({ subject }) => subject)
    .toSorted();

for (const version of ["2.5", "12.1", "14.1", "16.1"] as const) {
  test(`a calendar that is allowed goes on as if there were no quarantine, and no mail with it (${version})`, async (t) => {
    const { gate, phone, tablet, requestsBefore } = await quarantined(t, "{ calendar: allow }", version);
    await tablet.addEvent(at("From the tablet"));
    assert.equal((await phone.addEvent(at("From the phone"))).kind, "ok");
    assert.deepEqual(there(gate), ["Before", "From the phone", "From the tablet"]);
    assert.deepEqual(events(phone), ["Before", "From the phone", "From the tablet"]);
    assert.deepEqual(phone.pending(), []);

    // Contacts are not allowed.
    await phone.addContact({ firstName: "Dora", lastName: "Dew", email: "dora@corp.example" });
    assert.equal(phone.pending().length, 1);
    assert.equal(phone.inbox().length, 1);
    assert.equal(phone.inbox()[0]?.from.address, "it@corp.example");
    const asked = gate.upstream
      .journal()
      .slice(requestsBefore)
      .filter(({ understood }) => understood?.deviceId === "PHONEA" && understood.command === "Sync");
    assert.ok(asked.length > 0);
    for (const { root } of asked) {
      assert.ok(root !== undefined);
      assert.deepEqual(textsIn(root, "AirSync:CollectionId"), [calendarId]);
      assert.deepEqual(textsIn(root, "AirSync:SyncKey").filter(bearsMark), []);
    }

    await gate.reports("PHONEA", clean);
    await phone.refresh();
    assert.equal(phone.inbox().length, 3);
    assert.equal(gate.upstream.mailbox("alice").contacts.length, 1);
    assert.deepEqual(events(phone), ["Before", "From the phone", "From the tablet"]);
    assert.equal(phone.folders().find(({ name }) => name === "Calendar")?.resets, 0, "and never started anew");
  });

  test(`a calendar that is wiped is empty until release, and what is entered meanwhile arrives (${version})`, async (t) => {
    const { gate, phone } = await quarantined(t, "{ calendar: wipe }", version);
    assert.deepEqual(events(phone), []);
    await phone.addEvent(at("Entered meanwhile"));
    assert.equal(phone.pending().length, 1);
    assert.deepEqual(there(gate), ["Before"]);

    await gate.reports("PHONEA", clean);
    await phone.refresh();
    assert.deepEqual(events(phone), ["Before", "Entered meanwhile"]);
    assert.deepEqual(there(gate), ["Before", "Entered meanwhile"]);
    assert.equal(phone.inbox().length, 3);
    assert.deepEqual(phone.losses(), []);
  });
}

test("a list of tasks that began in quarantine starts anew with the server after it, with what was entered", async (t) => {
  const { gate, phone } = await quarantined(t, "{ calendar: hold }", "14.1");
  await phone.addTask({ subject: "Held" });
  assert.equal(phone.pending().length, 1);
  assert.deepEqual(gate.upstream.mailbox("alice").tasks, []);

  await gate.reports("PHONEA", clean);
  await phone.refresh();
  assert.equal(phone.folders().find(({ name }) => name === "Tasks")?.resets, 1);
  assert.deepEqual(phone.pending(), []);
  assert.deepEqual(
    gate.upstream.mailbox("alice").tasks.map(({ subject }) => subject),
    ["Held"],
  );
});
