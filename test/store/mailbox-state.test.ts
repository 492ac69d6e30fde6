import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  emptyMailbox,
  encodeMailboxChange,
  MAILBOX_FOLDERS_LIMIT,
  parseMailbox,
  SERVER_ID_LIMIT,
} from "../../src/store/mailbox-state.ts";
import type { MailboxState } from "../../src/store/store.ts";

const now = new Date("2026-11-20T12:00:00Z");
const read = (values: Readonly<Record<string, string>>): MailboxState => parseMailbox(new Map(Object.entries(values)));
const notice = { revision: 1, digest: "a", at: now.toISOString() };
const ping = { heartbeatSeconds: 900, folders: [{ id: "5", class: "Email" }] };

suite("a mailbox state", () => {
  test("is read part by part", () => {
    const state = read({
      "folder:5": "2",
      "folder:a:b": "12",
      "issued:5": "2026-11-20T12:00:00Z",
      "unheard:Sync": "2026-11-20T12:00:00Z",
      ping: JSON.stringify(ping),
      notice: JSON.stringify(notice),
      "a field of a newer Postern": "x",
    });
    assert.deepEqual(state, {
      folders: new Map([
        ["5", 2],
        ["a:b", 12],
      ]),
      issued: new Set(["5"]),
      unheard: new Set(["Sync"]),
      ping,
      notice: { ...notice, at: now },
      warning: undefined,
    });
  });

  test("has what a warned phone has seen, with and without its parts", () => {
    const shadow = { key: "{50535451-0}3", real: "77", shows: 1 };
    for (const warning of [
      { collectionId: "5", shown: 1, dismissedAt: now, shadow },
      { collectionId: "5", shown: undefined, dismissedAt: undefined, shadow: undefined },
    ]) {
      assert.deepEqual(read({ warning: JSON.stringify(warning) }).warning, warning);
    }
    for (const broken of [
      "",
      "1",
      "{}",
      '{"collectionId":5}',
      '{"collectionId":"5","shown":0}',
      '{"collectionId":"5","shadow":{}}',
    ]) {
      assert.equal(read({ warning: broken }).warning, undefined);
    }
  });

  const dropped: readonly (readonly [string, string])[] = [
    ["folder:", "2"],
    ["folder:5", ""],
    ["folder:5", "-1"],
    ["folder:5", "2.5"],
    ["folder:5", "256"],
    ["folder:5", "two"],
    [`folder:${"x".repeat(SERVER_ID_LIMIT + 1)}`, "2"],
    ["unheard:", "2026-11-20T12:00:00Z"],
    ["unheard:Search", "2026-11-20T12:00:00Z"],
    ["issued:", "2026-11-20T12:00:00Z"],
    [`issued:${"x".repeat(SERVER_ID_LIMIT + 1)}`, ""],
    ["ping", "{"],
    ["ping", "[]"],
    ["ping", "null"],
    ["ping", JSON.stringify({ ...ping, heartbeatSeconds: -1 })],
    ["ping", JSON.stringify({ ...ping, heartbeatSeconds: 86_401 })],
    ["ping", JSON.stringify({ ...ping, heartbeatSeconds: "900" })],
    ["ping", JSON.stringify({ ...ping, folders: {} })],
    ["ping", JSON.stringify({ ...ping, folders: [null] })],
    ["ping", JSON.stringify({ ...ping, folders: [{ id: 5, class: "Email" }] })],
    [
      "ping",
      JSON.stringify({ ...ping, folders: Array.from({ length: MAILBOX_FOLDERS_LIMIT + 1 }, () => ping.folders[0]) }),
    ],
    ["notice", JSON.stringify({ ...notice, revision: 0 })],
    ["notice", JSON.stringify({ ...notice, revision: 5000 })],
    ["notice", JSON.stringify({ ...notice, revision: 1.5 })],
    ["notice", JSON.stringify({ ...notice, at: "then" })],
    ["notice", JSON.stringify({ ...notice, at: 5 })],
    ["notice", JSON.stringify({ ...notice, digest: 5 })],
    ["notice", `{"pad":"${"x".repeat(262_144)}"}`],
  ];
  for (const [field, text] of dropped) {
    test(`${field.slice(0, 20)} ${text.slice(0, 60)} is left out`, () =>
      assert.deepEqual(read({ [field]: text }), emptyMailbox));
  }

  test("remembers a key that the phone holds even where its time cannot be read", () => {
    assert.deepEqual(read({ "issued:5": "?" }).issued, new Set(["5"]));
  });

  test("whatever stands in it, reading never throws and stays within its limits", () => {
    const field = fc.oneof(
      fc.string(),
      fc.string().map((id) => `folder:${id}`),
      fc.constantFrom("ping", "notice"),
    );
    fc.assert(
      fc.property(fc.dictionary(field, fc.oneof(fc.string(), fc.json(), fc.nat().map(String))), (hash) => {
        const { folders } = read(hash);
        for (const type of folders.values()) assert.ok(type >= 0 && type <= 255);
      }),
      { numRuns: 10_000 },
    );
  });

  test("reads as many folders as its limit and no more", () => {
    const many = Object.fromEntries(
      Array.from({ length: MAILBOX_FOLDERS_LIMIT + 1 }, (_, index) => [`folder:f${index}`, "2"]),
    );
    assert.equal(read(many).folders.size, MAILBOX_FOLDERS_LIMIT);
  });
});

