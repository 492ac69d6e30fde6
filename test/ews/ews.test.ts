import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createEwsProtocol } from "../../src/ews/ews.ts";
import { ewsProbe } from "../../src/ews/probe.ts";
import { readSoap } from "../../src/ews/soap.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import type { Remediation, Reply } from "../../src/gateway/protocol.ts";
import { ewsRequest } from "../support/ews-requests.ts";
import { aMailRequest, anAnswer, answerOf, aRemediation, withHeaders } from "../support/mail-request.ts";

const protocol = createEwsProtocol({ allowAgents: ["Crestron-TSW"], organisation: "Example", bodyLimitBytes: 65_536 });
const alice = { account: "alice", domain: undefined };
const request = aMailRequest({
  method: "POST",
  path: "/EWS/Exchange.asmx",
  hasBody: true,
  credential: { scheme: "basic", person: alice, authorization: "Basic x" },
  ...withHeaders({ "user-agent": "okhttp/5.0.0", "content-type": "text/xml; charset=utf-8" }),
});

suite("a request on the EWS route", () => {
  const rows: readonly (readonly [agent: string, program: string])[] = [
    ["MacOutlook/16.78", "laptop"],
    ["Crestron-TSW/3", "listed"],
    ["okhttp/5.0.0", "other"],
  ];
  for (const [agent, program] of rows) {
    test(`of ${agent} is one of a program that looks like "${program}", and of the person who asks`, () => {
      const { subject, command, forwardQuery, mayPark, rewrite, learn, interrupt } = protocol.identify({
        ...request,
        ...withHeaders({ "user-agent": agent }),
      });
      assert.deepEqual(subject, { kind: "mail-program", program, person: alice });
      assert.deepEqual([command, forwardQuery, mayPark], ["soap", undefined, true]);
      assert.deepEqual([rewrite, learn, interrupt], [undefined, undefined, undefined], "what passes is not read");
    });
  }

  test("that is not for the endpoint is refused before anybody is asked", () => {
    assert.throws(() => protocol.identify({ ...request, path: "/EWS/Services.wsdl" }), Refusal);
  });
});

function refused(body: string | Uint8Array, parts: Partial<Remediation> = {}): Promise<Reply> {
  return protocol.identify(request).remediate(
    aRemediation(request, {
      proveCredential: () => Promise.resolve(undefined),
      readBody: () => Promise.resolve(Buffer.from(body)),
      ...parts,
    }),
  );
}

suite("a program that is not let in", () => {
  test("learns it in the answer to what it asked", async () => {
    const { httpStatus, text } = answerOf(await refused(ewsRequest("GetItem").body));
    assert.equal(httpStatus, 200);
    assert.match(text, /<m:GetItemResponseMessage ResponseClass="Error">/);
  });

  test("is asked for its password first, and its body is read to the end", async () => {
    const challenge: Reply = {
      kind: "answer",
      httpStatus: 401,
      headers: [["WWW-Authenticate", "NTLM"]],
      body: undefined,
    };
    let discarded = 0;
    const reply = await refused("", {
      proveCredential: () => Promise.resolve(challenge),
      readBody: () => Promise.reject(new Error("read before it was proven whose it is")),
      discardBody: (limitBytes) => {
        discarded = limitBytes;
        return Promise.resolve();
      },
    });
    assert.equal(reply, challenge);
    assert.ok(discarded > 0);
  });

  test("may send as much as is read of it, and no more", async () => {
    let limit = 0;
    await refused("", {
      readBody: (limitBytes) => {
        limit = limitBytes;
        return Promise.resolve(Buffer.from(ewsRequest("GetItem").body));
      },
    });
    assert.equal(limit, 65_536);
  });

  test("gets no SOAP for bytes that its header calls something else than UTF-8", async () => {
    const contentType = { "user-agent": "okhttp/5.0.0", "content-type": "text/xml; charset=utf-7" };
    const reply = protocol.identify({ ...request, ...withHeaders(contentType) }).remediate(
      aRemediation(
        { ...request, ...withHeaders(contentType) },
        {
          proveCredential: () => Promise.resolve(undefined),
          readBody: () => Promise.resolve(Buffer.from(ewsRequest("GetItem").body)),
        },
      ),
    );
    await assert.rejects(reply, (error) => error instanceof Refusal && error.code === "body-unreadable");
  });

  test("gets no SOAP for what is none", async () => {
    await assert.rejects(
      refused("<!DOCTYPE x><x/>"),
      (error) => error instanceof Refusal && error.code === "body-unreadable" && error.httpStatus === 400,
    );
  });
});

suite("the question by which a credential is proven", () => {
  test("asks for the id of a folder, and for nothing that is in it", () => {
    const text = Buffer.from(ewsProbe.body).toString();
    assert.deepEqual(readSoap(ewsProbe.body), {
      operation: "GetFolder",
      serverVersion: { name: "Exchange2007_SP1", major: 8, minor: 1 },
      mailboxes: 0,
    });
    assert.match(text, /<t:BaseShape>IdOnly<\/t:BaseShape>/);
    assert.equal(
      ewsProbe.headers.get("soapaction"),
      '"http://schemas.microsoft.com/exchange/services/2006/messages/GetFolder"',
    );
  });

  const found = ewsRequest("GetFolder").body.replaceAll("GetFolder", "GetFolderResponse");
  const rows: readonly (readonly [title: string, proves: boolean, httpStatus: number, body: string])[] = [
    ["a folder", true, 200, found],
    [
      "a refusal of the operation, which only somebody known gets",
      true,
      200,
      found.replace("<m:FolderShape>", '<m:ResponseMessages x="Error"/><m:FolderShape>'),
    ],
    ["the same with another status", false, 201, found],
    ["a fault", false, 500, found],
    ["a page to sign in on", false, 200, "<!doctype html><html><form>"],
    ["nothing", false, 200, ""],
    ["another answer", false, 200, found.replaceAll("GetFolderResponse", "GetItemResponse")],
    ["a demand for a password", false, 401, ""],
    ["a redirect to a page", false, 302, ""],
  ];
  for (const [title, proves, httpStatus, body] of rows) {
    test(`${title} ${proves ? "proves it" : "proves nothing"}`, () => {
      assert.equal(ewsProbe.proves(anAnswer({ httpStatus, body })), proves);
    });
  }
});
