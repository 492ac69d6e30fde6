/**
 * How the store lies in one SQLite file. Each field is a row, so that two programs that change different fields do not
 * undo each other. Triggers write down what changed, whoever changed it, and a file that grows with the number of devices
 * rather than of changes.
 */

import { auditSchema, auditStatements } from "./embedded-audit.ts";
import { documentSchema, documentStatements } from "./embedded-documents.ts";
import { firstSeenSchema, firstSeenStatements } from "./embedded-first-seen.ts";
import { lastRequestSchema, lastRequestStatements } from "./embedded-last-requests.ts";
import { trafficSchema, trafficStatements } from "./embedded-traffic.ts";

/** Written into the file; a file of a newer Postern is refused rather than half understood. */
export const SCHEMA_VERSION = 2;

const tables = `
CREATE TABLE device (
  id TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (id, field)
) WITHOUT ROWID, STRICT;

CREATE TABLE alias (
  id TEXT NOT NULL PRIMARY KEY, target TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE mailbox (
  id TEXT NOT NULL, account TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (id, account, field)
) WITHOUT ROWID, STRICT;

-- Seconds since 1970, after which the mailbox state counts as gone.
CREATE TABLE mailbox_life (
  id TEXT NOT NULL, account TEXT NOT NULL, expires INTEGER NOT NULL,
  PRIMARY KEY (id, account)
) WITHOUT ROWID, STRICT;
CREATE INDEX mailbox_life_expires ON mailbox_life (expires);

-- The newest change of each id; its number is new each time.
CREATE TABLE change (
  number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
  UNIQUE (kind, id)
) STRICT;
`;

/** Since version 2. Files of version 1 may have them already: programs on the way to version 2 made them without saying so. */
const campaignTables = `
CREATE TABLE IF NOT EXISTS policy (
  version INTEGER PRIMARY KEY, text TEXT NOT NULL
) STRICT;

-- Lines of books, each of which is written once or noted anew. Seconds since 1970, after which a line may go.
CREATE TABLE IF NOT EXISTS book (
  book TEXT NOT NULL, line TEXT NOT NULL, text TEXT NOT NULL, expires INTEGER NOT NULL,
  PRIMARY KEY (book, line)
) WITHOUT ROWID, STRICT;

-- Milliseconds since 1970.
CREATE TABLE IF NOT EXISTS lease (
  name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TRIGGER IF NOT EXISTS policy_insert AFTER INSERT ON policy BEGIN
  DELETE FROM change WHERE kind = 'policy';
  INSERT INTO change (kind, id) VALUES ('policy', '');
END;
`;

// Not INSERT OR REPLACE: inside a trigger the conflict clause of the statement that fired it would be used instead.
function triggersOf(kind: string): string {
  const record = (row: string): string =>
    `DELETE FROM change WHERE kind = '${kind}' AND id = ${row}.id;
     INSERT INTO change (kind, id) VALUES ('${kind}', ${row}.id);`;
  return `
CREATE TRIGGER ${kind}_insert AFTER INSERT ON ${kind} BEGIN ${record("NEW")} END;
CREATE TRIGGER ${kind}_update AFTER UPDATE ON ${kind} BEGIN ${record("OLD")} ${record("NEW")} END;
CREATE TRIGGER ${kind}_delete AFTER DELETE ON ${kind} BEGIN ${record("OLD")} END;
`;
}

export const schema = [
  tables,
  ...["device", "alias", "mailbox"].map(triggersOf),
  campaignTables,
  `PRAGMA user_version = ${SCHEMA_VERSION};`,
].join("\n");

/** Made at every opening: nothing in them is missed where a file has none yet. */
export const laterTables = [firstSeenSchema, lastRequestSchema, trafficSchema, documentSchema, auditSchema].join("\n");

export const migrationFrom1 = `${campaignTables} PRAGMA user_version = ${SCHEMA_VERSION};`;

export const statements = {
  ...firstSeenStatements,
  ...lastRequestStatements,
  ...trafficStatements,
  ...documentStatements,
  ...auditStatements,
  readDevice: "SELECT field, value FROM device WHERE id = ?",
  readAlias: "SELECT target FROM alias WHERE id = ?",
  readMailbox: `SELECT field, value FROM mailbox JOIN mailbox_life USING (id, account)
    WHERE id = ? AND account = ? AND expires > ?`,
  setDevice: "INSERT INTO device (id, field, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  removeDeviceField: "DELETE FROM device WHERE id = ? AND field = ?",
  setAlias: "INSERT INTO alias (id, target) VALUES (?, ?) ON CONFLICT DO UPDATE SET target = excluded.target",
  removeAlias: "DELETE FROM alias WHERE id = ?",
  setMailbox: `INSERT INTO mailbox (id, account, field, value) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = excluded.value`,
  removeMailboxField: "DELETE FROM mailbox WHERE id = ? AND account = ? AND field = ?",
  // What outlived its time must not come back to life with the next write.
  removeExpiredFields: `DELETE FROM mailbox WHERE id = ?1 AND account = ?2
    AND NOT EXISTS (SELECT 1 FROM mailbox_life WHERE id = ?1 AND account = ?2 AND expires > ?3)`,
  setLife: `INSERT INTO mailbox_life (id, account, expires) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET expires = excluded.expires`,
  removeDevice: "DELETE FROM device WHERE id = ?",
  removeMailboxes: "DELETE FROM mailbox WHERE id = ?",
  removeLives: "DELETE FROM mailbox_life WHERE id = ?",
  expired: "SELECT id, account FROM mailbox_life WHERE expires <= ? LIMIT ?",
  expireMailbox: "DELETE FROM mailbox WHERE id = ? AND account = ?",
  expireLife: "DELETE FROM mailbox_life WHERE id = ? AND account = ?",
  nextIds: "SELECT DISTINCT id FROM device WHERE id > ? ORDER BY id LIMIT ?",
  readDevices: "SELECT id, field, value FROM device WHERE id > ? AND id <= ? ORDER BY id",
  firstId: "SELECT min(id) AS id FROM device",
  lastId: "SELECT max(id) AS id FROM device",
  lastChange: "SELECT coalesce(max(number), 0) AS number FROM change",
  changesSince: "SELECT number, kind, id FROM change WHERE number > ? ORDER BY number LIMIT ?",
  readPolicy: "SELECT version, text FROM policy ORDER BY version DESC LIMIT ?",
  readPolicyVersion: "SELECT version, text FROM policy WHERE version = ?",
  addPolicy: "INSERT INTO policy (version, text) VALUES (?, ?) ON CONFLICT DO NOTHING",
  dropPolicies: "DELETE FROM policy WHERE version <= ?",
  claimLine: "INSERT INTO book (book, line, text, expires) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  noteLine: `INSERT INTO book (book, line, text, expires) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET text = excluded.text, expires = excluded.expires`,
  readLine: "SELECT text FROM book WHERE book = ? AND line = ?",
  nextLines: "SELECT line, text FROM book WHERE book = ? AND line > ? ORDER BY line LIMIT ?",
  expireLines: "DELETE FROM book WHERE expires <= ?",
  holdLease: `INSERT INTO lease (name, holder, until) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE holder = excluded.holder OR until <= ?4`,
  dataVersion: "PRAGMA data_version",
} as const;
