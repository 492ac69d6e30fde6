/**
 * WBXML as ActiveSync uses it (MS-ASWBXML 2.1): one version, one character set, no string table, no attributes. What lies
 * outside of that is refused, so that a document has one reading.
 *
 * An accepted document encodes to the bytes it was decoded from, with two exceptions where the encoder has one spelling for
 * what reads the same: a switch to the code page that is in force is left out, and strings side by side become one.
 */
import { isUtf8 } from "node:buffer";
import { codeOf, nameOf, pageOf, tagCode, tokenOf } from "./tag-codes.ts";
import type { TagName } from "./tag-codes.ts";
import { WbxmlError } from "./wbxml-error.ts";

export type { TagName } from "./tag-codes.ts";
export { WbxmlError } from "./wbxml-error.ts";
export type { WbxmlErrorCode } from "./wbxml-error.ts";

export type Content = Element | string | Uint8Array;

export interface Element {
  readonly tag: TagName;
  readonly content: readonly Content[];
  /**
   * Set on an element that was written with an end although there is nothing in it: `<Provision></Provision>` where most
   * would send `<Provision/>`. It means the same, but the bytes differ, and we do not forward other bytes than we must.
   */
  readonly endTag?: true;
}

export interface DecodeLimits {
  /** Elements within elements. Real traffic reaches 9; the specification's schemas stay far below 32. */
  readonly depth: number;
  /** Elements, strings and byte strings together: what a document costs in memory, many times its bytes. */
  readonly nodes: number;
}

// 100 000 nodes hold a hierarchy of 11 000 folders, or the largest window, 512, of messages with 95 properties each.
export const defaultDecodeLimits: DecodeLimits = { depth: 32, nodes: 100_000 };

/** How much of a body `decodeRootTag` needs: the header, a page switch and a tag. */
export const ROOT_TAG_BYTES = 7;

// WBXML 1.3, "unknown" public id, UTF-8, a string table of no bytes. Clients and servers all send exactly this.
export const HEADER = Buffer.of(0x03, 0x01, 0x6a, 0x00);
export const STRING_TABLE_OFFSET = 3;

export const SWITCH_PAGE = 0x00;
export const END = 0x01;
export const STR_I = 0x03;
export const OPAQUE = 0xc3;
export const FIRST_TAG = 0x05;
export const HAS_CONTENT = 0x40;
const HAS_ATTRIBUTES = 0x80;

// The specification of WBXML stores 32 bits in an integer, which takes five bytes of seven bits.
export const INTEGER_LIMIT_BYTES = 5;

const nothing: readonly Content[] = Object.freeze([]);

interface Reader {
  readonly bytes: Buffer;
  readonly limits: DecodeLimits;
  /** The content of the elements that are open, innermost last: a list instead of recursion, so that depth costs no stack. */
  readonly open: Content[][];
  position: number;
  /** The code page in force. It stays in force across the ends of elements. */
  page: number;
  nodes: number;
}

/**
 * Byte strings in the result are windows on `bytes`, not copies.
 * @throws WbxmlError
 */
export function decode(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): Element {
  const reader = openReader(bytes, { ...defaultDecodeLimits, ...limits });
  const root = readElement(reader, readByte(reader));
  for (let content = reader.open.at(-1); content !== undefined; content = reader.open.at(-1)) {
    const token = readByte(reader);
    if (token === END) reader.open.pop();
    else content.push(readContent(reader, token));
  }
  if (reader.position < bytes.length) throw new WbxmlError("trailing-bytes", reader.position);
  return root;
}

/**
 * The tag of the root element, from the beginning of a body whose rest may not have arrived.
 * @throws WbxmlError `truncated` where `ROOT_TAG_BYTES` have not arrived either and would be needed.
 */
export function decodeRootTag(bytes: Uint8Array): TagName {
  const reader = openReader(bytes, defaultDecodeLimits);
  return readElement(reader, readByte(reader)).tag;
}

