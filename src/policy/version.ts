/**
 * Versions of operating systems and apps as inventories write them: `26.1`, `iOS 17.0.3`, `26.1 (23B85)`, `16.5.1 (c)`, `26.2 beta 3`,
 * `10.0.22631.3593`. Numeric parts count, in order; a beta comes before its release, and a letter in brackets (a rapid
 * security response) after it.
 */

export interface Version {
  /** 1 to 8 of them; parts that are missing count as 0. */
  readonly numbers: readonly number[];
  /** Below 0: a beta or a release candidate; above 0: the letter of a rapid security response, a = 1. */
  readonly suffix: number;
}

/** 64: no system writes a longer one, and every expression below is linear in it. */
const VERSION_LIMIT = 64;
const PARTS_LIMIT = 8;

const betaSuffix = -2;
const candidateSuffix = -1;

const grammar =
  /^(?:[a-z]+(?: os)? )?v?(\d{1,9}(?:\.\d{1,9})*)(?: ?[-(]? ?(alpha|beta|b|dev(?:eloper)? preview|dp|preview|rc|release candidate) ?(\d{1,4})? ?\)?)?(?: ?\(([a-z])\))?(?: ?\([0-9a-z.]{2,16}\))?$/;

/** Undefined for what cannot be compared: then nobody can tell whether it is new enough. */
export function parseVersion(text: string): Version | undefined {
  if (text.length > VERSION_LIMIT) return undefined;
  const match = grammar.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [, digits = "", mark, count, letter] = match;
  const numbers = digits.split(".").map(Number);
  if (numbers.length > PARTS_LIMIT) return undefined;
  return { numbers, suffix: mark === undefined ? letterSuffix(letter) : markSuffix(mark, count) };
}

function letterSuffix(letter: string | undefined): number {
  return letter === undefined ? 0 : letter.charCodeAt(0) - "a".charCodeAt(0) + 1;
}

/** Betas of one release in their order, then its candidates, all of them before it. */
function markSuffix(mark: string, count: string | undefined): number {
  const kind = mark.startsWith("r") ? candidateSuffix : betaSuffix;
  return kind + Number(count ?? 0) / 10_000;
}

/** Below 0: `a` is older. */
export function compareVersions(a: Version, b: Version): number {
  for (let part = 0; part < Math.max(a.numbers.length, b.numbers.length); part += 1) {
    const difference = (a.numbers[part] ?? 0) - (b.numbers[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.suffix - b.suffix;
}

const comparators = [">=", "<=", ">", "<", "="] as const;

/** Every bound must hold. */
export interface VersionRange {
  /** As it was written: for people. */
  readonly text: string;
  readonly bounds: readonly { readonly comparator: (typeof comparators)[number]; readonly version: Version }[];
}

/** `>=26.1`, `<5.2`, `>=1.0 <2.3`. A version alone means exactly that one. Undefined where it is none. */
export function parseVersionRange(text: string): VersionRange | undefined {
  if (text.length > VERSION_LIMIT) return undefined;
  const bounds = text
    .trim()
    .split(/ +(?=[<>=])/)
    .map((bound) => {
      const comparator = comparators.find((each) => bound.startsWith(each));
      const version = parseVersion(bound.slice(comparator?.length ?? 0).trim());
      return version === undefined ? undefined : { comparator: comparator ?? "=", version };
    });
  const known = bounds.filter((bound) => bound !== undefined);
  return known.length === bounds.length ? { text: text.trim(), bounds: known } : undefined;
}

export function isInRange(version: Version, { bounds }: VersionRange): boolean {
  return bounds.every((bound) => {
    const order = compareVersions(version, bound.version);
    switch (bound.comparator) {
      case ">=":
        return order >= 0;
      case "<=":
        return order <= 0;
      case ">":
        return order > 0;
      case "<":
        return order < 0;
      case "=":
        return order === 0;
    }
  });
}
