/**
 * One SQLite file as a backend, for an installation of one gate and no server. The only file that knows `node:sqlite`.
 * Calls are synchronous and take some 20 µs; what other programs write is found by asking for the file's version.
 */
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import { ONLY_VALUE, BOOK_TTL_SECONDS } from "./backend.ts";
import type {
  Backend,
  BackendEvents,
  Key,
  OpenBackend,
  DevicePage,
  ScannedDevice,
  ScannedPage,
  Stored,
  StoredPolicy,
  WrittenKey,
} from "./backend.ts";
import { toldDocuments } from "./documents.ts";
import { embeddedAudit } from "./embedded-audit.ts";
import { embeddedDocuments } from "./embedded-documents.ts";
import { embeddedFirstSeen } from "./embedded-first-seen.ts";
import { embeddedLastRequests } from "./embedded-last-requests.ts";
import { laterTables, migrationFrom1, schema, SCHEMA_VERSION, statements } from "./embedded-schema.ts";
import { embeddedTraffic } from "./embedded-traffic.ts";
import { MAILBOX_TTL_SECONDS } from "./mailbox-state.ts";
import type { FieldChange } from "./record.ts";
import { StoreUnavailable, StoreUnusable } from "./store.ts";
import type { StoreHealth } from "./store.ts";

export interface EmbeddedStoreOptions {
  /** The file, made with its folder where it is missing; `:memory:` for a store that ends with the program. */
  readonly path: string;
}

/** Another program's change is known after this at the latest; asking costs 2 µs. */
const POLL_INTERVAL_MS = 200;
/** While another program commits we wait with the whole process, so not longer than a request may. */
const BUSY_TIMEOUT_MS = 150;
/** At the start nobody waits but the operator, and another program may be making the same file. */
const START_BUSY_TIMEOUT_MS = 5_000;
/** With more changes than this at once it is cheaper to forget everything. */
const CHANGES_LIMIT = 10_000;
const PAGE_SIZE = 200;
const PURGE_INTERVAL_MS = 3_600_000;
/** Some milliseconds of work; the rest has an hour more. */
const PURGE_LIMIT = 500;

type Row = Record<string, SQLOutputValue>;

