/**
 * WBXML as ActiveSync uses it (MS-ASWBXML 2.1): one version, one character set, no string table, no attributes. What lies
 * outside of that is refused, so that a document has one reading.
 */
import type { Tag } from "./code-pages.ts";

/** A tag that is on no code page: page in decimal, token in hex, for instance `254:0x05`. */
export type UnknownTag = `${number}:0x${string}`;
export type TagName = Tag | UnknownTag;

export type Content = Element | string | Uint8Array;

export interface Element {
  readonly tag: TagName;
  readonly content: readonly Content[];
}
