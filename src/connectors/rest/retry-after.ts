/** Retry-After (RFC 9110, 10.2.3): seconds, or a date. */

/** A day: whoever asks for more is asked again after that. */
const WAIT_LIMIT_MS = 86_400_000;

/** Milliseconds from `now` on, 0 to a day; undefined where nothing can be read. A date is held against the sender's own clock, if it tells it. */
export function readRetryAfter(written: string | undefined, date: string | undefined, now: Date): number | undefined {
  if (written === undefined) return undefined;
  const text = written.trim();
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, WAIT_LIMIT_MS);
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const until = Date.parse(text);
  if (Number.isNaN(until)) return undefined;
  const sent = date === undefined ? Number.NaN : Date.parse(date);
  return Math.min(Math.max(until - (Number.isNaN(sent) ? now.getTime() : sent), 0), WAIT_LIMIT_MS);
}
