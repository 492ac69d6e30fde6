/** docs/api.md: every command in it is run, as it is written, against a real gate. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { problems } from "../../src/admin/problem.ts";
import { anAdminSide, tiktok } from "../support/admin-api.ts";
import { requirePackage } from "../support/debian.ts";
import { clean } from "../support/gate.ts";
import { codeBlocks } from "../support/markdown.ts";
import { repository } from "../support/postern.ts";

const run = promisify(execFile);
const page = readFileSync(path.join(repository, "docs/api.md"), "utf8");

test("every request of the page is answered well, one after another", async (t) => {
  const curl = await requirePackage("curl", "curl");
  const admin = await anAdminSide(t);
  await admin.reports("PHONEA", { ...clean, owner: "alice" });
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-api-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, "campaigns.json"), JSON.stringify({ campaigns: [tiktok] }));
  writeFileSync(
    path.join(folder, "apply.json"),
    JSON.stringify({ campaigns: [tiktok], why: "the order of the board" }),
  );
  const commands = codeBlocks(page)
    .filter(({ language }) => language === "sh")
    .flatMap(({ lines }) => lines)
    .filter((line) => line.startsWith("curl "));
  assert.ok(commands.length > 10);
  const TOKEN = admin.token({ roles: ["p-operator"] });
  for (const command of commands) {
    const line = command.replace(/^curl /, `${curl} `).replaceAll("http://127.0.0.1:8081", admin.app.admin.url);
    const { stdout } = await run("/bin/sh", ["-c", line], {
      cwd: folder,
      env: { TOKEN, PATH: process.env["PATH"] ?? "" },
    });
    assert.doesNotThrow(() => JSON.parse(stdout), `${command}: ${stdout}`);
  }
});

test("every problem that the page names is one", () => {
  for (const [, name = ""] of page.matchAll(/(?:4\d\d|503) `([a-z-]+)`|^`([a-z-]+)` has `errors`/gm))
    if (name !== "") assert.ok(Object.hasOwn(problems, name), name);
});

test("what the page has of a configuration is good", async (t) => {
  const written =
    codeBlocks(page)
      .find(({ language }) => language === "yaml")
      ?.lines.join("\n") ?? "";
  assert.match(written, /keysFile: keys\.json/);
  // The gate of these tests has one of its own; only the keys must be such.
  const names = [...written.matchAll(/^ {4}(\w+):/gm)].map(([, name = ""]) => name);
  const schema = readFileSync(path.join(repository, "config/postern.schema.json"), "utf8");
  for (const name of names) assert.ok(schema.includes(`"${name}"`), name);
  assert.ok(names.length >= 7);
  t.diagnostic(names.join(" "));
});
