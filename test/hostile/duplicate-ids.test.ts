/** One request, two devices, users or commands: which one a server sees must not depend on the server. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseQuery, PARAMETER_LIMIT } from "../../src/activesync/query.ts";
import { Refusal } from "../../src/gateway/errors.ts";

const none = new Map<string, string>();
const good = "Cmd=Sync&User=alice&DeviceId=ABC123&DeviceType=iPhone";
/** 14.1, SmartReply, 16 raw bytes as id, a policy key, WindowsMail, Options 0x01. */
const blob = "jQMJCBBgMOo4NRIhymNelU6Z7jHTBDzZUJwLV2luZG93c01haWwHAQE=";
/** 14.0, Sync, "v140Device", SmartPhone. */
const asciiBlob = "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l";

const refused: readonly (readonly [attack: string, query: string | undefined])[] = [
  ["no query", undefined],
  ["an empty query", ""],
  ["two device ids", `${good}&DeviceId=OTHER`],
  ["two device ids in different letter case", `${good}&deviceid=OTHER`],
  ["two commands", `${good}&Cmd=FolderSync`],
  ["two users", `${good}&USER=bob`],
  ["a device id behind a semicolon", "Cmd=Sync;DeviceId=OTHER&DeviceId=ABC123"],
  ["a device id behind a second question mark", `Cmd=Sync&DeviceId=ABC123&x=?DeviceId=OTHER`],
  ["a device id in brackets", "Cmd=Sync&DeviceId[]=ABC123"],
  ["an encoded parameter name", "Cmd=Sync&Device%49d=OTHER&DeviceId=ABC123"],
  ["a NUL in the device id", "Cmd=Sync&DeviceId=ABC%00123"],
  ["a space in the device id", "Cmd=Sync&DeviceId=ABC+123"],
  ["an asterisk as device id", "Cmd=Sync&DeviceId=*"],
  ["a colon in the device id", "Cmd=Sync&DeviceId=a:b"],
  ["a newline in the device id", "Cmd=Sync&DeviceId=a%0ab"],
  ["a prototype as device id", "Cmd=Sync&DeviceId=__proto__"],
  ["a letter that upper case would turn into ASCII", "Cmd=Sync&DeviceId=%C5%BFABC"],
  ["a device id of 65 characters", `Cmd=Sync&DeviceId=${"A".repeat(65)}`],
  ["an empty device id", "Cmd=Sync&DeviceId="],
  ["no device id", "Cmd=Sync&User=alice"],
  ["no command", "User=alice&DeviceId=ABC123"],
  ["an empty command", "Cmd=&DeviceId=ABC123"],
  ["a command with a twist", "Cmd=Sync%00&DeviceId=ABC123"],
  ["a user of two domains", "Cmd=Sync&DeviceId=ABC123&User=a@evil@corp"],
  ["a fullwidth user", "Cmd=Sync&DeviceId=ABC123&User=%EF%BD%81lice"],
  ["a value that is no UTF-8", "Cmd=Sync&DeviceId=ABC123&User=%ff"],
  ["half an escape", "Cmd=Sync&DeviceId=ABC123&User=%4"],
  ["a parameter without a value", "Cmd=Sync&DeviceId=ABC123&x"],
  ["a parameter with two equals signs", "Cmd=Sync&DeviceId=ABC123&User=alice=bob"],
  ["plain behind base64", `${blob}&Cmd=Sync&DeviceId=ABC123`],
  ["base64 behind plain", `Cmd=Sync&DeviceId=ABC123&${blob}`],
  ["two base64 queries", `${asciiBlob}&${asciiBlob}`],
  ["noise in base64", `jAAJ!BAp2MTQwRGV2aWNlAApTbWFydFBob25l`],
  ["white space in base64", `jAAJ%20BAp2MTQwRGV2aWNlAApTbWFydFBob25l`],
  ["bits in base64 that nobody uses", blob.replace("AQE=", "AQF=")],
  ["padding that is not needed", `${asciiBlob}=`],
  ["a blob that ends early", asciiBlob.slice(0, -4)],
  ["bytes behind the blob", Buffer.concat([Buffer.from(asciiBlob, "base64"), Buffer.of(9)]).toString("base64")],
  [
    "an unknown version",
    Buffer.concat([Buffer.of(25), Buffer.from(asciiBlob, "base64").subarray(1)]).toString("base64"),
  ],
  ["a device id without a byte", Buffer.of(140, 0, 9, 4, 0, 0, 1, 65).toString("base64")],
  ["a policy key of two bytes", Buffer.of(140, 0, 9, 4, 1, 65, 2, 1, 2, 0).toString("base64")],
  ["two users in a blob", Buffer.of(140, 0, 9, 4, 1, 65, 0, 0, 8, 1, 97, 8, 1, 98).toString("base64")],
];

