/** Somebody with a good password who tries one device id after the other is stopped, and nobody is stopped in somebody else's name. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { post } from "../hostile/wire.ts";
import { inbox, sync } from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";

const ask = async (gate: Gate, id: string, password?: string): Promise<number> =>
  (await post(gate, "Sync", sync({ key: "0", id: inbox }), { id, ...(password === undefined ? {} : { password }) }))
    .status;

interface Logged {
  readonly logFile: string;
  readonly log: () => string;
}

function aLog(t: TestContext): Logged {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-ids-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const logFile = path.join(folder, "log");
  return { logFile, log: () => readFileSync(logFile, "utf8") };
}

test("twenty ids in an hour are answered, one more is not, even if it is one that would be let in", async (t) => {
  let at = new Date("2026-11-24T08:00:00Z");
  const { logFile, log } = aLog(t);
  const gate = await aGate(t, { logFile, now: () => at });
  await gate.reports("TREASURE", clean);
  for (let index = 0; index < 20; index += 1) assert.equal(await ask(gate, `GUESS${index}`), 200);
  const before = gate.upstream.journal().length;
  for (const id of ["TREASURE", "GUESS20"]) {
    const answer = await post(gate, "Sync", undefined, { id });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers["retry-after"], "3600");
  }
  assert.equal(gate.upstream.journal().length, before);
  assert.equal(await ask(gate, "GUESS7"), 200, "an id that was counted is answered as before");
  const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
  assert.match(metrics, /postern_refused_requests_total\{code="too-many-devices"\} 2/);
  await eventually(() => assert.match(log(), /"too-many-devices"/));
  const alerts = log()
    .split("\n")
    .filter((line) => line.includes("tries many device ids"));
  assert.equal(alerts.length, 1);
  assert.match(alerts[0] ?? "", /"level":"warn".*"person":"[0-9a-f]{16}"/);
  assert.doesNotMatch(log(), /alice|TREASURE|GUESS/);
  at = new Date("2026-11-24T09:00:00Z");
  assert.equal(await ask(gate, "TREASURE"), 200);
});

test("a phone that was let in before is let in all the while", async (t) => {
  const gate = await aGate(t, { config: "mail: { limits: { strangeDevicesPerHour: 2 } }" });
  await gate.reports("PHONEA", clean);
  assert.equal(await ask(gate, "PHONEA"), 200);
  for (const [id, status] of [
    ["GUESS1", 200],
    ["GUESS2", 200],
    ["GUESS3", 503],
    ["PHONEA", 200],
  ] as const) {
    assert.equal(await ask(gate, id), status, id);
  }
});

test("an id of somebody else's phone counts like one that nobody knows", async (t) => {
  const gate = await aGate(t, { config: "mail: { limits: { strangeDevicesPerHour: 1 } }" });
  await gate.reports("PHONEB", { ...clean, owner: "bob" });
  assert.equal(await ask(gate, "PHONEB"), 200);
  assert.equal(await ask(gate, "GUESS1"), 503);
});

test("whoever knows a name and no password tries no ids in that name", async (t) => {
  const gate = await aGate(t, { config: "mail: { limits: { strangeDevicesPerHour: 2 } }" });
  await gate.reports("PHONEA", clean);
  for (let index = 0; index < 5; index += 1) assert.equal(await ask(gate, `GUESS${index}`, "guessed"), 401);
  assert.equal(await ask(gate, "PHONEA"), 200);
  assert.equal(await ask(gate, "MYNEWPHONE"), 200);
});

test("where strangers are let in nobody is counted", async (t) => {
  const gate = await aGate(t, {
    config: "mail: { limits: { strangeDevicesPerHour: 2 } }\nstance: { not-enrolled: allow }",
  });
  for (let index = 0; index < 4; index += 1) assert.equal(await ask(gate, `PHONE${index}`), 200);
});
