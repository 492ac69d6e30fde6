import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { style } from "../../src/notice/style.ts";

/** What stands on what, in each scheme. */
const pairs: readonly (readonly [what: string, text: string, background: string])[] = [
  ["text", "#1a2129", "#fff"],
  ["text on the page", "#1a2129", "#eef1f4"],
  ["links and the organisation", "#0a6375", "#fff"],
  ["the button's words", "#fff", "#0a6375"],
  ["names of what was found", "#1a2129", "#fdf4e3"],
  ["notes on what was found", "#5b4a26", "#fdf4e3"],
  ["what happens next", "#1a2129", "#e6f3f0"],
  ["labels", "#55616d", "#fff"],
  ["text in the dark", "#e7ebee", "#1a2127"],
  ["links in the dark", "#7fd3e0", "#1a2127"],
  ["names of what was found in the dark", "#e7ebee", "#332a18"],
  ["notes in the dark", "#e2cfa4", "#332a18"],
  ["what happens next in the dark", "#e7ebee", "#16332f"],
  ["the button's words in the dark", "#0f1418", "#7fd3e0"],
  ["labels in the dark", "#a9b5bf", "#1a2127"],
];

suite("everybody can read it: a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)", () => {
  for (const [what, text, background] of pairs) {
    test(what, () => {
      assert.ok(style.includes(text) && style.includes(background), "the colours are those of the style");
      assert.ok(contrast(text, background) >= 4.5, String(contrast(text, background)));
    });
  }
  test("a colour of the style that stands in no pair is a line or a mark", () => {
    const paired = new Set(pairs.flatMap(([, text, background]) => [text, background]));
    const others = new Set(
      [...style.matchAll(/#[0-9a-f]{3,6}\b/g)].map(([colour]) => colour).filter((colour) => !paired.has(colour)),
    );
    assert.deepEqual([...others].toSorted(), ["#36414a", "#d9dee3"]);
  });
});

function contrast(a: string, b: string): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const hex = colour.length === 4 ? colour.slice(1).replaceAll(/./g, "$&$&") : colour.slice(1);
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
