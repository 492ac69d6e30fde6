/** `postern ingest`: exports as they lie on a disk, with whatever is wrong in them. */
import assert from "node:assert/strict";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import * as fc from "fast-check";
import { readCsv } from "../../src/cli/csv-reader.ts";
import type { CsvRow } from "../../src/cli/csv-reader.ts";
import { aConfigDirectory } from "../support/config-directory.ts";
import { postern } from "../support/postern.ts";
import type { Finished } from "../support/postern.ts";

function aPlace(t: TestContext) {
  const directory = aConfigDirectory(t, "upstream: { url: http://mail.internal }\nstore: { embedded: postern.db }\n");
  const run = (command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    postern(t, [...command, "--config", directory.file], { env });
  return {
    directory,
    run,
    ingest: (file: string, ...more: readonly string[]) =>
      run(["ingest", path.join(directory.path, file), "--source", "export", ...more]),
    device: async (id: string): Promise<string> => (await run(["device", "show", id])).stdout,
  };
}

const record = (id: number, more: object = {}): string =>
  JSON.stringify({
    sourceDeviceId: String(id),
    easDeviceIds: [`PHONE${id}`],
    owner: { name: "alice" },
    osVersion: "26.1",
    deviceAt: "2026-11-01T12:00:00Z",
    ...more,
  });

suite("postern ingest", { concurrency: 2 }, () => {
  test("takes the good lines, names the bad ones with their numbers, and loses nothing", async (t) => {
    const { directory, ingest, device } = aPlace(t);
    directory.write(
      "devices.ndjson",
      `\uFEFF${record(1)}\r\n\n{"sourceDeviceId":\n${record(2, { osVersoin: "1" })}\n${record(3, { deviceAt: "2999-01-01T00:00:00Z" })}\n{"source":"jamf","sourceDeviceId":"9","changed":true}\n${record(4)}`,
    );
    const { exitCode, stdout, stderr } = await ingest("devices.ndjson");
    assert.equal(exitCode, 1);
    assert.equal(stdout, "2 accepted, 0 already known, 4 rejected\n");
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      "line 3: is not JSON",
      "line 4: has an unknown key osVersoin",
      "line 6: is a signal: a file says what is so, and not that something has changed",
      "line 5: deviceAt lies in the future",
    ]);
    for (const id of ["PHONE1", "PHONE4"]) assert.match(await device(id), /osVersion +26\.1/);
    const again = await ingest("devices.ndjson");
    assert.match(again.stdout, /^0 accepted, 2 already known, 4 rejected/);
  });

  test("only looks, where it is told to", async (t) => {
    const { directory, ingest, run } = aPlace(t);
    directory.write("devices.ndjson", `${record(1)}\n{}\n`);
    const { exitCode, stdout } = await ingest("devices.ndjson", "--dry-run", "--json");
    assert.equal(exitCode, 1);
    const [bad, counts] = stdout
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    assert.deepEqual(
      [bad, counts],
      [
        { line: 2, problem: "sourceDeviceId: Invalid input: expected string, received undefined" },
        { accepted: 1, stale: 0, rejected: 1, dryRun: true },
      ],
    );
    assert.equal((await run(["device", "list"])).stdout, "");
  });

  test("reads a spreadsheet, with names of its own for the columns", async (t) => {
    const { directory, ingest, device } = aPlace(t);
    directory.write(
      "devices.csv",
      "Serial;Mail id;Owner;osVersion;deviceAt;apps;appsScope;enrolled;Notes\r\n" +
        '1;"phone1 PHONE1B";alice;26.1;2026-11-01T12:00:00Z;com.a com.b;all;yes;"two""\r\nlines"\r\n' +
        "2;PHONE2;bob;;2026-11-01T12:00:00Z;;;;\r\n" +
        "3;PHONE3\r\n" +
        "4;PHONE4;bob;26.1;yesterday;;;;\r\n",
    );
    const map = [
      "--map",
      "Serial=sourceDeviceId",
      "Mail id=easDeviceIds",
      "Owner=owner.name",
      "Notes=",
      "--separator",
      ";",
    ];
    const { exitCode, stdout, stderr } = await ingest("devices.csv", ...map);
    assert.deepEqual([exitCode, stdout], [1, "2 accepted, 0 already known, 2 rejected\n"]);
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      "line 5: has 2 cells, and the first line has 9",
      "line 6: deviceAt: must be a time with its zone, such as 2026-11-28T12:00:00Z",
    ]);
    assert.match(await device("PHONE1"), /com\.b/);
    assert.match(await device("PHONE2"), /owner +bob/);
    const unmapped = await ingest("devices.csv", "--separator", ";");
    assert.equal(unmapped.exitCode, 2);
    assert.match(unmapped.stderr, /the column Serial is no key of a record.*--map "Serial=KEY"/);
  });

  test("says what is wrong with the file or the source", async (t) => {
    const { directory, ingest, run } = aPlace(t);
    assert.equal((await ingest("nowhere.ndjson")).exitCode, 3);
    directory.write("latin.ndjson", Buffer.from(`${record(1, { model: "Caf\u00e9" })}\n`, "latin1"));
    assert.match((await ingest("latin.ndjson")).stderr, /^line 1: is not UTF-8/);
    const file = directory.write("a.ndjson", `${record(1)}\n`);
    assert.equal((await run(["ingest", file, "--source", "Not A Source"])).exitCode, 2);
  });

  test("reads a file that is larger than its memory", async (t) => {
    const { directory, run } = aPlace(t);
    const file = path.join(directory.path, "large.ndjson");
    const out = createWriteStream(file);
    const filler = "x".repeat(600);
    for (let id = 0; id < 60_000; id += 1) {
      if (!out.write(`${record(id, { model: filler })}\n`)) await once(out, "drain");
    }
    out.write(`"${"y".repeat(3_000_000)}"\n${record(60_000)}\n`);
    out.end();
    await once(out, "close");
    const { exitCode, stdout, stderr } = await run(["ingest", file, "--source", "export", "--dry-run"], {
      NODE_OPTIONS: "--max-old-space-size=32",
    });
    assert.equal(stdout, "60001 can be read, 1 cannot; nothing was written\n", stderr.slice(0, 500));
    assert.match(stderr, /^line 60001: is longer than 1048576 characters$/m);
    assert.equal(exitCode, 1);
  });
});

