/** Reads single values of the public hash: forgiving about spelling, strict about meaning. Never throws. */

export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export function got<T>(value: T): Reading<T> {
  return { ok: true, value };
}

export function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** 256 KiB: twice what a list of 5 000 apps takes, and small enough that one broken writer cannot fill the memory. */
export const FIELD_LIMIT_BYTES = 262_144;

/** 256: as long as a person's name may be (PERSON_NAME_LIMIT), longer than any bundle id (155) or package name (223). */
export const TEXT_LIMIT = 256;

// Control characters would break logs and tables; U+FFFD is what is left of bytes that were not UTF-8, so nobody knows
// any more what stood there.
const unprintable = /[\p{Cc}\u2028\u2029\uFFFD]/u;

/** What nearly every id, name and version is: printable ASCII without spaces around it. */
const plainText = /^[!-~](?:[ -~]*[!-~])?$/;

export function fitsField(text: string): boolean {
  if (text.length * 3 <= FIELD_LIMIT_BYTES) return true;
  return text.length <= FIELD_LIMIT_BYTES && Buffer.byteLength(text) <= FIELD_LIMIT_BYTES;
}

/** One line of text. An empty value is a fault: a script whose variable was empty has said nothing that counts. */
export function readText(text: string, limit = TEXT_LIMIT): Reading<string> {
  if (text.length <= limit && plainText.test(text)) return got(text);
  const trimmed = text.trim();
  if (trimmed === "") return bad("is empty; remove the field where there is nothing to say");
  if (trimmed.length > limit) return bad(`is longer than ${limit} characters`);
  if (!trimmed.isWellFormed() || unprintable.test(trimmed)) return bad("has control characters or is not UTF-8");
  return got(trimmed);
}

/** A word from a closed list, whatever its case; `_`, `-` and spaces are one. */
export function readWord<T extends string>(text: string, words: readonly T[]): Reading<T> {
  const exact = words.find((each) => each === text);
  if (exact !== undefined) return got(exact);
  const plain = text.trim().toLowerCase().replaceAll(/[_ ]/g, "-");
  const word = words.find((each) => each === plain);
  return word === undefined ? bad(`is not one of ${words.join(", ")}`) : got(word);
}

const yes: ReadonlySet<string> = new Set(["true", "yes", "1"]);
const no: ReadonlySet<string> = new Set(["false", "no", "0"]);

export function readFlag(text: string): Reading<boolean> {
  const word = text.trim().toLowerCase();
  if (yes.has(word)) return got(true);
  return no.has(word) ? got(false) : bad("is neither true nor false");
}

/** `YYYY-MM-DD`. */
export function readDay(text: string): Reading<string> {
  const day = text.trim();
  const time = /^\d{4}-\d{2}-\d{2}$/.test(day) ? readTime(day) : bad("");
  return time.ok ? got(day) : bad("is not a day such as 2026-05-01");
}

