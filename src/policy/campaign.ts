import type { Ownership, Platform } from "./device.ts";
import type { Requirement } from "./requirement.ts";
import type { LanguageTag, Wording } from "./wording.ts";

/** `warn`: mail flows, and the notice is one more message in the inbox. */
type Leaning = "allow" | "warn" | "quarantine";

/** Which way to lean when the truth cannot be had. */
export interface Stances {
  /** No source has ever reported the device, or it belongs to somebody else than the person who asks. */
  readonly notEnrolled: Leaning;
  /** The newest report is older than `maxAgeHours` allows. */
  readonly stale: Leaning;
  /** The source cannot see whether the app is there. */
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
}

export interface Wave {
  readonly audience: Audience;
  /** An instant, worked out from the local time and zone that the operator wrote. Undefined: at once. */
  readonly deadline: Date | undefined;
}

export interface Campaign {
  readonly id: string;
  readonly title: string;
  readonly requirements: readonly Requirement[];
  /** At least one. The first whose audience a device belongs to decides its deadline. */
  readonly waves: readonly [Wave, ...Wave[]];
  readonly stances: Stances;
  /** The operator's own words for it. A language that is not here has the words that come with the program. */
  readonly wording: ReadonlyMap<LanguageTag, Wording>;
}

/** Everything in force. */
export interface Policy {
  readonly campaigns: readonly Campaign[];
  /** For devices that no campaign speaks about. */
  readonly stances: Stances;
  /** A report older than this proves nothing any more. */
  readonly maxReportAgeHours: number;
  /** Lower-case DNS domains of the organisation; the first one stands for all of them. Empty: names are told apart by account alone. */
  readonly homeDomains: readonly string[];
}
