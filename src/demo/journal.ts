/** Every request as it arrived, for tests that ask what a mail server behind the gate got to see. */
import type { IncomingMessage } from "node:http";
import type { Element } from "../activesync/wbxml.ts";

export interface JournalEntry {
  readonly method: string;
  /** As it stood in the request line. */
  readonly url: string;
  /** Names and values in turn, in the order and the letter case of the wire. */
  readonly rawHeaders: readonly string[];
  /** Undefined until it has arrived whole. */
  readonly body: Buffer | undefined;
  /** Undefined where the body is empty or no WBXML. */
  readonly root: Element | undefined;
  /** What the server made of it: whose mailbox, which phone, which command ran. Undefined for a browser, or when refused. */
  readonly understood: Understood | undefined;
  /** Undefined until there is an answer. */
  readonly httpStatus: number | undefined;
  /** Whether the other side hung up before it had its answer. */
  readonly aborted: boolean;
  /** A bug in this server. */
  readonly failure: unknown;
}

interface Understood {
  readonly account: string;
  readonly deviceId: string;
  readonly command: string;
}

export type OpenEntry = { -readonly [K in keyof JournalEntry]: JournalEntry[K] };

// Enough for the longest test, and for a demonstration that somebody leaves running over a weekend.
const ENTRIES_LIMIT = 10_000;
const BODIES_LIMIT_BYTES = 64 * 1024 * 1024;

export function createJournal() {
  const entries: OpenEntry[] = [];
  let bodiesBytes = 0;

  function makeRoom(): void {
    while (entries.length > ENTRIES_LIMIT || (bodiesBytes > BODIES_LIMIT_BYTES && entries.length > 1)) {
      bodiesBytes -= entries.shift()?.body?.length ?? 0;
    }
  }

  return {
    open(request: IncomingMessage): OpenEntry {
      const entry: OpenEntry = {
        method: request.method ?? "",
        url: request.url ?? "",
        rawHeaders: [...request.rawHeaders],
        body: undefined,
        root: undefined,
        understood: undefined,
        httpStatus: undefined,
        aborted: false,
        failure: undefined,
      };
      entries.push(entry);
      makeRoom();
      return entry;
    },

    keepBody(entry: OpenEntry, body: Buffer): void {
      entry.body = body;
      bodiesBytes += body.length;
      makeRoom();
    },

    entries: (): readonly JournalEntry[] => [...entries],
  };
}
