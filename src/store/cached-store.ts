/** The store as the rest of Postern sees it, over any backend: which spelling of an id counts, and what may be kept. */
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import { checkedAudit } from "./audit-log.ts";
import { ONLY_VALUE } from "./backend.ts";
import type { Backend, Key, OpenBackend, Stored, StoredPolicy, WrittenKey } from "./backend.ts";
import { documentsOf } from "./document-acts.ts";
import { createFactsCache } from "./facts-cache.ts";
import type { CachedFacts, CacheLimits, Candidates } from "./facts-cache.ts";
import { firstSeenOf, readFirstSeen } from "./first-seen.ts";
import { createFlights } from "./flights.ts";
import { lastRequestsOf } from "./last-requests.ts";
import { letterBooks } from "./letter-book.ts";
import { dependsOnCurrent, emptyMailbox, encodeMailboxChange, parseMailbox } from "./mailbox-state.ts";
import { decodePolicyVersion, encodePolicyVersion, POLICY_HISTORY_LIMIT } from "./policy-version.ts";
import { parseRecord, unreadableRecord } from "./record.ts";
import type { FieldChange } from "./record.ts";
import { trafficOf } from "./traffic.ts";
import { PolicyUnreadable, StoreUnavailable } from "./store.ts";
import type {
  DeviceFacts,
  MailboxChange,
  MailboxKey,
  MailboxState,
  PolicyVersion,
  Store,
  StoreChange,
  StoreEvent,
} from "./store.ts";

export interface StoreDeps {
  readonly now: () => Date;
  readonly report: (event: StoreEvent) => void;
}

export interface CachedStore extends Store {
  /** Resolves when the first attempt to reach the database has ended, well or not. */
  settled(): Promise<void>;
  /** For metrics: how many devices with a record, and ids without one, are kept. */
  cacheSizes(): { readonly known: number; readonly unknown: number };
}

/** What a second call may add where an alias needs one, or a change came in between: 180 of the 200 ms of a request. */
const SECOND_CALL_MS = 30;

