/** Sync (MS-ASCMD 2.2.1.21): what is new in a folder goes down, what the phone did goes up. */
import { element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import {
  answerDocument,
  isSince,
  type Answer,
  field,
  type Office,
  type PhoneRequest,
  type Version,
} from "./phone-request.ts";
import { folderClass } from "./folder.ts";
import type { Mailbox } from "./mailbox.ts";
import { apply, changeElement, pendingChanges } from "./sync-changes.ts";
import { advance, findStep, prime, repeatedAnswer } from "./sync-keys.ts";
import { readDraft } from "./draft.ts";
import { readSyncRequest, withoutCommands, type SyncCollection, type SyncRequest } from "./sync-request.ts";
import { applyUploads } from "./sync-uploads.ts";

const HIERARCHY_CHANGED = 12;
const KEY_INVALID = "3";
const PROTOCOL_ERROR = "4";
const OK = "1";

/** One collection answered: nothing to say, or an element. */
interface CollectionAnswer {
  readonly collection: SyncCollection;
  readonly element: Element | undefined;
  readonly items: number;
}

export async function syncCommand(request: PhoneRequest, office: Office): Promise<Answer> {
  const { account, device } = request;
  const waitName = `${device.name}/sync`;
  office.waitingRoom.replace(waitName);

  const sync = readSyncRequest(request, device.sync, office.heartbeat);
  if ("status" in sync) return failure(sync.status, sync.limit);
  if (sync.collections.some(({ folderId }) => account.mailbox.folder(folderId) === undefined)) {
    return failure(HIERARCHY_CHANGED);
  }
  device.sync = withoutCommands(sync);

  const answers = answerCollections(sync, request, office);
  const mayWait = sync.waitSeconds !== undefined && answers.every((answer) => answer.element === undefined);
  if (!mayWait) return answerSync(answers, request);

  const folderIds = new Set(sync.collections.map(({ folderId }) => folderId));
  const end = await office.waitingRoom.wait({
    name: waitName,
    mailbox: account.mailbox,
    // Before the phone is told, the change is looked at once more: its own flag change is none that it must hear about.
    concerns: (folderId) =>
      folderId === undefined || (folderIds.has(folderId) && hasNews(device.sync ?? sync, request, office)),
    timeoutMs: (sync.waitSeconds ?? 0) * 1000,
    gone: request.gone,
  });
  if (end !== "changed") return { kind: "empty" };
  if (sync.collections.some(({ folderId }) => account.mailbox.folder(folderId) === undefined)) {
    return failure(HIERARCHY_CHANGED);
  }
  return answerSync(answerCollections(withoutCommands(sync), request, office), request);
}

function failure(status: number, limit?: number): Answer {
  const limitElement = limit === undefined ? undefined : element("AirSync:Limit", String(limit));
  return answerDocument("AirSync:Sync", element("AirSync:Status", String(status)), limitElement);
}

/** Up to 12.0 every collection says what it holds. */
function withClass(collection: Element, mailbox: Mailbox, version: Version): Element {
  const folder = mailbox.folder(field(collection, "AirSync:CollectionId") ?? "");
  if (isSince(version, "12.1") || folder === undefined) return collection;
  return { ...collection, content: [element("AirSync:Class", folderClass(folder)), ...collection.content] };
}

function answerSync(answers: readonly CollectionAnswer[], request: PhoneRequest): Answer {
  const { version } = request;
  const { mailbox } = request.account;
  const mayBeSilent = isSince(version, "12.1");
  if (mayBeSilent && answers.every((answer) => answer.element === undefined)) return { kind: "empty" };
  // From 14.0 a collection without news may be left out; before that every one is answered.
  const spoken = answers.flatMap((answer) => {
    if (answer.element !== undefined) return [answer.element];
    if (isSince(version, "14.0")) return [];
    const { syncKey, folderId } = answer.collection;
    return [collectionElement(syncKey, folderId, OK)];
  });
  return answerDocument(
    "AirSync:Sync",
    element(
      "AirSync:Collections",
      spoken.map((collection) => withClass(collection, mailbox, version)),
    ),
  );
}

function answerCollections(sync: SyncRequest, request: PhoneRequest, office: Office): readonly CollectionAnswer[] {
  let room = sync.windowSize;
  return sync.collections.map((collection) => {
    const answer = answerCollection(collection, Math.min(room, collection.windowSize), request, office);
    room -= answer.items;
    return answer;
  });
}

function answerCollection(
  collection: SyncCollection,
  room: number,
  { account, device, version }: PhoneRequest,
  { devices, now }: Office,
): CollectionAnswer {
  const { syncKey, folderId } = collection;
  const folder = account.mailbox.folder(folderId);
  if (folder === undefined) return { collection, element: undefined, items: 0 };
  const known = devices.collection(device, folderId);
  if (collection.options !== undefined) known.options = collection.options;
  const { ring, options } = known;

  if (syncKey === "0") {
    if (collection.commands.length > 0) return say(collection, collectionElement("0", folderId, PROTOCOL_ERROR));
    // The specification wants GetChanges to be absent here; clients send it all the same, and every server primes.
    return say(collection, collectionElement(prime(ring, { known: new Map(), added: new Map() }), folderId, OK));
  }
  const step = findStep(ring, syncKey);
  // SyncKey 0 before the status: the Android mail program keeps the key that it read last.
  if (step === undefined) return say(collection, collectionElement("0", folderId, KEY_INVALID));
  const repeated = repeatedAnswer(ring, syncKey, collection.digest);
  if (repeated !== undefined) return say(collection, repeated);

  const alreadyAdded =
    step === ring.previous ? (ring.current?.state.added ?? new Map<string, string>()) : new Map<string, string>();
  const { deletesAsMoves, commands } = collection;
  const uploaded = applyUploads(commands, step.state.known, {
    mailbox: account.mailbox,
    folder,
    deletesAsMoves,
    options,
    version,
    alreadyAdded,
    draftOf: (data) => readDraft(data, account.address, now()),
  });
  const pending = collection.getChanges ? pendingChanges(account.mailbox, folder, uploaded.known, options, now()) : [];
  const sent = pending.slice(0, Math.max(room, 0));
  if (commands.length === 0 && sent.length === 0) return { collection, element: undefined, items: 0 };

  const after = new Map(uploaded.known);
  for (const change of sent) apply(after, change);
  const parts = [
    sent.length < pending.length ? element("AirSync:MoreAvailable") : undefined,
    sent.length === 0
      ? undefined
      : element(
          "AirSync:Commands",
          sent.map((change) => changeElement(change, options, version)),
        ),
    uploaded.responses.length === 0 ? undefined : element("AirSync:Responses", uploaded.responses),
  ];
  const answer = advance(ring, step, { known: after, added: uploaded.added }, collection.digest, (key) =>
    collectionElement(key, folderId, OK, parts),
  );
  return say(collection, answer, sent.length);
}

function hasNews(sync: SyncRequest, { account, device }: PhoneRequest, { devices, now }: Office): boolean {
  return sync.collections.some(({ folderId, syncKey, getChanges }) => {
    const folder = account.mailbox.folder(folderId);
    const { ring, options } = devices.collection(device, folderId);
    const step = findStep(ring, syncKey);
    if (folder === undefined || step === undefined) return true;
    return getChanges && pendingChanges(account.mailbox, folder, step.state.known, options, now()).length > 0;
  });
}

function say(collection: SyncCollection, element: Element, items = 0): CollectionAnswer {
  return { collection, element, items };
}

function collectionElement(
  key: string,
  folderId: string,
  status: string,
  parts: readonly (Element | undefined)[] = [],
): Element {
  return element(
    "AirSync:Collection",
    element("AirSync:SyncKey", key),
    element("AirSync:CollectionId", folderId),
    element("AirSync:Status", status),
    parts,
  );
}
