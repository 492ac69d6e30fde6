/** What a phone uploads inside a Sync: changes, deletions, new entries, and requests for one whole item. */
import { child, element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { CollectionOptions } from "./devices.ts";
import { folderClass, folderTypes, type Folder } from "./folder.ts";
import { itemProperties } from "./item-data.ts";
import type { Item, ItemContent, Mailbox } from "./mailbox.ts";
import { elements, field, isSince, type Version } from "./phone-request.ts";
import { mergeFields } from "./sync-changes.ts";

export interface Upload {
  readonly mailbox: Mailbox;
  readonly folder: Folder;
  readonly deletesAsMoves: boolean;
  readonly options: CollectionOptions;
  readonly version: Version;
  /** Entries that an earlier try of the same upload has made, by the phone's name for them. */
  readonly alreadyAdded: ReadonlyMap<string, string>;
  /** A message that is being written, from what the phone says of it. */
  readonly draftOf: (data: Element) => ItemContent;
}

export interface UploadResult {
  /** Only what must be said: a phone takes silence about a change or a deletion for success. */
  readonly responses: readonly Element[];
  readonly known: ReadonlyMap<string, number>;
  readonly added: ReadonlyMap<string, string>;
}

const OK = "1";
const MALFORMED = "6";
const NOT_FOUND = "8";

export function applyUploads(
  commands: readonly Element[],
  known: ReadonlyMap<string, number>,
  upload: Upload,
): UploadResult {
  const after = new Map(known);
  const added = new Map<string, string>();
  const responses: Element[] = [];
  for (const command of commands) {
    const response = applyOne(command, after, added, upload);
    if (response !== undefined) responses.push(response);
  }
  return { responses, known: after, added };
}

function applyOne(
  command: Element,
  known: Map<string, number>,
  added: Map<string, string>,
  upload: Upload,
): Element | undefined {
  const name: string = command.tag;
  switch (name) {
    case "AirSync:Add":
      return applyAdd(command, known, added, upload);
    case "AirSync:Change":
      return applyChange(command, known, upload);
    case "AirSync:Delete":
      return applyDelete(command, known, upload);
    case "AirSync:Fetch":
      return fetchOne(command, upload);
    default:
      return undefined;
  }
}

function applyAdd(
  command: Element,
  known: Map<string, number>,
  added: Map<string, string>,
  { mailbox, folder, alreadyAdded, version, draftOf }: Upload,
): Element {
  const clientId = field(command, "AirSync:ClientId") ?? "";
  const data = child(command, "AirSync:ApplicationData");
  const answer = (status: string, serverId?: string): Element =>
    element(
      "AirSync:Add",
      element("AirSync:ClientId", clientId),
      serverId === undefined ? undefined : element("AirSync:ServerId", serverId),
      element("AirSync:Status", status),
    );
  // Mail is written with SendMail; only from version 16 on may a draft be added.
  const takesDrafts = folder.type === folderTypes.drafts && isSince(version, "16.0");
  if ((folderClass(folder) === "Email" && !takesDrafts) || clientId === "" || data === undefined)
    return answer(MALFORMED);
  const earlier = mailbox.item(alreadyAdded.get(clientId) ?? "");
  const item =
    earlier ?? mailbox.add(folder.id, takesDrafts ? draftOf(data) : { kind: "card", fields: elements(data) });
  known.set(item.id, item.revision);
  added.set(clientId, item.id);
  return answer(OK, item.id);
}

function applyChange(command: Element, known: Map<string, number>, { mailbox, folder }: Upload): Element | undefined {
  const item = itemOf(command, mailbox, folder);
  const data = child(command, "AirSync:ApplicationData");
  if (item === undefined || data === undefined) return refusal(command, item === undefined ? NOT_FOUND : MALFORMED);
  const changed = mailbox.replace(
    item.id,
    item.kind === "card" ? { ...item, fields: mergeFields(item.fields, data) } : changeMail(item, data),
  );
  // The phone knows what it has just told us, so this change does not come back to it.
  if (changed !== undefined) known.set(changed.id, changed.revision);
  return undefined;
}

function changeMail(item: Extract<Item, { kind: "mail" }>, data: Element): Extract<Item, { kind: "mail" }> {
  const read = field(data, "Email:Read");
  const flag = child(data, "Email:Flag");
  const categories = child(data, "Email:Categories");
  return {
    ...item,
    read: read === undefined ? item.read : read === "1",
    flag: flag === undefined ? item.flag : flag.content.length === 0 ? undefined : flag,
    categories:
      categories === undefined
        ? item.categories
        : elements(categories).map(
            (category) => field({ tag: "Email:Categories", content: [category] }, "Email:Category") ?? "",
          ),
  };
}

function applyDelete(
  command: Element,
  known: Map<string, number>,
  { mailbox, folder, deletesAsMoves }: Upload,
): Element | undefined {
  const item = itemOf(command, mailbox, folder);
  if (item === undefined) return refusal(command, NOT_FOUND);
  const isMail = folderClass(folder) === "Email";
  if (isMail && deletesAsMoves && folder.type !== folderTypes.deleted)
    mailbox.move(item.id, mailbox.special("deleted").id);
  else mailbox.remove(item.id);
  known.delete(item.id);
  return undefined;
}

function fetchOne(command: Element, { mailbox, folder, options, version }: Upload): Element {
  const item = itemOf(command, mailbox, folder);
  if (item === undefined) return refusal(command, NOT_FOUND);
  return element(
    "AirSync:Fetch",
    element("AirSync:ServerId", item.id),
    element("AirSync:Status", OK),
    element("AirSync:ApplicationData", itemProperties(item, options.body, version)),
  );
}

function itemOf(command: Element, mailbox: Mailbox, folder: Folder): Item | undefined {
  const item = mailbox.item(field(command, "AirSync:ServerId") ?? "");
  return item?.folderId === folder.id ? item : undefined;
}

function refusal({ tag, content }: Element, status: string): Element {
  const serverId = field({ tag, content }, "AirSync:ServerId") ?? "";
  return element(tag, element("AirSync:ServerId", serverId), element("AirSync:Status", status));
}
