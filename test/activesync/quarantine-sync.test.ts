/** Sync in quarantine, folder by folder: what the phone says and has, and what it is answered, to the byte. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { element } from "../../src/activesync/document.ts";
import type { Part } from "../../src/activesync/document.ts";
import { answerSync, COLLECTION_LIMIT, itemData, itemId } from "../../src/activesync/quarantine-sync.ts";
import type { SyncAnswer } from "../../src/activesync/quarantine-sync.ts";
import { allHeld } from "../../src/policy/held-folders.ts";
import type { HeldFolders } from "../../src/policy/held-folders.ts";
import { protocolVersions } from "../../src/activesync/version.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import {
  addOf,
  answered,
  calendar,
  change,
  collection,
  contacts,
  drafts,
  everywhere,
  fetchOf,
  fromHex,
  hex,
  inbox,
  projects,
  remove,
  sent,
  sync,
  syncOf,
  textsIn,
} from "../support/activesync-documents.ts";
import type { CollectionParts } from "../support/activesync-documents.ts";
import { aMailbox, aView, foldersKnown, ourKey } from "../support/remediation.ts";
import type { ViewParts } from "../support/remediation.ts";

const scope = protocolVersions;

function documentOf(answer: SyncAnswer): Element {
  if (answer.kind !== "document" && answer.kind !== "nothing") throw new Error(`no document: ${answer.kind}`);
  return answer.document;
}

/** The one collection of an answer. In 2.5 a phone says in so many words that it wants changes. */
function answerTo(parts: CollectionParts, view: ViewParts = {}): Element {
  const asked: CollectionParts = view.version === "2.5" && parts.key !== "0" ? { getChanges: "", ...parts } : parts;
  const document = documentOf(answerSync(sync(asked), aView(view)));
  const [only, ...others] = everywhere(document, "AirSync:Collection");
  assert.ok(only !== undefined && others.length === 0);
  return only;
}

const adds = (revision: number, view: ViewParts, folder = inbox): Element =>
  element(
    "AirSync:Add",
    element("AirSync:ServerId", `${folder}:${2_000_000_000 + revision}`),
    element("AirSync:ApplicationData", ...itemData(aView({ ...view, revision }), undefined)),
  );
const deletes = (revision: number): Element => remove(`${inbox}:${2_000_000_000 + revision}`);
const commands = (...parts: readonly Part[]): Element => element("AirSync:Commands", ...parts);
const responses = (...parts: readonly Part[]): Element => element("AirSync:Responses", ...parts);
const refused = (tag: "AirSync:Change" | "AirSync:Delete" | "AirSync:Fetch", serverId: string): Element =>
  element(tag, element("AirSync:ServerId", serverId), element("AirSync:Status", "8"));

interface Row {
  readonly title: string;
  readonly asks: CollectionParts;
  /** 1 unless told. */
  readonly revision?: number;
  readonly expected: (view: ViewParts) => Element;
}

const notice = (revision = 1): string => itemId(inbox, revision);

