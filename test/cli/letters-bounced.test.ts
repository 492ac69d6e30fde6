/** `postern letters bounced`, as a mail server starts it: a report on standard input, an exit code that it understands. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openStore } from "../../src/store/open.ts";
import type { LetterEntry, Store } from "../../src/store/store.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { postern, program, repository } from "../support/postern.ts";
import type { Finished } from "../support/postern.ts";
import { deviceId } from "../support/records.ts";

const postfix = path.join(repository, "test/fixtures/bounces/postfix-3.7.eml");
const key = {
  campaign: "tiktok",
  run: 1,
  device: deviceId("A1"),
  kind: "announcement",
  number: 0,
  attempt: 1,
} as const;
const sent: LetterEntry = {
  ...key,
  to: "alice@example.net",
  person: "alice",
  state: "sent",
  at: new Date("2026-11-28T06:15:51Z"),
  detail: "",
};

interface Bench {
  readonly store: Store;
  readonly file: string;
  readonly write: (name: string, text: string) => string;
  /** With the file on standard input. */
  readonly bounced: (report: string, ...more: readonly string[]) => Promise<Finished>;
}

async function aBench(t: TestContext): Promise<Bench> {
  const directory = aConfigDirectory(t, "upstream: { url: http://mail.internal }\nstore: { embedded: postern.db }\n");
  const store = await openStore({ embedded: { path: path.join(path.dirname(directory.file), "postern.db") } });
  t.after(() => store.close());
  return {
    store,
    file: directory.file,
    write: directory.write,
    bounced: (report, ...more) => bouncedWith(t, report, ["--config", directory.file, ...more]),
  };
}

function bouncedWith(t: TestContext, report: string, args: readonly string[]): Promise<Finished> {
  const command = ["/bin/sh", "-c", `exec "$0" "$@" < '${report}'`, process.execPath, program] as const;
  return postern(t, ["letters", "bounced", ...args], { command });
}

async function statesOf(store: Store): Promise<string[]> {
  const states: string[] = [];
  for await (const { state, detail } of store.letters("tiktok", 1)) states.push(`${state} ${detail}`.trim());
  return states;
}

suite("postern letters bounced", { concurrency: 2 }, () => {
  test("notes which letter came back, and campaign letters shows it as just that", async (t) => {
    const { store, file, bounced } = await aBench(t);
    await store.settleLetter(sent);
    await store.noteEnvelope({ campaign: "tiktok", run: 1, secret: "0123456789abcdef01234567" }, key);
    const expected =
      "came back: announcement of tiktok to alice@example.net: 5.0.0 554 Pipe command reported error 67\n";
    for (let time = 1; time <= 2; time += 1) {
      const { exitCode, stdout, stderr } = await bounced(postfix, "--verbose");
      assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 0, stdout: expected, stderr: "" });
    }
    assert.deepEqual(await statesOf(store), ["bounced 5.0.0 554 Pipe command reported error 67"]);
    await store.addPolicy({
      version: 1,
      at: new Date(0),
      act: "apply",
      about: ["tiktok"],
      who: "bob",
      why: "test",
      campaigns: [],
      exemptions: [],
      runs: { tiktok: 1 },
    });
    const { stdout } = await postern(t, ["campaign", "letters", "tiktok", "--config", file]);
    assert.match(
      stdout,
      /^letter        state    letters\nannouncement  bounced        1\n\nNot delivered\n {2}device  to {17}letter        state    when {18}what the mail server said\n {2}A1 {6}alice@example\.net  announcement  bounced  \d{4}-\d\d-\d\d \d\d:\d\d UTC  5\.0\.0 554 Pipe command reported error 67\n$/,
    );
  });

  test("notes nothing for a letter that it does not know, nor for other mail, and the mail server is done with it", async (t) => {
    const { store, bounced, write } = await aBench(t);
    await store.settleLetter(sent);
    await store.noteEnvelope({ campaign: "tiktok", run: 1, secret: "f".repeat(24) }, key);
    const rows = [
      [postfix, "the report is about no letter of this store"],
      [write("answer.eml", "From: alice\n\nThanks"), "the message is no delivery status notification"],
      [write("empty.eml", ""), "the message is no delivery status notification"],
    ] as const;
    for (const [report, words] of rows) {
      const { exitCode, stdout } = await bounced(report, "--verbose");
      assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: `nothing noted: ${words}\n` });
    }
    const silent = await bounced(postfix);
    assert.deepEqual(silent, { exitCode: 0, stdout: "", stderr: "" }, "or Exim would send the mail back");
    assert.equal((await bounced(postfix, "--json")).stdout, '{"outcome":"not-ours"}\n');
    assert.deepEqual(await statesOf(store), ["sent"]);
  });

  test("reads 256 KiB, takes the rest, and finds what stands before the letter that is returned", async (t) => {
    const { store, bounced, write } = await aBench(t);
    await store.settleLetter(sent);
    await store.noteEnvelope({ campaign: "tiktok", run: 1, secret: "0123456789abcdef01234567" }, key);
    const report = readFileSync(postfix, "utf8");
    const head = "X-Padding: ";
    const padded = (bytes: number): string =>
      `${head}${"x".repeat(bytes - head.length - 1)}\n${report.slice(report.indexOf("Return-Path"))}`;
    const end = report.indexOf("Action: failed") + "Action: failed\n".length - report.indexOf("Return-Path");
    const beyond = await bounced(write("beyond.eml", padded(262_144 - end + 2) + "\n".repeat(4_000_000)), "--verbose");
    assert.deepEqual(
      beyond.stdout,
      "nothing noted: the report says that mail is late or was delivered, not that it failed\n",
    );
    const within = await bounced(write("within.eml", padded(262_144 - end) + "\n".repeat(4_000_000)), "--verbose");
    assert.match(within.stdout, /^came back: /);
    assert.equal(within.exitCode, 0);
  });

  test("asks the mail server to hand over again what could not be noted", async (t) => {
    const { write } = await aBench(t);
    const away = write(
      "away.yaml",
      'upstream: { url: http://mail.internal }\nstore: { redis: "redis://127.0.0.1:1/0" }\n',
    );
    const wrong = write("wrong.yaml", "upstream: { url: http://mail.internal }\nnonsense: 1\n");
    for (const config of [away, wrong, "/nowhere/postern.yaml"]) {
      const { exitCode, stdout, stderr } = await bouncedWith(t, postfix, ["--config", config]);
      assert.equal(exitCode, 75, config);
      assert.equal(stdout, "");
      assert.notEqual(stderr, "");
    }
    // Mail that is none of ours waits for nobody.
    assert.equal((await bouncedWith(t, write("answer.eml", "\n\nThanks"), ["--config", wrong])).exitCode, 0);
  });
});
