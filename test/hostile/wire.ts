/** What the tests of this folder share: phones and people that say on the wire whatever an attack needs. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { MailboxState, Store } from "../../src/store/store.ts";
import type { Gate } from "../support/gate.ts";
import { ask } from "../support/http.ts";
import type { Answer } from "../support/http.ts";
import { deviceId } from "../support/records.ts";

/** A browser on a computer. */
export const laptop = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/** The beginning of every sync key of the gate's own. */
export const mark = "{50535451-";

export const alicePassword = "alice-Pw-1";

export function basic(user = "alice", password = alicePassword): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

export function target(command: string, id = "PHONEA", user = "alice"): string {
  return `/Microsoft-Server-ActiveSync?Cmd=${command}&User=${user}&DeviceId=${id}&DeviceType=iPhone`;
}

/** What a mail server says to OPTIONS: it knows alice by this password, and nobody else. */
export function answerOptions(req: IncomingMessage, res: ServerResponse, known = basic()): void {
  res.statusCode = req.headers.authorization === known ? 200 : 401;
  res.end();
}

export interface PostOptions {
  readonly id?: string;
  readonly user?: string;
  readonly password?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One ActiveSync request; an empty body where there is no document. */
export function post(
  gate: Gate,
  command: string,
  document: Element | Buffer | undefined,
  { id = "PHONEA", user = "alice", password = alicePassword, headers = {} }: PostOptions = {},
): Promise<Answer> {
  const body = document === undefined ? Buffer.alloc(0) : Buffer.isBuffer(document) ? document : encode(document);
  return ask(gate.url + target(command, id, user), {
    method: "POST",
    headers: {
      Authorization: basic(user, password),
      "MS-ASProtocolVersion": "14.1",
      "Content-Type": "application/vnd.ms-sync.wbxml",
      "Content-Length": String(body.byteLength),
      ...headers,
    },
    body,
  });
}

export async function mailboxOf(store: Store, id = "PHONEA", account = "alice"): Promise<MailboxState> {
  return (await store.facts([deviceId(id)], account)).mailbox;
}

/** Requests in which upstream has seen a key of the gate's own. */
export function keysUpstream({ upstream }: Gate): string[] {
  return upstream
    .journal()
    .filter(({ body }) => body?.toString("latin1").includes(mark) === true)
    .map(({ url }) => url);
}

export interface SwitchedStore {
  readonly store: Store;
  readonly goAway: () => void;
}

/** A store in memory that stops to answer when it is told to. */
export async function aSwitchedStore(): Promise<SwitchedStore> {
  const real = await openStore({ embedded: { path: ":memory:" } });
  let isAway = false;
  const unlessAway = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isAway) throw new StoreUnavailable(new Error("away"));
    return work();
  };
  return {
    store: {
      ...real,
      facts: (candidates, account) => unlessAway(() => real.facts(candidates, account)),
      updateMailbox: (key, change) => unlessAway(() => real.updateMailbox(key, change)),
    },
    goAway(): void {
      isAway = true;
    },
  };
}
