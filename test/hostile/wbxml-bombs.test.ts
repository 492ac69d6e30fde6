/**
 * Bodies that are small to send and dear to read. The decoder goes forward only, so the offset of a refusal is the work that
 * was done before it: these tests measure with that, and with what was allocated, and never with a clock.
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { child, children, only, textOf } from "../../src/activesync/document.ts";
import { decode, decodeRootTag, defaultDecodeLimits } from "../../src/activesync/wbxml.ts";
import type { Element, TagName } from "../../src/activesync/wbxml.ts";
import { refusalBy, refusalOf } from "../support/wbxml-refusal.ts";

const header = Buffer.of(0x03, 0x01, 0x6a, 0x00);
// As large as a body that the gate reads may be.
const BODY_BYTES = 4 * 1024 * 1024;
const { depth, nodes } = defaultDecodeLimits;

/** A header and the beginning, then the pattern until the body is full. */
function bomb(beginning: string, pattern: string): Buffer {
  const body = Buffer.alloc(BODY_BYTES, Buffer.from(pattern, "hex"));
  return Buffer.concat([header, Buffer.from(beginning, "hex"), body]);
}

suite("depth", () => {
  test("four million elements within each other are refused at the 33rd", () => {
    assert.deepEqual(refusalOf(bomb("", "45")), { code: "too-deep", offset: header.length + depth });
  });

  test("so are they with a switch of the page before each", () => {
    // The first switch makes three bytes of each element, and the refusal points at the tag.
    assert.deepEqual(refusalOf(bomb("", "000145000245")), { code: "too-deep", offset: header.length + depth * 3 + 2 });
  });

  test("depth costs no stack, even where somebody allows it", () => {
    const levels = 1_000_000;
    const body = Buffer.concat([
      header,
      Buffer.alloc(levels - 1, 0x45),
      Buffer.of(0x05),
      Buffer.alloc(levels - 1, 0x01),
    ]);
    let innermost = decode(body, { depth: levels, nodes: levels });
    let reached = 1;
    for (let next = child(innermost, "AirSync:Sync"); next !== undefined; next = child(innermost, "AirSync:Sync")) {
      innermost = next;
      reached += 1;
    }
    assert.equal(reached, levels);
  });
});

suite("number", () => {
  const floods: readonly (readonly [title: string, pattern: string, bytesEach: number])[] = [
    ["elements", "05", 1],
    ["elements with an end", "4501", 2],
    ["elements each on another page than the one before", "000105000205", 3],
    ["empty strings", "0300", 2],
    ["strings of one letter", "036100", 3],
    ["empty byte strings", "c300", 2],
  ];
  for (const [title, pattern, bytesEach] of floods) {
    test(`of ${title}: the rest is not read after ${nodes}`, () => {
      const refusal = refusalOf(bomb("45", pattern));
      assert.equal(refusal?.code, "too-many-nodes");
      // The root is the first node; the refusal lies within the first one that is too many.
      const before = header.length + 1 + (nodes - 1) * bytesEach;
      assert.ok(refusal.offset !== undefined && refusal.offset >= before && refusal.offset < before + bytesEach);
    });
  }

  test("of page switches: the second one ends it", () => {
    assert.deepEqual(refusalOf(bomb("", "0001")), { code: "page-switch-misplaced", offset: header.length });
  });

  test("of attributes: the first one ends it", () => {
    assert.deepEqual(refusalOf(bomb("45", "8505")), { code: "attributes-refused", offset: header.length + 1 });
  });

  test("of children: reading goes through them once", () => {
    let looks = 0;
    const counted: Element = {
      get tag(): TagName {
        looks += 1;
        return "AirSync:Add";
      },
      content: [],
    };
    const root: Element = { tag: "AirSync:Commands", content: Array.from({ length: nodes - 1 }, () => counted) };
    const looksOf = (read: () => unknown) => {
      looks = 0;
      refusalBy(read);
      return looks;
    };
    const all = nodes - 1;
    assert.equal(
      looksOf(() => child(root, "AirSync:Delete")),
      all,
    );
    assert.equal(
      looksOf(() => only(root, "AirSync:Delete")),
      all,
    );
    assert.equal(
      looksOf(() => only(root, "AirSync:Add")),
      2,
    );
    assert.equal(
      looksOf(() => children(root, "AirSync:Add")),
      all,
    );
  });

  test("of strings that are one text: the text is as long as they are together", () => {
    const strings = Buffer.alloc((nodes - 1) * 3, Buffer.of(0x03, 0x61, 0x00));
    const root = decode(Buffer.concat([header, Buffer.of(0x4b), strings, Buffer.of(0x01)]));
    assert.equal(textOf(root), "a".repeat(nodes - 1));
  });
});

suite("length", () => {
  const lengths: readonly (readonly [title: string, hex: string])[] = [
    ["one byte more than there is", "02"],
    ["2 GiB", "8880808000"],
    ["4 GiB", "8fffffff7f"],
    ["32 GiB", "ffffffff7f"],
  ];
  for (const [title, hex] of lengths) {
    test(`of ${title}: refused before anything is set aside for it`, () => {
      const body = Buffer.concat([header, Buffer.from(`50c3${hex}01`, "hex")]);
      const before = process.memoryUsage().arrayBuffers;
      assert.deepEqual(refusalOf(body), { code: "opaque-past-end", offset: header.length + 2 });
      assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
    });
  }

  test("of byte strings: they are windows on the body, not copies", () => {
    const body = Buffer.concat([header, Buffer.from("50c381808000", "hex"), Buffer.alloc(2_097_152), Buffer.of(0x01)]);
    const [mime] = decode(body).content;
    assert.ok(mime instanceof Uint8Array);
    assert.equal(mime.buffer, body.buffer);
    assert.equal(mime.length, 2_097_152);
  });

  test("that never ends: refused after five bytes", () => {
    assert.deepEqual(refusalOf(bomb("50c3", "81")), { code: "integer-refused", offset: header.length + 2 });
    // A sixth byte is not even asked for.
    const five = Buffer.concat([header, Buffer.from("50c38181818181", "hex")]);
    assert.deepEqual(refusalOf(five), { code: "integer-refused", offset: header.length + 2 });
  });

  test("that begins with zeros without end: refused at the first", () => {
    assert.deepEqual(refusalOf(bomb("50c3", "80")), { code: "integer-refused", offset: header.length + 2 });
  });

  test("of a string without its end: refused", () => {
    assert.deepEqual(refusalOf(bomb("4b03", "61")), { code: "string-unterminated", offset: header.length + 2 });
  });
});

suite("string table", () => {
  // Entries of a string table can be named again and again, which makes a large document of a small one.
  const tables: readonly (readonly [title: string, hex: string])[] = [
    ["of one string that every element repeats", "03016a0361610045" + "8300".repeat(1000) + "01"],
    ["of 4 GiB", "03016a8fffffff7f"],
    ["whose length never ends", "03016a" + "81".repeat(1000)],
    ["of no bytes, in two bytes", "03016a800005"],
  ];
  for (const [title, hex] of tables) {
    test(`${title}: refused before it is read`, () => {
      const body = Buffer.from(hex, "hex");
      assert.deepEqual(refusalOf(body), { code: "string-table-refused", offset: 3 });
      assert.deepEqual(
        refusalBy(() => decodeRootTag(body)),
        { code: "string-table-refused", offset: 3 },
      );
    });
  }

  test("a string from a table that is not there: refused", () => {
    assert.deepEqual(refusalOf(bomb("4b", "8300")), { code: "token-refused", offset: header.length + 1 });
  });
});
