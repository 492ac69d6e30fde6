/** A letter that comes back, from beginning to end: the gate, a real Postfix, a mail server behind it that refuses, the alias. */
import assert from "node:assert/strict";
import { chmod, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { aConfigDirectory } from "../support/config-directory.ts";
import { eventually } from "../support/eventually.ts";
import { postern, program, repository, serving } from "../support/postern.ts";
import { startRedis } from "../support/redis-server.ts";
import { startSmtpServer } from "../support/smtp-server.ts";
import { startPostfix } from "./support/postfix.ts";
import { openScratch } from "./support/scratch.ts";

const PATIENCE_MS = 60_000;

const tiktok = `id: tiktok
title: TikTok is not permitted on phones that read company mail
require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }]
waves: [{ deadline: 2099-07-10T23:59, timezone: America/New_York }]
`;

test("a letter that Postfix could not deliver is shown as one that came back, though nobody heard of it at first", async (t) => {
  for (let folder = repository; folder !== "/"; folder = path.dirname(folder))
    assert.ok(((await stat(folder)).mode & 0o005) === 0o005, `${folder}: the user "nobody" has to come in`);
  const scratch = await openScratch("bounces");
  t.after(() => scratch.close());
  const redis = await startRedis();
  t.after(() => redis.stop());
  const behind = await startSmtpServer();
  t.after(() => behind.stop());
  const bounces = aConfigDirectory(t, `upstream: { url: http://mail.internal }\nstore: { redis: "${redis.url}" }\n`);
  const port = await startPostfix(scratch, {
    domain: "corp.example",
    relayPort: behind.port,
    aliases: { it: `"|${process.execPath} ${program} letters bounced --config ${bounces.file}"` },
  });
  const { file, write } = aConfigDirectory(
    t,
    `upstream: { url: http://mail.internal }
mail: { listen: 127.0.0.1:0 }
admin: { listen: 127.0.0.1:0 }
store: { redis: "${redis.url}" }
notice: { organisation: Example Ltd, from: { name: IT, address: it@corp.example } }
letters: { smtp: "smtp://127.0.0.1:${port}", perMinute: 60000 }
`,
  );
  const operator = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await postern(t, [...args, "--config", file]);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  for (const [device, name] of [
    ["PHONEA", "alice"],
    ["PHONEN", "nobody"],
  ] as const) {
    const facts = ["platform=ios", "appsScope=all", "apps=com.zhiliaoapp.musically"];
    await operator("device", "set", device, `owner=${name}`, `email=${name}@example.net`, ...facts);
  }
  await operator("campaign", "apply", write("tiktok.yaml", tiktok), "--why", "test", "--yes");
  await serving(t, ["--config", file]);

  // Nobody may read that configuration so far. Postfix keeps the report, and says why.
  await eventually(async () => {
    const log = await readFile(`${scratch.directory}/postfix/postfix.log`, "utf8");
    assert.match(
      log,
      /to=<it@corp\.example>.* status=deferred \(temporary failure\. Command output: .* may not be read/,
    );
  }, PATIENCE_MS);
  assert.match(await operator("campaign", "letters", "tiktok"), /^announcement {2}sent {9}2$/m);
  await chmod(bounces.file, 0o644);
  await chmod(path.dirname(bounces.file), 0o755);
  await eventually(async () => {
    const shown = await operator("campaign", "letters", "tiktok");
    assert.match(shown, /^announcement {2}sent {11}1\n {14}bounced {8}1\n/m);
    assert.match(shown, /^ {2}PHONEN {2}nobody@example\.net {2}announcement {2}bounced .* 5\.0\.0 554 /m);
  }, PATIENCE_MS);
  assert.deepEqual(
    behind.messages().map(({ to }) => to),
    ["alice@example.net"],
  );
});
