import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ewsStances, judgeMailProgram } from "../../src/policy/mail-program.ts";
import type { EwsStance, MailProgram } from "../../src/policy/mail-program.ts";

const table: readonly (readonly [stance: EwsStance, program: MailProgram, verdict: string])[] = [
  ["laptops", "laptop", "allow ews-laptop"],
  ["laptops", "listed", "allow ews-listed"],
  ["laptops", "other", "block ews-other"],
  ["allow", "laptop", "allow ews-laptop"],
  ["allow", "listed", "allow ews-listed"],
  ["allow", "other", "allow ews-other"],
  ["deny", "laptop", "block ews-closed"],
  ["deny", "listed", "block ews-closed"],
  ["deny", "other", "block ews-closed"],
];

suite("who may use a mail program on EWS", () => {
  for (const [stance, program, expected] of table) {
    test(`stance ${stance}: ${program} → ${expected}`, () => {
      const { action, reason } = judgeMailProgram(program, stance);
      assert.equal(`${action} ${reason}`, expected);
    });
  }

  test("the table has every stance", () => {
    assert.deepEqual(new Set(table.map(([stance]) => stance)), new Set(ewsStances));
  });
});
