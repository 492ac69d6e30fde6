import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import supertest from "supertest";
import { openStore } from "../../src/store/open.ts";
import { healthOf } from "../../src/telemetry/health.ts";
import type { HealthFacts } from "../../src/telemetry/health.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import { startRedis } from "../support/redis-server.ts";

const credential = ["alice", "alice-Pw-1"] as const;
const laptop = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

test("a gate with its store says that it lives, has started and is ready", async (t) => {
  const gate = await aGate(t);
  const admin = supertest(gate.app.admin.url);
  await admin.get("/livez").expect(200, "ok\n");
  await admin.get("/startupz").expect(200, { started: true });
  const ready = await admin.get("/readyz").expect(200);
  assert.deepEqual(ready.body, { started: true, store: "live", detail: "", ready: true, state: "ready" });
  await admin.get("/").expect(404);
  await admin.get("/Microsoft-Server-ActiveSync").expect(404);
});

test("the admin side cannot be reached through the mail listener, nor mail through the admin side", async (t) => {
  const gate = await aGate(t);
  for (const name of ["livez", "readyz", "metrics", "startupz"]) await supertest(gate.url).get(`/${name}`).expect(404);
});

test("a node with neither the store nor a memory is not ready, and a warm one is degraded", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const store = await openStore({ redis: { url: redis.url } });
  const gate = await aGate(t, { store });
  const admin = supertest(gate.app.admin.url);
  await gate.reports("PHONEA", clean);
  await gate.phone().folderSync();
  redis.pause();
  t.after(() => redis.resume());
  await eventually(() => assert.equal(store.health().state, "down"));
  const warm = await admin.get("/readyz").expect(200);
  assert.match(warm.text, /"state":"degraded"/);
  await admin.get("/livez").expect(200);
});

test("readiness follows from started, stopping, store and memory", () => {
  const since = new Date(0);
  const facts = (
    parts: Partial<Omit<HealthFacts, "store">> & { readonly store?: "live" | "degraded" | "down" },
  ): HealthFacts => ({
    started: true,
    stopping: false,
    policyKnown: true,
    lastKnownDevices: 0,
    ...parts,
    store: { state: parts.store ?? "live", since, detail: "" },
  });
  const rows = [
    [{}, "ready", true],
    [{ started: false }, "not-ready", false],
    [{ policyProblem: "the store has lost version 8" }, "degraded", true],
    [{ stopping: true }, "stopping", false],
    [{ store: "degraded" }, "degraded", true],
    [{ store: "down" }, "not-ready", false],
    [{ store: "down", lastKnownDevices: 1 }, "degraded", true],
    [{ store: "down", lastKnownDevices: 1, stopping: true }, "stopping", false],
  ] as const;
  for (const [parts, state, ready] of rows) {
    const health = healthOf(facts(parts));
    assert.deepEqual([health.state, health.ready], [state, ready]);
  }
  assert.equal(healthOf(facts({ policyProblem: "lost" })).detail, "lost");
});

test("numbers count decisions by verdict and reason, and name no device and no person", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  await gate.phone().refresh();
  await supertest(gate.url)
    .get("/mail/")
    .auth(...credential)
    .set("User-Agent", laptop);
  await supertest(gate.url).get("/nowhere").expect(404);
  const { text } = await supertest(gate.app.admin.url)
    .get("/metrics")
    .expect(200)
    .expect("Content-Type", /^text\/plain; version=0\.0\.4/);
  assert.match(
    text,
    /^postern_decisions_total\{protocol="activesync",verdict="quarantine",reason="app-present"\} [1-9]/m,
  );
  assert.match(text, /^postern_decisions_total\{protocol="browser",verdict="allow",reason="browser-laptop"\} 1$/m);
  assert.match(text, /^postern_requests_total\{protocol="activesync",command="Sync",code="200"\} [1-9]/m);
  assert.match(text, /^postern_refused_requests_total\{code="not-routed"\} 1$/m);
  assert.match(text, /^postern_store_up 1$/m);
  assert.match(text, /^postern_policy_in_doubt 0$/m);
  assert.doesNotMatch(text, /PHONEA|alice/i);
});

test("a Ping that is held does not count as a slow request", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", clean);
  const phone = gate.phone();
  await phone.refresh();
  const count = async (): Promise<string | undefined> => {
    const { text } = await supertest(gate.app.admin.url).get("/metrics");
    return /^postern_request_duration_seconds_count\{protocol="activesync"\} (\d+)$/m.exec(text)?.[1];
  };
  const before = await count();
  const pinged = phone.ping(480);
  await gate.upstream.whenParked(1);
  gate.upstream.deliver("alice", { from: "carol@corp.example", subject: "News", text: "." });
  await pinged;
  assert.equal(await count(), before);
});

test("the log has a line for each decision, and in it neither device, person, password nor query", async (t) => {
  const logFile = path.join(os.tmpdir(), `postern-log-${process.pid}-${Date.now()}`);
  const gate = await aGate(t, { logFile });
  await gate.reports("PHONEA", { ...withTiktok, deviceAt: new Date(Date.now() - 3_600_000).toISOString() });
  await gate.phone().refresh();
  await supertest(gate.url)
    .post("/Microsoft-Server-ActiveSync?Cmd=Sync&DeviceId=PHONEA&DeviceId=PHONEB&User=alice")
    .expect(400);
  await supertest(gate.url).get("/secret-path?token=alice").expect(404);
  await gate.app.stop(0);
  const text = await readFile(logFile, "utf8");
  const lines: unknown[] = text
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  const decision = lines.find(
    (line) => typeof line === "object" && line !== null && "command" in line && line.command === "Sync",
  );
  assert.ok(typeof decision === "object" && decision !== null);
  for (const field of [
    "request",
    "protocol",
    "device",
    "verdict",
    "reason",
    "state",
    "reportAgeSeconds",
    "httpStatus",
    "decisionMs",
    "totalMs",
  ]) {
    assert.ok(field in decision, field);
  }
  assert.ok("device" in decision && typeof decision.device === "string" && /^[0-9a-f]{16}$/.test(decision.device));
  assert.ok("reportAgeSeconds" in decision && decision.reportAgeSeconds === 3600);
  assert.match(text, /"identity-ambiguous"/);
  assert.doesNotMatch(text, /PHONE|alice|Pw-1|secret-path|token|Basic|DeviceId/);
});
