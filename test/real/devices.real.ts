/** Blocked and released on a real server, by every version of the protocol that it speaks and as two kinds of phone speak it. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { ProtocolVersion } from "../../src/phone/dialect.ts";
import { eventually } from "../support/eventually.ts";
import { openBrowser, userAgents } from "./support/browser.ts";
import { people } from "./support/people.ts";
import { seededSubjects } from "./support/seed.ts";
import { otherMail, type PhoneWish, setStage, type Stage, subjects, succeeded } from "./support/stage.ts";

const TIKTOK = "com.zhiliaoapp.musically";
/** What every key that the gate makes begins with. */
const GATE_KEY = "{50535451-";
// The gate promises a second. Several phones at once, their server and its database share the machine.
const PROMPT_MS = 5000;
const NEXT_VISITS_MS = 30_000;
interface Device extends PhoneWish {
  /** Which Ping in the server's log is its own. */
  readonly heartbeatSeconds: number;
}

// What SOGo announces.
const versions = ["2.5", "12.0", "12.1", "14.0", "14.1"] satisfies ProtocolVersion[];

/** One person for each kind of phone: what one of them writes is news to the others of the same mailbox. */
const iphones: readonly Device[] = versions.map((protocolVersion, index) => ({
  owner: "alice",
  deviceId: `APPLDN7F${protocolVersion.replace(".", "")}ABCD`,
  deviceType: "iPhone",
  userAgent: "Apple-iPhone14C3/1805.32",
  protocolVersion,
  // It exists from 12.1 (MS-ASHTTP 2.2.1.1.1).
  queryForm: protocolVersion === "2.5" || protocolVersion === "12.0" ? "plain" : "base64",
  heartbeatSeconds: 120 + index,
}));
const androids: readonly Device[] = versions.map((protocolVersion, index) => ({
  owner: "bob",
  deviceId: `SEC0A1B2C3D4E${protocolVersion.replace(".", "")}`,
  deviceType: "SAMSUNGSMS928B",
  userAgent: "Android-SAMSUNG-SM-S928B/101.15",
  protocolVersion,
  queryForm: "plain",
  heartbeatSeconds: 220 + index,
}));
const all = [...iphones, ...androids];

suite("a phone with a banned app", { concurrency: 2 }, () => {
  let stage: Stage;
  before(async () => {
    // A Ping that the gate has given up keeps its worker for as long as it would have waited.
    stage = await setStage({ workers: all.length + 8 });
  });
  after(async () => {
    // Of all phones at once: whatever one of them has sent there is in the same log.
    const log = await stage.sogo.log();
    const output = await stage.gate.output();
    await stage.end();
    assert.ok(log.includes("<SyncKey>"));
    assert.ok(!log.includes(GATE_KEY), "no key of the gate has reached the mail server");
    for (const { deviceId } of all) assert.ok(!output.includes(deviceId), "the gate's output names no device");
  });

  for (const [kind, devices] of [
    ["an iPhone, with base64 queries where there are any", iphones],
    ["a Samsung phone, with plain queries", androids],
  ] as const) {
    suite(kind, { concurrency: 1 }, () => {
      for (const device of devices) test(`speaks ${device.protocolVersion}`, () => story(stage, device));
    });
  }
});

