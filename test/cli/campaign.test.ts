/** `postern campaign`, `exempt` and `device why`: what an operator does on a bad afternoon. */
import assert from "node:assert/strict";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import * as z from "zod";
import { aConfigDirectory } from "../support/config-directory.ts";
import { openStore } from "../../src/store/open.ts";
import { postern } from "../support/postern.ts";
import { deviceId } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";
import type { Finished } from "../support/postern.ts";

const base = "upstream: { url: http://mail.internal }\nstore: { embedded: postern.db }\n";
const tiktok = `id: tiktok
title: TikTok is not permitted
require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }]
waves: [{ audience: { region: EU }, deadline: 2030-12-01T23:59, timezone: owner }]
`;
const acting = ["--why", "the order of today", "--by", "bob", "--yes"] as const;

interface Bench {
  readonly run: (...args: readonly string[]) => Promise<Finished>;
  /** The same, and it must end well. */
  readonly ok: (...args: readonly string[]) => Promise<string>;
  readonly write: (name: string, text: string) => string;
}

function aBench(t: TestContext, yaml = base): Bench {
  const directory = aConfigDirectory(t, yaml);
  const run: Bench["run"] = (...args) => postern(t, [...args, "--config", directory.file]);
  return {
    run,
    async ok(...args): Promise<string> {
      const { exitCode, stdout, stderr } = await run(...args);
      assert.equal(exitCode, 0, stderr);
      return stdout;
    },
    write: (name, text) => directory.write(name, text),
  };
}

