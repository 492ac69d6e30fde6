import assert from "node:assert/strict";
import { test } from "node:test";
import { child, element } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import {
  aPhone,
  anInboxWith,
  at,
  calendar,
  change,
  commands,
  contacts,
  deletedItems,
  inbox,
  readSync,
  syncDocument,
  syncFromTheStart,
  tasks,
  textAt,
} from "./wire.ts";

test("a different request with the older key starts from what the phone then knew", async (t) => {
  const { server, phone } = await anInboxWith(t);
  const primed = readSync((await phone.post(syncDocument("0", { folderId: contacts }))).root);
  const dora = element(
    "AirSync:Add",
    element("AirSync:ClientId", "new1"),
    element("AirSync:ApplicationData", element("Contacts:FirstName", "Dora")),
  );
  const lost = readSync(
    (await phone.post(syncDocument(primed.key, { folderId: contacts, parts: [commands(dora)] }))).root,
  );

  // The phone never saw the answer; meanwhile its person has written another contact.
  const emil = element(
    "AirSync:Add",
    element("AirSync:ClientId", "new2"),
    element("AirSync:ApplicationData", element("Contacts:FirstName", "Emil")),
  );
  const again = readSync(
    (await phone.post(syncDocument(primed.key, { folderId: contacts, parts: [commands(dora, emil)] }))).root,
  );
  assert.notEqual(again.key, lost.key);
  assert.deepEqual(
    server.mailbox("alice").contacts.map(({ name }) => name),
    ["Dora", "Emil"],
  );
  assert.deepEqual(again.added, []);
  assert.equal((await phone.post(syncDocument(again.key, { folderId: contacts }))).body.length, 0);
});

test("a phone that reads, flags and deletes is not told about it, and the server keeps it", async (t) => {
  const { server, phone } = await anInboxWith(t, "first", "second");
  const { key } = await syncFromTheStart(phone);
  const [first, second] = server.mailbox("alice").messages;
  const flag = element("Email:Flag", element("Email:Status", "2"), element("Email:FlagType", "for Follow Up"));

  const answer = readSync(
    (
      await phone.post(
        syncDocument(key, {
          parts: [
            commands(
              change(first?.id ?? "", element("Email:Read", "1"), flag),
              element("AirSync:Delete", element("AirSync:ServerId", second?.id ?? "")),
            ),
          ],
        }),
      )
    ).root,
  );
  assert.deepEqual([answer.status, answer.responses, answer.changed, answer.deleted], ["1", [], [], []]);
  assert.equal((await phone.post(syncDocument(answer.key))).body.length, 0);

  const kept = server.mailbox("alice").messages;
  assert.deepEqual(
    kept.map(({ message, folderId, read }) => [message.subject, folderId, read]),
    [
      ["first", inbox, true],
      ["second", deletedItems, false],
    ],
  );
});

test("a deletion that is no move is final, and so is one in Deleted Items", async (t) => {
  const { server, phone } = await anInboxWith(t, "first", "second");
  const { key } = await syncFromTheStart(phone);
  const [first, second] = server.mailbox("alice").messages.map(({ id }) => id);
  const remove = (id: string | undefined): Element =>
    commands(element("AirSync:Delete", element("AirSync:ServerId", id ?? "")));
  const moved = readSync((await phone.post(syncDocument(key, { parts: [remove(first)] }))).root);
  await phone.post(syncDocument(moved.key, { parts: [element("AirSync:DeletesAsMoves", "0"), remove(second)] }));
  assert.deepEqual(
    server.mailbox("alice").messages.map(({ folderId }) => folderId),
    [deletedItems],
  );

  const bin = await syncFromTheStart(phone, { folderId: deletedItems });
  const binned = textAt(bin.added[0] ?? element("AirSync:Add"), "AirSync:ServerId");
  await phone.post(syncDocument(bin.key, { folderId: deletedItems, parts: [remove(binned)] }));
  assert.deepEqual(server.mailbox("alice").messages, []);
});

