/**
 * Proof by state machine: random sequences of what people, phones, operators, gates and the mail server do, and the promises
 * that hold after every step of every one. `npm run test:model` runs thousands.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runSequences } from "./sequences.ts";

/** A few seconds each: as many sequences as the machine can in that time, and always the same ones. */
const withinMs = 9_000;
const count = 60;
const seed = 20_261_124;

for (const version of ["12.1", "14.1", "16.1"] as const) {
  test(`whatever happens in whatever order, a cut phone sees no mail, a released one has it all, and nothing is lost: ${version}`, async () => {
    const { sequences } = await runSequences({ version, count, seed, withinMs });
    assert.ok(sequences > 0);
  });
}
