import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createSessions } from "../../src/gateway/sessions.ts";
import type { Sessions } from "../../src/gateway/sessions.ts";
import type { StoreChange } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { deviceId } from "../support/records.ts";

const phone = deviceId("PHONE1");
const other = deviceId("PHONE2");
const forever = { timeoutMs: Infinity, changesAt: undefined };

function aStage(now: () => number = (): number => 0): { sessions: Sessions; tell: (change: StoreChange) => void } {
  const listeners = new Set<(change: StoreChange) => void>();
  const sessions = createSessions(
    {
      onChange(listener): () => void {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    now,
  );
  return { sessions, tell: (change) => listeners.forEach((listener) => listener(change)) };
}

test("a change of the device wakes whoever waits for it, under each of its names", async () => {
  for (const id of [phone, other]) {
    const { sessions, tell } = aStage();
    const watch = sessions.watch([phone, other], sessions.changes());
    const news = watch.next(forever);
    tell({ kind: "device", id });
    assert.equal(await news, "changed");
    watch.stop();
  }
});

test("a change of another device wakes nobody", async () => {
  const { sessions, tell } = aStage();
  const watch = sessions.watch([phone], sessions.changes());
  const news = watch.next({ timeoutMs: 20, changesAt: undefined });
  tell({ kind: "device", id: other });
  assert.equal(await news, "expired");
});

test("a change between the decision and the wait is not missed", async () => {
  const { sessions, tell } = aStage();
  const asOf = sessions.changes();
  tell({ kind: "device", id: phone });
  const watch = sessions.watch([phone], asOf);
  assert.equal(await watch.next(forever), "changed");
});

test("changes that come while nobody waits are told once", async () => {
  const { sessions, tell } = aStage();
  const watch = sessions.watch([phone], sessions.changes());
  tell({ kind: "device", id: phone });
  tell({ kind: "mailbox", id: phone });
  assert.equal(await watch.next(forever), "changed");
  assert.equal(await watch.next({ timeoutMs: 10, changesAt: undefined }), "expired");
});

test("a gap in the changes wakes everybody", async () => {
  const { sessions, tell } = aStage();
  const waits = [phone, other].map((id) => sessions.watch([id], sessions.changes()).next(forever));
  tell({ kind: "everything" });
  assert.deepEqual(await Promise.all(waits), ["changed", "changed"]);
});

test("a deadline that passes is news, at its time and not before", async () => {
  const started = Date.now();
  const { sessions } = aStage(Date.now);
  const watch = sessions.watch([phone], sessions.changes());
  assert.equal(await watch.next({ timeoutMs: Infinity, changesAt: new Date(started + 40) }), "changed");
  assert.ok(Date.now() - started >= 40);
});

test("a deadline that lies further away than a timer can hold is waited for", async () => {
  const { sessions, tell } = aStage(Date.now);
  const watch = sessions.watch([phone], sessions.changes());
  const news = watch.next({ timeoutMs: Infinity, changesAt: new Date(Date.now() + 400 * 86_400_000) });
  tell({ kind: "device", id: phone });
  assert.equal(await news, "changed");
});

/** Far longer than a second, so that a slow machine is no reason; far shorter than the wait that is cut short. */
const soon = { timeoutMs: 20_000 };

test("a deadline that the clock jumps over is news at once: it was set forward, or the machine slept", async () => {
  let at = Date.parse("2026-11-24T08:00:00Z");
  const { sessions } = aStage(() => at);
  const changesAt = new Date(at + 2 * 3_600_000);
  const watches = [phone, other].map((id) => sessions.watch([id], sessions.changes()));
  const news = watches.map((watch) => watch.next({ ...soon, changesAt }));
  at += 2 * 3_600_000;
  assert.deepEqual(await Promise.all(news), ["changed", "changed"]);
  for (const watch of watches) watch.stop();
});

test("a clock that is set back is news for everybody, and a deadline moves away with it", async () => {
  const start = Date.parse("2026-11-24T08:00:00Z");
  let at = start;
  const { sessions } = aStage(() => at);
  const [watch, timeless] = [phone, other].map((id) => sessions.watch([id], sessions.changes()));
  assert.ok(watch !== undefined && timeless !== undefined);
  const changesAt = new Date(start + 60_000);
  const news = [watch.next({ ...soon, changesAt }), timeless.next({ ...soon, changesAt: undefined })];
  at = start - 3_600_000;
  assert.deepEqual(await Promise.all(news), ["changed", "changed"]);
  assert.equal(await watch.next({ timeoutMs: 50, changesAt }), "expired");
  at = changesAt.getTime();
  assert.equal(await watch.next({ ...soon, changesAt }), "changed");
  for (const each of [watch, timeless]) each.stop();
});

test("a deadline comes at its instant in the night in which an hour comes twice", async () => {
  // 02:30 in Berlin, twice: once in summer time, once an hour later in winter time. The second is meant.
  let at = Date.parse("2026-10-25T00:30:00Z");
  const { sessions } = aStage(() => at);
  const watch = sessions.watch([phone], sessions.changes());
  const changesAt = new Date("2026-10-25T01:30:00Z");
  assert.equal(await watch.next({ timeoutMs: 50, changesAt }), "expired");
  at = changesAt.getTime();
  assert.equal(await watch.next({ ...soon, changesAt }), "changed");
  watch.stop();
});

test("of many that wait, time ends the waits that it should, and no other", async () => {
  let at = 0;
  const { sessions } = aStage(() => at);
  const started = performance.now();
  const waits = Array.from({ length: 9_000 }, (_, index) => {
    const watch = sessions.watch([deviceId(`PHONE${index}`)], sessions.changes());
    return { watch, news: watch.next({ ...soon, changesAt: new Date(index % 2 === 0 ? 60_000 : 120_000) }) };
  });
  at = 60_000;
  const even = await Promise.all(waits.filter((_, index) => index % 2 === 0).map(({ news }) => news));
  assert.deepEqual(new Set(even), new Set(["changed"]));
  assert.ok(performance.now() - started < 15_000);
  for (const { watch } of waits) watch.stop();
  const odd = await Promise.all(waits.filter((_, index) => index % 2 === 1).map(({ news }) => news));
  assert.deepEqual(new Set(odd), new Set(["stopped"]));
});

test("a wait ends when its request does, and leaves nothing behind", async () => {
  const { sessions } = aStage();
  const watch = sessions.watch([phone, other], sessions.changes());
  assert.equal(sessions.size(), 1);
  const news = watch.next(forever);
  watch.stop();
  assert.equal(await news, "stopped");
  assert.equal(sessions.size(), 0);
});

test("every wait ends when the program does", async () => {
  const { sessions } = aStage();
  const waits = [phone, other].map((id) => sessions.watch([id], sessions.changes()).next(forever));
  sessions.close();
  assert.deepEqual(await Promise.all(waits), ["stopped", "stopped"]);
});

suite("whoever follows a device", () => {
  function following(stage: ReturnType<typeof aStage>, ids = [phone, other], waits = true) {
    let news = 0;
    const changesAt = undefined;
    const follower = stage.sessions.follow({ ids, changesAt, waits, onNews: () => (news += 1) });
    return { news: () => news, ...follower };
  }

  test("is told of each change, as are others that follow it", () => {
    const stage = aStage();
    const [one, two] = [following(stage), following(stage, [phone])];
    stage.tell({ kind: "device", id: phone });
    stage.tell({ kind: "device", id: other });
    stage.tell({ kind: "everything" });
    assert.deepEqual([one.news(), two.news()], [3, 2]);
  });

  test("hears nothing more once it has stopped, while others still do", () => {
    const stage = aStage();
    const [one, two, three] = [following(stage), following(stage), following(stage)];
    two.stop();
    stage.tell({ kind: "device", id: phone });
    one.stop();
    stage.tell({ kind: "device", id: phone });
    three.stop();
    three.stop();
    stage.tell({ kind: "device", id: phone });
    stage.tell({ kind: "everything" });
    assert.deepEqual([one.news(), two.news(), three.news()], [1, 0, 2]);
  });

  test("is counted only where it waits", () => {
    const stage = aStage();
    const [one, two] = [following(stage), following(stage, [phone], false)];
    assert.equal(stage.sessions.size(), 1);
    one.stop();
    two.stop();
    assert.equal(stage.sessions.size(), 0);
  });

  test("is told when its time has come, whatever time the others have", async () => {
    let at = Date.now();
    const stage = aStage(() => at);
    const [late, early, none] = [following(stage), following(stage), following(stage)];
    late.expect(new Date(at + 3_600_000));
    early.expect(new Date(at + 5));
    none.expect(undefined);
    await eventually(() => {
      at = Date.now();
      assert.equal(early.news(), 1);
    });
    assert.deepEqual([late.news(), none.news()], [0, 0]);
    late.expect(new Date(at + 1));
    await eventually(() => {
      at = Date.now();
      assert.equal(late.news(), 1);
    });
    assert.equal(early.news(), 1, "once for each time");
    for (const each of [late, early, none]) each.stop();
  });
});