async function story(stage: Stage, device: Device): Promise<void> {
  const { owner, deviceId, protocolVersion, heartbeatSeconds } = device;
  const laptop = openBrowser(stage.gate.mailUrl, userAgents.laptop);
  assert.equal(await laptop.logIn(people[owner]), true);
  const phone = stage.phone(device);
  const called = `${deviceId.slice(0, 3)} ${protocolVersion}`;
  const [kept, held] = [`Kept on ${called}`, `Held on ${called}`];

  await stage.report(deviceId, "compliant");
  await eventually(async () => {
    succeeded(await phone.refresh());
    assert.deepEqual(subjects(phone), seededSubjects.toReversed());
  }, NEXT_VISITS_MS);
  succeeded(await phone.addEvent(eventAt(kept)));
  succeeded(await phone.addContact({ firstName: "Dora", lastName: deviceId, email: `${deviceId}@corp.example` }));
  const before = { inbox: phone.inbox(), calendar: phone.calendar(), contacts: phone.contacts() };

  const [waiting] = await stage.parkedPing(phone, heartbeatSeconds);
  const blockedAt = Date.now();
  await stage.report(deviceId, "noncompliant", TIKTOK);
  assert.equal((await waiting)?.kind, "changes");
  assert.ok(Date.now() - blockedAt < PROMPT_MS, `its Ping ended after ${Date.now() - blockedAt} ms`);

  succeeded(await phone.refresh());
  const [notice, ...more] = phone.inbox();
  assert.ok(notice);
  assert.deepEqual(more, [], "the notice is alone");
  assert.equal(notice.from.address, "it@postern.test");
  const fetched = await phone.fetch(notice);
  assert.ok(fetched.kind === "ok" && /tiktok|musically/i.test(fetched.text), JSON.stringify(fetched));
  assert.equal(otherMail(phone), 0, "no mail in any other folder");
  assert.deepEqual([phone.calendar(), phone.contacts(), phone.losses()], [before.calendar, before.contacts, []]);
  assert.deepEqual(await laptop.inbox(people[owner]), seededSubjects, "webmail is as it was");

  const sent = await phone.send({ to: people.carol.address, subject: held, text: "Hello." });
  if (protocolVersion.startsWith("14"))
    assert.deepEqual(sent, { kind: "command-status", command: "SendMail", commandStatus: 111 });
  else assert.ok(sent.kind === "busy" && sent.httpStatus === 503, JSON.stringify(sent));
  assert.notEqual((await phone.addEvent(eventAt(held))).kind, "ok");
  assert.deepEqual([phone.outbox().length, phone.pending().length], [1, 1], "both wait on the phone");
  assert.equal(await stage.sogo.countMail("carol", "INBOX", held), 0);
  assert.ok(!(await stage.sogo.calendar(owner)).includes(held));

  // What waits in the calendar is refused, which a refresh calls trouble; the mail folders are up to date after it.
  await phone.refresh();
  const waitingForNews = phone.ping(heartbeatSeconds);
  assert.equal(await Promise.race([waitingForNews, setTimeout(1000, "still waiting")]), "still waiting");
  const releasedAt = Date.now();
  await stage.report(deviceId, "compliant");
  assert.equal((await waitingForNews).kind, "changes");
  assert.ok(Date.now() - releasedAt < PROMPT_MS, `its Ping ended after ${Date.now() - releasedAt} ms`);

  await eventually(async () => {
    succeeded(await phone.refresh());
    assert.deepEqual(phone.inbox(), before.inbox);
  }, NEXT_VISITS_MS);
  assert.deepEqual([phone.outbox(), phone.pending(), phone.losses()], [[], [], []]);
  await eventually(async () => assert.equal(await stage.sogo.countMail("carol", "INBOX", held), 1), NEXT_VISITS_MS);
  const calendar = await stage.sogo.calendar(owner);
  for (const subject of [kept, held]) assert.equal(calendar.filter((each) => each === subject).length, 1, subject);
  assert.deepEqual(await laptop.inbox(people[owner]), seededSubjects, "webmail is as it was");
  const keys = phone.journal().flatMap((entry) => entry.keys.map((key) => key.sent));
  assert.ok(keys.some((key) => key?.startsWith(GATE_KEY)));
}

function eventAt(subject: string) {
  const start = new Date(Math.floor(Date.now() / 60_000) * 60_000 + 48 * 3_600_000);
  const end = new Date(start.getTime() + 3_600_000);
  return { subject, start: start.toISOString(), end: end.toISOString(), location: "Room 1" };
}
