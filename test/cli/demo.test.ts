/** `postern demo`: what a stranger sees in the first minute. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { postern, repository, startPostern } from "../support/postern.ts";

test("the demonstration shows both phones, reacts to the command that it prints, and ends with 0 on SIGINT", async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-demo-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const demo = startPostern(t, ["demo", "--folder", folder, "--port", "0"], { env: { npm_lifecycle_event: "start" } });

  await demo.says(/Ctrl-C ends the demonstration/);
  const first = demo.stdout();
  assert.match(first, /Alice's phone has nothing to hide:[^]*Bob's phone has TikTok/);
  assert.match(first, /Remove TikTok/);
  const [gate] = /http:\/\/127\.0\.0\.1:\d+/.exec(first) ?? [];
  assert.ok(gate !== undefined);

  // The command as it stands on the screen, typed where `npm start` was typed.
  const printed = /^ +(npm run postern -- device set .*)$/m.exec(first)?.[1] ?? "";
  const run = (line: string): ReturnType<typeof postern> =>
    postern(t, ["-c", line], { command: ["/bin/sh"], cwd: repository });
  const removed = await run(printed);
  assert.equal(removed.exitCode, 0, removed.stderr);
  await demo.says(/Bob's mail is back:/);

  const again = /Install it again:\n +(npm run postern -- device set .*)\n/.exec(first)?.[1] ?? "";
  assert.equal((await run(again)).exitCode, 0);
  await demo.says(/held again:/);

  const laptop = await fetch(`${gate}/mail/`, {
    headers: { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0" },
  });
  assert.equal(laptop.status, 200);
  assert.match(await laptop.text(), /<html/);

  // What it says about a server of one's own: the file that it wrote is a good configuration.
  const written = path.join(folder, "postern.yaml");
  assert.equal((await postern(t, ["config", "check", "--config", written])).exitCode, 0);
  assert.doesNotMatch(readFileSync(path.join(folder, "postern.log"), "utf8"), /BOBPHONE|ALICEPHONE|(?:alice|bob)-demo/);

  demo.signal("SIGINT");
  const { exitCode, stderr } = await demo.finished;
  assert.equal(exitCode, 0, stderr);
  assert.equal(stderr, "");
});

test("the demonstration takes another port where its own is taken", async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-demo-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const one = startPostern(t, ["demo", "--folder", path.join(folder, "one"), "--port", "0"]);
  const [, port = ""] = await one.says(/http:\/\/127\.0\.0\.1:(\d+) in front of/);
  const other = startPostern(t, ["demo", "--folder", path.join(folder, "other"), "--port", port]);
  const [, otherPort] = await other.says(/http:\/\/127\.0\.0\.1:(\d+) in front of/);
  assert.notEqual(otherPort, port);
  for (const demo of [one, other]) {
    demo.signal("SIGTERM");
    assert.equal((await demo.finished).exitCode, 0);
  }
});
