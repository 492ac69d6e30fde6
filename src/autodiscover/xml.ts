/**
 * XML as Autodiscover servers write it, read once from front to back: elements, attributes, text. No DOCTYPE, no entities
 * of its own, no text next to elements; whatever else XML can do is refused, so that no client can read the document in
 * another way than it was read here. Comments and processing instructions are left out, CDATA becomes text.
 */
import { answerRefused } from "./refused.ts";

/** 32: an Autodiscover answer is 8 deep. */
const DEPTH_LIMIT = 32;

/** What a document consists of, once nothing in it has two spellings. */
export type XmlPart =
  | { readonly kind: "start"; readonly name: string; readonly raw: string }
  | { readonly kind: "end"; readonly name: string }
  /** The whole text of an element, decoded, or the white space between two; `raw` is as it came. */
  | { readonly kind: "text"; readonly text: string; readonly raw: string };

interface OpenElement {
  readonly name: string;
  holds: "nothing" | "text" | "elements";
}

/** Sticky; every repetition starts with what the one before it cannot end in, so that it never tries twice. */
const tag =
  /<(\/?)((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const declaration = /^<\?xml(?:\s[^?]*)?\?>/;
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** @throws UpstreamFailure */
export function readXml(document: string): XmlPart[] {
  if (forbidden.test(document)) throw answerRefused("control character in XML");
  const parts: XmlPart[] = [];
  const open: OpenElement[] = [];
  let text = "";
  let raw = "";
  let rootSeen = false;
  let at = checkDeclaration(document);

  while (at < document.length) {
    if (document.startsWith("<!--", at)) at = after(document, "-->", at + 4);
    else if (document.startsWith("<?", at)) at = after(document, "?>", at + 2);
    else if (document.startsWith("<![CDATA[", at)) {
      const end = after(document, "]]>", at + 9);
      const literal = document.slice(at + 9, end - 3);
      text += literal;
      raw += escapeXml(literal);
      at = end;
    } else if (document.startsWith("<", at)) {
      flushText();
      at = readTag(at);
    } else {
      const next = document.indexOf("<", at);
      const end = next === -1 ? document.length : next;
      const piece = document.slice(at, end);
      text += decodeEntities(piece);
      raw += piece;
      at = end;
    }
  }
  flushText();
  if (open.length > 0 || !rootSeen) throw answerRefused("XML ends early");
  return parts;

  /** Everything between two tags is one text, however many pieces it was written in. */
  function flushText(): void {
    if (raw === "") return;
    const element = open.at(-1);
    const blank = text.trim() === "";
    if (!blank && element?.holds !== "nothing") throw answerRefused("text next to elements in XML");
    if (!blank && element !== undefined) element.holds = "text";
    // White space around the root belongs to nothing.
    if (element !== undefined) parts.push({ kind: "text", text, raw });
    text = "";
    raw = "";
  }

  function readTag(start: number): number {
    tag.lastIndex = start;
    const found = tag.exec(document);
    if (found === null) throw answerRefused("DOCTYPE, entity or malformed tag in XML");
    const [all, slash = "", name = "", attributes = "", empty = ""] = found;
    if (slash === "/") endElement(name, attributes !== "" || empty !== "");
    else startElement(name, all, attributes, empty !== "");
    return start + all.length;
  }

  function startElement(name: string, raw: string, attributes: string, empty: boolean): void {
    const parent = open.at(-1);
    if (parent === undefined && rootSeen) throw answerRefused("two roots in XML");
    if (parent?.holds === "text") throw answerRefused("text next to elements in XML");
    if (parent !== undefined) parent.holds = "elements";
    if (open.length >= DEPTH_LIMIT) throw answerRefused("XML too deep");
    decodeEntities(attributes);
    rootSeen = true;
    parts.push({ kind: "start", name, raw: empty ? raw.replace(/\s*\/>$/, ">") : raw });
    if (empty) parts.push({ kind: "end", name });
    else open.push({ name, holds: "nothing" });
  }

  function endElement(name: string, hasMore: boolean): void {
    if (hasMore || open.pop()?.name !== name) throw answerRefused("tags in XML do not match");
    parts.push({ kind: "end", name });
  }
}

/** @returns where the document goes on. */
function checkDeclaration(document: string): number {
  const found = declaration.exec(document)?.[0];
  if (found === undefined) return 0;
  const encoding = /\sencoding\s*=\s*["']([^"']*)["']/i.exec(found)?.[1]?.toLowerCase();
  // Whoever believed another name would read other characters than we do.
  if (encoding !== undefined && encoding !== "utf-8" && encoding !== "us-ascii")
    throw answerRefused("XML is not UTF-8");
  return found.length;
}

function after(document: string, mark: string, from: number): number {
  const found = document.indexOf(mark, from);
  if (found === -1) throw answerRefused("XML ends early");
  return found + mark.length;
}

const named: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

const badReference = /&(?!(?:[a-z]{2,4}|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)/;

function decodeEntities(text: string): string {
  // First, because replacing collects every match before it looks at one of them.
  if (badReference.test(text)) throw answerRefused("entity in XML");
  return text.replaceAll(/&([a-z#][^;]*);/g, (_all, reference: string) => {
    const character = named.get(reference) ?? numbered(reference);
    if (character === undefined) throw answerRefused("entity in XML");
    return character;
  });
}

function numbered(reference: string): string | undefined {
  if (!reference.startsWith("#")) return undefined;
  const code = reference.startsWith("#x") ? Number.parseInt(reference.slice(2), 16) : Number(reference.slice(1));
  const allowed = code === 9 || code === 10 || code === 13 || (code >= 32 && code <= 0x10ffff);
  return allowed && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : undefined;
}

/** For text; attributes are handed on as they came. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
