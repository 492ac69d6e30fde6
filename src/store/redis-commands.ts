/** What is said to Redis to read and write devices, as plain commands: nothing here knows how they get there. */
import type { DeviceId } from "../policy/device.ts";
import { ONLY_VALUE, BOOK_TTL_SECONDS } from "./backend.ts";
import type {
  Backend,
  DevicePage,
  Key,
  ScannedDevice,
  ScannedPage,
  Stored,
  StoredPolicy,
  WrittenKey,
} from "./backend.ts";
import { MAILBOX_TTL_SECONDS } from "./mailbox-state.ts";
import type { FieldChange } from "./record.ts";
import { encodeName } from "./redis-keys.ts";
import type { RedisKeys } from "./redis-keys.ts";
import { throwFirst, toStored } from "./redis-replies.ts";
import type { Reply } from "./redis-replies.ts";

export type Command = readonly [name: string, ...rest: (string | number)[]];

/** Sends commands in one go and gives one reply for each. `atomic`: all or none, and nobody in between. */
export type Run = (commands: readonly Command[], atomic?: "atomic") => Promise<readonly Reply[]>;

export interface RedisRunners {
  /** For what a phone waits for: refused after 150 ms. */
  readonly hot: Run;
  /** For operators, connectors and reading everything: on a connection of its own, so that no phone waits behind it. */
  readonly patient: Run;
}

const SCAN_COUNT = 1_000;
/** Records that are asked for at once while reading everything: some 2 MB of answers where each has a full list of apps. */
const SCAN_RECORDS = 200;
/** Versions of the policy in one answer: 40 MiB where each is as large as it may be. */
const HISTORY_PAGE = 10;
/** What a program of ours writes; another field there is nobody's version. */
const versionGrammar = /^[1-9]\d{0,14}$/;

export function redisCommands(
  keys: RedisKeys,
  { hot, patient }: RedisRunners,
): Pick<
  Backend,
  | "read"
  | "write"
  | "remove"
  | "scan"
  | "devicePage"
  | "readDevices"
  | "readPolicy"
  | "readPolicyVersion"
  | "addPolicy"
  | "policyHistory"
  | "claim"
  | "note"
  | "line"
  | "lines"
  | "lease"
