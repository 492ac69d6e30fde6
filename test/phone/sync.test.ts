import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { child, element, has, text } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { folders, mail, nothing, removed, synced, syncRefused, threeFolders } from "./support/documents.ts";
import { asked, newPhone, subjects, usedPhone, withCode } from "./support/phones.ts";
import type { Received } from "./support/scripted-server.ts";

function collectionOf(request: Received | undefined): Element {
  const list = request?.root && child(request.root, "AirSync:Collections");
  const collection = list && child(list, "AirSync:Collection");
  assert.ok(collection);
  return collection;
}

suite("a folder on a phone", () => {
  test("is primed, filled window by window, and then left alone", async (t) => {
    const { phone, server } = await newPhone(t, [
      folders("h1", threeFolders),
      synced("k1"),
      synced("k2", { more: true, commands: [mail("m1", "One"), mail("m2", "Two")] }),
      synced("k3", { commands: [mail("m3", "Three")] }),
      nothing,
    ]);
    await phone.folderSync();
    const result = await phone.sync("Inbox", { windowSize: 2 });
    assert.deepEqual(result, { kind: "ok", added: 3, changed: 0, deleted: 0, resets: 0, rounds: 3, present: true });
    assert.deepEqual(subjects(phone).sort(), ["One", "Three", "Two"]);
    await phone.sync("Inbox");
    assert.deepEqual(asked(server), [
      "FolderSync 0",
      "Sync 0 inbox",
      "Sync k1 inbox",
      "Sync k2 inbox",
      "Sync k3 inbox",
    ]);
  });

  test("is asked for in the order of the schema, and without wishes at key 0", async (t) => {
    const { phone, server } = await newPhone(t, [folders("h1", threeFolders), synced("k1"), nothing]);
    await phone.folderSync();
    await phone.sync("Inbox", { windowSize: 7, filter: "3-days" });
    assert.deepEqual(
      collectionOf(server.received[1]).content.map((part) =>
        typeof part === "object" && "tag" in part ? part.tag : "",
      ),
      ["AirSync:SyncKey", "AirSync:CollectionId"],
    );
    assert.deepEqual(collectionOf(server.received[2]).content, [
      element("AirSync:SyncKey", "k1"),
      element("AirSync:CollectionId", "inbox"),
      element("AirSync:DeletesAsMoves", "1"),
      element("AirSync:GetChanges", "1"),
      element("AirSync:WindowSize", "7"),
      element(
        "AirSync:Options",
        element("AirSync:FilterType", "2"),
        element("AirSync:MIMESupport", "0"),
        element(
          "AirSyncBase:BodyPreference",
          element("AirSyncBase:Type", "1"),
          element("AirSyncBase:TruncationSize", "4096"),
        ),
      ),
    ]);
  });

  test("names its class and wishes for truncation in 2.5", async (t) => {
    const { phone, server } = await usedPhone(t, [synced("k2")], { protocolVersion: "2.5" });
    await phone.sync("Inbox");
    const collection = collectionOf(server.received[0]);
    assert.equal(text(collection, "AirSync:Class"), "Email");
    assert.equal(text(collection, "AirSync:GetChanges"), "");
    const options = child(collection, "AirSync:Options");
    assert.ok(
      options !== undefined && has(options, "AirSync:Truncation") && !has(options, "AirSyncBase:BodyPreference"),
    );
  });

  test("follows what changes on the server", async (t) => {
    const read = element("Email:Read", "1");
    const change = element(
      "AirSync:Change",
      element("AirSync:ServerId", "m1"),
      element("AirSync:ApplicationData", read),
    );
    const { phone } = await usedPhone(t, [
      synced("k2", { commands: [mail("m2", "Two"), change] }),
      synced("k3", { commands: [removed("m2")] }),
    ]);
    await phone.sync("Inbox");
    assert.deepEqual(
      phone.inbox().map((message) => [message.subject, message.read, message.preview]),
      [
        ["Two", false, "About Two."],
        ["Old news", true, "Nothing much."],
      ],
    );
    await phone.sync("Inbox");
    assert.deepEqual(subjects(phone), ["Old news"]);
  });

  test("keeps its key and its items when the server has nothing to say", async (t) => {
    const { phone } = await usedPhone(t, [nothing, synced("k1"), element("AirSync:Sync")]);
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await phone.sync("Inbox")).kind, "ok");
      assert.equal(phone.folders()[0]?.syncKey, "k1");
      assert.deepEqual(subjects(phone), ["Old news"]);
    }
  });

  test("takes the messages of a server that gives them with the first key", async (t) => {
    const { phone } = await newPhone(t, [
      folders("h1", threeFolders),
      synced("k1", { commands: [mail("m1", "One")] }),
      nothing,
    ]);
    await phone.folderSync();
    await phone.sync("Inbox");
    assert.deepEqual(subjects(phone), ["One"]);
  });

  test("is waited for with the element of each version", async (t) => {
    const held = async (protocolVersion: "12.0" | "12.1" | "14.1"): Promise<Element | undefined> => {
      const { phone, server } = await usedPhone(t, [synced("k2")], { protocolVersion });
      await phone.sync("Inbox", { wait: 120 });
      return server.received[0]?.root;
    };
    const [none, minutes, seconds] = [await held("12.0"), await held("12.1"), await held("14.1")];
    assert.ok(none && !has(none, "AirSync:Wait") && !has(none, "AirSync:HeartbeatInterval"));
    assert.equal(minutes && text(minutes, "AirSync:Wait"), "2");
    assert.equal(seconds && text(seconds, "AirSync:HeartbeatInterval"), "120");
  });
});

