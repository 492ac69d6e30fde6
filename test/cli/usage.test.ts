/** What the program says when it is asked wrongly, and how each command ends. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { postern, repository } from "../support/postern.ts";

suite("a command that is asked wrongly ends with 2, and says why on standard error", { concurrency: 4 }, () => {
  const wrong: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [[], /Usage: postern/],
    [["frobnicate"], /unknown command 'frobnicate'/],
    [["serv"], /Did you mean serve\?/],
    [["serve", "--frobnicate"], /unknown option '--frobnicate'/],
    [["config"], /Usage: postern config/],
    [["device", "show"], /missing required argument 'id'/],
    [["device", "show", "no-such-id!"], /a device id is 1 to 64 letters and digits/],
    [["device", "set", "ABC"], /missing required argument/],
    [["device", "set", "ABC", "compliance"], /write field=value/],
    [["device", "set", "ABC", "compliance=perhaps"], /compliance/],
    [["phone", "inbox"], /required option '--url <url>' not specified/],
    [["notice", "preview", "--wave", "first"], /Not a whole number/],
    [["notice", "preview", "--campaign", "x", "--platform", "fridge"], /Allowed choices are ios, ipados/],
    [["demo", "--port", "many"], /Not a whole number/],
  ];
  for (const [args, says] of wrong) {
    test(`postern ${args.join(" ")}`, async (t) => {
      const { exitCode, stdout, stderr } = await postern(t, args);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, says);
      assert.equal(stdout, "");
    });
  }
});

suite("a command that is asked what it can do ends with 0", { concurrency: 4 }, () => {
  for (const args of [["--help"], ["help"], ["serve", "--help"], ["device", "set", "--help"], ["phone", "--help"]]) {
    test(`postern ${args.join(" ")}`, async (t) => {
      const { exitCode, stdout, stderr } = await postern(t, args);
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, /^Usage: postern/);
      assert.equal(stderr, "");
    });
  }

  test("postern --version says the version of the package", async (t) => {
    const manifest: unknown = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8"));
    const { exitCode, stdout } = await postern(t, ["--version"]);
    assert.equal(exitCode, 0);
    assert.ok(typeof manifest === "object" && manifest !== null && "version" in manifest);
    assert.equal(stdout, `${String(manifest.version)}\n`);
  });
});
