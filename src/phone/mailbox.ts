/** What lies on the phone: its folders, what it shows of them, and what was written and not yet handed over. */
import { PhoneError } from "./errors.ts";
import type { FolderState, Item, Loss, Pending, PhoneState } from "./state.ts";

/** The classes of MS-ASCMD 2.2.3.27, by the type of a folder. */
export type FolderClass = "Email" | "Calendar" | "Contacts" | "Tasks" | "Notes" | "other";

const inboxType = 2;
const draftsType = 3;
const outboxType = 6;
const lossesKept = 100;

export function classOf(type: number): FolderClass {
  switch (type) {
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 12:
      return "Email";
    case 8:
    case 13:
      return "Calendar";
    case 9:
    case 14:
      return "Contacts";
    case 7:
    case 15:
      return "Tasks";
    case 10:
    case 17:
      return "Notes";
    default:
      return "other";
  }
}

/** Drafts go over the wire only from 16.0, the outbox never. */
export function isSynchronisedMail(type: number, sixteen: boolean): boolean {
  if (type === outboxType || (type === draftsType && !sixteen)) return false;
  return classOf(type) === "Email";
}

/** @throws PhoneError `no-such-folder` */
export function folderOf(state: PhoneState, id: string): FolderState {
  const found = state.folders.find((folder) => folder.id === id);
  if (found === undefined) throw new PhoneError("no-such-folder", `no folder ${id} on the phone`);
  return found;
}

/** A folder by id, or by the name that the person sees; `Inbox` in any spelling means the inbox. */
export function findFolder(state: PhoneState, name: string): FolderState {
  const wanted = name.toLowerCase();
  const found =
    state.folders.find((folder) => folder.id === name) ??
    state.folders.find((folder) => (wanted === "inbox" ? folder.type === inboxType : false)) ??
    state.folders.find((folder) => folder.name.toLowerCase() === wanted);
  if (found === undefined) throw new PhoneError("no-such-folder", `no folder ${name} on the phone`);
  return found;
}

export function inboxOf(state: PhoneState): FolderState | undefined {
  return state.folders.find((folder) => folder.type === inboxType);
}

const defaultTypes = { Calendar: 8, Contacts: 9, Tasks: 7, Notes: 10, Drafts: draftsType } as const;

export function defaultFolder(state: PhoneState, kind: keyof typeof defaultTypes): FolderState {
  const found =
    state.folders.find((folder) => folder.type === defaultTypes[kind]) ??
    state.folders.find((folder) => classOf(folder.type) === kind);
  if (found === undefined) throw new PhoneError("no-such-folder", `this account has no folder for ${kind}`);
  return found;
}

export function putItem(folder: FolderState, item: Item): "added" | "changed" {
  const at = folder.items.findIndex((other) => other.id === item.id);
  if (at === -1) {
    folder.items.push(item);
    return "added";
  }
  folder.items[at] = item;
  return "changed";
}

export function dropItem(folder: FolderState, id: string): void {
  folder.items = folder.items.filter((item) => item.id !== id);
}

export function pendingIn(state: PhoneState, folder: string): Pending[] {
  return state.pending.filter((entry) => entry.folder === folder);
}

export function settle(state: PhoneState, entries: readonly Pending[]): void {
  state.pending = state.pending.filter((entry) => !entries.includes(entry));
}

/**
 * Sync status 3: the copy on the phone is worthless, the folder starts again at key 0 (MS-ASCMD 2.2.3.177.17). Marks on
 * items that are gone go with them; what was created here is kept, because it exists nowhere else, unless the phone is of
 * the forgetful kind.
 */
export function resetFolder(state: PhoneState, folder: FolderState, forgetful: boolean): void {
  folder.syncKey = "0";
  folder.items = [];
  folder.resets += 1;
  const affected = pendingIn(state, folder.id);
  const forgotten = affected.filter((entry) => forgetful || !("clientId" in entry));
  for (const entry of forgotten) {
    if ("clientId" in entry) lose(state, describePending(entry), "the server reset the folder");
  }
  settle(state, forgotten);
}

/** FolderSync status 9: every folder is worthless. A forgetful phone (Android's own) loses its outbox as well. */
export function resetHierarchy(state: PhoneState, forgetful: boolean): void {
  state.folderKey = "0";
  state.folders = [];
  state.ping = null;
  if (!forgetful) return;
  for (const message of state.outbox) lose(state, `message "${message.subject}"`, "the server reset all folders");
  for (const entry of state.pending) {
    if ("clientId" in entry) lose(state, describePending(entry), "the server reset all folders");
  }
  state.outbox = [];
  state.pending = [];
}

export function lose(state: PhoneState, what: string, why: string): void {
  const loss: Loss = { what, why };
  state.losses = [...state.losses, loss].slice(-lossesKept);
}

export function describePending(entry: Pending): string {
  switch (entry.kind) {
    case "add-event":
      return `event "${entry.event.subject}"`;
    case "add-contact":
      return `contact "${entry.contact.firstName} ${entry.contact.lastName}"`;
    case "add-task":
      return `task "${entry.task.subject}"`;
    case "add-note":
      return `note "${entry.note.subject}"`;
    case "add-draft":
      return `draft "${entry.draft.subject}"`;
    case "change-event":
      return `changed event "${entry.event.subject}"`;
    case "read":
      return entry.read ? "a message marked as read" : "a message marked as unread";
    case "delete":
      return "a deleted item";
  }
}
