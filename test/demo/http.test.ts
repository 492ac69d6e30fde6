import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { child, element } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import {
  aMailServer,
  aPhone,
  basic,
  inbox,
  pingDocument,
  send,
  syncDocument,
  textAt,
  type RunningServer,
} from "./wire.ts";

const folderSync = element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", "0"));
const plainPath = "/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=alice&DeviceId=PHONE1&DeviceType=Test";
const alice = basic("alice", "alice-demo");
const headers = { Authorization: alice, "MS-ASProtocolVersion": "14.1" };

function post(
  server: RunningServer,
  path: string,
  more: Parameters<typeof send>[1]["headers"] = {},
): ReturnType<typeof send> {
  return send(server.url, { path, headers: { ...headers, ...more }, body: encode(folderSync) });
}

test("OPTIONS announces versions and commands to who may log in, and asks the others to", async (t) => {
  const server = await aMailServer(t);
  const path = "/Microsoft-Server-ActiveSync";
  const answer = await send(server.url, { method: "OPTIONS", path, headers: { Authorization: alice } });
  assert.equal(answer.httpStatus, 200);
  assert.equal(answer.headers["content-length"], "0");
  assert.equal(answer.headers["ms-asprotocolversions"], "12.1,14.0,14.1");
  assert.match(String(answer.headers["ms-asprotocolcommands"]), /^Sync,SendMail,.*Ping/);
  assert.equal(answer.headers["ms-server-activesync"], "14.3");

  const stranger = await send(server.url, { method: "OPTIONS", path });
  assert.equal(stranger.httpStatus, 401);
  assert.equal(stranger.headers["www-authenticate"], 'Basic realm="Mail"');
});

for (const [login, password, httpStatus] of [
  ["alice", "alice-demo", 200],
  ["ALICE", "alice-demo", 200],
  ["CORP\\alice", "alice-demo", 200],
  ["corp\\Alice", "alice-demo", 200],
  ["alice@demo.example", "alice-demo", 200],
  ["OTHER\\alice", "alice-demo", 401],
  ["alice@elsewhere.example", "alice-demo", 401],
  ["alice", "ALICE-DEMO", 401],
  ["alice", "bob-demo", 401],
  ["nobody", "", 401],
] as const) {
  test(`the login ${login} with the password ${password} is HTTP ${httpStatus}`, async (t) => {
    const server = await aMailServer(t);
    assert.equal((await post(server, plainPath, { Authorization: basic(login, password) })).httpStatus, httpStatus);
  });
}

for (const [name, path, more, httpStatus] of [
  ["the path in another letter case", plainPath.toLowerCase().replace("phone1", "PHONE1"), {}, 200],
  ["a tail behind the path", plainPath.replace("?", "/default.eas?"), {}, 200],
  [
    "parameters in another order and letter case",
    "/Microsoft-Server-ActiveSync?USER=alice&deviceid=PHONE1&DEVICETYPE=T&cmd=FolderSync",
    {},
    200,
  ],
  ["another path", "/somewhere", {}, 404],
  ["no device", "/Microsoft-Server-ActiveSync?Cmd=FolderSync&User=alice", {}, 400],
  ["a device id out of its grammar", plainPath.replace("PHONE1", "PH-ONE"), {}, 400],
  ["a device id of 33 letters", plainPath.replace("PHONE1", "A".repeat(33)), {}, 400],
  ["a device id of 32 letters", plainPath.replace("PHONE1", "A".repeat(32)), {}, 200],
  ["a version that is not spoken", plainPath, { "MS-ASProtocolVersion": "1.0" }, 400],
] as const) {
  test(`a request with ${name} is HTTP ${httpStatus}`, async (t) => {
    const server = await aMailServer(t);
    assert.equal((await post(server, path, more)).httpStatus, httpStatus);
  });
}

