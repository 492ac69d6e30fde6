/** A credential that upstream has just accepted need not be asked about again, and nobody else's cookie proves one. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";

const optionsAsked = (gate: Gate): number =>
  gate.upstream.journal().filter(({ method }) => method === "OPTIONS").length;

suite("a credential that was accepted with a request that passed", () => {
  test("is not asked about at the moment at which the phone is held", async (t) => {
    const gate = await aGate(t);
    await gate.reports("PHONEA", clean);
    const phone = gate.phone();
    await phone.refresh();
    const before = optionsAsked(gate);
    await gate.reports("PHONEA", withTiktok);
    await phone.refresh();
    assert.equal(phone.inbox().length, 1);
    assert.equal(optionsAsked(gate), before);
  });

  test("proves no other password of the same person", async (t) => {
    const gate = await aGate(t);
    await gate.reports("PHONEA", clean);
    await gate.phone().refresh();
    await gate.reports("PHONEA", withTiktok);
    const guessing = gate.phone({ password: "guessed" });
    assert.notEqual((await guessing.refresh()).kind, "ok");
    assert.equal(guessing.inbox().length, 0);
  });
});
