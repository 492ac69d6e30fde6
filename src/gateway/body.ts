/** Reading a request's body, where the gate answers it. */
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { Refusal } from "./errors.ts";

/** The client has left; nobody waits for an answer. */
export class ClientGone extends Error {
  readonly code = "client-gone";
}

/** Reads to the end; with `keep` false the bytes are counted and dropped. @throws Refusal, ClientGone */
export function readBody(req: IncomingMessage, limitBytes: number, keep: boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.byteLength;
      if (length > limitBytes) {
        req.off("data", onData);
        req.pause();
        reject(new Refusal("body-too-large", 413, `body over ${limitBytes} bytes`));
      } else if (keep) {
        chunks.push(chunk);
      }
    };
    req.on("data", onData);
    req.once("end", () => resolve(Buffer.concat(chunks)));
    req.once("error", () => reject(new ClientGone()));
    req.once("close", () => {
      if (!req.complete) reject(new ClientGone());
    });
  });
}

/** 1 MiB, or 20 times what came: real WBXML shrinks to a third at best, so more is a bomb. */
const inflatedLimitBytes = 1_048_576;
const inflatedLimitRatio = 20;

const gunzip = promisify(zlib.gunzip);

/** @throws Refusal `body-unreadable` for a coding that mail clients do not use, or a body that is not in it. */
export async function decodeContent(body: Buffer, coding: string | undefined): Promise<Buffer> {
  if (coding === undefined || coding.toLowerCase() === "identity" || body.byteLength === 0) return body;
  // The second name is the older one of the same coding (RFC 9110 8.4.1.3).
  if (!["gzip", "x-gzip"].includes(coding.toLowerCase()))
    throw new Refusal("body-unreadable", 415, "unknown content coding");
  try {
    return await gunzip(body, { maxOutputLength: Math.max(inflatedLimitBytes, body.byteLength * inflatedLimitRatio) });
  } catch {
    throw new Refusal("body-unreadable", 400, "body is not what its content coding says");
  }
}
