/** A Sync in quarantine from end to end: what it waits for, what is written down for it, and what its release brings. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element, textOf } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { Reply } from "../../src/gateway/protocol.ts";
import type { MailboxChange } from "../../src/store/store.ts";
import {
  addOf,
  answered,
  calendar,
  collection,
  contacts,
  heartbeat,
  inbox,
  projects,
  sync,
  syncOf,
  textsIn,
  wait,
} from "../support/activesync-documents.ts";
import type { CollectionParts } from "../support/activesync-documents.ts";
import {
  aHeldPhone,
  aNotice,
  answerFrom,
  documentFrom,
  foldersKnown,
  hexFrom,
  noon,
  ourKey,
  refusalFrom,
} from "../support/remediation.ts";
import type { HeldPhone } from "../support/remediation.ts";

const scope = ["12.1", "14.0", "14.1"] as const;
const issued: MailboxChange = { issue: [inbox, projects, calendar] };
const today: MailboxChange = { notice: { revision: 1, digest: "first wording", at: noon } };
const settled = [foldersKnown, issued, today] as const;
/** An Inbox that has the notice. */
const unchanged: CollectionParts = { key: ourKey(inbox, { state: 2 }), id: inbox };
const held: CollectionParts = { key: "77", id: contacts };

const waiting = (how: Element, ...folders: readonly CollectionParts[]): Element =>
  syncOf(
    folders.map((each) => collection(each)),
    how,
  );
const status = (text: string, ...parts: readonly Element[]): Element =>
  element("AirSync:Sync", element("AirSync:Status", text), ...parts);
const isEmpty = (reply: Reply): boolean => {
  const { httpStatus, headers, body } = answerFrom(reply);
  return httpStatus === 200 && headers.length === 0 && body === undefined;
};
const later = (ms: number): Date => new Date(noon.getTime() + ms);
const hour = 3_600_000;

suite("a Sync in which nothing has changed", () => {
  for (const version of scope) {
    test(`is answered without a word (${version})`, async () => {
      assert.ok(isEmpty(await aHeldPhone({ version, remembered: settled }).ask("Sync", sync(unchanged, held))));
    });
  }

  test("is answered with its keys before 12.1, where silence has no meaning", async () => {
    const phone = aHeldPhone({ version: "12.0", remembered: settled });
    assert.deepEqual(
      documentFrom(await phone.ask("Sync", sync(unchanged, held))),
      syncOf([answered(unchanged.key ?? "", inbox, "1"), answered("77", contacts, "1")]),
    );
  });
});

suite("a Sync that repeats what was said before", () => {
  test("is asked for in full, for nobody has kept it", async () => {
    for (const version of scope) {
      for (const body of [
        undefined,
        element("AirSync:Sync", element("AirSync:Partial"), heartbeat("480")),
        syncOf([collection(unchanged)], element("AirSync:Partial")),
        element("AirSync:Sync"),
      ]) {
        const phone = aHeldPhone({ version, remembered: settled });
        assert.deepEqual(documentFrom(await phone.ask("Sync", body)), status("13"));
        assert.deepEqual(phone.waits, []);
      }
    }
  });
});

