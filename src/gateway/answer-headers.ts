/** The headers of an upstream answer as a client may see them: end to end only, and without the names of internal hosts. */
import { rewriteActiveSyncLocation, rewriteLocation } from "./location.ts";

type AnswerHeaders = ReadonlyMap<string, readonly string[]>;

/** @param requestHeaders as accepted: they hold by which name the client reached the gate. */
export type ReadAnswerHeaders = (
  rawHeaders: readonly string[],
  requestHeaders: ReadonlyMap<string, string>,
) => AnswerHeaders;

export interface AnswerHeadersOptions {
  /** Origins by which the mail servers may call themselves. */
  readonly upstreamOrigins: readonly string[];
  /** Undefined: the client's own name for the gate is taken. */
  readonly publicUrl: URL | undefined;
}

const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const locations = ["location", "content-location"] as const;

export function createAnswerHeaders({ upstreamOrigins, publicUrl }: AnswerHeadersOptions): ReadAnswerHeaders {
  return function answerHeaders(rawHeaders, requestHeaders): AnswerHeaders {
    const headers = endToEnd(rawHeaders);
    const publicOrigin =
      publicUrl?.origin ??
      `${requestHeaders.get("x-forwarded-proto") ?? "http"}://${requestHeaders.get("x-forwarded-host") ?? "localhost"}`;
    const rewrite = { upstreamOrigins, publicOrigin };
    for (const name of locations) replace(headers, name, (value) => rewriteLocation(value, rewrite));
    replace(headers, "x-ms-location", (value) => rewriteActiveSyncLocation(value, rewrite));
    return headers;
  };
}

function replace(
  headers: Map<string, readonly string[]>,
  name: string,
  rewrite: (value: string) => string | undefined,
): void {
  const [value, ...rest] = headers.get(name) ?? [];
  if (value === undefined) return;
  const rewritten = rest.length === 0 ? rewrite(value) : undefined;
  if (rewritten === undefined) headers.delete(name);
  else headers.set(name, [rewritten]);
}

function endToEnd(rawHeaders: readonly string[]): Map<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(rawHeaders[index + 1] ?? "");
    headers.set(name, values);
  }
  for (const word of (headers.get("connection") ?? []).flatMap((value) => value.split(",")))
    headers.delete(word.trim().toLowerCase());
  for (const name of hopByHop) headers.delete(name);
  return headers;
}
