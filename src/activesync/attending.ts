/**
 * A phone that is allowed, with something of ours still on it: keys from a quarantine, or the notice among its mail. What it
 * asks is read, what only the gate understands is answered here, and everything else goes upstream. A key of ours never does.
 */
import type { Person } from "../policy/person.ts";
import type { Decision, Remediation, Reply } from "../gateway/protocol.ts";
import { Refusal } from "../gateway/errors.ts";
import type { MailboxChange, MailboxState } from "../store/store.ts";
import { fetchesOfTheNotice, invitationsOfTheNotice, movesOfTheNotice } from "./about-the-notice.ts";
import type { CommandName } from "./commands.ts";
import { child, children, element, isElement, mapElements, text, textOf } from "./document.ts";
import { estimateDrained, holdsOurKey, startAnew } from "./draining.ts";
import { estimate } from "./held-answers.ts";
import { bearsMark } from "./gateway-key.ts";
import type { GatewayKeys } from "./gateway-key.ts";
import { hierarchyAnew } from "./forwarding.ts";
import { mailAboutTheNotice } from "./mail-about-the-notice.ts";
import { viewMailbox } from "./mailbox-view.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { completePing, keptPing, pingChanges, readPing, wholePing } from "./ping.ts";
import type { Nudges } from "./ping.ts";
import { collectionsOf, fetchesTooMany, idOf, revisionOf } from "./quarantine-sync.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { documentReply, syncStatusReply } from "./replies.ts";
import { presentedBy } from "./shadow-key.ts";
import { readDocument, readingWbxml } from "./request-body.ts";
import { featuresOf } from "./version.ts";
import type { VersionFeatures } from "./version.ts";
import { isPartial } from "./waiting.ts";
import { answerWarnedSync, inboxOf, isPending, WARNING_REVISION_MS } from "./warning.ts";
import { encode } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

export interface AttendingOptions {
  /** Keys that stand for one of upstream's: of another making than those of a quarantine, which must not be mistaken for them. */
  readonly shadowKeys: GatewayKeys;
  readonly nudges: Nudges;
  readonly bodyLimitBytes: number;
}

/** A request that was read and says nothing of ours; undefined where it was not read. */
const stream: Reply = { kind: "pass", body: undefined };

/** The gate answers a Sync itself: upstream will not know what a short one means that follows. */
const unheard = { unheard: ["Sync"] } as const satisfies MailboxChange;

/** Longer than one node needs to tell another what it has written. */
const otherNodeMs = 1_000;

type AttendedDevice = NonNullable<Decision["device"]>;
/** What was decided, and about which phone. */
type Attended = Decision & { readonly device: AttendedDevice };

