/** Points in time as people read them: with the day of the week, the month in letters, and the distance from UTC. */

/** How one language says when something is. */
export interface MomentWords {
  /** For `Intl.DateTimeFormat`. */
  readonly dateLocale: string;
  /** What follows the time of day, such as " Uhr". */
  readonly clock: string;
  /** `zone` is its name as people there know it, such as "Eastern Time", and the offset, "UTC−05:00"; or the offset alone. */
  zoned(dateAndTime: string, zone: readonly string[]): string;
}

/**
 * Undefined for a date that is none: a record may hold anything. `brief` leaves out the zone, where there is no room for it; `clock` is
 * the time of day with seconds, and `offset` the distance from UTC then.
 */
export type SpellMoment = (
  moment: Date,
  timezone: string | undefined,
  words: MomentWords,
  length?: "whole" | "brief" | "clock" | "offset",
) => string | undefined;

interface ZoneFormats {
  readonly dateAndTime: Intl.DateTimeFormat;
  readonly clock: Intl.DateTimeFormat;
  readonly offset: Intl.DateTimeFormat;
  readonly name: readonly Intl.DateTimeFormat[];
}

/** 64: the zones that one company has people in. Formats are kept because making one takes longer than writing a notice. */
const KEPT_FORMATS_LIMIT = 64;

export function createSpellMoment(): SpellMoment {
  const kept = new Map<string, ZoneFormats>();

  return function spellMoment(moment, timezone, words, length = "whole") {
    if (Number.isNaN(moment.getTime())) return undefined;
    const { dateAndTime, clock, offset, name } = formatsFor(timezone, words.dateLocale);
    if (length === "clock") return clock.format(moment);
    if (length === "offset") return offsetOf(moment, offset);
    const written = dateAndTime.format(moment).replaceAll(/\p{Z}+/gu, " ") + words.clock;
    return length === "brief" ? written : words.zoned(written, [...nameOf(moment, name), offsetOf(moment, offset)]);
  };

  function formatsFor(timezone: string | undefined, locale: string): ZoneFormats {
    const key = `${locale} ${timezone?.slice(0, ZONE_LIMIT_CHARS + 1) ?? "UTC"}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const [oldest] = kept.keys();
    if (oldest !== undefined && kept.size >= KEPT_FORMATS_LIMIT) kept.delete(oldest);
    const formats = createFormats(knownZone(timezone), locale);
    kept.set(key, formats);
    return formats;
  }
}

function createFormats(timeZone: string, locale: string): ZoneFormats {
  return {
    dateAndTime: new Intl.DateTimeFormat(locale, {
      dateStyle: "full",
      timeStyle: "short",
      // Twelve o'clock is noon to some and midnight to others; 23:59 is what it is.
      hourCycle: "h23",
      calendar: "gregory",
      numberingSystem: "latn",
      timeZone,
    }),
    clock: new Intl.DateTimeFormat(locale, {
      timeStyle: "medium",
      hourCycle: "h23",
      numberingSystem: "latn",
      timeZone,
    }),
    offset: new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }),
    name: namelessZone.test(timeZone)
      ? []
      : (["longGeneric", "long"] as const).map(
          (timeZoneName) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName }),
        ),
  };
}

/** 64: the longest name of a zone has 32. */
const ZONE_LIMIT_CHARS = 64;

/** UTC for a zone that nobody knows: an unambiguous time is worth more than a guess at a familiar one. */
function knownZone(timezone: string | undefined): string {
  if (timezone === undefined || timezone.length > ZONE_LIMIT_CHARS) return "UTC";
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: timezone }).resolvedOptions();
    // The name as it was given: some zones resolve to a name that their people have given up.
    return timeZone.toLowerCase() === timezone.toLowerCase() ? timeZone : timezone;
  } catch {
    return "UTC";
  }
}

/** These say no more than their distance from UTC. */
const namelessZone = /^(?:UTC|GMT|Etc\/.*|[+-].*)$/i;

/** "Eastern Time", which is the same all year. Some zones have only "United Kingdom (local time)"; those have "British Summer Time" too. */
function nameOf(moment: Date, formats: readonly Intl.DateTimeFormat[]): string[] {
  const names = formats.map((format) => partOf(moment, format).replaceAll(/\p{Z}+/gu, " "));
  return names.filter((name) => !/[():]|[-+\u2212]\d/.test(name)).slice(0, 1);
}

function offsetOf(moment: Date, format: Intl.DateTimeFormat): string {
  // A true minus sign: a line may not break behind it, and it is read aloud as one.
  return partOf(moment, format)
    .replace(/^GMT(?:[+-]00:00)?/, "UTC")
    .replace("-", "\u2212");
}

function partOf(moment: Date, format: Intl.DateTimeFormat): string {
  return format.formatToParts(moment).find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/** A day as Android shows that of its security update, "2026-05-01", spelled out. Undefined where it is none. */
export function spellDay(day: string, { dateLocale }: MomentWords): string | undefined {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00:00Z`) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) return undefined;
  const format = new Intl.DateTimeFormat(dateLocale, { dateStyle: "long", calendar: "gregory", timeZone: "UTC" });
  return format.format(date).replaceAll(/\p{Z}+/gu, " ");
}
