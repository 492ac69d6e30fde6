/**
 * Changes of verdicts, for the audit trail. A request whose device is judged as before costs a look into a table, and nothing else;
 * the others are written in batches, off every request's way. What the trail has of a device stands in the store, so that of two
 * nodes that see the same change one writes it.
 */
import { randomBytes } from "node:crypto";
import type { DeviceId } from "../policy/device.ts";
import type { Ruling, Verdict } from "../policy/verdict.ts";
import type { DocumentKey, Fields } from "../store/documents.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { Audit } from "./audit.ts";
import type { EntryDraft } from "./entry.ts";
import { JournalUnavailable } from "./journal.ts";

export interface Judged {
  readonly id: DeviceId;
  /** Whose credential it was, as in `MailboxKey`. */
  readonly account: string;
  /** `somebody-else` has verdicts of their own: they are no change for the owner. */
  readonly whose: "owner" | "somebody-else" | "stranger";
  readonly verdict: Verdict;
  /** Answers that take long end after newer ones. */
  readonly decidedAt: Date;
}

export interface VerdictChanges {
  /** Only for a request whose credential the mail server has accepted: anybody can invent device ids. */
  note(judged: Judged): void;
  /** Writes what was noted. Never throws. */
  flush(): Promise<void>;
  /** Writes what is left, and then no more. */
  stop(): Promise<void>;
}

export interface VerdictChangesOptions {
  readonly store: Pick<Store, "transact" | "readDocuments" | "onChange">;
  readonly audit: Pick<Audit, "append">;
  readonly onFailure: (cause: unknown) => void;
}

const FLUSH_INTERVAL_MS = 2_000;
/** Changes that wait while the store is away; more than these are counted, and told as lost. */
const WAITING_LIMIT = 50_000;
/** Devices whose last verdict is remembered; of more than these the oldest are looked up again, which is harmless. */
const REMEMBERED_LIMIT = 500_000;
/** Devices in one act upon the store. */
const BATCH_DEVICES = 100;
/** A device that is not judged for so long is one of which nothing was known before. */
const KEPT_MS = 400 * 86_400_000;
const ACCOUNT_LIMIT = 200;

type Word = "allow" | "warn" | "quarantine" | "block";

interface State {
  readonly word: Word;
  readonly reason: string;
  readonly campaign: string;
  /** Of the decision, in milliseconds since 1970. */
  readonly at: number;
}

interface Waiting {
  readonly name: string;
  readonly judged: Pick<Judged, "id" | "account" | "whose">;
  readonly state: State;
  /** By which an act is known again whose answer was lost. */
  readonly token: string;
  /** What an act that failed, or perhaps did not, has found. */
  attempted?: { readonly known: State | undefined };
}

export function createVerdictChanges({ store, audit, onFailure }: VerdictChangesOptions): VerdictChanges {
  /** The oldest first. */
  const remembered = new Map<string, State>();
  let waiting: Waiting[] = [];
  let lost = 0;
  let count = 0;
  const node = randomBytes(6).toString("hex");
  let writing: Promise<void> | undefined;
  /** What other nodes wrote while a batch was under way. */
  let told = new Set<string>();

  const unsubscribe = store.onChange((change) => {
    if (change.kind === "everything") remembered.clear();
    if (change.kind !== "document" || change.of !== "verdict") return;
    remembered.delete(change.name);
    told.add(change.name);
  });

  function note({ verdict, decidedAt, ...judged }: Judged): void {
    const word = wordOf(verdict);
    if (word === undefined) return;
    const name = nameOf(judged);
    const known = remembered.get(name);
    if (word === "allow" && known?.word === "allow") return;
    const state: State = { word, reason: verdict.reason, campaign: campaignOf(verdict, word), at: decidedAt.getTime() };
    if (isAlike(known, state) || (known !== undefined && known.at > state.at)) return;
    if (waiting.length >= WAITING_LIMIT) {
      lost += 1;
      return;
    }
    remember(name, state);
    count += 1;
    waiting.push({ name, judged, state, token: `${node}-${count}` });
  }

  function remember(name: string, state: State): void {
    remembered.delete(name);
    remembered.set(name, state);
    if (remembered.size <= REMEMBERED_LIMIT) return;
    const [oldest] = remembered.keys();
    if (oldest !== undefined) remembered.delete(oldest);
  }

  /** Each device once: what a second time is noted of it waits for the next batch. */
  function takeBatch(): readonly Waiting[] {
    const batch = new Map<string, Waiting>();
    const rest: Waiting[] = [];
    for (const each of waiting) {
      if (batch.size < BATCH_DEVICES && !batch.has(each.name)) batch.set(each.name, each);
      else rest.push(each);
    }
    waiting = rest;
    return [...batch.values()];
  }

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = takeBatch();
      told = new Set();
      try {
        const asStored = await writeBatch(batch);
        // Where another node wrote meanwhile, or has known better, the next request looks again.
        for (const { name } of batch) if (told.has(name) || !asStored.has(name)) remembered.delete(name);
      } catch (cause) {
        onFailure(cause);
        if (cause instanceof StoreUnavailable || cause instanceof JournalUnavailable) {
          // Before what came meanwhile, and until the store, or the disk, is back.
          waiting = [...batch, ...waiting];
          return;
        }
        lost += batch.length;
      }
    }
    if (lost > 0) await writeLost();
  }

  async function writeLost(): Promise<void> {
    const changes = String(lost);
    try {
      await audit.append([
        { kind: "verdicts-lost", actor: "postern", why: "they could not be kept", after: { changes } },
      ]);
      lost -= Number(changes);
    } catch (cause) {
      onFailure(cause);
    }
  }

  /** @returns the names of those that stand in the store just so. */
  async function writeBatch(batch: readonly Waiting[]): Promise<ReadonlySet<string>> {
    const keys = batch.map(({ name }): DocumentKey => ({ kind: "verdict", name }));
    // Most of what is new to a node after its start is not new to the trail: looking costs less than an act.
    const before = await store.readDocuments(keys);
    const asStored = new Set(
      batch.filter(({ state }, index) => isAlike(stateIn(before[index]), state)).map(({ name }) => name),
    );
    const news = batch.filter((each, index) => newsIn(before[index], each) !== "no");
    if (news.length === 0) return asStored;
    const named = news.map(({ name }): DocumentKey => ({ kind: "verdict", name }));
    const entries = await store.transact(named, (stored) => {
      const changes = news.flatMap((each, index) => {
        const verdict = newsIn(stored[index], each);
        if (verdict === "no") return [];
        const known = verdict === "ours" ? each.attempted?.known : stateIn(stored[index]);
        each.attempted = { known };
        return [{ ...each, known, isToldOf: verdict !== "baseline" }];
      });
      return {
        changes: changes.map(({ name, state, token }) => ({
          key: { kind: "verdict", name } as const,
          set: fieldsOf(state, token),
          ttlMs: KEPT_MS,
        })),
        result: changes.filter(({ isToldOf }) => isToldOf).map(entryOfChange),
      };
    });
    if (entries.length > 0) await audit.append(entries);
    return asStored;
  }

  /** One at a time: a slow store gets larger batches rather than more of them. */
  function flush(): Promise<void> {
    writing ??= write().finally(() => (writing = undefined));
    return writing;
  }

  const timer = setInterval(() => {
    if (waiting.length > 0 || lost > 0) void flush();
  }, FLUSH_INTERVAL_MS).unref();

  return {
    note,
    flush,
    async stop(): Promise<void> {
      clearInterval(timer);
      unsubscribe();
      await writing;
      await flush();
    },
  };
}

