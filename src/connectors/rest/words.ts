/** How systems write what they do not know: null, no key at all, an empty text, a moment long before there were phones. All of it is undefined. */
import * as z from "zod";

/** A text without white space around it. */
export function text() {
  return z
    .string()
    .nullish()
    .transform((word) => (word ?? "").trim() || undefined);
}

/** A word of a closed list, in small letters; "" where there is none. */
export function word() {
  return z
    .string()
    .nullish()
    .transform((each) => (each ?? "").trim().toLowerCase());
}

/**
 * A moment in ISO 8601; UTC where no zone is said, as systems without one mean it. The year 1 of .NET, 1970 and 2000-01-01 stand for
 * "never", the year 9999 for "without end".
 */
export function moment() {
  return z
    .string()
    .nullish()
    .transform((written) => {
      const said = (written ?? "").trim();
      const at = new Date(/T[\d:.]+$/.test(said) ? `${said}Z` : said);
      const year = at.getUTCFullYear();
      return Number.isNaN(year) || at.getTime() <= neverMs || year > 9000 ? undefined : at;
    });
}

const neverMs = Date.UTC(2000, 0, 1);

/** A part that a system may leave out. */
export function part<T extends z.ZodType>(of: T) {
  return of.nullish().transform((given) => given ?? undefined);
}

/** An id that is written as a text or as a number. */
export function id() {
  return z.union([z.string().trim().min(1), z.int().nonnegative().transform(String)]);
}

/** For reports: a part that the system said nothing about is left out, and not undefined. */
export function spoken<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  const made: { [P in K]?: T } = {};
  if (value !== undefined) made[key] = value;
  return made;
}

/** Every key in small letters, where versions of a system differ in them. Of two that are the same then, the first counts. */
export function withLowerCaseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLowerCaseKeys);
  if (typeof value !== "object" || value === null) return value;
  const made = new Map<string, unknown>();
  for (const [key, each] of Object.entries(value)) {
    const name = key.toLowerCase();
    if (!made.has(name)) made.set(name, withLowerCaseKeys(each));
  }
  return Object.fromEntries(made);
}
