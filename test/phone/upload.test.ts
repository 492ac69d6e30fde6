import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { child, children, element, text } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { nothing, synced, syncRefused } from "./support/documents.ts";
import { asked, subjects, usedPhone } from "./support/phones.ts";
import type { Received } from "./support/scripted-server.ts";

const meeting = { subject: "Meeting", start: "2026-12-01T09:00:00Z", end: "2026-12-01T10:00:00Z", location: "Room 1" };
const dora = { firstName: "Dora", lastName: "Door", email: "dora@postern.test" };
const oldNews = { folder: "inbox", id: "m1" };

function commandsIn(request: Received | undefined): Element[] {
  const list = request?.root && child(request.root, "AirSync:Collections");
  const collection = list && child(list, "AirSync:Collection");
  const commands = collection && child(collection, "AirSync:Commands");
  return commands === undefined ? [] : children(commands, "AirSync:Add");
}

/** Acknowledges every Add of the request with an id of the server. */
function stored(request: Received, folder: string, status = 1): Element {
  const responses = commandsIn(request).map((add) =>
    element(
      "AirSync:Add",
      element("AirSync:ClientId", text(add, "AirSync:ClientId") ?? ""),
      status === 1 ? element("AirSync:ServerId", "s1") : undefined,
      element("AirSync:Status", String(status)),
    ),
  );
  return synced("c2", { folder, responses });
}

suite("an event that was made on the phone", () => {
  test("is pending until the server gives it an id", async (t) => {
    const { phone, server } = await usedPhone(t, [
      synced("c1", { folder: "calendar" }),
      synced("c2", { folder: "calendar" }),
    ]);
    await phone.addEvent(meeting);
    assert.deepEqual(
      phone.calendar().map((event) => event.pending),
      [true],
    );
    await phone.sync("calendar");
    assert.deepEqual(
      phone.calendar().map((event) => event.pending),
      [true],
      "a bare status 1 does not say that it was stored",
    );
    assert.equal(commandsIn(server.received[1]).length, 1);
  });

  test("is the server's when it was acknowledged", async (t) => {
    const { phone, server } = await usedPhone(t, (request) => stored(request, "calendar"));
    await phone.addEvent(meeting);
    assert.deepEqual(phone.calendar(), [{ ...meeting, pending: false }]);
    assert.deepEqual(phone.pending(), []);
    const [add] = commandsIn(server.received[0]);
    const data = add && child(add, "AirSync:ApplicationData");
    assert.equal(data && text(data, "Calendar:StartTime"), "20261201T090000Z");
    assert.equal(data && text(data, "Calendar:Location"), "Room 1");
  });

  for (const [refusal, answer] of [
    ["status 16", synced("c1", { folder: "calendar", status: 16 })],
    ["status 5", synced("c1", { folder: "calendar", status: 5 })],
    ["status 111 for the whole request", syncRefused(111)],
    ["HTTP 503", 503],
    ["an empty answer", nothing],
  ] as const) {
    test(`stays pending at ${refusal}, and is uploaded again`, async (t) => {
      const { phone, server } = await usedPhone(t, (request, count) =>
        count === 1 ? answer : stored(request, "calendar"),
      );
      await phone.addEvent(meeting);
      assert.equal(phone.pending().length, 1);
      assert.equal(phone.folders()[1]?.syncKey, "c1");
      await phone.sync("calendar");
      assert.deepEqual(phone.calendar(), [{ ...meeting, pending: false }]);
      assert.equal(server.received.length, 2);
    });
  }

  test("is uploaded after a reset, when the folder has been fetched", async (t) => {
    const { phone, server } = await usedPhone(t, (request, count) => {
      const reset = synced("0", { folder: "calendar", status: 3 });
      return [reset, synced("g1", { folder: "calendar" }), nothing][count - 1] ?? stored(request, "calendar");
    });
    await phone.addEvent(meeting);
    assert.deepEqual(asked(server), ["Sync c1 calendar", "Sync 0 calendar", "Sync g1 calendar", "Sync g1 calendar"]);
    assert.deepEqual(
      server.received.map((request) => commandsIn(request).length),
      [1, 0, 0, 1],
    );
    assert.deepEqual(phone.calendar(), [{ ...meeting, pending: false }]);
    assert.deepEqual(phone.losses(), []);
  });

  test("is lost by a forgetful phone at a reset, and the phone says so", async (t) => {
    const script = [synced("0", { folder: "calendar", status: 3 }), synced("g1", { folder: "calendar" }), nothing];
    const { phone } = await usedPhone(t, script, { forgetful: true });
    await phone.addEvent(meeting);
    assert.deepEqual(phone.calendar(), []);
    assert.deepEqual(phone.losses(), [{ what: 'event "Meeting"', why: "the server reset the folder" }]);
  });

  test("is given up when the server calls it bad", async (t) => {
    const { phone } = await usedPhone(t, (request) => stored(request, "calendar", 6));
    await phone.addEvent(meeting);
    assert.deepEqual(phone.pending(), []);
    assert.deepEqual(phone.losses(), [{ what: 'event "Meeting"', why: "the server answered status 6" }]);
  });

  test("is spelled anew from 16.0", async (t) => {
    const { phone, server } = await usedPhone(t, (request) => stored(request, "calendar"), { protocolVersion: "16.1" });
    await phone.addEvent(meeting);
    const [add] = commandsIn(server.received[0]);
    const data = add && child(add, "AirSync:ApplicationData");
    assert.ok(
      data && child(data, "Calendar:ClientUid") && !child(data, "Calendar:UID") && child(data, "AirSyncBase:Location"),
    );
  });
});

