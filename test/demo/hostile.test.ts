/** Documents that no phone would send: the server answers them all, and none of them is its undoing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { element } from "../../src/activesync/document.ts";
import type { Element, TagName } from "../../src/activesync/wbxml.ts";
import type { Timer } from "../../src/demo/waiting-room.ts";
import { aMailServer, aPhone, commands, contacts, readSync, syncDocument } from "./wire.ts";

const tags: readonly TagName[] = [
  "AirSync:Sync",
  "AirSync:Collections",
  "AirSync:Collection",
  "AirSync:SyncKey",
  "AirSync:CollectionId",
  "AirSync:Options",
  "AirSync:FilterType",
  "AirSync:WindowSize",
  "AirSync:Wait",
  "AirSync:Partial",
  "AirSync:Commands",
  "AirSync:Add",
  "AirSync:Change",
  "AirSync:Fetch",
  "AirSync:ServerId",
  "AirSync:ApplicationData",
  "AirSyncBase:BodyPreference",
  "AirSyncBase:Type",
  "AirSyncBase:FileReference",
  "ItemOperations:ItemOperations",
  "ItemOperations:Fetch",
  "ItemOperations:Options",
  "Ping:Ping",
  "Ping:HeartbeatInterval",
  "Ping:Folders",
  "Ping:Folder",
  "Ping:Id",
  "FolderHierarchy:FolderSync",
  "FolderHierarchy:FolderCreate",
  "FolderHierarchy:SyncKey",
  "Provision:Provision",
  "Provision:Policies",
  "Provision:Policy",
  "Settings:Settings",
  "Settings:Oof",
  "Settings:Set",
  "Search:Search",
  "Search:Store",
  "Search:Query",
  "Search:Options",
  "Search:Range",
  "ComposeMail:SendMail",
  "ComposeMail:SmartReply",
  "ComposeMail:Source",
  "ComposeMail:Mime",
  "Move:MoveItems",
  "Move:Move",
  "GetItemEstimate:GetItemEstimate",
  "GetItemEstimate:Collections",
  "GetItemEstimate:Collection",
  "254:0x05",
];

const value = fc.constantFrom(
  "",
  "0",
  "1",
  "5",
  "5:1",
  "5:1:0",
  "60",
  "-1",
  "9".repeat(40),
  "x",
  "0-9",
  "\u{1F4E8}",
  "Mailbox",
);
const { document } = fc.letrec<{ document: Element }>((tie) => ({
  document: fc
    .tuple(
      fc.constantFrom(...tags),
      fc.array(fc.oneof({ maxDepth: 6 }, value, fc.uint8Array({ maxLength: 4 }), tie("document")), { maxLength: 4 }),
    )
    .map(([tag, content]) => element(tag, content)),
}));

// Whose namespace is its own name is a command, and so are a few others: nothing else would get beyond the door.
const roots = tags.filter((tag) =>
  /^(\w+):\1$|:(?:Sync|FolderSync|FolderCreate|SendMail|SmartReply|MoveItems)$/.test(tag),
);
const root = fc
  .tuple(fc.constantFrom(...roots), fc.array(fc.oneof(value, document), { maxLength: 4 }))
  .map(([tag, content]) => element(tag, content));

/** What waits has waited long enough at once. */
const impatient: Timer = (_, callback) => {
  const immediate = setImmediate(callback);
  return () => clearImmediate(immediate);
};

test("no document, however odd, makes the server fail", async (t) => {
  const server = await aMailServer(t, { timer: impatient });
  server.deliver("alice", { from: "carol@demo.example", subject: "s", text: "." });
  await fc.assert(
    fc.asyncProperty(root, fc.constantFrom("12.1", "14.1"), async (document, version) => {
      const { httpStatus } = await aPhone(server, { version }).post(document);
      assert.ok(httpStatus < 500 || httpStatus === 501 || httpStatus === 503, `HTTP ${httpStatus}`);
      assert.equal(server.journal().at(-1)?.failure, undefined);
    }),
    { numRuns: 300 },
  );
});

test("what a phone stores comes back as deep as it was sent", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  let deep: Element = element("Contacts:FirstName", "Dora");
  // Six elements are around it on the way up, and as many on the way down; 32 is the most that can be written.
  for (let depth = 0; depth < 25; depth += 1) deep = element("Contacts:Children", deep);
  const { key } = readSync((await phone.post(syncDocument("0", { folderId: contacts }))).root);
  const add = element("AirSync:Add", element("AirSync:ClientId", "c1"), element("AirSync:ApplicationData", deep));
  const stored = await phone.post(syncDocument(key, { folderId: contacts, parts: [commands(add)] }));
  assert.equal(readSync(stored.root).status, "1");

  const tablet = aPhone(server, { deviceId: "TABLET" });
  const primed = readSync((await tablet.post(syncDocument("0", { folderId: contacts }))).root);
  const { added } = readSync((await tablet.post(syncDocument(primed.key, { folderId: contacts }))).root);
  assert.equal(added.length, 1);
});
