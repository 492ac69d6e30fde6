/** In which form a phone wants to read a body (MS-ASAIRS, BodyPreference), and the body in that form. */
import { children, element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { htmlFromText, type Message } from "./message.ts";
import { messageSource } from "./mime-writer.ts";
import { field, isSince, type Version } from "./phone-request.ts";

export const bodyTypes = { text: 1, html: 2, mime: 4 } as const;
type BodyType = (typeof bodyTypes)[keyof typeof bodyTypes];

interface BodyPreference {
  readonly type: number;
  readonly truncationBytes: number | undefined;
  readonly allOrNone: boolean;
  readonly previewCharacters: number;
}

export interface BodyWish {
  readonly preferences: readonly BodyPreference[];
  readonly mimeSupport: number;
  /** The codes by which 2.5 says how much it wants. */
  readonly truncation: number | undefined;
  readonly mimeTruncation: number | undefined;
}

const MIME_FOR_ALL = 2;
const PREVIEW_LIMIT_CHARACTERS = 255;

/** Reads the Options of a Sync, an ItemOperations or a Search: they spell it alike. */
export function readBodyWish(options: Element | undefined): BodyWish {
  const preferences = options === undefined ? [] : children(options, "AirSyncBase:BodyPreference");
  return {
    preferences: preferences.map((preference) => ({
      type: Number(field(preference, "AirSyncBase:Type")),
      truncationBytes: optionalNumber(field(preference, "AirSyncBase:TruncationSize")),
      allOrNone: field(preference, "AirSyncBase:AllOrNone") === "1",
      previewCharacters: Math.min(Number(field(preference, "AirSyncBase:Preview") ?? 0), PREVIEW_LIMIT_CHARACTERS),
    })),
    mimeSupport: Number(field(options, "AirSync:MIMESupport") ?? 0),
    truncation: optionalNumber(field(options, "AirSync:Truncation")),
    mimeTruncation: optionalNumber(field(options, "AirSync:MIMETruncation")),
  };
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

const defaultPreference = { type: bodyTypes.text, truncationBytes: undefined, allOrNone: false, previewCharacters: 0 };

function choose(wish: BodyWish): Omit<BodyPreference, "type"> & { readonly type: BodyType } {
  for (const preference of wish.preferences) {
    if (preference.type === bodyTypes.text) return { ...preference, type: bodyTypes.text };
    if (preference.type === bodyTypes.html) return { ...preference, type: bodyTypes.html };
    // A phone that lists MIME among others says by MIMESupport whether it means it; one that lists nothing else means it.
    const means = wish.mimeSupport === MIME_FOR_ALL || wish.preferences.length === 1;
    if (preference.type === bodyTypes.mime && means) return { ...preference, type: bodyTypes.mime };
  }
  return defaultPreference;
}

function render(message: Message, type: BodyType): Buffer {
  switch (type) {
    case bodyTypes.text:
      return Buffer.from(message.text.replaceAll(/\r?\n/g, "\r\n"));
    case bodyTypes.html:
      return Buffer.from(message.html ?? htmlFromText(message.text));
    case bodyTypes.mime:
      return messageSource(message);
  }
}

/** Puts bytes aside for a multipart answer and returns the number of the part. */
export type PartWriter = (bytes: Buffer) => number;

export function bodyElement(message: Message, wish: BodyWish, version: Version, part?: PartWriter): Element {
  const { type, truncationBytes, allOrNone, previewCharacters } = choose(wish);
  const whole = render(message, type);
  const truncated = truncationBytes !== undefined && truncationBytes < whole.length;
  const bytes = truncated ? cutAtCharacter(whole, truncationBytes) : whole;
  const withData = !(truncated && allOrNone);
  const withPreview = isSince(version, "14.0") && previewCharacters > 0;
  const preview = withPreview ? message.text.slice(0, previewCharacters) : undefined;
  return element(
    "AirSyncBase:Body",
    element("AirSyncBase:Type", String(type)),
    element("AirSyncBase:EstimatedDataSize", String(whole.length)),
    element("AirSyncBase:Truncated", truncated ? "1" : "0"),
    withData ? dataElement(bytes, part) : undefined,
    preview === undefined ? undefined : element("AirSyncBase:Preview", preview),
  );
}

function dataElement(bytes: Buffer, part: PartWriter | undefined): Element {
  if (part !== undefined) return element("ItemOperations:Part", String(part(bytes)));
  return element("AirSyncBase:Data", bytes.toString("utf8"));
}

// MS-ASCMD, Truncation and MIMETruncation: the first code is "nothing", and one past the last is "everything".
const truncationBytes = [0, 512, 1024, 2048, 5120, 10_240, 20_480, 51_200, 102_400];
const mimeTruncationBytes = [0, 4096, 5120, 7168, 10_240, 20_480, 51_200, 102_400];

/** Before 12.0 a body has elements of its own in Email: the text, or the whole message for those who want all mail so. */
export function emailBody(message: Message, wish: BodyWish): readonly Element[] {
  const asMime = wish.mimeSupport === MIME_FOR_ALL;
  const whole = render(message, asMime ? bodyTypes.mime : bodyTypes.text);
  const code = asMime ? wish.mimeTruncation : wish.truncation;
  const limit = (asMime ? mimeTruncationBytes : truncationBytes)[code ?? -1] ?? whole.length;
  const truncated = limit < whole.length;
  const data = (truncated ? cutAtCharacter(whole, limit) : whole).toString("utf8");
  const flag = truncated ? "1" : "0";
  const size = String(whole.length);
  return asMime
    ? [element("Email:MIMETruncated", flag), element("Email:MIMEData", data), element("Email:MIMESize", size)]
    : [element("Email:Body", data), element("Email:BodySize", size), element("Email:BodyTruncated", flag)];
}

/** Not in the middle of a character: the phone would show a replacement mark. */
function cutAtCharacter(bytes: Buffer, limitBytes: number): Buffer {
  let end = limitBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
