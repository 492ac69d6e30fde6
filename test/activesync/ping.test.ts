/** Ping in quarantine: a phone is sent to its folders where there is something to see, and else waits with the gate. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { completePing, createNudges, interruptPing, readPing, samePing } from "../../src/activesync/ping.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { MailboxChange, RememberedPing } from "../../src/store/store.ts";
import { calendar, hex, inbox, ping, projects, sync, textsIn } from "../support/activesync-documents.ts";
import {
  aHeldPhone,
  aMailbox,
  aNotice,
  documentFrom,
  foldersKnown,
  hexFrom,
  noon,
  ourKey,
} from "../support/remediation.ts";
import type { HeldPhone, HeldPhoneOptions } from "../support/remediation.ts";

const seen: MailboxChange = { issue: [inbox, projects] };
const today: MailboxChange = { notice: { revision: 1, digest: "first wording", at: noon } };
/** A phone that has looked into its mail folders, and has the notice. */
const settled: HeldPhoneOptions = { remembered: [foldersKnown, seen, today] };
const mail = [inbox, "Email"] as const;
const events = [calendar, "Calendar"] as const;
const more = [projects, "Email"] as const;
const later = (ms: number): Date => new Date(noon.getTime() + ms);
const minute = 60_000;
const hour = 60 * minute;

const status = (text: string, ...parts: readonly Element[]): Element =>
  element("Ping:Ping", element("Ping:Status", text), ...parts);
const changesIn = (...ids: readonly string[]): Element =>
  status("2", element("Ping:Folders", ...ids.map((id) => element("Ping:Folder", id))));

async function answer(phone: HeldPhone, body?: Element, now = noon): Promise<Element> {
  return documentFrom(await phone.ask("Ping", body, { now }));
}

suite("answers known by heart", () => {
  test("no news until the time is over", async () => {
    const reply = await aHeldPhone(settled).ask("Ping", ping("480", mail));
    assert.equal(hexFrom(reply), "03016a00000d45470331000101");
  });

  test("something to see in a folder", async () => {
    const reply = await aHeldPhone().ask("Ping", ping("480", ["5", "Email"]));
    assert.equal(hexFrom(reply), "03016a00000d454703320001494a033500010101");
  });

  test("say it again in full", async () => {
    assert.equal(hexFrom(await aHeldPhone().ask("Ping")), "03016a00000d45470333000101");
  });

  test("another time between two Pings", async () => {
    const vector = "03016a00000d4547033500014803343830000101";
    assert.equal(vector, hex(status("5", element("Ping:HeartbeatInterval", "480"))));
    const reply = await aHeldPhone(settled).ask("Ping", ping("9999", mail));
    assert.equal(hexFrom(reply), vector.replace("343830", "33353430"));
  });
});

suite("how long a phone waits", () => {
  for (const [asked, expected] of [
    ["59", "60"],
    ["1", "60"],
    ["0", "60"],
    ["3541", "3540"],
    ["999999", "3540"],
    ["1000000", "3540"],
    ["99999999999999999999999999", "3540"],
  ] as const) {
    test(`${asked} seconds are refused, and the nearest time that can be had is named`, async () => {
      const phone = aHeldPhone(settled);
      assert.deepEqual(
        await answer(phone, ping(asked, mail)),
        status("5", element("Ping:HeartbeatInterval", expected)),
      );
      assert.deepEqual(phone.waits, []);
    });
  }

  for (const asked of ["60", "480", "3540"]) {
    test(`${asked} seconds are waited for`, async () => {
      const phone = aHeldPhone(settled);
      assert.deepEqual(await answer(phone, ping(asked, mail)), status("1"));
      const [waited = 0, ...others] = phone.waits;
      assert.ok(waited <= Number(asked) * 1000 && waited > Number(asked) * 1000 - 5000, String(waited));
      assert.deepEqual(others, []);
    });
  }

  test("a decision that changes nothing for the phone does not end the wait, nor make it longer", async () => {
    const phone = aHeldPhone({ ...settled, news: [{ notice: aNotice() }, "deferred", { notice: aNotice() }] });
    assert.deepEqual(await answer(phone, ping("480", mail)), status("1"));
    assert.equal(phone.waits.length, 4);
    assert.deepEqual(
      phone.waits.toSorted((a, b) => b - a),
      phone.waits,
    );
  });
});

