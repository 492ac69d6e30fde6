/**
 * Facts that were read, kept until somebody says that they changed. Devices with a record and ids without one are kept
 * apart: whoever invents a million ids only pushes out other invented ids.
 */
import type { App, DeviceId, DeviceRecord } from "../policy/device.ts";
import type { DeviceFacts } from "./store.ts";

export interface CacheLimits {
  /** Devices with a record. */
  readonly knownEntries: number;
  /** Ids without one. */
  readonly unknownEntries: number;
}

/** The spellings of one phone's id. A phone sends the same ones each time, so the first stands for all. */
export type Candidates = readonly [DeviceId, ...DeviceId[]];

export interface CachedFacts {
  readonly facts: DeviceFacts;
  /** Every id that was looked at: a change of any of them may make other facts. */
  readonly ids: readonly DeviceId[];
}

export interface FactsCache {
  get(candidates: Candidates, account: string | undefined): DeviceFacts | undefined;
  put(candidates: Candidates, account: string | undefined, cached: CachedFacts): void;
  /** Forgets whatever depends on the id; returns the canonical ids of what was forgotten. */
  drop(id: DeviceId): readonly DeviceId[];
  clear(): void;
  sizes(): { readonly known: number; readonly unknown: number };
}

/**
 * A phone has one account, a shared one a few. The name comes from a credential that nobody has verified yet, so a name
 * costs a place of this device only, never of another.
 */
export const ACCOUNTS_PER_DEVICE = 4;

/** When entries are pushed out, this many that were used lately are given another round before one goes regardless. */
const SECOND_CHANCES = 16;

/** Some fleets have hundreds of thousands of different apps; sharing the common ones is what matters. */
const SHARED_APPS_LIMIT = 20_000;

interface Entry {
  readonly candidates: Candidates;
  readonly ids: readonly DeviceId[];
  /** Newest last. All have the same record. */
  readonly byAccount: { readonly account: string | undefined; readonly facts: DeviceFacts }[];
  wasUsed: boolean;
}

export function createFactsCache({ knownEntries, unknownEntries }: CacheLimits): FactsCache {
  // Both by the first candidate.
  const known = new Map<DeviceId, Entry>();
  const unknown = new Map<DeviceId, Entry>();
  /** First candidates whose facts depend on another id as well. Most phones have one spelling, and no place here. */
  const dependents = new Map<DeviceId, Set<DeviceId>>();
  const shareApps = createAppSharing();

  function get(candidates: Candidates, account: string | undefined): DeviceFacts | undefined {
    const entry = known.get(candidates[0]) ?? unknown.get(candidates[0]);
    if (entry === undefined || !isSame(entry.candidates, candidates)) return undefined;
    for (const each of entry.byAccount) {
      if (each.account !== account) continue;
      entry.wasUsed = true;
      return each.facts;
    }
    return undefined;
  }

  function put(candidates: Candidates, account: string | undefined, { facts, ids }: CachedFacts): void {
    const [first] = candidates;
    const entries = facts.record === undefined ? unknown : known;
    const present = entries.get(first);
    const before = present !== undefined && isSame(present.candidates, candidates) ? present : undefined;
    const others = before?.byAccount.filter((each) => each.account !== account) ?? [];
    // Two accounts of one device share its record. Where they were read apart, the newer reading counts for both.
    const record = facts.record === undefined ? undefined : shareApps(facts.record);
    const renewed = others.slice(1 - ACCOUNTS_PER_DEVICE).filter((each) => each.facts.id === facts.id);
    remove(first);
    makeRoom(entries, facts.record === undefined ? unknownEntries : knownEntries);
    entries.set(first, {
      candidates,
      ids,
      byAccount: [
        ...renewed.map((each) => ({ account: each.account, facts: { ...each.facts, record } })),
        { account, facts: { ...facts, record } },
      ],
      wasUsed: before?.wasUsed ?? false,
    });
    for (const id of ids) if (id !== first) dependents.set(id, (dependents.get(id) ?? new Set()).add(first));
  }

  function drop(id: DeviceId): readonly DeviceId[] {
    const canonical = new Set<DeviceId>();
    for (const first of [id, ...(dependents.get(id) ?? [])]) {
      for (const { facts } of remove(first)?.byAccount ?? []) canonical.add(facts.id);
    }
    return [...canonical];
  }

  function remove(first: DeviceId): Entry | undefined {
    const entry = known.get(first) ?? unknown.get(first);
    if (entry === undefined) return undefined;
    known.delete(first);
    unknown.delete(first);
    for (const id of entry.ids) {
      const others = dependents.get(id);
      others?.delete(first);
      if (others?.size === 0) dependents.delete(id);
    }
    return entry;
  }

  /** The oldest goes, unless it was used since it was last considered: then it is as good as new, once. */
  function makeRoom(entries: Map<DeviceId, Entry>, limit: number): void {
    let chances = SECOND_CHANCES;
    for (const [first, entry] of entries) {
      if (entries.size < limit) return;
      if (entry.wasUsed && chances-- > 0) {
        entry.wasUsed = false;
        entries.delete(first);
        entries.set(first, entry);
      } else {
        remove(first);
      }
    }
  }

  return {
    get,
    put,
    drop,
    clear(): void {
      known.clear();
      unknown.clear();
      dependents.clear();
    },
    sizes: () => ({ known: known.size, unknown: unknown.size }),
  };
}

function isSame(a: Candidates, b: Candidates): boolean {
  return a === b || (a.length === b.length && a.every((id, index) => id === b[index]));
}

/**
 * A fleet has the same few thousand apps on all its phones. Keeping each of them once makes a cached device several times
 * smaller. What does not fit is simply not shared.
 */
function createAppSharing(): (record: DeviceRecord) => DeviceRecord {
  let shared = new Map<string, App>();

  function share(app: App): App {
    const key = `${app.id}\n${app.name ?? ""}\n${app.version ?? ""}`;
    const known = shared.get(key);
    if (known !== undefined) return known;
    if (shared.size >= SHARED_APPS_LIMIT) shared = new Map();
    shared.set(key, app);
    return app;
  }

  return (record) => (record.apps === undefined ? record : { ...record, apps: record.apps.map(share) });
}
