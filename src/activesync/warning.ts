/**
 * A phone whose mail flows, with the notice as one more message in its Inbox. Upstream knows nothing of it: the notice is
 * handed out and taken back in answers that the gate gives itself, under a key that stands for the real one. With its next
 * request the phone shows that it has the answer, and goes on with upstream where it was.
 */
import type { Decision } from "../gateway/protocol.ts";
import type { MailboxState, WarningState } from "../store/store.ts";
import { element, has, isElement, mapElements, text } from "./document.ts";
import { inboxNamed, looksLikeMail } from "./folders.ts";
import { currentRevision } from "./mailbox-view.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { classIn, collectionsOf, idOf, itemData, itemId, revisionOf, wantsChanges } from "./quarantine-sync.ts";
import { optionsIn } from "./body-wish.ts";
import { nextShadow, packOptions, presentedBy, unpackOptions } from "./shadow-key.ts";
import type { Presented } from "./shadow-key.ts";
import type { VersionFeatures } from "./version.ts";
import type { Element } from "./wbxml.ts";

/** Whoever has deleted the notice does not get it back within a day. */
const dismissedMs = 86_400_000;

/** The words alone make a new revision: a notice that stays in the Inbox need not come anew each day. */
export const WARNING_REVISION_MS = Infinity;

const nothing: Omit<WarningState, "collectionId"> = { shown: undefined, dismissedAt: undefined, shadow: undefined };

/**
 * The Inbox of a phone: the folder that has the notice, else the one that the list of folders names. A phone that was set up
 * before there was a gate does not ask for that list again; it waits for its Inbox before all other mail.
 */
export function inboxOf(mailbox: MailboxState): string | undefined {
  const { warning, folders, ping } = mailbox;
  const named = inboxNamed(mailbox);
  const inUse = warning !== undefined && holdsNotice(warning);
  // A folder that is not in the list any more has taken the notice with it.
  if (inUse && (named === undefined || folders.has(warning.collectionId))) return warning.collectionId;
  return named ?? warning?.collectionId ?? ping?.folders.find((folder) => folder.class === "Email")?.id;
}

/** Whether the phone shows the notice, or may come back with a key of ours for the folder. */
export function holdsNotice({ shown, shadow }: WarningState): boolean {
  return shown !== undefined || shadow !== undefined;
}

function warningIn(inbox: string, { warning }: MailboxState): WarningState {
  if (warning?.collectionId === inbox) return warning;
  return { ...nothing, collectionId: inbox, dismissedAt: warning?.dismissedAt };
}

/** What is left of a warning when its folder starts anew: not the notice, but what the person has done to it. */
export function afterRestart({ collectionId, dismissedAt }: WarningState): WarningState | null {
  return dismissedAt === undefined ? null : { ...nothing, collectionId, dismissedAt };
}

/** Whether the phone shows something else than it should: then it is sent to fetch its Inbox. */
export function isPending({ notice, device }: Pick<Decision, "notice" | "device">, now: Date): boolean {
  if (device === undefined) return false;
  const inbox = inboxOf(device.mailbox);
  if (inbox === undefined) return false;
  const warning = warningIn(inbox, device.mailbox);
  if (notice === undefined || isDismissed(warning, now)) return warning.shown !== undefined;
  return currentRevision(device.mailbox.notice, notice, WARNING_REVISION_MS, now).revision !== warning.shown;
}

function isDismissed({ dismissedAt }: WarningState, now: Date): boolean {
  return dismissedAt !== undefined && Math.abs(now.getTime() - dismissedAt.getTime()) < dismissedMs;
}

/** What becomes of a Sync of a phone that has, or gets, the notice among its mail. */
export type WarningSync =
  | { readonly kind: "answer"; readonly document: Element; readonly warning: WarningState }
  /** Goes upstream in this wording; `warning` is written down before. */
  | { readonly kind: "forward"; readonly document: Element; readonly warning: WarningState | null | undefined };

export interface WarningQuestion {
  readonly request: Element;
  readonly mailbox: MailboxState;
  readonly device: string;
  readonly account: string;
  /** Undefined: nothing is to be said any more, and a notice that is shown is taken back. */
  readonly view: MailboxView | undefined;
  readonly keys: MailboxView["keys"];
  readonly features: VersionFeatures;
  readonly now: Date;
}

