/** Who sends too slowly is cut, who keeps up the rate is not: before the answer and behind it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createSlowClients, SLOWEST } from "../../src/gateway/slow-clients.ts";
import type { CutCause } from "../../src/gateway/connections.ts";

interface Trickle {
  /** Called for each request. */
  readonly answer: (res: http.ServerResponse, req: http.IncomingMessage) => void;
  readonly bytesEach100Ms: number;
  readonly bodyBytes: number;
}

/** One client that sends a body in steps; resolves with why it was cut, or with nothing once the body was taken whole. */
async function trickled(t: TestContext, { answer, bytesEach100Ms, bodyBytes }: Trickle): Promise<readonly CutCause[]> {
  const cuts: CutCause[] = [];
  const slow = createSlowClients({
    ...SLOWEST,
    graceMs: 500,
    bytesPerSecond: 1000,
    checkIntervalMs: 50,
    onCut: (cause) => void cuts.push(cause),
  });
  const over = Promise.withResolvers<void>();
  const server = http.createServer((req, res) => {
    slow.watch(req, res);
    req.on("error", () => {});
    req.once("end", () => over.resolve());
    answer(res, req);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address !== "string");
  const socket = net.connect(address.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${bodyBytes}\r\n\r\n`);
  let left = bodyBytes;
  const timer = setInterval(() => {
    const bytes = Math.min(left, bytesEach100Ms);
    left -= bytes;
    if (bytes > 0) socket.write("x".repeat(bytes));
  }, 100);
  t.after(() => {
    clearInterval(timer);
    socket.destroy();
    slow.close();
    server.close();
  });
  // Bytes on their way to a connection that was cut are an error, which is not what is looked for.
  socket.once("close", () => over.resolve());
  await over.promise;
  return cuts;
}

const read: Trickle["answer"] = (_res, req) => void req.resume();
const early: Trickle["answer"] = (res, req) => {
  res.end("early");
  req.resume();
};

for (const [when, answer] of [
  ["before its answer", read],
  ["behind an early answer", early],
] as const) {
  test(`a body that comes too slowly ${when} is cut`, async (t) => {
    assert.deepEqual(await trickled(t, { answer, bytesEach100Ms: 10, bodyBytes: 100_000 }), ["slow-body"]);
  });

  // Four times the rate, so that a machine that is busy does not make it a slow one.
  test(`a body that keeps up the rate ${when} is taken to its end`, async (t) => {
    assert.deepEqual(await trickled(t, { answer, bytesEach100Ms: 400, bodyBytes: 6000 }), []);
  });
}
