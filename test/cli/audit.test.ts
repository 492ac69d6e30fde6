/** `postern audit`: what an operator did is there, also when Redis has lost everything, and whoever touched it is found out. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import * as z from "zod";
import { createMailServer } from "../../src/demo/mail-server.ts";
import { createPhone } from "../../src/phone/phone.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { eventually } from "../support/eventually.ts";
import { aliceAndBob } from "../support/gate.ts";
import { postern, serving } from "../support/postern.ts";
import type { Finished } from "../support/postern.ts";
import { startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";

const tiktok = `id: tiktok
title: TikTok is not permitted
require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }]
`;
const acting = ["--why", "the order of today", "--by", "bob", "--yes"] as const;
const SOON_MS = 20_000;

const entry = z.object({
  kind: z.string(),
  act: z.string(),
  actor: z.string(),
  why: z.string(),
  address: z.string(),
  device: z.nullable(z.string()),
  about: z.array(z.string()),
  version: z.nullable(z.number()),
  before: z.record(z.string(), z.string()),
  after: z.record(z.string(), z.string()),
  sequence: z.number(),
});

interface Bench {
  readonly redis: RedisServer;
  readonly file: string;
  readonly folder: string;
  readonly run: (...args: readonly string[]) => Promise<Finished>;
  readonly ok: (...args: readonly string[]) => Promise<string>;
  readonly list: (...args: readonly string[]) => Promise<readonly z.output<typeof entry>[]>;
}

async function aBench(t: TestContext, upstream = "http://mail.internal"): Promise<Bench> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const directory = aConfigDirectory(
    t,
    `mail: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
upstream: { url: "${upstream}" }
store: { redis: "${redis.url}" }
`,
  );
  const run: Bench["run"] = (...args) =>
    postern(t, [...args, "--config", directory.file], { env: { SSH_CONNECTION: "192.0.2.7 5022 192.0.2.1 22" } });
  const ok: Bench["ok"] = async (...args) => {
    const { exitCode, stdout, stderr } = await run(...args);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  return {
    redis,
    file: directory.file,
    folder: directory.path,
    run,
    ok,
    list: async (...args) =>
      (await ok("audit", "list", "--json", ...args))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => entry.parse(JSON.parse(line))),
  };
}

suite("postern audit", { concurrency: 2 }, () => {
  test("acts on the policy and on records are there with who, why, from where, before and after; a FLUSHALL loses none", async (t) => {
    const { redis, folder, ok, run, list } = await aBench(t);
    const file = path.join(folder, "tiktok.yaml");
    writeFileSync(file, tiktok);
    assert.equal(await ok("audit", "list"), "nothing of that kind is in the audit trail\n");
    await ok("campaign", "apply", file, ...acting);
    await ok("campaign", "retract", "tiktok", ...acting);
    await ok("exempt", "break-glass", "alice", "--hours", "4", "--why", "she is at the airport", "--by", "carol");
    await ok("device", "set", "ABC123", "owner=alice", "platform=ios", "--why", "lost its record");
    await ok("device", "set", "ABC123", "owner=", 'override={"action":"block","why":"=stolen"}', "--by", "=carol");
    await ok("device", "alias", "OTHER9", "ABC123");
    await ok("device", "forget", "ABC123");
    const refused = await run("device", "forget", "ABC123");
    assert.equal(refused.exitCode, 1);
    assert.equal((await run("campaign", "retract", "tiktok", ...acting)).exitCode, 2);

    const all = await list();
    const [forget, alias, override, set, exempt, retract, apply, ...more] = all;
    assert.deepEqual(more, [], "what was refused is no act");
    assert.ok(apply !== undefined && retract !== undefined && exempt !== undefined);
    assert.deepEqual([apply.kind, apply.act, apply.actor, apply.why], ["policy", "apply", "bob", "the order of today"]);
    assert.match(apply.address, /^\S+@\S+ from 192\.0\.2\.7$/);
    assert.deepEqual([apply.about, apply.version, apply.before], [["tiktok"], 1, {}]);
    assert.match(apply.after["campaign tiktok"] ?? "", /com\.zhiliaoapp\.musically/);
    assert.deepEqual([retract.act, retract.version], ["retract", 2]);
    assert.match(retract.after["campaign tiktok"] ?? "", /"mode":"retracted"/);
    assert.doesNotMatch(retract.before["campaign tiktok"] ?? "", /mode/);
    assert.deepEqual([exempt.act, exempt.actor, exempt.why], ["exempt", "carol", "she is at the airport"]);
    assert.deepEqual([set?.after, set?.before, set?.why], [{ owner: "alice", platform: "ios" }, {}, "lost its record"]);
    assert.deepEqual([override?.act, override?.before], ["override", { owner: "alice" }]);
    assert.match(override?.after["override"] ?? "", /stolen/);
    assert.deepEqual([alias?.kind, alias?.after], ["device-alias", { OTHER9: "ABC123" }]);
    assert.deepEqual([forget?.kind, forget?.before["platform"]], ["device-forget", "ios"]);

    assert.deepEqual((await list("--device", "abc123")).length, 4);
    assert.deepEqual((await list("--campaign", "tiktok")).length, 2);
    assert.deepEqual((await list("--actor", "BOB")).length, 2);
    assert.deepEqual((await list("--limit", "3")).length, 3);
    assert.deepEqual(await list("--until", "2020-01-01"), []);
    assert.deepEqual(await list("--since", "2100-01-01"), []);
    assert.match((await run("audit", "list", "--since", "noon")).stderr, /--since must be a time/);
    const shown = await ok("audit", "list");
    assert.match(shown, /^when +what +who +about +change +why\n/);
    assert.match(shown, /policy retract +bob +tiktok +version 2, campaign tiktok +the order of today\n/);
    assert.match(
      shown,
      /device-set override +=carol +ABC123 +owner removed {2}override=\{"action":"block","why":"=stolen"\}/,
    );
    assert.match(
      await ok("audit", "verify"),
      /^ok: 7 in the store, of 1 writers; 7 in the journal \S+\/data\/audit\n$/,
    );

    const lines = (await ok("audit", "export")).trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => entry.parse(JSON.parse(line)).sequence),
      [1, 2, 3, 4, 5, 6, 7],
    );
    const csv = await ok("audit", "export", "--format", "csv", "--actor", "=carol");
    assert.match(csv, /^"at","kind","act","outcome","actor",/);
    assert.match(csv, /\r\n"[^"]+","device-set","override","done","'=carol",/);

    await redis.cli("FLUSHALL");
    const lost = await run("audit", "verify");
    assert.equal(lost.exitCode, 1);
    assert.match(lost.stdout, /^store: entry 1 of [0-9a-f]{16} is missing up to 7: the journal of this machine knows/);
    assert.match(lost.stderr, /the audit trail is broken in one place/);
    await ok("device", "set", "ABC123", "owner=alice");
    const again = await list("--limit", "100");
    assert.deepEqual(
      again.slice(2).map(({ sequence }) => sequence),
      [7, 6, 5, 4, 3, 2, 1],
    );
    assert.deepEqual(
      again.slice(0, 2).map(({ kind }) => kind),
      ["restored", "device-set"],
    );
    assert.match(await ok("audit", "verify"), /^ok: 9 in the store/);

    const place = (await redis.cli("XRANGE", "postern:audit", "-", "+", "COUNT", "2"))
      .split("\n")
      .find((line) => /^\d+-\d+$/.test(line));
    await redis.cli("XDEL", "postern:audit", place ?? "");
    const broken = await run("audit", "verify", "--json");
    assert.equal(broken.exitCode, 1);
    assert.match(broken.stdout, /nothing signed says that they were removed/);
  });

  test("nothing is done where the journal cannot be written, and the way out is said", async (t) => {
    const { ok, run, folder, file } = await aBench(t);
    writeFileSync(path.join(folder, "data"), "a file where the folder should be");
    const refused = await run("device", "set", "ABC123", "owner=alice");
    assert.equal(refused.exitCode, 3);
    assert.match(refused.stderr, /the journal of the audit trail in .* cannot be used: .*POSTERN_AUDIT_JOURNAL/);
    assert.equal((await run("device", "show", "ABC123")).exitCode, 1, "nothing was written");
    const elsewhere = await postern(t, ["device", "set", "ABC123", "owner=alice", "--config", file], {
      env: { POSTERN_AUDIT_JOURNAL: path.join(folder, "other") },
    });
    assert.equal(elsewhere.exitCode, 0, elsewhere.stderr);
    assert.match(await ok("device", "show", "ABC123"), /alice/);
  });

  test("a gate notes changes of verdicts, shows every entry in its log, and stands without a journal", async (t) => {
    const upstream = createMailServer({ users: aliceAndBob, seed: "test" });
    const { url, close } = await upstream.listen();
    t.after(close);
    const { file, folder, ok, list } = await aBench(t, url);
    const campaigns = path.join(folder, "tiktok.yaml");
    writeFileSync(campaigns, tiktok);
    await ok("campaign", "apply", campaigns, ...acting);
    await ok(
      "device",
      "set",
      "PHONEA",
      "owner=alice",
      "platform=ios",
      "appsScope=all",
      "apps=com.zhiliaoapp.musically",
    );
    const gate = await serving(t, ["--config", file], { env: { POSTERN_AUDIT_JOURNAL: path.join(file, "no folder") } });
    await eventually(() => assert.match(gate.stderr(), /"event":"there is no journal of the audit trail/), SOON_MS);
    const phone = createPhone({ url: gate.mailUrl, user: "alice", password: "alice-Pw-1", deviceId: "PHONEA" });
    t.after(() => phone.close());
    await phone.refresh();
    const verdicts = () => list("--device", "PHONEA", "--actor", "postern");
    const [held] = await eventually(async () => {
      const found = await verdicts();
      assert.equal(found.length, 1);
      return found;
    }, SOON_MS);
    assert.deepEqual(
      [held?.kind, held?.act, held?.why, held?.about],
      ["verdict", "quarantine", "app-present", ["tiktok"]],
    );
    await ok("campaign", "retract", "tiktok", ...acting);
    await eventually(async () => {
      await phone.refresh();
      const [released] = await verdicts();
      assert.deepEqual([released?.before["verdict"], released?.after["verdict"]], ["quarantine", "allow"]);
    }, SOON_MS);
    await eventually(() => {
      const lines = gate
        .stderr()
        .split("\n")
        .filter((line) => line.includes('"event":"audit"'));
      const kinds = lines.map((line) => z.object({ kind: z.string(), act: z.string() }).parse(JSON.parse(line)));
      assert.deepEqual(kinds.map(({ kind, act }) => `${kind} ${act}`.trim()).toSorted(), [
        "device-set",
        "policy apply",
        "policy retract",
        "verdict allow",
        "verdict quarantine",
      ]);
      for (const line of lines) assert.doesNotMatch(line, /PHONEA|com\.zhiliaoapp|alice/);
    }, SOON_MS);
    assert.match(await ok("audit", "verify"), /^ok: 5 in the store, of 2 writers; 3 in the journal /);
  });
});
