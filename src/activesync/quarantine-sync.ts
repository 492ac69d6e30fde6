/**
 * Sync in quarantine: a mailbox that holds the notice and nothing else, for the mail folders; everything else stays as it
 * was. A pure function of the keys in the request, the current revision of the notice and the request itself.
 */
import { children, element, has, only, text } from "./document.ts";
import { allHeld } from "../policy/held-folders.ts";
import type { HeldFolders } from "../policy/held-folders.ts";
import { bodyWishOf, optionsIn, wholly } from "./body-wish.ts";
import { isEmptied, kindOf } from "./folders.ts";
import type { FolderKind } from "./folders.ts";
import { bearsMark, REVISION_LIMIT } from "./gateway-key.ts";
import type { GatewayKey, GatewayKeyOwner } from "./gateway-key.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { applicationData } from "./notice-item.ts";
import type { VersionFeatures } from "./version.ts";
import type { Element } from "./wbxml.ts";

export type SyncAnswer =
  | {
      /** `nothing`: nothing has changed in any collection, which phones may be told without a word. */
      readonly kind: "document" | "nothing";
      readonly document: Element;
      /** Collections for which the phone holds a key of ours once it has this answer. */
      readonly issued: readonly string[];
    }
  /** Everything in the request is an upload to a held folder: better no answer at all than one that is tried again at once. */
  | { readonly kind: "come-back-later" }
  /** The request as a whole: a Status, and the limit that goes with some of them. */
  | { readonly kind: "refused"; readonly status: string; readonly limit: string | undefined };

/** 200 collections: Exchange answers Status 15 above 1 000, phones ask for under 50. */
export const COLLECTION_LIMIT = 200;
/** 200 items that are fetched in one Sync (MS-ASCMD 3.1.5.10): each brings the notice whole. */
const FETCHES_LIMIT = 200;
/** As many characters as the gate remembers of an id. A folder with a longer one could not be given its real key back. */
const collectionIdLimit = 128;

/** The Status of a Sync as a whole (MS-ASCMD 2.2.3.177.17). */
export function syncStatus(status: string, ...parts: readonly Element[]): Element {
  return element("AirSync:Sync", element("AirSync:Status", status), ...parts);
}

interface CollectionAnswer {
  readonly element: Element;
  readonly issued: boolean;
  readonly says: "something" | "nothing" | "refused-upload";
}

/** What is known of the folders that hold no mail. */
export interface OtherFolders {
  readonly held: HeldFolders;
  /** What upstream answered for the folders that are allowed, by their ids; undefined where it could not be asked. */
  readonly upstream: ReadonlyMap<string, Element> | undefined;
}

export function answerSync(
  request: Element,
  mailbox: MailboxView,
  others: OtherFolders = { held: allHeld, upstream: undefined },
): SyncAnswer {
  const collections = collectionsOf(request);
  const refusal = refusalOf(collections);
  if (refusal !== undefined) return refusal;
  const answers = collections.map((collection) => answerCollection(collection, mailbox, others));
  const refusedUpload = answers.some(({ says }) => says === "refused-upload");
  if (refusedUpload && mayComeBackLater(collections, answers, mailbox, others)) return { kind: "come-back-later" };
  const issued = collections.flatMap((collection, index) =>
    answers[index]?.issued === true ? [idOf(collection)] : [],
  );
  if (answers.every(({ says }) => says === "nothing"))
    return { kind: "nothing", document: documentOf(answers), issued };
  const kept = mailbox.features.leavesOutUnchanged ? answers.filter(({ says }) => says !== "nothing") : answers;
  return { kind: "document", document: documentOf(kept), issued };
}