export function embeddedBackend(options: EmbeddedStoreOptions, now: () => Date): OpenBackend {
  return function open(events: BackendEvents): Backend {
    const database = openDatabase(options.path);
    const prepared = new Map<string, StatementSync>();
    let health: StoreHealth = { state: "live", since: now(), detail: "" };
    let version = 0;
    let lastChange = 0;
    let purgeAt = 0;

    function statement(name: keyof typeof statements): StatementSync {
      const known = prepared.get(name);
      if (known !== undefined) return known;
      const made = database.prepare(statements[name]);
      prepared.set(name, made);
      return made;
    }

    const all = (name: keyof typeof statements, ...values: SQLInputValue[]): Row[] => statement(name).all(...values);
    const run = (name: keyof typeof statements, ...values: SQLInputValue[]): number =>
      Number(statement(name).run(...values).changes);
    const seconds = (): number => Math.floor(now().getTime() / 1000);

    function readOne(key: Key): Stored {
      switch (key.kind) {
        case "device":
          return toStored(all("readDevice", key.id).map((row) => [textOf(row["field"]), textOf(row["value"])]));
        case "alias":
          return toStored(all("readAlias", key.id).map((row) => [ONLY_VALUE, textOf(row["target"])]));
        case "first-seen":
          return toStored(all("readFirstSeen", key.id, seconds()).map((row) => [ONLY_VALUE, String(row["at"])]));
        case "mailbox":
          return toStored(
            all("readMailbox", key.id, key.account, seconds()).map((row) => [
              textOf(row["field"]),
              textOf(row["value"]),
            ]),
          );
      }
    }

    function writeOne(key: WrittenKey, { set, remove }: FieldChange): void {
      switch (key.kind) {
        case "device":
          for (const field of remove) run("removeDeviceField", key.id, field);
          for (const [field, value] of set) run("setDevice", key.id, field, value);
          return;
        case "alias": {
          const target = set.get(ONLY_VALUE);
          if (target === undefined) run("removeAlias", key.id);
          else run("setAlias", key.id, target);
          return;
        }
        case "mailbox":
          run("removeExpiredFields", key.id, key.account, seconds());
          for (const field of remove) run("removeMailboxField", key.id, key.account, field);
          for (const [field, value] of set) run("setMailbox", key.id, key.account, field, value);
          run("setLife", key.id, key.account, seconds() + MAILBOX_TTL_SECONDS);
      }
    }

    function removeAll(id: DeviceId, aliases: readonly DeviceId[]): boolean {
      run("removeMailboxes", id);
      run("removeLives", id);
      run("removeLast", id);
      for (const alias of aliases) run("removeAlias", alias);
      return run("removeDevice", id) > 0;
    }

    /** All of it or nothing; begun as a writer, because a reader that turns writer cannot wait for another. */
    function transaction<T>(work: () => T): T {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    }

    const { purgeDocuments, ...documents } = embeddedDocuments({
      all,
      run,
      attempt,
      transaction,
      readOne,
      writeOne,
      nowMs: () => now().getTime(),
    });

    async function* scan(withFields: boolean): AsyncGenerator<ScannedPage> {
      const first = attempt(() => textOf(all("firstId")[0]?.["id"]));
      const final = attempt(() => textOf(all("lastId")[0]?.["id"]));
      let last = "";
      for (;;) {
        const names = attempt(() => all("nextIds", last, PAGE_SIZE)).map((row) => textOf(row["id"]));
        const end = names.at(-1);
        if (end === undefined) return;
        const devices = withFields
          ? devicesBetween(names, last, end)
          : names.flatMap((name): ScannedDevice[] => {
              const id = toDeviceId(name);
              return id === undefined || id !== name ? [] : [{ id, stored: toStored([]), firstSeen: toStored([]) }];
            });
        yield { devices, share: shareOfIds(first, final, end) };
        last = end;
        // Phones are served between two pages.
        await setImmediate();
      }
    }

    async function devicePage(place = "", count: number): Promise<DevicePage> {
      const names = attempt(() => all("nextIds", place, count)).map((row) => textOf(row["id"]));
      const end = names.at(-1);
      if (end === undefined) return { devices: [], next: undefined };
      return { devices: devicesBetween(names, place, end), next: names.length < count ? undefined : end };
    }

    function devicesBetween(names: readonly string[], after: string, end: string): readonly ScannedDevice[] {
      const fields = attempt(() => fieldsBetween(after, end));
      const firstSeen = attempt(() => firstSeenBetween(after, end));
      return names.flatMap((name): ScannedDevice[] => {
        const id = toDeviceId(name);
        // A row in another spelling is nobody's device.
        return id === undefined || id !== name
          ? []
          : [
              {
                id,
                stored: toStored([...(fields.get(name) ?? [])]),
                firstSeen: toStored([...(firstSeen.get(name) ?? [])]),
              },
            ];
      });
    }

    function fieldsBetween(after: string, end: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
      const byId = new Map<string, Map<string, string>>();
      for (const row of all("readDevices", after, end)) {
        const id = textOf(row["id"]);
        const fields = byId.get(id) ?? new Map<string, string>();
        fields.set(textOf(row["field"]), textOf(row["value"]));
        byId.set(id, fields);
      }
      return byId;
    }

    function firstSeenBetween(after: string, end: string): ReadonlyMap<string, readonly (readonly [string, string])[]> {
      return new Map(
        all("firstSeenBetween", after, end, seconds()).map((row) => [
          textOf(row["id"]),
          [[ONLY_VALUE, String(row["at"])]],
        ]),
      );
    }

    async function* lines(book: string): AsyncGenerator<readonly (readonly [string, string])[]> {
      let last = "";
      for (;;) {
        const page = attempt(() => all("nextLines", book, last, PAGE_SIZE)).map(
          (row) => [textOf(row["line"]), textOf(row["text"])] as const,
        );
        const end = page.at(-1);
        if (end === undefined) return;
        [last] = end;
        yield page;
        await setImmediate();
      }
    }

    /** The version of the file changes with every commit of another connection, and with none of ours. */
    function poll(): void {
      try {
        const current = numberOf(statement("dataVersion").get()?.["data_version"]);
        if (current !== version) tellChanges();
        version = current;
        if (performance.now() >= purgeAt) purge();
        settle("live", "");
      } catch (error) {
        settle("down", error instanceof Error ? error.message : "the file cannot be read");
      }
    }

    function tellChanges(): void {
      const rows = all("changesSince", lastChange, CHANGES_LIMIT + 1);
      lastChange = numberOf(statement("lastChange").get()?.["number"]);
      if (rows.length > CHANGES_LIMIT) return events.everythingChanged();
      for (const row of rows) {
        if (row["kind"] === "policy") events.policyChanged();
        const told = toldDocuments.find((each) => each === row["kind"]);
        if (told !== undefined) events.documentChanged(told, textOf(row["id"]));
        const id = toDeviceId(textOf(row["id"]));
        const kind = kinds.find((each) => each === row["kind"]);
        if (id !== undefined && kind !== undefined) events.changed(kind, id);
      }
    }

    function purge(): void {
      purgeAt = performance.now() + PURGE_INTERVAL_MS;
      run("expireLines", seconds());
      run("expireFirstSeen", seconds());
      run("expireLast", seconds());
      transaction(() => purgeDocuments(PURGE_LIMIT));
      const expired = all("expired", seconds(), PURGE_LIMIT);
      if (expired.length === 0) return;
      transaction(() => {
        for (const row of expired) {
          run("expireMailbox", textOf(row["id"]), textOf(row["account"]));
          run("expireLife", textOf(row["id"]), textOf(row["account"]));
        }
      });
    }

    function settle(state: StoreHealth["state"], detail: string): void {
      if (health.state === state) return;
      health = { state, detail, since: now() };
      if (state === "live") events.everythingChanged();
      events.health(health);
    }

    version = numberOf(statement("dataVersion").get()?.["data_version"]);
    lastChange = numberOf(statement("lastChange").get()?.["number"]);
    const timer = setInterval(poll, POLL_INTERVAL_MS).unref();
    events.health(health);

    return {
      read: async (keys) => attempt(() => keys.map(readOne)),
      write: async (key, change) => attempt(() => transaction(() => writeOne(key, change))),
      remove: async (id, aliases) => attempt(() => transaction(() => removeAll(id, aliases))),
      scan,
      devicePage,
      readDevices: async (ids, withFirstSeen) =>
        attempt(() =>
          ids.flatMap((id): ScannedDevice[] => {
            const stored = readOne({ kind: "device", id });
            return stored.kind === "absent"
              ? []
              : [{ id, stored, firstSeen: withFirstSeen ? readOne({ kind: "first-seen", id }) : { kind: "absent" } }];
          }),
        ),
      readPolicy: async () => attempt(() => all("readPolicy", 1).map(toPolicy)[0]),
      readPolicyVersion: async (wanted) => attempt(() => all("readPolicyVersion", wanted).map(toPolicy)[0]),
      addPolicy: async (added, text, keep) =>
        attempt(() =>
          transaction(() => {
            if (run("addPolicy", added, text) === 0)
              return all("readPolicyVersion", added).every((row) => row["text"] === text);
            run("dropPolicies", added - keep);
            return true;
          }),
        ),
      policyHistory: async (limit) => attempt(() => all("readPolicy", limit).map(toPolicy)),
      ...embeddedFirstSeen({ all, run, attempt, transaction, seconds }),
      ...embeddedLastRequests({ all, run, attempt, transaction, seconds }),
      ...documents,
      ...embeddedAudit({ all, run, attempt, transaction, nowMs: () => now().getTime() }),
      ...embeddedTraffic({ all, run, attempt, transaction, seconds }),
      claim: async (book, line, text) =>
        attempt(() => run("claimLine", book, line, text, seconds() + BOOK_TTL_SECONDS) > 0),
      note: async (book, line, text) => {
        attempt(() => run("noteLine", book, line, text, seconds() + BOOK_TTL_SECONDS));
      },
      line: async (book, line) => attempt(() => all("readLine", book, line).map((row) => textOf(row["text"]))[0]),
      lines,
      lease: async (name, holder, ms) =>
        attempt(() => run("holdLease", name, holder, now().getTime() + ms, now().getTime()) > 0),
      isTracking: () => health.state === "live",
      health: () => health,
      settled: async () => {},
      answersWithinMs: BUSY_TIMEOUT_MS,
      close: async () => {
        clearInterval(timer);
        if (!database.isOpen) return;
        health = { state: "down", since: now(), detail: "closed" };
        database.close();
      },
    };
  };
}

