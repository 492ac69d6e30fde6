/**
 * The keys of the schema as data: which exist, what each defaults to, which are secrets or files, and by which variable
 * and flag each can be set. Read from the JSON Schema, so that a new key needs no second mention.
 */
import * as z from "zod";
import type { Path } from "./fault.ts";
import { configSchema } from "./schema.ts";
import { EACH, isMapping, listOf } from "./tree.ts";
import type { Mapping } from "./tree.ts";

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** A key with one value, or a list of texts, that can be set from outside the file. */
export interface SettableKey {
  /** `mail.listen` */
  readonly path: string;
  readonly kind: "text" | "number" | "boolean" | "list";
  /** `POSTERN_MAIL_LISTEN` */
  readonly variable: string;
  /** `--mail-listen`; undefined for a secret, because everybody on a machine can read command lines. */
  readonly flag: string | undefined;
  readonly description: string;
}

const inputSchema: JsonSchema = z.toJSONSchema(configSchema, { io: "input", target: "draft-07" });

/** Shorter names for what most people set: the URL, and the file that holds it. */
const shortVariables: ReadonlyMap<string, string> = new Map([
  ["POSTERN_STORE_REDIS", "store.redis.url"],
  ["POSTERN_STORE_REDIS_FILE", "store.redis.urlFile"],
]);

const schemaUri = "urn:postern:configuration";

/** For editors, and for people who look a key up. */
export function configJsonSchema(): object {
  const published = documented(inputSchema, "");
  const { $schema, title, description, ...rest } = published;
  return { $schema, $id: schemaUri, title, description, ...rest };
}

/** The variable belongs into the description of its key; the marker for files is ours alone. */
function documented(schema: JsonSchema, path: string): JsonSchema {
  const { file: _, ...rest } = schema;
  const settable = settableByPath.get(path);
  const description = [schema.description, ...(settable === undefined ? [] : [`Environment: ${settable.variable}.`])];
  const copy: JsonSchema = {
    ...rest,
    ...(schema.description === undefined ? {} : { description: description.join(" ") }),
  };
  if (schema.properties !== undefined) {
    copy.properties = Object.fromEntries(
      propertiesOf(schema).map(([name, child]) => [name, documented(child, path === "" ? name : `${path}.${name}`)]),
    );
  }
  if (schema.anyOf !== undefined) copy.anyOf = schema.anyOf.map((one) => documented(one, path));
  if (schema.oneOf !== undefined) copy.oneOf = schema.oneOf.map((one) => documented(one, path));
  if (isMapping(schema.items)) copy.items = documented(schema.items, `${path}[]`);
  return copy;
}

export function settableKeys(): readonly SettableKey[] {
  return [...settableByPath.values()];
}

/** Every variable that is understood, with the key it sets. */
export function variables(): ReadonlyMap<string, SettableKey> {
  const all = new Map(settableKeys().map((key) => [key.variable, key]));
  for (const [variable, path] of shortVariables) {
    const key = settableByPath.get(path);
    if (key !== undefined) all.set(variable, key);
  }
  return all;
}

const settableByPath: ReadonlyMap<string, SettableKey> = new Map(
  collectSettable(inputSchema, []).map((key) => [key.path, key]),
);

function collectSettable(schema: JsonSchema, path: readonly string[]): SettableKey[] {
  return propertiesOf(schema).flatMap(([name, child]) => {
    const childPath = [...path, name];
    const kind = kindOf(child);
    return kind === undefined ? collectSettable(child, childPath) : [settable(childPath, kind, child)];
  });
}

function settable(path: readonly string[], kind: SettableKey["kind"], schema: JsonSchema): SettableKey {
  const words = path.map((name) => name.replaceAll(/([a-z])([A-Z])/g, "$1-$2").toLowerCase());
  return {
    path: path.join("."),
    kind,
    variable: ["postern", ...words].join("_").replaceAll("-", "_").toUpperCase(),
    flag: schema.writeOnly === true ? undefined : `--${words.join("-")}`,
    description: schema.description ?? "",
  };
}

function kindOf(schema: JsonSchema): SettableKey["kind"] | undefined {
  if (schema.type === "string") return "text";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "boolean") return "boolean";
  const isList = schema.type === "array" && isMapping(schema.items) && schema.items["type"] === "string";
  return isList ? "list" : undefined;
}

/** The keys that may stand at a path, whichever form the value there has. */
export function keysAt(path: Path): readonly string[] {
  return schemasAt(path).flatMap((schema) => propertiesOf(schema).map(([name]) => name));
}

