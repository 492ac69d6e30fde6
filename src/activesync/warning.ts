/**
 * A phone whose mail flows, with the notice as one more message in its Inbox. Upstream knows nothing of it: the notice is
 * handed out and taken back in answers that the gate gives itself, under a key that stands for the real one. With its next
 * request the phone shows that it has the answer, and goes on with upstream where it was.
 */
import type { Decision } from "../gateway/protocol.ts";
import type { MailboxState, ShadowKey, WarningState } from "../store/store.ts";
import { element, has, isElement, mapElements, text } from "./document.ts";
import type { GatewayKeyOwner } from "./gateway-key.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { collectionsOf, idOf, itemData, itemId, revisionOf } from "./quarantine-sync.ts";
import { optionsIn } from "./notice-item.ts";
import type { Element } from "./wbxml.ts";

/** Whoever has deleted the notice does not get it back within a day. */
const dismissedMs = 86_400_000;

/** Folder type of the Inbox (MS-ASCMD 2.2.3.186.3). */
const inboxType = 2;

const nothing: Omit<WarningState, "collectionId"> = { shown: undefined, dismissedAt: undefined, shadow: undefined };

/** The Inbox of a phone: the one that has the notice, else the one that the list of folders names. */
export function inboxOf({ warning, folders }: MailboxState): string | undefined {
  return warning?.collectionId ?? folders.entries().find(([, type]) => type === inboxType)?.[0];
}

/** Whether the phone shows something else than it should: then it is sent to fetch its Inbox. */
export function isPending({ notice, device }: Decision, now: Date): boolean {
  if (device === undefined || inboxOf(device.mailbox) === undefined) return false;
  const { warning, notice: revision } = device.mailbox;
  const wanted = notice !== undefined && !isDismissed(warning, now);
  if (!wanted) return warning?.shown !== undefined;
  return warning?.shown === undefined || revision?.digest !== notice.digest || revision.revision !== warning.shown;
}

function isDismissed(warning: WarningState | undefined, now: Date): boolean {
  return warning?.dismissedAt !== undefined && now.getTime() - warning.dismissedAt.getTime() < dismissedMs;
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
  readonly leavesOutUnchanged: boolean;
  readonly now: Date;
}

interface InboxPlan {
  readonly collection: Element;
  /** The key that upstream knows; "0" for a folder that starts anew. */
  readonly real: string;
  readonly cameWithShadow: boolean;
  /** What the phone says about our item. */
  readonly own: readonly Element[];
  /** Whether it says something about other items too. */
  readonly uploads: boolean;
}

export function answerWarnedSync(question: WarningQuestion): WarningSync {
  const { request, mailbox, view, now } = question;
  const inbox = inboxOf(mailbox);
  const collection = collectionsOf(request).find((each) => idOf(each) === inbox);
  if (inbox === undefined || collection === undefined)
    return { kind: "forward", document: request, warning: undefined };

  const before: WarningState = mailbox.warning ?? { ...nothing, collectionId: inbox };
  const plan = planInbox(collection, before);
  const shown = plan.real === "0" ? undefined : plan.cameWithShadow ? before.shadow?.shows : before.shown;
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
    shadow: plan.cameWithShadow ? before.shadow : undefined,
  };
  const wanted = view === undefined || isDismissed(after, now) ? undefined : view.revision.revision;

  // Neither what is uploaded nor the first key of a folder can be had without upstream.
  const othersNeedUpstream = collectionsOf(request).some(
    (each) => each !== collection && (has(each, "AirSync:Commands") || text(each, "AirSync:SyncKey") === "0"),
  );
  const changes = text(collection, "AirSync:GetChanges") !== "0" && wanted !== after.shown;
  const mayAnswer = plan.real !== "0" && !plan.uploads && !othersNeedUpstream;
  if (mayAnswer && (changes || plan.own.length > 0))
    return handOut({ question, plan, before, after, wanted: changes ? wanted : after.shown });

  const settled =
    after.shown === undefined && wanted === undefined && after.shadow === undefined && !isDismissed(after, now);
  return { kind: "forward", document: withInbox(request, collection, plan), warning: settled ? null : after };
}

function planInbox(collection: Element, { collectionId, shadow }: WarningState): InboxPlan {
  const key = text(collection, "AirSync:SyncKey") ?? "";
  const cameWithShadow = shadow !== undefined && key === shadow.key;
  const own: Element[] = [];
  let uploads = false;
  for (const part of collection.content) {
    if (!isElement(part) || part.tag !== "AirSync:Commands") continue;
    for (const command of part.content) {
      if (!isElement(command)) continue;
      if (isOurs(command, collectionId)) own.push(command);
      else uploads = true;
    }
  }
  return { collection, real: cameWithShadow ? shadow.real : key, cameWithShadow, own, uploads };
}

