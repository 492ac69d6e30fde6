import assert from "node:assert/strict";
import { test } from "node:test";
import { createSessions } from "../../src/gateway/sessions.ts";
import type { Sessions } from "../../src/gateway/sessions.ts";
import type { StoreChange } from "../../src/store/store.ts";
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
