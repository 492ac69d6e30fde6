/**
 * What every other command is told in quarantine (MS-ASCMD 2.2.1): the Status with which clients keep what they have and
 * come again later. Nothing here ever says that something was stored.
 */
import type { HeldFolders } from "../policy/held-folders.ts";
import type { Tag } from "./code-pages.ts";
import { child, children, element, has, isElement, only, text } from "./document.ts";
import type { Element } from "./wbxml.ts";
import { optionsIn } from "./body-wish.ts";
import { itemData, revisionOf } from "./quarantine-sync.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { kindOf } from "./folders.ts";
import { bearsMark } from "./gateway-key.ts";
import type { VersionFeatures } from "./version.ts";

/** What one request may ask for (MS-ASCMD 3.1.5.10): each of these is looked up, and a Fetch of the notice brings it whole. */
const ITEM_OPERATIONS_LIMIT = 100;
const ESTIMATES_LIMIT = 1000;

/** 111: the server could not do it, try again later (MS-ASCMD 2.2.2). The phone keeps the message in its outbox. */
export function answerSendMail(root: Tag): Element {
  return element(root, element("ComposeMail:Status", "111"));
}

/** 1: the source is not there. The phone puts the message back where it was; on the server it never moved. 3 is success. */
export function answerMoveItems(request: Element): Element {
  const responses = children(request, "Move:Move").map((move) =>
    element("Move:Response", element("Move:SrcMsgId", text(move, "Move:SrcMsgId") ?? ""), element("Move:Status", "1")),
  );
  return element("Move:MoveItems", ...responses);
}

export function answerGetItemEstimate(request: Element, mailbox: MailboxView, held: HeldFolders): Element {
  const list = child(request, "GetItemEstimate:Collections");
  const collections = list === undefined ? [] : children(list, "GetItemEstimate:Collection");
  if (collections.length > ESTIMATES_LIMIT)
    return element("GetItemEstimate:GetItemEstimate", element("GetItemEstimate:Status", "103"));
  const responses = collections.map((collection) => {
    const collectionId = text(collection, "GetItemEstimate:CollectionId") ?? "";
    const key = text(collection, "AirSync:SyncKey") ?? "0";
    // 3: the folder has not been primed. 4: the key is not valid (MS-ASCMD 2.2.3.177.7).
    if (key === "0") return estimate(collection, mailbox.features, "3", undefined);
    const owner = { account: mailbox.account, device: mailbox.device, collectionId };
    const ours = mailbox.keys.read(owner, key);
    const kind = kindOf({ collectionId, collection }, mailbox.state, held);
    const isKeyGood = kind === "held" || (kind === "allowed" ? !bearsMark(key) : ours !== undefined);
    if (!isKeyGood) return estimate(collection, mailbox.features, "4", undefined);
    // Of a folder that is allowed only upstream knows: the phone asks there, and hears what there is.
    const waiting = kind === "allowed" || (kind === "inbox" && ours?.state === 1) ? "1" : "0";
    return estimate(collection, mailbox.features, "1", waiting);
  });
  return element("GetItemEstimate:GetItemEstimate", ...responses);
}

export function estimate(
  collection: Element,
  features: VersionFeatures,
  status: string,
  count: string | undefined,
): Element {
  const folderClass = features.classInCollection ? text(collection, "GetItemEstimate:Class") : undefined;
  return element(
    "GetItemEstimate:Response",
    element("GetItemEstimate:Status", status),
    count === undefined
      ? undefined
      : element(
          "GetItemEstimate:Collection",
          folderClass === undefined ? undefined : element("GetItemEstimate:Class", folderClass),
          element("GetItemEstimate:CollectionId", text(collection, "GetItemEstimate:CollectionId") ?? ""),
          element("GetItemEstimate:Estimate", count),
        ),
  );
}

export function answerItemOperations(request: Element, mailbox: MailboxView): Element {
  const operations = request.content.filter((part) => isElement(part));
  if (operations.length > ITEM_OPERATIONS_LIMIT)
    return element("ItemOperations:ItemOperations", element("ItemOperations:Status", "11"));
  const responses = operations.flatMap((operation) => {
    if (operation.tag === "ItemOperations:Fetch") return [answerFetch(operation, mailbox)];
    if (operation.tag === "ItemOperations:EmptyFolderContents") return [denied(operation, "AirSync:CollectionId")];
    if (operation.tag === "ItemOperations:Move") return [denied(operation, "ItemOperations:ConversationId")];
    return [];
  });
  return element(
    "ItemOperations:ItemOperations",
    element("ItemOperations:Status", "1"),
    element("ItemOperations:Response", ...responses),
  );
}

/** 3: the server could not do it (MS-ASCMD 2.2.3.177.8). */
function denied(operation: Element, subject: Tag): Element {
  return element(operation.tag, element("ItemOperations:Status", "3"), copyOf(operation, subject));
}

