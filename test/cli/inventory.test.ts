/** `postern inventory`: what operators see of management systems, and what they can have them do. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { askForSync, followSync } from "../../src/cli/sync-wish.ts";
import { ConnectorFailure } from "../../src/inventory/connector.ts";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { readState, stateKey, writtenState } from "../../src/sync/connector-state.ts";
import type { ConnectorState } from "../../src/sync/connector-state.ts";
import { startSync } from "../../src/sync/sync.ts";
import { aListSource, aPlainIntake } from "../support/sync-sources.ts";
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
    const place = await aPlace(t);
    const { inventory } = place;
    await place.write({
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
    const told: unknown = JSON.parse((await inventory("status", "--json")).stdout);
    const first: unknown = Array.isArray(told) ? told[0] : undefined;
    assert.ok(
      typeof first === "object" && first !== null && "name" in first && "devices" in first && "failures" in first,
    );
    assert.deepEqual([first.name, first.devices, first.failures], ["scripts", 120, 2]);
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
    assert.deepEqual(
      [exitCode, stderr],
      [2, "scripts cannot be asked for everything: it lists nothing, and its devices speak for themselves\n"],
    );
    await eventually(async () => assert.deepEqual(await store.readDocuments([stateKey("scripts")]), [undefined]));
  });
});

suite("a sync that an operator asks for", () => {
  test("is taken up by the node that leads, and waited for", async (t) => {
    const { store } = await aPlace(t);
    const source = aListSource("list");
    source.devices.push({ id: "d1", at: new Date("2026-01-01T00:00:00Z") });
    const sync = await startSync({
      sources: [source],
      listen: undefined,
      store,
      intakeOn: aPlainIntake,
      rechecksOn: createRechecks,
      view: () => Promise.resolve({ managed: undefined, deviceAt: undefined, appsAt: undefined, isHeld: false }),
      appIds: () => [],
      hashDevice: () => "",
      tell: () => undefined,
      now: () => new Date(),
    });
    t.after(() => sync.close());
    const wanted = { full: true, acceptFewer: false, by: "alice" };
    const number = await askForSync(store, "list", wanted);
    assert.equal((await followSync(store, "list", number, 10_000)).devices, 1);
    source.before = () => {
      throw new ConnectorFailure("refused", "no");
    };
    const second = await askForSync(store, "list", wanted);
    assert.equal(second, number + 1);
    assert.equal((await followSync(store, "list", second, 10_000)).failure?.code, "refused");
  });

  test("that does not end in time goes on without whoever waits", async (t) => {
    const { store } = await aPlace(t);
    const number = await askForSync(store, "list", { full: true, acceptFewer: false, by: "alice" });
    await assert.rejects(followSync(store, "list", number, 1), /not done yet; it goes on/);
  });
});