suite("a change of a mailbox state", () => {
  const current = new Map([
    ["folder:1", "2"],
    ["folder:2", "3"],
    ["issued:1", "t"],
    ["ping", "{}"],
  ]);

  test("that replaces the folders removes those that are not named again, and touches nothing else", () => {
    const change = {
      folders: {
        replace: true,
        set: new Map([
          ["2", 4],
          ["3", 5],
        ]),
        remove: [],
      },
    };
    assert.deepEqual(encodeMailboxChange(change, current, now), {
      set: new Map([
        ["folder:2", "4"],
        ["folder:3", "5"],
      ]),
      remove: ["folder:1"],
    });
  });

  test("that drains and issues the same key issues it", () => {
    const { set, remove } = encodeMailboxChange({ issue: ["1"], drained: ["1", "2"] }, current, now);
    assert.deepEqual(set, new Map([["issued:1", now.toISOString()]]));
    assert.deepEqual(remove, ["issued:2"]);
  });

  test("that says of a command both that upstream has heard it and that it has not: it has not", () => {
    const { set, remove } = encodeMailboxChange({ heard: ["Sync", "Ping"], unheard: ["Ping"] }, current, now);
    assert.deepEqual(set, new Map([["unheard:Ping", now.toISOString()]]));
    assert.deepEqual(remove, ["unheard:Sync"]);
  });

  test("leaves out what could not be read again", () => {
    const folders = new Map([
      ["", 2],
      ["x".repeat(SERVER_ID_LIMIT + 1), 2],
      ["5", -1],
      ["6", 2.5],
      ["7", 256],
      ["8", 255],
    ]);
    const change = { folders: { replace: false, set: folders, remove: [] }, issue: ["", "9"] };
    assert.deepEqual([...encodeMailboxChange(change, new Map(), now).set.keys()], ["folder:8", "issued:9"]);
  });

  test("adds as many issued keys as the limit, and no more", () => {
    const issue = Array.from({ length: MAILBOX_FOLDERS_LIMIT + 1 }, (_, index) => `${index}`);
    assert.equal(encodeMailboxChange({ issue }, new Map(), now).set.size, MAILBOX_FOLDERS_LIMIT);
    assert.equal(
      encodeMailboxChange(
        { issue },
        new Map([
          ["issued:0", "t"],
          ["issued:x", "t"],
        ]),
        now,
      ).set.size,
      MAILBOX_FOLDERS_LIMIT - 1,
    );
  });
});
