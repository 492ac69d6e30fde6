/** What kind of folder a collection is: the notice goes where mail is, and everything else is held unless told otherwise. */
import type { FolderTreatment, HeldFolders } from "../policy/held-folders.ts";
import type { MailboxState } from "../store/store.ts";
import { child, children, has, text } from "./document.ts";
import type { Element } from "./wbxml.ts";

/**
 * `inbox` and `mail` are emptied in quarantine, and so is what is `wiped`; `held` keeps its key and its content; what is
 * `allowed` is synchronised with upstream.
 */
export type FolderKind = "inbox" | "mail" | "wiped" | "held" | "allowed";

/** Folder types (MS-ASCMD 2.2.3.186.3). Drafts (3) and Outbox (6) hold what the person wrote: they are held. */
const inboxType = 2;
const mailTypes: ReadonlySet<number> = new Set([1, 2, 4, 5, 12]);
const personalTypes: ReadonlyMap<number, keyof HeldFolders> = new Map([
  [7, "tasks"],
  [8, "calendar"],
  [9, "contacts"],
  [10, "notes"],
  [13, "calendar"],
  [14, "contacts"],
  [15, "tasks"],
  [17, "notes"],
]);

export interface FolderQuestion {
  readonly collectionId: string;
  /** The Collection of a Sync, where there is one: its options tell mail from the rest. */
  readonly collection: Element | undefined;
}

export function kindOf(
  { collectionId, collection }: FolderQuestion,
  mailbox: MailboxState,
  held: HeldFolders,
): FolderKind {
  const type = mailbox.folders.get(collectionId);
  if (type !== undefined) {
    if (type === inboxType) return "inbox";
    if (mailTypes.has(type)) return inboxIsKnown(mailbox) ? "mail" : "inbox";
    const personal = personalTypes.get(type);
    return personal === undefined ? "held" : kindTreated(held[personal]);
  }
  const isMail = pingedAsMail(collectionId, mailbox) || (collection !== undefined && asksForMail(collection));
  // Mail cannot be added by a phone but in the folder of drafts (MS-ASCMD 2.2.3.7.2), which is to be kept.
  if (!isMail || (collection !== undefined && adds(collection))) return "held";
  // Until the Inbox is known, the notice is put into every mail folder: better twice than nowhere.
  return inboxIsKnown(mailbox) ? "mail" : "inbox";
}

function kindTreated(treatment: FolderTreatment): FolderKind {
  switch (treatment) {
    case "hold":
      return "held";
    case "allow":
      return "allowed";
    case "wipe":
      return "wiped";
  }
}

/** Whether the phone is to drop what it has of such a folder, and to start anew with a key of ours. */
export function isEmptied(kind: FolderKind): boolean {
  return kind === "inbox" || kind === "mail" || kind === "wiped";
}

/** What a folder that may be allowed is for; undefined for mail and for what is always held. */
export function personalKindOf(collectionId: string, { folders }: MailboxState): keyof HeldFolders | undefined {
  return personalTypes.get(folders.get(collectionId) ?? 0);
}

function inboxIsKnown(mailbox: MailboxState): boolean {
  return inboxNamed(mailbox) !== undefined;
}

/** The Inbox, where the list of folders was seen. */
export function inboxNamed({ folders }: MailboxState): string | undefined {
  return folders.entries().find(([, type]) => type === inboxType)?.[0];
}

/** Of a folder of which the type is not known. */
export function looksLikeMail(collection: Element, mailbox: MailboxState): boolean {
  return pingedAsMail(text(collection, "AirSync:CollectionId") ?? "", mailbox) || asksForMail(collection);
}

function pingedAsMail(collectionId: string, { ping }: MailboxState): boolean {
  return ping?.folders.some(({ id, class: folderClass }) => id === collectionId && folderClass === "Email") ?? false;
}

/** Options that only mail has (MS-ASCMD 2.2.3.103, 2.2.3.104, 2.2.3.40). */
function asksForMail(collection: Element): boolean {
  if (text(collection, "AirSync:Class") === "Email") return true;
  if (text(collection, "GetItemEstimate:Class") === "Email") return true;
  if (has(collection, "AirSync:ConversationMode")) return true;
  return children(collection, "AirSync:Options").some(
    (options) =>
      has(options, "AirSync:MIMESupport") ||
      has(options, "AirSync:MIMETruncation") ||
      text(options, "AirSync:Class") === "Email",
  );
}

function adds(collection: Element): boolean {
  return children(collection, "AirSync:Commands").some((commands) => has(commands, "AirSync:Add"));
}

export interface FolderChanges {
  readonly replace: boolean;
  readonly set: ReadonlyMap<string, number>;
  readonly remove: readonly string[];
}

/** What an answer to FolderSync teaches; undefined where it teaches nothing. An answer to key 0 lists all folders there are. */
export function learnFolders(request: Element, answer: Element): FolderChanges | undefined {
  if (request.tag !== "FolderHierarchy:FolderSync" || answer.tag !== "FolderHierarchy:FolderSync") return undefined;
  if (text(answer, "FolderHierarchy:Status") !== "1") return undefined;
  const changes = child(answer, "FolderHierarchy:Changes");
  const replace = text(request, "FolderHierarchy:SyncKey") === "0";
  const set = new Map<string, number>();
  const remove: string[] = [];
  if (changes !== undefined) {
    for (const tag of ["FolderHierarchy:Add", "FolderHierarchy:Update"] as const) {
      for (const folder of children(changes, tag)) {
        const id = text(folder, "FolderHierarchy:ServerId");
        const type = Number(text(folder, "FolderHierarchy:Type"));
        if (id !== undefined && Number.isInteger(type)) set.set(id, type);
      }
    }
    for (const folder of children(changes, "FolderHierarchy:Delete")) {
      const id = text(folder, "FolderHierarchy:ServerId");
      if (id !== undefined) remove.push(id);
    }
  }
  return replace || set.size > 0 || remove.length > 0 ? { replace, set, remove } : undefined;
}
