import type { App } from "./device.ts";

/** What is true of a device, as far as it can be known. */
export const complianceStates = [
  "compliant",
  "in-grace",
  "non-compliant",
  "not-enrolled",
  "stale",
  "uninspectable",
  "unknown",
] as const;
type ComplianceState = (typeof complianceStates)[number];

/**
 * Why a verdict is what it is. A closed list, the same words in log, metric, API and test title. In the order of their
 * weight: of all that is found with the strictest action, the first named here is the reason, the others stay findings.
 */
export const reasons = [
  /** An operator said so. */
  "override-block",
  /** A banned app is there and its deadline has passed. */
  "app-present",
  /** The system is older than a campaign asks. */
  "os-outdated",
  /** The security patch level of an Android phone is older than a campaign asks. */
  "patch-outdated",
  /** The source calls the phone jailbroken or rooted. */
  "compromised",
  /** The management system itself calls the device non-compliant. */
  "source-noncompliant",
  /** The phone has not reported within the time that a campaign asks. */
  "report-overdue",
  /** The record belongs to somebody else than the person whose credential came with the request. */
  "owner-mismatch",
  /** A field of the record that the decision needs cannot be read. */
  "record-unreadable",
  /** Phones of two people are said to go by this id. */
  "id-contested",
  /** No source has ever reported the device, or it is managed no more. */
  "not-enrolled",
  /** An operator said so. */
  "override-allow",
  /** An exemption holds. */
  "exempted",
  /** Something is held against the device, and its deadline has not come yet. */
  "in-grace",
  /** The newest report is older than the policy accepts. */
  "stale",
  /** The source cannot see whether what a campaign asks is true. */
  "uninspectable",
  /** Nothing is held against the device. */
  "compliant",
  /** The store did not answer; the device keeps the verdict it had. */
  "last-known",
  /** The store did not answer and nothing is known from before. */
  "store-unavailable",
  /** The request names no device and can carry no mail. */
  "not-judged",
  /** Browsers have no device id; see `browser/classify.ts`. */
  "browser-laptop",
  "browser-phone",
  /** Mail programs on EWS have none either; see `ews/classify.ts`. `listed`: an operator named the program. */
  "ews-laptop",
  "ews-listed",
  "ews-other",
  /** The operator has closed EWS for everybody. */
  "ews-closed",
] as const;
export type Reason = (typeof reasons)[number];

/** What a requirement says of a device that does not fulfil it. */
export type FailedReason = Extract<
  Reason,
  "app-present" | "os-outdated" | "patch-outdated" | "compromised" | "source-noncompliant" | "report-overdue"
>;

/** What a requirement says of a device that fulfils it. The verdict then says `compliant`. */
export type MetReason =
  | "app-absent"
  | "os-current"
  | "not-compromised"
  | "source-compliant"
  | "report-recent"
  | "enrolled";

/** What a source cannot show. */
export type Unseen =
  | { readonly kind: "app"; readonly name: string }
  | { readonly kind: "os" }
  | { readonly kind: "security-patch" }
  | { readonly kind: "integrity" }
  | { readonly kind: "compliance" };

/** Which campaign asks, and until when. `undefined`: no campaign, but the policy itself. */
interface Asked {
  readonly campaign: string;
  readonly title: string;
  readonly deadline: Date | undefined;
}

/** What one rule found, in the terms of the person who has to act on it. */
export type Finding =
  | (Asked & {
      readonly kind: "app-present";
      readonly appName: string;
      readonly app: App;
      readonly foundAt: Date | undefined;
    })
  | (Asked & { readonly kind: "os-outdated"; readonly osVersion: string; readonly minimum: string })
  | (Asked & { readonly kind: "patch-outdated"; readonly securityPatch: string; readonly minimum: string })
  | (Asked & { readonly kind: "compromised" })
  | (Asked & { readonly kind: "report-overdue"; readonly reportedAt: Date | undefined; readonly withinHours: number })
  | {
      readonly kind: "source-noncompliant";
      readonly campaign: string | undefined;
      readonly title: string | undefined;
      readonly deadline: Date | undefined;
      readonly reasons: readonly string[];
      readonly foundAt: Date | undefined;
    }
  | (Asked & { readonly kind: "not-enrolled-for" })
  | (Asked & { readonly kind: "uninspectable"; readonly unseen: Unseen })
  | { readonly kind: "override"; readonly why: string | undefined; readonly who: string | undefined }
  | { readonly kind: "not-enrolled" }
  | { readonly kind: "owner-mismatch" }
  | { readonly kind: "id-contested" }
  | { readonly kind: "stale"; readonly reportedAt: Date; readonly maxAgeHours: number }
  | { readonly kind: "record-unreadable"; readonly fields: readonly string[] };

/**
 * Where a device stands in a campaign. `scheduled`: not announced yet. `announced`: mail flows, and the notice is there.
 * `enforced`: the deadline has passed.
 */
export type Phase = "scheduled" | "announced" | "enforced";

/** What one rule says of a device. The strictest of them is the verdict; all of them are kept, for whoever asks why. */
export interface Ruling {
  readonly action: "allow" | "warn" | "quarantine" | "block";
  readonly state: ComplianceState;
  readonly reason: Reason | MetReason;
  /** Undefined: the policy itself. */
  readonly campaign?: string | undefined;
  readonly phase?: Phase | undefined;
  /** When the campaign is enforced for this device; undefined where it has no deadline. */
  readonly enforcedFrom?: Date | undefined;
  /** What excuses the device. */
  readonly exemption?: string | undefined;
  /** What was found, also where it is not held against the device. */
  readonly finding?: Finding | undefined;
  /** When time alone may change this ruling. */
  readonly changesAt?: Date | undefined;
  /** When time alone may make it stricter: mail that flows by it flows until then. */
  readonly holdsUntil?: Date | undefined;
  /** How many of the campaign's reminders are due. */
  readonly reminders?: number | undefined;
  /** The campaign only looks on: this is what it would say. */
  readonly shadow?: boolean | undefined;
}

/**
 * `allow`, `quarantine` and `block` are Exchange's own access levels. `defer` is for a device about which nothing can
 * be known right now: it is told to come back later, because a quarantine entered by mistake would wipe its mail.
 */
export interface Verdict {
  readonly action: "allow" | "quarantine" | "block" | "defer";
  readonly state: ComplianceState;
  readonly reason: Reason;
  /** Everything that was found, the weightiest first. */
  readonly findings: readonly Finding[];
  /**
   * What the person is told to do, the nearest deadline first: findings that hold the mail, or will. With `allow` the notice
   * is one more message.
   */
  readonly demands: readonly Finding[];
  /** When time alone may change this verdict: a deadline, the end of an override, the age of a report. */
  readonly changesAt: Date | undefined;
  /** When time alone may hold mail that flows now. Undefined: never; announcements and reminders hold nothing. */
  readonly holdsUntil?: Date | undefined;
  /** How many reminders are due: the notice is put before the person anew with each. */
  readonly reminders?: number | undefined;
  /** Every ruling, the strictest first. Undefined where no rule was asked. */
  readonly rulings?: readonly Ruling[] | undefined;
  /** What the verdict would be if the campaigns that only look on were enforced; undefined where it would be the same. */
  readonly wouldBe?: { readonly action: "allow" | "quarantine" | "block"; readonly reason: Reason } | undefined;
}
