/**
 * The client of a management system's REST interface, for all connectors. It asks once: it never waits and never repeats, but for one
 * call whose token had ended. Whoever calls owns retries, budgets and how many calls go at once.
 */
import type * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { Admission } from "./admission.ts";
import type { Authentication } from "./authentication.ts";
import { failureOf } from "./failure.ts";
import type { FailureCode } from "./failure.ts";
import { readJson } from "./json.ts";
import type { RestPath } from "./path.ts";
import type { Recorder } from "./recorder.ts";
import type { IncomingAnswer, Transport } from "./transport.ts";

export interface RestClientOptions {
  /** Every call stays at its origin and below its path. */
  readonly baseUrl: URL;
  readonly transport: Transport;
  readonly authentication: Authentication;
  /** Sent with each call: versions of an interface. */
  readonly headers?: ReadonlyMap<string, string>;
  readonly admission: Admission;
  readonly recorder?: Recorder | undefined;
  readonly now: () => Date;
}

export interface RestCall {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
  /** Below the base URL, made by `at`; or an absolute link that the system itself gave. */
  readonly path: RestPath | { readonly link: string };
  /** In this order; a name may come more than once. */
  readonly query?: readonly (readonly [name: string, value: string | number])[];
  readonly body?: RestBody;
  readonly headers?: ReadonlyMap<string, string>;
  /** What a status means for this call, where it is something else than elsewhere. */
  readonly failures?: ReadonlyMap<number, FailureCode>;
}

type RestBody =
  | { readonly json: unknown }
  | { readonly form: Readonly<Record<string, string>> }
  | { readonly bytes: Uint8Array; readonly contentType: string };

export interface RestClient {
  /** The answer as JSON of this shape; any 2xx is an answer. @throws ConnectorFailure, or the signal's reason */
  json<T>(call: RestCall, shape: z.ZodType<T>, signal: AbortSignal): Promise<T>;
  /** The same, and undefined where 404 or 410 says that nothing is there. @throws ConnectorFailure, or the signal's reason */
  find<T>(call: RestCall, shape: z.ZodType<T>, signal: AbortSignal): Promise<T | undefined>;
  /** For orders and what is not JSON: the answer as it came, if its status is 2xx or one of these. @throws ConnectorFailure, or the signal's reason */
  send(call: RestCall, signal: AbortSignal, statuses?: readonly number[]): Promise<IncomingAnswer>;
}

/** A link that a system gave, or that stood in a cursor. */
const LINK_LIMIT = 4096;
/** Redirects within the same server that one call follows. */
const REDIRECTS_LIMIT = 3;

export function createRestClient(options: RestClientOptions): RestClient {
  const { baseUrl, transport, authentication, admission, recorder, now } = options;
  const basePath = baseUrl.pathname.replace(/\/$/, "");

  function urlOf({ path, query = [] }: RestCall): URL {
    const url = "link" in path ? linkTo(path.link) : new URL(`${basePath}${path.text}`, baseUrl);
    for (const [name, value] of query) url.searchParams.append(name, String(value));
    return url;
  }

  /** What a system sends must not lead the credential to another server. */
  function linkTo(link: string): URL {
    const url = link.length <= LINK_LIMIT ? URL.parse(link, baseUrl) : null;
    const isBelow = url !== null && (url.pathname === basePath || url.pathname.startsWith(`${basePath}/`));
    if (url === null || !isBelow || url.origin !== baseUrl.origin || url.username !== "" || url.password !== "") {
      throw new ConnectorFailure("unreadable", "the system names a next page that is not its own");
    }
    return url;
  }

  async function once(
    call: RestCall,
    url: URL,
    name: string,
    credential: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<IncomingAnswer> {
    const { method = "GET" } = call;
    const [contentType, body] = bodyOf(call.body);
    const request = {
      method,
      url,
      name,
      body,
      headers: new Map([
        ["accept", "application/json"],
        ["user-agent", "postern"],
        ...(contentType === undefined ? [] : [["content-type", contentType] as const]),
        ...(options.headers ?? []),
        ...(call.headers ?? []),
        ...credential,
      ]),
    };
    const leave = await admission.enter(signal);
    const answer = await transport.exchange(request, signal).finally(leave);
    recorder?.record({ request, answer, path: call.path });
    return answer;
  }

  /** Once more with a new credential after a 401, and along redirects that stay here. */
  async function ask(call: RestCall, name: string, signal: AbortSignal): Promise<IncomingAnswer> {
    let url = urlOf(call);
    let isRenewed = false;
    let redirects = 0;
    for (;;) {
      const credential = await authentication.headers(signal);
      const answer = await once(call, url, name, credential, signal);
      const location = answer.headers.get("location");
      if (answer.httpStatus === 401 && !isRenewed && authentication.renew(credential)) isRenewed = true;
      else if (
        isRedirect(answer) &&
        location !== undefined &&
        (call.method ?? "GET") === "GET" &&
        redirects < REDIRECTS_LIMIT
      ) {
        const next = location.length <= LINK_LIMIT ? URL.parse(location, url) : null;
        if (next === null || next.origin !== baseUrl.origin) return answer;
        redirects += 1;
        url = next;
      } else return answer;
    }
  }

  async function send(call: RestCall, signal: AbortSignal, statuses: readonly number[] = []): Promise<IncomingAnswer> {
    const name = nameOf(call);
    const answer = await ask(call, name, signal);
    const { httpStatus } = answer;
    if ((httpStatus >= 200 && httpStatus < 300) || statuses.includes(httpStatus)) return answer;
    throw failureOf(name, answer, now(), call.failures);
  }

  return {
    send,
    json: async (call, shape, signal) => readJson(nameOf(call), await send(call, signal), shape),
    async find(call, shape, signal) {
      const answer = await send(call, signal, absent);
      return absent.includes(answer.httpStatus) ? undefined : readJson(nameOf(call), answer, shape);
    },
  };
}

const absent: readonly number[] = [404, 410];

/** For messages: without ids and without the query, which has names of people. */
function nameOf({ method = "GET", path }: RestCall): string {
  return `${method} ${"link" in path ? "of a next page" : path.template}`;
}

function isRedirect({ httpStatus }: IncomingAnswer): boolean {
  return [301, 302, 307, 308].includes(httpStatus);
}

function bodyOf(body: RestBody | undefined): readonly [string | undefined, Uint8Array | undefined] {
  if (body === undefined) return [undefined, undefined];
  if ("json" in body) return ["application/json", Buffer.from(JSON.stringify(body.json))];
  if ("form" in body) {
    return ["application/x-www-form-urlencoded", Buffer.from(new URLSearchParams(body.form).toString())];
  }
  return [body.contentType, body.bytes];
}
