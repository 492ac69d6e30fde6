/** What was decided before, for the time when the store is away. An allow ages out; a quarantine or block does not. */
import type { DeviceId } from "../policy/device.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Notice } from "../notice/notice.ts";
import type { MailboxState } from "../store/store.ts";

export interface Known {
  /** The canonical id: the store, which knows it, is away when this is asked. */
  readonly id: DeviceId;
  readonly action: "allow" | "quarantine" | "block";
  readonly state: Verdict["state"];
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** When time alone would have made it stricter: an allow holds no longer. Milliseconds since the epoch. */
  readonly until: number | undefined;
  /** What the person was told, so that an outage brings no other words. Undefined while allowed. */
  readonly notice: Notice | undefined;
  /** Kept only where an answer depends on it: for a phone in quarantine, or on its way out. */
  readonly mailbox: MailboxState | undefined;
}

/** Something of ours is still on the phone, a key or the notice, or upstream does not know what the phone has said. */
export function leavesTraces({ issued, unheard, warning }: MailboxState): boolean {
  return issued.size > 0 || unheard.size > 0 || warning !== undefined;
}

export interface Decided {
  /** The spelling in which the device named itself. */
  readonly spelling: DeviceId;
  readonly id: DeviceId;
  readonly account: string;
  readonly verdict: Verdict;
  readonly notice: Notice | undefined;
  readonly mailbox: MailboxState;
}

export interface LastKnown {
  /**
   * Counts once the person is proven: anybody can put any name to the id of a phone, and would push out those that are known.
   * What is known already is brought up to date at once, since it comes from facts and not from whoever asks.
   */
  remember(decided: Decided): void;
  /** Upstream has accepted the credential with which the device was named. */
  vouch(spelling: DeviceId, account: string): void;
  recall(spelling: DeviceId, account: string): Known | undefined;
  /** What was decided last, even about a record that has changed since: for one that says nothing certain now. */
  before(spelling: DeviceId, account: string): Known["action"] | undefined;
  /**
   * The store has told that the device changed, so what was decided before may not be true any more. A quarantine too: a node
   * that still knows it and one that knows better would send the phone in circles while the store is away.
   */
  forget(id: DeviceId): void;
  /** Everything that is known, the longest unused first. */
  entries(): Iterable<readonly [key: string, known: Known]>;
  /** Takes in what an earlier run knew; what this run has decided itself stays. */
  restore(entries: Iterable<readonly [key: string, known: Known]>): void;
  size(): number;
}

export interface LastKnownOptions {
  readonly allowHours: number;
  /** Entries beyond it push out the ones that were used longest ago. */
  readonly limit: number;
  readonly now: () => number;
}

/** Decisions about people who may be proven yet; the newest push out the oldest. A request that is answered soon is among them. */
const UNPROVEN_LIMIT = 1000;

/** Within it an allow that repeats itself is not written down again. */
const refreshMs = 60_000;

export function createLastKnown({ allowHours, limit, now }: LastKnownOptions): LastKnown {
  const entries = new Map<string, Known>();
  const unproven = new Map<string, Known>();
  const keysOf = new Map<DeviceId, Set<string>>();
  /** Keys of entries whose record has changed since. */
  const changed = new Set<string>();
  const allowMs = allowHours * 3_600_000;

  function remember({ spelling, id, account, verdict, notice, mailbox }: Decided): void {
    // A stranger is not known: anybody can invent ids, and would push out the devices that are.
    const key = keyOf(spelling, account);
    if (verdict.reason === "not-enrolled") drop(key);
    if (verdict.action === "defer" || verdict.reason === "not-enrolled") return;
    // What was itself remembered would never age.
    if (verdict.reason === "record-unreadable" || verdict.reason === "id-contested") return;
    const keep = verdict.action !== "allow" || leavesTraces(mailbox);
    const before = entries.get(key);
    const until = verdict.holdsUntil?.getTime();
    const at = now();
    if (
      !keep &&
      !changed.has(key) &&
      before?.action === "allow" &&
      before.mailbox === undefined &&
      before.until === until &&
      at - before.at < refreshMs
    )
      return;
    const known: Known = {
      id,
      action: verdict.action,
      state: verdict.state,
      at,
      until,
      notice,
      mailbox: keep ? mailbox : undefined,
    };
    if (before === undefined) keepUnproven(key, known);
    else put(key, known);
  }

  function keepUnproven(key: string, known: Known): void {
    unproven.delete(key);
    unproven.set(key, known);
    if (unproven.size <= UNPROVEN_LIMIT) return;
    const [oldest] = unproven.keys();
    if (oldest !== undefined) unproven.delete(oldest);
  }

  function put(key: string, known: Known): void {
    drop(key);
    entries.set(key, known);
    keysOf.set(known.id, (keysOf.get(known.id) ?? new Set()).add(key));
    if (entries.size <= limit) return;
    const [oldest] = entries.keys();
    if (oldest !== undefined) drop(oldest);
  }

  function drop(key: string): void {
    const known = entries.get(key);
    if (known === undefined) return;
    entries.delete(key);
    changed.delete(key);
    const keys = keysOf.get(known.id);
    keys?.delete(key);
    if (keys?.size === 0) keysOf.delete(known.id);
  }

  function holds(known: Known): boolean {
    if (known.action !== "allow") return true;
    return now() - known.at <= allowMs && (known.until === undefined || now() < known.until);
  }

  return {
    remember,
    vouch(spelling, account): void {
      const key = keyOf(spelling, account);
      const known = unproven.get(key);
      if (known === undefined) return;
      unproven.delete(key);
      put(key, known);
    },
    recall(spelling, account): Known | undefined {
      const key = keyOf(spelling, account);
      const known = changed.has(key) ? undefined : entries.get(key);
      return known !== undefined && holds(known) ? known : undefined;
    },
    before(spelling, account): Known["action"] | undefined {
      const known = entries.get(keyOf(spelling, account));
      return known !== undefined && holds(known) ? known.action : undefined;
    },
    forget(id): void {
      for (const key of keysOf.get(id) ?? []) changed.add(key);
      for (const [key, known] of unproven) if (known.id === id) unproven.delete(key);
    },
    *entries() {
      for (const [key, known] of entries) if (!changed.has(key)) yield [key, known] as const;
    },
    restore(earlier): void {
      for (const [key, known] of earlier) if (!entries.has(key)) put(key, known);
    },
    size: () => entries.size,
  };
}

function keyOf(spelling: DeviceId, account: string): string {
  return `${spelling} ${account}`;
}