const rows: readonly Row[] = [
  {
    title: "a mail folder that the phone knows from upstream starts anew",
    asks: { key: "{2e535483-2d97-4116-8c0c-a255593acf7e}7", id: inbox },
    expected: () => answered("0", inbox, "3"),
  },
  {
    title: "a mail folder starts anew whatever the phone uploads with it",
    asks: { key: "77", id: projects, commands: [change("7:12"), remove("7:13")] },
    expected: () => answered("0", projects, "3"),
  },
  {
    title: "a key of ours that was made for another folder is none",
    asks: { key: ourKey(sent), id: inbox },
    expected: () => answered("0", inbox, "3"),
  },
  {
    title: "a mail folder that starts anew gets a key and no items",
    asks: { key: "0", id: inbox },
    expected: () => answered(ourKey(inbox), inbox, "1"),
  },
  {
    title: "a phone that asks for changes along with key 0, as some do, gets a key and no items",
    asks: { key: "0", id: inbox, getChanges: "1" },
    expected: () => answered(ourKey(inbox), inbox, "1"),
  },
  {
    title: "a mail folder other than the Inbox stays empty under the same key",
    asks: { key: ourKey(sent), id: sent },
    expected: () => answered(ourKey(sent), sent, "1"),
  },
  {
    title: "an Inbox without the notice gets it",
    asks: { key: ourKey(inbox), id: inbox },
    expected: (view) => answered(ourKey(inbox, { state: 2 }), inbox, "1", commands(adds(1, view))),
  },
  {
    title: "an Inbox without the notice gets the revision of the day",
    asks: { key: ourKey(inbox, { touches: 3 }), id: inbox },
    revision: 4999,
    expected: (view) => answered(ourKey(inbox, { state: 9998, touches: 3 }), inbox, "1", commands(adds(4999, view))),
  },
  {
    title: "an Inbox with the notice stays as it is",
    asks: { key: ourKey(inbox, { state: 2 }), id: inbox },
    expected: () => answered(ourKey(inbox, { state: 2 }), inbox, "1"),
  },
  {
    title: "a notice that the person deleted stays away",
    asks: { key: ourKey(inbox, { state: 3, touches: 1 }), id: inbox },
    expected: () => answered(ourKey(inbox, { state: 3, touches: 1 }), inbox, "1"),
  },
  {
    title: "a notice of older wording is replaced",
    asks: { key: ourKey(inbox, { state: 4, touches: 1 }), id: inbox },
    revision: 5,
    expected: (view) =>
      answered(ourKey(inbox, { state: 10, touches: 1 }), inbox, "1", commands(deletes(2), adds(5, view))),
  },
  {
    title: "a notice is replaced too when the count of revisions has begun again",
    asks: { key: ourKey(inbox, { state: 9998 }), id: inbox },
    expected: (view) => answered(ourKey(inbox, { state: 2 }), inbox, "1", commands(deletes(4999), adds(1, view))),
  },
  {
    title: "a notice that the person deleted comes back with its next revision",
    asks: { key: ourKey(inbox, { state: 5 }), id: inbox },
    revision: 5,
    expected: (view) => answered(ourKey(inbox, { state: 10 }), inbox, "1", commands(adds(5, view))),
  },
  {
    title: "a read mark on the notice is taken",
    asks: { key: ourKey(inbox, { state: 2 }), id: inbox, commands: [change(notice())] },
    expected: () => answered(ourKey(inbox, { state: 2, touches: 1 }), inbox, "1"),
  },
  {
    title: "a flag on the notice is taken",
    asks: {
      key: ourKey(inbox, { state: 2, touches: 7 }),
      id: inbox,
      commands: [change(notice(), element("Email:Flag", element("Email:Status", "2")))],
    },
    expected: () => answered(ourKey(inbox, { state: 2, touches: 8 }), inbox, "1"),
  },
  {
    title: "the deletion of the notice is taken",
    asks: { key: ourKey(inbox, { state: 2 }), id: inbox, commands: [remove(notice())] },
    expected: () => answered(ourKey(inbox, { state: 3, touches: 1 }), inbox, "1"),
  },
  {
    title: "a notice that is read and deleted at once is deleted",
    asks: { key: ourKey(inbox, { state: 2 }), id: inbox, commands: [change(notice()), remove(notice())] },
    expected: () => answered(ourKey(inbox, { state: 3, touches: 1 }), inbox, "1"),
  },
  {
    title: "whoever deletes the old wording gets the new one",
    asks: { key: ourKey(inbox, { state: 2 }), id: inbox, commands: [remove(notice(1))] },
    revision: 2,
    expected: (view) => answered(ourKey(inbox, { state: 4, touches: 1 }), inbox, "1", commands(adds(2, view))),
  },
  {
    title: "a notice of older wording that is gone already is not deleted twice",
    asks: { key: ourKey(inbox, { state: 4 }), id: inbox, commands: [remove(notice(1))] },
    revision: 2,
    expected: () => answered(ourKey(inbox, { state: 4, touches: 1 }), inbox, "1"),
  },
  {
    title: "a notice of older wording can no longer be fetched",
    asks: { key: ourKey(inbox, { state: 4 }), id: inbox, commands: [fetchOf(notice(1))] },
    revision: 2,
    expected: () =>
      answered(ourKey(inbox, { state: 4, touches: 1 }), inbox, "1", responses(refused("AirSync:Fetch", notice(1)))),
  },
  {
    title: "an item with a number that no notice has is none",
    asks: {
      key: ourKey(inbox, { state: 2 }),
      id: inbox,
      commands: [remove("5:2000000000"), remove("5:1999999999"), remove("5:9999999999"), remove("5:20000000010")],
    },
    expected: () =>
      answered(
        ourKey(inbox, { state: 2, touches: 1 }),
        inbox,
        "1",
        responses(
          refused("AirSync:Delete", "5:2000000000"),
          refused("AirSync:Delete", "5:1999999999"),
          refused("AirSync:Delete", "5:9999999999"),
          refused("AirSync:Delete", "5:20000000010"),
        ),
      ),
  },
  {
    title: "the notice can be fetched",
    asks: { key: ourKey(inbox, { state: 2 }), id: inbox, commands: [fetchOf(notice())] },
    expected: (view) =>
      answered(
        ourKey(inbox, { state: 2, touches: 1 }),
        inbox,
        "1",
        responses(
          element(
            "AirSync:Fetch",
            element("AirSync:ServerId", notice()),
            element("AirSync:Status", "1"),
            element("AirSync:ApplicationData", ...itemData(aView(view), undefined)),
          ),
        ),
      ),
  },
  {
    title: "real mail cannot be fetched",
    asks: { key: ourKey(inbox, { state: 2 }), id: inbox, commands: [fetchOf("5:12")] },
    expected: () =>
      answered(ourKey(inbox, { state: 2, touches: 1 }), inbox, "1", responses(refused("AirSync:Fetch", "5:12"))),
  },
  {
    title: "changes to real mail are refused by name, for silence would mean that they are stored",
    asks: {
      key: ourKey(inbox, { state: 2 }),
      id: inbox,
      commands: [change("5:12"), remove("5:13"), change(notice()), remove("6:2000000001"), remove("5:02000000001")],
    },
    expected: () =>
      answered(
        ourKey(inbox, { state: 2, touches: 1 }),
        inbox,
        "1",
        responses(
          refused("AirSync:Change", "5:12"),
          refused("AirSync:Delete", "5:13"),
          refused("AirSync:Delete", "6:2000000001"),
          refused("AirSync:Delete", "5:02000000001"),
        ),
      ),
  },
  {
    title: "a message cannot be put into a mail folder",
    asks: { key: ourKey(projects), id: projects, commands: [addOf("c1")] },
    expected: () =>
      answered(
        ourKey(projects, { touches: 1 }),
        projects,
        "1",
        responses(element("AirSync:Add", element("AirSync:ClientId", "c1"), element("AirSync:Status", "6"))),
      ),
  },
  {
    title: "a phone that wants no changes has its upload taken, and gets the notice with its next request",
    asks: { key: ourKey(inbox, { state: 2 }), id: inbox, getChanges: "0", commands: [change(notice())] },
    revision: 2,
    expected: () => answered(ourKey(inbox, { state: 2, touches: 1 }), inbox, "1"),
  },
  {
    title: "the empty tag is one more way to want changes",
    asks: { key: ourKey(inbox), id: inbox, getChanges: "" },
    expected: (view) => answered(ourKey(inbox, { state: 2 }), inbox, "1", commands(adds(1, view))),
  },
  {
    title: "uploads along with key 0 break the protocol, and are not taken",
    asks: { key: "0", id: inbox, commands: [change("5:1")] },
    expected: () => answered("0", inbox, "4"),
  },
  {
    title: "a calendar that starts anew gets a key and no items",
    asks: { key: "0", id: calendar },
    expected: () => answered(ourKey(calendar), calendar, "1"),
  },
  {
    title: "a calendar stays as the phone has it",
    asks: { key: "77", id: calendar },
    expected: () => answered("77", calendar, "1"),
  },
  {
    title: "a calendar that began in quarantine stays empty",
    asks: { key: ourKey(calendar), id: calendar },
    expected: () => answered(ourKey(calendar), calendar, "1"),
  },
  {
    title: "drafts stay as the phone has them",
    asks: { key: "77", id: drafts },
    expected: () => answered("77", drafts, "1"),
  },
];

