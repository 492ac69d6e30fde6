import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createLastKnownFile } from "../../src/gateway/last-known-file.ts";
import { createLastKnown } from "../../src/gateway/last-known.ts";
import type { Decided, LastKnown } from "../../src/gateway/last-known.ts";
import type { Verdict } from "../../src/policy/verdict.ts";
import { deviceId } from "../support/records.ts";

const mailbox = {
  folders: new Map(),
  issued: new Set<string>(),
  unheard: new Set<never>(),
  ping: undefined,
  notice: undefined,
  warning: undefined,
};
const notice = {
  digest: "d",
  language: "en",
  from: { name: "IT", address: "it@corp.example" },
  subject: "s",
  text: "t",
  html: "h",
};
const secret = new Uint8Array(32).fill(1);

function decided(
  id: string,
  action: "allow" | "quarantine",
  reason: Verdict["reason"] = action === "allow" ? "compliant" : "app-present",
): Decided {
  const verdict: Verdict = {
    action,
    reason,
    state: action === "allow" ? "compliant" : "non-compliant",
    findings: [],
    demands: [],
    changesAt: undefined,
  };
  return {
    spelling: deviceId(id),
    id: deviceId(id),
    account: "alice",
    verdict,
    notice: action === "allow" ? undefined : notice,
    mailbox,
  };
}

function memory(options: { readonly limit?: number; readonly now?: () => number } = {}): LastKnown {
  return createLastKnown({ allowHours: 24, limit: options.limit ?? 10, now: options.now ?? ((): number => 0) });
}

/** The credential that came with it was good. */
function learn(known: LastKnown, one: Decided): void {
  known.remember(one);
  known.vouch(one.spelling, one.account);
}

test("an allow is known for as long as the operator said, and not a moment longer", () => {
  let now = 0;
  const known = memory({ now: () => now });
  learn(known, decided("A", "allow"));
  now = 24 * 3_600_000;
  assert.equal(known.recall(deviceId("A"), "alice")?.action, "allow");
  now += 1;
  assert.equal(known.recall(deviceId("A"), "alice"), undefined);
});

test("what was decided before a record changed is known no more, whichever way it was decided", () => {
  const known = memory();
  for (const action of ["allow", "quarantine"] as const) {
    learn(known, decided("A", action));
    learn(known, decided("B", action));
    known.forget(deviceId("A"));
    assert.equal(known.recall(deviceId("A"), "alice"), undefined);
    assert.equal(known.recall(deviceId("B"), "alice")?.action, action, "the other phone is known as before");
  }
});

test("a quarantine does not age, and keeps its notice", () => {
  let now = 0;
  const known = memory({ now: () => now });
  learn(known, decided("A", "quarantine"));
  now = 1000 * 24 * 3_600_000;
  assert.deepEqual(known.recall(deviceId("A"), "alice")?.notice, notice);
});

test("what is known of one person's phone says nothing about another's with the same id", () => {
  const known = memory();
  learn(known, decided("A", "allow"));
  assert.equal(known.recall(deviceId("A"), "bob"), undefined);
});

test("strangers are not kept, so that inventing ids pushes nobody out", () => {
  const known = memory({ limit: 2 });
  learn(known, decided("A", "allow"));
  for (let index = 0; index < 100; index += 1) learn(known, decided(`X${index}`, "quarantine", "not-enrolled"));
  assert.equal(known.recall(deviceId("A"), "alice")?.action, "allow");
});

test("the memory holds as many devices as its limit, and one more pushes out the oldest", () => {
  const known = memory({ limit: 2 });
  for (const id of ["A", "B"]) learn(known, decided(id, "allow"));
  assert.equal(known.size(), 2);
  learn(known, decided("C", "allow"));
  assert.equal(known.size(), 2);
  assert.equal(known.recall(deviceId("A"), "alice"), undefined);
});

function fileIn(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, "data", "last-known");
}

test("what was known is known after a restart, in order and with its notices", (t) => {
  const file = fileIn(t);
  const before = memory();
  learn(before, decided("A", "allow"));
  learn(before, decided("B", "quarantine"));
  createLastKnownFile(file, secret, before).save();
  const after = memory();
  assert.equal(createLastKnownFile(file, secret, after).load(), undefined);
  const withoutMailbox = (known: LastKnown): unknown =>
    [...known.entries()].map(([key, { id, action, state, at, notice }]) => [key, { id, action, state, at, notice }]);
  assert.deepEqual(withoutMailbox(after), withoutMailbox(before));
});

