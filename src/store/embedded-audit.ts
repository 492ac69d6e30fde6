/** Where a file keeps the audit trail. Made at every opening, so that a file of an earlier Postern has it too. */
import type { AuditRow, AuditStore } from "./audit-log.ts";
import type { TableAccess } from "./embedded-traffic.ts";

export const auditSchema = `
-- Milliseconds since 1970. AUTOINCREMENT: the number of a row that was removed does not come again.
CREATE TABLE IF NOT EXISTS audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, line TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS audit_mark (
  name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL
) WITHOUT ROWID, STRICT;
`;

export const auditStatements = {
  addAudit: "INSERT INTO audit (at, line) VALUES (?, ?)",
  readAuditMark: "SELECT value FROM audit_mark WHERE name = ?",
  readAuditMarks: "SELECT name, value FROM audit_mark",
  setAuditMark: `INSERT INTO audit_mark (name, value) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value`,
  removeAuditMark: "DELETE FROM audit_mark WHERE name = ?",
  auditAfter: "SELECT number, at, line FROM audit WHERE number > ? ORDER BY number LIMIT ?",
  auditBefore: "SELECT number, at, line FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?",
  trimAudit: "DELETE FROM audit WHERE number <= ?",
} as const;

export function embeddedAudit({
  all,
  run,
  attempt,
  transaction,
  nowMs,
}: Omit<TableAccess<keyof typeof auditStatements>, "seconds"> & { readonly nowMs: () => number }): AuditStore {
  const rowsOf = (found: ReturnType<typeof all>): readonly AuditRow[] =>
    found.map((row) => ({
      place: String(row["number"]),
      storedAtMs: Number(row["at"]),
      line: typeof row["line"] === "string" ? row["line"] : undefined,
    }));

  return {
    appendAudit: async ({ mark, before, after, also = new Map<string, string>(), lines }) =>
      attempt(() =>
        transaction(() => {
          const [present] = all("readAuditMark", mark);
          if ((present === undefined ? undefined : String(present["value"])) !== before) return false;
          for (const line of lines) run("addAudit", nowMs(), line);
          for (const [name, value] of [[mark, after] as const, ...also]) run("setAuditMark", name, value);
          return true;
        }),
      ),
    auditMarks: async () =>
      attempt(() => new Map(all("readAuditMarks").map((row) => [String(row["name"]), String(row["value"])]))),
    auditAfter: async (place, limit) => attempt(() => rowsOf(all("auditAfter", Number(place ?? 0), limit))),
    auditBefore: async (place, limit) =>
      attempt(() => rowsOf(all("auditBefore", Number(place ?? Number.MAX_SAFE_INTEGER), limit))),
    trimAudit: async (place, { set, remove }) =>
      attempt(() =>
        transaction(() => {
          for (const name of remove) run("removeAuditMark", name);
          for (const [name, value] of set) run("setAuditMark", name, value);
          run("trimAudit", Number(place));
        }),
      ),
  };
}
