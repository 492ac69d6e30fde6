/**
 * A second reader of XML, for answers only: character by character where the product's own one goes by tags, with
 * namespaces resolved. It shares nothing with `src`, so that a fault in there does not confirm itself.
 */
import assert from "node:assert/strict";

export interface Node {
  /** `{namespace}name` */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Node[];
  readonly text: string;
}

/** @throws AssertionError where the document is not well-formed. */
export function parseXml(bytes: Uint8Array): Node {
  const source = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  let at = source.startsWith("<?xml") ? source.indexOf("?>") + 2 : 0;
  const root = element(new Map([["xml", "http://www.w3.org/XML/1998/namespace"]]));
  assert.equal(source.slice(at).trim(), "", "something behind the root");
  return root;

  function element(outer: ReadonlyMap<string, string>): Node {
    expect("<");
    const tag = name();
    const scope = new Map(outer);
    const raw: [string, string][] = [];
    for (skipSpace(); source[at] !== ">" && source[at] !== "/"; skipSpace()) {
      const key = name();
      expect("=");
      const quote = source[at++];
      assert.ok(quote === '"' || quote === "'");
      const value = unescape(until(quote));
      if (key === "xmlns") scope.set("", value);
      else if (key.startsWith("xmlns:")) scope.set(key.slice(6), value);
      else raw.push([key, value]);
    }
    const attributes = new Map(raw.map(([key, value]) => [key.includes(":") ? expanded(key, scope) : key, value]));
    assert.equal(attributes.size, raw.length, "attribute twice");
    if (source[at] === "/") {
      expect("/>");
      return { name: expanded(tag, scope), attributes, children: [], text: "" };
    }
    expect(">");
    const children: Node[] = [];
    let text = "";
    while (!source.startsWith("</", at)) {
      if (source[at] === "<") children.push(element(scope));
      else {
        const end = source.indexOf("<", at);
        assert.ok(end > at, "ends early");
        text += unescape(source.slice(at, end));
        at = end;
      }
    }
    expect(`</${tag}`);
    skipSpace();
    expect(">");
    return { name: expanded(tag, scope), attributes, children, text };
  }

  function name(): string {
    const start = at;
    while (/[A-Za-z0-9_:.-]/.test(source[at] ?? "")) at += 1;
    assert.ok(at > start, `no name at ${at}`);
    return source.slice(start, at);
  }

  function expanded(qualified: string, scope: ReadonlyMap<string, string>): string {
    const [prefix = "", local = ""] = qualified.includes(":") ? qualified.split(":") : ["", qualified];
    const namespace = prefix === "" ? (scope.get("") ?? "") : scope.get(prefix);
    assert.ok(namespace !== undefined, `prefix ${prefix} stands for nothing`);
    return `{${namespace}}${local}`;
  }

  function until(mark: string): string {
    const end = source.indexOf(mark, at);
    assert.ok(end !== -1);
    const text = source.slice(at, end);
    assert.ok(!text.includes("<"), "< in an attribute");
    at = end + mark.length;
    return text;
  }

  function expect(text: string): void {
    assert.ok(source.startsWith(text, at), `${text} expected at ${at}`);
    at += text.length;
  }

  function skipSpace(): void {
    while (/\s/.test(source[at] ?? "")) at += 1;
  }
}

function unescape(text: string): string {
  return text.replaceAll(/&([^;]*);?/g, (all, reference: string) => {
    const character = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }[reference];
    assert.ok(character !== undefined && all.endsWith(";"), `unknown reference ${all}`);
    return character;
  });
}

/** The one descendant on this path of local names; "*" stands for any. @throws AssertionError where there is none, or more than one. */
export function only(node: Node, ...path: readonly string[]): Node {
  let found: Node = node;
  for (const local of path) {
    const matching = found.children.filter(({ name }) => local === "*" || name.endsWith(`}${local}`));
    assert.equal(matching.length, 1, `${matching.length} times ${local} in ${found.name}`);
    found = matching[0] ?? found;
  }
  return found;
}