test("what this run has decided is not replaced by what an earlier one knew", (t) => {
  const file = fileIn(t);
  const before = memory();
  learn(before, decided("A", "allow"));
  createLastKnownFile(file, secret, before).save();
  const after = memory();
  learn(after, decided("A", "quarantine"));
  createLastKnownFile(file, secret, after).load();
  assert.equal(after.recall(deviceId("A"), "alice")?.action, "quarantine");
});

test("a file in which one byte was changed is not used at all", (t) => {
  const file = fileIn(t);
  const before = memory();
  learn(before, decided("A", "quarantine"));
  createLastKnownFile(file, secret, before).save();
  writeFileSync(file, readFileSync(file, "utf8").replace("quarantine", "quarantinE"));
  const after = memory();
  assert.match(createLastKnownFile(file, secret, after).load() ?? "", /not signed/);
  assert.equal(after.size(), 0);
});

test("a file of another installation, an empty one and none at all open nothing", (t) => {
  const file = fileIn(t);
  const after = memory();
  assert.equal(createLastKnownFile(file, secret, after).load(), undefined, "there is none yet");
  const before = memory();
  learn(before, decided("A", "allow"));
  createLastKnownFile(file, new Uint8Array(32).fill(2), before).save();
  assert.match(createLastKnownFile(file, secret, after).load() ?? "", /not signed/);
  writeFileSync(file, "");
  assert.match(createLastKnownFile(file, secret, after).load() ?? "", /not signed/);
  assert.equal(after.size(), 0);
});

test("what was decided about somebody whom nobody has proven is not known, and pushes nobody out", () => {
  const known = memory({ limit: 2 });
  learn(known, decided("A", "allow"));
  for (const id of ["B", "C", "D"]) known.remember(decided(id, "quarantine"));
  assert.equal(known.size(), 1);
  assert.equal(known.recall(deviceId("B"), "alice"), undefined);
  assert.equal(known.recall(deviceId("A"), "alice")?.action, "allow");
});

test("what is known is brought up to date, whoever asks", () => {
  const known = memory();
  learn(known, decided("A", "allow"));
  known.remember(decided("A", "quarantine"));
  assert.equal(known.recall(deviceId("A"), "alice")?.action, "quarantine");
});

test("an allow that the store has overtaken is not learnt from a proof that comes late", () => {
  const known = memory();
  known.remember(decided("A", "allow"));
  known.forget(deviceId("A"));
  known.vouch(deviceId("A"), "alice");
  assert.equal(known.recall(deviceId("A"), "alice"), undefined);
});

test("of people who may be proven yet a thousand are kept, and the oldest of one more is not", () => {
  const known = memory({ limit: 2000 });
  for (let index = 0; index <= 1000; index += 1) known.remember(decided(`A${index}`, "allow"));
  for (const id of ["A0", "A1", "A1000"]) known.vouch(deviceId(id), "alice");
  assert.equal(known.recall(deviceId("A0"), "alice"), undefined);
  assert.equal(known.recall(deviceId("A1"), "alice")?.action, "allow");
  assert.equal(known.recall(deviceId("A1000"), "alice")?.action, "allow");
});

test("what was decided before a record changed is what a record that says nothing certain keeps", () => {
  let now = 0;
  const known = memory({ now: () => now });
  learn(known, decided("A", "allow"));
  known.forget(deviceId("A"));
  for (const reason of ["id-contested", "record-unreadable"] as const)
    known.remember(decided("A", "quarantine", reason));
  assert.equal(known.before(deviceId("A"), "alice"), "allow");
  assert.deepEqual([...known.entries()], [], "nothing of it is kept over a restart");
  now = 24 * 3_600_000 + 1;
  assert.equal(known.before(deviceId("A"), "alice"), undefined, "an allow ages here too");
  now = 0;
  known.remember(decided("A", "allow"));
  assert.equal(known.recall(deviceId("A"), "alice")?.action, "allow", "decided anew, it counts again");
  known.remember(decided("A", "quarantine", "not-enrolled"));
  assert.equal(known.before(deviceId("A"), "alice"), undefined);
});
