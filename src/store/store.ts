/**
 * The ports of the store: what the rest of Postern may ask of it. Redis and the embedded file both answer to them, and
 * `test/contracts/store.ts` is the one suite that both must pass.
 */
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { AuditStore } from "./audit-log.ts";
import type { DocumentStore, ToldDocumentKind } from "./documents.ts";
import type { FirstSeenStore } from "./first-seen.ts";
import type { LastRequestStore } from "./last-requests.ts";

export type { LastRequest, LastRequestStore } from "./last-requests.ts";

/**
 * The part of a phone's mailbox state that outlives one request: one entry per (device, account), shared by all nodes.
 * It exists only for devices that have synchronised folders through the gate.
 */
export interface MailboxState {
  /** ServerId of a folder to its type (MS-ASCMD 2.2.3.186.3), learnt from passing FolderSync answers. */
  readonly folders: ReadonlyMap<string, number>;
  /** Collections for which the phone may still hold a gateway key: it is draining until this is empty. */
  readonly issued: ReadonlySet<string>;
  /**
   * Commands whose last full request the gate answered itself. A short one means "as before", and upstream remembers another
   * before.
   */
  readonly unheard: ReadonlySet<ShortCommand>;
  /** What the last full Ping asked for; a Ping may leave out what it said before (MS-ASCMD 2.2.1.13). */
  readonly ping: RememberedPing | undefined;
  /** The notice as it was last worded for this device: the revision number rises when the wording changes. */
  readonly notice: NoticeRevision | undefined;
  /** What a phone whose mail flows has seen of its notice; undefined while it has seen none. */
  readonly warning: WarningState | undefined;
}

/** Commands that a phone may shorten to what it has not said before (MS-ASCMD 2.2.1.13, 2.2.1.21). */
export type ShortCommand = "Sync" | "Ping";

/** The notice as one more item of an Inbox that is otherwise upstream's. */
export interface WarningState {
  /** The Inbox in which it is. */
  readonly collectionId: string;
  /** The revision that the phone certainly shows; undefined: none. */
  readonly shown: number | undefined;
  /** When the person deleted it. */
  readonly dismissedAt: Date | undefined;
  /** A key of ours that stands for one of upstream's until the phone comes back with it. */
  readonly shadow: ShadowKey | undefined;
}

export interface ShadowKey {
  readonly key: string;
  /** The key of upstream that it stands for. */
  readonly real: string;
  /** The revision that a phone with this key shows. */
  readonly shows: number | undefined;
  /** The key of ours with which it was asked for: the phone still has that one where the answer was lost. */
  readonly before?: { readonly key: string; readonly shows: number | undefined } | undefined;
  /** Options of the folder that the phone said to the gate and that upstream has not seen: base64 of WBXML. */
  readonly missed?: string | undefined;
}

export interface RememberedPing {
  readonly heartbeatSeconds: number;
  readonly folders: readonly { readonly id: string; readonly class: string }[];
}

export interface NoticeRevision {
  /** 1 to 4999: it is part of a gateway key. */
  readonly revision: number;
  readonly digest: string;
  /** BCP 47: the language in which this revision is written. Undefined where an earlier version of the gate wrote it. */
  readonly language?: string | undefined;
  readonly at: Date;
}

export interface MailboxKey {
  readonly device: DeviceId;
  /** The account of the person, lower-case. */
  readonly account: string;
}

/** Each part is applied on its own, so that two nodes that write at once do not undo each other. */
export interface MailboxChange {
  /** `replace` forgets every folder known before (an answer to FolderSync with key 0 lists all of them). */
  readonly folders?: {
    readonly replace: boolean;
    readonly set: ReadonlyMap<string, number>;
    readonly remove: readonly string[];
  };
  readonly issue?: readonly string[];
  readonly drained?: readonly string[];
  /** Upstream has not had what the phone said last. */
  readonly unheard?: readonly ShortCommand[];
  /** Upstream has. */
  readonly heard?: readonly ShortCommand[];
  readonly ping?: RememberedPing;
  readonly notice?: NoticeRevision;
  /** `null` forgets it. */
  readonly warning?: WarningState | null;
}

