/** What a database must do for the store: hold fields under keys, and say when somebody changed them. Nothing about mail. */
import type { DeviceId } from "../policy/device.ts";
import type { AuditStore } from "./audit-log.ts";
import type { Act, DocumentKind, FieldsKey, ToldDocumentKind } from "./documents.ts";
import type { FieldChange } from "./record.ts";
import type { StoreHealth, Tally, TallyAddition } from "./store.ts";

export type Key =
  | { readonly kind: "device"; readonly id: DeviceId }
  /** Its only field is ONLY_VALUE: the id that it leads to. */
  | { readonly kind: "alias"; readonly id: DeviceId }
  /** Its only field is ONLY_VALUE, which `first-seen.ts` reads. It is written by `noteFirstSeen`. */
  | { readonly kind: "first-seen"; readonly id: DeviceId }
  | { readonly kind: "mailbox"; readonly id: DeviceId; readonly account: string };

export type WrittenKey = Exclude<Key, { readonly kind: "first-seen" }>;

/** What has no fields of its own comes as one of this name. */
export const ONLY_VALUE = "id";

/** A campaign of which nobody has heard for 400 days is over. */
export const BOOK_TTL_SECONDS = 400 * 86_400;

export type Stored =
  | { readonly kind: "absent" }
  | { readonly kind: "fields"; readonly fields: ReadonlyMap<string, string> }
  /** Something is there, and it is not fields. */
  | { readonly kind: "unreadable"; readonly problem: string };

/** What a backend tells, at any time from its making to its closing. */
export interface BackendEvents {
  /** Somebody changed what stands under a key of this id, perhaps we ourselves. */
  readonly changed: (kind: Key["kind"], id: DeviceId) => void;
  /** Somebody changed a document of a kind that is told. */
  readonly documentChanged: (kind: ToldDocumentKind, name: string) => void;
  /** A version of the policy was added. */
  readonly policyChanged: () => void;
  /** Changes may have been missed, or concern everything. What was read before counts no more. */
  readonly everythingChanged: () => void;
  /** The state is another than before. */
  readonly health: (health: StoreHealth) => void;
}

/** What a scan found in one go. */
export interface ScannedPage {
  readonly devices: readonly ScannedDevice[];
  /** How much of everything has been read by now, 0 to 1. */
  readonly share: number;
}

/** Some devices, for somebody who goes on later. */
export interface DevicePage {
  readonly devices: readonly ScannedDevice[];
  /** Where the next page begins, as only the backend reads it; undefined: nothing is left. */
  readonly next: string | undefined;
}

/** A version of the policy as it stands there, whether or not anybody can read it. */
export interface StoredPolicy {
  readonly version: number;
  readonly text: string;
}

export interface ScannedDevice {
  readonly id: DeviceId;
  /** Absent where only the ids were asked for. */
  readonly stored: Stored;
  readonly firstSeen: Stored;
}

