/**
 * XML as mail programs write SOAP and phones write property lists, read once from front to back, and only as far as somebody asks
 * for more. SOAP 1.1 (section 3) has no DOCTYPE and no processing instructions, so there are none here but one DOCTYPE that a
 * reader may name to the letter, and no entities but the five that XML brings along. Names are ASCII. Time is linear in what was
 * read, and depth has a limit.
 */

/** 32: the deepest request of EWS, a search with nested restrictions, stays under 20, and a list of apps under 6. */
export const DEPTH_LIMIT = 32;

/** 8 KiB: the longest tag of a real request, an Envelope that declares every namespace there is, stays under 1. */
export const TAG_LIMIT_CHARACTERS = 8192;

/** In the order of the document. An empty element has an end too. */
export type XmlPart =
  | XmlElement
  | { readonly kind: "end" }
  | { readonly kind: "comment" }
  /** A piece of text as it was written; `readText` says what it means. CDATA is a piece of its own, and means what it says. */
  | { readonly kind: "text"; readonly written: string; readonly isCdata: boolean };

/** An element, by what its name stands for. */
export interface XmlElement {
  readonly kind: "start";
  readonly name: string;
  /** "" where it has none. */
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

/**
 * White space is what XML calls so (section 2.3), and not the \s of JavaScript, which has a dozen more. Every repetition starts
 * with what the one before it cannot end in, so that it never tries twice.
 */
const tagGrammar =
  /^<(\/?)((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)((?:[ \t\r\n]+(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*[ \t\r\n]*=[ \t\r\n]*(?:"[^"<]*"|'[^'<]*'))*)[ \t\r\n]*(\/?)>/;
/** A tag without attributes and prefix, as nearly all of a property list are: the same as above, in less time. */
const bareTagGrammar = /<(\/?)([A-Za-z_][\w.-]*)(\/?)>/y;
const attributeGrammar = /([A-Za-z_][\w:.-]*)[ \t\r\n]*=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')/g;
/** Section 2.8: in this order. XML 1.1 takes other characters for white space, and encodings but UTF-8 make other text of the same bytes. */
const declaration =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(["'])1\.0\1(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(["'])utf-8\2)?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(["'])(?:yes|no)\3)?[ \t\r\n]*\?>/i;
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const reference = /&(?:(?:amp|lt|gt|quot|apos|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));)?/g;
const xmlNamespace = "http://www.w3.org/XML/1998/namespace";

/** Most elements have neither attributes nor declarations. */
const none: ReadonlyMap<string, string> = new Map();

/**
 * Every part, as far as somebody asks. `doctype` may stand in front of the root, once, and exactly so.
 * @throws UnreadableXml where the reader comes to what cannot be read in one way.
 */
export function* readXml(document: string, doctype?: string): Generator<XmlPart, void, undefined> {
  if (forbidden.test(document)) throw new UnreadableXml("control character");
  const open: OpenElement[] = [];
  let rootSeen = false;
  let doctypeSeen = doctype === undefined;
  let at = checkDeclaration(document);

  while (at < document.length) {
    if (document.startsWith("<!--", at)) {
      at = afterComment(document, at + 4);
      yield { kind: "comment" };
    } else if (document.startsWith("<![CDATA[", at)) {
      if (open.length === 0) throw new UnreadableXml("text outside of the root");
      const end = after(document, "]]>", at + 9);
      yield { kind: "text", written: document.slice(at + 9, end - 3), isCdata: true };
      at = end;
    } else if (!doctypeSeen && !rootSeen && doctype !== undefined && document.startsWith(doctype, at)) {
      doctypeSeen = true;
      at += doctype.length;
    } else if (document.startsWith("<", at)) {
      const { whole, slash, tag, attributes, empty } = tagAt(document, at);
      if (slash === "/") {
        if (attributes !== "" || empty !== "" || open.at(-1)?.tag !== tag) throw new UnreadableXml("tags do not match");
        open.pop();
        yield { kind: "end" };
      } else {
        if (rootSeen && open.length === 0) throw new UnreadableXml("two roots");
        rootSeen = true;
        yield openElement(tag, attributes, open, at);
        if (empty !== "") {
          open.pop();
          yield { kind: "end" };
        }
      }
      at += whole.length;
    } else {
      const end = afterText(document, at, open.length === 0);
      yield { kind: "text", written: document.slice(at, end), isCdata: false };
      at = end;
    }
  }
  if (open.length > 0 || !rootSeen) throw new UnreadableXml("ends early");
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** What a text that `readXml` gave stands for. Line ends that were written as such are one character (section 2.11). */
export function readText(written: string): string {
  const text = written.includes("\r") ? written.replaceAll(/\r\n?/g, "\n") : written;
  if (!text.includes("&")) return text;
  return text.replaceAll(
    /&(?:#(\d+)|#x([0-9A-Fa-f]+)|(\w+));/g,
    (_whole, decimal?: string, hexadecimal?: string, name?: string) =>
      decimal !== undefined || hexadecimal !== undefined
        ? String.fromCodePoint(codeOf(decimal, hexadecimal))
        : (named[name ?? ""] ?? ""),
  );
}

interface WrittenTag {
  readonly whole: string;
  readonly slash: string;
  readonly tag: string;
  readonly attributes: string;
  readonly empty: string;
}

function tagAt(document: string, at: number): WrittenTag {
  bareTagGrammar.lastIndex = at;
  const bare = bareTagGrammar.exec(document);
  if (bare !== null && bare[0].length <= TAG_LIMIT_CHARACTERS) {
    const [whole, slash = "", tag = "", empty = ""] = bare;
    return { whole, slash, tag, attributes: "", empty };
  }
  const found = tagGrammar.exec(document.slice(at, at + TAG_LIMIT_CHARACTERS));
  if (found === null) throw new UnreadableXml("DOCTYPE, processing instruction, or malformed or endless tag");
  const [whole, slash = "", tag = "", attributes = "", empty = ""] = found;
  return { whole, slash, tag, attributes, empty };
}

/** @returns where the document goes on. */
function checkDeclaration(document: string): number {
  if (!document.startsWith("<?")) return 0;
  const found = declaration.exec(document)?.[0];
  if (found === undefined) throw new UnreadableXml("declaration that is malformed, or names what is not UTF-8");
  return found.length;
}

function after(document: string, mark: string, from: number): number {
  const found = document.indexOf(mark, from);
  if (found === -1) throw new UnreadableXml("ends early");
  return found + mark.length;
}

/** Two hyphens end a comment (section 2.5), with what follows or without: some readers go on, some do not. */
function afterComment(document: string, from: number): number {
  const end = after(document, "--", from);
  if (document[end] !== ">") throw new UnreadableXml("hyphens in a comment");
  return end + 1;
}

function afterText(document: string, at: number, isOutside: boolean): number {
  const next = document.indexOf("<", at);
  const end = next === -1 ? document.length : next;
  const text = document.slice(at, end);
  checkReferences(text);
  // Section 2.4: some readers take it for text, and some for the end of a CDATA that never began.
  if (text.includes("]]>")) throw new UnreadableXml("end of CDATA in text");
  if (isOutside && /[^ \t\r\n]/.test(text)) throw new UnreadableXml("text outside of the root");
  return end;
}

function codeOf(decimal: string | undefined, hexadecimal: string | undefined): number {
  return Number.parseInt(decimal ?? hexadecimal ?? "", decimal === undefined ? 16 : 10);
}

/** The five entities that XML brings along, and numbers of characters that may stand in a document (section 4.1). */
function checkReferences(text: string): void {
  if (!text.includes("&")) return;
  for (const [whole, decimal, hexadecimal] of text.matchAll(reference)) {
    if (whole === "&") throw new UnreadableXml("entity");
    if (decimal === undefined && hexadecimal === undefined) continue;
    const code = codeOf(decimal, hexadecimal);
    if (code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff) || forbidden.test(String.fromCodePoint(code)))
      throw new UnreadableXml("reference to what is no character");
  }
}

function openElement(tag: string, written: string, open: OpenElement[], at: number): XmlElement {
  if (open.length >= DEPTH_LIMIT) throw new UnreadableXml("too deep");
  const { attributes, namespaces } = written === "" ? { attributes: none, namespaces: none } : readAttributes(written);
  open.push({ tag, namespaces });
  if (attributes.size > 0) checkAttributes(attributes, open);
  const [prefix, name] = split(tag);
  return { kind: "start", name, namespace: namespaceOf(prefix, open), depth: open.length, attributes, at };
}

function readAttributes(written: string): Pick<XmlElement, "attributes"> & Pick<OpenElement, "namespaces"> {
  checkReferences(written);
  const namespaces = new Map<string, string>();
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single = ""] of written.matchAll(attributeGrammar)) {
    const isDeclaration = name === "xmlns" || name.startsWith("xmlns:");
    const target = isDeclaration ? namespaces : attributes;
    const key = isDeclaration ? name.slice("xmlns:".length) : name;
    if (target.has(key)) throw new UnreadableXml("attribute came twice");
    target.set(key, double ?? single);
  }
  for (const [prefix, namespace] of namespaces) checkNamespace(prefix, namespace);
  return { attributes, namespaces };
}

/** Namespaces in XML 1.0, sections 2.2 and 3. References are refused: not every reader compares the name that they spell. */
function checkNamespace(prefix: string, namespace: string): void {
  if (prefix === "xml" || prefix === "xmlns") throw new UnreadableXml("reserved prefix");
  if (prefix !== "" && namespace === "") throw new UnreadableXml("prefix for nothing");
  if (/[&\t\r\n]/.test(namespace)) throw new UnreadableXml("namespace spelled by references");
}

/** Two prefixes may stand for one namespace: the same attribute is then there twice (section 6.3). */
function checkAttributes(attributes: ReadonlyMap<string, string>, open: readonly OpenElement[]): void {
  const expanded = [...attributes.keys()].map((attribute) => {
    const [prefix, name] = split(attribute);
    return prefix === "" ? name : `{${namespaceOf(prefix, open)}}${name}`;
  });
  if (new Set(expanded).size < attributes.size) throw new UnreadableXml("attribute came twice");
}

/** @throws UnreadableXml for a prefix that nobody has declared: some readers refuse it, others take it for a name. */
function namespaceOf(prefix: string, open: readonly OpenElement[]): string {
  if (prefix === "xml") return xmlNamespace;
  let found: string | undefined;
  for (let depth = open.length - 1; depth >= 0 && found === undefined; depth -= 1)
    found = open[depth]?.namespaces.get(prefix);
  if (found === undefined && prefix !== "") throw new UnreadableXml("prefix that stands for nothing");
  return found ?? "";
}

function split(qualified: string): readonly [prefix: string, name: string] {
  const colon = qualified.indexOf(":");
  return colon === -1 ? ["", qualified] : [qualified.slice(0, colon), qualified.slice(colon + 1)];
}
