/** An item as a phone gets it: the properties inside ApplicationData (MS-ASEMAIL, MS-ASCAL, MS-ASCNTC, MS-ASTASK). */
import { createHash } from "node:crypto";
import { element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { bodyElement, bodyTypes, emailBody, type BodyWish, type PartWriter } from "./body-wish.ts";
import type { Item, MailItem } from "./mailbox.ts";
import { displayName, formatAddresses, type Attachment, type Importance, type Message } from "./message.ts";
import { isSince, type Version } from "./phone-request.ts";

const importanceNumbers: Readonly<Record<Importance, string>> = { low: "0", normal: "1", high: "2" };

export function itemProperties(item: Item, wish: BodyWish, version: Version, part?: PartWriter): readonly Element[] {
  return item.kind === "mail" ? mailProperties(item, wish, version, part) : item.fields;
}

function mailProperties(
  item: MailItem,
  wish: BodyWish,
  version: Version,
  part: PartWriter | undefined,
): readonly Element[] {
  const { message } = item;
  const cc = message.cc.length === 0 ? [] : [element("Email:Cc", formatAddresses(message.cc))];
  return [
    element("Email:To", formatAddresses(message.to)),
    ...cc,
    element("Email:From", formatAddresses([message.from])),
    element("Email:Subject", message.subject),
    element("Email:DateReceived", message.receivedAt.toISOString()),
    element("Email:DisplayTo", message.to.map(displayName).join("; ")),
    element("Email:ThreadTopic", threadTopic(message.subject)),
    element("Email:Importance", importanceNumbers[message.importance]),
    element("Email:Read", item.read ? "1" : "0"),
    ...(isSince(version, "12.0") ? content(item, wish, version, part) : contentBefore12(message, wish)),
    ...(isSince(version, "14.0") ? conversation(item) : []),
  ];
}

/** As 2.5 has it: no flag and no category, and nothing of AirSyncBase. Its attachments nobody has asked for yet. */
function contentBefore12(message: Message, wish: BodyWish): readonly Element[] {
  return [
    ...emailBody(message, wish),
    element("Email:MessageClass", "IPM.Note"),
    element("Email:InternetCPID", "65001"),
  ];
}

function content(item: MailItem, wish: BodyWish, version: Version, part: PartWriter | undefined): readonly Element[] {
  const { message } = item;
  const attachments = message.attachments.map((attachment, index) => attachmentElement(item, attachment, index));
  return [
    ...(attachments.length === 0 ? [] : [element("AirSyncBase:Attachments", attachments)]),
    bodyElement(message, wish, version, part),
    element("Email:MessageClass", "IPM.Note"),
    element("Email:InternetCPID", "65001"),
    item.flag ?? element("Email:Flag"),
    element("Email:ContentClass", "urn:content-classes:message"),
    element("AirSyncBase:NativeBodyType", String(message.html === undefined ? bodyTypes.text : bodyTypes.html)),
    ...(item.categories.length === 0 ? [] : [categoriesElement(item)]),
  ];
}

/** What can change about a message that a phone already has. Its text cannot, so it is not sent again. */
export function changedProperties(item: Item, wish: BodyWish, version: Version): readonly Element[] {
  if (item.kind === "card") return itemProperties(item, wish, version);
  if (!isSince(version, "12.0")) return [element("Email:Read", item.read ? "1" : "0")];
  return [element("Email:Read", item.read ? "1" : "0"), item.flag ?? element("Email:Flag"), categoriesElement(item)];
}

function categoriesElement({ categories }: MailItem): Element {
  return element(
    "Email:Categories",
    categories.map((category) => element("Email:Category", category)),
  );
}

function attachmentElement(item: MailItem, attachment: Attachment, index: number): Element {
  return element(
    "AirSyncBase:Attachment",
    element("AirSyncBase:DisplayName", attachment.name),
    element("AirSyncBase:FileReference", fileReference(item, index)),
    element("AirSyncBase:Method", "1"),
    element("AirSyncBase:EstimatedDataSize", String(attachment.sizeBytes)),
  );
}

function fileReference({ id }: MailItem, index: number): string {
  return `${id}:${index}`;
}

export function readFileReference(reference: string): { readonly itemId: string; readonly index: number } | undefined {
  const match = /^(\d+:\d+):(\d{1,4})$/.exec(reference);
  return match === null ? undefined : { itemId: match[1] ?? "", index: Number(match[2]) };
}

function threadTopic(subject: string): string {
  return subject.replace(/^(?:(?:re|fw|fwd|aw|wg):\s*)+/i, "");
}

/** From 14.0 both are required (MS-ASEMAIL, ConversationId and ConversationIndex); what is said in one conversation shares the topic. */
function conversation({ message }: MailItem): readonly Element[] {
  const id = createHash("sha256").update(threadTopic(message.subject).toLowerCase()).digest().subarray(0, 16);
  // A file time without its three low bytes, which is what five bytes hold of it.
  const fileTime = (BigInt(message.receivedAt.getTime()) + 11_644_473_600_000n) * 10_000n;
  const index = Buffer.alloc(8);
  index.writeBigUInt64BE(fileTime);
  return [element("Email2:ConversationId", id), element("Email2:ConversationIndex", index.subarray(0, 5))];
}
