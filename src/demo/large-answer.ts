/** Answers that carry attachments: put together while they are sent, so a reader that is slow costs no memory. */
import { encode, type Element } from "../activesync/wbxml.ts";
import type { Attachment } from "./message.ts";
import type { Answer } from "./phone-request.ts";

export interface Piece {
  readonly sizeBytes: number;
  readonly chunks: () => Iterable<Uint8Array>;
}

export function bytesPiece(bytes: Buffer): Piece {
  return { sizeBytes: bytes.length, chunks: () => [bytes] };
}

export function attachmentPiece({ sizeBytes, chunks }: Attachment): Piece {
  return { sizeBytes, chunks };
}

function base64Piece(attachment: Attachment): Piece {
  function* chunks(): Generator<Buffer> {
    let rest = Buffer.alloc(0);
    for (const chunk of attachment.chunks()) {
      const bytes = Buffer.concat([rest, chunk]);
      // Three bytes make four letters: what is left over waits for the next chunk, or padding would stand in the middle.
      const whole = bytes.length - (bytes.length % 3);
      rest = bytes.subarray(whole);
      yield Buffer.from(bytes.toString("base64", 0, whole));
    }
    yield Buffer.from(rest.toString("base64"));
  }
  return { sizeBytes: Math.ceil(attachment.sizeBytes / 3) * 4, chunks };
}

function join(contentType: string, pieces: readonly Piece[]): Answer {
  function* chunks(): Generator<Uint8Array> {
    for (const piece of pieces) yield* piece.chunks();
  }
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.sizeBytes, 0);
  return { kind: "stream", contentType, sizeBytes, chunks };
}

/** The document with every mark replaced by the attachment that it stands for, in base64. */
export function splicedAnswer(root: Element, marked: ReadonlyMap<string, Attachment>): Answer {
  const document = encode(root);
  const pieces: Piece[] = [];
  let position = 0;
  for (const [mark, attachment] of marked) {
    const at = document.indexOf(mark, position);
    pieces.push(bytesPiece(document.subarray(position, at)), base64Piece(attachment));
    position = at + mark.length;
  }
  pieces.push(bytesPiece(document.subarray(position)));
  return join("application/vnd.ms-sync.wbxml", pieces);
}

/** MS-ASCMD 2.2.1.10.1: a count, then offset and length of each part, then the parts; the document is the first. */
export function multipartAnswer(root: Element, parts: readonly Piece[]): Answer {
  const all = [bytesPiece(encode(root)), ...parts];
  const head = Buffer.alloc(4 + all.length * 8);
  head.writeUInt32LE(all.length, 0);
  let offset = head.length;
  for (const [index, { sizeBytes }] of all.entries()) {
    head.writeUInt32LE(offset, 4 + index * 8);
    head.writeUInt32LE(sizeBytes, 8 + index * 8);
    offset += sizeBytes;
  }
  return join("application/vnd.ms-sync.multipart", [bytesPiece(head), ...all]);
}
