/** Who calls the API, and whether their role is enough. */
import { createHash, timingSafeEqual } from "node:crypto";
import { createLoginThrottle } from "./login-throttle.ts";
import { Problem } from "./problem.ts";
import { roles } from "./route.ts";
import type { Actor, Role } from "./route.ts";
import type { TokenReading } from "./token.ts";

export interface AccessOptions {
  readonly readToken: (token: string) => TokenReading;
  /** Undefined where its file could not be read. */
  readonly breakGlassToken: Uint8Array | undefined;
  readonly onBreakGlass: (address: string) => void;
  readonly onRefused: (address: string) => void;
  readonly nowMs: () => number;
}

const BREAK_GLASS_NAME = "break-glass";

export interface Access {
  /** @throws Problem */
  authenticate(authorization: string | undefined, address: string): Actor;
}

export function createAccess({ readToken, breakGlassToken, onBreakGlass, onRefused, nowMs }: AccessOptions): Access {
  // Digests have one length, so that comparing them tells nothing of the token, and the token itself is forgotten.
  const breakGlass = breakGlassToken === undefined ? undefined : digestOf(breakGlassToken);
  const throttle = createLoginThrottle(nowMs);

  return {
    authenticate(authorization, address): Actor {
      if (authorization === undefined) throw challenge("unauthenticated");
      const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
      const waitMs = throttle.waitMs(address);
      const reading: TokenReading = token === undefined ? { kind: "other" } : readToken(token);
      // A signature cannot be guessed: somebody else at the same address must not keep out whoever has a good one.
      if (reading.kind === "actor") return reading.actor;
      if (waitMs > 0)
        throw new Problem("too-many-logins", { headers: { "Retry-After": String(Math.ceil(waitMs / 1000)) } });
      if (reading.kind === "no-role") throw new Problem("forbidden", { detail: "the token gives no role" });
      if (reading.kind === "other" && token !== undefined && breakGlass !== undefined) {
        if (timingSafeEqual(digestOf(Buffer.from(token)), breakGlass)) {
          onBreakGlass(address);
          return { name: BREAK_GLASS_NAME, role: "admin", means: "break-glass", expiresAt: undefined };
        }
      }
      throttle.failed(address);
      onRefused(address);
      throw challenge("invalid-token", reading.kind === "refused" ? reading.detail : undefined);
    },
  };
}

/** @throws Problem */
export function requireRole(actor: Actor, least: Role): void {
  if (roles.indexOf(actor.role) < roles.indexOf(least))
    throw new Problem("forbidden", { detail: `it takes the role ${least}` });
}

function challenge(problem: "unauthenticated" | "invalid-token", detail?: string): Problem {
  const error = problem === "invalid-token" ? ' error="invalid_token"' : "";
  return new Problem(problem, {
    detail,
    headers: { "WWW-Authenticate": `Bearer realm="postern"${error && `,${error}`}` },
  });
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
