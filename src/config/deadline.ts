/** From a local date and time, as people announce a deadline, to the one instant it means. */
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";

/** To the minute: the notice names a minute, and `policy` gives its owner the whole of it. */
export const deadlineGrammar = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?::00)?(Z|[+-]\d{2}:\d{2})?$/;

/** A year outside is a slip of the finger, and one that is long past would put everybody in quarantine at once. */
const FIRST_YEAR = 2020;
const LAST_YEAR = 2100;

/** Of the two keys, `key` is the one to change. */
export type DeadlineReading =
  | Extract<Reading<Date | undefined>, { ok: true }>
  | { readonly ok: false; readonly key: "deadline" | "timezone"; readonly problem: string };

/** The grammar of `deadline` alone. */
export function readDeadlineText(text: string): Reading<string> {
  const [, local = ""] = deadlineGrammar.exec(text) ?? [];
  if (local === "") {
    return bad("must be a date and a time to the minute, such as 2026-11-20T23:59 or 2026-11-20T23:59-05:00");
  }
  const plain = plainDateTime(local);
  if (plain === undefined) return bad("is no day or no time of the calendar");
  if (plain.year < FIRST_YEAR || plain.year > LAST_YEAR)
    return bad(`must be in the years ${FIRST_YEAR} to ${LAST_YEAR}`);
  return good(text);
}

/** `EST` and its like have no summer time, which is never what is meant; an offset belongs to the deadline. */
export function readTimezone(text: string): Reading<string> {
  const isPlace = /^[A-Za-z]+(\/[A-Za-z0-9_+-]+){1,2}$/.test(text) || text === "UTC";
  if (!isPlace || !isKnownZone(text)) {
    return bad("must be an IANA time zone, such as America/New_York, Europe/Berlin or UTC");
  }
  return good(text);
}

/**
 * Both keys are well-formed by themselves. A time that clocks skip or show twice is refused instead of guessed at:
 * whoever announced it has to say which one was meant.
 */
export function resolveDeadline(deadline: string | undefined, timezone: string | undefined): DeadlineReading {
  if (deadline === undefined) {
    if (timezone === undefined) return at(undefined);
    return { ok: false, key: "timezone", problem: "has no deadline beside it: the wave would begin at once" };
  }
  const [, local = "", offset] = deadlineGrammar.exec(deadline) ?? [];
  const plain = plainDateTime(local);
  if (plain === undefined) return refuse("is no day or no time of the calendar");
  if (offset !== undefined) return withOffset(plain, offset, timezone);
  if (timezone === undefined) {
    return refuse("needs a timezone beside it, such as timezone: America/New_York, or an offset at its end");
  }
  return inZone(plain, timezone);
}

function withOffset(plain: Temporal.PlainDateTime, offset: string, timezone: string | undefined): DeadlineReading {
  const instant = instantOf(`${plain.toString()}${offset}`);
  if (instant === undefined) return refuse("has an offset that no place on earth has");
  // `Z` names the instant and claims nothing about the place; an offset does.
  if (timezone !== undefined && offset !== "Z" && instant.toZonedDateTimeISO(timezone).offset !== offset) {
    return refuse("has an offset that the timezone beside it does not have at that time");
  }
  return at(new Date(instant.epochMilliseconds));
}

function inZone(plain: Temporal.PlainDateTime, timezone: string): DeadlineReading {
  const earlier = plain.toZonedDateTime(timezone, { disambiguation: "earlier" });
  const later = plain.toZonedDateTime(timezone, { disambiguation: "later" });
  if (earlier.epochMilliseconds === later.epochMilliseconds) return at(new Date(earlier.epochMilliseconds));
  if (earlier.toPlainDateTime().equals(plain)) {
    const written = minuteText(plain);
    return refuse(
      "comes twice in that timezone, because clocks are put back then; " +
        `write ${written}${earlier.offset} or ${written}${later.offset}`,
    );
  }
  return refuse(
    "does not exist in that timezone, because clocks are put forward then; " +
      `write ${minuteText(earlier.toPlainDateTime())} or ${minuteText(later.toPlainDateTime())}`,
  );
}

function at(value: Date | undefined): DeadlineReading {
  return { ok: true, value };
}

function refuse(problem: string): DeadlineReading {
  return { ok: false, key: "deadline", problem };
}

function minuteText(plain: Temporal.PlainDateTime): string {
  return plain.toString({ smallestUnit: "minute" });
}

// Temporal says no by throwing.

function plainDateTime(text: string): Temporal.PlainDateTime | undefined {
  try {
    return Temporal.PlainDateTime.from(text, { overflow: "reject" });
  } catch {
    return undefined;
  }
}

function instantOf(text: string): Temporal.Instant | undefined {
  // The widest offset in use is +14:00.
  const [, hours = "0"] = /[+-](\d{2}):\d{2}$/.exec(text) ?? [];
  if (Number(hours) > 14) return undefined;
  try {
    return Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}

function isKnownZone(name: string): boolean {
  try {
    Temporal.PlainDateTime.from("2026-01-01T00:00").toZonedDateTime(name);
    return true;
  } catch {
    return false;
  }
}
