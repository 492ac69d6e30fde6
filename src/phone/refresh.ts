/** What a mail app does when it is opened: everything that is due, in the order in which phones do it. */
import type { Exchange } from "./exchange.ts";
import { syncFolders } from "./hierarchy.ts";
import { isSynchronisedMail, pendingIn } from "./mailbox.ts";
import { flushOutbox } from "./outbox.ts";
import { concernsAccount, type Outcome, type Trouble } from "./outcome.ts";
import { provision } from "./provision.ts";
import type { FolderState } from "./state.ts";
import { syncFolder, type SyncOptions } from "./sync.ts";
import type { Tally } from "./sync-answer.ts";

export type RefreshOptions = Pick<SyncOptions, "windowSize" | "filter" | "signal">;

export interface Refreshed extends Readonly<Tally> {
  readonly resets: number;
  readonly sent: number;
  /** Why the outbox is not empty; mail is fetched all the same. */
  readonly outboxTrouble: Trouble | undefined;
}

export async function refreshAll(
  exchange: Exchange,
  options: RefreshOptions,
  from: string,
  forgetful: boolean,
): Promise<Outcome<Refreshed>> {
  const prepared = await prepare(exchange, forgetful);
  if (prepared !== undefined) return prepared;
  const outbox = await flushOutbox(exchange, from);
  if (outbox.kind !== "ok" && concernsAccount(outbox) && outbox.kind !== "busy") return outbox;

  const sum = { added: 0, changed: 0, deleted: 0, resets: 0 };
  const visited = new Set<string>();
  let firstTrouble: Trouble | undefined;
  // The list may change on the way, when the server says so.
  for (let folder = nextFolder(exchange, visited); folder !== undefined; folder = nextFolder(exchange, visited)) {
    visited.add(folder.id);
    const synced = await syncFolder(exchange, folder.id, options, forgetful);
    if (synced.kind !== "ok") {
      if (concernsAccount(synced)) return synced;
      firstTrouble ??= synced;
      continue;
    }
    sum.added += synced.added;
    sum.changed += synced.changed;
    sum.deleted += synced.deleted;
    sum.resets += synced.resets;
  }
  if (firstTrouble !== undefined) return firstTrouble;
  const sent = outbox.kind === "ok" ? outbox.sent : 0;
  return { kind: "ok", ...sum, sent, outboxTrouble: outbox.kind === "ok" ? undefined : outbox };
}

function nextFolder(exchange: Exchange, done: ReadonlySet<string>): FolderState | undefined {
  const { sixteen } = exchange.dialect();
  return exchange.state.folders.find(
    (folder) =>
      !done.has(folder.id) &&
      (isSynchronisedMail(folder.type, sixteen) ||
        folder.syncKey !== "0" ||
        pendingIn(exchange.state, folder.id).length > 0),
  );
}

/** A policy before anything else, and the folders before anything in them. */
export async function prepare(exchange: Exchange, forgetful: boolean): Promise<Trouble | undefined> {
  const { state } = exchange;
  if (!state.provisioned) {
    const provisioned = await provision(exchange);
    if (provisioned.kind !== "ok") return provisioned;
  }
  if (state.folderKey !== "0" && !state.foldersStale) return undefined;
  const folders = await syncFolders(exchange, forgetful);
  return folders.kind === "ok" ? undefined : folders;
}
