/** The one form of an entry, and the chain: whatever is said comes back as it was, and nothing else is believed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { beginning, createChain } from "../../src/audit/chain.ts";
import { auditKinds, entryOf, fromCanonical, outcomes, toCanonical } from "../../src/audit/entry.ts";
import type { AuditEntry } from "../../src/audit/entry.ts";
import { deviceId } from "../support/records.ts";
import { chain } from "./bench.ts";

const words = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "1", "00", "\ud800", "", "é", "é"));
const values = fc.array(fc.tuple(words, words), { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs));
const entries: fc.Arbitrary<AuditEntry> = fc
  .record({
    at: fc.date({ min: new Date(0), max: new Date(8e15), noInvalidDate: true }),
    kind: fc.constantFrom(...auditKinds),
    outcome: fc.constantFrom(...outcomes),
    act: words,
    actor: words,
    why: words,
    address: words,
    device: fc.option(fc.constantFrom(deviceId("ABC123"), deviceId("9")), { nil: undefined }),
    about: fc.array(words, { maxLength: 4 }),
    version: fc.option(fc.nat(), { nil: undefined }),
    before: values,
    after: values,
  })
  .map((draft) => entryOf(draft, new Date(0)));
const writer = "0123456789abcdef";

test("an entry comes back from its one form as it was, and has no other form", () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const list = toCanonical(entry);
      const text = JSON.stringify(list);
      const parsed: unknown = JSON.parse(text);
      assert.ok(Array.isArray(parsed));
      const back = fromCanonical(parsed);
      assert.deepEqual(back, entry);
      assert.ok(back !== undefined);
      assert.equal(JSON.stringify(toCanonical(back)), text);
    }),
  );
});

test("the order in which values were written makes no difference", () => {
  fc.assert(
    fc.property(values, (after) => {
      const turned = Object.fromEntries(Object.entries(after).toReversed());
      const of = (given: typeof after): string =>
        JSON.stringify(toCanonical(entryOf({ kind: "recheck", actor: "bob", after: given }, new Date(0))));
      assert.equal(of(turned), of(after));
    }),
  );
});

test("a line is read as it was written, and names the one before it", () => {
  fc.assert(
    fc.property(fc.array(entries, { minLength: 1, maxLength: 5 }), (written) => {
      let head: ReturnType<typeof beginning> = beginning(writer);
      for (const [index, entry] of written.entries()) {
        const line = chain.extend(head, entry);
        const read = chain.read(line.text);
        assert.equal(read.kind, "good");
        assert.ok(read.kind === "good");
        assert.deepEqual(read.line.entry, entry);
        assert.equal(read.line.previous, head.seal);
        assert.equal(read.line.sequence, index + 1);
        head = line;
      }
    }),
  );
});

test("a line of which any character was changed is not believed", () => {
  const { text } = chain.extend(beginning(writer), entryOf({ kind: "recheck", actor: "bob", why: "né" }, new Date(1)));
  for (let place = 0; place < text.length; place += 1) {
    for (const other of ["0", "9", "a", " ", '"', "\\", ","]) {
      if (text[place] === other) continue;
      assert.notEqual(
        chain.read(text.slice(0, place) + other + text.slice(place + 1)).kind,
        "good",
        `${place} ${other}`,
      );
    }
    assert.notEqual(chain.read(text.slice(0, place)).kind, "good");
    assert.notEqual(chain.read(text.slice(0, place) + text.slice(place + 1)).kind, "good");
  }
  assert.notEqual(chain.read(`${text} `).kind, "good");
});

test("another installation's lines and marks are not believed, and a line says so", () => {
  const other = createChain(new Uint8Array(32).fill(8));
  const head = beginning(writer);
  assert.equal(
    other.read(chain.extend(head, entryOf({ kind: "recheck", actor: "b" }, new Date(1))).text).kind,
    "foreign",
  );
  const mark = chain.mark("head", head);
  assert.deepEqual(chain.readMark("head", writer, mark), head);
  assert.equal(other.readMark("head", writer, mark), undefined);
  assert.equal(chain.readMark("trimmed", writer, mark), undefined, "one mark is not another");
  assert.equal(chain.readMark("head", "0123456789abcdee", mark), undefined);
});

test("what is too long for an entry is cut at its limit, and a value then tells its digest", () => {
  const limits = { act: 64, actor: 256, why: 1_000, address: 256 } as const;
  for (const [part, limit] of Object.entries(limits)) {
    const of = (length: number): unknown =>
      Object.entries(entryOf({ kind: "recheck", actor: "b", [part]: "x".repeat(length) }, new Date(0))).find(
        ([name]) => name === part,
      )?.[1];
    assert.equal(of(limit), "x".repeat(limit));
    assert.equal(of(limit + 1), "x".repeat(limit));
  }
  const valueOf = (length: number): string | undefined =>
    entryOf({ kind: "recheck", actor: "b", after: { field: "x".repeat(length) } }, new Date(0)).after["field"];
  assert.equal(valueOf(16_384), "x".repeat(16_384));
  assert.match(valueOf(16_385) ?? "", /^x{16384}… \(16385 characters, SHA-256 [0-9a-f]{64}\)$/);
  const aboutOf = (count: number): readonly string[] =>
    entryOf({ kind: "recheck", actor: "b", about: Array.from({ length: count }, () => "x") }, new Date(0)).about;
  assert.equal(aboutOf(200).length, 200);
  assert.deepEqual(aboutOf(202).slice(200), ["and 2 more"]);
  const fieldsOf = (count: number): number =>
    Object.keys(
      entryOf(
        {
          kind: "recheck",
          actor: "b",
          after: Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, ""])),
        },
        new Date(0),
      ).after,
    ).length;
  assert.equal(fieldsOf(1_000), 1_000);
  assert.equal(fieldsOf(1_002), 1_001);
});
