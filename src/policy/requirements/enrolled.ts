import type { CheckResult } from "./result.ts";

/** A phone that some source has reported. What happens to one that none has is the campaign's stance on `not-enrolled`. */
export interface EnrolledRequirement {
  readonly kind: "enrolled";
}

/** `enrolled`: a record is there. `not-enrolled` is said where there is none, in `judge.ts`. */
export function checkEnrolled(): CheckResult {
  return { kind: "met", reason: "enrolled" };
}