suite("each folder of a phone in quarantine", () => {
  for (const { title, asks, revision = 1, expected } of rows) {
    for (const version of scope) {
      test(`${title} (${version})`, () => {
        const view: ViewParts = { version, revision };
        const answer = answerTo(asks, view);
        const wanted = expected(view);
        assert.deepEqual(answer, wanted);
        assert.equal(hex(answer), hex(wanted));
        assert.equal(hex(answerTo(asks, view)), hex(answer), "the same request has the same answer");
        // A promise of more under a key that stays is a circle to phones, and the notice is all there ever is.
        assert.deepEqual(everywhere(answer, "AirSync:MoreAvailable"), []);
      });
    }
  }
});

suite("answers known by heart", () => {
  const documentTo = (parts: CollectionParts, view: ViewParts): Element =>
    documentOf(answerSync(sync(parts), aView(view)));

  test("a folder that starts anew", () => {
    for (const version of scope) {
      assert.equal(
        hex(documentTo({ key: "1-5", id: "5" }, { version })),
        "03016a00455c4f4b0330000152033500014e03330001010101",
      );
    }
  });

  test("a folder that is held where it is", () => {
    const state = aMailbox({ folders: { replace: true, set: new Map([["2", 8]]), remove: [] } });
    for (const version of scope) {
      assert.equal(
        hex(documentTo({ key: "77", id: "2" }, { version, state })),
        "03016a00455c4f4b033737000152033200014e03310001010101",
      );
    }
  });

  test("the notice in the Inbox", () => {
    const golden = fromHex(`
      03016a00455c4f4b037b35303533353435312d303030302d343030302d383030302d3030303030303030303030317d3200
      0152033500014e0331000156474d03353a3230303030303030303100015d000256036140622e6300015803697440622e63
      000154035300014f03323032362d30312d30325430333a30343a30352e3030305a000151036140622e6300017503530001
      5203320001550330000100114a46033100014c033400014d033000014b03544558540001010002530349504d2e4e6f7465
      00017903363530303100013a7c0375726e3a636f6e74656e742d636c61737365733a6d6573736167650001001156033100
      01001649c310000102030405060708090a0b0c0d0e0f014ac305000102030401010101010101`);
    for (const version of ["14.0", "14.1"] as const) {
      const view = aView({ version });
      const at = new Date("2026-01-02T03:04:05.000Z");
      const answer = documentOf(
        answerSync(sync({ key: ourKey(inbox), id: inbox }), { ...view, revision: { ...view.revision, at } }),
      );
      // These are made of secret, sender and time, and the sender of that vector has no name; all else is as it stands there.
      const own = new Map<Element["tag"], Element["content"]>([
        ["AirSync:SyncKey", ["{50535451-0000-4000-8000-000000000001}2"]],
        ["Email:From", ["it@b.c"]],
        ["Email2:ConversationId", [Uint8Array.from({ length: 16 }, (_, index) => index)]],
        ["Email2:ConversationIndex", [Uint8Array.from({ length: 5 }, (_, index) => index)]],
      ]);
      assert.equal(hex(replaced(answer, own)), hex(golden));
      assert.deepEqual(
        everywhere(answer, "Email:From").map(({ content }) => content),
        [['"IT" <it@b.c>']],
      );
    }
  });

  function replaced(document: Element, contents: ReadonlyMap<Element["tag"], Element["content"]>): Element {
    const content = contents.get(document.tag) ?? document.content;
    return {
      ...document,
      content: content.map((part) => (typeof part === "object" && "tag" in part ? replaced(part, contents) : part)),
    };
  }
});

