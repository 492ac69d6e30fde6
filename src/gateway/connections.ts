/**
 * The connections of clients. Each network has so many of them, and each of them is worked for by one request at a time: answers
 * go down in the order of their requests anyway (RFC 9112, 9.3.2), so whoever sends ahead gains no place upstream by it.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { networkOf } from "./network.ts";

/** Why a connection was ended before its time; a word of a closed list, for the numbers. */
export type CutCause =
  /** One network has as many as it may have. */
  | "too-many"
  /** More requests were sent ahead than are kept. */
  | "sent-ahead"
  /** No whole head came in time, or nothing at all after an answer. */
  | "idle"
  | "slow-body"
  /** Nobody takes the answer. */
  | "unread-answer"
  /** No HTTP that can be read in one way. */
  | "unreadable";

/**
 * 8 requests behind the one that is worked on: mail clients send none ahead, programs in front of the gate a few. What is sent
 * ahead of that is not looked at: the connection closes behind the last of them, and the client knows which were not answered.
 */
const SENT_AHEAD_LIMIT = 8;
/** 64 KiB may still come in meanwhile: one read brings as much, and the parser does not stop within one. */
const UNREGARDED_LIMIT_BYTES = 65_536;

export interface ConnectionsOptions {
  readonly perNetwork: number;
  /** Proxies of our own bring the connections of many. */
  readonly isTrustedProxy: (address: string) => boolean;
  /** How long a connection may say nothing that is a request. */
  readonly idleMs: number;
  readonly onCut: (cause: CutCause) => void;
}

export interface Connections {
  /** Works on the request once all earlier ones of its connection have their answers. */
  take(req: IncomingMessage, res: ServerResponse, work: () => void): void;
  /** Whether what is said on the connection now would be read as the answer to a request that has another one coming. */
  isBusy(socket: Socket): boolean;
  /** The connection speaks another protocol from now on. */
  release(socket: Socket): void;
  size(): number;
  destroyAll(): void;
  /** Stops to look for idle ones. */
  close(): void;
}

interface Connection {
  readonly waiting: (() => void)[];
  worksOn: { readonly req: IncomingMessage; readonly res: ServerResponse } | undefined;
  idleSince: number;
  /** Set once more was sent ahead than is kept: how many bytes had been read then. */
  overrunAtBytes: number | undefined;
}

const checkIntervalMs = 1000;

export function watchConnections(
  server: Server,
  { perNetwork, isTrustedProxy, idleMs, onCut }: ConnectionsOptions,
): Connections {
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  /** Those that have brought a request. Before it Node's own limit on heads counts. */
  const connections = new Map<Socket, Connection>();

  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const network = networkOf(address);
    const count = (counts.get(network) ?? 0) + 1;
    if (count > perNetwork && !isTrustedProxy(address)) {
      onCut("too-many");
      socket.destroy();
      return;
    }
    counts.set(network, count);
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      const left = (counts.get(network) ?? 1) - 1;
      if (left === 0) counts.delete(network);
      else counts.set(network, left);
    });
  });

  function opened(socket: Socket): Connection {
    const before = connections.get(socket);
    if (before !== undefined) return before;
    const connection: Connection = {
      waiting: [],
      worksOn: undefined,
      idleSince: performance.now(),
      overrunAtBytes: undefined,
    };
    connections.set(socket, connection);
    // Nobody waits for the answers of those that were sent ahead.
    socket.once("close", () => {
      connection.waiting.length = 0;
      connections.delete(socket);
    });
    return connection;
  }

  function take(req: IncomingMessage, res: ServerResponse, work: () => void): void {
    const { socket } = req;
    const connection = opened(socket);
    const begin = (): void => {
      connection.worksOn = { req, res };
      res.once("close", () => {
        connection.worksOn = undefined;
        connection.idleSince = performance.now();
        // After an answer that closes the connection, what was sent behind its request is not looked at.
        const next = socket.writable ? connection.waiting.shift() : undefined;
        if (next !== undefined) next();
        else if (connection.overrunAtBytes !== undefined) socket.destroySoon();
      });
      work();
    };
    if (connection.worksOn === undefined && connection.overrunAtBytes === undefined) begin();
    else if (connection.waiting.length < SENT_AHEAD_LIMIT && connection.overrunAtBytes === undefined)
      connection.waiting.push(begin);
    else overrun(connection, socket);
  }

  function overrun(connection: Connection, socket: Socket): void {
    if (connection.overrunAtBytes === undefined) {
      onCut("sent-ahead");
      connection.overrunAtBytes = socket.bytesRead;
    } else if (socket.bytesRead - connection.overrunAtBytes > UNREGARDED_LIMIT_BYTES) {
      socket.destroy();
    }
  }

  // Node stops its own clock at the first byte behind an answer, and starts it again at the first byte of a head: in between a
  // client may send line ends for ever.
  const timer = setInterval(() => {
    const since = performance.now() - idleMs;
    for (const [socket, { worksOn, idleSince }] of connections) {
      if (worksOn !== undefined || idleSince > since) continue;
      onCut("idle");
      socket.destroy();
    }
  }, checkIntervalMs);
  timer.unref();

  return {
    take,
    isBusy(socket): boolean {
      const worksOn = connections.get(socket)?.worksOn;
      // A request whose body is still coming is the last one that was read: a fault in it is answered in its place.
      return worksOn !== undefined && (worksOn.req.complete || worksOn.res.headersSent);
    },
    release: (socket) => void connections.delete(socket),
    size: () => sockets.size,
    destroyAll(): void {
      for (const socket of sockets) socket.destroy();
    },
    close: () => clearInterval(timer),
  };
}
