/** What a phone does not know yet about a folder, and the part of it that fits into one answer. */
import { element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { CollectionOptions } from "./devices.ts";
import { folderClass, type Folder } from "./folder.ts";
import { changedProperties, itemProperties } from "./item-data.ts";
import type { Item, Mailbox } from "./mailbox.ts";
import { elements, field, type Version } from "./phone-request.ts";

export type Known = ReadonlyMap<string, number>;

export type Change =
  | { readonly kind: "add" | "change"; readonly item: Item }
  /** `delete`: it is gone. `soft-delete`: it is only older than the phone wants to keep. */
  | { readonly kind: "delete" | "soft-delete"; readonly id: string };

// MS-ASCMD, FilterType: how far back a phone wants to look, in days. 0 and what is not listed is everything.
const filterDays: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 3],
  [3, 7],
  [4, 14],
  [5, 31],
  [6, 92],
  [7, 183],
]);
const INCOMPLETE_TASKS = 8;
const DAY_MS = 86_400_000;

/** Deletions first, then changes, then what is new with the newest in front: people look at the top of the list. */
export function pendingChanges(
  mailbox: Mailbox,
  folder: Folder,
  known: Known,
  { filterType }: CollectionOptions,
  now: Date,
): readonly Change[] {
  const items = mailbox.items(folder.id);
  const present = new Set(items.map(({ id }) => id));
  const gone: Change[] = [];
  const changed: Change[] = [];
  const added: { readonly kind: "add"; readonly item: Item }[] = [];
  for (const id of known.keys()) if (!present.has(id)) gone.push({ kind: "delete", id });
  for (const item of items) {
    const revision = known.get(item.id);
    const wanted = isWanted(item, folder, filterType, now);
    if (revision === undefined) {
      if (wanted) added.push({ kind: "add", item });
    } else if (!wanted) gone.push({ kind: "soft-delete", id: item.id });
    else if (revision !== item.revision) changed.push({ kind: "change", item });
  }
  return [...gone, ...changed, ...added.sort((a, b) => itemTime(b.item) - itemTime(a.item))];
}

function itemTime(item: Item): number {
  return item.kind === "mail" ? item.message.receivedAt.getTime() : item.revision;
}

function isWanted(item: Item, folder: Folder, filterType: number, now: Date): boolean {
  if (filterType === INCOMPLETE_TASKS && folderClass(folder) === "Tasks") return !isComplete(item);
  const days = filterDays.get(filterType);
  if (days === undefined) return true;
  const oldest = now.getTime() - days * DAY_MS;
  if (item.kind === "mail") return item.message.receivedAt.getTime() >= oldest;
  if (folderClass(folder) !== "Calendar") return true;
  const ends = parseCompactDate(fieldOf(item, "Calendar:EndTime"));
  return ends === undefined || ends.getTime() >= oldest || item.fields.some(({ tag }) => tag === "Calendar:Recurrence");
}

function isComplete(item: Item): boolean {
  return item.kind === "card" && fieldOf(item, "Tasks:Complete") === "1";
}

export function fieldOf(item: { readonly fields: readonly Element[] }, tag: Element["tag"]): string | undefined {
  return field({ tag: "AirSync:ApplicationData", content: item.fields }, tag);
}

/** `20261124T090000Z`, the way the Compact DateTime of MS-ASDTYPE writes dates of the calendar. */
export function parseCompactDate(text: string | undefined): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

export function formatCompactDate(date: Date): string {
  return date.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
}

/** The state of a phone that has received that change. */
export function apply(known: Map<string, number>, change: Change): void {
  switch (change.kind) {
    case "add":
    case "change":
      known.set(change.item.id, change.item.revision);
      return;
    case "delete":
    case "soft-delete":
      known.delete(change.id);
  }
}

export function changeElement(change: Change, options: CollectionOptions, version: Version): Element {
  switch (change.kind) {
    case "add":
      return itemElement("AirSync:Add", change.item.id, itemProperties(change.item, options.body, version));
    case "change":
      return itemElement("AirSync:Change", change.item.id, changedProperties(change.item, options.body, version));
    case "delete":
      return element("AirSync:Delete", element("AirSync:ServerId", change.id));
    case "soft-delete":
      return element("AirSync:SoftDelete", element("AirSync:ServerId", change.id));
  }
}

function itemElement(tag: "AirSync:Add" | "AirSync:Change", id: string, properties: readonly Element[]): Element {
  return element(tag, element("AirSync:ServerId", id), element("AirSync:ApplicationData", properties));
}

/** Properties that were sent replace those of the same name; those that were not sent stay (MS-ASCMD calls those ghosted). */
export function mergeFields(stored: readonly Element[], sent: Element): readonly Element[] {
  const fresh = elements(sent);
  const names = new Set(fresh.map(({ tag }) => tag));
  return [...stored.filter(({ tag }) => !names.has(tag)), ...fresh];
}
