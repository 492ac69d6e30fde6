/** The way from a tag's name to its place on the code pages and back, looked up in tables that are built once. */
import { codePages } from "./code-pages.ts";
import type { Tag } from "./code-pages.ts";

/** A tag that is on no code page: page in decimal, token in hex, for instance `254:0x05`. */
type UnknownTag = `${number}:0x${string}`;
export type TagName = Tag | UnknownTag;

// A token is six bits wide (the two bits above it say "has attributes" and "has content"), so page and token together
// make one small number, and that number is an index.
const TOKEN_BITS = 6;
const TOKEN_MASK = 0x3f;
const PAGES = 256;
// The tokens below are control codes on every page.
const FIRST_TOKEN = 0x05;

const codes = new Map<string, number>();
const names: (Tag | undefined)[] = [];

for (const [namespace, { page, tags }] of Object.entries(codePages)) {
  for (const [name, token] of Object.entries<number>(tags)) {
    const tag = `${namespace}:${name}`;
    const code = tagCode(page, token);
    codes.set(tag, code);
    // Filled from the start, without holes: the decoder reads this table once per element.
    while (names.length <= code) names.push(undefined);
    if (isTag(tag)) names[code] = tag;
  }
}

function isTag(name: string): name is Tag {
  return codes.has(name);
}

/** Page and token as one number. The flags above the token are ignored. */
export function tagCode(page: number, token: number): number {
  return (page << TOKEN_BITS) | (token & TOKEN_MASK);
}

export function pageOf(code: number): number {
  return code >> TOKEN_BITS;
}

export function tokenOf(code: number): number {
  return code & TOKEN_MASK;
}

/** Every code has a name: clients and servers are ahead of the published pages now and then (Outlook.com uses page 254). */
export function nameOf(code: number): TagName {
  return names[code] ?? unknownTag(code);
}

/** Undefined where the name has no place on any page. */
export function codeOf(tag: TagName): number | undefined {
  return codes.get(tag) ?? codeOfUnknownTag(tag);
}

function unknownTag(code: number): UnknownTag {
  return `${pageOf(code)}:0x${tokenOf(code).toString(16).padStart(2, "0")}`;
}

function codeOfUnknownTag(tag: string): number | undefined {
  const numbers = /^(\d+):0x([0-9a-f]+)$/.exec(tag);
  const page = Number(numbers?.[1]);
  const token = Number.parseInt(numbers?.[2] ?? "", 16);
  if (!(page < PAGES && token >= FIRST_TOKEN && token <= TOKEN_MASK)) return undefined;
  // One tag, one name: neither `07:0x5` nor the number of a tag that has a name of its own.
  const code = tagCode(page, token);
  return nameOf(code) === tag ? code : undefined;
}
