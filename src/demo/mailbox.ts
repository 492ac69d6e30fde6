/** One person's mail, calendar, contacts and tasks, in memory. Every change counts up, and whoever watches hears of it. */
import type { Element } from "../activesync/wbxml.ts";
import { firstFolders, folderTypes, type Folder } from "./folder.ts";
import type { Message } from "./message.ts";

interface ItemPlace {
  /** `folder:number`, never used twice. A moved item gets a new one, as on a real server. */
  readonly id: string;
  readonly folderId: string;
  /** Grows with every change of this item: two equal revisions mean that a phone is up to date. */
  readonly revision: number;
}

export interface MailItem extends ItemPlace {
  readonly kind: "mail";
  readonly message: Message;
  readonly read: boolean;
  /** As the phone sent it; undefined is no flag. */
  readonly flag: Element | undefined;
  readonly categories: readonly string[];
}

/** A calendar entry, a contact or a task: its properties as they travel, because no two clients send the same set. */
export interface CardItem extends ItemPlace {
  readonly kind: "card";
  readonly fields: readonly Element[];
}

export type Item = MailItem | CardItem;
type MailContent = Pick<MailItem, "kind" | "message" | "read" | "flag" | "categories">;
export type CardContent = Pick<CardItem, "kind" | "fields">;
export type ItemContent = MailContent | CardContent;

/** `undefined` stands for the hierarchy itself. */
export type MailboxListener = (folderId: string | undefined) => void;

export type Mailbox = ReturnType<typeof createMailbox>;

export function createMailbox() {
  const folders = new Map<string, Folder>(firstFolders.map((folder) => [folder.id, folder]));
  const contents = new Map<string, Map<string, Item>>(firstFolders.map(({ id }) => [id, new Map()]));
  const places = new Map<string, string>();
  const listeners = new Set<MailboxListener>();
  let revision = 0;
  let absence: readonly Element[] = [];
  let lastItem = 0;
  let lastFolder = firstFolders.length;

  function changed(folderId: string | undefined): void {
    // A listener that has heard enough takes itself off the list while it is being called, which a set allows.
    for (const listener of listeners) listener(folderId);
  }

  function store(folderId: string, id: string, content: ItemContent): Item {
    const items = contents.get(folderId);
    if (items === undefined) throw new RangeError(`no folder ${folderId}`);
    revision += 1;
    const item: Item = { ...content, id, folderId, revision };
    items.set(id, item);
    places.set(id, folderId);
    changed(folderId);
    return item;
  }

  function add(folderId: string, content: ItemContent): Item {
    lastItem += 1;
    return store(folderId, `${folderId}:${lastItem}`, content);
  }

  function item(id: string): Item | undefined {
    const folderId = places.get(id);
    return folderId === undefined ? undefined : contents.get(folderId)?.get(id);
  }

  function remove(id: string): boolean {
    const folderId = places.get(id);
    if (folderId === undefined) return false;
    places.delete(id);
    contents.get(folderId)?.delete(id);
    changed(folderId);
    return true;
  }

  return {
    folders: (): readonly Folder[] => [...folders.values()],
    folder: (id: string): Folder | undefined => folders.get(id),
    items: (folderId: string): readonly Item[] => [...(contents.get(folderId)?.values() ?? [])],
    item,
    add,
    remove,

    /** The well-known folder of that type. Every mailbox has it. */
    special(name: "inbox" | "sent" | "deleted" | "calendar" | "contacts" | "tasks"): Folder {
      const found = [...folders.values()].find(({ type }) => type === folderTypes[name]);
      if (found === undefined) throw new RangeError(`no ${name} folder`);
      return found;
    },

    /** Undefined where there is no such item any more. */
    replace(id: string, content: ItemContent): Item | undefined {
      const folderId = places.get(id);
      return folderId === undefined ? undefined : store(folderId, id, content);
    },

    move(id: string, folderId: string): Item | undefined {
      const known = item(id);
      if (known === undefined || !folders.has(folderId)) return undefined;
      remove(id);
      return add(folderId, known);
    },

    createFolder(name: string, parentId: string, type: number): Folder {
      lastFolder += 1;
      const folder: Folder = { id: String(lastFolder), parentId, name, type };
      folders.set(folder.id, folder);
      contents.set(folder.id, new Map());
      changed(undefined);
      return folder;
    },

    updateFolder(id: string, change: { readonly name: string; readonly parentId: string }): Folder | undefined {
      const known = folders.get(id);
      if (known === undefined) return undefined;
      const folder = { ...known, ...change };
      folders.set(id, folder);
      changed(undefined);
      return folder;
    },

    deleteFolder(id: string): boolean {
      if (!folders.delete(id)) return false;
      for (const itemId of contents.get(id)?.keys() ?? []) places.delete(itemId);
      contents.delete(id);
      changed(undefined);
      return true;
    },

    /** The automatic reply while somebody is away, as the phone wrote it. */
    absence: (): readonly Element[] => absence,
    setAbsence(parts: readonly Element[]): void {
      absence = parts;
    },

    /** Returns the function that stops watching. */
    watch(listener: MailboxListener): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
