import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import { bindingsContract } from "../contracts/bindings.ts";
import { intakeContract } from "../contracts/intake.ts";
import { joiningContract } from "../contracts/joining.ts";
import type { StorePlace } from "../contracts/store.ts";
import { anIntake, aReport } from "../support/inventory.ts";
import { deviceId } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";

let server: RedisServer;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

async function inRedis(t: TestContext): Promise<StorePlace> {
  const prefix = `${randomUUID()}:`;
  return {
    async open(deps) {
      const store = await openStore({ redis: { url: server.url, prefix, timeoutMs: 5_000 } }, deps);
      t.after(() => store.close());
      return store;
    },
  };
}

async function inFile(t: TestContext): Promise<StorePlace> {
  const folder = await mkdtemp(path.join(tmpdir(), "postern-intake-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return {
    async open(deps) {
      const store = await openStore({ embedded: { path: path.join(folder, "postern.db") } }, deps);
      t.after(() => store.close());
      return store;
    },
  };
}

test("a key that is no hash is in nobody's way: a report makes a record of it", async (t) => {
  const prefix = `${randomUUID()}:`;
  const store = await openStore({ redis: { url: server.url, prefix, timeoutMs: 5_000 } });
  t.after(() => store.close());
  await server.cli("SET", `${prefix}device:APPLF1`, "compliant");
  await server.cli("LPUSH", `${prefix}binding:APPLF1`, "x");
  assert.equal((await anIntake(store).take(aReport())).kind, "accepted");
  assert.equal((await store.facts([deviceId("APPLF1")], "alice")).record?.owner, "alice");
});

intakeContract("intake into Redis", inRedis);
intakeContract("intake into a file", inFile);
joiningContract("joining in Redis", inRedis);
joiningContract("joining in a file", inFile);
bindingsContract("bindings in Redis", inRedis);
bindingsContract("bindings in a file", inFile);