test("a contact that was made on the phone is pending until the server gives it an id", async (t) => {
  const { phone } = await usedPhone(t, (request, count) =>
    count === 1 ? synced("p1", { folder: "contacts", status: 16 }) : stored(request, "contacts"),
  );
  await phone.addContact(dora);
  assert.deepEqual(phone.contacts(), [{ name: "Dora Door", email: dora.email, pending: true }]);
  await phone.refresh();
  assert.deepEqual(phone.contacts(), [{ name: "Dora Door", email: dora.email, pending: false }]);
});

suite("a mark on a message", () => {
  test("is handed over on its own, before news are fetched", async (t) => {
    const { phone, server } = await usedPhone(t, [synced("k2"), nothing]);
    await phone.markRead(oldNews);
    assert.equal(phone.inbox()[0]?.read, true);
    assert.deepEqual(phone.pending(), []);
    const wishes = server.received.map(({ root }) => {
      const list = root && child(root, "AirSync:Collections");
      const collection = list && child(list, "AirSync:Collection");
      return collection && text(collection, "AirSync:GetChanges");
    });
    assert.deepEqual(wishes, ["0", "1"]);
  });

  test("stays pending where the server is busy", async (t) => {
    const { phone } = await usedPhone(t, [503, synced("k2"), nothing]);
    await phone.markRead(oldNews);
    assert.deepEqual(phone.pending(), [{ kind: "read", folder: "inbox", item: "m1", read: true }]);
    await phone.sync("Inbox");
    assert.deepEqual(phone.pending(), []);
  });

  test("goes with the folder when that is reset", async (t) => {
    const { phone } = await usedPhone(t, [synced("0", { status: 3 }), synced("g1"), nothing]);
    await phone.markRead(oldNews);
    assert.deepEqual([phone.pending(), phone.inbox(), phone.losses()], [[], [], []]);
  });

  test("makes way for a deletion", async (t) => {
    const { phone, server } = await usedPhone(t, [503, synced("k2"), nothing]);
    await phone.markRead(oldNews);
    await phone.deleteItem(oldNews);
    assert.deepEqual(subjects(phone), []);
    const list = server.received[1]?.root && child(server.received[1].root, "AirSync:Collections");
    const collection = list && child(list, "AirSync:Collection");
    const commands = collection && child(collection, "AirSync:Commands");
    assert.deepEqual(commands?.content, [element("AirSync:Delete", element("AirSync:ServerId", "m1"))]);
  });
});
