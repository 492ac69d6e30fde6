/** From what the schema library found to what a person can act on. */
import type * as z from "zod";
import { FAULTS_LIMIT, formatPath } from "./fault.ts";
import type { Path } from "./fault.ts";
import { keysAt, placesOf, settableKeys } from "./keys.ts";
import { nearest } from "./spelling.ts";
import { valueAt } from "./tree.ts";

/** A fault before it has a place. `side` says what to point at: a key, or its value. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly side: "key" | "value";
}

type Issue = z.core.$ZodIssue;

export function findingsOf(issues: readonly Issue[], tree: unknown, parent: Path = []): Finding[] {
  return issues.slice(0, FAULTS_LIMIT).flatMap((issue) => {
    const path = [...parent, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.slice(0, FAULTS_LIMIT).map((key) => unknownKey(path.concat(key)));
    }
    if (issue.code === "invalid_union") return ofUnion(issue, tree, path);
    const value = valueAt(tree, path);
    const isAbsent = value === undefined || value === null;
    const isMissing = value === undefined && issue.code !== "custom";
    const message = isMissing ? `must be given${variableHint(path)}` : messageOf(issue, value);
    return [{ path, message, side: isAbsent ? ("key" as const) : ("value" as const) }];
  });
}

/** Somebody without a file sees nothing else that says how to go on. */
function variableHint(path: Path): string {
  const key = settableKeys().find((settable) => settable.path === formatPath(path));
  return key === undefined ? "" : ` (or ${key.variable} set)`;
}

function unknownKey(path: Path): Finding {
  const name = String(path.at(-1));
  const meant = nearest(name, keysAt(path.slice(0, -1))) ?? onlyPlaceOf(name);
  return { path, message: meant === undefined ? "unknown key" : `unknown key; did you mean "${meant}"?`, side: "key" };
}

function onlyPlaceOf(name: string): string | undefined {
  const [place, ...others] = placesOf(name);
  return others.length === 0 ? place : undefined;
}

/** Of the forms that a value may have, the one that was meant is the one whose kind it has. */
function ofUnion(issue: Extract<Issue, { code: "invalid_union" }>, tree: unknown, path: Path): Finding[] {
  const value = valueAt(tree, path);
  if (value === null) return [{ path, message: emptyText, side: "key" }];
  if (issue.errors.length === 0) {
    const choices = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    const message = value === undefined ? `must be given: ${choiceOf(choices)}` : choiceText(choices, value);
    return [{ path, message, side: value === undefined ? "key" : "value" }];
  }
  const meant = issue.errors.find((branch) => branch.every((one) => otherKind(one, value) === undefined));
  if (meant !== undefined) return findingsOf(meant, tree, path);
  const kinds = issue.errors.flatMap((branch) => branch.flatMap((one) => otherKind(one, value) ?? []));
  return [{ path, message: `must be ${[...new Set(kinds)].join(" or ")}`, side: "value" }];
}

/** The kind that a form wants, where the value is of another one. */
function otherKind(issue: Issue, value: unknown): string | undefined {
  if (issue.path.length > 0) return undefined;
  if (issue.code === "invalid_type") return kindText(issue.expected);
  return issue.code === "invalid_value" && typeof value !== "string" ? choiceOf(issue.values.map(String)) : undefined;
}

const emptyText = "is empty; give it a value, or take the key out";

function messageOf(issue: Exclude<Issue, { code: "unrecognized_keys" | "invalid_union" }>, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      if (value === null) return emptyText;
      return `must be ${kindText(issue.expected)}${quotesHint(issue.expected, value)}`;
    case "invalid_value":
      return choiceText(issue.values.map(String), value);
    case "too_small":
      return sizeText(issue.origin, "at least", issue.minimum);
    case "too_big":
      return sizeText(issue.origin, "at most", issue.maximum);
    case "invalid_format":
    case "custom":
      return issue.message;
    case "not_multiple_of":
    case "invalid_key":
    case "invalid_element":
      return "is not a value that is understood here";
  }
}

function choiceText(choices: readonly string[], value: unknown): string {
  if (value === null) return emptyText;
  const meant = typeof value === "string" ? nearest(value, choices) : undefined;
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return `must be ${choiceOf(choices)}${hint}`;
}

function choiceOf(choices: readonly string[]): string {
  return `one of ${choices.join(", ")}`;
}

function sizeText(origin: string, direction: string, limit: number | bigint): string {
  if (origin === "string") {
    return direction === "at least" && limit === 1 ? "must not be empty" : `must have ${direction} ${limit} characters`;
  }
  if (origin === "array") return `must have ${direction} ${limit} ${limit === 1 ? "entry" : "entries"}`;
  return `must be ${direction} ${limit}`;
}

function kindText(expected: string): string {
  switch (expected) {
    case "string":
      return "text";
    case "number":
      return "a number";
    case "int":
      return "a whole number";
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "object":
      return "a mapping of keys";
    default:
      return "another kind of value";
  }
}

/** `region: 1` and `title: true` are no text in YAML, although they look like it. */
function quotesHint(expected: string, value: unknown): string {
  return expected === "string" && (typeof value === "number" || typeof value === "boolean") ? "; put it in quotes" : "";
}
