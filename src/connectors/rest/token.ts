/** A bearer token that is fetched, kept until shortly before it ends, and fetched anew once when the system refuses it. */
import * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import { basicCredential } from "./authentication.ts";
import type { Authentication } from "./authentication.ts";
import { failureOf } from "./failure.ts";
import { readJson } from "./json.ts";
import type { Transport } from "./transport.ts";

export interface FetchedToken {
  readonly token: string;
  readonly lifeMs: number;
}

/** 5 min before its end a token is fetched anew, or after half of a shorter life: clocks differ, and a sync takes a while. */
const MARGIN_MS = 300_000;
/** A refused token is fetched anew at most so often: a system that refuses every token would have us fetch without end. */
const RENEWAL_GAP_MS = 10_000;

/**
 * Whatever way a token comes: for client credentials see `clientCredentials`; others hand in a function of their own.
 * Callers that come at once share one fetch.
 */
export function bearer(fetchToken: (signal: AbortSignal) => Promise<FetchedToken>, now: () => Date): Authentication {
  let held: { readonly token: string; readonly until: number } | undefined;
  let fetching: Promise<string> | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;

  async function fetchNew(): Promise<string> {
    // Not the caller's own signal: others wait for the same token. Each call of a transport ends in time by itself.
    const { token, lifeMs } = await fetchToken(new AbortController().signal);
    held = { token, until: now().getTime() + Math.max(lifeMs - MARGIN_MS, lifeMs / 2) };
    return token;
  }

  function current(): Promise<string> {
    if (held !== undefined && now().getTime() < held.until) return Promise.resolve(held.token);
    fetching ??= fetchNew().finally(() => {
      fetching = undefined;
    });
    return fetching;
  }

  return {
    async headers(signal) {
      return new Map([["authorization", `Bearer ${await unlessAborted(current(), signal)}`]]);
    },
    renew(sent): boolean {
      // Another call, refused a moment before, has had it fetched anew already.
      if (held !== undefined && sent.get("authorization") !== `Bearer ${held.token}`) return true;
      const at = now().getTime();
      if (at - renewedAt < RENEWAL_GAP_MS) return fetching !== undefined;
      renewedAt = at;
      held = undefined;
      return true;
    },
  };
}

export interface ClientCredentials {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | undefined;
  /** Where id and secret stand (RFC 6749, 2.3.1): in the form, or in basic authentication. */
  readonly place: "form" | "basic";
}

const tokenAnswer = z.object({
  access_token: z
    .string()
    .max(16_384)
    .regex(/^[!-~]+$/),
  expires_in: z.union([z.number().nonnegative(), z.string().regex(/^\d{1,9}$/)]).optional(),
});
const defaultLifeMs = 300_000;

/** RFC 6749, 4.4. */
export function clientCredentials(
  credentials: ClientCredentials,
  transport: Transport,
  now: () => Date,
): Authentication {
  const { tokenUrl, clientId, clientSecret, scope, place } = credentials;
  const name = "POST to the token endpoint";
  return bearer(async (signal) => {
    const form = new URLSearchParams({ grant_type: "client_credentials" });
    if (scope !== undefined) form.set("scope", scope);
    const headers = new Map([
      ["content-type", "application/x-www-form-urlencoded"],
      ["accept", "application/json"],
    ]);
    if (place === "basic") {
      headers.set("authorization", basicCredential(encodeURIComponent(clientId), encodeURIComponent(clientSecret)));
    } else {
      form.set("client_id", clientId);
      form.set("client_secret", clientSecret);
    }
    const body = Buffer.from(form.toString());
    const answer = await transport.exchange({ method: "POST", url: tokenUrl, headers, body, name }, signal);
    // RFC 6749, 5.2: a wrong client is 400 or 401.
    if (answer.httpStatus !== 200) throw failureOf(name, answer, now(), new Map([[400, "refused"]]));
    const { access_token: token, expires_in: seconds } = readJson(name, answer, tokenAnswer);
    return { token, lifeMs: seconds === undefined ? defaultLifeMs : Number(seconds) * 1000 };
  }, now);
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(new ConnectorFailure("away", "the call was given up"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
