/** Public keys by which bearer tokens are verified: a JSON Web Key Set (RFC 7517) with an algorithm pinned for each key. */
import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import * as z from "zod";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";

/** No `HS…`: whoever could read a shared key could also sign. No `none`. */
const tokenAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"] as const;
type TokenAlgorithm = (typeof tokenAlgorithms)[number];

export interface TokenKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly key: KeyObject;
}

/** Two of each of several issuers; more is another file by mistake. */
const KEYS_LIMIT = 20;
export const KEY_SET_LIMIT_BYTES = 64 * 1024;
/** NIST SP 800-131A: shorter keys of RSA prove nothing any more. */
const RSA_MINIMUM_BITS = 2048;

const curves: Partial<Record<TokenAlgorithm, string>> = {
  ES256: "prime256v1",
  ES384: "secp384r1",
  ES512: "secp521r1",
};

const keySet = z.object({
  keys: z
    .array(z.looseObject({ kid: z.string().min(1).max(256), alg: z.enum(tokenAlgorithms), kty: z.enum(["RSA", "EC"]) }))
    .min(1)
    .max(KEYS_LIMIT),
});

/** Every key must be good: one that is left out in silence is found when nobody can log in. */
export function readTokenKeys(text: string): Reading<readonly TokenKey[]> {
  const parsed = keySet.safeParse(parseJson(text));
  if (!parsed.success)
    return bad(
      `must be a JSON Web Key Set with 1 to ${KEYS_LIMIT} keys, each with kid, kty and one alg of ${tokenAlgorithms.join(", ")}`,
    );
  const keys: TokenKey[] = [];
  for (const { kid, alg, ...jwk } of parsed.data.keys) {
    if ("d" in jwk) return bad("holds a private key; only the public ones belong here");
    if (keys.some((other) => other.kid === kid)) return bad("has two keys with the same kid");
    const key = publicKeyOf(jwk);
    if (key === undefined || !fits(key, alg)) return bad("has a key that does not fit its alg, or is too short");
    keys.push({ kid, algorithm: alg, key });
  }
  return good(keys);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function publicKeyOf(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return undefined;
  }
}

function fits({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, algorithm: TokenAlgorithm): boolean {
  const curve = curves[algorithm];
  if (curve !== undefined) return asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === curve;
  return asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_MINIMUM_BITS;
}
