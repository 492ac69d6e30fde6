/**
 * Writes what was said to a management system and what it answered into files that may be sent to whoever repairs a connector: no
 * credential is in them, and names, ids and addresses are replaced, each by the same other one wherever it stands.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createScrub } from "./scrub.ts";
import type { RestPath } from "./path.ts";
import type { IncomingAnswer, OutgoingRequest } from "./transport.ts";

export interface Recorder {
  record(exchange: {
    readonly request: OutgoingRequest;
    readonly answer: IncomingAnswer;
    readonly path: RestPath | { readonly link: string };
  }): void;
}

/** Files of one run: the first ones are enough to see what a system says. */
const RECORDINGS_LIMIT = 500;

/** @param onFailure told once, when files cannot be written; the sync goes on. */
export function createRecorder(folder: string, onFailure: (cause: unknown) => void): Recorder {
  const scrub = createScrub(randomBytes(32));
  const fixed = new Set<string>();
  const run = new Date().toISOString().replaceAll(/[:.]/g, "-");
  let count = 0;

  /** Of a link that the system gave, what has stood in paths of our own is no data. */
  function pathOf(url: URL, written: RestPath | { readonly link: string }): string {
    if ("link" in written) {
      return url.pathname
        .split("/")
        .map((segment) => (fixed.has(segment) ? segment : scrub.word(segment)))
        .join("/");
    }
    for (const segment of written.template.split("/")) if (!segment.includes("…")) fixed.add(segment);
    const values = written.values.map((value) => scrub.word(value));
    return written.template.split("…").reduce((all, part, index) => `${all}${values[index - 1] ?? ""}${part}`);
  }

  return {
    record({ request, answer, path: written }): void {
      if (count >= RECORDINGS_LIMIT) return;
      count += 1;
      const pair = {
        request: {
          method: request.method,
          path: pathOf(request.url, written),
          query: [...request.url.searchParams].map(([name, value]) => [name, scrub.query(name, value)]),
          contentType: request.headers.get("content-type"),
          body: request.body === undefined ? undefined : scrub.body(Buffer.from(request.body).toString("utf8")),
        },
        response: {
          httpStatus: answer.httpStatus,
          contentType: answer.headers.get("content-type"),
          retryAfter: answer.headers.get("retry-after"),
          body: scrub.body(answer.body.toString("utf8")),
        },
      };
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(
          path.join(folder, `${run}-${String(count).padStart(4, "0")}.json`),
          `${JSON.stringify(pair, null, 2)}\n`,
          {
            mode: 0o600,
          },
        );
      } catch (cause) {
        count = RECORDINGS_LIMIT;
        onFailure(cause);
      }
    },
  };
}