suite("a request for several folders", () => {
  const all = (view: ViewParts, ...parts: readonly CollectionParts[]): SyncAnswer =>
    answerSync(sync(...parts), aView(view));

  test("each folder is answered on its own, in the order in which it was asked for", () => {
    const answer = all(
      { version: "12.1" },
      { key: "12", id: sent },
      { key: ourKey(inbox), id: inbox },
      { key: "34", id: calendar },
      { key: "0", id: projects },
    );
    assert.deepEqual(
      documentOf(answer),
      syncOf([
        answered("0", sent, "3"),
        answered(ourKey(inbox, { state: 2 }), inbox, "1", commands(adds(1, { version: "12.1" }))),
        answered("34", calendar, "1"),
        answered(ourKey(projects), projects, "1"),
      ]),
    );
  });

  test("from 14.0 folders of which there is nothing to say are left out", () => {
    for (const version of ["14.0", "14.1"] as const) {
      const answer = all(
        { version },
        { key: "12", id: sent },
        { key: "34", id: calendar },
        { key: ourKey(inbox, { state: 2 }), id: inbox },
      );
      assert.deepEqual(documentOf(answer), syncOf([answered("0", sent, "3")]));
    }
  });

  test("where nothing has changed in any folder, that is the answer", () => {
    for (const version of scope) {
      const answer = all({ version }, { key: "34", id: calendar }, { key: ourKey(inbox, { state: 2 }), id: inbox });
      assert.equal(answer.kind, "nothing");
    }
  });

  test("an upload to a calendar is refused, and the phone keeps it, whatever else is in the request", () => {
    for (const version of scope) {
      const status = version === "2.5" || version === "12.0" ? "5" : "16";
      const answer = all({ version }, { key: "34", id: calendar, commands: [addOf("c1")] }, { key: "12", id: inbox });
      assert.deepEqual(documentOf(answer), syncOf([answered("34", calendar, status), answered("0", inbox, "3")]));
    }
  });

  test("an upload to a calendar that began in quarantine is refused under the key that it has", () => {
    const answer = all({}, { key: ourKey(calendar), id: calendar, commands: [addOf("c1")] }, { key: "12", id: inbox });
    assert.deepEqual(
      documentOf(answer),
      syncOf([answered(ourKey(calendar), calendar, "16"), answered("0", inbox, "3")]),
    );
  });

  test("nothing but uploads to held folders is better tried again later than at once", () => {
    for (const version of scope) {
      const one = { key: "34", id: calendar, commands: [addOf("c1")] };
      const two = { key: ourKey(contacts), id: contacts, commands: [remove("9:1")] };
      assert.deepEqual(all({ version }, one, two), { kind: "come-back-later" });
    }
  });

  test("before 12.1, where no folder can be told to come later, all are, unless one of them holds mail", () => {
    const upload = { key: "34", id: calendar, commands: [addOf("c1")] };
    const still = { key: "78", id: contacts };
    for (const version of ["2.5", "12.0"] as const) {
      assert.deepEqual(all({ version }, upload, still), { kind: "come-back-later" });
      for (const other of [
        { key: ourKey(sent), id: sent },
        { key: "0", id: contacts },
      ]) {
        assert.deepEqual(textsIn(documentOf(all({ version }, upload, other)), "AirSync:Status"), ["5", "1"]);
      }
    }
    assert.deepEqual(
      documentOf(all({ version: "12.1" }, upload, still)),
      syncOf([answered("34", calendar, "16"), answered("78", contacts, "1")]),
    );
    assert.deepEqual(documentOf(all({ version: "16.1" }, upload, still)), syncOf([answered("34", calendar, "16")]));
  });

  test("a draft that was written in quarantine stays on the phone, which has drafts of the server from 16.0", () => {
    const draft = {
      key: "34",
      id: drafts,
      options: [element("AirSync:MIMESupport", "2")],
      commands: [addOf("c1"), change("3:1"), remove("3:2")],
    };
    for (const version of ["16.0", "16.1"] as const) {
      assert.deepEqual(all({ version }, draft), { kind: "come-back-later" });
      const answer = all({ version }, draft, { key: "12", id: inbox });
      assert.deepEqual(documentOf(answer), syncOf([answered("34", drafts, "16"), answered("0", inbox, "3")]));
    }
  });

  test("what was uploaded in two lists of commands is not half taken", () => {
    const [first] = everywhere(
      sync({ key: ourKey(inbox, { state: 2 }), id: inbox, commands: [change(notice())] }),
      "AirSync:Collection",
    );
    assert.ok(first !== undefined);
    const twice = { ...first, content: [...first.content, commands(remove("5:13"))] };
    assert.throws(() => answerSync(syncOf([twice]), aView()), { code: "duplicate-element" });
  });

  test("folders that get a key of ours are named, so that none is forgotten", () => {
    const answer = all(
      {},
      { key: "0", id: inbox },
      { key: "0", id: calendar },
      { key: "12", id: sent },
      { key: ourKey(projects), id: projects },
    );
    assert.ok(answer.kind === "document");
    assert.deepEqual(answer.issued, [inbox, calendar, projects]);
  });

  test("as many folders as the limit are answered, and one more is told of the limit", () => {
    const folders = Array.from({ length: COLLECTION_LIMIT + 1 }, (_, index) => ({ key: "0", id: `x${index}` }));
    const most = all({}, ...folders.slice(1));
    assert.equal(everywhere(documentOf(most), "AirSync:Collection").length, COLLECTION_LIMIT);
    const tooMany = all({}, ...folders);
    assert.deepEqual(tooMany, { kind: "refused", status: "15", limit: "200" });
  });

  test("a folder without an id, with one that cannot be remembered, or asked for twice, gets no key", () => {
    const id = "x".repeat(128);
    assert.deepEqual(documentOf(all({}, { key: "0", id })), syncOf([answered(ourKey(id), id, "1")]));
    const wrong = [
      { key: "0" },
      { key: "0", id: "" },
      { key: "0", id: `${id}x` },
      { id: inbox },
      { key: "0", id: sent },
    ];
    for (const parts of wrong) {
      const answer = all({}, { key: "12", id: sent }, parts);
      assert.deepEqual(answer, { kind: "refused", status: "4", limit: undefined });
    }
  });
});

