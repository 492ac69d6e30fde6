/** Answers that the gate gives itself. */
import type { ServerResponse } from "node:http";
import type { Reply, UpstreamAnswer } from "./protocol.ts";

type Answer = Extract<Reply, { kind: "answer" }>;

export function writeAnswer(res: ServerResponse, answer: Answer): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  if (answer.untouched !== undefined) return writeUntouched(res, answer, answer.untouched.reason);
  const length = answer.body?.byteLength ?? 0;
  res.statusCode = answer.httpStatus;
  for (const [name, value] of answer.headers) res.appendHeader(name, value);
  // Always a length: some phones take a chunked empty body for a broken document.
  res.setHeader("Content-Length", length);
  // A notice is about one person on one phone at one time.
  if (!res.hasHeader("Cache-Control")) res.setHeader("Cache-Control", "private, no-store");
  res.end(answer.body);
}

/**
 * Byte for byte as it would have passed: by its looks nobody can tell whether the gate has asked, or has let the request through.
 * The proxy names the connection last, and leaves the framing to Node where upstream has not said a length.
 */
function writeUntouched(res: ServerResponse, { httpStatus, headers, body }: Answer, reason: string | undefined): void {
  res.statusCode = httpStatus;
  if (reason !== undefined && reason !== "") res.statusMessage = reason;
  for (const [name, value] of headers) res.appendHeader(name, value);
  const { httpVersion, headers: asked } = res.req;
  const closes = httpVersion === "1.0" || /\bclose\b/i.test(asked.connection ?? "");
  res.setHeader("connection", closes ? "close" : "keep-alive");
  if (body !== undefined) res.write(body);
  res.end();
}

/** Generic words for every failure: what went wrong stands in the log, under the id of the request. */
export function plainAnswer(httpStatus: number, text: string, retryAfterSeconds?: number): Answer {
  const headers: [string, string][] = [["Content-Type", "text/plain; charset=utf-8"]];
  if (retryAfterSeconds !== undefined) headers.push(["Retry-After", String(retryAfterSeconds)]);
  return { kind: "answer", httpStatus, headers, body: Buffer.from(`${text}\n`) };
}

/** The mail server does not answer, or nothing can be known about the device: every mail client waits and tries again. */
export function comeBackLater(retryAfterSeconds: number): Answer {
  return plainAnswer(
    503,
    "The mail service is not available at the moment. Please try again later.",
    retryAfterSeconds,
  );
}

/** Upstream's answer to a question of the gate's own, as if it were the one to the client's. */
export function relayUntouched({ httpStatus, reason, headers, body }: UpstreamAnswer): Answer {
  return {
    kind: "answer",
    httpStatus,
    headers: [...headers].flatMap(([name, values]) => values.map((value) => [name, value] as const)),
    body: body.byteLength === 0 ? undefined : body,
    untouched: { reason },
  };
}

/** Relays an answer of upstream that the gate has read whole. */
export function relay(httpStatus: number, headers: ReadonlyMap<string, readonly string[]>, body: Uint8Array): Answer {
  const kept = [...headers]
    .filter(([name]) => name !== "content-length")
    .flatMap(([name, values]) => values.map((value) => [name, value] as const));
  return { kind: "answer", httpStatus, headers: kept, body: body.byteLength === 0 ? undefined : body };
}
