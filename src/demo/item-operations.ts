/** ItemOperations and GetAttachment (MS-ASCMD 2.2.1.10, 2.2.1.7): one whole item, or one attachment at the reader's pace. */
import { createHash } from "node:crypto";
import { child, element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { readBodyWish } from "./body-wish.ts";
import { folderClass, folderTypes, isUserFolder } from "./folder.ts";
import { itemProperties, readFileReference } from "./item-data.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Attachment } from "./message.ts";
import { attachmentPiece, bytesPiece, multipartAnswer, splicedAnswer, type Piece } from "./large-answer.ts";
import { elements, field, type Answer, type Office, isSince, type PhoneRequest } from "./phone-request.ts";

const OK = "1";
const DENIED = "3";
const ITEM_NOT_FOUND = "6";
const ATTACHMENT_INVALID = "15";
const ACTION_UNKNOWN = "156";

interface Writing {
  /** Of a multipart answer. Part 0 is the document. */
  readonly parts: Piece[];
  /** What the document stands for at that place, where everything goes into the document. */
  readonly marked: Map<string, Attachment>;
  readonly seed: string;
}

export function itemOperations(request: PhoneRequest, { seed }: Office): Answer {
  const writing: Writing = { parts: [], marked: new Map(), seed };
  const responses = elements(request.root)
    .map((operation) => operate(operation, request, writing))
    .filter((response) => response !== undefined);
  const root = element(
    "ItemOperations:ItemOperations",
    element("ItemOperations:Status", OK),
    element("ItemOperations:Response", responses),
  );
  if (request.query.multipart) return multipartAnswer(root, writing.parts);
  return writing.marked.size === 0 ? { kind: "document", root } : splicedAnswer(root, writing.marked);
}

function operate(operation: Element, request: PhoneRequest, writing: Writing): Element | undefined {
  const name: string = operation.tag;
  switch (name) {
    case "ItemOperations:Fetch":
      return fetch(operation, request, writing);
    case "ItemOperations:EmptyFolderContents":
      return emptyFolder(operation, request.account.mailbox);
    case "ItemOperations:Move":
      return element("ItemOperations:Move", element("ItemOperations:Status", ACTION_UNKNOWN));
    default:
      return undefined;
  }
}

function fetch(operation: Element, request: PhoneRequest, writing: Writing): Element {
  const reference = field(operation, "AirSyncBase:FileReference");
  return reference === undefined
    ? fetchItem(operation, request, writing)
    : fetchAttachment(reference, request, writing);
}

function fetchItem(operation: Element, { account, query, version }: PhoneRequest, writing: Writing): Element {
  const longId = field(operation, "Search:LongId");
  const id = longId ?? field(operation, "AirSync:ServerId") ?? "";
  const folderId = field(operation, "AirSync:CollectionId");
  const item = account.mailbox.item(id);
  const folder = item === undefined ? undefined : account.mailbox.folder(item.folderId);
  const names =
    longId === undefined
      ? [element("AirSync:CollectionId", folderId ?? ""), element("AirSync:ServerId", id)]
      : [element("Search:LongId", longId)];
  if (item === undefined || folder === undefined || (longId === undefined && item.folderId !== folderId)) {
    return element("ItemOperations:Fetch", element("ItemOperations:Status", ITEM_NOT_FOUND), names);
  }
  const wish = readBodyWish(child(operation, "ItemOperations:Options"));
  const part = query.multipart ? (bytes: Buffer): number => writing.parts.push(bytesPiece(bytes)) : undefined;
  return element(
    "ItemOperations:Fetch",
    element("ItemOperations:Status", OK),
    names,
    element("AirSync:Class", folderClass(folder)),
    element("ItemOperations:Properties", itemProperties(item, wish, version, part)),
  );
}

function fetchAttachment(reference: string, { account, query }: PhoneRequest, writing: Writing): Element {
  const attachment = findAttachment(reference, account.mailbox);
  const name = element("AirSyncBase:FileReference", reference);
  if (attachment === undefined) {
    return element("ItemOperations:Fetch", element("ItemOperations:Status", ATTACHMENT_INVALID), name);
  }
  return element(
    "ItemOperations:Fetch",
    element("ItemOperations:Status", OK),
    name,
    element(
      "ItemOperations:Properties",
      element("AirSyncBase:ContentType", attachment.contentType),
      query.multipart
        ? element("ItemOperations:Part", String(writing.parts.push(attachmentPiece(attachment))))
        : element("ItemOperations:Data", mark(attachment, writing)),
    ),
  );
}

/** Stands in the document for bytes that follow later. Nobody outside can write such a mark into a message. */
function mark(attachment: Attachment, { marked, seed }: Writing): string {
  const text = createHash("sha256").update(`${seed}\0mark${marked.size}`).digest("hex");
  marked.set(text, attachment);
  return text;
}

export function findAttachment(reference: string, mailbox: Mailbox): Attachment | undefined {
  const read = readFileReference(reference);
  const item = mailbox.item(read?.itemId ?? "");
  return item?.kind === "mail" ? item.message.attachments[read?.index ?? -1] : undefined;
}

function emptyFolder(operation: Element, mailbox: Mailbox): Element {
  const folderId = field(operation, "AirSync:CollectionId") ?? "";
  const folder = mailbox.folder(folderId);
  const answer = (status: string): Element =>
    element(
      "ItemOperations:EmptyFolderContents",
      element("ItemOperations:Status", status),
      element("AirSync:CollectionId", folderId),
    );
  // Emptying is for the bin and for what a person made; the inbox must not vanish by one command.
  if (folder === undefined) return answer(ITEM_NOT_FOUND);
  if (folder.type !== folderTypes.deleted && !isUserFolder(folder)) return answer(DENIED);
  for (const item of mailbox.items(folderId)) mailbox.remove(item.id);
  return answer(OK);
}

/** Up to 12.1: the attachment is the answer. */
export function getAttachment({ account, query, version }: PhoneRequest): Answer {
  if (isSince(version, "14.0")) return { kind: "http", httpStatus: 501 };
  const attachment = findAttachment(query.attachmentName ?? "", account.mailbox);
  if (attachment === undefined) return { kind: "http", httpStatus: 404 };
  const { contentType, sizeBytes, chunks } = attachment;
  return { kind: "stream", contentType, sizeBytes, chunks };
}
