import assert from "node:assert/strict";
import { test } from "node:test";
import { children, element } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { aMailServer, aPhone, at, inbox, projects, textAt } from "./wire.ts";

function folderSync(key: string): Element {
  return element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", key));
}

function changes(root: Element, tag: "Add" | "Update" | "Delete"): readonly string[] {
  const found = children(at(root, "FolderHierarchy:Changes"), `FolderHierarchy:${tag}`);
  return found.map((one) =>
    tag === "Delete" ? textAt(one, "FolderHierarchy:ServerId") : textAt(one, "FolderHierarchy:DisplayName"),
  );
}

const keyOf = (root: Element): string => textAt(root, "FolderHierarchy:SyncKey");

test("key 0 brings every folder with its type; nothing new brings the same key and a count of 0", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const answer = await phone.post(folderSync("0"));
  assert.equal(answer.headers["x-ms-rp"], "12.1,14.0,14.1");
  const folders = children(at(answer.root, "FolderHierarchy:Changes"), "FolderHierarchy:Add");
  const types = folders.map((one) => [
    textAt(one, "FolderHierarchy:DisplayName"),
    textAt(one, "FolderHierarchy:Type"),
    textAt(one, "FolderHierarchy:ParentId"),
  ]);
  assert.deepEqual(types, [
    ["Calendar", "8", "0"],
    ["Contacts", "9", "0"],
    ["Deleted Items", "4", "0"],
    ["Drafts", "3", "0"],
    ["Inbox", "2", "0"],
    ["Outbox", "6", "0"],
    ["Sent Items", "5", "0"],
    ["Tasks", "7", "0"],
    ["Projects", "12", inbox],
    ["Notes", "10", "0"],
  ]);

  const again = await phone.post(folderSync(keyOf(answer.root)));
  assert.equal(keyOf(again.root), keyOf(answer.root));
  assert.equal(textAt(again.root, "FolderHierarchy:Changes", "FolderHierarchy:Count"), "0");
});

test("an unknown key is Status 9", async (t) => {
  const server = await aMailServer(t);
  const answer = await aPhone(server).post(folderSync("77"));
  assert.equal(answer.body.toString("hex"), "03016a000007564c0339000101");
});

test("folders that one phone makes, renames and deletes reach the other", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const tablet = aPhone(server, { deviceId: "TABLET" });
  let key = keyOf((await phone.post(folderSync("0"))).root);
  let other = keyOf((await tablet.post(folderSync("0"))).root);
  const hear = async (): Promise<Element> => {
    const { root } = await tablet.post(folderSync(other));
    other = keyOf(root);
    return root;
  };

  const made = await phone.post(
    element(
      "FolderHierarchy:FolderCreate",
      element("FolderHierarchy:SyncKey", key),
      element("FolderHierarchy:ParentId", "0"),
      element("FolderHierarchy:DisplayName", "Leeds"),
      element("FolderHierarchy:Type", "12"),
    ),
  );
  key = keyOf(made.root);
  const id = textAt(made.root, "FolderHierarchy:ServerId");
  assert.deepEqual(changes((await phone.post(folderSync(key))).root, "Add"), [], "its own folder is no news");
  assert.deepEqual(changes(await hear(), "Add"), ["Leeds"]);

  const renamed = await phone.post(
    element(
      "FolderHierarchy:FolderUpdate",
      element("FolderHierarchy:SyncKey", key),
      element("FolderHierarchy:ServerId", id),
      element("FolderHierarchy:ParentId", inbox),
      element("FolderHierarchy:DisplayName", "Leeds order"),
    ),
  );
  key = keyOf(renamed.root);
  assert.deepEqual(changes(await hear(), "Update"), ["Leeds order"]);

  const deletion = element(
    "FolderHierarchy:FolderDelete",
    element("FolderHierarchy:SyncKey", key),
    element("FolderHierarchy:ServerId", id),
  );
  const deleted = await phone.post(deletion);
  assert.deepEqual(
    (await phone.post(deletion)).body,
    deleted.body,
    "a repeat after a lost answer gets the same answer",
  );
  assert.deepEqual(changes(await hear(), "Delete"), [id]);
});

for (const [name, root, parts, status] of [
  [
    "a folder of that name",
    "Create",
    [
      ["ParentId", inbox],
      ["DisplayName", "Projects"],
      ["Type", "12"],
    ],
    "2",
  ],
  [
    "a folder under none",
    "Create",
    [
      ["ParentId", "77"],
      ["DisplayName", "New"],
      ["Type", "12"],
    ],
    "5",
  ],
  [
    "a second inbox",
    "Create",
    [
      ["ParentId", "0"],
      ["DisplayName", "New"],
      ["Type", "2"],
    ],
    "10",
  ],
  [
    "another name for the inbox",
    "Update",
    [
      ["ServerId", inbox],
      ["ParentId", "0"],
      ["DisplayName", "Mine"],
    ],
    "3",
  ],
  [
    "a folder in itself",
    "Update",
    [
      ["ServerId", projects],
      ["ParentId", projects],
      ["DisplayName", "P"],
    ],
    "5",
  ],
  ["the inbox gone", "Delete", [["ServerId", inbox]], "3"],
  ["something gone that is not there", "Delete", [["ServerId", "77"]], "4"],
] as const) {
  test(`a phone that wants ${name} gets Status ${status}`, async (t) => {
    const server = await aMailServer(t);
    const phone = aPhone(server);
    const key = keyOf((await phone.post(folderSync("0"))).root);
    const document = element(
      `FolderHierarchy:Folder${root}`,
      element("FolderHierarchy:SyncKey", key),
      parts.map(([tag, value]) => element(`FolderHierarchy:${tag}`, value)),
    );
    const before = server.mailbox("alice").folders;
    assert.equal(textAt((await phone.post(document)).root, "FolderHierarchy:Status"), status);
    assert.deepEqual(server.mailbox("alice").folders, before);
  });
}
