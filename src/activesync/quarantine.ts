/** Every command of a phone in quarantine: proven to be its owner's, read, and answered. Nothing here forwards what was not read. */
import type { HeldFolders } from "../policy/held-folders.ts";
import type { Person } from "../policy/person.ts";
import type { Decision, Remediation, Reply } from "../gateway/protocol.ts";
import { Refusal } from "../gateway/errors.ts";
import { syncAllowed } from "./allowed-folders.ts";
import { rootOf } from "./commands.ts";
import type { CommandName } from "./commands.ts";
import { holdsOurKey, startAnew } from "./draining.ts";
import { forwardFolderSync, forwardProvision, forwardSettings } from "./forwarding.ts";
import type { GatewayKeys } from "./gateway-key.ts";
import {
  answerFind,
  answerFolderChange,
  answerGetItemEstimate,
  answerItemOperations,
  answerMeetingResponse,
  answerMoveItems,
  answerResolveRecipients,
  answerSearch,
  answerSendMail,
  answerValidateCert,
} from "./held-answers.ts";
import { QUARANTINE_REVISION_MS, viewMailbox } from "./mailbox-view.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { answerPing, readPing } from "./ping.ts";
import type { Nudges } from "./ping.ts";
import { answerSync, collectionsOf, refusalOf } from "./quarantine-sync.ts";
import type { SyncAnswer } from "./quarantine-sync.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { documentReply, emptyReply, multipartReply, notImplemented, retryLater, syncStatusReply } from "./replies.ts";
import { readDocument, readingWbxml } from "./request-body.ts";
import { featuresOf, hasCommand } from "./version.ts";
import type { VersionFeatures } from "./version.ts";
import { isPartial, waitOf } from "./waiting.ts";
import { afterRestart, holdsNotice } from "./warning.ts";
import type { Element } from "./wbxml.ts";

export interface QuarantineOptions {
  readonly keys: GatewayKeys;
  readonly nudges: Nudges;
  readonly bodyLimitBytes: number;
  readonly heldFolders: HeldFolders;
}

/** One request of one phone in quarantine. */
interface Visit {
  readonly query: ActiveSyncQuery;
  readonly person: Person | undefined;
  readonly context: Remediation;
  readonly features: VersionFeatures;
}

/** A message with attachments is read to its end before it is refused, or the phone sees a broken connection. */
const sentMailLimitBytes = 64 * 1_048_576;
/** How long a phone keeps what it wanted to send before it tries again. */
const sendAgainSeconds = 900;
const uploadAgainSeconds = 300;
/** A phone that comes back into quarantine after this long gets its notice as a new one. */
const freshNoticeMs = 600_000;