suite("an operator's afternoon", { concurrency: 4 }, () => {
  test("apply, list, retract, resume, history, difference, roll back", async (t) => {
    const { ok, run, write } = aBench(t);
    const file = write("tiktok.yaml", tiktok);
    assert.equal(await ok("campaign", "list"), "version 0 of the policy in the store\nno campaigns\n");
    assert.match(await ok("campaign", "plan", file), /^campaign tiktok: added\n {4}\+ id: tiktok\n/);
    assert.match(await ok("campaign", "apply", file, ...acting), /\nversion 1 is in force: apply tiktok\n$/);
    assert.match(
      await ok("campaign", "list"),
      /tiktok {2}enforce {2}1 {6}TikTok is not permitted\n {2}tiktok wave 1: EU; deadline 2030-12-01 23:59 on the owner's clock\n$/,
    );
    const again = await run("campaign", "apply", file, ...acting);
    assert.equal(again.exitCode, 2);
    assert.match(again.stderr, /nothing would change/);

    const retracted = await ok("campaign", "retract", "tiktok", ...acting);
    assert.equal(
      retracted,
      "campaign tiktok: changed\n      …\n          deadline: 2030-12-01T23:59\n          timezone: owner\n    + mode: retracted\n" +
        "version 2 is in force: retract tiktok\n",
    );
    await ok("campaign", "resume", "tiktok", ...acting);
    assert.match(await ok("campaign", "diff", "1", "2"), /\+ mode: retracted/);
    assert.match(await ok("campaign", "roll-back", "1", ...acting), /version 4 is in force: roll-back version 1/);

    const history: unknown = JSON.parse(await ok("campaign", "history", "--json"));
    assert.ok(Array.isArray(history));
    assert.deepEqual(
      history.map((each: { version: number; act: string; who: string; why: string }) => [
        each.version,
        each.act,
        each.who,
      ]),
      [
        [4, "roll-back", "bob"],
        [3, "resume", "bob"],
        [2, "retract", "bob"],
        [1, "apply", "bob"],
      ],
    );
    assert.match(await ok("campaign", "history", "--limit", "1"), /^version +when +act +what +who +why\n4 /);
    assert.match(await ok("campaign", "show", "tiktok"), /^id: tiktok\n/);
  });

  test("nothing is done without a yes, a reason, or a file that is right", async (t) => {
    const { run, ok, write } = aBench(t);
    const file = write("tiktok.yaml", tiktok);
    const cases: readonly (readonly [args: readonly string[], exitCode: number, says: RegExp])[] = [
      [["campaign", "apply", file, "--why", "x"], 2, /nothing was changed: say --yes/],
      [["campaign", "apply", file, "--why", "  ", "--yes"], 2, /--why must say why/],
      [["campaign", "apply", file, "--yes"], 2, /--why/],
      [["campaign", "apply", "nowhere.yaml", ...acting], 3, /nowhere\.yaml: ENOENT/],
      [["campaign", "retract", "tiktok", ...acting], 2, /there is no campaign tiktok/],
      [["campaign", "roll-back", "9", ...acting], 1, /there is no version 9/],
      [["exempt", "end", "nothing", ...acting], 2, /there is no exemption nothing/],
      [["exempt", "add", "--campaign", "all", "--until", "2030-01-01", ...acting], 2, /must name an owner/],
      [["exempt", "break-glass", "alice", "--hours", "73", ...acting], 2, /--hours must be 1 to 72/],
      [["device", "why", "A-1"], 2, /1 to 64 letters and digits/],
      [["device", "why", "A1", "--at", "noon"], 2, /--at must be a time/],
    ];
    for (const [args, exitCode, says] of cases) {
      const { exitCode: actual, stderr } = await run(...args);
      assert.equal(actual, exitCode, `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, says);
    }
    const broken = await run("campaign", "apply", write("broken.yaml", tiktok.replace("TikTok is", "")), ...acting);
    assert.equal(broken.exitCode, 0);
    const faulty = await run("campaign", "apply", write("faulty.yaml", `${tiktok}remind: [soon]\n`), ...acting);
    assert.equal(faulty.exitCode, 3);
    assert.match(faulty.stderr, /faulty\.yaml:5:10 remind\[0\]: must be a number of minutes, hours or days/);
    assert.match(await ok("campaign", "list"), /^version 1 /);
  });

  test("campaigns in the configuration file are not changed behind its back", async (t) => {
    const campaign = "{ id: from-file, title: T, require: [{ enrolled: true }] }";
    const { run, ok, write } = aBench(t, `${base}campaigns: [${campaign}]\n`);
    assert.match(await ok("campaign", "list"), /^from the configuration file\n/);
    for (const args of [
      ["campaign", "apply", write("tiktok.yaml", tiktok)],
      ["campaign", "retract", "from-file"],
      ["exempt", "break-glass", "alice", "--hours", "4"],
    ]) {
      const { exitCode, stderr } = await run(...args, ...acting);
      assert.equal(exitCode, 2);
      assert.match(stderr, /stand in the configuration file/);
    }
    const plan = await run("campaign", "plan", write("tiktok.yaml", tiktok));
    assert.deepEqual([plan.exitCode, /what is in the store does not count/.test(plan.stderr)], [0, true]);
    const show = await run("campaign", "show", "from-file");
    assert.match(show.stderr, /what is in the store does not count/);
    assert.match(await ok("campaign", "history"), /nothing was ever done/);
  });

  test("an act that was interrupted may be repeated: it is told to every gate again", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const { ok, run, write } = aBench(t, base.replace("embedded: postern.db", `redis: "${redis.url}"`));
    await ok("campaign", "apply", write("tiktok.yaml", tiktok), ...acting);
    await ok("campaign", "retract", "tiktok", ...acting);
    const told = await redis.cli("GET", "postern:policy");
    await redis.cli("DEL", "postern:policy");
    const again = await run("campaign", "retract", "tiktok", ...acting);
    assert.deepEqual([again.exitCode, again.stderr], [2, "campaign tiktok is retracted already\n"]);
    assert.equal(await redis.cli("GET", "postern:policy"), told);
    assert.equal(await redis.cli("HLEN", "postern:policy:history"), "2");
  });

  test("a file may hold nothing but excuses from a campaign that is in force", async (t) => {
    const { ok, run, write } = aBench(t);
    await ok("campaign", "apply", write("tiktok.yaml", tiktok), ...acting);
    const excuses = (campaign: string): string =>
      `exemptions: [{ id: ceo, who: { owner: ceo }, campaign: ${campaign}, until: 2030-01-01, reason: R, by: bob }]\n`;
    assert.match(await ok("campaign", "plan", write("excuses.yaml", excuses("tiktok"))), /^exemption ceo: added/);
    await ok("campaign", "apply", write("excuses.yaml", excuses("tiktok")), ...acting);
    assert.match(await ok("exempt", "list"), /^ceo /m);
    const wrong = await run("campaign", "apply", write("wrong.yaml", excuses("tiktak")), ...acting);
    assert.equal(wrong.exitCode, 3);
    assert.match(wrong.stderr, /wrong\.yaml:1:\d+ exemptions\[0\]\.campaign: is the id of no campaign/);
  });

  test("a campaign is removed once it was retracted", async (t) => {
    const { ok, run, write } = aBench(t);
    await ok("campaign", "apply", write("tiktok.yaml", tiktok), ...acting);
    const early = await run("campaign", "remove", "tiktok", ...acting);
    assert.deepEqual([early.exitCode, /retract it, then remove it/.test(early.stderr)], [2, true]);
    await ok("campaign", "retract", "tiktok", ...acting);
    assert.match(await ok("campaign", "remove", "tiktok", ...acting), /^campaign tiktok: removed\n/);
    assert.match(await ok("campaign", "list"), /no campaigns/);
  });

  test("the history steers no terminal, and says what it cannot read and what can be done", async (t) => {
    const { ok, run, write } = aBench(t);
    const file = write("tiktok.yaml", tiktok);
    await ok("campaign", "apply", file, "--why", "a\u202eb\u009b31m", "--by", "bob", "--yes");
    const json = await ok("campaign", "history", "--json");
    assert.match(json, /a\\u202eb\\u009b31m/);
    const [head] = z.array(z.object({ why: z.string() })).parse(JSON.parse(json));
    assert.equal(head?.why, "a\u202eb\u009b31m");

    const database = new DatabaseSync(path.join(path.dirname(file), "postern.db"));
    t.after(() => database.close());
    database.prepare("INSERT INTO policy (version, text) VALUES (7, ?)").run("{}");
    const history = await run("campaign", "history");
    assert.equal(history.exitCode, 0);
    assert.match(history.stderr, /version 7 cannot be read/);
    assert.match(history.stdout, /^1 /m);
    const retract = await run("campaign", "retract", "tiktok", ...acting);
    assert.equal(retract.exitCode, 1);
    assert.match(retract.stderr, /version 7 of the policy in the store cannot be read.*campaign roll-back/);
    assert.match(await ok("campaign", "roll-back", "1", ...acting), /version 8 is in force/);
    await ok("campaign", "retract", "tiktok", ...acting);
  });

  test("an excuse, the help desk's glass, and their ends", async (t) => {
    const { ok, write } = aBench(t);
    await ok("campaign", "apply", write("tiktok.yaml", tiktok), ...acting);
    const added = await ok(
      "exempt",
      "add",
      "--owner",
      "alice",
      "--owner",
      "carol",
      "--campaign",
      "tiktok",
      "--until",
      "2030-12-05",
      "--id",
      "testers",
      ...acting,
    );
    assert.match(added, /exemption testers is in force, version 2\n$/);
    assert.match(
      await ok("exempt", "break-glass", "dave", "--hours", "4", "--why", "on the road", "--by", "eve"),
      /in force, version 3/,
    );
    const list: unknown = JSON.parse(await ok("exempt", "list", "--json"));
    assert.ok(Array.isArray(list));
    assert.deepEqual(
      list.map(({ id, by, reason }: { id: string; by: string; reason: string }) => [id.slice(0, 2), by, reason]),
      [
        ["te", "bob", "the order of today"],
        ["x-", "eve", "on the road"],
      ],
    );
    assert.match(await ok("exempt", "end", "testers", ...acting), /exemption testers has ended, version 4\n$/);
    assert.doesNotMatch(await ok("exempt", "list"), /testers/);
  });
});

suite("postern device why", { concurrency: 4 }, () => {
  async function aPhone(t: TestContext): Promise<Bench> {
    const bench = aBench(t);
    await bench.ok("campaign", "apply", bench.write("tiktok.yaml", tiktok), ...acting);
    await bench.ok(
      "device",
      "set",
      "APPLF2",
      "owner=alice",
      "region=EU",
      "platform=ios",
      "timezone=Europe/Berlin",
      "appsScope=all",
      "apps=com.zhiliaoapp.musically",
    );
    return bench;
  }

  test("says what is found, which rule and phase, and what changes it when", async (t) => {
    const { ok } = await aPhone(t);
    const now = await ok("device", "why", "applf2");
    assert.match(
      now,
      /^last request {2}none that the mail server has accepted, [^\n]*\n\nAPPLF2 {2}allow, with a notice: in-grace\n/,
    );
    assert.match(now, /\n {2}ids +APPLF2; tried 4150504C4632 too\n/);
    assert.match(
      now,
      /wave 1, announced, enforced from 2030-12-01 23:00 UTC\n {2}warn in-grace: TikTok \(com\.zhiliaoapp\.musically\)/,
    );
    assert.match(now, /source +one without a name, which does not say when it reported\n/);
    assert.match(now, /Next: 2030-12-01 23:00 UTC → quarantine app-present/);
    assert.match(await ok("device", "why", "4150504C4632"), /\nAPPLF2 {2}allow/, "the other spelling finds the record");
  });

  test("answers what would be at another time, with another record, and for another person", async (t) => {
    const { ok } = await aPhone(t);
    const first = async (...args: readonly string[]): Promise<string> =>
      /^APPLF2 .*$/m.exec(await ok("device", "why", "APPLF2", ...args))?.[0] ?? "";
    assert.equal(await first("--at", "2030-12-02T12:00Z"), "APPLF2  quarantine app-present (non-compliant)");
    assert.equal(await first("--with", "apps=[]"), "APPLF2  allow compliant");
    assert.equal(
      await first("--with", "apps=[]", "app=com.ZHILIAOAPP.musically"),
      "APPLF2  allow, with a notice: in-grace",
    );
    assert.equal(await first("--with", "region=US"), "APPLF2  allow compliant");
    assert.equal(await first("--as", "mallory"), "APPLF2  quarantine owner-mismatch (not-enrolled)");
  });

  test("says in JSON what it says in words", async (t) => {
    const { ok } = await aPhone(t);
    const why: unknown = JSON.parse(await ok("device", "why", "APPLF2", "--json"));
    assert.ok(
      typeof why === "object" && why !== null && "verdict" in why && "campaigns" in why && "policyVersion" in why,
    );
    assert.equal(why.policyVersion, 1);
    assert.ok(Array.isArray(why.campaigns));
    assert.equal(why.campaigns.length, 1);
    assert.ok("lastRequests" in why && "policyPlace" in why);
    assert.deepEqual([why.lastRequests, why.policyPlace], [[], "store"]);
  });

  test("knows nothing of a phone that nobody reported, and says so", async (t) => {
    const { ok } = await aPhone(t);
    const why = await ok("device", "why", "STRANGER");
    assert.match(why, /\nSTRANGER {2}quarantine not-enrolled/);
    assert.match(why, /record +none: no source has reported it/);
    assert.match(why, /What helps: enrol the phone/);
  });
});

test("postern campaign letters tells who was told, and whom no letter reached", async (t) => {
  const { ok, write } = aBench(t);
  const file = write("tiktok.yaml", tiktok);
  await ok("campaign", "apply", file, ...acting);
  assert.equal(await ok("campaign", "letters", "tiktok"), "nobody has had a letter about tiktok\n");

  const store = await openStore({ embedded: { path: path.join(path.dirname(file), "postern.db") } });
  t.after(() => store.close());
  const [at, device] = [new Date("2026-11-20T12:00:00Z"), deviceId("A1")];
  const key = { campaign: "tiktok", run: 1, device, kind: "announcement", number: 0 } as const;
  const addressee = { to: "a@corp.example", person: "alice" };
  await store.settleLetter({ ...key, ...addressee, attempt: 1, state: "postponed", at, detail: "451 later" });
  assert.match(
    await ok("campaign", "letters", "tiktok"),
    /^announcement {2}postponed {8}1\n\nNot delivered\n {2}device .*\n {2}A1 +a@corp\.example /m,
  );
  await store.settleLetter({ ...key, ...addressee, attempt: 2, state: "sent", at, detail: "" });
  assert.equal(
    await ok("campaign", "letters", "tiktok"),
    "letter        state  letters\nannouncement  sent         1\n",
    "a letter that has gone is not one that waits",
  );
});
