/** Phones that ask the same for ever, over HTTP: each is stopped, nothing of it goes upstream, and operators hear of it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { decode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { inbox, ping, sync, textsIn } from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { post } from "./wire.ts";

async function statusOf(gate: Gate, command: string, document: Element | undefined): Promise<string> {
  const { status, body } = await post(gate, command, document);
  return status === 200 ? textsIn(decode(body), "AirSync:Status").join() : `HTTP ${status}`;
}

const refused = sync({ key: "{1a2b3c4d-0000-4000-8000-000000000000}7", id: inbox });

test("operators hear of a phone that goes in circles, by a hash of its name and the kind of circle", async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const logFile = path.join(folder, "log");
  const gate = await aGate(t, { logFile });
  await gate.reports("PHONEA", withTiktok);
  await gate.phone().refresh();
  const told: string[] = [];
  for (let time = 0; time < 8; time += 1) told.push(await statusOf(gate, "Sync", refused));
  assert.deepEqual(told, ["3", "3", "3", "12", "HTTP 503", "HTTP 503", "HTTP 503", "HTTP 503"]);

  const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
  assert.match(metrics, /^postern_stopped_loops_total\{kind="sync-key-refused"\} 1$/m);
  const lines = await eventually(() => {
    const found = readFileSync(logFile, "utf8")
      .split("\n")
      .filter((line) => line.includes('"event":"loop"'));
    assert.ok(found.length > 0);
    return found;
  });
  assert.equal(lines.length, 1);
  const [line = ""] = lines;
  assert.match(line, /"kind":"sync-key-refused"/);
  assert.match(line, /"device":"[0-9a-f]{16}"/);
  assert.doesNotMatch(line, /PHONEA|alice|1a2b3c4d/);
  for (const { root } of gate.upstream.journal()) assert.notEqual(root?.tag, "AirSync:Sync", "nothing went upstream");
});

test("a phone that goes from node to node is stopped by each of them after as many answers", async (t) => {
  const one = await aGate(t);
  const other = await aGate(t, { store: one.store, upstream: one.upstreamUrl });
  await one.reports("PHONEA", withTiktok);
  await one.phone().refresh();
  const told: string[] = [];
  for (let time = 0; time < 12; time += 1) told.push(await statusOf(time % 2 === 0 ? one : other, "Sync", refused));
  assert.equal(told.filter((status) => status !== "HTTP 503").length, 8, "four answers from each node");
  assert.deepEqual(told.slice(8), ["HTTP 503", "HTTP 503", "HTTP 503", "HTTP 503"]);
});

test("a Ping that was refused a moment ago is not refused at once again", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  const tooShort = ping("1", [inbox, "Email"]);
  assert.equal((await post(gate, "Ping", tooShort)).status, 200);
  const again = post(gate, "Ping", tooShort);
  await gate.whenWaiting(1);
  await gate.reports("PHONEA", { apps: "[]" });
  assert.equal((await again).status, 200, "it ends when the phone is let through");
});
