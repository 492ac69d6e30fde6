/** How long a system that failed is left alone: longer each time, at random, so that nodes and sites do not come back together. */
import type { ConnectorFailure } from "../inventory/connector.ts";

const baseMs = 5_000;
/** An hour at most: then a system that is well again is asked again soon enough. */
const capMs = 3_600_000;
/** Where only a person can help, five minutes at least. */
const refusedBaseMs = 300_000;

/** @param failures in a row, this one included. @param random 0 to 1 */
export function backOffMs(
  { code, retryAfterMs = 0 }: Pick<ConnectorFailure, "code" | "retryAfterMs">,
  failures: number,
  random: number,
): number {
  const base = code === "refused" || code === "unreadable" ? refusedBaseMs : baseMs;
  const spanMs = Math.min(capMs, base * 2 ** Math.min(failures - 1, 20));
  // What it asked for, and not all at the moment at which it ends. Without it, full jitter, though never nothing at all.
  return retryAfterMs + Math.max(retryAfterMs > 0 ? 0 : 1000, Math.round(spanMs * random));
}
