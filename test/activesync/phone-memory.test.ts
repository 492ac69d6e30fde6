import assert from "node:assert/strict";
import { test } from "node:test";
import { createPhoneMemory } from "../../src/activesync/phone-memory.ts";

const alice = { account: "alice", id: "PHONEA" };
const bob = { account: "bob", id: "PHONEA" };

test("one person's phone is not another's, though it bears the same name", () => {
  const memory = createPhoneMemory<string>();
  memory.keep(alice, "5", "hers");
  assert.equal(memory.recall(bob, "5"), undefined);
  assert.equal(memory.knows(bob), false);
  assert.equal(memory.recall({ ...alice, id: "PHONEB" }, "5"), undefined);
  assert.equal(memory.recall(alice, "5"), "hers");
});

test("a person who invents phones and folders pushes out nobody but themself", () => {
  const memory = createPhoneMemory<string>();
  memory.keep(alice, "5", "hers");
  for (let index = 0; index <= 1_000; index += 1) memory.keep({ ...bob, id: `INVENTED${index}` }, "5", "his");
  assert.equal(memory.recall(alice, "5"), "hers");
  assert.equal(memory.recall({ ...bob, id: "INVENTED0" }, "5"), undefined, "the 1 001st takes the place of the first");
  assert.equal(memory.recall({ ...bob, id: "INVENTED1" }, "5"), "his");
});

test("a hundred thousand notes are kept, and the person of whom nothing was heard for longest loses the next", () => {
  const memory = createPhoneMemory<number>();
  const people = Array.from({ length: 100 }, (_, index) => ({ account: `person${index}`, id: "PHONE" }));
  for (const person of people) for (let folder = 0; folder < 1_000; folder += 1) memory.keep(person, String(folder), 0);
  const [first, second] = people;
  assert.ok(first !== undefined && second !== undefined);
  memory.keep(first, "0", 1);
  memory.keep(alice, "5", 1);
  assert.equal(memory.recall(first, "1"), 0, "she was heard of since");
  assert.equal(memory.recall(second, "0"), undefined);
  assert.equal(memory.recall(second, "1"), 0);
  memory.forget(second, "1");
  memory.keep(bob, "5", 1);
  assert.equal(memory.recall(second, "2"), 0, "there was room again");
});

test("whoever is forgotten leaves nothing behind", () => {
  const memory = createPhoneMemory<number>();
  memory.keep(alice, "5", 1);
  memory.forget(alice, "5");
  memory.forget(alice, "5");
  assert.equal(memory.knows(alice), false);
});