const kinds = ["device", "alias", "mailbox", "first-seen"] as const;

function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (file !== ":memory:") {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      // Names, addresses and apps of people: nobody else's to read. SQLite gives its side files the same mode.
      closeSync(openSync(file, "a", 0o600));
    }
    database = new DatabaseSync(file, { timeout: START_BUSY_TIMEOUT_MS, enableForeignKeyConstraints: false });
    prepareSchema(database);
    return database;
  } catch (cause) {
    if (database?.isOpen === true) database.close();
    if (cause instanceof StoreUnusable) throw cause;
    const problem = cause instanceof Error ? cause.message : "unknown";
    throw new StoreUnusable(`the file of the store cannot be used: ${problem}`, cause);
  }
}

function prepareSchema(database: DatabaseSync): void {
  // First under a lock that is waited for: two programs that start at once would both make the tables.
  database.exec("BEGIN IMMEDIATE");
  const version = numberOf(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version === 0) database.exec(schema);
  else if (version === 1) database.exec(migrationFrom1);
  if (version <= SCHEMA_VERSION) database.exec(laterTables);
  database.exec("COMMIT");
  if (version > SCHEMA_VERSION) {
    throw new StoreUnusable(`the file of the store is of version ${version}; this Postern knows ${SCHEMA_VERSION}`);
  }
  // WAL: readers never wait for a writer. NORMAL: a power failure may lose the last seconds, never the file.
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS};`);
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new StoreUnavailable(cause);
  }
}

/** Where an id lies between the first and the last, by their first letters: ids are spread evenly, more or less. */
function shareOfIds(first: string, last: string, id: string): number {
  const [from, to] = [placeOf(first), placeOf(last)];
  return to <= from ? 1 : Math.min(1, Math.max(0, (placeOf(id) - from) / (to - from)));
}

/** Eight characters fit into a number without loss. What is no letter or digit counts as none. */
function placeOf(id: string): number {
  let place = 0;
  for (let index = 0; index < 8; index += 1) {
    const digit = Number.parseInt(id.charAt(index), 36);
    place = place * 37 + (Number.isNaN(digit) ? 0 : digit + 1);
  }
  return place;
}

function toPolicy(row: Row): StoredPolicy {
  return { version: numberOf(row["version"]), text: textOf(row["text"]) };
}

function toStored(entries: readonly (readonly [string, string])[]): Stored {
  return entries.length === 0 ? { kind: "absent" } : { kind: "fields", fields: new Map(entries) };
}

function textOf(value: SQLOutputValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function numberOf(value: SQLOutputValue | undefined): number {
  return typeof value === "number" ? value : 0;
}
