/** What a property list holds. Integers are `bigint` and reals `number`: to those who write lists they are two things. */

export type PlistValue =
  | string
  | boolean
  | bigint
  | number
  | Date
  | Uint8Array
  | readonly PlistValue[]
  | PlistDictionary;

/** A Map, in which `__proto__` is a key like any other. */
export type PlistDictionary = ReadonlyMap<string, PlistValue>;

/** The one DOCTYPE that Apple's systems write in front of a list; no reader has to fetch it. */
export const plistDoctype =
  '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">';

/** Integers of a list are signed with 64 bits, or without a sign with as many. */
export const leastInteger = -(2n ** 63n);
export const greatestInteger = 2n ** 64n - 1n;

export function isDictionary(value: PlistValue | undefined): value is PlistDictionary {
  return value instanceof Map;
}

export function isArray(value: PlistValue | undefined): value is readonly PlistValue[] {
  return Array.isArray(value);
}
