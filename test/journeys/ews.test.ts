/** Mail programs on EWS: a Mac's passes untouched, a phone's is refused in the words of its own protocol. */
import assert from "node:assert/strict";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { eventually } from "../support/eventually.ts";
import { asOutlookForMac, ewsRequest, ewsRequests } from "../support/ews-requests.ts";
import { alice, anEwsServer, ntlm, secret } from "../support/ews-server.ts";
import type { EwsServer } from "../support/ews-server.ts";
import { aGate } from "../support/gate.ts";
import type { GateOptions } from "../support/gate.ts";
import { ask } from "../support/http.ts";
import type { Answer } from "../support/http.ts";
import { only, parseXml } from "../support/soap-checker.ts";

const macAgent = "MacOutlook/16.102.25101223 (Arm64 Mac OS X Version 26.1 (Build 25B78))";
const phoneAgent = "iOS/18.6 (22G86) exchangesyncd/1.0";
const getItem = ewsRequest("GetItem").body;

interface Stage {
  readonly server: EwsServer;
  readonly url: string;
  readonly send: (agent: string, body: string | Buffer, wish?: Wish) => Promise<Answer>;
}

interface Wish {
  readonly headers?: Readonly<Record<string, string>>;
  readonly without?: readonly string[];
  readonly connection?: http.Agent;
}

async function aStage(t: TestContext, options: Pick<GateOptions, "config" | "env" | "logFile"> = {}): Promise<Stage> {
  const server = await anEwsServer(t);
  const routes = "  - { path: /EWS, protocol: ews }";
  const gate = await aGate(t, { upstream: server.url, routes, ...options });
  const url = `${gate.url}/EWS/Exchange.asmx`;
  return {
    server,
    url,
    send: (agent, body, { without = [], headers = {}, connection } = {}) => {
      const kept = Object.entries({ ...headersOf(agent), ...headers }).filter(([name]) => !without.includes(name));
      return ask(url, { method: "POST", body, headers: Object.fromEntries(kept), agent: connection });
    },
  };
}

function headersOf(agent: string): Record<string, string> {
  return { "User-Agent": agent, Authorization: alice, "Content-Type": "text/xml; charset=utf-8" };
}

/** What the server was asked for, as far as it asks for mail: the gate's own question about a credential does not. */
function asked({ journal }: EwsServer): string[] {
  return journal.map((entry) => entry.body()).filter((body) => !body.includes('Id="msgfolderroot"'));
}

function assertRefused(answer: Answer, operation: string): void {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["content-type"], "text/xml; charset=utf-8");
  const message = only(parseXml(answer.body), "Body", `${operation}Response`, "ResponseMessages", "*");
  assert.equal(message.name.endsWith(`}${operation}ResponseMessage`), true);
  assert.equal(message.attributes.get("ResponseClass"), "Error");
  assert.equal(only(message, "ResponseCode").text, "ErrorAccessDenied");
  assert.match(only(message, "MessageText").text, /^Example Ltd does not show mail in this program\./);
  assert.equal(answer.body.includes(secret), false);
}

