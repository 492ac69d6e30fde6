/** The ActiveSync side of the demonstration server: who is asking, which command is it, run it. */
import { WbxmlError, decode, type Element, type TagName } from "../activesync/wbxml.ts";
import type { IncomingMessage } from "node:http";
import { readBasicCredential, type Account } from "./accounts.ts";
import { composeCommand } from "./compose-commands.ts";
import { folderCreate, folderDelete, folderSync, folderUpdate } from "./folder-commands.ts";
import { getItemEstimate, meetingResponse, moveItems, validateCert } from "./item-commands.ts";
import { getAttachment, itemOperations } from "./item-operations.ts";
import type { OpenEntry } from "./journal.ts";
import {
  announcedVersions,
  commonStatus,
  isSince,
  isVersion,
  type Answer,
  type Command,
  type Office,
  type PhoneRequest,
} from "./phone-request.ts";
import { readPhoneQuery, readPhoneQueryLeniently, type PhoneQuery } from "./phone-query.ts";
import { pingCommand } from "./ping-command.ts";
import { provisionCommand, provisioningDemand } from "./provision-command.ts";
import { resolveRecipients, searchCommand } from "./search-command.ts";
import { settingsCommand } from "./settings-command.ts";
import { syncCommand } from "./sync-command.ts";

interface CommandEntry {
  readonly root: TagName;
  readonly status: TagName;
  readonly run: Command;
}

function folderCommand(name: "Sync" | "Create" | "Delete" | "Update", run: Command): [string, CommandEntry] {
  return [`Folder${name}`, { root: `FolderHierarchy:Folder${name}`, status: "FolderHierarchy:Status", run }];
}

function compose(name: "SendMail" | "SmartReply" | "SmartForward"): [string, CommandEntry] {
  const root = `ComposeMail:${name}` as const;
  return [name, { root, status: "ComposeMail:Status", run: composeCommand(root) }];
}

const commands: ReadonlyMap<string, CommandEntry> = new Map<string, CommandEntry>([
  ["Sync", { root: "AirSync:Sync", status: "AirSync:Status", run: syncCommand }],
  compose("SendMail"),
  compose("SmartForward"),
  compose("SmartReply"),
  folderCommand("Sync", folderSync),
  folderCommand("Create", folderCreate),
  folderCommand("Delete", folderDelete),
  folderCommand("Update", folderUpdate),
  ["MoveItems", { root: "Move:MoveItems", status: "Move:Status", run: moveItems }],
  [
    "GetItemEstimate",
    { root: "GetItemEstimate:GetItemEstimate", status: "GetItemEstimate:Status", run: getItemEstimate },
  ],
  [
    "MeetingResponse",
    { root: "MeetingResponse:MeetingResponse", status: "MeetingResponse:Status", run: meetingResponse },
  ],
  ["Search", { root: "Search:Search", status: "Search:Status", run: searchCommand }],
  ["Settings", { root: "Settings:Settings", status: "Settings:Status", run: settingsCommand }],
  ["Ping", { root: "Ping:Ping", status: "Ping:Status", run: pingCommand }],
  ["ItemOperations", { root: "ItemOperations:ItemOperations", status: "ItemOperations:Status", run: itemOperations }],
  ["Provision", { root: "Provision:Provision", status: "Provision:Status", run: provisionCommand }],
  [
    "ResolveRecipients",
    { root: "ResolveRecipients:ResolveRecipients", status: "ResolveRecipients:Status", run: resolveRecipients },
  ],
  ["ValidateCert", { root: "ValidateCert:ValidateCert", status: "ValidateCert:Status", run: validateCert }],
  // Its answer is the attachment, and versions up to 12.1 have it: the root and the status are those of its successor.
  ["GetAttachment", { root: "ItemOperations:ItemOperations", status: "ItemOperations:Status", run: getAttachment }],
]);

