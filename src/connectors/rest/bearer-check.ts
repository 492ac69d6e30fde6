/** Who may push, by a token of an issuer whose keys are known: RS256 or ES256, for us, and not past its time. */
import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify } from "jose";
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from "jose";
import * as z from "zod";

export interface BearerOptions {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
}

export type BearerResult = "good" | "bad" | "keys-away";

/** Clocks of two machines. */
const TOLERANCE_SECONDS = 60;
const TOKEN_LIMIT = 8192;

export async function checkBearer(
  header: string | undefined,
  options: BearerOptions,
  now: Date,
  isAllowed: (claims: JWTPayload) => boolean = () => true,
): Promise<BearerResult> {
  const [, token] = /^Bearer ([A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+)$/i.exec(header ?? "") ?? [];
  if (token === undefined || token.length > TOKEN_LIMIT) return "bad";
  try {
    const { payload } = await jwtVerify(token, options.keys, {
      algorithms: ["RS256", "ES256"],
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ["exp"],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: now,
    });
    return isAllowed(payload) ? "good" : "bad";
  } catch (error) {
    // Whatever is wrong with the token is an error of the library's own; that the keys cannot be had is not the sender's fault.
    if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) return "keys-away";
    return "bad";
  }
}

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

/** @throws where it is none */
export function localKeys(text: string): JWTVerifyGetKey {
  const parsed: JSONWebKeySet = keySet.parse(JSON.parse(text));
  return createLocalJWKSet(parsed);
}

export function remoteKeys(url: URL): JWTVerifyGetKey {
  return createRemoteJWKSet(url, { timeoutDuration: 5000, cooldownDuration: 30_000 });
}
