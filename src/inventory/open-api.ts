/** The OpenAPI document of signed pushes, made of the same schema by which they are read. */
import * as z from "zod";
import { reportSchema, signalSchema } from "./report-schema.ts";

const dialect = { io: "input", target: "draft-2020-12" } as const;

/** JSON Schema of one record, for editors and for whoever writes a script. */
export function reportJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(reportSchema, dialect);
  return { $schema, $id: "urn:postern:inventory-record", ...rest };
}

function component(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, dialect);
  return rest;
}

const header = (name: string, description: string, pattern: string): object => ({
  name,
  in: "header",
  required: false,
  description,
  schema: { type: "string", pattern },
});

const signing = [
  header("Postern-Timestamp", "Unix seconds, at most 5 minutes off.", "^\\d{1,12}$"),
  header("Postern-Id", "Unique for each delivery, which counts once.", "^[A-Za-z0-9._:-]{8,128}$"),
  header(
    "Postern-Signature",
    'v1= and the lower-case hex of HMAC-SHA256(secret, timestamp + "." + id + "." + body). Several, comma-separated, while keys are changed. ' +
      "For DELETE the body is the path below the source, such as /17.",
    "^v1=[0-9a-f]{64}(, ?v1=[0-9a-f]{64})*$",
  ),
];

const refusals: Readonly<Record<string, object>> = {
  "401": { description: "Neither a signature nor a token." },
  "403": { description: "Does not hold: no reason is given." },
  "404": { description: "No such source, or path." },
  "429": { description: "Too many; Retry-After says when to come again." },
  "503": { description: "Cannot be stored now: send it again after Retry-After." },
};

export function inventoryOpenApi(version: string): object {
  const record = { $ref: "#/components/schemas/Record" };
  const signal = { $ref: "#/components/schemas/Signal" };
  const one = { oneOf: [record, signal] };
  const source = {
    name: "source",
    in: "path",
    required: true,
    description: "The name of a connector of kind push.",
    schema: { type: "string", pattern: "^[a-z0-9][a-z0-9-]{0,63}$" },
  };
  return {
    openapi: "3.1.0",
    info: {
      title: "Postern inventory",
      version,
      description: "What a site's own scripts may tell Postern of devices: each request with a signature or a token.",
    },
    security: [{ token: [] }, {}],
    paths: {
      "/v1/inventory/{source}": {
        post: {
          operationId: "pushDevices",
          summary: "Tell of devices.",
          parameters: [source, ...signing],
          requestBody: {
            required: true,
            description: "At most 5 MiB and 10000 records.",
            content: {
              "application/json": {
                schema: {
                  oneOf: [
                    record,
                    signal,
                    {
                      type: "object",
                      required: ["devices"],
                      additionalProperties: false,
                      properties: { devices: { type: "array", items: one, maxItems: 10_000 } },
                    },
                  ],
                },
              },
              "application/x-ndjson": { schema: one },
            },
          },
          responses: {
            "200": {
              description: "What became of each record, in the order of the body.",
              content: { "application/json": { schema: { $ref: "#/components/schemas/Results" } } },
            },
            "400": { description: "The body as a whole cannot be read." },
            "413": { description: "Larger than 5 MiB." },
            "415": { description: "Packed." },
            ...refusals,
          },
        },
      },
      "/v1/inventory/{source}/{sourceDeviceId}": {
        delete: {
          operationId: "deleteDevice",
          summary: "The device is managed no more.",
          parameters: [
            source,
            { name: "sourceDeviceId", in: "path", required: true, schema: { type: "string", maxLength: 200 } },
            ...signing,
          ],
          responses: {
            "200": {
              description: "What became of it.",
              content: { "application/json": { schema: { $ref: "#/components/schemas/Results" } } },
            },
            ...refusals,
          },
        },
      },
    },
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "RS256 or ES256, where jwt is configured.",
        },
      },
      schemas: {
        Record: component(reportSchema),
        Signal: component(signalSchema),
        Results: {
          type: "object",
          required: ["results"],
          properties: {
            results: {
              type: "array",
              items: {
                type: "object",
                required: ["result"],
                properties: {
                  result: { enum: ["accepted", "stale", "rejected"] },
                  problem: { type: "string", description: "Why it was rejected." },
                },
              },
            },
          },
        },
      },
    },
  };
}
