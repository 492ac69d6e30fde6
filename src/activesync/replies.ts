/** Answers as phones expect them over HTTP (MS-ASHTTP 2.2.2.1). */
import type { Reply } from "../gateway/protocol.ts";
import { encode } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

type Answer = Extract<Reply, { kind: "answer" }>;

export function documentReply(document: Element): Answer {
  return {
    kind: "answer",
    httpStatus: 200,
    headers: [["Content-Type", "application/vnd.ms-sync.wbxml"]],
    body: encode(document),
  };
}

/** Length 0 and no type: "nothing has changed". */
export function emptyReply(): Answer {
  return { kind: "answer", httpStatus: 200, headers: [], body: undefined };
}

/** Every client keeps what it wanted to send and comes again later, with or without minding the header. */
export function retryLater(seconds: number): Answer {
  return { kind: "answer", httpStatus: 503, headers: [["Retry-After", String(seconds)]], body: undefined };
}

/** 501: the command is not known here. */
export function notImplemented(): Answer {
  return { kind: "answer", httpStatus: 501, headers: [], body: undefined };
}

/**
 * One document as several parts, of which there is one (MS-ASCMD 2.2.1.10.1): count, then offset and length of each, then
 * the parts. Little-endian, as servers write it.
 */
export function multipartReply(document: Element): Answer {
  const part = encode(document);
  const head = Buffer.alloc(12);
  head.writeInt32LE(1, 0);
  head.writeInt32LE(head.byteLength, 4);
  head.writeInt32LE(part.byteLength, 8);
  return {
    kind: "answer",
    httpStatus: 200,
    headers: [["Content-Type", "application/vnd.ms-sync.multipart"]],
    body: Buffer.concat([head, part]),
  };
}
