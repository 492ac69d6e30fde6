/**
 * Upstream's state is that of a phone that was never warned: the same day of the same person, once through a gate that warns and
 * once without a gate. What the two mail servers were asked, folder by folder, and what they and the phones have in the end, is
 * the same but for the notice.
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { child, children, mapElements, text } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { MailServer } from "../../src/demo/mail-server.ts";
import { createPhone } from "../../src/phone/phone.ts";
import type { Phone, PhoneOptions } from "../../src/phone/phone.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";

const start = new Date("2026-11-24T08:00:00Z");
const config = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "2026-12-24T12:00", timezone: UTC }]
`;

/** Moments of the day at which something is done with the notice, by the person or by the source of facts. */
type Moment =
  | "before mail comes"
  | "before an upload"
  | "while a Ping waits"
  | "before a folder is opened"
  | "at the end";

interface Day {
  readonly phone: Phone;
  readonly upstream: MailServer;
  readonly at: (moment: Moment) => Promise<void>;
}

const from = "carol@corp.example";

/** What a person does on a day, and what comes meanwhile. It ends with nothing new, twice. */
async function live({ phone, upstream, at }: Day): Promise<void> {
  const ok = async (outcome: Promise<{ readonly kind: string }>): Promise<void> =>
    assert.equal((await outcome).kind, "ok");
  const subject = (text: string) => {
    const message = phone.inbox().find((each) => each.subject === text);
    assert.ok(message !== undefined, text);
    return message;
  };
  await ok(phone.refresh());
  await at("before mail comes");
  for (let index = 0; index < 7; index += 1) upstream.deliver("alice", { from, subject: `New ${index}`, text: "." });
  await ok(phone.refresh({ windowSize: 3 }));
  await ok(phone.refresh());
  await at("before an upload");
  await ok(phone.markRead(subject("New 3")));
  await ok(phone.deleteItem(subject("Message 2 for alice")));
  await ok(phone.addEvent({ subject: "E", location: "L", start: "2026-12-01T10:00:00Z", end: "2026-12-01T11:00:00Z" }));
  await ok(phone.addContact({ firstName: "Dora", lastName: "Dale", email: "dora@corp.example" }));
  await ok(phone.send({ to: "bob@demo.example", subject: "Hello", text: "." }));
  await ok(phone.refresh());
  await at("while a Ping waits");
  const pinged = phone.ping(480);
  await upstream.whenParked(1);
  upstream.deliver("alice", { from, subject: "Awaited", text: "." });
  assert.equal((await pinged).kind, "changes");
  await ok(phone.refresh());
  await ok(phone.fetch(subject("Awaited")));
  await at("before a folder is opened");
  await ok(phone.sync("Projects", { filter: "1-week" }));
  await ok(phone.sync("Inbox", { filter: "3-days", windowSize: 2 }));
  await ok(phone.sync("Inbox", { filter: "all" }));
  await at("at the end");
  upstream.deliver("alice", { from, subject: "Last", text: "." });
  await ok(phone.refresh());
  await ok(phone.refresh());
}

/**
 * What was asked of upstream for each folder, with the options in force: they hold until others are said. A question that only
 * repeats the one before changes nothing there.
 */
function asked(upstream: MailServer): Record<string, string[]> {
  const found = new Map<string, string[]>();
  const inForce = new Map<string, string>();
  const note = (about: string, what: string): void => {
    const list = found.get(about) ?? [];
    if (list.at(-1) !== what) list.push(what);
    found.set(about, list);
  };
  for (const { root, understood, url } of upstream.journal()) {
    if (understood === undefined) continue;
    if (root?.tag !== "AirSync:Sync") {
      note(understood.command, root === undefined ? new URL(url, "http://x").search : hexOf(root));
      continue;
    }
    const list = child(root, "AirSync:Collections");
    for (const each of list === undefined ? [] : children(list, "AirSync:Collection")) {
      const about = `Sync of ${text(each, "AirSync:CollectionId") ?? ""}`;
      const options = child(each, "AirSync:Options");
      if (options !== undefined) inForce.set(about, hexOf(options));
      const rest = mapElements(each, (part) => (part === options ? undefined : part));
      note(about, `${hexOf(rest)} with ${inForce.get(about) ?? "no options"}`);
    }
  }
  return Object.fromEntries(found);
}

