/** What is kept of managed devices, whether or not a phone at the gate is known to be one of them. */
import type { App, DeviceId, DeviceRecord } from "../policy/device.ts";
import type { InventoryReport, ManagedKey } from "./report.ts";

/**
 * How an id at the gate came to be tied to a managed device, the strongest first. `mdm`: the device itself told its management system.
 * `managed-config`: the management system gave the mail app the id. `operator`: somebody said so, and who is kept. `self`: the owner
 * registered it from the page. `owner`: a mail app whose ids say nothing (Outlook), by the one phone of its owner.
 */
export const bindingKinds = ["mdm", "managed-config", "operator", "self", "owner"] as const;
export type BindingKind = (typeof bindingKinds)[number];

export interface Binding extends ManagedKey {
  /** The id at the gate, canonical. */
  readonly easDeviceId: DeviceId;
  readonly how: BindingKind;
  /** The owner's account at that time, lower-case; "" where nobody is named. */
  readonly account: string;
  readonly at: Date;
  /** Who said so, for `operator` and `self`. */
  readonly by: string | undefined;
  /** Other managed devices, of other people, that claim the same id. Not empty: the id counts for nobody. */
  readonly contestedBy: readonly ManagedKey[];
}

/** Parts of a report that have an age of their own: of each the newest is kept. */
export const reportParts = [
  "owner",
  "platform",
  "osVersion",
  "osBuild",
  "osExtra",
  "securityPatch",
  "model",
  "serial",
  "udid",
  "ownership",
  "compromised",
  "enrolledAt",
  "verdict",
  "groups",
  "region",
  "timezone",
  "locale",
] as const;
export type ReportPart = (typeof reportParts)[number];

export type ReportParts = { readonly [P in ReportPart]?: InventoryReport[P] | undefined };

/** A list of apps as it was reported, with what its silence proves. */
export interface AppList {
  readonly scope: NonNullable<DeviceRecord["appsScope"]>;
  readonly apps: readonly App[];
  /** The ids that were looked for, where not all are kept. With `all`: apps of the system's maker, which are kept only where a rule names them. */
  readonly asked: readonly string[];
  readonly at: Date;
  /** How many apps it had, those included that are not kept. */
  readonly count: number;
}

/** What is known of the apps of a device. Kept in parts, so that the order in which reports come does not matter. */
export interface AppLists {
  /** The newest list of more than single apps. */
  readonly whole: AppList | undefined;
  /** The newest list of all apps that had none: a broken answer, unless nothing else is known. */
  readonly empty: { readonly at: Date; readonly asked: readonly string[] | undefined } | undefined;
  /** Answers about single apps that are newer than `whole`, by the id in lower case. */
  readonly single: ReadonlyMap<string, { readonly at: Date; readonly app: App | undefined }>;
}

/** All that is known of one managed device, merged from its reports. */
export interface ManagedDevice extends ManagedKey {
  /** The parts as they were reported last; each with the age that the device gave it. */
  readonly report: InventoryReport;
  /** How many apps the last full list had, kept where the list itself is not. */
  readonly appsCount: number | undefined;
  /** When it was last heard of here, by our clock; to HEARD_STEP_MS. */
  readonly heardAt: Date;
  /** The full sync in which it was last named: those that are not in the newest one are managed no more. */
  readonly sweep: string | undefined;
  /** What `report` is made of. */
  readonly memory: ManagedMemory;
}

export interface ManagedMemory {
  readonly parts: ReportParts;
  /** The age of each part in milliseconds since 1970; one that came without a time has none. */
  readonly partsAt: ReadonlyMap<ReportPart, number>;
  readonly deviceAt: Date | undefined;
  /** The newest of what was said about it, and when that was true. */
  readonly enrolment: { readonly enrolled: boolean; readonly at: Date | undefined };
  /** It was not in a full sync from beginning to end, and nothing was heard of it since. */
  readonly isMissing: boolean;
  /** Ids as the source names them now, and since when; and those that it named before. */
  readonly ids: {
    readonly current: readonly string[];
    readonly former: readonly string[];
    readonly at: Date | undefined;
  };
  readonly idsAre: "mdm" | "managed-config";
  readonly apps: AppLists;
  /** Ids at the gate that others than the source have tied to it. */
  readonly bound: readonly DeviceId[];
}

/** 5 min: a sync that finds nothing new need not write for each device it names. */
export const HEARD_STEP_MS = 300_000;
