/** Sync keys of our own: who can read them, who cannot, and whether every client has room for them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { bearsMark, createGatewayKeys, REVISION_LIMIT } from "../../src/activesync/gateway-key.ts";
import type { GatewayKey, GatewayKeyOwner } from "../../src/activesync/gateway-key.ts";

const keys = createGatewayKeys(new Uint8Array(32).fill(7));
const alice: GatewayKeyOwner = { account: "alice", device: "PHONEA", collectionId: "5" };

const anyOwner: fc.Arbitrary<GatewayKeyOwner> = fc.record({
  account: fc.string({ unit: "grapheme" }),
  device: fc.string(),
  collectionId: fc.string({ unit: "grapheme", maxLength: 128 }),
});
/** Everything that a phone may have seen: primed, or some revision delivered, or delivered and deleted. */
const anyKey: fc.Arbitrary<GatewayKey> = fc
  .tuple(fc.integer({ min: 1, max: 2 * REVISION_LIMIT + 1 }), fc.integer({ min: 0, max: 999_999_999 }))
  .map(([state, touches]) => ({ state, touches }));

suite("a key of ours", () => {
  test("says again what was put into it", () => {
    fc.assert(
      fc.property(anyOwner, anyKey, (owner, key) => {
        assert.deepEqual(keys.read(owner, keys.issue(owner, key)), key);
      }),
    );
  });

  test("is the same on every node", () => {
    fc.assert(
      fc.property(anyOwner, anyKey, (owner, key) => {
        assert.equal(createGatewayKeys(new Uint8Array(32).fill(7)).issue(owner, key), keys.issue(owner, key));
      }),
    );
  });

  test("has the shape that every client has met: a uuid in braces, and a number", () => {
    fc.assert(
      fc.property(anyOwner, anyKey, (owner, key) => {
        const text = keys.issue(owner, key);
        assert.match(text, /^\{50535451-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}[1-9][0-9]*$/);
        assert.equal(Number(text.slice(38)), key.state + 10_000 * key.touches);
        assert.ok(bearsMark(text));
      }),
    );
  });

  test("has at most 64 characters, however much the phone has uploaded", () => {
    for (const touches of [0, 1, 999_999_999, 1_000_000_000, Number.MAX_SAFE_INTEGER]) {
      const text = keys.issue(alice, { state: 2 * REVISION_LIMIT + 1, touches });
      assert.ok(text.length <= 64, text);
      assert.notEqual(keys.read(alice, text), undefined);
    }
  });

  test("counts uploads from the start again rather than outgrow its number", () => {
    assert.equal(keys.issue(alice, { state: 2, touches: 1_000_000_000 }), keys.issue(alice, { state: 2, touches: 0 }));
  });
});

suite("a key that was not made for this phone and folder is not read", () => {
  test("of another person, phone or folder", () => {
    fc.assert(
      fc.property(anyOwner, anyOwner, anyKey, (owner, other, key) => {
        fc.pre(JSON.stringify(owner) !== JSON.stringify(other));
        assert.equal(keys.read(other, keys.issue(owner, key)), undefined);
      }),
    );
  });

  test("of two owners whose names are the same when they are put together", () => {
    const key = keys.issue({ account: "ab", device: "c", collectionId: "d" }, { state: 2, touches: 0 });
    for (const owner of [
      { account: "a", device: "bc", collectionId: "d" },
      { account: "ab", device: "cd", collectionId: "" },
      { account: "ab1:c", device: "", collectionId: "d" },
    ]) {
      assert.equal(keys.read(owner, key), undefined);
    }
  });

  test("of an installation with another secret", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), anyKey, (secret, key) => {
        fc.pre(!secret.every((byte) => byte === 7));
        assert.equal(keys.read(alice, createGatewayKeys(secret).issue(alice, key)), undefined);
      }),
    );
  });

  test("of another purpose", () => {
    const shadows = createGatewayKeys(new Uint8Array(32).fill(7), "shadow-key");
    const shadow = shadows.issue(alice, { state: 2, touches: 0 });
    assert.equal(keys.read(alice, shadow), undefined);
    assert.ok(bearsMark(shadow), "it must be recognised all the same");
  });

  test("with one character changed", () => {
    const text = keys.issue(alice, { state: 2, touches: 0 });
    // What stands after the brace is what the phone has seen: whoever changes it in the phone's own key harms itself only.
    const end = text.indexOf("}");
    const letters = "0123456789abcdefABCDEF{}-x ";
    fc.assert(
      fc.property(fc.nat({ max: end }), fc.nat({ max: letters.length - 1 }), (at, index) => {
        const letter = letters.charAt(index);
        fc.pre(text.charAt(at) !== letter);
        assert.equal(keys.read(alice, text.slice(0, at) + letter + text.slice(at + 1)), undefined);
      }),
    );
  });

  test("cut at any place", () => {
    const text = keys.issue(alice, { state: 2, touches: 0 });
    for (let length = 0; length < text.length; length += 1) {
      assert.equal(keys.read(alice, text.slice(0, length)), undefined, String(length));
    }
  });

  test("with a number that none of ours has", () => {
    const uuid = keys.issue(alice, { state: 1, touches: 0 }).slice(0, -1);
    assert.notEqual(keys.read(alice, `${uuid}1`), undefined);
    for (const number of ["", "0", "01", "-1", "1.0", "1e3", "10000", " 1", "1 ", "1\n", "1234567890123456"]) {
      assert.equal(keys.read(alice, uuid + number), undefined, JSON.stringify(number));
    }
  });

  test("of upstream, or of nobody", () => {
    for (const text of ["", "0", "77", "1-5", "{2e535483-2d97-4116-8c0c-a255593acf7e}1", "50535451"]) {
      assert.equal(keys.read(alice, text), undefined);
      assert.equal(bearsMark(text), false);
    }
  });
});

test("a forged key is recognised as one that must not go upstream", () => {
  const forged = "{50535451-0000-4000-8000-000000000001}2";
  assert.equal(keys.read(alice, forged), undefined);
  assert.ok(bearsMark(forged));
});