interface InboxPlan {
  readonly collection: Element;
  /** The key as it came. */
  readonly key: string;
  /** What it stands for where it is one of ours. */
  readonly shadow: Presented | undefined;
  /** The key that upstream knows; "0" for a folder that starts anew. */
  readonly real: string;
  /** What the phone says about our item. */
  readonly own: readonly Element[];
  /** Whether it says something about other items too. */
  readonly uploads: boolean;
}

export function answerWarnedSync(question: WarningQuestion): WarningSync {
  const { request, mailbox, view, now } = question;
  const collections = collectionsOf(request);
  const inbox = inboxOf(mailbox) ?? idOfMail(collections, mailbox);
  const collection = collections.find((each) => idOf(each) === inbox);
  if (inbox === undefined || collection === undefined)
    return { kind: "forward", document: request, warning: undefined };

  const before = warningIn(inbox, mailbox);
  const plan = planInbox(collection, before);
  const shown = plan.real === "0" ? undefined : plan.shadow === undefined ? before.shown : plan.shadow.shows;
  // An older wording may be deleted late: the one that has taken its place is still there.
  const deleted = plan.own.some(
    (command) =>
      command.tag === "AirSync:Delete" &&
      shown !== undefined &&
      revisionOf(text(command, "AirSync:ServerId") ?? "", inbox) === shown,
  );
  const after: WarningState = {
    collectionId: inbox,
    shown: deleted ? undefined : shown,
    dismissedAt: deleted ? now : before.dismissedAt,
    // Kept while the phone may come back with it: it does so until it has an answer of upstream's.
    shadow: plan.shadow === undefined ? undefined : before.shadow,
  };
  const wanted = view === undefined || isDismissed(after, now) ? undefined : view.revision.revision;

  const changes = wantsChanges(collection, question.features) && wanted !== after.shown;
  const options = packOptions(collection);
  const mayAnswer =
    plan.real !== "0" &&
    !plan.uploads &&
    options !== "too-many" &&
    !collections.some((each) => each !== collection && needsUpstream(each));
  if (mayAnswer && (changes || plan.own.length > 0)) {
    const missed = options === "none" ? after.shadow?.missed : options.missed;
    return handOut({ question, plan, after, wanted: changes ? wanted : after.shown, missed });
  }

  const settled =
    after.shown === undefined && wanted === undefined && after.shadow === undefined && !isDismissed(after, now);
  return {
    kind: "forward",
    document: withInbox(request, collection, plan, after.shadow?.missed),
    warning: settled ? null : after,
  };
}

/** Where neither the list of folders nor a Ping has said which the Inbox is: the mail that the phone looks at. */
function idOfMail(collections: readonly Element[], mailbox: MailboxState): string | undefined {
  const mail = collections.find((each) => looksLikeMail(each, mailbox));
  return mail === undefined ? undefined : idOf(mail);
}

/** Neither what is uploaded nor the first key of a folder can be had without upstream. */
function needsUpstream(collection: Element): boolean {
  return has(collection, "AirSync:Commands") || text(collection, "AirSync:SyncKey") === "0";
}

function planInbox(collection: Element, warning: WarningState): InboxPlan {
  const key = text(collection, "AirSync:SyncKey") ?? "";
  const shadow = presentedBy(key, warning);
  const own: Element[] = [];
  let uploads = false;
  for (const part of collection.content) {
    if (!isElement(part) || part.tag !== "AirSync:Commands") continue;
    for (const command of part.content) {
      if (!isElement(command)) continue;
      if (isOurs(command, warning.collectionId)) own.push(command);
      else uploads = true;
    }
  }
  return { collection, key, shadow, real: shadow?.real ?? key, own, uploads };
}

function isOurs(command: Element, collectionId: string): boolean {
  return revisionOf(text(command, "AirSync:ServerId") ?? "", collectionId) !== undefined;
}

interface HandOut {
  readonly question: WarningQuestion;
  readonly plan: InboxPlan;
  readonly after: WarningState;
  /** The revision that the phone shows once it has this answer. */
  readonly wanted: number | undefined;
  /** Options of the folder that upstream has yet to see. */
  readonly missed: string | undefined;
}

