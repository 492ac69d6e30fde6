/**
 * Property lists in XML, as phones send them to their management system. Phones belong to people who may wish to be misread: what two
 * readers could read in two ways is refused, such as a key that comes twice, text beside elements, or a comment inside of a text.
 * Only the DOCTYPE of Apple, or none, may stand in front; nothing is ever fetched. The binary form is refused by name.
 */
import { readText, readXml, UnreadableXml } from "../xml/read-xml.ts";
import type { XmlElement, XmlPart } from "../xml/read-xml.ts";
import { greatestInteger, leastInteger, plistDoctype } from "./value.ts";
import type { PlistDictionary, PlistValue } from "./value.ts";

/** 1 MiB: a phone with 2 000 apps sends half of it. */
export const PLIST_LIMIT_BYTES = 1_048_576;
/** 50 000 values and keys: 2 000 apps with five facts each are 22 000. */
export const PLIST_VALUES_LIMIT = 50_000;

/** Its message is ours, without anything of the list in it. */
export class UnreadablePlist extends Error {}

/** @throws UnreadablePlist */
export function readPlist(bytes: Uint8Array): PlistValue {
  if (bytes.length > PLIST_LIMIT_BYTES) throw new UnreadablePlist("larger than 1 MiB");
  if (startsWith(bytes, "bplist")) throw new UnreadablePlist("binary property list; only the form in XML is read");
  try {
    return readDocument(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof UnreadableXml) throw new UnreadablePlist(error.message);
    // That is what the decoder says to bytes that are no UTF-8.
    if (error instanceof TypeError) throw new UnreadablePlist("no UTF-8");
    throw error;
  }
}

/** The parts of a document one by one, and how many values may still come. */
interface Reading {
  readonly parts: Iterator<XmlPart, void>;
  valuesLeft: number;
}

function startsWith(bytes: Uint8Array, word: string): boolean {
  return Buffer.from(bytes.subarray(0, word.length)).toString("latin1") === word;
}

function readDocument(document: string): PlistValue {
  const reading: Reading = { parts: readXml(document, plistDoctype), valuesLeft: PLIST_VALUES_LIMIT };
  const root = nextElement(reading);
  if (root === undefined || root.name !== "plist" || root.namespace !== "")
    throw new UnreadablePlist("no property list");
  if (root.attributes.size > 1 || (root.attributes.get("version") ?? "1.0") !== "1.0" || hasOther(root, "version"))
    throw new UnreadablePlist("property list of another version");
  const value = readNext(reading);
  if (value === undefined) throw new UnreadablePlist("empty property list");
  if (nextElement(reading) !== undefined) throw new UnreadablePlist("two values in a property list");
  // To the end: what stands behind may make the document another one for another reader.
  for (let part = reading.parts.next(); part.done !== true; part = reading.parts.next());
  return value;
}

function hasOther({ attributes }: XmlElement, only: string): boolean {
  return attributes.size === 1 && !attributes.has(only);
}

/** The next element in a container, or undefined at the container's end. White space and comments between elements mean nothing. */
function nextElement({ parts }: Reading): XmlElement | undefined {
  for (let part = parts.next(); part.done !== true; part = parts.next()) {
    const { value } = part;
    if (value.kind === "start") return value;
    if (value.kind === "end") return undefined;
    if (value.kind === "text" && (value.isCdata || /[^ \t\r\n]/.test(value.written)))
      throw new UnreadablePlist("text beside elements");
  }
  return undefined;
}

function readNext(reading: Reading): PlistValue | undefined {
  const element = nextElement(reading);
  return element === undefined ? undefined : readValue(plain(element), reading);
}

/** The name of an element that has nothing but a name. */
function plain(element: XmlElement): string {
  if (element.namespace !== "" || element.attributes.size > 0) throw new UnreadablePlist("element with attributes");
  return element.name;
}

function readValue(name: string, reading: Reading): PlistValue {
  count(reading);
  switch (name) {
    case "dict":
      return readDictionary(reading);
    case "array":
      return readArray(reading);
    case "string":
      return readLeaf(reading);
    case "true":
    case "false":
      if (readLeaf(reading) !== "") throw new UnreadablePlist("truth value with text");
      return name === "true";
    case "integer":
      return toInteger(readLeaf(reading));
    case "real":
      return toReal(readLeaf(reading));
    case "date":
      return toDate(readLeaf(reading));
    case "data":
      return toData(readLeaf(reading));
    default:
      throw new UnreadablePlist("element that property lists do not have");
  }
}

function count(reading: Reading): void {
  reading.valuesLeft -= 1;
  if (reading.valuesLeft < 0) throw new UnreadablePlist("too many values");
}

/** One reader takes the first of two equal keys and another the last. */
function readDictionary(reading: Reading): PlistDictionary {
  const dictionary = new Map<string, PlistValue>();
  for (let element = nextElement(reading); element !== undefined; element = nextElement(reading)) {
    if (plain(element) !== "key") throw new UnreadablePlist("value without a key");
    count(reading);
    const key = readLeaf(reading);
    if (dictionary.has(key)) throw new UnreadablePlist("key came twice");
    const value = nextElement(reading);
    if (value === undefined || plain(value) === "key") throw new UnreadablePlist("key without a value");
    dictionary.set(key, readValue(value.name, reading));
  }
  return dictionary;
}

function readArray(reading: Reading): readonly PlistValue[] {
  const items: PlistValue[] = [];
  for (let item = readNext(reading); item !== undefined; item = readNext(reading)) items.push(item);
  return items;
}

/** The text of an element, in one piece: readers differ over what a comment or CDATA within it does to the rest. */
function readLeaf({ parts }: Reading): string {
  let text: string | undefined;
  for (let part = parts.next(); part.done !== true; part = parts.next()) {
    const { value } = part;
    if (value.kind === "end") return text ?? "";
    if (value.kind !== "text" || value.isCdata || text !== undefined) throw new UnreadablePlist("text in pieces");
    text = readText(value.written);
  }
  throw new UnreadablePlist("ends early");
}

function toInteger(text: string): bigint {
  if (!/^[+-]?\d{1,20}$/.test(text)) throw new UnreadablePlist("malformed integer");
  const value = BigInt(text.replace("+", ""));
  if (value < leastInteger || value > greatestInteger) throw new UnreadablePlist("integer of more than 64 bits");
  return value;
}

function toReal(text: string): number {
  const value = /^[+-]?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new UnreadablePlist("malformed real");
  return value;
}

function toDate(text: string): Date {
  const value = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? new Date(text) : new Date(Number.NaN);
  // A day that there is not, such as 30 February, is another day to some.
  if (Number.isNaN(value.getTime()) || value.toISOString() !== text.replace("Z", ".000Z"))
    throw new UnreadablePlist("malformed date");
  return value;
}

/** Wrapped and indented as Apple does it; padded, and without bits behind the last byte, so that bytes have one spelling. */
function toData(text: string): Uint8Array {
  const written = text.replaceAll(/[ \t\r\n]/g, "");
  const bytes = Buffer.from(written, "base64");
  if (bytes.toString("base64") !== written) throw new UnreadablePlist("malformed data");
  return new Uint8Array(bytes);
}
