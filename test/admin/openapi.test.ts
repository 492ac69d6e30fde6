/** The OpenAPI document: that it is the one in `config/`, that it can be read, and that answers are what it says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as z from "zod";
import { openApiDocument } from "../../scripts/openapi-document.ts";
import { anAdminSide } from "../support/admin-api.ts";
import { clean } from "../support/gate.ts";

const object = z.record(z.string(), z.unknown());
const operation = z.object({
  operationId: z.string().regex(/^[a-z]+[A-Za-z]*$/),
  summary: z.string().min(5),
  "x-role": z.enum(["viewer", "helpdesk", "operator", "admin"]),
  tags: z.array(z.string()).length(1),
  parameters: z.array(
    z.object({ name: z.string(), in: z.enum(["path", "query", "header"]), required: z.boolean(), schema: object }),
  ),
  requestBody: z.object({ content: z.object({ "application/json": z.object({ schema: object }) }) }).optional(),
  responses: z.record(z.string().regex(/^([1-5]\d\d|default)$/), object),
});
const documentSchema = z.object({
  openapi: z.literal("3.1.0"),
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(
    z.string().regex(/^\/[a-z/{}.-]+$/),
    z
      .record(z.enum(["get", "post", "put", "patch", "delete"]), operation)
      .or(z.partialRecord(z.enum(["get", "post", "put", "patch", "delete"]), operation)),
  ),
  components: z.object({
    schemas: object,
    responses: object,
    headers: object,
    securitySchemes: z.object({ bearer: z.object({ type: z.literal("http"), scheme: z.literal("bearer") }) }),
  }),
  security: z.array(z.object({ bearer: z.array(z.string()) })).length(1),
});

const text = await openApiDocument();
const raw: unknown = JSON.parse(text);
const document = documentSchema.parse(raw);

test("config/admin-openapi.json is what the table says; `node scripts/admin-openapi.ts` writes it anew", () => {
  assert.equal(readFileSync(new URL("../../config/admin-openapi.json", import.meta.url), "utf8"), text);
});

test("every reference leads somewhere, every operation has a name of its own, and every parameter of a path is described", () => {
  for (const [, reference = ""] of text.matchAll(/"\$ref": "([^"]+)"/g)) {
    let place: unknown = raw;
    for (const part of reference.replace("#/", "").split("/")) place = object.parse(place)[part];
    assert.notEqual(place, undefined, reference);
  }
  const names = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, each] of Object.entries(operations)) {
      assert.ok(each !== undefined);
      assert.ok(!names.has(each.operationId), each.operationId);
      names.add(each.operationId);
      const described = each.parameters.filter(({ in: place }) => place === "path").map(({ name }) => `{${name}}`);
      assert.deepEqual(path.match(/\{\w+\}/g) ?? [], described, path);
      assert.equal(each.requestBody === undefined, method === "get", `${method} ${path}`);
      assert.ok("default" in each.responses);
    }
  }
});

test("every schema is one that a program can make a check of", () => {
  const inlined = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inlined);
    if (typeof value !== "object" || value === null) return value;
    if ("$ref" in value) return {};
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inlined(inner)]));
  };
  for (const operations of Object.values(document.paths)) {
    for (const each of Object.values(operations)) {
      const body = each?.requestBody?.content["application/json"].schema;
      for (const schema of [body, ...(each?.parameters.map(({ schema: one }) => one) ?? [])])
        if (schema !== undefined) z.fromJSONSchema(z.record(z.string(), z.json()).parse(inlined(schema)));
    }
  }
});

test("what is answered is what is described, for everything that can be read of a small installation", async (t) => {
  const admin = await anAdminSide(t);
  await admin.reports("X1", { ...clean, owner: "alice" });
  const campaign = { id: "x1", title: "No apps", require: [{ absent: { name: "A", ios: ["a.b"] } }], mode: "shadow" };
  await admin
    .as("operator")
    .send("post", "/campaigns/apply", { campaigns: [campaign], why: "x" }, { "If-Match": '"policy-0"' })
    .expect(200);
  await admin.as("operator").send("post", "/devices/X1/recheck", { why: "x" }).expect(202);
  let checked = 0;
  for (const [path, { get }] of Object.entries(document.paths)) {
    if (get === undefined || path === "/events" || path.startsWith("/previews") || path.startsWith("/confirmations/"))
      continue;
    const query = path === "/policy/diff" ? "?from=1" : "";
    const { body }: { body: unknown } = await admin
      .as("admin")
      .get(path.replace("{id}", "x1") + query)
      .expect(200);
    const described = z
      .object({ content: z.object({ "application/json": z.object({ schema: z.record(z.string(), z.json()) }) }) })
      .parse(get.responses["200"]).content["application/json"].schema;
    const read = z.fromJSONSchema(described).safeParse(body);
    assert.ok(read.success, `${path}: ${read.error?.message}`);
    checked += 1;
  }
  assert.ok(checked >= 15, String(checked));
});
