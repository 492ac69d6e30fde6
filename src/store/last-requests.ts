/**
 * What each phone asked for last and how it was answered, for whoever is asked why. Devices with a record have a place of their
 * own; ids without one share a small space in which each person has a few, so that whoever invents ids pushes out only these.
 */
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import type { Backend } from "./backend.ts";

/** A request whose credential the mail server has accepted. Nothing in it is secret, and nothing of it is judged. */
export interface LastRequest {
  /** The one that a record or an alias knows, else the spelling that the phone used. */
  readonly id: DeviceId;
  /**
   * `owner`: the record names this person, or nobody. `somebody-else`: it names another. `stranger`: the gate found no record;
   * there may be one by now.
   */
  readonly whose: "owner" | "somebody-else" | "stranger";
  /** As in `MailboxKey`; empty where the credential names nobody. */
  readonly account: string;
  /** When the answer was over: a request that waits for news is none before. */
  readonly at: Date;
  /** When an id without a record was here first, as far back as anybody remembers; absent where that is `at`. */
  readonly firstAt?: Date | undefined;
  /** How the phone spelled its id, then how else the gate looked for it. */
  readonly spellings: readonly [DeviceId, ...DeviceId[]];
  readonly queryForm: "plain" | "base64" | undefined;
  /** Version of the protocol; undefined where the phone did not say. */
  readonly version: string | undefined;
  readonly command: string;
  /** What the phone calls itself: anybody can choose both. */
  readonly deviceType: string | undefined;
  readonly program: string | undefined;
  /** What the gate answered, in the words of the program that wrote it. */
  readonly action: string;
  readonly reason: string;
  readonly state: string;
}

export interface LastRequestStore {
  /** In the order in which they came. @throws StoreUnavailable */
  noteLastRequests(requests: readonly LastRequest[]): Promise<void>;
  /** What is known of any of these ids, the newest first. @throws StoreUnavailable */
  lastRequests(ids: readonly DeviceId[]): Promise<readonly LastRequest[]>;
  /**
   * The last request of each id that had no record then, in no order and in bounded memory. One that has a record by now may
   * be among them. @throws StoreUnavailable
   */
  strangers(): AsyncIterable<LastRequest>;
}

/** 90 days: who asks why has a phone in the hand. */
export const LAST_REQUEST_TTL_SECONDS = 90 * 86_400;
/** 30 days. */
const STRANGER_LIMIT_MS = 30 * 86_400_000;
/** Ids of one person; the newest stay. Somebody with two phones and a tablet has room for each of them under two names. */
export const STRANGERS_OF_ONE_LIMIT = 10;
/** People; those who were here longest ago go first, a tenth at a time. */
export const STRANGE_PEOPLE_LIMIT = 10_000;
const KEPT_OF_PEOPLE = 0.9;
/** What phones say of themselves is cut off after so many characters. */
const WORD_LIMIT_CHARACTERS = 120;

export function lastRequestsOf(backend: Backend, now: () => Date): LastRequestStore {
  async function noteStrangers(requests: readonly LastRequest[]): Promise<void> {
    const byAccount = Map.groupBy(requests, ({ account }) => account);
    const accounts = [...byAccount.keys()];
    const known = await backend.readStrangers(accounts);
    const changes = accounts.map((account, index): readonly [string, string] => {
      const newest = newestOf([...readList(known[index]), ...(byAccount.get(account) ?? [])]);
      return [account, JSON.stringify(newest.slice(0, STRANGERS_OF_ONE_LIMIT).map(encode))];
    });
    const people = await backend.writeStrangers(new Map(changes), []);
    if (people > STRANGE_PEOPLE_LIMIT) await forgetSome(STRANGE_PEOPLE_LIMIT * KEPT_OF_PEOPLE);
  }

  async function forgetSome(kept: number): Promise<void> {
    const lastSeen: (readonly [account: string, atMs: number])[] = [];
    for await (const page of backend.strangers())
      for (const [account, text] of page)
        lastSeen.push([account, Math.max(0, ...readList(text).map(({ at }) => at.getTime()))]);
    const gone = lastSeen.toSorted(([, a], [, b]) => b - a).slice(kept);
    await backend.writeStrangers(
      new Map(),
      gone.map(([account]) => account),
    );
  }

  async function* strangers(): AsyncGenerator<LastRequest> {
    const since = now().getTime() - STRANGER_LIMIT_MS;
    for await (const page of backend.strangers())
      for (const [, text] of page) for (const each of readList(text)) if (each.at.getTime() >= since) yield each;
  }

  return {
    async noteLastRequests(requests): Promise<void> {
      const unknown = requests.filter(({ whose }) => whose === "stranger");
      const known = requests.filter(({ whose }) => whose !== "stranger");
      if (known.length > 0) {
        const newest = new Map(known.map((each) => [`${each.id} ${each.whose}`, each]));
        await backend.noteLast([...newest.values()].map((each) => toLine(each)));
      }
      if (unknown.length > 0) await noteStrangers(unknown);
    },
    async lastRequests(ids): Promise<readonly LastRequest[]> {
      const found = (await backend.readLast(ids)).flatMap((text) => readLastRequest(text) ?? []);
      for await (const each of strangers())
        if (ids.includes(each.id) || each.spellings.some((spelling) => ids.includes(spelling))) found.push(each);
      return found.toSorted((a, b) => b.at.getTime() - a.at.getTime());
    },
    strangers,
  };
}

