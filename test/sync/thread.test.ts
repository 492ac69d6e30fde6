/** The thread of the sync role: told by its messages, started anew when it ends, and waited for at the end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startSyncThread } from "../../src/sync-thread.ts";
import type { SyncEvent } from "../../src/sync/events.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { eventually } from "../support/eventually.ts";

const patienceMs = 30_000;
const push = "{ name: scripts, kind: push, secret: 0123456789abcdef0123456789abcdef }";

test("the thread is started anew with what the configuration says by then, as long as it takes", async (t) => {
  const yaml = (listen: string): string =>
    `upstream: { url: http://mail.internal }\nstore: { embedded: postern.db }\ninventory:\n  listen: ${listen}\n  connectors: [${push}]\n`;
  const directory = aConfigDirectory(t, yaml("127.0.0.1:0"));
  const told: SyncEvent[] = [];
  const logged = (event: string): number => told.filter((each) => each.kind === "log" && each.event === event).length;
  const task = { sources: { file: directory.file, env: {}, flags: {} }, logKey: new Uint8Array(32) };
  const thread = await startSyncThread(task, (event) => told.push(event), { firstMs: 50, mostMs: 200 });
  t.after(() => thread.close(5000));
  const { address } = thread;
  assert.ok(address !== undefined);
  const url = `http://127.0.0.1:${address.port}`;
  assert.equal((await fetch(`${url}/livez`)).status, 200);
  await eventually(() => assert.equal(logged("this node speaks with the sources now"), 1), patienceMs);

  // Bad from now on, and good again.
  directory.write("postern.yaml", "upstream: [");
  await thread.end();
  await eventually(
    () => assert.ok(logged("the thread that speaks with the sources has ended; it is started anew") >= 2),
    patienceMs,
  );
  directory.write("postern.yaml", yaml(`127.0.0.1:${address.port}`));
  await eventually(async () => assert.equal((await fetch(`${url}/livez`)).status, 200), patienceMs);

  await thread.close(5000);
  await assert.rejects(fetch(`${url}/livez`));
});

test("a thread that cannot start the first time says why", async (t) => {
  const directory = aConfigDirectory(t, "upstream: [");
  const task = { sources: { file: directory.file, env: {}, flags: {} }, logKey: new Uint8Array(32) };
  await assert.rejects(
    startSyncThread(task, () => undefined),
    /postern\.yaml/,
  );
});