/** An answer of the gate's own, for the Inbox alone. Everything else waits for the next request, which comes at once. */
function handOut({ question, plan, after, wanted, missed }: HandOut): WarningSync {
  const { view, request, features, keys, device, account } = question;
  const { collectionId, shown } = after;
  const { collection, key, real } = plan;
  const commands: Element[] = [];
  if (shown !== undefined && shown !== wanted) {
    commands.push(element("AirSync:Delete", element("AirSync:ServerId", itemId(collectionId, shown))));
  }
  if (view !== undefined && wanted !== undefined && wanted !== shown) {
    commands.push(
      element(
        "AirSync:Add",
        element("AirSync:ServerId", itemId(collectionId, wanted)),
        element("AirSync:ApplicationData", ...itemData(view, optionsIn(collection, "AirSync:Options"))),
      ),
    );
  }
  const shadow = nextShadow({
    keys,
    owner: { account, device, collectionId },
    asked: key,
    from: plan.shadow ?? { real, shows: after.shown },
    shows: wanted,
    missed,
  });
  const responses = plan.own
    .filter(({ tag }) => tag === "AirSync:Fetch")
    .map((fetch) => fetched(fetch, collection, view));
  const inbox = element(
    "AirSync:Collection",
    ...headOf(collection, shadow.key, features),
    // There may be real mail behind it: the phone asks again at once, with the key that leads upstream.
    wantsChanges(collection, features) ? element("AirSync:MoreAvailable") : undefined,
    commands.length > 0 ? element("AirSync:Commands", ...commands) : undefined,
    responses.length > 0 ? element("AirSync:Responses", ...responses) : undefined,
  );
  const others = features.leavesOutUnchanged
    ? []
    : collectionsOf(request)
        .filter((each) => each !== collection)
        .map((each) => element("AirSync:Collection", ...headOf(each, text(each, "AirSync:SyncKey") ?? "", features)));
  return {
    kind: "answer",
    document: element("AirSync:Sync", element("AirSync:Collections", inbox, ...others)),
    warning: { ...after, shadow },
  };
}

/** What every Collection of an answer begins with, in the one order that all clients understand. */
function headOf(collection: Element, key: string, features: VersionFeatures): (Element | undefined)[] {
  return [
    classIn(collection, features),
    element("AirSync:SyncKey", key),
    element("AirSync:CollectionId", idOf(collection)),
    element("AirSync:Status", "1"),
  ];
}

function fetched(fetch: Element, collection: Element, view: MailboxView | undefined): Element {
  const serverId = text(fetch, "AirSync:ServerId") ?? "";
  const isCurrent = view !== undefined && revisionOf(serverId, idOf(collection)) === view.revision.revision;
  return element(
    "AirSync:Fetch",
    element("AirSync:ServerId", serverId),
    element("AirSync:Status", isCurrent ? "1" : "8"),
    isCurrent
      ? element("AirSync:ApplicationData", ...itemData(view, optionsIn(collection, "AirSync:Options"), "fetched"))
      : undefined,
  );
}

/** The request as upstream may see it: its own key, the options that it missed, and not a word about an item that it does not have. */
function withInbox(request: Element, inbox: Element, plan: InboxPlan, missed: string | undefined): Element {
  return mapElements(request, (collections) =>
    collections.tag !== "AirSync:Collections"
      ? collections
      : mapElements(collections, (each) => (each === inbox ? forUpstream(each, plan, missed) : each)),
  );
}

function forUpstream(collection: Element, { real, own }: InboxPlan, missed: string | undefined): Element {
  const whole =
    missed === undefined || has(collection, "AirSync:Options") ? collection : withOptions(collection, missed);
  return mapElements(whole, (part) => {
    if (part.tag === "AirSync:SyncKey") return element("AirSync:SyncKey", real);
    if (part.tag !== "AirSync:Commands") return part;
    const rest = part.content.filter((command) => !isElement(command) || !own.includes(command));
    return rest.length === 0 ? undefined : { ...part, content: rest };
  });
}

/** Options stand before Commands, which are the last (MS-ASCMD 2.2.1.21). */
function withOptions(collection: Element, missed: string): Element {
  const isCommands = (part: Element["content"][number]): boolean => isElement(part) && part.tag === "AirSync:Commands";
  const { content } = collection;
  const rest = content.filter((part) => !isCommands(part));
  return { ...collection, content: [...rest, ...unpackOptions(missed), ...content.filter(isCommands)] };
}
