import assert from "node:assert/strict";
import { test } from "node:test";
import { createRates } from "../../src/self-service/rates.ts";

function aClock(): { readonly now: () => number; pass(seconds: number): void } {
  let at = 5000;
  return { now: () => at, pass: (seconds) => void (at += seconds * 1000) };
}

test("a client has its burst and not one more, and gets it back with time", () => {
  const clock = aClock();
  const take = createRates({ burst: 3, perSecond: 0.5, clients: 10, now: clock.now });
  for (let count = 0; count < 3; count += 1) assert.equal(take("a"), undefined);
  assert.equal(take("a"), 2, "in two seconds");
  assert.equal(take("b"), undefined, "another one has its own");
  clock.pass(1.9);
  assert.equal(take("a"), 1);
  clock.pass(0.2);
  assert.equal(take("a"), undefined);
  assert.equal(take("a"), 2);
  clock.pass(3600);
  for (let count = 0; count < 3; count += 1) assert.equal(take("a"), undefined);
  assert.notEqual(take("a"), undefined, "an hour saves up no more than the burst");
});

test("what costs more takes more, and nothing where there is not enough", () => {
  const take = createRates({ burst: 7, perSecond: 1, clients: 10, now: () => 0 });
  assert.equal(take("a", 5), undefined);
  assert.equal(take("a", 5), 3);
  assert.equal(take("a", 2), undefined);
  assert.equal(take("a"), 1);
});

test("of more clients than are remembered, the one that was away for the longest time is forgotten", () => {
  const take = createRates({ burst: 1, perSecond: 1, clients: 2, now: () => 0 });
  assert.equal(take("a"), undefined);
  assert.equal(take("b"), undefined);
  assert.notEqual(take("a"), undefined, "at the cap both are known");
  assert.equal(take("c"), undefined);
  assert.notEqual(take("a"), undefined);
  assert.equal(take("b"), undefined, "one past it, b was the longest away");
});
