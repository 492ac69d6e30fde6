import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Recheck } from "../../src/inventory/recheck.ts";
import { recheckEnds } from "../../src/inventory/recheck.ts";
import type { Finding, Verdict } from "../../src/policy/verdict.ts";
import { standingOf } from "../../src/self-service/standing.ts";
import { deviceId } from "../support/records.ts";

const now = new Date("2026-11-28T10:00:00Z");
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1000);
const enrol: Finding = { kind: "not-enrolled" };
const held: Pick<Verdict, "action" | "demands"> = { action: "quarantine", demands: [enrol] };
const warned: typeof held = { action: "allow", demands: [enrol] };
const well: typeof held = { action: "allow", demands: [] };

function aRecheck(parts: Partial<Recheck> = {}, askedAt = ago(10)): Recheck {
  return {
    device: deviceId("PHONEA"),
    number: 1,
    askedAt,
    end: undefined,
    endedAt: undefined,
    source: undefined,
    by: "page",
    ...parts,
    steps: { asked: askedAt, ...parts.steps },
  };
}

suite("how far a person has come", () => {
  const rows: readonly (readonly [title: string, verdict: typeof held, recheck: Recheck | undefined, stage: string])[] =
    [
      ["held", held, undefined, "to-do"],
      ["warned", warned, undefined, "to-do"],
      ["blocked", { ...held, action: "block" }, undefined, "to-do"],
      ["well", well, undefined, "well"],
      ["asked", held, aRecheck(), "checking"],
      ["sent", held, aRecheck({ steps: { sent: now } }), "checking"],
      ["asked while warned", warned, aRecheck(), "checking"],
      ["answered", held, aRecheck({ steps: { answered: now } }), "answered"],
      ["the verdict was faster than the step", well, aRecheck({ steps: { answered: now } }), "clear"],
      ["clear", well, aRecheck({ steps: { clear: now } }), "clear"],
      ["back", well, aRecheck({ steps: { clear: now, "mail-back": now } }), "back"],
      ["held anew after it was clear", held, aRecheck({ steps: { clear: now } }), "to-do"],
      ["held anew after its mail was back", held, aRecheck({ steps: { clear: now, "mail-back": now } }), "to-do"],
      ["well after a check without an answer", well, aRecheck({ end: "no-answer" }), "well"],
      ["asked for 14 minutes and 59 seconds", held, aRecheck({}, ago(899)), "checking"],
      ["asked for 15 minutes", held, aRecheck({}, ago(900)), "ended"],
      ...recheckEnds.map((end) => [`ended: ${end}`, held, aRecheck({ end }), "ended"] as const),
    ];
  for (const [title, verdict, recheck, stage] of rows) {
    test(`${title} → ${stage}`, () => assert.equal(standingOf(verdict, recheck, now).stage, stage));
  }
});

suite("another check may be asked for", () => {
  const mayAsk = (verdict: typeof held, recheck?: Recheck): boolean => standingOf(verdict, recheck, now).mayAsk;
  test("where something is to be done, and nothing is under way", () => {
    assert.equal(mayAsk(held), true);
    assert.equal(mayAsk(warned), true);
    assert.equal(mayAsk(held, aRecheck({ end: "busy" })), true);
    assert.equal(mayAsk(held, aRecheck()), false);
    assert.equal(mayAsk(held, aRecheck({ steps: { answered: now } })), false);
    assert.equal(mayAsk(well), false);
  });
  test("not where the last one has shown that nobody can be asked", () => {
    for (const end of recheckEnds) {
      assert.equal(mayAsk(held, aRecheck({ end })), end !== "no-source" && end !== "cannot-hurry", end);
    }
  });
  test("not where no report of the phone would change anything", () => {
    const override: Finding = { kind: "override", why: undefined, who: undefined };
    assert.equal(mayAsk({ action: "block", demands: [override] }), false);
    assert.equal(mayAsk({ action: "quarantine", demands: [{ kind: "owner-mismatch" }] }), false);
    assert.equal(mayAsk({ action: "block", demands: [override, enrol] }), true);
  });
  test("a minute after the last one, and the page says when that is", () => {
    const from = (seconds: number): Date | undefined =>
      standingOf(held, aRecheck({ end: "no-answer" }, ago(seconds)), now).mayAskFrom;
    assert.deepEqual(from(59), new Date(now.getTime() + 1000));
    assert.equal(from(60), undefined);
    assert.equal(standingOf(held, undefined, now).mayAskFrom, undefined);
  });
});
