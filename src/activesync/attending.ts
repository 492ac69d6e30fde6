/**
 * A phone that is allowed, with something of ours still on it: keys from a quarantine, or the notice among its mail. What it
 * asks is read, what only the gate understands is answered here, and everything else goes upstream. A key of ours never does.
 */
import type { Person } from "../policy/person.ts";
import type { Decision, Remediation, Reply } from "../gateway/protocol.ts";
import { Refusal } from "../gateway/errors.ts";
import type { MailboxChange, MailboxState } from "../store/store.ts";
import { fetchesOfTheNotice, movesOfTheNotice } from "./about-the-notice.ts";
import type { CommandName } from "./commands.ts";
import { child, children, element, isElement, mapElements, text, textOf } from "./document.ts";
import { estimateDrained, holdsOurKey, startAnew } from "./draining.ts";
import { bearsMark } from "./gateway-key.ts";
import type { GatewayKeys } from "./gateway-key.ts";
import { hierarchyAnew } from "./forwarding.ts";
import { viewMailbox } from "./mailbox-view.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { completePing, pingChanges, readPing } from "./ping.ts";
import type { Nudges } from "./ping.ts";
import { collectionsOf, idOf, syncStatus } from "./quarantine-sync.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { documentReply } from "./replies.ts";
import { readDocument, readingWbxml } from "./request-body.ts";
import { featuresOf } from "./version.ts";
import type { VersionFeatures } from "./version.ts";
import { isPartial } from "./waiting.ts";
import { answerWarnedSync, inboxOf, isPending } from "./warning.ts";
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

type AttendedDevice = NonNullable<Decision["device"]>;

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
    const { mailbox } = device;
    const pending = isPending(context.decision, context.now);

    if (query.command === "Ping") return pending ? sendToInbox(context, device) : settled(device);
    if (query.command === "Sync") return sync();
    if (query.command === "GetItemEstimate") {
      const request = await read("GetItemEstimate", context);
      return request === undefined
        ? passed(undefined)
        : readingWbxml(() => itemEstimate(request, mailbox, featuresOf(query.version ?? "12.1")));
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
        context.decision.notice === undefined ? undefined : viewFor(asked);
      const found =
        request === undefined ? undefined : await fetchesOfTheNotice(request, query.acceptsMultipart, viewing);
      if (found === undefined) return passed(request);
      return "answer" in found ? found.answer : passed(found.rest);
    }
    return stream;

    async function sync(): Promise<Reply> {
      const request = await read("Sync", context);
      // Upstream would repeat what it was asked before, with keys that the phone no longer has.
      const forgotten = mailbox.issued.size > 0 || mailbox.warning?.shadow !== undefined || pending;
      if (request === undefined || isPartial(request))
        return forgotten ? documentReply(syncStatus("13")) : passed(request);
      const features = featuresOf(query.version ?? "12.1");
      const isShadow = (key: string): boolean => mailbox.warning?.shadow?.key === key;
      const collections = collectionsOf(request);
      const startsAnew = (collection: Element): boolean => holdsOurKey(collection, isShadow);
      if (collections.some(startsAnew)) return documentReply(startAnew(collections, features, startsAnew));
      const view = context.decision.notice === undefined ? undefined : await viewFor(request);
      const outcome = readingWbxml(() =>
        answerWarnedSync({
          request,
          mailbox,
          device: device?.id ?? "",
          account: device?.account ?? "",
          view,
          keys: shadowKeys,
          leavesOutUnchanged: features.leavesOutUnchanged,
          now: context.now,
        }),
      );
      if (outcome.warning !== undefined && !sameWarning(outcome.warning, mailbox))
        await context.remember({ warning: outcome.warning });
      if (outcome.kind === "answer") return documentReply(outcome.document);
      return passed(outcome.document, drainedBy(collections, mailbox));
    }

    function viewFor(request: Element): Promise<MailboxView> {
      const { decision } = context;
      const features = featuresOf(query.version ?? "12.1");
      // The words alone make a new revision: a notice that stays in the Inbox need not come anew each day.
      return viewMailbox({ decision, context, request, person, keys: shadowKeys, features, revisionAgeMs: Infinity });
    }
  };

  function read(command: CommandName, context: Remediation): Promise<Element | undefined> {
    return readDocument(command, context, bodyLimitBytes);
  }

  /** A phone that waits for news hears that there is some, if its Inbox is among what it waits for. */
  async function sendToInbox(context: Remediation, device: AttendedDevice): Promise<Reply> {
    const { mailbox } = device;
    const request = await read("Ping", context);
    const ping = readingWbxml(() => completePing(readPing(request), mailbox.ping));
    const inbox = inboxOf(mailbox);
    const waits = inbox !== undefined && ping?.folders.some(({ id }) => id === inbox) === true;
    if (waits && nudges.allow(device, inbox, context.now.getTime())) return documentReply(pingChanges([inbox]));
    return passed(request);
  }

  function settled(device: AttendedDevice): Reply {
    const inbox = inboxOf(device.mailbox);
    if (inbox !== undefined) nudges.settle(device, inbox);
    return stream;
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

/** A folder is drained once upstream has taken its first request. */
function drainedBy(collections: readonly Element[], { issued }: MailboxState): MailboxChange | undefined {
  const restarted = collections.filter((collection) => text(collection, "AirSync:SyncKey") === "0").map(idOf);
  const drained = restarted.filter((id) => issued.has(id));
  return drained.length === 0 ? undefined : { drained };
}

function sameWarning(warning: MailboxState["warning"] | null, mailbox: MailboxState): boolean {
  return JSON.stringify(warning ?? undefined) === JSON.stringify(mailbox.warning);
}

function itemEstimate(request: Element, mailbox: MailboxState, features: VersionFeatures): Reply {
  const list = child(request, "GetItemEstimate:Collections");
  const collections = list === undefined ? [] : children(list, "GetItemEstimate:Collection");
  const shadow = mailbox.warning?.shadow;
  const keyOf = (collection: Element): string => text(collection, "AirSync:SyncKey") ?? "";
  if (collections.some((collection) => bearsMark(keyOf(collection)) && keyOf(collection) !== shadow?.key)) {
    return documentReply(estimateDrained(collections, features));
  }
  if (shadow === undefined || !collections.some((collection) => keyOf(collection) === shadow.key))
    return passed(request);
  const translated = collections.map((collection) =>
    keyOf(collection) === shadow.key
      ? mapElements(collection, (part) => (part.tag === "AirSync:SyncKey" ? element(part.tag, shadow.real) : part))
      : collection,
  );
  return passed(element("GetItemEstimate:GetItemEstimate", element("GetItemEstimate:Collections", ...translated)));
}
