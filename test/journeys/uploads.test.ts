/**
 * Whatever a person does on a phone in quarantine is either kept by the phone and arrives after release, or is taken back on
 * the phone as it is on the server. Each way in, in every version that has it, over HTTP.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { MailServer } from "../../src/demo/mail-server.ts";
import { protocolVersions } from "../../src/phone/dialect.ts";
import type { ProtocolVersion } from "../../src/phone/dialect.ts";
import type { Outcome } from "../../src/phone/outcome.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { aGate, aliceAndBob, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";

type MailboxView = ReturnType<MailServer["mailbox"]>;

const lunch = {
  subject: "Lunch",
  location: "Canteen",
  start: "2026-12-01T12:00:00.000Z",
  end: "2026-12-01T13:00:00.000Z",
};

/** A way by which something gets from a phone to the server. */
interface Path {
  readonly title: string;
  readonly versions: readonly ProtocolVersion[];
  readonly upload: (phone: Phone) => Promise<Outcome<object>>;
  /** What stands on the server once it has arrived. */
  readonly arrived: (mailbox: MailboxView, recipient: MailboxView) => boolean;
  /** How much of it waits on the phone. */
  readonly waiting: (phone: Phone) => number;
}

const pending =
  (kind: ReturnType<Phone["pending"]>[number]["kind"]) =>
  (phone: Phone): number =>
    phone.pending().filter((entry) => entry.kind === kind).length;
const outbox =
  (subject: string) =>
  (phone: Phone): number =>
    phone.outbox().filter((message) => message.subject === subject).length;
const sixteen: readonly ProtocolVersion[] = ["16.0", "16.1"];

const paths: readonly Path[] = [
  {
    title: "an event that was entered",
    versions: protocolVersions,
    upload: (phone) => phone.addEvent({ ...lunch, subject: "Entered" }),
    arrived: ({ calendar }) => has(calendar, "Entered"),
    waiting: pending("add-event"),
  },
  {
    title: "an event that was changed",
    versions: protocolVersions,
    upload: (phone) => phone.changeEvent(eventOn(phone, "Lunch"), { ...lunch, subject: "Dinner" }),
    arrived: ({ calendar }) => has(calendar, "Dinner") && !has(calendar, "Lunch"),
    waiting: pending("change-event"),
  },
  {
    title: "an event that was deleted",
    versions: protocolVersions,
    upload: (phone) => phone.deleteItem(eventOn(phone, "Dentist")),
    arrived: ({ calendar }) => !has(calendar, "Dentist"),
    waiting: pending("delete"),
  },
  {
    title: "a contact",
    versions: protocolVersions,
    upload: (phone) => phone.addContact({ firstName: "Dora", lastName: "Dew", email: "dora@corp.example" }),
    arrived: ({ contacts }) => contacts.map(({ name }) => name).join() === "Dora Dew",
    waiting: pending("add-contact"),
  },
  {
    title: "a task",
    versions: protocolVersions,
    upload: (phone) => phone.addTask({ subject: "Water the plants" }),
    arrived: ({ tasks }) => tasks.map(({ subject }) => subject).join() === "Water the plants",
    waiting: pending("add-task"),
  },
  {
    title: "a note",
    versions: protocolVersions.filter((version) => Number(version) >= 14),
    upload: (phone) => phone.addNote({ subject: "Number of the gate", text: "17" }),
    arrived: ({ notes }) => notes.map(({ subject }) => subject).join() === "Number of the gate",
    waiting: pending("add-note"),
  },
  {
    title: "a draft",
    versions: sixteen,
    upload: (phone) => phone.saveDraft({ to: "bob@demo.example", subject: "Not finished", text: "Dear" }),
    arrived: ({ messages }) =>
      messages.filter(({ message, folderId }) => folderId === "4" && message.subject === "Not finished").length === 1,
    waiting: pending("add-draft"),
  },
  {
    title: "a message",
    versions: protocolVersions,
    upload: (phone) => phone.send({ to: "bob@demo.example", subject: "Hello", text: "there" }),
    arrived: (_, { messages }) => messages.filter(({ message }) => message.subject === "Hello").length === 1,
    waiting: outbox("Hello"),
  },
  {
    title: "a reply",
    versions: protocolVersions,
    upload: (phone) =>
      phone.reply({ folder: "5", id: "5:1" }, { to: "bob@demo.example", subject: "Re: 1", text: "Yes." }),
    arrived: (_, { messages }) =>
      messages.filter(({ message }) => message.subject === "Re: 1" && message.text.includes("> Body 1")).length === 1,
    waiting: outbox("Re: 1"),
  },
];

/** Once, and not twice. */
function has(items: readonly { readonly subject: string }[], subject: string): boolean {
  const found = items.filter((item) => item.subject === subject);
  assert.ok(found.length <= 1, `${subject} is there twice`);
  return found.length === 1;
}

