/**
 * What is known about one phone: who owns it, what it runs, what its management system says of it.
 * These are facts with their ages. Nothing here says whether the phone may read mail; `judge.ts` does.
 */

/** Upper-case letters and digits, 1 to 64 of them; the only spelling that reaches a key, a log or a rule. */
export type DeviceId = string & { readonly __brand: "DeviceId" };

/** 64: an id of 32 characters written as hex (MS-ASHTTP 2.2.1.1.1.2 allows 32; some servers hex-encode them). */
const deviceIdGrammar = /^[A-Z0-9]{1,64}$/;

/** The canonical form of an id, or undefined where the text is none. */
export function toDeviceId(text: string): DeviceId | undefined {
  // ASCII first: toUpperCase maps letters such as "ı" and "ſ" into A-Z, which would let two texts be one id.
  if (!/^[A-Za-z0-9]{1,64}$/.test(text)) return undefined;
  const id = text.toUpperCase();
  return isDeviceId(id) ? id : undefined;
}

/**
 * The other names that one phone may go by: mail servers write the id of a base64 query as hex, so `nine` of one is
 * `6E696E65` of another.
 */
export function spellingsOf(id: DeviceId): readonly [DeviceId, ...DeviceId[]] {
  const unhexed = /^(?:[0-9A-F]{2})+$/.test(id) ? toDeviceId(fromHex(id)) : undefined;
  const hexed = toDeviceId(id.replaceAll(/./g, (letter) => letter.charCodeAt(0).toString(16)));
  return [id, ...[unhexed, hexed].filter((each) => each !== undefined)];
}

function fromHex(text: string): string {
  return text.replaceAll(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
}

function isDeviceId(text: string): text is DeviceId {
  return deviceIdGrammar.test(text);
}

export const platforms = ["ios", "ipados", "android", "macos", "windows", "other"] as const;
export type Platform = (typeof platforms)[number];

/**
 * How much of the phone the source can see. It decides what an absent app proves:
 * only `all`, or `asked-only` for an app that was asked about, can show that an app is not there.
 */
export const appsScopes = ["all", "managed-only", "work-profile", "asked-only", "none"] as const;
type AppsScope = (typeof appsScopes)[number];

export const ownerships = ["corporate", "personal", "unknown"] as const;
export type Ownership = (typeof ownerships)[number];

export interface App {
  /** Bundle id or package name, as the source wrote it. Compared without case. */
  readonly id: string;
  readonly name: string | undefined;
  readonly version: string | undefined;
}

/** An operator's own word about one device; it outranks facts until it ends. */
export interface Override {
  readonly action: "allow" | "block";
  readonly why: string | undefined;
  readonly who: string | undefined;
  /** Undefined: until somebody takes it back. */
  readonly until: Date | undefined;
}

/** A field that was present and could not be read. Its value counts as unknown, never as absent. */
export interface FieldFault {
  readonly field: string;
  readonly problem: string;
}

export interface DeviceRecord {
  readonly id: DeviceId;
  readonly owner: string | undefined;
  readonly email: string | undefined;
  readonly groups: readonly string[];
  readonly region: string | undefined;
  readonly timezone: string | undefined;
  readonly locale: string | undefined;
  readonly platform: Platform | undefined;
  readonly osVersion: string | undefined;
  /** The Android security patch level, `YYYY-MM-DD`. */
  readonly securityPatch: string | undefined;
  readonly model: string | undefined;
  readonly ownership: Ownership;
  readonly appsScope: AppsScope | undefined;
  /** Undefined: no list was ever reported. Empty: a list without apps was. */
  readonly apps: readonly App[] | undefined;
  /** The ids that were asked about, where `appsScope` is `asked-only`. */
  readonly appsAsked: readonly string[];
  /** When the phone itself reported its apps, not when we fetched the report. */
  readonly appsAt: Date | undefined;
  /** When the phone last reported anything. */
  readonly deviceAt: Date | undefined;
  /** When it was enrolled: a new phone may have some grace. */
  readonly enrolledAt: Date | undefined;
  /**
   * When Postern saw it first with a record. `earlier`: before anybody noted that. Undefined: not noted yet. No source and no
   * client says it.
   */
  readonly firstSeenAt: Date | "earlier" | undefined;
  /** Jailbroken or rooted, as far as the source can tell. */
  readonly compromised: boolean | undefined;
  readonly source: string | undefined;
  readonly sourceDeviceId: string | undefined;
  /** `false`: its source manages it no more. Undefined: a record is there, and that is enough. */
  readonly enrolled: boolean | undefined;
  /** Phones of two people are said to go by this id, so that it counts for neither. */
  readonly contested: boolean | undefined;
  /** The source's own verdict. */
  readonly compliance: "compliant" | "noncompliant" | undefined;
  /** Until when `compliant` holds: from then on the source calls the phone non-compliant. Undefined: until it says so. */
  readonly complianceUntil: Date | undefined;
  readonly reasons: readonly string[];
  readonly override: Override | undefined;
  readonly faults: readonly FieldFault[];
}