export function readJson(text: string): Reading<unknown> {
  try {
    return got<unknown>(JSON.parse(text));
  } catch {
    return bad("is not valid JSON");
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What may stand in a list of words: anything without the marks that are left of broken JSON or another separator. */
const bareWord = /^[^"'`[\]{};|]+$/u;

/**
 * A JSON array, or words separated by spaces or commas. One element that cannot be read spoils the list: it might be
 * the one that matters.
 */
export function readList<T>(
  text: string,
  limit: number,
  readItem: (item: unknown) => Reading<T>,
): Reading<readonly T[]> {
  const items = readItems(text);
  if (!items.ok) return items;
  if (items.value.length > limit) return bad(`has more than ${limit} elements`);
  const values: T[] = [];
  for (const item of items.value) {
    const value = readItem(item);
    if (!value.ok) return bad(`has an element that ${value.problem}`);
    values.push(value.value);
  }
  return got(values);
}

function readItems(text: string): Reading<readonly unknown[]> {
  const trimmed = text.trim();
  if (trimmed === "") return bad("is empty; write [] for a list without elements");
  if (trimmed.startsWith("[")) {
    const json = readJson(trimmed);
    if (!json.ok) return json;
    return Array.isArray(json.value) ? got(json.value) : bad("is not a JSON array");
  }
  const words = trimmed.split(/[\s,]+/u).filter((word) => word !== "");
  if (words.length === 0) return bad("has no words; write [] for a list without elements");
  return words.every((word) => bareWord.test(word)) ? got(words) : bad("is neither a JSON array nor plain words");
}

export function readTextItem(item: unknown): Reading<string> {
  return typeof item === "string" ? readText(item) : bad("is not text");
}

const isoTime =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([Zz]|[+-]\d{2}(?::?\d{2})?))?)?$/;

/** Ten digits are seconds and thirteen are milliseconds from 2001 until 2286: the two cannot be mistaken for each other. */
const epochTime = /^(?:\d{10}|\d{13})$/;

const minuteMs = 60_000;

/** As programs write it: most times are, and the engine reads this form in a fraction of the time. */
const exactTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z$/;

/** ISO 8601 with or without a zone (without: UTC), a date alone (its first moment, UTC), or seconds or ms since 1970. */
export function readTime(text: string): Reading<Date> {
  const trimmed = text.trim();
  if (exactTime.test(trimmed)) {
    const time = new Date(trimmed);
    // The engine carries 31 February and 24:00 over to another day; those are told below, as whatever it cannot read.
    if (time.getUTCDate() === Number(trimmed.slice(8, 10))) return got(time);
  }
  if (epochTime.test(trimmed)) return got(new Date(Number(trimmed) * (trimmed.length === 10 ? 1000 : 1)));
  const parts = isoTime.exec(trimmed);
  if (parts === null) return bad("is not a time such as 2026-11-20T12:00:00Z");
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const ms = Math.floor(Number(`0.${parts[7] ?? 0}`) * 1000);
  const offset = readOffset(parts[8]);
  const time = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for the last century.
  time.setUTCFullYear(year ?? 0, (month ?? 0) - 1, day);
  time.setUTCHours(hour ?? 0, minute, second, ms);
  // Date carries what is too large over into the next unit: 31 February would silently be 3 March.
  const exists =
    time.getUTCMonth() + 1 === month &&
    time.getUTCDate() === day &&
    time.getUTCHours() === hour &&
    time.getUTCMinutes() === minute &&
    time.getUTCSeconds() === second;
  if (!exists || offset === undefined) return bad("is a time that does not exist");
  return got(new Date(time.getTime() - offset * minuteMs));
}

/** Minutes east of Greenwich; undefined beyond what any zone has ever used. */
function readOffset(text: string | undefined): number | undefined {
  if (text === undefined || text === "Z" || text === "z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = text.length > 3 ? Number(text.slice(-2)) : 0;
  if (hours > 15 || minutes > 59) return undefined;
  return (text.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

const knownZones: ReadonlySet<string> = new Set(Intl.supportedValuesOf("timeZone"));
/** Other names of zones that were asked about before: asking takes longer than reading the rest of a record. */
const otherZones = new Set<string>();
/** Some 200 other names exist; the case in which they are written does not count, so that there are more spellings. */
const OTHER_ZONES_LIMIT = 1_000;

/** A zone name of the IANA list, as `deadline in the owner's time zone` needs it. */
export function readTimeZone(text: string): Reading<string> {
  const name = text.trim();
  if (knownZones.has(name) || otherZones.has(name)) return got(name);
  try {
    // Other names of a zone, such as Asia/Kolkata and US/Eastern, are not in the list and still good: this throws or not.
    void new Intl.DateTimeFormat("en", { timeZone: name });
    if (otherZones.size < OTHER_ZONES_LIMIT) otherZones.add(name);
    return got(name);
  } catch {
    return bad("is not a time zone such as Europe/Berlin");
  }
}

export function readLocale(text: string): Reading<string> {
  const locale = readText(text, 64);
  if (!locale.ok) return locale;
  try {
    const [canonical] = Intl.getCanonicalLocales(locale.value.replaceAll("_", "-"));
    return canonical === undefined ? bad("is not a locale such as de-DE") : got(canonical);
  } catch {
    return bad("is not a locale such as de-DE");
  }
}
