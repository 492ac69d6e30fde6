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
export type ComplianceState = (typeof complianceStates)[number];

/**
 * Why a verdict is what it is. A closed list, the same words in log, metric, API and test title. In the order of their
 * weight: of all that is found with the strictest action, the first named here is the reason, the others stay findings.
 */
export const reasons = [
  /** An operator said so. */
  "override-block",
  /** A banned app is there and its deadline has passed. */
  "app-present",
  /** The management system itself calls the device non-compliant. */
  "source-noncompliant",
  /** The record belongs to somebody else than the person whose credential came with the request. */
  "owner-mismatch",
  /** A field of the record that the decision needs cannot be read. */
  "record-unreadable",
  /** No source has ever reported the device. */
  "not-enrolled",
  /** An operator said so. */
  "override-allow",
  /** Something is held against the device, and its deadline has not come yet. */
  "in-grace",
  /** The newest report is older than the policy accepts. */
  "stale",
  /** The source cannot see whether the app is there. */
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

/** What a source could not tell of a device. */
type Unseen =
  | { readonly kind: "app"; readonly name: string }
  | { readonly kind: "os" }
  | { readonly kind: "security-patch" }
  | { readonly kind: "integrity" };

/** What one rule found, in the terms of the person who has to act on it. */
export type Finding =
  | {
      readonly kind: "app-present";
      readonly campaign: string;
      readonly title: string;
      readonly appName: string;
      readonly app: App;
      readonly foundAt: Date | undefined;
      readonly deadline: Date | undefined;
    }
  | {
      readonly kind: "source-noncompliant";
      readonly reasons: readonly string[];
      readonly foundAt: Date | undefined;
      /** Undefined where no campaign asks for it, but everybody's stance does. */
      readonly campaign: string | undefined;
      readonly title: string | undefined;
      readonly deadline: Date | undefined;
    }
  | {
      readonly kind: "os-outdated";
      readonly campaign: string;
      readonly title: string;
      readonly osVersion: string;
      readonly minimum: string;
      readonly deadline: Date | undefined;
    }
  | {
      readonly kind: "patch-outdated";
      readonly campaign: string;
      readonly title: string;
      /** Dates such as 2026-05-01, as Android shows them. */
      readonly securityPatch: string;
      readonly minimum: string;
      readonly deadline: Date | undefined;
    }
  | {
      readonly kind: "report-overdue";
      readonly campaign: string;
      readonly title: string;
      readonly reportedAt: Date | undefined;
      readonly withinHours: number;
      readonly deadline: Date | undefined;
    }
  /** Jailbroken or rooted. */
  | {
      readonly kind: "compromised";
      readonly campaign: string;
      readonly title: string;
      readonly deadline: Date | undefined;
    }
  | {
      readonly kind: "not-enrolled-for";
      readonly campaign: string;
      readonly title: string;
      readonly deadline: Date | undefined;
    }
  | { readonly kind: "override"; readonly why: string | undefined; readonly who: string | undefined }
  | { readonly kind: "not-enrolled" }
  | { readonly kind: "owner-mismatch" }
  | { readonly kind: "stale"; readonly reportedAt: Date; readonly maxAgeHours: number }
  | {
      readonly kind: "uninspectable";
      readonly campaign: string;
      readonly title: string;
      readonly unseen: Unseen;
      readonly deadline: Date | undefined;
    }
  | { readonly kind: "record-unreadable"; readonly fields: readonly string[] };

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
  /** What the person is told to do: findings that hold the mail, or will. With `allow` the notice is one more message. */
  readonly demands: readonly Finding[];
  /** When time alone may change this verdict: a deadline, the end of an override, the age of a report. */
  readonly changesAt: Date | undefined;
}
