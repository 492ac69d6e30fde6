/** Where a file keeps documents. Made at every opening, so that a file of an earlier Postern has them too. */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Backend, Key, Stored, WrittenKey } from "./backend.ts";
import { toldDocuments } from "./documents.ts";
import type { FieldsChange, FieldsKey } from "./documents.ts";
import type { FieldChange } from "./record.ts";

const told = toldDocuments.map((kind) => `'${kind}'`).join(", ");
const tell = (row: string): string =>
  `DELETE FROM change WHERE kind = ${row}.kind AND id = ${row}.name;
   INSERT INTO change (kind, id) VALUES (${row}.kind, ${row}.name);`;

export const documentSchema = `
CREATE TABLE IF NOT EXISTS document (
  kind TEXT NOT NULL, name TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (kind, name, field)
) WITHOUT ROWID, STRICT;

-- Milliseconds since 1970, after which the document counts as gone; no row: it stays.
CREATE TABLE IF NOT EXISTS document_life (
  kind TEXT NOT NULL, name TEXT NOT NULL, expires INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID, STRICT;

CREATE TRIGGER IF NOT EXISTS document_insert AFTER INSERT ON document WHEN NEW.kind IN (${told}) BEGIN ${tell("NEW")} END;
CREATE TRIGGER IF NOT EXISTS document_update AFTER UPDATE ON document WHEN NEW.kind IN (${told}) BEGIN ${tell("NEW")} END;
CREATE TRIGGER IF NOT EXISTS document_delete AFTER DELETE ON document WHEN OLD.kind IN (${told}) BEGIN ${tell("OLD")} END;
`;

export const documentStatements = {
  readDocument: `SELECT field, value FROM document LEFT JOIN document_life USING (kind, name)
    WHERE kind = ? AND name = ? AND (expires IS NULL OR expires > ?)`,
  setDocument: `INSERT INTO document (kind, name, field, value) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value`,
  removeDocumentField: "DELETE FROM document WHERE kind = ? AND name = ? AND field = ?",
  removeDocument: "DELETE FROM document WHERE kind = ? AND name = ?",
  // What outlived its time must not come back to life with the next write.
  removeExpiredDocument: `DELETE FROM document WHERE kind = ?1 AND name = ?2
    AND EXISTS (SELECT 1 FROM document_life WHERE kind = ?1 AND name = ?2 AND expires <= ?3)`,
  setDocumentLife: `INSERT INTO document_life (kind, name, expires) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET expires = excluded.expires`,
  removeDocumentLife: "DELETE FROM document_life WHERE kind = ? AND name = ?",
  nextDocuments: `SELECT DISTINCT name FROM document
    WHERE kind = ?1 AND name > ?2 AND substr(name, 1, length(?3)) = ?3 ORDER BY name LIMIT ?4`,
  expiredDocuments: "SELECT kind, name FROM document_life WHERE expires <= ? LIMIT ?",
  // A record as a whole; its fields go with it.
  removeRecord: "DELETE FROM device WHERE id = ?",
} as const;

const PAGE_SIZE = 200;

type Row = Record<string, SQLOutputValue>;

export interface DocumentDatabase {
  readonly all: (name: keyof typeof documentStatements, ...values: SQLInputValue[]) => Row[];
  /** How many rows were changed. */
  readonly run: (name: keyof typeof documentStatements, ...values: SQLInputValue[]) => number;
  /** @throws StoreUnavailable */
  readonly attempt: <T>(work: () => T) => T;
  /** All of it or nothing. */
  readonly transaction: <T>(work: () => T) => T;
  readonly readOne: (key: Key) => Stored;
  readonly writeOne: (key: WrittenKey, change: FieldChange) => void;
  readonly nowMs: () => number;
}

export interface EmbeddedDocuments extends Pick<Backend, "readDocuments" | "documents" | "transact"> {
  /** Removes at most so many that have outlived their time. */
  readonly purgeDocuments: (limit: number) => void;
}

export function embeddedDocuments(database: DocumentDatabase): EmbeddedDocuments {
  const { all, run, attempt, transaction, readOne, writeOne, nowMs } = database;

  function read(key: FieldsKey): Stored {
    if ("id" in key) return readOne(key);
    const entries = all("readDocument", key.kind, key.name, nowMs()).map(
      (row) => [String(row["field"]), String(row["value"])] as const,
    );
    return entries.length === 0 ? { kind: "absent" } : { kind: "fields", fields: new Map(entries) };
  }

  function write({ key, set = new Map(), remove = [], ttlMs }: FieldsChange): void {
    if ("id" in key) {
      if (remove === "everything" && key.kind === "device") run("removeRecord", key.id);
      const isAliasRemoved = key.kind === "alias" && remove.length > 0 && set.size === 0;
      if (set.size > 0 || isAliasRemoved || (remove !== "everything" && remove.length > 0))
        writeOne(key, { set, remove: remove === "everything" ? [] : remove });
      return;
    }
    run("removeExpiredDocument", key.kind, key.name, nowMs());
    if (remove === "everything") run("removeDocument", key.kind, key.name);
    else for (const field of remove) run("removeDocumentField", key.kind, key.name, field);
    for (const [field, value] of set) run("setDocument", key.kind, key.name, field, value);
    if (ttlMs === undefined) run("removeDocumentLife", key.kind, key.name);
    else run("setDocumentLife", key.kind, key.name, nowMs() + ttlMs);
  }

  async function* documents(
    kind: Parameters<Backend["documents"]>[0],
    beginning: string,
  ): AsyncGenerator<readonly (readonly [string, Stored])[]> {
    let last = "";
    for (;;) {
      const page = attempt(() =>
        all("nextDocuments", kind, last, beginning, PAGE_SIZE).map((row) => {
          const name = String(row["name"]);
          return [name, read({ kind, name })] as const;
        }),
      );
      const end = page.at(-1);
      if (end === undefined) return;
      [last] = end;
      yield page;
      await setImmediate();
    }
  }

  return {
    readDocuments: async (keys) => attempt(() => keys.map(read)),
    documents,
    transact: async (keys, decide) => {
      // What `decide` throws is no fault of the file, and goes on as it is.
      const refusals: unknown[] = [];
      try {
        return attempt(() =>
          transaction(() => {
            const stored = keys.map(read);
            const act = noting(refusals, () => decide(stored));
            for (const change of act.changes) write(change);
            return act.result;
          }),
        );
      } catch (error) {
        throw refusals.length > 0 ? refusals[0] : error;
      }
    },
    purgeDocuments(limit): void {
      for (const row of all("expiredDocuments", nowMs(), limit)) {
        run("removeDocument", String(row["kind"]), String(row["name"]));
        run("removeDocumentLife", String(row["kind"]), String(row["name"]));
      }
    },
  };
}

function noting<T>(errors: unknown[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    errors.push(error);
    throw error;
  }
}
