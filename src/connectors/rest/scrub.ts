/**
 * Replaces what is about people and devices and keeps what a bug is made of: keys, shapes, versions, times and states. Whatever is not
 * known to be harmless is replaced, letter by letter and digit by digit, so that its length and its punctuation stay.
 */
import { createHmac } from "node:crypto";

export interface Scrub {
  /** A value that is nobody's to read. The same for the same text. */
  readonly word: (text: string) => string;
  readonly query: (name: string, value: string) => string;
  /** JSON, a form, or XML; whatever else is replaced as a whole. */
  readonly body: (text: string) => unknown;
}

/** Keys whose values say nothing about a person, if they also look like what the key says. */
const harmlessKey =
  /version|build|platform|operatingsystem|^os$|state|status|type|kind|class|count|total|size|date|time|_at$|at$|scope|source$|ownership|severity|result|^code$|event|query|queries|operation|section|sort|filter|select/i;
const secretKey =
  /secret|token|password|authorization|assertion|credential|signature|apikey|api_key|client_id|nextlink|cursor/i;
const harmlessShape =
  /^(?:\d{1,4}(?:\.\d{1,4}){0,4}|[A-Za-z][A-Za-z _-]{0,39}|\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?|[A-Za-z]{1,10} \d+(?:\.\d+)*)$/;
const appKey = /bundle|package|identifier$/i;
const appShape = /^(?:com|org|net|io|me|app|co|de|fr|jp|cn|uk|us|eu|ai|tv)\.[\w.-]{1,150}$/i;
/** `id`, `deviceId`, `serialNumber`, `phone_number`: numbers that name somebody. */
const numberOfSomebody = /id$|_id|serial|phone|imei|meid|number|iccid/i;

export function createScrub(secret: Uint8Array): Scrub {
  function word(text: string): string {
    const stream = createHmac("sha512", secret).update(text.toLowerCase()).digest();
    let index = 0;
    const other = text.replaceAll(/[\p{L}\p{N}]/gu, (letter) => {
      const byte = stream[index++ % stream.length] ?? 0;
      if (/\p{N}/u.test(letter)) return String(byte % 10);
      const mark = String.fromCharCode(97 + (byte % 26));
      return letter === letter.toLowerCase() ? mark : mark.toUpperCase();
    });
    // As a number it must be the same word as in a path: without a zero in front that was not there.
    return /^[1-9]/.test(text) ? other.replace(/^0/, "9") : other;
  }

  function value(key: string, given: unknown): unknown {
    if (typeof given === "string") return textOf(key, given);
    if (typeof given === "number") return numberOfSomebody.test(key) ? Number(word(String(Math.abs(given)))) : given;
    if (Array.isArray(given)) return given.map((each: unknown) => value(key, each));
    if (typeof given === "object" && given !== null) {
      return Object.fromEntries(Object.entries(given).map(([name, each]) => [keyOf(name), value(name, each)]));
    }
    return given;
  }

  function textOf(key: string, text: string): string {
    if (text === "") return text;
    if (secretKey.test(key)) return "***";
    if (harmlessKey.test(key) && harmlessShape.test(text)) return text;
    if (appKey.test(key) && appShape.test(text)) return text;
    return word(text);
  }

  /** Where a mapping goes by ids, its keys are data. */
  const keyOf = (name: string): string => (/^[@$A-Za-z_.-]{1,60}$/.test(name) ? name : word(name));

  function body(text: string): unknown {
    if (text === "") return undefined;
    try {
      return value("", JSON.parse(text));
    } catch {
      if (text.trimStart().startsWith("<")) return xml(text);
      if (/^[\w.~%+-]+=[^\s]*$/.test(text)) {
        return [...new URLSearchParams(text)].map(([name, each]) => [keyOf(name), textOf(name, each)]);
      }
      return word(text);
    }
  }

  /** Property lists: what stands in `<key>` is a word of the protocol; attributes and comments are dropped. */
  function xml(text: string): string {
    let key = "";
    return text
      .replaceAll(/<!--[\s\S]*?-->/g, "")
      .replaceAll(/<(\/?[A-Za-z][\w.:-]*)[^>]*?(\/?)>([^<]*)/g, (_whole, tag: string, end: string, content: string) => {
        if (content.trim() === "") return `<${tag}${end}>${content}`;
        if (tag.toLowerCase() === "key") key = content;
        return `<${tag}>${tag.toLowerCase() === "key" ? keyOf(content) : textOf(key, content)}`;
      });
  }

  return {
    word,
    query: (name, given) => textOf(name, given),
    body,
  };
}
