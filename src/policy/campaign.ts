import type { Ownership, Platform } from "./device.ts";
import type { Exemption } from "./exemption.ts";
import type { Moment } from "./moment.ts";
import type { Requirement } from "./requirement.ts";
import type { LanguageTag, Wording } from "./wording.ts";

/** `warn`: mail flows, and the notice is one more message in the inbox. */
export type Leaning = "allow" | "warn" | "quarantine";

/** Which way to lean when the truth cannot be had. */
export interface Stances {
  /** No source has ever reported the device, or it belongs to somebody else than the person who asks. */
  readonly notEnrolled: Leaning;
  /** The newest report is older than `maxAgeHours` allows. */
  readonly stale: Leaning;
  /** The source cannot see whether what is asked is true. */
  readonly uninspectable: Leaning;
  /** A record that cannot be read. `last-known` keeps what was decided before, and quarantines where nothing was. */
  readonly unknown: "last-known" | Leaning;
}

/** Whom a wave is for. Every part that is given must match; a part that is empty matches everybody. */
export interface Audience {
  readonly regions: readonly string[];
  readonly groups: readonly string[];
  readonly platforms: readonly Platform[];
  readonly ownerships: readonly Ownership[];
  /** Account names or addresses; all forms of one person's name are equal. */
  readonly owners: readonly string[];
  /** That part of everybody, 0 to 1, chosen by a hash that never changes; the phones of one owner go together. */
  readonly share: number;
}

export interface Wave {
  readonly audience: Audience;
  /** From then on people are told. Undefined: as soon as the campaign is there. */
  readonly announce: Moment | undefined;
  /** The last minute in which mail flows; the minute itself belongs to the owner. Undefined: none, it is enforced at once. */
  readonly deadline: Moment | undefined;
}

/**
 * `shadow`: verdicts are worked out, recorded and counted, and mail flows. `paused`: nothing at all, until it goes on.
 * `retracted`: taken back; it stays for whoever wants to know what was, and to be applied anew.
 */
export const campaignModes = ["enforce", "shadow", "paused", "retracted"] as const;
export type CampaignMode = (typeof campaignModes)[number];

/** Which phones have the grace of a campaign: enrolled lately, as their source says, or seen first lately, as Postern noted. */
export const newcomers = ["newly-enrolled", "newly-seen"] as const;
export type Newcomer = (typeof newcomers)[number];

/** How many phones a campaign may cut without a second, explicit yes. */
export interface Guard {
  /** 0 to 1, of all devices with a record. */
  readonly maxShare: number;
  readonly maxDevices: number;
  /** The explicit yes must come from somebody else than whoever asked. */
  readonly secondPerson?: boolean | undefined;
}

export interface Campaign {
  readonly id: string;
  readonly title: string;
  readonly requirements: readonly Requirement[];
  /** At least one. The first whose audience a device belongs to decides its times. */
  readonly waves: readonly [Wave, ...Wave[]];
  readonly mode: CampaignMode;
  /** Minutes before the deadline at which people are told again; the longest first. */
  readonly remindMinutes: readonly number[];
  /** A device that is new less than this before its deadline, or after it, has this long all the same. */
  readonly graceHours: number;
  readonly graceFor: readonly Newcomer[];
  readonly guard: Guard | undefined;
  readonly stances: Stances;
  /** The operator's own words for it. A language that is not here has the words that come with the program. */
  readonly wording: ReadonlyMap<LanguageTag, Wording>;
}

/** Everything in force. */
export interface Policy {
  readonly campaigns: readonly Campaign[];
  readonly exemptions: readonly Exemption[];
  /** For devices that no campaign speaks about. */
  readonly stances: Stances;
  /** A report older than this proves nothing any more. */
  readonly maxReportAgeHours: number;
  /** Lower-case DNS domains of the organisation; the first one stands for all of them. Empty: names are told apart by account alone. */
  readonly homeDomains: readonly string[];
}
