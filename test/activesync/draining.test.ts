/** A phone that is allowed again and still holds keys of ours: they are taken back one by one, and none goes upstream. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import type { Reply } from "../../src/gateway/protocol.ts";
import type { MailboxChange } from "../../src/store/store.ts";
import {
  addOf,
  answered,
  calendar,
  change,
  contacts,
  estimateOf,
  folderSync,
  heartbeat,
  hex,
  inbox,
  ping,
  projects,
  sent,
  sync,
  syncOf,
  textsIn,
} from "../support/activesync-documents.ts";
import type { CollectionParts } from "../support/activesync-documents.ts";
import { aHeldPhone, documentFrom, foldersKnown, hexFrom, ourKey, passedFrom } from "../support/remediation.ts";
import type { HeldPhone, HeldPhoneOptions } from "../support/remediation.ts";

const scope = ["12.1", "14.0", "14.1"] as const;
const issued: MailboxChange = { issue: [inbox, sent, calendar], unheard: ["Sync"] };

function aReleasedPhone(version: HeldPhoneOptions["version"] = "14.1"): HeldPhone {
  return aHeldPhone({ version, remembered: [foldersKnown, issued] });
}

function ask(phone: HeldPhone, ...collections: readonly CollectionParts[]): Promise<Reply> {
  return phone.ask("Sync", sync(...collections), { allowed: true });
}

const keptForLater = { commands: [addOf("c1")] };

suite("a Sync of a phone that comes back from quarantine", () => {
  for (const version of scope) {
    test(`starts a folder anew that holds a key of ours, as it is known by heart (${version})`, async () => {
      const reply = await ask(aReleasedPhone(version), { key: ourKey("5", { state: 2 }), id: "5" });
      assert.equal(hexFrom(reply), "03016a00455c4f4b0330000152033500014e03330001010101");
    });

    test(`starts a calendar anew that began in quarantine, whatever it uploads (${version})`, async () => {
      const reply = await ask(aReleasedPhone(version), { key: ourKey(calendar), id: calendar, ...keptForLater });
      assert.deepEqual(documentFrom(reply), sync0(answered("0", calendar, "3")));
    });

    test(`starts a folder anew for every key with our mark, whoever made it (${version})`, async () => {
      for (const key of [
        ourKey(sent),
        "{50535451-0000-4000-8000-000000000001}2",
        "{50535451-",
        `{50535451-${"x".repeat(90)}`,
      ]) {
        assert.deepEqual(
          documentFrom(await ask(aReleasedPhone(version), { key, id: inbox })),
          sync0(answered("0", inbox, "3")),
        );
      }
    });

    test(`refuses what else is uploaded in the same request, so that nobody thinks it stored (${version})`, async () => {
      const phone = aReleasedPhone(version);
      const reply = await ask(phone, { key: ourKey(inbox), id: inbox }, { key: "77", id: contacts, ...keptForLater });
      assert.deepEqual(documentFrom(reply), sync0(answered("0", inbox, "3"), answered("77", contacts, "16")));
    });

    test(`has a folder wait that would start with upstream in the same request (${version})`, async () => {
      const reply = await ask(aReleasedPhone(version), { key: ourKey(inbox), id: inbox }, { key: "0", id: projects });
      assert.deepEqual(documentFrom(reply), sync0(answered("0", inbox, "3"), answered("0", projects, "16")));
    });

    test(`goes upstream as it is when it holds nothing of ours (${version})`, async () => {
      for (const request of [
        sync({ key: "77", id: inbox }),
        sync(
          { key: "77", id: inbox, commands: [change("5:1")] },
          { key: "{2e535483-2d97-4116-8c0c-a255593acf7e}1", id: contacts },
        ),
        syncOf(
          sync({ key: "0", id: projects }).content.flatMap((list) =>
            isElement(list) ? list.content.filter(isElement) : [],
          ),
          heartbeat("480"),
        ),
      ]) {
        const reply = passedFrom(await aReleasedPhone(version).ask("Sync", request, { allowed: true }));
        assert.equal(Buffer.from(reply.body ?? "").toString("hex"), hex(request));
        assert.deepEqual(reply.whenAnswered, { heard: ["Sync"] });
      }
    });

    test(`is asked for in full when it is empty or partial (${version})`, async () => {
      const partial = syncOf([], element("AirSync:Partial"));
      for (const body of [undefined, partial, element("AirSync:Sync", heartbeat("480"))]) {
        const reply = await aReleasedPhone(version).ask("Sync", body, { allowed: true });
        assert.deepEqual(documentFrom(reply), element("AirSync:Sync", element("AirSync:Status", "13")));
      }
    });
  }

  test("leaves out folders with nothing to say from 14.0, and repeats their key before", async () => {
    const folders = [
      { key: ourKey(inbox), id: inbox },
      { key: "77", id: contacts },
    ];
    for (const version of ["14.0", "14.1"] as const) {
      assert.deepEqual(documentFrom(await ask(aReleasedPhone(version), ...folders)), sync0(answered("0", inbox, "3")));
    }
    assert.deepEqual(
      documentFrom(await ask(aReleasedPhone("12.1"), ...folders)),
      sync0(answered("0", inbox, "3"), answered("77", contacts, "1")),
    );
  });

  test("refuses uploads before 12.1 with the Status of that time", async () => {
    const reply = await ask(
      aReleasedPhone("12.0"),
      { key: ourKey(inbox), id: inbox, class: "Email" },
      { key: "77", id: contacts, class: "Contacts", ...keptForLater },
    );
    assert.deepEqual(
      documentFrom(reply),
      sync0(
        {
          ...answered("0", inbox, "3"),
          content: [element("AirSync:Class", "Email"), ...answered("0", inbox, "3").content],
        },
        {
          ...answered("77", contacts, "5"),
          content: [element("AirSync:Class", "Contacts"), ...answered("77", contacts, "5").content],
        },
      ),
    );
  });

  test("gives a folder back once upstream has answered its first request", async () => {
    const phone = aReleasedPhone();
    const reply = passedFrom(
      await ask(phone, { key: "0", id: inbox }, { key: "0", id: projects }, { key: "77", id: sent }),
    );
    assert.deepEqual(reply.whenAnswered, { drained: [inbox], heard: ["Sync"] });
    assert.deepEqual(phone.changes, [], "not before it has answered");
    phone.forget(reply.whenAnswered ?? {});
    assert.deepEqual(phone.mailbox().issued, new Set([sent, calendar]));
  });

  test("with a key of ours where none is looked for is refused whole", async () => {
    const ours = element("AirSync:SyncKey", ourKey(inbox));
    for (const request of [
      element("AirSync:Sync", ours, element("AirSync:Collections")),
      element("AirSync:Sync", element("AirSync:Collections", ours)),
      sync({ key: "77", id: contacts, options: [ours] }),
    ]) {
      await assert.rejects(
        aReleasedPhone().ask("Sync", request, { allowed: true }),
        (error) => error instanceof Refusal && error.httpStatus === 400,
      );
    }
  });
});

function sync0(...collections: readonly Element[]): Element {
  return syncOf(collections);
}

function isElement(part: Element["content"][number]): part is Element {
  return typeof part === "object" && "tag" in part;
}

suite("everything else that it asks", () => {
  const asks = (key: string, id: string): Element[] => [
    element("AirSync:SyncKey", key),
    element("GetItemEstimate:CollectionId", id),
  ];

  test("an estimate for a key of ours: the key is not valid, and nothing is known of the others", async () => {
    const reply = await aReleasedPhone().ask(
      "GetItemEstimate",
      estimateOf(asks(ourKey(inbox), inbox), asks("7", contacts)),
      {
        allowed: true,
      },
    );
    assert.deepEqual(
      documentFrom(reply),
      element(
        "GetItemEstimate:GetItemEstimate",
        element("GetItemEstimate:Response", element("GetItemEstimate:Status", "4")),
        element(
          "GetItemEstimate:Response",
          element("GetItemEstimate:Status", "1"),
          element(
            "GetItemEstimate:Collection",
            element("GetItemEstimate:CollectionId", contacts),
            element("GetItemEstimate:Estimate", "0"),
          ),
        ),
      ),
    );
  });

  test("an estimate for keys of upstream goes there", async () => {
    const request = estimateOf(asks("7", contacts));
    const reply = passedFrom(await aReleasedPhone().ask("GetItemEstimate", request, { allowed: true }));
    assert.equal(Buffer.from(reply.body ?? "").toString("hex"), hex(request));
  });

  test("a list of folders under a key of ours starts anew, and under any other goes upstream", async () => {
    const phone = aReleasedPhone();
    assert.equal(
      hexFrom(await phone.ask("FolderSync", folderSync(ourKey("hierarchy")), { allowed: true })),
      "03016a000007564c0339000101",
    );
    const reply = passedFrom(await phone.ask("FolderSync", folderSync("7"), { allowed: true }));
    assert.equal(Buffer.from(reply.body ?? "").toString("hex"), hex(folderSync("7")));
  });

  test("goes upstream unread", async () => {
    for (const command of ["SendMail", "Provision", "Settings", "Search"] as const) {
      const reply = await aReleasedPhone().ask(command, Buffer.from("not read"), { allowed: true });
      assert.deepEqual(reply, { kind: "pass", body: undefined }, command);
    }
  });

  test("a Ping sends it to the folders that are still those of its quarantine, and then goes upstream", async () => {
    const phone = aReleasedPhone();
    const asks = ping("480", [inbox, "Email"], [projects, "Email"], [calendar, "Calendar"]);
    for (let time = 0; time < 3; time += 1) {
      assert.deepEqual(textsIn(documentFrom(await phone.ask("Ping", asks, { allowed: true })), "Ping:Folder"), [
        inbox,
        calendar,
      ]);
    }
    const reply = passedFrom(await phone.ask("Ping", asks, { allowed: true }));
    assert.equal(Buffer.from(reply.body ?? "").toString("hex"), hex(asks));
  });

  test("an empty Ping goes upstream, which knows what it means", async () => {
    const reply = await aReleasedPhone().ask("Ping", undefined, { allowed: true });
    assert.deepEqual(reply, { kind: "pass", body: new Uint8Array() });
  });
});

test("whatever a phone asks, no key of ours goes upstream", async () => {
  const key = fc.constantFrom("0", "77", ourKey(inbox), ourKey(sent, { state: 2, touches: 3 }), "{50535451-forged}1");
  const id = fc.constantFrom(inbox, sent, calendar, contacts);
  const part = fc.constantFrom("commands", "options", "nothing");
  const folders = fc.array(fc.tuple(key, id, part), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(folders, fc.constantFrom(...scope), fc.boolean(), async (folders, version, twoLists) => {
      const collections = folders.map(([key, id, part]): CollectionParts => ({
        key,
        id,
        ...(part === "commands" ? { commands: [change(`${id}:1`)] } : {}),
        ...(part === "options" ? { options: [element("AirSync:FilterType", "4")] } : {}),
      }));
      const one = sync(...collections);
      const asks = folders.map(([key, id]) => [
        element("AirSync:SyncKey", key),
        element("GetItemEstimate:CollectionId", id),
      ]);
      const first = estimateOf(...asks.slice(0, 1));
      const estimate = twoLists
        ? { ...first, content: [...first.content, ...estimateOf(...asks).content] }
        : estimateOf(...asks);
      for (const [command, body] of [
        ["Sync", one],
        ["GetItemEstimate", estimate],
        ["FolderSync", folderSync(folders[0]?.[0] ?? "0")],
      ] as const) {
        const reply = await aReleasedPhone(version)
          .ask(command, body, { allowed: true })
          .catch((error: unknown) => error);
        if (reply instanceof Refusal) continue;
        assert.ok(typeof reply === "object" && reply !== null && "kind" in reply);
        if (reply.kind !== "pass") continue;
        assert.ok("body" in reply && reply.body instanceof Uint8Array);
        const text = Buffer.from(reply.body).toString("latin1");
        assert.equal(text.includes("{50535451-"), false, text);
        assert.deepEqual(decode(encode(body)), decode(reply.body), "and what goes is what was asked");
      }
    }),
  );
});
