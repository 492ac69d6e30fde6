import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { folders, foldersRefused, nothing, policy, synced, threeFolders } from "./support/documents.ts";
import { asked, newPhone, subjects, usedPhone, withCode } from "./support/phones.ts";

suite("the folders of a phone", () => {
  test("follow the server", async (t) => {
    const { phone } = await usedPhone(t, [
      folders("h2", {
        add: [
          ["junk", "Junk", 12],
          ["inbox", "Posteingang", 2],
        ],
        remove: ["contacts"],
      }),
      folders("h2"),
    ]);
    assert.deepEqual(await phone.folderSync(), { kind: "ok", added: 2, updated: 0, deleted: 1, reset: false });
    assert.deepEqual(
      phone.folders().map((folder) => folder.name),
      ["Posteingang", "Calendar", "Junk"],
    );
    assert.deepEqual(subjects(phone), ["Old news"], "a folder that has a new name keeps its content");
    assert.deepEqual(await phone.folderSync(), { kind: "ok", added: 0, updated: 0, deleted: 0, reset: false });
  });

  test("are all thrown away at status 9, and fetched again from key 0", async (t) => {
    const { phone, server } = await usedPhone(t, [foldersRefused(9), folders("g1", threeFolders)]);
    const result = await phone.folderSync();
    assert.equal(result.kind === "ok" && result.reset, true);
    assert.deepEqual(asked(server), ["FolderSync h1", "FolderSync 0"]);
    assert.deepEqual(subjects(phone), []);
    assert.ok(phone.folders().every((folder) => folder.syncKey === "0"));
  });

  test("take the outbox of a forgetful phone with them", async (t) => {
    const { phone } = await usedPhone(t, [503, foldersRefused(9), folders("g1", threeFolders)], { forgetful: true });
    await phone.send({ to: "bob@postern.test", subject: "Hello", text: "Hello." });
    await phone.folderSync();
    assert.deepEqual(phone.outbox(), []);
    assert.deepEqual(phone.losses(), [{ what: 'message "Hello"', why: "the server reset all folders" }]);
  });

  test("leave the outbox of any other phone alone", async (t) => {
    const { phone } = await usedPhone(t, [503, foldersRefused(9), folders("g1", threeFolders)]);
    await phone.send({ to: "bob@postern.test", subject: "Hello", text: "Hello." });
    await phone.folderSync();
    assert.equal(phone.outbox().length, 1);
  });

  test("are given up where even key 0 is refused", async (t) => {
    const { phone, server } = await usedPhone(t, () => foldersRefused(9));
    await assert.rejects(phone.folderSync(), withCode("sync-loop"));
    assert.equal(server.received.length, 2);
  });

  test("stay as they are at any other status", async (t) => {
    const { phone } = await usedPhone(t, [foldersRefused(6)]);
    assert.deepEqual(await phone.folderSync(), { kind: "command-status", command: "FolderSync", commandStatus: 6 });
    assert.equal(phone.folders().length, 3);
  });
});

suite("the policy of the server", () => {
  test("is taken in two steps, and its key is sent from then on", async (t) => {
    const { phone, server } = await newPhone(t, [policy(1, "111"), policy(1, "222"), folders("h1", threeFolders)]);
    assert.deepEqual(await phone.provision(), { kind: "ok", policy: "accepted" });
    await phone.folderSync();
    assert.deepEqual(
      server.received.map((request) => request.headers["x-ms-policykey"]),
      ["0", "111", "222"],
    );
  });

  test("is not needed where the server has none", async (t) => {
    const { phone, server } = await newPhone(t, [policy(2), folders("h1", threeFolders)]);
    assert.deepEqual(await phone.provision(), { kind: "ok", policy: "none" });
    await phone.folderSync();
    assert.deepEqual(
      server.received.map((request) => request.headers["x-ms-policykey"]),
      ["0", "0"],
    );
  });

  for (const [demand, answer] of [
    ["HTTP 449", 449],
    ["status 142", element("AirSync:Sync", element("AirSync:Status", "142"))],
    ["status 143", element("AirSync:Sync", element("AirSync:Status", "143"))],
    ["status 144", element("AirSync:Sync", element("AirSync:Status", "144"))],
  ] as const) {
    test(`is taken again at ${demand}, and the command repeated`, async (t) => {
      const { phone, server } = await usedPhone(t, [answer, policy(1, "111"), policy(1, "222"), synced("k2")]);
      assert.equal((await phone.sync("Inbox")).kind, "ok");
      assert.deepEqual(asked(server), ["Sync k1 inbox", "Provision", "Provision", "Sync k1 inbox"]);
      assert.equal(server.received[3]?.headers["x-ms-policykey"], "222");
    });
  }

  test("is not taken for ever", async (t) => {
    const { phone, server } = await usedPhone(t, ({ root }) =>
      root?.tag === "Provision:Provision" ? policy(1, "5") : 449,
    );
    assert.deepEqual(await phone.sync("Inbox"), { kind: "provisioning" });
    assert.equal(server.received.length, 4);
  });

  test("that orders to erase the phone is shown and not acknowledged", async (t) => {
    const wipe = element("Provision:Provision", element("Provision:Status", "1"), element("Provision:RemoteWipe"));
    const { phone, server } = await usedPhone(t, [wipe]);
    assert.deepEqual(await phone.provision(), { kind: "wipe" });
    assert.equal(server.received.length, 1);
    assert.deepEqual(subjects(phone), ["Old news"]);
  });

  test("comes with an introduction inside from 14.1, and beside it before", async (t) => {
    const { phone: newer, server: newServer } = await newPhone(t, [policy(2)]);
    await newer.provision();
    assert.equal(newServer.received[0]?.root?.content.length, 2);
    const { phone: older, server: oldServer } = await newPhone(t, [policy(2), nothing], { protocolVersion: "12.1" });
    await older.provision();
    assert.deepEqual(asked(oldServer), ["Provision", "Settings"]);
  });

  test("is spelled the old way in 2.5", async (t) => {
    const { phone, server } = await newPhone(t, [policy(2)], { protocolVersion: "2.5" });
    await phone.provision();
    assert.match(server.received[0]?.bytes.toString("latin1") ?? "", /MS-WAP-Provisioning-XML/u);
  });
});