suite("folders of which the list is not known", () => {
  const unknown = aMailbox();
  const hints: readonly (readonly [string, CollectionParts])[] = [
    ["the class, as versions before 12.1 name it", { class: "Email" }],
    ["the class among its options", { options: [element("AirSync:Class", "Email")] }],
    ["a wish for MIME", { options: [element("AirSync:MIMESupport", "2")] }],
    ["a limit for MIME", { options: [element("AirSync:MIMETruncation", "4")] }],
  ];

  for (const [title, hint] of hints) {
    test(`mail is told by ${title}`, () => {
      assert.deepEqual(answerTo({ key: "12", id: "x", ...hint }, { state: unknown }), answered("0", "x", "3"));
    });
  }

  test("mail is told by conversations", () => {
    const asked = collection({ key: "12", id: "x" });
    const request = syncOf([{ ...asked, content: [...asked.content, element("AirSync:ConversationMode", "1")] }]);
    assert.deepEqual(documentOf(answerSync(request, aView({ state: unknown }))), syncOf([answered("0", "x", "3")]));
  });

  test("mail is told by what the phone once waited for", () => {
    const state = aMailbox({
      ping: {
        heartbeatSeconds: 480,
        folders: [
          { id: "x", class: "Email" },
          { id: "y", class: "Calendar" },
        ],
      },
    });
    assert.deepEqual(answerTo({ key: "12", id: "x" }, { state }), answered("0", "x", "3"));
    assert.deepEqual(answerTo({ key: "12", id: "y" }, { state }), answered("12", "y", "1"));
  });

  test("everything else is held", () => {
    assert.deepEqual(
      answerTo({ key: "12", id: "x", options: [element("AirSync:FilterType", "4")] }, { state: unknown }),
      answered("12", "x", "1"),
    );
  });

  test("the notice is put into every mail folder until the Inbox is known", () => {
    const asks = { key: keyOf("x"), id: "x", options: [element("AirSync:MIMESupport", "0")] };
    assert.deepEqual(
      everywhere(answerTo(asks, { state: unknown }), "AirSync:ServerId").map(({ content }) => content),
      [["x:2000000001"]],
    );
    assert.deepEqual(everywhere(answerTo(asks), "AirSync:ServerId"), []);
  });

  const keyOf = (id: string): string => ourKey(id);
});