suite("a mail program on a Mac", () => {
  test("is served by the mail server, and each byte of either goes through as it came", async (t) => {
    const { server, send } = await aStage(t);
    const answer = await send(macAgent, getItem);
    assert.equal(answer.status, 200);
    assert.match(answer.body.toString(), new RegExp(secret));
    assert.deepEqual(asked(server), [getItem]);
    assert.equal(server.journal.length, 1, "nobody asks about its password but the server itself");
    assert.equal(server.journal[0]?.headers["user-agent"], macAgent);
  });

  test("may send it packed, and it is not unpacked on the way", async (t) => {
    const { server, send } = await aStage(t);
    const headers = { "Content-Encoding": "gzip" };
    await send(macAgent, gzipSync(getItem), { headers });
    assert.equal(server.journal[0]?.headers["content-encoding"], "gzip");
    assert.equal(server.journal[0]?.headers["content-length"], String(gzipSync(getItem).byteLength));
  });

  test("may ask first whether its message is wanted, as programs of .NET do", async (t) => {
    const { server, send } = await aStage(t);
    assert.equal((await send(macAgent, getItem, { headers: { Expect: "100-continue" } })).status, 200);
    assert.deepEqual(asked(server), [getItem]);
  });

  test("sends a message of any size, of which the server has the beginning before the end is written", async (t) => {
    const { server, url } = await aStage(t);
    const chunk = "QUJD".repeat(16_384);
    const chunks = 512;
    const [head = "", tail = ""] = ewsRequest("CreateItem").body.split("U3ViamVjdDogeA0KDQp5DQo=");
    const request = http.request(url, { method: "POST", headers: headersOf(macAgent) });
    const answered = answerTo(request);
    request.write(head);
    for (let sent = 0; sent < chunks; sent += 1) {
      if (!request.write(chunk)) await new Promise((resolve) => request.once("drain", resolve));
    }
    await eventually(() => assert.ok((server.journal[0]?.body().length ?? 0) > chunk.length));
    assert.equal(server.journal[0]?.httpStatus(), 0);
    request.end(tail);
    assert.equal((await answered).statusCode, 200);
    assert.equal(server.journal[0]?.body().length, head.length + chunks * chunk.length + tail.length);
  });

  test("hears of new mail as it comes, over an answer that is silent for as long as nothing happens", async (t) => {
    // Far below the silence, so that whatever takes a silent connection for an idle one would cut it.
    const { server, url } = await aStage(t, { env: { POSTERN_UPSTREAM_IDLE_SOCKET_MS: "100" } });
    const request = http.request(url, { method: "POST", headers: headersOf(macAgent) });
    request.end(ewsRequest("GetStreamingEvents").body);
    const answer = await answerTo(request);
    let heard = "";
    answer.setEncoding("utf8").on("data", (text: string) => (heard += text));
    await eventually(() => assert.match(heard, />OK</));
    // The silence itself, beyond every interval at which the gate looks at its connections.
    await setTimeout(2500);
    assert.doesNotMatch(heard, />Closed</);
    assert.equal(answer.destroyed, false);
    server.journal[0]?.finish();
    await new Promise((resolve) => answer.once("end", resolve));
    assert.match(heard, />Closed</);
  });

  test("logs in with NTLM, on a connection to the server that is its own", async (t) => {
    const { send } = await aStage(t);
    const connection = oneConnection(t);
    const step = (Authorization: string) => send(macAgent, getItem, { connection, headers: { Authorization } });
    const begun = await step(ntlm.begin);
    assert.deepEqual([begun.status, begun.headers["www-authenticate"]], [401, ntlm.challenge]);
    assert.match((await step(ntlm.answer)).body.toString(), new RegExp(secret));
    assert.match(
      (await send(macAgent, getItem, { connection, without: ["Authorization"] })).body.toString(),
      new RegExp(secret),
    );
    const stranger = await send(macAgent, getItem, { without: ["Authorization"] });
    assert.equal(stranger.status, 401, "and nobody else is");
  });
});

