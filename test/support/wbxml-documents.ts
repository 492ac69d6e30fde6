/** Documents for fast-check: every tag there is, every kind of content, and bytes that nearly make a document. */
import * as fc from "fast-check";
import { codePages } from "../../src/activesync/code-pages.ts";
import { nameOf, tagCode } from "../../src/activesync/tag-codes.ts";
import type { TagName } from "../../src/activesync/tag-codes.ts";
import type { Content, Element } from "../../src/activesync/wbxml.ts";

/** All tags of all code pages, as the decoder names them. */
export const everyTag: readonly TagName[] = Object.values(codePages).flatMap(({ page, tags }) =>
  Object.values<number>(tags).map((token) => nameOf(tagCode(page, token))),
);

/** A document as the encoder writes it: a string has no NUL, and is not followed by another string. */
export function anyDocument(tag: fc.Arbitrary<TagName> = anyTag()): fc.Arbitrary<Element> {
  const { element } = fc.letrec<{ element: Element; content: Content }>((tie) => ({
    content: fc.oneof(
      { maxDepth: 30, depthSize: "medium" },
      { arbitrary: anyText(), weight: 2 },
      { arbitrary: fc.uint8Array({ maxLength: 200 }), weight: 1 },
      { arbitrary: tie("element"), weight: 3 },
    ),
    element: fc
      .tuple(tag, fc.array(tie("content"), { maxLength: 6 }), fc.boolean())
      .map(([tag, content, endTag]): Element => {
        if (content.length === 0 && endTag) return { tag, content, endTag };
        return { tag, content: joinStrings(content) };
      }),
  }));
  return element;
}

/** Begins as a document does, and goes on with tokens of which enough fit together that many are accepted. */
export function nearlyDocument(): fc.Arbitrary<Uint8Array> {
  const byte = fc.integer({ min: 0, max: 0xff });
  const startTag = fc.integer({ min: 0x45, max: 0x7f }).map((tag) => Buffer.of(tag));
  const emptyTag = fc.integer({ min: 0x05, max: 0x3f }).map((tag) => Buffer.of(tag));
  const pageSwitch = fc.oneof(fc.constantFrom(0, 1, 2, 17), byte).map((page) => Buffer.of(0x00, page));
  const switched = (tag: fc.Arbitrary<Uint8Array>) => fc.tuple(pageSwitch, tag).map((parts) => Buffer.concat(parts));
  const string = anyText().map((text) => Buffer.from(`\x03${text}\0`));
  const opaque = fc
    .uint8Array({ maxLength: 140 })
    .map((bytes) => Buffer.concat([Buffer.of(0xc3), integer(bytes.length), bytes]));
  const end = fc.constant(Buffer.of(0x01));
  const odd = byte.map((byte) => Buffer.of(byte));
  const piece = fc.oneof(
    { arbitrary: opening(1, startTag), weight: 12 },
    { arbitrary: opening(1, switched(startTag)), weight: 6 },
    { arbitrary: opening(0, emptyTag), weight: 9 },
    { arbitrary: opening(0, switched(emptyTag)), weight: 6 },
    { arbitrary: opening(0, string), weight: 9 },
    { arbitrary: opening(0, opaque), weight: 3 },
    { arbitrary: opening(-1, end), weight: 10 },
    { arbitrary: opening(0, odd), weight: 1 },
  );
  return fc.array(piece, { maxLength: 60, size: "max" }).map((pieces) => {
    // The root is open at first. Most documents end where it does, and the others get the ends that are missing.
    let open = 1;
    const body: Uint8Array[] = [Buffer.of(0x03, 0x01, 0x6a, 0x00, 0x45)];
    for (const { bytes, opens } of pieces) {
      if (open === 0) break;
      open += opens;
      body.push(bytes);
    }
    return Buffer.concat([...body, Buffer.alloc(open, 0x01)]);
  });
}

/** How many elements more are open after these bytes than before. */
function opening(opens: number, piece: fc.Arbitrary<Uint8Array>): fc.Arbitrary<{ opens: number; bytes: Uint8Array }> {
  return piece.map((bytes) => ({ opens, bytes }));
}

/** A few bytes of a real body replaced, put in, taken out, or sent twice. */
export function mutantOf(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const byte = fc.oneof(fc.constantFrom(0x00, 0x01, 0x03, 0x05, 0x45, 0x80, 0xc3), fc.integer({ min: 0, max: 0xff }));
  const at = fc.nat({ max: original.length });
  const nothing = new Uint8Array();
  const edit = fc.oneof(
    fc.tuple(at, byte).map(([at, byte]) => ({ at, remove: 1, put: Buffer.of(byte) })),
    fc.tuple(at, byte).map(([at, byte]) => ({ at, remove: 0, put: Buffer.of(byte) })),
    fc.tuple(at, fc.nat({ max: 8 })).map(([at, remove]) => ({ at, remove, put: nothing })),
    fc
      .tuple(at, at, fc.nat({ max: 40 }))
      .map(([at, from, length]) => ({ at, remove: 0, put: original.subarray(from, from + length) })),
  );
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    let mutant = original;
    for (const { at, remove, put } of edits) {
      mutant = Buffer.concat([mutant.subarray(0, at), put, mutant.subarray(at + remove)]);
    }
    return mutant;
  });
}

/** The same document with strings that stand side by side made one, which is what the encoder does to them. */
export function withStringsJoined(root: Element): Element {
  const content = root.content.map((part) =>
    typeof part === "string" || part instanceof Uint8Array ? part : withStringsJoined(part),
  );
  return { ...root, content: joinStrings(content) };
}

function joinStrings(content: readonly Content[]): Content[] {
  const joined: Content[] = [];
  for (const part of content) {
    const last = joined.at(-1);
    if (typeof part === "string" && typeof last === "string") joined[joined.length - 1] = last + part;
    else joined.push(part);
  }
  return joined;
}

function anyTag(): fc.Arbitrary<TagName> {
  const page = fc.integer({ min: 0, max: 255 });
  const token = fc.integer({ min: 0x05, max: 0x3f });
  return fc.oneof(
    { arbitrary: fc.constantFrom(...everyTag), weight: 9 },
    { arbitrary: fc.tuple(page, token).map(([page, token]) => nameOf(tagCode(page, token))), weight: 1 },
  );
}

function anyText(): fc.Arbitrary<string> {
  // "binary" is any code point that UTF-8 can carry.
  const text = fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.replaceAll("\0", ""));
  const usual = fc.constantFrom("", "0", "1", "{50535451-0000-4000-8000-000000000001}2", "IPM.Note", "\ufeff");
  return fc.oneof(usual, text);
}

/** A multi-byte integer of at most two bytes. */
function integer(value: number): Buffer {
  return value < 0x80 ? Buffer.of(value) : Buffer.of(0x80 | (value >> 7), value & 0x7f);
}
