/** `postern campaign preview` and `report`, and the guard of `apply`, as an operator meets them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { KnownFacts } from "../../src/store/record.ts";
import { encodeFields } from "../../src/store/record.ts";
import { openStore } from "../../src/store/open.ts";
import path from "node:path";
import { aConfigDirectory } from "../support/config-directory.ts";
import { postern } from "../support/postern.ts";
import type { Finished } from "../support/postern.ts";
import { deviceId, tiktok } from "../support/records.ts";
import { freePort, startRedis } from "../support/redis-server.ts";

const campaign = `id: tiktok
title: TikTok is not permitted
require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically], android: [com.zhiliaoapp.musically] } }]
waves:
  - { audience: { region: US } }
  - { audience: { region: EU }, deadline: 2035-12-01T23:59, timezone: Europe/Berlin }
guard: { maxDevices: 10 }
`;
const acting = ["--why", "the order of today", "--by", "bob", "--yes"] as const;

type Run = (...args: readonly string[]) => Promise<Finished>;

interface Bench {
  readonly run: Run;
  readonly file: string;
  readonly write: (name: string, text: string) => string;
  /** More of the configuration file. */
  readonly configure: (text: string) => void;
}

/** 60 phones: 15 with the app in each of two regions that are concerned. */
async function aBench(t: TestContext, store: "embedded" | "redis", text = campaign): Promise<Bench> {
  const redis = store === "redis" ? await startRedis() : undefined;
  if (redis !== undefined) t.after(() => redis.stop());
  const place = redis === undefined ? "{ embedded: postern.db }" : `{ redis: "${redis.url}" }`;
  const configuration = `upstream: { url: http://mail.internal }\nstore: ${place}\n`;
  const directory = aConfigDirectory(t, configuration);
  const opened = await openStore(
    redis === undefined
      ? { embedded: { path: path.join(directory.path, "postern.db") } }
      : { redis: { url: redis.url } },
  );
  for (let index = 0; index < 60; index += 1) {
    const facts: KnownFacts = {
      owner: index === 0 ? "=cmd|calc" : `person${index}@corp.example`,
      region: ["US", "EU"][index % 2],
      platform: index % 3 === 0 ? "android" : "ios",
      osVersion: "26.1",
      groups: index < 2 ? ["board"] : ['a "b", c'],
      appsScope: "all",
      apps: index < 30 ? [tiktok] : [],
    };
    // A name that a spreadsheet would obey is none that can be read, so it stands in another field here.
    await opened.writeFields(
      deviceId(`P${index}`),
      encodeFields(index === 0 ? { ...facts, owner: "person0", region: "=cmd|calc", groups: [] } : facts),
    );
  }
  await opened.noteSightings([{ id: deviceId("P2"), account: "person2", at: new Date() }]);
  await opened.close();
  return {
    file: directory.write("tiktok.yaml", text),
    write: (name, contents) => directory.write(name, contents),
    configure: (text) => directory.write("postern.yaml", configuration + text),
    run: (...args) => postern(t, [...args, "--config", directory.file]),
  };
}

