/** FolderSync, FolderCreate, FolderUpdate and FolderDelete (MS-ASCMD 2.2.1.3 to 2.2.1.6). */
import { element } from "../activesync/document.ts";
import { encode, type Element } from "../activesync/wbxml.ts";
import type { Device } from "./devices.ts";
import { folderTypes, isUserFolder, type Folder } from "./folder.ts";
import type { Mailbox } from "./mailbox.ts";
import { answerDocument, field, type Answer, type PhoneRequest } from "./phone-request.ts";
import { advance, findStep, prime, repeatedAnswer, type SyncStep } from "./sync-keys.ts";
import { announcedVersions } from "./phone-request.ts";

type FolderRoot = `FolderHierarchy:Folder${"Sync" | "Create" | "Update" | "Delete"}`;

const OK = "1";
const EXISTS = "2";
const SPECIAL = "3";
const NOT_FOUND = "4";
const PARENT_NOT_FOUND = "5";
const KEY_INVALID = "9";
const MALFORMED = "10";

/** The hierarchy as a phone knows it: what each folder looked like, by its id. */
type Hierarchy = ReadonlyMap<string, string>;

export function folderSync({ account, device, root }: PhoneRequest): Answer {
  const key = field(root, "FolderHierarchy:SyncKey");
  if (key === undefined || key === "") return refuse("FolderHierarchy:FolderSync", MALFORMED);
  const now = hierarchyOf(account.mailbox);
  if (key === "0") {
    const answer = folderSyncElement(prime(device.hierarchy, now), account.mailbox, new Map());
    // Asked for from the beginning, a server also says which versions it speaks (MS-ASHTTP 2.2.2.1.2.9).
    return { kind: "document", root: answer, headers: { "X-MS-RP": announcedVersions.join(",") } };
  }
  const step = findStep(device.hierarchy, key);
  if (step === undefined) return refuse("FolderHierarchy:FolderSync", KEY_INVALID);
  const repeated = repeatedAnswer(device.hierarchy, key, "FolderSync");
  if (repeated !== undefined) return { kind: "document", root: repeated };
  if (isSame(step.state, now)) return { kind: "document", root: folderSyncElement(key, account.mailbox, step.state) };
  return {
    kind: "document",
    root: advance(device.hierarchy, step, now, "FolderSync", (next) =>
      folderSyncElement(next, account.mailbox, step.state),
    ),
  };
}

function folderSyncElement(key: string, mailbox: Mailbox, known: Hierarchy): Element {
  const folders = mailbox.folders();
  const gone = [...known.keys()].filter((id) => mailbox.folder(id) === undefined);
  const changes = [
    ...folders.flatMap((folder) => {
      const before = known.get(folder.id);
      if (before === undefined) return [folderElement("FolderHierarchy:Add", folder)];
      return before === looks(folder) ? [] : [folderElement("FolderHierarchy:Update", folder)];
    }),
    ...gone.map((id) => element("FolderHierarchy:Delete", element("FolderHierarchy:ServerId", id))),
  ];
  return element(
    "FolderHierarchy:FolderSync",
    element("FolderHierarchy:Status", OK),
    element("FolderHierarchy:SyncKey", key),
    element("FolderHierarchy:Changes", element("FolderHierarchy:Count", String(changes.length)), changes),
  );
}

function folderElement(tag: "FolderHierarchy:Add" | "FolderHierarchy:Update", folder: Folder): Element {
  return element(
    tag,
    element("FolderHierarchy:ServerId", folder.id),
    element("FolderHierarchy:ParentId", folder.parentId),
    element("FolderHierarchy:DisplayName", folder.name),
    element("FolderHierarchy:Type", String(folder.type)),
  );
}

function hierarchyOf(mailbox: Mailbox): Hierarchy {
  return new Map(mailbox.folders().map((folder) => [folder.id, looks(folder)]));
}

function looks({ name, parentId, type }: Folder): string {
  return JSON.stringify([name, parentId, type]);
}

function isSame(one: Hierarchy, other: Hierarchy): boolean {
  return one.size === other.size && one.entries().every(([id, text]) => other.get(id) === text);
}

