/**
 * Sentences with data in them. The words are ours; a datum came from a phone, a management system or an operator, and
 * stays marked as such until it is written out: each form of the notice escapes, isolates and shortens it in its own way.
 */

export interface Datum {
  /** Clean: one line, no character that is not seen. Still to be escaped. */
  readonly datum: string;
}

export type Phrase = readonly (string | Datum)[];

/** phrase`Remove ${app} from your ${"iPhone"}` */
export function phrase(strings: TemplateStringsArray, ...values: readonly (string | Datum | Phrase)[]): Phrase {
  return strings.flatMap((text, index) => {
    const value = values[index];
    if (value === undefined) return [text];
    return typeof value === "string" || "datum" in value ? [text, value] : [text, ...value];
  });
}

/** 512 characters are looked at: enough for a name in any spelling, and a bound on the work. */
const INPUT_LIMIT_CHARS = 512;
/** 200 bytes of UTF-8 are kept; whoever writes a datum out shortens it further. */
export const DATUM_LIMIT_BYTES = 200;

/** Characters that take part in a line without being seen: controls, bidi and zero-width marks, tags, private use, halves. */
const unseen = /[\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}]/gu;
/** Blank to the eye, the empty Braille cell among them. */
const separators = /[\p{Cc}\p{Z}\u2800]+/gu;
/** Mail programs turn these into links; a name must not become one in a message that people trust. */
const linkStarts = /(?:[a-z][a-z0-9+.-]{0,30})?:\/\/|\bwww\.|\b(?:mailto|tel|sms):/gi;
/** More than three marks on one letter run into the lines above and below. */
const stackedMarks = /(\p{M}{3})\p{M}+/gu;

/** Makes a datum of what somebody else wrote. Undefined where nothing is left that can be seen. */
export function datumOf(text: string | undefined): Datum | undefined {
  if (text === undefined) return undefined;
  const line = text
    .slice(0, INPUT_LIMIT_CHARS)
    .normalize("NFC")
    .replaceAll(unseen, "")
    .replaceAll(stackedMarks, "$1")
    .replaceAll(separators, " ")
    .replaceAll(linkStarts, " ");
  const datum = cut(line.replaceAll(/ {2,}/g, " ").trim(), DATUM_LIMIT_BYTES);
  return datum === "" ? undefined : { datum };
}

const characters = new Intl.Segmenter();

/** The text, or as many of its characters as fit with "…" behind them. Cuts between what people see as characters. */
export function cut(text: string, limitBytes: number): string {
  if (Buffer.byteLength(text) <= limitBytes) return text;
  const room = limitBytes - Buffer.byteLength("…");
  let kept = "";
  let bytes = 0;
  for (const { segment } of characters.segment(text)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > room) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** As plain text, every datum shortened to so many bytes. */
export function plain(phrase: Phrase, datumBytes: number): string {
  return phrase.map((part) => (typeof part === "string" ? part : cut(part.datum, datumBytes))).join("");
}
