/** Redis goes away under load: whoever was known keeps what they had, and nobody else gets anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "../../src/store/open.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis } from "../support/redis-server.ts";

test("while Redis is frozen, known phones keep their verdict, unknown ones are told to come back, and nobody waits for it", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const store = await openStore({ redis: { url: redis.url } });
  const gate = await aGate(t, { store });
  await gate.reports("PHONEA", clean);
  await gate.reports("PHONEB", withTiktok);
  const good = gate.phone();
  const bad = gate.phone({ user: "bob", password: "bob-Pw-2", deviceId: "PHONEB" });
  await Promise.all([good.refresh(), bad.refresh()]);
  assert.equal(good.inbox().length, 3);
  const [notice] = bad.inbox();
  assert.match(notice?.subject ?? "", /^Remove TikTok/);

  redis.pause();
  t.after(() => redis.resume());
  await eventually(() => assert.equal(store.health().state, "down"));
  gate.upstream.deliver("alice", { from: "carol@corp.example", subject: "Sent meanwhile", text: "." });
  const started = performance.now();
  const [first, second] = await Promise.all([good.refresh(), bad.refresh()]);
  assert.equal(first.kind, "ok");
  assert.equal(second.kind, "ok");
  assert.ok(good.inbox().some(({ subject }) => subject === "Sent meanwhile"));
  assert.deepEqual(bad.inbox(), [notice], "the same message, in the same words");
  const requests = good.journal().length + bad.journal().length;
  assert.ok(performance.now() - started < 200 * requests);

  const stranger = gate.phone({ deviceId: "STRANGER1" });
  const outcome = await stranger.folderSync();
  assert.equal(outcome.kind, "busy");

  redis.resume();
  await eventually(() => assert.equal(store.health().state, "live"));
  await gate.reports("PHONEB", clean);
  await bad.refresh();
  assert.equal(bad.inbox().length, 3);
});
