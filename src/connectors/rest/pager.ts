/** The ways in which systems give long lists in pages. Each can be taken up again behind a page, by its cursor. */
import type * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { RestCall, RestClient } from "./client.ts";

export interface Page<T> {
  readonly page: T;
  /** Where the next one begins, for `cursor`; undefined after the last. */
  readonly next: string | undefined;
}

interface Paging<T> {
  readonly client: RestClient;
  readonly shape: z.ZodType<T>;
  readonly signal: AbortSignal;
  /** Where to go on; undefined: at the beginning. */
  readonly cursor: string | undefined;
}

/** As SyncPage has it: 4 KiB. */
const CURSOR_LIMIT = 4096;
/** Pages of one list: 20 million devices in pages of 200. Who gives more goes round. */
const PAGES_LIMIT = 100_000;

/** Each page has the link to the next (Graph's `@odata.nextLink`): followed as it is, and only within the system. @throws ConnectorFailure */
export function byLink<T>({
  first,
  next,
  ...paging
}: Paging<T> & { readonly first: RestCall; readonly next: (page: T) => string | undefined }): AsyncIterable<Page<T>> {
  return pages(
    paging,
    (cursor) => (cursor === undefined ? first : { ...first, path: { link: cursor }, query: [] }),
    next,
  );
}

/** Each page has a token, which is sent for the next one (Google's `nextPageToken`, SimpleMDM's last id). @throws ConnectorFailure */
export function byToken<T>({
  call,
  next,
  ...paging
}: Paging<T> & {
  readonly call: (token: string | undefined) => RestCall;
  readonly next: (page: T) => string | undefined;
}): AsyncIterable<Page<T>> {
  return pages(paging, call, next);
}

/**
 * Pages have numbers. The list ends with a page that is not full, or where `total` says so.
 * @throws ConnectorFailure
 */
export function byNumber<T>({
  call,
  firstNumber,
  pageSize,
  items,
  total,
  ...paging
}: Paging<T> & {
  readonly call: (number: number) => RestCall;
  readonly firstNumber: 0 | 1;
  readonly pageSize: number;
  /** How many there are on a page. */
  readonly items: (page: T) => number;
  readonly total?: (page: T) => number | undefined;
}): AsyncIterable<Page<T>> {
  let number = firstNumber + 0;
  return pages(
    paging,
    (cursor) => {
      number = cursor === undefined ? firstNumber : numberOf(cursor);
      return call(number);
    },
    (page) => {
      const all = total?.(page);
      const seen = (number - firstNumber + 1) * pageSize;
      // A total that is smaller than what was given is none: a full page is followed by another.
      const isLast =
        items(page) < pageSize || (all !== undefined && all >= (number - firstNumber) * pageSize && seen >= all);
      return isLast ? undefined : String(number + 1);
    },
  );
}

function numberOf(cursor: string): number {
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  throw new ConnectorFailure("unreadable", "a cursor that is no number of a page");
}

async function* pages<T>(
  { client, shape, signal, cursor }: Paging<T>,
  call: (cursor: string | undefined) => RestCall,
  nextOf: (page: T) => string | undefined,
): AsyncGenerator<Page<T>> {
  let here = cursor;
  for (let count = 1; ; count += 1) {
    const page = await client.json(call(here), shape, signal);
    const next = nextOf(page);
    if (next !== undefined && (next === here || count === PAGES_LIMIT)) {
      throw new ConnectorFailure("unreadable", "the system's pages go round: the next one is the one that was there");
    }
    if (next !== undefined && (next === "" || Buffer.byteLength(next) > CURSOR_LIMIT)) {
      throw new ConnectorFailure("unreadable", "the system's name for a next page is empty or too long");
    }
    yield { page, next };
    if (next === undefined) return;
    here = next;
  }
}
