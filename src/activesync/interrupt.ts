/** The exact answers that end a request which upstream holds, at the moment when its phone enters quarantine. */
import type { Claim, Reply } from "../gateway/protocol.ts";
import type { MailboxState } from "../store/store.ts";
import { element, has } from "./document.ts";
import { kindOf } from "./folders.ts";
import { interruptPing, readPing } from "./ping.ts";
import { collectionsOf, idOf, resetCollection, syncStatus } from "./quarantine-sync.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { documentReply } from "./replies.ts";
import { featuresOf } from "./version.ts";
import type { VersionFeatures } from "./version.ts";
import { isPartial, waitOf } from "./waiting.ts";
import { decode, WbxmlError } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

export function createInterrupt(query: ActiveSyncQuery): NonNullable<Claim["interrupt"]> {
  const features = featuresOf(query.version ?? "12.1");
  return function interrupt(body: Uint8Array | undefined, mailbox: MailboxState): Reply | undefined {
    try {
      const request = body === undefined || body.byteLength === 0 ? undefined : decode(body);
      const document =
        query.command === "Ping"
          ? interruptPing(readPing(request), mailbox)
          : interruptSync(request, mailbox, features);
      return document === undefined ? undefined : documentReply(document);
    } catch (error) {
      // What upstream could read and we cannot is left to upstream.
      if (error instanceof WbxmlError) return undefined;
      throw error;
    }
  };
}

/** Only a Sync that waits is cut, and only one that uploads nothing: what was uploaded may be stored already. */
function interruptSync(
  request: Element | undefined,
  mailbox: MailboxState,
  features: VersionFeatures,
): Element | undefined {
  if (request === undefined || isPartial(request)) return syncStatus("13");
  const collections = collectionsOf(request);
  if (waitOf(request).kind !== "wait" || collections.some((each) => has(each, "AirSync:Commands"))) return undefined;
  const mail = collections.filter(
    (collection) => kindOf({ collectionId: idOf(collection), collection }, mailbox) !== "held",
  );
  if (mail.length === 0) return undefined;
  const resets = mail.map((collection) => resetCollection(collection, features).element);
  return element("AirSync:Sync", element("AirSync:Collections", ...resets));
}
