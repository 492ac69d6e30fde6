/** What the phone of the model has: folders, items, and what the person did that upstream has not acknowledged. */
import assert from "node:assert/strict";
import { child, children, text } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";

/** In everything that is written on the phone. */
export const writtenMark = "WRITTEN-ON-PHONE";
const noticeFrom = "it@corp.example";

export interface Item {
  readonly subject: string;
  readonly read: boolean;
  readonly location: string | undefined;
  readonly isNotice: boolean;
}

export interface Folder {
  readonly id: string;
  readonly name: string;
  readonly kind: "mail" | "calendar" | "contacts";
  /** Emptied in quarantine; the others keep what they have. */
  readonly isReset: boolean;
  key: string;
  items: Map<string, Item>;
  /** Primed, and its first content has not come: nothing is uploaded before that. */
  fresh: boolean;
}

export type Upload =
  | {
      readonly kind: "add";
      readonly folder: "calendar" | "contacts";
      readonly clientId: string;
      readonly subject: string;
    }
  | { readonly kind: "change"; readonly folder: "calendar"; readonly item: string; readonly location: string }
  | { readonly kind: "read"; readonly folder: string; readonly item: string; readonly read: boolean }
  | { readonly kind: "delete"; readonly folder: string; readonly item: string };

export interface Letter {
  readonly clientId: string;
  readonly subject: string;
  /** What it answers. A phone that hears that it is not there sends the letter without. */
  about: { readonly folder: string; readonly item: string } | undefined;
  tries: number;
}

export interface Mailbox {
  folderKey: string;
  foldersStale: boolean;
  readonly folders: Map<string, Folder>;
  pending: Upload[];
  outbox: Letter[];
  /** Every letter that was ever written. */
  readonly letters: Letter[];
}

const kinds: ReadonlyMap<number, Pick<Folder, "kind" | "isReset">> = new Map([
  [2, { kind: "mail", isReset: true }],
  [3, { kind: "mail", isReset: false }],
  [5, { kind: "mail", isReset: true }],
  [12, { kind: "mail", isReset: true }],
  [8, { kind: "calendar", isReset: false }],
  [9, { kind: "contacts", isReset: false }],
]);

export function emptyMailbox(): Mailbox {
  return { folderKey: "0", foldersStale: true, folders: new Map(), pending: [], outbox: [], letters: [] };
}

export function folderNamed(mailbox: Mailbox, name: string): Folder | undefined {
  return mailbox.folders.values().find((folder) => folder.name === name);
}

/** MS-ASCMD 2.2.1.4: the list of folders, by its changes. */
export function applyFolders(mailbox: Mailbox, answer: Element): void {
  const status = text(answer, "FolderHierarchy:Status");
  assert.equal(status, "1", `a FolderSync was answered with status ${status}`);
  mailbox.folderKey = text(answer, "FolderHierarchy:SyncKey") ?? "";
  mailbox.foldersStale = false;
  const changes = child(answer, "FolderHierarchy:Changes");
  for (const added of changes === undefined ? [] : children(changes, "FolderHierarchy:Add")) {
    const id = text(added, "FolderHierarchy:ServerId") ?? "";
    const kind = kinds.get(Number(text(added, "FolderHierarchy:Type")));
    if (kind === undefined || mailbox.folders.has(id)) continue;
    const name = text(added, "FolderHierarchy:DisplayName") ?? "";
    mailbox.folders.set(id, { id, name, ...kind, key: "0", items: new Map(), fresh: false });
  }
}

/** Status 3: the copy of the folder goes, and with it what was to be said about items that are gone. */
export function dropFolder(mailbox: Mailbox, folder: Folder): void {
  folder.key = "0";
  folder.fresh = false;
  folder.items = new Map();
  mailbox.pending = mailbox.pending.filter((upload) => !("item" in upload) || folderOf(mailbox, upload) !== folder);
}

export function folderOf(mailbox: Mailbox, upload: Upload): Folder | undefined {
  if (upload.folder === "calendar" || upload.folder === "contacts")
    return mailbox.folders.values().find(({ kind }) => kind === upload.folder);
  return mailbox.folders.get(upload.folder);
}

/** What comes down, as strictly as the strictest client: nothing twice, and no change of what is not there. */
export function applyCommands(folder: Folder, commands: Element | undefined): number {
  let applied = 0;
  for (const command of commands?.content ?? []) {
    if (typeof command !== "object" || !("tag" in command)) continue;
    applied += 1;
    const id = text(command, "AirSync:ServerId") ?? "";
    const data = child(command, "AirSync:ApplicationData");
    if (command.tag === "AirSync:Delete" || command.tag === "AirSync:SoftDelete") {
      folder.items.delete(id);
      continue;
    }
    assert.ok(data !== undefined, `${command.tag} of ${id} without content`);
    const before = folder.items.get(id);
    if (command.tag === "AirSync:Add") assert.equal(before, undefined, `item ${id} came twice into ${folder.name}`);
    else assert.ok(before !== undefined, `item ${id} of ${folder.name} was changed and is not on the phone`);
    folder.items.set(id, readItem(folder.kind, data, before));
  }
  return applied;
}

function readItem(kind: Folder["kind"], data: Element, before: Item | undefined): Item {
  switch (kind) {
    case "mail":
      return {
        subject: text(data, "Email:Subject") ?? before?.subject ?? "",
        read: (text(data, "Email:Read") ?? (before?.read === true ? "1" : "0")) === "1",
        location: undefined,
        isNotice: text(data, "Email:From")?.includes(noticeFrom) ?? before?.isNotice ?? false,
      };
    case "calendar":
      return {
        subject: text(data, "Calendar:Subject") ?? "",
        read: false,
        location: locationIn(data),
        isNotice: false,
      };
    case "contacts": {
      const names = [text(data, "Contacts:FirstName"), text(data, "Contacts:LastName")];
      return { subject: names.join(" ").trim(), read: false, location: undefined, isNotice: false };
    }
  }
}

function locationIn(data: Element): string | undefined {
  const place = child(data, "AirSyncBase:Location");
  return place === undefined ? text(data, "Calendar:Location") : text(place, "AirSyncBase:DisplayName");
}

/** A later word about an item takes the place of an earlier one. */
export function queue(mailbox: Mailbox, upload: Upload): void {
  if ("item" in upload)
    mailbox.pending = mailbox.pending.filter((each) => !("item" in each) || each.item !== upload.item);
  mailbox.pending.push(upload);
}
