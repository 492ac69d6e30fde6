/** A phone whose mail flows, with the notice as one more message: what it is told here, and what goes on upstream. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { Reply } from "../../src/gateway/protocol.ts";
import type { MailboxChange } from "../../src/store/store.ts";
import {
  change,
  estimateOf,
  everywhere,
  fetchOf,
  inbox,
  ping,
  projects,
  remove,
  sync,
  syncOf,
  collection,
  textsIn,
} from "../support/activesync-documents.ts";
import type { CollectionParts } from "../support/activesync-documents.ts";
import {
  aDecision,
  aHeldPhone,
  aMailbox,
  aNotice,
  documentFrom,
  foldersKnown,
  noon,
  ourKey,
  passedFrom,
} from "../support/remediation.ts";
import type { AskOptions, HeldPhone, HeldPhoneOptions } from "../support/remediation.ts";

const warned: AskOptions = { warned: true };
const clean: AskOptions = { allowed: true };
const item = "5:2000000001";
const hour = 3_600_000;
const later = (ms: number): Date => new Date(noon.getTime() + ms);

const asks = (key: string, parts: Partial<CollectionParts> = {}): Element => sync({ key, id: inbox, ...parts });

/** What the gate answers by itself for the Inbox. */
function answered(reply: Reply): { readonly key: string; readonly added: string[]; readonly deleted: string[] } {
  const document = documentFrom(reply);
  const [key = ""] = textsIn(document, "AirSync:SyncKey");
  assert.ok(key.startsWith("{50535451-"), key);
  const idsIn = (tag: "AirSync:Add" | "AirSync:Delete"): string[] =>
    everywhere(document, tag).flatMap((each) => textsIn(each, "AirSync:ServerId"));
  return { key, added: idsIn("AirSync:Add"), deleted: idsIn("AirSync:Delete") };
}

function upstreamSees(reply: Reply): Element {
  return decode(passedFrom(reply).body ?? Buffer.alloc(0));
}

/** A phone that has the notice, with the key that it has it by. */
async function aWarnedPhone(options: HeldPhoneOptions = {}): Promise<{ phone: HeldPhone; key: string }> {
  const phone = aHeldPhone(options);
  const { key, added } = answered(await phone.ask("Sync", asks("77"), warned));
  assert.deepEqual(added, [item]);
  return { phone, key };
}