function eventOn(phone: Phone, subject: string): { readonly folder: string; readonly id: string } {
  const calendar = phone.state().folders.find(({ type }) => type === 8);
  const event = calendar?.items.find((item) => item.kind === "event" && item.subject === subject);
  assert.ok(calendar !== undefined && event !== undefined);
  return { folder: calendar.id, id: event.id };
}

const users = aliceAndBob.map(({ name, password, displayName }) => ({
  name,
  password,
  displayName,
  messages: [1, 2].map((number) => ({
    from: "Carol Clerk <carol@corp.example>",
    subject: `Message ${number} for ${name}`,
    text: `Body ${number}`,
    receivedAt: new Date(Date.now() - number * 3_600_000),
  })),
  calendar: ["Lunch", "Dentist"].map((subject) => ({
    subject,
    startsAt: new Date(lunch.start),
    endsAt: new Date(lunch.end),
  })),
}));

/** A phone that has synchronised everything, and is quarantined now. */
async function quarantined(t: TestContext, protocolVersion: ProtocolVersion, config?: string) {
  const gate = await aGate(t, { mailServer: { users }, ...(config === undefined ? {} : { config }) });
  const phone = gate.phone({ protocolVersion });
  await gate.reports("PHONEA", clean);
  await phone.refresh();
  for (const folder of ["Calendar", "Contacts", "Tasks", "Notes"]) await phone.sync(folder);
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  assert.equal(phone.inbox().length, 1);
  assert.equal(phone.inbox()[0]?.from.address, "it@corp.example");
  return { gate, phone };
}

async function release(gate: Gate, phone: Phone): Promise<void> {
  await gate.reports("PHONEA", clean);
  await phone.refresh();
  assert.equal(phone.inbox().length, 2);
}

/** Of what a phone says, nothing that is not in the protocol: a refused upload, or a server that asks to come later. */
const refusals: ReadonlySet<string> = new Set(["command-status", "busy", "http"]);

for (const version of protocolVersions) {
  test(`whatever is entered in quarantine waits on the phone, and arrives once after release (${version})`, async (t) => {
    const { gate, phone } = await quarantined(t, version);
    const ways = paths.filter(({ versions }) => versions.includes(version));
    const there = ({ arrived }: Path): boolean => arrived(gate.upstream.mailbox("alice"), gate.upstream.mailbox("bob"));

    for (const { title, upload } of ways) {
      const outcome = await upload(phone);
      assert.ok(refusals.has(outcome.kind), `${title}: ${outcome.kind}`);
    }
    await phone.refresh();
    for (const way of ways) {
      assert.equal(way.waiting(phone), 1, `the phone still has ${way.title}`);
      assert.equal(there(way), false, `the server has nothing of ${way.title}`);
    }

    await release(gate, phone);
    await phone.refresh();
    for (const way of ways) {
      await t.test(`${way.title} has arrived`, () => {
        assert.equal(way.waiting(phone), 0);
        assert.equal(there(way), true);
      });
    }
    assert.deepEqual(phone.losses(), []);
  });
}

for (const version of ["2.5", "12.1", "14.1", "16.1"] as const) {
  test(`a message that is moved in quarantine stays where it is, and can be moved after release (${version})`, async (t) => {
    const { gate, phone } = await quarantined(t, version);
    const folderOf = (subject: string): string | undefined =>
      gate.upstream.mailbox("alice").messages.find(({ message }) => message.subject === subject)?.folderId;
    const outcome = await phone.move({ folder: "5", id: "5:1" }, "Projects");
    assert.deepEqual(outcome, { kind: "command-status", command: "MoveItems", commandStatus: 1 });
    assert.equal(folderOf("Message 1 for alice"), "5");

    await release(gate, phone);
    const message = phone.inbox().find(({ subject }) => subject === "Message 1 for alice");
    assert.ok(message !== undefined);
    assert.equal((await phone.move(message, "Projects")).kind, "ok");
    assert.equal(folderOf("Message 1 for alice"), "9");
  });

  test(`a mark on a message that has gone from the phone is gone with it, and the message is unread on both (${version})`, async (t) => {
    const gate = await aGate(t, { mailServer: { users } });
    const phone = gate.phone({ protocolVersion: version });
    await gate.reports("PHONEA", clean);
    await phone.refresh();
    const message = phone.inbox().find(({ subject }) => subject === "Message 1 for alice");
    assert.ok(message !== undefined);
    await gate.reports("PHONEA", withTiktok);
    await phone.markRead(message);
    assert.equal(phone.inbox().length, 1, "the mark is where the phone hears that the folder starts anew");
    assert.deepEqual(phone.pending(), []);

    await release(gate, phone);
    const again = phone.inbox().find(({ subject }) => subject === "Message 1 for alice");
    assert.equal(again?.read, false);
    const there = gate.upstream
      .mailbox("alice")
      .messages.find(({ message: { subject } }) => subject === again?.subject);
    assert.equal(there?.read, false);
    await phone.markRead({ folder: "5", id: again?.id ?? "" });
    assert.equal(gate.upstream.mailbox("alice").messages.find(({ id }) => id === there?.id)?.read, true);
  });
}
