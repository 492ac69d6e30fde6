import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { readAutodiscover } from "../../src/autodiscover/query.ts";
import type { RefusalCode } from "../../src/gateway/errors.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import { parseTarget } from "../../src/gateway/target.ts";
import { aMailRequest, withHeaders } from "../support/mail-request.ts";

const json = "/autodiscover/autodiscover.json";
const xml = "/autodiscover/autodiscover.xml";

suite("a question that clients really ask goes upstream in one spelling", () => {
  const rows: readonly (readonly [method: string, path: string, query: string | undefined, expected: string])[] = [
    ["POST", xml, undefined, "pox ?"],
    ["POST", "/autodiscover/Autodiscover.XML", undefined, "pox ?"],
    ["GET", xml, "", "pox ?"],
    [
      "GET",
      json,
      "Email=alice@corp.example&Protocol=ActiveSync",
      "json ?Email=alice%40corp.example&Protocol=ActiveSync",
    ],
    ["GET", json, "Email=alice%40corp.example&RedirectCount=1", "json ?Email=alice%40corp.example&RedirectCount=1"],
    ["GET", json, "email=a+b@corp.example", "json ?email=a%2Bb%40corp.example"],
    ["GET", json, "Protocol=Ews", "json ?Protocol=Ews"],
    [
      "GET",
      `${json}/v1.0/alice@corp.example`,
      "Protocol=ActiveSync&RedirectCount=2",
      "json ?Protocol=ActiveSync&RedirectCount=2",
    ],
    ["GET", `${json}/V1.0/alice%40corp.example`, undefined, "json ?"],
    ["GET", `${json}/v1.0/Alice@corp.example`, "Email=alice@corp.example", "json ?Email=alice%40corp.example"],
  ];
  for (const [method, path, query, expected] of rows) {
    test(`${method} ${path}?${query ?? ""}`, () => {
      const { command, forwardQuery } = readAutodiscover(aMailRequest({ method, path, query }));
      assert.equal(`${command} ?${forwardQuery ?? ""}`, expected);
    });
  }
});

suite("a question by which Exchange was led to its back end is refused", () => {
  const rows: readonly (readonly [path: string, query: string | undefined])[] = [
    [json, "@evil.example/mapi/nspi/?&Email=autodiscover/autodiscover.json%3f@evil.example"],
    [json, "@evil.example/owa/?&Email=autodiscover/autodiscover.json%3F@evil.example"],
    [json, "@foo/powershell"],
    [json, "a=~1337@evil.example/ecp/x"],
    [json, "a@foo.var/owa/&Email=autodiscover/autodiscover.json?a@foo.var&Protocol=XYZ&FooProtocol=Powershell"],
    [json, "Email=autodiscover/autodiscover.json%3f@evil.example"],
    [json, "Email=autodiscover/autodiscover.json%253f@evil.example"],
    [json, "Email=a@b@evil.example"],
    [json, "Email=%2Fmapi@evil.example"],
    [json, "Email=corp%5Calice@corp.example"],
    [json, "Email=alice@corp.example&Email=autodiscover"],
    [json, "Email=alice@corp.example&email=bob@corp.example"],
    [json, "Emai%6c=alice@corp.example"],
    [json, "Email[]=alice@corp.example"],
    [json, "Email=alice"],
    [json, "Email="],
    [json, "Email=%ff@corp.example"],
    [json, "Email=%EF%BC%A0corp.example"],
    [json, "Protocol=powershell/?X-Rps-CAT"],
    [json, "Protocol=a%26Email=x"],
    [json, "X-Rps-CAT=%40"],
    [json, "a;Email=alice@corp.example"],
    [json, "a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9"],
    [json, "&Email=alice@corp.example"],
    [xml, "Email=alice@corp.example"],
    [xml, "@evil.example"],
    [`${json}/@evil.example/mapi`, undefined],
    [`${json}@evil.example/mapi`, undefined],
    [`${xml}/alice@corp.example`, undefined],
    [`${json}/v1.0/alice@corp.example/powershell`, undefined],
    [`${json}/v1.0/powershell`, undefined],
    [`${json}/v1.0/alice@corp.example`, "Email=bob@corp.example"],
    ["/autodiscover/x%40y", undefined],
  ];
  for (const [path, query] of rows) {
    test(`${path}?${query ?? ""}`, () => assert.throws(() => read({ path, query }), code("target-ambiguous")));
  }

  test("a cookie named Email, which Exchange reads as well", () => {
    for (const cookie of ["Email=autodiscover/autodiscover.json?a=b@c", "a=b; email =x", "a=b,EMAIL=x"]) {
      assert.throws(() => read({ path: json, ...withHeaders({ cookie }) }), code("target-ambiguous"));
    }
    assert.equal(read({ path: json, ...withHeaders({ cookie: "LastEmail=x; a=Email" }) }).command, "json");
  });

  test("what is no resource of Autodiscover is not there", () => {
    for (const path of [
      "/autodiscover",
      "/autodiscover/",
      "/autodiscover/autodiscover.svc",
      `${xml}/`,
      `${json}/v2.0/x`,
    ]) {
      assert.throws(() => read({ path }), code("not-routed"));
    }
  });

  test("JSON is only asked for", () => {
    assert.throws(() => read({ path: json, method: "POST" }), code("method-not-allowed"));
  });

  test("whatever goes upstream has an @ in no spelling but in an address", () => {
    const piece = fc.constantFrom(
      "@",
      "%40",
      "Email",
      "=",
      "&",
      "/",
      "?",
      "%3f",
      "%2f",
      "a",
      "autodiscover.json",
      "corp.example",
      ";",
      "%25",
      "+",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const raw = `${json}?${pieces.join("")}`;
        let forwarded: string | undefined;
        try {
          forwarded = read({ path: json, query: parseTarget(raw).query }).forwardQuery;
        } catch (error) {
          assert.ok(error instanceof Refusal);
          return;
        }
        assert.match(forwarded ?? "", /^(?:[A-Za-z][\w-]*(?:=(?:[\w.~-]|%2B)*(?:%40[a-z0-9.-]+)?)?(?:&|$))*$/);
        assert.equal(read({ path: json, query: forwarded }).forwardQuery, forwarded);
      }),
      { numRuns: 2000 },
    );
  });
});

function read(parts: Parameters<typeof aMailRequest>[0]): ReturnType<typeof readAutodiscover> {
  return readAutodiscover(aMailRequest(parts));
}

function code(expected: RefusalCode): (error: unknown) => boolean {
  return (error) => error instanceof Refusal && error.code === expected;
}
