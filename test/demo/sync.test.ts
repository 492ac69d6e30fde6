import assert from "node:assert/strict";
import { test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import {
  aMailServer,
  aPhone,
  anInboxWith,
  at,
  change,
  commands,
  contacts,
  inbox,
  noon,
  readSync,
  send,
  subjects,
  syncCollection,
  syncDocument,
  syncFromTheStart,
  textAt,
} from "./wire.ts";

test("a phone primes a folder with key 0, gets its messages with the next key, the newest first, and then nothing", async (t) => {
  const { phone } = await anInboxWith(t, "first", "second");

  const primed = readSync((await phone.post(syncDocument("0"))).root);
  assert.equal(primed.status, "1");
  assert.deepEqual(primed.added, []);

  const filled = readSync((await phone.post(syncDocument(primed.key))).root);
  assert.deepEqual(subjects(filled.added), ["second", "first"]);
  assert.notEqual(filled.key, primed.key);

  const quiet = await phone.post(syncDocument(filled.key));
  assert.equal(quiet.httpStatus, 200);
  assert.equal(quiet.headers["content-length"], "0");
  assert.equal(quiet.headers["content-type"], undefined);
});

test("a collection answers with key, id and status in the order that the Android mail program needs", async (t) => {
  const { phone } = await anInboxWith(t, "first");
  const primed = await phone.post(syncDocument("0"));
  const filled = await phone.post(syncDocument(readSync(primed.root).key));
  for (const { root } of [primed, filled]) {
    const collection = at(root, "AirSync:Collections", "AirSync:Collection");
    const tags = collection.content.flatMap((part) => (typeof part === "object" && "tag" in part ? [part.tag] : []));
    assert.deepEqual(tags.slice(0, 3), ["AirSync:SyncKey", "AirSync:CollectionId", "AirSync:Status"]);
  }
});

test("an answer that was lost is given again, word for word, and nothing happens twice", async (t) => {
  const { server, phone } = await anInboxWith(t, "first");
  const { key } = await syncFromTheStart(phone);
  server.deliver("alice", { from: "carol@demo.example", subject: "second", text: "." });

  const lost = await phone.post(syncDocument(key));
  server.deliver("alice", { from: "carol@demo.example", subject: "third", text: "." });
  const again = await phone.post(syncDocument(key));
  assert.deepEqual(again.body, lost.body);
  assert.deepEqual(subjects(readSync(again.root).added), ["second"]);

  const next = readSync((await phone.post(syncDocument(readSync(again.root).key))).root);
  assert.deepEqual(subjects(next.added), ["third"]);
});

test("a key that this server never gave is refused with Status 3 and key 0, and costs no other phone anything", async (t) => {
  const { server, phone } = await anInboxWith(t, "first");
  const { key } = await syncFromTheStart(phone);

  const refused = readSync((await phone.post(syncDocument("{50535451-0000-4000-8000-000000000001}2"))).root);
  assert.deepEqual({ key: refused.key, status: refused.status }, { key: "0", status: "3" });
  assert.equal((await phone.post(syncDocument(key))).body.length, 0, "the real key is still good");

  const otherPhone = readSync((await aPhone(server, { deviceId: "PHONE2" }).post(syncDocument(key))).root);
  assert.equal(otherPhone.status, "3", "a key of one phone is not good on another");
  const otherFolder = readSync((await phone.post(syncDocument(key, { folderId: contacts }))).root);
  assert.equal(otherFolder.status, "3", "nor in another folder");
});

test("two keys back is one too many", async (t) => {
  const { server, phone } = await anInboxWith(t, "first");
  const primed = readSync((await phone.post(syncDocument("0"))).root);
  const second = readSync((await phone.post(syncDocument(primed.key))).root);
  server.deliver("alice", { from: "carol@demo.example", subject: "second", text: "." });
  await phone.post(syncDocument(second.key));
  assert.equal(readSync((await phone.post(syncDocument(primed.key))).root).status, "3");
});

test("a large folder comes in windows, each announced by the one before it", async (t) => {
  const { phone } = await anInboxWith(t, "1", "2", "3", "4", "5");
  let { key } = readSync((await phone.post(syncDocument("0"))).root);
  const windows: (readonly string[])[] = [];
  for (let more = true; more;) {
    const answer = readSync(
      (await phone.post(syncDocument(key, { parts: [element("AirSync:WindowSize", "2")] }))).root,
    );
    windows.push(subjects(answer.added));
    ({ key, more } = answer);
  }
  assert.deepEqual(windows, [["5", "4"], ["3", "2"], ["1"]]);
});

test("what changes and what goes away on the server reaches the phone", async (t) => {
  const { server, phone } = await anInboxWith(t, "first", "second");
  const { key } = await syncFromTheStart(phone);
  const [first, second] = server.mailbox("alice").messages;
  const laptop = aPhone(server, { deviceId: "LAPTOP" });
  const other = await syncFromTheStart(laptop);
  await laptop.post(
    syncDocument(other.key, {
      parts: [
        commands(
          change(first?.id ?? "", element("Email:Read", "1")),
          element("AirSync:Delete", element("AirSync:ServerId", second?.id ?? "")),
        ),
      ],
    }),
  );

  const news = readSync((await phone.post(syncDocument(key))).root);
  assert.deepEqual(news.deleted, [second?.id]);
  assert.deepEqual(
    news.changed.map((one) => textAt(one, "AirSync:ApplicationData", "Email:Read")),
    ["1"],
  );
});

const DAY_MS = 86_400_000;

test("a phone that keeps one week of mail loses the older mail softly when it narrows its window", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const daysAgo = (days: number): Date => new Date(noon.getTime() - days * DAY_MS);
  server.deliver("alice", { from: "carol@demo.example", subject: "old", text: ".", receivedAt: daysAgo(20) });
  server.deliver("alice", { from: "carol@demo.example", subject: "new", text: ".", receivedAt: daysAgo(2) });
  const filter = (value: string): Element => element("AirSync:Options", element("AirSync:FilterType", value));

  const all = await syncFromTheStart(phone, { parts: [filter("0")] });
  assert.deepEqual(subjects(all.added), ["new", "old"]);
  const week = readSync((await phone.post(syncDocument(all.key, { parts: [filter("3")] }))).root);
  assert.equal(week.softDeleted.length, 1);
  // Options that are not said again stay in force.
  assert.equal((await phone.post(syncDocument(week.key))).body.length, 0);
});

