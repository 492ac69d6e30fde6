import assert from "node:assert/strict";
import { test } from "node:test";
import { child, children, element, textOf } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import {
  aMailServer,
  aPhone,
  at,
  commands,
  contacts,
  inbox,
  pingDocument,
  projects,
  readSync,
  syncDocument,
  syncFromTheStart,
  textAt,
  type WireAnswer,
} from "./wire.ts";

function readPing({ root }: WireAnswer): { readonly status: string; readonly folders: readonly string[] } {
  const folders = child(root, "Ping:Folders");
  return {
    status: textAt(root, "Ping:Status"),
    folders: folders === undefined ? [] : children(folders, "Ping:Folder").map(textOf),
  };
}

const mail = { from: "carol@demo.example", subject: "news", text: "." };

test("a Ping waits, and ends within 50 ms of a new message, naming its folder", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  let { key } = await syncFromTheStart(phone);
  const waitsMs: number[] = [];
  // The best of a few: other processes on this machine may take the rest of the time.
  for (let round = 0; round < 5; round += 1) {
    const ping = phone.post(pingDocument(480, inbox, projects));
    await server.whenParked(1);
    const delivered = performance.now();
    server.deliver("alice", mail);
    assert.deepEqual(readPing(await ping), { status: "2", folders: [inbox] });
    waitsMs.push(performance.now() - delivered);
    assert.equal(server.parked(), 0);
    ({ key } = readSync((await phone.post(syncDocument(key))).root));
  }
  assert.ok(Math.min(...waitsMs) < 50, waitsMs.join(", "));
});

test("a Ping names its folder also where a waiting Sync of the same phone fetches the news first", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const { key } = await syncFromTheStart(phone);
  const sync = phone.post(syncDocument(key, { more: [element("AirSync:HeartbeatInterval", "120")] }));
  await server.whenParked(1);
  const ping = phone.post(pingDocument(480, inbox));
  await server.whenParked(2);
  server.deliver("alice", mail);
  await sync;
  assert.deepEqual(readPing(await ping), { status: "2", folders: [inbox] });
});

test("a Ping that is sent after the change ends at once, until the phone has fetched it", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const { key } = await syncFromTheStart(phone);
  server.deliver("alice", mail);
  assert.deepEqual(readPing(await phone.post(pingDocument(480, inbox))), { status: "2", folders: [inbox] });
  assert.deepEqual(readPing(await phone.post(pingDocument(480, inbox))), { status: "2", folders: [inbox] });

  await phone.post(syncDocument(key));
  const ping = phone.post(pingDocument(480, inbox));
  await server.whenParked(1);
  server.passSeconds(480);
  assert.deepEqual(readPing(await ping), { status: "1", folders: [] });
});

test("mail for somebody else, in another folder, or the phone's own change does not end a Ping", async (t) => {
  const server = await aMailServer(t);
  server.deliver("alice", mail);
  const phone = aPhone(server);
  const { key } = await syncFromTheStart(phone);
  const ping = phone.post(pingDocument(480, inbox));
  await server.whenParked(1);

  server.deliver("bob", mail);
  server.deliver("alice", { ...mail, folder: "Projects" });
  const read = element(
    "AirSync:Change",
    element("AirSync:ServerId", server.mailbox("alice").messages[0]?.id ?? ""),
    element("AirSync:ApplicationData", element("Email:Read", "1")),
  );
  await phone.post(syncDocument(key, { parts: [commands(read)] }));
  assert.equal(server.parked(), 1);
  server.passSeconds(480);
  assert.equal(readPing(await ping).status, "1");
});

test("what a Ping asks for is remembered: heartbeat, folders, or the whole body may be left out", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  await syncFromTheStart(phone);
  assert.equal(readPing(await phone.post(undefined, { command: "Ping" })).status, "3");
  assert.equal(
    readPing(await phone.post(element("Ping:Ping", element("Ping:HeartbeatInterval", "480")))).status,
    "3",
    "a heartbeat without folders",
  );

  const repeats: readonly (Element | undefined)[] = [
    pingDocument(480, inbox),
    undefined,
    element("Ping:Ping", element("Ping:HeartbeatInterval", "480")),
    element("Ping:Ping", at(pingDocument(480, inbox), "Ping:Folders")),
  ];
  for (const body of repeats) {
    const ping = phone.post(body, { command: "Ping" });
    await server.whenParked(1);
    server.passSeconds(480);
    assert.equal(readPing(await ping).status, "1");
  }
});