export function createStore(open: OpenBackend, limits: CacheLimits, { now, report }: StoreDeps): CachedStore {
  const cache = createFactsCache(limits);
  const listeners = new Set<(change: StoreChange) => void>();
  const backend: Backend = open({
    changed: invalidate,
    documentChanged: (of, name) => emit({ kind: "document", of, name }),
    policyChanged: () => emit({ kind: "policy" }),
    everythingChanged: invalidateEverything,
    health: (health) => report({ kind: "health", health }),
  });
  const flights = createFlights<DeviceFacts>(backend.answersWithinMs + SECOND_CALL_MS);

  const firstSeen = firstSeenOf(backend, now, (id) => invalidate("first-seen", id));

  function facts(candidates: Candidates, account: string | undefined): Promise<DeviceFacts> {
    const cached = backend.isTracking() ? cache.get(candidates, account) : undefined;
    if (cached !== undefined) return Promise.resolve(cached);

    const question = [candidates.join(" "), ...(account === undefined ? [] : [account])].join("\n");
    return flights.join(question, candidates, async (flight) => {
      const { lasting, ...found } = await resolve(candidates, account, flight.dependOn);
      if (lasting && backend.isTracking() && !flight.isStale()) cache.put(candidates, account, found);
      return found.facts;
    });
  }

  /** The first candidate with a record, else the first alias that leads to one, else the first candidate. */
  async function resolve(
    candidates: Candidates,
    account: string | undefined,
    dependOn: (id: DeviceId) => void,
  ): Promise<CachedFacts & { readonly lasting: boolean }> {
    const direct = await readDevices(candidates, account);
    const [first] = direct;
    let found = direct.find(({ record }) => record !== undefined);
    const targets: DeviceId[] = [];
    if (found === undefined) {
      // One step only: an alias names a canonical id. Chains and loops end here, as aliases that lead to nothing.
      for (const { alias } of direct) {
        if (alias === undefined || candidates.includes(alias) || targets.includes(alias)) continue;
        targets.push(alias);
        dependOn(alias);
      }
      if (targets.length > 0) found = (await readDevices(targets, account)).find(({ record }) => record !== undefined);
    }
    const { id, record, mailbox, lasting } = found ?? first ?? nothing(candidates[0]);
    return { facts: { id, record, mailbox }, ids: [...candidates, ...targets], lasting };
  }

  async function readDevices(ids: readonly DeviceId[], account: string | undefined): Promise<readonly ReadDevice[]> {
    const keys = ids.map((id) => keysOf(id, account));
    const stored = (await backend.read(keys.flat())).values();
    return ids.map((id, index) => toDevice(id, [...stored.take(keys[index]?.length ?? 0)], now()));
  }

  function invalidate(kind: Key["kind"], id: DeviceId): void {
    // Whoever waits for news knows the canonical id; the change may be about another spelling that leads there.
    const ids = new Set([id, ...cache.drop(id)]);
    flights.outdate(id);
    // It says what is true already, and whoever waits has been judged by it.
    if (kind === "first-seen") return;
    for (const each of ids) emit({ kind: kind === "mailbox" ? "mailbox" : "device", id: each });
  }

  function invalidateEverything(): void {
    cache.clear();
    flights.outdateAll();
    emit({ kind: "everything" });
  }

  function emit(change: StoreChange): void {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (cause) {
        report({ kind: "listener-failed", cause });
      }
    }
  }

  /** Even a write that failed may have been done: the answer is what was lost. */
  async function write(key: WrittenKey, change: FieldChange): Promise<void> {
    if (change.set.size === 0 && change.remove.length === 0) return;
    try {
      await backend.write(key, change);
    } finally {
      invalidate(key.kind, key.id);
    }
  }

  async function updateMailbox({ device, account }: MailboxKey, change: MailboxChange): Promise<void> {
    const key: WrittenKey = { kind: "mailbox", id: device, account };
    const [current] = dependsOnCurrent(change) ? await backend.read([key]) : [];
    const fields = current?.kind === "fields" ? current.fields : new Map<string, string>();
    await write(key, encodeMailboxChange(change, fields, now()));
  }

  async function readFields(id: DeviceId): Promise<ReadonlyMap<string, string> | undefined> {
    const [stored] = await backend.read([{ kind: "device", id }]);
    if (stored?.kind === "unreadable") throw new StoreUnavailable(new Error(stored.problem));
    return stored?.kind === "fields" ? stored.fields : undefined;
  }

  async function forget(id: DeviceId, aliases: readonly DeviceId[] = []): Promise<boolean> {
    try {
      return await backend.remove(id, aliases);
    } finally {
      for (const each of [id, ...aliases]) invalidate("device", each);
    }
  }

  async function* list(onProgress?: (share: number) => void): AsyncGenerator<DeviceId> {
    for await (const { devices, share } of backend.scan(false)) {
      for (const { id } of devices) yield id;
      onProgress?.(share);
    }
  }

  async function readRecords(
    ids: readonly DeviceId[],
    firstSeen: "with-first-seen" | "without" = "with-first-seen",
  ): Promise<readonly DeviceRecord[]> {
    const devices = await backend.readDevices(ids, firstSeen === "with-first-seen");
    const asOf = now();
    return devices.flatMap((device) => toRecord(device, asOf).record ?? []);
  }

  async function recordPage(...of: Parameters<Store["recordPage"]>): ReturnType<Store["recordPage"]> {
    const { devices, next } = await backend.devicePage(...of);
    const asOf = now();
    return { records: devices.flatMap((device) => toRecord(device, asOf).record ?? []), next };
  }

  async function* records(onProgress?: (share: number) => void): AsyncGenerator<DeviceRecord> {
    for await (const { devices, share } of backend.scan(true)) {
      const asOf = now();
      for (const device of devices) {
        const { record } = toRecord(device, asOf);
        if (record !== undefined) yield record;
      }
      onProgress?.(share);
    }
  }

  return {
    facts,
    updateMailbox: (key, change) => flights.withinDeadline(updateMailbox(key, change)),
    readFields,
    writeFields: (id, change) => write({ kind: "device", id }, change),
    forget,
    writeAlias: (alias, id) => write({ kind: "alias", id: alias }, { set: new Map([[ONLY_VALUE, id]]), remove: [] }),
    list,
    records,
    readRecords,
    recordPage,
    readPolicy: async () => toVersion(await backend.readPolicy()),
    readPolicyVersion: async (version) => toVersion(await backend.readPolicyVersion(version)),
    addPolicy: async (version) => {
      try {
        return await backend.addPolicy(version.version, encodePolicyVersion(version), POLICY_HISTORY_LIMIT);
      } finally {
        emit({ kind: "policy" });
      }
    },
    ...letterBooks(backend),
    policyHistory: async (limit, onUnreadable = () => {}) =>
      (await backend.policyHistory(limit)).flatMap((stored) => {
        const reading = decodePolicyVersion(stored);
        if (!reading.ok) onUnreadable(stored.version, reading.problem);
        return reading.ok ? [reading.value] : [];
      }),
    meet: (id) => flights.withinDeadline(firstSeen.meet(id)),
    meetEverybody: (mayGoOn) => firstSeen.meetEverybody(mayGoOn),
    ...lastRequestsOf(backend, now),
    ...trafficOf(backend, now),
    ...checkedAudit(backend),
    ...documentsOf(backend, {
      changed: (id) => invalidate("device", id),
      documentChanged: (of, name) => emit({ kind: "document", of, name }),
    }),
    onChange(listener): () => void {
      // A function of its own for each call, so that one who stops does not stop another with the same listener.
      const own = (change: StoreChange): void => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    health: () => backend.health(),
    close: () => backend.close(),
    settled: () => backend.settled(),
    cacheSizes: () => cache.sizes(),
  };
}

