/** Everything that can be wrong with a document, by name. */
export type WbxmlErrorCode =
  /** Not WBXML 1.3 with an unknown public id in UTF-8. */
  | "header-refused"
  | "string-table-refused"
  /** A control code that ActiveSync does not use, or one that makes no sense where it stands. */
  | "token-refused"
  | "attributes-refused"
  /** A code page switch that is not followed by a tag. */
  | "page-switch-misplaced"
  /** The bytes end before the document does. */
  | "truncated"
  /** A multi-byte integer of more than five bytes, or with leading zeros. */
  | "integer-refused"
  | "opaque-past-end"
  /** A string without its terminating NUL. */
  | "string-unterminated"
  | "string-not-utf8"
  /** Something follows the end of the root element. */
  | "trailing-bytes"
  | "too-deep"
  | "too-many-nodes"
  /** Only when encoding: a tag that has no place on any code page. */
  | "tag-unknown"
  /** Only when reading an element: there are two where one has a meaning. */
  | "duplicate-element"
  /** Only when reading an element: what should be text contains an element, a NUL, or bytes that are not UTF-8. */
  | "text-refused";

/** A document that has no reading, or more than one. The message holds nothing of what the document says. */
export class WbxmlError extends Error {
  readonly code: WbxmlErrorCode;
  /** Where in the bytes that were read or written; undefined for what is found in a document after decoding. */
  readonly offset: number | undefined;
  constructor(code: WbxmlErrorCode, offset?: number) {
    super(offset === undefined ? code : `${code} at byte ${offset}`);
    this.name = "WbxmlError";
    this.code = code;
    this.offset = offset;
  }
}
