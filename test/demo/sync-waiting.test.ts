import assert from "node:assert/strict";
import { test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import {
  anInboxWith,
  at,
  contacts,
  inbox,
  readSync,
  subjects,
  syncCollection,
  syncDocument,
  syncFromTheStart,
  textAt,
} from "./wire.ts";

test("an empty Sync repeats the last one; without one before it, it is Status 13", async (t) => {
  const { server, phone } = await anInboxWith(t, "first");
  const before = await phone.post(undefined, { command: "Sync" });
  assert.equal(textAt(before.root, "AirSync:Status"), "13");

  const { key } = await syncFromTheStart(phone);
  assert.equal((await phone.post(syncDocument(key))).body.length, 0);
  server.deliver("alice", { from: "carol@demo.example", subject: "second", text: "." });
  const repeated = readSync((await phone.post(undefined, { command: "Sync" })).root);
  assert.deepEqual(subjects(repeated.added), ["second"]);
});

test("a Partial Sync names only what is new; without a request to complete it from, it is Status 13", async (t) => {
  const { server, phone } = await anInboxWith(t);
  const partial = (key: string): Element =>
    element("AirSync:Sync", element("AirSync:Partial"), element("AirSync:Collections", syncCollection(key, inbox)));
  assert.equal(textAt((await phone.post(partial("0"))).root, "AirSync:Status"), "13");

  const primed = await phone.post(
    element("AirSync:Sync", element("AirSync:Collections", syncCollection("0", inbox), syncCollection("0", contacts))),
  );
  const [inboxKey, contactsKey] = at(primed.root, "AirSync:Collections").content.map((collection) =>
    typeof collection === "object" && "tag" in collection ? textAt(collection, "AirSync:SyncKey") : "",
  );
  await phone.post(
    element(
      "AirSync:Sync",
      element(
        "AirSync:Collections",
        syncCollection(inboxKey ?? "", inbox),
        syncCollection(contactsKey ?? "", contacts),
      ),
    ),
  );
  server.deliver("alice", { from: "carol@demo.example", subject: "news", text: "." });
  assert.deepEqual(subjects(readSync((await phone.post(partial(inboxKey ?? ""))).root).added), ["news"]);
});

for (const [name, more, status, limit] of [
  [
    "both kinds of waiting",
    [element("AirSync:Wait", "5"), element("AirSync:HeartbeatInterval", "300")],
    "4",
    undefined,
  ],
  ["no minutes", [element("AirSync:Wait", "0")], "14", "1"],
  ["an hour", [element("AirSync:Wait", "60")], "14", "59"],
  ["59 seconds", [element("AirSync:HeartbeatInterval", "59")], "14", "60"],
  ["3541 seconds", [element("AirSync:HeartbeatInterval", "3541")], "14", "3540"],
] as const) {
  test(`a Sync that wants to wait with ${name} gets Status ${status}`, async (t) => {
    const { phone } = await anInboxWith(t);
    const { root } = await phone.post(syncDocument("0", { more }));
    assert.equal(textAt(root, "AirSync:Status"), status);
    if (limit !== undefined) assert.equal(textAt(root, "AirSync:Limit"), limit);
  });
}

test("a waiting Sync ends with the new message as soon as it is there", async (t) => {
  const { server, phone } = await anInboxWith(t, "first");
  const { key } = await syncFromTheStart(phone);
  const waiting = phone.post(syncDocument(key, { more: [element("AirSync:Wait", "10")] }));
  await server.whenParked(1);
  server.deliver("alice", { from: "carol@demo.example", subject: "second", text: "." });
  assert.deepEqual(subjects(readSync((await waiting).root).added), ["second"]);
  assert.equal(server.parked(), 0);
});

test("a waiting Sync whose time is up is an empty answer, and one that another Sync replaces too", async (t) => {
  const { server, phone } = await anInboxWith(t);
  const { key } = readSync((await phone.post(syncDocument("0"))).root);
  const document = syncDocument(key, { more: [element("AirSync:HeartbeatInterval", "60")] });
  const first = phone.post(document);
  await server.whenParked(1);
  server.passSeconds(60);
  assert.equal((await first).body.length, 0);

  const second = phone.post(document);
  await server.whenParked(1);
  assert.equal((await phone.post(syncDocument(key))).body.length, 0);
  assert.equal((await second).body.length, 0);
});
