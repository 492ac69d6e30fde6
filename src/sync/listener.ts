/**
 * The inventory listener: where management systems and scripts speak to Postern. As strict as the mail listener, and it tells nobody
 * anything beyond a status: what is wrong with a request is for the log.
 */
import http from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import https from "node:https";
import type { Receiver, ReceiverAnswer } from "../inventory/connector.ts";

export interface InventoryListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly receiverOf: (source: string) => Receiver | undefined;
  /** Takes what was received; the answer says what became of it. */
  readonly take: (source: string, request: InventoryRequest) => Promise<ReceiverAnswer>;
  /** Served at /v1/openapi.json. */
  readonly openApi: string;
  readonly onAnswer: (source: string, httpStatus: number) => void;
  readonly onFailure: (cause: unknown) => void;
  readonly now: () => number;
  readonly limits?: { readonly requestsPerMinute: number; readonly refusedPerMinute: number };
}

export interface InventoryRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface InventoryListener {
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

const headLimitBytes = 16_384;
const headTimeoutMs = 5000;
const requestTimeoutMs = 60_000;
const CONNECTIONS_LIMIT = 500;
/** 64 MiB: a dozen of the largest pushes at once. */
const BODIES_LIMIT_BYTES = 67_108_864;
const TARGET_LIMIT = 1024;
const HEADER_LINES_LIMIT = 100;
/** Requests of one address in a minute, and those of them that may be refused. */
const REQUESTS_PER_MINUTE_LIMIT = 6000;
const REFUSED_PER_MINUTE_LIMIT = 60;
/** Addresses that are remembered. */
const ADDRESSES_LIMIT = 10_000;
const RETRY_AFTER_SECONDS = 5;
const minuteMs = 60_000;

const methods: ReadonlySet<string> = new Set(["POST", "PUT", "DELETE"]);

export async function listenInventory(options: InventoryListenerOptions): Promise<InventoryListener> {
  const { tls, receiverOf, onAnswer, now } = options;
  const counts = createCounts(now, {
    requests: options.limits?.requestsPerMinute ?? REQUESTS_PER_MINUTE_LIMIT,
    refused: options.limits?.refusedPerMinute ?? REFUSED_PER_MINUTE_LIMIT,
  });

  const bodies = createBodies();

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const address = req.socket.remoteAddress ?? "";
    const target = req.url ?? "";
    if (req.method === "GET") {
      if (target === "/livez") return send(res, 200, undefined, "ok\n");
      if (target === "/v1/openapi.json") return send(res, 200, undefined, options.openApi, "application/json");
      return send(res, 404);
    }
    const place = placeOf(target);
    const receiver = place === undefined ? undefined : receiverOf(place.source);
    const label = receiver === undefined || place === undefined ? "" : place.source;
    const answer = (httpStatus: number, headers?: ReadonlyMap<string, string>, body?: unknown): void => {
      onAnswer(label, httpStatus);
      if (httpStatus === 401 || httpStatus === 403 || httpStatus === 404) counts.refused(address);
      // What was not read of a body would be read as the next request.
      if (!req.complete) res.setHeader("connection", "close");
      if (body === undefined) send(res, httpStatus, headers);
      else send(res, httpStatus, headers, JSON.stringify(body), "application/json");
    };
    const waitSeconds = counts.request(address);
    if (waitSeconds > 0) return answer(429, new Map([["retry-after", String(waitSeconds)]]));
    if (place === undefined || receiver === undefined || !methods.has(req.method ?? "")) return answer(404);
    const headers = headersOf(req);
    if (headers === undefined) return answer(400);
    if ((headers.get("content-encoding") ?? "identity") !== "identity") return answer(415);
    const body = await bodies.read(req, receiver.bodyLimitBytes);
    if (body.kind === "too-large") return answer(413);
    if (body.kind !== "whole") return answer(storeAway.httpStatus, storeAway.headers);
    const request = { method: req.method ?? "", path: place.path, headers, body: body.bytes };
    const given = await options.take(place.source, request);
    answer(given.httpStatus, given.headers, given.body);
  }

