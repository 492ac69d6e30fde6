/**
 * A phone may leave out what it has said before: an empty Sync, a part of one, a Ping without its folders. Upstream remembers
 * what it heard; whatever the gate answered in between, it did not hear.
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import {
  calendar,
  collection,
  heartbeat,
  inbox,
  ping,
  projects,
  sync,
  syncOf,
  textsIn,
} from "../support/activesync-documents.ts";
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
import type { AskOptions, HeldPhone } from "../support/remediation.ts";

const allowed: AskOptions = { allowed: true };
const warned: AskOptions = { warned: true };
const inFull = element("AirSync:Sync", element("AirSync:Status", "13"));
const versions = ["12.1", "14.1", "16.1"] as const;

const partOf = (key: string, id: string): Element =>
  element("AirSync:Sync", element("AirSync:Partial"), element("AirSync:Collections", collection({ key, id })));

/** What goes upstream, and is answered there. */
async function answeredUpstream(
  phone: HeldPhone,
  command: "Sync" | "Ping",
  body: Element | undefined,
  how = allowed,
): Promise<Element | undefined> {
  const reply = passedFrom(await phone.ask(command, body, how));
  phone.forget(reply.whenAnswered ?? {});
  return reply.body === undefined || reply.body.byteLength === 0 ? undefined : decode(reply.body);
}

suite("a Sync that says less than the one before", () => {
  for (const version of versions) {
    test(`is asked for in full after a quarantine in which the phone looked at its calendar alone: ${version}`, async () => {
      const phone = aHeldPhone({ version });
      await phone.ask("Sync", sync({ key: "77", id: calendar }));
      assert.deepEqual(phone.mailbox().issued, new Set(), "it holds no key of ours");
      for (const body of [undefined, partOf("77", calendar)])
        assert.deepEqual(documentFrom(await phone.ask("Sync", body, allowed)), inFull);
    });

    test(`goes upstream once upstream has answered a whole one: ${version}`, async () => {
      const phone = aHeldPhone({ version });
      await phone.ask("Sync", sync({ key: "77", id: calendar }));
      const whole = sync({ key: "9", id: inbox });
      assert.deepEqual(await answeredUpstream(phone, "Sync", whole), decode(encode(whole)));
      assert.deepEqual(phone.mailbox().unheard, new Set());
      assert.equal(await answeredUpstream(phone, "Sync", undefined), undefined);
      const part = partOf("9", inbox);
      assert.deepEqual(await answeredUpstream(phone, "Sync", part), decode(encode(part)));
    });
  }

  test("goes upstream while a folder that is seldom opened is still the one of a quarantine", async () => {
    const phone = aHeldPhone({ remembered: [foldersKnown, { issue: [projects], unheard: ["Sync"] }] });
    await answeredUpstream(phone, "Sync", sync({ key: "9", id: inbox }));
    assert.equal(await answeredUpstream(phone, "Sync", undefined), undefined);
    // What the gate says of that folder is the last that the phone has heard.
    await phone.ask("Sync", sync({ key: ourKey(projects), id: projects }), allowed);
    assert.deepEqual(documentFrom(await phone.ask("Sync", undefined, allowed)), inFull);
  });

  test("is asked for in full when the part that it says is about a key of ours, known or not", async () => {
    for (const remembered of [[foldersKnown], [foldersKnown, { issue: [projects] }]]) {
      const reply = await aHeldPhone({ remembered }).ask("Sync", partOf(ourKey(projects), projects), allowed);
      assert.deepEqual(documentFrom(reply), inFull);
    }
  });

  test("is asked for in full after the gate has handed out the notice, and not after upstream has answered", async () => {
    const phone = aHeldPhone();
    const handedOut = documentFrom(await phone.ask("Sync", sync({ key: "9", id: inbox }), warned));
    assert.deepEqual(documentFrom(await phone.ask("Sync", undefined, warned)), inFull);
    const [key = ""] = keysIn(handedOut);
    const asked = await answeredUpstream(phone, "Sync", sync({ key, id: inbox }), warned);
    assert.deepEqual(asked === undefined ? [] : keysIn(asked), ["9"]);
    // Upstream had nothing new, and the phone goes on with the key of ours: as before means the same to both.
    assert.equal(await answeredUpstream(phone, "Sync", undefined, warned), undefined);
  });

  test("costs no write where the phone cannot say less, or it is written already", async () => {
    const old = aHeldPhone({ version: "12.0" });
    await old.ask("Sync", sync({ key: "77", id: calendar, class: "Calendar" }));
    assert.deepEqual(old.changes, []);
    const phone = aHeldPhone();
    for (let time = 0; time < 3; time += 1) await phone.ask("Sync", sync({ key: "77", id: calendar }));
    assert.deepEqual(phone.changes, [{ unheard: ["Sync"] }]);
  });

  test("ends at once when it waits upstream and the notice has come", () => {
    const { interrupt } = aHeldPhone().claim("Sync");
    const pending = { ...aDecision("allow", aMailbox(foldersKnown)), notice: aNotice() };
    const reply = interrupt?.(new Uint8Array(), pending, noon);
    assert.deepEqual(reply, { kind: "answer", httpStatus: 200, headers: [], body: undefined });
    // What was too large to be kept may upload something.
    assert.equal(interrupt?.(undefined, pending, noon), undefined);
    const first = syncOf([collection({ key: "0", id: inbox })], heartbeat("480"));
    assert.equal(interrupt?.(encode(first), pending, noon), undefined, "a first key is not answered with silence");
  });
});

