/** Requests of programs that other people wrote, recorded at other servers, sent again by a phone in quarantine. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import index from "../fixtures/captures/index.json" with { type: "json" };
import { decode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { Claim, Reply, UpstreamAnswer } from "../../src/gateway/protocol.ts";
import { textsIn } from "../support/activesync-documents.ts";
import { readCapture } from "../support/captures.ts";
import { anAnswer } from "../support/mail-request.ts";
import { aHeldPhone, answerFrom, noon } from "../support/remediation.ts";
import type { AskOptions, HeldPhone } from "../support/remediation.ts";

type Exchange = (typeof index.exchanges)[number];

const folder = new URL("../fixtures/captures/", import.meta.url);

function readHead({ request }: Exchange): {
  readonly query: string | undefined;
  readonly headers: Record<string, string>;
} {
  const [line = "", ...lines] = readFileSync(new URL(request.head, folder), "latin1").trimEnd().split("\r\n");
  const headers = lines.map((header): [string, string] => {
    const colon = header.indexOf(":");
    return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()];
  });
  return { query: line.split(" ")[1]?.split("?")[1], headers: Object.fromEntries(headers) };
}

function bodyOf(side: { readonly body: string | null }): Buffer {
  return side.body === null ? Buffer.alloc(0) : readCapture(side.body);
}

/** The person whose phone it was. */
function accountOf({ authorization = "" }: Readonly<Record<string, string>>): string {
  return (
    Buffer.from(authorization.replace(/^Basic /, ""), "base64")
      .toString()
      .split(":")[0] ?? ""
  );
}

/** What the server of that time answered, for what the gate forwards. */
function recorded({ response }: Exchange): UpstreamAnswer {
  return anAnswer({ httpStatus: response.httpStatus ?? 200, body: bodyOf(response) });
}

/** HTTP status, and what the document says: the Status of each thing in it, or that it is empty. */
function summaryOf(reply: Reply): string {
  const { httpStatus, body } = answerFrom(reply);
  if (httpStatus !== 200) return `HTTP ${httpStatus}`;
  if (body === undefined) return "nothing new";
  const document = body[0] === 3 ? decode(body) : decode(Buffer.from(body).subarray(12));
  const several = body[0] === 3 ? "" : "in parts ";
  return several + [...statuses(document)].join(" ");
}

function* statuses(document: Element): Generator<string> {
  for (const part of document.content) {
    if (typeof part !== "object" || !("tag" in part)) continue;
    if (part.tag.endsWith(":Status")) yield textsIn(part, part.tag).join();
    else yield* statuses(part);
  }
}

function headOf(exchange: Exchange): AskOptions {
  const { query, headers } = readHead(exchange);
  return { wholeQuery: query, headers };
}

/** Each session with a phone of its own, in quarantine from its first request on. */
function createSessions(): (exchange: Exchange) => { phone: HeldPhone; options: AskOptions; account: string } {
  const phones = new Map<string, { phone: HeldPhone; current: { exchange: Exchange } }>();
  return (exchange) => {
    const { query, headers } = readHead(exchange);
    const account = accountOf(headers);
    const known = phones.get(exchange.session);
    const current = known?.current ?? { exchange };
    current.exchange = exchange;
    const phone =
      known?.phone ??
      aHeldPhone({ account, version: "none", remembered: [], upstream: () => recorded(current.exchange) });
    phones.set(exchange.session, { phone, current });
    return { phone, options: { wholeQuery: query, headers }, account };
  };
}

const all = index.exchanges.filter(({ command }) => command !== "OPTIONS");
/** One client has the parts of its base64 query in an order of its own: type of the device, then policy key. */
const misread = all.filter(({ session }) => session === "gob64");
const asked = all.filter(({ session }) => session !== "gob64");

/** The command and version of a request, and all that phones are told in answer to it. */
const expected: Readonly<Record<string, readonly string[]>> = {
  // A folder starts with key 0, one with a key of upstream's starts anew, contacts and tasks stay; the upload of a contact
  // is asked for again later, and an empty Sync in full.
  "Sync 12.1": ["1", "3"],
  "Sync 14.0": ["1", "3"],
  "Sync 14.1": ["1", "13", "3", "HTTP 503", "nothing new"],
  // 1: no news within the time; 5: five, ten or 9999 seconds are no time between two Pings; 3: an empty one that repeats one
  // of those is asked for in full. The folders were looked into before, so that nobody is sent there.
  "Ping 12.1": ["1", "5"],
  "Ping 14.0": ["1", "5"],
  "Ping 14.1": ["1", "3", "5"],
  // As the servers answered then.
  "FolderSync 12.1": ["1"],
  "FolderSync 14.0": ["1"],
  "FolderSync 14.1": ["1", "refused"],
  "Provision 14.0": ["1 1", "HTTP 500"],
  "Provision 14.1": ["1 2"],
  "Settings 14.0": ["1 1", "HTTP 449"],
  "Settings 14.1": ["1", "HTTP 500"],
  // Nothing that the phone sends is sent, and nothing is moved.
  "SendMail 12.1": ["HTTP 503"],
  "SendMail 14.0": ["111"],
  "SendMail 14.1": ["111"],
  "SmartReply 12.1": ["HTTP 503"],
  "SmartReply 14.0": ["111"],
  "SmartReply 14.1": ["111"],
  "MoveItems 14.0": ["1"],
  "MoveItems 14.1": ["1"],
  // No message and no attachment is there.
  "GetItemEstimate 14.1": ["4"],
  "ItemOperations 14.0": ["1 15", "1 6"],
  "ItemOperations 14.1": ["1 15", "1 6", "in parts 1 15", "in parts 1 6"],
  "GetAttachment 12.1": ["HTTP 503"],
  "Search 12.1": ["1 1"],
  "Search 14.1": ["1 1"],
  // The hierarchy stays as it is.
  "FolderCreate 14.1": ["6"],
  "FolderUpdate 14.1": ["6"],
  "FolderDelete 14.1": ["6"],
};