test("only failures are reported of changes and deletions: an item that is gone is Status 8", async (t) => {
  const { phone } = await anInboxWith(t, "first");
  const { key } = await syncFromTheStart(phone);
  const answer = readSync(
    (
      await phone.post(
        syncDocument(key, {
          parts: [
            commands(
              change("5:999", element("Email:Read", "1")),
              element("AirSync:Delete", element("AirSync:ServerId", "5:998")),
            ),
          ],
        }),
      )
    ).root,
  );
  assert.deepEqual(
    answer.responses.map((one) => [one.tag, textAt(one, "AirSync:ServerId"), textAt(one, "AirSync:Status")]),
    [
      ["AirSync:Change", "5:999", "8"],
      ["AirSync:Delete", "5:998", "8"],
    ],
  );
});

for (const [name, folderId, property] of [
  ["a calendar entry", calendar, element("Calendar:Subject", "Dentist")],
  ["a contact", contacts, element("Contacts:LastName", "Door")],
  ["a task", tasks, element("Tasks:Subject", "Water the plants")],
] as const) {
  test(`${name} written on a phone is stored once, gets an id, and can be changed`, async (t) => {
    const { server, phone } = await anInboxWith(t);
    const { key } = readSync((await phone.post(syncDocument("0", { folderId }))).root);
    const add = element(
      "AirSync:Add",
      element("AirSync:ClientId", "c1"),
      element("AirSync:ApplicationData", property, element("AirSyncBase:Body", element("AirSyncBase:Type", "1"))),
    );
    const request = syncDocument(key, { folderId, parts: [commands(add)] });
    const first = await phone.post(request);
    const repeated = await phone.post(request);
    assert.deepEqual(repeated.body, first.body);

    const answer = readSync(first.root);
    const response = answer.responses[0] ?? element("AirSync:Add");
    const serverId = textAt(response, "AirSync:ServerId");
    assert.equal(textAt(response, "AirSync:ClientId"), "c1");
    assert.equal(textAt(response, "AirSync:Status"), "1");

    const changed = element(property.tag, "changed");
    await phone.post(syncDocument(answer.key, { folderId, parts: [commands(change(serverId, changed))] }));
    const { calendar: entries, contacts: people, tasks: todo } = server.mailbox("alice");
    const stored = [
      ...entries.map((one) => one.subject),
      ...people.map((one) => one.name),
      ...todo.map((one) => one.subject),
    ];
    assert.deepEqual(stored, ["changed"]);

    const elsewhere = await syncFromTheStart(aPhone(server, { deviceId: "TABLET" }), { folderId });
    const data = at(elsewhere.added[0] ?? element("AirSync:Add"), "AirSync:ApplicationData");
    assert.equal(textAt(data, property.tag), "changed");
    assert.notEqual(child(data, "AirSyncBase:Body"), undefined, "what was not sent stays as it was");
  });
}

test("mail cannot be added by a Sync: Status 6, and nothing is stored", async (t) => {
  const { server, phone } = await anInboxWith(t);
  const { key } = readSync((await phone.post(syncDocument("0"))).root);
  const add = element(
    "AirSync:Add",
    element("AirSync:ClientId", "c1"),
    element("AirSync:ApplicationData", element("Email:Subject", "forged")),
  );
  const answer = readSync((await phone.post(syncDocument(key, { parts: [commands(add)] }))).root);
  assert.equal(textAt(answer.responses[0] ?? element("AirSync:Add"), "AirSync:Status"), "6");
  assert.deepEqual(server.mailbox("alice").messages, []);
});

test("one item can be fetched whole inside a Sync", async (t) => {
  const { server, phone } = await anInboxWith(t, "first");
  const { key } = await syncFromTheStart(phone);
  const id = server.mailbox("alice").messages[0]?.id ?? "";
  const fetch = commands(element("AirSync:Fetch", element("AirSync:ServerId", id)));
  const { responses } = readSync((await phone.post(syncDocument(key, { parts: [fetch] }))).root);
  const body = at(responses[0] ?? element("AirSync:Fetch"), "AirSync:ApplicationData", "AirSyncBase:Body");
  assert.equal(textAt(body, "AirSyncBase:Data"), "About first.");
});