export function createQuarantine({ keys, nudges, bodyLimitBytes, heldFolders }: QuarantineOptions) {
  return async function quarantine(
    query: ActiveSyncQuery,
    person: Person | undefined,
    context: Remediation,
  ): Promise<Reply> {
    const refused = await context.proveCredential();
    if (refused !== undefined) {
      // Read to the end, for a phone that is still sending would miss the answer.
      await context.discardBody(sentMailLimitBytes);
      return refused;
    }
    // A request that does not say is taken for what most servers take it for.
    const version = query.version ?? "12.1";
    const visit: Visit = { query, person, context, features: featuresOf(version) };
    if (query.command !== "Unknown" && hasCommand(version, query.command)) return answerCommand(query.command, visit);
    await context.discardBody(sentMailLimitBytes);
    return query.command === "Find" ? notImplemented(visit.features, "Find:Find", "Find:Status") : notImplemented();
  };

  async function answerCommand(command: CommandName, visit: Visit): Promise<Reply> {
    switch (command) {
      case "Sync":
        return sync(visit);
      case "Ping": {
        const document = await read("Ping", visit);
        const request = readingWbxml(() => readPing(document));
        return documentReply(await answerPing(request, visit.context, nudges, heldFolders));
      }
      case "SendMail":
      case "SmartReply":
      case "SmartForward":
        return sentMail(command, visit);
      case "FolderSync":
        return forwardFolderSync(await demand("FolderSync", visit), visit.context);
      case "Provision":
        return forwardProvision(await demand("Provision", visit), visit.context);
      case "Settings":
        return forwardSettings(await demand("Settings", visit), visit.context);
      case "GetItemEstimate":
        return fromMailbox(command, visit, (request, mailbox) => answerGetItemEstimate(request, mailbox, heldFolders));
      case "ItemOperations":
        return fromMailbox(command, visit, answerItemOperations);
      case "MoveItems":
        return answered(answerMoveItems, command, visit);
      case "MeetingResponse":
        return answered((request) => answerMeetingResponse(request), command, visit);
      case "ResolveRecipients":
        return answered(answerResolveRecipients, command, visit);
      case "ValidateCert":
        return answered(answerValidateCert, command, visit);
      case "Search":
        return answered(answerSearch, command, visit);
      case "Find":
        return answered(answerFind, command, visit);
      case "FolderCreate":
      case "FolderDelete":
      case "FolderUpdate":
        return answered((request) => answerFolderChange(rootTag(request)), command, visit);
      case "GetAttachment":
        return retryLater(sendAgainSeconds);
    }
  }

  function read(command: CommandName, { context }: Visit): Promise<Element | undefined> {
    return readDocument(command, context, bodyLimitBytes);
  }

  async function demand(command: CommandName, visit: Visit): Promise<Element> {
    const document = await read(command, visit);
    if (document === undefined) throw new Refusal("body-unreadable", 400, "command without a body");
    return document;
  }

  async function answered(answer: (request: Element) => Element, command: CommandName, visit: Visit): Promise<Reply> {
    const request = await demand(command, visit);
    return documentReply(readingWbxml(() => answer(request)));
  }

  async function fromMailbox(
    command: CommandName,
    visit: Visit,
    answer: (request: Element, mailbox: MailboxView) => Element,
  ): Promise<Reply> {
    const request = await demand(command, visit);
    const mailbox = await mailboxFor(visit, visit.context.decision, request);
    const document = readingWbxml(() => answer(request, mailbox));
    // A phone that says it takes several parts takes nothing else.
    return command === "ItemOperations" && visit.query.acceptsMultipart
      ? multipartReply(document)
      : documentReply(document);
  }

  /** Never an empty 200: it would delete the message from the outbox of the phone. */
  async function sentMail(
    command: "SendMail" | "SmartReply" | "SmartForward",
    { context, features }: Visit,
  ): Promise<Reply> {
    await context.discardBody(sentMailLimitBytes);
    const root = rootOf(command);
    if (!features.sendMailDocument || root === undefined) return retryLater(sendAgainSeconds);
    return documentReply(answerSendMail(root));
  }

  async function sync(visit: Visit): Promise<Reply> {
    const { context, features } = visit;
    const request = await read("Sync", visit);
    if (request === undefined || isPartial(request)) return syncStatusReply(features, "13");
    const refused = readingWbxml(() => refusalOf(collectionsOf(request)));
    if (refused !== undefined) return syncStatusReply(features, refused.status, refused.limit);
    const wait = readingWbxml(() => waitOf(request, features.syncWait));
    if (wait.kind === "refused") return syncStatusReply(features, wait.status, wait.limit);
    // Written down before the phone can refer to what it says here: upstream would take it for what it was told before.
    if (features.emptySync && context.decision.device?.mailbox.unheard.has("Sync") === false)
      await context.remember({ unheard: ["Sync"] });
    const until = performance.now() + (wait.kind === "wait" ? wait.ms : 0);
    let { decision } = context;
    let isOver = wait.kind === "no";
    for (;;) {
      const mailbox = await mailboxFor(visit, decision, request);
      const allowed = await syncAllowed(request, mailbox.state, heldFolders, context);
      if (allowed.kind === "reply") return allowed.reply;
      if (allowed.restarted.length > 0) await context.remember({ drained: allowed.restarted });
      const others = { held: heldFolders, upstream: allowed.collections };
      const answer = readingWbxml(() => answerSync(request, mailbox, others));
      if (answer.kind !== "nothing" || isOver || allowed.uploaded) return syncReply(answer, visit);
      const next = await context.nextDecision(until - performance.now());
      // What upstream has got meanwhile for the folders that are allowed is asked for once more, at the end of the wait.
      isOver = next === "expired";
      if (next === "gone" || (isOver && !allowed.asked)) return syncReply(answer, visit);
      if (next === "expired") continue;
      if (next.verdict.action === "allow") return released(request, features);
      // While nothing can be known about the phone, what was known of it stays true.
      if (next.device !== undefined && next.notice !== undefined) decision = next;
    }
  }

  async function syncReply(answer: SyncAnswer, { context, features }: Visit): Promise<Reply> {
    switch (answer.kind) {
      case "come-back-later":
        return retryLater(uploadAgainSeconds);
      case "refused":
        return syncStatusReply(features, answer.status, answer.limit);
      case "nothing":
      case "document": {
        const known = context.decision.device?.mailbox.issued;
        const issue = answer.issued.filter((id) => known?.has(id) !== true);
        // Written down before the phone can hold the key: a key that nobody remembers would go upstream one day.
        // The folder starts anew, and with it goes the notice that was among its mail.
        const warned = context.decision.device?.mailbox.warning;
        const isOver = warned !== undefined && answer.issued.includes(warned.collectionId);
        const warning = isOver && holdsNotice(warned) ? { warning: afterRestart(warned) } : {};
        if (issue.length > 0 || "warning" in warning) await context.remember({ issue, ...warning });
        return answer.kind === "nothing" && features.emptySync ? emptyReply() : documentReply(answer.document);
      }
    }
  }

  /** Out of quarantine while a Sync waits: every folder with a key of ours starts anew, with upstream. */
  function released(request: Element, features: VersionFeatures): Reply {
    const collections = collectionsOf(request);
    const startsAnew = (collection: Element): boolean => holdsOurKey(collection, () => false);
    // Without one there is nothing to say: the phone asks again, and then upstream.
    if (features.emptySync && !collections.some(startsAnew)) return emptyReply();
    return documentReply(startAnew(collections, features, startsAnew));
  }

  function mailboxFor(
    { person, context, features }: Visit,
    decision: Decision,
    request: Element,
  ): Promise<MailboxView> {
    const inside = (decision.device?.mailbox.issued.size ?? 0) > 0;
    // A quarantine that is entered anew has a new notice.
    return viewMailbox({
      decision,
      context,
      request,
      person,
      keys,
      features,
      revisionAgeMs: inside ? QUARANTINE_REVISION_MS : freshNoticeMs,
    });
  }
}

function rootTag(
  request: Element,
): "FolderHierarchy:FolderCreate" | "FolderHierarchy:FolderDelete" | "FolderHierarchy:FolderUpdate" {
  if (request.tag === "FolderHierarchy:FolderCreate" || request.tag === "FolderHierarchy:FolderDelete")
    return request.tag;
  return "FolderHierarchy:FolderUpdate";
}
