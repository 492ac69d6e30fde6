/** A server with one inbox that grows while the test runs. */
import { child, element, text } from "../../../src/activesync/document.ts";
import type { Element } from "../../../src/activesync/wbxml.ts";
import { folders, mail, nothing, policy, synced, threeFolders } from "./documents.ts";
import type { Received, Scripted } from "./scripted-server.ts";

export interface Mailbox {
  readonly subjects: string[];
  answer(request: Received): Scripted;
  /** What the next Pings are answered with; they stay unanswered when nothing is left. */
  readonly pings: (() => Scripted)[];
  refuse: Scripted | undefined;
}

export function mailboxOf(...subjects: string[]): Mailbox {
  const mailbox: Mailbox = {
    subjects,
    pings: [],
    refuse: undefined,
    answer(request) {
      if (mailbox.refuse !== undefined) return mailbox.refuse;
      const command = request.method === "OPTIONS" ? "OPTIONS" : (/^Cmd=(\w+)/u.exec(request.query)?.[1] ?? "none");
      switch (command) {
        case "OPTIONS":
          return { headers: { "MS-ASProtocolVersions": "12.1,14.1", "MS-ASProtocolCommands": "Sync,Ping" } };
        case "Provision":
          return policy(2);
        case "FolderSync":
          return folders(
            "h1",
            request.root && text(request.root, "FolderHierarchy:SyncKey") === "0" ? threeFolders : {},
          );
        case "Sync":
          return syncInbox(request.root, subjects);
        case "ItemOperations":
          return fetched("The whole text.");
        case "Ping":
          return mailbox.pings.shift()?.() ?? "silent";
        case "SendMail":
          return nothing;
        default:
          return 501;
      }
    },
  };
  return mailbox;
}

/** The key counts what was delivered. */
function syncInbox(root: Element | undefined, subjects: readonly string[]): Scripted {
  const list = root && child(root, "AirSync:Collections");
  const collection = list && child(list, "AirSync:Collection");
  const key = collection && text(collection, "AirSync:SyncKey");
  if (key === undefined || key === "0") return synced("k0");
  const delivered = Number(key.slice(1));
  if (delivered === subjects.length) return nothing;
  const commands = subjects.slice(delivered).map((subject, index) => mail("m".repeat(delivered + index + 1), subject));
  return synced(`k${subjects.length}`, { commands });
}

function fetched(body: string): Element {
  return element(
    "ItemOperations:ItemOperations",
    element("ItemOperations:Status", "1"),
    element(
      "ItemOperations:Response",
      element(
        "ItemOperations:Fetch",
        element("ItemOperations:Status", "1"),
        element(
          "ItemOperations:Properties",
          element("AirSyncBase:Body", element("AirSyncBase:Type", "1"), element("AirSyncBase:Data", body)),
        ),
      ),
    ),
  );
}
