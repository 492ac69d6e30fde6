/** Clients that occupy a connection without using it: each costs itself, and nobody else. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { listen } from "../../src/gateway/listener.ts";
import { aCertificate } from "../support/certificate.ts";
import { aGate, clean } from "../support/gate.ts";
import { aServer, ask } from "../support/http.ts";

const target = "/Microsoft-Server-ActiveSync?Cmd=Sync&User=alice&DeviceId=GOOD1&DeviceType=iPhone";
const authorization = `Basic ${Buffer.from("alice:alice-Pw-1").toString("base64")}`;

/** How long the gate leaves a connection open that sends this and then nothing. */
function openForMs(port: number, bytes: string): Promise<number> {
  return new Promise((resolve) => {
    const started = performance.now();
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => resolve(performance.now() - started));
    socket.on("connect", () => socket.write(bytes));
    socket.resume();
  });
}

test("a head that does not end is cut, and two hundred of them keep nobody waiting", async (t) => {
  const upstream = await aServer(t, (_req, res) => res.end("mail"));
  const gate = await aGate(t, { upstream: upstream.url, config: "" });
  await gate.reports("GOOD1", clean);
  const half = `POST ${target} HTTP/1.1\r\nHost: mail.example\r\nX-Slow: `;
  const slow = Array.from({ length: 199 }, () => openForMs(gate.app.mail.port, half));
  const started = performance.now();
  const answer = await ask(gate.url + target, { method: "POST", headers: { Authorization: authorization } });
  assert.equal(answer.body.toString(), "mail");
  assert.ok(performance.now() - started < 2000);
  for (const ms of await Promise.all(slow)) assert.ok(ms < 8000, `cut after ${ms} ms`);
});

suite("a connection that brings no request is cut", { concurrency: true }, () => {
  test("one that says nothing", async (t) => {
    const gate = await aGate(t);
    const ms = await openForMs(gate.app.mail.port, "");
    assert.ok(ms >= 4000 && ms < 10_000, `cut after ${ms} ms`);
  });

  test("one that sends empty lines", async (t) => {
    const gate = await aGate(t);
    const socket = net.connect(gate.app.mail.port, "127.0.0.1");
    socket.on("error", () => {});
    const timer = setInterval(() => socket.write("\r\n"), 500);
    t.after(() => {
      clearInterval(timer);
      socket.destroy();
    });
    await new Promise((resolve) => {
      socket.once("close", resolve);
    });
  });

  test("one that begins TLS and goes no further", async (t) => {
    const listener = await listen({
      gateway: () => Promise.resolve(),
      upgrade: () => {},
      host: "127.0.0.1",
      port: 0,
      tls: aCertificate(),
      maxConnections: 10,
      maxConnectionsPerAddress: 10,
      isTrustedProxy: () => false,
      onCut: () => {},
    });
    t.after(() => listener.destroy());
    // The start of a ClientHello.
    const ms = await openForMs(listener.address.port, "\u0016\u0003\u0001\u0000");
    assert.ok(ms >= 9000 && ms < 20_000, `cut after ${ms} ms`);
  });

  test("but not one whose request takes three seconds to come", async (t) => {
    const upstream = await aServer(t, (_req, res) => res.end("mail"));
    const gate = await aGate(t, { upstream: upstream.url });
    const socket = net.connect(gate.app.mail.port, "127.0.0.1");
    t.after(() => socket.destroy());
    await once(socket, "connect");
    for (const part of ["OPTIONS /Microsoft-Server-", "ActiveSync HTTP/1.1\r\n", "Host: x\r\n"]) {
      socket.write(part);
      await setTimeout(1000);
    }
    socket.write("\r\n");
    await once(socket, "readable");
    assert.match(String(socket.read()), /^HTTP\/1.1 200 /);
  });
});

test("a body that comes byte by byte is cut, while upstream and others go on", async (t) => {
  const upstream = await aServer(t, (req, res) => {
    req.on("error", () => {});
    req.resume();
    req.on("end", () => res.end("mail"));
  });
  const gate = await aGate(t, { upstream: upstream.url });
  await gate.reports("GOOD1", clean);
  const head = `POST ${target} HTTP/1.1\r\nHost: mail.example\r\nAuthorization: ${authorization}\r\nContent-Length: 100000\r\n\r\n`;
  const open = openForMs(gate.app.mail.port, `${head}x`);
  const ms = await open;
  assert.ok(ms >= 9000 && ms < 14_000, `cut after ${ms} ms`);
});

test("one address gets as many connections as it may have, and not one more", async (t) => {
  const gate = await aGate(t, { config: "", env: { POSTERN_MAIL_LIMITS_MAX_CONNECTIONS_PER_ADDRESS: "3" } });
  const sockets = await Promise.all(
    Array.from(
      { length: 3 },
      () =>
        new Promise<net.Socket>((resolve) => {
          const socket = net.connect(gate.app.mail.port, "127.0.0.1", () => resolve(socket));
        }),
    ),
  );
  assert.ok((await openForMs(gate.app.mail.port, "")) < 1000);
  for (const socket of sockets) {
    assert.equal(socket.destroyed, false);
    socket.destroy();
  }
});
