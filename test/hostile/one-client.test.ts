/** One client, with one connection or one phone, and what it can make the gate keep, do or say. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { element } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import { createAnswerHeaders } from "../../src/gateway/answer-headers.ts";
import { createSessions } from "../../src/gateway/sessions.ts";
import { createUpstream } from "../../src/gateway/upstream.ts";
import { createActiveSync } from "../../src/activesync/activesync.ts";
import type { Decision, Reply } from "../../src/gateway/protocol.ts";
import type { MailboxState, StoreChange } from "../../src/store/store.ts";
import {
  collection,
  everyFolder,
  fetchOf,
  inbox,
  ping,
  projects,
  sync,
  syncOf,
  wait,
} from "../support/activesync-documents.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { aRawServer, aServer, ask } from "../support/http.ts";
import { aMailRequest, aRemediation } from "../support/mail-request.ts";
import { deviceId } from "../support/records.ts";
import { aNotice, answerFrom, aVerdict, secret } from "../support/remediation.ts";
import { basic, mailboxOf, mark, post, target } from "./wire.ts";

async function connected(t: { after(work: () => void): void }, port: number): Promise<net.Socket> {
  const socket = net.connect(port, "127.0.0.1");
  socket.on("error", () => {});
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

test("a client that sends many requests at once occupies few places upstream with them", async (t) => {
  let under = 0;
  const upstream = await aServer(t, (req) => {
    under += 1;
    req.resume();
  });
  const gate = await aGate(t, { upstream: upstream.url });
  const socket = await connected(t, gate.app.mail.port);
  socket.write("OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: x\r\n\r\n".repeat(300));
  await eventually(() => assert.ok(under > 0));
  await setTimeout(500);
  assert.ok(under <= 16, `${under} requests of one connection, without a credential, are upstream at once`);
});

test("a client that sends many questions about addresses does not fill the memory with them", async (t) => {
  let received = 0;
  const upstream = await aServer(t, (req) => {
    req.on("data", (chunk: Buffer) => {
      received += chunk.byteLength;
    });
  });
  const gate = await aGate(t, { upstream: upstream.url });
  const socket = await connected(t, gate.app.mail.port);
  const body = "a".repeat(1_000_000);
  const question = `POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (let sent = 0; sent < 40; sent += 1) socket.write(question);
  await setTimeout(1000);
  assert.ok(received < 16 * 1_048_576, `${received} bytes without a credential were taken and kept`);
});

test("a phone that fetches its notice ten thousand times in one request does not get it ten thousand times", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  await gate.phone().refresh();
  const primed = await post(gate, "Sync", sync({ key: "0", id: inbox }));
  const [key] = /\{50535451-[^}]*\}\d+/.exec(primed.body.toString("latin1")) ?? [];
  const item = `${inbox}:${2_000_000_000 + ((await mailboxOf(gate.store)).notice?.revision ?? 0)}`;
  const options = [
    element("AirSync:MIMESupport", "2"),
    element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", "4")),
  ];
  const commands = Array.from({ length: 10_000 }, () => fetchOf(item));
  const request = encode(syncOf([collection({ key: key ?? "", id: inbox, options, commands })]));
  const answer = await post(gate, "Sync", request);
  const times = Math.round(answer.body.byteLength / request.byteLength);
  assert.ok(answer.body.byteLength < 4 * 1_048_576, `${answer.body.byteLength} bytes, ${times} times the request`);
});

test("nor does a phone that is only warned, while other items that it fetches are upstream's to give", async (t) => {
  const gate = await aGate(t, {
    now: () => new Date("2026-11-24T08:00:00Z"),
    config: `
campaigns:
  - id: tiktok
    title: TikTok is not permitted
    require: [{ absent: { name: TikTok, ios: [com.zhiliaoapp.musically] } }]
    waves: [{ deadline: "2026-11-25T12:00", timezone: UTC }]
`,
  });
  await gate.reports("PHONEA", clean);
  const phone = gate.phone();
  await phone.refresh();
  await gate.reports("PHONEA", withTiktok);
  await phone.refresh();
  assert.equal((await mailboxOf(gate.store)).warning?.shown, 1);
  const request = (id: string) =>
    syncOf([collection({ key: "1", id: inbox, commands: Array.from({ length: 201 }, () => fetchOf(id)) })]);
  const own = await post(gate, "Sync", request(`${inbox}:2000000001`));
  assert.deepEqual(decode(own.body), element("AirSync:Sync", element("AirSync:Status", "4")));
  const before = gate.upstream.journal().length;
  await post(gate, "Sync", request(`${inbox}:7`));
  assert.equal(gate.upstream.journal().length, before + 1);
});

test("a Ping that lists twenty thousand folders keeps everybody else waiting for as long as it takes to read, and not longer", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  const body = encode(ping("480", ...Array.from({ length: 19_000 }, (_, index) => [`f${index}`, "Email"] as const)));
  const begun = performance.now();
  decode(body);
  const readMs = performance.now() - begun;
  let longestMs = 0;
  let last = performance.now();
  const beat = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 5);
  t.after(() => clearInterval(beat));
  const answer = await post(gate, "Ping", body);
  assert.deepEqual(
    decode(answer.body),
    element("Ping:Ping", element("Ping:Status", "6"), element("Ping:MaxFolders", "200")),
  );
  // Looking each of them up among all others takes more than thirty times as long as reading them.
  assert.ok(longestMs < 5 * readMs + 200, `nobody else was served for ${Math.round(longestMs)} ms`);
});

test("a Ping for a folder with a name of megabytes leaves nothing behind", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  const answer = await post(gate, "Ping", ping("480", ["x".repeat(3_000_000), "Email"]));
  const { ping: remembered } = await mailboxOf(gate.store);
  assert.ok(answer.body.byteLength < 1000, `it was repeated: ${answer.body.byteLength} bytes`);
  assert.equal(remembered, undefined);
});

async function known(gate: Gate): Promise<number> {
  const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
  return Number(/^postern_last_known_devices (\d+)$/m.exec(metrics)?.[1]);
}

for (const [title, fields] of [
  ["a phone that is somebody's", { ...clean, owner: "bob" }],
  ["a phone that is nobody's", withTiktok],
] as const) {
  test(`names that nobody has proven push nobody out of what was last known: with ${title}`, async (t) => {
    const gate = await aGate(t);
    await gate.reports("PHONEB", fields);
    for (let index = 0; index < 100; index += 1) {
      const answer = await ask(`${gate.url}/Microsoft-Server-ActiveSync?Cmd=Sync&DeviceId=PHONEB`, {
        method: "POST",
        headers: { Authorization: basic(`invented${index}`, "x") },
      });
      assert.equal(answer.status, 401);
    }
    assert.ok((await known(gate)) <= 8, `${await known(gate)} entries`);
  });
}

test("ids that nobody has reported push nobody out of what was last known", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", clean);
  await gate.phone().refresh();
  const before = await known(gate);
  for (let index = 0; index < 100; index += 1) await post(gate, "Sync", undefined, { id: `INVENTED${index}` });
  assert.equal(await known(gate), before);
});

test("a body that trickles on behind an early answer is cut like any other", async (t) => {
  const upstream = await aServer(t, (_req, res) => {
    res.writeHead(401, { "Content-Length": 0 });
    res.end();
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("PHONEA", clean);
  const socket = await connected(t, gate.app.mail.port);
  socket.write(
    `POST ${target("SendMail")} HTTP/1.1\r\nHost: x\r\nContent-Type: message/rfc822\r\nMS-ASProtocolVersion: 12.1\r\nAuthorization: ${basic("alice", "x")}\r\nContent-Length: 100000000\r\n\r\n`,
  );
  // Upstream hears of a large body once its beginning has been looked at.
  socket.write("x".repeat(131_072));
  const trickle = setInterval(() => socket.write("x"), 500);
  t.after(() => clearInterval(trickle));
  await once(socket, "data");
  const closed = await Promise.race([
    new Promise((resolve) => {
      socket.once("close", () => resolve(true));
    }),
    setTimeout(25_000, false),
  ]);
  assert.equal(closed, true, "it is open after 25 s");
});

test("two requests that wait, in whose notices the words differ, do not wake each other for ever", async (t) => {
  const protocol = createActiveSync({ secret, bodyLimitBytes: 65_536 });
  const device = deviceId("PHONEA");
  const listeners = new Set<(change: StoreChange) => void>();
  const sessions = createSessions(
    {
      onChange(listener): () => void {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    Date.now,
  );
  t.after(() => sessions.close());
  let mailbox: MailboxState = {
    folders: everyFolder,
    issued: new Set([projects]),
    unheard: new Set<never>(),
    ping: undefined,
    notice: undefined,
    warning: undefined,
  };
  let writes = 0;
  const asked = (digest: string, document: ReturnType<typeof element>): Promise<Reply> => {
    const request = aMailRequest({
      method: "POST",
      query: "Cmd=Sync&DeviceId=PHONEA&User=alice",
      headers: new Map([["ms-asprotocolversion", "14.1"]]),
      hasBody: true,
    });
    const decided = (): Decision => ({
      verdict: aVerdict("quarantine"),
      device: { id: device, account: "alice", mailbox, whose: "owner" },
      notice: aNotice({ digest }),
      reportedAt: undefined,
      asOf: sessions.changes(),
      attended: false,
    });
    const decision = decided();
    const watch = sessions.watch([device], decision.asOf);
    const remediation = aRemediation(request, {
      decision,
      now: new Date(),
      readBody: () => Promise.resolve(encode(document)),
      proveCredential: () => Promise.resolve(undefined),
      async remember({ notice }): Promise<void> {
        writes += 1;
        if (notice !== undefined) mailbox = { ...mailbox, notice };
        await setTimeout(1);
        for (const listener of listeners) listener({ kind: "mailbox", id: device });
      },
      async nextDecision(timeoutMs): Promise<Decision | "expired" | "gone"> {
        const news = await watch.next({ timeoutMs, changesAt: undefined });
        return news === "changed" ? decided() : news === "expired" ? "expired" : "gone";
      },
    });
    return protocol.identify(request).remediate(remediation);
  };
  const primed = await asked("words", sync({ key: "0", id: projects }));
  const [key = ""] = /\{50535451-[^}]*\}\d+/.exec(Buffer.from(answerFrom(primed).body ?? "").toString("latin1")) ?? [];
  assert.ok(key.startsWith(mark));
  const waiting = syncOf([collection({ key, id: projects })], wait("10"));
  writes = 0;
  const both = [asked("words", waiting), asked("other words", waiting)];
  await setTimeout(300);
  sessions.close();
  await Promise.all(both);
  assert.ok(writes < 10, `${writes} writes in 300 ms`);
});

test("an upstream that changes the protocol instead of answering is a failure, and not silence", async (t) => {
  const server = await aRawServer(t, (socket) => {
    socket.once("data", () =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
    );
  });
  const upstream = createUpstream({
    url: new URL(server.url),
    ca: undefined,
    connectTimeoutMs: 1000,
    responseTimeoutMs: 1000,
    idleSocketMs: 1000,
    answerHeaders: createAnswerHeaders({ upstreamOrigins: [server.url], publicUrl: undefined }),
  });
  t.after(() => upstream.close());
  const exchanged = upstream
    .exchange({
      method: "OPTIONS",
      target: "/x",
      headers: new Map([["host", "x"]]),
      body: undefined,
      answerLimitBytes: 1000,
      timeoutMs: 200,
    })
    .then(
      () => "answered",
      () => "failed",
    );
  assert.equal(await Promise.race([exchanged, setTimeout(1500, "silent")]), "failed");
});

test("a log that cannot be written neither stops the program nor keeps it from ending", async (t) => {
  const script = `
      import { createLog } from "./src/telemetry/log.ts";
      const log = createLog({ level: "info", destination: "/dev/full" });
      for (let line = 0; line < 1000; line += 1) log.info("decision", { text: "x".repeat(100) });
      setTimeout(() => { log.info("decision"); process.stdout.write("alive"); log.flush(); }, 300);
    `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    cwd: new URL("../../", import.meta.url),
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(child, "exit", { signal: AbortSignal.timeout(20_000) });
  assert.equal(child.exitCode, 0);
  assert.equal(said, "alive");
});

test("a document that is refused costs the connection, and the next one is served", async (t) => {
  const gate = await aGate(t);
  await gate.reports("PHONEA", withTiktok);
  await gate.phone().refresh();
  const nested = Buffer.concat([Buffer.from("03016a00", "hex"), Buffer.alloc(100_000, 0x45)]);
  for (const body of [nested, Buffer.alloc(4_194_304, 0xff), Buffer.from("03016a00", "hex")]) {
    assert.equal((await post(gate, "Sync", body)).status, 400);
  }
  assert.equal((await post(gate, "Sync", Buffer.alloc(4_194_305))).status, 413);
  const good = await post(gate, "Sync", sync({ key: "0", id: inbox }));
  assert.equal(decode(good.body).tag, "AirSync:Sync");
});
