/** GetItemEstimate and MoveItems (MS-ASCMD 2.2.1.9, 2.2.1.12), and answers to commands that this server has no use for. */
import { child, children, element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { Mailbox } from "./mailbox.ts";
import { answerDocument, field, type Answer, type Office, type PhoneRequest } from "./phone-request.ts";
import { pendingChanges } from "./sync-changes.ts";
import { findStep } from "./sync-keys.ts";
import { readCollectionOptions } from "./sync-request.ts";

const estimate = { ok: "1", folderUnknown: "2", notPrimed: "3", keyInvalid: "4" } as const;

export function getItemEstimate({ account, device, root }: PhoneRequest, { devices, now }: Office): Answer {
  const list = root === undefined ? undefined : child(root, "GetItemEstimate:Collections");
  const collections = list === undefined ? [] : children(list, "GetItemEstimate:Collection");
  const responses = collections.map((collection) => {
    const folderId =
      field(collection, "GetItemEstimate:CollectionId") ?? field(collection, "AirSync:CollectionId") ?? "";
    const key = field(collection, "AirSync:SyncKey") ?? "0";
    const folder = account.mailbox.folder(folderId);
    if (folder === undefined) return estimateElement(estimate.folderUnknown);
    const known = devices.collection(device, folderId);
    if (key === "0" || known.ring.current === undefined) return estimateElement(estimate.notPrimed);
    const step = findStep(known.ring, key);
    if (step === undefined) return estimateElement(estimate.keyInvalid);

    // Up to 12.1 the filter stands in the collection, from 14.0 on in its options.
    const options = child(collection, "AirSync:Options");
    const filterType = field(options ?? collection, "AirSync:FilterType");
    const wish = filterType === undefined ? known.options : readCollectionOptions(options ?? collection);
    const count = pendingChanges(account.mailbox, folder, step.state.known, wish, now()).length;
    return estimateElement(
      estimate.ok,
      element(
        "GetItemEstimate:Collection",
        element("GetItemEstimate:CollectionId", folderId),
        element("GetItemEstimate:Estimate", String(count)),
      ),
    );
  });
  return answerDocument("GetItemEstimate:GetItemEstimate", responses);
}

function estimateElement(status: string, collection?: Element): Element {
  return element("GetItemEstimate:Response", element("GetItemEstimate:Status", status), collection);
}

// 3 is success, unlike everywhere else.
const move = { sourceUnknown: "1", targetUnknown: "2", ok: "3", sameFolder: "4" } as const;

export function moveItems({ account, root }: PhoneRequest): Answer {
  const moves = root === undefined ? [] : children(root, "Move:Move");
  return answerDocument(
    "Move:MoveItems",
    moves.map((one) => moveOne(one, account.mailbox)),
  );
}

function moveOne(one: Element, mailbox: Mailbox): Element {
  const id = field(one, "Move:SrcMsgId") ?? "";
  const source = field(one, "Move:SrcFldId") ?? "";
  const target = field(one, "Move:DstFldId") ?? "";
  const answer = (status: string, newId?: string): Element =>
    element(
      "Move:Response",
      element("Move:SrcMsgId", id),
      element("Move:Status", status),
      newId === undefined ? undefined : element("Move:DstMsgId", newId),
    );
  if (mailbox.item(id)?.folderId !== source) return answer(move.sourceUnknown);
  if (mailbox.folder(target) === undefined) return answer(move.targetUnknown);
  if (source === target) return answer(move.sameFolder);
  const moved = mailbox.move(id, target);
  return moved === undefined ? answer(move.targetUnknown) : answer(move.ok, moved.id);
}

const REQUEST_INVALID = "2";

/** There are no invitations in these mailboxes, so there is none to answer. */
export function meetingResponse({ root }: PhoneRequest): Answer {
  const requests = root === undefined ? [] : children(root, "MeetingResponse:Request");
  const results = requests.map((request) => {
    const id = field(request, "MeetingResponse:RequestId");
    return element(
      "MeetingResponse:Result",
      id === undefined ? undefined : element("MeetingResponse:RequestId", id),
      element("MeetingResponse:Status", REQUEST_INVALID),
    );
  });
  return answerDocument("MeetingResponse:MeetingResponse", results);
}

const CERTIFICATE_FAILURE = "17";

/** This server can prove no certificate, and says so of each. */
export function validateCert({ root }: PhoneRequest): Answer {
  const list = root === undefined ? undefined : child(root, "ValidateCert:Certificates");
  const certificates = list === undefined ? [] : children(list, "ValidateCert:Certificate");
  return answerDocument(
    "ValidateCert:ValidateCert",
    element("ValidateCert:Status", "1"),
    certificates.map(() => element("ValidateCert:Certificate", element("ValidateCert:Status", CERTIFICATE_FAILURE))),
  );
}
