/** What the phone asked and what it was answered, in a few words per request: for tests and for people who look closely. */
import { child, text } from "../activesync/document.ts";
import type { Content, Element } from "../activesync/wbxml.ts";
import type { PhoneErrorCode } from "./errors.ts";
import type { CommandName } from "./query.ts";

export interface JournalKey {
  /** The CollectionId, or `hierarchy` for FolderSync. */
  readonly of: string;
  readonly sent: string | undefined;
  readonly received: string | undefined;
  readonly status: number | undefined;
}

export interface JournalEntry {
  readonly command: CommandName | "OPTIONS";
  /** 0 where no answer came. */
  readonly httpStatus: number;
  /** 200 without a body. */
  readonly empty: boolean;
  /** Every command status of the answer, in the order of the document. */
  readonly statuses: readonly number[];
  readonly keys: readonly JournalKey[];
  readonly failure: PhoneErrorCode | "stopped" | undefined;
}

// Enough for every test, and a phone that watches for months does not grow.
const entriesKept = 2000;

export interface Journal {
  add(entry: JournalEntry): void;
  entries(): readonly JournalEntry[];
}

export function createJournal(): Journal {
  let entries: JournalEntry[] = [];
  return {
    add: (entry) => {
      entries.push(entry);
      if (entries.length > 2 * entriesKept) entries = entries.slice(-entriesKept);
    },
    entries: () => entries.slice(-entriesKept),
  };
}

/** Reads what no command has to understand for it. */
export function statusesIn(root: Element): number[] {
  const found: number[] = [];
  collectStatuses(root, found);
  return found;
}

function collectStatuses(element: Element, found: number[]): void {
  for (const part of element.content) {
    if (!isElement(part)) continue;
    // What is in an item belongs to the person: a flag has a status as well.
    if (part.tag === "AirSync:ApplicationData" || part.tag === "ItemOperations:Properties") continue;
    const [value] = part.content;
    if (part.tag.endsWith(":Status") && typeof value === "string") found.push(Number(value));
    else collectStatuses(part, found);
  }
}

export function keysOf(request: Element | undefined, answer: Element | undefined): JournalKey[] {
  const hierarchy = request?.tag === "FolderHierarchy:FolderSync" || answer?.tag === "FolderHierarchy:FolderSync";
  if (hierarchy) {
    return [
      {
        of: "hierarchy",
        sent: request && text(request, "FolderHierarchy:SyncKey"),
        received: answer && text(answer, "FolderHierarchy:SyncKey"),
        status: answer && numberIn(answer, "FolderHierarchy:Status"),
      },
    ];
  }
  const sent = new Map(collections(request).map((each) => [text(each, "AirSync:CollectionId") ?? "", each]));
  const received = new Map(collections(answer).map((each) => [text(each, "AirSync:CollectionId") ?? "", each]));
  return [...new Set([...sent.keys(), ...received.keys()])].map((id) => {
    const [out, back] = [sent.get(id), received.get(id)];
    return {
      of: id,
      sent: out && text(out, "AirSync:SyncKey"),
      received: back && text(back, "AirSync:SyncKey"),
      status: back && numberIn(back, "AirSync:Status"),
    };
  });
}

function collections(root: Element | undefined): Element[] {
  if (root?.tag !== "AirSync:Sync") return [];
  const list = child(root, "AirSync:Collections");
  return list === undefined ? [] : list.content.filter((part) => isElement(part));
}

function numberIn(parent: Element, tag: "AirSync:Status" | "FolderHierarchy:Status"): number | undefined {
  const value = text(parent, tag);
  return value === undefined ? undefined : Number(value);
}

function isElement(part: Content): part is Element {
  return typeof part === "object" && !(part instanceof Uint8Array);
}