/** What makes a request one that nobody answers folder by folder. */
export function refusalOf(collections: readonly Element[]): Extract<SyncAnswer, { kind: "refused" }> | undefined {
  if (collections.length > COLLECTION_LIMIT) {
    return { kind: "refused", status: "15", limit: String(COLLECTION_LIMIT) };
  }
  // 4: a folder that says neither which it is nor what the phone has of it, or one that is asked for twice
  // (MS-ASCMD 2.2.3.177.17).
  const isTwice = new Set(collections.map(idOf)).size < collections.length;
  if (!collections.every(isNamed) || isTwice || fetchesTooMany(collections))
    return { kind: "refused", status: "4", limit: undefined };
  return undefined;
}

/**
 * Whether nothing is lost by no answer at all. Before 12.1 there is no Status that says "later" of one folder, so it is
 * what is said whenever no folder in the request has anything else to hear.
 */
function mayComeBackLater(
  collections: readonly Element[],
  answers: readonly CollectionAnswer[],
  mailbox: MailboxView,
  { held }: OtherFolders,
): boolean {
  if (answers.every(({ says }) => says === "refused-upload")) return true;
  if (mailbox.features.emptySync || answers.some(({ says }) => says === "something")) return false;
  return collections.every(
    (collection) => kindOf({ collectionId: idOf(collection), collection }, mailbox.state, held) === "held",
  );
}

/** @param isCounted whether an item is one that the gate would answer for. */
export function fetchesTooMany(
  collections: readonly Element[],
  isCounted: (serverId: string) => boolean = () => true,
): boolean {
  const fetches = collections
    .flatMap((collection) => children(collection, "AirSync:Commands"))
    .flatMap((commands) => children(commands, "AirSync:Fetch"));
  return fetches.filter((fetch) => isCounted(text(fetch, "AirSync:ServerId") ?? "")).length > FETCHES_LIMIT;
}

function isNamed(collection: Element): boolean {
  const id = idOf(collection);
  return id !== "" && id.length <= collectionIdLimit && text(collection, "AirSync:SyncKey") !== undefined;
}

function documentOf(answers: readonly CollectionAnswer[]): Element {
  return element("AirSync:Sync", element("AirSync:Collections", ...answers.map((answer) => answer.element)));
}

export function collectionsOf(request: Element): Element[] {
  const collections = only(request, "AirSync:Collections");
  return collections === undefined ? [] : children(collections, "AirSync:Collection");
}

export function idOf(collection: Element): string {
  return text(collection, "AirSync:CollectionId") ?? "";
}

function answerCollection(collection: Element, mailbox: MailboxView, others: OtherFolders): CollectionAnswer {
  const collectionId = idOf(collection);
  const key = text(collection, "AirSync:SyncKey") ?? "";
  const kind = kindOf({ collectionId, collection }, mailbox.state, others.held);
  if (kind === "allowed") return answerAllowed(collection, mailbox.features, others);
  const owner: GatewayKeyOwner = { account: mailbox.account, device: mailbox.device, collectionId };
  const ours = mailbox.keys.read(owner, key);
  const reply = replier(collection, collectionId, mailbox.features);
  const uploads = has(collection, "AirSync:Commands");

  if (key === "0") {
    // Priming hands out a key and no items (MS-ASCMD 2.2.3.181.4); uploads cannot come with it.
    if (uploads) return reply("0", "4", "something");
    return { ...reply(mailbox.keys.issue(owner, { state: 1, touches: 0 }), "1", "something"), issued: true };
  }
  if (isEmptied(kind) && ours === undefined) return resetCollection(collection, mailbox.features);
  if (kind === "held" || kind === "wiped") {
    // A key with our mark that is none of ours for this folder must not go upstream later either.
    const held = { issued: bearsMark(key) };
    return uploads
      ? { ...refuseUpload(collection, mailbox.features), ...held }
      : { ...reply(key, "1", "nothing"), ...held };
  }
  if (ours === undefined) return resetCollection(collection, mailbox.features);
  return { ...answerMail({ collection, collectionId, owner, ours, kind, mailbox, reply }), issued: true };
}

/** Status 1 would tell the phone that its upload is stored, and it would forget it. */
function refuseUpload(collection: Element, features: VersionFeatures): CollectionAnswer {
  const key = text(collection, "AirSync:SyncKey") ?? "";
  return replier(collection, idOf(collection), features)(key, features.emptySync ? "16" : "5", "refused-upload");
}

