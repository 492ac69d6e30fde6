/** Folders that a phone in quarantine may go on with: what goes upstream for them, what comes down, and what never does. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { element } from "../../src/activesync/document.ts";
import { bearsMark } from "../../src/activesync/gateway-key.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { Refusal, UpstreamFailure } from "../../src/gateway/errors.ts";
import type { UpstreamAnswer } from "../../src/gateway/protocol.ts";
import { folderTreatments } from "../../src/policy/held-folders.ts";
import type { MailboxChange } from "../../src/store/store.ts";
import {
  addOf,
  answered,
  calendar,
  change,
  collection,
  contacts,
  drafts,
  heartbeat,
  inbox,
  ping,
  projects,
  sent,
  sync,
  syncOf,
  textsIn,
} from "../support/activesync-documents.ts";
import type { CollectionParts } from "../support/activesync-documents.ts";
import { anAnswer } from "../support/mail-request.ts";
import {
  aHeldPhone,
  answerFrom,
  documentFrom,
  foldersKnown,
  hexFrom,
  noon,
  ourKey,
  refusalFrom,
} from "../support/remediation.ts";
import type { HeldPhone, HeldPhoneOptions } from "../support/remediation.ts";

const answering = (document: Element): UpstreamAnswer => anAnswer({ body: encode(document) });
const nothing = anAnswer({});
const everything = { calendar: "allow", contacts: "allow", tasks: "allow", notes: "allow" } as const;
const settled: readonly MailboxChange[] = [
  foldersKnown,
  { issue: [inbox, sent], notice: { revision: 1, digest: "first wording", at: noon } },
];
/** An Inbox that has the notice. */
const unchanged: CollectionParts = { key: ourKey(inbox, { state: 2 }), id: inbox };
const event = (id: string): Element =>
  element(
    "AirSync:Add",
    element("AirSync:ServerId", id),
    element("AirSync:ApplicationData", element("Calendar:Subject", "Lunch"), element("AirSyncBase:Body")),
  );
const commands = (...parts: readonly Element[]): Element => element("AirSync:Commands", ...parts);

/** A phone whose calendar and contacts are allowed, with a server that answers each request in turn. */
function phoneWith(answers: readonly (UpstreamAnswer | Error)[], options: HeldPhoneOptions = {}): HeldPhone {
  const left = [...answers];
  return aHeldPhone({
    remembered: settled,
    heldFolders: everything,
    upstream(): UpstreamAnswer {
      const next = left.shift();
      if (next === undefined) throw new Error("not asked for so often");
      if (next instanceof Error) throw next;
      return next;
    },
    ...options,
  });
}

suite("a Sync of folders that are allowed", () => {
  test("goes upstream without the folders of mail, and both are answered as one", async () => {
    const news = answered("78", calendar, "1", commands(event("8:1")));
    for (const version of ["12.1", "14.1", "16.1"] as const) {
      const phone = phoneWith([answering(syncOf([news]))], { version });
      const options = [element("AirSync:FilterType", "5")];
      const asked = { key: "77", id: calendar, options, commands: [addOf("c1")] };
      const window = element("AirSync:WindowSize", "50");
      const reply = await phone.ask(
        "Sync",
        syncOf([collection({ key: "12", id: sent }), collection(asked), collection({ key: "9", id: drafts })], window),
      );
      assert.deepEqual(phone.forwarded, [syncOf([collection(asked)], window)]);
      const held = version === "12.1" ? [answered("9", drafts, "1")] : [];
      assert.deepEqual(documentFrom(reply), syncOf([answered("0", sent, "3"), news, ...held]));
    }
  });

  test("is not asked for where nothing in it is allowed", async () => {
    const phone = phoneWith([], { heldFolders: { calendar: "allow" } });
    await phone.ask("Sync", sync(unchanged, { key: "77", id: contacts }, { key: ourKey(calendar), id: calendar }));
    assert.deepEqual(phone.forwarded, []);
  });

  test("takes no folder along that is mail, is written mail, or is not known", async () => {
    const phone = phoneWith([nothing, nothing, nothing, nothing]);
    for (const id of [inbox, projects, drafts, "unheard-of"]) {
      await phone.ask("Sync", sync({ key: "5", id, class: "Calendar" }, { key: "77", id: contacts }));
    }
    assert.deepEqual(
      phone.forwarded,
      Array.from({ length: 4 }, () => sync({ key: "77", id: contacts })),
    );
  });

  test("that brings nothing is answered without a word, as everything else in it", async () => {
    const reply = answerFrom(await phoneWith([nothing]).ask("Sync", sync(unchanged, { key: "77", id: contacts })));
    assert.deepEqual([reply.httpStatus, reply.body], [200, undefined]);
  });

  test("never takes a key of ours upstream, wherever it stands", async () => {
    const hidden = element("AirSync:Options", element("AirSync:SyncKey", ourKey(inbox)));
    const phone = phoneWith([]);
    for (const request of [
      syncOf([collection({ key: "77", id: contacts, options: [element("AirSync:SyncKey", ourKey(inbox))] })]),
      syncOf([collection({ key: "77", id: contacts, commands: [element("AirSync:Add", hidden)] })]),
    ]) {
      await assert.rejects(phone.ask("Sync", request), isRefused);
    }
    assert.deepEqual(phone.forwarded, []);
  });

  test("never names a folder of mail in a place where some servers look", async () => {
    const phone = phoneWith([]);
    for (const options of [
      [element("AirSync:CollectionId", inbox)],
      [element("AirSync:Collection", element("AirSync:CollectionId", inbox))],
      [element("AirSync:Collections")],
      [element("AirSync:Class", "Email")],
    ]) {
      await assert.rejects(phone.ask("Sync", sync({ key: "77", id: contacts, options })), isRefused);
    }
    await assert.rejects(phone.ask("Sync", sync({ key: "77", id: contacts, class: "Email" })), isRefused);
    assert.deepEqual(phone.forwarded, []);
  });

  test("names its class up to 12.0", async () => {
    const down = syncOf([
      element(
        "AirSync:Collection",
        element("AirSync:Class", "Contacts"),
        element("AirSync:SyncKey", "77"),
        element("AirSync:CollectionId", contacts),
        element("AirSync:Status", "1"),
      ),
    ]);
    for (const version of ["2.5", "12.0"] as const) {
      const phone = phoneWith([answering(down)], { version });
      const reply = await phone.ask("Sync", sync({ key: "77", id: contacts, class: "Contacts" }));
      assert.deepEqual(documentFrom(reply), down);
    }
  });

  test("starts with upstream where the phone had a key of ours, which is then forgotten", async () => {
    const remembered = [...settled, { issue: [calendar] }];
    const phone = phoneWith([answering(syncOf([answered("1", calendar, "1")]))], { remembered });
    assert.deepEqual(
      documentFrom(await phone.ask("Sync", sync({ key: ourKey(calendar), id: calendar }))),
      syncOf([answered("0", calendar, "3")]),
    );
    assert.ok(phone.mailbox().issued.has(calendar));
    assert.deepEqual(
      documentFrom(await phone.ask("Sync", sync({ key: "0", id: calendar }))),
      syncOf([answered("1", calendar, "1")]),
    );
    assert.ok(!phone.mailbox().issued.has(calendar));
  });
});

