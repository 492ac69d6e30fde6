/** The audit trail over a real Redis: what is answered with success is not lost, and what was touched is found. */
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createKeeper } from "../../src/audit/keeper.ts";
import { openJournal } from "../../src/audit/journal.ts";
import type { ReadLine } from "../../src/audit/chain.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { aFolder, aMachine, anAct, chain, reasonsIn } from "./bench.ts";

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

async function aStore(t: TestContext): Promise<Store> {
  await redis.cli("FLUSHALL");
  const store = await openStore({ redis: { url: redis.url, timeoutMs: 5_000 } });
  t.after(() => store.close());
  return store;
}

interface Row {
  readonly place: string;
  readonly line: string;
}

async function rowsOf(store: Store): Promise<readonly Row[]> {
  return (await store.auditAfter(undefined, 1_000)).map(({ place, line = "" }) => ({ place, line }));
}

/** As somebody with access to Redis alone does it: the stream is written anew with other lines, the marks stay. */
async function rewrite(lines: readonly string[]): Promise<void> {
  await redis.cli("DEL", "postern:audit");
  for (const line of lines) await redis.cli("XADD", "postern:audit", "*", "line", line);
}

suite("an audit trail in Redis", () => {
  test("survives the loss of everything in Redis: the next act puts it there again, and says so", async (t) => {
    const store = await aStore(t);
    const { audit, breaks, folder } = aMachine(t, store);
    for (const words of ["one", "two", "three"])
      assert.equal(await audit.act(anAct(words), async () => ({ result: 7, version: 1 })), 7);
    assert.deepEqual(await reasonsIn(store), ["one", "two", "three"]);
    await redis.cli("FLUSHALL");
    assert.deepEqual(await breaks(), [
      "store 1 is missing up to 3: the journal of this machine knows that the store has had it",
    ]);
    // Another program on the same machine.
    const next = aMachine(t, store, { folder });
    assert.deepEqual(await next.audit.append([anAct("four")]), { stored: true });
    assert.deepEqual(await reasonsIn(store), ["one", "two", "three", "four", "the store had lost these entries"]);
    assert.deepEqual(await breaks(), []);
  });

  test("a Redis that answers nobody loses nothing: the entry is on the disk, and follows", async (t) => {
    const store = await aStore(t);
    const { audit, verify, journal } = aMachine(t, store);
    await audit.append([anAct("one")]);
    const away = { ...store, auditMarks: () => Promise.reject(new StoreUnavailable(new Error("away"))) };
    const alone = aMachine(t, away, { folder: journal.folder });
    assert.deepEqual(await alone.audit.append([anAct("two")]), { stored: false });
    assert.deepEqual(await reasonsIn(store), ["one"]);
    const { breaks, waiting } = await verify();
    assert.deepEqual([breaks, waiting], [[], 1], "what was never there is not lost");
    await audit.sync();
    assert.deepEqual(await reasonsIn(store), ["one", "two"]);
    assert.equal((await verify()).waiting, 0);
    await audit.sync();
    assert.deepEqual(await reasonsIn(store), ["one", "two"], "and once is enough");
  });

  test("a program that ends between the journal and the store is made good by the next one", async (t) => {
    const store = await aStore(t);
    const folder = aFolder(t);
    const journal = openJournal(folder);
    // What `append` does first, and no more.
    const { audit } = aMachine(t, { ...store, auditMarks: () => new Promise(() => {}) }, { folder });
    void audit.append([anAct("one"), anAct("two")]);
    journal.close();
    assert.deepEqual(await reasonsIn(store), []);
    const next = aMachine(t, store, { folder });
    await next.audit.sync();
    assert.deepEqual(await reasonsIn(store), ["one", "two"]);
    assert.deepEqual(await next.breaks(), []);
  });

  test("an act of which nobody heard the end is in the trail as just that", async (t) => {
    const store = await aStore(t);
    let time = Date.UTC(2026, 10, 20);
    const { audit, folder } = aMachine(t, store, { now: () => new Date(time) });
    const refused = new Error("refused");
    await assert.rejects(
      audit.act(anAct("refused"), () => Promise.reject(refused)),
      (error) => error === refused,
    );
    await assert.rejects(
      audit.act(anAct("no answer"), () => Promise.reject(new StoreUnavailable(new Error("silence")))),
      StoreUnavailable,
    );
    // A program that is killed in the middle of it never comes back.
    void audit.act(anAct("killed"), () => new Promise(() => {}));
    const next = aMachine(t, store, { folder, now: () => new Date(time) });
    await next.audit.append([anAct("done")]);
    const seen = async (): Promise<string[]> =>
      (await rowsOf(store)).map(({ line }) => {
        const read = chain.read(line);
        return read.kind === "good" ? `${read.line.entry.why}: ${read.line.entry.outcome}` : read.kind;
      });
    assert.deepEqual(await seen(), ["no answer: unknown", "done: done"]);
    time += 601_000;
    await Promise.all([next.audit.sync(), aMachine(t, store, { folder, now: () => new Date(time) }).audit.sync()]);
    assert.deepEqual((await seen()).slice(2), ["killed: unknown"]);
    assert.deepEqual(await next.breaks(), []);
  });

  test("nothing is done where the journal cannot be written", async (t) => {
    const store = await aStore(t);
    const { audit, journal } = aMachine(t, store);
    journal.close();
    let isDone = false;
    await assert.rejects(
      audit.act(anAct("one"), async () => {
        isDone = true;
        return { result: undefined };
      }),
      /the journal of the audit trail in .* cannot be used/,
    );
    assert.equal(isDone, false);
  });

  test("two machines, and two programs of one of them, write at once, and all chains hold", async (t) => {
    const store = await aStore(t);
    const [one, other] = [aMachine(t, store), aMachine(t, store)];
    const beside = aMachine(t, store, { folder: one.folder });
    const all = [one, other, beside].flatMap(({ audit }, machine) =>
      Array.from({ length: 8 }, (_, index) =>
        audit.append([anAct(`${machine} ${index}`), anAct(`${machine} ${index}+`)]),
      ),
    );
    await Promise.all(all);
    await Promise.all([one.audit.sync(), other.audit.sync()]);
    const reasons = await reasonsIn(store);
    assert.equal(reasons.length, 48);
    assert.equal(new Set(reasons).size, 48);
    assert.deepEqual(await one.breaks(), []);
    assert.deepEqual(await other.breaks(), []);
    assert.equal((await one.verify()).writers, 2);
  });

  test("a journal that was copied, or put back from a backup, goes on as a writer of its own", async (t) => {
    const store = await aStore(t);
    const one = aMachine(t, store);
    await one.audit.append([anAct("one")]);
    const copy = aFolder(t);
    one.journal.close();
    copyFileSync(path.join(one.folder, "journal.db"), path.join(copy, "journal.db"));
    const again = aMachine(t, store, { folder: one.folder });
    const other = aMachine(t, store, { folder: copy });
    await again.audit.append([anAct("two")]);
    await other.audit.append([anAct("two elsewhere")]);
    await other.audit.append([anAct("three elsewhere")]);
    await again.audit.append([anAct("three")]);
    assert.deepEqual(await reasonsIn(store), ["one", "two", "two elsewhere", "three elsewhere", "three"]);
    assert.deepEqual(await again.breaks(), []);
    assert.deepEqual(await other.breaks(), []);
    assert.equal((await again.verify()).writers, 2);
    await redis.cli("FLUSHALL");
    await other.audit.sync();
    await again.audit.sync();
    assert.deepEqual((await reasonsIn(store)).toSorted(), [
      "one",
      // One for each writer of a journal.
      "the store had lost these entries",
      "the store had lost these entries",
      "the store had lost these entries",
      "three",
      "three elsewhere",
      "two",
      "two elsewhere",
    ]);
    assert.deepEqual(await again.breaks(), []);
    assert.deepEqual(await other.breaks(), []);
  });
});

