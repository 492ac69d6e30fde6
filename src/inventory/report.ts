/**
 * What a source says about one device that it manages, in one form whatever the source. Everything in it is the source's word,
 * with the age that the source gives it. `intake.ts` decides what becomes of it.
 */
import type { App, DeviceRecord, Ownership, Platform } from "../policy/device.ts";

/** The key of a device at its source. Unique together; a connector's instance is a source of its own. */
export interface ManagedKey {
  /** The connector's name in the configuration, or what a push calls itself: 1 to 64 of `a-z 0-9 -`. */
  readonly source: string;
  /** As the source spells it, 1 to 200 characters. */
  readonly sourceDeviceId: string;
}

/**
 * A part that is left out is not spoken about: what was known of it stays. One that is `undefined` was asked for, and the source
 * knows nothing of it.
 */
export interface InventoryReport extends ManagedKey {
  /** Whether it is still managed. `false` is a check-out: whatever is known of it proves nothing any more. */
  readonly enrolled: boolean;
  /**
   * Exchange ActiveSync device ids as the source spells them, each 1 to 64 letters and digits; at most EAS_IDS_LIMIT. Left out, or empty:
   * not spoken about. Systems know the id of a phone only once it has fetched mail, and then say "" for a while.
   */
  readonly easDeviceIds?: readonly string[];
  /** How they came to be known. Left out: `mdm`. */
  readonly easDeviceIdsAre?: "mdm" | "managed-config";
  readonly owner?: ManagedOwner | undefined;
  readonly platform?: Platform | undefined;
  readonly osVersion?: string | undefined;
  readonly osBuild?: string | undefined;
  /** What Apple writes behind the version of a rapid security response: `(a)`. */
  readonly osExtra?: string | undefined;
  /** `YYYY-MM-DD` */
  readonly securityPatch?: string | undefined;
  readonly model?: string | undefined;
  readonly serial?: string | undefined;
  readonly udid?: string | undefined;
  readonly ownership?: Ownership;
  readonly compromised?: boolean | undefined;
  readonly enrolledAt?: Date | undefined;
  /** When the device itself last reported anything, not when anybody fetched it. */
  readonly deviceAt?: Date | undefined;
  readonly apps?: ReportedApps;
  readonly verdict?: SourceVerdict | undefined;
  /** For campaigns' audiences and the notice, where the source knows them. */
  readonly groups?: readonly string[];
  readonly region?: string | undefined;
  readonly timezone?: string | undefined;
  readonly locale?: string | undefined;
}

/** At least one of the names; compared without case, kept as received. */
export interface ManagedOwner {
  readonly email?: string | undefined;
  /** An account name or a user principal name. */
  readonly name?: string | undefined;
  readonly sourceUserId?: string | undefined;
}

/** The list of apps, with what its silence proves. */
export interface ReportedApps {
  readonly scope: NonNullable<DeviceRecord["appsScope"]>;
  readonly apps: readonly App[];
  /** The ids that were asked about, where `scope` is `asked-only`. */
  readonly asked?: readonly string[];
  /** When the device looked. */
  readonly at: Date;
}

/** The source's own verdict. `in-grace` is the source's: it counts as compliant until `until`. */
export interface SourceVerdict {
  readonly state: "compliant" | "noncompliant" | "in-grace" | "cannot-tell";
  readonly reasons: readonly string[];
  readonly until?: Date | undefined;
}

/** What became of a report. */
export type IntakeResult =
  /** It was newer than what was known, or knew more. `devices`: how many ids at the gate it now speaks for. */
  | { readonly kind: "accepted"; readonly devices: number; readonly alerts: readonly IntakeAlert[] }
  /** What is known is newer, or the same. Nothing was changed. */
  | { readonly kind: "stale" }
  /** It cannot be true, or cannot be read. Nothing was changed, but that a full sync has named the device. */
  | { readonly kind: "rejected"; readonly problem: string };

/** What an operator must look at. The report was taken as far as it can be. */
export type IntakeAlert =
  /** An empty list from a device that had apps: the list that was known is kept. */
  | { readonly kind: "apps-vanished"; readonly before: number }
  /** One id at the gate is claimed for phones of two people: neither counts until an operator has said whose it is. */
  | { readonly kind: "id-contested"; readonly easDeviceId: string; readonly others: readonly ManagedKey[] }
  /** Two ids that differ in case only, or an id that is none. */
  | { readonly kind: "id-unusable"; readonly easDeviceId: string; readonly problem: string }
  /** An id at the gate belongs to another person's phone now: the one that had it is managed no more, or its owner is another. */
  | { readonly kind: "id-moved"; readonly easDeviceId: string; readonly before: ManagedKey }
  /** The source names nobody, or by no name that a credential has: the phone counts for nobody until it does, where an owner is asked for. */
  | { readonly kind: "owner-missing" };

/** Takes what a source says. Ordered by the device's own time, so that the same report may come twice and in any order. */
export interface Intake {
  /** @throws StoreUnavailable */
  take(report: InventoryReport, options?: IntakeOptions): Promise<IntakeResult>;
  /** The same for several, in their order, and many times as fast: some at a time are one act. @throws StoreUnavailable */
  takeAll(reports: readonly InventoryReport[], options?: IntakeOptions): Promise<readonly IntakeResult[]>;
  /**
   * The end of a full sync: devices of the source that it did not name, and of which nothing was heard since it began, are managed no
   * more, until they are heard of again. `look`: asks the source about each of them first. Returns how many those were.
   * @throws StoreUnavailable, and what `look` throws
   */
  endSweep(source: string, sweep: string, startedAt: Date, look?: LookForMissing): Promise<number>;
}

/** What the source says of a device that a full sync did not name: it is there all the same, it is gone, or nobody can tell now. */
export type LookForMissing = (sourceDeviceId: string) => Promise<InventoryReport | "gone" | "unknown">;

export interface IntakeOptions {
  /** The full sync that names the devices; a new word for each. */
  readonly sweep?: string | undefined;
}
