/** Rows for a spreadsheet, with what a phone or its owner may have called itself. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { csvRow } from "../../src/cli/csv.ts";

suite("a row for a spreadsheet", () => {
  const cases: readonly (readonly [cell: string, written: string])[] = [
    ["plain", '"plain"'],
    ['a "quoted" name', '"a ""quoted"" name"'],
    ['=HYPERLINK("http://evil.example","mail")', '"\'=HYPERLINK(""http://evil.example"",""mail"")"'],
    ["+1", '"\'+1"'],
    ["-2+3+cmd|' /C calc'!A0", "\"'-2+3+cmd|' /C calc'!A0\""],
    ["@SUM(1)", '"\'@SUM(1)"'],
    ["\t=1", '"\'\t=1"'],
    ["\r=1", '"\'\r=1"'],
    ["＝1", '"\'＝1"'],
    ["a,b;c", '"a,b;c"'],
    ["two\nlines", '"two\nlines"'],
    ["zero\0byte", '"zerobyte"'],
    ["", '""'],
  ];
  for (const [cell, written] of cases) {
    test(`has ${JSON.stringify(cell)} as text`, () => assert.equal(csvRow([cell]), `${written}\r\n`));
  }

  test("has an empty cell for what nobody knows", () => assert.equal(csvRow(["a", undefined]), '"a",""\r\n'));

  test("is read back cell by cell, and no cell begins as a formula does", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 5 }), (cells) => {
        const row = csvRow(cells);
        assert.ok(row.endsWith('"\r\n'));
        const read = row
          .slice(1, -3)
          .split('","')
          .map((cell) => cell.replaceAll('""', '"'));
        // A cell that holds the separator itself is told apart by its doubled quotes.
        if (cells.some((cell) => cell.includes('"'))) return;
        assert.equal(read.length, cells.length);
        for (const cell of read) assert.doesNotMatch(cell, /^[=+\-@\t\r\n]/);
      }),
    );
  });
});