suite("a phone whose key is refused", () => {
  test("drops the folder's messages, goes to key 0 and synchronises again", async (t) => {
    const { phone, server } = await usedPhone(t, [
      synced("0", { status: 3 }),
      synced("g1"),
      synced("g2", { commands: [mail("n1", "A notice")] }),
    ]);
    const result = await phone.sync("Inbox");
    assert.deepEqual(result.kind === "ok" && [result.resets, result.added], [1, 1]);
    assert.deepEqual(asked(server), ["Sync k1 inbox", "Sync 0 inbox", "Sync g1 inbox"]);
    assert.deepEqual(subjects(phone), ["A notice"]);
    assert.equal(phone.folders()[0]?.resets, 1);
    assert.deepEqual(phone.losses(), []);
  });

  test("does so between two windows as well", async (t) => {
    const { phone } = await usedPhone(t, [
      synced("k2", { more: true, commands: [mail("m2", "Two")] }),
      synced("0", { status: 3 }),
      synced("g1"),
      synced("g2", { commands: [mail("n1", "A notice")] }),
    ]);
    await phone.sync("Inbox");
    assert.deepEqual(subjects(phone), ["A notice"]);
  });

  test("leaves the other folders as they are", async (t) => {
    const { phone } = await usedPhone(t, [synced("0", { status: 3 }), synced("g1"), nothing]);
    await phone.sync("Inbox");
    assert.deepEqual(
      phone.folders().map((folder) => folder.syncKey),
      ["g1", "c1", "p1"],
    );
  });

  test("gives up on a server that refuses every key", async (t) => {
    const { phone, server } = await usedPhone(t, (request, count) => {
      const key = text(collectionOf(request), "AirSync:SyncKey");
      return key === "0" ? synced(`g${count}`) : synced("0", { status: 3 });
    });
    await assert.rejects(phone.sync("Inbox"), withCode("sync-loop"));
    assert.ok(server.received.length < 10);
  });

  test("gives up on a server that refuses key 0", async (t) => {
    const { phone, server } = await usedPhone(t, () => synced("0", { status: 3 }));
    await assert.rejects(phone.sync("Inbox"), withCode("sync-loop"));
    assert.equal(server.received.length, 2);
  });

  // Android reads one element after the other, so the key that comes last is the key that it keeps.
  test("is led in circles by an answer whose status comes before the old key", async (t) => {
    const backwards = element(
      "AirSync:Sync",
      element(
        "AirSync:Collections",
        element(
          "AirSync:Collection",
          element("AirSync:CollectionId", "inbox"),
          element("AirSync:Status", "3"),
          element("AirSync:SyncKey", "k1"),
        ),
      ),
    );
    const { phone, server } = await usedPhone(t, () => backwards);
    await assert.rejects(phone.sync("Inbox"), withCode("sync-loop"));
    assert.ok(asked(server).every((request) => request === "Sync k1 inbox"));
  });
});