/** Every call throws StoreUnavailable where the database does not answer in time. */
export interface Backend extends AuditStore {
  /** All of them in one round trip, in the order of the keys. */
  read(keys: readonly Key[]): Promise<readonly Stored[]>;
  /** Removes, then sets, as one change. The life of a mailbox key begins anew. */
  write(key: WrittenKey, change: FieldChange): Promise<void>;
  /** Removes the record, all mailbox states of the id, and these aliases. False where there was no record. */
  remove(id: DeviceId, aliases: readonly DeviceId[]): Promise<boolean>;
  /** Every id with a record, page by page, without disturbing those who read single devices. */
  scan(withFields: boolean): AsyncIterable<ScannedPage>;
  /**
   * The next devices after a place that an earlier page named; undefined: from the beginning. A device that is there all the time comes
   * at least once. Some more than `count` may come, or fewer, or none, though others follow. RangeError for a place that cannot be one.
   */
  devicePage(place: string | undefined, count: number): Promise<DevicePage>;
  /** Those of these devices that have a record, in the order of the ids, with as much patience as a scan. */
  readDevices(ids: readonly DeviceId[], withFirstSeen: boolean): Promise<readonly ScannedDevice[]>;
  /** The newest version of the policy. */
  readPolicy(): Promise<StoredPolicy | undefined>;
  /** A certain one; undefined where it is not there, or no longer. */
  readPolicyVersion(version: number): Promise<StoredPolicy | undefined>;
  /**
   * Adds this version and drops what is older than `keep` versions. False where another one of this number is there. The same
   * text again is told to every node again: whoever was interrupted may repeat it.
   */
  addPolicy(version: number, text: string, keep: number): Promise<boolean>;
  /** The newest first. */
  policyHistory(limit: number): Promise<readonly StoredPolicy[]>;
  /** Notes this time for each of the ids for which none is noted, and lets those be kept on for which one is. */
  noteFirstSeen(ids: readonly DeviceId[], atMs: number, urgency: "at once" | "patiently"): Promise<void>;
  /** Since when it is noted who comes; undefined: nobody has looked yet at who was there before. */
  firstSeenSince(): Promise<number | undefined>;
  beginFirstSeen(atMs: number): Promise<void>;
  /** Notes when each member was seen last; forgets what was seen before `cutoffMs`, and the oldest beyond `limit`. */
  noteSeen(members: ReadonlyMap<string, number>, cutoffMs: number, limit: number): Promise<void>;
  /** Members that were seen since then, with the time, page by page. */
  seen(sinceMs: number): AsyncIterable<readonly (readonly [member: string, atMs: number])[]>;
  /** Keeps the text of each, instead of the one before, for LAST_REQUEST_TTL_SECONDS. */
  noteLast(
    requests: readonly { readonly id: DeviceId; readonly isOwners: boolean; readonly text: string }[],
  ): Promise<void>;
  /** Every text of these ids. */
  readLast(ids: readonly DeviceId[]): Promise<readonly string[]>;
  /** What is kept of each of these accounts, in their order. */
  readStrangers(accounts: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Says how many accounts there are then. */
  writeStrangers(set: ReadonlyMap<string, string>, remove: readonly string[]): Promise<number>;
  /** Every account with its text, page by page; one may come twice while others write. */
  strangers(): AsyncIterable<readonly (readonly [account: string, text: string])[]>;
  /** Counts subjects that are new under each name, and decisions. A name that nothing is added to is forgotten in the end. */
  addToTallies(additions: readonly TallyAddition[]): Promise<void>;
  readTallies(names: readonly string[]): Promise<readonly Tally[]>;
  keepPreview(campaign: string, text: string): Promise<void>;
  readPreview(campaign: string): Promise<string | undefined>;
  /** Writes a line into a book where there is none of that name. False where there is. The life of the book begins anew. */
  claim(book: string, line: string, text: string): Promise<boolean>;
  /** Writes a line, whether or not there is one. */
  note(book: string, line: string, text: string): Promise<void>;
  /** One line of a book; undefined where there is none. */
  line(book: string, line: string): Promise<string | undefined>;
  /** Every line of a book, page by page; one may come twice while others write. */
  lines(book: string): AsyncIterable<readonly (readonly [line: string, text: string])[]>;
  /** Whether `holder` holds the lease from now on for so long. */
  lease(name: string, holder: string, ms: number): Promise<boolean>;
  /** In the order of the keys, with as much patience as a scan. */
  readDocuments(keys: readonly FieldsKey[]): Promise<readonly Stored[]>;
  /** Page by page; one may come twice while others write. */
  documents(kind: DocumentKind, beginning: string): AsyncIterable<readonly (readonly [name: string, stored: Stored])[]>;
  /** See `DocumentStore.transact`. The keys of the changes have been looked at. */
  transact<T>(keys: readonly FieldsKey[], decide: (stored: readonly Stored[]) => Act<T>): Promise<T>;
  /** Whether what is read now may be kept until `changed` names it. */
  isTracking(): boolean;
  health(): StoreHealth;
  /** How long one call takes at most, from its first word to its refusal. */
  readonly answersWithinMs: number;
  /** Resolves when the first attempt to reach the database has ended, well or not. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export type OpenBackend = (events: BackendEvents) => Backend;
