/** `postern config`: what an operator sees before the first port opens. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { aConfigDirectory } from "../support/config-directory.ts";
import { postern, repository } from "../support/postern.ts";

const example = path.join(repository, "config/postern.example.yaml");

suite("postern config", { concurrency: 4 }, () => {
  test("check ends with 0 for a good file", async (t) => {
    const { exitCode, stdout } = await postern(t, ["config", "check", "--config", example]);
    assert.equal(exitCode, 0);
    assert.equal(stdout, "ok: 5 routes, 1 campaign\n");
  });

  test("check takes the file from POSTERN_CONFIG, and a flag outranks it", async (t) => {
    const minimal = path.join(repository, "config/minimal.yaml");
    const env = { POSTERN_CONFIG: minimal };
    const [byVariable, byFlag] = await Promise.all([
      postern(t, ["config", "check"], { env }),
      postern(t, ["config", "check", "-c", example], { env }),
    ]);
    assert.match(byVariable.stdout, /^ok: \d+ routes, 0 campaigns\n$/);
    assert.equal(byFlag.stdout, "ok: 5 routes, 1 campaign\n");
  });

  test("check names all faults with line and column, repeats no value, and ends with 3", async (t) => {
    const { file } = aConfigDirectory(
      t,
      `mail:
  listen: everywhere
  limits: { bodyBytes: 5 }
upstream: { url: "ftp://user:hunter2@mail.internal" }
campains: []
stance:
  stale: maybe-hunter2
`,
    );
    const { exitCode, stdout, stderr } = await postern(t, ["config", "check", "--config", file]);
    assert.equal(exitCode, 3);
    assert.equal(stdout, "");
    const lines = stderr.trimEnd().split("\n");
    const places = lines.slice(0, -1).map((line) => /^(\S+):(\d+):(\d+) (\S+): /.exec(line)?.slice(1, 5));
    assert.deepEqual(places, [
      [file, "2", "11", "mail.listen"],
      [file, "3", "24", "mail.limits.bodyBytes"],
      [file, "4", "18", "upstream.url"],
      [file, "5", "1", "campains"],
      [file, "7", "10", "stance.stale"],
    ]);
    assert.match(lines.at(-1) ?? "", /^5 faults in the configuration$/);
    assert.match(stderr, /did you mean "campaigns"\?/);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  test("check ends with 3 where there is no such file, and no file at all", async (t) => {
    const missing = await postern(t, ["config", "check", "--config", "no/such/file.yaml"]);
    assert.equal(missing.exitCode, 3);
    assert.match(missing.stderr, /no\/such\/file\.yaml/);
    const none = await postern(t, ["config", "check"]);
    assert.equal(none.exitCode, 3);
    assert.match(none.stderr, /upstream/);
  });

  test("show prints what holds and where it came from, can be read again, and masks every secret", async (t) => {
    const { file, write } = aConfigDirectory(
      t,
      `upstream: { url: http://mail.internal }
store:
  redis: { url: "redis://postern:hunter2@redis.internal:6380/1" }
`,
    );
    const { exitCode, stdout, stderr } = await postern(t, ["config", "show", "--config", file], {
      env: { POSTERN_LOG_LEVEL: "warn" },
    });
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /hunter2/);
    assert.match(stdout, /\*\*\*/);
    assert.match(stdout, /level: warn # POSTERN_LOG_LEVEL/);
    assert.match(stdout, /listen: 127\.0\.0\.1:8080 # default/);
    assert.match(stdout, new RegExp(`url: http://mail.internal # ${file}:1`));

    const withoutSecrets = stdout.replaceAll(/.*\*\*\*.*\n/g, "");
    const again = await postern(t, ["config", "check", "--config", write("again.yaml", withoutSecrets)]);
    assert.doesNotMatch(again.stderr, /unknown/);
  });

  test("schema prints the JSON Schema that editors are given, and the example names it", async (t) => {
    const { exitCode, stdout } = await postern(t, ["config", "schema"]);
    assert.equal(exitCode, 0);
    assert.equal(stdout, readFileSync(path.join(repository, "config/postern.schema.json"), "utf8"));
    assert.match(readFileSync(example, "utf8"), /\$schema=\.\/postern\.schema\.json/);
    assert.ok(parse(readFileSync(example, "utf8")));
  });
});