suite("see before you pull, on the command line", { concurrency: 4 }, () => {
  for (const store of ["embedded", "redis"] as const) {
    test(`preview says who is hit, within 80 columns, and writes nothing: ${store}`, async (t) => {
      const { run, file } = await aBench(t, store);
      const { exitCode, stdout, stderr } = await run("campaign", "preview", file, "--important", "person1", "person59");
      assert.equal(exitCode, 0, stderr);
      assert.equal(stderr, "", "no bar where nobody looks");
      for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
      assert.match(stdout, /^tiktok: TikTok is not permitted\n60 devices have a record, 59 phones are concerned\.\n/);
      assert.match(stdout, /\n {2}clean already +30 +51% /);
      assert.match(stdout, /\n {2}cut +29 +49% /);
      assert.match(stdout, /Cut at once 14, at a deadline 15\. Told now: 15\./);
      assert.match(stdout, /2035-12-01 23:00 UTC +15\n/);
      assert.match(stdout, /By region +concerned +clean +told +cut\n {2}EU +30 +15 +0 +15\n {2}US +29 +15 +0 +14\n/);
      assert.match(stdout, /By platform[^\n]*\n {2}ios [^\n]*\n {2}android /);
      assert.match(stdout, /1 active: 1 concerned, 1 of them cut\n {2}0 known to no source/);
      assert.match(stdout, /person1@corp\.example +P1 +cut 2035-12-01 23:00 UTC {2}app-present\n/);
      assert.match(stdout, /person59@corp\.example +P59 +clean/);
      assert.match(stdout, /needs --confirm 29\.\n$/);
      assert.match((await run("campaign", "list")).stdout, /no campaigns/);
    });
  }

  test("preview as JSON and as rows has the same phones, and no cell that a spreadsheet obeys", async (t) => {
    const everybody = campaign.replace(
      "{ audience: { region: US } }",
      "{ audience: { ownership: unknown, region: [US, '=cmd|calc'] } }",
    );
    const { run, file } = await aBench(t, "embedded", everybody);
    const json: unknown = JSON.parse((await run("campaign", "preview", file, "--json")).stdout);
    const first: unknown = Array.isArray(json) ? json[0] : undefined;
    assert.ok(typeof first === "object" && first !== null && "cut" in first);
    const rows = (await run("campaign", "preview", file, "--csv")).stdout.split("\r\n").slice(1, -1);
    assert.equal(rows.length, 60);
    assert.equal(rows.filter((row) => row.includes('"cut"')).length, first.cut);
    const hostile = rows.find((row) => row.startsWith('"tiktok","P0",'));
    assert.match(hostile ?? "", /,"'=cmd\|calc",/);
    assert.match(rows.find((row) => row.startsWith('"tiktok","P5",')) ?? "", /,"a ""b"", c",/);
    assert.equal((await run("campaign", "preview", file, "--csv", "--json")).exitCode, 2);
  });

  test("important people of the configuration are in every preview, and before the guard asks", async (t) => {
    const { run, file, configure } = await aBench(t, "embedded");
    configure("preview: { important: [person3, board] }\n");
    const important =
      /\nImportant people\n {2}person1@corp\.example +P1 +cut [^\n]*\n {2}person3@corp\.example +P3 +cut /;
    assert.match((await run("campaign", "preview", file)).stdout, important);
    const both = await run("campaign", "preview", file, "--important", "person59");
    assert.match(both.stdout, important);
    assert.match(both.stdout, /person59@corp\.example +P59 +clean/);
    const refused = await run("campaign", "apply", file, ...acting);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, important);
    const applied = await run("campaign", "apply", file, ...acting, "--confirm", "29");
    assert.match(applied.stdout, important);
  });

  test("apply refuses what is more than the guard allows, until the very number is said", async (t) => {
    const { run, file } = await aBench(t, "embedded");
    const refused = await run("campaign", "apply", file, ...acting);
    assert.equal(refused.exitCode, 2);
    assert.match(
      refused.stderr,
      /^tiktok would cut 29 phones \(48% of 60\)\.\nIts guard allows 10\.\nNothing was changed\./m,
    );
    const other = await run("campaign", "apply", file, ...acting, "--confirm", "28");
    assert.equal(other.exitCode, 2);
    assert.match(other.stderr, /--confirm 28 is another number/);
    assert.match((await run("campaign", "list")).stdout, /no campaigns/);
    const applied = await run("campaign", "apply", file, ...acting, "--confirm", "29");
    assert.equal(applied.exitCode, 0, applied.stderr);
    assert.match(applied.stdout, /version 1 is in force/);
    const audited = (await run("audit", "list", "--actor", "bob")).stdout;
    assert.match(audited, /guard-confirmed +bob +tiktok +tiktok=29 phones +the order of today\n$/);
    assert.equal(audited.match(/guard-confirmed/g)?.length, 1, "what was refused is no act");
    assert.equal((await run("campaign", "retract", "tiktok", ...acting)).exitCode, 0);
    assert.equal((await run("campaign", "resume", "tiktok", ...acting)).exitCode, 2, "the guard asks again");
  });

  test("a campaign that only looks on needs no confirmation, and its report says what it would have done", async (t) => {
    const { run, file, write } = await aBench(t, "embedded");
    assert.equal((await run("campaign", "preview", file)).exitCode, 0);
    const shadow = write("shadow.yaml", `${campaign}mode: shadow\n`);
    assert.equal((await run("campaign", "apply", shadow, ...acting)).exitCode, 0);
    const { exitCode, stdout, stderr } = await run("campaign", "report", "tiktok");
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^tiktok \(shadow\): TikTok is not permitted\n/);
    assert.match(stdout, /mail is kept back +0 +0 +0 +0\n/);
    assert.match(stdout, /Previewed on [^\n]*: 29 would be cut, 29 of whom read mail then\./);
    assert.match(stdout, /What was done\n {2}1 {2}[^\n]* apply {2}bob {2}the order of today/);
    const json: unknown = JSON.parse((await run("campaign", "report", "tiktok", "--json")).stdout);
    assert.ok(typeof json === "object" && json !== null && "wouldBe" in json);
    assert.equal((await run("campaign", "report", "nothing")).exitCode, 1);
  });

  test("a bad file ends with 3 and its faults, a store that does not answer with 4", async (t) => {
    const { run, write } = await aBench(t, "embedded");
    const bad = await run("campaign", "preview", write("bad.yaml", "id: tiktok\ntitle: T\nrequire: []\n"));
    assert.equal(bad.exitCode, 3);
    assert.match(bad.stderr, /bad\.yaml:3:10 require: /);
    const { file, write: writeBeside } = aConfigDirectory(
      t,
      `upstream: { url: http://mail.internal }\nstore: { redis: "redis://127.0.0.1:${await freePort()}" }\n`,
    );
    const away = await postern(t, ["campaign", "preview", writeBeside("tiktok.yaml", campaign), "--config", file]);
    assert.equal(away.exitCode, 4);
    assert.equal(away.stdout, "");
  });
});
