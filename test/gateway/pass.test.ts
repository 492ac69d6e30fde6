/** What passes, passes as it is: streamed, unbuffered, on connections that nobody is let into by mistake. */
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import { aGate, clean } from "../support/gate.ts";
import { aRawServer, aServer, ask } from "../support/http.ts";
import { eventually } from "../support/eventually.ts";

const target = "/Microsoft-Server-ActiveSync?Cmd=Sync&User=alice&DeviceId=PHONEA&DeviceType=iPhone";
const pingTarget = target.replace("Cmd=Sync", "Cmd=Ping");
const authorization = `Basic ${Buffer.from("alice:alice-Pw-1").toString("base64")}`;
const headers = {
  Authorization: authorization,
  "MS-ASProtocolVersion": "14.1",
  "Content-Type": "application/vnd.ms-sync.wbxml",
};

const piece = Buffer.alloc(65_536, "a");
/** 64 MiB: far more than all buffers between two programs on one machine. */
const pieces = 1024;
const bufferedAtMost = 300;

/** Writes as long as the other side takes, and counts. */
function pour(out: NodeJS.WritableStream): { written: () => number } {
  let written = 0;
  const more = (): void => {
    while (written < pieces) {
      written += 1;
      if (!out.write(piece)) return void out.once("drain", more);
    }
    out.end();
  };
  more();
  return { written: () => written };
}