function openReader(bytes: Uint8Array, limits: DecodeLimits): Reader {
  for (const [offset, expected] of HEADER.entries()) {
    const byte = bytes[offset];
    if (byte === undefined) throw new WbxmlError("truncated", offset);
    if (byte === expected) continue;
    throw new WbxmlError(offset === STRING_TABLE_OFFSET ? "string-table-refused" : "header-refused", offset);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes: buffer, limits, open: [], position: HEADER.length, page: 0, nodes: 0 };
}

function readContent(reader: Reader, token: number): Content {
  switch (token) {
    case STR_I:
      countNode(reader);
      return readString(reader);
    case OPAQUE:
      countNode(reader);
      return readOpaque(reader);
    default:
      return readElement(reader, token);
  }
}

/** Reads the start of an element, and leaves it open where content follows. */
function readElement(reader: Reader, first: number): Element {
  const token = first === SWITCH_PAGE ? readPageSwitch(reader) : first;
  checkTag(token, reader.position - 1);
  countNode(reader);
  if (reader.open.length >= reader.limits.depth) throw new WbxmlError("too-deep", reader.position - 1);

  const tag = nameOf(tagCode(reader.page, token));
  if ((token & HAS_CONTENT) === 0) return { tag, content: nothing };
  if (reader.bytes[reader.position] === END) {
    reader.position += 1;
    return { tag, content: nothing, endTag: true };
  }
  const content: Content[] = [];
  reader.open.push(content);
  return { tag, content };
}

// Servers disagree about a switch that no tag follows: to libwbxml (SOGo) the second of two switches is a tag, to Z-Push it
// is a switch. The grammar of WBXML has one switch, directly before a tag, and every client seen keeps to that.
function readPageSwitch(reader: Reader): number {
  const at = reader.position - 1;
  reader.page = readByte(reader);
  const token = readByte(reader);
  if (token < FIRST_TAG || token === OPAQUE) throw new WbxmlError("page-switch-misplaced", at);
  return token;
}

/** @throws WbxmlError where a token is not a tag without attributes. */
export function checkTag(token: number, at: number): void {
  if ((token & ~HAS_CONTENT) < FIRST_TAG) throw new WbxmlError("token-refused", at);
  if (token >= HAS_ATTRIBUTES) throw new WbxmlError(attributesOrOther(token), at);
}

/** Above 0x80 are tags with attributes, and among them the control codes that we do not read. */
function attributesOrOther(token: number): "attributes-refused" | "token-refused" {
  return (token & ~(HAS_CONTENT | HAS_ATTRIBUTES)) < FIRST_TAG ? "token-refused" : "attributes-refused";
}

function countNode(reader: Reader): void {
  reader.nodes += 1;
  if (reader.nodes > reader.limits.nodes) throw new WbxmlError("too-many-nodes", reader.position - 1);
}

function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.position];
  if (byte === undefined) throw new WbxmlError("truncated", reader.position);
  reader.position += 1;
  return byte;
}

function readString(reader: Reader): string {
  const { bytes, position: start } = reader;
  // One pass finds the end and tells whether everything is ASCII, which nearly all text of the protocol is.
  let end = start;
  let bits = 0;
  for (let byte = bytes[end]; byte !== 0; byte = bytes[end]) {
    if (byte === undefined) throw new WbxmlError("string-unterminated", start);
    bits |= byte;
    end += 1;
  }
  reader.position = end + 1;
  if (bits < 0x80) return bytes.toString("latin1", start, end);
  if (!isUtf8(bytes.subarray(start, end))) throw new WbxmlError("string-not-utf8", start);
  return bytes.toString("utf8", start, end);
}

function readOpaque(reader: Reader): Uint8Array {
  const at = reader.position;
  const length = readInteger(reader);
  const { bytes, position: start } = reader;
  if (length > bytes.length - start) throw new WbxmlError("opaque-past-end", at);
  reader.position = start + length;
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
}

