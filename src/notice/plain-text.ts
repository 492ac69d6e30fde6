/** A letter as plain text. Phones fetch it whole and show it as it is, so it has a hard limit. */
import type { FoundItem } from "./found.ts";
import type { Letter } from "./letter.ts";
import { plain } from "./phrase.ts";

/** 2047 bytes of UTF-8: what a phone with the smallest usual truncation size still shows to the end. */
export const TEXT_LIMIT_BYTES = 2047;

/** How much of what others wrote gets in. */
export interface Room {
  readonly items: number;
  /** Sentences about what else stands in the way; they come in the order of their weight. */
  readonly others: number;
  readonly rules: boolean;
  /** Of each name, in UTF-8. */
  readonly datumBytes: number;
}

/** From generous to tight: the first in which the letter fits is taken. Our own words are never cut. */
const rooms: readonly Room[] = [
  { items: 8, others: 8, rules: true, datumBytes: 120 },
  { items: 5, others: 8, rules: true, datumBytes: 64 },
  { items: 4, others: 8, rules: false, datumBytes: 48 },
  { items: 3, others: 4, rules: false, datumBytes: 32 },
  { items: 1, others: 2, rules: false, datumBytes: 24 },
  { items: 1, others: 0, rules: false, datumBytes: 12 },
];

/** The first writing that fits. Every language is tested to fit in the tightest room. */
export function fitting(write: (room: Room) => string, limitBytes: number): string {
  for (const room of rooms) {
    const written = write(room);
    if (Buffer.byteLength(written) <= limitBytes) return written;
  }
  throw new RangeError("the phrases of this language leave no room for names");
}

export function writePlainText(letter: Letter): string {
  return fitting((room) => writeIn(room, letter), TEXT_LIMIT_BYTES);
}

function writeIn(room: Room, letter: Letter): string {
  const { language, helpUrl } = letter;
  const [lead, ...others] = letter.why;
  const say = (phrase: Letter["title"]): string => plain(phrase, room.datumBytes);
  const blocks: string[][] = [
    [say(letter.title)],
    [say(lead)],
    letter.found.length === 0 ? [] : [language.found.heading, ...foundLines(room, letter)],
    ...others.slice(0, room.others).map((phrase) => [say(phrase)]),
    [letter.stepsHeading, ...letter.steps.map((step, index) => `${String(index + 1)}. ${say(step)}`)],
    [say(letter.after)],
    [letter.meanwhile.heading, ...letter.meanwhile.items.map((item) => `- ${say(item)}`)],
    [say(letter.ask), ...(helpUrl === undefined ? [] : [helpUrl])],
    [language.details.heading, ...letter.details.map(([label, value]) => `${label}: ${say(value)}`)],
  ];
  const paragraphs = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\r\n"));
  return `${paragraphs.join("\r\n\r\n")}\r\n`;
}

function foundLines(room: Room, { found, foundInAll, language }: Letter): string[] {
  const say = (phrase: Letter["title"]): string => plain(phrase, room.datumBytes);
  const lines = found
    .slice(0, room.items)
    .flatMap((item) => [`- ${say([item.name])}`].concat(notesOf(item, room).map((note) => `  ${say(note)}`)));
  const more = foundInAll - Math.min(found.length, room.items);
  return more === 0 ? lines : [...lines, `- ${say(language.found.more(more))}`];
}

export function notesOf({ notes, rule }: FoundItem, room: Room): FoundItem["notes"] {
  return rule === undefined || !room.rules ? notes : [...notes, rule];
}
