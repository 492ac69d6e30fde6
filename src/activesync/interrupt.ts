/** The exact answers that end a request which upstream holds, at the moment when its phone has something else to look at. */
import type { Claim, Decision, Reply } from "../gateway/protocol.ts";
import type { MailboxState } from "../store/store.ts";
import { element, has, text } from "./document.ts";
import { startAnew } from "./draining.ts";
import type { HeldFolders } from "../policy/held-folders.ts";
import { isEmptied, kindOf } from "./folders.ts";
import { completePing, interruptPing, pingChanges, readPing } from "./ping.ts";
import type { Nudges } from "./ping.ts";
import { collectionsOf, idOf, syncStatus } from "./quarantine-sync.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { documentReply, emptyReply } from "./replies.ts";
import { featuresOf } from "./version.ts";
import type { VersionFeatures } from "./version.ts";
import { isPartial, waitOf } from "./waiting.ts";
import { inboxOf, isPending } from "./warning.ts";
import { decode, WbxmlError } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

export function createInterrupt(
  query: ActiveSyncQuery,
  nudges: Nudges,
  held: HeldFolders,
): NonNullable<Claim["interrupt"]> {
  const features = featuresOf(query.version ?? "12.1");
  const isPing = query.command === "Ping";
  return function interrupt(body: Uint8Array | undefined, next: Decision, now: Date): Reply | undefined {
    const { device } = next;
    if (device === undefined) return undefined;
    const { mailbox } = device;
    try {
      const request = body === undefined || body.byteLength === 0 ? undefined : decode(body);
      if (next.verdict.action === "allow") {
        if (isPing) return newsInInbox(request, next, device, now);
        // What was too large to be kept is no empty Sync: it uploads something.
        if (body === undefined || !isPending(next, now)) return undefined;
        return nothingYet(request, mailbox, features);
      }
      if (!isPing && body === undefined) return undefined;
      if (isPing) return documentReply(interruptPing(readPing(request), mailbox, held) ?? pingExpired());
      return interruptSync(request, mailbox, features, held);
    } catch (error) {
      // What upstream could read and we cannot has no exact answer.
      if (error instanceof WbxmlError) return undefined;
      throw error;
    }
  };

  /** Mail flows, and the notice has come, changed or gone: the phone is sent to its Inbox, if it waits for it. */
  function newsInInbox(
    request: Element | undefined,
    next: Decision,
    device: NonNullable<Decision["device"]>,
    now: Date,
  ): Reply | undefined {
    const ping = completePing(readPing(request), device.mailbox.ping);
    if (ping === undefined) return undefined;
    const known = { ...device, mailbox: { ...device.mailbox, ping } };
    const inbox = inboxOf(known.mailbox);
    if (inbox === undefined || !ping.folders.some(({ id }) => id === inbox)) return undefined;
    if (!isPending({ notice: next.notice, device: known }, now)) return undefined;
    return nudges.allow(device, inbox, now.getTime()) ? documentReply(pingChanges([inbox])) : undefined;
  }
}

/** A Ping that waits for no mail ends as if its time were over. The next one waits here. */
function pingExpired(): Element {
  return element("Ping:Ping", element("Ping:Status", "1"));
}

/** Only a Sync that uploads nothing has an exact answer: what was uploaded may be stored already. */
function uploads(request: Element): boolean {
  return collectionsOf(request).some((each) => has(each, "AirSync:Commands"));
}

/** The first key of a folder is not waited for, and "nothing has changed" is no answer to it. */
function waits(request: Element): boolean {
  const isFirst = (each: Element): boolean => text(each, "AirSync:SyncKey") === "0";
  return waitOf(request).kind === "wait" && !uploads(request) && !collectionsOf(request).some(isFirst);
}

function interruptSync(
  request: Element | undefined,
  mailbox: MailboxState,
  features: VersionFeatures,
  held: HeldFolders,
): Reply | undefined {
  if (request === undefined) return documentReply(syncStatus("13"));
  if (isPartial(request)) return uploads(request) ? undefined : documentReply(syncStatus("13"));
  if (!waits(request)) return undefined;
  const collections = collectionsOf(request);
  const isMail = (collection: Element): boolean =>
    isEmptied(kindOf({ collectionId: idOf(collection), collection }, mailbox, held));
  if (collections.some(isMail)) return documentReply(startAnew(collections, features, isMail));
  // "Nothing has changed" ends the wait of folders that keep what they have. The Sync that follows is answered here.
  return features.emptySync ? emptyReply() : undefined;
}

/** "Nothing has changed" ends the wait; the Sync that follows brings the notice. An empty one may wait, and uploads nothing. */
function nothingYet(request: Element | undefined, mailbox: MailboxState, features: VersionFeatures): Reply | undefined {
  if (!features.emptySync) return undefined;
  if (request === undefined) return emptyReply();
  if (isPartial(request) || !waits(request)) return undefined;
  const inbox = inboxOf(mailbox);
  return collectionsOf(request).some((collection) => idOf(collection) === inbox) ? emptyReply() : undefined;
}