test("an answer that nobody reads stays with upstream", async (t) => {
  let poured: ReturnType<typeof pour> | undefined;
  const upstream = await aServer(t, (_req, res) => {
    poured = pour(res);
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const incoming = await new Promise<http.IncomingMessage>((resolve) => {
    http.request(gate.url + target, { method: "POST", headers }, resolve).end();
  });
  incoming.pause();
  let before = -1;
  await eventually(() => {
    const now = poured?.written() ?? 0;
    const stalled = now > 0 && now === before;
    before = now;
    assert.ok(stalled);
  });
  assert.ok(before < bufferedAtMost, `${before} pieces of ${pieces} were taken although nobody reads`);
  let received = 0;
  for await (const chunk of incoming) received += Buffer.isBuffer(chunk) ? chunk.byteLength : 0;
  assert.equal(received, piece.byteLength * pieces);
});

test("a body that upstream does not read stays with the client", async (t) => {
  let release: (() => void) | undefined;
  let received = 0;
  const upstream = await aServer(t, (req, res) => {
    req.pause();
    release = (): void => {
      req.on("data", (chunk: Buffer) => {
        received += chunk.byteLength;
      });
      req.on("end", () => res.end());
      req.resume();
    };
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const request = http.request(gate.url + target.replace("Cmd=Sync", "Cmd=SendMail"), {
    method: "POST",
    headers: { ...headers, "Content-Type": "message/rfc822", "Content-Length": piece.byteLength * pieces },
  });
  const answered = new Promise((resolve) => {
    request.once("response", resolve);
  });
  const poured = pour(request);
  let before = -1;
  await eventually(() => {
    const now = poured.written();
    const stalled = now > 1 && now === before && release !== undefined;
    before = now;
    assert.ok(stalled);
  });
  assert.ok(before < bufferedAtMost, `${before} pieces of ${pieces} were taken although upstream reads nothing`);
  release?.();
  await answered;
  assert.equal(received, piece.byteLength * pieces);
});

test("upstream sees the target and headers in the spelling of the gate", async (t) => {
  const upstream = await aServer(t, (_req, res) => res.end());
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  await ask(`${gate.url}/MICROSOFT-server-activesync?deviceid=PHONEA&CMD=Ping&x=1&user=CORP%5calice`, {
    method: "POST",
    headers: { ...headers, "X-Original-URL": "/owa", "X-Forwarded-For": "10.0.0.1", TE: "trailers", Cookie: "a=b" },
  });
  const [request] = upstream.seen;
  assert.equal(request?.url, "/Microsoft-Server-ActiveSync?DeviceId=PHONEA&Cmd=Ping&User=CORP%5Calice");
  const names = request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  assert.deepEqual(
    names.filter((name) => ["x-original-url", "te", "transfer-encoding"].includes(name)),
    [],
  );
  assert.equal(
    request.rawHeaders[request.rawHeaders.findIndex((name) => name.toLowerCase() === "x-forwarded-for") + 1],
    "127.0.0.1",
  );
  assert.ok(names.includes("cookie"));
});

test("challenges reach the client as they are, each on its own line", async (t) => {
  const upstream = await aServer(t, (_req, res) => {
    res.writeHead(401, {
      "WWW-Authenticate": ["Negotiate", "NTLM", 'Basic realm="mail"'],
      "Set-Cookie": ["a=1", "b=2"],
      Connection: "X-Internal",
      "X-Internal": "1",
    });
    res.end();
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const answer = await ask(gate.url + target, { method: "POST", headers });
  assert.equal(answer.status, 401);
  const values = (name: string): string[] =>
    answer.rawHeaders.filter((_, index) => index % 2 === 1 && answer.rawHeaders[index - 1]?.toLowerCase() === name);
  assert.deepEqual(values("www-authenticate"), ["Negotiate", "NTLM", 'Basic realm="mail"']);
  assert.deepEqual(values("set-cookie"), ["a=1", "b=2"]);
  assert.deepEqual(values("x-internal"), []);
});

test("a phone that is sent to another server stays with the gate", async (t) => {
  const upstream = await aServer(t, (_req, res) => {
    res.writeHead(451, { "X-MS-Location": "https://exch02.internal.example/Microsoft-Server-ActiveSync" });
    res.end();
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const answer = await ask(gate.url + target, { method: "POST", headers });
  assert.equal(answer.status, 451);
  assert.equal(answer.headers["x-ms-location"], `${gate.url}/Microsoft-Server-ActiveSync`);
});

test("an upstream that is down is 503 with Retry-After, in words that name nobody", async (t) => {
  const gate = await aGate(t, { upstream: "http://127.0.0.1:9" });
  await gate.reports("PHONEA", clean);
  const answer = await ask(gate.url + target, { method: "POST", headers });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers["retry-after"], "30");
  assert.doesNotMatch(answer.body.toString(), /PHONEA|alice|127\.0\.0\.1|ECONN/);
});

test("an upstream that hangs up in the middle of an answer ends the client's answer too", async (t) => {
  const upstream = await aRawServer(t, (socket) => {
    socket.once("data", () =>
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", () => socket.destroy()),
    );
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  await assert.rejects(ask(gate.url + target, { method: "POST", headers }));
});

test("three hundred held requests leave room for the next one", async (t) => {
  const held = new Set<http.ServerResponse>();
  const upstream = await aServer(t, (req, res) => {
    if (req.url?.includes("Cmd=Ping") === true) held.add(res);
    else res.end("ok");
  });
  const gate = await aGate(t, {
    upstream: upstream.url,
    config: "mail: { limits: { maxConnectionsPerAddress: 1000 } }",
  });
  await gate.reports("PHONEA", clean);
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const pings = Array.from({ length: 300 }, () => ask(gate.url + pingTarget, { method: "POST", headers, agent }));
  await eventually(() => assert.equal(held.size, 300));
  assert.equal((await ask(gate.url + target, { method: "POST", headers, agent })).status, 200);
  for (const res of held) res.end();
  await Promise.all(pings);
});

test("a client that leaves takes its request upstream with it", async (t) => {
  let closed = false;
  const upstream = await aServer(t, (req, res) => {
    res.on("close", () => {
      closed = true;
    });
    req.resume();
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const request = http.request(gate.url + target, { method: "POST", headers });
  request.on("error", () => {});
  request.end();
  await eventually(() => assert.equal(upstream.seen.length, 1));
  request.destroy();
  await eventually(() => assert.equal(closed, true));
});

test("who logs in on a connection has that connection upstream alone", async (t) => {
  const owners = new Map<number | undefined, string>();
  const upstream = await aServer(t, (req, res) => {
    const port = req.socket.remotePort;
    const { authorization } = req.headers;
    if (authorization?.startsWith("NTLM ") === true) owners.set(port, authorization);
    res.end(owners.get(port) ?? "nobody");
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const one = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const other = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => {
    one.destroy();
    other.destroy();
  });
  const send = async (agent: http.Agent, authorization?: string): Promise<string> => {
    const answer = await ask(gate.url + target, {
      method: "POST",
      agent,
      headers: authorization === undefined ? {} : { Authorization: authorization },
    });
    return answer.body.toString();
  };
  assert.equal(await send(one, "NTLM alice"), "NTLM alice");
  assert.equal(await send(one), "NTLM alice", "the login holds for its connection");
  for (let round = 0; round < 20; round += 1) assert.equal(await send(other), "nobody");
  assert.equal(await send(other, "Negotiate bob"), "nobody");
  assert.equal(await send(one), "NTLM alice");
});

test("a WebSocket is let through only where a route asks for it, and only after upstream has agreed", async (t) => {
  let upgrades = 0;
  const upstream = await aServer(t, (_req, res) => res.end());
  const raw = await aRawServer(t, (socket) => {
    socket.once("data", (bytes) => {
      upgrades += 1;
      if (bytes.toString().includes("/mail/no")) socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      else socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
    });
  });
  const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
  const ask101 = (port: number, path: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString();
        if (/hello|\r\n\r\n/.test(text) && (text.includes("hello") || !text.startsWith("HTTP/1.1 101")))
          socket.destroy();
      });
      socket.on("close", () => resolve(text));
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nUser-Agent: ${agent}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
    });
  const closed = await aGate(t, { upstream: upstream.url });
  assert.match(await ask101(closed.app.mail.port, "/mail/yes"), /^HTTP\/1\.1 400 /);
  const open = await aGate(t, {
    upstream: raw.url,
    config: "",
    routes: `  - { path: /mail, protocol: browser, websocket: true }\n  - { path: /Microsoft-Server-ActiveSync, protocol: activesync }`,
  });
  assert.match(await ask101(open.app.mail.port, "/mail/yes"), /^HTTP\/1\.1 101 [^]*hello$/);
  assert.match(await ask101(open.app.mail.port, "/mail/no"), /^HTTP\/1\.1 403 /);
  assert.match(await ask101(open.app.mail.port, "/Microsoft-Server-ActiveSync"), /^HTTP\/1\.1 (400|501) /);
  assert.equal(upgrades, 2);
});
