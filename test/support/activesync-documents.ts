/** Documents as phones send them, and parts of the answers that they get: only what a test is about is named in it. */
import { element, textOf } from "../../src/activesync/document.ts";
import type { Part } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element, TagName } from "../../src/activesync/wbxml.ts";

/** The folders of the phone in these tests, with the types of MS-ASCMD 2.2.3.186.3. */
export const inbox = "5";
export const sent = "6";
export const projects = "7";
export const calendar = "8";
export const contacts = "9";
export const drafts = "3";
export const everyFolder: ReadonlyMap<string, number> = new Map([
  [inbox, 2],
  [sent, 5],
  [projects, 12],
  [calendar, 8],
  [contacts, 9],
  [drafts, 3],
]);

export interface CollectionParts {
  readonly key?: string;
  readonly id?: string;
  readonly class?: string;
  readonly getChanges?: "" | "0" | "1";
  readonly options?: readonly Part[];
  readonly commands?: readonly Element[];
}

/** One Collection of a Sync, in the order of MS-ASCMD 2.2.1.21. */
export function collection({ key, id, getChanges, options, commands, ...rest }: CollectionParts): Element {
  return element(
    "AirSync:Collection",
    optional("AirSync:Class", rest.class),
    optional("AirSync:SyncKey", key),
    optional("AirSync:CollectionId", id),
    getChanges === "" ? element("AirSync:GetChanges") : optional("AirSync:GetChanges", getChanges),
    options === undefined ? undefined : element("AirSync:Options", ...options),
    commands === undefined ? undefined : element("AirSync:Commands", ...commands),
  );
}

export function optional(tag: TagName, text: string | undefined): Element | undefined {
  return text === undefined ? undefined : element(tag, text);
}

export function syncOf(collections: readonly Element[], ...others: readonly Part[]): Element {
  return element("AirSync:Sync", element("AirSync:Collections", ...collections), ...others);
}

export function sync(...collections: readonly CollectionParts[]): Element {
  return syncOf(collections.map((parts) => collection(parts)));
}

export const wait = (minutes: string): Element => element("AirSync:Wait", minutes);
export const heartbeat = (seconds: string): Element => element("AirSync:HeartbeatInterval", seconds);

export const change = (serverId: string, ...data: readonly Element[]): Element =>
  element(
    "AirSync:Change",
    element("AirSync:ServerId", serverId),
    element("AirSync:ApplicationData", ...(data.length === 0 ? [element("Email:Read", "1")] : data)),
  );
export const remove = (serverId: string): Element => element("AirSync:Delete", element("AirSync:ServerId", serverId));
export const fetchOf = (serverId: string): Element => element("AirSync:Fetch", element("AirSync:ServerId", serverId));
export const addOf = (clientId: string): Element =>
  element(
    "AirSync:Add",
    element("AirSync:ClientId", clientId),
    element("AirSync:ApplicationData", element("Contacts:FirstName", "Dora")),
  );

/** What a Sync says of one folder, in the only order that all clients understand: key, id, status. */
export function answered(key: string, id: string, status: string, ...parts: readonly Part[]): Element {
  return element(
    "AirSync:Collection",
    element("AirSync:SyncKey", key),
    element("AirSync:CollectionId", id),
    element("AirSync:Status", status),
    ...parts,
  );
}

export function ping(
  heartbeatSeconds: string | undefined,
  ...folders: readonly (readonly [string, string])[]
): Element {
  return element(
    "Ping:Ping",
    optional("Ping:HeartbeatInterval", heartbeatSeconds),
    folders.length === 0
      ? undefined
      : element(
          "Ping:Folders",
          ...folders.map(([id, folderClass]) =>
            element("Ping:Folder", element("Ping:Id", id), element("Ping:Class", folderClass)),
          ),
        ),
  );
}

export function folderSync(key: string): Element {
  return element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", key));
}

export function estimateOf(...collections: readonly (readonly Part[])[]): Element {
  return element(
    "GetItemEstimate:GetItemEstimate",
    element(
      "GetItemEstimate:Collections",
      ...collections.map((parts) => element("GetItemEstimate:Collection", ...parts)),
    ),
  );
}

export function hex(document: Element): string {
  return encode(document).toString("hex");
}

/** A vector of the specification: white space in it means nothing. */
export function vector(text: string): string {
  return text.replaceAll(/\s/g, "");
}

export function fromHex(text: string): Element {
  return decode(Buffer.from(vector(text), "hex"));
}

/** Every element of that name, however deep, in the order of the document. */
export function everywhere(document: Element, tag: TagName): Element[] {
  const found = document.tag === tag ? [document] : [];
  for (const part of document.content) {
    if (typeof part === "object" && "tag" in part) found.push(...everywhere(part, tag));
  }
  return found;
}

/** The texts of all elements of that name. */
export function textsIn(document: Element, tag: TagName): string[] {
  return everywhere(document, tag).map(textOf);
}