suite("the notice of a phone whose mail flows", () => {
  for (const version of ["2.5", "12.0", "12.1", "14.0", "14.1", "16.1"] as const) {
    test(`comes with a key that leads back to where the phone was: ${version}`, async () => {
      const phone = aHeldPhone({ version });
      // In 2.5 the element itself asks for changes.
      const oldest = version === "2.5" ? { getChanges: "" as const } : {};
      const as = version === "2.5" || version === "12.0" ? { class: "Email", ...oldest } : {};
      const { key, added } = answered(await phone.ask("Sync", asks("77", as), warned));
      assert.deepEqual(added, [item]);
      assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(key, as), warned)), asks("77", as));
      assert.deepEqual(upstreamSees(await phone.ask("Sync", asks("78", as), warned)), asks("78", as));
      assert.equal(phone.mailbox().warning?.shadow, undefined);
      assert.deepEqual(answered(await phone.ask("Sync", asks("78", as), clean)).deleted, [item]);
    });
  }

  for (const version of ["2.5", "12.0"] as const) {
    test(`names the class of every folder that it answers for, as ${version} wants it`, async () => {
      const phone = aHeldPhone({ version });
      const asksFor = { class: "Email", getChanges: version === "2.5" ? "" : "1" } as const;
      const both = sync({ key: "77", id: inbox, ...asksFor }, { key: "9", id: projects, ...asksFor });
      const reply = documentFrom(await phone.ask("Sync", both, warned));
      const order = ["AirSync:Class", "AirSync:SyncKey", "AirSync:CollectionId", "AirSync:Status"];
      for (const each of everywhere(reply, "AirSync:Collection")) {
        const tags = each.content.map((part) => (typeof part === "object" && "tag" in part ? part.tag : ""));
        assert.deepEqual(tags.slice(0, 4), order);
      }
      assert.deepEqual(textsIn(reply, "AirSync:CollectionId"), [inbox, projects]);
    });
  }

  test("is the same in the same answer when the phone has lost the first, on whichever node", async () => {
    const { phone, key } = await aWarnedPhone();
    assert.equal(answered(await phone.ask("Sync", asks("77"), warned)).key, key);
    const other = await aWarnedPhone();
    assert.equal(other.key, key);
  });

  test("is replaced when there is something else to say, also when that answer is lost", async () => {
    const { phone, key } = await aWarnedPhone();
    const reworded = { ...warned, notice: aNotice({ digest: "second wording" }) };
    const first = answered(await phone.ask("Sync", asks(key), reworded));
    assert.deepEqual([first.deleted, first.added], [[item], ["5:2000000002"]]);
    assert.deepEqual(answered(await phone.ask("Sync", asks(key), reworded)), first, "asked again with the old key");
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(first.key), reworded)), asks("77"));
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(first.key), reworded)), asks("77"), "and once more");
  });

  test("goes when the phone is clean, also when that answer is lost", async () => {
    const { phone, key } = await aWarnedPhone();
    await phone.ask("Sync", asks(key), warned);
    const first = answered(await phone.ask("Sync", asks("78"), clean));
    assert.deepEqual(first.deleted, [item]);
    assert.deepEqual(answered(await phone.ask("Sync", asks("78"), clean)), first);
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(first.key), clean)), asks("78"));
    await phone.ask("Sync", asks("79"), clean);
    assert.equal(phone.mailbox().warning, undefined, "nothing is left of it");
  });

  test("comes and goes and comes while the phone never gets on upstream, and no key is in doubt", async () => {
    const { phone, key } = await aWarnedPhone();
    const gone = answered(await phone.ask("Sync", asks(key), clean));
    const back = answered(await phone.ask("Sync", asks(gone.key), warned));
    assert.deepEqual(back.added, [item]);
    assert.equal(new Set([key, gone.key, back.key]).size, 3);
    assert.deepEqual(answered(await phone.ask("Sync", asks(gone.key), warned)), back, "the answer was lost");
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(back.key), warned)), asks("77"));
  });

  test("is not lost when a request with the key before is the one that goes upstream", async () => {
    const { phone, key } = await aWarnedPhone();
    const reworded = { ...warned, notice: aNotice({ digest: "second wording" }) };
    await phone.ask("Sync", asks(key), reworded);
    const uploads = { commands: [change("5:1")] };
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(key, uploads), reworded)), asks("77", uploads));
    }
    assert.equal(phone.mailbox().warning?.shown, 1, "the phone still shows the first");
  });

  test("waits for the next request where the phone asks for no changes, uploads, or starts a folder", async () => {
    const phone = aHeldPhone();
    for (const request of [
      asks("77", { getChanges: "0" }),
      asks("77", { commands: [change("5:1")] }),
      sync({ key: "77", id: inbox }, { key: "9", id: projects, commands: [change("7:1")] }),
      sync({ key: "77", id: inbox }, { key: "0", id: projects }),
      asks("0"),
      sync({ key: "9", id: projects }),
    ]) {
      assert.deepEqual(upstreamSees(await phone.ask("Sync", request, warned)), request);
    }
    assert.deepEqual(answered(await phone.ask("Sync", asks("77"), warned)).added, [item]);
  });

  test("leaves what the phone said of its options to upstream", async () => {
    const options = [element("AirSync:FilterType", "3"), element("AirSync:MIMESupport", "0")];
    const phone = aHeldPhone();
    const { key } = answered(await phone.ask("Sync", asks("77", { options }), warned));
    const flag = { commands: [change("5:1")] };
    const expected = asks("77", { options, ...flag });
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(key, flag), warned)), expected);
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(key, flag), warned)), expected, "the answer was lost");
    const others = { options: [element("AirSync:FilterType", "5")] };
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(key, others), warned)), asks("77", others));
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks("78"), warned)), asks("78"), "it has them by now");
  });

  test("leaves a phone alone whose options are too many to be kept for upstream", async () => {
    const options = [element("AirSync:FilterType", "3".repeat(4_000))];
    const request = asks("77", { options });
    assert.deepEqual(upstreamSees(await aHeldPhone().ask("Sync", request, warned)), request);
  });
});

