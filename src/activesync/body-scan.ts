/**
 * The body of a request that is let through, looked at piece by piece before each piece goes upstream. Two things must hold.
 * It carries the command that the URL names: some servers run the one and some the other, and what is watched, learnt and
 * answered here goes by the URL. And no key of ours is in it, nor an answer to an item that only the gate has.
 *
 * Nothing is decoded and nothing is kept, so that a mail of any size costs a few numbers: the tokens of WBXML are followed, and
 * of all text only that of sync keys is read. So a key is found however it is spelled (in pieces, as bytes, across the borders
 * of packets), and a mail may quote one. What could spell it in yet another way is refused, as everywhere: string tables,
 * entities, extensions, attributes, other character sets, and UTF-8 that is longer than it need be.
 */
import { Refusal } from "../gateway/errors.ts";
import type { Scan } from "../gateway/protocol.ts";
import { rootOf, rootsOfCommands } from "./commands.ts";
import type { Command } from "./commands.ts";
import { keyMark } from "./gateway-key.ts";
import { isItemOfOurs } from "./quarantine-sync.ts";
import { refusalOf } from "./request-body.ts";
import { codeOf, nameOf, tagCode } from "./tag-codes.ts";
import {
  checkTag,
  defaultDecodeLimits,
  END,
  FIRST_TAG,
  HAS_CONTENT,
  HEADER,
  INTEGER_LIMIT_BYTES,
  OPAQUE,
  STR_I,
  STRING_TABLE_OFFSET,
  SWITCH_PAGE,
  WbxmlError,
} from "./wbxml.ts";

/** What the next byte is. */
type Expected = "header" | "token" | "page" | "tag" | "string" | "length" | "bytes" | "nothing" | "anything";

interface Position {
  readonly command: Command;
  readonly mayBeMail: boolean;
  expected: Expected;
  /** Bytes of the whole body before this piece. */
  before: number;
  /** Elements that are open. */
  depth: number;
  /** The code page in force. */
  page: number;
  /** Of a byte string: what is still to come, or the length as far as it was read. */
  length: number;
  lengthBytes: number;
  /** Whether the innermost open element is a sync key, how much of our mark its text ends with, and its last byte. */
  inKey: boolean;
  matched: number;
  last: number;
  /** The text of the innermost open element, where it names the item that a mail is about. */
  item: string | undefined;
}

const keyCodes: ReadonlySet<number | undefined> = new Set([
  codeOf("AirSync:SyncKey"),
  codeOf("FolderHierarchy:SyncKey"),
]);
const itemCode = codeOf("ComposeMail:ItemId");
const mark = Buffer.from(keyMark);

/** Characters of the id of an item that are looked at: no item of ours has a longer one. */
const itemLimit = 160;

/**
 * @param contentType as the request says it.
 * @param itemId what the query says that a mail is about.
 */