suite("whoever has Redis alone is found out", () => {
  const cases: readonly (readonly [
    title: string,
    touch: (lines: readonly string[]) => readonly string[],
    breaks: readonly RegExp[],
  ])[] = [
    [
      "changing an entry",
      (lines) => lines.map((line, index) => (index === 1 ? line.replace('"two"', '"2"') : line)),
      [/^store 2 was changed, or written by somebody without the secret/],
    ],
    ["taking one out", (lines) => lines.toSpliced(1, 1), [/^store 3 follows 1: one is missing$/]],
    [
      "taking the first out",
      (lines) => lines.slice(1),
      [/^store 2 is the first that is there: 1 before it are missing/],
    ],
    ["taking the last out", (lines) => lines.slice(0, -1), [/^store 4 is missing up to 4, which the store has had/]],
    [
      "changing the order",
      ([one = "", two = "", three = "", four = ""]) => [one, three, two, four],
      [/^store 3 follows 1: one is missing$/, /^store 2 comes again, or in another order/],
    ],
    ["writing one twice", ([one = "", two = "", ...rest]) => [one, two, two, ...rest], [/^store 2 comes again/]],
    [
      "adding one",
      (lines) => [...lines, lines[3]?.replace(",4,", ",5,").replace('"four"', '"five"') ?? ""],
      [/^store 5 was changed, or written by somebody without the secret/],
    ],
    ["adding what is no entry", (lines) => [...lines, "hello"], [/^store - is no entry of an audit trail/]],
  ];
  for (const [title, touch, expected] of cases) {
    test(title, async (t) => {
      const store = await aStore(t);
      const { audit, breaks } = aMachine(t, store);
      for (const words of ["one", "two", "three", "four"]) await audit.append([anAct(words)]);
      assert.deepEqual(await breaks(), []);
      await rewrite(touch((await rowsOf(store)).map(({ line }) => line)));
      // Without the journal, as on any other machine.
      const found = await aMachine(t, store).breaks();
      assert.equal(found.length, expected.length, found.join("\n"));
      for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? "", pattern);
    });
  }

  test("putting back an older mark: by the journal of that machine, and by the other writers", async (t) => {
    const store = await aStore(t);
    const [victim, other] = [aMachine(t, store), aMachine(t, store)];
    await victim.audit.append([anAct("one")]);
    const [older] = [...(await store.auditMarks())];
    await victim.audit.append([anAct("two")]);
    const keeper = createKeeper({
      store,
      journal: other.journal,
      chain,
      audit: other.audit,
      keepDays: 400,
      onLine: () => {},
      onFailure: (cause) => assert.fail(String(cause)),
      now: () => new Date(),
    });
    t.after(() => keeper.stop());
    await keeper.witness();
    await keeper.witness();
    const [first, second, witness, ...more] = await rowsOf(store);
    assert.deepEqual(more, [], "what was seen already is not said again");
    assert.ok(first !== undefined && second !== undefined && witness !== undefined && older !== undefined);
    await redis.cli("XDEL", "postern:audit", second.place);
    await redis.cli("HSET", "postern:audit-marks", ...older);
    assert.deepEqual(await victim.breaks(), [
      "store 2 is missing up to 2: the writer W has seen it",
      "store 2 is missing up to 2: the journal of this machine knows that the store has had it",
    ]);
    assert.deepEqual(await other.breaks(), ["store 2 is missing up to 2: the writer W has seen it"]);
    // The next act heals it, and leaves a trace.
    await victim.audit.append([anAct("three")]);
    assert.deepEqual((await reasonsIn(store)).slice(-3), ["two", "three", "the store had lost these entries"]);
    assert.deepEqual(await victim.breaks(), []);
  });

  test("writing a mark, and removing one", async (t) => {
    const store = await aStore(t);
    const { audit } = aMachine(t, store);
    await audit.append([anAct("one")]);
    const [name = ""] = [...(await store.auditMarks()).keys()];
    const elsewhere = aMachine(t, store);
    await redis.cli("HSET", "postern:audit-marks", name, `9 ${"a".repeat(64)} ${"b".repeat(64)}`);
    assert.match((await elsewhere.breaks()).join(), /the mark ".*" was not signed here/);
    await redis.cli("HDEL", "postern:audit-marks", name);
    assert.deepEqual(await elsewhere.breaks(), ["store - has no mark that says how far it is"]);
  });

  test("another installation secret is named as what it is", async (t) => {
    const store = await aStore(t);
    const { audit } = aMachine(t, store);
    await audit.append([anAct("one")]);
    const { createChain } = await import("../../src/audit/chain.ts");
    const { verifyAudit } = await import("../../src/audit/verify.ts");
    const other = createChain(new Uint8Array(32).fill(9));
    const { breaks } = await verifyAudit({ store, journal: undefined, chain: other });
    assert.match(breaks.map(({ problem }) => problem).join("\n"), /was sealed with another installation secret/);
  });
});