> {
  async function read(wanted: readonly Key[]): Promise<readonly Stored[]> {
    return (await hot(wanted.map(readCommand))).map(toStored);
  }

  function readCommand(key: Key): Command {
    return [key.kind === "alias" || key.kind === "first-seen" ? "get" : "hgetall", keys.nameOf(key)];
  }

  async function write(key: WrittenKey, change: FieldChange): Promise<void> {
    switch (key.kind) {
      case "alias": {
        const target = change.set.get(ONLY_VALUE);
        const name = keys.nameOf(key);
        return throwFirst(await patient([target === undefined ? ["del", name] : ["set", name, target]]));
      }
      case "device":
        return throwFirst(await patient(fieldCommands(keys.nameOf(key), change), "atomic"));
      case "mailbox": {
        const [name, accounts] = [keys.nameOf(key), keys.accountsOf(key.id)];
        // The index goes first, so that no state exists that could not be forgotten. Apart from it, because in a Cluster
        // the two keys live in different places.
        const replies = await Promise.all([
          hot([
            ["sadd", accounts, encodeName(key.account)],
            ["expire", accounts, MAILBOX_TTL_SECONDS],
          ]),
          hot([...fieldCommands(name, change), ["expire", name, MAILBOX_TTL_SECONDS]], "atomic"),
        ]);
        return throwFirst(replies.flat());
      }
    }
  }

  async function remove(id: DeviceId, aliases: readonly DeviceId[]): Promise<boolean> {
    const [index] = await patient([["smembers", keys.accountsOf(id)]]);
    throwFirst(index === undefined ? [] : [index]);
    const accounts = Array.isArray(index?.[1]) ? index[1].map(String) : [];
    const mailboxes = keys.nameOf({ kind: "mailbox", id, account: "" });
    const replies = await patient([
      ["del", keys.nameOf({ kind: "device", id })],
      ...accounts.map((account): Command => ["del", mailboxes + account]),
      ...aliases.map((alias): Command => ["del", keys.nameOf({ kind: "alias", id: alias })]),
      ["del", keys.accountsOf(id)],
      ...[true, false].map((isOwners): Command => ["del", keys.lastRequestOf(id, isOwners)]),
    ]);
    throwFirst(replies);
    return replies[0]?.[1] === 1;
  }

  async function* scan(withFields: boolean): AsyncGenerator<ScannedPage> {
    // One page is under way while the one before it is worked on.
    let underWay: Promise<ScannedPage> | undefined;
    let cursor = "0";
    do {
      const replies = await patient([["scan", cursor, "MATCH", keys.devicePattern, "COUNT", SCAN_COUNT]]);
      throwFirst(replies);
      const found = readScan(replies[0]?.[1]);
      const ids = found.names.flatMap((name) => {
        const key = keys.parse(name);
        return key?.kind === "device" ? [key.id] : [];
      });
      ({ cursor } = found);
      const share = shareScanned(cursor);
      for (let first = 0; first < ids.length; first += SCAN_RECORDS) {
        const before = underWay;
        underWay = readPage(ids.slice(first, first + SCAN_RECORDS), withFields, share);
        // Whoever stops reading leaves it to itself.
        underWay.catch(() => {});
        if (before !== undefined) yield await before;
      }
    } while (cursor !== "0");
    if (underWay !== undefined) yield await underWay;
  }

  async function devicePage(place = "0", count: number): Promise<DevicePage> {
    if (!/^\d{1,20}$/.test(place)) throw new RangeError("no scan was ever there");
    const replies = await patient([["scan", place, "MATCH", keys.devicePattern, "COUNT", count]]);
    throwFirst(replies);
    const { cursor, names } = readScan(replies[0]?.[1]);
    const ids = names.flatMap((name) => {
      const key = keys.parse(name);
      return key?.kind === "device" ? [key.id] : [];
    });
    return { devices: ids.length === 0 ? [] : await readDevices(ids, true), next: cursor === "0" ? undefined : cursor };
  }

  async function readPage(ids: readonly DeviceId[], withFields: boolean, share: number): Promise<ScannedPage> {
    return {
      devices: withFields ? await readDevices(ids, true) : ids.map((id) => ({ id, stored: absent, firstSeen: absent })),
      share,
    };
  }

  async function readDevices(ids: readonly DeviceId[], withFirstSeen: boolean): Promise<readonly ScannedDevice[]> {
    // Called by its name, the answer stays the list that it is: an object of each hash would be read but once.
    const commands: Command[] = ids.map((id) => ["call", "HGETALL", keys.nameOf({ kind: "device", id })]);
    if (withFirstSeen) commands.push(...ids.map((id): Command => ["get", keys.nameOf({ kind: "first-seen", id })]));
    const found = (await patient(commands)).map(toStored);
    // A record that was removed since its key was listed is not there.
    return ids.flatMap((id, index): ScannedDevice[] => {
      const [stored = absent, firstSeen = absent] = [found[index], found[ids.length + index]];
      return stored.kind === "absent" ? [] : [{ id, stored, firstSeen }];
    });
  }

  /** The newest of the history is what counts: of two programs that add a version, the slower one may point to its own last. */
  async function readPolicy(): Promise<StoredPolicy | undefined> {
    return (await policyHistory(1))[0];
  }

  async function readPolicyVersion(version: number): Promise<StoredPolicy | undefined> {
    return (await readVersions([version]))[0];
  }

  /** Of two who add the same version, the field of the history lets one through. The other key tells every node of it. */
  async function addPolicy(version: number, text: string, keep: number): Promise<boolean> {
    const [added] = await patient([["hsetnx", keys.policyHistory, version, text]]);
    throwFirst(added === undefined ? [] : [added]);
    if (added?.[1] !== 1 && (await readPolicyVersion(version))?.text !== text) return false;
    throwFirst(await patient([["set", keys.policy, text]]));
    if (version > keep) throwFirst(await patient([["hdel", keys.policyHistory, version - keep]]));
    return true;
  }

  async function policyHistory(limit: number): Promise<readonly StoredPolicy[]> {
    const [names] = await patient([["hkeys", keys.policyHistory]]);
    throwFirst(names === undefined ? [] : [names]);
    const numbers = (Array.isArray(names?.[1]) ? names[1].map(String) : []).filter((name) => versionGrammar.test(name));
    const versions = numbers
      .map(Number)
      .toSorted((a, b) => b - a)
      .slice(0, limit);
    const found: StoredPolicy[] = [];
    for (let first = 0; first < versions.length; first += HISTORY_PAGE)
      found.push(...(await readVersions(versions.slice(first, first + HISTORY_PAGE))));
    return found;
  }

  async function readVersions(versions: readonly number[]): Promise<readonly StoredPolicy[]> {
    const [texts] = await patient([["hmget", keys.policyHistory, ...versions]]);
    throwFirst(texts === undefined ? [] : [texts]);
    const found: readonly unknown[] = Array.isArray(texts?.[1]) ? texts[1] : [];
    return versions.flatMap((version, index) => {
      const text = found[index];
      return typeof text === "string" ? [{ version, text }] : [];
    });
  }

  async function claim(book: string, line: string, text: string): Promise<boolean> {
    const name = keys.bookOf(book);
    const replies = await patient([
      ["hsetnx", name, line, text],
      ["expire", name, BOOK_TTL_SECONDS],
    ]);
    throwFirst(replies);
    return replies[0]?.[1] === 1;
  }

  async function note(book: string, line: string, text: string): Promise<void> {
    throwFirst(await patient([["hset", keys.bookOf(book), line, text]]));
  }

  async function line(book: string, wanted: string): Promise<string | undefined> {
    const replies = await patient([["hget", keys.bookOf(book), wanted]]);
    throwFirst(replies);
    const text = replies[0]?.[1];
    return typeof text === "string" ? text : undefined;
  }

  async function* lines(book: string): AsyncGenerator<readonly (readonly [string, string])[]> {
    let cursor = "0";
    do {
      const replies = await patient([["hscan", keys.bookOf(book), cursor, "COUNT", SCAN_COUNT]]);
      throwFirst(replies);
      const { cursor: next, names } = pairsIn(replies[0]?.[1]);
      yield names;
      cursor = next;
    } while (cursor !== "0");
  }

  /** Taken where nobody holds it, and held on to by whoever has it. Between the two questions it may pass to another. */
  async function lease(name: string, holder: string, ms: number): Promise<boolean> {
    const key = keys.leaseOf(name);
    const [taken] = await patient([["set", key, holder, "PX", ms, "NX"]]);
    throwFirst(taken === undefined ? [] : [taken]);
    if (taken?.[1] === "OK") return true;
    const [held] = await patient([["get", key]]);
    throwFirst(held === undefined ? [] : [held]);
    if (held?.[1] !== holder) return false;
    throwFirst(await patient([["pexpire", key, ms]]));
    return true;
  }

  return {
    read,
    write,
    remove,
    scan,
    devicePage,
    readDevices,
    readPolicy,
    readPolicyVersion,
    addPolicy,
    policyHistory,
    claim,
    note,
    line,
    lines,
    lease,
  };
}

