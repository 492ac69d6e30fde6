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

export interface CachedFacts {
  readonly facts: DeviceFacts;
  /** Every id that was looked at: a change of any of them may make other facts. */
  readonly ids: readonly DeviceId[];
}

export interface FactsCache {
  get(lookup: string, account: string | undefined): DeviceFacts | undefined;
  put(lookup: string, account: string | undefined, cached: CachedFacts): void;
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
  readonly lookup: string;
  readonly ids: readonly DeviceId[];
  /** Newest last. All have the same record. */
  readonly byAccount: { readonly account: string | undefined; readonly facts: DeviceFacts }[];
  wasUsed: boolean;
}

export function createFactsCache({ knownEntries, unknownEntries }: CacheLimits): FactsCache {
  const known = new Map<string, Entry>();
  const unknown = new Map<string, Entry>();
  /** Lookups that depend on an id but are not spelled like it. Most phones have one spelling, and no place here. */
  const dependents = new Map<DeviceId, Set<string>>();
  const shareApps = createAppSharing();

  function get(lookup: string, account: string | undefined): DeviceFacts | undefined {
    const entry = known.get(lookup) ?? unknown.get(lookup);
    if (entry === undefined) return undefined;
    for (const each of entry.byAccount) {
      if (each.account !== account) continue;
      entry.wasUsed = true;
      return each.facts;
    }
    return undefined;
  }

  function put(lookup: string, account: string | undefined, { facts, ids }: CachedFacts): void {
    const entries = facts.record === undefined ? unknown : known;
    const before = entries.get(lookup);
    const others = before?.byAccount.filter((each) => each.account !== account) ?? [];
    // Two accounts of one device share its record. Where they were read apart, the newer reading counts for both.
    const record = facts.record === undefined ? undefined : shareApps(facts.record);
    const renewed = others.slice(1 - ACCOUNTS_PER_DEVICE).filter((each) => each.facts.id === facts.id);
    remove(lookup);
    makeRoom(entries, facts.record === undefined ? unknownEntries : knownEntries);
    entries.set(lookup, {
      lookup,
      ids,
      byAccount: [
        ...renewed.map((each) => ({ account: each.account, facts: { ...each.facts, record } })),
        { account, facts: { ...facts, record } },
      ],
      wasUsed: before?.wasUsed ?? false,
    });
    for (const id of ids) if (id !== lookup) dependents.set(id, (dependents.get(id) ?? new Set()).add(lookup));
  }

  function drop(id: DeviceId): readonly DeviceId[] {
    const canonical = new Set<DeviceId>();
    for (const lookup of [id, ...(dependents.get(id) ?? [])]) {
      for (const { facts } of remove(lookup)?.byAccount ?? []) canonical.add(facts.id);
    }
    return [...canonical];
  }

  function remove(lookup: string): Entry | undefined {
    const entry = known.get(lookup) ?? unknown.get(lookup);
    if (entry === undefined) return undefined;
    known.delete(lookup);
    unknown.delete(lookup);
    for (const id of entry.ids) {
      const lookups = dependents.get(id);
      lookups?.delete(lookup);
      if (lookups?.size === 0) dependents.delete(id);
    }
    return entry;
  }

  /** The oldest goes, unless it was used since it was last considered: then it is as good as new, once. */
  function makeRoom(entries: Map<string, Entry>, limit: number): void {
    let chances = SECOND_CHANCES;
    for (const [lookup, entry] of entries) {
      if (entries.size < limit) return;
      if (entry.wasUsed && chances-- > 0) {
        entry.wasUsed = false;
        entries.delete(lookup);
        entries.set(lookup, entry);
      } else {
        remove(lookup);
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