test("a base64 query means the same as a plain one, for a device of its own", async (t) => {
  const server = await aMailServer(t);
  // 14.1, FolderSync, en-US, the device "PHONE1", no policy key, the type "Test".
  const blob = Buffer.concat([Buffer.of(141, 9, 9, 4, 6), Buffer.from("PHONE1"), Buffer.of(0, 4), Buffer.from("Test")]);
  for (const query of [
    blob.toString("base64"),
    blob.toString("base64url"),
    encodeURIComponent(blob.toString("base64")),
  ]) {
    const answer = await send(server.url, {
      path: `/Microsoft-Server-ActiveSync?${query}`,
      headers: { Authorization: alice },
      body: encode(folderSync),
    });
    assert.equal(answer.root.tag, "FolderHierarchy:FolderSync", query);
  }
  assert.deepEqual(server.journal().at(-1)?.understood, {
    account: "alice",
    deviceId: Buffer.from("PHONE1").toString("hex").toUpperCase(),
    command: "FolderSync",
  });
});

test("two long ids in base64 queries that differ only at their end are two devices", async (t) => {
  const server = await aMailServer(t);
  for (const end of ["A", "B"]) {
    const id = Buffer.from("0".repeat(31) + end);
    const blob = Buffer.concat([Buffer.of(141, 9, 9, 4, id.length), id, Buffer.of(0, 4), Buffer.from("Test")]);
    const path = `/Microsoft-Server-ActiveSync?${blob.toString("base64")}`;
    await send(server.url, { path, headers: { Authorization: alice }, body: encode(folderSync) });
  }
  assert.equal(new Set(server.journal().map(({ understood }) => understood?.deviceId)).size, 2);
});

test("a base64 query from a real phone is understood: raw id bytes, policy key, options", async (t) => {
  const server = await aMailServer(t);
  const answer = await send(server.url, {
    path: "/Microsoft-Server-ActiveSync?jQMJCBBgMOo4NRIhymNelU6Z7jHTBDzZUJwLV2luZG93c01haWwHAQE=",
    headers: { Authorization: alice },
  });
  assert.equal(answer.httpStatus, 200);
  assert.deepEqual(server.journal().at(-1)?.understood, {
    account: "alice",
    deviceId: "6030EA38351221CA635E954E99EE31D3",
    command: "SmartReply",
  });
});

test("an empty body runs what the URL names, and what cannot be read is refused", async (t) => {
  const server = await aMailServer(t);
  const ping = await send(server.url, { path: plainPath.replace("FolderSync", "Ping"), headers });
  assert.equal(textAt(ping.root, "Ping:Status"), "3");
  const noise = await send(server.url, { path: plainPath, headers, body: Buffer.from("not WBXML") });
  assert.equal(noise.httpStatus, 400);
  const cut = await send(server.url, { path: plainPath, headers, body: encode(folderSync).subarray(0, 9) });
  assert.equal(cut.httpStatus, 400);
  assert.equal((await send(server.url, { method: "GET", path: plainPath, headers })).httpStatus, 501);
  assert.deepEqual(
    server.journal().map(({ failure }) => failure),
    [undefined, undefined, undefined, undefined],
  );
});

test("a body may come in chunks, or as gzip, but not as a bomb", async (t) => {
  const server = await aMailServer(t);
  const chunked = await post(server, plainPath, { "Transfer-Encoding": "chunked" });
  assert.equal(textAt(chunked.root, "FolderHierarchy:Status"), "1");
  const gzip = { ...headers, "Content-Encoding": "gzip" };
  const zipped = await send(server.url, { path: plainPath, headers: gzip, body: gzipSync(encode(folderSync)) });
  assert.equal(textAt(zipped.root, "FolderHierarchy:Status"), "1");
  const bomb = await send(server.url, {
    path: plainPath,
    headers: gzip,
    body: gzipSync(Buffer.alloc(33 * 1024 * 1024)),
  });
  assert.equal(bomb.httpStatus, 400);
  assert.equal((await send(server.url, { path: plainPath, headers: gzip, body: encode(folderSync) })).httpStatus, 400);
});

