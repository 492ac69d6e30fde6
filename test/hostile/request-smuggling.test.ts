/** Bytes on the wire that make one request for the gate and two for a server, or none for the gate and one for a server. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import { aServer, exchangeBytes } from "../support/http.ts";

const authorization = `Authorization: Basic ${Buffer.from("alice:alice-Pw-1").toString("base64")}`;
const goodTarget = "/Microsoft-Server-ActiveSync?Cmd=Ping&User=alice&DeviceId=GOOD1&DeviceType=iPhone";
const badTarget = "/Microsoft-Server-ActiveSync?Cmd=Sync&User=alice&DeviceId=BAD1&DeviceType=iPhone";

/** The shortest document that a phone may send there. */
const aPing = "\u0003\u0001\u006a\u0000\u0000\u000d\u0005";

function head(target: string, ...lines: string[]): string {
  return [`POST ${target} HTTP/1.1`, "Host: mail.example", authorization, ...lines, "", ""].join("\r\n");
}

const attacks: readonly (readonly [attack: string, bytes: string])[] = [
  [
    "a length against a coding",
    `${head(goodTarget, "Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n${head(badTarget)}`,
  ],
  ["two lengths", `${head(goodTarget, "Content-Length: 0", "Content-Length: 40")}${head(badTarget)}`],
  ["two lengths in one line", `${head(goodTarget, "Content-Length: 0, 40")}${head(badTarget)}`],
  ["a coding behind a space", `${head(goodTarget, "Transfer-Encoding : chunked")}0\r\n\r\n${head(badTarget)}`],
  [
    "a coding in a folded line",
    `${head(goodTarget, "Transfer-Encoding:\r\n chunked", "Content-Length: 5")}0\r\n\r\n${head(badTarget)}`,
  ],
  [
    "a coding that is none",
    `${head(goodTarget, "Transfer-Encoding: xchunked", "Content-Length: 0")}${head(badTarget)}`,
  ],
  [
    "two codings",
    `${head(goodTarget, "Transfer-Encoding: chunked", "Transfer-Encoding: identity")}0\r\n\r\n${head(badTarget)}`,
  ],
  ["a coding with a tab", `${head(goodTarget, "Transfer-Encoding:\tchunked\u000b")}0\r\n\r\n${head(badTarget)}`],
  ["a length with a sign", `${head(goodTarget, "Content-Length: +0")}${head(badTarget)}`],
  ["a length in hexadecimal", `${head(goodTarget, "Content-Length: 0x0")}${head(badTarget)}`],
  ["lines that end in LF alone", head(goodTarget, "Content-Length: 0").replaceAll("\r\n", "\n")],
  ["a carriage return in a header", head(goodTarget, "X-Note: a\rTransfer-Encoding: chunked", "Content-Length: 0")],
  ["a NUL in a header", head(goodTarget, "X-Note: a\u0000b", "Content-Length: 0")],
  [
    "a chunk size that overflows",
    `${head(goodTarget, "Transfer-Encoding: chunked")}FFFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n`,
  ],
  ["a chunk size with a sign", `${head(goodTarget, "Transfer-Encoding: chunked")}-1\r\nx\r\n0\r\n\r\n`],
  ["a chunk without its line end", `${head(goodTarget, "Transfer-Encoding: chunked")}1\r\nxx0\r\n\r\n`],
  [
    "a body on OPTIONS",
    `OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: mail.example\r\n${authorization}\r\nContent-Length: ${head(badTarget).length}\r\n\r\n${head(badTarget)}`,
  ],
  ["another host in the target", head("http://elsewhere.example/Microsoft-Server-ActiveSync?Cmd=Ping&DeviceId=GOOD1")],
  [
    "two hosts",
    `POST ${goodTarget} HTTP/1.1\r\nHost: mail.example\r\nHost: internal.example\r\nContent-Length: 0\r\n\r\n`,
  ],
  ["no host", `POST ${goodTarget} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`],
  ["a tunnel", "CONNECT mail.internal:443 HTTP/1.1\r\nHost: mail.internal:443\r\n\r\n"],
  [
    "HTTP/2 in clear text by upgrade",
    head(
      goodTarget,
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
      "Content-Length: 0",
    ),
  ],
  ["HTTP/2 in clear text by knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["an unknown method", `TRACE ${goodTarget} HTTP/1.1\r\nHost: mail.example\r\n\r\n`],
  ["a method of WebDAV", `PROPFIND /mail/ HTTP/1.1\r\nHost: mail.example\r\nContent-Length: 0\r\n\r\n`],
  ["a version of HTTP without a host", `POST ${goodTarget} HTTP/0.9\r\n\r\n`],
];

suite("bytes that two parsers could read in two ways reach no server", () => {
  for (const [attack, bytes] of attacks) {
    test(attack, async (t) => {
      const upstream = await aServer(t, (_req, res) => res.end("mail"));
      const gate = await aGate(t, { upstream: upstream.url });
      await gate.reports("GOOD1", clean);
      const answer = await exchangeBytes(gate.app.mail.port, bytes);
      assert.match(answer, /^HTTP\/1\.1 (400|404|413|417|431|501) /);
      assert.doesNotMatch(answer, /mail$/);
      assert.deepEqual(upstream.seen, []);
    });
  }
});

test("a blocked request behind a good one on the same connection is judged by itself", async (t) => {
  const upstream = await aServer(t, (_req, res) => res.end("mail"));
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("GOOD1", clean);
  await gate.reports("BAD1", withTiktok);
  const bytes = head(goodTarget, "Content-Length: 0") + head(badTarget, "Content-Length: 0");
  const answer = await exchangeBytes(gate.app.mail.port, bytes, /HTTP\/1\.1 [^]*HTTP\/1\.1 [^]*\r\n\r\n/);
  assert.match(answer, /^HTTP\/1\.1 200 OK/);
  assert.deepEqual(
    upstream.seen.filter(({ method }) => method === "POST").map(({ url }) => url),
    [goodTarget],
  );
});

test("a connection is closed after a request that was refused", async (t) => {
  const upstream = await aServer(t, (_req, res) => res.end("mail"));
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("GOOD1", clean);
  const answer = await exchangeBytes(
    gate.app.mail.port,
    head("/unknown", "Content-Length: 0") + head(goodTarget, "Content-Length: 0"),
  );
  assert.match(answer, /^HTTP\/1\.1 404 [^]*Connection: close/i);
  assert.deepEqual(upstream.seen, []);
});

test("an expectation is answered by the gate and does not go upstream", async (t) => {
  const upstream = await aServer(t, (req, res) => {
    req.resume();
    req.on("end", () => res.end("mail"));
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("GOOD1", clean);
  const answer = await exchangeBytes(
    gate.app.mail.port,
    `${head(goodTarget, "Expect: 100-continue", `Content-Length: ${aPing.length}`)}${aPing}`,
    "mail",
  );
  assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  assert.equal(
    upstream.seen[0]?.rawHeaders.some((name) => name.toLowerCase() === "expect"),
    false,
  );
});

suite("trailers of a chunked body go nowhere", () => {
  const mailTarget = goodTarget.replace("Cmd=Ping", "Cmd=SendMail");
  const bodies: readonly (readonly [size: string, target: string, body: string])[] = [
    ["of a few bytes", goodTarget, aPing],
    ["of a mail", mailTarget, "a mail of many lines\r\n".repeat(10_000)],
  ];
  for (const [size, target, body] of bodies) {
    test(size, async (t) => {
      let trailers: NodeJS.Dict<string> | undefined;
      const upstream = await aServer(t, (req, res) => {
        req.resume();
        req.on("end", () => {
          ({ trailers } = req);
          res.end("mail");
        });
      });
      const gate = await aGate(t, { upstream: upstream.url });
      await gate.reports("GOOD1", clean);
      const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
      await exchangeBytes(
        gate.app.mail.port,
        `${head(target, "Transfer-Encoding: chunked")}${chunk}0\r\nX-Forwarded-User: bob\r\n\r\n`,
        "mail",
      );
      assert.ok(trailers !== undefined);
      assert.deepEqual({ ...trailers }, {});
    });
  }
});
