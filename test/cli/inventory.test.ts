/** `postern inventory`: what operators see of management systems, and what they can have them do. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { readState, stateKey, writtenState } from "../../src/sync/connector-state.ts";
import type { ConnectorState } from "../../src/sync/connector-state.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { eventually } from "../support/eventually.ts";
import { postern } from "../support/postern.ts";

async function aPlace(t: TestContext) {
  const directory = aConfigDirectory(
    t,
    `upstream: { url: http://mail.internal }
store: { embedded: postern.db }
inventory:
  connectors:
    - { name: scripts, kind: push, secret: 0123456789abcdef0123456789abcdef }
`,
  );
  const store: Store = await openStore({ embedded: { path: `${directory.path}/postern.db` } });
  t.after(() => store.close());
  return {
    store,
    inventory: (...args: readonly string[]) =>
      postern(t, ["inventory", ...args, "--config", directory.file], { env: { NO_COLOR: "1" } }),
    async write(state: Partial<ConnectorState>): Promise<void> {
      const key = stateKey("scripts");
      await store.transact([key], ([fields]) => ({
        changes: [{ key, ...writtenState({ ...readState(fields), ...state }) }],
        result: undefined,
      }));
    },
  };
}

suite("postern inventory", { concurrency: 2 }, () => {
  test("status says how each connector is, what it does, and what to do about it", async (t) => {
    const { inventory, write } = await aPlace(t);
    await write({
      succeededAt: new Date(Date.now() - 3 * 3_600_000),
      devices: 120,
      failures: 2,
      failure: {
        code: "refused",
        detail: "GET /x: HTTP 401, the credential is not accepted",
        at: new Date("2026-11-28T10:00:00Z"),
      },
      fewDevices: { named: 12, before: 120 },
    });
    const { stdout, exitCode } = await inventory("status");
    assert.equal(exitCode, 0);
    assert.match(stdout, /^name +kind +last success/);
    assert.match(stdout, /scripts +push +3 h ago +120 +listens/);
    assert.match(stdout, /! scripts: refused since 2026-11-28 10:00 UTC, 2 in a row: GET \/x: HTTP 401/);
    assert.match(stdout, /postern inventory sync scripts --full --accept-fewer/);
    const [told] = JSON.parse((await inventory("status", "--json")).stdout) as readonly Record<string, unknown>[];
    assert.deepEqual([told?.["name"], told?.["devices"], told?.["failures"]], ["scripts", 120, 2]);
  });

  test("check says that all is well, and knows who is there", async (t) => {
    const { inventory } = await aPlace(t);
    assert.equal((await inventory("check", "scripts")).stdout, "scripts (push): ok\n");
    const { exitCode, stderr } = await inventory("check", "nobody");
    assert.deepEqual([exitCode, stderr], [2, "there is no connector nobody; there are: scripts\n"]);
  });

  test("sync asks nobody who only pushes", async (t) => {
    const { inventory, store } = await aPlace(t);
    const { exitCode, stderr } = await inventory("sync", "scripts");
    assert.deepEqual([exitCode, stderr], [2, "scripts cannot be asked: it only pushes\n"]);
    await eventually(async () => assert.deepEqual(await store.readDocuments([stateKey("scripts")]), [undefined]));
  });
});
