/** The requests of the model phone, each in the spelling of its protocol version (MS-ASCMD 2.2.1). */
import { element } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import type { Folder, Letter, Upload } from "./mailbox.ts";

export const versions = ["12.1", "14.0", "14.1", "16.0", "16.1"] as const;
export type Version = (typeof versions)[number];

export interface FolderRequest {
  readonly folder: Folder;
  readonly key: string;
  readonly uploads: readonly Upload[];
  readonly getChanges: boolean;
}

interface SyncWish {
  readonly waits: boolean;
  readonly windowSize: number;
}

export function syncDocument(
  requests: readonly FolderRequest[],
  { waits, windowSize }: SyncWish,
  version: Version,
): Element {
  return element(
    "AirSync:Sync",
    element(
      "AirSync:Collections",
      requests.map((request) => collection(request, windowSize, version)),
    ),
    // A minute and a half: longer than any sequence takes.
    waits
      ? version === "12.1"
        ? element("AirSync:Wait", "2")
        : element("AirSync:HeartbeatInterval", "120")
      : undefined,
  );
}

function collection(
  { folder, key, uploads, getChanges }: FolderRequest,
  windowSize: number,
  version: Version,
): Element {
  const isMail = folder.kind === "mail";
  const priming = key === "0";
  const options = element(
    "AirSync:Options",
    isMail ? element("AirSync:MIMESupport", "0") : undefined,
    element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", "1")),
  );
  return element(
    "AirSync:Collection",
    element("AirSync:SyncKey", key),
    element("AirSync:CollectionId", folder.id),
    priming
      ? undefined
      : [element("AirSync:DeletesAsMoves", "0"), element("AirSync:GetChanges", getChanges ? "1" : "0")],
    priming ? undefined : element("AirSync:WindowSize", String(windowSize)),
    priming ? undefined : options,
    priming || uploads.length === 0
      ? undefined
      : element(
          "AirSync:Commands",
          uploads.map((upload) => command(upload, version)),
        ),
  );
}

function command(upload: Upload, version: Version): Element {
  switch (upload.kind) {
    case "add":
      return element(
        "AirSync:Add",
        element("AirSync:ClientId", upload.clientId),
        element(
          "AirSync:ApplicationData",
          upload.folder === "calendar" ? event(upload.subject) : element("Contacts:FirstName", upload.subject),
        ),
      );
    case "change":
      return element(
        "AirSync:Change",
        element("AirSync:ServerId", upload.item),
        element("AirSync:ApplicationData", locationOf(upload.location, version)),
      );
    case "read":
      return element(
        "AirSync:Change",
        element("AirSync:ServerId", upload.item),
        element("AirSync:ApplicationData", element("Email:Read", upload.read ? "1" : "0")),
      );
    case "delete":
      return element("AirSync:Delete", element("AirSync:ServerId", upload.item));
  }
}

/** A place is an element of its own from 16.0 on (MS-ASAIRS 2.2.2.28). */
function locationOf(location: string, version: Version): Element {
  return version.startsWith("16")
    ? element("AirSyncBase:Location", element("AirSyncBase:DisplayName", location))
    : element("Calendar:Location", location);
}

function event(subject: string): Element[] {
  return [
    element("Calendar:DtStamp", "20261124T080000Z"),
    element("Calendar:StartTime", "20261201T090000Z"),
    element("Calendar:Subject", subject),
    element("Calendar:EndTime", "20261201T100000Z"),
  ];
}

export function partialSync(folder: Folder, version: Version): Element {
  return element(
    "AirSync:Sync",
    element("AirSync:Partial"),
    element("AirSync:Collections", collection({ folder, key: folder.key, uploads: [], getChanges: true }, 50, version)),
  );
}

export function pingDocument(folders: readonly Folder[]): Element {
  const classes = { mail: "Email", calendar: "Calendar", contacts: "Contacts" } as const;
  return element(
    "Ping:Ping",
    element("Ping:HeartbeatInterval", "480"),
    element(
      "Ping:Folders",
      folders.map(({ id, kind }) =>
        element("Ping:Folder", element("Ping:Id", id), element("Ping:Class", classes[kind])),
      ),
    ),
  );
}

