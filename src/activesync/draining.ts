/**
 * A phone that is allowed again but may still hold keys of ours: each is answered with "start anew", and everything else goes
 * upstream. A key of ours never does.
 */
import type { Remediation, Reply } from "../gateway/protocol.ts";
import type { CommandName } from "./commands.ts";
import { child, children, element, has, text } from "./document.ts";
import { bearsMark } from "./gateway-key.ts";
import { estimate } from "./held-answers.ts";
import { collectionsOf, idOf, resetCollection, syncStatus } from "./quarantine-sync.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { documentReply } from "./replies.ts";
import { readDocument, readingWbxml } from "./request-body.ts";
import { featuresOf } from "./version.ts";
import type { VersionFeatures } from "./version.ts";
import { isPartial } from "./waiting.ts";
import { encode } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

export function createDraining({ bodyLimitBytes }: { readonly bodyLimitBytes: number }) {
  return async function draining(query: ActiveSyncQuery, context: Remediation): Promise<Reply> {
    const features = featuresOf(query.version ?? "12.1");
    if (query.command === "Sync") {
      const request = await read("Sync", context);
      // Upstream would repeat what it was asked before the quarantine, with keys that the phone no longer has.
      if (request === undefined || isPartial(request)) return documentReply(syncStatus("13"));
      return readingWbxml(() => sync(request, context, features));
    }
    if (query.command === "GetItemEstimate") {
      const request = await read("GetItemEstimate", context);
      return request === undefined ? stream : readingWbxml(() => itemEstimate(request));
    }
    return stream;
  };

  function read(command: CommandName, context: Remediation): Promise<Element | undefined> {
    return readDocument(command, context, bodyLimitBytes);
  }
}

const stream: Reply = { kind: "pass", body: undefined };

function sync(request: Element, context: Remediation, features: VersionFeatures): Reply {
  const collections = collectionsOf(request);
  if (collections.some(holdsOurKey)) return documentReply(startAnew(collections, features));
  const issued = context.decision.device?.mailbox.issued ?? new Set();
  // The folder is drained once upstream has taken its first request.
  const restarted = collections.filter((collection) => text(collection, "AirSync:SyncKey") === "0").map(idOf);
  const drained = restarted.filter((id) => issued.has(id));
  return { kind: "pass", body: encode(request), ...(drained.length === 0 ? {} : { whenAnswered: { drained } }) };
}

function holdsOurKey(collection: Element): boolean {
  return bearsMark(text(collection, "AirSync:SyncKey") ?? "");
}

/** Folders with a key of ours start anew. Others in the same request wait: what they upload is not stored, and says so. */
function startAnew(collections: readonly Element[], features: VersionFeatures): Element {
  const answers = collections.flatMap((collection) => {
    if (holdsOurKey(collection)) return [resetCollection(collection, features).element];
    const uploads = has(collection, "AirSync:Commands");
    if (!uploads && features.leavesOutUnchanged) return [];
    const folderClass = features.classInCollection ? text(collection, "AirSync:Class") : undefined;
    return [
      element(
        "AirSync:Collection",
        folderClass === undefined ? undefined : element("AirSync:Class", folderClass),
        element("AirSync:SyncKey", text(collection, "AirSync:SyncKey") ?? ""),
        element("AirSync:CollectionId", idOf(collection)),
        element("AirSync:Status", uploads ? (features.emptySync ? "16" : "5") : "1"),
      ),
    ];
  });
  return element("AirSync:Sync", element("AirSync:Collections", ...answers));
}

function itemEstimate(request: Element): Reply {
  const list = child(request, "GetItemEstimate:Collections");
  const collections = list === undefined ? [] : children(list, "GetItemEstimate:Collection");
  if (!collections.some((collection) => bearsMark(text(collection, "AirSync:SyncKey") ?? ""))) {
    return { kind: "pass", body: encode(request) };
  }
  const responses = collections.map((collection) => {
    const ours = bearsMark(text(collection, "AirSync:SyncKey") ?? "");
    return estimate(
      collection,
      text(collection, "GetItemEstimate:CollectionId") ?? "",
      ours ? "4" : "1",
      ours ? undefined : "0",
    );
  });
  return documentReply(element("GetItemEstimate:GetItemEstimate", ...responses));
}
