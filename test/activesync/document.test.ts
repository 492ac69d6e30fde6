import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { child, children, element, has, only, text, textOf } from "../../src/activesync/document.ts";
import { decode } from "../../src/activesync/wbxml.ts";
import { readCapture } from "../support/captures.ts";
import { refusalBy } from "../support/wbxml-refusal.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const add = (id: string) => element("AirSync:Add", element("AirSync:ServerId", id));

suite("building", () => {
  test("takes text, bytes and elements in the order in which they are given", () => {
    assert.deepEqual(element("AirSync:Sync", "a", bytes(1), element("AirSync:Add")), {
      tag: "AirSync:Sync",
      content: ["a", bytes(1), { tag: "AirSync:Add", content: [] }],
    });
  });

  test("leaves out what is undefined, and spreads lists", () => {
    assert.deepEqual(
      element("AirSync:Sync", undefined, [element("AirSync:Add"), undefined, "a"], [], [bytes(1, 2)]).content,
      [element("AirSync:Add"), "a", bytes(1, 2)],
    );
  });

  test("keeps empty text, which is not the same as none", () => {
    assert.deepEqual(element("AirSync:SyncKey", "").content, [""]);
  });
});

suite("reading", () => {
  const root = element("AirSync:Commands", "stray", bytes(1), add("1"), element("AirSync:Delete"), add("2"));

  test("finds children by their tag, and nothing deeper", () => {
    assert.deepEqual(child(root, "AirSync:Add"), add("1"));
    assert.deepEqual(children(root, "AirSync:Add"), [add("1"), add("2")]);
    assert.equal(child(root, "AirSync:ServerId"), undefined);
    assert.deepEqual(children(root, "AirSync:ServerId"), []);
    assert.equal(has(root, "AirSync:Delete"), true);
    assert.equal(has(root, "AirSync:ServerId"), false);
  });

  test("tells the same name on two code pages apart", () => {
    const parent = element("AirSync:Sync", element("Email:Status", "1"));
    assert.equal(text(parent, "AirSync:Status"), undefined);
    assert.equal(text(parent, "Email:Status"), "1");
  });

  test("takes one or none, and refuses two", () => {
    assert.deepEqual(only(root, "AirSync:Delete"), element("AirSync:Delete"));
    assert.equal(only(root, "AirSync:Fetch"), undefined);
    assert.deepEqual(
      refusalBy(() => only(root, "AirSync:Add")),
      { code: "duplicate-element", offset: undefined },
    );
  });

  test("refuses two even where they are equal, or one object", () => {
    const key = element("AirSync:SyncKey", "1");
    assert.equal(
      refusalBy(() => only(element("AirSync:Collection", key, key), "AirSync:SyncKey"))?.code,
      "duplicate-element",
    );
  });

  test("reads text from strings and bytes together", () => {
    assert.equal(textOf(element("AirSync:SyncKey", "a", bytes(0xc3, 0xa9), "b")), "aéb");
    assert.equal(textOf(element("AirSync:SyncKey", bytes())), "");
    assert.equal(textOf(element("AirSync:SyncKey", "")), "");
    assert.equal(textOf(element("AirSync:SyncKey")), "");
    assert.equal(text(element("AirSync:Collection", element("AirSync:SyncKey")), "AirSync:SyncKey"), "");
    assert.equal(text(element("AirSync:Collection"), "AirSync:SyncKey"), undefined);
  });

  test("reads bytes that are a window on a larger memory", () => {
    const window = bytes(0x78, 0x31, 0x32, 0x78).subarray(1, 3);
    assert.equal(textOf(element("AirSync:SyncKey", window)), "12");
  });

  test("takes no text from two children", () => {
    const parent = element("AirSync:Collection", element("AirSync:SyncKey", "1"), element("AirSync:SyncKey", "2"));
    assert.equal(refusalBy(() => text(parent, "AirSync:SyncKey"))?.code, "duplicate-element");
  });

  test("refuses as text what one server would read and another would not", () => {
    const refused = [
      element("AirSync:SyncKey", "1", element("AirSync:Add"), "2"),
      element("AirSync:SyncKey", bytes(0x31, 0x00, 0x32)),
      element("AirSync:SyncKey", bytes(0xff)),
      // A letter in two halves: each server that reads them one by one sees something else.
      element("AirSync:SyncKey", bytes(0xc3), bytes(0xa9)),
    ];
    for (const parent of refused) {
      assert.deepEqual(
        refusalBy(() => textOf(parent)),
        { code: "text-refused", offset: undefined },
      );
    }
  });

  test("reads the folders of a real mailbox", () => {
    const answer = decode(readCapture("004-foldersync.response.wbxml"));
    const changes = child(answer, "FolderHierarchy:Changes") ?? element("FolderHierarchy:Changes");
    assert.equal(text(changes, "FolderHierarchy:Count"), "9");
    assert.deepEqual(
      children(changes, "FolderHierarchy:Add").map((folder) => text(folder, "FolderHierarchy:DisplayName")),
      [
        "INBOX",
        "Drafts",
        "Sent",
        "Trash",
        "Junk",
        "Templates",
        "Personal Calendar",
        "Personal Calendar",
        "Personal Address Book",
      ],
    );
  });
});