suite("what the person does with the notice", () => {
  test("is answered here, under a new key each time, and upstream hears nothing", async () => {
    const { phone, key } = await aWarnedPhone();
    const read = answered(await phone.ask("Sync", asks(key, { getChanges: "0", commands: [change(item)] }), warned));
    assert.notEqual(read.key, key);
    const again = answered(await phone.ask("Sync", asks(key, { getChanges: "0", commands: [change(item)] }), warned));
    assert.equal(again.key, read.key, "the answer was lost");
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(read.key), warned)), asks("77"));
  });

  test("promises nothing more where the phone asked for nothing", async () => {
    const { phone, key } = await aWarnedPhone();
    const uploads = { commands: [change(item)] };
    const quiet = await phone.ask("Sync", asks(key, { getChanges: "0", ...uploads }), warned);
    assert.deepEqual(everywhere(documentFrom(quiet), "AirSync:MoreAvailable"), []);
    const whole = await phone.ask("Sync", asks(key, uploads), warned);
    assert.equal(everywhere(documentFrom(whole), "AirSync:MoreAvailable").length, 1);
  });

  test("reaches upstream without it, where it is done together with something else", async () => {
    const { phone, key } = await aWarnedPhone();
    const both = asks(key, { commands: [change("5:1"), change(item), remove(item), remove("5:2")] });
    const expected = asks("77", { commands: [change("5:1"), remove("5:2")] });
    assert.deepEqual(upstreamSees(await phone.ask("Sync", both, warned)), expected);
    assert.ok(phone.mailbox().warning?.dismissedAt !== undefined);
  });

  test("keeps it away for a day when it was deleted, whatever there is to say, and through a quarantine", async () => {
    const { phone, key } = await aWarnedPhone();
    await phone.ask("Sync", asks(key, { commands: [remove(item)] }), warned);
    await phone.ask("Sync", asks("0"), { now: later(hour) });
    const reworded = { ...warned, notice: aNotice({ digest: "third wording" }) };
    for (const at of [2 * hour, 24 * hour - 1]) {
      const request = asks("90");
      const reply = await phone.ask("Sync", request, { ...reworded, now: later(at) });
      assert.deepEqual(upstreamSees(reply), request);
    }
    const back = answered(await phone.ask("Sync", asks("90"), { ...reworded, now: later(24 * hour) }));
    assert.equal(back.added.length, 1);
  });

  test("gets its body from here, and others from upstream", async () => {
    const { phone } = await aWarnedPhone();
    const fetch = (serverId: string): Element =>
      element(
        "ItemOperations:Fetch",
        element("ItemOperations:Store", "Mailbox"),
        element("AirSync:CollectionId", inbox),
        element("AirSync:ServerId", serverId),
      );
    const operations = (...parts: readonly Element[]): Element => element("ItemOperations:ItemOperations", ...parts);
    const here = documentFrom(await phone.ask("ItemOperations", operations(fetch(item)), warned));
    assert.deepEqual(textsIn(here, "AirSyncBase:Data"), ["TEXT"]);
    const mixed = operations(fetch("5:1"), fetch(item), fetch("5:2"));
    assert.deepEqual(
      upstreamSees(await phone.ask("ItemOperations", mixed, warned)),
      operations(fetch("5:1"), fetch("5:2")),
    );
    const empty = element("ItemOperations:EmptyFolderContents", element("AirSync:CollectionId", inbox));
    assert.deepEqual(upstreamSees(await phone.ask("ItemOperations", operations(empty), warned)), operations(empty));
    const gone = documentFrom(await phone.ask("ItemOperations", operations(fetch(item)), clean));
    assert.deepEqual(textsIn(gone, "ItemOperations:Status"), ["1", "6"]);
  });

  test("can be fetched in a Sync, while it is the one that the phone shows", async () => {
    const { phone, key } = await aWarnedPhone();
    const request = asks(key, { commands: [fetchOf(item), fetchOf("5:2000000009")] });
    const reply = documentFrom(await phone.ask("Sync", request, warned));
    const responses = everywhere(reply, "AirSync:Fetch");
    assert.deepEqual(
      responses.map((each) => textsIn(each, "AirSync:Status")),
      [["1"], ["8"]],
    );
  });
});

suite("a phone that asks first whether there is something", () => {
  const estimateFor = (key: string, id = inbox): Element =>
    estimateOf([element("AirSync:SyncKey", key), element("GetItemEstimate:CollectionId", id)]);

  test("hears of the notice, and later what upstream says", async () => {
    const phone = aHeldPhone();
    const reply = documentFrom(await phone.ask("GetItemEstimate", estimateFor("77"), warned));
    assert.deepEqual(textsIn(reply, "GetItemEstimate:Estimate"), ["1"]);
    assert.deepEqual(
      upstreamSees(await phone.ask("GetItemEstimate", estimateFor("9", projects), warned)),
      estimateFor("9", projects),
    );
    const { key } = answered(await phone.ask("Sync", asks("77"), warned));
    await phone.ask("Sync", asks(key), warned);
    assert.deepEqual(upstreamSees(await phone.ask("GetItemEstimate", estimateFor(key), warned)), estimateFor("77"));
  });
});

