import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createLinks, LINK_AHEAD_LIMIT_MS, TOKEN_LIMIT_CHARS } from "../../src/self-service/links.ts";
import type { LinkReading } from "../../src/self-service/links.ts";
import { deviceId } from "../support/records.ts";

const hourMs = 3_600_000;
const key = new Uint8Array(32).fill(1);
const other = new Uint8Array(32).fill(2);
const links = createLinks({ keys: [key], linkHours: 72 });
const device = deviceId("APPLF1XK93ABCD");
const at = new Date("2026-11-28T10:00:00Z");
const about = { device, account: "alice", at, until: undefined };
const token = links.make(about);
const [header = "", payload = "", signature = ""] = token.split(".");

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decoded = (part: string): Record<string, unknown> => {
  const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
  assert.ok(typeof value === "object" && value !== null);
  return Object.fromEntries(Object.entries(value));
};
/** Signed as our own are, whatever it says. */
const signed = (head: unknown, claims: unknown, secret = key): string => {
  const text = `${encoded(head)}.${encoded(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
};
const kindOf = (reading: LinkReading): string => reading.kind;
const read = (text: string, now = at): string => kindOf(links.read(text, now));

suite("a link is good", () => {
  test("for its phone and its person, whose name is not in it", () => {
    const reading = links.read(token, at);
    assert.ok(reading.kind === "good");
    assert.equal(reading.link.device, device);
    assert.equal(reading.link.isFor("alice"), true);
    assert.equal(reading.link.isFor("bob"), false);
    assert.equal(reading.link.isFor(""), false);
    assert.doesNotMatch(Buffer.from(payload, "base64url").toString(), /alice/);
  });

  test("until the end of the day on which its hours are over, and not a second longer", () => {
    assert.equal(read(token, new Date("2026-12-01T23:59:59Z")), "good");
    assert.equal(read(token, new Date("2026-12-02T00:00:00Z")), "too-old");
    assert.equal(read(token, new Date("2030-01-01T00:00:00Z")), "too-old");
  });

  test("the same one all day", () => {
    const from = new Date("2026-11-28T00:00:01Z");
    const to = new Date("2026-11-29T00:00:00Z");
    assert.equal(links.make({ ...about, at: from }), token);
    assert.equal(links.make({ ...about, at: to }), token);
    assert.notEqual(links.make({ ...about, at: new Date(to.getTime() + 1) }), token);
  });

  test("from the deadline on, where the notice stands until then, but not for ever", () => {
    const endOf = (until: Date): Date => {
      const reading = links.read(links.make({ ...about, until }), at);
      assert.ok(reading.kind === "good");
      return reading.link.expiresAt;
    };
    assert.equal(endOf(new Date("2026-12-10T12:00:00Z")).toISOString(), "2026-12-14T00:00:00.000Z");
    assert.equal(endOf(new Date("2026-11-01T12:00:00Z")).toISOString(), "2026-12-02T00:00:00.000Z");
    assert.equal(endOf(new Date(Number.NaN)).toISOString(), "2026-12-02T00:00:00.000Z");
    const atTheLimit = endOf(new Date(at.getTime() + LINK_AHEAD_LIMIT_MS));
    assert.equal(atTheLimit.toISOString(), "2027-01-01T00:00:00.000Z");
    assert.equal(endOf(new Date(at.getTime() + LINK_AHEAD_LIMIT_MS + 48 * hourMs)).getTime(), atTheLimit.getTime());
  });

  test("after the secret was changed, while the one before is still named", () => {
    const changed = createLinks({ keys: [other, key], linkHours: 72 });
    assert.equal(kindOf(changed.read(token, at)), "good");
    const renewed = changed.make(about);
    assert.notEqual(renewed, token);
    assert.equal(kindOf(changed.read(renewed, at)), "good");
    assert.equal(kindOf(createLinks({ keys: [other], linkHours: 72 }).read(token, at)), "unreadable");
    assert.equal(read(renewed), "unreadable");
  });

  test("whatever the phone and the person are called, and it is never longer than it may be", () => {
    const ids = fc.stringMatching(/^[A-Z0-9]{1,64}$/).map(deviceId);
    fc.assert(
      fc.property(
        ids,
        fc.string({ maxLength: 256, unit: "binary" }),
        fc.date({ noInvalidDate: true }),
        (id, account, until) => {
          const made = links.make({ device: id, account, at, until });
          assert.ok(made.length < TOKEN_LIMIT_CHARS, String(made.length));
          const reading = links.read(made, at);
          assert.ok(reading.kind === "good");
          assert.equal(reading.link.device, id);
          assert.equal(reading.link.isFor(account), true);
        },
      ),
      { seed: 5 },
    );
  });
});

suite("a link is none", () => {
  const head = decoded(header);
  const claims = decoded(payload);
  const none = (alg: string): string => `${encoded({ ...head, alg })}.${payload}`;
  const cases: readonly (readonly [title: string, token: string])[] = [
    ["nothing", ""],
    ["no token", "page.js"],
    ["another signature", `${header}.${payload}.${"A".repeat(43)}`],
    ["signed with another key", signed(head, claims, other)],
    ["another phone under the same signature", `${header}.${encoded({ ...claims, sub: "APPLOTHER" })}.${signature}`],
    ["the algorithm none, unsigned", `${none("none")}.`],
    ["the algorithm none, with a signature", `${none("none")}.${signature}`],
    ["the algorithm NONE", `${none("NONE")}.${signature}`],
    ["another algorithm", signed({ ...head, alg: "HS384" }, claims)],
    ["an algorithm of public keys", signed({ ...head, alg: "RS256" }, claims)],
    ["no algorithm", signed({ kid: head["kid"] }, claims)],
    ["no key", signed({ alg: "HS256" }, claims)],
    ["a key that nobody has", signed({ ...head, kid: "AAAAAA" }, claims)],
    ["a key by a path", signed({ ...head, kid: "../../dev/null" }, claims)],
    ["a key that is no text", signed({ ...head, kid: { a: 1 } }, claims)],
    ["another audience", signed(head, { ...claims, aud: "admin" })],
    ["no audience", signed(head, { ...claims, aud: undefined })],
    ["no end", signed(head, { ...claims, exp: undefined })],
    ["an end that is no number", signed(head, { ...claims, exp: "2030" })],
    ["an end between two seconds", signed(head, { ...claims, exp: 1_899_999_999.5 })],
    ["not yet", signed(head, { ...claims, nbf: 1_899_999_999 })],
    ["no phone", signed(head, { ...claims, sub: undefined })],
    ["a phone in another spelling", signed(head, { ...claims, sub: device.toLowerCase() })],
    ["a phone that is none", signed(head, { ...claims, sub: "a b" })],
    ["no person", signed(head, { ...claims, own: undefined })],
    ["a person of another length", signed(head, { ...claims, own: "AAAAAAAAAAAA" })],
    ["claims that are a list", signed(head, [claims])],
    ["claims that are a text", signed(head, "text of some length")],
    ["claims that are nothing", `${header}.bnVsbG51bGxudWxs.${signature}`],
    ["a part too many", `${token}.${signature}`],
    ["a part too few", `${header}.${payload}`],
    ["padding", `${header}.${payload}.${signature}=`],
    ["white space", ` ${token}`],
    ["something behind it", `${token}!`],
  ];
  for (const [title, text] of cases) test(title, () => assert.equal(read(text), "unreadable"));

  test("one character of it is another one", () => {
    for (let index = 0; index < token.length; index += 1) {
      const changed = token.slice(0, index) + (token[index] === "A" ? "B" : "A") + token.slice(index + 1);
      assert.equal(read(changed), "unreadable", String(index));
    }
  });

  test("it is cut off at any place", () => {
    for (let length = 0; length < token.length; length += 1) assert.equal(read(token.slice(0, length)), "unreadable");
  });

  test("it is longer than any of ours", () => {
    const padded = (room: number): string => {
      const bare = signed(head, { ...claims, x: "" });
      const more = signed(head, { ...claims, x: "x".repeat(Math.floor(((room - bare.length) * 3) / 4)) });
      return more;
    };
    const long = padded(TOKEN_LIMIT_CHARS);
    assert.ok(long.length <= TOKEN_LIMIT_CHARS && long.length > TOKEN_LIMIT_CHARS - 4);
    assert.equal(read(long), "good");
    const tooLong = padded(TOKEN_LIMIT_CHARS + 4);
    assert.ok(tooLong.length > TOKEN_LIMIT_CHARS);
    assert.equal(read(tooLong), "unreadable");
  });

  test("whatever anybody sends is read without a throw", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: "binary" }), (text) => assert.equal(read(text), "unreadable")),
      { seed: 6 },
    );
  });

  test("what is too old and signed by nobody is not too old", () => {
    assert.equal(read(signed(head, { ...claims, exp: 1 }, other)), "unreadable");
    assert.equal(read(signed(head, { ...claims, exp: 1 })), "too-old");
  });
});
