import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePerson, PERSON_NAME_LIMIT } from "../../src/policy/person.ts";

/** What names are made of, and what they must not have. */
const letters = ["a", "b", "Z", "0", ".", ".", "-", "_", "+", "@", "@", "ä", "ﬁ", "Ａ", " ", "\u0301", "'", "^", "/"];

test("a name means the person that it means behind a Windows domain, in whichever way it is read", () => {
  const names = fc.array(fc.constantFrom(...letters), { maxLength: 12 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(names, (name) => assert.deepEqual(parsePerson(name), parsePerson(`CORP\\${name}`))),
    { numRuns: 2_000 },
  );
});

test("a name may be as long as it may be, and no longer", () => {
  const domain = "@corp.example";
  const longest = "a".repeat(PERSON_NAME_LIMIT - domain.length) + domain;
  assert.equal(parsePerson(longest)?.domain, "corp.example");
  assert.equal(parsePerson(`a${longest}`), undefined);
});

test("a long name that is none is told at once", () => {
  for (const part of ["a", "a-", "a."])
    assert.equal(parsePerson(`x@${part.repeat(PERSON_NAME_LIMIT)}`.slice(0, PERSON_NAME_LIMIT - 1) + "_"), undefined);
});