test("from 14.0 a collection without news is left out; 12.1 hears of every one", async (t) => {
  const { server } = await anInboxWith(t);
  for (const [version, expected] of [
    ["14.1", 1],
    ["12.1", 2],
  ] as const) {
    const phone = aPhone(server, { version, deviceId: `V${version.replace(".", "")}` });
    const both = (one: string, other: string): Element =>
      element(
        "AirSync:Sync",
        element("AirSync:Collections", syncCollection(one, inbox), syncCollection(other, contacts)),
      );
    const keys = at((await phone.post(both("0", "0"))).root, "AirSync:Collections").content.map((collection) =>
      typeof collection === "object" && "tag" in collection ? textAt(collection, "AirSync:SyncKey") : "",
    );
    server.deliver("alice", { from: "carol@demo.example", subject: "news", text: "." });
    const answer = await phone.post(both(keys[0] ?? "", keys[1] ?? ""));
    assert.equal(at(answer.root, "AirSync:Collections").content.length, expected, version);
  }
});

test("a folder that is not there is Status 12: the phone must ask for the folders first", async (t) => {
  const { phone } = await anInboxWith(t);
  assert.equal(textAt((await phone.post(syncDocument("0", { folderId: "77" }))).root, "AirSync:Status"), "12");
});

test("the body decides what runs, whatever the URL says", async (t) => {
  const { server, phone } = await anInboxWith(t, "first");
  const { root } = await phone.post(syncDocument("0"), { command: "FolderSync" });
  assert.equal(root.tag, "AirSync:Sync");
  assert.equal(server.journal().at(-1)?.understood?.command, "Sync");
});

test("two mailboxes are two worlds, even for one phone", async (t) => {
  const { server, phone } = await anInboxWith(t, "for alice");
  const { key } = await syncFromTheStart(phone);
  const asBob = aPhone(server, { user: "bob" });
  assert.equal(readSync((await asBob.post(syncDocument(key))).root).status, "3");
  assert.deepEqual((await syncFromTheStart(asBob)).added, []);
  // Whose mailbox it is follows from the password, not from the URL.
  const asked = await send(server.url, {
    path: `/Microsoft-Server-ActiveSync?Cmd=Sync&User=alice&DeviceId=PHONE1&DeviceType=Test`,
    headers: { Authorization: "Basic Ym9iOmJvYi1kZW1v", "MS-ASProtocolVersion": "14.1" },
  });
  assert.equal(asked.httpStatus, 200);
  assert.equal(server.journal().at(-1)?.understood?.account, "bob");
});
