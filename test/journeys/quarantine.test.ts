/** A phone on its way into quarantine and out of it, over HTTP, with a mail server behind the gate that keeps its own books. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bearsMark } from "../../src/activesync/gateway-key.ts";
import type { MailServer } from "../../src/demo/mail-server.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";

const subjects = (phone: Phone): string[] => phone.inbox().map(({ subject }) => subject);
const aliceMail = ["Message 3 for alice", "Message 2 for alice", "Message 1 for alice"];
const notice = "Remove TikTok from your iPhone to get your mail back";

/** A key of ours that upstream has seen would mean that the gate has lost track of a phone. */
function assertNoGatewayKey(upstream: MailServer): void {
  for (const { body, url } of upstream.journal()) {
    assert.equal(body?.toString("latin1").includes("{50535451-") ?? false, false, url);
  }
  assert.equal(bearsMark("{50535451-0000-0000-0000-000000000000}1"), true);
}

suite("a phone with a banned app, in and out", () => {
  for (const protocolVersion of ["12.1", "14.0", "14.1"] as const) {
    for (const queryForm of ["plain", "base64"] as const) {
      test(`finds the notice instead of its mail, and its mail again: ${protocolVersion}, ${queryForm} query`, async (t) => {
        const gate = await aGate(t);
        const phone = gate.phone({ protocolVersion, queryForm });
        await gate.reports("PHONEA", clean);
        await phone.refresh();
        assert.deepEqual(subjects(phone), aliceMail);
        const calendarBefore = phone.calendar();

        await gate.reports("PHONEA", withTiktok);
        await phone.refresh();
        assert.deepEqual(subjects(phone), [notice]);
        assert.equal(phone.inbox()[0]?.from.address, "it@corp.example");
        assert.deepEqual(phone.calendar(), calendarBefore);
        await phone.refresh();
        assert.deepEqual(subjects(phone), [notice], "the same message stays, once");

        await gate.reports("PHONEA", clean);
        await phone.refresh();
        assert.deepEqual(subjects(phone), aliceMail);
        assertNoGatewayKey(gate.upstream);
      });
    }
  }
});

test("the body of the notice can be fetched, and says what to do", async (t) => {
  const gate = await aGate(t);
  const phone = gate.phone();
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  const [message] = phone.inbox();
  assert.ok(message !== undefined);
  const fetched = await phone.fetch(message);
  assert.equal(fetched.kind, "ok");
  assert.match(JSON.stringify(fetched), /Delete App/);
});

test("a message that was sent in quarantine waits in the outbox, and arrives once after release", async (t) => {
  for (const protocolVersion of ["12.1", "14.1"] as const) {
    const gate = await aGate(t);
    const phone = gate.phone({ protocolVersion });
    await gate.reports("PHONEA", clean);
    await phone.refresh();
    await gate.reports("PHONEA", withTiktok);

    const sent = await phone.send({ to: "bob@demo.example", subject: "Held back", text: "not lost" });
    assert.notEqual(sent.kind, "ok");
    assert.equal(phone.outbox().length, 1);
    assert.equal(gate.upstream.mailbox("alice").sent.length, 0);

    await gate.reports("PHONEA", clean);
    await phone.refresh();
    assert.equal(phone.outbox().length, 0);
    const arrived = gate.upstream.mailbox("bob").messages.filter(({ message }) => message.subject === "Held back");
    assert.equal(arrived.length, 1);
  }
});

test("an event that was made in quarantine arrives after it", async (t) => {
  const gate = await aGate(t);
  const phone = gate.phone();
  await gate.reports("PHONEA", clean);
  await phone.refresh();
  await phone.sync("Calendar");
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();

  await phone.addEvent({
    subject: "Made in quarantine",
    location: "Room 4",
    start: "2026-12-01T10:00:00Z",
    end: "2026-12-01T11:00:00Z",
  });
  assert.equal(gate.upstream.mailbox("alice").calendar.length, 0);
  assert.equal(phone.pending().length, 1, "the phone still has it");

  await gate.reports("PHONEA", clean);
  await phone.refresh();
  await phone.sync("Calendar");
  assert.deepEqual(
    gate.upstream.mailbox("alice").calendar.map(({ subject }) => subject),
    ["Made in quarantine"],
  );
  assert.equal(phone.pending().length, 0);
  assert.deepEqual(phone.losses(), []);
});