const isRefused = (error: unknown): boolean => error instanceof Refusal && error.code === "body-unreadable";
const isUpstreamsFault = (error: unknown): boolean =>
  error instanceof UpstreamFailure && error.code === "upstream-answer-refused";

suite("what upstream answers for folders that are allowed", () => {
  const refusedDown = (collections: readonly Element[]): Promise<void> =>
    assert.rejects(
      phoneWith([answering(syncOf(collections))]).ask("Sync", sync({ key: "77", id: calendar }, unchanged)),
      isUpstreamsFault,
    );

  test("stays here where it is of a folder that was not asked for, or comes twice", async () => {
    await refusedDown([answered("2", inbox, "1", commands(event("5:1")))]);
    await refusedDown([answered("2", contacts, "1")]);
    await refusedDown([answered("78", calendar, "1"), answered("79", calendar, "1")]);
    await refusedDown([element("AirSync:Collection", element("AirSync:SyncKey", "2"))]);
  });

  test("stays here where it holds anything of a message", async () => {
    for (const part of [
      element("Email:Subject", "Secret"),
      element("Email2:ConversationId", "x"),
      element("ItemOperations:Properties", "x"),
      element("Contacts:FirstName", "Dora"),
      element("Search:LongId", "x"),
    ]) {
      const item = element(
        "AirSync:Fetch",
        element("AirSync:ServerId", "5:1"),
        element("AirSync:ApplicationData", element("Calendar:Subject", "x"), part),
      );
      await refusedDown([answered("78", calendar, "1", element("AirSync:Responses", item))]);
    }
  });

  test("stays here where what was fetched may be no event at all", async () => {
    const item = (...data: readonly Element[]): Element =>
      element(
        "AirSync:Fetch",
        element("AirSync:ServerId", "5:1"),
        element("AirSync:Status", "1"),
        element("AirSync:ApplicationData", ...data),
      );
    const body = element("AirSyncBase:Body", element("AirSyncBase:Data", "Secret"));
    const folder = (...data: readonly Element[]): Element =>
      answered("78", calendar, "1", element("AirSync:Responses", item(...data)));
    await refusedDown([folder(body)]);
    const fetched = folder(element("Calendar:Subject", "Lunch"), body);
    const phone = phoneWith([answering(syncOf([fetched]))]);
    assert.deepEqual(documentFrom(await phone.ask("Sync", sync({ key: "77", id: calendar }))), syncOf([fetched]));
  });

  test("goes down as it is where it is of the request as a whole", async () => {
    for (const status of ["12", "142"]) {
      const down = element("AirSync:Sync", element("AirSync:Status", status));
      const phone = phoneWith([answering(down)]);
      assert.deepEqual(documentFrom(await phone.ask("Sync", sync(unchanged, { key: "77", id: calendar }))), down);
    }
    const phone = phoneWith([anAnswer({ httpStatus: 449, body: "Retry after provisioning" })]);
    const reply = answerFrom(await phone.ask("Sync", sync(unchanged, { key: "77", id: calendar })));
    assert.deepEqual([reply.httpStatus, reply.body], [449, undefined]);
  });

  test("that it is away holds up neither the notice nor anything that was entered", async () => {
    const upload = { key: "77", id: calendar, commands: [addOf("c1")] };
    for (const away of [
      anAnswer({ httpStatus: 503 }),
      anAnswer({ httpStatus: 500 }),
      new UpstreamFailure("upstream-unreachable", "no"),
    ]) {
      const reply = await phoneWith([away]).ask("Sync", sync(upload, { key: "12", id: projects }));
      assert.deepEqual(documentFrom(reply), syncOf([answered("77", calendar, "16"), answered("0", projects, "3")]));
      assert.deepEqual(refusalFrom(await phoneWith([away]).ask("Sync", sync(upload))), {
        httpStatus: 503,
        retryAfter: "300",
      });
    }
  });
});

