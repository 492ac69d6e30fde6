/**
 * The query of an ActiveSync request, plain or base64: who asks (device, user), and for what. It is read once, as it came,
 * and whatever could be read in a second way is refused. What goes upstream is spelled anew from what was read.
 */
import { parsePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import { Refusal } from "../gateway/errors.ts";
import { decodeBase64Query } from "./base64-query.ts";
import { commandNamed } from "./commands.ts";
import type { Command } from "./commands.ts";
import { versionNamed } from "./version.ts";
import type { ProtocolVersion } from "./version.ts";

export interface ActiveSyncQuery {
  readonly form: "plain" | "base64";
  readonly command: Command;
  /** Every spelling under which the device may be known, most trusted first. */
  readonly deviceIds: readonly [DeviceId, ...DeviceId[]];
  readonly user: Person | undefined;
  /** Undefined where the request does not say: some servers take such requests. */
  readonly version: ProtocolVersion | undefined;
  /** What the phone calls itself, for people; undefined where it says nothing that can be shown. */
  readonly deviceType: string | undefined;
  /** Windows language identifier of the base64 query. */
  readonly lcid: number | undefined;
  /** ItemOperations may answer in several parts (MS-ASCMD 2.2.1.10.1). */
  readonly acceptsMultipart: boolean;
  /** What goes upstream. */
  readonly canonical: string;
  /** The item that SmartReply and SmartForward are about, where the query says it: up to 12.1. */
  readonly itemId: string | undefined;
}

/** 64 parameters: real clients send at most eight. Some servers stop reading at 1 000 of them. */
export const PARAMETER_LIMIT = 64;

const deviceTypeGrammar = /^[A-Za-z0-9 ._-]{0,64}$/;

/**
 * The names that have a meaning (MS-ASHTTP 2.2.1.1.1.2), in the spelling that goes upstream. Others are not sent on: what has
 * no meaning to us may have one to a server.
 */
const knownNames: ReadonlyMap<string, string> = new Map(
  [
    "Cmd",
    "User",
    "DeviceId",
    "DeviceType",
    "AttachmentName",
    "CollectionId",
    "CollectionName",
    "ItemId",
    "LongId",
    "Occurrence",
    "ParentId",
    "SaveInSent",
  ].map((name) => [name.toLowerCase(), name]),
);

/** @throws Refusal */
export function parseQuery(query: string | undefined, headers: ReadonlyMap<string, string>): ActiveSyncQuery {
  if (query === undefined || query === "") throw ambiguous("no query");
  // Some servers read what follows the last question mark, some what follows the first. `;` separates for some.
  if (/[?;]/.test(query)) throw ambiguous("question mark or semicolon in the query");
  const headerVersion = parseVersionHeader(headers.get("ms-asprotocolversion"));
  if (isPlain(query)) return parsePlain(query, headers, headerVersion);
  const blob = decodeBase64Query(query);
  if (headerVersion !== undefined && headerVersion !== blob.version)
    throw ambiguous("version in query and header differ");
  return {
    form: "base64",
    command: blob.command,
    deviceIds: idsOfBytes(blob.deviceId),
    user: blob.user === undefined ? undefined : personNamed(blob.user),
    version: blob.version,
    deviceType: blob.deviceType === "" || !deviceTypeGrammar.test(blob.deviceType) ? undefined : blob.deviceType,
    lcid: blob.lcid,
    acceptsMultipart: blob.acceptsMultipart || headers.get("ms-asacceptmultipart")?.toUpperCase() === "T",
    canonical: blob.canonical,
    itemId: blob.itemId,
  };
}

/** The query of a Settings of the same phone, and of nothing else that the query asks for, which was read before. */
export function settingsQuery(query: string): string {
  if (!isPlain(query)) return decodeBase64Query(query).settings;
  return asCommand("Settings", readParameters(query), ["user", "deviceid", "devicetype"]);
}

/** The query of a SendMail of the same phone, which is about no item; the query was read before. */
export function sendMailQuery(query: string): string {
  if (!isPlain(query)) return decodeBase64Query(query).sendMail;
  return asCommand("SendMail", readParameters(query), ["user", "deviceid", "devicetype", "saveinsent"]);
}

function asCommand(command: string, parameters: ReadonlyMap<string, string>, keys: readonly string[]): string {
  const named = keys.flatMap((key) => {
    const value = parameters.get(key);
    return value === undefined ? [] : spell(knownNames.get(key), value);
  });
  return [`Cmd=${command}`, ...named].join("&");
}

function isPlain(query: string): boolean {
  return /(?:^|&)cmd=/i.test(query);
}

function parsePlain(
  query: string,
  headers: ReadonlyMap<string, string>,
  version: ProtocolVersion | undefined,
): ActiveSyncQuery {
  const parameters = readParameters(query);
  const command = parameters.get("cmd");
  const deviceId = parameters.get("deviceid");
  const deviceType = parameters.get("devicetype");
  if (command === undefined || !/^[A-Za-z]{1,32}$/.test(command)) throw ambiguous("no command");
  if (deviceId === undefined) throw ambiguous("no device id");
  if (deviceType !== undefined && !deviceTypeGrammar.test(deviceType)) throw ambiguous("device type out of grammar");
  const user = parameters.get("user");
  return {
    form: "plain",
    command: commandNamed(command),
    deviceIds: idsOfText(deviceId),
    user: user === undefined || user === "" ? undefined : personNamed(user),
    version,
    deviceType: deviceType === "" ? undefined : deviceType,
    lcid: undefined,
    acceptsMultipart: headers.get("ms-asacceptmultipart")?.toUpperCase() === "T",
    canonical: [...parameters].flatMap(([key, value]) => spell(knownNames.get(key), value)).join("&"),
    itemId: parameters.get("itemid"),
  };
}

function readParameters(query: string): ReadonlyMap<string, string> {
  const pairs = query.split("&");
  if (pairs.length > PARAMETER_LIMIT) throw ambiguous("too many parameters");
  const parameters = new Map<string, string>();
  for (const pair of pairs) {
    const [name, value, ...rest] = pair.split("=");
    // No escapes, brackets, dots or underscores: servers unfold them into names that were not sent.
    if (name === undefined || !/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name))
      throw ambiguous("parameter name out of grammar");
    if (value === undefined || rest.length > 0) throw ambiguous("parameter is not one name and one value");
    const key = name.toLowerCase();
    // A name of nobody's with no value is what a base64 query looks like among parameters.
    if (value === "" && !knownNames.has(key)) throw ambiguous("unknown parameter without a value");
    if (parameters.has(key)) throw ambiguous(`${knownNames.has(key) ? key : "a parameter"} came twice`);
    parameters.set(key, decodeValue(value));
  }
  return parameters;
}

