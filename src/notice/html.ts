/**
 * A letter as one HTML page for a mail app: no images, no scripts, nothing from elsewhere, every datum escaped and kept
 * apart from the direction of the text around it.
 */
import type { Letter } from "./letter.ts";
import { cut, plain } from "./phrase.ts";
import type { Phrase } from "./phrase.ts";
import { fitting, notesOf, stepsOf } from "./plain-text.ts";
import type { Room } from "./plain-text.ts";
import { style } from "./style.ts";

/** 6 KB: one round trip for a phone on a bad connection, with what wraps it. */
export const HTML_LIMIT_BYTES = 6143;

const entities: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** For text and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities.get(character) ?? "");
}

/** Our own words. "E-Mail" is one word to a reader, and no line may end in the middle of it. */
export function wordsHtml(text: string): string {
  return escapeHtml(text.replaceAll(/(?<![\p{L}\p{N}./@_-])([Ee])-(?=mail)/giu, "$1\u2011"));
}

/** `bdi` keeps a name written from right to left from turning the sentence around it. */
export function phraseHtml(phrase: Phrase, datumBytes: number): string {
  return phrase
    .map((part) =>
      typeof part === "string" ? wordsHtml(part) : `<bdi>${escapeHtml(cut(part.datum, datumBytes))}</bdi>`,
    )
    .join("");
}

/** The head of every page that an employee sees. */
export function pageHead(language: string, title: string): string {
  return [
    `<!doctype html><html lang="${escapeHtml(language)}"><head><meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width,initial-scale=1">`,
    `<meta name="color-scheme" content="light dark">`,
    // Phones make links of what looks like a number, a day or a place; here that would be the phone ID and the deadline.
    `<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">`,
    `<title>${escapeHtml(title)}</title><style>`,
  ].join("");
}

export function writeHtml(letter: Letter): string | undefined {
  return fitting((room) => writeIn(room, letter), HTML_LIMIT_BYTES);
}

function writeIn(room: Room, letter: Letter): string {
  const { language, organisation, helpUrl, link } = letter;
  const say = (phrase: Phrase): string => phraseHtml(phrase, room.datumBytes);
  const title = plain(letter.subject, room.datumBytes);
  return [
    `${pageHead(language.tag, title)}${style}</style></head><body><main>`,
    `<p class="org">${say([organisation])}</p><h1>${say(letter.subject)}</h1>`,
    `<p>${say(letter.why)}${language.sentenceGap}${say(letter.consequence)}</p>`,
    foundBox(room, letter),
    `<section><h2>${wordsHtml(letter.stepsHeading)}</h2><ol>${items(stepsOf(letter, room).map(say))}</ol></section>`,
    `<p class="ok">${say(letter.after)}</p>`,
    link === undefined || !room.link
      ? ""
      : `<p><a class="button" href="${escapeHtml(link)}">${escapeHtml(language.checkLink)}</a></p>`,
    room.meanwhile
      ? `<section><h2>${escapeHtml(language.meanwhile.heading)}</h2><ul>${items(letter.meanwhile.map(say))}</ul></section>`
      : "",
    `<p>${say(letter.ask)}`,
    helpUrl === undefined ? "" : ` <a href="${escapeHtml(helpUrl)}">${escapeHtml(helpUrl)}</a>`,
    `</p><footer><h2>${escapeHtml(language.details.heading)}</h2><dl>`,
    ...letter.details.map(([label, value]) => `<dt>${escapeHtml(label)}</dt><dd>${say(value)}</dd>`),
    "</dl></footer></main></body></html>",
  ].join("");
}

export function foundBox(room: Room, { found, language }: Pick<Letter, "found" | "language">): string {
  if (found.all === 0) return "";
  const say = (phrase: Phrase): string => phraseHtml(phrase, room.datumBytes);
  const shown = found.items.slice(0, room.items).map((item) => {
    const notes = notesOf(item, room).map((note) => `<small>${say(note)}</small>`);
    return `<b>${say(item.name)}</b>${notes.join("")}`;
  });
  const more = found.all - shown.length;
  const all = more === 0 ? shown : [...shown, say(language.about.more(more))];
  const forAll = found.due === undefined ? "" : `<p>${say(found.due)}</p>`;
  // A list without bullets is no list to VoiceOver unless it says so.
  return `<section class="box"><h2>${escapeHtml(language.about.heading)}</h2>${forAll}<ul role="list">${items(all)}</ul></section>`;
}

export function items(texts: readonly string[]): string {
  return texts.map((text) => `<li>${text}</li>`).join("");
}
