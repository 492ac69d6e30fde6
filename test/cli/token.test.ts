/** `postern token create`, against a running gate. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { postern, serving } from "../support/postern.ts";

test("a token that the command makes does what its role may, and stands for whom it says", async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-token-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "postern.yaml");
  const write = (localTokens: boolean): void =>
    writeFileSync(
      file,
      `upstream: { url: http://127.0.0.1:9 }\nstore: { embedded: postern.db }\nadmin: { access: { localTokens: ${localTokens} } }\n`,
    );
  const create = (...more: string[]) => postern(t, ["token", "create", "--config", file, ...more]);
  write(false);
  const refused = await create("--role", "viewer", "--for", "nightly report");
  assert.equal(refused.exitCode, 3);
  assert.match(refused.stderr, /admin\.access\.localTokens/);
  write(true);
  assert.equal((await create("--role", "viewer", "--for", "nightly report")).exitCode, 3);
  const free = { POSTERN_MAIL_LISTEN: "127.0.0.1:0", POSTERN_ADMIN_LISTEN: "127.0.0.1:0" };
  const gate = await serving(t, ["--config", file], { env: free });
  const made = await create("--role", "viewer", "--for", "nightly report");
  assert.equal(made.exitCode, 0, made.stderr);
  const ask = (below: string, method = "GET") =>
    fetch(`${gate.adminUrl}/api/v1${below}`, { method, headers: { authorization: `Bearer ${made.stdout.trim()}` } });
  const me: unknown = await (await ask("/me")).json();
  assert.ok(typeof me === "object" && me !== null && "name" in me && "role" in me && "means" in me);
  assert.deepEqual([me.name, me.role, me.means], ["nightly report", "viewer", "local-token"]);
  assert.equal((await ask("/config")).status, 403);
  for (const [hours, exitCode] of [
    ["24", 0],
    ["25", 2],
    ["0", 2],
  ] as const)
    assert.equal((await create("--role", "admin", "--for", "x", "--hours", hours)).exitCode, exitCode, hours);
  assert.equal((await create("--role", "root", "--for", "x")).exitCode, 2);
  assert.equal((await create("--role", "admin", "--for", "")).exitCode, 2);
});
