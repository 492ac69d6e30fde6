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