/** Everything about one device that a decision needs, read in one round trip. */
export interface DeviceFacts {
  /** The canonical id: the spelling that a record or an alias knows, else the first candidate. */
  readonly id: DeviceId;
  readonly record: DeviceRecord | undefined;
  readonly mailbox: MailboxState;
}

export interface StoreHealth {
  /** `live`: every read is current. `degraded`: reads work, but past the cache. `down`: the store does not answer. */
  readonly state: "live" | "degraded" | "down";
  readonly since: Date;
  readonly detail: string;
}

/** What has changed. `everything` after a gap in which changes may have been missed, the policy's included. */
export type StoreChange =
  | { readonly kind: "device"; readonly id: DeviceId }
  | { readonly kind: "mailbox"; readonly id: DeviceId }
  | { readonly kind: "policy" }
  | { readonly kind: "document"; readonly of: ToldDocumentKind; readonly name: string }
  | { readonly kind: "everything" };

/** What an operator did to the policy. */
export type PolicyAct = "apply" | "retract" | "pause" | "resume" | "remove" | "roll-back" | "exempt" | "end-exemption";

/** One version of the policy, never changed once it is there. The newest is in force; the others are its history. */
export interface PolicyVersion {
  /** 1, 2, 3 … without gaps. */
  readonly version: number;
  readonly at: Date;
  /** A PolicyAct, or what a newer program calls what it did: for people, so that it is no reason not to read the rest. */
  readonly act: string;
  /** Campaigns and exemptions that the act was about. */
  readonly about: readonly string[];
  /** Who did it, as they are known to the operating system or to the API. */
  readonly who: string;
  readonly why: string;
  /** As they were written, checked but not resolved: `config/policy-document.ts` reads them. */
  readonly campaigns: readonly unknown[];
  readonly exemptions: readonly unknown[];
  /**
   * The run of each campaign by its id: the version with which it came, or came back after it was retracted. Whoever was told
   * in one run is told anew in the next.
   */
  readonly runs: Readonly<Record<string, number>>;
}

/** The policy in the store, for operators and for every node. */
export interface PolicyStore {
  /** The newest version; undefined where none was ever written. @throws StoreUnavailable, PolicyUnreadable */
  readPolicy(): Promise<PolicyVersion | undefined>;
  /** A certain version; undefined where it is not there, or no longer. @throws StoreUnavailable, PolicyUnreadable */
  readPolicyVersion(version: number): Promise<PolicyVersion | undefined>;
  /**
   * Adds a version that follows the newest one. False where somebody else was first. The same one may be added again: that
   * tells every node again. @throws StoreUnavailable, RangeError where it is too large
   */
  addPolicy(version: PolicyVersion): Promise<boolean>;
  /** The newest first; what cannot be read is left out, and told. @throws StoreUnavailable */
  policyHistory(
    limit: number,
    onUnreadable?: (version: number, problem: string) => void,
  ): Promise<readonly PolicyVersion[]>;
}

/** A phone that was at the gate with a credential that the mail server accepted. */
export interface Sighting {
  readonly id: DeviceId;
  /** Whose credential it was, as in `MailboxKey`; empty where it names nobody. */
  readonly account: string;
  readonly at: Date;
}

/** How many different phones or people were counted under a name, and how many decisions there were about them. */
export interface Tally {
  readonly subjects: number;
  readonly decisions: number;
}

export interface TallyAddition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly decisions: number;
}

