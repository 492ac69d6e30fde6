/** Bodies of the API: JSON in UTF-8 that can be read in one way only. */
import type { IncomingMessage } from "node:http";
import { Problem } from "./problem.ts";

/** Nothing that the API takes is deeper than 12. */
const DEPTH_LIMIT = 32;

/** Undefined where there is none. @throws Problem */
export async function readJsonBody(req: IncomingMessage, limitBytes: number): Promise<unknown> {
  const length = req.headers["content-length"];
  if (req.headers["transfer-encoding"] === undefined && (length === undefined || length === "0")) return undefined;
  const type = (req.headers["content-type"] ?? "").toLowerCase().replaceAll(" ", "");
  if (!/^application\/json(;charset="?utf-8"?)?$/.test(type) || req.headers["content-encoding"] !== undefined)
    throw new Problem("unsupported-media-type");
  if (length !== undefined && Number(length) > limitBytes) throw tooLarge(limitBytes);
  const text = textOf(await bytesOf(req, limitBytes));
  checkStructure(text);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new Problem("bad-request", { detail: "the body is not JSON" });
  }
}

async function bytesOf(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    if (!Buffer.isBuffer(chunk)) throw new Problem("bad-request");
    size += chunk.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(limitBytes: number): Problem {
  // What is left of the body is not read: the connection is of no more use.
  return new Problem("too-large", { detail: `at most ${limitBytes} bytes`, headers: { Connection: "close" } });
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Problem("bad-request", { detail: "the body is not UTF-8" });
  }
}

/**
 * A key twice is one that two programs read differently, and `__proto__` one that some read as another thing. Looks at the words of
 * the text only; whether it is JSON `JSON.parse` says.
 */
function checkStructure(text: string): void {
  /** The keys of each object that is open; undefined: a list. */
  const open: (Set<string> | undefined)[] = [];
  for (const { 0: word } of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/gs)) {
    if (word === "{" || word === "[") {
      open.push(word === "{" ? new Set() : undefined);
      if (open.length > DEPTH_LIMIT) throw new Problem("bad-request", { detail: `deeper than ${DEPTH_LIMIT}` });
    } else if (word === "}" || word === "]") open.pop();
    else if (word.endsWith(":")) addKey(open.at(-1), word.slice(0, -1).trimEnd());
  }
}

function addKey(keys: Set<string> | undefined, quoted: string): void {
  const key = keyOf(quoted);
  if (key === "__proto__" || keys?.has(key) === true)
    throw new Problem("bad-request", { detail: "the body has a key twice, or one that is no key" });
  keys?.add(key);
}

function keyOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw new Problem("bad-request", { detail: "the body is not JSON" });
  }
}