test("whatever a phone asks and whatever is allowed, upstream hears of such folders only, and of no key of ours", async () => {
  const ids = [inbox, sent, projects, calendar, contacts, drafts, "unheard-of"];
  const parts = fc.record({
    key: fc.constantFrom("0", "77", "", ...ids.map((id) => ourKey(id)), "{50535451-anything}1"),
    id: fc.constantFrom(...ids),
    commands: fc.constantFrom([], [addOf("c1")], [change("5:1")]),
  });
  const treatment = fc.constantFrom(...folderTreatments);
  const treatments = fc.record({ calendar: treatment, contacts: treatment });
  let forwardedAtAll = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(parts, { minLength: 1, maxLength: 6, selector: ({ id }) => id }),
      treatments,
      async (folders, heldFolders) => {
        const phone = aHeldPhone({ remembered: settled, heldFolders, upstream: () => nothing });
        await phone.ask("Sync", sync(...folders));
        forwardedAtAll += phone.forwarded.length;
        for (const forwarded of phone.forwarded) {
          const allowed = new Set([
            heldFolders.calendar === "allow" ? calendar : "",
            heldFolders.contacts === "allow" ? contacts : "",
          ]);
          assert.deepEqual(
            textsIn(forwarded, "AirSync:CollectionId").filter((id) => !allowed.has(id)),
            [],
          );
          assert.deepEqual(textsIn(forwarded, "AirSync:SyncKey").filter(bearsMark), []);
        }
      },
    ),
  );
  assert.ok(forwardedAtAll > 0);
});

suite("a phone that waits, with folders that are allowed", () => {
  const waiting = syncOf([collection(unchanged), collection({ key: "77", id: calendar })], heartbeat("480"));

  test("asks upstream before and after, and never has upstream wait", async () => {
    const news = answered("78", calendar, "1", commands(event("8:1")));
    const phone = phoneWith([nothing, answering(syncOf([news]))], { news: ["expired"] });
    assert.deepEqual(documentFrom(await phone.ask("Sync", waiting)), syncOf([news]));
    assert.deepEqual(phone.forwarded, [sync({ key: "77", id: calendar }), sync({ key: "77", id: calendar })]);
    assert.equal(phone.waits.length, 1);
  });

  test("hears at once what is new before it has begun to wait", async () => {
    const news = answered("78", calendar, "1", commands(event("8:1")));
    const phone = phoneWith([answering(syncOf([news]))]);
    assert.deepEqual(documentFrom(await phone.ask("Sync", waiting)), syncOf([news]));
    assert.deepEqual(phone.waits, []);
  });

  test("does not hand over twice what was entered on it", async () => {
    const upload = collection({ key: "77", id: calendar, commands: [change("8:1")] });
    const phone = phoneWith([nothing]);
    const reply = answerFrom(await phone.ask("Sync", syncOf([collection(unchanged), upload], heartbeat("480"))));
    assert.deepEqual([reply.httpStatus, reply.body], [200, undefined]);
    assert.equal(phone.forwarded.length, 1);
    assert.deepEqual(phone.waits, []);
  });

  test("with a Ping is sent to look there each time that it has waited", async () => {
    const folders = [
      [inbox, "Email"],
      [calendar, "Calendar"],
      [contacts, "Contacts"],
    ] as const;
    const hears = async (heldFolders: HeldPhoneOptions["heldFolders"]): Promise<string> =>
      hexFrom(await phoneWith([], { ...(heldFolders && { heldFolders }) }).ask("Ping", ping("480", ...folders)));
    assert.equal(await hears({ calendar: "hold" }), "03016a00000d45470331000101");
    assert.equal(await hears({ calendar: "allow" }), "03016a00000d454703320001494a033800010101");
    assert.equal(await hears({ calendar: "wipe" }), "03016a00000d454703320001494a033800010101", "it is to be emptied");
  });

  test("and is released starts its mail anew, and goes on with the rest", async () => {
    const phone = phoneWith([nothing], { news: ["released"] });
    assert.deepEqual(documentFrom(await phone.ask("Sync", waiting)), syncOf([answered("0", inbox, "3")]));
  });
});
