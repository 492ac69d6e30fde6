/**
 * From the text of a YAML file to plain values, and where each of them stands. Only the plain part of YAML is read: what
 * is written in a place is what holds there, so anchors, aliases, tags and merge keys are refused.
 */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Node, Pair, YAMLError } from "yaml";
import { FAULTS_LIMIT } from "./fault.ts";
import type { Path, Position } from "./fault.ts";

/** Twice what the deepest key needs. */
const DEPTH_LIMIT = 16;

interface DocumentFault {
  readonly path: Path;
  readonly position: Position;
  readonly message: string;
}

export interface ConfigDocument {
  readonly tree: unknown;
  /** Where a value stands, and its key where it has one. */
  readonly positionOf: (path: Path) => { readonly value: Position; readonly key: Position } | undefined;
  /** Where something stands that was not read, so that its absence says nothing. */
  readonly unread: readonly Path[];
  /** The text is no YAML: its tree is a guess, and nothing about it is worth saying. */
  readonly broken: boolean;
  readonly faults: readonly DocumentFault[];
}

export function parseConfigDocument(text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    // The library compares each key with each other one; `walk` does it in linear time, and names the first line.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
    version: "1.2",
  });
  const faults: DocumentFault[] = [];
  const unread: Path[] = [];
  const positions = new Map<string, { readonly value: Position; readonly key: Position }>();

  function positionAt(offset: number): Position {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  }

  function report(path: Path, offset: number, message: string): void {
    if (faults.length < FAULTS_LIMIT) faults.push({ path, position: positionAt(offset), message });
  }

  function refuse(path: Path, offset: number, message: string): undefined {
    report(path, offset, message);
    unread.push(path);
    return undefined;
  }

  function walk(node: Node | null, path: Path, keyOffset: number): unknown {
    const offset = node?.range?.[0] ?? keyOffset;
    const key = positionAt(keyOffset);
    // A value that was left out stands nowhere; its key is what can be seen.
    const isEmpty = node === null || (isScalar(node) && node.value === null);
    positions.set(JSON.stringify(path), { key, value: isEmpty ? key : positionAt(offset) });
    if (node === null) return null;
    if (isAlias(node)) {
      return refuse(path, offset, "aliases are not used here; write it out, and put text that begins with * in quotes");
    }
    if (node.anchor !== undefined) {
      report(path, offset, "anchors are not used here; put text that begins with & in quotes");
    }
    if (node.tag !== undefined) {
      return refuse(path, offset, "tags are not used here; put text that begins with ! in quotes");
    }
    if (path.length > DEPTH_LIMIT) {
      return refuse(path.slice(0, DEPTH_LIMIT), offset, `is nested deeper than ${DEPTH_LIMIT} levels`);
    }
    if (isMap<Node, Node | null>(node)) return walkMap(node.items, path, offset);
    if (isSeq<Node | null>(node)) return node.items.map((item, index) => walkItem(item, [...path, index], offset));
    return isScalar(node) ? node.value : undefined;
  }

  function walkItem(item: Node | null, path: Path, listOffset: number): unknown {
    return walk(item, path, item?.range?.[0] ?? listOffset);
  }

  function walkMap(pairs: readonly Pair<Node, Node | null>[], path: Path, mapOffset: number): unknown {
    const entries = new Map<string, unknown>();
    const offsets = new Map<string, number>();
    for (const { key, value } of pairs) {
      const offset = key.range?.[0] ?? mapOffset;
      const name = isScalar(key) && key.anchor === undefined && key.tag === undefined ? key.value : undefined;
      // A number or `true` as a key is read as its text, which then is an unknown key.
      const isWord = typeof name === "string" || typeof name === "number" || typeof name === "boolean";
      const keyText = isWord ? String(name) : undefined;
      const first = keyText === undefined ? undefined : offsets.get(keyText);
      if (keyText === undefined) report([...path, "…"], offset, "is a key that is no plain word");
      else if (first !== undefined) {
        report([...path, keyText], offset, `stands here a second time; the first is on line ${positionAt(first).line}`);
      } else {
        offsets.set(keyText, offset);
        entries.set(keyText, walk(value, [...path, keyText], offset));
      }
    }
    return Object.fromEntries(entries);
  }

  const problems = [...document.errors, ...document.warnings].filter(({ code }) => code !== "TAG_RESOLVE_FAILED");
  if (problems.length > 0) {
    const exhausted = problems.filter(({ code }) => code === "RESOURCE_EXHAUSTION");
    for (const problem of exhausted.length > 0 ? exhausted.slice(0, 1) : problems.slice(0, FAULTS_LIMIT)) {
      report([], problem.pos[0], yamlProblem(problem.code));
    }
  }
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== "1.2") {
    report([], 0, "is written for another version of YAML, in which words such as yes and no are not text");
  }
  const broken = faults.length > 0;
  const tree = broken ? undefined : walk(document.contents, [], document.contents?.range?.[0] ?? 0);
  return { tree, positionOf: (path) => positions.get(JSON.stringify(path)), unread, broken, faults };
}

/** The library's own messages repeat what stands in the file, which may be a secret. */
function yamlProblem(code: YAMLError["code"]): string {
  switch (code) {
    case "BAD_INDENT":
      return "the indentation does not fit the lines around it";
    case "TAB_AS_INDENT":
      return "tabs cannot indent YAML; use spaces";
    case "MISSING_CHAR":
      return "something is not closed: a quote, a bracket, or the : after a key";
    case "UNEXPECTED_TOKEN":
    case "BAD_SCALAR_START":
      return "cannot be read from here on; text that begins with one of [ { @ ` % * & ! goes in quotes";
    case "BAD_DQ_ESCAPE":
      return "a \\ in double quotes begins an escape sequence; use single quotes";
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
    case "KEY_OVER_1024_CHARS":
      return "looks like a key inside a value; text with a colon and a space in it goes in quotes";
    case "BLOCK_IN_FLOW":
      return "an indented block cannot stand inside brackets";
    case "DUPLICATE_KEY":
      return "the same key stands here a second time";
    case "MULTIPLE_DOCS":
      return "a second document begins here; the configuration is one document";
    case "BAD_DIRECTIVE":
      return "a line that begins with % is not used here";
    case "RESOURCE_EXHAUSTION":
      return "is nested too deeply";
    case "ALIAS_PROPS":
    case "BAD_ALIAS":
    case "BAD_COLLECTION_TYPE":
    case "BAD_PROP_ORDER":
    case "MULTIPLE_ANCHORS":
    case "MULTIPLE_TAGS":
    case "TAG_RESOLVE_FAILED":
      return "anchors, aliases and tags are not used here; put text that begins with & * or ! in quotes";
    case "NON_STRING_KEY":
    case "IMPOSSIBLE":
      return "is no YAML that can be read";
  }
}