/** Undefined where nothing new was found out about the device. */
function wordOf({ action, reason, demands }: Verdict): Word | undefined {
  if (action === "defer" || reason === "last-known" || reason === "store-unavailable") return undefined;
  return action === "allow" && demands.length > 0 ? "warn" : action;
}

function campaignOf({ rulings = [] }: Verdict, word: Word): string {
  const isWhy = ({ action, shadow }: Ruling): boolean => action === word && shadow !== true;
  return rulings.find(isWhy)?.campaign ?? "";
}

function nameOf({ id, account, whose }: Pick<Judged, "id" | "account" | "whose">): string {
  return whose === "somebody-else" ? `${id} ${account.slice(0, ACCOUNT_LIMIT)}` : id;
}

/** `ours`: it stands there by an act of ours whose answer was lost. */
function newsIn(stored: Fields | undefined, { state, token, attempted }: Waiting): ReturnType<typeof isNews> | "ours" {
  const known = stateIn(stored);
  if (attempted !== undefined && stored?.get("token") === token)
    return isNews(attempted.known, state) === "baseline" ? "baseline" : "ours";
  return isNews(known, state);
}

function isAlike(known: State | undefined, { word, reason, campaign }: State): boolean {
  if (known?.word !== word) return false;
  return word === "allow" || (known.reason === reason && known.campaign === campaign);
}

/** `baseline`: it is kept, and no change: that mail flows of a device of which nothing was known is what one expects. */
function isNews(known: State | undefined, { word, reason, campaign, at }: State): "told" | "baseline" | "no" {
  if (known === undefined) return word === "allow" ? "baseline" : "told";
  if (at < known.at) return "no";
  return isAlike(known, { word, reason, campaign, at }) ? "no" : "told";
}

function entryOfChange({ judged, state, known }: Waiting & { readonly known: State | undefined }): EntryDraft {
  const { id, account, whose } = judged;
  return {
    at: new Date(state.at),
    kind: "verdict",
    act: state.word,
    actor: "postern",
    why: state.reason,
    device: id,
    about: state.campaign === "" ? [] : [state.campaign],
    before: known === undefined ? {} : valuesOf(known),
    after: { ...valuesOf(state), ...(whose === "somebody-else" && { askedBy: account }) },
  };
}

function valuesOf({ word, reason, campaign }: State): Record<string, string> {
  return { verdict: word, reason, ...(campaign !== "" && { campaign }) };
}

function fieldsOf({ word, reason, campaign, at }: State, token: string): Fields {
  return new Map([
    ["verdict", word],
    ["reason", reason],
    ["campaign", campaign],
    ["at", String(at)],
    ["token", token],
  ]);
}

const words = ["allow", "warn", "quarantine", "block"] as const;

function stateIn(fields: Fields | undefined): State | undefined {
  const word = words.find((each) => each === fields?.get("verdict"));
  const at = Number(fields?.get("at"));
  if (fields === undefined || word === undefined || !Number.isSafeInteger(at)) return undefined;
  return { word, reason: fields.get("reason") ?? "", campaign: fields.get("campaign") ?? "", at };
}
