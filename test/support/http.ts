/** HTTP at the level of bytes: servers that say exactly what a test wants, and clients that send exactly what an attacker would. */
import http from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import net from "node:net";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Every request as it came. */
  readonly seen: readonly Seen[];
  readonly sockets: ReadonlySet<net.Socket>;
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
}

export async function aServer(t: TestContext, handler: RequestListener): Promise<TestServer> {
  const seen: Seen[] = [];
  const sockets = new Set<net.Socket>();
  const server = http.createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    seen.push({ method: req.method ?? "", url: req.url ?? "", rawHeaders: req.rawHeaders });
    handler(req, res);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const port = await listening(server);
  t.after(() => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${port}`, port, seen, sockets };
}

/** A server that speaks bytes. */
export async function aRawServer(
  t: TestContext,
  onConnection: (socket: net.Socket) => void,
): Promise<{ readonly url: string; readonly port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  const port = await listening(server);
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${port}`, port };
}

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  return address.port;
}

/** Sends bytes and collects what comes back until the other side ends, or until `until` is in it. */
export function exchangeBytes(port: number, bytes: string | Buffer, until?: string | RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    let received = "";
    const done = (): void => {
      socket.destroy();
      resolve(received);
    };
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (until !== undefined && (typeof until === "string" ? received.includes(until) : until.test(received))) done();
    });
    socket.on("end", done);
    socket.on("close", done);
    socket.on("error", (error) => (received === "" ? reject(error) : done()));
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export function ask(
  url: string,
  options: http.RequestOptions & { readonly body?: Buffer | string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const { statusCode = 0, headers, rawHeaders } = incoming;
        resolve({ status: statusCode, headers, rawHeaders, body: Buffer.concat(chunks) });
      });
    });
    request.on("error", reject);
    request.end(options.body);
  });
}