const rootNames: ReadonlyMap<TagName, string> = new Map(
  [...commands].filter(([name]) => name !== "GetAttachment").map(([name, { root }]) => [root, name]),
);

export const announcedHeaders: Readonly<Record<string, string>> = {
  "MS-ASProtocolVersions": announcedVersions.join(","),
  "MS-ASProtocolCommands": [...commands.keys()].join(","),
};

export interface ActiveSyncExchange {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly gone: AbortSignal;
  /** Where it is written down what was understood. */
  readonly entry: OpenEntry;
}

export type ActiveSyncAnswer = Answer | { readonly kind: "login" } | { readonly kind: "options" };

export function createActiveSyncServer(office: Office, lenient: boolean) {
  return async function answer(exchange: ActiveSyncExchange): Promise<ActiveSyncAnswer> {
    const { request, body, entry, gone } = exchange;
    const account = authenticate(request, office, lenient);
    if (account === undefined) return { kind: "login" };
    if (request.method === "OPTIONS") return { kind: "options" };
    if (request.method !== "POST" && !lenient) return { kind: "http", httpStatus: 501 };

    const query = readQuery(request, lenient);
    const version = isVersion(query?.version) ? query.version : lenient ? "14.1" : undefined;
    if (query === undefined || version === undefined) return { kind: "http", httpStatus: 400 };

    const root = readRoot(body);
    entry.root = root === "unreadable" ? undefined : root;
    // Like SOGo: the body says what is done. The URL is only asked where the body says nothing.
    const name =
      root === undefined || root === "unreadable" ? (query.command ?? "") : (rootNames.get(root.tag) ?? root.tag);
    const device = office.devices.device(account.name, query.deviceId);
    entry.understood = { account: account.name, deviceId: device.deviceId, command: name };
    if (root === "unreadable" && !takesMessage(name))
      return lenient ? { kind: "empty" } : { kind: "http", httpStatus: 400 };

    const phoneRequest: PhoneRequest = {
      account,
      device,
      version,
      query,
      root: root === "unreadable" ? undefined : root,
      body,
      gone,
    };
    return run(name, phoneRequest, office, lenient);
  };
}

async function run(name: string, request: PhoneRequest, office: Office, lenient: boolean): Promise<Answer> {
  const isYoung = name === "ItemOperations" || name === "Settings";
  const command = isYoung && !isSince(request.version, "12.0") ? undefined : commands.get(name);
  if (command === undefined) return lenient ? { kind: "empty" } : { kind: "http", httpStatus: 501 };
  const demand = provisioningDemand(name, request, office.provisioning);
  if (demand !== undefined) return commonStatus(request, command.root, command.status, demand);
  try {
    return await command.run(request, office);
  } catch (error) {
    // The document as such could be read, but not as what its root promises.
    if (error instanceof WbxmlError) return lenient ? { kind: "empty" } : { kind: "http", httpStatus: 400 };
    throw error;
  }
}

function authenticate({ headers }: IncomingMessage, { accounts }: Office, lenient: boolean): Account | undefined {
  const credential = readBasicCredential(headers.authorization);
  if (!lenient) return accounts.authenticate(credential);
  return accounts.find(credential?.login ?? "") ?? accounts.all()[0];
}

function readQuery({ url, headers }: IncomingMessage, lenient: boolean): PhoneQuery | undefined {
  const target = url ?? "";
  if (lenient) return readPhoneQueryLeniently(target, headers);
  const mark = target.indexOf("?");
  return mark < 0 ? undefined : readPhoneQuery(target.slice(mark + 1), headers);
}

function readRoot(body: Buffer): Element | "unreadable" | undefined {
  if (body.length === 0) return undefined;
  try {
    return decode(body);
  } catch (error) {
    if (error instanceof WbxmlError) return "unreadable";
    throw error;
  }
}

/** Up to 12.1 the body of these is a message and not a document. */
function takesMessage(command: string): boolean {
  return command === "SendMail" || command === "SmartReply" || command === "SmartForward";
}
