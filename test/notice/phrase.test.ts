import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { cut, DATUM_LIMIT_BYTES, datumOf, phrase, plain } from "../../src/notice/phrase.ts";

suite("a name is one line of characters that can be seen", () => {
  const rows: readonly (readonly [title: string, text: string, expected: string | undefined])[] = [
    ["a name", "TikTok", "TikTok"],
    ["letters of other scripts", "抖音 Дуин دوين", "抖音 Дуин دوين"],
    ["a picture", "Game 🎮", "Game 🎮"],
    ["a family of pictures falls into its members", "👨‍👩‍👧", "👨👩👧"],
    ["line ends", "a\r\nb\u2028c\u0085d", "a b c d"],
    ["tabs and wide spaces", " a\t\u00a0\u3000b\u2800c ", "a b c"],
    ["NUL and escape sequences", "a\u0000b\u001b[31mc", "a b [31mc"],
    ["overrides of direction", "a\u202eb\u2066c\u200fd\u061ce", "abcde"],
    ["characters without width", "a\u200bb\u2060c\ufeffd\u00ade\u{e0041}f\u3164g", "abcdefg"],
    ["half a character", "a\ud800b\udc00c", "abc"],
    ["private use", "a\ue000b", "ab"],
    ["marks without end", `a${"\u0301".repeat(100)}b`, "á\u0301\u0301\u0301b"],
    ["the start of a link", "see https://evil.example or www.evil.example", "see evil.example or evil.example"],
    ["a link that hides in a link", "hthttp://tp://evil", "evil"],
    ["other links", "mailto:a@b javascript://x tel:1", "a@b x 1"],
    ["nothing", "", undefined],
    ["nothing that can be seen", "\u200b\r\n\u202e \u3164", undefined],
  ];
  for (const [title, text, expected] of rows) test(title, () => assert.equal(datumOf(text)?.datum, expected));

  test("an absent name stays absent", () => assert.equal(datumOf(undefined), undefined));

  test("whatever comes in, what comes out is short, clean, and stays as it is", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.string({ unit: "grapheme", maxLength: 400 }),
      fc
        .array(fc.constantFrom("http", "://", "www", ".", "mailto:", "\u202e", "\r\n", "\u0301", "a", "\ud800", " "))
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (text) => {
        const datum = datumOf(text)?.datum;
        if (datum === undefined) return;
        assert.ok(Buffer.byteLength(datum) <= DATUM_LIMIT_BYTES);
        assert.ok(datum.isWellFormed());
        assert.doesNotMatch(datum, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|:\/\/|^ | $| {2}/u);
      }),
      { numRuns: 200 },
    );
  });

  test("a megabyte of name costs no time", () => {
    for (const piece of ["a", "\u0301", "http://", "\u202e", " ", "a://"]) {
      const started = performance.now();
      datumOf(piece.repeat(1_000_000 / piece.length));
      assert.ok(performance.now() - started < 100, piece);
    }
  });
});

suite("a name that is too long is cut where a person would cut it", () => {
  test("at the limit it stays, one byte past it does not", () => {
    assert.equal(cut("abcdefgh", 8), "abcdefgh");
    assert.equal(cut("abcdefghi", 8), "abcde…");
  });
  test("never through a character, and without a space before the dots", () => {
    assert.equal(cut("ab 🎮🎮🎮", 9), "ab…");
    assert.equal(cut("ab cdefghij", 6), "ab…");
    assert.equal(cut("e\u0301e\u0301e\u0301e\u0301", 9), "e\u0301e\u0301…");
  });
  test("it never gets longer than asked for", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 3, max: 40 }), (text, limit) => {
        assert.ok(Buffer.byteLength(cut(text, limit)) <= limit);
      }),
    );
  });
});

test("a phrase keeps its data apart until it is written out", () => {
  const inner = phrase`b ${{ datum: "C" }}`;
  assert.deepEqual(phrase`a ${inner} d`, ["a ", "b ", { datum: "C" }, "", " d"]);
  assert.equal(plain(phrase`a ${inner} ${"d"}`, 10), "a b C d");
});
