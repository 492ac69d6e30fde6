import type { FailedReason, Finding, MetReason, Unseen } from "../verdict.ts";

/** Which campaign asks, and until when. It stands in what was found, so that the notice can say it. */
export interface Demand {
  readonly campaign: string;
  readonly title: string;
  readonly deadline: Date | undefined;
}

/** What a record shows about one requirement. */
export type CheckResult =
  /** The requirement says nothing about such a device. */
  | { readonly kind: "not-concerned" }
  | {
      readonly kind: "met";
      readonly reason: MetReason;
      /** The age of what shows it counts; undefined where it does not. */
      readonly shownAt?: Date | undefined;
      /** When time alone ends it. */
      readonly until?: Date | undefined;
    }
  | { readonly kind: "failed"; readonly reason: FailedReason; readonly finding: Finding }
  /** "We could not find out" is neither yes nor no: the campaign's stance decides. */
  | { readonly kind: "cannot-tell"; readonly unseen: Unseen };