/** As upstream answered. A key of ours is left from another setting: the folder starts anew, with upstream. */
function answerAllowed(collection: Element, features: VersionFeatures, { upstream }: OtherFolders): CollectionAnswer {
  const key = text(collection, "AirSync:SyncKey") ?? "";
  if (bearsMark(key)) return { ...resetCollection(collection, features), issued: true };
  const answer = upstream?.get(idOf(collection));
  if (answer !== undefined) return { element: answer, issued: false, says: "something" };
  // Upstream is away, or has nothing to say: of a first key and of an upload that is no answer.
  const isStored = upstream !== undefined && key !== "0";
  if ((key === "0" || has(collection, "AirSync:Commands")) && !isStored) return refuseUpload(collection, features);
  return replier(collection, idOf(collection), features)(key, "1", "nothing");
}

/** The phone forgets the folder and starts anew with key 0. The key comes before the Status, or old Android keeps the old one. */
export function resetCollection(collection: Element, features: VersionFeatures): CollectionAnswer {
  return replier(collection, idOf(collection), features)("0", "3", "something");
}

/** Up to 12.0 an answer repeats of which class a folder is. */
export function classIn(collection: Element, { classInCollection }: VersionFeatures): Element | undefined {
  const folderClass = classInCollection ? text(collection, "AirSync:Class") : undefined;
  return folderClass === undefined ? undefined : element("AirSync:Class", folderClass);
}

type Replier = (
  key: string,
  status: string,
  says: CollectionAnswer["says"],
  ...parts: readonly (Element | undefined)[]
) => CollectionAnswer;

function replier(collection: Element, collectionId: string, features: VersionFeatures): Replier {
  return (key, status, says, ...parts) => ({
    issued: false,
    says,
    element: element(
      "AirSync:Collection",
      classIn(collection, features),
      element("AirSync:SyncKey", key),
      element("AirSync:CollectionId", collectionId),
      element("AirSync:Status", status),
      ...parts,
    ),
  });
}

interface MailFolder {
  readonly collection: Element;
  readonly collectionId: string;
  readonly owner: GatewayKeyOwner;
  readonly ours: GatewayKey;
  readonly kind: FolderKind;
  readonly mailbox: MailboxView;
  readonly reply: Replier;
}

function answerMail(folder: MailFolder): CollectionAnswer {
  const { collection, owner, ours, kind, mailbox, reply } = folder;
  const uploads = takeUploads(folder);
  const delivery =
    kind === "inbox" && wantsChanges(collection, mailbox.features)
      ? deliver(folder, uploads.state)
      : { state: uploads.state, commands: [] };
  const key = mailbox.keys.issue(owner, { state: delivery.state, touches: ours.touches + (uploads.any ? 1 : 0) });
  const says = uploads.any || delivery.commands.length > 0 ? "something" : "nothing";
  return reply(
    key,
    "1",
    says,
    delivery.commands.length > 0 ? element("AirSync:Commands", ...delivery.commands) : undefined,
    uploads.responses.length > 0 ? element("AirSync:Responses", ...uploads.responses) : undefined,
  );
}

/** Absent means yes for every key but 0; in 2.5 it means no, and the empty tag is yes (MS-ASCMD 2.2.3.84). */
export function wantsChanges(collection: Element, { getChangesHasValue }: VersionFeatures): boolean {
  const wish = text(collection, "AirSync:GetChanges");
  return wish === undefined ? getChangesHasValue : wish !== "0";
}

