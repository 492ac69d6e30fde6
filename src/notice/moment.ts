/** Points in time as people read them: with the day of the week, the month in letters, and the distance from UTC. */

/** How one language says when something is. */
export interface MomentWords {
  /** For `Intl.DateTimeFormat`. */
  readonly dateLocale: string;
  /** `place` is a city such as "New York", as the zone is named after it; `offset` is "UTC−05:00". */
  zoned(dateAndTime: string, offset: string, place: string | undefined): string;
}

/** Undefined for a date that is none: a record may hold anything. */
export type SpellMoment = (moment: Date, timezone: string | undefined, words: MomentWords) => string | undefined;

interface ZoneFormats {
  readonly dateAndTime: Intl.DateTimeFormat;
  readonly offset: Intl.DateTimeFormat;
  readonly place: string | undefined;
}

/** 64: the zones that one company has people in. Formats are kept because making one takes longer than writing a notice. */
const KEPT_FORMATS_LIMIT = 64;

export function createSpellMoment(): SpellMoment {
  const kept = new Map<string, ZoneFormats>();

  return function spellMoment(moment, timezone, words) {
    if (Number.isNaN(moment.getTime())) return undefined;
    const { dateAndTime, offset, place } = formatsFor(timezone, words.dateLocale);
    const written = dateAndTime.format(moment).replaceAll(/\p{Z}+/gu, " ");
    return words.zoned(written, offsetOf(moment, offset), place);
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
    offset: new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }),
    place: placeOf(timeZone),
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

function offsetOf(moment: Date, format: Intl.DateTimeFormat): string {
  const offset = format.formatToParts(moment).find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
  // A true minus sign: a line may not break behind it, and it is read aloud as one.
  return offset.replace(/^GMT(?:[+-]00:00)?/, "UTC").replace("-", "\u2212");
}

/** "America/New_York" is named after New York. "Etc/GMT+5" and "+05:30" are named after no place. */
function placeOf(zone: string): string | undefined {
  const [area = "", ...rest] = zone.split("/");
  const place = rest.at(-1);
  if (place === undefined || area.toLowerCase() === "etc") return undefined;
  return place.replaceAll("_", " ");
}