test("the phone gets the notice in the form of body that the folder asks for", () => {
  const options = [element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", "2"))];
  const answer = answerTo({ key: ourKey(inbox), id: inbox, options });
  assert.deepEqual(everywhere(answer, "AirSyncBase:Data"), [element("AirSyncBase:Data", "<p>TEXT</p>")]);
});

test("a phone that speaks 2.5 gets the notice when it says that it wants changes, and not before", () => {
  const inboxOf = (getChanges: "" | "0" | "1" | undefined): Element[] =>
    everywhere(
      documentOf(
        answerSync(
          sync({ key: ourKey(inbox), id: inbox, ...(getChanges === undefined ? {} : { getChanges }) }),
          aView({ version: "2.5" }),
        ),
      ),
      "AirSync:Add",
    );
  assert.equal(inboxOf("").length, 1);
  assert.equal(inboxOf("1").length, 1);
  assert.equal(inboxOf(undefined).length, 0);
  assert.equal(inboxOf("0").length, 0);
});

test("a notice that is fetched is whole, though the folder's own options cut it", () => {
  const cut = element(
    "AirSyncBase:BodyPreference",
    element("AirSyncBase:Type", "1"),
    element("AirSyncBase:TruncationSize", "2"),
  );
  const asks: CollectionParts = { key: ourKey(inbox, { state: 2 }), id: inbox, commands: [fetchOf(notice())] };
  assert.deepEqual(textsIn(answerTo({ ...asks, options: [cut] }), "AirSyncBase:Data"), ["TEXT"]);
  const old = answerTo({ ...asks, options: [element("AirSync:Truncation", "0")] }, { version: "2.5" });
  assert.deepEqual(textsIn(old, "Email:Body"), ["TEXT"]);
});

suite("folders without mail, as the configuration treats them", () => {
  const answerFor = (
    held: Partial<HeldFolders>,
    upstream: ReadonlyMap<string, Element> | undefined,
    ...folders: readonly CollectionParts[]
  ): SyncAnswer => answerSync(sync(...folders), aView(), { held: { ...allHeld, ...held }, upstream });

  test("what is wiped starts anew and stays empty, and what is entered there is kept on the phone", () => {
    const held = { calendar: "wipe" } as const;
    assert.deepEqual(
      documentOf(answerFor(held, undefined, { key: "34", id: calendar, commands: [addOf("c1")] })),
      syncOf([answered("0", calendar, "3")]),
    );
    const primed = answerFor(held, undefined, { key: "0", id: calendar });
    assert.deepEqual(documentOf(primed), syncOf([answered(ourKey(calendar), calendar, "1")]));
    assert.ok(primed.kind === "document");
    assert.deepEqual(primed.issued, [calendar]);
    assert.equal(answerFor(held, undefined, { key: ourKey(calendar), id: calendar }).kind, "nothing");
    assert.deepEqual(
      documentOf(
        answerFor(
          held,
          undefined,
          { key: ourKey(calendar), id: calendar, commands: [addOf("c1")] },
          { key: "1", id: sent },
        ),
      ),
      syncOf([answered(ourKey(calendar), calendar, "16"), answered("0", sent, "3")]),
    );
  });

  test("what is allowed is answered as upstream answered, in the order of the request", () => {
    const fromUpstream = answered("78", contacts, "1", commands(addOf("x")));
    const answer = answerFor(
      { contacts: "allow" },
      new Map([[contacts, fromUpstream]]),
      { key: "12", id: sent },
      { key: "77", id: contacts, commands: [addOf("c1")] },
      { key: "34", id: calendar, commands: [addOf("c2")] },
    );
    assert.deepEqual(
      documentOf(answer),
      syncOf([answered("0", sent, "3"), fromUpstream, answered("34", calendar, "16")]),
    );
    assert.ok(answer.kind === "document");
    assert.deepEqual(answer.issued, []);
  });

  test("what is allowed and unchanged upstream is unchanged", () => {
    const held = { contacts: "allow" } as const;
    assert.equal(answerFor(held, new Map(), { key: "77", id: contacts }).kind, "nothing");
    assert.equal(answerFor(held, new Map(), { key: "77", id: contacts, commands: [change("9:1")] }).kind, "nothing");
  });

  test("what is allowed waits on the phone while upstream is away", () => {
    const held = { contacts: "allow" } as const;
    assert.equal(answerFor(held, undefined, { key: "77", id: contacts }).kind, "nothing");
    const upload = { key: "77", id: contacts, commands: [change("9:1")] };
    assert.deepEqual(answerFor(held, undefined, upload), { kind: "come-back-later" });
    assert.deepEqual(answerFor(held, undefined, { key: "0", id: contacts }), { kind: "come-back-later" });
    assert.deepEqual(
      documentOf(answerFor(held, undefined, upload, { key: "12", id: inbox })),
      syncOf([answered("77", contacts, "16"), answered("0", inbox, "3")]),
    );
  });

  test("what is allowed starts anew with upstream where the phone has a key of ours", () => {
    const answer = answerFor({ calendar: "allow" }, new Map(), {
      key: ourKey(calendar),
      id: calendar,
      commands: [addOf("c")],
    });
    assert.deepEqual(documentOf(answer), syncOf([answered("0", calendar, "3")]));
    assert.ok(answer.kind === "document");
    assert.deepEqual(answer.issued, [calendar], "so that the key is remembered until the folder has started anew");
  });
});

test("the class of a folder is repeated for versions that ask for it, and for no other", () => {
  const asks = { key: "12", id: inbox, class: "Email" };
  for (const version of scope) {
    const expected = version === "2.5" || version === "12.0" ? [element("AirSync:Class", "Email")] : [];
    assert.deepEqual(everywhere(answerTo(asks, { version }), "AirSync:Class"), expected);
  }
});

test("conversations are part of the notice from 14.0", () => {
  for (const version of scope) {
    const expected = ["2.5", "12.0", "12.1"].includes(version) ? 0 : 1;
    const answer = answerTo({ key: ourKey(inbox), id: inbox }, { version });
    assert.equal(everywhere(answer, "Email2:ConversationId").length, expected, version);
    assert.equal(everywhere(answer, "Email2:ConversationIndex").length, expected, version);
  }
});

/** What a phone does between two requests, and whether the answer to a request is lost. */
const steps = fc.array(
  fc.record({
    does: fc.constantFrom("nothing", "reads", "deletes", "meddles"),
    wantsChanges: fc.boolean(),
    lost: fc.boolean(),
    reworded: fc.boolean(),
  }),
  { maxLength: 40 },
);

test("however a phone asks and whatever is lost on the way, its Inbox holds one notice or none, and no other", () => {
  fc.assert(
    fc.property(steps, (steps) => {
      let key = "0";
      let revision = 1;
      let shown = new Set<string>();
      let deleted = 0;
      for (const { does, wantsChanges, lost, reworded } of [...steps, quiet, quiet]) {
        if (reworded) revision += 1;
        const [item] = shown;
        const uploads = key === "0" ? [] : uploadsOf(does, item);
        if (does === "deletes" && item !== undefined) {
          shown.delete(item);
          deleted = Number(item.slice(`${inbox}:`.length)) - 2_000_000_000;
        }
        const asks: CollectionParts = {
          key,
          id: inbox,
          ...(key === "0" ? {} : { getChanges: wantsChanges ? "1" : "0" }),
          ...(uploads.length === 0 ? {} : { commands: uploads }),
        };
        // After a lost answer the phone asks again, in the same words, and gets the same answer.
        const first = answerTo(asks, { revision });
        if (lost) assert.equal(hex(answerTo(asks, { revision })), hex(first));
        if (uploads.length > 0) assert.notEqual(keyIn(first), key, "an upload always gets a new key");
        key = keyIn(first);
        shown = applied(shown, first);
        assert.ok(shown.size <= 1);
      }
      assert.deepEqual([...shown], deleted === revision ? [] : [itemId(inbox, revision)]);
    }),
  );
});

const quiet = { does: "nothing", wantsChanges: true, lost: false, reworded: false } as const;

function uploadsOf(does: "nothing" | "reads" | "deletes" | "meddles", item: string | undefined): Element[] {
  if (does === "nothing") return [];
  if (does === "meddles" || item === undefined) return does === "meddles" ? [change("5:1"), remove("5:2")] : [];
  return [does === "reads" ? change(item) : remove(item)];
}

function keyIn(answer: Element): string {
  return textsIn(answer, "AirSync:SyncKey").join();
}

function applied(shown: ReadonlySet<string>, answer: Element): Set<string> {
  const after = new Set(shown);
  for (const list of everywhere(answer, "AirSync:Commands")) {
    for (const command of list.content) {
      if (typeof command !== "object" || !("tag" in command)) continue;
      const id = textsIn(command, "AirSync:ServerId").join();
      if (command.tag === "AirSync:Delete") assert.ok(after.delete(id), "only what is there is taken away");
      else after.add(id);
    }
  }
  return after;
}

test("what the phone is told of one person, one phone or one folder is worth nothing to another", () => {
  const request = sync({ key: ourKey(inbox, { state: 2 }), id: inbox });
  for (const other of [{ account: "bob" }, { device: "PHONEB" }]) {
    const answer = documentOf(answerSync(request, { ...aView({ state: aMailbox(foldersKnown) }), ...other }));
    assert.deepEqual(answer, syncOf([answered("0", inbox, "3")]));
  }
});