suite("a phone that is told to do something else first", () => {
  test("fetches the folders at status 12 and then synchronises", async (t) => {
    const { phone, server } = await usedPhone(t, [
      syncRefused(12),
      folders("h2", { add: [["junk", "Junk", 12]] }),
      synced("k2", { commands: [mail("m2", "Two")] }),
    ]);
    assert.equal((await phone.sync("Inbox")).kind, "ok");
    assert.deepEqual(asked(server), ["Sync k1 inbox", "FolderSync h1", "Sync k1 inbox"]);
    assert.deepEqual(subjects(phone), ["Old news", "Two"].toReversed());
    assert.equal(phone.folders().length, 4);
  });

  test("ends quietly where its folder is gone then", async (t) => {
    const { phone } = await usedPhone(t, [syncRefused(12), folders("h2", { remove: ["inbox"] })]);
    const result = await phone.sync("Inbox");
    assert.equal(result.kind === "ok" && result.present, false);
    assert.deepEqual(phone.inbox(), []);
  });

  test("does not fetch the folders for ever", async (t) => {
    const { phone, server } = await usedPhone(t, ({ root }) =>
      root?.tag === "AirSync:Sync" ? syncRefused(12) : folders("h1"),
    );
    assert.deepEqual(await phone.sync("Inbox"), { kind: "command-status", command: "Sync", commandStatus: 12 });
    assert.equal(server.received.length, 3);
  });

  test("repeats a request in full at status 13", async (t) => {
    const { phone, server } = await usedPhone(t, [syncRefused(13), synced("k2", { commands: [mail("m2", "Two")] })]);
    assert.equal((await phone.sync("Inbox", { repeat: true })).kind, "ok");
    assert.deepEqual(asked(server), ["Sync", "Sync k1 inbox"]);
    assert.equal(server.received[0]?.bytes.length, 0);
  });

  test("does not ask for a repetition before 12.1", async (t) => {
    const { phone, server } = await usedPhone(t, [synced("k2")], { protocolVersion: "12.0" });
    await phone.sync("Inbox", { repeat: true });
    assert.deepEqual(asked(server), ["Sync k1 inbox"]);
  });

  test("does not repeat what was refused in full", async (t) => {
    const { phone } = await usedPhone(t, () => syncRefused(13));
    assert.deepEqual(await phone.sync("Inbox"), { kind: "command-status", command: "Sync", commandStatus: 13 });
  });

  test("waits as long as the server allows at status 14", async (t) => {
    const { phone, server } = await usedPhone(t, [syncRefused(14, 60), nothing]);
    assert.equal((await phone.sync("Inbox", { wait: 3600 })).kind, "ok");
    const { root } = server.received[1] ?? {};
    assert.equal(root && text(root, "AirSync:HeartbeatInterval"), "60");
  });
});

suite("a phone that is led in circles", () => {
  test("stops when more is promised under the same key", async (t) => {
    const { phone, server } = await usedPhone(t, () => synced("k1", { more: true }));
    await assert.rejects(phone.sync("Inbox"), withCode("sync-loop"));
    assert.equal(server.received.length, 1);
  });

  test("stops when there is no end to it", async (t) => {
    const { phone, server } = await usedPhone(t, (_request, count) => synced(`k${count + 1}`, { more: true }));
    await assert.rejects(phone.sync("Inbox"), withCode("sync-loop"));
    assert.equal(server.received.length, 500);
  });
});

suite("what a server may not answer", () => {
  test("a key 0 for key 0", async (t) => {
    const { phone } = await newPhone(t, [folders("h1", threeFolders), synced("0")]);
    await phone.folderSync();
    await assert.rejects(phone.sync("Inbox"), withCode("answer-unreadable"));
  });

  test("the same folder twice", async (t) => {
    const [part] = synced("k2").content;
    const twice =
      typeof part === "object" && "tag" in part
        ? element("AirSync:Sync", element("AirSync:Collections", [...part.content, ...part.content]))
        : 500;
    const { phone } = await usedPhone(t, [twice]);
    await assert.rejects(phone.sync("Inbox"), withCode("answer-unreadable"));
  });

  test("an item without a name or without content", async (t) => {
    const nameless = element("AirSync:Add", element("AirSync:ApplicationData"));
    const hollow = element("AirSync:Add", element("AirSync:ServerId", "m9"));
    const { phone } = await usedPhone(t, [
      synced("k2", { commands: [nameless] }),
      synced("k2", { commands: [hollow] }),
    ]);
    await assert.rejects(phone.sync("Inbox"), withCode("answer-unreadable"));
    await assert.rejects(phone.sync("Inbox"), withCode("answer-unreadable"));
  });
});
