/**
 * XML as mail programs write SOAP, read once from front to back, and only as far as somebody asks for more. SOAP 1.1
 * (section 3) has no DOCTYPE and no processing instructions, so there are none here, and no entities but the five that XML
 * brings along. Names are ASCII, as all names of EWS are. Time is linear in what was read, and depth has a limit.
 */

/** 32: the deepest request of EWS, a search with nested restrictions, stays under 20. */
export const DEPTH_LIMIT = 32;

/** 8 KiB: the longest tag of a real request, an Envelope that declares every namespace there is, stays under 1. */
export const TAG_LIMIT_CHARACTERS = 8192;

/** An element, by what its name stands for. */
export interface XmlElement {
  readonly name: string;
  /** "" where it has none, or where its prefix stands for nothing. */
  readonly namespace: string;
  /** 1 for the root. */
  readonly depth: number;
  /** Without declarations of namespaces; values as they came. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Where its tag begins. */
  readonly at: number;
}

/** Its message is ours, without anything of the document in it. */
export class UnreadableXml extends Error {}

interface OpenElement {
  readonly tag: string;
  readonly namespaces: ReadonlyMap<string, string>;
}

/** Every repetition starts with what the one before it cannot end in, so that it never tries twice. */
const tagGrammar =
  /^<(\/?)((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)((?:\s+[A-Za-z_][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/;
const attributeGrammar = /([A-Za-z_][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const declaration = /^<\?xml(?:\s[^?<>]*)?\?>/;
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const badReference = /&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)/;

/** Every element in the order of its tags. @throws UnreadableXml where the reader comes to what cannot be read in one way. */
export function* readXml(document: string): Generator<XmlElement, void, undefined> {
  if (forbidden.test(document)) throw new UnreadableXml("control character");
  const open: OpenElement[] = [];
  let rootSeen = false;
  let at = checkDeclaration(document);

  while (at < document.length) {
    if (document.startsWith("<!--", at)) at = after(document, "-->", at + 4);
    else if (document.startsWith("<![CDATA[", at)) {
      if (open.length === 0) throw new UnreadableXml("text outside of the root");
      at = after(document, "]]>", at + 9);
    } else if (document.startsWith("<", at)) {
      const found = tagGrammar.exec(document.slice(at, at + TAG_LIMIT_CHARACTERS));
      if (found === null) throw new UnreadableXml("DOCTYPE, processing instruction, or malformed or endless tag");
      const [whole, slash, tag = "", attributes = "", empty] = found;
      if (slash === "/") {
        if (attributes !== "" || empty !== "" || open.at(-1)?.tag !== tag) throw new UnreadableXml("tags do not match");
        open.pop();
      } else {
        if (rootSeen && open.length === 0) throw new UnreadableXml("two roots");
        rootSeen = true;
        yield openElement(tag, attributes, open, at);
        if (empty !== "") open.pop();
      }
      at += whole.length;
    } else at = skipText(document, at, open.length === 0);
  }
  if (open.length > 0 || !rootSeen) throw new UnreadableXml("ends early");
}

/** @returns where the document goes on. */
function checkDeclaration(document: string): number {
  if (!document.startsWith("<?")) return 0;
  const found = declaration.exec(document)?.[0];
  if (found === undefined) throw new UnreadableXml("malformed declaration");
  const encoding = /\sencoding\s*=\s*["']([^"']*)["']/i.exec(found)?.[1]?.toLowerCase();
  // Whoever believed another name would read other characters than we do.
  if (encoding !== undefined && encoding !== "utf-8" && encoding !== "us-ascii") throw new UnreadableXml("not UTF-8");
  return found.length;
}

function after(document: string, mark: string, from: number): number {
  const found = document.indexOf(mark, from);
  if (found === -1) throw new UnreadableXml("ends early");
  return found + mark.length;
}

function skipText(document: string, at: number, isOutside: boolean): number {
  const next = document.indexOf("<", at);
  const end = next === -1 ? document.length : next;
  const text = document.slice(at, end);
  if (badReference.test(text)) throw new UnreadableXml("entity");
  if (isOutside && text.trim() !== "") throw new UnreadableXml("text outside of the root");
  return end;
}

function openElement(tag: string, written: string, open: OpenElement[], at: number): XmlElement {
  if (open.length >= DEPTH_LIMIT) throw new UnreadableXml("too deep");
  if (badReference.test(written)) throw new UnreadableXml("entity");
  const namespaces = new Map<string, string>();
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single = ""] of written.matchAll(attributeGrammar)) {
    const isDeclaration = name === "xmlns" || name.startsWith("xmlns:");
    const target = isDeclaration ? namespaces : attributes;
    const key = isDeclaration ? name.slice("xmlns:".length) : name;
    if (target.has(key)) throw new UnreadableXml("attribute came twice");
    target.set(key, double ?? single);
  }
  open.push({ tag, namespaces });
  const colon = tag.indexOf(":");
  const prefix = colon === -1 ? "" : tag.slice(0, colon);
  return {
    name: tag.slice(colon + 1),
    namespace: open.findLast((element) => element.namespaces.has(prefix))?.namespaces.get(prefix) ?? "",
    depth: open.length,
    attributes,
    at,
  };
}