/** @throws PolicyUnreadable: a gate that does not know its policy must say so. */
function toVersion(stored: StoredPolicy | undefined): PolicyVersion | undefined {
  if (stored === undefined) return undefined;
  const reading = decodePolicyVersion(stored);
  if (reading.ok) return reading.value;
  throw new PolicyUnreadable(stored.version, reading.problem);
}

interface ReadDevice {
  readonly id: DeviceId;
  readonly record: DeviceRecord | undefined;
  readonly lasting: boolean;
  readonly alias: DeviceId | undefined;
  readonly mailbox: MailboxState;
}

/** In the order in which `toDevice` takes them. */
function keysOf(id: DeviceId, account: string | undefined): readonly Key[] {
  const keys: Key[] = [
    { kind: "device", id },
    { kind: "alias", id },
    { kind: "first-seen", id },
  ];
  return account === undefined ? keys : [...keys, { kind: "mailbox", id, account }];
}

function toDevice(id: DeviceId, [device, alias, firstSeen, mailbox]: readonly Stored[], now: Date): ReadDevice {
  const target = alias?.kind === "fields" ? alias.fields.get(ONLY_VALUE) : undefined;
  return {
    id,
    ...toRecord({ id, stored: device, firstSeen }, now),
    alias: target === undefined ? undefined : toDeviceId(target.trim()),
    mailbox: mailbox?.kind === "fields" ? parseMailbox(mailbox.fields) : emptyMailbox,
  };
}

function toRecord(
  {
    id,
    stored,
    firstSeen,
  }: { readonly id: DeviceId; readonly stored: Stored | undefined; readonly firstSeen: Stored | undefined },
  now: Date,
): Pick<ReadDevice, "record" | "lasting"> {
  const firstSeenAt = readFirstSeen(firstSeen);
  switch (stored?.kind) {
    case undefined:
    case "absent":
      return { record: undefined, lasting: true };
    case "unreadable":
      return { record: { ...unreadableRecord(id, stored.problem), firstSeenAt }, lasting: true };
    case "fields": {
      const { record, lasting } = parseRecord(id, stored.fields, now);
      return { record: firstSeenAt === undefined ? record : { ...record, firstSeenAt }, lasting };
    }
  }
}

function nothing(id: DeviceId): ReadDevice {
  return { id, record: undefined, lasting: true, alias: undefined, mailbox: emptyMailbox };
}
