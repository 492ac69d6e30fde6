/** The lists that a person sees on the phone. */
import { classOf, inboxOf, type FolderClass } from "./mailbox.ts";
import type { FolderState, Item, MessageItem, PhoneState } from "./state.ts";

export interface InboxMessage {
  readonly folder: string;
  readonly id: string;
  readonly subject: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly to: string;
  /** ISO 8601, or empty where the server gave none. */
  readonly date: string;
  readonly read: boolean;
  /** The beginning of the text, on one line. */
  readonly preview: string;
}

export interface FolderEntry {
  readonly id: string;
  readonly name: string;
  readonly parent: string;
  readonly type: number;
  readonly class: FolderClass;
  readonly items: number;
  readonly unread: number;
  readonly syncKey: string;
  readonly resets: number;
}

export interface EventEntry {
  readonly subject: string;
  readonly start: string;
  readonly end: string;
  readonly location: string;
  /** Made here and not acknowledged by the server. */
  readonly pending: boolean;
}

export interface ContactEntry {
  readonly name: string;
  readonly email: string;
  readonly pending: boolean;
}

export const previewLength = 320;

export function listInbox(state: PhoneState): InboxMessage[] {
  const inbox = inboxOf(state);
  return inbox === undefined ? [] : listMessages(inbox);
}

export function listMessages(folder: FolderState): InboxMessage[] {
  return folder.items
    .filter((item): item is MessageItem => item.kind === "message")
    .map(({ id, subject, from, to, date, read, text }) => ({
      folder: folder.id,
      id,
      subject,
      from: { ...from },
      to,
      date,
      read,
      preview: text.replace(/\s+/gu, " ").trim().slice(0, previewLength),
    }))
    .toSorted((left, right) => compare(right.date, left.date) || compare(right.id, left.id));
}

export function listFolders(state: PhoneState): FolderEntry[] {
  return state.folders.map((folder) => ({
    id: folder.id,
    name: folder.name,
    parent: folder.parent,
    type: folder.type,
    class: classOf(folder.type),
    items: folder.items.length,
    unread: folder.items.filter((item) => item.kind === "message" && !item.read).length,
    syncKey: folder.syncKey,
    resets: folder.resets,
  }));
}

export function listEvents(state: PhoneState): EventEntry[] {
  const known = itemsOf(state, "Calendar").flatMap((item) =>
    item.kind === "event"
      ? [{ subject: item.subject, start: item.start, end: item.end, location: item.location, pending: false }]
      : [],
  );
  const waiting = state.pending.flatMap((entry) =>
    entry.kind === "add-event" ? [{ ...entry.event, pending: true }] : [],
  );
  return [...known, ...waiting];
}

export function listContacts(state: PhoneState): ContactEntry[] {
  const known = itemsOf(state, "Contacts").flatMap((item) =>
    item.kind === "contact" ? [{ name: item.name, email: item.email, pending: false }] : [],
  );
  const waiting = state.pending.flatMap((entry) => {
    if (entry.kind !== "add-contact") return [];
    const { firstName, lastName, email } = entry.contact;
    return [{ name: `${firstName} ${lastName}`.trim(), email, pending: true }];
  });
  return [...known, ...waiting];
}

function itemsOf(state: PhoneState, kind: FolderClass): Item[] {
  return state.folders.filter((folder) => classOf(folder.type) === kind).flatMap((folder) => folder.items);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
