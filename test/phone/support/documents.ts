/** What servers answer, in few words. */
import { element } from "../../../src/activesync/document.ts";
import type { Element } from "../../../src/activesync/wbxml.ts";

export const nothing = 200;

export interface SyncContent {
  readonly folder?: string;
  readonly status?: number;
  readonly more?: boolean;
  readonly commands?: readonly Element[];
  readonly responses?: readonly Element[];
}

export function synced(key: string, content: SyncContent = {}): Element {
  const { folder = "inbox", status = 1, more = false, commands = [], responses = [] } = content;
  return element(
    "AirSync:Sync",
    element(
      "AirSync:Collections",
      element(
        "AirSync:Collection",
        element("AirSync:SyncKey", key),
        element("AirSync:CollectionId", folder),
        element("AirSync:Status", String(status)),
        more ? element("AirSync:MoreAvailable") : undefined,
        commands.length > 0 ? element("AirSync:Commands", commands) : undefined,
        responses.length > 0 ? element("AirSync:Responses", responses) : undefined,
      ),
    ),
  );
}

/** The status of the whole request, and nothing else. */
export function syncRefused(status: number, limit?: number): Element {
  return element(
    "AirSync:Sync",
    limit === undefined ? undefined : element("AirSync:Limit", String(limit)),
    element("AirSync:Status", String(status)),
  );
}

export function mail(id: string, subject: string, more: readonly Element[] = []): Element {
  return element(
    "AirSync:Add",
    element("AirSync:ServerId", id),
    element(
      "AirSync:ApplicationData",
      element("Email:From", '"Carol Clerk" <carol@postern.test>'),
      element("Email:Subject", subject),
      element("Email:DateReceived", `2026-11-24T10:00:0${id.length}.000Z`),
      element("Email:Read", "0"),
      element("AirSyncBase:Body", element("AirSyncBase:Type", "1"), element("AirSyncBase:Data", `About ${subject}.`)),
      more,
    ),
  );
}

export function removed(id: string): Element {
  return element("AirSync:Delete", element("AirSync:ServerId", id));
}

export interface FolderContent {
  readonly add?: readonly (readonly [id: string, name: string, type: number])[];
  readonly remove?: readonly string[];
}

export function folders(key: string, { add = [], remove = [] }: FolderContent = {}): Element {
  return element(
    "FolderHierarchy:FolderSync",
    element("FolderHierarchy:Status", "1"),
    element("FolderHierarchy:SyncKey", key),
    element(
      "FolderHierarchy:Changes",
      element("FolderHierarchy:Count", String(add.length + remove.length)),
      add.map(([id, name, type]) =>
        element(
          "FolderHierarchy:Add",
          element("FolderHierarchy:ServerId", id),
          element("FolderHierarchy:ParentId", "0"),
          element("FolderHierarchy:DisplayName", name),
          element("FolderHierarchy:Type", String(type)),
        ),
      ),
      remove.map((id) => element("FolderHierarchy:Delete", element("FolderHierarchy:ServerId", id))),
    ),
  );
}

export function foldersRefused(status: number): Element {
  return element("FolderHierarchy:FolderSync", element("FolderHierarchy:Status", String(status)));
}

export const threeFolders: FolderContent = {
  add: [
    ["inbox", "Inbox", 2],
    ["calendar", "Calendar", 8],
    ["contacts", "Contacts", 9],
  ],
};

export function pinged(status: number, ...parts: readonly Element[]): Element {
  return element("Ping:Ping", element("Ping:Status", String(status)), ...parts);
}

export function pingedFolders(...ids: readonly string[]): Element {
  return pinged(
    2,
    element(
      "Ping:Folders",
      ids.map((id) => element("Ping:Folder", id)),
    ),
  );
}

export function policy(policyStatus: number, key?: string): Element {
  return element(
    "Provision:Provision",
    element("Provision:Status", "1"),
    element(
      "Provision:Policies",
      element(
        "Provision:Policy",
        element("Provision:PolicyType", "MS-EAS-Provisioning-WBXML"),
        element("Provision:Status", String(policyStatus)),
        key === undefined ? undefined : element("Provision:PolicyKey", key),
      ),
    ),
  );
}
