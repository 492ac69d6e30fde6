/** The notice as an item of a mail folder (MS-ASEMAIL 2.2.2, MS-ASAIRS 2.2.2.9): the same bytes whenever it is asked for. */
import { createHash } from "node:crypto";
import type { Notice } from "../notice/notice.ts";
import type { BodyPreference, BodyWish } from "./body-wish.ts";
import { element } from "./document.ts";
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
    ...(wish.kind === "email" ? emailContent(item, wish) : airSyncBaseContent(item, wish)),
    ...(features.conversations ? conversation(item) : []),
  ];
}

/** As 2.5 has it: no flag, no class of content, and nothing of AirSyncBase. */
function emailContent(
  { notice, mime }: NoticeItem,
  { mime: wantsMime, limitCharacters }: Extract<BodyWish, { kind: "email" }>,
): Element[] {
  const asMime = wantsMime && mime !== undefined;
  const whole = asMime ? mime : notice.text;
  const kept = limitCharacters === undefined ? whole : beginningOf(whole, limitCharacters);
  const size = String(Buffer.byteLength(whole));
  const truncated = kept === whole ? "0" : "1";
  return [
    ...(asMime
      ? [element("Email:MIMETruncated", truncated), element("Email:MIMEData", kept), element("Email:MIMESize", size)]
      : [element("Email:Body", kept), element("Email:BodySize", size), element("Email:BodyTruncated", truncated)]),
    element("Email:MessageClass", "IPM.Note"),
    element("Email:InternetCPID", "65001"),
  ];
}

const plainText: BodyPreference = { type: "1", truncationBytes: undefined, allOrNone: false, previewCharacters: 0 };

function airSyncBaseContent(item: NoticeItem, wish: Extract<BodyWish, { kind: "preferences" }>): Element[] {
  const preference = choose(item, wish.preferences);
  return [
    element("AirSyncBase:Body", ...bodyParts(item, preference)),
    // 1: it could be read (MS-ASAIRS 2.2.2.37). The notice answers nothing, so the part that was added is all of it.
    ...(wish.part === undefined
      ? []
      : [element("AirSyncBase:BodyPart", element("AirSyncBase:Status", "1"), ...bodyParts(item, wish.part))]),
    element("Email:MessageClass", "IPM.Note"),
    element("Email:InternetCPID", "65001"),
    element("Email:Flag"),
    element("Email:ContentClass", "urn:content-classes:message"),
    element("AirSyncBase:NativeBodyType", preference.type === "1" ? "1" : "2"),
  ];
}

/** The first that is preferred; one that must be whole and does not fit gives way to the next (MS-ASAIRS 2.2.2.3.2). */
function choose(item: NoticeItem, preferences: readonly BodyPreference[]): BodyPreference {
  const fitting = preferences.find(
    (preference) => !preference.allOrNone || fits(wholeOf(item, preference), preference),
  );
  return fitting ?? preferences[0] ?? plainText;
}

function wholeOf({ notice, mime }: NoticeItem, { type }: BodyPreference): string {
  return type === "4" && mime !== undefined ? mime : type === "2" ? notice.html : notice.text;
}

function fits(whole: string, { truncationBytes }: BodyPreference): boolean {
  return truncationBytes === undefined || Buffer.byteLength(whole) <= truncationBytes;
}

function bodyParts(item: NoticeItem, preference: BodyPreference): (Element | undefined)[] {
  const { type, truncationBytes, allOrNone, previewCharacters } = preference;
  const whole = wholeOf(item, preference);
  const data =
    truncationBytes === undefined || fits(whole, preference)
      ? whole
      : allOrNone
        ? undefined
        : cutText(whole, truncationBytes);
  return [
    element("AirSyncBase:Type", type === "4" && item.mime === undefined ? "1" : type),
    element("AirSyncBase:EstimatedDataSize", String(Buffer.byteLength(whole))),
    element("AirSyncBase:Truncated", data === whole ? "0" : "1"),
    data === undefined ? undefined : element("AirSyncBase:Data", data),
    previewCharacters === 0
      ? undefined
      : element("AirSyncBase:Preview", beginningOf(item.notice.text, previewCharacters)),
  ];
}

/** So many characters, none of them cut in half. */
function beginningOf(whole: string, characters: number): string {
  let beginning = "";
  let left = characters;
  for (const character of whole) {
    if (left === 0) break;
    beginning += character;
    left -= 1;
  }
  return beginning;
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
