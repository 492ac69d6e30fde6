/**
 * The journal of one machine: what its programs did, on its own disk before anything is answered. All of them share it: the file
 * itself keeps them from writing at once. What the store loses is put there again from here.
 */
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { beginning } from "./chain.ts";
import type { Head, Writer } from "./chain.ts";

export interface JournalLine extends Head {
  readonly text: string;
}

/** Who of this journal has written lines, and how far the store is known to have had them. */
export interface JournalWriter {
  /** The oldest line that is kept. */
  readonly first: number;
  readonly head: Head;
  /** The store has said yes to everything up to here; 0: to nothing. */
  readonly stored: number;
  /** What stood before the oldest line, where older ones were removed. */
  readonly trimmed: Head;
  /** Others were left to somebody else, who goes on with them. */
  readonly isCurrent: boolean;
}

interface Pending {
  readonly id: number;
  readonly beganAt: Date;
  readonly text: string;
}

/** Every call throws JournalUnavailable where the file cannot be used. */
export interface Journal {
  /** As the operator knows it. */
  readonly folder: string;
  readonly isDurable: boolean;
  /** Adds lines behind the newest one, on the disk when this returns. `pending`: what is done with by it. */
  append(make: (head: Head) => readonly JournalLine[], pending?: number): void;
  /** The same, unless another program has done it already. */
  settle(pending: number, make: (head: Head) => readonly JournalLine[]): void;
  writers(): readonly JournalWriter[];
  /** In their order, from this number on. */
  lines(writer: Writer, from: number, limit: number): readonly JournalLine[];
  noteStored(writer: Writer, sequence: number): void;
  /** Goes on under another name, with what the store has not had yet: somebody else writes under the present one. */
  moveOn(make: (head: Head, unstored: readonly string[]) => readonly JournalLine[]): void;
  /** Something is about to be done: where nothing more is heard of it, nobody knows how it ended. */
  begin(text: string, at: Date): number;
  forget(pending: number): void;
  pending(before: Date): readonly Pending[];
  /** Removes lines that were written before, if the store has had them. */
  trim(before: Date): void;
  close(): void;
}