/** A change that the phone makes itself: its key moves, and what it did is not reported back to it. */
function changeHierarchy(
  root: FolderRoot,
  request: PhoneRequest,
  change: (mailbox: Mailbox) => Folder | string,
): Answer {
  const { account, device } = request;
  const key = field(request.root, "FolderHierarchy:SyncKey") ?? "";
  const step = findStep(device.hierarchy, key);
  if (step === undefined) return refuse(root, KEY_INVALID);
  const digest = request.root === undefined ? "" : encode(request.root).toString("base64");
  const repeated = repeatedAnswer(device.hierarchy, key, digest);
  if (repeated !== undefined) return { kind: "document", root: repeated };

  const changed = change(account.mailbox);
  if (typeof changed === "string") return refuse(root, changed);
  const known = knownAfter(step, account.mailbox, changed);
  const serverId =
    root === "FolderHierarchy:FolderCreate" ? element("FolderHierarchy:ServerId", changed.id) : undefined;
  const answer = advance(device.hierarchy, step, known, digest, (next) =>
    element(root, element("FolderHierarchy:Status", OK), element("FolderHierarchy:SyncKey", next), serverId),
  );
  return { kind: "document", root: answer };
}

function knownAfter(step: SyncStep<Hierarchy>, mailbox: Mailbox, changed: Folder): Hierarchy {
  const known = new Map(step.state);
  const folder = mailbox.folder(changed.id);
  if (folder === undefined) known.delete(changed.id);
  else known.set(changed.id, looks(folder));
  return known;
}

export function folderCreate(request: PhoneRequest): Answer {
  return changeHierarchy("FolderHierarchy:FolderCreate", request, (mailbox) => {
    const name = field(request.root, "FolderHierarchy:DisplayName") ?? "";
    const parentId = field(request.root, "FolderHierarchy:ParentId") ?? "";
    const type = Number(field(request.root, "FolderHierarchy:Type") ?? folderTypes.userMail);
    if (name === "" || !(type >= folderTypes.userMail && type <= folderTypes.userTasks)) return MALFORMED;
    if (parentId !== "0" && mailbox.folder(parentId) === undefined) return PARENT_NOT_FOUND;
    if (isTaken(mailbox, name, parentId)) return EXISTS;
    return mailbox.createFolder(name, parentId, type);
  });
}

export function folderUpdate(request: PhoneRequest): Answer {
  return changeHierarchy("FolderHierarchy:FolderUpdate", request, (mailbox) => {
    const folder = mailbox.folder(field(request.root, "FolderHierarchy:ServerId") ?? "");
    const name = field(request.root, "FolderHierarchy:DisplayName") ?? "";
    const parentId = field(request.root, "FolderHierarchy:ParentId") ?? "";
    if (folder === undefined) return NOT_FOUND;
    if (!isUserFolder(folder)) return SPECIAL;
    if (name === "") return MALFORMED;
    if (parentId !== "0" && (parentId === folder.id || mailbox.folder(parentId) === undefined)) return PARENT_NOT_FOUND;
    if (isTaken(mailbox, name, parentId, folder.id)) return EXISTS;
    return mailbox.updateFolder(folder.id, { name, parentId }) ?? NOT_FOUND;
  });
}

export function folderDelete(request: PhoneRequest): Answer {
  return changeHierarchy("FolderHierarchy:FolderDelete", request, (mailbox) => {
    const folder = mailbox.folder(field(request.root, "FolderHierarchy:ServerId") ?? "");
    if (folder === undefined) return NOT_FOUND;
    if (!isUserFolder(folder)) return SPECIAL;
    mailbox.deleteFolder(folder.id);
    forgetFolder(request.device, folder.id);
    return folder;
  });
}

function forgetFolder(device: Device, folderId: string): void {
  device.collections.delete(folderId);
}

function isTaken(mailbox: Mailbox, name: string, parentId: string, except?: string): boolean {
  return mailbox
    .folders()
    .some((folder) => folder.name === name && folder.parentId === parentId && folder.id !== except);
}

function refuse(root: FolderRoot, status: string): Answer {
  return answerDocument(root, element("FolderHierarchy:Status", status));
}