function answerFetch(fetch: Element, mailbox: MailboxView): Element {
  const collectionId = text(fetch, "AirSync:CollectionId");
  const serverId = text(fetch, "AirSync:ServerId");
  const isNotice =
    collectionId !== undefined &&
    serverId !== undefined &&
    revisionOf(serverId, collectionId) === mailbox.revision.revision;
  // 6: the item is not there. 15: the attachment is not there (MS-ASCMD 2.2.3.177.8).
  const status = isNotice ? "1" : has(fetch, "AirSyncBase:FileReference") ? "15" : "6";
  const options = optionsIn(fetch, "ItemOperations:Options");
  return element(
    "ItemOperations:Fetch",
    element("ItemOperations:Status", status),
    copyOf(fetch, "AirSync:CollectionId"),
    copyOf(fetch, "AirSync:ServerId"),
    copyOf(fetch, "AirSyncBase:FileReference"),
    copyOf(fetch, "Search:LongId"),
    copyOf(fetch, "DocumentLibrary:LinkId"),
    isNotice ? element("AirSync:Class", "Email") : undefined,
    isNotice ? element("ItemOperations:Properties", ...itemData(mailbox, options)) : undefined,
  );
}

/** As it came: a conversation is named by bytes that are no text. */
function copyOf(parent: Element, tag: Tag): Element | undefined {
  const original = only(parent, tag);
  return original === undefined ? undefined : element(tag, ...original.content);
}

export function answerFolderChange(root: Tag): Element {
  return element(root, element("FolderHierarchy:Status", "6"));
}

export function answerSearch(): Element {
  return element(
    "Search:Search",
    element("Search:Status", "1"),
    element(
      "Search:Response",
      element(
        "Search:Store",
        element("Search:Status", "1"),
        element("Search:Result"),
        element("Search:Range", "0-0"),
        element("Search:Total", "0"),
      ),
    ),
  );
}

/** The store is named as it was searched: the address list by its own criterion (MS-ASCMD 2.2.1.2). */
export function answerFind(request: Element): Element {
  const search = child(request, "Find:ExecuteSearch");
  const isGal = search !== undefined && has(search, "Find:GalSearchCriterion");

  return element(
    "Find:Find",
    element("Find:Status", "1"),
    element(
      "Find:Response",
      element("ItemOperations:Store", isGal ? "GAL" : "Mailbox"),
      element("Find:Status", "1"),
      element("Find:Range", "0-0"),
      element("Find:Total", "0"),
    ),
  );
}

/** 4: the server could not do it. The phone keeps the answer for later. */
export function answerMeetingResponse(request: Element, status = "4"): Element {
  const results = children(request, "MeetingResponse:Request").map((each) =>
    element(
      "MeetingResponse:Result",
      copyOf(each, "MeetingResponse:RequestId"),
      element("MeetingResponse:Status", status),
    ),
  );
  return element("MeetingResponse:MeetingResponse", ...results);
}

export function answerResolveRecipients(request: Element): Element {
  const responses = children(request, "ResolveRecipients:To").map((to) =>
    element(
      "ResolveRecipients:Response",
      element("ResolveRecipients:To", ...to.content),
      element("ResolveRecipients:Status", "4"),
      element("ResolveRecipients:RecipientCount", "0"),
    ),
  );
  return element("ResolveRecipients:ResolveRecipients", element("ResolveRecipients:Status", "1"), ...responses);
}

export function answerValidateCert(request: Element): Element {
  const list = child(request, "ValidateCert:Certificates");
  const certificates = (list === undefined ? [] : children(list, "ValidateCert:Certificate")).map(() =>
    element("ValidateCert:Certificate", element("ValidateCert:Status", "17")),
  );
  return element("ValidateCert:ValidateCert", element("ValidateCert:Status", "1"), ...certificates);
}

/** What of a Settings request goes upstream (MS-ASCMD 2.2.1.18): who the phone is, and whose; nothing that acts on mail. */
const forwardedSettings: ReadonlySet<string> = new Set([
  "Settings:DeviceInformation",
  "Settings:UserInformation",
  "Settings:DevicePassword",
]);

export interface SettingsParts {
  /** Undefined where nothing is left to forward. */
  readonly forward: Element | undefined;
  /** Denied here: they are added to upstream's answer. */
  readonly denied: readonly Element[];
}

export function splitSettings(request: Element): SettingsParts {
  const forward: Element[] = [];
  const denied: Element[] = [];
  for (const part of request.content) {
    if (typeof part !== "object" || !("tag" in part)) continue;
    if (forwardedSettings.has(part.tag)) forward.push(part);
    else if (part.tag === "Settings:Oof" || part.tag === "Settings:RightsManagementInformation") {
      denied.push(element(part.tag, element("Settings:Status", "3")));
    }
  }
  return { forward: forward.length === 0 ? undefined : element("Settings:Settings", ...forward), denied };
}

export function answerSettings(upstream: Element | undefined, denied: readonly Element[]): Element {
  if (upstream === undefined) return element("Settings:Settings", element("Settings:Status", "1"), ...denied);
  // What upstream refuses as a whole is not answered in parts.
  if (text(upstream, "Settings:Status") !== "1") return upstream;
  return { ...upstream, content: [...upstream.content, ...denied] };
}