function toLine(request: LastRequest): { readonly id: DeviceId; readonly isOwners: boolean; readonly text: string } {
  return { id: request.id, isOwners: request.whose === "owner", text: JSON.stringify(encode(request)) };
}

/** One for each id. */
function newestOf(requests: readonly LastRequest[]): readonly LastRequest[] {
  const byId = new Map<DeviceId, LastRequest>();
  for (const each of requests) {
    const before = byId.get(each.id);
    const newest = before === undefined || before.at <= each.at ? each : before;
    const firstAt = earliest(before, each);
    byId.set(each.id, firstAt < newest.at ? { ...newest, firstAt } : newest);
  }
  return [...byId.values()].toSorted((a, b) => b.at.getTime() - a.at.getTime());
}

function earliest(a: LastRequest | undefined, b: LastRequest): Date {
  const [first, second] = [a?.firstAt ?? a?.at, b.firstAt ?? b.at];
  return first !== undefined && first < second ? first : second;
}

const owners = ["owner", "somebody-else", "stranger"] as const;
const forms = ["plain", "base64"] as const;

/** A list, because there may be a million of them. New parts go to its end. */
function encode(request: LastRequest): readonly (string | number)[] {
  const { id, whose, account, at, spellings, queryForm, version, command, deviceType, program } = request;
  const words = [version, command, deviceType, program].map((word) => (word ?? "").slice(0, WORD_LIMIT_CHARACTERS));
  const place = [id, owners.indexOf(whose), account, at.getTime(), spellings.join(" "), queryForm ?? ""];
  const firstAt = request.firstAt === undefined ? [] : [request.firstAt.getTime()];
  return [...place, ...words, request.action, request.reason, request.state, ...firstAt];
}

function readLastRequest(text: string | undefined): LastRequest | undefined {
  return text === undefined ? undefined : decode(parse(text));
}

function readList(text: string | undefined): readonly LastRequest[] {
  const list = text === undefined ? undefined : parse(text);
  return Array.isArray(list) ? list.flatMap((each) => decode(each) ?? []) : [];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What another program has written in another way is not there. */
function decode(list: unknown): LastRequest | undefined {
  if (!Array.isArray(list)) return undefined;
  const parts: readonly unknown[] = list;
  const word = (index: number): string | undefined => {
    const value = parts[index];
    return typeof value === "string" ? value : undefined;
  };
  const said = (index: number): string | undefined => (word(index) === "" ? undefined : word(index));
  const id = toDeviceId(word(0) ?? "");
  const whose = owners.find((_, index) => index === parts[1]);
  const atMs = parts[3];
  const firstMs = parts[13];
  if (id === undefined || whose === undefined || typeof atMs !== "number" || !Number.isSafeInteger(atMs))
    return undefined;
  const [spelling = id, ...others] = (word(4) ?? "").split(" ").flatMap((each) => toDeviceId(each) ?? []);
  const [account, command, action, reason, state] = [2, 7, 10, 11, 12].map(word);
  if (account === undefined || command === undefined) return undefined;
  if (action === undefined || reason === undefined || state === undefined) return undefined;
  return {
    id,
    whose,
    account,
    at: new Date(atMs),
    ...(typeof firstMs === "number" && Number.isSafeInteger(firstMs) && { firstAt: new Date(firstMs) }),
    spellings: [spelling, ...others],
    queryForm: forms.find((form) => form === word(5)),
    version: said(6),
    command,
    deviceType: said(8),
    program: said(9),
    action,
    reason,
    state,
  };
}