suite("a Sync that waits", () => {
  const limit = (text: string): Element => status("14", element("AirSync:Limit", text));
  for (const [how, expected] of [
    [wait("0"), limit("1")],
    [wait("60"), limit("59")],
    [heartbeat("59"), limit("60")],
    [heartbeat("3541"), limit("3540")],
    [wait("soon"), status("4")],
  ] as const) {
    test(`for a time that cannot be had is told of one that can: ${how.tag} ${textOf(how)}`, async () => {
      const phone = aHeldPhone({ remembered: settled });
      assert.deepEqual(documentFrom(await phone.ask("Sync", waiting(how, unchanged))), expected);
      assert.deepEqual(phone.waits, []);
    });
  }

  test("in both ways at once is told that this is not the protocol", async () => {
    const both = syncOf([collection(unchanged)], wait("5"), heartbeat("300"));
    assert.deepEqual(documentFrom(await aHeldPhone({ remembered: settled }).ask("Sync", both)), status("4"));
  });

  for (const [how, ms] of [
    [wait("1"), 60_000],
    [wait("59"), 3_540_000],
    [heartbeat("60"), 60_000],
    [heartbeat("3540"), 3_540_000],
  ] as const) {
    test(`is answered without a word when its time is over: ${how.tag} ${textOf(how)}`, async () => {
      for (const news of [["expired"], ["gone"]] as const) {
        const phone = aHeldPhone({ remembered: settled, news });
        assert.ok(isEmpty(await phone.ask("Sync", waiting(how, unchanged, held))));
        const [waited = 0, ...others] = phone.waits;
        assert.ok(waited <= ms && waited > ms - 5000, String(waited));
        assert.deepEqual(others, []);
      }
    });
  }

  test("does not wait when there is something to say", async () => {
    const phone = aHeldPhone({ remembered: settled });
    const reply = await phone.ask("Sync", waiting(wait("10"), { key: "77", id: projects }, unchanged));
    assert.deepEqual(documentFrom(reply), syncOf([answered("0", projects, "3")]));
    assert.deepEqual(phone.waits, []);
  });

  test("gets other words of the notice at once", async () => {
    const reworded = { notice: aNotice({ digest: "second wording", text: "NEW" }) };
    const phone = aHeldPhone({ remembered: settled, news: [{ notice: aNotice() }, reworded] });
    const document = documentFrom(await phone.ask("Sync", waiting(wait("10"), unchanged)));
    assert.deepEqual(textsIn(document, "AirSync:ServerId"), ["5:2000000001", "5:2000000002"]);
    assert.deepEqual(textsIn(document, "AirSyncBase:Data"), ["NEW"]);
    assert.equal(phone.waits.length, 2);
    assert.equal(phone.mailbox().notice?.revision, 2);
  });

  test("waits on while nothing can be known about the phone", async () => {
    const phone = aHeldPhone({ remembered: settled, news: ["deferred", "deferred", "released"] });
    const reply = await phone.ask("Sync", waiting(wait("10"), unchanged));
    assert.deepEqual(documentFrom(reply), syncOf([answered("0", inbox, "3")]));
    assert.equal(phone.waits.length, 3);
  });
});

suite("a Sync that waits when its phone is released", () => {
  const released = (version: (typeof scope)[number], ...folders: readonly CollectionParts[]): Promise<Reply> =>
    aHeldPhone({ version, remembered: settled, news: ["released"] }).ask("Sync", waiting(wait("10"), ...folders));

  for (const version of scope) {
    test(`starts its mail folders anew, as it is known by heart (${version})`, async () => {
      const reply = await released(version, unchanged);
      assert.equal(hexFrom(reply), "03016a00455c4f4b0330000152033500014e03330001010101");
    });

    test(`starts a calendar anew that began in quarantine (${version})`, async () => {
      assert.deepEqual(
        documentFrom(await released(version, { key: ourKey(calendar), id: calendar }, unchanged)),
        syncOf([answered("0", calendar, "3"), answered("0", inbox, "3")]),
      );
    });

    test(`ends without a word where the phone has nothing of ours, so that it asks upstream (${version})`, async () => {
      assert.ok(isEmpty(await released(version, held)));
    });
  }

  test("leaves what was held as it is", async () => {
    for (const version of ["14.0", "14.1"] as const) {
      assert.deepEqual(documentFrom(await released(version, held, unchanged)), syncOf([answered("0", inbox, "3")]));
    }
    assert.deepEqual(
      documentFrom(await released("12.1", held, unchanged)),
      syncOf([answered("77", contacts, "1"), answered("0", inbox, "3")]),
    );
  });
});

