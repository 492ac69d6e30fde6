/** The documented push, with curl and openssl, at a whole gate: the phone is held, and has its mail back. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createMailServer } from "../../src/demo/mail-server.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { eventually } from "../support/eventually.ts";
import { codeBlocks } from "../support/markdown.ts";
import { postern, repository, startPostern } from "../support/postern.ts";
import type { Running } from "../support/postern.ts";

const secret = "0123456789abcdef0123456789abcdef";

function documentedScript(): string {
  const page = readFileSync(path.join(repository, "docs/connectors/push.md"), "utf8");
  const script = codeBlocks(page).find(({ language }) => language === "bash");
  assert.ok(script !== undefined);
  return script.lines.join("\n");
}

async function run(script: string, env: Readonly<Record<string, string>>): Promise<{ code: number; output: string }> {
  const child = spawn("bash", ["--norc", "-euo", "pipefail", "-c", script], {
    env: { PATH: process.env["PATH"], ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((resolve) => {
    child.once("close", (exitCode) => resolve(exitCode ?? -1));
  });
  return { code, output };
}

async function aPushedGate(t: TestContext, more = "") {
  const upstream = createMailServer({
    users: [
      {
        name: "alice",
        password: "alice-Pw-1",
        displayName: "Alice",
        messages: [{ from: "carol@corp.example", subject: "Real mail", text: "." }],
      },
    ],
  });
  const listening = await upstream.listen();
  t.after(() => listening.close());
  const directory = aConfigDirectory(
    t,
    `upstream: { url: "${listening.url}" }
mail: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
identity: { domains: [corp.example] }
inventory:
  listen: 127.0.0.1:0
  connectors:
    - { name: scripts, kind: push, secretFile: key }
campaigns:
  - id: tiktok
    title: TikTok is not permitted
    require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }]
${more}`,
  );
  directory.write("key", `${secret}\n`);
  const serve = async (
    role: string,
    pattern: RegExp,
  ): Promise<Running & { groups: Readonly<Record<string, string>> }> => {
    const gate = startPostern(t, ["serve", "--role", role, "--config", directory.file]);
    const { groups = {} } = await gate.says(pattern);
    return { ...gate, groups };
  };
  const inbox = async (url: string): Promise<string> => {
    const args = ["phone", "inbox", "--url", url, "--user", "alice", "--device", "APPLF1XK93ABCD"];
    const { stdout, stderr, exitCode } = await postern(
      t,
      [...args, "--state", path.join(directory.path, "phone.json")],
      {
        env: { POSTERN_PHONE_PASSWORD: "alice-Pw-1" },
      },
    );
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  return { directory, serve, inbox };
}

const all = /^postern: mail (?<mail>\S+) {2}admin (?<admin>\S+) {2}inventory (?<inventory>\S+)\n/;

suite("a push", () => {
  test("as documented holds the phone, and gives its mail back when the app is gone", async (t) => {
    const { serve, inbox } = await aPushedGate(t);
    const gate = await serve("all", all);
    const { mail = "", inventory = "", admin = "" } = gate.groups;
    const env = { SECRET: secret, URL: inventory };
    const script = documentedScript();

    const held = await run(script, env);
    assert.deepEqual(held, { code: 0, output: '{"results":[{"result":"accepted"}]}' });
    assert.match(await inbox(mail), /Remove TikTok/);
    const wrong = await run(script, { ...env, SECRET: "x".repeat(32) });
    assert.notEqual(wrong.code, 0);
    await run(
      script.replace('"com.zhiliaoapp.musically"', '"com.example.other"').replace("date -u", "sleep 1; date -u"),
      env,
    );
    assert.match(await inbox(mail), /Real mail/);

    const metrics = await (await fetch(`${admin}/metrics`)).text();
    assert.match(metrics, /postern_inventory_reports_total\{source="scripts",result="accepted"\} 2/);
    assert.match(metrics, /postern_inventory_requests_total\{source="scripts",code="403"\} 1/);
    await eventually(
      async () => assert.match(await (await fetch(`${admin}/metrics`)).text(), /postern_inventory_leading 1/),
      10_000,
    );
    assert.equal((await fetch(`${inventory}/livez`)).status, 200);
    const openApi: unknown = await (await fetch(`${inventory}/v1/openapi.json`)).json();
    assert.deepEqual(openApi, JSON.parse(readFileSync(path.join(repository, "config/inventory-openapi.json"), "utf8")));
    gate.signal("SIGTERM");
    assert.equal((await gate.finished).exitCode, 0);
  });

  test("may come to a node of the role sync, beside a gateway that has no such listener", async (t) => {
    const { serve, inbox } = await aPushedGate(t);
    const gateway = await serve("gateway", /^postern: mail (?<mail>\S+) {2}admin \S+\n/);
    const sync = await serve("sync", /^postern: admin (?<admin>\S+) {2}inventory (?<inventory>\S+)\n/);
    const { inventory = "", admin = "" } = sync.groups;
    assert.equal((await run(documentedScript(), { SECRET: secret, URL: inventory })).code, 0);
    assert.match(await inbox(gateway.groups["mail"] ?? ""), /Remove TikTok/);
    const ready = await fetch(`${admin}/readyz`);
    assert.equal(ready.status, 200);
    for (const node of [gateway, sync]) node.signal("SIGTERM");
    assert.deepEqual([(await gateway.finished).exitCode, (await sync.finished).exitCode], [0, 0]);
  });

  test("finds no listener where its address is taken, and the program says so and does not start", async (t) => {
    const { directory, serve } = await aPushedGate(t);
    const gate = await serve("all", all);
    const taken = new URL(gate.groups["inventory"] ?? "").host;
    const other = await postern(t, ["serve", "--config", directory.file], { env: { POSTERN_INVENTORY_LISTEN: taken } });
    assert.equal(other.exitCode, 1, other.stderr);
    assert.match(other.stderr, /cannot listen: .*EADDRINUSE/);
  });
});
