/** The base64 form of the query, byte by byte (MS-ASHTTP 2.2.1.1.1.1). */
import { Refusal } from "../gateway/errors.ts";
import { commandCoded } from "./commands.ts";
import type { Command } from "./commands.ts";
import { versionCoded } from "./version.ts";
import type { ProtocolVersion } from "./version.ts";

export interface Base64Query {
  readonly version: ProtocolVersion;
  readonly command: Command;
  readonly lcid: number;
  readonly deviceId: Uint8Array;
  /** Each byte as one character; nobody has looked at it. */
  readonly deviceType: string;
  readonly user: string | undefined;
  readonly acceptsMultipart: boolean;
  /** Standard alphabet, padded: the spelling that goes upstream. */
  readonly canonical: string;
  /** The same phone asks for Settings, and for nothing else. */
  readonly settings: string;
  /** The item that is named, as text. */
  readonly itemId: string | undefined;
  /** The same phone sends mail: with the same wishes, and about no item. */
  readonly sendMail: string;
}

/** Parameters that have a name (MS-ASHTTP 2.2.1.1.1.1.3); 2 and 5 are those of older servers. */
const userTag = 8;
const itemIdTag = 3;
const optionsTag = 7;
const acceptMultipartFlag = 0x02;

const commandOffset = 1;
const settingsCode = 17;
const sendMailCode = 1;

const deviceIdLimitBytes = 32;

/** @throws Refusal for everything but one blob in one spelling. Missing padding and the URL alphabet are let pass. */
export function decodeBase64Query(query: string): Base64Query {
  const bytes = decodeBlob(query);
  const reader = createReader(bytes);
  const version = versionCoded(reader.byte());
  if (version === undefined) throw ambiguous("version of the query is unknown");
  const command = commandCoded(reader.byte());
  const lcid = reader.byte() | (reader.byte() << 8);
  const deviceId = reader.take(reader.byte());
  if (deviceId.byteLength === 0 || deviceId.byteLength > deviceIdLimitBytes) throw ambiguous("device id length");
  const policyKeyLength = reader.byte();
  if (policyKeyLength !== 0 && policyKeyLength !== 4) throw ambiguous("policy key length");
  reader.take(policyKeyLength);
  const deviceType = Buffer.from(reader.take(reader.byte())).toString("latin1");
  const headBytes = reader.taken();
  const parameters = readParameters(reader);
  const options = parameters.get(optionsTag);
  const user = parameters.get(userTag);
  return {
    version,
    command,
    lcid,
    deviceId,
    deviceType,
    user: user === undefined || user.byteLength === 0 ? undefined : utf8(user),
    acceptsMultipart: ((options?.[0] ?? 0) & acceptMultipartFlag) !== 0,
    canonical: bytes.toString("base64"),
    settings: asCommand(settingsCode, bytes.subarray(0, headBytes), parameters, [userTag]),
    itemId: Buffer.from(parameters.get(itemIdTag) ?? []).toString() || undefined,
    sendMail: asCommand(sendMailCode, bytes.subarray(0, headBytes), parameters, [optionsTag, userTag]),
  };
}

/** The same phone asks for something else, with so many of its parameters. */
function asCommand(
  code: number,
  head: Uint8Array,
  parameters: ReadonlyMap<number, Uint8Array>,
  tags: readonly number[],
): string {
  const kept = tags.flatMap((tag) => {
    const value = parameters.get(tag);
    return value === undefined ? [] : [Uint8Array.of(tag, value.byteLength), value];
  });
  const bytes = Buffer.concat([head, ...kept]);
  bytes[commandOffset] = code;
  return bytes.toString("base64");
}

function decodeBlob(query: string): Buffer {
  const plain = query
    .replaceAll(/%2b/gi, "+")
    .replaceAll(/%2f/gi, "/")
    .replaceAll(/%3d/gi, "=")
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  const bytes = Buffer.from(plain, "base64");
  const padded = bytes.toString("base64");
  // Encoded again it must be what came: decoders skip noise, and ignore bits that nobody uses.
  if (bytes.byteLength === 0 || (plain !== padded && plain !== padded.replace(/=+$/, "")))
    throw ambiguous("query is no base64");
  return bytes;
}

interface Reader {
  byte(): number;
  take(length: number): Uint8Array;
  /** How many bytes were read. */
  taken(): number;
  done(): boolean;
}

function createReader(bytes: Uint8Array): Reader {
  let offset = 0;
  function take(length: number): Uint8Array {
    const end = offset + length;
    if (end > bytes.byteLength) throw ambiguous("query ends early");
    const taken = bytes.subarray(offset, end);
    offset = end;
    return taken;
  }
  return { take, byte: () => take(1)[0] ?? 0, taken: () => offset, done: () => offset === bytes.byteLength };
}

function readParameters(reader: Reader): ReadonlyMap<number, Uint8Array> {
  const parameters = new Map<number, Uint8Array>();
  while (!reader.done()) {
    const tag = reader.byte();
    const value = reader.take(reader.byte());
    if (parameters.has(tag)) throw ambiguous("parameter of the query came twice");
    parameters.set(tag, value);
  }
  const options = parameters.get(optionsTag);
  if (options !== undefined && options.byteLength > 1) throw ambiguous("options have one byte");
  return parameters;
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw ambiguous("user is no UTF-8");
  }
}

function ambiguous(detail: string): Refusal {
  return new Refusal("identity-ambiguous", 400, detail);
}
