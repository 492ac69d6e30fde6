import { randomUUID } from "node:crypto";
import { after, before } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import { documentsContract } from "../contracts/documents.ts";
import { storeContract } from "../contracts/store.ts";
import type { StorePlace } from "../contracts/store.ts";
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
