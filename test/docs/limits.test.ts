/** docs/limits.md names every limit there is, with its number: held against the source. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { configJsonSchema } from "../../src/config/keys.ts";
import { tableAfter } from "../support/markdown.ts";
import { repository } from "../support/postern.ts";

const page = readFileSync(path.join(repository, "docs/limits.md"), "utf8");
const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading = ""]) => heading);
const settable = "What you can set";

/** The configuration describes its own limits, the notice its own lengths; phones and demonstrations bound only themselves. */
const elsewhere = /^(config|notice|phone|demo)\//;

interface Constant {
  readonly file: string;
  readonly name: string;
  readonly value: number;
}

const product = "[0-9_]+(?: \\* [0-9_]+)*";
/** `const headLimitBytes = 16_384;`, `{ depth: 32, nodes: 100_000 }`, and the length in a grammar, `{1,64}`. */
const shapes = [
  new RegExp(`const (?<name>\\w+) = (?<value>${product});`, "g"),
  new RegExp(`\\b(?<name>\\w+): (?<value>${product})(?=[,; ])`, "g"),
  /(?<name>\{1,(?<value>\d+)\})/g,
];

function constantsIn(file: string): Constant[] {
  const text = readFileSync(path.join(repository, "src", file), "utf8");
  return shapes.flatMap((shape) =>
    [...text.matchAll(shape)].map(({ groups }) => ({
      file,
      name: groups?.["name"] ?? "",
      value: worth(groups?.["value"] ?? ""),
    })),
  );
}

function worth(expression: string): number {
  return expression.split(" * ").reduce((all, part) => all * Number(part.replaceAll("_", "")), 1);
}

const units: Readonly<Record<string, number>> = {
  bytes: 1,
  KiB: 1024,
  MiB: 1_048_576,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  days: 86_400_000,
};

/** In bytes, milliseconds or pieces: `16 KiB`, `400 days`, `50 000`. */
function amountOf(words: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,3}(?: \d{3})*|\d+)(?: ([A-Za-z]+))?/.exec(words) ?? [];
  return Number(digits.replaceAll(" ", "")) * (units[unit] ?? 1);
}

function amountIn({ name, value }: Constant, words: string): number {
  if (/(seconds|heartbeat(limit)?)$/i.test(name) && / (s|min|h|days)\b/.test(words)) return value * 1000;
  return value;
}

const rows = headings
  .filter((heading) => heading !== settable)
  .flatMap((heading) => tableAfter(page, heading))
  .map(([what = "", number = "", where = ""]) => {
    const [, file = "", name = ""] = /^`([\w/.-]+)` `(\S+)`$/.exec(where) ?? [];
    return { what, number, file, name };
  });

suite("docs/limits.md", () => {
  test("has the number that stands in the source", () => {
    for (const { what, number, file, name } of rows) {
      const constant = constantsIn(file).find((each) => each.name === name);
      assert.ok(constant !== undefined, `${what}: there is no ${name} in src/${file}`);
      assert.equal(
        amountOf(number),
        amountIn(constant, number),
        `${what}: ${number}, and src/${file} has ${name} = ${constant.value}`,
      );
    }
  });

  test("has every limit of the source", () => {
    const files = readdirSync(path.join(repository, "src"), { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".ts") && !elsewhere.test(file),
    );
    const listed = new Set(rows.map(({ file, name }) => `${file} ${name}`));
    const missing = files
      .flatMap(constantsIn)
      .filter(({ name }) => /limit/i.test(name))
      .filter(({ file, name }) => !listed.has(`${file} ${name}`))
      .map(({ file, name, value }) => `| … | ${value} | \`${file}\` \`${name}\` |`);
    assert.deepEqual(missing, []);
  });

  test("has the defaults and bounds that the configuration has", () => {
    for (const [key = "", byDefault = "", least = "", most = ""] of tableAfter(page, settable)) {
      const described = schemaAt(key.replaceAll("`", "").split("."));
      assert.equal(String(described.get("minimum")), least, key);
      assert.equal(String(described.get("maximum")), most, key);
      // The one that has no number depends on the process.
      if (described.get("default") !== undefined) assert.equal(String(described.get("default")), byDefault, key);
    }
  });
});

function schemaAt(keys: readonly string[]): ReadonlyMap<string, unknown> {
  let schema = entriesOf(configJsonSchema());
  for (const key of keys) schema = entriesOf(entriesOf(schema.get("properties")).get(key));
  return schema;
}

function entriesOf(value: unknown): ReadonlyMap<string, unknown> {
  assert.ok(typeof value === "object" && value !== null);
  return new Map(Object.entries(value));
}