suite("what a phone waits for", () => {
  test("is remembered, and need not be said again", async () => {
    const phone = aHeldPhone(settled);
    await answer(phone, ping("480", mail, events));
    const remembered: RememberedPing = {
      heartbeatSeconds: 480,
      folders: [
        { id: inbox, class: "Email" },
        { id: calendar, class: "Calendar" },
      ],
    };
    assert.deepEqual(phone.mailbox().ping, remembered);
    assert.deepEqual(await answer(phone), status("1"));
    assert.deepEqual(await answer(phone, ping("600")), status("1"));
    assert.deepEqual(phone.mailbox().ping, { ...remembered, heartbeatSeconds: 600 });
    assert.deepEqual(await answer(phone, ping(undefined, events)), status("1"));
    assert.deepEqual(phone.mailbox().ping, { heartbeatSeconds: 600, folders: [{ id: calendar, class: "Calendar" }] });
    assert.equal(phone.changes.length, 3, "what has not changed is not written again");
  });

  test("must have been said once in full", async () => {
    for (const body of [undefined, ping("480"), ping(undefined, mail)]) {
      assert.deepEqual(await answer(aHeldPhone(settled), body), status("3"));
    }
  });

  test("is remembered up to a number of folders; past it the phone is told how many there may be", async () => {
    const folders = Array.from({ length: 200 }, (_, index) => [`x${index}`, "Calendar"] as const);
    const most = aHeldPhone(settled);
    assert.deepEqual(await answer(most, ping("480", ...folders)), status("1"));
    assert.equal(most.mailbox().ping?.folders.length, 200);
    const phone = aHeldPhone(settled);
    const tooMany = await answer(phone, ping("480", ...folders, ["one more", "Calendar"]));
    assert.deepEqual(tooMany, status("6", element("Ping:MaxFolders", "200")));
    assert.deepEqual(phone.changes, []);
  });

  test("is not remembered, nor said again, where it names what is no folder", async () => {
    const id = "x".repeat(128);
    const phone = aHeldPhone(settled);
    assert.deepEqual(await answer(phone, ping("480", [id, "Calendar"])), status("1"));
    for (const [named, folderClass] of [
      [`${id}x`, "Email"],
      ["", "Email"],
      [inbox, "E".repeat(33)],
    ] as const) {
      const other = aHeldPhone(settled);
      assert.deepEqual(await answer(other, ping("480", mail, [named, folderClass])), status("4"));
      assert.deepEqual(other.changes, []);
    }
  });

  test("is not taken from a Ping that passes, where it could not be remembered", () => {
    const folders = Array.from({ length: 201 }, (_, index) => [`x${index}`, "Email"] as const);
    for (const document of [ping("480", ...folders), ping("480", ["x".repeat(129), "Email"])]) {
      assert.equal(completePing(readPing(document), undefined), undefined);
    }
  });

  test("is not remembered with a time that was refused", async () => {
    const phone = aHeldPhone(settled);
    await answer(phone, ping("5", mail));
    assert.equal(phone.mailbox().ping, undefined);
  });
});

suite("a phone that enters quarantine", () => {
  test("is sent to those of its mail folders that it has not looked into", async () => {
    assert.deepEqual(await answer(aHeldPhone(), ping("480", events, mail, more)), changesIn(inbox, projects));
    const half = aHeldPhone({ remembered: [foldersKnown, { issue: [inbox] }, today] });
    assert.deepEqual(await answer(half, ping("480", events, mail, more)), changesIn(projects));
  });

  test("is not sent to a calendar", async () => {
    assert.deepEqual(await answer(aHeldPhone(), ping("480", events)), status("1"));
  });

  test("is sent there three times at once, and then once an hour", async () => {
    const phone = aHeldPhone();
    const asks = ping("480", mail);
    for (const at of [0, 1, 2]) assert.deepEqual(await answer(phone, asks, later(at)), changesIn(inbox));
    for (const at of [3, minute, hour + 1])
      assert.deepEqual(await answer(phone, asks, later(at)), status("1"), String(at));
    assert.deepEqual(await answer(phone, asks, later(hour + 2)), changesIn(inbox));
    assert.deepEqual(await answer(phone, asks, later(hour + 3)), status("1"));
    assert.deepEqual(await answer(phone, asks, later(2 * hour + 2)), changesIn(inbox));
  });

  test("is sent to one folder however often it was sent to another", async () => {
    const phone = aHeldPhone();
    for (const at of [0, 1, 2]) await answer(phone, ping("480", mail), later(at));
    assert.deepEqual(await answer(phone, ping("480", mail, more), later(3)), changesIn(projects));
  });

  test("is sent there as often again when it comes back into quarantine", async () => {
    const phone = aHeldPhone();
    const asks = ping("480", mail);
    for (let entry = 0; entry < 5; entry += 1) {
      assert.deepEqual(await answer(phone, asks, later(entry * minute)), changesIn(inbox), `entry ${entry}`);
      await phone.ask("Sync", sync({ key: "0", id: inbox }));
      assert.deepEqual(await answer(phone, asks, later(entry * minute)), status("1"));
      phone.forget({ drained: [inbox] });
    }
  });
});