suite("requests of real clients, from phones in quarantine", () => {
  test("are told of everything what is said of it here, and nothing else", async () => {
    const sessions = createSessions();
    const found = new Map<string, Set<string>>();
    for (const [index, exchange] of asked.entries()) {
      const { phone, options } = sessions(exchange);
      // These clients were answered by a mail server, and do not react to what they are told here: without time between
      // their requests they would be stopped.
      const now = new Date(noon.getTime() + index * 300_000);
      const summary = await phone
        .askFor(exchange.command, bodyOf(exchange.request), { ...options, now })
        .then(summaryOf, (error: unknown) => (isRefusal(error) ? "refused" : Promise.reject(error)));
      const key = `${exchange.command} ${exchange.version ?? ""}`;
      found.set(key, (found.get(key) ?? new Set()).add(summary));
    }
    const told = [...found].map(([key, summaries]) => [key, [...summaries].toSorted()] as const);
    const wanted = Object.entries(expected).map(([key, summaries]) => [key, summaries.toSorted()] as const);
    assert.deepEqual(Object.fromEntries(told), Object.fromEntries(wanted));
  });

  test("send upstream only what the three commands may that are forwarded, as it came", async () => {
    const sessions = createSessions();
    for (const exchange of asked) {
      const { phone, options } = sessions(exchange);
      const before = phone.forwarded.length;
      await phone.askFor(exchange.command, bodyOf(exchange.request), options).catch(() => undefined);
      const [went, ...more] = phone.forwarded.slice(before);
      assert.deepEqual(more, []);
      if (went === undefined) continue;
      assert.ok(["FolderSync", "Provision", "Settings"].includes(exchange.command), exchange.command);
      assert.deepEqual(went, decode(bodyOf(exchange.request)));
    }
  });

  test("are the same person's to the gate as they were to the servers", () => {
    for (const exchange of asked) {
      const { phone, options, account } = createSessions()(exchange);
      const claim: Claim = phone.claim(exchange.command, options);
      assert.ok(claim.subject.kind === "device");
      assert.equal(claim.subject.person?.account, account);
      assert.equal(claim.command, exchange.command);
    }
  });

  test("never get a message of the mailbox", async () => {
    const sessions = createSessions();
    for (const exchange of asked) {
      const { phone, options } = sessions(exchange);
      const reply = await phone.askFor(exchange.command, bodyOf(exchange.request), options).catch(() => undefined);
      const { body } = reply === undefined ? { body: undefined } : answerFrom(reply);
      if (body?.[0] !== 3) continue;
      assert.deepEqual(textsIn(decode(body), "Email:Subject"), [], `exchange ${exchange.number}`);
    }
  });

  test("get the notice in their Inbox, in the body that they ask for", async () => {
    const clients = ["go141", "jsas", "py", "go121", "curl", "zpush140", "zpjsas"];
    for (const session of clients) {
      const sessionsOf = createSessions();
      const mine = asked.filter((exchange) => exchange.session === session);
      const listing = mine.find(({ command }) => command === "FolderSync");
      const priming = mine.find(({ command }) => command === "Sync");
      const syncing = mine.filter(({ command }) => command === "Sync")[1];
      assert.ok(listing !== undefined && priming !== undefined && syncing !== undefined);
      const { phone, options } = sessionsOf(listing);
      await phone.askFor("FolderSync", bodyOf(listing.request), options);
      const primed = decode(
        answerFrom(await phone.askFor("Sync", bodyOf(priming.request), headOf(priming))).body ?? Buffer.alloc(0),
      );
      const [key = ""] = textsIn(primed, "AirSync:SyncKey");
      const request = withKey(decode(bodyOf(syncing.request)), key);
      const reply = decode(answerFrom(await phone.askFor("Sync", request, headOf(syncing))).body ?? Buffer.alloc(0));
      assert.deepEqual(textsIn(reply, "Email:Subject"), ["S"], session);
      assert.deepEqual(textsIn(reply, "AirSyncBase:Data"), ["TEXT"], session);
    }
  });
});

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "body-unreadable";
}

/** The same request, as the phone would send it with the key that it was given. */
function withKey(document: Element, key: string): Element {
  if (document.tag === "AirSync:SyncKey") return { ...document, content: [key] };
  return {
    ...document,
    content: document.content.map((part) => (typeof part === "object" && "tag" in part ? withKey(part, key) : part)),
  };
}

test("a query that the specification reads in another way than its client meant it is refused", () => {
  assert.equal(misread.length, 8);
  for (const exchange of misread) {
    assert.throws(() => aHeldPhone().claim(exchange.command, headOf(exchange)), {
      code: "identity-ambiguous",
      httpStatus: 400,
    });
  }
});
