/**
 * Folders that a phone in quarantine may go on with: calendar, contacts, tasks or notes, where the configuration allows it.
 * Their part of a Sync goes upstream as a request of its own, and what comes back is read before it goes down. Never a folder
 * of mail, never a key of ours, and never anything that is not known to be such a folder.
 */
import type { HeldFolders } from "../policy/held-folders.ts";
import type { Remediation, Reply } from "../gateway/protocol.ts";
import { Refusal, UpstreamFailure } from "../gateway/errors.ts";
import type { MailboxState } from "../store/store.ts";
import { child, children, element, has, isElement, text, textOf } from "./document.ts";
import { kindOf, personalKindOf } from "./folders.ts";
import { exchange, isAway, isMadeOf, readingAnswer, relayDocument } from "./forwarding.ts";
import type { Exchanged } from "./forwarding.ts";
import { bearsMark } from "./gateway-key.ts";
import { collectionsOf, idOf } from "./quarantine-sync.ts";
import type { Element, TagName } from "./wbxml.ts";

/** 512 contacts with a picture of 36 KB each, less what no phone asks for at once. */
const answerLimitBytes = 16 * 1_048_576;

/** What an item of such a folder is made of. Mail is made of something else. */
const formats: Readonly<
  Record<keyof HeldFolders, { readonly folderClass: string; readonly pages: readonly string[] }>
> = {
  calendar: { folderClass: "Calendar", pages: ["Calendar"] },
  contacts: { folderClass: "Contacts", pages: ["Contacts", "Contacts2"] },
  tasks: { folderClass: "Tasks", pages: ["Tasks"] },
  notes: { folderClass: "Notes", pages: ["Notes"] },
};
const everyFormat = ["AirSync", "AirSyncBase"];

export type AllowedAnswer =
  /** Said to the whole request: what the phone must do before anything else. */
  | { readonly kind: "reply"; readonly reply: Reply }
  | {
      readonly kind: "answered";
      /** By their ids; undefined where upstream is away. */
      readonly collections: ReadonlyMap<string, Element> | undefined;
      readonly asked: boolean;
      /** Whether anything went up that must not go up twice. */
      readonly uploaded: boolean;
      /** Folders that have started with upstream: keys of ours, if the phone had any, are gone. */
      readonly restarted: readonly string[];
    };

export async function syncAllowed(
  request: Element,
  mailbox: MailboxState,
  held: HeldFolders,
  context: Remediation,
): Promise<AllowedAnswer> {
  const collections = collectionsOf(request).filter((collection) => isForUpstream(collection, mailbox, held));
  const uploaded = collections.some((collection) => has(collection, "AirSync:Commands"));
  const answered = { kind: "answered", asked: collections.length > 0, uploaded, restarted: [] } as const;
  if (collections.length === 0) return { ...answered, collections: new Map() };

  const forwarded = element(
    "AirSync:Sync",
    element("AirSync:Collections", ...collections),
    // The gate waits itself: upstream is asked before and after.
    child(request, "AirSync:WindowSize"),
  );
  refuseAmbiguous(forwarded, collections, mailbox);
  const answer = await ask(forwarded, context);
  if (answer === undefined) return { ...answered, collections: undefined };
  const { document } = answer;
  if (document === undefined) {
    return answer.httpStatus === 200
      ? { ...answered, collections: new Map() }
      : { kind: "reply", reply: answer.relayed };
  }
  const read = readingAnswer(() => readAnswer(document, collections, mailbox));
  if (read === undefined) return { kind: "reply", reply: relayDocument(document, answer) };
  const restarted = collections.filter((each) => text(each, "AirSync:SyncKey") === "0" && read.has(idOf(each)));
  return { ...answered, collections: read, restarted: restarted.map(idOf) };
}

/** Undefined where upstream is away: nobody has seen the request, or nobody can say. */
async function ask(request: Element, context: Remediation): Promise<Exchanged | undefined> {
  const pages = [...everyFormat, ...Object.values(formats).flatMap((format) => format.pages)];
  try {
    const answer = await exchange(request, context, pages, answerLimitBytes);
    return answer.httpStatus >= 500 ? undefined : answer;
  } catch (error) {
    if (isAway(error)) return undefined;
    throw error;
  }
}

function isForUpstream(collection: Element, mailbox: MailboxState, held: HeldFolders): boolean {
  const kind = kindOf({ collectionId: idOf(collection), collection }, mailbox, held);
  return kind === "allowed" && !bearsMark(text(collection, "AirSync:SyncKey") ?? "");
}

/** Some servers look for elements wherever they stand, and go by the class where the id says nothing to them. */
function refuseAmbiguous(request: Element, collections: readonly Element[], mailbox: MailboxState): void {
  for (const tag of ["AirSync:Collection", "AirSync:CollectionId", "AirSync:SyncKey"] as const) {
    if (everywhere(request, tag).length !== collections.length) throw refused(`${tag} where there should be none`);
  }
  for (const tag of ["AirSync:Sync", "AirSync:Collections"] as const) {
    if (everywhere(request, tag).length !== 1) throw refused(`${tag} where there should be none`);
  }
  for (const collection of collections) {
    const kind = personalKindOf(idOf(collection), mailbox);
    const isOther = (each: Element): boolean => kind === undefined || textOf(each) !== formats[kind].folderClass;
    if (everywhere(collection, "AirSync:Class").some(isOther)) throw refused("a folder of another class");
  }
}

function refused(detail: string): Refusal {
  return new Refusal("body-unreadable", 400, detail);
}

function everywhere(parent: Element, tag: TagName): Element[] {
  const found: Element[] = [];
  const open: Element[] = [parent];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.tag === tag) found.push(next);
    open.push(...next.content.filter(isElement));
  }
  return found;
}

/** Whether there is nothing but items of that kind, and what was fetched, which a phone names by an id, is one of them too. */
function isOnly(collection: Element, pages: readonly string[]): boolean {
  const fetched = everywhere(collection, "AirSync:Fetch").flatMap((fetch) =>
    children(fetch, "AirSync:ApplicationData"),
  );
  const isOfKind = (data: Element): boolean =>
    data.content.some((part) => isElement(part) && pages.some((page) => part.tag.startsWith(`${page}:`)));
  return isMadeOf(collection, [...everyFormat, ...pages]) && fetched.every(isOfKind);
}

/**
 * Undefined where upstream says something of the request as a whole: the phone must provision, or ask for the folders.
 * @throws UpstreamFailure where it answers for a folder that it was not asked for, or with what such a folder cannot hold.
 */
function readAnswer(
  document: Element,
  asked: readonly Element[],
  mailbox: MailboxState,
): ReadonlyMap<string, Element> | undefined {
  const list = child(document, "AirSync:Collections");
  if (list === undefined) return undefined;
  const answers = new Map<string, Element>();
  const expected = new Set(asked.map(idOf));
  for (const collection of children(list, "AirSync:Collection")) {
    const id = idOf(collection);
    const kind = personalKindOf(id, mailbox);
    const isAsked = expected.delete(id) && kind !== undefined;
    if (!isAsked || !isOnly(collection, formats[kind].pages)) {
      throw new UpstreamFailure("upstream-answer-refused", "an answer for a folder that was not asked for");
    }
    answers.set(id, collection);
  }
  return answers;
}