  const listener = (req: IncomingMessage, res: ServerResponse): void => {
    handle(req, res).catch((error: unknown) => {
      if (req.socket.destroyed || req.errored !== null) {
        res.destroy();
        return;
      }
      options.onFailure(error);
      onAnswer("", 500);
      if (!res.headersSent) send(res, 500);
    });
  };
  const serverOptions = {
    maxHeaderSize: headLimitBytes,
    headersTimeout: headTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 1000,
    requireHostHeader: true,
    insecureHTTPParser: false,
  };
  const server: Server =
    tls === undefined
      ? http.createServer(serverOptions, listener)
      : https.createServer({ ...serverOptions, ...tls, minVersion: "TLSv1.2", handshakeTimeout: 10_000 }, listener);
  server.maxHeadersCount = 0;
  server.maxConnections = CONNECTIONS_LIMIT;
  server.on("connect", (_req, socket) => socket.destroy());
  server.on("upgrade", (_req, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the inventory listener has no address");
  return {
    address: { host: address.address, port: address.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // What is under way may end; nobody waits for it longer than for a deployment.
        setTimeout(() => server.closeAllConnections(), 5000).unref();
      }),
  };
}

function send(
  res: ServerResponse,
  httpStatus: number,
  headers: ReadonlyMap<string, string> = new Map(),
  body = "",
  contentType = "text/plain",
): void {
  const bytes = Buffer.from(body);
  for (const [name, value] of headers) res.setHeader(name, value);
  if (bytes.length > 0) res.setHeader("content-type", contentType);
  res.writeHead(httpStatus, { "content-length": bytes.length, "cache-control": "no-store" });
  res.end(bytes);
}

/** One spelling for each place: no query, no dots, no empty segments, nothing encoded that need not be. */
function placeOf(target: string): { readonly source: string; readonly path: string } | undefined {
  if (target.length > TARGET_LIMIT) return undefined;
  const [, source, path = ""] =
    /^\/v1\/inventory\/([a-z0-9-]{1,64})((?:\/[A-Za-z0-9._~%@:!$&'()*+,;=-]+)*)$/.exec(target) ?? [];
  if (source === undefined) return undefined;
  const isCanonical = path.split("/").every((segment) => {
    try {
      const decoded = decodeURIComponent(segment);
      return decoded !== "." && decoded !== ".." && !/[\u0000-\u001f\u007f]/.test(decoded);
    } catch {
      return false;
    }
  });
  return isCanonical ? { source, path } : undefined;
}

/** Undefined where a name comes twice: two programs could read two different values. */
function headersOf({ rawHeaders }: IncomingMessage): ReadonlyMap<string, string> | undefined {
  if (rawHeaders.length > HEADER_LINES_LIMIT * 2) return undefined;
  const headers = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    if (headers.has(name)) return undefined;
    headers.set(name, rawHeaders[index + 1] ?? "");
  }
  return headers;
}

type Body = { readonly kind: "whole"; readonly bytes: Uint8Array } | { readonly kind: "too-large" | "no-room" };

/** Bodies of all requests together, which are held whole: whoever is not proven yet may send one. */
function createBodies(): { read(req: IncomingMessage, limitBytes: number): Promise<Body> } {
  let held = 0;
  return {
    read(req, limitBytes) {
      const { promise, resolve, reject } = Promise.withResolvers<Body>();
      if (Number(req.headers["content-length"] ?? 0) > limitBytes) return Promise.resolve({ kind: "too-large" });
      const chunks: Buffer[] = [];
      let bytes = 0;
      const end = (body: Body): void => {
        held -= bytes;
        bytes = 0;
        req.pause();
        req.removeAllListeners("data");
        resolve(body);
      };
      req.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        held += chunk.length;
        if (bytes > limitBytes) end({ kind: "too-large" });
        else if (held > BODIES_LIMIT_BYTES) end({ kind: "no-room" });
        else chunks.push(chunk);
      });
      req.once("end", () => end({ kind: "whole", bytes: Buffer.concat(chunks) }));
      req.once("error", (error) => {
        held -= bytes;
        bytes = 0;
        reject(error);
      });
      return promise;
    },
  };
}

interface Counts {
  /** Seconds to wait; 0 where there is room. */
  request(address: string): number;
  refused(address: string): void;
}

function createCounts(now: () => number, most: { readonly requests: number; readonly refused: number }): Counts {
  let beganAt = now();
  let counts = new Map<string, { requests: number; refused: number }>();
  const of = (address: string): { requests: number; refused: number } => {
    const at = now();
    if (at - beganAt >= minuteMs || at < beganAt) {
      beganAt = at;
      counts = new Map();
    }
    // Addresses beyond the limit are counted together.
    const name = counts.has(address) || counts.size < ADDRESSES_LIMIT ? address : "";
    const known = counts.get(name) ?? { requests: 0, refused: 0 };
    counts.set(name, known);
    return known;
  };
  return {
    request(address): number {
      const count = of(address);
      if (count.requests >= most.requests || count.refused >= most.refused) {
        return Math.max(1, Math.ceil((beganAt + minuteMs - now()) / 1000));
      }
      count.requests += 1;
      return 0;
    },
    refused(address): void {
      of(address).refused += 1;
    },
  };
}

export const storeAway: ReceiverAnswer = {
  httpStatus: 503,
  headers: new Map([["retry-after", String(RETRY_AFTER_SECONDS)]]),
};
