import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createArrive } from "../../src/gateway/accept.ts";
import { createOwnPages } from "../../src/gateway/own-pages.ts";
import type { PageStream, Pages } from "../../src/gateway/own-pages.ts";
import { eventually } from "../support/eventually.ts";
import { aServer } from "../support/http.ts";

const arrive = createArrive({ isTrustedProxy: () => false, hosts: new Set() });

async function aListener(t: TestContext, pages: Pages): Promise<number> {
  const own = createOwnPages(pages);
  const { port } = await aServer(t, (req, res) => void own.answer(arrive(req), req, res));
  return port;
}

interface Streaming {
  readonly stream: PageStream;
  readonly isClosed: () => boolean;
  readonly socket: net.Socket;
}

async function aStream(t: TestContext): Promise<Streaming> {
  let opened: PageStream | undefined;
  let closed = false;
  const port = await aListener(t, async () => ({
    kind: "stream",
    headers: [["Content-Type", "text/event-stream"]],
    open(stream): void {
      opened = stream;
      stream.onClose(() => (closed = true));
    },
  }));
  const socket = net.connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.write("GET /postern/x HTTP/1.1\r\nHost: x\r\n\r\n");
  const stream = await eventually(() => {
    assert.ok(opened !== undefined);
    return opened;
  });
  return { stream, isClosed: () => closed, socket };
}

test("whoever takes what is sent gets all of it, however much it is", async (t) => {
  const { stream, isClosed, socket } = await aStream(t);
  let received = 0;
  socket.on("data", (chunk: Buffer) => (received += chunk.byteLength));
  for (let count = 1; count <= 200; count += 1) {
    stream.send("x".repeat(32_768));
    await eventually(() => assert.ok(received >= count * 32_768));
  }
  assert.equal(isClosed(), false);
  stream.end();
  await eventually(() => assert.equal(isClosed(), true));
});

test("whoever takes nothing is cut off, and does not fill the memory", async (t) => {
  const { stream, isClosed, socket } = await aStream(t);
  socket.pause();
  let sent = 0;
  await eventually(() => {
    stream.send("x".repeat(65_536));
    sent += 65_536;
    assert.equal(isClosed(), true);
  }, 20_000);
  // The operating systems between the two take some megabytes at most.
  assert.ok(sent < 64 * 1_048_576, String(sent));
});

test("a client that has left before its stream was opened is told of once, and what is sent to it goes nowhere", async (t) => {
  let release: (() => void) | undefined;
  let closed = 0;
  const port = await aListener(t, async () => {
    await new Promise<void>((resolve) => (release = resolve));
    return {
      kind: "stream",
      headers: [],
      open(stream): void {
        stream.onClose(() => (closed += 1));
        stream.send("x");
        stream.end();
      },
    };
  });
  const request = http.get(`http://127.0.0.1:${port}/postern/x`);
  request.on("error", () => undefined);
  const go = await eventually(() => {
    assert.ok(release !== undefined);
    return release;
  });
  request.destroy();
  await new Promise((resolve) => request.once("close", resolve));
  go();
  await eventually(() => assert.equal(closed, 1));
});
