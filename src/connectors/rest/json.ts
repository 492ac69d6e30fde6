/** An answer as JSON of a shape that was promised. */
import type * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { IncomingAnswer } from "./transport.ts";

/** @throws ConnectorFailure `unreadable`, which quotes nothing of the answer */
export function readJson<T>(name: string, { headers, body }: IncomingAnswer, shape: z.ZodType<T>): T {
  const [type = ""] = (headers.get("content-type") ?? "").toLowerCase().split(";");
  // A page to log in, of a proxy or of the system itself, is no answer.
  if (!/^(application|text)\/([\w.-]+\+)?json$/.test(type.trim())) {
    throw new ConnectorFailure("unreadable", `${name}: the answer is not JSON by its content type`);
  }
  const result = shape.safeParse(parse(name, body));
  if (result.success) return result.data;
  throw new ConnectorFailure("unreadable", `${name}: ${problemsOf(result.error)}`);
}

function parse(name: string, body: Uint8Array): unknown {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return parsed;
  } catch {
    // The parser's own message quotes what it read.
    throw new ConnectorFailure("unreadable", `${name}: the answer is not JSON`);
  }
}

/** So many of the places where it is something else. */
const PROBLEMS_SHOWN_LIMIT = 3;

function problemsOf({ issues }: z.ZodError): string {
  const shown = issues.slice(0, PROBLEMS_SHOWN_LIMIT).map(({ path, code }) => `${placeOf(path)} (${code})`);
  const more = issues.length > shown.length ? `, and ${issues.length - shown.length} more` : "";
  return `the answer is not what was expected at ${shown.join(", ")}${more}`;
}

/** A key may be data where a mapping goes by ids: only what is a word of a program is shown. */
function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "its top";
  return path
    .map((part) =>
      typeof part === "number" ? `[${part}]` : `.${/^[A-Za-z_]{1,40}$/.test(String(part)) ? String(part) : "…"}`,
    )
    .join("")
    .replace(/^\./, "");
}
