/** What an HTTP status that is no success means for whoever asked. */
import { ConnectorFailure } from "../../inventory/connector.ts";
import { readRetryAfter } from "./retry-after.ts";
import type { IncomingAnswer } from "./transport.ts";

export type FailureCode = ConnectorFailure["code"];

/** @param own what single statuses mean for this call, where it is something else: 404 of one device is no wrong address. */
export function failureOf(
  name: string,
  { httpStatus, headers }: Pick<IncomingAnswer, "httpStatus" | "headers">,
  now: Date,
  own: ReadonlyMap<number, FailureCode> = new Map(),
): ConnectorFailure {
  const retryAfterMs = readRetryAfter(headers.get("retry-after"), headers.get("date"), now);
  const code = own.get(httpStatus) ?? codeOf(httpStatus, retryAfterMs !== undefined);
  const message = `${name}: ${meaningOf(httpStatus)}`;
  return new ConnectorFailure(
    code,
    message,
    code === "throttled" && retryAfterMs !== undefined ? { retryAfterMs } : {},
  );
}

function codeOf(httpStatus: number, saysWhen: boolean): FailureCode {
  if (httpStatus === 429 || (httpStatus === 503 && saysWhen)) return "throttled";
  if (httpStatus >= 500 || httpStatus === 408 || httpStatus === 425) return "away";
  // A redirect, a path that is not there: the address that was configured is not that of this system.
  if (httpStatus < 400 || [401, 403, 404, 410].includes(httpStatus)) return "refused";
  return "unreadable";
}

function meaningOf(httpStatus: number): string {
  switch (httpStatus) {
    case 401:
      return "HTTP 401, the credential is not accepted";
    case 403:
      return "HTTP 403, the credential lacks a permission";
    case 404:
      return "HTTP 404, nothing is there";
    default:
      return httpStatus >= 300 && httpStatus < 400 ? `HTTP ${httpStatus}, it leads elsewhere` : `HTTP ${httpStatus}`;
  }
}
