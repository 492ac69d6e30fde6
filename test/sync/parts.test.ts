/** The pure and the small parts of the sync role. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { backOffMs } from "../../src/sync/back-off.ts";
import { createBudget } from "../../src/sync/budget.ts";
import { readState, writtenState, writtenWish } from "../../src/sync/connector-state.ts";
import type { ConnectorState } from "../../src/sync/connector-state.ts";
import { nextRun } from "../../src/sync/schedule.ts";
import { eventually } from "../support/eventually.ts";

const signal = new AbortController().signal;

suite("a budget", () => {
  test("lets so many calls go at once, and the others in their order as those end", async () => {
    const budget = createBudget({ requestsPerMinute: 100, concurrent: 2 });
    const entered: number[] = [];
    const leaves: (() => void)[] = [];
    const all = [1, 2, 3, 4].map(async (number) => {
      leaves.push(await budget.enter(signal));
      entered.push(number);
    });
    await eventually(() => assert.deepEqual(entered, [1, 2]));
    assert.deepEqual([budget.waiting(), budget.left()], [2, 0]);
    leaves[0]?.();
    // Said twice, it is one place all the same.
    leaves[0]?.();
    await eventually(() => assert.deepEqual(entered, [1, 2, 3]));
    leaves[1]?.();
    await Promise.all(all);
    assert.deepEqual(entered, [1, 2, 3, 4]);
  });

  test("lets so many calls go in any minute, and not one more", async () => {
    let clock = 0;
    const budget = createBudget({ requestsPerMinute: 3, concurrent: 10, clock: () => clock, minuteMs: 50 });
    for (let count = 0; count < 3; count += 1) (await budget.enter(signal))();
    assert.equal(budget.left(), 0);
    let isIn = false;
    const fourth = budget.enter(signal).then((leave) => {
      isIn = true;
      return leave();
    });
    clock = 49;
    const other = new AbortController();
    const fifth = budget.enter(other.signal);
    other.abort(new Error("given up"));
    await assert.rejects(fifth, /given up/);
    assert.equal(isIn, false);
    clock = 50;
    await fourth;
    assert.equal(budget.waiting(), 0);
  });

  test("has no place for who has given up", async () => {
    const budget = createBudget({ requestsPerMinute: 1, concurrent: 1 });
    await assert.rejects(budget.enter(AbortSignal.abort(new Error("given up"))), /given up/);
    assert.equal(budget.left(), 1);
  });
});

test("a source that fails is left alone for longer each time, and at random", () => {
  const away = { code: "away", retryAfterMs: undefined } as const;
  assert.equal(backOffMs(away, 1, 0), 1000);
  assert.equal(backOffMs(away, 1, 1), 5000);
  assert.equal(backOffMs(away, 4, 1), 40_000);
  assert.equal(backOffMs(away, 50, 1), 3_600_000);
  assert.equal(backOffMs(away, 50, 0.5), 1_800_000);
  assert.equal(backOffMs({ code: "refused", retryAfterMs: undefined }, 1, 1), 300_000);
  assert.equal(backOffMs({ code: "throttled", retryAfterMs: 7000 }, 1, 0), 7000);
  assert.equal(backOffMs({ code: "throttled", retryAfterMs: 7000 }, 1, 1), 12_000);
});

suite("what is due", () => {
  const now = new Date("2026-11-28T12:00:00Z");
  const ago = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);
  const schedule = { everyMs: 15 * 60_000, fullEveryMs: 24 * 3_600_000 };
  const both = { lists: true, incremental: true };
  const done: Partial<ConnectorState> = { fullAt: ago(60), succeededAt: ago(10), changedSince: ago(20) };
  const run = {
    kind: "full",
    sweep: "s",
    startedAt: ago(5),
    cursor: "c",
    pages: 1,
    devices: 1,
    total: undefined,
  } as const;
  const wish = { number: 3, full: false, acceptFewer: false, by: "a" };
  const cases: readonly (readonly [
    string,
    Partial<ConnectorState>,
    typeof both,
    "full" | "changes" | undefined,
    number,
  ])[] = [
    ["everything, where nothing was asked for yet", {}, both, "full", 0],
    ["changes, some time after the last", done, both, "changes", 5],
    ["everything, a day after the last", { ...done, fullAt: ago(24 * 60 + 1) }, both, "full", -1],
    ["everything each time, where changes cannot be asked for", done, { lists: true, incremental: false }, "full", -45],
    ["nothing, where nothing is listed", done, { lists: false, incremental: false }, undefined, 0],
    ["what was under way", { ...done, run }, both, "full", 0],
    [
      "changes that broke off, before everything is due",
      { ...done, run: { ...run, kind: "changes" } },
      both,
      "changes",
      0,
    ],
    [
      "everything, where it is due and changes break off again and again",
      { ...done, fullAt: ago(24 * 60 + 1), run: { ...run, kind: "changes" } },
      both,
      "full",
      -1,
    ],
    ["nothing before the pause ends", { ...done, run, failures: 1, nextAt: ago(-7) }, both, "full", 7],
    ["a wish", { ...done, wish }, both, "changes", 0],
    ["a wish for everything", { ...done, wish: { ...wish, full: true } }, both, "full", 0],
    ["no wish that was fulfilled", { ...done, wish, fulfilled: 3 }, both, "changes", 5],
    ["a wish, after the pause", { ...done, wish, failures: 1, nextAt: ago(-7) }, both, "changes", 7],
  ];
  for (const [title, state, abilities, kind, inMinutes] of cases) {
    test(`is ${title}`, () => {
      const due = nextRun({ ...readState(), ...state }, schedule, abilities, now, 0.5);
      assert.equal(due?.kind, kind);
      if (due !== undefined) assert.equal((due.at.getTime() - now.getTime()) / 60_000, inMinutes);
    });
  }
});

test("the state of a source is read as it was written, and whatever else stands there does no harm", () => {
  const date = fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true });
  const count = fc.nat(1_000_000);
  const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
    fc.record(model, { noNullPrototype: true });
  const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined });
  const state: fc.Arbitrary<ConnectorState> = record({
    run: maybe(
      record({
        kind: fc.constantFrom("full", "changes"),
        sweep: fc.string({ minLength: 1 }),
        startedAt: date,
        cursor: maybe(fc.string()),
        pages: count,
        devices: count,
        total: maybe(count),
      }),
    ),
    changedSince: maybe(date),
    fullAt: maybe(date),
    succeededAt: maybe(date),
    devices: maybe(count),
    failures: count,
    failure: maybe(record({ code: fc.constantFrom("refused", "throttled", "away"), detail: fc.string(), at: date })),
    nextAt: maybe(date),
    fewDevices: maybe(record({ named: count, before: count })),
    wish: maybe(record({ number: count, full: fc.boolean(), acceptFewer: fc.boolean(), by: fc.string() })),
    fulfilled: count,
    budgetLeft: maybe(count),
  });
  fc.assert(
    fc.property(state, (written) => {
      const { set, remove } = writtenState(written);
      const fields = new Map([...set, ...(written.wish === undefined ? [] : writtenWish(written.wish))]);
      for (const name of remove) assert.ok(!fields.has(name));
      assert.deepEqual(readState(fields), written);
    }),
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("run", "startedAt", "pages", "failure", "failedAt", "wish"), fc.string()),
      (spoilt) => {
        const read = readState(new Map(Object.entries(spoilt)));
        assert.ok(read.failures >= 0 && read.fulfilled >= 0);
      },
    ),
  );
});