export function createAttending({ shadowKeys, nudges, bodyLimitBytes }: AttendingOptions) {
  return async function attend(
    query: ActiveSyncQuery,
    person: Person | undefined,
    context: Remediation,
  ): Promise<Reply> {
    const { device } = context.decision;
    if (device === undefined) return stream;
    // What is answered here says something about the phone, so the credential is proven first, as it is in quarantine.
    const refused = await context.proveCredential();
    if (refused !== undefined) {
      await context.discardBody(bodyLimitBytes);
      return refused;
    }
    const attended: Attended = { ...context.decision, device };
    const features = featuresOf(query.version ?? "12.1");

    if (query.command === "Ping") return waitForNews(attended);
    if (query.command === "Sync") return sync();
    if (query.command === "GetItemEstimate") {
      const request = await read("GetItemEstimate", context);
      return request === undefined
        ? passed(undefined)
        : readingWbxml(() => itemEstimate(request, attended, features, context.now));
    }
    if (query.command === "FolderSync") {
      const request = await read("FolderSync", context);
      const key = request === undefined ? undefined : text(request, "FolderHierarchy:SyncKey");
      return key !== undefined && bearsMark(key) ? documentReply(hierarchyAnew()) : passed(request);
    }
    if (query.command === "MoveItems") {
      const request = await read("MoveItems", context);
      const reply = request === undefined ? undefined : await movesOfTheNotice(request, context);
      return reply ?? passed(request);
    }
    if (query.command === "ItemOperations") {
      const request = await read("ItemOperations", context);
      const viewing = async (asked: Element): Promise<MailboxView | undefined> =>
        attended.notice === undefined ? undefined : viewFor(attended, asked);
      const found =
        request === undefined ? undefined : await fetchesOfTheNotice(request, query.acceptsMultipart, viewing);
      if (found === undefined) return passed(request);
      return "answer" in found ? found.answer : passed(found.rest);
    }
    if (query.command === "MeetingResponse") {
      const request = await read("MeetingResponse", context);
      const reply = request === undefined ? undefined : await invitationsOfTheNotice(request, context);
      return reply ?? passed(request);
    }
    if ((query.command === "SmartReply" || query.command === "SmartForward") && context.holdsOurs)
      return mailAboutTheNotice(query.command, query, person, context);
    return stream;

    async function sync(): Promise<Reply> {
      const request = await read("Sync", context);
      const whole = request === undefined || isPartial(request) ? undefined : request;
      const collections = whole === undefined ? [] : readingWbxml(() => collectionsOf(whole));
      const decision = await sinceAnotherNode(attended, collections);
      const { mailbox } = decision.device;
      if (whole === undefined)
        return isForgotten(request, decision) ? syncStatusReply(features, "13") : passed(request);
      const isShadow = (key: string): boolean => presentedBy(key, mailbox.warning) !== undefined;
      const startsAnew = (collection: Element): boolean => holdsOurKey(collection, isShadow);
      if (collections.some(startsAnew)) {
        await remember(mailbox, unheard);
        return documentReply(startAnew(collections, features, startsAnew));
      }
      const inbox = inboxOf(mailbox) ?? "";
      if (fetchesTooMany(collections, (id) => revisionOf(id, inbox) !== undefined))
        return syncStatusReply(features, "4");
      const view = decision.notice === undefined ? undefined : await viewFor(decision, whole);
      const outcome = readingWbxml(() =>
        answerWarnedSync({
          request: whole,
          mailbox,
          device: decision.device.id,
          account: decision.device.account,
          view,
          keys: shadowKeys,
          features,
          now: context.now,
        }),
      );
      const warned = outcome.warning === undefined ? {} : { warning: outcome.warning };
      await remember(mailbox, { ...warned, ...(outcome.kind === "answer" ? unheard : {}) });
      if (outcome.kind === "answer") return documentReply(outcome.document);
      return passed(outcome.document, heardBy(collections, mailbox));
    }

    /** Whether upstream would take a short Sync for something else than the phone means by it. */
    function isForgotten(request: Element | undefined, decision: Attended): boolean {
      const { issued, unheard, warning } = decision.device.mailbox;
      if (unheard.has("Sync") || isPending(decision, context.now)) return true;
      // A part that is said may be about a folder that only the gate understands.
      return request !== undefined && (issued.size > 0 || warning?.shadow !== undefined || holdsKeyOfOurs(request));
    }

    /** Only what is not known yet. */
    async function remember(mailbox: MailboxState, { warning, unheard: command }: MailboxChange): Promise<void> {
      const isNewWarning = warning !== undefined && !sameWarning(warning, mailbox);
      const isNewlyUnheard = command !== undefined && features.emptySync && !mailbox.unheard.has("Sync");
      if (!isNewWarning && !isNewlyUnheard) return;
      await context.remember({
        ...(isNewWarning ? { warning } : {}),
        ...(isNewlyUnheard ? { unheard: command } : {}),
      });
    }

    /**
     * A key that stands for one of upstream's, of which this node knows nothing, may have been handed out by another a moment
     * ago: what was written then is on its way here.
     */
    async function sinceAnotherNode(decision: Attended, collections: readonly Element[]): Promise<Attended> {
      const { id, account } = decision.device;
      const isUnknown = ({ device: { mailbox } }: Attended): boolean =>
        collections.some((collection) => {
          const key = text(collection, "AirSync:SyncKey") ?? "";
          const owner = { account, device: id, collectionId: idOf(collection) };
          return presentedBy(key, mailbox.warning) === undefined && shadowKeys.read(owner, key) !== undefined;
        });
      const until = performance.now() + otherNodeMs;
      let current = decision;
      while (readingWbxml(() => isUnknown(current))) {
        const next = await context.nextDecision(until - performance.now());
        if (next === "expired" || next === "gone" || next.verdict.action !== "allow") break;
        if (next.device !== undefined) current = { ...next, device: next.device };
      }
      return current;
    }

    function viewFor(decision: Decision, request: Element): Promise<MailboxView> {
      return viewMailbox({
        decision,
        context,
        request,
        person,
        keys: shadowKeys,
        features,
        revisionAgeMs: WARNING_REVISION_MS,
      });
    }

    /**
     * A phone that waits for news hears that there is some, where it waits for a folder that shows something else than it should:
     * an Inbox with or without the notice, or a folder that is still the one of a quarantine.
     */
    async function waitForNews(decision: Attended): Promise<Reply> {
      const { mailbox } = decision.device;
      const request = await read("Ping", context);
      const asked = readingWbxml(() => readPing(request));
      const ping = completePing(asked, mailbox.ping);
      const state: MailboxState = ping === undefined ? mailbox : { ...mailbox, ping };
      const device: AttendedDevice = { ...decision.device, mailbox: state };
      const pending = isPending({ ...decision, device }, context.now) ? inboxOf(state) : undefined;
      const isOutdated = (id: string): boolean => id === pending || mailbox.issued.has(id);
      const folders = ping?.folders.map(({ id }) => id) ?? [];
      for (const id of folders) if (!isOutdated(id)) nudges.settle(device, id);
      const nudged = folders.filter((id) => isOutdated(id) && nudges.allow(device, id, context.now.getTime()));
      if (nudged.length === 0) {
        // What it has not heard is said to it in full.
        const isWhole = ping === undefined || !mailbox.unheard.has("Ping");
        return isWhole ? passed(request) : passed(wholePing(ping), { heard: ["Ping"] });
      }
      const kept = ping === undefined ? undefined : keptPing(asked, ping, mailbox);
      if (kept !== undefined) await context.remember(kept);
      return documentReply(pingChanges(nudged));
    }
  };

  function read(command: CommandName, context: Remediation): Promise<Element | undefined> {
    return readDocument(command, context, bodyLimitBytes);
  }
}

