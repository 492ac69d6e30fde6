/** The notice as an item of a mail folder (MS-ASEMAIL 2.2.2, MS-ASAIRS 2.2.2.9): the same bytes whenever it is asked for. */
import { createHash } from "node:crypto";
import type { Notice } from "../notice/notice.ts";
import { children, element, has, text } from "./document.ts";
import type { VersionFeatures } from "./version.ts";
import type { Element } from "./wbxml.ts";

export interface NoticeItem {
  readonly notice: Notice;
  /** RFC 5322 text, where the phone asks for it. */
  readonly mime: string | undefined;
  readonly to: string;
  /** When this revision was first worded for this device. */
  readonly at: Date;
}

/** What the phone wants of a body (MS-ASAIRS 2.2.2.12). */
export interface BodyWish {
  readonly type: "1" | "2" | "4";
  readonly truncationBytes: number | undefined;
  readonly allOrNone: boolean;
}

/** The first preference that can be met. Without one it is plain text; rich text (3) is answered with plain text. */
export function bodyWishOf(options: Element | undefined): BodyWish {
  const mimeSupport = options === undefined ? undefined : text(options, "AirSync:MIMESupport");
  for (const preference of options === undefined ? [] : children(options, "AirSyncBase:BodyPreference")) {
    const type = text(preference, "AirSyncBase:Type");
    if (type !== "1" && type !== "2" && !(type === "4" && mimeSupport === "2")) continue;
    const size = text(preference, "AirSyncBase:TruncationSize");
    return {
      type,
      truncationBytes: size !== undefined && /^\d{1,10}$/.test(size) ? Number(size) : undefined,
      allOrNone: text(preference, "AirSyncBase:AllOrNone") === "1",
    };
  }
  return { type: "1", truncationBytes: undefined, allOrNone: false };
}

/** Whether anything in the request may be answered in MIME, which is composed only then. */
export function mayWantMime(document: Element): boolean {
  const open: Element[] = [document];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.tag === "AirSyncBase:BodyPreference" && text(next, "AirSyncBase:Type") === "4") return true;
    for (const part of next.content) if (typeof part === "object" && "tag" in part) open.push(part);
  }
  return false;
}

export function applicationData(item: NoticeItem, wish: BodyWish, features: VersionFeatures): Element[] {
  const { notice, to, at } = item;
  return [
    element("Email:To", to),
    element("Email:From", mailboxText(notice.from)),
    element("Email:Subject", notice.subject),
    element("Email:DateReceived", at.toISOString()),
    element("Email:DisplayTo", to),
    element("Email:ThreadTopic", notice.subject),
    element("Email:Importance", "2"),
    element("Email:Read", "0"),
    bodyOf(item, wish),
    element("Email:MessageClass", "IPM.Note"),
    element("Email:InternetCPID", "65001"),
    element("Email:Flag"),
    element("Email:ContentClass", "urn:content-classes:message"),
    element("AirSyncBase:NativeBodyType", wish.type === "1" ? "1" : "2"),
    ...(features.conversations ? conversation(item) : []),
  ];
}

function bodyOf({ notice, mime }: NoticeItem, { type, truncationBytes, allOrNone }: BodyWish): Element {
  const whole = type === "4" && mime !== undefined ? mime : type === "2" ? notice.html : notice.text;
  const sizeBytes = Buffer.byteLength(whole);
  const fits = truncationBytes === undefined || sizeBytes <= truncationBytes;
  const data = fits ? whole : allOrNone ? undefined : cutText(whole, truncationBytes);
  return element(
    "AirSyncBase:Body",
    element("AirSyncBase:Type", type === "4" && mime === undefined ? "1" : type),
    element("AirSyncBase:EstimatedDataSize", String(sizeBytes)),
    element("AirSyncBase:Truncated", fits ? "0" : "1"),
    data === undefined ? undefined : element("AirSyncBase:Data", data),
  );
}

/** The longest start of the text that fits, without half a character at its end. */
function cutText(whole: string, limitBytes: number): string {
  const bytes = Buffer.from(whole).subarray(0, limitBytes);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: true });
}

/** All notices for one device are one conversation; the index orders them by time (MS-ASCON 2.2.2.3, 2.2.2.4). */
function conversation({ notice, to, at }: NoticeItem): Element[] {
  const id = createHash("sha256").update(`${notice.from.address} ${to}`).digest().subarray(0, 16);
  // The header holds the upper five bytes of the time in units of 100 ns since 1601.
  const fileTime = (BigInt(at.getTime()) + 11_644_473_600_000n) * 10_000n;
  const index = Buffer.alloc(8);
  index.writeBigUInt64BE(fileTime);
  return [element("Email2:ConversationId", id), element("Email2:ConversationIndex", index.subarray(0, 5))];
}

function mailboxText({ name, address }: Notice["from"]): string {
  return `"${name.replaceAll(/["\\]/g, "")}" <${address}>`;
}

/**
 * The BodyPreference of a Fetch stands in its own Options (MS-ASCMD 2.2.3.125.2), that of a Sync in the Collection's. A phone
 * that keeps its text messages in the Inbox too sends Options for them besides those for mail.
 */
export function optionsIn(parent: Element, tag: "AirSync:Options" | "ItemOperations:Options"): Element | undefined {
  return children(parent, tag).find(
    (options) => has(options, "AirSyncBase:BodyPreference") && text(options, "AirSync:Class") !== "SMS",
  );
}
