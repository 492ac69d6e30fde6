import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { compareVersions, isInRange, parseVersion, parseVersionRange } from "../../src/policy/version.ts";
import type { Version } from "../../src/policy/version.ts";

function version(text: string): Version {
  const parsed = parseVersion(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

/** The oldest first. What stands in one row is the same version. */
const order: readonly (readonly string[])[] = [
  ["9", "9.0", "iOS 9"],
  ["9.3.5"],
  ["16.5.1"],
  ["16.5.1 (a)"],
  ["16.5.1 (c)"],
  ["26.0 beta", "26.0 (beta)"],
  ["26.0 beta 2", "26.0b2", "26.0-beta2"],
  ["26.0 beta 10"],
  ["26.0 RC", "26 rc"],
  ["26.0", "26", "iOS 26.0", "iPadOS 26", "26.0 (23A341)", "v26.0.0"],
  ["26.0.1"],
  ["26.1 beta 1"],
  ["26.1", "26.1.0.0"],
  ["26.10"],
  ["10000.0.22631.3593"],
];

suite("versions of systems and apps", () => {
  for (const [index, row] of order.entries()) {
    test(`${row.join(" = ")}, and everything before is older`, () => {
      for (const text of row) {
        for (const same of row) assert.equal(compareVersions(version(text), version(same)), 0, `${text} ${same}`);
        for (const older of order.slice(0, index).flat()) {
          assert.ok(compareVersions(version(older), version(text)) < 0, `${older} < ${text}`);
          assert.ok(compareVersions(version(text), version(older)) > 0, `${text} > ${older}`);
        }
      }
    });
  }

  for (const text of [
    "",
    "S",
    "latest",
    "26.x",
    "26..1",
    ".1",
    "26.1.",
    "-1",
    "26,1",
    `1${".1".repeat(8)}`,
    "1".repeat(65),
  ])
    test(`${JSON.stringify(text.slice(0, 20))} cannot be compared`, () => assert.equal(parseVersion(text), undefined));

  test("eight parts of nine digits can, and one part more cannot", () => {
    const eight = Array.from({ length: 7 }, () => "1").join(".");
    assert.ok(parseVersion(`${eight}.999999999`) !== undefined);
    assert.equal(parseVersion(`${eight}.1.1`), undefined);
    assert.equal(parseVersion("9999999999"), undefined);
  });

  const ranges: readonly (readonly [range: string, inside: readonly string[], outside: readonly string[]])[] = [
    [">=26.1", ["26.1", "26.2 beta", "27"], ["26.0.9", "26.1 beta 4", "26.1 rc"]],
    ["<5.2", ["5.1.9", "5.2 beta"], ["5.2", "6"]],
    [">=1.0 <2.3", ["1", "2.2.9"], ["0.9", "2.3"]],
    ["= 3", ["3.0"], ["3.0.1"]],
    ["3.1", ["3.1.0"], ["3"]],
    ["> 3", ["3.0.1"], ["3"]],
    ["<=3", ["3", "2"], ["3.0.1"]],
  ];
  for (const [text, inside, outside] of ranges) {
    test(`${text} means what it says`, () => {
      const range = parseVersionRange(text);
      assert.ok(range !== undefined);
      for (const each of inside) assert.equal(isInRange(version(each), range), true, each);
      for (const each of outside) assert.equal(isInRange(version(each), range), false, each);
    });
  }

  for (const text of ["", ">=", "~1", ">=1 or <0", "1 2", ">=newest"])
    test(`${JSON.stringify(text)} is no range`, () => assert.equal(parseVersionRange(text), undefined));

  test("any text is read or refused at once, and an order is an order", () => {
    const part = fc.nat({ max: 999_999_999 }).map(String);
    const some = fc.tuple(
      fc.array(part, { minLength: 1, maxLength: 5 }),
      fc.constantFrom("", " beta 2", " rc", " (b)"),
    );
    const written = some.map(([parts, suffix]) => parts.join(".") + suffix);
    fc.assert(fc.property(fc.string({ maxLength: 100 }), (text) => void parseVersion(text)));
    fc.assert(
      fc.property(written, written, written, (a, b, c) => {
        const [x, y, z] = [version(a), version(b), version(c)];
        assert.equal(Math.sign(compareVersions(x, y)), -Math.sign(compareVersions(y, x)));
        if (compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0) assert.ok(compareVersions(x, z) <= 0);
      }),
    );
  });
});