function spell(name: string | undefined, value: string): string[] {
  return name === undefined ? [] : [`${name}=${encodeValue(value)}`];
}

function decodeValue(raw: string): string {
  // The characters that RFC 3986 allows in a query, less those that separate.
  if (!/^[A-Za-z0-9._~!$'()*+,:@/{}-]*$/.test(raw.replaceAll(/%[0-9A-Fa-f]{2}/g, "")))
    throw ambiguous("character out of place in a value");
  let value: string;
  try {
    value = decodeURIComponent(raw);
  } catch {
    throw ambiguous("value is no UTF-8");
  }
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value)) throw ambiguous("control character in a value");
  return value;
}

/** Only what must be escaped is: some servers never unfold escapes. A plus is always escaped, for to some it is a space. */
function encodeValue(value: string): string {
  return encodeURIComponent(value).replaceAll(/%(?:24|2C|2F|3A|40)/g, (escape) => decodeURIComponent(escape));
}

/** A plain id; where it is the hex spelling of letters and digits, that text is a second name of the same phone. */
function idsOfText(text: string): readonly [DeviceId, ...DeviceId[]] {
  const id = toDeviceId(text);
  if (id === undefined) throw ambiguous("device id out of grammar");
  const unhexed = /^(?:[0-9A-Fa-f]{2})+$/.test(text)
    ? toDeviceId(Buffer.from(text, "hex").toString("latin1"))
    : undefined;
  return unhexed === undefined ? [id] : [id, unhexed];
}

/** The id of a base64 query is text or raw bytes, and does not say which: the text, where it can be one, and its hex spelling. */
function idsOfBytes(bytes: Uint8Array): readonly [DeviceId, ...DeviceId[]] {
  const hex = toDeviceId(Buffer.from(bytes).toString("hex"));
  if (hex === undefined) throw ambiguous("device id out of grammar");
  const ascii = toDeviceId(Buffer.from(bytes).toString("latin1"));
  return ascii === undefined ? [hex] : [ascii, hex];
}

function personNamed(name: string): Person {
  const person = parsePerson(name);
  if (person === undefined) throw ambiguous("user out of grammar");
  return person;
}

function parseVersionHeader(value: string | undefined): ProtocolVersion | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,2}\.\d$/.test(value)) throw new Refusal("header-refused", 400, "protocol version out of grammar");
  return versionNamed(value);
}

function ambiguous(detail: string): Refusal {
  return new Refusal("identity-ambiguous", 400, detail);
}