/** @throws Refusal where a key of ours stands in a place in which nobody looks for keys, but upstream might. */
function passed(request: Element | undefined, whenAnswered?: MailboxChange): Reply {
  if (request !== undefined && holdsKeyOfOurs(request))
    throw new Refusal("body-unreadable", 400, "a key of ours where there should be none");
  const body = request === undefined ? new Uint8Array() : encode(request);
  return { kind: "pass", body, ...(whenAnswered === undefined ? {} : { whenAnswered }) };
}

function holdsKeyOfOurs(request: Element): boolean {
  const open: Element[] = [request];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.tag.endsWith(":SyncKey") && bearsMark(textOf(next))) return true;
    open.push(...next.content.filter(isElement));
  }
  return false;
}

/** Upstream takes a whole Sync: a short one means this one from then on, and folders that start with it are drained. */
function heardBy(collections: readonly Element[], { issued, unheard }: MailboxState): MailboxChange | undefined {
  const restarted = collections.filter((collection) => text(collection, "AirSync:SyncKey") === "0").map(idOf);
  const drained = restarted.filter((id) => issued.has(id));
  if (drained.length === 0 && !unheard.has("Sync")) return undefined;
  return {
    ...(drained.length === 0 ? {} : { drained }),
    ...(unheard.has("Sync") ? { heard: ["Sync"] } : {}),
  };
}

function sameWarning(warning: MailboxState["warning"] | null, mailbox: MailboxState): boolean {
  return JSON.stringify(warning ?? undefined) === JSON.stringify(mailbox.warning);
}

function itemEstimate(request: Element, decision: Attended, features: VersionFeatures, now: Date): Reply {
  const { mailbox } = decision.device;
  const list = child(request, "GetItemEstimate:Collections");
  const collections = list === undefined ? [] : children(list, "GetItemEstimate:Collection");
  const realOf = (collection: Element): string | undefined =>
    presentedBy(text(collection, "AirSync:SyncKey") ?? "", mailbox.warning)?.real;
  const isOurs = (collection: Element): boolean => bearsMark(text(collection, "AirSync:SyncKey") ?? "");
  if (collections.some((collection) => isOurs(collection) && realOf(collection) === undefined))
    return documentReply(estimateDrained(collections, features));
  const [only] = collections;
  // A phone that fetches nothing where there is nothing must hear of the notice. What else there is, it finds when it looks.
  const isInbox = only !== undefined && text(only, "GetItemEstimate:CollectionId") === inboxOf(mailbox);
  if (isInbox && collections.length === 1 && isPending(decision, now))
    return documentReply(element("GetItemEstimate:GetItemEstimate", estimate(only, features, "1", "1")));
  if (!collections.some(isOurs)) return passed(request);
  const translated = collections.map((collection) =>
    mapElements(collection, (part) =>
      part.tag === "AirSync:SyncKey" ? element(part.tag, realOf(collection) ?? textOf(part)) : part,
    ),
  );
  return passed(element("GetItemEstimate:GetItemEstimate", element("GetItemEstimate:Collections", ...translated)));
}
