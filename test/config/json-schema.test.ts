import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import * as z from "zod";
import { configJsonSchema, settableKeys } from "../../src/config/keys.ts";
import { isMapping, listOf } from "../../src/config/tree.ts";

const config = new URL("../../config/", import.meta.url);

interface Described {
  readonly path: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

test("config/postern.schema.json is what the schema says; `node scripts/config-schema.ts` writes it anew", () => {
  const written = readFileSync(new URL("postern.schema.json", config), "utf8");
  assert.equal(written, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
});

test("every key has a description, and every key that a variable can set names it", () => {
  const keys = [...described(configJsonSchema(), "")];
  assert.ok(keys.length > 60);
  for (const { path, schema } of keys) assert.ok(textOf(schema["description"]).length > 5, path);
  const variables = new Map(keys.map(({ path, schema }) => [path, textOf(schema["description"])]));
  for (const { path, variable } of settableKeys()) {
    assert.ok(variables.get(path)?.endsWith(`Environment: ${variable}.`), path);
  }
});

test("every limit on a number stands in its description too", () => {
  for (const { path, schema } of described(configJsonSchema(), "")) {
    for (const limit of [schema["minimum"], schema["maximum"]]) {
      if (limit !== undefined) assert.ok(textOf(schema["description"]).includes(`${Number(limit)}`), path);
    }
  }
});

test("every example that an editor offers is one that it would not underline", () => {
  for (const { path, schema } of described(configJsonSchema(), "")) {
    const offered = [...listOf(schema["examples"]), schema["default"]].filter((value) => typeof value === "string");
    const pattern = new RegExp(textOf(schema["pattern"]));
    for (const example of offered) assert.match(example, pattern, path);
  }
});

test("an editor finds nothing wrong with the examples, and something with a misspelt key", () => {
  const editor = z.fromJSONSchema(z.record(z.string(), z.json()).parse(configJsonSchema()));
  for (const name of ["minimal.yaml", "postern.example.yaml"]) {
    const text = readFileSync(new URL(name, config), "utf8");
    assert.match(text, /^# yaml-language-server: \$schema=\.\/postern\.schema\.json\n/);
    const file: unknown = parse(text);
    assert.deepEqual(editor.safeParse(file).error?.issues ?? [], [], name);
  }
  assert.equal(editor.safeParse({ upstream: { url: "http://a" }, mial: {} }).success, false);
  assert.equal(editor.safeParse({ mail: {} }).success, false);
});

test("nothing of ours is left in the published schema", () => {
  const text = JSON.stringify(configJsonSchema());
  assert.ok(!text.includes('"file":true'));
});

/** Every key of every mapping, whichever form it takes. */
function* described(schema: unknown, path: string): Generator<Described> {
  if (!isMapping(schema)) return;
  for (const [name, child] of Object.entries(isMapping(schema["properties"]) ? schema["properties"] : {})) {
    const here = path === "" ? name : `${path}.${name}`;
    if (isMapping(child)) yield { path: here, schema: child };
    yield* described(child, here);
  }
  for (const one of listOf(schema["anyOf"])) yield* described(one, path);
  yield* described(schema["items"], `${path}[]`);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
