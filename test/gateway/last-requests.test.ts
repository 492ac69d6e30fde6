/** What is kept of the last request of each phone: the newest, now and then, and a few of whoever comes with many ids. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createLastRequests } from "../../src/gateway/last-requests.ts";
import type { LastRequests } from "../../src/gateway/last-requests.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { LastRequest, LastRequestStore, Store } from "../../src/store/store.ts";
import { aLastRequest, deviceId } from "../support/records.ts";

interface Bench {
  readonly notes: LastRequests;
  readonly store: Store;
  /** How many requests were written each time. */
  readonly written: number[];
  readonly failures: unknown[];
  readonly later: (seconds: number) => void;
  /** A request of now. */
  readonly asks: (parts: Partial<LastRequest>) => void;
  /** The commands of what is kept of this id, the newest first. */
  readonly kept: (id: string) => Promise<string[]>;
}

async function aBench(t: TestContext, own: Partial<LastRequestStore> = {}): Promise<Bench> {
  let time = new Date("2026-11-20T12:00:00Z");
  const store = await openStore({ embedded: { path: ":memory:" } }, { now: () => time });
  const written: number[] = [];
  const failures: unknown[] = [];
  const notes = createLastRequests({
    store: {
      async noteLastRequests(requests): Promise<void> {
        written.push(requests.length);
        await (own.noteLastRequests === undefined ? store : own).noteLastRequests?.(requests);
      },
    },
    onFailure: (cause) => failures.push(cause),
    now: () => time,
  });
  t.after(async () => {
    await notes.stop();
    await store.close();
  });
  return {
    notes,
    store,
    written,
    failures,
    later: (seconds) => (time = new Date(time.getTime() + seconds * 1000)),
    asks: (parts) => notes.note(aLastRequest({ at: time, ...parts })),
    kept: async (id) => (await store.lastRequests([deviceId(id)])).map(({ command }) => command),
  };
}

suite("the last request", () => {
  test("of a phone is written once a minute, and it is the newest one", async (t) => {
    const { notes, written, later, asks, kept } = await aBench(t);
    asks({ command: "FolderSync" });
    await notes.flush();
    for (let second = 0; second < 59; second += 1) {
      later(1);
      asks({ command: second === 58 ? "Ping" : "Sync" });
      await notes.flush();
    }
    assert.deepEqual([written, await kept("PHONE1")], [[1], ["FolderSync"]]);
    later(1);
    await notes.flush();
    assert.deepEqual([written, await kept("PHONE1")], [[1, 1], ["Ping"]]);
    await notes.flush();
    assert.deepEqual(written, [1, 1]);
  });

  test("of the owner and of somebody else with the same id are two", async (t) => {
    const { notes, asks, kept } = await aBench(t);
    asks({ command: "Sync" });
    asks({ command: "Ping", whose: "somebody-else", account: "eve" });
    await notes.flush();
    assert.deepEqual((await kept("PHONE1")).toSorted(), ["Ping", "Sync"]);
  });

  test("of somebody with many ids is one write a minute, and pushes out only that person's own", async (t) => {
    const { notes, store, written, later, asks, kept } = await aBench(t);
    asks({ whose: "stranger", id: deviceId("BOBS"), account: "bob" });
    asks({ id: deviceId("KNOWN") });
    await notes.flush();
    for (let index = 0; index < 2_000; index += 1) {
      later(0.1);
      asks({ whose: "stranger", id: deviceId(`EVE${index}`), account: "eve" });
      if (index % 100 === 0) await notes.flush();
    }
    later(60);
    await notes.flush();
    assert.equal(written.length, 6, "four minutes of eve");
    assert.ok(Math.max(...written) <= 10);
    const ids = (await Array.fromAsync(store.strangers())).map(({ id }) => String(id));
    assert.deepEqual(
      ids.toSorted(),
      ["BOBS", ...Array.from({ length: 10 }, (_, index) => `EVE${1990 + index}`)].toSorted(),
    );
    assert.deepEqual(await kept("KNOWN"), ["Sync"]);
  });

  test("that could not be written is lost, and the next one is not held back by it", async (t) => {
    let isAway = true;
    const bench = await aBench(t, {
      noteLastRequests: async () => {
        if (isAway) throw new StoreUnavailable(new Error("away"));
      },
    });
    bench.asks({});
    await bench.notes.flush();
    assert.equal(bench.failures.length, 1);
    isAway = false;
    bench.asks({});
    await bench.notes.flush();
    assert.deepEqual([bench.written, bench.failures.length], [[1, 1], 1]);
  });

  test("that waits is written when the program stops", async (t) => {
    const { notes, written, asks, kept } = await aBench(t);
    asks({ command: "FolderSync" });
    await notes.flush();
    asks({ command: "Ping" });
    await notes.stop();
    assert.deepEqual([written, await kept("PHONE1")], [[1, 1], ["Ping"]]);
  });

  test("waits for at most so many phones", async (t) => {
    const { notes, written, asks } = await aBench(t);
    for (let index = 0; index < 50_001; index += 1) asks({ id: deviceId(`P${index}`) });
    asks({ id: deviceId("P0"), command: "Ping" });
    await notes.flush();
    assert.deepEqual(written, [50_000]);
  });
});