suite("a mail program on a phone", () => {
  for (const { operation, from, body } of ewsRequests.filter(({ body }) => !body.includes("Request>"))) {
    if (["GetServiceConfiguration"].includes(operation)) continue;
    test(`is refused in the answer to what it asked: ${operation} of ${from}`, async (t) => {
      const { server, send } = await aStage(t);
      assertRefused(await send(phoneAgent, body), operation);
      assert.deepEqual(asked(server), []);
    });
  }

  test("is refused in the version of the protocol that it asked for", async (t) => {
    const { send } = await aStage(t);
    for (const version of ["Exchange2007_SP1", "Exchange2010_SP2", "V2018_01_08"]) {
      const { body } = await send(phoneAgent, getItem.replace("Exchange2013_SP1", version));
      assert.equal(only(parseXml(body), "Header", "ServerVersionInfo").attributes.get("Version"), version);
    }
  });

  test("is refused by a fault where it asks for what nobody knows", async (t) => {
    const { server, send } = await aStage(t);
    const answer = await send(phoneAgent, asOutlookForMac("Exchange2016", "<m:GetReminders/>"));
    assert.equal(answer.status, 500);
    assert.equal(only(parseXml(answer.body), "Body", "Fault", "detail", "ResponseCode").text, "ErrorAccessDenied");
    assert.deepEqual(asked(server), []);
  });

  test("with a wrong password, or none, gets the mail server's own answer, and learns nothing", async (t) => {
    const { server, send } = await aStage(t);
    const wrong = { headers: { Authorization: `Basic ${Buffer.from("alice:guessed").toString("base64")}` } };
    for (const wish of [wrong, { without: ["Authorization"] }]) {
      const answer = await send(phoneAgent, getItem, wish);
      assert.equal(answer.status, 401);
      assert.equal(answer.headers["www-authenticate"], 'Basic realm="ews"');
      assert.doesNotMatch(answer.body.toString(), /ErrorAccessDenied|Example Ltd/);
    }
    assert.deepEqual(asked(server), []);
  });

  test("that logs in with NTLM is refused once it has logged in", async (t) => {
    const { server, send } = await aStage(t);
    const connection = oneConnection(t);
    const step = (Authorization: string) => send(phoneAgent, getItem, { connection, headers: { Authorization } });
    const begun = await step(ntlm.begin);
    assert.deepEqual([begun.status, begun.headers["www-authenticate"]], [401, ntlm.challenge]);
    assertRefused(await step(ntlm.answer), "GetItem");
    assertRefused(await send(phoneAgent, getItem, { connection, without: ["Authorization"] }), "GetItem");
    assert.deepEqual(asked(server), []);
  });

  test("is refused when it packs its request, and a bomb is not unpacked", async (t) => {
    const { server, send } = await aStage(t);
    const headers = { "Content-Encoding": "gzip" };
    assertRefused(await send(phoneAgent, gzipSync(getItem), { headers }), "GetItem");
    const bomb = gzipSync(getItem.replace("<GetItem", `${" ".repeat(64 * 1024 * 1024)}<GetItem`));
    assert.equal((await send(phoneAgent, bomb, { headers })).status, 400);
    assert.equal((await send(phoneAgent, getItem, { headers })).status, 400);
    assert.equal((await send(phoneAgent, getItem, { headers: { "Content-Encoding": "br" } })).status, 415);
    assert.deepEqual(asked(server), []);
  });

  test("that asks for two things at once is refused both", async (t) => {
    const { server, send } = await aStage(t);
    const both = getItem.replace(
      "</soap:Body>",
      `<FindItem xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"/></soap:Body>`,
    );
    assertRefused(await send(phoneAgent, both), "GetItem");
    const contradicting = { SOAPAction: '"http://schemas.microsoft.com/exchange/services/2006/messages/SendItem"' };
    assertRefused(await send(phoneAgent, getItem, { headers: contradicting }), "GetItem");
    assert.deepEqual(asked(server), []);
  });

  const root = "<soap:Envelope";
  const hostile: readonly (readonly [title: string, body: string])[] = [
    ["a DTD", getItem.replace(root, `<!DOCTYPE x>${root}`)],
    ["an entity of a file", getItem.replace(root, `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>${root}`)],
    ["an entity of nobody", getItem.replace("<soap:Header>", "<soap:Header>&f;")],
    [
      "SOAP 1.2",
      getItem.replaceAll("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"),
    ],
    ["no SOAP", "{}"],
    ["nothing", ""],
  ];
  for (const [title, body] of hostile) {
    test(`gets nothing but an error for ${title}`, async (t) => {
      const { server, send } = await aStage(t);
      const answer = await send(phoneAgent, body);
      assert.equal(answer.status, 400);
      assert.equal(answer.body.toString(), "The request cannot be accepted.\n");
      assert.deepEqual(asked(server), []);
    });
  }

  test("gets no file that it wants included", async (t) => {
    const { send } = await aStage(t);
    const include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="file:///etc/passwd"/>';
    const answer = await send(phoneAgent, getItem.replace("<soap:Header>", `<soap:Header>${include}`));
    assertRefused(answer, "GetItem");
    assert.doesNotMatch(answer.body.toString(), /root:/);
  });
});

test("the description of the service is nobody's to fetch, in any way of asking", async (t) => {
  const { server, url } = await aStage(t);
  const base = url.slice(0, url.indexOf("/EWS"));
  for (const method of ["GET", "HEAD", "POST"]) {
    for (const path of ["/EWS/Exchange.asmx?wsdl", "/EWS/Services.wsdl", "/EWS/messages.xsd", "/EWS/"]) {
      const answer = await ask(base + path, { method, headers: { ...headersOf(macAgent), "Content-Length": "0" } });
      assert.equal(answer.status, method === "POST" ? 404 : 501, `${method} ${path}`);
    }
  }
  assert.equal((await ask(url, { headers: headersOf(macAgent) })).status, 501);
  assert.deepEqual(server.journal, []);
});

suite("what the operator has said", () => {
  test("with the stance deny, a Mac's program is refused as well", async (t) => {
    const { server, send } = await aStage(t, { config: "stance: { ews: deny }" });
    assertRefused(await send(macAgent, getItem), "GetItem");
    assert.deepEqual(asked(server), []);
  });

  test("with the stance allow, a phone's program passes", async (t) => {
    const { send } = await aStage(t, { config: "stance: { ews: allow }" });
    assert.match((await send(phoneAgent, getItem)).body.toString(), new RegExp(secret));
  });

  test("a room panel that is named passes, and no other", async (t) => {
    const { send } = await aStage(t, { config: "ews: { allowAgents: [Crestron-TSW/] }" });
    assert.match((await send("Crestron-TSW/3.002", getItem)).body.toString(), new RegExp(secret));
    assertRefused(await send("Crestron-Other/1", getItem), "GetItem");
  });
});

function oneConnection(t: TestContext): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return agent;
}

function answerTo(request: http.ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.once("response", (answer: IncomingMessage) => resolve(answer.on("error", () => undefined)));
  });
}
