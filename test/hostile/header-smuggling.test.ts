/** Headers that one program reads and the next one does not, or that speak for somebody else. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Refusal } from "../../src/gateway/errors.ts";
import { HEADER_LINES_LIMIT, parseHead, USER_AGENT_LIMIT_BYTES } from "../../src/gateway/head.ts";

const host = ["Host", "mail.example"];

const refused: readonly (readonly [attack: string, lines: readonly string[], method?: string])[] = [
  ["two hosts", ["Host", "mail.example", "host", "evil.example"]],
  ["no host", []],
  ["a host that is a URL", ["Host", "http://mail.example"]],
  ["a host with a path", ["Host", "mail.example/x"]],
  ["a host with a user", ["Host", "x@mail.example"]],
  ["two credentials", [...host, "Authorization", "Basic YTpi", "authorization", "Basic YzpkYw=="]],
  ["two lengths", [...host, "Content-Length", "5", "Content-Length", "5"]],
  ["a length and a coding", [...host, "Content-Length", "5", "Transfer-Encoding", "chunked"]],
  ["a coding that is not chunked", [...host, "Transfer-Encoding", "gzip, chunked"]],
  ["a coding with a twist", [...host, "Transfer-Encoding", "xchunked"]],
  ["a length that is no number", [...host, "Content-Length", "+5"]],
  ["an underscore in a name", [...host, "X_Forwarded_User", "alice"]],
  ["a dot in a name", [...host, "X.Forwarded.User", "alice"]],
  ["an empty name", [...host, "", "x"]],
  ["a space before the colon", [...host, "Content-Length ", "5"]],
  ["a connection that names a header of a proxy", [...host, "Connection", "close, X-Forwarded-For"]],
  ["a connection that names the credential", [...host, "Connection", "Authorization"]],
  ["two protocol versions", [...host, "MS-ASProtocolVersion", "14.1", "MS-ASProtocolVersion", "2.5"]],
  ["two agents", [...host, "User-Agent", "a", "User-Agent", "b"]],
];

suite("a head that can be read in two ways is refused", () => {
  for (const [attack, lines] of refused) {
    test(attack, () => assert.throws(() => parseHead("POST", lines), Refusal));
  }
  test("an expectation that is not answered here", () => {
    assert.throws(
      () => parseHead("POST", [...host, "Expect", "200-maybe"]),
      (error) => error instanceof Refusal && error.httpStatus === 417,
    );
  });
  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    test(`a body on ${method}`, () => {
      assert.throws(() => parseHead(method, [...host, "Content-Length", "1"]), Refusal);
      assert.throws(() => parseHead(method, [...host, "Transfer-Encoding", "chunked"]), Refusal);
      assert.equal(parseHead(method, [...host, "Content-Length", "0"]).hasBody, false);
    });
  }
});

const dropped = [
  "X-Original-URL",
  "X-Rewrite-URL",
  "X-HTTP-Method-Override",
  "X-Forwarded-Host",
  "X-Forwarded-User",
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "Forwarded",
  "X-Real-IP",
  "X-Remote-User",
  "X-WebObjects-Remote-User",
  "X-CommonAccessToken",
  "X-Postern-Verdict",
  "Connection",
  "Keep-Alive",
  "Proxy-Authorization",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Expect",
];

suite("a header by which proxies speak to servers does not go upstream", () => {
  for (const name of dropped) {
    test(name, () => {
      const value =
        name === "Connection"
          ? "close"
          : name === "Transfer-Encoding"
            ? "chunked"
            : name === "Expect"
              ? "100-continue"
              : "x";
      const { headers } = parseHead("POST", [...host, name, value]);
      assert.equal(headers.has(name.toLowerCase()), false);
    });
  }
});

test("as many header lines as the limit are read, and one more is refused", () => {
  const lines = (count: number): string[] => [
    ...host,
    ...Array.from({ length: count - 1 }, (_, index) => [`x-line-${index}`, "x"]).flat(),
  ];
  assert.equal(parseHead("GET", lines(HEADER_LINES_LIMIT)).headers.size, HEADER_LINES_LIMIT);
  assert.throws(
    () => parseHead("GET", lines(HEADER_LINES_LIMIT + 1)),
    (error) => error instanceof Refusal && error.httpStatus === 431,
  );
});

test("an agent as long as the limit is read, and one byte more is refused", () => {
  assert.doesNotThrow(() => parseHead("GET", [...host, "User-Agent", "a".repeat(USER_AGENT_LIMIT_BYTES)]));
  assert.throws(() => parseHead("GET", [...host, "User-Agent", "a".repeat(USER_AGENT_LIMIT_BYTES + 1)]), Refusal);
});

test("a header with the name of a property of objects is a header like any other", () => {
  const { headers } = parseHead("GET", [...host, "constructor", "x"]);
  assert.equal(headers.get("constructor"), "x");
  assert.throws(() => parseHead("GET", [...host, "__proto__", "x"]), Refusal);
});