suite("a Ping that says less than the one before", () => {
  const both = ping("480", [inbox, "Email"], [calendar, "Calendar"]);

  for (const version of ["2.5", ...versions] as const) {
    test(`goes upstream in full where its folders were said in quarantine: ${version}`, async () => {
      const remembered = { ping: { heartbeatSeconds: 900, folders: [{ id: inbox, class: "Email" }] } };
      for (const body of [undefined, ping("600")]) {
        const phone = aHeldPhone({ version, remembered: [foldersKnown, { issue: [inbox] }, remembered] });
        await phone.ask("Ping", both);
        phone.forget({ drained: [inbox] });
        const sent = ping(body === undefined ? "480" : "600", [inbox, "Email"], [calendar, "Calendar"]);
        assert.deepEqual(await answeredUpstream(phone, "Ping", body), decode(encode(sent)));
        assert.deepEqual(phone.mailbox().unheard, new Set(), "and then upstream knows");
        assert.deepEqual(await answeredUpstream(phone, "Ping", body), body && decode(encode(body)));
      }
    });
  }

  test("goes upstream in full where the gate has answered the last full one of an allowed phone", async () => {
    const phone = aHeldPhone({ remembered: [foldersKnown, { issue: [inbox] }] });
    await phone.ask("Ping", both, allowed);
    phone.forget({ drained: [inbox] });
    assert.deepEqual(await answeredUpstream(phone, "Ping", undefined), decode(encode(both)));
  });

  test("goes upstream as it is where upstream has heard all of it", async () => {
    const remembered = { ping: { heartbeatSeconds: 480, folders: [{ id: inbox, class: "Email" }] } };
    const phone = aHeldPhone({ remembered: [foldersKnown, { issue: [inbox] }, remembered] });
    await phone.ask("Ping", undefined);
    phone.forget({ drained: [inbox] });
    assert.deepEqual(phone.changes, [], "an empty one says nothing that upstream has not heard");
    assert.equal(await answeredUpstream(phone, "Ping", undefined), undefined);
  });

  test("has a folder without a class where the phone gave none", async () => {
    const phone = aHeldPhone({
      remembered: [
        foldersKnown,
        { unheard: ["Ping"], ping: { heartbeatSeconds: 60, folders: [{ id: "5", class: "" }] } },
      ],
    });
    const asked = await answeredUpstream(phone, "Ping", undefined);
    assert.deepEqual(
      asked,
      decode(
        encode(
          element(
            "Ping:Ping",
            element("Ping:HeartbeatInterval", "60"),
            element("Ping:Folders", element("Ping:Folder", element("Ping:Id", "5"))),
          ),
        ),
      ),
    );
  });
});

function keysIn(document: Element): string[] {
  return textsIn(document, "AirSync:SyncKey");
}
