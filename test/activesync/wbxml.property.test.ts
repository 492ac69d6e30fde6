import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { textOf } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { captures } from "../support/captures.ts";
import { anyDocument, mutantOf, nearlyDocument, withStringsJoined } from "../support/wbxml-documents.ts";
import { refusalBy } from "../support/wbxml-refusal.ts";

const runs = { numRuns: 10_000 };

/** Undefined where the bytes are refused; `refusalBy` lets nothing pass that is neither a document nor a refusal. */
function decodedOrRefused(bytes: Uint8Array): Element | undefined {
  let root: Element | undefined;
  const refusal = refusalBy(() => (root = decode(bytes)));
  assert.equal(refusal === undefined, root !== undefined);
  return root;
}

/** What must hold for every document that is accepted, however it came about. */
function assertOneReading(bytes: Uint8Array, root: Element): void {
  const canonical = encode(root);
  // The encoder only leaves out: where nothing was left out, every byte is as it was.
  assert.ok(canonical.length <= bytes.length);
  if (canonical.length === bytes.length) assert.deepEqual([...canonical], [...bytes]);
  const again = decode(canonical);
  assert.deepEqual(again, withStringsJoined(root));
  assert.deepEqual(encode(again), canonical);
  refusalBy(() => textOf(root));
}

suite("for any document", () => {
  test("what is encoded decodes to the same", () => {
    fc.assert(
      fc.property(anyDocument(), (root) => assert.deepEqual(decode(encode(root)), root)),
      runs,
    );
  });

  test("no beginning of it is a document", () => {
    fc.assert(
      fc.property(anyDocument(), fc.nat(), (root, cut) => {
        const bytes = encode(root);
        assert.equal(decodedOrRefused(bytes.subarray(0, cut % bytes.length)), undefined);
      }),
      runs,
    );
  });
});

suite("for any bytes", () => {
  test("there is a document or a refusal", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodedOrRefused(bytes);
        decodedOrRefused(Buffer.concat([Buffer.of(0x03, 0x01, 0x6a, 0x00), bytes]));
      }),
      runs,
    );
  });

  test("a document has one reading, and encoding it twice is encoding it once", () => {
    let accepted = 0;
    fc.assert(
      fc.property(nearlyDocument(), (bytes) => {
        const root = decodedOrRefused(bytes);
        if (root === undefined) return;
        accepted += 1;
        assertOneReading(bytes, root);
      }),
      runs,
    );
    assert.ok(accepted > runs.numRuns / 10, `only ${accepted} were accepted, which proves too little`);
  });
});

suite("for any change to a body that was really sent", () => {
  test("there is a document with one reading, or a refusal", () => {
    let accepted = 0;
    const mutants = fc.constantFrom(...captures).chain(({ bytes }) => mutantOf(bytes));
    fc.assert(
      fc.property(mutants, (bytes) => {
        const root = decodedOrRefused(bytes);
        if (root === undefined) return;
        accepted += 1;
        assertOneReading(bytes, root);
      }),
      runs,
    );
    assert.ok(accepted > runs.numRuns / 20, `only ${accepted} were accepted, which proves too little`);
  });
});
