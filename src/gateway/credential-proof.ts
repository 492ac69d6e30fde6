/**
 * Before anything about a device is said, the mail server must have accepted the credential that asks. Otherwise anybody
 * could read a notice, and an expired password would stay hidden behind it.
 */
import { createHmac } from "node:crypto";
import type { Agent } from "node:http";
import type { MailRequest, Reply } from "./protocol.ts";
import { comeBackLater, relay } from "./reply.ts";
import type { Route } from "./routes.ts";

export interface CredentialProof {
  /** Undefined: upstream accepts the credential. Otherwise the answer to relay. @throws UpstreamFailure */
  prove(request: MailRequest, route: Route, pinned: Agent | undefined): Promise<Reply | undefined>;
}

export interface CredentialProofOptions {
  readonly secret: Uint8Array;
  /** How long a password may still open the notice after it was changed. */
  readonly validMs: number;
  readonly now: () => number;
}

const cacheLimit = 100_000;
const answerLimitBytes = 65_536;
const timeoutMs = 30_000;

export function createCredentialProof({ secret, validMs, now }: CredentialProofOptions): CredentialProof {
  /** Keyed hash of a credential to the end of its proof. The credential itself is kept nowhere. */
  const proven = new Map<string, number>();

  async function prove(request: MailRequest, route: Route, pinned: Agent | undefined): Promise<Reply | undefined> {
    const { authorization } = request.credential;
    // What authenticates a connection proves nothing on another one, so it is asked about each time.
    const key = pinned === undefined && authorization !== undefined ? keyOf(authorization, route) : undefined;
    if (key !== undefined && (proven.get(key) ?? 0) > now()) return undefined;

    const headers = new Map(request.headers);
    for (const name of [
      "content-type",
      "content-encoding",
      "content-length",
      "x-ms-policykey",
      "ms-asprotocolversion",
    ]) {
      headers.delete(name);
    }
    const { probe } = route.protocol;
    for (const [name, value] of probe?.headers ?? []) headers.set(name, value);
    const answer = await route.upstream.exchange({
      method: probe === undefined ? "OPTIONS" : "POST",
      target: probe === undefined ? route.path : request.path,
      headers,
      body: probe?.body,
      answerLimitBytes,
      timeoutMs,
      agent: pinned,
    });
    if (probe?.proves(answer) ?? (answer.httpStatus >= 200 && answer.httpStatus < 300)) {
      // An upstream that answers OPTIONS to everybody proves nothing about nobody.
      if (authorization === undefined && pinned === undefined) return comeBackLater(60);
      if (key !== undefined) keep(key);
      return undefined;
    }
    if (answer.httpStatus >= 400 && answer.httpStatus < 500)
      return relay(answer.httpStatus, answer.headers, answer.body);
    return comeBackLater(60);
  }

  function keep(key: string): void {
    proven.delete(key);
    proven.set(key, now() + validMs);
    if (proven.size > cacheLimit) {
      const [oldest] = proven.keys();
      if (oldest !== undefined) proven.delete(oldest);
    }
  }

  function keyOf(authorization: string, route: Route): string {
    return createHmac("sha256", secret).update(`${route.upstream.url.href} ${authorization}`).digest("base64url");
  }

  return { prove };
}
