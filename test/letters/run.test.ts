import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runOf } from "../../src/letters/run.ts";
import type { PolicyVersion } from "../../src/store/store.ts";

/** Modes of the campaign, the oldest first; "-" where it is not there. */
function history(...modes: readonly string[]): PolicyVersion[] {
  return modes
    .map((mode, index): PolicyVersion => ({
      version: index + 1,
      at: new Date(0),
      act: "apply",
      about: [],
      who: "bob",
      why: "test",
      campaigns: mode === "-" ? [] : [{ id: "tiktok", mode }],
      exemptions: [],
    }))
    .toReversed();
}

suite("the run of a campaign", () => {
  const rows: readonly (readonly [modes: readonly string[], run: number])[] = [
    [[], 0],
    [["enforce"], 0],
    [["-", "enforce", "paused", "enforce"], 0],
    [["enforce", "retracted"], 0],
    [["enforce", "retracted", "retracted"], 0],
    [["enforce", "retracted", "enforce"], 2],
    [["enforce", "retracted", "retracted", "enforce", "paused"], 2],
    [["enforce", "retracted", "enforce", "retracted"], 2],
    [["enforce", "retracted", "enforce", "retracted", "enforce"], 4],
    [["retracted"], 0],
  ];
  for (const [modes, run] of rows) {
    test(`${modes.join(", ") || "nothing"} is run ${run}`, () => assert.equal(runOf(history(...modes), "tiktok"), run));
  }
});
