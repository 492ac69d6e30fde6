/** Two gates on one Redis: a phone may hit either at any request, and either acts at once on what anybody writes. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Phone } from "../../src/phone/phone.ts";
import type { PhoneState } from "../../src/phone/state.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate, GateOptions } from "../support/gate.ts";
import { aServer } from "../support/http.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";

async function twoGates(
  t: TestContext,
  options: GateOptions = {},
): Promise<{ readonly one: Gate; readonly other: Gate; readonly redis: RedisServer }> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const storeOf = (): Promise<Store> => openStore({ redis: { url: redis.url } });
  const one = await aGate(t, { ...options, store: await storeOf() });
  const other = await aGate(t, { ...options, store: await storeOf(), upstream: one.upstreamUrl });
  return { one, other, redis };
}

/** Gives each request to the other gate, as a load balancer does that remembers nobody. */
async function inTurn(t: TestContext, gates: readonly Gate[]): Promise<string> {
  let turn = 0;
  const { url } = await aServer(t, (req, res) => {
    const gate = gates[(turn += 1) % gates.length];
    const { method, headers } = req;
    const forwarded = request(`${gate?.url ?? ""}${req.url ?? ""}`, { method, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    forwarded.on("error", () => res.destroy());
    res.on("close", () => forwarded.destroy());
    req.pipe(forwarded);
  });
  return url;
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

test("a phone of which every request goes to the other gate is warned once, held, and let go, and starts nothing anew in vain", async (t) => {
  const start = new Date("2026-11-24T08:00:00Z");
  let at = start;
  const { one, other } = await twoGates(t, {
    now: () => at,
    config: `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "2026-11-25T12:00", timezone: UTC }]
`,
  });
  await one.reports("PHONEA", clean);
  const phone = one.phone({ url: await inTurn(t, [one, other]) });
  const warning = "Remove TikTok from your iPhone to keep your mail";
  const seen = async (): Promise<string[]> => {
    assert.equal((await phone.refresh()).kind, "ok");
    return subjects(phone).toSorted();
  };
  const mail = (await seen()).toSorted();
  assert.equal(mail.length, 3);
  for (let time = 0; time < 3; time += 1) {
    await (time % 2 === 0 ? one : other).reports("PHONEA", withTiktok);
    await seen();
    assert.deepEqual(await seen(), [...mail, warning].toSorted());
    await other.reports("PHONEA", clean);
    await seen();
    assert.deepEqual(await seen(), mail);
  }
  for (const { name, resets } of phone.state().folders) assert.equal(resets, 0, name);

  await one.reports("PHONEA", withTiktok);
  await seen();
  at = new Date("2026-11-25T12:01:00Z");
  await seen();
  assert.deepEqual(await seen(), [notice]);
  await one.reports("PHONEA", clean);
  await seen();
  assert.deepEqual(await seen(), mail);
  for (const { name, resets } of phone.state().folders) assert.ok(resets <= 2, name);
  for (const { body } of one.upstream.journal())
    assert.doesNotMatch(body?.toString("latin1") ?? "", /\{50535451-|:20000\d{5}/);
});
