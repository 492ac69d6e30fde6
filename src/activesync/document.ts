/** Building ActiveSync documents and reading what is in them. */
import { isUtf8 } from "node:buffer";
import { WbxmlError } from "./wbxml.ts";
import type { Content, Element, TagName } from "./wbxml.ts";

/** What `element` takes: `undefined` stands for a part that is left out, a list for any number of parts. */
export type Part = Content | undefined | readonly (Content | undefined)[];

export function element(tag: TagName, ...parts: readonly Part[]): Element {
  return { tag, content: parts.flat().filter((part) => part !== undefined) };
}

/** The first child of that name. Where a second one would change the meaning, `only` is the one to use. */
export function child(parent: Element, tag: TagName): Element | undefined {
  for (const part of parent.content) if (isElement(part) && part.tag === tag) return part;
  return undefined;
}

export function children(parent: Element, tag: TagName): Element[] {
  return parent.content.filter((part) => isElement(part)).filter((part) => part.tag === tag);
}

export function has(parent: Element, tag: TagName): boolean {
  return child(parent, tag) !== undefined;
}

/**
 * The child of that name, where there may be one or none. Of two, one server acts on the first and another on the second,
 * so a request that has two is not decided upon.
 * @throws WbxmlError `duplicate-element`
 */
export function only(parent: Element, tag: TagName): Element | undefined {
  let found: Element | undefined;
  for (const part of parent.content) {
    if (!isElement(part) || part.tag !== tag) continue;
    if (found !== undefined) throw new WbxmlError("duplicate-element");
    found = part;
  }
  return found;
}

/**
 * The text of the only child of that name; undefined where there is none, and "" where it is empty.
 * @throws WbxmlError `duplicate-element`, `text-refused`
 */
export function text(parent: Element, tag: TagName): string | undefined {
  const found = only(parent, tag);
  return found === undefined ? undefined : textOf(found);
}

/** @throws WbxmlError `text-refused` */
export function textOf(element: Element): string {
  let whole = "";
  for (const part of element.content) whole += typeof part === "string" ? part : textOfBytes(part);
  return whole;
}

// Clients may write text as bytes. What a string could not hold is refused, because a server that works with
// NUL-terminated strings would read less than we do.
function textOfBytes(part: Element | Uint8Array): string {
  if (isElement(part) || part.includes(0) || !isUtf8(part)) throw new WbxmlError("text-refused");
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("utf8");
}

/** The same element with each element in it changed, or left out where `change` says undefined. */
export function mapElements(parent: Element, change: (part: Element) => Element | undefined): Element {
  const content = parent.content
    .map((part) => (isElement(part) ? change(part) : part))
    .filter((part) => part !== undefined);
  return { ...parent, content };
}

export function isElement(part: Content): part is Element {
  return typeof part === "object" && !(part instanceof Uint8Array);
}
