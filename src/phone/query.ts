/** How a phone spells the query of a request: in plain words, or packed and in base64 (MS-ASHTTP 2.2.1.1). */
import type { ProtocolVersion } from "./dialect.ts";
import { PhoneError } from "./errors.ts";

/** The codes of MS-ASHTTP 2.2.1.1.1.2. A command without a code can only be asked for in plain words. */
const commandCodes = {
  Sync: 0,
  SendMail: 1,
  SmartForward: 2,
  SmartReply: 3,
  GetAttachment: 4,
  FolderSync: 9,
  FolderCreate: 10,
  FolderDelete: 11,
  FolderUpdate: 12,
  MoveItems: 13,
  GetItemEstimate: 14,
  MeetingResponse: 15,
  Search: 16,
  Settings: 17,
  Ping: 18,
  ItemOperations: 19,
  Provision: 20,
  ResolveRecipients: 21,
  ValidateCert: 22,
} as const;
export type CommandName = keyof typeof commandCodes;

const parameterTags = {
  AttachmentName: 0,
  CollectionId: 1,
  ItemId: 3,
  LongId: 4,
  Occurrence: 6,
  Options: 7,
  User: 8,
} as const;

export interface QueryParameters {
  readonly AttachmentName?: string;
  readonly CollectionId?: string;
  readonly ItemId?: string;
  readonly LongId?: string;
  readonly Occurrence?: string;
  readonly saveInSent?: boolean;
  readonly acceptMultiPart?: boolean;
  /** Only in the base64 form: the plain one always names the user. */
  readonly User?: string;
}

export interface PlainQuery {
  readonly command: CommandName;
  readonly user: string;
  readonly deviceId: string;
  readonly deviceType: string;
  readonly parameters: QueryParameters;
}

export function plainQuery({ command, user, deviceId, deviceType, parameters }: PlainQuery): string {
  const pairs: [name: string, value: string][] = [
    ["Cmd", command],
    ["User", user],
    ["DeviceId", deviceId],
    ["DeviceType", deviceType],
  ];
  for (const name of ["AttachmentName", "CollectionId", "ItemId", "LongId", "Occurrence"] as const) {
    const value = parameters[name];
    if (value !== undefined) pairs.push([name, value]);
  }
  if (parameters.saveInSent !== undefined) pairs.push(["SaveInSent", parameters.saveInSent ? "T" : "F"]);
  return pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

export interface Base64Query {
  readonly version: ProtocolVersion;
  readonly command: CommandName;
  /** A Windows language code such as 0x0409. */
  readonly locale: number;
  /** Text is written as it is; bytes are the form that Windows phones send. */
  readonly deviceId: string | Uint8Array;
  /** Undefined writes no key at all, as before provisioning. */
  readonly policyKey: number | undefined;
  readonly deviceType: string;
  readonly parameters: QueryParameters;
}

export function base64Query(query: Base64Query): string {
  const head = Buffer.alloc(4);
  head.writeUInt8(Number(query.version.replace(".", "")), 0);
  head.writeUInt8(commandCodes[query.command], 1);
  head.writeUInt16LE(query.locale, 2);
  const policyKey = Buffer.alloc(query.policyKey === undefined ? 0 : 4);
  if (query.policyKey !== undefined) policyKey.writeUInt32LE(query.policyKey);
  return Buffer.concat([
    head,
    withLength(query.deviceId),
    withLength(policyKey),
    withLength(query.deviceType),
    ...packParameters(query.parameters),
  ]).toString("base64");
}

function packParameters(parameters: QueryParameters): Buffer[] {
  const packed: Buffer[] = [];
  const put = (tag: number, value: string | Uint8Array): void => {
    packed.push(Buffer.of(tag), withLength(value));
  };
  for (const name of ["AttachmentName", "CollectionId", "ItemId", "LongId", "Occurrence", "User"] as const) {
    const value = parameters[name];
    if (value !== undefined) put(parameterTags[name], value);
  }
  const flags = (parameters.saveInSent === true ? 0x01 : 0) | (parameters.acceptMultiPart === true ? 0x02 : 0);
  if (flags !== 0) put(parameterTags.Options, Buffer.of(flags));
  return packed;
}

function withLength(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > 255) throw new PhoneError("options", "a part of a base64 query holds 255 bytes at most");
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** The Windows language code that a language tag is sent as; English of the United States where we do not know better. */
export function localeOf(acceptLanguage: string | undefined): number {
  const first = acceptLanguage?.split(/[,;]/u)[0]?.trim().toLowerCase() ?? "";
  return locales.get(first) ?? locales.get(first.split("-")[0] ?? "") ?? 0x0409;
}

const locales = new Map<string, number>([
  ["en", 0x0409],
  ["en-us", 0x0409],
  ["en-gb", 0x0809],
  ["ar", 0x0401],
  ["cs", 0x0405],
  ["da", 0x0406],
  ["de", 0x0407],
  ["de-at", 0x0c07],
  ["de-ch", 0x0807],
  ["el", 0x0408],
  ["es", 0x0c0a],
  ["fi", 0x040b],
  ["fr", 0x040c],
  ["fr-ca", 0x0c0c],
  ["he", 0x040d],
  ["hu", 0x040e],
  ["it", 0x0410],
  ["ja", 0x0411],
  ["ko", 0x0412],
  ["nb", 0x0414],
  ["nl", 0x0413],
  ["pl", 0x0415],
  ["pt", 0x0416],
  ["pt-br", 0x0416],
  ["pt-pt", 0x0816],
  ["ru", 0x0419],
  ["sv", 0x041d],
  ["tr", 0x041f],
  ["zh", 0x0804],
  ["zh-cn", 0x0804],
  ["zh-tw", 0x0404],
]);
