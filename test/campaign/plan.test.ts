import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { diffLines, planOf } from "../../src/campaign/plan.ts";

const side = (lines: ReturnType<typeof diffLines>, without: "added" | "removed"): string[] =>
  lines.filter((line) => line.side !== without).map(({ text }) => text);

suite("a plan", () => {
  test("names what is added, changed and removed, and nothing else", () => {
    const campaign = (id: string, title: string): unknown => ({ id, title });
    const plan = planOf(
      { campaigns: [campaign("a", "A"), campaign("b", "B"), campaign("c", "C")], exemptions: [{ id: "e" }] },
      { campaigns: [campaign("a", "A"), campaign("b", "Bee"), campaign("d", "D")], exemptions: [] },
    );
    assert.deepEqual(
      plan.map(({ kind, id, change }) => [kind, id, change]),
      [
        ["campaign", "b", "changed"],
        ["campaign", "d", "added"],
        ["campaign", "c", "removed"],
        ["exemption", "e", "removed"],
      ],
    );
    assert.deepEqual(plan[0]?.lines, [
      { side: "same", text: "id: b" },
      { side: "removed", text: "title: B" },
      { side: "added", text: "title: Bee" },
    ]);
  });

  test("shows every line of both sides in its order, and as few changes as there are", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        assert.deepEqual(side(diff, "added"), before);
        assert.deepEqual(side(diff, "removed"), after);
      }),
    );
    fc.assert(fc.property(lines, (same) => assert.ok(diffLines(same, same).every((line) => line.side === "same"))));
  });

  test("of thousands of lines says that all of them changed", () => {
    const many = Array.from({ length: 2_001 }, (_, index) => String(index));
    assert.equal(diffLines(many, many).filter(({ side: which }) => which === "same").length, 0);
    assert.ok(diffLines(many.slice(1), many.slice(1)).every(({ side: which }) => which === "same"));
  });
});
