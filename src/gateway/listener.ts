/** The mail listener: strict HTTP, bounded in every direction, and patient only with requests that wait. */
import http from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Gateway } from "./gateway.ts";
import { createSlowClients } from "./slow-clients.ts";

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
/** Longer than the minute after which phones and load balancers give an idle connection up. */
const idleTimeoutMs = 65_000;

export async function listen(options: ListenerOptions): Promise<Listener> {
  const { gateway, tls, maxConnections } = options;
  const slow = createSlowClients();
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
    slow.watch(req, res);
    void gateway(req, res);
  };
  const server: Server =
    tls === undefined
      ? http.createServer(serverOptions, handle)
      : https.createServer({ ...serverOptions, ...tls, minVersion: "TLSv1.2" }, handle);
  // Lines beyond a limit would be dropped in silence, and the gate would read less than upstream: they are counted instead.
  server.maxHeadersCount = 0;
  server.maxConnections = maxConnections;
  const sockets = watchConnections(server, options);

  server.on("upgrade", (req: IncomingMessage, socket: Socket, head: Buffer) => {
    options.upgrade(req, socket, head);
  });
  server.on("connect", (_req: IncomingMessage, socket: Socket) => refuseRaw(socket));
  server.on("clientError", (_error: Error, socket: Socket) => refuseRaw(socket));

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      server.off("error", reject);
      resolve();
    });
  });

  return {
    address: addressOf(server.address()),
    connections: () => sockets.size,
    drain(): Promise<void> {
      slow.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
    },
    destroy(): void {
      slow.close();
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function watchConnections(
  server: Server,
  { maxConnectionsPerAddress, isTrustedProxy }: ListenerOptions,
): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const perAddress = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const count = (perAddress.get(address) ?? 0) + 1;
    if (count > maxConnectionsPerAddress && !isTrustedProxy(address)) {
      socket.destroy();
      return;
    }
    perAddress.set(address, count);
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left === 0) perAddress.delete(address);
      else perAddress.set(address, left);
    });
  });
  return sockets;
}

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
}

function addressOf(address: AddressInfo | string | null): Listener["address"] {
  if (address === null || typeof address === "string") throw new Error("the listener has no address");
  return { host: address.address, port: address.port };
}