test("a Ping in quarantine is held, and ends at once when the app is gone", async (t) => {
  const gate = await aGate(t);
  const phone = gate.phone();
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  const pinged = phone.ping(480);
  await gate.whenWaiting(1);
  await gate.reports("PHONEA", clean);
  const outcome = await pinged;
  assert.equal(outcome.kind, "changes");
  await phone.refresh();
  assert.deepEqual(subjects(phone), aliceMail);
});

test("a Ping that upstream holds ends at once when the phone enters quarantine", async (t) => {
  const gate = await aGate(t);
  const phone = gate.phone();
  await gate.reports("PHONEA", clean);
  await phone.refresh();
  const pinged = phone.ping(480);
  await gate.upstream.whenParked(1);
  await gate.reports("PHONEA", withTiktok);
  const outcome = await pinged;
  assert.equal(outcome.kind, "changes");
  await phone.refresh();
  assert.deepEqual(subjects(phone), [notice]);
  await gate.upstream.whenParked(0);
});

test("a waiting Sync that upstream holds ends at once when the phone enters quarantine", async (t) => {
  const gate = await aGate(t);
  const phone = gate.phone();
  await gate.reports("PHONEA", clean);
  await phone.refresh();
  const synced = phone.sync("Inbox", { wait: 600 });
  await gate.upstream.whenParked(1);
  await gate.reports("PHONEA", withTiktok);
  await synced;
  assert.deepEqual(subjects(phone), [notice]);
});

test("a Ping of a phone that is on its way out counts as one request that waits", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  const phone = gate.phone();
  await phone.refresh();
  await gate.reports("PHONEA", clean);
  // The Inbox alone starts anew; the other folders still have keys of ours.
  await phone.sync("Inbox");
  const aborted = new AbortController();
  const pinged = phone.ping(480, aborted.signal);
  await gate.upstream.whenParked(1);
  await gate.whenWaiting(1);
  aborted.abort();
  await pinged;
});

test("a notice that was deleted does not come back at once", async (t) => {
  const gate = await aGate(t);
  const phone = gate.phone();
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  const [message] = phone.inbox();
  assert.ok(message !== undefined);
  await phone.markRead(message);
  await phone.deleteItem(message);
  await phone.refresh();
  assert.deepEqual(subjects(phone), []);
});

test("a deleted notice is back a day later", async (t) => {
  let at = new Date("2026-11-24T08:00:00Z");
  const gate = await aGate(t, { now: () => at });
  const phone = gate.phone();
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  const [message] = phone.inbox();
  assert.ok(message !== undefined);
  await phone.deleteItem(message);
  at = new Date("2026-11-25T08:00:01Z");
  await phone.refresh();
  assert.deepEqual(subjects(phone), [notice]);
});

test("a wrong password learns nothing about the phone", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  const stranger = gate.phone({ password: "guessed" });
  const outcome = await stranger.refresh();
  assert.equal(outcome.kind, "credentials");
  assert.deepEqual(stranger.inbox(), []);
});

test("a colleague's clean phone is no pass for this person", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEB", { ...clean, owner: "bob@demo.example" });
  const alice = gate.phone({ deviceId: "PHONEB" });
  await alice.refresh();
  assert.equal(alice.inbox().length, 1);
  assert.equal(alice.inbox()[0]?.from.address, "it@corp.example");
  const bob = gate.phone({ user: "bob", password: "bob-Pw-2", deviceId: "PHONEB" });
  await bob.refresh();
  assert.equal(bob.inbox().length, 3);
});

test("one phone is one phone in both spellings of its id", async (t) => {
  const gate = await aGate(t);
  await gate.reports(Buffer.from("PHONEA").toString("hex"), withTiktok);
  const phone = gate.phone({ queryForm: "base64" });
  await phone.refresh();
  assert.deepEqual(subjects(phone), [notice]);
});

test("everybody else reads on while one phone is quarantined", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  await gate.reports("PHONEB", clean);
  const alice = gate.phone();
  const bob = gate.phone({ user: "bob", password: "bob-Pw-2", deviceId: "PHONEB" });
  await Promise.all([alice.refresh(), bob.refresh()]);
  assert.deepEqual(subjects(alice), [notice]);
  assert.equal(bob.inbox().length, 3);
  const laptop = await fetch(`${gate.url}/mail/`, {
    headers: { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0" },
    redirect: "manual",
  });
  assert.ok(laptop.status === 200 || laptop.status === 302 || laptop.status === 303, String(laptop.status));
});