suite("a query that can be read in two ways is refused", () => {
  for (const [attack, query] of refused) {
    test(attack, () => {
      assert.throws(
        () => parseQuery(query, none),
        (error) => error instanceof Refusal && error.code === "identity-ambiguous" && error.httpStatus === 400,
      );
    });
  }
  test("a version in the query and another in the header", () => {
    assert.throws(() => parseQuery(asciiBlob, new Map([["ms-asprotocolversion", "2.5"]])), Refusal);
    assert.equal(parseQuery(asciiBlob, new Map([["ms-asprotocolversion", "14.0"]])).version, "14.0");
  });
});

test("as many parameters as the limit are read, and one more is refused", () => {
  const more = (count: number): string => Array.from({ length: count }, (_, index) => `x${index}=1`).join("&");
  assert.doesNotThrow(() => parseQuery(`${good}&${more(PARAMETER_LIMIT - 4)}`, none));
  assert.throws(() => parseQuery(`${good}&${more(PARAMETER_LIMIT - 3)}`, none), Refusal);
});

test("what goes upstream is spelled by the gate", () => {
  const { canonical } = parseQuery(
    "user=CORP%5Calice&CMD=Sync&%44=".slice(0, 26) + "&deviceid=abc123&Extra=1&collectionid=mail%252F1:2",
    none,
  );
  assert.equal(canonical, "User=CORP%5Calice&Cmd=Sync&DeviceId=abc123&CollectionId=mail%252F1:2");
});

test("both forms of a query name the same device", () => {
  const hex = "6030EA38351221CA635E954E99EE31D3";
  assert.deepEqual(parseQuery(blob, none).deviceIds, [hex]);
  assert.deepEqual(parseQuery(`Cmd=Sync&DeviceId=${hex.toLowerCase()}`, none).deviceIds, [hex]);
});

test("an id of letters and digits is known in both spellings, whichever one comes", () => {
  assert.deepEqual(parseQuery(asciiBlob, none).deviceIds, ["V140DEVICE", "76313430446576696365"]);
  assert.deepEqual(parseQuery("Cmd=Sync&DeviceId=76313430446576696365", none).deviceIds, [
    "76313430446576696365",
    "V140DEVICE",
  ]);
});

test("a base64 query is read with missing padding and with the alphabet of URLs, and goes upstream in one spelling", () => {
  const bytes = Buffer.of(141, 0, 9, 4, 3, 65, 66, 67, 0, 2, 0x3f, 0x3e, 8, 3, 0x61, 0x6c, 0x69);
  const canonical = bytes.toString("base64");
  for (const spelling of [
    canonical,
    canonical.replace(/=+$/, ""),
    bytes.toString("base64url"),
    encodeURIComponent(canonical),
  ]) {
    assert.equal(parseQuery(spelling, none).canonical, canonical);
  }
});

test("a query that is accepted is accepted again in the spelling that goes upstream, and means the same", () => {
  const word = fc.constantFrom("Cmd", "cmd", "User", "DeviceId", "DEVICEID", "DeviceType", "x", "CollectionId");
  const value = fc.oneof(
    fc.constantFrom("Sync", "ABC1", "alice", "5%3A9", "a+b", "%41", "%c3%bc", ""),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(word, value), { maxLength: 6 }), (pairs) => {
      const query = ["Cmd=Sync", "DeviceId=ABC1", ...pairs.map(([name, text]) => `${name}=${text}`)].join("&");
      try {
        const first = parseQuery(query, none);
        const second = parseQuery(first.canonical, none);
        assert.deepEqual(second, { ...first, canonical: first.canonical });
      } catch (error) {
        assert.ok(error instanceof Refusal);
      }
    }),
    { numRuns: 10_000 },
  );
});
