/** The mail listener: strict HTTP, bounded in every direction, and patient only with requests that wait. */
import http from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { watchConnections } from "./connections.ts";
import type { CutCause } from "./connections.ts";
import type { Gateway } from "./gateway.ts";
import { createSlowClients, SLOWEST } from "./slow-clients.ts";

export interface ListenerOptions {
  readonly gateway: Gateway;
  /** A request that asks for another protocol on its connection. */
  readonly upgrade: (req: IncomingMessage, socket: Socket, head: Buffer) => void;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Proxies of our own bring the connections of many. */
  readonly isTrustedProxy: (address: string) => boolean;
  /** Called when a connection is ended before its time. */
  readonly onCut: (cause: CutCause) => void;
}

export interface Listener {
  readonly address: { readonly host: string; readonly port: number };
  connections(): number;
  /** No new connections; those that are idle end; those at work end with their request. Resolves when all have ended. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  destroy(): void;
}

/** Bytes of a request's head: target and header lines. */
const headLimitBytes = 16_384;
/** A head comes in one piece from every mail client there is. */
const headTimeoutMs = 5000;
/** The last message of a handshake comes over the slowest network within this. */
const handshakeTimeoutMs = 10_000;
/** Longer than the minute after which phones and load balancers give an idle connection up. */
const idleTimeoutMs = 65_000;

export async function listen(options: ListenerOptions): Promise<Listener> {
  const { gateway, tls, maxConnections, onCut } = options;
  const slow = createSlowClients({ ...SLOWEST, onCut });
  const serverOptions = {
    maxHeaderSize: headLimitBytes,
    headersTimeout: headTimeoutMs,
    // No limit on a request as a whole: a Ping is held for an hour. Slow bodies are cut by their rate.
    requestTimeout: 0,
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: 1000,
    requireHostHeader: true,
    insecureHTTPParser: false,
    noDelay: true,
  };
  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    connections.take(req, res, () => {
      slow.watch(req, res);
      void gateway(req, res);
    });
  };
  const server: Server =
    tls === undefined
      ? http.createServer(serverOptions, handle)
      : https.createServer(
          { ...serverOptions, ...tls, minVersion: "TLSv1.2", handshakeTimeout: handshakeTimeoutMs },
          handle,
        );
  // Lines beyond a limit would be dropped in silence, and the gate would read less than upstream: they are counted instead.
  server.maxHeadersCount = 0;
  server.maxConnections = maxConnections;
  const connections = watchConnections(server, {
    perNetwork: options.maxConnectionsPerAddress,
    isTrustedProxy: options.isTrustedProxy,
    // Node waits for the first byte of a next head, then for the rest of it.
    idleMs: idleTimeoutMs + headTimeoutMs,
    onCut,
  });
  /** Nothing may be said on a connection whose earlier request still waits for its answer: it would be read as that. */
  const unlessBusy = (socket: Socket, say: () => void): void => {
    if (connections.isBusy(socket)) socket.destroy();
    else say();
  };

  server.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => {
    unlessBusy(socket, () => {
      connections.release(socket);
      options.upgrade(req, socket, head);
    });
  });
  server.on("connect", (_req: IncomingMessage, socket: Socket) => unlessBusy(socket, () => refuseRaw(socket)));
  server.on("clientError", (error: Error, socket: Socket) => {
    const code = "code" in error ? String(error.code) : "";
    // A client that is gone has not been cut.
    if (code !== "ECONNRESET") onCut(code === "ERR_HTTP_REQUEST_TIMEOUT" ? "idle" : "unreadable");
    // Before TLS has begun nothing can be said: words would wait for a handshake that does not come, and the connection with them.
    if (code.startsWith("HPE_") || code === "ERR_HTTP_REQUEST_TIMEOUT") unlessBusy(socket, () => refuseRaw(socket));
    else socket.destroy();
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      server.off("error", reject);
      resolve();
    });
  });

  return {
    address: addressOf(server.address()),
    connections: () => connections.size(),
    drain(): Promise<void> {
      slow.close();
      connections.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
    },
    destroy(): void {
      slow.close();
      connections.close();
      server.close();
      connections.destroyAll();
    },
  };
}

const refusalTimeoutMs = 5000;

/** What Node's parser refuses has no request to answer to. Generic words, and the connection ends. */
export function refuseRaw(socket: Socket, httpStatus = 400): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(
    `HTTP/1.1 ${httpStatus} ${http.STATUS_CODES[httpStatus] ?? "Error"}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  socket.once("finish", () => socket.destroy());
  // Nor is a client waited for that does not take it.
  setTimeout(() => socket.destroy(), refusalTimeoutMs).unref();
}

function addressOf(address: AddressInfo | string | null): Listener["address"] {
  if (address === null || typeof address === "string") throw new Error("the listener has no address");
  return { host: address.address, port: address.port };
}
