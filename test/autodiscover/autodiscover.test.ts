import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { suite, test } from "node:test";
import { createAutodiscoverProtocol } from "../../src/autodiscover/autodiscover.ts";
import { Refusal, UpstreamFailure } from "../../src/gateway/errors.ts";
import type { UpstreamAnswer } from "../../src/gateway/protocol.ts";
import { aMailRequest, anAnswer, answerOf, aRemediation, withHeaders } from "../support/mail-request.ts";

const upstreamOrigins = ["http://mail.internal"];
const protocol = createAutodiscoverProtocol({ upstreamOrigins });
const question = aMailRequest({
  path: "/autodiscover/autodiscover.json",
  query: "Email=alice@corp.example&Protocol=ActiveSync",
  ...withHeaders({ host: "gate.example:8443" }),
});
const asXml = aMailRequest({
  ...question,
  method: "POST",
  path: "/autodiscover/autodiscover.xml",
  query: undefined,
  hasBody: true,
});
const json = { "content-type": "application/json" };

suite("Autodiscover answers with the name of the gate", () => {
  test("nobody asks, and nothing waits", () => {
    const { subject, command, forwardQuery, mayPark } = protocol.identify(question);
    assert.deepEqual(
      { subject, command, forwardQuery, mayPark },
      {
        subject: { kind: "nobody" },
        command: "json",
        forwardQuery: "Email=alice%40corp.example&Protocol=ActiveSync",
        mayPark: false,
      },
    );
  });

  test("the host is the one that the client called, unless another one is configured", () => {
    const answer = anAnswer({ headers: json, body: `{"Url":"https://mail.internal/EWS"}` });
    assert.equal(textOf(rewriteOf(answer)), `{"Url":"https://gate.example:8443/EWS"}`);
    const configured = createAutodiscoverProtocol({ upstreamOrigins, publicUrl: "http://localhost:8080/" });
    assert.equal(
      textOf(configured.identify(question).rewrite?.(answer, question)),
      `{"Url":"http://localhost:8080/EWS"}`,
    );
  });

  test("without a host there is nothing to name", () => {
    for (const host of [undefined, "", "a b", "a/b", "x@evil.example", "a?b", "a#b"]) {
      const headers = new Map(host === undefined ? [] : [["host", host]]);
      assert.throws(() => protocol.identify({ ...question, headers }), Refusal, host);
    }
  });

  test("what described the body before is gone, and the type is the one that was asked for", () => {
    const before = anAnswer({
      headers: {
        "content-type": "text/plain",
        "content-length": "99",
        etag: `"x"`,
        "set-cookie": "a=b",
        "x-feserver": "MBX01",
      },
      body: `{"Url":"https://mail.internal/Microsoft-Server-ActiveSync"}`,
    });
    const { headers } = rewriteOf(before);
    assert.deepEqual([...headers.keys()].toSorted(), ["content-type", "set-cookie", "x-feserver"]);
    assert.deepEqual(headers.get("content-type"), ["application/json; charset=utf-8"]);
  });

  const redirects: readonly (readonly [from: string, to: string | undefined])[] = [
    ["https://mail.internal/autodiscover/autodiscover.xml", "https://gate.example:8443/autodiscover/autodiscover.xml"],
    ["//mbx02/autodiscover/autodiscover.xml", "https://gate.example:8443/autodiscover/autodiscover.xml"],
    ["/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.xml"],
    ["https://autodiscover.elsewhere.example/a", "https://autodiscover.elsewhere.example/a"],
    ["https://elsewhere.example/Microsoft-Server-ActiveSync", "https://gate.example:8443/Microsoft-Server-ActiveSync"],
    ["https://mail.internal/\tx", undefined],
  ];
  for (const [from, to] of redirects) {
    test(`a redirect to ${JSON.stringify(from)}`, () => {
      const { headers, body } = rewriteOf(
        anAnswer({ httpStatus: 302, headers: { location: from }, body: `<a href="${from}">` }),
      );
      assert.deepEqual(headers.get("location"), to === undefined ? undefined : [to]);
      assert.equal(body.byteLength, 0);
    });
  }

  test("an error page of the mail server stays behind, its demand for a password does not", () => {
    const challenge = anAnswer({
      httpStatus: 401,
      headers: { "content-type": "text/html", "www-authenticate": `Basic realm="mail"` },
      body: "<!DOCTYPE html><p>mail.internal IIS/10.0",
    });
    const { httpStatus, headers, body } = rewriteOf(challenge);
    assert.deepEqual([httpStatus, [...headers.keys()], body.byteLength], [401, ["www-authenticate"], 0]);
  });

  test("an error in JSON is for the client", () => {
    const error = anAnswer({ httpStatus: 400, headers: json, body: `{"ErrorCode":"InvalidUserId"}` });
    assert.equal(textOf(rewriteOf(error)), `{"ErrorCode":"InvalidUserId"}`);
  });

  const refused: readonly (readonly [title: string, answer: UpstreamAnswer])[] = [
    ["compressed", anAnswer({ headers: { ...json, "content-encoding": "gzip" }, body: gzipSync("{}") })],
    ["no UTF-8", anAnswer({ headers: json, body: new Uint8Array([0x7b, 0xff, 0x7d]) })],
    ["UTF-16", anAnswer({ headers: json, body: Buffer.from("\ufeff{}", "utf16le") })],
    ["a page instead of JSON", anAnswer({ headers: json, body: "<html></html>" })],
  ];
  for (const [title, answer] of refused) {
    test(`an answer that cannot be read reaches nobody: ${title}`, () => {
      assert.throws(
        () => rewriteOf(answer),
        (error) => error instanceof UpstreamFailure && error.code === "upstream-answer-refused",
      );
    });
  }

  test("where it is asked to answer itself, it asks upstream and rewrites", async () => {
    const reply = await protocol.identify(asXml).remediate(
      aRemediation(asXml, {
        readBody: () => Promise.resolve(Buffer.from("<question/>")),
        exchange: (body) => {
          assert.equal(Buffer.from(body ?? "").toString(), "<question/>");
          return Promise.resolve(anAnswer({ body: "<a><Url>https://mail.internal/x</Url></a>" }));
        },
      }),
    );
    const { httpStatus, headers, text } = answerOf(reply);
    assert.deepEqual([httpStatus, headers.get("content-type")], [200, "text/xml; charset=utf-8"]);
    assert.match(text, /<Url>https:\/\/gate\.example:8443\/x<\/Url>/);
  });
});

function rewriteOf(answer: UpstreamAnswer): UpstreamAnswer {
  const rewritten = protocol.identify(question).rewrite?.(answer, question);
  assert.ok(rewritten !== undefined);
  return rewritten;
}

function textOf(answer: UpstreamAnswer | undefined): string {
  return Buffer.from(answer?.body ?? "").toString();
}