export class JournalUnavailable extends Error {
  readonly code = "journal-unavailable";
  constructor(folder: string, cause: unknown) {
    super(`the journal of the audit trail in ${folder} cannot be used: ${messageOf(cause)}`, { cause });
    this.name = "JournalUnavailable";
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "unknown";
}

/** Another program of this machine writes for some milliseconds; a disk may be slow. */
const BUSY_TIMEOUT_MS = 5_000;
/** A gate waits with the whole process, so not longer than a request may; it tries again. */
export const GATE_BUSY_TIMEOUT_MS = 150;

const schema = `
-- Milliseconds since 1970.
CREATE TABLE IF NOT EXISTS line (
  writer TEXT NOT NULL, sequence INTEGER NOT NULL, seal TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (writer, sequence)
) WITHOUT ROWID, STRICT;

CREATE TABLE IF NOT EXISTS writer (
  writer TEXT NOT NULL PRIMARY KEY, stored INTEGER NOT NULL DEFAULT 0,
  trimmed INTEGER NOT NULL DEFAULT 0, trimmed_seal TEXT NOT NULL,
  is_current INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE IF NOT EXISTS pending (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, text TEXT NOT NULL
) STRICT;
`;

type Row = Record<string, SQLOutputValue>;

/** @param folder made where it is missing; undefined: a journal that ends with the program, for one that has no disk. */
export function openJournal(folder: string | undefined, busyTimeoutMs = BUSY_TIMEOUT_MS): Journal {
  const name = folder ?? "memory";
  const database = attempt(name, () => open(folder, busyTimeoutMs));
  const all = (sql: string, ...values: SQLInputValue[]): Row[] => database.prepare(sql).all(...values);
  const run = (sql: string, ...values: SQLInputValue[]): void => void database.prepare(sql).run(...values);

  function transaction<T>(work: () => T): T {
    return attempt(name, () => {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  function currentWriter(): Writer {
    const [row] = all("SELECT writer FROM writer WHERE is_current = 1");
    if (row !== undefined) return String(row["writer"]);
    const made = randomBytes(8).toString("hex");
    run("INSERT INTO writer (writer, trimmed_seal, is_current) VALUES (?, ?, 1)", made, beginning(made).seal);
    return made;
  }

  function headOf(writer: Writer): Head {
    const [row] = all("SELECT sequence, seal FROM line WHERE writer = ? ORDER BY sequence DESC LIMIT 1", writer);
    return row === undefined
      ? trimmedOf(writer)
      : { writer, sequence: Number(row["sequence"]), seal: String(row["seal"]) };
  }

  function trimmedOf(writer: Writer): Head {
    const [row] = all("SELECT trimmed, trimmed_seal FROM writer WHERE writer = ?", writer);
    return row === undefined
      ? beginning(writer)
      : { writer, sequence: Number(row["trimmed"]), seal: String(row["trimmed_seal"]) };
  }

  function insert({ writer, sequence, seal, text }: JournalLine): void {
    run("INSERT INTO line VALUES (?, ?, ?, ?, ?)", writer, sequence, seal, Date.now(), text);
  }

  function writerOf(row: Row): JournalWriter {
    const writer = String(row["writer"]);
    const trimmed = trimmedOf(writer);
    return {
      first: trimmed.sequence + 1,
      head: headOf(writer),
      stored: Number(row["stored"]),
      trimmed,
      isCurrent: row["is_current"] === 1,
    };
  }

  return {
    folder: name,
    isDurable: folder !== undefined,
    append: (make, pending) =>
      transaction(() => {
        for (const line of make(headOf(currentWriter()))) insert(line);
        if (pending !== undefined) run("DELETE FROM pending WHERE id = ?", pending);
      }),
    settle: (pending, make) =>
      transaction(() => {
        if (database.prepare("DELETE FROM pending WHERE id = ?").run(pending).changes === 0) return;
        for (const line of make(headOf(currentWriter()))) insert(line);
      }),
    writers: () =>
      attempt(name, () => all("SELECT writer, stored, is_current FROM writer ORDER BY writer").map(writerOf)),
    lines: (writer, from, limit) =>
      attempt(name, () =>
        all(
          "SELECT sequence, seal, text FROM line WHERE writer = ? AND sequence >= ? ORDER BY sequence LIMIT ?",
          writer,
          from,
          limit,
        ).map((row) => ({
          writer,
          sequence: Number(row["sequence"]),
          seal: String(row["seal"]),
          text: String(row["text"]),
        })),
      ),
    noteStored: (writer, sequence) =>
      transaction(() => run("UPDATE writer SET stored = max(stored, ?) WHERE writer = ?", sequence, writer)),
    moveOn: (make) =>
      transaction(() => {
        const left = currentWriter();
        const [{ stored } = { stored: 0 }] = all("SELECT stored FROM writer WHERE writer = ?", left);
        const unstored = all("SELECT text FROM line WHERE writer = ? AND sequence > ? ORDER BY sequence", left, stored);
        run("DELETE FROM line WHERE writer = ? AND sequence > ?", left, stored);
        run("UPDATE writer SET is_current = 0");
        const texts = unstored.map((row) => String(row["text"]));
        for (const line of make(headOf(currentWriter()), texts)) insert(line);
      }),
    begin: (text, at) =>
      transaction(() =>
        Number(
          database.prepare("INSERT INTO pending (at, text) VALUES (?, ?)").run(at.getTime(), text).lastInsertRowid,
        ),
      ),
    forget: (pending) => transaction(() => run("DELETE FROM pending WHERE id = ?", pending)),
    pending: (before) =>
      attempt(name, () =>
        all("SELECT id, at, text FROM pending WHERE at < ? ORDER BY id", before.getTime()).map((row) => ({
          id: Number(row["id"]),
          beganAt: new Date(Number(row["at"])),
          text: String(row["text"]),
        })),
      ),
    trim: (before) =>
      transaction(() => {
        for (const { head, stored } of all("SELECT writer, stored, is_current FROM writer").map(writerOf)) {
          const { writer } = head;
          // Not what the store lacks, and not what is newer than the first line that must stay.
          const [row] = all(
            `SELECT sequence, seal FROM line WHERE writer = ?1 AND sequence <= ?2 AND sequence <
               coalesce((SELECT min(sequence) FROM line WHERE writer = ?1 AND at >= ?3), 9007199254740991)
             ORDER BY sequence DESC LIMIT 1`,
            writer,
            stored,
            before.getTime(),
          );
          if (row === undefined) continue;
          const sequence = Number(row["sequence"]);
          run(
            "UPDATE writer SET trimmed = ?, trimmed_seal = ? WHERE writer = ?",
            sequence,
            String(row["seal"]),
            writer,
          );
          run("DELETE FROM line WHERE writer = ? AND sequence <= ?", writer, sequence);
        }
      }),
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

function open(folder: string | undefined, busyTimeoutMs: number): DatabaseSync {
  const file = folder === undefined ? ":memory:" : path.join(folder, "journal.db");
  if (folder !== undefined) {
    // Names of people and of what they did: nobody else's to read. SQLite gives its side files the same mode.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    closeSync(openSync(file, "a", 0o600));
  }
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: false });
  try {
    // FULL: what was committed is on the disk. Several programs may open it at once for the first time.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT; PRAGMA busy_timeout = ${busyTimeoutMs};`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function attempt<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new JournalUnavailable(folder, cause);
  }
}
