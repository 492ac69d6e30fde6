/** The query string of an ActiveSync request, in both of its forms (MS-ASHTTP 2.2.1.1.1). */
import type { IncomingHttpHeaders } from "node:http";

export interface PhoneQuery {
  /** What the URL asks for. It is not what runs: the body decides that. */
  readonly command: string | undefined;
  readonly deviceId: string;
  readonly deviceType: string;
  /** What the URL says; the credential decides who it is. */
  readonly user: string | undefined;
  readonly version: string | undefined;
  readonly policyKey: number | undefined;
  readonly saveInSent: boolean;
  readonly multipart: boolean;
  readonly attachmentName: string | undefined;
  readonly collectionId: string | undefined;
  readonly itemId: string | undefined;
  readonly longId: string | undefined;
}

const commandCodes: ReadonlyMap<number, string> = new Map([
  [0, "Sync"],
  [1, "SendMail"],
  [2, "SmartForward"],
  [3, "SmartReply"],
  [4, "GetAttachment"],
  [9, "FolderSync"],
  [10, "FolderCreate"],
  [11, "FolderDelete"],
  [12, "FolderUpdate"],
  [13, "MoveItems"],
  [14, "GetItemEstimate"],
  [15, "MeetingResponse"],
  [16, "Search"],
  [17, "Settings"],
  [18, "Ping"],
  [19, "ItemOperations"],
  [20, "Provision"],
  [21, "ResolveRecipients"],
  [22, "ValidateCert"],
]);

const versionBytes: ReadonlyMap<number, string> = new Map([
  [121, "12.1"],
  [140, "14.0"],
  [141, "14.1"],
  [160, "16.0"],
  [161, "16.1"],
]);

const parameterTags = { attachmentName: 0, collectionId: 1, itemId: 3, longId: 4, options: 7, user: 8 } as const;
const SAVE_IN_SENT = 0x01;
const ACCEPT_MULTIPART = 0x02;

const DEVICE_ID = /^[A-Za-z0-9]{1,32}$/;
// Every byte of a blob's id is written as two digits.
const DEVICE_ID_IN_HEX = /^(?:[0-9A-F]{2}){1,32}$/;

/** Undefined where no device is named in a way that the grammar knows. */
export function readPhoneQuery(query: string, headers: IncomingHttpHeaders): PhoneQuery | undefined {
  const blob = readBlob(query);
  if (blob !== undefined) return DEVICE_ID_IN_HEX.test(blob.deviceId) ? blob : undefined;
  const plain = readPlain(query, headers);
  return DEVICE_ID.test(plain.deviceId) ? plain : undefined;
}

/**
 * The laxest reading that any server is known to have: whatever stands behind the last question mark, the first parameter
 * of a name in any letter case, and a device in every case.
 */
export function readPhoneQueryLeniently(target: string, headers: IncomingHttpHeaders): PhoneQuery {
  const query = target.slice(target.lastIndexOf("?") + 1);
  const read = readBlob(query) ?? readPlain(query, headers);
  return { ...read, deviceId: read.deviceId === "" ? "UNNAMED" : read.deviceId.toUpperCase() };
}

function readPlain(query: string, headers: IncomingHttpHeaders): PhoneQuery {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, value);
  }
  const policyKey = one(headers["x-ms-policykey"]);
  return {
    command: parameters.get("cmd"),
    deviceId: parameters.get("deviceid") ?? "",
    deviceType: parameters.get("devicetype") ?? "",
    user: parameters.get("user"),
    version: one(headers["ms-asprotocolversion"]),
    policyKey: policyKey === undefined || !/^\d{1,10}$/.test(policyKey) ? undefined : Number(policyKey),
    saveInSent: parameters.get("saveinsent")?.toUpperCase() === "T",
    multipart: one(headers["ms-asacceptmultipart"])?.toUpperCase() === "T",
    attachmentName: parameters.get("attachmentname"),
    collectionId: parameters.get("collectionid"),
    itemId: parameters.get("itemid"),
    longId: parameters.get("longid"),
  };
}

function readBlob(query: string): PhoneQuery | undefined {
  if (/(?:^|&)cmd=/i.test(query)) return undefined;
  const text = query.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  const version = versionBytes.get(bytes[0] ?? 0);
  if (version === undefined) return undefined;

  let position = 4;
  const take = (): Buffer => {
    const length = bytes[position] ?? 0;
    const value = bytes.subarray(position + 1, position + 1 + length);
    position += 1 + length;
    return value;
  };
  const device = take();
  const policyKey = take();
  const deviceType = take().toString("latin1");
  const parameters = new Map<number, Buffer>();
  while (position < bytes.length) {
    const tag = bytes[position] ?? 0;
    position += 1;
    const value = take();
    if (!parameters.has(tag)) parameters.set(tag, value);
  }
  const text8 = (tag: number): string | undefined => parameters.get(tag)?.toString("utf8");
  const options = parameters.get(parameterTags.options)?.[0] ?? 0;
  return {
    command: commandCodes.get(bytes[1] ?? -1),
    // As SOGo and Z-Push do it: a device that sends its id in plain text at one time and in a blob at another is two devices.
    deviceId: device.toString("hex").toUpperCase(),
    deviceType,
    user: text8(parameterTags.user),
    version,
    policyKey: policyKey.length === 4 ? policyKey.readUInt32LE() : undefined,
    saveInSent: (options & SAVE_IN_SENT) !== 0,
    multipart: (options & ACCEPT_MULTIPART) !== 0,
    attachmentName: text8(parameterTags.attachmentName),
    collectionId: text8(parameterTags.collectionId),
    itemId: text8(parameterTags.itemId),
    longId: text8(parameterTags.longId),
  };
}

function one(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