const absent: Stored = { kind: "absent" };

/**
 * How much of the key space lies behind a cursor. Redis counts its cursors up from the highest bit, so that the lowest bit
 * stands for one half, the next for one quarter, and so on, whatever the size of its table.
 */
function shareScanned(cursor: string): number {
  if (!/^\d{1,20}$/.test(cursor) || cursor === "0") return 1;
  let share = 0;
  let worth = 0.5;
  for (let rest = BigInt(cursor); rest > 0n; rest >>= 1n, worth /= 2) if (rest % 2n === 1n) share += worth;
  return share;
}

function fieldCommands(name: string, { set, remove }: FieldChange): readonly Command[] {
  const commands: Command[] = [];
  if (remove.length > 0) commands.push(["hdel", name, ...remove]);
  if (set.size > 0) commands.push(["hset", name, ...[...set].flat()]);
  return commands;
}

/** The next cursor, and the fields of a hash with their values. */
export function pairsIn(reply: unknown): {
  readonly cursor: string;
  readonly names: readonly (readonly [string, string])[];
} {
  if (!Array.isArray(reply) || !Array.isArray(reply[1])) return { cursor: "0", names: [] };
  const flat = reply[1].map(String);
  const pairs = flat.flatMap((field, index) => (index % 2 === 0 ? [[field, flat[index + 1] ?? ""] as const] : []));
  return { cursor: String(reply[0]), names: pairs };
}

/** The next cursor, and names of which one may come twice. An answer of another form ends the reading. */
function readScan(reply: unknown): { readonly cursor: string; readonly names: readonly string[] } {
  if (!Array.isArray(reply) || !Array.isArray(reply[1])) return { cursor: "0", names: [] };
  return { cursor: String(reply[0]), names: [...new Set(reply[1].map(String))] };
}
