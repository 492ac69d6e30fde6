/** The connections of clients: one request of each is worked on at a time, in order, and none is kept for nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { ServerResponse } from "node:http";
import net from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { watchConnections } from "../../src/gateway/connections.ts";
import type { CutCause } from "../../src/gateway/connections.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, clean } from "../support/gate.ts";
import { aServer, exchangeBytes } from "../support/http.ts";
import { basic, target } from "../hostile/wire.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

interface Worked {
  readonly port: number;
  /** The paths of the requests that were worked on, and the answer that each still waits for. */
  readonly begun: { readonly path: string; readonly res: ServerResponse }[];
  readonly cuts: readonly CutCause[];
}

async function aWatchedServer(t: TestContext, { perNetwork = 100, idleMs = 60_000 } = {}): Promise<Worked> {
  const begun: Worked["begun"] = [];
  const cuts: CutCause[] = [];
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (req, res) =>
    connections.take(req, res, () => begun.push({ path: req.url ?? "", res })),
  );
  const onCut = (cause: CutCause): void => void cuts.push(cause);
  const connections = watchConnections(server, { perNetwork, isTrustedProxy: () => false, idleMs, onCut });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    connections.close();
    connections.destroyAll();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address !== "string");
  return { port: address.port, begun, cuts };
}

async function aClient(t: TestContext, port: number): Promise<{ socket: net.Socket; received: () => string }> {
  const socket = net.connect(port, "127.0.0.1");
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return { socket, received: () => text };
}

/** Whatever is written to a socket that closes is an error, which is not what these tests are about. */
function closing(socket: net.Socket): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once("close", resolve);
  });
}

const bodies = (text: string): string[] => [...text.matchAll(/\r\n\r\n(\/[a-z]\d?)/g)].map(([, path = ""]) => path);

