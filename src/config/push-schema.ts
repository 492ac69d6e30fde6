/** The connector that only listens: signed pushes in Postern's own format. */
import * as z from "zod";
import { connectorName, secretFileKey, secretKey, systemUrl, wordKey } from "./connector-parts.ts";
import { filePath, whole } from "./schema-parts.ts";

/** What a signature proves is worth as much as the key is long. */
const KEY_LEAST_CHARACTERS = 32;

const jwt = z
  .strictObject({
    jwksUrl: systemUrl("Where the issuer's keys are (JWKS).", ["https://id.corp.example/jwks"]).optional(),
    jwksFile: filePath({ description: "A file with the issuer's keys (JWKS), in place of jwksUrl." }).optional(),
    issuer: wordKey("The iss that tokens must have.", ["https://id.corp.example"]),
    audience: wordKey("The aud that tokens must have.", ["postern"]),
  })
  .check(({ value, issues }) => {
    if ((value.jwksUrl === undefined) === (value.jwksFile === undefined)) {
      issues.push({
        code: "custom",
        message: "must have jwksUrl or jwksFile, and not both",
        path: [],
        input: undefined,
      });
    }
  })
  .meta({ description: "Bearer tokens (RS256, ES256) in place of, or beside, signatures." });

export const push = z
  .strictObject({
    name: connectorName,
    kind: z.literal("push").meta({ description: "Listens for signed pushes; see docs/connectors/push.md." }),
    secret: secretKey(`The key of the signatures, ${KEY_LEAST_CHARACTERS} characters or more.`),
    secretFile: secretFileKey("secret"),
    nextSecret: secretKey("Another key that counts as well, while keys are changed."),
    nextSecretFile: secretFileKey("nextSecret"),
    jwt: jwt.optional(),
    deliveriesPerMinute: whole(1, 100_000, {
      description: "Requests in a minute at most, 1 to 100000; more are answered with 429.",
    }).default(600),
  })
  .check(({ value, issues }) => {
    if (value.secret === undefined && value.jwt === undefined) {
      issues.push({
        code: "custom",
        message: "must be given, or secretFile, or jwt",
        path: ["secret"],
        input: undefined,
      });
    }
    for (const name of ["secret", "nextSecret"] as const) {
      const key = value[name]?.reveal();
      if (key !== undefined && key.length < KEY_LEAST_CHARACTERS) {
        issues.push({
          code: "custom",
          message: `must have at least ${KEY_LEAST_CHARACTERS} characters, and should be random: openssl rand -hex 32`,
          path: [name],
          input: undefined,
        });
      }
    }
  });
