/** `postern notice preview`: an operator reads a notice before anybody else does. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import { postern, repository } from "../support/postern.ts";

const example = path.join(repository, "config/postern.example.yaml");
const preview = ["notice", "preview", "--config", example, "--campaign", "tiktok"];

suite("postern notice preview", { concurrency: 4 }, () => {
  test("shows the campaign's own words, with the deadline of the first wave in the person's zone", async (t) => {
    const args = [...preview, "--locale", "de-CH", "--platform", "android", "--timezone", "Europe/Zurich"];
    const { exitCode, stdout, stderr } = await postern(t, args);
    assert.equal(exitCode, 0, stderr);
    assert.match(
      stdout,
      /^From: Example IT Help <it-help@corp\.example>\nSubject: Bitte TikTok vom Android-Gerät entfernen/,
    );
    assert.match(stdout, /Example Corporation und der Betriebsrat haben vereinbart, dass TikTok nicht/);
    assert.match(stdout, /Frist: bis Samstag, 21\. November 2026 um 05:59 Uhr \(Mitteleuropäische Zeit, UTC\+01:00\)/);
    assert.match(stdout, /„Deinstallieren“/);
    assert.match(stderr, /^de, held, words of the campaign; \d+ of 2047 bytes\n$/);
  });

  test("shows the words that come with the program, before the deadline, of another wave", async (t) => {
    const args = [...preview, "--locale", "ja", "--phase", "warned", "--wave", "3"];
    const { stdout, stderr } = await postern(t, args);
    assert.match(stdout, /期限：2026年11月27日金曜日 23:59（UTC）まで\n/);
    assert.match(stderr, /^ja, warned, words that come with the program/);
  });

  test("writes the page into a file", async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "postern-preview-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, "notice.html");
    const { exitCode, stdout } = await postern(t, [...preview, "--html", file]);
    assert.equal(exitCode, 0);
    assert.equal(stdout, "");
    assert.match(readFileSync(file, "utf8"), /^<!doctype html><html lang="en">/);
  });

  const wrong: readonly (readonly [title: string, args: readonly string[], exitCode: number, says: RegExp])[] = [
    ["a campaign that there is not", [...preview.slice(0, -1), "x"], 2, /no such campaign; tiktok\n$/],
    ["a wave that there is not", [...preview, "--wave", "4"], 2, /the campaign has 3 waves\n$/],
    ["a phone that the campaign does not concern", [...preview, "--platform", "macos"], 1, /asks nothing of macos\n$/],
    ["a file that cannot be written", [...preview, "--html", "/nowhere/x.html"], 1, /cannot be written: ENOENT\n$/],
    ["a configuration with faults", [...preview, "--config", "/nowhere.yaml"], 3, /nowhere/],
  ];
  for (const [title, args, exit, says] of wrong) {
    test(`says what is wrong: ${title}`, async (t) => {
      const { exitCode, stdout, stderr } = await postern(t, args);
      assert.equal(exitCode, exit, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, says);
    });
  }
});
