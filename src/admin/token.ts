/** Bearer tokens: verified with keys that the configuration names, and nothing that a token says of its own keys is looked at. */
import jsonwebtoken from "jsonwebtoken";
import * as z from "zod";
import { roles } from "./route.ts";
import type { Actor, Role } from "./route.ts";
import type { TokenKeys } from "./token-keys.ts";

const TOKEN_LIMIT_CHARACTERS = 8_192;
/** A token that was stolen is of use for a day at most. */
export const TOKEN_LIFE_LIMIT_SECONDS = 86_400;
/** Clocks that differ by more are wrong. */
const CLOCK_TOLERANCE_SECONDS = 30;

const LOCAL_ISSUER = "postern";
const LOCAL_KID = "local";
const localAlgorithm = "HS256";
const ACTOR_LIMIT_CHARACTERS = 200;
/** RFC 7515, 4.1: where a token would bring its own key, or say where one can be fetched; and what must be understood and is not. */
const refusedHeaders = ["jku", "jwk", "x5u", "x5c", "crit"] as const;

export interface TokenOptions {
  /** Undefined: nobody else issues tokens. */
  readonly issued:
    | {
        readonly keys: TokenKeys;
        readonly issuer: string;
        readonly audience: string;
        readonly actorClaim: string;
        readonly rolesClaim: string;
        readonly roles: Readonly<Record<Role, readonly string[]>>;
      }
    | undefined;
  /** Undefined: no tokens of our own count. */
  readonly localSecret: Uint8Array | undefined;
  readonly nowMs: () => number;
}

export type TokenReading =
  | { readonly kind: "actor"; readonly actor: Actor }
  | { readonly kind: "refused"; readonly detail: string }
  /** It is none of these tokens at all. */
  | { readonly kind: "other" }
  | { readonly kind: "no-role" };

const heads = z.looseObject({ alg: z.string(), kid: z.string().min(1).max(256) });
const times = z.looseObject({ iat: z.int(), exp: z.int() });
const actorName = z
  .string()
  .min(1)
  .max(ACTOR_LIMIT_CHARACTERS)
  .regex(/^[^\p{C}]+$/u);
const textOrTexts = z.union([z.string().transform((one) => [one]), z.array(z.string()).max(1_000)]);
const localClaims = z.looseObject({ sub: actorName, role: z.enum(roles), exp: z.int() });

export function createTokenReader({ issued, localSecret, nowMs }: TokenOptions): (token: string) => TokenReading {
  return function read(token) {
    if (token.split(".").length !== 3) return { kind: "other" };
    const head = token.length > TOKEN_LIMIT_CHARACTERS ? undefined : headOf(token);
    if (head === undefined || refusedHeaders.some((name) => name in head)) return refused("it has no readable head");
    return head.kid === LOCAL_KID && localSecret !== undefined
      ? readLocal(token, localSecret)
      : readIssued(token, head.kid);
  };

  function readLocal(token: string, secret: Uint8Array): TokenReading {
    const claims = verified(token, Buffer.from(secret), localAlgorithm, LOCAL_ISSUER, LOCAL_ISSUER);
    const read = localClaims.safeParse(claims);
    if (!read.success) return refused("it is no token of this installation, or its time is over");
    const { sub, role, exp } = read.data;
    return { kind: "actor", actor: { name: sub, role, means: "local-token", expiresAt: new Date(exp * 1000) } };
  }

  function readIssued(token: string, kid: string): TokenReading {
    const key = issued?.keys.find(kid);
    if (issued === undefined || key === undefined) return refused("nobody knows the key by which it was signed");
    const claims = verified(token, key.key, key.algorithm, issued.issuer, issued.audience);
    if (claims === undefined) return refused("its signature, issuer, audience or time does not count");
    const name = actorName.safeParse(claims[issued.actorClaim]);
    if (!name.success) return refused("it does not say whose it is");
    const said = textOrTexts.safeParse(claims[issued.rolesClaim]);
    const role = said.success ? highestRole(said.data, issued.roles) : undefined;
    if (role === undefined) return { kind: "no-role" };
    return {
      kind: "actor",
      actor: { name: name.data, role, means: "token", expiresAt: new Date(Number(claims["exp"]) * 1000) },
    };
  }

  /** Undefined where it does not count, for whatever reason. */
  function verified(
    token: string,
    key: Parameters<typeof jsonwebtoken.verify>[1] & (Buffer | object),
    algorithm: jsonwebtoken.Algorithm,
    issuer: string,
    audience: string,
  ): Readonly<Record<string, unknown>> | undefined {
    try {
      const claims: unknown = jsonwebtoken.verify(token, key, {
        algorithms: [algorithm],
        issuer,
        audience,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        clockTimestamp: Math.floor(nowMs() / 1000),
      });
      const read = times.safeParse(claims);
      if (!read.success) return undefined;
      const { iat, exp } = read.data;
      const isFresh = iat * 1000 <= nowMs() + CLOCK_TOLERANCE_SECONDS * 1000 && exp - iat <= TOKEN_LIFE_LIMIT_SECONDS;
      return isFresh ? read.data : undefined;
    } catch {
      return undefined;
    }
  }
}

export interface LocalToken {
  readonly secret: Uint8Array;
  readonly role: Role;
  readonly name: string;
  /** 1 to TOKEN_LIFE_LIMIT_SECONDS. */
  readonly seconds: number;
}

/** A token that every node of the installation takes where `admin.access.localTokens` says so. @throws RangeError for a name that is none */
export function signLocalToken({ secret, role, name, seconds }: LocalToken): string {
  if (!actorName.safeParse(name).success)
    throw new RangeError(`a name has 1 to ${ACTOR_LIMIT_CHARACTERS} characters and no control characters`);
  return jsonwebtoken.sign({ role }, Buffer.from(secret), {
    algorithm: localAlgorithm,
    keyid: LOCAL_KID,
    issuer: LOCAL_ISSUER,
    audience: LOCAL_ISSUER,
    subject: name,
    expiresIn: seconds,
  });
}

function headOf(token: string): z.output<typeof heads> | undefined {
  try {
    const [text = ""] = token.split(".");
    const head: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    return heads.safeParse(head).data;
  } catch {
    return undefined;
  }
}

function highestRole(said: readonly string[], held: Readonly<Record<Role, readonly string[]>>): Role | undefined {
  return roles.findLast((role) => held[role].some((value) => said.includes(value)));
}

function refused(detail: string): TokenReading {
  return { kind: "refused", detail };
}
