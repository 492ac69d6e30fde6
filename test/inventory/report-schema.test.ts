/** The record of a push: its published descriptions, and what is said of one that is wrong. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { inventoryOpenApi, reportJsonSchema } from "../../src/inventory/open-api.ts";
import { problemOf, reportOf, reportSchema } from "../../src/inventory/report-schema.ts";
import { version } from "../../src/version.ts";

const published = (name: string): string => readFileSync(new URL(`../../config/${name}`, import.meta.url), "utf8");
const text = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

test("what is published is what is read; `node scripts/inventory-schema.ts` writes it anew", () => {
  assert.equal(published("inventory.schema.json"), text(reportJsonSchema()));
  assert.equal(published("inventory-openapi.json"), text(inventoryOpenApi(version)));
});

test("every key of a record says what it is", () => {
  const schema: unknown = reportJsonSchema();
  assert.ok(typeof schema === "object" && schema !== null && "properties" in schema);
  assert.ok(typeof schema.properties === "object" && schema.properties !== null);
  const properties: [string, unknown][] = Object.entries(schema.properties);
  assert.ok(properties.length > 25);
  for (const [name, property] of properties) {
    assert.ok(typeof property === "object" && property !== null && "description" in property, name);
  }
});

suite("a record", () => {
  const problem = (record: object): string => {
    const result = reportSchema.safeParse({ sourceDeviceId: "1", ...record });
    return result.success ? "" : problemOf(result.error);
  };

  test("says where it is wrong, and repeats nothing of what stands there", () => {
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ sourceDeviceId: "" }, /^sourceDeviceId: /],
      [{ sourceDeviceId: "x".repeat(201) }, /^sourceDeviceId: /],
      [{ platform: "secret-word" }, /^platform: /],
      [{ owner: { email: 7 } }, /^owner\.email: /],
      [{ apps: [{ name: "secret-word" }], appsScope: "all", appsAt: "2026-11-28T12:00:00Z" }, /^apps\[0\]: /],
      [{ deviceAt: "2026-11-28 12:00" }, /^deviceAt: must be a time with its zone/],
      [{ deviceAt: "2026-11-28T12:00:00" }, /^deviceAt: /],
      [{ apps: [], appsScope: "asked-only", appsAt: "2026-11-28T12:00:00Z" }, /^appsAsked: must be given/],
      [{ appsScope: "all" }, /^apps: must be given with appsScope/],
      [{ "secret-word with spaces": 1 }, /^has an unknown key$/],
    ];
    for (const [record, expected] of cases) {
      assert.match(problem(record), expected);
      assert.ok(!problem(record).includes("secret-word"), problem(record));
    }
    assert.equal(problem({}), "");
  });

  test("keeps what was left out apart from what is not known", () => {
    const keys = ["osVersion", "model", "compromised", "owner", "deviceAt", "region"] as const;
    fc.assert(
      fc.property(fc.subarray([...keys]), (unknown) => {
        const parsed = reportSchema.parse({
          sourceDeviceId: "1",
          ...Object.fromEntries(unknown.map((key) => [key, null])),
        });
        const report = reportOf("scripts", parsed);
        for (const key of keys) {
          assert.equal(Object.hasOwn(report, key), unknown.includes(key), key);
          assert.equal(report[key], undefined);
        }
      }),
    );
  });
});