suite("what is old", () => {
  const DAY_MS = 86_400_000;

  test("is removed from the store and the journal, and the rest still holds together", async (t) => {
    const store = await aStore(t);
    const { audit, breaks, journal, folder } = aMachine(t, store);
    await audit.append([anAct("one"), anAct("two")]);
    const kept = aMachine(t, store);
    await kept.audit.append([anAct("elsewhere")]);
    const lines: ReadLine[] = [];
    // 400 days on, as far as the keeper is told.
    const keeper = createKeeper({
      store,
      journal,
      chain,
      audit,
      keepDays: 400,
      onLine: (read) => lines.push(read),
      onFailure: (cause) => assert.fail(String(cause)),
      now: () => new Date(Date.now() + 401 * DAY_MS),
    });
    t.after(() => keeper.stop());
    await keeper.trim();
    assert.deepEqual(await reasonsIn(store), ["older than 400 days"]);
    assert.equal(journal.writers()[0]?.first, 3);
    assert.deepEqual(await breaks(), []);
    assert.deepEqual(await kept.breaks(), []);
    await kept.audit.append([anAct("later")]);
    await audit.append([anAct("three")]);
    assert.deepEqual(await breaks(), []);
    // And what was removed does not come back with a Redis that lost everything.
    await redis.cli("FLUSHALL");
    await aMachine(t, store, { folder }).audit.append([anAct("four")]);
    assert.deepEqual(await reasonsIn(store), [
      "older than 400 days",
      "three",
      "four",
      "the store had lost these entries",
    ]);
    assert.deepEqual(await breaks(), []);
  });

  test("taken out by somebody else is missed", async (t) => {
    const store = await aStore(t);
    const { audit, journal } = aMachine(t, store);
    await audit.append([anAct("one"), anAct("two")]);
    const keeper = createKeeper({
      store,
      journal,
      chain,
      audit,
      keepDays: 400,
      onLine: () => {},
      onFailure: (cause) => assert.fail(String(cause)),
      now: () => new Date(),
    });
    t.after(() => keeper.stop());
    await keeper.trim();
    assert.deepEqual(await reasonsIn(store), ["one", "two"], "nothing is old");
    const [, second] = await rowsOf(store);
    await redis.cli("XTRIM", "postern:audit", "MINID", second?.place ?? "");
    assert.match((await aMachine(t, store).breaks()).join(), /^store 2 is the first that is there/);
  });
});

