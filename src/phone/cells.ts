/** Text in a terminal: how many cells it takes, and what of it is fit to be shown at all. */

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** East Asian Width W and F (UAX #11), in the blocks that have nothing else. Emoji are told by their own property. */
const wideBlocks: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
];

export function cellsOf(text: string): number {
  if (/^[\u0020-\u007e]*$/u.test(text)) return text.length;
  let cells = 0;
  for (const { segment } of graphemes.segment(text)) cells += cellsOfGrapheme(segment);
  return cells;
}

function cellsOfGrapheme(grapheme: string): 0 | 1 | 2 {
  if (/^[\p{Mn}\p{Me}\p{Cf}]+$/u.test(grapheme)) return 0;
  if (/\p{Emoji_Presentation}/u.test(grapheme) || grapheme.includes("\ufe0f")) return 2;
  const code = grapheme.codePointAt(0) ?? 0;
  return wideBlocks.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** Cut to so many cells, with an ellipsis where something is missing. */
export function cut(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  return `${start(text, Math.max(0, cells - 1)).trimEnd()}${cells > 0 ? "…" : ""}`;
}

function start(text: string, cells: number): string {
  let taken = "";
  let left = cells;
  for (const { segment } of graphemes.segment(text)) {
    left -= cellsOfGrapheme(segment);
    if (left < 0) break;
    taken += segment;
  }
  return taken;
}

/** Lines of at most so many cells. A word that is longer keeps its length: it is an address, and somebody wants to copy it. */
export function wrap(text: string, cells: number): string[] {
  return text.split("\n").flatMap((paragraph) => wrapParagraph(paragraph, cells));
}

function wrapParagraph(paragraph: string, cells: number): string[] {
  const indent = /^ */u.exec(paragraph)?.[0] ?? "";
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.trimStart().split(/ +/u)) {
    const longer = line === "" ? indent + word : `${line} ${word}`;
    if (line === "" || cellsOf(longer) <= cells) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = indent + word;
  }
  lines.push(line.trimEnd());
  return lines;
}

/**
 * What a server sends must not move the cursor, ring, or show one thing and be another: control characters become visible
 * signs, direction marks and invisible characters vanish. Line feeds stay.
 */
export function harmless(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029]/gu, "\n")
    .replaceAll("\t", "    ")
    .replace(/[\u0000-\u0009\u000b-\u001f]/gu, (sign) => String.fromCodePoint(0x2400 + (sign.codePointAt(0) ?? 0)))
    .replace(/[\u007f-\u009f]/gu, "\ufffd")
    .replace(/[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu, "");
}

export function harmlessLine(text: string): string {
  return harmless(text).replace(/\s+/gu, " ").trim();
}
