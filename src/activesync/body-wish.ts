/** In which form and how much of a message a phone wants (MS-ASAIRS 2.2.2.12; in 2.5 MS-ASCMD 2.2.3.185, 2.2.3.110, 2.2.3.111). */
import { children, has, text } from "./document.ts";
import type { VersionFeatures } from "./version.ts";
import type { Element } from "./wbxml.ts";

export interface BodyPreference {
  /** Plain text, HTML, or the whole message. */
  readonly type: "1" | "2" | "4";
  readonly truncationBytes: number | undefined;
  /** Nothing rather than a part. */
  readonly allOrNone: boolean;
  /** How much of the plain text is wanted beside it. */
  readonly previewCharacters: number;
}

export type BodyWish =
  /** From 12.0: in the order in which they are preferred; none stands for plain text, whole. `part` is the message part of 14.1. */
  | {
      readonly kind: "preferences";
      readonly preferences: readonly BodyPreference[];
      readonly part: BodyPreference | undefined;
    }
  /** In 2.5: as a whole message or as plain text, cut after so many characters. */
  | { readonly kind: "email"; readonly mime: boolean; readonly limitCharacters: number | undefined };

/** Servers give at most as much (MS-ASAIRS 2.2.2.35.1). */
const previewLimitCharacters = 255;

/** The codes of Truncation; 9, like every code that has no meaning, is "do not truncate". */
const truncationCharacters = [0, 512, 1024, 2048, 5120, 10_240, 20_480, 51_200, 102_400] as const;
/** The codes of MIMETruncation, of which 8 is "do not truncate". */
const mimeTruncationCharacters = [0, 4096, 5120, 7168, 10_240, 20_480, 51_200, 102_400] as const;

/** Rich text (3) is no form that a notice has: the next preference counts, and plain text where there is none. */
export function bodyWishOf(options: Element | undefined, features: VersionFeatures): BodyWish {
  if (!features.airSyncBase) return emailWish(options);
  const mimeSupport = options === undefined ? undefined : text(options, "AirSync:MIMESupport");
  const preferences = preferencesIn(options, "AirSyncBase:BodyPreference", features).filter(
    ({ type }) => type !== "4" || mimeSupport === "2",
  );
  const parts = features.bodyPart ? preferencesIn(options, "AirSyncBase:BodyPartPreference", features) : [];
  return { kind: "preferences", preferences, part: parts.find(({ type }) => type !== "4") };
}

/** The same form, but all of it: who fetches an item wants what a folder's options had cut off (MS-ASCMD 2.2.3.67.2). */
export function wholly(wish: BodyWish): BodyWish {
  if (wish.kind === "email") return { ...wish, limitCharacters: undefined };
  const preferences = wish.preferences.map((preference) => ({ ...preference, truncationBytes: undefined }));
  return { ...wish, preferences };
}

function preferencesIn(
  options: Element | undefined,
  tag: "AirSyncBase:BodyPreference" | "AirSyncBase:BodyPartPreference",
  features: VersionFeatures,
): BodyPreference[] {
  return (options === undefined ? [] : children(options, tag)).flatMap((preference) => {
    const type = text(preference, "AirSyncBase:Type");
    if (type !== "1" && type !== "2" && type !== "4") return [];
    const preview = features.preview ? numberIn(preference, "AirSyncBase:Preview") : undefined;
    return [
      {
        type,
        truncationBytes: numberIn(preference, "AirSyncBase:TruncationSize"),
        allOrNone: text(preference, "AirSyncBase:AllOrNone") === "1",
        previewCharacters: Math.min(preview ?? 0, previewLimitCharacters),
      },
    ];
  });
}

function numberIn(
  parent: Element,
  tag: "AirSyncBase:TruncationSize" | "AirSyncBase:Preview" | "AirSync:Truncation" | "AirSync:MIMETruncation",
): number | undefined {
  const written = text(parent, tag);
  return written !== undefined && /^\d{1,10}$/.test(written) ? Number(written) : undefined;
}

/** MIMESupport 1 is for signed and encrypted mail only, which a notice is not. */
function emailWish(options: Element | undefined): BodyWish {
  const mime = options !== undefined && text(options, "AirSync:MIMESupport") === "2";
  const code =
    options === undefined ? undefined : numberIn(options, mime ? "AirSync:MIMETruncation" : "AirSync:Truncation");
  const limits = mime ? mimeTruncationCharacters : truncationCharacters;
  return { kind: "email", mime, limitCharacters: code === undefined ? undefined : limits[code] };
}

/** Whether anything in the request may be answered in MIME, which is composed only then. */
export function mayWantMime(document: Element): boolean {
  const open: Element[] = [document];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.tag === "AirSyncBase:BodyPreference" && text(next, "AirSyncBase:Type") === "4") return true;
    // The one way to say it in 2.5.
    const saysMore = has(next, "AirSyncBase:BodyPreference");
    if (next.tag === "AirSync:Options" && !saysMore && text(next, "AirSync:MIMESupport") === "2") return true;
    for (const part of next.content) if (typeof part === "object" && "tag" in part) open.push(part);
  }
  return false;
}

/**
 * What a Fetch wants stands in its own Options (MS-ASCMD 2.2.3.125.2), what a Sync wants in the Collection's. A phone that
 * keeps its text messages in the Inbox too sends Options for them besides those for mail.
 */
export function optionsIn(parent: Element, tag: "AirSync:Options" | "ItemOperations:Options"): Element | undefined {
  return children(parent, tag).find((options) => text(options, "AirSync:Class") !== "SMS");
}
