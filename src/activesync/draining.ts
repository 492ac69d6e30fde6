/** Keys of ours that a phone still holds after its quarantine: each is answered with "start anew" (Status 3, key 0). */
import { element, has, text } from "./document.ts";
import { bearsMark } from "./gateway-key.ts";
import { estimate } from "./held-answers.ts";
import { classIn, idOf, resetCollection } from "./quarantine-sync.ts";
import type { VersionFeatures } from "./version.ts";
import type { Element } from "./wbxml.ts";

/** Whether a key stands for one of upstream's, so that it need not be given up. */
export type IsShadow = (key: string) => boolean;

export function holdsOurKey(collection: Element, isShadow: IsShadow): boolean {
  const key = text(collection, "AirSync:SyncKey") ?? "";
  return bearsMark(key) && !isShadow(key);
}

/** Some folders start anew. Others in the same request wait: what they upload is not stored, and says so. */
export function startAnew(
  collections: readonly Element[],
  features: VersionFeatures,
  startsAnew: (collection: Element) => boolean,
): Element {
  const answers = collections.flatMap((collection) => {
    if (startsAnew(collection)) return [resetCollection(collection, features).element];
    const key = text(collection, "AirSync:SyncKey") ?? "";
    // Neither what is uploaded nor the first key of a folder can be had without upstream.
    const askAgain = key === "0" || has(collection, "AirSync:Commands");
    if (!askAgain && features.leavesOutUnchanged) return [];
    return [
      element(
        "AirSync:Collection",
        classIn(collection, features),
        element("AirSync:SyncKey", key),
        element("AirSync:CollectionId", idOf(collection)),
        element("AirSync:Status", askAgain ? (features.emptySync ? "16" : "5") : "1"),
      ),
    ];
  });
  return element("AirSync:Sync", element("AirSync:Collections", ...answers));
}

/** 4: the key is not valid (MS-ASCMD 2.2.3.177.7). The phone then synchronises the folder, and hears that it starts anew. */
export function estimateDrained(collections: readonly Element[], features: VersionFeatures): Element {
  const responses = collections.map((collection) => {
    const ours = bearsMark(text(collection, "AirSync:SyncKey") ?? "");
    return estimate(collection, features, ours ? "4" : "1", ours ? undefined : "0");
  });
  return element("GetItemEstimate:GetItemEstimate", ...responses);
}
