/** The answer to a Sync, read for one folder and put into the mailbox. */
import { child, children, has, text } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { PhoneError } from "./errors.ts";
import { readItem } from "./item.ts";
import { classOf, describePending, dropItem, lose, putItem, settle } from "./mailbox.ts";
import type { FolderState, Pending, PhoneState } from "./state.ts";

export interface SyncAnswer {
  /** Of the whole request. */
  readonly status: number | undefined;
  /** The bound that goes with status 14 and 15. */
  readonly limit: number | undefined;
  readonly collection: CollectionAnswer | undefined;
}

export interface CollectionAnswer {
  readonly key: string | undefined;
  readonly status: number;
  readonly moreAvailable: boolean;
  readonly commands: readonly Element[];
  readonly responses: readonly Element[];
}

/** 3 is the command's own; 132, 134 and 136 say the same of the state that the server keeps (MS-ASCMD 2.2.2). */
export const syncKeyRefused: ReadonlySet<number> = new Set([3, 132, 134, 136]);

export interface Tally {
  added: number;
  changed: number;
  deleted: number;
}

export function readSync(root: Element, folderId: string): SyncAnswer {
  const list = child(root, "AirSync:Collections");
  const ours = (list === undefined ? [] : children(list, "AirSync:Collection")).filter(
    (collection) => text(collection, "AirSync:CollectionId") === folderId,
  );
  if (ours.length > 1) throw new PhoneError("answer-unreadable", "one folder is answered for twice");
  const [collection] = ours;
  return {
    status: numberIn(root, "AirSync:Status"),
    limit: numberIn(root, "AirSync:Limit"),
    collection: collection === undefined ? undefined : readCollection(collection),
  };
}

function readCollection(collection: Element): CollectionAnswer {
  const status = numberIn(collection, "AirSync:Status") ?? 1;
  return {
    key: keyInOrder(collection),
    status,
    moreAvailable: has(collection, "AirSync:MoreAvailable"),
    commands: elementsIn(collection, "AirSync:Commands"),
    responses: elementsIn(collection, "AirSync:Responses"),
  };
}

/**
 * Android reads the elements one after the other: status 3 sets its key to 0, and a SyncKey that follows sets it again. A
 * server that writes the two the other way round with the old key sends such a phone in circles, and this one too.
 */
function keyInOrder(collection: Element): string | undefined {
  let key: string | undefined;
  for (const part of collection.content) {
    if (typeof part === "string" || part instanceof Uint8Array) continue;
    if (part.tag === "AirSync:SyncKey")
      key = part.content.map((piece) => (typeof piece === "string" ? piece : "")).join("");
    const value = part.tag === "AirSync:Status" ? part.content[0] : undefined;
    if (typeof value === "string" && syncKeyRefused.has(Number(value))) key = "0";
  }
  return key;
}

/** Brings the folder to what the server says, and settles what was uploaded. Only for an answer with status 1. */
export function applySync(
  state: PhoneState,
  folder: FolderState,
  answer: CollectionAnswer,
  uploads: readonly Pending[],
  tally: Tally,
): void {
  if (answer.key !== undefined) folder.syncKey = answer.key;
  settleUploads(state, folder, answer.responses, uploads);
  const kind = classOf(folder.type);
  for (const command of answer.commands) {
    const id = text(command, "AirSync:ServerId");
    if (id === undefined || id === "") throw new PhoneError("answer-unreadable", "an item without an id");
    if (command.tag === "AirSync:Delete" || command.tag === "AirSync:SoftDelete") {
      dropItem(folder, id);
      tally.deleted += 1;
      continue;
    }
    if (command.tag !== "AirSync:Add" && command.tag !== "AirSync:Change") continue;
    const data = child(command, "AirSync:ApplicationData");
    if (data === undefined) throw new PhoneError("answer-unreadable", "an item without content");
    const before = folder.items.find((item) => item.id === id);
    tally[putItem(folder, readItem(kind, id, data, before))] += 1;
  }
}

/**
 * What was uploaded and is not mentioned counts as stored (MS-ASCMD 2.2.3.154), except what was created: without a
 * ServerId there is nothing to count on, so it stays pending.
 */
function settleUploads(
  state: PhoneState,
  folder: FolderState,
  responses: readonly Element[],
  uploads: readonly Pending[],
): void {
  for (const entry of uploads) {
    const response = responses.find((each) => speaksOf(each, entry));
    const status = response === undefined ? undefined : (numberIn(response, "AirSync:Status") ?? 1);
    if ("item" in entry) {
      if (status === undefined || status === 1 || isFinal(status)) settle(state, [entry]);
      continue;
    }
    const id = response === undefined ? undefined : text(response, "AirSync:ServerId");
    if (status === 1 && id !== undefined && id !== "") {
      settle(state, [entry]);
      putItem(folder, createdItem(entry, id));
    } else if (status !== undefined && isFinal(status)) {
      settle(state, [entry]);
      lose(state, describePending(entry), `the server answered status ${status}`);
    }
  }
}

function speaksOf(response: Element, entry: Pending): boolean {
  switch (entry.kind) {
    case "add-event":
    case "add-contact":
    case "add-task":
    case "add-note":
    case "add-draft":
      return response.tag === "AirSync:Add" && text(response, "AirSync:ClientId") === entry.clientId;
    case "change-event":
    case "read":
      return response.tag === "AirSync:Change" && text(response, "AirSync:ServerId") === entry.item;
    case "delete":
      return response.tag === "AirSync:Delete" && text(response, "AirSync:ServerId") === entry.item;
  }
}

/** 4 and 6: this item will never be taken. 7: the server's copy has won. 8: it is not there any more. */
function isFinal(status: number): boolean {
  return status === 4 || status === 6 || status === 7 || status === 8;
}

function createdItem(entry: Extract<Pending, { clientId: string }>, id: string): FolderState["items"][number] {
  switch (entry.kind) {
    case "add-event":
      return { kind: "event", id, ...entry.event };
    case "add-contact": {
      const { firstName, lastName, email } = entry.contact;
      return { kind: "contact", id, name: `${firstName} ${lastName}`.trim(), email };
    }
    case "add-task":
      return { kind: "other", id, title: entry.task.subject };
    case "add-note":
      return { kind: "other", id, title: entry.note.subject };
    case "add-draft": {
      const { to, subject, text } = entry.draft;
      const from = { name: "", address: "" };
      return { kind: "message", id, subject, from, to, date: "", read: true, text, truncated: false };
    }
  }
}

function elementsIn(parent: Element, tag: "AirSync:Commands" | "AirSync:Responses"): Element[] {
  const list = child(parent, tag);
  if (list === undefined) return [];
  return list.content.filter((part): part is Element => typeof part === "object" && !(part instanceof Uint8Array));
}

function numberIn(parent: Element, tag: "AirSync:Status" | "AirSync:Limit"): number | undefined {
  const value = text(parent, tag);
  return value === undefined ? undefined : Number(value);
}
