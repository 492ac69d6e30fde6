/**
 * A small mail server that speaks ActiveSync and has a webmail, all in memory: what stands behind the gate in
 * the demonstration and in tests. It shares the WBXML codec with the gate and nothing else, so that one mistake cannot make
 * both sides agree.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { gunzipSync } from "node:zlib";
import { encode } from "../activesync/wbxml.ts";
import { createAccounts, type Account, type LoginDomain } from "./accounts.ts";
import { announcedHeaders, createActiveSyncServer, type ActiveSyncAnswer } from "./activesync-server.ts";
import { cardContent, type NewCalendarEntry, type NewContact } from "./card.ts";
import { createDevices } from "./devices.ts";
import { createJournal, type JournalEntry, type OpenEntry } from "./journal.ts";
import { inspectMailbox, type MailboxView } from "./mailbox-view.ts";
import type { NewMessage } from "./message.ts";
import type { HeartbeatLimits, Office } from "./phone-request.ts";
import { createPost } from "./post.ts";
import { createWaitingRoom, realTimer, type Timer } from "./waiting-room.ts";
import { createWebmail, type WebAnswer } from "./webmail.ts";

export interface MailUser {
  readonly name: string;
  readonly password: string;
  readonly displayName: string;
  readonly messages?: readonly NewMessage[];
  readonly calendar?: readonly NewCalendarEntry[];
  readonly contacts?: readonly NewContact[];
}

export interface MailServerOptions {
  readonly users: readonly MailUser[];
  readonly clock?: () => Date;
  /** Ends a Ping when its time is up. Tests pass one that they wind by hand. */
  readonly timer?: Timer;
  /** Phones must take a policy before they get anything else. */
  readonly provisioning?: boolean;
  /** Takes every request for good, reads it as laxly as any server is known to, and writes down what it made of it. */
  readonly lenient?: boolean;
  readonly domain?: LoginDomain;
  readonly heartbeat?: HeartbeatLimits;
  /** All that would be random follows from it: keys, sessions. Random itself where it is missing. */
  readonly seed?: string;
}

interface ListeningMailServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

export interface MailServer {
  readonly handler: RequestListener;
  /** On 127.0.0.1 and a free port where nothing else is said. */
  readonly listen: (address?: { readonly host?: string; readonly port?: number }) => Promise<ListeningMailServer>;
  /** Returns the id of the new item. */
  readonly deliver: (user: string, message: NewMessage) => string;
  readonly mailbox: (user: string) => MailboxView;
  readonly journal: () => readonly JournalEntry[];
  /** How many Pings and Syncs wait. */
  readonly parked: () => number;
  /** Resolves as soon as exactly so many wait. */
  readonly whenParked: (count: number) => Promise<void>;
}

const BODY_LIMIT_BYTES = 32 * 1024 * 1024;
const ACTIVESYNC_PATH = /^\/microsoft-server-activesync(?:\/.*)?$/i;
const SERVER_HEADERS = { "MS-Server-ActiveSync": "14.3", "Cache-Control": "private" };
// One chunk on its way and one that is being made: a slow reader must not make us hold the rest.
const CHUNKS_AHEAD = 2;

