import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import { auditContract } from "../contracts/audit.ts";
import { documentsContract } from "../contracts/documents.ts";
import { fields, storeContract } from "../contracts/store.ts";
import type { StorePlace } from "../contracts/store.ts";
import { deviceId } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

async function newPlace(t: TestContext): Promise<StorePlace> {
  const prefix = `${randomUUID()}:`;
  return {
    async open(deps) {
      const store = await openStore({ redis: { url: server.url, prefix, timeoutMs: 5_000 } }, deps);
      t.after(() => store.close());
      return store;
    },
  };
}

storeContract("the Redis store", newPlace);
documentsContract("documents in Redis", newPlace);
auditContract("the audit trail in Redis", newPlace);

test("who was seen first is kept for 400 days after the record was there last, and written anew twice in that time", async (t) => {
  const prefix = `${randomUUID()}:`;
  const dayMs = 86_400_000;
  let time = Date.UTC(2026, 10, 20);
  const store = await openStore(
    { redis: { url: server.url, prefix, timeoutMs: 5_000 } },
    { now: () => new Date(time) },
  );
  t.after(() => store.close());
  const ttl = async (): Promise<number> => Number(await server.cli("TTL", `${prefix}first-seen:ABC123`));
  await store.meetEverybody(() => true);
  await store.writeFields(deviceId("ABC123"), fields({ owner: "alice" }));
  await store.meetEverybody(() => true);
  assert.ok((await ttl()) > 399 * 86_400 && (await ttl()) <= 400 * 86_400);
  await server.cli("EXPIRE", `${prefix}first-seen:ABC123`, "1000");
  time += 199 * dayMs;
  await store.meetEverybody(() => true);
  assert.ok((await ttl()) <= 1000, "a look costs no write where there is nothing to say");
  time += 2 * dayMs;
  await store.meetEverybody(() => true);
  assert.ok((await ttl()) > 399 * 86_400);
  assert.deepEqual((await store.readRecords([deviceId("ABC123")]))[0]?.firstSeenAt, new Date(Date.UTC(2026, 10, 20)));
  assert.equal(Number(await server.cli("TTL", `${prefix}first-seen-since`)), -1);
});
