/** The OpenAPI 3.1 document, from the same table and the same schemas by which requests are checked. */
import * as z from "zod";
import { policySchema } from "../config/policy-document.ts";
import { PROBLEM_PREFIX, problems } from "./problem.ts";
import { takesBody, writes } from "./route.ts";
import type { Route } from "./route.ts";

type Json = Readonly<Record<string, unknown>>;

export function openApiOf(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return {
    openapi: "3.1.0",
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    info: {
      title: "Postern admin API",
      version,
      description:
        "For operators and their programs. Errors are application/problem+json (RFC 9457) with a type that never changes its meaning.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/api/v1" }],
    security: [{ bearer: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A JSON Web Token, or the break-glass token." },
      },
      schemas: {
        Problem: problemSchema,
        campaigns: writtenSchema("campaigns"),
        exemptions: writtenSchema("exemptions"),
      },
      responses: {
        Problem: {
          description: "What is wrong.",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
      headers: { ETag: { description: "For If-Match.", schema: { type: "string" } } },
    },
  };
}

const problemSchema: Json = {
  type: "object",
  required: ["type", "title", "status"],
  properties: {
    type: { type: "string", enum: Object.keys(problems).map((name) => PROBLEM_PREFIX + name) },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    errors: {
      type: "array",
      description: "Each fault of the request.",
      items: {
        type: "object",
        required: ["in", "pointer", "detail"],
        properties: { in: { type: "string" }, pointer: { type: "string" }, detail: { type: "string" } },
      },
    },
  },
};

function operationOf(route: Route): Json {
  const { method, path, role, tag, summary, params, query, body, answers, mediaType = "application/json" } = route;
  const responses = Object.entries(answers).map(([httpStatus, { description, schema }]) => [
    httpStatus,
    {
      description,
      headers: { ETag: { $ref: "#/components/headers/ETag" } },
      content: { [mediaType]: schema === undefined ? {} : { schema: schemaOf(schema, "output") } },
    },
  ]);
  return {
    operationId: operationIdOf(method, path),
    tags: [tag],
    summary,
    description: `Takes the role ${role} at least.`,
    "x-role": role,
    parameters: [...parametersOf(params, "path"), ...parametersOf(query, "query"), ...headersOf(route)],
    ...(takesBody(route) && {
      requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, "input") } } },
    }),
    responses: { ...Object.fromEntries(responses), default: { $ref: "#/components/responses/Problem" } },
  };
}

function operationIdOf(method: string, path: string): string {
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== "");
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function parametersOf(schema: z.ZodType, place: "path" | "query"): Json[] {
  const { properties, required } = entriesOf(schemaOf(schema, "input"));
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(entriesOf(properties)).map(([name, property]) => {
    const { description, ...rest } = entriesOf(property);
    return {
      name,
      in: place,
      required: place === "path" || needed.includes(name),
      description,
      schema: rest,
    };
  });
}

function headersOf(route: Route): Json[] {
  const { ifMatch } = route;
  const headers: Json[] = [];
  if (ifMatch !== undefined)
    headers.push({
      name: "If-Match",
      in: "header",
      required: ifMatch === "required",
      description: "The ETag of what was read: where it is another one by now, nothing is done. * does it in any case.",
      schema: { type: "string" },
    });
  if (writes(route))
    headers.push({
      name: "Idempotency-Key",
      in: "header",
      required: false,
      description: "Chosen by the client: the same request with it is done once, and answered the same for 24 hours.",
      schema: { type: "string", minLength: 1, maxLength: 128 },
    });
  return headers;
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      const part = jsonSchema["policy"];
      if (part !== "campaigns" && part !== "exemptions") return;
      // They are read as those of a policy file are, by one and the same schema.
      for (const name of ["policy", "type", "items"]) delete jsonSchema[name];
      jsonSchema.$ref = `#/components/schemas/${part}`;
    },
  });
  return rest;
}

function writtenSchema(part: "campaigns" | "exemptions"): Json {
  const {
    $schema: _dialect,
    default: _default,
    ...written
  } = z.toJSONSchema(policySchema.shape[part], { io: "input" });
  return written;
}

function entriesOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
