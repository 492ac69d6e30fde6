/** Everything that can go wrong with a request, by name. Nobody tests message text. */
const refusalCodes = [
  /** The target can be read in two ways, or in none. */
  "target-ambiguous",
  /** No route leads there. */
  "not-routed",
  "method-not-allowed",
  /** A header is malformed, doubled, or speaks for somebody else. */
  "header-refused",
  "host-refused",
  "head-too-large",
  "body-not-allowed",
  "body-too-large",
  "body-unreadable",
  "body-too-slow",
  "expectation-refused",
  "upgrade-refused",
  /** Device, user or command is missing, doubled or contradicts itself. */
  "identity-ambiguous",
  /** The command that the URL names and the command that the body carries are not the same. */
  "command-contradicts-body",
  /** One client has as many requests at once as it may have. */
  "too-many-requests",
  /** One person has tried as many device ids as people may try. */
  "too-many-devices",
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

/** A request that is not answered by anybody but us, and never forwarded. Its detail goes to the log, never to the client. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly httpStatus: number;
  /** Set where the same request may be accepted later. */
  readonly retryAfterSeconds: number | undefined;
  constructor(code: RefusalCode, httpStatus: number, detail: string, retryAfterSeconds?: number) {
    super(detail);
    this.name = "Refusal";
    this.code = code;
    this.httpStatus = httpStatus;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const upstreamFailures = ["upstream-unreachable", "upstream-timeout", "upstream-answer-refused"] as const;
export type UpstreamFailureCode = (typeof upstreamFailures)[number];

/** The mail server did not give an answer that can be used. */
export class UpstreamFailure extends Error {
  readonly code: UpstreamFailureCode;
  constructor(code: UpstreamFailureCode, cause: unknown) {
    super(code, { cause });
    this.name = "UpstreamFailure";
    this.code = code;
  }
}