suite("a phone that waits in quarantine", () => {
  test("is told at once of its release, for all folders that it waits for", async () => {
    const phone = aHeldPhone({ ...settled, news: ["released"] });
    assert.deepEqual(await answer(phone, ping("480", events, mail)), changesIn(calendar, inbox));
  });

  test("is told at once of other words, in its Inbox", async () => {
    const phone = aHeldPhone({ ...settled, news: [{ notice: aNotice({ digest: "second wording" }) }] });
    assert.deepEqual(await answer(phone, ping("480", events, mail, more)), changesIn(inbox));
  });

  test("waits on when it does not wait for its Inbox", async () => {
    const phone = aHeldPhone({ ...settled, news: [{ notice: aNotice({ digest: "second wording" }) }] });
    assert.deepEqual(await answer(phone, ping("480", events)), status("1"));
  });

  test("is told of words that changed between two Pings", async () => {
    const phone = aHeldPhone(settled);
    const asks = ping("480", events, mail, more);
    const reworded = { notice: aNotice({ digest: "second wording" }) };
    assert.deepEqual(await answer(phone, asks), status("1"));
    assert.deepEqual(documentFrom(await phone.ask("Ping", asks, reworded)), changesIn(inbox));
    await phone.ask("Sync", sync({ key: ourKey(inbox, { state: 2 }), id: inbox }), reworded);
    assert.deepEqual(documentFrom(await phone.ask("Ping", asks, reworded)), status("1"), "it has the new words");
  });

  test("is sent to its Inbox once a day, where a notice that was deleted comes back", async () => {
    const phone = aHeldPhone(settled);
    const asks = ping("480", mail);
    assert.deepEqual(await answer(phone, asks, later(24 * hour - 1)), status("1"));
    assert.deepEqual(await answer(phone, asks, later(24 * hour)), changesIn(inbox));
    const synced = await phone.ask("Sync", sync({ key: ourKey(inbox, { state: 3 }), id: inbox }), {
      now: later(24 * hour),
    });
    assert.deepEqual(textsIn(documentFrom(synced), "AirSync:ServerId"), ["5:2000000002"]);
    assert.deepEqual(await answer(phone, asks, later(24 * hour + 1)), status("1"));
  });

  test("is not sent to its Inbox without end when it does not go", async () => {
    const phone = aHeldPhone(settled);
    const asks = ping("480", mail);
    for (const at of [0, 1, 2]) assert.deepEqual(await answer(phone, asks, later(24 * hour + at)), changesIn(inbox));
    assert.deepEqual(await answer(phone, asks, later(24 * hour + 3)), status("1"));
  });
});

suite("how often a phone is sent to look", () => {
  const phone = { account: "alice", id: "PHONEA" };

  test("one person's phone is not another's, though it bears the same name", () => {
    const nudges = createNudges();
    for (let count = 0; count < 3; count += 1) assert.ok(nudges.allow(phone, "5", 0));
    assert.equal(nudges.allow(phone, "5", 0), false);
    assert.ok(nudges.allow({ ...phone, account: "bob" }, "5", 0));
    assert.ok(nudges.allow({ ...phone, id: "PHONEB" }, "5", 0));
  });
});

suite("a Ping that upstream holds when its phone enters quarantine", () => {
  const remembered = { heartbeatSeconds: 480, folders: [{ id: projects, class: "Email" }] };

  test("ends with the mail folders that it names", () => {
    const request = readPing(ping("480", events, mail, more));
    assert.deepEqual(interruptPing(request, aMailbox(foldersKnown)), changesIn(inbox, projects));
  });

  test("ends with the mail folders that it means, where it names none", () => {
    assert.deepEqual(
      interruptPing(readPing(undefined), aMailbox(foldersKnown, { ping: remembered })),
      changesIn(projects),
    );
  });

  test("is said again in full where nobody knows what it means", () => {
    assert.deepEqual(interruptPing(readPing(undefined), aMailbox(foldersKnown)), status("3"));
    assert.deepEqual(interruptPing(undefined, aMailbox(foldersKnown)), status("3"));
  });

  test("goes on where it waits for no mail", () => {
    assert.equal(interruptPing(readPing(ping("480", events)), aMailbox(foldersKnown)), undefined);
  });

  test("names mail folders of which only their class is known", () => {
    assert.deepEqual(
      interruptPing(readPing(ping("480", ["x", "Email"], ["y", "Calendar"])), aMailbox()),
      changesIn("x"),
    );
  });
});

test("two Pings are the same when they wait as long for the same folders", () => {
  const one: RememberedPing = { heartbeatSeconds: 480, folders: [{ id: "5", class: "Email" }] };
  assert.ok(samePing(one, { ...one }));
  assert.equal(samePing(one, undefined), false);
  assert.equal(samePing(one, { ...one, heartbeatSeconds: 481 }), false);
  assert.equal(samePing(one, { ...one, folders: [] }), false);
  assert.equal(samePing(one, { ...one, folders: [{ id: "6", class: "Email" }] }), false);
  assert.equal(samePing(one, { ...one, folders: [{ id: "5", class: "Notes" }] }), false);
  assert.deepEqual(completePing({ heartbeatSeconds: undefined, folders: undefined }, one), one);
});