suite("which folder gets the notice", () => {
  const waits: MailboxChange = {
    ping: {
      heartbeatSeconds: 480,
      folders: [
        { id: "c", class: "Calendar" },
        { id: "i", class: "Email" },
        { id: "m", class: "Email" },
      ],
    },
  };
  const addedTo = async (phone: HeldPhone, request: Element): Promise<string[]> =>
    answered(await phone.ask("Sync", request, warned)).added;

  test("is the first mail folder that the phone waits for, where the list of folders was never seen", async () => {
    const phone = aHeldPhone({ remembered: [waits] });
    assert.deepEqual(await addedTo(phone, sync({ key: "4", id: "m" }, { key: "3", id: "i" })), ["i:2000000001"]);
    phone.forget(foldersKnown);
    const { key = "" } = phone.mailbox().warning?.shadow ?? {};
    assert.deepEqual(
      answered(await phone.ask("Sync", asks("77"), warned)).added,
      [item],
      "the list came without that folder, and names another",
    );
    assert.notEqual(key, "");
  });

  test("is the mail that it looks at, where it never waited either", async () => {
    const phone = aHeldPhone({ remembered: [] });
    const mail = { options: [element("AirSync:MIMESupport", "0")] };
    const events = sync({ key: "2", id: "c" });
    assert.deepEqual(upstreamSees(await phone.ask("Sync", events, warned)), events);
    assert.deepEqual(await addedTo(phone, sync({ key: "3", id: "i", ...mail })), ["i:2000000001"]);
  });

  test("is where a Ping that upstream holds ends, though nothing was known before that Ping", () => {
    const { interrupt } = aHeldPhone().claim("Ping");
    const next = { ...aDecision("allow", aMailbox()), notice: aNotice() };
    const body = ping("480", ["c", "Calendar"], ["i", "Email"]);
    const ended = (): string[] => {
      const reply = interrupt?.(Buffer.from(encode(body)), next, noon);
      return reply === undefined ? [] : textsIn(documentFrom(reply), "Ping:Folder");
    };
    for (let time = 0; time < 3; time += 1) assert.deepEqual(ended(), ["i"]);
    assert.deepEqual(ended(), [], "a phone that does not go to look is not sent without end");
  });
});

suite("a phone whose answer came from another node a moment ago", () => {
  test("goes on where it was, as soon as this node knows", async () => {
    const { phone: other, key } = await aWarnedPhone();
    const phone = aHeldPhone({ news: [{ warned: other.mailbox() }] });
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(key), warned)), asks("77"));
    assert.equal(phone.waits.length, 1);
    assert.ok((phone.waits[0] ?? Infinity) <= 1_000);
  });

  test("starts its Inbox anew when nothing is heard of it", async () => {
    const { key } = await aWarnedPhone();
    const phone = aHeldPhone({ news: ["expired"] });
    assert.deepEqual(textsIn(documentFrom(await phone.ask("Sync", asks(key), warned)), "AirSync:Status"), ["3"]);
    assert.equal(phone.waits.length, 1);
    await phone.ask("Sync", asks(ourKey(inbox)), warned);
    assert.equal(phone.waits.length, 1, "a key of a quarantine is known by itself");
  });
});

suite("a phone that is warned while it comes back from quarantine", () => {
  test("gives its keys back first, and gets the notice when it is with upstream again", async () => {
    const phone = aHeldPhone({ remembered: [foldersKnown, { issue: [inbox, projects] }] });
    const ours = sync({ key: ourKey(inbox, { state: 2 }), id: inbox });
    assert.deepEqual(textsIn(documentFrom(await phone.ask("Sync", ours, warned)), "AirSync:Status"), ["3"]);
    assert.deepEqual(passedFrom(await phone.ask("Sync", asks("0"), warned)).whenAnswered, {
      drained: [inbox],
      heard: ["Sync"],
    });
    phone.forget({ drained: [inbox], heard: ["Sync"] });
    const both = syncOf([
      collection({ key: "77", id: inbox }),
      collection({ key: ourKey(projects, { state: 1 }), id: projects }),
    ]);
    const first = documentFrom(await phone.ask("Sync", both, warned));
    assert.deepEqual(textsIn(first, "AirSync:Status"), ["3"]);
    assert.deepEqual(answered(await phone.ask("Sync", asks("77"), warned)).added, [item]);
  });

  test("keeps a key that stands for upstream's while another folder starts anew", async () => {
    const { phone, key } = await aWarnedPhone();
    phone.forget({ issue: [projects] });
    const both = sync({ key, id: inbox, commands: [change("5:1")] }, { key: ourKey(projects), id: projects });
    const reply = documentFrom(await phone.ask("Sync", both, warned));
    assert.deepEqual(textsIn(reply, "AirSync:SyncKey"), [key, "0"]);
    assert.deepEqual(textsIn(reply, "AirSync:Status"), ["16", "3"]);
    assert.deepEqual(upstreamSees(await phone.ask("Sync", asks(key), warned)), asks("77"));
  });
});
