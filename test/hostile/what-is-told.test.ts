/** Logs and numbers are read by many: no device, no person, no password, no query of anybody stands in them. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { inbox, ping, sync } from "../support/activesync-documents.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { exchangeBytes } from "../support/http.ts";
import { basic, post, target } from "./wire.ts";

async function logged(t: TestContext, work: (gate: Gate) => Promise<void>, upstream?: string): Promise<string> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const logFile = path.join(folder, "log");
  const gate = await aGate(t, { logFile, ...(upstream === undefined ? {} : { upstream }) });
  await work(gate);
  const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
  await setTimeout(100);
  return readFileSync(logFile, "utf8") + metrics;
}

const raw = (gate: Gate, ...lines: readonly string[]): Promise<string> =>
  exchangeBytes(gate.app.mail.port, [...lines, "Connection: close", "", ""].join("\r\n"));

const anybodys =
  /PHONE[AB]|SECRETID|alice|bob|Pw-1|guessed|YWxpY2U|Cmd=|DeviceId=|INBOXNAME|carol|com\.zhiliaoapp|NTLM|secretpath|secretvalue/i;

test("whatever phones and attackers send", async (t) => {
  const text = await logged(t, async (gate) => {
    await gate.reports("PHONEA", { ...clean, owner: "alice" });
    await gate.reports("PHONEB", { ...withTiktok, owner: "bob@demo.example" });
    await gate.phone().refresh();
    await gate.phone({ user: "bob", password: "bob-Pw-2", deviceId: "PHONEB" }).refresh();
    await gate.phone({ password: "guessed" }).refresh();
    await post(gate, "Sync", sync({ key: "0", id: "INBOXNAME" }), { id: "SECRETID" });
    await post(gate, "Ping", Buffer.from("alice"), { headers: { Authorization: "NTLM TlRMTVNT" } });
    await post(gate, "Ping", ping("480", [inbox, "Email"]), { id: "PHONEB", user: "bob" });
    await raw(gate, `POST ${target("Sync")}&DeviceId=SECRETID HTTP/1.1`, "Host: x");
    await raw(gate, `POST ${target("Sync")} HTTP/1.1`, "Host: secretvalue/x");
    await raw(gate, `POST ${target("Sync", "PHONEA", "bob")} HTTP/1.1`, "Host: x", `Authorization: ${basic()}`);
    await raw(gate, "GET /secretpath/alice HTTP/1.1", "Host: x");
    await raw(gate, "GET /mail/%zz HTTP/1.1", "Host: x", "Cookie: secretvalue");
    await raw(gate, "POST /Microsoft-Server-ActiveSync?jAAJBAp2SECRET HTTP/1.1", "Host: x");
  });
  assert.match(text, /"decision"/);
  assert.match(text, /"refused"/);
  assert.doesNotMatch(text, anybodys);
});

test("whatever goes wrong upstream", async (t) => {
  const text = await logged(
    t,
    async (gate) => {
      await gate.reports("PHONEA", clean);
      await gate.reports("PHONEB", withTiktok);
      await post(gate, "Sync", undefined);
      await post(gate, "Sync", undefined, { id: "PHONEB" });
    },
    "http://127.0.0.1:9/secretpath",
  );
  assert.match(text, /upstream-unreachable/);
  assert.doesNotMatch(text, anybodys);
});

test("names of parameters and headers that a client has made up", async (t) => {
  const text = await logged(t, async (gate) => {
    await raw(gate, `POST ${target("Sync")}&SECRETID=1&SECRETID=1 HTTP/1.1`, "Host: x");
    await raw(gate, `POST ${target("Sync")} HTTP/1.1`, "Host: x", "X-SECRETID: 1", "X-SECRETID: 2");
  });
  assert.doesNotMatch(text, anybodys);
});