suite("requests that one client sends ahead", () => {
  test("a request behind one that waits is not worked on before that one has its answer", async (t) => {
    const { port, begun } = await aWatchedServer(t);
    const { socket, received } = await aClient(t, port);
    socket.write(get("/a") + get("/b"));
    await eventually(() => assert.equal(begun.length, 1));
    const other = await aClient(t, port);
    other.socket.write(get("/other"));
    // The other connection shows that there was time enough.
    await eventually(() => assert.equal(begun.length, 2));
    assert.deepEqual(
      begun.map(({ path }) => path),
      ["/a", "/other"],
    );
    begun[0]?.res.end("/a");
    await eventually(() => assert.equal(begun.at(-1)?.path, "/b"));
    begun.at(-1)?.res.end("/b");
    await eventually(() => assert.deepEqual(bodies(received()), ["/a", "/b"]));
  });

  test("as many as are kept are answered in their order, and the connection stays", async (t) => {
    const { port, begun, cuts } = await aWatchedServer(t);
    const { socket, received } = await aClient(t, port);
    const paths = Array.from({ length: 9 }, (_, index) => `/p${index}`);
    socket.write(paths.map(get).join(""));
    for (const path of paths) {
      await eventually(() => assert.equal(begun.at(-1)?.path, path));
      begun.at(-1)?.res.end(path);
    }
    await eventually(() => assert.deepEqual(bodies(received()), paths));
    socket.write(get("/later"));
    await eventually(() => assert.equal(begun.at(-1)?.path, "/later"));
    assert.deepEqual(cuts, []);
  });

  test("one more is not worked on, and the connection closes behind the others", async (t) => {
    const { port, begun, cuts } = await aWatchedServer(t);
    const { socket, received } = await aClient(t, port);
    const paths = Array.from({ length: 10 }, (_, index) => `/p${index}`);
    const closed = closing(socket);
    socket.write(paths.map(get).join(""));
    for (const path of paths.slice(0, 9)) {
      await eventually(() => assert.equal(begun.at(-1)?.path, path));
      begun.at(-1)?.res.end(path);
    }
    await closed;
    assert.deepEqual(bodies(received()), paths.slice(0, 9));
    assert.equal(begun.length, 9);
    assert.deepEqual(cuts, ["sent-ahead"]);
  });

  test("who goes on sending behind a request that waits loses the connection", async (t) => {
    const { port, begun } = await aWatchedServer(t);
    const { socket } = await aClient(t, port);
    const closed = closing(socket);
    let sent = 0;
    const flood = (): void => {
      while (!socket.destroyed && sent < 64 * 1_048_576) {
        const more = get("/x").repeat(1000);
        sent += more.length;
        if (!socket.write(more)) {
          socket.once("drain", flood);
          return;
        }
      }
    };
    flood();
    await closed;
    assert.equal(begun.length, 1);
    assert.ok(sent < 64 * 1_048_576, "everything was taken");
  });

  test("when the client leaves, nothing of what it has sent ahead is worked on", async (t) => {
    const { port, begun } = await aWatchedServer(t);
    const { socket } = await aClient(t, port);
    socket.write(get("/a") + get("/b"));
    await eventually(() => assert.equal(begun.length, 1));
    const gone = once(begun[0]?.res ?? socket, "close");
    socket.destroy();
    await gone;
    const other = await aClient(t, port);
    other.socket.write(get("/other"));
    await eventually(() => assert.equal(begun.length, 2));
    assert.equal(begun[1]?.path, "/other");
  });

  test("what stands behind a request that is refused is never looked at", async (t) => {
    const upstream = await aServer(t, (_req, res) => res.end("mail"));
    const gate = await aGate(t, { upstream: upstream.url });
    await gate.reports("PHONEA", clean);
    const good = `POST ${target("Sync")} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic()}\r\nContent-Length: 0\r\n\r\n`;
    const answers = await exchangeBytes(gate.app.mail.port, `GET /mail/%zz HTTP/1.1\r\nHost: x\r\n\r\n${good}`);
    assert.match(answers, /^HTTP\/1.1 400 /);
    assert.equal(answers.match(/HTTP\/1.1/g)?.length, 1);
    assert.deepEqual(upstream.seen, []);
  });

  for (const [what, bytes] of [
    ["another protocol", "GET /mail/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ["a tunnel", "CONNECT x:25 HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["no HTTP", "\u0000\r\n\r\n"],
  ] as const) {
    test(`who asks for ${what} behind a request that waits gets no answer that could be taken for that one's`, async (t) => {
      const upstream = await aServer(t, () => {
        // Never answered.
      });
      const gate = await aGate(t, { upstream: upstream.url });
      const { socket, received } = await aClient(t, gate.app.mail.port);
      socket.write("OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: x\r\n\r\n");
      await eventually(() => assert.equal(upstream.seen.length, 1));
      const closed = closing(socket);
      socket.write(bytes);
      await closed;
      assert.equal(received(), "");
      const metrics = await (await fetch(`${gate.app.admin.url}/metrics`)).text();
      if (what === "no HTTP") assert.match(metrics, /postern_cut_connections_total\{cause="unreadable"\} 1/);
    });
  }
});

suite("connections that say nothing", () => {
  test("line ends behind an answer do not keep a connection open", async (t) => {
    const { port, begun, cuts } = await aWatchedServer(t, { idleMs: 300 });
    const { socket } = await aClient(t, port);
    socket.write(get("/a"));
    await eventually(() => assert.equal(begun.length, 1));
    begun[0]?.res.end("/a");
    const trickle = setInterval(() => socket.write("\r\n"), 50);
    t.after(() => clearInterval(trickle));
    await closing(socket);
    assert.deepEqual(cuts, ["idle"]);
  });

  test("a request that waits is not idle, however long it waits", async (t) => {
    const { port, begun, cuts } = await aWatchedServer(t, { idleMs: 300 });
    const waiting = await aClient(t, port);
    waiting.socket.write(get("/a"));
    const idle = await aClient(t, port);
    idle.socket.write(get("/b"));
    await eventually(() => assert.equal(begun.length, 2));
    begun.find(({ path }) => path === "/b")?.res.end();
    await closing(idle.socket);
    assert.deepEqual(cuts, ["idle"]);
    assert.equal(waiting.socket.closed, false);
  });
});

test("one network gets as many connections as it may have, and not one more", async (t) => {
  const { port, cuts } = await aWatchedServer(t, { perNetwork: 3 });
  const three = await Promise.all([1, 2, 3].map(() => aClient(t, port)));
  const fourth = await aClient(t, port);
  await closing(fourth.socket);
  assert.deepEqual(cuts, ["too-many"]);
  assert.ok(three.every(({ socket }) => !socket.closed));
  const left = three[0];
  assert.ok(left !== undefined);
  left.socket.destroy();
  // Its place is free again.
  await eventually(async () => {
    const next = await aClient(t, port);
    next.socket.write(get("/a"));
    await once(next.socket, "data", { signal: AbortSignal.timeout(1000) }).catch(() => {});
    assert.equal(next.socket.closed, false);
  });
});
