/** Where a file keeps the last requests. Made at every opening, so that a file of an earlier Postern has it too. */
import { setImmediate } from "node:timers/promises";
import type { Backend } from "./backend.ts";
import type { TableAccess } from "./embedded-traffic.ts";
import { LAST_REQUEST_TTL_SECONDS } from "./last-requests.ts";

export const lastRequestSchema = `
-- Seconds since 1970, after which the row may go.
CREATE TABLE IF NOT EXISTS last_request (
  id TEXT NOT NULL, is_owners INTEGER NOT NULL, text TEXT NOT NULL, expires INTEGER NOT NULL,
  PRIMARY KEY (id, is_owners)
) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS last_request_expires ON last_request (expires);

CREATE TABLE IF NOT EXISTS stranger (
  account TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL
) WITHOUT ROWID, STRICT;
`;

export const lastRequestStatements = {
  noteLast: `INSERT INTO last_request (id, is_owners, text, expires) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET text = excluded.text, expires = excluded.expires`,
  readLast: "SELECT text FROM last_request WHERE id = ? AND expires > ?",
  removeLast: "DELETE FROM last_request WHERE id = ?",
  expireLast: "DELETE FROM last_request WHERE expires <= ?",
  readStranger: "SELECT text FROM stranger WHERE account = ?",
  setStranger: `INSERT INTO stranger (account, text) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET text = excluded.text`,
  removeStranger: "DELETE FROM stranger WHERE account = ?",
  countStrangers: "SELECT count(*) AS number FROM stranger",
  nextStrangers: "SELECT account, text FROM stranger WHERE account > ? ORDER BY account LIMIT ?",
  firstStranger: "SELECT account, text FROM stranger WHERE account = ''",
} as const;

const STRANGERS_PAGE = 200;

export function embeddedLastRequests({
  all,
  run,
  attempt,
  transaction,
  seconds,
}: TableAccess<keyof typeof lastRequestStatements>): Pick<
  Backend,
  "noteLast" | "readLast" | "readStrangers" | "writeStrangers" | "strangers"
> {
  const textsOf = (rows: ReturnType<typeof all>): string[] => rows.map((row) => String(row["text"]));
  return {
    noteLast: async (requests) =>
      attempt(() =>
        transaction(() => {
          for (const { id, isOwners, text } of requests)
            run("noteLast", id, isOwners ? 1 : 0, text, seconds() + LAST_REQUEST_TTL_SECONDS);
        }),
      ),
    readLast: async (ids) => attempt(() => ids.flatMap((id) => textsOf(all("readLast", id, seconds())))),
    readStrangers: async (accounts) =>
      attempt(() => accounts.map((account) => textsOf(all("readStranger", account))[0])),
    writeStrangers: async (set, remove) =>
      attempt(() =>
        transaction(() => {
          for (const account of remove) run("removeStranger", account);
          for (const [account, text] of set) run("setStranger", account, text);
          return Number(all("countStrangers")[0]?.["number"] ?? 0);
        }),
      ),
    async *strangers(): AsyncGenerator<readonly (readonly [string, string])[]> {
      // The credential that names nobody sorts before everybody.
      let page = attempt(() => all("firstStranger"));
      let last = "";
      do {
        yield page.map((row) => [String(row["account"]), String(row["text"])] as const);
        await setImmediate();
        page = attempt(() => all("nextStrangers", last, STRANGERS_PAGE));
        last = String(page.at(-1)?.["account"] ?? "");
      } while (page.length > 0);
    },
  };
}