/** What passes the gates, as all nodes together have noted it: for previews, reports and the guard. Nothing is judged by it. */
export interface TrafficStore {
  /** @throws StoreUnavailable */
  readonly noteSightings: (sightings: readonly Sighting[]) => Promise<void>;
  /** Phones that were seen since then, in no order and in bounded memory; what is older than a few hours is forgotten. */
  sightings(since: Date): AsyncIterable<Sighting>;
  /** @throws StoreUnavailable */
  readonly addToTallies: (additions: readonly TallyAddition[]) => Promise<void>;
  /** In the order of the names. The number of subjects may be off by a few in a hundred. @throws StoreUnavailable */
  readTallies(names: readonly string[]): Promise<readonly Tally[]>;
  /** The last preview of a campaign, as text that only `campaign/kept-preview.ts` reads. @throws StoreUnavailable */
  keepPreview(campaign: string, text: string): Promise<void>;
  readPreview(campaign: string): Promise<string | undefined>;
}

/**
 * What people are sent about a campaign. A reminder has a number, from 1. The others count from 0: an announcement and its
 * confirmation have the same one, and a correction has another for each address.
 */
export const letterKinds = ["announcement", "reminder", "confirmation", "correction"] as const;
export type LetterKind = (typeof letterKinds)[number];

export interface LetterKey {
  readonly campaign: string;
  /** A campaign that was taken back and is applied anew begins a new run: whoever was told before is told again. */
  readonly run: number;
  readonly device: DeviceId;
  readonly kind: LetterKind;
  readonly number: number;
  /** From 1. Another one is made only after the one before was postponed. */
  readonly attempt: number;
}

export const letterStates = ["sent", "covered", "waiting", "postponed", "claimed", "refused", "bounced"] as const;

export interface LetterEntry extends LetterKey {
  /**
   * `claimed`: somebody began to send it, and has not said how that ended; it is never sent again. `postponed`: the mail
   * server has certainly not taken it, and may take it later. `waiting`: the same, and it was no answer to this letter: the
   * mail server was away. `bounced`: it was taken, and came back. `covered`: a reminder that is not sent, because the
   * announcement came when it was due already.
   */
  readonly state: (typeof letterStates)[number];
  readonly at: Date;
  /** The address, as it was then: a phone may have another owner, or no record, when something must be taken back. */
  readonly to: string;
  /** Whose phone it was then, as its record named them; empty where an earlier version wrote it. */
  readonly person: string;
  /** What a mail server said where the letter did not arrive; empty otherwise. */
  readonly detail: string;
}

/** Whom a letter is for. */
export type Addressee = Pick<LetterEntry, "to" | "person">;

/** By what a letter is known again when it comes back: of which run, and a word that only its own envelope has. */
export interface Envelope extends Pick<LetterKey, "campaign" | "run"> {
  readonly secret: string;
}

/** Which letters were sent, so that nobody gets one twice: not after a crash, and not from two nodes. */
export interface LetterStore {
  /** False where it was claimed before. @throws StoreUnavailable */
  claimLetter(key: LetterKey, at: Date, addressee: Addressee): Promise<boolean>;
  /** In which envelope a letter goes out. @throws StoreUnavailable */
  noteEnvelope(envelope: Envelope, key: LetterKey): Promise<void>;
  /** How it ended. @throws StoreUnavailable */
  settleLetter(entry: LetterEntry): Promise<void>;
  /**
   * Notes that the letter of this envelope came back, whatever is said of it before or later; the first time counts.
   * @returns the letter as it stands then; undefined where no letter has that envelope. @throws StoreUnavailable
   */
  bounceLetter(envelope: Envelope, at: Date, detail: string): Promise<LetterEntry | undefined>;
  /** Every letter of one run, in no order, in bounded memory. @throws StoreUnavailable */
  letters(campaign: string, run: number): AsyncIterable<LetterEntry>;
  /**
   * Whether this holder may do the work of that name for so long. Two may believe so for a moment, so what they do must
   * bear it. @throws StoreUnavailable
   */
  holdLease(name: string, holder: string, ms: number): Promise<boolean>;
}

