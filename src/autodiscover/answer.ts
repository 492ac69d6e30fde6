/** A whole answer of upstream to an Autodiscover request, as the client may see it. */
import type { UpstreamAnswer } from "../gateway/protocol.ts";
import { publicLocation } from "./address.ts";
import type { AddressRewrite } from "./address.ts";
import { rewriteJson, rewriteXml } from "./documents.ts";
import type { AutodiscoverCommand } from "./query.ts";
import { answerRefused } from "./refused.ts";

const contentTypes: Readonly<Record<AutodiscoverCommand, string>> = {
  pox: "text/xml; charset=utf-8",
  json: "application/json; charset=utf-8",
};

/** Describe the body as it was. */
const bodyHeaders = ["content-length", "content-md5", "digest", "etag", "content-encoding", "content-type"] as const;

/**
 * What the request asked for decides how the answer is read, not its Content-Type: clients parse whatever comes.
 * @throws UpstreamFailure `upstream-answer-refused`
 */
export function rewriteAnswer(
  answer: UpstreamAnswer,
  command: AutodiscoverCommand,
  rewrite: AddressRewrite,
): UpstreamAnswer {
  const headers = new Map(answer.headers);
  for (const name of ["location", "content-location", "x-ms-location"]) {
    const values = headers.get(name)?.flatMap((value) => publicLocation(value, rewrite) ?? []) ?? [];
    if (values.length === 0) headers.delete(name);
    else headers.set(name, values);
  }
  for (const name of bodyHeaders) headers.delete(name);
  if (answer.body.byteLength === 0) return { ...answer, headers };

  const type = answer.headers.get("content-type")?.[0]?.toLowerCase() ?? "";
  const succeeded = answer.httpStatus >= 200 && answer.httpStatus < 300;
  // The error page of a mail server names the server and its version, and no client reads an address from it.
  if (!succeeded && !(command === "json" && type.includes("json")))
    return { ...answer, headers, body: new Uint8Array() };

  const document = decode(answer);
  const body = Buffer.from(command === "pox" ? rewriteXml(document, rewrite) : rewriteJson(document, rewrite));
  headers.set("content-type", [contentTypes[command]]);
  return { ...answer, headers, body };
}

/**
 * UTF-8, and nothing else. Upstream was asked for an answer that is not compressed: unpacking one here would need limits
 * of its own, and every server can send a page of text as it is.
 */
function decode({ headers, body }: UpstreamAnswer): string {
  const encoding = headers.get("content-encoding")?.join(",").trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") throw answerRefused("answer is compressed although it was not to be");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw answerRefused("answer is no UTF-8");
  }
}
