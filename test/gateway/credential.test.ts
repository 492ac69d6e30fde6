import assert from "node:assert/strict";
import { suite, test } from "node:test";
import jsonwebtoken from "jsonwebtoken";
import { parseCredential } from "../../src/gateway/credential.ts";
import { Refusal } from "../../src/gateway/errors.ts";

const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString("base64")}`;
const bearer = (claims: object): string => `Bearer ${jsonwebtoken.sign(claims, "only the mail server knows it")}`;

suite("the person of a credential", () => {
  const rows: readonly (readonly [
    title: string,
    authorization: string | undefined,
    account: string | undefined,
    domain?: string,
  ])[] = [
    ["nobody, where there is none", undefined, undefined],
    ["an account", basic("Alice:secret"), "alice"],
    ["an account of a Windows domain", basic("CORP\\alice:secret"), "alice"],
    ["an address", basic("alice@Corp.example:secret"), "alice", "corp.example"],
    ["a password with colons and bytes that are no text", basic(Buffer.from([0x61, 0x3a, 0x3a, 0xff])), "a"],
    ["a name outside ASCII", basic("müller:x"), "müller"],
    [
      "the principal of a token",
      bearer({ upn: "alice@corp.example", email: "other@corp.example" }),
      "alice",
      "corp.example",
    ],
    ["the preferred name of a token", bearer({ preferred_username: "alice" }), "alice"],
    ["nobody, in a token without names", bearer({ sub: "4711" }), undefined],
    ["nobody, in a token that cannot be read", "Bearer opaque-token", undefined],
    ["nobody, in a token of three parts of noise", "Bearer a.b.c", undefined],
    ["nobody, where the connection is logged in", "Negotiate YII=", undefined],
    ["nobody, in a scheme that we do not know", 'Digest username="alice"', undefined],
  ];
  for (const [title, authorization, account, domain] of rows) {
    test(title, () => {
      const { person } = parseCredential(authorization);
      assert.deepEqual(person, account === undefined ? undefined : { account, domain });
    });
  }
});

suite("a credential that two servers could read as two persons is refused", () => {
  const rows: readonly (readonly [attack: string, authorization: string])[] = [
    ["two at signs", basic("a@evil@corp:x")],
    ["two backslashes", basic("A\\B\\c:x")],
    ["fullwidth letters", basic("ａlice:x")],
    ["a control character", basic("alice\u0000:x")],
    ["a newline", basic("alice\nbob:x")],
    ["a name that is no UTF-8", basic(Buffer.from([0xff, 0x3a, 0x78]))],
    ["a byte order mark", basic("\ufeffalice:x")],
    ["no colon", basic("alice")],
    ["an empty name", basic(":x")],
    ["base64 with noise", "Basic YWxp!Y2U6eA=="],
    ["base64 without padding", "Basic YWxpY2U6eA"],
    ["base64 in the alphabet of URLs", `Basic ${Buffer.from("al?>:??>").toString("base64url")}`],
    ["two tokens", `${basic("alice:x")} ${basic("bob:x")}`],
    ["two schemes in one line", `${basic("alice:x")}, Bearer y`],
    ["nothing after the scheme", "Basic"],
    ["a name in a token outside the grammar", bearer({ upn: "a@b@c" })],
  ];
  for (const [attack, authorization] of rows) {
    test(attack, () => {
      assert.throws(
        () => parseCredential(authorization),
        (error) => error instanceof Refusal && error.code === "identity-ambiguous",
      );
    });
  }
});
