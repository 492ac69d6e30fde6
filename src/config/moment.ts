/** From a local date and time, as people announce a deadline, to what it means: an instant, or a time on each owner's clock. */
import { ownerLocal } from "../policy/moment.ts";
import type { Moment } from "../policy/moment.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";

/** To the minute: the notice names a minute, and `policy` gives its owner the whole of it. */
export const deadlineGrammar = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?::00)?(Z|[+-]\d{2}:\d{2})?$/;

/** A year outside is a slip of the finger, and one that is long past would put everybody in quarantine at once. */
const FIRST_YEAR = 2020;
const LAST_YEAR = 2100;

/** `key` is the one to change. */
export type MomentReading =
  | Extract<Reading<Moment | undefined>, { ok: true }>
  | { readonly ok: false; readonly key: "announce" | "deadline"; readonly problem: string };

type InstantReading = Reading<Date>;

/** Whose clock a local time is on. */
export interface Clock {
  /** An IANA zone, or `owner`: that of each phone's owner. */
  readonly timezone: string | undefined;
  /** For an owner whose zone nobody knows. */
  readonly fallbackTimezone: string | undefined;
}

export const OWNER_TIMEZONE = "owner";
const lastResortTimezone = "UTC";

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
export function readWaveTimezone(text: string): Reading<string> {
  return text === OWNER_TIMEZONE ? good(text) : readTimezone(text);
}

export function readTimezone(text: string): Reading<string> {
  const isPlace = /^[A-Za-z]+(\/[A-Za-z0-9_+-]+){1,2}$/.test(text) || text === "UTC";
  if (!isPlace || !isKnownZone(text)) {
    return bad("must be an IANA time zone, such as America/New_York, Europe/Berlin or UTC");
  }
  return good(text);
}

/**
 * Every key is well-formed by itself. A time that clocks skip or show twice is refused instead of guessed at:
 * whoever announced it has to say which one was meant.
 */
export function resolveMoment(
  written: string | undefined,
  { timezone, fallbackTimezone }: Clock,
  key: "announce" | "deadline",
): MomentReading {
  if (written === undefined) return { ok: true, value: undefined };
  const [, local = "", offset] = deadlineGrammar.exec(written) ?? [];
  if (timezone === OWNER_TIMEZONE) {
    if (offset !== undefined)
      return { ok: false, key, problem: "has an offset, which is one clock for everybody; timezone says owner" };
    if (plainDateTime(local) === undefined) return { ok: false, key, problem: "is no day or no time of the calendar" };
    return { ok: true, value: ownerLocal(local, fallbackTimezone ?? lastResortTimezone) };
  }
  const instant = resolveInstant(local, offset, timezone);
  return instant.ok
    ? { ok: true, value: { kind: "instant", at: instant.value } }
    : { ok: false, key, problem: instant.problem };
}

export const untilGrammar = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::00)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** The grammar of `until` alone. */
export function readUntil(text: string): Reading<string> {
  const [, date = "", time = "00:00", offset = ""] = untilGrammar.exec(text) ?? [];
  if (date === "") return bad("must be a date, or a date and a time to the minute, such as 2026-12-01T18:00");
  return readDeadlineText(`${date}T${time}${offset}`).ok ? good(text) : bad("is no day or no time of the calendar");
}

export function resolveUntil(
  written: string,
  timezone: string | undefined,
):
  | { readonly ok: true; readonly value: Date }
  | { readonly ok: false; readonly key: "until" | "timezone"; readonly problem: string } {
  const [, date = "", time = "00:00", offset] = untilGrammar.exec(written) ?? [];
  const instant = resolveInstant(`${date}T${time}`, offset, timezone ?? (offset === undefined ? "UTC" : undefined));
  return instant.ok ? instant : { ...instant, key: "until" };
}

function resolveInstant(local: string, offset: string | undefined, timezone: string | undefined): InstantReading {
  const plain = plainDateTime(local);
  if (plain === undefined) return bad("is no day or no time of the calendar");
  if (offset !== undefined) return withOffset(plain, offset, timezone);
  if (timezone === undefined) {
    return bad("needs a timezone beside it, such as timezone: America/New_York, or an offset at its end");
  }
  return inZone(plain, timezone);
}

function withOffset(plain: Temporal.PlainDateTime, offset: string, timezone: string | undefined): InstantReading {
  const instant = instantOf(`${plain.toString()}${offset}`);
  if (instant === undefined) return bad("has an offset that no place on earth has");
  // `Z` names the instant and claims nothing about the place; an offset does.
  if (timezone !== undefined && offset !== "Z" && instant.toZonedDateTimeISO(timezone).offset !== offset) {
    return bad("has an offset that the timezone beside it does not have at that time");
  }
  return good(new Date(instant.epochMilliseconds));
}

function inZone(plain: Temporal.PlainDateTime, timezone: string): InstantReading {
  const earlier = plain.toZonedDateTime(timezone, { disambiguation: "earlier" });
  const later = plain.toZonedDateTime(timezone, { disambiguation: "later" });
  if (earlier.epochMilliseconds === later.epochMilliseconds) return good(new Date(earlier.epochMilliseconds));
  if (earlier.toPlainDateTime().equals(plain)) {
    const written = minuteText(plain);
    return bad(
      "comes twice in that timezone, because clocks are put back then; " +
        `write ${written}${earlier.offset} or ${written}${later.offset}`,
    );
  }
  return bad(
    "does not exist in that timezone, because clocks are put forward then; " +
      `write ${minuteText(earlier.toPlainDateTime())} or ${minuteText(later.toPlainDateTime())}`,
  );
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