/** Seven bits per byte, the most significant first; the high bit says that more follow. */
function readInteger(reader: Reader): number {
  const start = reader.position;
  let value = 0;
  for (let length = 1; length <= INTEGER_LIMIT_BYTES; length += 1) {
    const byte = readByte(reader);
    // No encoder pads a number; that it could be padded only means that it could be written in two ways.
    if (length === 1 && byte === 0x80) break;
    // A product and not a shift: five times seven bits do not fit into the 32 of a shift.
    value = value * 0x80 + (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  throw new WbxmlError("integer-refused", start);
}

interface Writer {
  bytes: Buffer;
  length: number;
  page: number;
  /** The elements that are open, innermost last, each with the index of what is written next. */
  readonly open: { readonly content: readonly Content[]; next: number }[];
}

const FIRST_ALLOCATION_BYTES = 1024;

/**
 * NUL in text is dropped, because a string ends there; half a surrogate pair becomes U+FFFD, because UTF-8 has no place for
 * it. Bytes are written as they are.
 * @throws WbxmlError `tag-unknown`, or `too-deep` for what `decode` would not read back.
 */
export function encode(root: Element): Buffer {
  const writer: Writer = { bytes: Buffer.allocUnsafe(FIRST_ALLOCATION_BYTES), length: 0, page: 0, open: [] };
  writeBytes(writer, HEADER);
  writeElement(writer, root);
  for (let element = writer.open.at(-1); element !== undefined; element = writer.open.at(-1)) {
    const piece = element.content[element.next];
    if (piece === undefined) {
      writeByte(writer, END);
      writer.open.pop();
    } else if (typeof piece === "string") {
      writeString(writer, piece, typeof element.content[element.next - 1] === "string");
    } else if (piece instanceof Uint8Array) {
      writeByte(writer, OPAQUE);
      writeInteger(writer, piece.length);
      writeBytes(writer, piece);
    } else {
      writeElement(writer, piece);
    }
    element.next += 1;
  }
  return writer.bytes.subarray(0, writer.length);
}

/** Writes the start of an element, and leaves it open where an end must follow. */
function writeElement(writer: Writer, { tag, content, endTag }: Element): void {
  const code = codeOf(tag);
  if (code === undefined) throw new WbxmlError("tag-unknown", writer.length);
  if (writer.open.length >= defaultDecodeLimits.depth) throw new WbxmlError("too-deep", writer.length);

  const page = pageOf(code);
  if (page !== writer.page) {
    writeByte(writer, SWITCH_PAGE);
    writeByte(writer, page);
    writer.page = page;
  }
  if (content.length === 0 && endTag !== true) {
    writeByte(writer, tokenOf(code));
    return;
  }
  writeByte(writer, tokenOf(code) | HAS_CONTENT);
  writer.open.push({ content, next: 0 });
}

function writeString(writer: Writer, text: string, continued: boolean): void {
  const clean = text.includes("\0") ? text.replaceAll("\0", "") : text;
  // The continuation of a string begins where the string before it has its NUL: Z-Push reads only the first of two.
  if (continued) writer.length -= 1;
  else writeByte(writer, STR_I);
  // Measuring a short text costs more than the room that is reserved too much.
  reserve(writer, clean.length < FIRST_ALLOCATION_BYTES ? clean.length * 3 : Buffer.byteLength(clean));
  writer.length += writer.bytes.write(clean, writer.length, "utf8");
  writeByte(writer, 0);
}

function writeInteger(writer: Writer, value: number): void {
  let highest = 1;
  while (highest * 0x80 <= value) highest *= 0x80;
  for (let unit = highest; unit > 1; unit /= 0x80) writeByte(writer, (Math.floor(value / unit) % 0x80) | 0x80);
  writeByte(writer, value % 0x80);
}

function writeByte(writer: Writer, byte: number): void {
  reserve(writer, 1);
  writer.bytes[writer.length] = byte;
  writer.length += 1;
}

function writeBytes(writer: Writer, bytes: Uint8Array): void {
  reserve(writer, bytes.length);
  writer.bytes.set(bytes, writer.length);
  writer.length += bytes.length;
}

function reserve(writer: Writer, more: number): void {
  const needed = writer.length + more;
  if (needed <= writer.bytes.length) return;
  // At least double: a document of many small pieces is copied a few times, not once per piece.
  const larger = Buffer.allocUnsafe(Math.max(needed, writer.bytes.length * 2));
  larger.set(writer.bytes.subarray(0, writer.length));
  writer.bytes = larger;
}