suite("what is written down", () => {
  test("a folder that gets a key of ours, before the phone can have it, and once", async () => {
    const phone = aHeldPhone();
    await phone.ask("Sync", sync({ key: "0", id: inbox }, { key: "0", id: calendar }));
    assert.deepEqual(phone.mailbox().issued, new Set([inbox, calendar]));
    const count = phone.changes.length;
    await phone.ask("Sync", sync({ key: "0", id: inbox }));
    assert.equal(phone.changes.length, count);
  });

  test("a folder of which the phone has a key of ours though nobody remembers it", async () => {
    for (const folder of [{ key: ourKey(inbox), id: inbox }, unchanged]) {
      const phone = aHeldPhone({ remembered: [foldersKnown, today] });
      await phone.ask("Sync", sync(folder, { key: ourKey(calendar), id: calendar }));
      assert.deepEqual(phone.mailbox().issued, new Set([inbox, calendar]));
    }
  });

  test("only that upstream has not heard it, for a phone that is only refused", async () => {
    const phone = aHeldPhone({ remembered: [foldersKnown, today] });
    await phone.ask("Sync", sync({ key: "5", id: inbox }, held));
    assert.deepEqual(phone.changes, [{ unheard: ["Sync"] }]);
  });

  test("a new revision when the words change, and one a day", async () => {
    const phone = aHeldPhone({ remembered: settled });
    const revisionAt = async (ms: number, notice = aNotice()): Promise<number | undefined> => {
      await phone.ask("Sync", sync(unchanged), { now: later(ms), notice });
      return phone.mailbox().notice?.revision;
    };
    assert.equal(await revisionAt(24 * hour - 1), 1);
    assert.equal(await revisionAt(24 * hour), 2);
    assert.equal(await revisionAt(24 * hour + 1), 2);
    assert.equal(await revisionAt(24 * hour + 2, aNotice({ digest: "other words" })), 3);
    assert.equal(await revisionAt(48 * hour + 1, aNotice({ digest: "other words" })), 3);
    assert.equal(await revisionAt(48 * hour + 2, aNotice({ digest: "other words" })), 4);
  });

  test("a new revision for a phone that comes back into quarantine", async () => {
    for (const [ms, expected] of [
      [599_999, 1],
      [600_000, 2],
    ] as const) {
      const phone = aHeldPhone({ remembered: [foldersKnown, today] });
      await phone.ask("Sync", sync({ key: "0", id: inbox }), { now: later(ms) });
      assert.equal(phone.mailbox().notice?.revision, expected);
    }
  });

  test("after 4999 revisions the count begins again", async () => {
    const last: MailboxChange = { notice: { revision: 4999, digest: "old words", at: noon } };
    const phone = aHeldPhone({ remembered: [foldersKnown, issued, last] });
    const document = documentFrom(await phone.ask("Sync", sync({ key: ourKey(inbox, { state: 9998 }), id: inbox })));
    assert.deepEqual(textsIn(document, "AirSync:ServerId"), ["5:2000004999", "5:2000000001"]);
  });
});

test("uploads to held folders alone are asked for again later", async () => {
  for (const version of scope) {
    const phone = aHeldPhone({ version, remembered: settled });
    const reply = await phone.ask("Sync", waiting(wait("10"), { ...held, commands: [addOf("c1")] }));
    assert.deepEqual(refusalFrom(reply), { httpStatus: 503, retryAfter: "300" });
    assert.deepEqual(phone.waits, []);
  }
});

test("the same request has the same answer, to the byte, however often it is sent", async () => {
  const asked: readonly (readonly CollectionParts[])[] = [
    [{ key: "0", id: inbox }],
    [{ key: ourKey(inbox), id: inbox }],
    [unchanged],
    [
      { ...unchanged, commands: [addOf("c1")] },
      { key: "0", id: calendar },
    ],
  ];
  for (const version of scope) {
    const phone = aHeldPhone({ version });
    const answers = async (): Promise<string[]> => {
      const all: string[] = [];
      for (const folders of asked) all.push(hexFrom(await phone.ask("Sync", sync(...folders))));
      return all;
    };
    const first = await answers();
    assert.deepEqual(await answers(), first);
    const another = aHeldPhone({ version, remembered: [foldersKnown, { notice: phone.mailbox().notice ?? never() }] });
    assert.equal(hexFrom(await another.ask("Sync", sync(...(asked[1] ?? [])))), first[1], "and on every node");
  }
});

function never(): never {
  throw new Error("the notice was not written down");
}

test("the notice is addressed to whoever asks", async () => {
  const phone: HeldPhone = aHeldPhone();
  const document = documentFrom(await phone.ask("Sync", sync({ key: ourKey(inbox), id: inbox })));
  assert.deepEqual(textsIn(document, "Email:To"), ["alice"]);
  assert.deepEqual(textsIn(document, "Email:DisplayTo"), ["alice"]);
});
