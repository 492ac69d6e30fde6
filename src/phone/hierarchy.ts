/** FolderSync: which folders there are (MS-ASCMD 2.2.1.5). */
import { child, children, element, text } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { PhoneError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { pendingIn, resetHierarchy, settle } from "./mailbox.ts";
import type { Outcome } from "./outcome.ts";
import type { FolderState, PhoneState } from "./state.ts";

export interface FoldersChanged {
  readonly added: number;
  readonly updated: number;
  readonly deleted: number;
  /** The server has refused the key that it once gave, and the phone has started again. */
  readonly reset: boolean;
}

interface HierarchyAnswer {
  readonly commandStatus: number;
  readonly key: string | undefined;
  readonly put: readonly Omit<FolderState, "syncKey" | "items" | "resets">[];
  readonly updates: number;
  readonly removed: readonly string[];
}

/** 9 is the command's own; 132, 134 and 136 say the same of the state that the server keeps (MS-ASCMD 2.2.2). */
const keyRefused: ReadonlySet<number> = new Set([9, 132, 134, 136]);

export async function syncFolders(exchange: Exchange, forgetful: boolean): Promise<Outcome<FoldersChanged>> {
  const { state } = exchange;
  let reset = false;
  for (;;) {
    const sentKey = state.folderKey;
    const answer = await exchange.ask({
      command: "FolderSync",
      body: element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", sentKey)),
      read: readHierarchy,
    });
    if (answer.kind === "empty") throw new PhoneError("answer-unreadable", "FolderSync was answered with nothing");
    if (answer.kind !== "answer") return answer;
    const { commandStatus } = answer.value;
    if (commandStatus === 1) return { kind: "ok", ...apply(state, answer.value, sentKey), reset };
    if (!keyRefused.has(commandStatus)) return { kind: "command-status", command: "FolderSync", commandStatus };
    if (sentKey === "0") throw new PhoneError("sync-loop", "the server refuses even key 0 for the list of folders");
    resetHierarchy(state, forgetful);
    reset = true;
  }
}

function apply(state: PhoneState, answer: HierarchyAnswer, sentKey: string): Omit<FoldersChanged, "reset"> {
  if (answer.key === undefined) throw new PhoneError("answer-unreadable", "FolderSync was answered without a key");
  const before = new Map(state.folders.map((folder) => [folder.id, folder]));
  const gone = answer.removed.filter((id) => before.has(id));
  // Key 0 lists everything there is: what is not in the list is gone, what kept its id keeps its content.
  if (sentKey === "0") gone.push(...[...before.keys()].filter((id) => !answer.put.some((folder) => folder.id === id)));
  for (const folder of answer.put) {
    const known = before.get(folder.id);
    if (known === undefined) state.folders.push({ ...folder, syncKey: "0", items: [], resets: 0 });
    else Object.assign(known, folder);
  }
  state.folders = state.folders.filter((folder) => !gone.includes(folder.id));
  for (const id of gone) settle(state, pendingIn(state, id));
  state.folderKey = answer.key;
  state.foldersStale = false;
  return { added: answer.put.length - answer.updates, updated: answer.updates, deleted: gone.length };
}

function readHierarchy(root: Element): HierarchyAnswer {
  const changes = child(root, "FolderHierarchy:Changes") ?? element("FolderHierarchy:Changes");
  const updates = children(changes, "FolderHierarchy:Update");
  return {
    commandStatus: Number(text(root, "FolderHierarchy:Status") ?? "1"),
    key: text(root, "FolderHierarchy:SyncKey"),
    put: [...children(changes, "FolderHierarchy:Add"), ...updates].map((folder) => readFolder(folder)),
    updates: updates.length,
    removed: children(changes, "FolderHierarchy:Delete").map(
      (folder) => text(folder, "FolderHierarchy:ServerId") ?? "",
    ),
  };
}

function readFolder(folder: Element): HierarchyAnswer["put"][number] {
  const id = text(folder, "FolderHierarchy:ServerId");
  if (id === undefined || id === "") throw new PhoneError("answer-unreadable", "a folder without an id");
  return {
    id,
    parent: text(folder, "FolderHierarchy:ParentId") ?? "0",
    name: text(folder, "FolderHierarchy:DisplayName") ?? "",
    type: Number(text(folder, "FolderHierarchy:Type") ?? "18"),
  };
}
