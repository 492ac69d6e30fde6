/** A letter as plain text. Phones fetch it whole and show it as it is, so it has a hard limit. */
import type { FoundItem } from "./found.ts";
import type { Letter } from "./letter.ts";
import { plain } from "./phrase.ts";
import type { Phrase } from "./phrase.ts";

/** 2047 bytes of UTF-8: what a phone with the smallest usual truncation size still shows to the end. */
export const TEXT_LIMIT_BYTES = 2047;

/** How much of what others wrote gets in, and of what can be done without. */
export interface Room {
  readonly items: number;
  /** Steps for what else stands in the way; they come in the order of their weight. */
  readonly others: number;
  readonly remarks: boolean;
  readonly meanwhile: boolean;
  /** It is long. In HTML, where it costs half as much, a letter that has no room for it is written without it as well. */
  readonly link: boolean;
  /** Of each name, in UTF-8. */
  readonly datumBytes: number;
}

/** From generous to tight: the first in which the letter fits is taken. What has to be done is cut last. */
const rooms: readonly Room[] = [
  { items: 8, others: 8, remarks: true, meanwhile: true, link: true, datumBytes: 120 },
  { items: 5, others: 8, remarks: true, meanwhile: true, link: true, datumBytes: 64 },
  { items: 5, others: 8, remarks: false, meanwhile: true, link: true, datumBytes: 48 },
  { items: 5, others: 8, remarks: false, meanwhile: false, link: true, datumBytes: 48 },
  { items: 3, others: 8, remarks: false, meanwhile: false, link: true, datumBytes: 32 },
  { items: 5, others: 8, remarks: false, meanwhile: false, link: false, datumBytes: 48 },
  { items: 3, others: 4, remarks: false, meanwhile: false, link: false, datumBytes: 32 },
  { items: 1, others: 2, remarks: false, meanwhile: false, link: false, datumBytes: 24 },
  { items: 1, others: 0, remarks: false, meanwhile: false, link: false, datumBytes: 12 },
];

/** The first writing that fits. Undefined where none does, which happens with an operator's words only. */
export function fitting(write: (room: Room) => string, limitBytes: number): string | undefined {
  for (const room of rooms) {
    const written = write(room);
    if (Buffer.byteLength(written) <= limitBytes) return written;
  }
  return undefined;
}

export function writePlainText(letter: Letter): string | undefined {
  return fitting((room) => writeIn(room, letter), TEXT_LIMIT_BYTES);
}

function writeIn(room: Room, letter: Letter): string {
  const { language, helpUrl, link } = letter;
  const { details, meanwhile } = language;
  const say = (phrase: Phrase): string => plain(phrase, room.datumBytes);
  const blocks: string[][] = [
    [say(letter.subject)],
    [`${say(letter.why)}${language.sentenceGap}${say(letter.consequence)}`],
    letter.found.all === 0 ? [] : [language.about.heading, ...foundLines(room, letter)],
    [letter.stepsHeading, ...stepsOf(letter, room).map((step, index) => `${String(index + 1)}. ${say(step)}`)],
    [say(letter.after)],
    link === undefined || !room.link ? [] : [`${language.checkLink}${details.colon.trimEnd()}`, link],
    room.meanwhile ? [meanwhile.heading, ...letter.meanwhile.map((item) => `- ${say(item)}`)] : [],
    [say(letter.ask), ...(helpUrl === undefined ? [] : [helpUrl])],
    [details.heading, ...letter.details.map(([label, value]) => `${label}${details.colon}${say(value)}`)],
  ];
  const paragraphs = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\r\n"));
  return `${paragraphs.join("\r\n\r\n")}\r\n`;
}

export function stepsOf({ steps, furtherSteps, lastSteps }: Letter, { others }: Room): readonly Phrase[] {
  return [...steps, ...furtherSteps.slice(0, others), ...lastSteps];
}

function foundLines(room: Room, { found: { items, all, due }, language }: Letter): string[] {
  const say = (phrase: Phrase): string => plain(phrase, room.datumBytes);
  const lines = items
    .slice(0, room.items)
    .flatMap((item) => [`- ${say(item.name)}`].concat(notesOf(item, room).map((note) => `  ${say(note)}`)));
  const more = all - Math.min(items.length, room.items);
  return [
    ...(due === undefined ? [] : [say(due)]),
    ...lines,
    ...(more === 0 ? [] : [`- ${say(language.about.more(more))}`]),
  ];
}

export function notesOf({ due, notes, remarks }: FoundItem, room: Room): readonly Phrase[] {
  return [...notes, ...(due === undefined ? [] : [due]), ...(room.remarks ? remarks : [])];
}
