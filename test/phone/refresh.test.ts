import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { child, text } from "../../src/activesync/document.ts";
import { createPhone } from "../../src/phone/phone.ts";
import { parseState } from "../../src/phone/state.ts";
import { folders, mail, nothing, synced, syncRefused } from "./support/documents.ts";
import { asked, newPhone, phoneFor, subjects, usedPhone } from "./support/phones.ts";

suite("opening the mail app", () => {
  test("takes the policy, the folders, the outbox and all mail, in that order", async (t) => {
    const { phone, server } = await newPhone(t, ({ root, query }) => {
      if (query.startsWith("Cmd=SendMail")) return nothing;
      if (root?.tag === "Provision:Provision") return 200;
      if (root?.tag === "FolderHierarchy:FolderSync") {
        return folders("h1", {
          add: [
            ["inbox", "Inbox", 2],
            ["drafts", "Drafts", 3],
            ["sent", "Sent", 5],
            ["calendar", "Calendar", 8],
          ],
        });
      }
      const collection = root && child(root, "AirSync:Collections");
      const first = collection && child(collection, "AirSync:Collection");
      const folder = (first && text(first, "AirSync:CollectionId")) ?? "";
      return first && text(first, "AirSync:SyncKey") === "0" ? synced("k1", { folder }) : nothing;
    });
    assert.equal((await phone.refresh()).kind, "ok");
    assert.deepEqual(asked(server), [
      "Provision",
      "FolderSync 0",
      "Sync 0 inbox",
      "Sync k1 inbox",
      "Sync 0 sent",
      "Sync k1 sent",
    ]);
  });

  test("asks which versions there are, where nobody has chosen one", async (t) => {
    const script = [
      { headers: { "MS-ASProtocolVersions": "2.5,12.1,14.0,16.1", "MS-ASProtocolCommands": "Sync,Ping" } },
      nothing,
      nothing,
    ];
    const { server } = await newPhone(t, script);
    const phone = createPhone({ url: server.url, user: "alice", password: "secret", deviceId: "PHONE01" });
    t.after(() => phone.close());
    await phone.provision();
    assert.deepEqual(asked(server), ["OPTIONS", "Provision", "Settings"]);
    assert.equal(phone.version(), "14.0");
  });

  test("goes on where the phone was switched off", async (t) => {
    const { phone, server } = await usedPhone(t, [synced("k2", { commands: [mail("m2", "Two")] }), nothing]);
    await phone.sync("Inbox");
    const kept: unknown = JSON.parse(JSON.stringify(phone.state()));
    const next = phoneFor(t, server.url, { state: parseState(kept) });
    await next.sync("Inbox");
    assert.deepEqual(asked(server), ["Sync k1 inbox", "Sync k2 inbox"]);
    assert.deepEqual(subjects(next), subjects(phone));
  });

  test("tells what came of one folder after it has tried the others", async (t) => {
    const { phone, server } = await usedPhone(t, [syncRefused(4), nothing, nothing]);
    assert.deepEqual(await phone.refresh(), { kind: "command-status", command: "Sync", commandStatus: 4 });
    assert.equal(server.received.length, 3);
  });

  test("stops at the first answer that concerns the whole account", async (t) => {
    const { phone, server } = await usedPhone(t, [401]);
    assert.deepEqual(await phone.refresh(), { kind: "credentials" });
    assert.equal(server.received.length, 1);
  });
});
