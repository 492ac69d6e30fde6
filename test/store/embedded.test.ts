import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import type { CachedStore } from "../../src/store/cached-store.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable, StoreUnusable } from "../../src/store/store.ts";
import type { StoreEvent } from "../../src/store/store.ts";
import { auditContract } from "../contracts/audit.ts";
import { documentsContract } from "../contracts/documents.ts";
import { fields, listen, storeContract } from "../contracts/store.ts";
import type { StorePlace } from "../contracts/store.ts";
import { eventually } from "../support/eventually.ts";
import { deviceId } from "../support/records.ts";

const phone = deviceId("ABC123");
const account = "alice";
const SECOND_MS = 1_000;
const dayMs = 86_400_000;

async function aFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "postern-store-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return path.join(folder, "data", "postern.db");
}

async function aStore(t: TestContext, file: string, deps: Parameters<typeof openStore>[1] = {}): Promise<CachedStore> {
  const store = await openStore({ embedded: { path: file } }, deps);
  t.after(() => store.close());
  return store;
}

/** Somebody with the sqlite3 shell. */
function aShell(t: TestContext, file: string): DatabaseSync {
  const shell = new DatabaseSync(file);
  t.after(() => shell.close());
  return shell;
}

/** The command line of an operator: another process with the same file. */
async function elsewhere(file: string, script: string): Promise<void> {
  const open = new URL("../../src/store/open.ts", import.meta.url).href;
  const code = `import { openStore } from ${JSON.stringify(open)};
    const store = await openStore({ embedded: { path: ${JSON.stringify(file)} } });
    ${script}
    await store.close();`;
  await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
}

const ownerOf = async (store: CachedStore): Promise<string | undefined> =>
  (await store.facts([phone], account)).record?.owner;

async function newPlace(t: TestContext): Promise<StorePlace> {
  const file = await aFile(t);
  return { open: (deps) => aStore(t, file, deps) };
}

storeContract("the embedded store", newPlace);
documentsContract("documents in a file", newPlace);
auditContract("the audit trail in a file", newPlace);

/** The file as 0.1 made it. */
const schemaOfVersion1 = `
CREATE TABLE device (
  id TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id, field)
) WITHOUT ROWID, STRICT;
CREATE TABLE alias (id TEXT NOT NULL PRIMARY KEY, target TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE mailbox (
  id TEXT NOT NULL, account TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id, account, field)
) WITHOUT ROWID, STRICT;
CREATE TABLE mailbox_life (
  id TEXT NOT NULL, account TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (id, account)
) WITHOUT ROWID, STRICT;
CREATE INDEX mailbox_life_expires ON mailbox_life (expires);
CREATE TABLE change (
  number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (kind, id)
) STRICT;
CREATE TRIGGER device_insert AFTER INSERT ON device BEGIN
  DELETE FROM change WHERE kind = 'device' AND id = NEW.id;
  INSERT INTO change (kind, id) VALUES ('device', NEW.id);
END;
PRAGMA user_version = 1;
INSERT INTO device VALUES ('ABC123', 'owner', 'alice');
`;

