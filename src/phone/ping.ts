/** Ping: waiting for news without asking for them (MS-ASCMD 2.2.1.13). */
import { child, element, text } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import { PhoneError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { syncFolders } from "./hierarchy.ts";
import { classOf } from "./mailbox.ts";
import type { Trouble } from "./outcome.ts";
import type { PhoneState } from "./state.ts";

export type PingOutcome =
  /** The time is over and nothing has happened. */
  | { readonly kind: "expired" }
  | { readonly kind: "changes"; readonly folders: readonly string[] }
  /** The list of folders was changed; the phone has fetched it. */
  | { readonly kind: "folders-changed" }
  /** No folder has been synchronised yet, so there is nothing to wait for. */
  | { readonly kind: "nothing-to-watch" }
  | Trouble;

interface PingAnswer {
  readonly status: number;
  readonly folders: readonly string[];
  readonly seconds: number | undefined;
  readonly maxFolders: number | undefined;
}

interface PingParameters {
  readonly seconds: number;
  readonly folders: readonly string[];
}

/** How many times the server may find fault with one Ping: each of status 3, 5 and 6 once, and once more. */
const attemptsAllowed = 4;
const answerSlackMs = 30_000;

export interface PingOptions {
  readonly seconds: number;
  readonly signal: AbortSignal | undefined;
  /** Says everything every time, instead of leaving out what the server should remember. */
  readonly inFull: boolean;
  readonly forgetful: boolean;
}

export async function ping(exchange: Exchange, options: PingOptions): Promise<PingOutcome> {
  const { state } = exchange;
  let fault = 0;
  for (let attempt = 1; attempt <= attemptsAllowed; attempt += 1) {
    const wanted = parametersFor(state, options.seconds);
    if (wanted.folders.length === 0) return { kind: "nothing-to-watch" };
    const remembered = !options.inFull && state.ping !== null && same(state.ping, wanted);
    const answer = await exchange.ask({
      command: "Ping",
      body: remembered ? undefined : pingDocument(state, wanted),
      read: readPing,
      timeoutMs: wanted.seconds * 1000 + answerSlackMs,
      signal: options.signal,
    });
    if (answer.kind === "empty") throw new PhoneError("answer-unreadable", "Ping was answered with nothing");
    if (answer.kind !== "answer") return answer;
    const { status, folders } = answer.value;
    fault = status;
    switch (status) {
      case 1:
        remember(state, wanted);
        return { kind: "expired" };
      case 2:
        if (folders.length === 0) throw new PhoneError("answer-unreadable", "Ping tells of changes in no folder");
        remember(state, wanted);
        return { kind: "changes", folders };
      case 3:
        // The server has forgotten what the phone left out; to a request in full it is a refusal.
        if (!remembered) return refused(status);
        state.ping = null;
        break;
      case 5:
        learnBound(state, wanted.seconds, required(answer.value.seconds, "HeartbeatInterval"));
        break;
      case 6:
        state.pingLimits.folders = required(answer.value.maxFolders, "MaxFolders");
        break;
      case 7:
        return fetchFolders(exchange, options.forgetful);
      default:
        return refused(status);
    }
  }
  return refused(fault);
}

function parametersFor(state: PhoneState, seconds: number): PingParameters {
  const watched = state.folders.filter((folder) => folder.syncKey !== "0").map((folder) => folder.id);
  const { minSeconds, maxSeconds, folders } = state.pingLimits;
  return {
    seconds: Math.min(Math.max(seconds, minSeconds ?? seconds), maxSeconds ?? Number.MAX_SAFE_INTEGER),
    folders: folders === null ? watched : watched.slice(0, folders),
  };
}

/** The server names the bound that was crossed, and not which of the two it is. */
function learnBound(state: PhoneState, wished: number, bound: number): void {
  if (bound > wished) state.pingLimits.minSeconds = bound;
  else state.pingLimits.maxSeconds = bound;
}

function same(left: PingParameters, right: PingParameters): boolean {
  return left.seconds === right.seconds && left.folders.join("\n") === right.folders.join("\n");
}

function remember(state: PhoneState, { seconds, folders }: PingParameters): void {
  state.ping = { seconds, folders: [...folders] };
}

function pingDocument(state: PhoneState, { seconds, folders }: PingParameters): Element {
  return element(
    "Ping:Ping",
    element("Ping:HeartbeatInterval", String(seconds)),
    element(
      "Ping:Folders",
      folders.map((id) => element("Ping:Folder", element("Ping:Id", id), element("Ping:Class", classFor(state, id)))),
    ),
  );
}

function classFor(state: PhoneState, id: string): string {
  const kind = classOf(state.folders.find((folder) => folder.id === id)?.type ?? 18);
  return kind === "other" ? "Email" : kind;
}

function readPing(root: Element): PingAnswer {
  const list = child(root, "Ping:Folders");
  const seconds = text(root, "Ping:HeartbeatInterval");
  const maxFolders = text(root, "Ping:MaxFolders");
  const folders: string[] = [];
  for (const part of list?.content ?? []) {
    if (typeof part === "string" || part instanceof Uint8Array || part.tag !== "Ping:Folder") continue;
    // In an answer a folder is its id as text; as in the request would be tolerated by nobody else either.
    const [id] = part.content;
    if (typeof id === "string") folders.push(id);
  }
  return {
    status: Number(text(root, "Ping:Status") ?? "0"),
    folders,
    seconds: seconds === undefined ? undefined : Number(seconds),
    maxFolders: maxFolders === undefined ? undefined : Number(maxFolders),
  };
}

function required(value: number | undefined, name: string): number {
  if (value !== undefined && Number.isInteger(value) && value > 0) return value;
  throw new PhoneError("answer-unreadable", `Ping finds fault and does not say ${name}`);
}

function refused(commandStatus: number): Trouble {
  return { kind: "command-status", command: "Ping", commandStatus };
}

async function fetchFolders(exchange: Exchange, forgetful: boolean): Promise<PingOutcome> {
  exchange.state.foldersStale = true;
  const folders = await syncFolders(exchange, forgetful);
  return folders.kind === "ok" ? { kind: "folders-changed" } : folders;
}
