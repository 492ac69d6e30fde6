/** The whole story with a real server: a phone is blocked and released, and everybody else notices nothing. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Phone } from "../../src/phone/phone.ts";
import { eventually } from "../support/eventually.ts";
import { type Browser, openBrowser, userAgents } from "./support/browser.ts";
import { people } from "./support/people.ts";
import { seededSubjects } from "./support/seed.ts";
import { inboxFolder, otherMail, setStage, type Stage, subjects, succeeded } from "./support/stage.ts";

const TIKTOK = "com.zhiliaoapp.musically";
/** What every key that the gate makes begins with. */
const GATE_KEY = "{50535451-";
// The gate promises a second. The machine that runs this also runs the mail server and its database.
const PROMPT_MS = 2000;
// A phone comes again when it likes; on a busy machine each of its visits takes seconds.
const NEXT_VISITS_MS = 20_000;

const alicesPhone = { owner: "alice", deviceId: "ALICEPHONE1", protocolVersion: "14.1" } as const;
const bobsPhone = { owner: "bob", deviceId: "BOBPHONE1", protocolVersion: "12.1" } as const;

suite("one phone with a banned app among others", () => {
  let stage: Stage;
  let alice: Phone;
  let bob: Phone;
  let laptop: Browser;
  let aliceBefore: ReturnType<Phone["inbox"]>;

  before(async () => {
    stage = await setStage();
    alice = stage.phone(alicesPhone);
    bob = stage.phone(bobsPhone);
    laptop = openBrowser(stage.gate.mailUrl, userAgents.laptop);
  });
  after(() => stage.end());

  test("a phone that nobody has reported finds one message instead of mail", async () => {
    succeeded(await alice.refresh());
    assert.equal(alice.inbox().length, 1);
    assert.equal(alice.inbox()[0]?.from.address, "it@postern.test");
  });

  test("reported as compliant, phones read and write as if there were no gate", async () => {
    await stage.report(alicesPhone.deviceId, "compliant");
    await stage.report(bobsPhone.deviceId, "compliant");
    for (const phone of [alice, bob]) {
      await eventually(async () => {
        succeeded(await phone.refresh());
        assert.deepEqual(subjects(phone), seededSubjects.toReversed());
      }, NEXT_VISITS_MS);
    }
    succeeded(await alice.addEvent(eventAt("Board meeting", 24)));
    succeeded(await alice.addContact({ firstName: "Dora", lastName: "Dean", email: "dora@corp.example" }));
    succeeded(await alice.send(mailTo("bob", "Before")));
    await eventually(async () => {
      succeeded(await bob.refresh());
      assert.equal(subjects(bob)[0], "Before");
    }, NEXT_VISITS_MS);
    assert.equal(await laptop.logIn(people.alice), true);
    succeeded(await alice.refresh());
    aliceBefore = alice.inbox();
  });

  test("a waiting Ping ends when its phone is reported, and the next Sync is sent back to the beginning", async () => {
    const [waiting] = await stage.parkedPing(alice, 120);
    const realKey = inboxFolder(alice).syncKey;
    const reportedAt = Date.now();
    await stage.report(alicesPhone.deviceId, "noncompliant", TIKTOK);
    assert.equal((await waiting)?.kind, "changes");
    assert.ok(Date.now() - reportedAt < PROMPT_MS, `after ${Date.now() - reportedAt} ms`);

    succeeded(await alice.refresh());
    const inbox = inboxFolder(alice).id;
    const refused = alice
      .journal()
      .flatMap((entry) => entry.keys.filter((key) => key.of === inbox && key.status === 3));
    assert.equal(refused.at(-1)?.sent, realKey);
  });

  test("the Inbox then holds exactly one message, from IT, which names the app", async () => {
    const [notice, ...others] = alice.inbox();
    assert.ok(notice);
    assert.deepEqual(others, []);
    assert.deepEqual(notice.from, { name: "Company IT", address: "it@postern.test" });
    const fetched = await alice.fetch(notice);
    assert.ok(fetched.kind === "ok" && /tiktok|musically/i.test(fetched.text), JSON.stringify(fetched));
    assert.equal(otherMail(alice), 0, "and the other mail folders hold nothing");
  });

  test("calendar and contacts stay, and what is written there waits on the phone", async () => {
    for (const folder of alice.folders().filter((each) => each.class === "Calendar" || each.class === "Contacts")) {
      const synced = await alice.sync(folder.id);
      succeeded(synced);
      assert.equal(synced.kind === "ok" && synced.resets, 0);
    }
    const added = await alice.addEvent(eventAt("Written in quarantine", 48));
    assert.notEqual(added.kind, "ok");
    assert.deepEqual(
      alice.calendar().map(({ subject, pending }) => [subject, pending]),
      [
        ["Board meeting", false],
        ["Written in quarantine", true],
      ],
    );
    assert.deepEqual(
      alice.contacts().map((contact) => contact.email),
      ["dora@corp.example"],
    );
    assert.deepEqual(alice.losses(), []);
  });

  test("a message sent meanwhile is refused for now and stays in the outbox", async () => {
    const sent = await alice.send(mailTo("bob", "From the outbox"));
    assert.deepEqual(sent, { kind: "command-status", command: "SendMail", commandStatus: 111 });
    assert.equal(alice.outbox().length, 1);
    assert.doesNotMatch(await stage.sogo.log(), /From the outbox|Written in quarantine/);
  });

  test("an answer to the notice waits beside it", async () => {
    await alice.reply(noticeOn(alice), mailTo("bob", "Re: the notice"));
    assert.equal(alice.outbox().length, 2);
  });

  test("the colleague's phone gets its mail all the time", async () => {
    const [waiting] = await stage.parkedPing(bob, 120);
    await stage.deliver("bob", "News for Bob");
    assert.equal((await waiting)?.kind, "changes");
    succeeded(await bob.refresh());
    assert.deepEqual(subjects(bob), ["News for Bob", "Before", ...seededSubjects.toReversed()]);
  });

  test("the laptop reads on, while a phone's browser is shown a page", async () => {
    await stage.deliver("alice", "While away");
    assert.deepEqual(await laptop.inbox(people.alice), [...seededSubjects, "While away"]);
    const another = openBrowser(stage.gate.mailUrl, userAgents.laptop);
    assert.match((await another.get("/SOGo/")).text, /LoginController/);
    assert.equal(await another.logIn(people.alice), true);

    const mobile = openBrowser(stage.gate.mailUrl, userAgents.phone);
    const page = await mobile.get("/SOGo/");
    assert.match(page.contentType, /^text\/html/);
    assert.ok(!page.text.includes("LoginController"), "no way to log in");
    assert.equal(await mobile.logIn(people.alice), false);
  });

  test("a Ping in quarantine is held, and ends at once when the app is gone", async () => {
    // What waits in the calendar is refused here, which a refresh calls trouble; the mail folders are up to date after it.
    await alice.refresh();
    const waiting = alice.ping(120);
    assert.equal(await Promise.race([waiting, setTimeout(2000, "still waiting")]), "still waiting");
    const reportedAt = Date.now();
    await stage.report(alicesPhone.deviceId, "compliant");
    assert.equal((await waiting).kind, "changes");
    assert.ok(Date.now() - reportedAt < PROMPT_MS, `after ${Date.now() - reportedAt} ms`);
  });

  test("then its mail is back, the same as before, and what was written is sent once", async () => {
    succeeded(await alice.refresh());
    assert.equal(subjects(alice)[0], "While away");
    assert.deepEqual(alice.inbox().slice(1), aliceBefore);
    assert.deepEqual([alice.outbox(), alice.pending(), alice.losses()], [[], [], []]);
    await eventually(async () => {
      succeeded(await bob.refresh());
      for (const sent of ["From the outbox", "Re: the notice"])
        assert.equal(subjects(bob).filter((subject) => subject === sent).length, 1, sent);
    }, NEXT_VISITS_MS);

    const tablet = { ...alicesPhone, deviceId: "ALICETABLET" };
    await stage.report(tablet.deviceId, "compliant");
    assert.deepEqual(await eventsOn(stage.phone(tablet)), ["Board meeting", "Written in quarantine"]);
  });

  test("an older phone is told by HTTP 503 to keep its message, and sends it after release", async () => {
    const bobBefore = bob.inbox();
    await stage.report(bobsPhone.deviceId, "noncompliant", TIKTOK);
    await eventually(async () => {
      succeeded(await bob.refresh());
      assert.equal(bob.inbox().length, 1);
    }, NEXT_VISITS_MS);
    const sent = await bob.send(mailTo("alice", "From the older outbox"));
    assert.ok(
      sent.kind === "busy" && sent.httpStatus === 503 && sent.retryAfterSeconds !== undefined,
      JSON.stringify(sent),
    );
    await bob.reply(noticeOn(bob), mailTo("alice", "Re: the older notice"));
    assert.equal(bob.outbox().length, 2);

    await stage.report(bobsPhone.deviceId, "compliant");
    await eventually(async () => {
      succeeded(await bob.refresh());
      assert.deepEqual(bob.inbox(), bobBefore);
    }, NEXT_VISITS_MS);
    assert.deepEqual([bob.outbox(), bob.losses()], [[], []]);
    await eventually(async () => {
      succeeded(await alice.refresh());
      for (const written of ["From the older outbox", "Re: the older notice"])
        assert.equal(subjects(alice).filter((subject) => subject === written).length, 1, written);
    }, NEXT_VISITS_MS);
  });

  test("no key and no item of the gate has ever reached the mail server", async () => {
    const keys = [alice, bob].map((phone) => phone.journal().flatMap((entry) => entry.keys.map((key) => key.sent)));
    for (const sent of keys)
      assert.ok(
        sent.some((key) => key?.startsWith(GATE_KEY)),
        "both phones have sent one",
      );
    const log = await stage.sogo.log();
    assert.ok(log.includes("<SyncKey>"));
    assert.ok(!log.includes(GATE_KEY));
    assert.doesNotMatch(`${log} ${await stage.sogo.accessLog()}`, /(?::|%3A)20000\d{5}/i);
  });

  test("the gate's own output names no password and no device", async () => {
    const output = await stage.gate.output();
    for (const { name, password } of Object.values(people)) {
      assert.ok(!output.includes(password));
      assert.ok(!output.includes(Buffer.from(`${name}:${password}`).toString("base64")));
    }
    for (const { deviceId } of [alicesPhone, bobsPhone]) {
      assert.ok(!output.includes(deviceId));
      assert.ok(!output.includes(Buffer.from(deviceId).toString("hex")));
    }
  });
});

async function eventsOn(phone: Phone): Promise<string[]> {
  return eventually(async () => {
    succeeded(await phone.refresh());
    const calendar = phone.folders().find((folder) => folder.class === "Calendar");
    assert.ok(calendar);
    succeeded(await phone.sync(calendar.id));
    const events = phone.calendar().map((event) => event.subject);
    assert.ok(events.length > 0);
    return events.toSorted();
  }, NEXT_VISITS_MS);
}

function noticeOn(phone: Phone) {
  const notice = phone.inbox().find(({ from }) => from.address === "it@postern.test");
  assert.ok(notice);
  return { folder: inboxFolder(phone).id, id: notice.id };
}

function mailTo(name: "alice" | "bob", subject: string) {
  return { to: people[name].address, subject, text: "Hello." };
}

function eventAt(subject: string, hoursFromNow: number) {
  const start = new Date(Math.floor(Date.now() / 60_000) * 60_000 + hoursFromNow * 3_600_000);
  const end = new Date(start.getTime() + 3_600_000);
  return { subject, start: start.toISOString(), end: end.toISOString(), location: "Room 1" };
}