suite("one file and several programs", () => {
  test("what another process writes is seen within a second, and told", async (t) => {
    const file = await aFile(t);
    const store = await aStore(t, file);
    assert.equal(await ownerOf(store), undefined);
    const changes = listen(store);
    await elsewhere(file, `await store.writeFields("ABC123", { set: new Map([["owner", "alice"]]), remove: [] });`);
    await eventually(() => assert.deepEqual(changes, [{ kind: "device", id: phone }]), SECOND_MS);
    assert.equal(await ownerOf(store), "alice");
  });

  test("what somebody changes with the sqlite3 shell is seen within a second", async (t) => {
    const file = await aFile(t);
    const store = await aStore(t, file);
    const shell = aShell(t, file);
    assert.equal(await ownerOf(store), undefined);
    for (const [sql, owner] of [
      ["INSERT INTO device VALUES ('ABC123', 'owner', 'alice')", "alice"],
      ["INSERT OR REPLACE INTO device VALUES ('ABC123', 'owner', 'bob')", "bob"],
      ["UPDATE device SET value = 'carol'", "carol"],
      ["UPDATE device SET id = 'MOVED'", undefined],
      ["UPDATE OR IGNORE device SET id = 'ABC123'", "carol"],
      ["DELETE FROM device", undefined],
      ["INSERT INTO device VALUES ('REAL', 'owner', 'dave'); INSERT INTO alias VALUES ('ABC123', 'REAL')", "dave"],
    ] as const) {
      shell.exec(sql);
      await eventually(async () => assert.equal(await ownerOf(store), owner, sql), SECOND_MS);
    }
  });

  test("rows that no Postern has written disturb nobody", async (t) => {
    const file = await aFile(t);
    const store = await aStore(t, file);
    aShell(t, file)
      .exec(`INSERT INTO device VALUES ('lower', 'owner', 'x'), ('', '', ''), ('A B', 'owner', 'x'), ('OK', 'owner', 'a');
      INSERT INTO mailbox VALUES ('OK', 'alice', 'issued:5', 'x'); INSERT INTO change (kind, id) VALUES ('else', 'OK');`);
    const ids = [];
    for await (const id of store.list()) ids.push(id);
    assert.deepEqual(ids, ["OK"]);
    assert.equal((await store.facts([deviceId("OK")], account)).mailbox.issued.size, 0);
  });

  test("more changes at once than are worth naming are told as everything", async (t) => {
    const file = await aFile(t);
    const store = await aStore(t, file);
    const changes = listen(store);
    aShell(t, file).exec(`WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
      INSERT INTO device SELECT 'D' || i, 'owner', 'alice' FROM n`);
    await eventually(() => assert.deepEqual(changes, [{ kind: "everything" }]), 2 * SECOND_MS);
  });

  test("many programs that make the file at the same moment all get it", async (t) => {
    const file = await aFile(t);
    const write = (index: number): string =>
      `await store.writeFields("D${index}", { set: new Map([["owner", "alice"]]), remove: [] });`;
    await Promise.all(Array.from({ length: 4 }, (_, index) => elsewhere(file, write(index))));
    const store = await aStore(t, file);
    const ids = [];
    for await (const id of store.list()) ids.push(id);
    assert.equal(ids.length, 4);
  });

  test("while another program holds the file, reads go on and a write is refused in time", async (t) => {
    const file = await aFile(t);
    const store = await aStore(t, file);
    await store.writeFields(phone, fields({ owner: "alice" }));
    const shell = aShell(t, file);
    shell.exec("BEGIN IMMEDIATE");
    assert.equal(await ownerOf(store), "alice");
    const began = performance.now();
    await assert.rejects(store.writeFields(phone, fields({ owner: "bob" })), StoreUnavailable);
    assert.ok(performance.now() - began < 200, `${performance.now() - began} ms`);
    assert.equal(store.health().state, "live");
    shell.exec("COMMIT");
    await store.writeFields(phone, fields({ owner: "bob" }));
    assert.equal(await ownerOf(store), "bob");
  });
});

suite("the file", () => {
  test("is made with its folder, and readable by nobody else", async (t) => {
    const file = await aFile(t);
    const store = await aStore(t, file);
    await store.writeFields(phone, fields({ owner: "alice" }));
    for (const name of await readdir(path.dirname(file))) {
      assert.equal((await stat(path.join(path.dirname(file), name))).mode & 0o077, 0, name);
    }
    assert.equal((await stat(path.dirname(file))).mode & 0o077, 0);
  });

  test("keeps everything when it is closed and opened again", async (t) => {
    const file = await aFile(t);
    const first = await aStore(t, file);
    await first.writeFields(phone, fields({ owner: "alice" }));
    await first.updateMailbox({ device: phone, account }, { issue: ["5"] });
    await first.close();
    assert.deepEqual(await readdir(path.dirname(file)), ["postern.db"]);
    const facts = await (await aStore(t, file)).facts([phone], account);
    assert.equal(facts.record?.owner, "alice");
    assert.deepEqual(facts.mailbox.issued, new Set(["5"]));
  });

  test("does not grow with the number of changes", async (t) => {
    const file = await aFile(t);
    const store = await aStore(t, file);
    for (let round = 0; round < 500; round++) await store.writeFields(phone, fields({ owner: `alice${round}` }));
    assert.deepEqual({ ...aShell(t, file).prepare("SELECT count(*) AS rows FROM change").get() }, { rows: 1 });
  });

  test("of an older Postern is made to hold campaigns, and keeps what is in it", async (t) => {
    const file = await aFile(t);
    await mkdir(path.dirname(file));
    aShell(t, file).exec(schemaOfVersion1);
    const [store, other] = [await aStore(t, file), await aStore(t, file)];
    assert.equal((await store.facts([phone], undefined)).record?.owner, "alice");
    const changes = listen(other);
    assert.equal(await store.readPolicy(), undefined);
    await store.addPolicy({
      version: 1,
      at: new Date(0),
      act: "apply",
      about: [],
      who: "bob",
      why: "test",
      campaigns: [],
      exemptions: [],
      runs: {},
    });
    await eventually(() => assert.ok(changes.some(({ kind }) => kind === "policy")));
    assert.equal(await store.holdLease("letters", "a", 1_000), true);
    const key = { campaign: "c", run: 1, device: phone, kind: "announcement", number: 0, attempt: 1 } as const;
    assert.equal(await store.claimLetter(key, new Date(0), { to: "a@corp.example", person: "a" }), true);
    assert.deepEqual({ ...aShell(t, file).prepare("PRAGMA user_version").get() }, { user_version: 2 });
  });

  test("of a newer Postern is refused", async (t) => {
    const file = await aFile(t);
    await (await aStore(t, file)).close();
    aShell(t, file).exec("PRAGMA user_version = 99");
    await assert.rejects(
      openStore({ embedded: { path: file } }),
      (error) => error instanceof StoreUnusable && /version 99/.test(error.message),
    );
  });

  test("that is none of ours, or cannot be made, is refused", async (t) => {
    const file = await aFile(t);
    const folder = path.dirname(path.dirname(file));
    const foreign = path.join(folder, "notes.txt");
    await writeFile(foreign, "This is not a database, and must stay as it is. ".repeat(100));
    await chmod(foreign, 0o600);
    for (const bad of [foreign, folder, path.join(foreign, "postern.db")]) {
      await assert.rejects(openStore({ embedded: { path: bad } }), StoreUnusable);
    }
    assert.equal((await stat(foreign)).size, 4_800);
  });

  test("that cannot be read any more is reported, and so is its return", async (t) => {
    const file = await aFile(t);
    const events: StoreEvent[] = [];
    await aStore(t, file, { report: (event) => events.push(event) });
    const states = (): readonly string[] => events.map((event) => (event.kind === "health" ? event.health.state : ""));
    const shell = aShell(t, file);
    shell.exec("ALTER TABLE change RENAME TO gone");
    await eventually(() => assert.deepEqual(states(), ["live", "down"]), SECOND_MS);
    shell.exec("ALTER TABLE gone RENAME TO change");
    await eventually(() => assert.deepEqual(states(), ["live", "down", "live"]), SECOND_MS);
  });

  test("may be memory", async (t) => {
    const store = await aStore(t, ":memory:");
    await store.writeFields(phone, fields({ owner: "alice" }));
    assert.equal(await ownerOf(store), "alice");
    assert.equal(await ownerOf(await aStore(t, ":memory:")), undefined);
  });
});

