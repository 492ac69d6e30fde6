/** The script behind the numbers of ARCHITECTURE.md, with a few phones: it measures what it says, and fails where it cannot. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { repository } from "../support/postern.ts";

test("cutting and releasing takes a phone three requests to the notice and three to its mail", async () => {
  const script = path.join(repository, "scripts/measure-cut.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, "--phones", "4", "--json"]);
  const measured: unknown = JSON.parse(stdout);
  assert.ok(typeof measured === "object" && measured !== null);
  const found = new Map<string, unknown>(Object.entries(measured));
  assert.equal(found.get("flips"), 8);
  assert.equal(found.get("Pings that ended and there was nothing to fetch"), 0);
  for (const what of ["requests until the notice is in the Inbox", "requests until the mail of the Inbox is back"])
    assert.deepEqual(found.get(what), { "12.1": [3], "14.1": [3] }, what);
});