function deliver(folder: MailFolder, state: number): { readonly state: number; readonly commands: readonly Element[] } {
  const { collection, collectionId, mailbox } = folder;
  const { revision } = mailbox.revision;
  if (state === 2 * revision || state === 2 * revision + 1) return { state, commands: [] };
  const add = element(
    "AirSync:Add",
    element("AirSync:ServerId", itemId(collectionId, revision)),
    element("AirSync:ApplicationData", ...itemData(mailbox, optionsIn(collection, "AirSync:Options"))),
  );
  const shown = state > 1 && state % 2 === 0 ? state / 2 : undefined;
  if (shown === undefined) return { state: 2 * revision, commands: [add] };
  const remove = element("AirSync:Delete", element("AirSync:ServerId", itemId(collectionId, shown)));
  return { state: 2 * revision, commands: [remove, add] };
}

/** @param how `fetched` is all of it, whatever the options of the folder cut off. */
export function itemData(
  mailbox: MailboxView,
  options: Element | undefined,
  how: "as-wished" | "fetched" = "as-wished",
): Element[] {
  const { notice, mime, to, revision, features } = mailbox;
  const wish = bodyWishOf(options, features);
  const item = { notice, mime, to, at: revision.at };
  return applicationData(item, how === "fetched" ? wholly(wish) : wish, features);
}

interface Uploads {
  readonly any: boolean;
  readonly state: number;
  readonly responses: readonly Element[];
}

/** What the phone says about items: read marks and deletion of the notice are taken, everything else is no item of this mailbox. */
function takeUploads({ collection, collectionId, ours, mailbox }: MailFolder): Uploads {
  const commands = only(collection, "AirSync:Commands");
  const responses: Element[] = [];
  let { state } = ours;
  let any = false;
  for (const command of commands?.content ?? []) {
    if (typeof command !== "object" || !("tag" in command)) continue;
    any = true;
    const serverId = text(command, "AirSync:ServerId") ?? "";
    const revision = revisionOf(serverId, collectionId);
    if (command.tag === "AirSync:Fetch") {
      responses.push(
        revision === mailbox.revision.revision
          ? fetched(collection, serverId, mailbox)
          : notFound(command.tag, serverId),
      );
    } else if (command.tag === "AirSync:Add") {
      responses.push(cannotAdd(command));
    } else if (revision === undefined) {
      responses.push(notFound(command.tag, serverId));
    } else if (command.tag === "AirSync:Delete" && state === 2 * revision) {
      state += 1;
    }
  }
  return { any, state, responses };
}

function fetched(collection: Element, serverId: string, mailbox: MailboxView): Element {
  return element(
    "AirSync:Fetch",
    element("AirSync:ServerId", serverId),
    element("AirSync:Status", "1"),
    element("AirSync:ApplicationData", ...itemData(mailbox, optionsIn(collection, "AirSync:Options"), "fetched")),
  );
}

/** A phone cannot add to a mail folder, but for drafts, which are held (MS-ASCMD 2.2.3.7.2). */
function cannotAdd(command: Element): Element {
  const clientId = text(command, "AirSync:ClientId") ?? "";
  return element("AirSync:Add", element("AirSync:ClientId", clientId), element("AirSync:Status", "6"));
}

function notFound(tag: Element["tag"], serverId: string): Element {
  return element(tag, element("AirSync:ServerId", serverId), element("AirSync:Status", "8"));
}

/** Far above the numbers that servers give to items. */
const firstItemNumber = 2_000_000_000;

export function itemId(collectionId: string, revision: number): string {
  return `${collectionId}:${firstItemNumber + revision}`;
}

/** Which revision of the notice an item id names; undefined for every other item. */
export function revisionOf(serverId: string, collectionId: string): number | undefined {
  if (!serverId.startsWith(`${collectionId}:`)) return undefined;
  const number = serverId.slice(collectionId.length + 1);
  if (!/^\d{10}$/.test(number)) return undefined;
  const revision = Number(number) - firstItemNumber;
  return revision > 0 && revision < firstItemNumber / 2 ? revision : undefined;
}

/** In whichever folder: until the Inbox is known, the notice is in every mail folder. */
export function isItemOfOurs(serverId: string): boolean {
  const revision = revisionOf(serverId, serverId.slice(0, Math.max(0, serverId.lastIndexOf(":"))));
  return revision !== undefined && revision <= REVISION_LIMIT;
}
