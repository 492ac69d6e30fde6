/** A request that upstream holds when its phone enters quarantine: the answer of its protocol that ends it, where there is one. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { Reply } from "../../src/gateway/protocol.ts";
import type { MailboxChange } from "../../src/store/store.ts";
import {
  addOf,
  answered,
  calendar,
  change,
  contacts,
  drafts,
  heartbeat,
  inbox,
  ping,
  projects,
  sync,
  syncOf,
  wait,
} from "../support/activesync-documents.ts";
import type { CollectionParts } from "../support/activesync-documents.ts";
import { aDecision, aHeldPhone, aMailbox, documentFrom, foldersKnown, hexFrom, noon } from "../support/remediation.ts";

const scope = ["12.1", "14.0", "14.1"] as const;

interface Cut {
  readonly version?: (typeof scope)[number];
  readonly remembered?: readonly MailboxChange[];
  readonly action?: "quarantine" | "block" | "allow" | "defer";
}

function cut(
  command: "Ping" | "Sync",
  body: Element | Uint8Array | undefined,
  { version = "14.1", remembered = [foldersKnown], action = "quarantine" }: Cut = {},
): Reply | undefined {
  const { interrupt } = aHeldPhone({ version }).claim(command);
  assert.ok(interrupt !== undefined);
  const bytes = body === undefined || body instanceof Uint8Array ? body : encode(body);
  return interrupt(bytes, aDecision(action, aMailbox(...remembered)), noon);
}

function answerTo(...asked: Parameters<typeof cut>): Element {
  const reply = cut(...asked);
  assert.ok(reply !== undefined);
  return documentFrom(reply);
}

function waiting(...collections: readonly CollectionParts[]): Element {
  const request = sync(...collections);
  return { ...request, content: [...request.content, wait("10")] };
}

const empty = new Uint8Array();
const status = (text: string): Element => element("AirSync:Sync", element("AirSync:Status", text));

suite("a Ping", () => {
  test("ends with the mail folders that it waits for", () => {
    for (const action of ["quarantine", "block"] as const) {
      assert.deepEqual(
        answerTo("Ping", ping("480", [calendar, "Calendar"], [inbox, "Email"], [projects, "Email"]), { action }),
        element(
          "Ping:Ping",
          element("Ping:Status", "2"),
          element("Ping:Folders", element("Ping:Folder", inbox), element("Ping:Folder", projects)),
        ),
      );
    }
  });

  test("that is empty ends with what was said before, and else is asked for in full", () => {
    const before = { ping: { heartbeatSeconds: 480, folders: [{ id: inbox, class: "Email" }] } };
    for (const body of [empty, undefined]) {
      const reply = cut("Ping", body, { remembered: [foldersKnown, before] });
      assert.equal(reply === undefined ? undefined : hexFrom(reply), "03016a00000d454703320001494a033500010101");
      const unknown = cut("Ping", body);
      assert.equal(unknown === undefined ? undefined : hexFrom(unknown), "03016a00000d45470333000101");
    }
  });

  test("that waits for no mail ends as if its time were over", () => {
    assert.deepEqual(
      answerTo("Ping", ping("480", [calendar, "Calendar"])),
      element("Ping:Ping", element("Ping:Status", "1")),
    );
  });
});

suite("a Sync that waits", () => {
  test("ends with its mail folders starting anew, as it is known by heart", () => {
    for (const version of scope) {
      const reply = cut("Sync", waiting({ key: "77", id: "5" }), { version });
      assert.equal(
        reply === undefined ? undefined : hexFrom(reply),
        "03016a00455c4f4b0330000152033500014e03330001010101",
      );
    }
  });

  test("leaves calendar, contacts and drafts as they are", () => {
    const request = waiting({ key: "1", id: calendar }, { key: "2", id: inbox }, { key: "3", id: drafts });
    for (const version of ["14.0", "14.1"] as const) {
      assert.deepEqual(answerTo("Sync", request, { version }), syncOf([answered("0", inbox, "3")]));
    }
    assert.deepEqual(
      answerTo("Sync", request, { version: "12.1" }),
      syncOf([answered("1", calendar, "1"), answered("0", inbox, "3"), answered("3", drafts, "1")]),
    );
  });

  test("ends with nothing new when it waits for no mail", () => {
    for (const version of scope) {
      const reply = cut("Sync", waiting({ key: "1", id: calendar }, { key: "2", id: contacts }), { version });
      assert.deepEqual(reply, { kind: "answer", httpStatus: 200, headers: [], body: undefined });
    }
  });

  test("has no answer when it uploads something, for that may be stored already", () => {
    assert.equal(cut("Sync", waiting({ key: "1", id: inbox, commands: [change("5:1")] })), undefined);
    assert.equal(
      cut("Sync", waiting({ key: "1", id: inbox }, { key: "2", id: contacts, commands: [addOf("c1")] })),
      undefined,
    );
    const partial = [element("AirSync:Partial"), heartbeat("480")];
    const [list] = sync({ key: "2", id: contacts, commands: [addOf("c1")] }).content;
    assert.ok(list !== undefined);
    assert.equal(cut("Sync", element("AirSync:Sync", list, ...partial)), undefined);
  });

  test("is asked for in full when it is empty or partial", () => {
    for (const version of scope) {
      for (const body of [empty, element("AirSync:Sync", element("AirSync:Partial"), heartbeat("480"))]) {
        assert.deepEqual(answerTo("Sync", body, { version }), status("13"));
      }
    }
  });

  test("has no answer when it was too large to be kept, for it may upload something", () => {
    assert.equal(cut("Sync", undefined), undefined);
  });
});

test("a Sync that does not wait has no answer but upstream's own", () => {
  assert.equal(cut("Sync", sync({ key: "77", id: inbox })), undefined);
  const bad = { ...sync({ key: "77", id: inbox }), content: [...sync({ key: "77", id: inbox }).content, wait("99")] };
  assert.equal(cut("Sync", bad), undefined);
});

test("what upstream could read and the gate cannot has no answer", () => {
  for (const command of ["Ping", "Sync"] as const) {
    assert.equal(cut(command, Buffer.from("<Sync/>")), undefined);
    assert.equal(cut(command, encode(waiting({ key: "77", id: inbox })).subarray(0, -1)), undefined);
  }
});

test("nothing is cut for a phone that stays allowed, or of which nothing can be known", () => {
  for (const action of ["allow", "defer"] as const) {
    assert.equal(cut("Sync", waiting({ key: "77", id: inbox }), { action }), undefined);
    assert.equal(cut("Ping", ping("480", [inbox, "Email"]), { action }), undefined);
  }
});

test("only Ping and Sync have answers that end them", () => {
  for (const command of ["FolderSync", "ItemOperations", "SendMail", "Search"]) {
    assert.equal(aHeldPhone().claim(command).interrupt, undefined);
    assert.equal(aHeldPhone().claim(command).mayPark, false);
  }
  for (const command of ["Ping", "Sync"]) assert.equal(aHeldPhone().claim(command).mayPark, true);
});
