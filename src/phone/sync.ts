/** Sync of one folder until there is nothing more to say, with everything that a real phone does on the way. */
import type { Element } from "../activesync/wbxml.ts";
import { PhoneError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { syncFolders } from "./hierarchy.ts";
import { classOf, folderOf, pendingIn, resetFolder, settle } from "./mailbox.ts";
import type { Outcome, Trouble } from "./outcome.ts";
import type { FolderState, Pending } from "./state.ts";
import { applySync, readSync, syncKeyRefused, type SyncAnswer, type Tally } from "./sync-answer.ts";
import { syncDocument, type Filter, type SyncWishes } from "./sync-request.ts";

export interface SyncOptions {
  /** Items per answer. */
  readonly windowSize?: number;
  readonly filter?: Filter;
  /** Seconds for which the server may hold the request until there is news. */
  readonly wait?: number;
  /** Asks without a body for a repetition of the last request, where the version allows that and there was one. */
  readonly repeat?: boolean;
  readonly signal?: AbortSignal;
}

export interface FolderSynced extends Readonly<Tally> {
  /** How often the server has sent the phone back to key 0. */
  readonly resets: number;
  readonly rounds: number;
  /** False where the folder has vanished on the way. */
  readonly present: boolean;
}

/** What servers use where nothing is said (MS-ASCMD 2.2.3.199). */
const defaultWindowSize = 100;
/** 50 000 items are a large mailbox; whoever is asked for more rounds is being led in circles. */
const roundsAllowed = 500;
/** Entering and leaving a quarantine are one reset each, and both can fall into one synchronisation. */
const resetsAllowed = 3;
/** A held request is given up when the server is this late. */
const waitSlackMs = 30_000;

interface Run {
  readonly exchange: Exchange;
  readonly folderId: string;
  readonly forgetful: boolean;
  readonly signal: AbortSignal | undefined;
  wishes: SyncWishes;
  repeat: boolean;
  readonly tally: Tally;
  rounds: number;
  resets: number;
  foldersAsked: boolean;
  limitTaken: boolean;
  /** Every upload is tried once in a run: what stays unanswered waits for the next one. */
  uploaded: boolean;
  /**
   * The folder was primed and its content has not come yet. Nothing is uploaded before: a server was seen to store an
   * upload under a key that had brought nothing, and to refuse the key that it gave for it.
   */
  fresh: boolean;
}

/** `again` is one more round; everything else ends the run. */
type Step = "again" | "done" | Trouble;

export async function syncFolder(
  exchange: Exchange,
  folderId: string,
  options: SyncOptions,
  forgetful: boolean,
): Promise<Outcome<FolderSynced>> {
  const run: Run = {
    exchange,
    folderId,
    forgetful,
    signal: options.signal,
    wishes: {
      windowSize: options.windowSize ?? defaultWindowSize,
      filter: options.filter ?? "1-month",
      wait: options.wait,
    },
    repeat: (options.repeat ?? false) && exchange.dialect().emptySync,
    tally: { added: 0, changed: 0, deleted: 0 },
    rounds: 0,
    resets: 0,
    foldersAsked: false,
    limitTaken: false,
    uploaded: false,
    fresh: false,
  };
  folderOf(exchange.state, folderId);
  for (;;) {
    const folder = exchange.state.folders.find((each) => each.id === folderId);
    if (folder === undefined) return finished(run, false);
    run.rounds += 1;
    if (run.rounds > roundsAllowed) throw loop(folder, `no end after ${roundsAllowed} rounds`);
    const step = await round(run, folder);
    if (step === "done") return finished(run, true);
    if (step !== "again") return step;
  }
}

function finished(run: Run, present: boolean): Outcome<FolderSynced> {
  return { kind: "ok", ...run.tally, resets: run.resets, rounds: run.rounds, present };
}

async function round(run: Run, folder: FolderState): Promise<Step> {
  const { exchange } = run;
  const sentKey = folder.syncKey;
  const waiting = run.uploaded ? [] : pendingIn(exchange.state, folder.id);
  const uploads = sentKey === "0" || run.fresh ? [] : waiting;
  if (uploads.length > 0) run.uploaded = true;
  // Marks on mails are handed over on their own, before anything is fetched: that is how Android does it.
  const download = uploads.length === 0 || classOf(folder.type) !== "Email";
  const repeat = run.repeat && sentKey !== "0" && uploads.length === 0;
  const wait = waiting.length === 0 ? run.wishes.wait : undefined;
  const body = repeat
    ? undefined
    : syncDocument(exchange.dialect(), { folder, uploads, download, wishes: { ...run.wishes, wait } });
  const answer = await exchange.ask({
    command: "Sync",
    body,
    read: (root: Element) => readSync(root, folder.id),
    ...(wait === undefined ? {} : { timeoutMs: wait * 1000 + waitSlackMs }),
    signal: run.signal,
  });
  if (answer.kind === "empty") return nothingToSay(run, folder, uploads);
  if (answer.kind !== "answer") return answer;
  return act(run, folder, answer.value, { sentKey, uploads, download, repeat });
}

/** HTTP 200 without a body: nothing is new, and what was uploaded and needs no id is taken to be stored. */
function nothingToSay(run: Run, folder: FolderState, uploads: readonly Pending[]): Step {
  settle(
    run.exchange.state,
    uploads.filter((entry) => !("clientId" in entry)),
  );
  return uploads.length > 0 && classOf(folder.type) === "Email" ? "again" : downloaded(run, folder);
}

/** The server has nothing more to say; the phone may have. */
function downloaded(run: Run, folder: FolderState): Step {
  const held = run.fresh && !run.uploaded && pendingIn(run.exchange.state, folder.id).length > 0;
  run.fresh = false;
  return held ? "again" : "done";
}

interface Asked {
  readonly sentKey: string;
  readonly uploads: readonly Pending[];
  readonly download: boolean;
  readonly repeat: boolean;
}

async function act(run: Run, folder: FolderState, answer: SyncAnswer, asked: Asked): Promise<Step> {
  const status = answer.status !== undefined && answer.status !== 1 ? answer.status : (answer.collection?.status ?? 1);
  if (syncKeyRefused.has(status)) return startAgain(run, folder, answer, asked);
  switch (status) {
    case 1:
      return take(run, folder, answer, asked);
    case 8:
    case 12:
      return askForFolders(run, status);
    case 13:
      // The server does not remember what it should repeat.
      if (!asked.repeat) return { kind: "command-status", command: "Sync", commandStatus: status };
      run.repeat = false;
      return "again";
    case 14:
      return takeLimit(run, answer);
    default:
      return { kind: "command-status", command: "Sync", commandStatus: status };
  }
}

function take(run: Run, folder: FolderState, answer: SyncAnswer, asked: Asked): Step {
  const { collection } = answer;
  if (collection === undefined) return endOf(run, folder, asked);
  applySync(run.exchange.state, folder, collection, asked.uploads, run.tally);
  const moved = folder.syncKey !== asked.sentKey;
  if (asked.sentKey === "0") {
    if (!moved) throw new PhoneError("answer-unreadable", "the server gave no key for key 0");
    run.fresh = true;
    return "again";
  }
  if (collection.moreAvailable) {
    if (!moved) throw loop(folder, "the server promises more under the key that it already gave");
    return "again";
  }
  return endOf(run, folder, asked);
}

function endOf(run: Run, folder: FolderState, asked: Asked): Step {
  return asked.download ? downloaded(run, folder) : "again";
}

function startAgain(run: Run, folder: FolderState, answer: SyncAnswer, asked: Asked): Step {
  run.resets += 1;
  if (asked.sentKey === "0") throw loop(folder, "the server refuses even key 0");
  if (run.resets > resetsAllowed) throw loop(folder, `the server refused its own key ${run.resets} times`);
  resetFolder(run.exchange.state, folder, run.forgetful);
  folder.syncKey = answer.collection?.key ?? "0";
  run.repeat = false;
  run.uploaded = false;
  return "again";
}

async function askForFolders(run: Run, status: number): Promise<Step> {
  run.exchange.state.foldersStale = true;
  if (run.foldersAsked) return { kind: "command-status", command: "Sync", commandStatus: status };
  run.foldersAsked = true;
  const folders = await syncFolders(run.exchange, run.forgetful);
  if (folders.kind !== "ok") return folders;
  run.repeat = false;
  run.uploaded = false;
  return "again";
}

function takeLimit(run: Run, { limit }: SyncAnswer): Step {
  if (run.limitTaken || limit === undefined || run.wishes.wait === undefined) {
    return { kind: "command-status", command: "Sync", commandStatus: 14 };
  }
  run.limitTaken = true;
  const seconds = run.exchange.dialect().syncWait === "minutes" ? limit * 60 : limit;
  run.wishes = { ...run.wishes, wait: seconds };
  return "again";
}

function loop(folder: FolderState, detail: string): PhoneError {
  return new PhoneError("sync-loop", `${folder.name === "" ? folder.id : folder.name}: ${detail}`);
}
