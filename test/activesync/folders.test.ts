/** Which folders hold mail, how the gate learns it from what passes, and what it makes of a folder that it does not know. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { element } from "../../src/activesync/document.ts";
import type { Part } from "../../src/activesync/document.ts";
import { allHeld } from "../../src/policy/held-folders.ts";
import type { HeldFolders } from "../../src/policy/held-folders.ts";
import { kindOf, learnFolders } from "../../src/activesync/folders.ts";
import type { FolderKind } from "../../src/activesync/folders.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { UpstreamAnswer } from "../../src/gateway/protocol.ts";
import type { MailboxChange } from "../../src/store/store.ts";
import { calendar, folderSync, inbox, ping } from "../support/activesync-documents.ts";
import { captures } from "../support/captures.ts";
import { anAnswer } from "../support/mail-request.ts";
import { aHeldPhone, aMailbox } from "../support/remediation.ts";

const known = (...folders: readonly (readonly [string, number])[]): MailboxChange => ({
  folders: { replace: true, set: new Map(folders), remove: [] },
});

suite("a folder whose type is known", () => {
  const expected: readonly (readonly [type: number, name: string, kind: FolderKind])[] = [
    [1, "a folder of the person's own", "mail"],
    [2, "the Inbox", "inbox"],
    [3, "drafts, which hold what the person wrote", "held"],
    [4, "deleted items", "mail"],
    [5, "sent items", "mail"],
    [6, "the outbox, which holds what the person wrote", "held"],
    [7, "tasks", "held"],
    [8, "the calendar", "held"],
    [9, "contacts", "held"],
    [10, "notes", "held"],
    [11, "the journal", "held"],
    [12, "a mail folder of the person's own", "mail"],
    [13, "a calendar of the person's own", "held"],
    [14, "contacts of the person's own", "held"],
    [15, "tasks of the person's own", "held"],
    [16, "a journal of the person's own", "held"],
    [17, "notes of the person's own", "held"],
    [18, "a folder of unknown kind", "held"],
    [19, "recent recipients", "held"],
  ];
  for (const [type, name, kind] of expected) {
    test(`${name} is ${kind === "held" ? "held as it is" : "emptied"}`, () => {
      const mailbox = aMailbox(known(["x", type], ["inbox", 2]));
      assert.equal(kindOf({ collectionId: "x", collection: undefined }, mailbox, allHeld), kind);
    });
  }

  test("is what its type says, whatever else is said of it", () => {
    const mailbox = aMailbox(known([inbox, 2], [calendar, 8]), {
      ping: { heartbeatSeconds: 480, folders: [{ id: calendar, class: "Email" }] },
    });
    const collection = element("AirSync:Collection", element("AirSync:Class", "Email"));
    assert.equal(kindOf({ collectionId: calendar, collection }, mailbox, allHeld), "held");
  });

  test("is allowed or wiped where the configuration says so, and only where it holds no mail", () => {
    const treated = (held: Partial<HeldFolders>): readonly string[] =>
      [2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19].flatMap((type) => {
        const mailbox = aMailbox(known(["x", type], [inbox, 2]));
        const kind = kindOf({ collectionId: "x", collection: undefined }, mailbox, { ...allHeld, ...held });
        return kind === "allowed" || kind === "wiped" ? [`${type} ${kind}`] : [];
      });
    assert.deepEqual(treated({}), []);
    assert.deepEqual(treated({ calendar: "allow" }), ["8 allowed", "13 allowed"]);
    assert.deepEqual(treated({ contacts: "wipe", notes: "allow" }), [
      "9 wiped",
      "10 allowed",
      "14 wiped",
      "17 allowed",
    ]);
    assert.deepEqual(treated({ tasks: "allow" }), ["7 allowed", "15 allowed"]);
  });

  test("is never allowed while it is not known, whatever a phone says of it", () => {
    const everything: HeldFolders = { calendar: "allow", contacts: "allow", tasks: "allow", notes: "allow" };
    for (const folderClass of ["Calendar", "Contacts", "Tasks", "Notes"]) {
      const collection = element("AirSync:Collection", element("AirSync:Class", folderClass));
      assert.equal(kindOf({ collectionId: "x", collection }, aMailbox(known([inbox, 2])), everything), "held");
    }
  });

  test("is held where a draft is added to it, though nothing is known of it but that it holds mail", () => {
    const draft = element(
      "AirSync:Collection",
      element("AirSync:Options", element("AirSync:MIMESupport", "1")),
      element("AirSync:Commands", element("AirSync:Add", element("AirSync:ClientId", "c1"))),
    );
    assert.equal(kindOf({ collectionId: "x", collection: draft }, aMailbox(known([inbox, 2])), allHeld), "held");
    assert.equal(kindOf({ collectionId: inbox, collection: draft }, aMailbox(known([inbox, 2])), allHeld), "inbox");
  });

  test("takes the notice like an Inbox while no Inbox is known", () => {
    const mailbox = aMailbox(known(["x", 12], ["y", 8]));
    assert.equal(kindOf({ collectionId: "x", collection: undefined }, mailbox, allHeld), "inbox");
    assert.equal(kindOf({ collectionId: "y", collection: undefined }, mailbox, allHeld), "held");
  });
});

const folder = (tag: "Add" | "Update", id: string, type: string): Element =>
  element(
    `FolderHierarchy:${tag}`,
    element("FolderHierarchy:ServerId", id),
    element("FolderHierarchy:ParentId", "0"),
    element("FolderHierarchy:DisplayName", "Any"),
    element("FolderHierarchy:Type", type),
  );
const gone = (id: string): Element => element("FolderHierarchy:Delete", element("FolderHierarchy:ServerId", id));
const answer = (status: string, ...changes: readonly Part[]): Element =>
  element(
    "FolderHierarchy:FolderSync",
    element("FolderHierarchy:Status", status),
    element("FolderHierarchy:SyncKey", "2"),
    element("FolderHierarchy:Changes", element("FolderHierarchy:Count", "1"), ...changes),
  );

suite("a list of folders that passes", () => {
  test("replaces what was known when it is the whole list", () => {
    assert.deepEqual(learnFolders(folderSync("0"), answer("1", folder("Add", "a", "2"), folder("Add", "b", "8"))), {
      replace: true,
      set: new Map([
        ["a", 2],
        ["b", 8],
      ]),
      remove: [],
    });
  });

  test("changes what was known when it is a list of changes", () => {
    assert.deepEqual(
      learnFolders(folderSync("1"), answer("1", gone("x"), folder("Update", "a", "12"), folder("Add", "b", "8"))),
      {
        replace: false,
        set: new Map([
          ["b", 8],
          ["a", 12],
        ]),
        remove: ["x"],
      },
    );
  });

  test("teaches nothing when nothing has changed, or when it is a refusal", () => {
    assert.equal(learnFolders(folderSync("1"), answer("1")), undefined);
    assert.equal(
      learnFolders(folderSync("1"), element("FolderHierarchy:FolderSync", element("FolderHierarchy:Status", "1"))),
      undefined,
    );
    for (const status of ["6", "9", "142"]) {
      assert.equal(learnFolders(folderSync("0"), answer(status, folder("Add", "a", "2"))), undefined);
    }
  });

  test("teaches nothing of a folder without an id or a type", () => {
    const nameless = element("FolderHierarchy:Add", element("FolderHierarchy:Type", "2"));
    assert.deepEqual(learnFolders(folderSync("0"), answer("1", nameless, folder("Add", "a", "Inbox")))?.set, new Map());
  });

  test("teaches nothing when it is an answer to something else", () => {
    assert.equal(learnFolders(ping("480"), answer("1", folder("Add", "a", "2"))), undefined);
    assert.equal(learnFolders(folderSync("0"), ping("480")), undefined);
  });
});

suite("what the gate learns of a phone that it lets pass", () => {
  const list = answer("1", folder("Add", "a", "2"));
  const learnt = { folders: { replace: true, set: new Map([["a", 2]]), remove: [] } };
  const learn = (
    command: string,
    request: Element | undefined,
    passed?: UpstreamAnswer,
    ...changes: MailboxChange[]
  ) => {
    const bytes = request === undefined ? new Uint8Array() : encode(request);
    return aHeldPhone()
      .claim(command)
      .learn?.(bytes, passed, aMailbox(...changes));
  };

  test("its folders", () => {
    assert.deepEqual(learn("FolderSync", folderSync("0"), anAnswer({ body: encode(list) })), learnt);
  });

  test("its folders from a compressed answer too", () => {
    const body = gzipSync(encode(list));
    for (const coding of ["gzip", "GZIP", "x-gzip"]) {
      assert.deepEqual(
        learn("FolderSync", folderSync("0"), anAnswer({ body, headers: { "content-encoding": coding } })),
        learnt,
      );
    }
    const plain = anAnswer({ body: encode(list), headers: { "content-encoding": "identity" } });
    assert.deepEqual(learn("FolderSync", folderSync("0"), plain), learnt);
  });

  test("nothing from an answer in a coding that mail servers do not use", () => {
    const packed = anAnswer({ body: encode(list), headers: { "content-encoding": "br" } });
    assert.equal(learn("FolderSync", folderSync("0"), packed), undefined);
  });

  test("nothing from an answer that grows beyond all measure when it is unpacked", () => {
    const bomb = anAnswer({ body: gzipSync(Buffer.alloc(32 * 1_048_576)), headers: { "content-encoding": "gzip" } });
    assert.throws(() => learn("FolderSync", folderSync("0"), bomb), { code: "ERR_BUFFER_TOO_LARGE" });
  });

  test("nothing from a failure, or from an answer that was cut", () => {
    assert.equal(learn("FolderSync", folderSync("0"), anAnswer({ httpStatus: 503, body: encode(list) })), undefined);
    assert.equal(learn("FolderSync", folderSync("0"), undefined), undefined);
  });

  test("what it waits for, once", () => {
    const asked = ping("480", [inbox, "Email"]);
    const remembered = { ping: { heartbeatSeconds: 480, folders: [{ id: inbox, class: "Email" }] } };
    assert.deepEqual(learn("Ping", asked), remembered);
    assert.equal(learn("Ping", asked, undefined, remembered), undefined);
    assert.deepEqual(learn("Ping", ping("600"), undefined, remembered), {
      ping: { ...remembered.ping, heartbeatSeconds: 600 },
    });
    assert.equal(learn("Ping", undefined, undefined, remembered), undefined);
    assert.equal(learn("Ping", ping("600")), undefined);
  });

  test("nothing from anything else", () => {
    for (const command of ["Sync", "ItemOperations", "SendMail", "Provision"]) {
      assert.equal(aHeldPhone().claim(command).learn, undefined);
    }
  });

  test("the folders of two real servers", () => {
    const lists = captures.filter(({ command, direction }) => command === "FolderSync" && direction === "request");
    assert.ok(lists.length >= 8);
    for (const { number, bytes } of lists) {
      const down = captures.find((each) => each.number === number && each.direction === "response");
      if (down === undefined) continue;
      const change = aHeldPhone()
        .claim("FolderSync")
        .learn?.(bytes, anAnswer({ body: down.bytes }), aMailbox());
      if (change === undefined) continue;
      const types = [...aMailbox(change).folders.values()];
      assert.equal(types.filter((type) => type === 2).length, 1, `one Inbox in ${down.file}`);
      assert.ok(types.includes(3) && types.includes(4) && types.includes(5), `mail folders in ${down.file}`);
    }
  });
});
