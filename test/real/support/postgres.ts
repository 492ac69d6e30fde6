/** PostgreSQL: where SOGo keeps its users, calendars, contacts and what it remembers of every phone. */
import { glob, mkdir, chown } from "node:fs/promises";
import path from "node:path";
import { accountOf } from "./accounts.ts";
import { people } from "./people.ts";
import type { Scratch } from "./scratch.ts";

export interface Database {
  /** Without a table name: SOGo's settings each append one. */
  readonly url: string;
}

export async function startPostgres(scratch: Scratch): Promise<Database> {
  const port = await scratch.claimPort();
  const programs = await findPrograms();
  // It refuses to run as root.
  const as = accountOf("postgres");
  const directory = `${scratch.directory}/pg`;
  await mkdir(directory, { mode: 0o700 });
  await chown(directory, as.uid, as.gid);
  await scratch.run({
    command: `${programs}/initdb`,
    args: ["-D", directory, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
    as,
    directory,
  });
  // A server that lives for one test has nothing to recover.
  const careless = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "wal_level=minimal",
  ];
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=32MB",
    "max_connections=200",
    "max_wal_senders=0",
    ...careless,
  ];
  await scratch.launch({
    name: "postgres",
    command: `${programs}/postgres`,
    args: ["-D", directory, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
    as,
    directory,
    isReady: () => succeeds(() => askPostgres("postgres", "postgres", "select 1")),
  });
  await askPostgres("postgres", "postgres", "create role sogo login");
  await askPostgres("postgres", "postgres", "create database sogo owner sogo");
  await askPostgres("sogo", "sogo", userTable());
  return { url: `postgresql://sogo@127.0.0.1:${port}/sogo` };

  async function askPostgres(user: string, database: string, sql: string): Promise<void> {
    const connection = ["-h", "127.0.0.1", "-p", String(port), "-U", user, database];
    await scratch.run(
      { command: `${programs}/psql`, args: ["-q", "-X", "-v", "ON_ERROR_STOP=1", ...connection], as, directory },
      sql,
    );
  }
}

/** The table is SOGo's directory of people: who may log in, and who is in the address book. */
function userTable(): string {
  const rows = Object.values(people).map(
    ({ name, password, fullName, address }) => `('${name}', '${name}', '${password}', '${fullName}', '${address}')`,
  );
  return `create table sogo_users (c_uid text primary key, c_name text, c_password text, c_cn text, mail text);
    insert into sogo_users values ${rows.join(", ")};`;
}

/** Debian keeps each major version in a directory of its own, off everybody's PATH. */
async function findPrograms(): Promise<string> {
  for await (const program of glob("/usr/lib/postgresql/*/bin/postgres")) return path.dirname(program);
  throw new Error("no postgres below /usr/lib/postgresql");
}

async function succeeds(attempt: () => Promise<void>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch {
    return false;
  }
}