export function createMailServer(options: MailServerOptions): MailServer {
  const now = options.clock ?? ((): Date => new Date());
  const domain = options.domain ?? { mail: "demo.example", windows: "CORP" };
  const seed = options.seed ?? randomBytes(16).toString("hex");
  const lenient = options.lenient ?? false;
  const accounts = createAccounts(options.users, domain);
  const waitingRoom = createWaitingRoom(options.timer ?? realTimer);
  const post = createPost(accounts, now, domain.mail);
  const office: Office = {
    accounts,
    devices: createDevices(seed),
    waitingRoom,
    post,
    now,
    heartbeat: options.heartbeat ?? { minimumSeconds: 60, maximumSeconds: 3540 },
    provisioning: options.provisioning ?? false,
    seed,
  };
  const journal = createJournal();
  const activeSync = createActiveSyncServer(office, lenient);
  const webmail = createWebmail(accounts, seed);

  for (const user of options.users) {
    const account = accountOf(user.name);
    for (const message of user.messages ?? []) post.deliver(account, message);
    for (const entry of user.calendar ?? [])
      account.mailbox.add(account.mailbox.special("calendar").id, cardContent(entry, account, now()));
    for (const contact of user.contacts ?? [])
      account.mailbox.add(account.mailbox.special("contacts").id, cardContent(contact, account, now()));
  }

  function accountOf(user: string): Account {
    const account = accounts.find(user);
    if (account === undefined) throw new RangeError(`no user "${user}"`);
    return account;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = journal.open(request);
    const hangUp = new AbortController();
    response.on("close", () => {
      if (response.writableFinished) return;
      entry.aborted = true;
      hangUp.abort();
    });
    try {
      const body = await readBody(request);
      if (body === "too-large") return await send(response, entry, emptyAnswer(413, { Connection: "close" }));
      journal.keepBody(entry, body);
      await send(response, entry, await answer(request, body, hangUp.signal, entry));
    } catch (error) {
      // Whoever hangs up in the middle of a request or of an answer is no bug of ours.
      if (!request.complete || response.destroyed) return;
      entry.failure = error;
      if (response.headersSent) response.destroy();
      else await send(response, entry, emptyAnswer(500));
    }
  }

  async function answer(
    request: IncomingMessage,
    body: Buffer,
    gone: AbortSignal,
    entry: OpenEntry,
  ): Promise<WebAnswer> {
    const target = request.url ?? "/";
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    if (path === "/mail" || path.startsWith("/mail/")) {
      return webmail(request, path, new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)), body);
    }
    if (!ACTIVESYNC_PATH.test(path) && !lenient) return emptyAnswer(404);
    const content = inflate(request, body);
    if (content === undefined) return emptyAnswer(400);
    return httpAnswer(await activeSync({ request, body: content, gone, entry }));
  }

  const handler: RequestListener = (request, response) => void handle(request, response);

  return {
    handler,
    deliver: (user, message) => post.deliver(accountOf(user), message),
    mailbox: (user) => inspectMailbox(accountOf(user), post),
    journal: journal.entries,
    parked: waitingRoom.count,
    whenParked: waitingRoom.whenCount,

    async listen({ host = "127.0.0.1", port = 0 } = {}) {
      // A Ping waits for up to an hour, longer than Node lets a request take by itself.
      const server = createServer({ requestTimeout: 0 }, handler);
      server.keepAliveTimeout = 65_000;
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, resolve);
      });
      const address = server.address();
      const boundPort = typeof address === "object" ? (address?.port ?? port) : port;
      return {
        url: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort}`,
        close: () =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            waitingRoom.closeAll();
            server.closeAllConnections();
          }),
      };
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer | "too-large"> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_LIMIT_BYTES) return "too-large";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Undefined where it says gzip and is none, or grows beyond the limit. */
function inflate(request: IncomingMessage, body: Buffer): Buffer | undefined {
  if (request.headers["content-encoding"]?.toLowerCase() !== "gzip") return body;
  try {
    return gunzipSync(body, { maxOutputLength: BODY_LIMIT_BYTES });
  } catch {
    return undefined;
  }
}

function httpAnswer(answer: ActiveSyncAnswer): WebAnswer {
  switch (answer.kind) {
    case "login":
      return emptyAnswer(401, { "WWW-Authenticate": `Basic realm="Mail"` });
    case "options":
      return emptyAnswer(200, {
        ...SERVER_HEADERS,
        ...announcedHeaders,
        Allow: "OPTIONS,POST",
        Public: "OPTIONS,POST",
      });
    case "http":
      return emptyAnswer(answer.httpStatus, SERVER_HEADERS);
    case "empty":
      return emptyAnswer(200, SERVER_HEADERS);
    case "document": {
      const bytes = encode(answer.root);
      const headers = { ...SERVER_HEADERS, "Content-Type": "application/vnd.ms-sync.wbxml", ...answer.headers };
      return { httpStatus: 200, headers, sizeBytes: bytes.length, chunks: () => [bytes] };
    }
    case "stream": {
      const headers = { ...SERVER_HEADERS, "Content-Type": answer.contentType };
      return { httpStatus: 200, headers, sizeBytes: answer.sizeBytes, chunks: answer.chunks };
    }
  }
}

function emptyAnswer(httpStatus: number, headers: Readonly<Record<string, string>> = {}): WebAnswer {
  return { httpStatus, headers, sizeBytes: 0, chunks: () => [] };
}

async function send(response: ServerResponse, entry: OpenEntry, answer: WebAnswer): Promise<void> {
  if (response.destroyed) return;
  entry.httpStatus = answer.httpStatus;
  // Always a length: the Android mail program tells an empty answer by it.
  response.writeHead(answer.httpStatus, { ...answer.headers, "Content-Length": String(answer.sizeBytes) });
  if (response.req.method === "HEAD" || answer.sizeBytes === 0) return void response.end();
  await pipeline(Readable.from(answer.chunks(), { highWaterMark: CHUNKS_AHEAD }), response);
}