test("a gate that starts puts back what the store has lost", async (t) => {
  const store = await aStore(t);
  const { audit, journal, breaks } = aMachine(t, store);
  await audit.append([anAct("one")]);
  await redis.cli("DEL", "postern:audit");
  const keeper = createKeeper({
    store,
    journal,
    chain,
    audit,
    keepDays: 400,
    onLine: () => {},
    onFailure: (cause) => assert.fail(String(cause)),
    now: () => new Date(),
  });
  await keeper.stop();
  assert.deepEqual(await reasonsIn(store), ["one", "the store had lost these entries"]);
  assert.deepEqual(await breaks(), []);
});

test("a hundred breaks are told one by one, and the rest is counted", async (t) => {
  const store = await aStore(t);
  const { verify } = aMachine(t, store);
  for (let index = 0; index < 100; index += 1) await redis.cli("XADD", "postern:audit", "*", "line", "forged");
  const { breaks, moreBreaks } = await verify();
  assert.deepEqual([breaks.length, moreBreaks], [100, 0]);
  await redis.cli("XADD", "postern:audit", "*", "other", "forged");
  const more = await verify();
  assert.deepEqual([more.breaks.length, more.moreBreaks], [100, 1]);
});

test("one node shows each entry once, whoever wrote it, and another goes on where it ended", async (t) => {
  const store = await aStore(t);
  const [one, other] = [aMachine(t, store), aMachine(t, store)];
  const shown: string[] = [];
  const keeperOf = ({ journal, audit }: typeof one, name: string): ReturnType<typeof createKeeper> => {
    const keeper = createKeeper({
      store,
      journal,
      chain,
      audit,
      keepDays: 400,
      onLine: (read) => shown.push(`${name}: ${read.kind === "good" ? read.line.entry.why : read.kind}`),
      onFailure: (cause) => assert.fail(String(cause)),
      now: () => new Date(),
    });
    t.after(() => keeper.stop());
    return keeper;
  };
  const [first, second] = [keeperOf(one, "a"), keeperOf(other, "b")];
  await one.audit.append([{ ...anAct("long ago"), at: new Date(Date.now() - 7_200_000) }, anAct("one")]);
  await other.audit.append([anAct("two")]);
  await first.show();
  await second.show();
  assert.deepEqual(shown, ["a: one", "a: two"]);
  await redis.cli("DEL", "postern:lease:audit");
  await redis.cli("XADD", "postern:audit", "*", "line", "forged");
  await other.audit.append([anAct("three")]);
  await second.show();
  await second.show();
  assert.deepEqual(shown.slice(2), ["b: unreadable", "b: three"]);
});
