/**
 * What is let through is looked at on its way up, where its protocol asks for it. A small body is read whole before upstream
 * hears of the request. Of a larger one the beginning is read; then it streams, and each piece is looked at before it is sent.
 */
import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import { ClientGone, decodeContent, readBody } from "./body.ts";
import { Refusal } from "./errors.ts";
import type { Visit } from "./gateway.ts";
import type { Scan } from "./protocol.ts";

/** What was read of a body before it was clear what becomes of it. */
export interface Taken {
  readonly bytes: Buffer;
  /** Whether nothing follows. */
  readonly complete: boolean;
}

export type Screened =
  /** It may go. `body` is undefined where the request has none. */
  | { readonly kind: "whole"; readonly body: Uint8Array | undefined }
  /** Its beginning may go. */
  | { readonly kind: "stream"; readonly open: OpenStream }
  /** There is something in it that only the gate understands. Upstream has not heard of the request. */
  | { readonly kind: "ours"; readonly taken: Taken };

/** The body from its beginning on. A piece that must not go up ends the stream without its end, and is told to `onFailure`. */
type OpenStream = (onFailure: (error: unknown) => void) => Transform;

/**
 * Requests are a few hundred bytes. What is larger uploads something, and has its keys at its beginning. Before a credential is
 * proven this is also what each connection may make the gate keep.
 */
const wholeLimitBytes = 65_536;

/** @throws Refusal, ClientGone */
export async function screen(visit: Visit, scan: Scan): Promise<Screened> {
  const { req, accepted, taken: before } = visit;
  const { request } = accepted;
  if (!request.hasBody) return { kind: "whole", body: undefined };
  const taken = before ?? (await take(req, wholeLimitBytes));
  const coding = request.headers.get("content-encoding");
  const isPacked = coding !== undefined && coding.toLowerCase() !== "identity";
  // No mail client packs what it sends, and a client that does is told to send it as it is (RFC 9110, 15.5.16).
  if (isPacked && !taken.complete)
    throw new Refusal("body-unreadable", 415, "packed body is too large to be looked at");
  const bytes = isPacked ? await decodeContent(taken.bytes, coding) : taken.bytes;
  if (scan(bytes) === "ours") return { kind: "ours", taken };
  if (taken.complete) return { kind: "whole", body: bytes };
  return { kind: "stream", open: (onFailure) => streamOn(req, bytes, scan, onFailure) };
}

function streamOn(req: IncomingMessage, beginning: Buffer, scan: Scan, onFailure: (error: unknown) => void): Transform {
  const stream = new Transform({
    transform(piece: Buffer, _encoding, done): void {
      try {
        if (scan(piece) === "ours") throw keyRefused();
        done(null, piece);
      } catch (error) {
        stream.destroy();
        onFailure(error);
      }
    },
  });
  stream.push(beginning);
  req.pipe(stream);
  return stream;
}

/** In a place where nobody looks for keys, but upstream might. */
export function keyRefused(): Refusal {
  return new Refusal("body-unreadable", 400, "a key or an item of ours where there should be none");
}

function take(req: IncomingMessage, limitBytes: number): Promise<Taken> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const settle = (complete: boolean): void => {
      req.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      const [only] = pieces;
      resolve({ bytes: pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces), complete });
    };
    const onData = (piece: Buffer): void => {
      pieces.push(piece);
      length += piece.byteLength;
      if (length <= limitBytes) return;
      req.pause();
      settle(false);
    };
    const onEnd = (): void => settle(true);
    const onGone = (): void => {
      req.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      reject(new ClientGone());
    };
    req.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  });
}

/** The whole body, where its beginning may have been read already. @throws Refusal, ClientGone */
export async function readWhole({ req, taken }: Pick<Visit, "req" | "taken">, limitBytes: number): Promise<Buffer> {
  if (taken === undefined) return readBody(req, limitBytes, true);
  if (taken.complete) return taken.bytes;
  return Buffer.concat([taken.bytes, await readRest(req, limitBytes - taken.bytes.byteLength, true)]);
}

/** Reads what is still to come and forgets it. @throws Refusal, ClientGone */
export async function discardRest(req: IncomingMessage, limitBytes: number): Promise<void> {
  if (!req.readableEnded) await readRest(req, limitBytes, false);
}

function readRest(req: IncomingMessage, limitBytes: number, keep: boolean): Promise<Buffer> {
  const rest = readBody(req, limitBytes, keep);
  // It was paused when enough of it had been read.
  req.resume();
  return rest;
}