export function createBodyScan(command: Command, contentType: string | undefined, itemId?: string): Scan {
  if (answersMail.has(command) && itemId !== undefined && isItemOfOurs(itemId)) return () => "ours";
  const position: Position = {
    command,
    mayBeMail: sendsMail.has(command) && isMailText(contentType),
    expected: "header",
    before: 0,
    depth: 0,
    page: 0,
    length: 0,
    lengthBytes: 0,
    inKey: false,
    matched: 0,
    last: 0,
    item: undefined,
  };
  return (piece) => {
    try {
      const found = readPiece(position, piece);
      position.before += piece.length;
      return found ? "ours" : "clean";
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

/** Up to 12.1 what they send is the mail itself, and it is the Content-Type that says so (MS-ASHTTP 2.2.1.1.2.3). */
const sendsMail: ReadonlySet<Command> = new Set<Command>(["SendMail", "SmartReply", "SmartForward"]);

/** What they send is about an item. */
const answersMail: ReadonlySet<Command> = new Set<Command>(["SmartReply", "SmartForward"]);

function isMailText(contentType: string | undefined): boolean {
  return contentType === undefined || /^\s*message\/rfc822\s*(?:;|$)/i.test(contentType);
}

/** A mail begins with the name of a header, a document with one of these: its version (WBXML 1.3, 5.4). */
const lastControlByte = 0x08;

/** Whether a body is the mail itself. What says that it is a document, or begins like one, is read as one. */
export function isMail(contentType: string | undefined, body: Uint8Array): boolean {
  return isMailText(contentType) && (body[0] ?? 0) > lastControlByte;
}

/** @returns whether a key of ours is complete with this piece. */
function readPiece(position: Position, piece: Uint8Array): boolean {
  let at = 0;
  while (at < piece.length) {
    const byte = piece[at] ?? 0;
    switch (position.expected) {
      case "header":
        readHeader(position, byte, at);
        at += 1;
        break;
      case "token":
        readToken(position, byte, at);
        at += 1;
        if (byte === END && endsOurItem(position)) return true;
        break;
      case "page":
        position.page = byte;
        position.expected = "tag";
        at += 1;
        break;
      case "tag":
        if (byte < FIRST_TAG || byte === OPAQUE) throw refused("page-switch-misplaced", position, at);
        openElement(position, byte, at);
        at += 1;
        break;
      case "length":
        readLength(position, byte, at);
        at += 1;
        break;
      case "string": {
        const end = piece.indexOf(0, at);
        const stop = end === -1 ? piece.length : end;
        if (position.inKey && readKey(position, piece, at, stop)) return true;
        if (position.item !== undefined) readItem(position, piece, at, stop);
        if (end !== -1) position.expected = "token";
        at = stop + 1;
        break;
      }
      case "bytes": {
        const stop = Math.min(at + position.length, piece.length);
        if (position.inKey && readKey(position, piece, at, stop)) return true;
        if (position.item !== undefined) readItem(position, piece, at, stop);
        position.length -= stop - at;
        if (position.length === 0) position.expected = "token";
        at = stop;
        break;
      }
      case "nothing":
        throw refused("trailing-bytes", position, at);
      case "anything":
        return false;
    }
  }
  return false;
}

function readHeader(position: Position, byte: number, at: number): void {
  const offset = position.before + at;
  if (offset === 0 && position.mayBeMail && byte > lastControlByte) {
    position.expected = "anything";
    return;
  }
  if (byte !== HEADER[offset])
    throw refused(offset === STRING_TABLE_OFFSET ? "string-table-refused" : "header-refused", position, at);
  if (offset + 1 === HEADER.length) position.expected = "token";
}

function readToken(position: Position, byte: number, at: number): void {
  if (byte === SWITCH_PAGE) {
    position.expected = "page";
    return;
  }
  const isContent = byte === END || byte === STR_I || byte === OPAQUE;
  if (!isContent) return openElement(position, byte, at);
  if (position.depth === 0) throw refused("token-refused", position, at);
  if (byte === END) {
    position.inKey = false;
    position.depth -= 1;
    if (position.depth === 0) position.expected = "nothing";
  } else if (byte === STR_I) {
    position.expected = "string";
  } else {
    position.length = 0;
    position.lengthBytes = 0;
    position.expected = "length";
  }
}

function openElement(position: Position, token: number, at: number): void {
  checkTag(token, position.before + at);
  const code = tagCode(position.page, token);
  if (position.depth === 0) checkRoot(position.command, code);
  // What is a key to one server and an element with text around it to another is neither.
  if (position.inKey) throw refused("text-refused", position, at);
  if (position.depth >= defaultDecodeLimits.depth) throw refused("too-deep", position, at);
  if ((token & HAS_CONTENT) === 0) {
    position.expected = position.depth === 0 ? "nothing" : "token";
    return;
  }
  position.depth += 1;
  position.inKey = keyCodes.has(code);
  position.matched = 0;
  position.last = 0;
  position.item = code === itemCode && answersMail.has(position.command) ? "" : undefined;
  position.expected = "token";
}

function readItem(position: Position, piece: Uint8Array, from: number, to: number): void {
  const room = itemLimit + 1 - (position.item?.length ?? 0);
  position.item =
    (position.item ?? "") + Buffer.from(piece.subarray(from, Math.min(to, from + room))).toString("latin1");
}

function endsOurItem(position: Position): boolean {
  const { item } = position;
  position.item = undefined;
  return item !== undefined && item.length <= itemLimit && isItemOfOurs(item);
}

function checkRoot(command: Command, code: number): void {
  const root = nameOf(code);
  const agrees = command === "Unknown" ? !rootsOfCommands.has(root) : root === rootOf(command);
  if (!agrees) throw new Refusal("command-contradicts-body", 400, "root of the body is not the command of the URL");
}

function readLength(position: Position, byte: number, at: number): void {
  position.lengthBytes += 1;
  const isPadded = position.lengthBytes === 1 && byte === 0x80;
  const goesOn = byte >= 0x80;
  if (isPadded || (goesOn && position.lengthBytes === INTEGER_LIMIT_BYTES))
    throw refused("integer-refused", position, at);
  position.length = position.length * 0x80 + (byte & 0x7f);
  if (!goesOn) position.expected = position.length === 0 ? "token" : "bytes";
}

/** Goes on through the text of a sync key. @returns whether our mark is complete. */
function readKey(position: Position, piece: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const byte = piece[at] ?? 0;
    if (byte === 0 || isOverlong(byte, position.last)) throw refused("text-refused", position, at);
    position.last = byte;
    if (byte === mark[position.matched]) position.matched += 1;
    else position.matched = byte === mark[0] ? 1 : 0;
    if (position.matched === mark.length) return true;
  }
  return false;
}

/** The beginning of a character that UTF-8 writes in fewer bytes: a lax reader would take it for one of those of the mark. */
function isOverlong(byte: number, last: number): boolean {
  return (
    byte === 0xc0 || byte === 0xc1 || byte >= 0xf5 || (last === 0xe0 && byte < 0xa0) || (last === 0xf0 && byte < 0x90)
  );
}

function refused(code: WbxmlError["code"], position: Position, at: number): WbxmlError {
  return new WbxmlError(code, position.before + at);
}
