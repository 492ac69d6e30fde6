/** Answers as phones expect them over HTTP (MS-ASHTTP 2.2.2.1). */
import type { Reply } from "../gateway/protocol.ts";
import type { Tag } from "./code-pages.ts";
import { element, isElement } from "./document.ts";
import { syncStatus } from "./quarantine-sync.ts";
import type { VersionFeatures } from "./version.ts";
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

/** HTTP status alone: what there is to say in versions whose documents cannot say it. */
function httpOnly(httpStatus: number): Answer {
  return { kind: "answer", httpStatus, headers: [], body: undefined };
}

/**
 * A Sync that is answered as a whole, and not folder by folder (MS-ASCMD 2.2.3.177.17). Before 12.1 phones were never told
 * anything in this way: what they sent is then no request of their version.
 */
export function syncStatusReply(features: VersionFeatures, status: string, limit?: string): Answer {
  if (!features.emptySync) return httpOnly(400);
  return documentReply(syncStatus(status, ...(limit === undefined ? [] : [element("AirSync:Limit", limit)])));
}

/**
 * A command that there is not, or not in this version: 137 where its answer has a root to say it in, else the HTTP status
 * that stands for it (MS-ASCMD 2.2.2).
 */
export function notImplemented(features?: VersionFeatures, root?: Tag, status?: Tag): Answer {
  if (features?.commonStatus !== true || root === undefined || status === undefined) return httpOnly(501);
  return documentReply(element(root, element(status, "137")));
}

/**
 * A document and the bodies in it, each a part of its own (MS-ASCMD 2.2.1.10.1): count, then offset and length of each, then
 * the parts, of which the document is the first. Little-endian, as servers write it.
 */
export function multipartReply(document: Element): Answer {
  const bodies: Buffer[] = [];
  const parts = [encode(withNumberedParts(document, bodies)), ...bodies];
  const head = Buffer.alloc(4 + 8 * parts.length);
  head.writeInt32LE(parts.length, 0);
  let offset = head.byteLength;
  for (const [index, part] of parts.entries()) {
    head.writeInt32LE(offset, 4 + 8 * index);
    head.writeInt32LE(part.byteLength, 8 + 8 * index);
    offset += part.byteLength;
  }
  return {
    kind: "answer",
    httpStatus: 200,
    headers: [["Content-Type", "application/vnd.ms-sync.multipart"]],
    body: Buffer.concat([head, ...parts]),
  };
}

/** The Data of each Body goes to the end of `bodies`, and its number stands where it was (MS-ASAIRS 2.2.2.9). */
function withNumberedParts(parent: Element, bodies: Buffer[]): Element {
  const content = parent.content.map((part) => {
    if (!isElement(part)) return part;
    if (parent.tag !== "AirSyncBase:Body" || part.tag !== "AirSyncBase:Data") return withNumberedParts(part, bodies);
    bodies.push(Buffer.concat(part.content.flatMap((piece) => (isElement(piece) ? [] : [Buffer.from(piece)]))));
    return element("ItemOperations:Part", String(bodies.length));
  });
  return { ...parent, content };
}
