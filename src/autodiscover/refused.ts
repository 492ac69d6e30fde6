import { UpstreamFailure } from "../gateway/errors.ts";

/** Upstream said something that two readers could read in two ways: nobody gets it. The detail is for the log. */
export function answerRefused(detail: string): UpstreamFailure {
  return new UpstreamFailure("upstream-answer-refused", detail);
}
