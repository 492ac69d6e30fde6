/** Where a file keeps who was seen first when. Made at every opening, so that a file of an earlier Postern has it too. */
import type { Backend } from "./backend.ts";
import type { TableAccess } from "./embedded-traffic.ts";
import { FIRST_SEEN_RENEWED_SECONDS, FIRST_SEEN_TTL_SECONDS } from "./first-seen.ts";

export const firstSeenSchema = `
-- Milliseconds since 1970, and seconds after which the row may go. The row without an id says since when it is noted.
CREATE TABLE IF NOT EXISTS first_seen (
  id TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL, expires INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS first_seen_expires ON first_seen (expires);

CREATE TRIGGER IF NOT EXISTS first_seen_insert AFTER INSERT ON first_seen BEGIN
  DELETE FROM change WHERE kind = 'first-seen' AND id = NEW.id;
  INSERT INTO change (kind, id) VALUES ('first-seen', NEW.id);
END;
`;

export const firstSeenStatements = {
  readFirstSeen: "SELECT at, expires FROM first_seen WHERE id = ? AND expires > ?",
  firstSeenBetween: "SELECT id, at FROM first_seen WHERE id > ? AND id <= ? AND expires > ?",
  noteFirstSeen: `INSERT INTO first_seen (id, at, expires) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET at = excluded.at, expires = excluded.expires WHERE expires <= ?4`,
  renewFirstSeen: "UPDATE first_seen SET expires = ? WHERE id = ?",
  expireFirstSeen: "DELETE FROM first_seen WHERE expires <= ?",
} as const;

/** The year 5138: the row that says since when does not expire. */
const NEVER_SECONDS = 100_000_000_000;

export function embeddedFirstSeen({
  all,
  run,
  attempt,
  transaction,
  seconds,
}: TableAccess<keyof typeof firstSeenStatements>): Pick<
  Backend,
  "noteFirstSeen" | "firstSeenSince" | "beginFirstSeen"
> {
  return {
    noteFirstSeen: async (ids, atMs) =>
      attempt(() => {
        const renewFrom = seconds() + FIRST_SEEN_TTL_SECONDS - FIRST_SEEN_RENEWED_SECONDS;
        // Most are noted already, and reading needs no lock.
        const due = ids.filter((id) =>
          all("readFirstSeen", id, seconds()).every((row) => Number(row["expires"]) < renewFrom),
        );
        if (due.length === 0) return;
        const expires = seconds() + FIRST_SEEN_TTL_SECONDS;
        transaction(() => {
          for (const id of due)
            if (run("noteFirstSeen", id, atMs, expires, seconds()) === 0) run("renewFirstSeen", expires, id);
        });
      }),
    firstSeenSince: async () => attempt(() => all("readFirstSeen", "", 0).map((row) => Number(row["at"]))[0]),
    beginFirstSeen: async (atMs) => {
      attempt(() => run("noteFirstSeen", "", atMs, NEVER_SECONDS, 0));
    },
  };
}