/** What the phone makes up, and is another each time: names, and a message with a name in it. */
const madeUp: ReadonlySet<string> = new Set([
  "AirSync:ClientId",
  "Calendar:UID",
  "ComposeMail:ClientId",
  "ComposeMail:Mime",
]);

function hexOf(root: Element): string {
  const withoutNames = (each: Element): Element =>
    madeUp.has(each.tag) ? { ...each, content: [] } : mapElements(each, withoutNames);
  return encode(withoutNames(root)).toString("hex");
}

/** Everything that the server has of the person. */
function left(upstream: MailServer): unknown {
  const { folders, messages, calendar, contacts, tasks, sent } = upstream.mailbox("alice");
  const text = JSON.stringify(messages, (name, value: unknown) => (name === "messageId" ? "" : value));
  return { folders, messages: text, calendar, contacts, tasks, sent: sent.length };
}

const isNotice = ({ from }: { readonly from: { readonly address: string } }): boolean =>
  from.address === "it@corp.example";

/** What the phone holds, without the notice. */
function held(phone: Phone): unknown {
  const { folders, folderKey } = phone.state();
  return {
    folderKey,
    inbox: phone.inbox().filter((each) => !isNotice(each)),
    calendar: phone.calendar(),
    contacts: phone.contacts(),
    folders: folders.map(({ id, syncKey }) => ({ id, syncKey })),
  };
}

const mailServer = { clock: () => start };
type Way = Pick<PhoneOptions, "protocolVersion" | "queryForm">;

async function unwarned(t: TestContext, way: Way) {
  // The gate is only there for the mail server behind it.
  const { upstream, upstreamUrl } = await aGate(t, { mailServer });
  const phone = createPhone({ url: upstreamUrl, user: "alice", password: "alice-Pw-1", deviceId: "PHONEA", ...way });
  t.after(() => phone.close());
  await live({ phone, upstream, at: () => Promise.resolve() });
  return { asked: asked(upstream), left: left(upstream), held: held(phone) };
}

/** What happens to the notice, and when. It is gone at the end. */
type Course = Partial<Record<Moment, "app found" | "other text" | "read" | "deleted" | "app gone">>;

async function warned(t: TestContext, way: Way, course: Course) {
  const gate = await aGate(t, { config, mailServer, now: () => start });
  await gate.reports("PHONEA", clean);
  const phone = gate.phone(way);
  let notices = 0;
  const at = async (moment: Moment): Promise<void> => {
    notices = Math.max(notices, phone.inbox().filter(isNotice).length);
    const notice = phone.inbox().find(isNotice);
    switch (course[moment]) {
      case "app found":
        return gate.reports("PHONEA", withTiktok);
      case "other text":
        return gate.reports("PHONEA", { ...withTiktok, timezone: "Europe/Berlin" });
      case "app gone":
        return gate.reports("PHONEA", clean);
      case "read":
        assert.ok(notice !== undefined);
        assert.equal((await phone.markRead(notice)).kind, "ok");
        return;
      case "deleted":
        assert.ok(notice !== undefined);
        assert.equal((await phone.deleteItem(notice)).kind, "ok");
        return;
      case undefined:
    }
  };
  await live({ phone, upstream: gate.upstream, at });
  assert.equal(notices, 1, "it was there, and once");
  assert.deepEqual(phone.inbox().filter(isNotice), []);
  return { asked: asked(gate.upstream), left: left(gate.upstream), held: held(phone) };
}

const courses: Readonly<Record<string, Course>> = {
  "comes and goes": { "before mail comes": "app found", "at the end": "app gone" },
  "is read, and says something else": {
    "before mail comes": "app found",
    "before an upload": "read",
    "before a folder is opened": "other text",
    "at the end": "app gone",
  },
  "is deleted by the person": {
    "before mail comes": "app found",
    "before an upload": "deleted",
    "at the end": "app gone",
  },
  "comes late": { "before an upload": "app found", "at the end": "app gone" },
};

suite("upstream cannot tell a warned phone from one that was never warned", () => {
  for (const protocolVersion of ["12.1", "14.0", "14.1"] as const) {
    for (const [title, course] of Object.entries(courses)) {
      test(`${protocolVersion}: the notice ${title}`, async (t) => {
        const way = { protocolVersion, queryForm: "plain" } as const;
        const [one, other] = [await warned(t, way, course), await unwarned(t, way)];
        assert.ok((other.asked["Sync of 5"]?.length ?? 0) > 10, "there is something to compare");
        assert.deepEqual(one, other);
      });
    }
  }
});