export function isSecretPath(path: Path): boolean {
  return schemasAt(path)
    .flatMap(alternatives)
    .some((schema) => schema.writeOnly === true);
}

/** Paths of all files that the configuration names. */
export const filePaths: readonly Path[] = collectFiles(inputSchema, []);

function collectFiles(schema: JsonSchema, path: readonly string[]): Path[] {
  return propertiesOf(schema).flatMap(([name, child]) =>
    child["file"] === true ? [[...path, name]] : collectFiles(child, [...path, name]).concat(inList(child, path, name)),
  );
}

function inList({ items }: JsonSchema, path: readonly string[], name: string): Path[] {
  return isMapping(items) ? collectFiles(items, [...path, name, EACH]) : [];
}

/** Each secret that may stand in a file of its own, beside it in the tree. */
export const secretPairs: readonly { readonly secret: Path; readonly file: Path }[] = uniquePaths(filePaths).flatMap(
  (file) => {
    const secret = [...file.slice(0, -1), String(file.at(-1)).replace(/File$/, "")];
    const isSecret = secret.at(-1) !== file.at(-1) && isSecretPath(secret.map((part) => (part === EACH ? 0 : part)));
    return isSecret ? [{ secret, file }] : [];
  },
);

/** Several kinds of connectors may have a file of one name. */
function uniquePaths(paths: readonly Path[]): Path[] {
  return [...new Map(paths.map((each) => [JSON.stringify(each), each])).values()];
}

/** Where in the schema a key of this name belongs, for somebody who wrote it in another place. */
export function placesOf(name: string, schema: JsonSchema = inputSchema, path: readonly string[] = []): string[] {
  return propertiesOf(schema).flatMap(([key, child]) => {
    const here = path.concat(key);
    return (key === name ? [here.join(".")] : []).concat(placesOf(name, child, here));
  });
}

/** The same tree with every default written out, which is what holds. */
export function withDefaults(tree: unknown, schema: JsonSchema = inputSchema): unknown {
  if (Array.isArray(tree) && isMapping(schema.items)) {
    const items: JsonSchema = schema.items;
    return tree.map((item) => withDefaults(item, items));
  }
  if (!isMapping(tree)) return tree;
  const given = Object.entries(tree);
  const names = new Set(given.map(([name]) => name));
  const children = new Map(propertiesOf(formOf(tree, schema)));
  const defaulted = [...children].flatMap(([name, child]): [string, unknown][] => {
    if (names.has(name) && tree[name] !== undefined) return [];
    // `upstream` is needed and has no default of its own, but its keys have.
    const isNeededSection = schema === inputSchema && child.type === "object" && schema.required?.includes(name);
    const value = child.default ?? (isNeededSection === true ? {} : undefined);
    return value === undefined ? [] : [[name, value]];
  });
  const all = new Map([...given, ...defaulted]);
  // In the order of the schema, because that is the order in which people look for a key.
  const order = [...children.keys(), ...names].filter((name) => all.has(name));
  return Object.fromEntries(
    [...new Set(order)].map((name) => [name, withDefaults(all.get(name), children.get(name) ?? {})]),
  );
}

/** Of several kinds of mappings the one that this is; none of them where its `kind` is none. */
function formOf(tree: Mapping, schema: JsonSchema): JsonSchema {
  if (schema.oneOf === undefined) return schema;
  const form = schema.oneOf.find((one) => {
    const kind = one.properties?.["kind"];
    return isMapping(kind) && kind["const"] === tree["kind"];
  });
  return form ?? {};
}

function schemasAt(path: Path): JsonSchema[] {
  let schemas = [inputSchema];
  for (const part of path) {
    schemas = schemas.flatMap(alternatives).flatMap((schema) => {
      const child = typeof part === "number" ? schema.items : propertyOf(schema, part);
      return isMapping(child) ? [child] : [];
    });
  }
  return schemas;
}

function propertyOf(schema: JsonSchema, name: string): unknown {
  return propertiesOf(schema).find(([key]) => key === name)?.[1];
}

function propertiesOf(schema: JsonSchema): [string, JsonSchema][] {
  return alternatives(schema).flatMap(({ properties }) =>
    Object.entries(properties ?? {}).flatMap(([name, child]): [string, JsonSchema][] =>
      typeof child === "boolean" ? [] : [[name, child]],
    ),
  );
}

/** A key that takes a text or a mapping has the keys of the mapping, and one of several kinds those of each. */
function alternatives(schema: JsonSchema): JsonSchema[] {
  return [schema, ...[...listOf(schema.anyOf), ...listOf(schema.oneOf)].filter(isMapping)];
}
