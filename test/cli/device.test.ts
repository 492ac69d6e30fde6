/** `postern device`: the store as an operator reads and writes it. */
import assert from "node:assert/strict";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { aConfigDirectory } from "../support/config-directory.ts";
import { postern } from "../support/postern.ts";
import type { Finished } from "../support/postern.ts";
import { freePort, startRedis } from "../support/redis-server.ts";

type Device = (...args: readonly string[]) => Promise<Finished>;

function onStore(t: TestContext, store: string): Device {
  const { file } = aConfigDirectory(t, `upstream: { url: http://mail.internal }\nstore: ${store}\n`);
  return (command = "", ...args) => postern(t, ["device", command, ...args, "--config", file]);
}

const stores: readonly (readonly [title: string, open: (t: TestContext) => Promise<string>])[] = [
  ["the embedded store", () => Promise.resolve("{ embedded: postern.db }")],
  [
    "Redis",
    async (t): Promise<string> => {
      const redis = await startRedis();
      t.after(() => redis.stop());
      return `{ redis: "${redis.url}" }`;
    },
  ],
];

suite("postern device", { concurrency: 4 }, () => {
  for (const [title, open] of stores) {
    test(`sets, shows, lists, binds and forgets on ${title}`, async (t) => {
      const device = onStore(t, await open(t));

      const set = await device("set", "abc", "owner=alice", "platform=ios", "apps=com.zhiliaoapp.musically");
      assert.equal(set.exitCode, 0, set.stderr);
      assert.equal(set.stdout, "ABC: owner=alice  platform=ios  apps=com.zhiliaoapp.musically\n");
      assert.equal((await device("set", "ABC", "platform=", "region=US")).stdout, "ABC: region=US  platform removed\n");

      const shown = await device("show", "ABC");
      assert.equal(shown.exitCode, 0);
      assert.match(
        shown.stdout,
        /^ABC\n {2}apps +com\.zhiliaoapp\.musically\n {2}owner +alice\n {2}region +US\n {2}first seen +not noted yet\n$/,
      );
      const parsed: unknown = JSON.parse((await device("show", "ABC", "--json")).stdout);
      assert.ok(typeof parsed === "object" && parsed !== null && "owner" in parsed);
      assert.equal(parsed.owner, "alice");

      const listed = await device("list");
      assert.equal(listed.stdout, "ABC\talice\t-\t-\n");
      assert.equal((await device("list", "--json")).stdout.trim().split("\n").length, 1);

      const bound = await device("alias", "41424344", "abc");
      assert.equal(bound.stdout, "41424344 → ABC\n");

      assert.equal((await device("forget", "ABC")).stdout, "ABC: forgotten\n");
      const gone = await device("show", "ABC");
      assert.equal(gone.exitCode, 1);
      assert.equal(gone.stderr, "no record of ABC\n");
      assert.equal((await device("forget", "ABC")).exitCode, 1);
      assert.equal((await device("list")).stdout, "");
    });
  }

  test("set writes nothing of a record that could not be read back", async (t) => {
    const device = onStore(t, "{ embedded: postern.db }");
    const refused = await device("set", "ABC", "owner=alice", "compliance=perhaps", "timezone=Mars/Base");
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /^timezone .*\ncompliance .*\n$/);
    assert.equal((await device("show", "ABC")).exitCode, 1);
  });

  test("show names what cannot be read, and what is no field", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const device = onStore(t, `{ redis: "${redis.url}" }`);
    await redis.cli(
      "HSET",
      "postern:device:ABC",
      "complaince",
      "compliant",
      "compliance",
      "perhaps",
      "model",
      "a\u001b[2Jb",
    );
    const { exitCode, stdout } = await device("show", "ABC");
    assert.equal(exitCode, 0);
    assert.match(stdout, /! compliance /);
    assert.match(stdout, /! complaince is no field of the contract and is ignored/);
    assert.ok(!stdout.includes("\u001b"), "nothing in a record steers a terminal");
  });

  test("a store that does not answer ends with 4", async (t) => {
    const device = onStore(t, `{ redis: "redis://127.0.0.1:${await freePort()}" }`);
    const { exitCode, stdout, stderr } = await device("list");
    assert.equal(exitCode, 4);
    assert.equal(stdout, "");
    assert.match(stderr, /^the store does not answer: /);
  });

  test("a store that cannot be used ends with 3", async (t) => {
    const { file, path: folder } = aConfigDirectory(t, "upstream: { url: http://mail.internal }\n");
    const env = { POSTERN_STORE_EMBEDDED: path.join(folder, "postern.yaml") };
    const { exitCode, stderr } = await postern(t, ["device", "list", "--config", file], { env });
    assert.equal(exitCode, 3);
    assert.match(stderr, /^the file of the store cannot be used: /);
  });
});