suite("a mailbox state that nobody has needed for 400 days", () => {
  test("is gone, and does not come back with the next write", async (t) => {
    let time = new Date("2026-01-01T00:00:00Z");
    const later = (days: number): void => void (time = new Date(time.getTime() + days * dayMs));
    const store = await aStore(t, await aFile(t), { now: () => time });
    const issued = async (): Promise<readonly string[]> => [...(await store.facts([phone], account)).mailbox.issued];
    await store.updateMailbox({ device: phone, account }, { issue: ["5"] });
    later(399);
    assert.deepEqual(await issued(), ["5"]);
    await store.updateMailbox({ device: phone, account }, { issue: ["6"] });
    later(399);
    await store.updateMailbox({ device: phone, account }, { issue: ["7"] });
    assert.deepEqual(await issued(), ["5", "6", "7"]);
    later(400);
    await store.updateMailbox({ device: phone, account }, { issue: ["8"] });
    assert.deepEqual(await issued(), ["8"]);
  });

  test("is removed from the file", async (t) => {
    let time = new Date("2026-01-01T00:00:00Z");
    const file = await aFile(t);
    const store = await aStore(t, file, { now: () => time });
    await store.updateMailbox({ device: phone, account }, { issue: ["5"] });
    await store.close();
    time = new Date(time.getTime() + 400 * dayMs);
    await aStore(t, file, { now: () => time });
    const shell = aShell(t, file);
    await eventually(() => {
      assert.deepEqual({ ...shell.prepare("SELECT count(*) AS rows FROM mailbox").get() }, { rows: 0 });
      assert.deepEqual({ ...shell.prepare("SELECT count(*) AS rows FROM mailbox_life").get() }, { rows: 0 });
    }, SECOND_MS);
  });
});

test("who was seen first is forgotten 400 days after the record was there last", async (t) => {
  let time = new Date("2026-11-20T12:00:00Z");
  const store = await aStore(t, await aFile(t), { now: () => time });
  const later = (days: number): Date => (time = new Date(time.getTime() + days * dayMs));
  const seen = async (): Promise<unknown> => (await store.readRecords([phone]))[0]?.firstSeenAt;
  await store.meetEverybody(() => true);
  const first = later(1);
  await store.writeFields(phone, fields({ owner: "alice" }));
  await store.meetEverybody(() => true);
  await store.forget(phone);
  later(399);
  await store.writeFields(phone, fields({ owner: "alice" }));
  assert.deepEqual(await seen(), first);
  await store.forget(phone);
  later(2);
  await store.writeFields(phone, fields({ owner: "alice" }));
  assert.equal(await seen(), undefined);
  await store.meet(phone);
  assert.deepEqual(await seen(), time);
});
