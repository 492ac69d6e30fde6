/** The Sync request of one folder, in the spelling of each protocol version (MS-ASCMD 2.2.1.21). */
import { element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { Dialect } from "./dialect.ts";
import { classOf, type FolderClass } from "./mailbox.ts";
import type { FolderState, Pending } from "./state.ts";
import { addedData, eventData } from "./upload.ts";

/** The codes of MS-ASCMD 2.2.3.68.2: how far back in time the phone wants items. */
export type Filter = "all" | "1-day" | "3-days" | "1-week" | "2-weeks" | "1-month" | "3-months" | "6-months";

export interface SyncWishes {
  readonly windowSize: number;
  readonly filter: Filter;
  /** Seconds for which the server may wait for news. */
  readonly wait: number | undefined;
}

const filterCodes: Readonly<Record<Filter, string>> = {
  all: "0",
  "1-day": "1",
  "3-days": "2",
  "1-week": "3",
  "2-weeks": "4",
  "1-month": "5",
  "3-months": "6",
  "6-months": "7",
};
// Enough for a preview and for most whole mails.
const textWishedBytes = "4096";

export interface SyncStep {
  readonly folder: FolderState;
  readonly uploads: readonly Pending[];
  /** Whether the server shall say what is new; false is how a phone only hands over what was done on it. */
  readonly download: boolean;
  readonly wishes: SyncWishes;
}

export function syncDocument(dialect: Dialect, { folder, uploads, download, wishes }: SyncStep): Element {
  const kind = classOf(folder.type);
  const priming = folder.syncKey === "0";
  return element(
    "AirSync:Sync",
    element(
      "AirSync:Collections",
      // The order is part of the schema.
      element(
        "AirSync:Collection",
        dialect.classInSync ? element("AirSync:Class", kind === "other" ? "Email" : kind) : undefined,
        element("AirSync:SyncKey", folder.syncKey),
        element("AirSync:CollectionId", folder.id),
        // With key 0 neither changes nor anything about them: that is status 4 (MS-ASCMD 2.2.3.84).
        priming ? undefined : changesWished(dialect, kind, download, wishes),
        priming || !download ? undefined : options(dialect, kind, wishes.filter),
        priming || uploads.length === 0 ? undefined : commands(dialect, uploads),
      ),
    ),
    priming || wishes.wait === undefined ? undefined : waiting(dialect, wishes.wait),
  );
}

function changesWished(dialect: Dialect, kind: FolderClass, download: boolean, wishes: SyncWishes): Element[] {
  const parts = kind === "Email" ? [element("AirSync:DeletesAsMoves", "1")] : [];
  // In 2.5 the element itself says yes, and no is said by leaving it out.
  if (dialect.airSyncBase) parts.push(element("AirSync:GetChanges", download ? "1" : "0"));
  else if (download) parts.push(element("AirSync:GetChanges"));
  if (download) parts.push(element("AirSync:WindowSize", String(wishes.windowSize)));
  return parts;
}

function options(dialect: Dialect, kind: FolderClass, filter: Filter): Element | undefined {
  const filtered = kind === "Email" || kind === "Calendar";
  const filterType = filtered ? element("AirSync:FilterType", filterCodes[filter]) : undefined;
  if (!dialect.airSyncBase) {
    // 4 stands for 5120 characters (MS-ASCMD 2.2.3.185).
    const truncation = kind === "Email" ? element("AirSync:Truncation", "4") : undefined;
    return filterType === undefined ? undefined : element("AirSync:Options", filterType, truncation);
  }
  return element(
    "AirSync:Options",
    filterType,
    kind === "Email" ? element("AirSync:MIMESupport", "0") : undefined,
    element(
      "AirSyncBase:BodyPreference",
      element("AirSyncBase:Type", "1"),
      element("AirSyncBase:TruncationSize", textWishedBytes),
    ),
  );
}

function commands(dialect: Dialect, uploads: readonly Pending[]): Element {
  return element(
    "AirSync:Commands",
    uploads.map((entry) => command(dialect, entry)),
  );
}

function command(dialect: Dialect, entry: Pending): Element {
  switch (entry.kind) {
    case "add-event":
    case "add-contact":
    case "add-task":
    case "add-note":
    case "add-draft":
      return element(
        "AirSync:Add",
        element("AirSync:ClientId", entry.clientId),
        element("AirSync:ApplicationData", addedData(dialect, entry)),
      );
    case "change-event":
      return element(
        "AirSync:Change",
        element("AirSync:ServerId", entry.item),
        element("AirSync:ApplicationData", eventData(dialect, entry.event)),
      );
    case "read":
      return element(
        "AirSync:Change",
        element("AirSync:ServerId", entry.item),
        element("AirSync:ApplicationData", element("Email:Read", entry.read ? "1" : "0")),
      );
    case "delete":
      return element("AirSync:Delete", element("AirSync:ServerId", entry.item));
  }
}

/** Wait counts minutes from 1 to 59, HeartbeatInterval seconds from 60 to 3540. */
function waiting(dialect: Dialect, seconds: number): Element | undefined {
  switch (dialect.syncWait) {
    case "none":
      return undefined;
    case "minutes":
      return element("AirSync:Wait", String(Math.max(1, Math.round(seconds / 60))));
    case "seconds":
      return element("AirSync:HeartbeatInterval", String(seconds));
  }
}