for (const [seconds, nearest] of [
  [59, "60"],
  [3541, "3540"],
] as const) {
  test(`a heartbeat of ${seconds} s is Status 5 with the nearest that is allowed`, async (t) => {
    const server = await aMailServer(t);
    const { root } = await aPhone(server).post(pingDocument(seconds, inbox));
    assert.equal(textAt(root, "Ping:Status"), "5");
    assert.equal(textAt(root, "Ping:HeartbeatInterval"), nearest);
  });
}

test("the shortest and the longest heartbeat are accepted", async (t) => {
  const server = await aMailServer(t);
  for (const seconds of [60, 3540]) {
    const ping = aPhone(server).post(pingDocument(seconds, inbox));
    await server.whenParked(1);
    server.passSeconds(seconds);
    assert.equal(readPing(await ping).status, "1");
  }
});

test("a folder that is not there, or goes away meanwhile, is Status 7", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  assert.equal(readPing(await phone.post(pingDocument(480, "77"))).status, "7");

  const folders = await phone.post(element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", "0")));
  const ping = phone.post(pingDocument(480, projects));
  await server.whenParked(1);
  await phone.post(
    element(
      "FolderHierarchy:FolderDelete",
      element("FolderHierarchy:SyncKey", textAt(folders.root, "FolderHierarchy:SyncKey")),
      element("FolderHierarchy:ServerId", projects),
    ),
  );
  assert.equal(readPing(await ping).status, "7");
});

test("a heartbeat that is no number is Status 4, and too many folders are Status 6 with the limit", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const nonsense = element("Ping:Ping", element("Ping:HeartbeatInterval", "soon"));
  assert.equal(readPing(await phone.post(nonsense)).status, "4");
  const many = Array.from({ length: 201 }, (_, index) => `x${index}`);
  const { root } = await phone.post(pingDocument(480, ...many));
  assert.equal(textAt(root, "Ping:Status"), "6");
  assert.equal(textAt(root, "Ping:MaxFolders"), "200");
});

test("a phone that hangs up frees its place at once", async (t) => {
  const server = await aMailServer(t);
  const hangUp = new AbortController();
  const ping = aPhone(server).post(pingDocument(480, inbox), { signal: hangUp.signal });
  await server.whenParked(1);
  hangUp.abort();
  await assert.rejects(ping);
  await server.whenParked(0);
  assert.equal(server.journal().at(-1)?.aborted, true);
});

test("a new Ping of the same phone ends the older one; that of another phone does not", async (t) => {
  const server = await aMailServer(t);
  const first = aPhone(server).post(pingDocument(480, inbox));
  await server.whenParked(1);
  const other = aPhone(server, { deviceId: "PHONE2" }).post(pingDocument(480, contacts));
  await server.whenParked(2);
  const second = aPhone(server).post(pingDocument(480, inbox));
  assert.equal(readPing(await first).status, "1");
  await server.whenParked(2);
  server.passSeconds(480);
  assert.deepEqual([readPing(await second).status, readPing(await other).status], ["1", "1"]);
});

test("what a Ping is answered is known to the byte", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const answers = [
    [await phone.post(undefined, { command: "Ping" }), "03016a00000d45470333000101"],
    [await phone.post(pingDocument(9999, inbox)), "03016a00000d454703350001480333353430000101"],
    [await phone.post(pingDocument(480, "77")), "03016a00000d45470337000101"],
  ] as const;
  for (const [answer, hex] of answers) assert.equal(answer.body.toString("hex"), hex);
  await syncFromTheStart(phone);
  server.deliver("alice", mail);
  assert.equal(
    (await phone.post(pingDocument(480, inbox))).body.toString("hex"),
    "03016a00000d454703320001494a033500010101",
  );
});

test("a server that closes does not wait for those who wait", async (t) => {
  const server = await aMailServer(t);
  const { url, close } = await server.listen();
  const ping = aPhone({ ...server, url }).post(pingDocument(480, inbox));
  await server.whenParked(1);
  await Promise.all([assert.rejects(ping), close()]);
  assert.equal(server.parked(), 0);
});
