/** What the API answers where something is wrong: RFC 9457, with a `type` for each case that never changes its meaning. */

export const problems = {
  "bad-request": [400, "The request cannot be read"],
  "invalid-request": [422, "The request does not fit its description"],
  "invalid-cursor": [400, "The cursor is none that was given out for this list"],
  unauthenticated: [401, "A bearer token is needed"],
  "invalid-token": [401, "The token does not count"],
  forbidden: [403, "The role of the token does not allow this"],
  "same-person": [403, "Somebody else has to confirm this"],
  "wrong-host": [421, "The API is not reached under this host name"],
  "cross-origin": [403, "Pages of other origins may not call the API"],
  "not-found": [404, "There is no such thing"],
  "method-not-allowed": [405, "The path has no such method"],
  "not-acceptable": [406, "The API answers JSON only"],
  conflict: [409, "The act does not fit what is there"],
  "not-changed": [409, "Nothing would change"],
  "policy-in-file": [409, "The policy stands in the configuration file"],
  "policy-unreadable": [409, "This version cannot read the policy in the store"],
  "guard-exceeded": [409, "The act would cut more phones than its guard allows"],
  "confirmation-mismatch": [409, "Another number of phones would be cut now"],
  "idempotency-in-progress": [409, "A request with this Idempotency-Key is under way"],
  "idempotency-mismatch": [422, "The Idempotency-Key was used for another request"],
  "precondition-failed": [412, "It has changed since it was read"],
  "precondition-required": [428, "Say with If-Match what was read"],
  "too-large": [413, "The body is too large"],
  "unsupported-media-type": [415, "The body must be application/json in UTF-8, not packed"],
  "too-many-logins": [429, "Too many tokens from this address did not count"],
  busy: [503, "The node does as much of this as it can at once"],
  "store-unavailable": [503, "The store does not answer"],
  internal: [500, "The request could not be answered"],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export type ProblemName = keyof typeof problems;

/** The beginning of every `type`. */
export const PROBLEM_PREFIX = "urn:postern:problem:";

export interface ProblemMore {
  readonly detail?: string | undefined;
  /** Members of its own, as RFC 9457 3.2 allows. */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An expected outcome that ends a request. */
export class Problem extends Error {
  readonly problem: ProblemName;
  readonly more: ProblemMore;
  constructor(problem: ProblemName, more: ProblemMore = {}) {
    super(more.detail ?? problems[problem][1]);
    this.name = "Problem";
    this.problem = problem;
    this.more = more;
  }
}

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string | undefined;
  readonly [member: string]: unknown;
}

export function documentOf({ problem, more }: Problem): ProblemDocument {
  const [status, title] = problems[problem];
  return { ...more.members, type: PROBLEM_PREFIX + problem, title, status, detail: more.detail };
}