test("a body at the limit is read, and one byte more is refused", async (t) => {
  const server = await aMailServer(t);
  const limitBytes = 32 * 1024 * 1024;
  const source = Buffer.concat([Buffer.from("To: bob@demo.example\r\nSubject: Large\r\n\r\n")], limitBytes);
  const path = "/Microsoft-Server-ActiveSync?Cmd=SendMail&User=alice&DeviceId=OLD1&DeviceType=T";
  const rfc822 = { ...headers, "MS-ASProtocolVersion": "12.1", "Content-Type": "message/rfc822" };
  assert.equal((await send(server.url, { path, headers: rfc822, body: source })).httpStatus, 200);
  const over = await send(server.url, { path, headers: rfc822, body: Buffer.concat([source, Buffer.of(0)]) }).catch(
    () => undefined,
  );
  // The server hangs up on the rest, so the answer may be lost on the way.
  assert.ok(over === undefined || over.httpStatus === 413);
  assert.equal(server.journal().at(-1)?.httpStatus, 413);
});

test("the journal holds what arrived, letter by letter and byte by byte", async (t) => {
  const server = await aMailServer(t);
  const body = encode(folderSync);
  await send(server.url, { path: plainPath, headers: { ...headers, "X-OdD-CaSe": "1" }, body });
  const [entry] = server.journal();
  assert.equal(entry?.method, "POST");
  assert.equal(entry?.url, plainPath);
  assert.ok(entry?.rawHeaders.includes("X-OdD-CaSe"));
  assert.deepEqual(entry?.body, body);
  assert.deepEqual(entry?.root, folderSync);
  assert.deepEqual(entry?.understood, { account: "alice", deviceId: "PHONE1", command: "FolderSync" });
  assert.equal(entry?.httpStatus, 200);
  assert.equal(entry?.aborted, false);
});

test("a request is in the journal while it waits", async (t) => {
  const server = await aMailServer(t);
  const ping = aPhone(server).post(pingDocument(480, inbox));
  await server.whenParked(1);
  assert.equal(server.journal().at(-1)?.httpStatus, undefined);
  assert.equal(server.journal().at(-1)?.understood?.command, "Ping");
  server.passSeconds(480);
  await ping;
});

test("a lenient server takes whatever comes and writes down what the laxest server would make of it", async (t) => {
  const server = await aMailServer(t, { lenient: true });
  const odd = await send(server.url, {
    method: "PUT",
    path: "/Microsoft-Server-ActiveSync/x?DeviceId=PHONE1&Cmd=Ping?cmd=Sync&DEVICEID=phone2&DeviceId=PHONE3",
    headers: { Authorization: basic("bob", "wrong"), "MS-ASProtocolVersion": "99" },
    body: encode(folderSync),
  });
  assert.equal(textAt(odd.root, "FolderHierarchy:Status"), "1");
  assert.deepEqual(server.journal().at(-1)?.understood, { account: "bob", deviceId: "PHONE2", command: "FolderSync" });
  for (const path of ["/", "/%2e%2e/x", "/Microsoft-Server-ActiveSync?Cmd=Nothing&DeviceId=%00"]) {
    assert.equal((await send(server.url, { path, body: Buffer.from("noise") })).httpStatus, 200, path);
  }
});

test("two servers with one seed give the same answers to the same requests", async (t) => {
  const [one, other] = [await aMailServer(t), await aMailServer(t)];
  for (const server of [one, other]) server.deliver("alice", { from: "carol@demo.example", subject: "s", text: "." });
  for (const document of [folderSync, syncDocument("0")]) {
    const answers = [await aPhone(one).post(document), await aPhone(other).post(document)];
    assert.deepEqual(answers[0]?.body, answers[1]?.body);
  }
  const unlike = await aMailServer(t, { seed: "another" });
  const answer = await aPhone(unlike).post(syncDocument("0"));
  assert.notDeepEqual(answer.body, (await aPhone(one).post(syncDocument("0"))).body);
  assert.notEqual(child(answer.root, "AirSync:Collections"), undefined);
});

test("a phone that hangs up in the middle of its request is no failure of the server", async (t) => {
  const server = await aMailServer(t);
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname);
  const head = [`POST ${plainPath} HTTP/1.1`, "Host: x", `Authorization: ${alice}`, "Content-Length: 100", "", "half"];
  socket.write(head.join("\r\n"));
  while (server.journal().length === 0) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  while (server.journal()[0]?.aborted === false) await new Promise((resolve) => setImmediate(resolve));
  const [entry] = server.journal();
  assert.deepEqual([entry?.failure, entry?.httpStatus, entry?.body], [undefined, undefined, undefined]);
});
