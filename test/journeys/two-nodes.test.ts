/** Two gates on one Redis: a phone may hit either at any request, and either acts at once on what anybody writes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import type { Phone } from "../../src/phone/phone.ts";
import type { PhoneState } from "../../src/phone/state.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";

async function twoGates(
  t: TestContext,
): Promise<{ readonly one: Gate; readonly other: Gate; readonly redis: RedisServer }> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const one = await aGate(t, { store: await openStore({ redis: { url: redis.url } }) });
  const other = await aGate(t, { store: await openStore({ redis: { url: redis.url } }), upstream: one.upstreamUrl });
  return { one, other, redis };
}

const subjects = (phone: Phone): string[] => phone.inbox().map(({ subject }) => subject);
const notice = "Remove TikTok from your iPhone to get your mail back";

test("a Ping that one gate holds ends when a script writes to Redis, in both directions", async (t) => {
  const { one, redis } = await twoGates(t);
  await one.reports("PHONEA", clean);
  const phone = one.phone();
  await phone.refresh();
  const parked = phone.ping(480);
  await one.upstream.whenParked(1);
  await redis.cli("HSET", "postern:device:PHONEA", "compliance", "noncompliant", "reasons", "com.zhiliaoapp.musically");
  assert.equal((await parked).kind, "changes");
  await phone.refresh();
  assert.deepEqual(subjects(phone), [notice]);

  const held = phone.ping(480);
  await one.whenWaiting(1);
  await redis.cli("HSET", "postern:device:PHONEA", "compliance", "compliant");
  assert.equal((await held).kind, "changes");
  await phone.refresh();
  assert.equal(subjects(phone).length, 3);
});

test("a phone that is sent from gate to gate at every request sees one mailbox", async (t) => {
  const { one, other } = await twoGates(t);
  await one.reports("PHONEA", clean);
  let state: PhoneState | undefined;
  const visit = async (gate: Gate): Promise<string[]> => {
    const phone: Phone = gate.phone(state === undefined ? {} : { state });
    await phone.refresh();
    state = phone.state();
    return subjects(phone);
  };
  assert.equal((await visit(one)).length, 3);
  await other.reports("PHONEA", withTiktok);
  for (const gate of [one, other, one, other]) assert.deepEqual(await visit(gate), [notice]);
  await one.reports("PHONEA", clean);
  for (const gate of [other, one]) assert.equal((await visit(gate)).length, 3);
  for (const { body } of one.upstream.journal())
    assert.equal(body?.toString("latin1").includes("{50535451-") ?? false, false);
});