export function folderSyncDocument(key: string): Element {
  return element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", key));
}

export function moveDocument(items: readonly string[], from: string, to: string): Element {
  return element(
    "Move:MoveItems",
    items.map((item) =>
      element(
        "Move:Move",
        element("Move:SrcMsgId", item),
        element("Move:SrcFldId", from),
        element("Move:DstFldId", to),
      ),
    ),
  );
}

export function estimateDocument({ id, key, kind }: Folder, version: Version): Element {
  const classes = { mail: "Email", calendar: "Calendar", contacts: "Contacts" } as const;
  return element(
    "GetItemEstimate:GetItemEstimate",
    element(
      "GetItemEstimate:Collections",
      element(
        "GetItemEstimate:Collection",
        version === "12.1"
          ? [
              element("GetItemEstimate:Class", classes[kind]),
              element("GetItemEstimate:CollectionId", id),
              element("AirSync:FilterType", "0"),
              element("AirSync:SyncKey", key),
            ]
          : [
              element("AirSync:SyncKey", key),
              element("GetItemEstimate:CollectionId", id),
              element("AirSync:Options", element("AirSync:FilterType", "0")),
            ],
      ),
    ),
  );
}

export function fetchDocument(items: readonly (readonly [folder: string, item: string])[]): Element {
  return element(
    "ItemOperations:ItemOperations",
    items.map(([folder, item]) =>
      element(
        "ItemOperations:Fetch",
        element("ItemOperations:Store", "Mailbox"),
        element("AirSync:CollectionId", folder),
        element("AirSync:ServerId", item),
        element("ItemOperations:Options", element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", "1"))),
      ),
    ),
  );
}

export function searchDocument(folder: string): Element {
  return element(
    "Search:Search",
    element(
      "Search:Store",
      element("Search:Name", "Mailbox"),
      element(
        "Search:Query",
        element("Search:And", element("AirSync:CollectionId", folder), element("Search:FreeText", "ITEM")),
      ),
      element("Search:Options", element("Search:Range", "0-9")),
    ),
  );
}

export function mimeOf({ subject, clientId }: Letter): Buffer {
  const lines = [
    "From: alice@demo.example",
    "To: somebody@elsewhere.example",
    `Subject: ${subject}`,
    "Date: Tue, 24 Nov 2026 08:00:00 +0000",
    `Message-ID: <${clientId}@phone.example>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    subject,
    "",
  ];
  return Buffer.from(lines.join("\r\n"));
}

/** From 14.0 on; before, the item is named in the query. */
export function replyDocument(letter: Letter, folder: string, item: string): Element {
  return element(
    "ComposeMail:SmartReply",
    element("ComposeMail:ClientId", letter.clientId),
    element("ComposeMail:Source", element("ComposeMail:FolderId", folder), element("ComposeMail:ItemId", item)),
    element("ComposeMail:SaveInSentItems"),
    element("ComposeMail:Mime", mimeOf(letter)),
  );
}

export function sendMailDocument(letter: Letter): Element {
  return element(
    "ComposeMail:SendMail",
    element("ComposeMail:ClientId", letter.clientId),
    element("ComposeMail:SaveInSentItems"),
    element("ComposeMail:Mime", mimeOf(letter)),
  );
}

const policyType = "MS-EAS-Provisioning-WBXML";

/** @param key Undefined: the phone asks for its policy. Otherwise it says that it keeps to it (MS-ASPROV 2.2.2). */
export function provisionDocument(key: string | undefined): Element {
  return element(
    "Provision:Provision",
    element(
      "Provision:Policies",
      element(
        "Provision:Policy",
        element("Provision:PolicyType", policyType),
        key === undefined ? undefined : element("Provision:PolicyKey", key),
        key === undefined ? undefined : element("Provision:Status", "1"),
      ),
    ),
  );
}
