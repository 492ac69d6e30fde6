import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createTcpServer, type Socket } from "node:net";
import { suite, test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { element } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import { answerLimitBytes } from "../../src/phone/connection.ts";
import { PhoneError } from "../../src/phone/errors.ts";
import { createPhone } from "../../src/phone/phone.ts";
import { mail, nothing, policy, synced } from "./support/documents.ts";
import { phoneFor, subjects, usedPhone, usedState, withCode } from "./support/phones.ts";

/** A server below HTTP: what it is sent is for the test to answer. */
async function rawServer(t: TestContext, serve: (socket: Socket, request: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => serve(socket, bytes.toString("latin1")));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

suite("an answer that is no", () => {
  const cases = [
    ["HTTP 401 is about the credentials", { httpStatus: 401 }, { kind: "credentials" }],
    ["HTTP 403 is a refusal", { httpStatus: 403 }, { kind: "forbidden" }],
    [
      "HTTP 451 tells where the mailbox lives, and the password does not go there by itself",
      { httpStatus: 451, headers: { "X-MS-Location": "https://other.test/Microsoft-Server-ActiveSync" } },
      { kind: "moved", location: "https://other.test/Microsoft-Server-ActiveSync" },
    ],
    ["HTTP 451 without an address", { httpStatus: 451 }, { kind: "moved", location: undefined }],
    [
      "HTTP 503 may say for how long",
      { httpStatus: 503, headers: { "Retry-After": "300" } },
      { kind: "busy", httpStatus: 503, retryAfterSeconds: 300 },
    ],
    [
      "HTTP 503 may say until when",
      { httpStatus: 503, headers: { "Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT" } },
      { kind: "busy", httpStatus: 503, retryAfterSeconds: 0 },
    ],
    [
      "HTTP 502 is a server behind the server",
      { httpStatus: 502 },
      { kind: "busy", httpStatus: 502, retryAfterSeconds: undefined },
    ],
    ["any other HTTP status is named", { httpStatus: 507 }, { kind: "http", httpStatus: 507 }],
  ] as const;
  for (const [title, answer, outcome] of cases) {
    test(title, async (t) => {
      const { phone } = await usedPhone(t, [answer]);
      assert.deepEqual(await phone.sync("Inbox"), outcome);
      assert.deepEqual(subjects(phone), ["Old news"]);
      assert.equal(phone.journal()[0]?.httpStatus, answer.httpStatus);
    });
  }
});

suite("an answer in gzip", () => {
  test("is unpacked", async (t) => {
    const body = gzipSync(encode(synced("k2", { commands: [mail("m2", "Two")] })));
    const { phone, server } = await usedPhone(t, [{ body, headers: { "Content-Encoding": "gzip" } }]);
    await phone.sync("Inbox");
    assert.deepEqual(subjects(phone), ["Two", "Old news"]);
    assert.equal(server.received[0]?.headers["accept-encoding"], "gzip");
  });

  test("may not unpack to more than the limit", async (t) => {
    const body = gzipSync(Buffer.alloc(answerLimitBytes + 1));
    const { phone } = await usedPhone(t, [{ body, headers: { "Content-Encoding": "gzip" } }]);
    await assert.rejects(phone.sync("Inbox"), withCode("answer-too-large"));
  });

  test("has to be gzip", async (t) => {
    const { phone } = await usedPhone(t, [{ body: Buffer.from("not gzip"), headers: { "Content-Encoding": "gzip" } }]);
    await assert.rejects(phone.sync("Inbox"), withCode("answer-unreadable"));
  });
});

suite("an answer that cannot be used", () => {
  test("because it is longer than the limit", async (t) => {
    const { phone } = await usedPhone(t, [{ body: Buffer.alloc(answerLimitBytes + 1) }]);
    await assert.rejects(phone.sync("Inbox"), withCode("answer-too-large"));
  });

  test("because it is a page for a browser", async (t) => {
    const { phone } = await usedPhone(t, [{ body: Buffer.from("<html>Log in to our Wi-Fi</html>") }]);
    await assert.rejects(phone.sync("Inbox"), withCode("answer-unreadable"));
    assert.equal(phone.journal()[0]?.failure, "answer-unreadable");
  });

  test("because it is not HTTP", async (t) => {
    const url = await rawServer(t, (socket) => socket.end("220 mail.test ESMTP\r\n"));
    await assert.rejects(phoneFor(t, url, { state: usedState() }).sync("Inbox"), withCode("answer-unreadable"));
  });

  test("because it ends too early", async (t) => {
    const url = await rawServer(t, (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"));
    await assert.rejects(phoneFor(t, url, { state: usedState() }).sync("Inbox"), withCode("connection-lost"));
  });

  test("because it never comes", async (t) => {
    const { phone } = await usedPhone(t, ["silent"], { requestTimeoutMs: 50 });
    await assert.rejects(phone.sync("Inbox"), withCode("timeout"));
  });

  test("because nobody is there", async (t) => {
    const url = await rawServer(t, () => undefined);
    const free = createTcpServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const address = free.address();
    free.close();
    await once(free, "close");
    assert.ok(address !== null && typeof address === "object" && url !== "");
    const phone = phoneFor(t, `http://127.0.0.1:${address.port}`, { state: usedState() });
    await assert.rejects(phone.sync("Inbox"), withCode("unreachable"));
    assert.deepEqual(
      phone.journal().map(({ command, httpStatus, failure }) => [command, httpStatus, failure]),
      [["Sync", 0, "unreachable"]],
    );
  });

  test("because of a certificate is told apart from the rest", async (t) => {
    const { server } = await usedPhone(t, []);
    // Plain HTTP where TLS was expected: no handshake comes about.
    const phone = phoneFor(t, server.url.replace("http:", "https:"), { state: usedState() });
    await assert.rejects(phone.sync("Inbox"), withCode("tls"));
  });
});

test("a kept connection that the server has closed without a word costs nothing", async (t) => {
  let requests = 0;
  const url = await rawServer(t, (socket) => {
    requests += 1;
    // The first connection is good for one answer, and dies when it is used again.
    if (requests === 2) socket.resetAndDestroy();
    else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  const phone = phoneFor(t, url, { state: usedState() });
  assert.equal((await phone.sync("Inbox")).kind, "ok");
  assert.equal((await phone.sync("Inbox")).kind, "ok");
  assert.equal(requests, 3);
});

test("a phone with a token says Bearer and gives cookies back", async (t) => {
  const { server } = await usedPhone(t, [
    { body: policy(2), headers: { "Set-Cookie": "node=a; Path=/; HttpOnly" } },
    { body: element("FolderHierarchy:FolderSync", element("FolderHierarchy:Status", "6")) },
  ]);
  const phone = createPhone({
    url: server.url,
    user: "alice",
    token: "T0KEN",
    deviceId: "PHONE01",
    protocolVersion: "14.1",
  });
  t.after(() => phone.close());
  await phone.provision();
  await phone.folderSync();
  assert.deepEqual(
    server.received.map(({ headers }) => [headers.authorization, headers.cookie]),
    [
      ["Bearer T0KEN", undefined],
      ["Bearer T0KEN", "node=a"],
    ],
  );
});

test("a phone with a password leaves cookies alone before 16.0", async (t) => {
  const { phone, server } = await usedPhone(t, [{ headers: { "Set-Cookie": "node=a" } }, nothing]);
  await phone.sync("Inbox");
  await phone.sync("Inbox");
  assert.equal(server.received[1]?.headers.cookie, undefined);
});

test("the state of one phone does not start another", () => {
  assert.throws(
    () => createPhone({ url: "http://mail.test", user: "bob", password: "x", deviceId: "PHONE01", state: usedState() }),
    (error) => error instanceof PhoneError && error.code === "state",
  );
});