export interface Store
  extends PolicyStore, LetterStore, TrafficStore, FirstSeenStore, LastRequestStore, DocumentStore, AuditStore {
  /**
   * Facts about the device that goes by any of these spellings, most trusted first.
   * @throws StoreUnavailable within 200 ms where the store does not answer and the cache does not know.
   */
  facts(candidates: readonly [DeviceId, ...DeviceId[]], account: string | undefined): Promise<DeviceFacts>;

  /** @throws StoreUnavailable */
  updateMailbox(key: MailboxKey, change: MailboxChange): Promise<void>;

  /** Raw fields of a record as an operator or a script wrote them; undefined where no record exists. */
  readFields(id: DeviceId): Promise<ReadonlyMap<string, string> | undefined>;
  /** Sets and removes fields of a record; makes the record where none was. */
  writeFields(
    id: DeviceId,
    change: { readonly set: ReadonlyMap<string, string>; readonly remove: readonly string[] },
  ): Promise<void>;
  /**
   * Forgets the record, its mailbox states, its last requests and the aliases that are named here, but not when it was seen first. Other aliases then point to nothing, which
   * is harmless. False where there was no record.
   */
  forget(id: DeviceId, aliases?: readonly DeviceId[]): Promise<boolean>;
  /** Binds another spelling of a device's id to its canonical one. */
  writeAlias(alias: DeviceId, id: DeviceId): Promise<void>;
  /**
   * All ids with a record, in no order, in bounded memory. An id that is there from beginning to end comes at least once;
   * Redis may name one twice while others write.
   * @param onProgress hears how much of the store has been read, 0 to 1, as far as that can be known.
   */
  list(onProgress?: (share: number) => void): AsyncIterable<DeviceId>;
  /**
   * Records of these ids in their order, without those that have none: past the cache and without a deadline, as `records`.
   * @param firstSeen whether anybody will look at when they were seen first: for a million devices it is a million reads.
   * @throws StoreUnavailable
   */
  readRecords(ids: readonly DeviceId[], firstSeen?: "with-first-seen" | "without"): Promise<readonly DeviceRecord[]>;
  /**
   * Some records, for a list that somebody pages through: about `count` of them, or fewer, or none, though others follow. Each record
   * that is there from the first page to the last comes at least once. RangeError for a place that cannot be one.
   * @param place where the page before it said that the next one begins; undefined: the first. @throws StoreUnavailable
   */
  recordPage(
    place: string | undefined,
    count: number,
  ): Promise<{ readonly records: readonly DeviceRecord[]; readonly next: string | undefined }>;
  /**
   * The same with the records themselves, past the cache and on a connection of its own: for previews and summaries.
   * @param onProgress hears how much of the store has been read, 0 to 1, as far as that can be known.
   */
  records(onProgress?: (share: number) => void): AsyncIterable<DeviceRecord>;

  /**
   * Calls the listener at every change, made by whomever, within a second of it. Returns the way to stop. Facts that are
   * asked for after the call are never older than the change.
   */
  onChange(listener: (change: StoreChange) => void): () => void;
  health(): StoreHealth;
  close(): Promise<void>;
}

/** What the operator should hear of. A health event is a transition of `state`; the first one tells how the start went. */
export type StoreEvent =
  | { readonly kind: "health"; readonly health: StoreHealth }
  /** A listener of `onChange` threw. The others were still called. */
  | { readonly kind: "listener-failed"; readonly cause: unknown };

/** The store did not answer in time. Policy never sees this: `gateway/decide.ts` turns it into what was last known. */
export class StoreUnavailable extends Error {
  readonly code = "store-unavailable";
  constructor(cause: unknown) {
    super("the store did not answer", { cause });
    this.name = "StoreUnavailable";
  }
}

/**
 * A version of the policy is there and cannot be read: a newer program has written it, or it was damaged. The store itself
 * is well, and trying again does not help.
 */
export class PolicyUnreadable extends Error {
  readonly code = "policy-unreadable";
  readonly version: number;
  readonly problem: string;
  constructor(version: number, problem: string) {
    super(`version ${version} of the policy in the store cannot be read: it ${problem}`);
    this.name = "PolicyUnreadable";
    this.version = version;
    this.problem = problem;
  }
}

/** The store cannot be used as it is configured: trying again does not help. The message says what to change. */
export class StoreUnusable extends Error {
  readonly code = "store-unusable";
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StoreUnusable";
  }
}
