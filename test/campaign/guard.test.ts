/** How many phones a campaign may cut: before it is in force, and while it is. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkGuard, confirmationOf, grouped, guardRefusal, percent, runtimeLimit } from "../../src/campaign/guard.ts";

const guard = { maxShare: 0.05, maxDevices: 500 };

suite("a guard", () => {
  const cases: readonly (readonly [title: string, newlyCut: number, records: number, kind: string])[] = [
    ["as many as it allows are within it", 500, 10_000, "within"],
    ["one more is not", 501, 100_000, "exceeded"],
    ["the share counts where it is less", 51, 1_000, "exceeded"],
    ["the share itself is within it", 50, 1_000, "within"],
    ["none at all are within it, in an empty store too", 0, 0, "within"],
    ["phones that no source knows exceed the share of an empty store", 1, 0, "exceeded"],
  ];
  for (const [title, newlyCut, records, kind] of cases) {
    test(title, () => assert.equal(checkGuard({ guard, newlyCut, records }).kind, kind));
  }

  test("without one everything is within it", () => {
    assert.deepEqual(checkGuard({ guard: undefined, newlyCut: 1_000_000, records: 1 }), { kind: "within" });
  });

  test("without a number only the share counts", () => {
    const byShare = { maxShare: 0.5, maxDevices: undefined };
    assert.equal(checkGuard({ guard: byShare, newlyCut: 600, records: 1_200 }).kind, "within");
    assert.equal(checkGuard({ guard: byShare, newlyCut: 601, records: 1_200 }).kind, "exceeded");
  });

  test("says the figures when it refuses", () => {
    const check = checkGuard({ guard, newlyCut: 37_255, records: 100_000 });
    assert.ok(check.kind === "exceeded");
    assert.equal(
      guardRefusal("tiktok", check),
      "tiktok would cut 37 255 phones (37% of 100 000).\n" +
        "Its guard allows 500, and 5% of all devices with a record.",
    );
  });

  test("takes a yes for the number that was shown, and no other", () => {
    const check = { kind: "exceeded", cut: 745, records: 2_000, maxShare: 1, maxDevices: 5 } as const;
    assert.equal(confirmationOf(check, { devices: undefined, who: "bob" }), "not-confirmed");
    assert.equal(confirmationOf(check, { devices: 744, who: "bob" }), "other-number");
    assert.equal(confirmationOf(check, { devices: 745, who: "bob" }), "yes");
  });

  test("takes the yes of a second person only, where two are asked for", () => {
    const check = { kind: "exceeded", cut: 745, records: 2_000, maxShare: 1, maxDevices: 5 } as const;
    assert.equal(confirmationOf(check, { devices: 745, who: " Bob" }, "bob"), "same-person");
    assert.equal(confirmationOf(check, { devices: 745, who: "carol" }, "bob"), "yes");
  });
});

suite("a campaign in force may cut", () => {
  const preview = (cut: number, records = 10_000) => ({ cut, records });
  const cases: readonly (readonly [
    title: string,
    guard: Parameters<typeof runtimeLimit>[0],
    preview: Parameters<typeof runtimeLimit>[1],
    limit: number | undefined,
  ])[] = [
    ["any number where nobody has foreseen one", undefined, undefined, undefined],
    ["what its guard says, where it was not previewed", guard, undefined, 500],
    [
      "any number where the guard names a share and nobody knows of how many",
      { maxShare: 0.05, maxDevices: undefined },
      undefined,
      undefined,
    ],
    ["a quarter and ten more than was previewed, without a guard", undefined, preview(100), 135],
    ["what its guard says, where less was previewed", guard, preview(100), 500],
    ["what was previewed with its margin, where that was confirmed beyond the guard", guard, preview(1_000), 1_260],
    ["ten where nothing was previewed", undefined, preview(0), 10],
    [
      "the share of the records that were previewed",
      { maxShare: 0.05, maxDevices: undefined },
      preview(1, 10_000),
      500,
    ],
  ];
  for (const [title, of, foreseen, limit] of cases) {
    test(title, () => assert.equal(runtimeLimit(of, foreseen), limit));
  }
});

test("numbers are read easily", () => {
  assert.deepEqual([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
  assert.deepEqual([0, 0.008, 0.05, 0.375, 1].map(percent), ["0%", "0.8%", "5%", "38%", "100%"]);
});
