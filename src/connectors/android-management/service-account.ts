/** The token of a Google service account: an assertion that it signs itself, for a token (RFC 7523, section 2.1). */
import jsonwebtoken from "jsonwebtoken";
import * as z from "zod";
import type { Authentication } from "../rest/authentication.ts";
import { failureOf } from "../rest/failure.ts";
import { readJson } from "../rest/json.ts";
import { bearer } from "../rest/token.ts";
import type { Transport } from "../rest/transport.ts";

export interface ServiceAccount {
  readonly email: string;
  /** PEM. */
  readonly privateKey: string;
  readonly keyId: string;
  readonly tokenUrl: URL;
}

const keyFile = z.object({
  type: z.literal("service_account"),
  client_email: z.string().min(3).max(320),
  private_key: z.string().startsWith("-----BEGIN PRIVATE KEY-----"),
  private_key_id: z.string().min(1).max(200),
});

/** The file that Google's console gives. Where tokens come from is not read from it. @throws Error without anything of the file in it */
export function readServiceAccount(text: string, tokenUrl: URL): ServiceAccount {
  try {
    const { client_email: email, private_key: privateKey, private_key_id: keyId } = keyFile.parse(JSON.parse(text));
    return { email, privateKey, keyId, tokenUrl };
  } catch {
    // What a parser says quotes what it read, and that is a private key.
    throw new Error(
      "the key file is not that of a service account: JSON with client_email, private_key and private_key_id",
    );
  }
}

const lifeSeconds = 3600;
const tokenAnswer = z.object({
  access_token: z
    .string()
    .max(16_384)
    .regex(/^[!-~]+$/),
  expires_in: z.number().positive(),
});

export function serviceAccount(
  { email, privateKey, keyId, tokenUrl }: ServiceAccount,
  scope: string,
  transport: Transport,
  now: () => Date,
): Authentication {
  const name = "POST to the token endpoint";
  return bearer(async (signal) => {
    const issuedAt = Math.floor(now().getTime() / 1000);
    const assertion = jsonwebtoken.sign(
      { iss: email, scope, aud: tokenUrl.href, iat: issuedAt, exp: issuedAt + lifeSeconds },
      privateKey,
      { algorithm: "RS256", keyid: keyId },
    );
    const form = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
    const headers = new Map([
      ["content-type", "application/x-www-form-urlencoded"],
      ["accept", "application/json"],
    ]);
    const answer = await transport.exchange(
      { method: "POST", url: tokenUrl, headers, body: Buffer.from(form.toString()), name },
      signal,
    );
    // RFC 7523, 3.1: a wrong assertion is 400.
    if (answer.httpStatus !== 200) throw failureOf(name, answer, now(), new Map([[400, "refused"]]));
    const { access_token: token, expires_in: seconds } = readJson(name, answer, tokenAnswer);
    return { token, lifeMs: seconds * 1000 };
  }, now);
}
