/** What the phone keeps of an item that the server sends: as much as its lists show. */
import { child } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { textOfHtml } from "./html.ts";
import type { FolderClass } from "./mailbox.ts";
import type { Item, MessageItem } from "./state.ts";

// The phone asks for less; a server that sends whole bodies anyway does not fill the state file with them.
const textKept = 16 * 1024;
// Longer than any that was written by a person.
const lineKept = 2000;

export interface Body {
  readonly type: "text" | "html" | "mime" | "other";
  readonly data: string;
  readonly truncated: boolean;
}

/** `before` is the item as it was: a Change brings only what has changed. */
export function readItem(kind: FolderClass, id: string, data: Element, before: Item | undefined): Item {
  switch (kind) {
    case "Email":
      return readMessage(id, data, before?.kind === "message" ? before : undefined);
    case "Calendar":
      return {
        kind: "event",
        id,
        subject: looseText(data, "Calendar:Subject") ?? (before?.kind === "event" ? before.subject : ""),
        start: calendarTime(data, "Calendar:StartTime") ?? (before?.kind === "event" ? before.start : ""),
        end: calendarTime(data, "Calendar:EndTime") ?? (before?.kind === "event" ? before.end : ""),
        location: readLocation(data) ?? (before?.kind === "event" ? before.location : ""),
      };
    case "Contacts": {
      const parts = [looseText(data, "Contacts:FirstName"), looseText(data, "Contacts:LastName")];
      const name = parts.filter((part) => part !== undefined && part !== "").join(" ");
      const shown = name === "" ? looseText(data, "Contacts:FileAs") : name;
      return {
        kind: "contact",
        id,
        name: shown ?? (before?.kind === "contact" ? before.name : ""),
        email: looseText(data, "Contacts:Email1Address") ?? (before?.kind === "contact" ? before.email : ""),
      };
    }
    case "Tasks":
      return { kind: "other", id, title: looseText(data, "Tasks:Subject") ?? "" };
    case "Notes":
      return { kind: "other", id, title: looseText(data, "Notes:Subject") ?? "" };
    case "other":
      return { kind: "other", id, title: "" };
  }
}

function readMessage(id: string, data: Element, before: MessageItem | undefined): MessageItem {
  const body = readBody(data);
  const from = line(data, "Email:From");
  const read = looseText(data, "Email:Read");
  return {
    kind: "message",
    id,
    subject: line(data, "Email:Subject") ?? before?.subject ?? "",
    from: from === undefined ? (before?.from ?? { name: "", address: "" }) : readAddress(from),
    to: line(data, "Email:To") ?? before?.to ?? "",
    date: looseText(data, "Email:DateReceived") ?? before?.date ?? "",
    read: read === undefined ? (before?.read ?? false) : read === "1",
    text: body === undefined ? (before?.text ?? "") : plainText(body).slice(0, textKept),
    truncated: body === undefined ? (before?.truncated ?? false) : body.truncated,
  };
}

/** The body in any of the ways that servers send one: AirSyncBase from 12.0, the Email page before. */
export function readBody(data: Element): Body | undefined {
  const body = child(data, "AirSyncBase:Body");
  if (body !== undefined) {
    return {
      type: bodyTypes.get(looseText(body, "AirSyncBase:Type") ?? "1") ?? "other",
      data: looseText(body, "AirSyncBase:Data") ?? "",
      truncated: looseText(body, "AirSyncBase:Truncated") === "1",
    };
  }
  const text = looseText(data, "Email:Body");
  if (text !== undefined)
    return { type: "text", data: text, truncated: looseText(data, "Email:BodyTruncated") === "1" };
  const mime = looseText(data, "Email:MIMEData");
  if (mime === undefined) return undefined;
  return { type: "mime", data: mime, truncated: looseText(data, "Email:MIMETruncated") === "1" };
}

const bodyTypes = new Map<string, Body["type"]>([
  ["1", "text"],
  ["2", "html"],
  ["4", "mime"],
]);

/** What there is to read. Of a mail in its own format only what follows its head: the phone is no MIME reader. */
export function plainText(body: Body): string {
  const text = body.data.replaceAll("\r\n", "\n");
  switch (body.type) {
    case "html":
      return textOfHtml(text);
    case "mime":
      return text.includes("\n\n") ? text.slice(text.indexOf("\n\n") + 2) : text;
    case "text":
    case "other":
      return text;
  }
}

/** `"Carol Clerk" <carol@example.com>`, `Carol <carol@example.com>`, or the bare address. */
function readAddress(text: string): { name: string; address: string } {
  const parts = /^\s*(.*?)\s*<([^<>]*)>\s*$/su.exec(text);
  if (parts === null) return { name: "", address: text.trim() };
  const name = (parts[1] ?? "").replace(/^"(.*)"$/su, "$1").replace(/\\(.)/gsu, "$1");
  return { name, address: parts[2] ?? "" };
}

/** Calendars write `20261201T090000Z` (MS-ASDTYPE 2.7.5); the phone keeps all times in one form. */
function calendarTime(data: Element, tag: "Calendar:StartTime" | "Calendar:EndTime"): string | undefined {
  const value = looseText(data, tag);
  return value?.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u, "$1-$2-$3T$4:$5:$6.000Z");
}

function readLocation(data: Element): string | undefined {
  const location = child(data, "AirSyncBase:Location");
  return location === undefined ? looseText(data, "Calendar:Location") : looseText(location, "AirSyncBase:DisplayName");
}

function line(parent: Element, tag: Element["tag"]): string | undefined {
  return looseText(parent, tag)?.slice(0, lineKept);
}

/** A person looks at this text, nothing is decided by it: the first of several, and bytes as far as they are readable. */
function looseText(parent: Element, tag: Element["tag"]): string | undefined {
  const found = child(parent, tag);
  if (found === undefined) return undefined;
  const pieces = found.content.map((part) => {
    if (typeof part === "string") return part;
    return part instanceof Uint8Array ? Buffer.from(part).toString("utf8") : "";
  });
  return pieces.join("");
}