function isOurs(command: Element, collectionId: string): boolean {
  return revisionOf(text(command, "AirSync:ServerId") ?? "", collectionId) !== undefined;
}

interface HandOut {
  readonly question: WarningQuestion;
  readonly plan: InboxPlan;
  readonly before: WarningState;
  readonly after: WarningState;
  /** The revision that the phone shows once it has this answer. */
  readonly wanted: number | undefined;
}

/** An answer of the gate's own, for the Inbox alone. Everything else waits for the next request, which comes at once. */
function handOut({ question, plan, before, after, wanted }: HandOut): WarningSync {
  const { view, request, leavesOutUnchanged } = question;
  const { collectionId, shown } = after;
  const { collection } = plan;
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
  const shadow = shadowFor(question, plan, before.shadow, wanted);
  const responses = plan.own
    .filter(({ tag }) => tag === "AirSync:Fetch")
    .map((fetch) => fetched(fetch, collection, view));
  const inbox = element(
    "AirSync:Collection",
    element("AirSync:SyncKey", shadow.key),
    element("AirSync:CollectionId", collectionId),
    element("AirSync:Status", "1"),
    // There may be real mail behind it: the phone asks again at once, with the key that leads upstream.
    element("AirSync:MoreAvailable"),
    commands.length > 0 ? element("AirSync:Commands", ...commands) : undefined,
    responses.length > 0 ? element("AirSync:Responses", ...responses) : undefined,
  );
  const others = leavesOutUnchanged
    ? []
    : collectionsOf(request)
        .filter((each) => each !== collection)
        .map(unchanged);
  return {
    kind: "answer",
    document: element("AirSync:Sync", element("AirSync:Collections", inbox, ...others)),
    warning: { ...after, shadow },
  };
}

/** The same key for the same question, so that a repeated request gets the same answer; a new one for every other. */
function shadowFor(
  { keys, device, account }: WarningQuestion,
  plan: InboxPlan,
  before: ShadowKey | undefined,
  shows: number | undefined,
): ShadowKey {
  const collectionId = idOf(plan.collection);
  if (
    before !== undefined &&
    !plan.cameWithShadow &&
    before.real === plan.real &&
    before.shows === shows &&
    plan.own.length === 0
  )
    return before;
  const owner: GatewayKeyOwner = { account, device, collectionId };
  const touches = (before === undefined ? 0 : (keys.read(owner, before.key)?.touches ?? 0)) + 1;
  const state = shows === undefined ? 1 : 2 * shows;
  return { key: keys.issue(owner, { state, touches }), real: plan.real, shows };
}

function fetched(fetch: Element, collection: Element, view: MailboxView | undefined): Element {
  const serverId = text(fetch, "AirSync:ServerId") ?? "";
  const isCurrent = view !== undefined && revisionOf(serverId, idOf(collection)) === view.revision.revision;
  return element(
    "AirSync:Fetch",
    element("AirSync:ServerId", serverId),
    element("AirSync:Status", isCurrent ? "1" : "8"),
    isCurrent
      ? element("AirSync:ApplicationData", ...itemData(view, optionsIn(collection, "AirSync:Options")))
      : undefined,
  );
}

function unchanged(collection: Element): Element {
  return element(
    "AirSync:Collection",
    element("AirSync:SyncKey", text(collection, "AirSync:SyncKey") ?? ""),
    element("AirSync:CollectionId", idOf(collection)),
    element("AirSync:Status", "1"),
  );
}

/** The request as upstream may see it: its own key, and not a word about an item that it does not have. */
function withInbox(request: Element, inbox: Element, plan: InboxPlan): Element {
  return mapElements(request, (collections) =>
    collections.tag !== "AirSync:Collections"
      ? collections
      : mapElements(collections, (collection) => (collection === inbox ? forUpstream(collection, plan) : collection)),
  );
}

function forUpstream(collection: Element, { real, own }: InboxPlan): Element {
  return mapElements(collection, (part) => {
    if (part.tag === "AirSync:SyncKey") return element("AirSync:SyncKey", real);
    if (part.tag !== "AirSync:Commands") return part;
    const rest = part.content.filter((command) => !isElement(command) || !own.includes(command));
    return rest.length === 0 ? undefined : { ...part, content: rest };
  });
}