suite("a row of CSV", () => {
  const rows = async (text: string, size = 3): Promise<CsvRow[]> => {
    async function* chunks(): AsyncGenerator<string> {
      for (let start = 0; start < text.length; start += size) yield text.slice(start, start + size);
    }
    return Array.fromAsync(readCsv(chunks(), ","));
  };

  test("is read as it was written, however it is cut", async () => {
    const cell = fc.oneof(fc.string({ unit: "grapheme-ascii" }), fc.constantFrom('"', ",", "\n", "\r\n", "", "a,b"));
    const row = fc.array(cell, { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1 }), fc.integer({ min: 1, max: 7 }), async (written, size) => {
        const text = written
          .map((cells) => cells.map((each) => `"${each.replaceAll('"', '""')}"`).join(","))
          .join("\r\n");
        assert.deepEqual(
          (await rows(text, size)).map(({ cells }) => cells),
          written,
        );
      }),
    );
  });

  test("that is broken is one bad row", async () => {
    assert.deepEqual(await rows('a,b\n"x"y,z\nc,d\n'), [
      { line: 1, cells: ["a", "b"] },
      { line: 2, cells: undefined, problem: "something stands behind a closing quote" },
      { line: 3, cells: ["c", "d"] },
    ]);
    const [, open] = await rows('a,b\n"x,y\n');
    assert.deepEqual([open?.line, open?.problem], [2, "a quote was not closed"]);
  });
});
