/** Where a file keeps what passes the gate. Made at every opening, so that a file of an earlier Postern has it too. */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Backend } from "./backend.ts";
import { PREVIEW_TTL_SECONDS, TALLY_TTL_SECONDS } from "./traffic.ts";

export const trafficSchema = `
CREATE TABLE IF NOT EXISTS seen (
  member TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);

-- Seconds since 1970, after which the count is forgotten.
CREATE TABLE IF NOT EXISTS tally (
  name TEXT NOT NULL PRIMARY KEY, subjects INTEGER NOT NULL, decisions INTEGER NOT NULL, expires INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS tally_subject (
  name TEXT NOT NULL, subject TEXT NOT NULL,
  PRIMARY KEY (name, subject)
) WITHOUT ROWID, STRICT;

CREATE TABLE IF NOT EXISTS preview (
  campaign TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL, expires INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
`;

export const trafficStatements = {
  noteSeen: `INSERT INTO seen (member, at) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET at = max(at, excluded.at)`,
  forgetSeen: "DELETE FROM seen WHERE at < ?",
  countSeen: "SELECT count(*) AS number FROM seen",
  forgetOldestSeen: "DELETE FROM seen WHERE member IN (SELECT member FROM seen ORDER BY at LIMIT ?)",
  nextSeen: "SELECT member, at FROM seen WHERE member > ? ORDER BY member LIMIT ?",
  addSubject: "INSERT INTO tally_subject (name, subject) VALUES (?, ?) ON CONFLICT DO NOTHING",
  readTally: "SELECT subjects, decisions FROM tally WHERE name = ? AND expires > ?",
  setTally: `INSERT INTO tally (name, subjects, decisions, expires) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET subjects = subjects + excluded.subjects, decisions = decisions + excluded.decisions,
    expires = excluded.expires`,
  expiredTallies: "SELECT name FROM tally WHERE expires <= ?",
  forgetTally: "DELETE FROM tally WHERE name = ?",
  forgetSubjects: "DELETE FROM tally_subject WHERE name = ?",
  setPreview: `INSERT INTO preview (campaign, text, expires) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET text = excluded.text, expires = excluded.expires`,
  readPreview: "SELECT text FROM preview WHERE campaign = ? AND expires > ?",
  forgetPreviews: "DELETE FROM preview WHERE expires <= ?",
} as const;

/** 1 000 000 under one name, as many as are seen: one gate's file is not the place for more. */
const SUBJECTS_LIMIT = 1_000_000;
const SEEN_PAGE = 1_000;

type Row = Record<string, SQLOutputValue>;

/** The database as far as these statements of `embedded-schema.ts` go. */
export interface TableAccess<Name extends string> {
  readonly all: (name: Name, ...values: SQLInputValue[]) => Row[];
  /** How many rows were changed. */
  readonly run: (name: Name, ...values: SQLInputValue[]) => number;
  /** @throws StoreUnavailable */
  readonly attempt: <T>(work: () => T) => T;
  /** All of it or nothing. */
  readonly transaction: <T>(work: () => T) => T;
  readonly seconds: () => number;
}

export function embeddedTraffic({
  all,
  run,
  attempt,
  transaction,
  seconds,
}: TableAccess<keyof typeof trafficStatements>): Pick<
  Backend,
  "noteSeen" | "seen" | "addToTallies" | "readTallies" | "keepPreview" | "readPreview"
> {
  async function* seen(sinceMs: number): AsyncGenerator<readonly (readonly [string, number])[]> {
    let last = "";
    for (;;) {
      const page = attempt(() => all("nextSeen", last, SEEN_PAGE)).map(
        (row) => [String(row["member"]), Number(row["at"])] as const,
      );
      const end = page.at(-1);
      if (end === undefined) return;
      [last] = end;
      yield page.filter(([, atMs]) => atMs >= sinceMs);
      await setImmediate();
    }
  }

  function forgetExpiredTallies(): void {
    for (const { name } of all("expiredTallies", seconds())) {
      run("forgetTally", String(name));
      run("forgetSubjects", String(name));
    }
  }

  function tallyOf(name: string): { readonly subjects: number; readonly decisions: number } {
    const [row] = all("readTally", name, seconds());
    return { subjects: Number(row?.["subjects"] ?? 0), decisions: Number(row?.["decisions"] ?? 0) };
  }

  return {
    noteSeen: async (members, cutoffMs, limit) =>
      attempt(() =>
        transaction(() => {
          for (const [member, atMs] of members) run("noteSeen", member, atMs);
          run("forgetSeen", cutoffMs);
          const count = Number(all("countSeen")[0]?.["number"] ?? 0);
          if (count > limit) run("forgetOldestSeen", count - limit);
        }),
      ),
    seen,
    addToTallies: async (additions) =>
      attempt(() =>
        transaction(() => {
          forgetExpiredTallies();
          for (const { name, subjects, decisions } of additions) {
            let room = SUBJECTS_LIMIT - tallyOf(name).subjects;
            let added = 0;
            for (const subject of subjects) {
              if (room <= 0) break;
              const isNew = run("addSubject", name, subject);
              added += isNew;
              room -= isNew;
            }
            run("setTally", name, added, decisions, seconds() + TALLY_TTL_SECONDS);
          }
        }),
      ),
    readTallies: async (names) => attempt(() => names.map(tallyOf)),
    keepPreview: async (campaign, text) =>
      attempt(() =>
        transaction(() => {
          run("forgetPreviews", seconds());
          run("setPreview", campaign, text, seconds() + PREVIEW_TTL_SECONDS);
        }),
      ),
    readPreview: async (campaign) =>
      attempt(() => all("readPreview", campaign, seconds()).map((row) => String(row["text"]))[0]),
  };
}
