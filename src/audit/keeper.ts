/**
 * What a gate does for the audit trail beside its own entries. Each one puts into the store what it lacks, and notes once a day how
 * far the other writers are. One of all nodes shows new entries in the log, and removes old ones.
 */
import { randomBytes } from "node:crypto";
import { AUDIT_PAGE_LIMIT } from "../store/audit-log.ts";
import type { AuditRow } from "../store/audit-log.ts";
import type { DocumentKey } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import type { Audit } from "./audit.ts";
import { markName, readMarkName } from "./chain.ts";
import type { Chain, Head, Line, ReadLine, Writer } from "./chain.ts";
import type { Journal } from "./journal.ts";

export interface KeeperOptions {
  readonly store: Pick<Store, "auditAfter" | "auditMarks" | "trimAudit" | "holdLease" | "readDocuments" | "transact">;
  readonly journal: Journal;
  readonly chain: Chain;
  readonly audit: Audit;
  readonly keepDays: number;
  /** Each line once, in the order of the store; again where a node ended before it could say so. */
  readonly onLine: (read: ReadLine) => void;
  readonly onFailure: (cause: unknown) => void;
  readonly now: () => Date;
}

export interface Keeper {
  /** Shows what is new, where this node is the one that does. Never throws. */
  show(): Promise<void>;
  /** Removes what is older than `keepDays` from the journal, and from the store where this node is the one that does. Never throws. */
  trim(): Promise<void>;
  /** Notes how far the others are. Never throws. */
  witness(): Promise<void>;
  stop(): Promise<void>;
}

const SHOW_INTERVAL_MS = 2_000;
/** What Redis has lost is there again after this, without anybody doing anything. */
const SYNC_INTERVAL_MS = 60_000;
const LEASE_MS = 15_000;
const TRIM_INTERVAL_MS = 3_600_000;
const WITNESS_INTERVAL_MS = 86_400_000;
/** After a start: restarts in a row do not fill the trail. */
const FIRST_WITNESS_MS = 3_600_000;
/** A node that finds no note of what was shown does not show everything once more. */
const SHOWN_ANEW_MS = 3_600_000;
/** Pages of one round: what is left is shown, or removed, in the next. */
const PAGES_LIMIT = 20;
const DAY_MS = 86_400_000;

const cursor: DocumentKey = { kind: "leader", name: "audit-log" };

export function createKeeper(options: KeeperOptions): Keeper {
  const { store, journal, chain, audit, keepDays, onLine, onFailure, now } = options;
  const node = randomBytes(6).toString("hex");
  let working: Promise<void> = Promise.resolve();
  let seen = new Map<Writer, number>();

  /** One after another, and nothing that goes wrong ends it. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    working = working.then(work).catch(onFailure);
    return working;
  }

  const isChosen = (): Promise<boolean> => store.holdLease("audit", node, LEASE_MS);

  async function show(): Promise<void> {
    if (!(await isChosen())) return;
    const [noted] = await store.readDocuments([cursor]);
    const since = noted === undefined ? now().getTime() - SHOWN_ANEW_MS : 0;
    let place = noted?.get("place");
    for (let pages = 0; pages < PAGES_LIMIT; pages += 1) {
      const rows = await store.auditAfter(place, AUDIT_PAGE_LIMIT);
      const last = rows.at(-1);
      if (last === undefined) return;
      for (const row of rows) {
        const read = readRow(row);
        if (timeOf(read, row) >= since) onLine(read);
      }
      ({ place } = last);
      const shown = new Map([["place", place]]);
      await store.transact([cursor], () => ({ changes: [{ key: cursor, set: shown }], result: undefined }));
    }
  }

  function readRow({ line }: AuditRow): ReadLine {
    return line === undefined ? { kind: "unreadable" } : chain.read(line);
  }

  async function trim(): Promise<void> {
    const cutoff = new Date(now().getTime() - keepDays * DAY_MS);
    journal.trim(cutoff);
    if (!(await isChosen())) return;
    for (let pages = 0; pages < PAGES_LIMIT; pages += 1) if (!(await trimPage(cutoff))) return;
  }

  /** Says whether there may be more. */
  async function trimPage(cutoff: Date): Promise<boolean> {
    const rows = await store.auditAfter(undefined, AUDIT_PAGE_LIMIT);
    const end = rows.findIndex((row) => row.storedAtMs >= cutoff.getTime() || isYoung(readRow(row), cutoff));
    const old = end === -1 ? rows : rows.slice(0, end);
    const last = old.at(-1);
    if (last === undefined) return false;
    const removed = new Map<Writer, Line>();
    let unreadable = 0;
    for (const row of old) {
      const read = readRow(row);
      if (read.kind === "good") removed.set(read.line.writer, read.line);
      else unreadable += 1;
    }
    const marks = await store.auditMarks();
    const set = new Map<string, string>();
    for (const [writer, line] of removed) {
      const before = chain.readMark("trimmed", writer, marks.get(markName("trimmed", writer)) ?? "");
      if ((before?.sequence ?? 0) < line.sequence) set.set(markName("trimmed", writer), chain.mark("trimmed", line));
    }
    await store.trimAudit(last.place, { set, remove: [] });
    const after = { entries: String(old.length), ...(unreadable > 0 && { unreadable: String(unreadable) }) };
    await audit.append([{ kind: "trimmed", actor: "postern", why: `older than ${keepDays} days`, after }]);
    return end === -1 && rows.length === AUDIT_PAGE_LIMIT;
  }

  async function witness(): Promise<void> {
    const own = new Set(journal.writers().map(({ head }) => head.writer));
    const heads: Head[] = [];
    for (const [name, text] of await store.auditMarks()) {
      const known = readMarkName(name);
      if (known?.purpose !== "head" || own.has(known.writer)) continue;
      const head = chain.readMark("head", known.writer, text);
      if (head !== undefined && head.sequence > (seen.get(head.writer) ?? 0)) heads.push(head);
    }
    if (heads.length === 0) return;
    const after = Object.fromEntries(heads.map(({ writer, sequence, seal }) => [writer, `${sequence} ${seal}`]));
    await audit.append([{ kind: "witness", actor: "postern", after }]);
    seen = new Map([...seen, ...heads.map(({ writer, sequence }) => [writer, sequence] as const)]);
  }

  const keeper = {
    show: () => inTurn(show),
    trim: () => inTurn(trim),
    witness: () => inTurn(witness),
  };
  const timers = [
    setInterval(() => void keeper.show(), SHOW_INTERVAL_MS),
    setInterval(() => void inTurn(audit.sync), SYNC_INTERVAL_MS),
    setInterval(() => void keeper.trim(), TRIM_INTERVAL_MS),
    setInterval(() => void keeper.witness(), WITNESS_INTERVAL_MS),
    setTimeout(() => void keeper.witness(), FIRST_WITNESS_MS),
  ];
  for (const timer of timers) timer.unref();
  // What an earlier run, or a command on this machine, could not put there.
  void inTurn(audit.sync);

  return {
    ...keeper,
    async stop(): Promise<void> {
      for (const timer of timers) clearTimeout(timer);
      await working;
    },
  };
}

/** What was put into an empty store again was shown before. */
function timeOf(read: ReadLine, { storedAtMs }: AuditRow): number {
  return read.kind === "good" ? read.line.entry.at.getTime() : storedAtMs;
}

function isYoung(read: ReadLine, cutoff: Date): boolean {
  return read.kind === "good" && read.line.entry.at >= cutoff;
}
