/**
 * What fake management systems are made of: an HTTP server on loopback with routes, scripted faults, and a count of who called what and
 * how many at once. A connector's own fake says its system's words on top of it.
 */
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";

export interface FakeRequest {
  readonly method: string;
  /** Decoded as a URL has it, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface FakeAnswer {
  readonly httpStatus?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is bytes. */
  readonly body?: unknown;
}

export type FakeRoute = (request: FakeRequest) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>;

/** What goes wrong with the next call that it is for. */
export type Fault =
  | ({ readonly kind: "answer" } & FakeAnswer)
  /** The right answer, of which the second half is missing. */
  | { readonly kind: "truncate" }
  /** No answer, until the caller has gone. */
  | { readonly kind: "stall" }
  /** The connection ends without an answer. */
  | { readonly kind: "reset" };

export interface FakeSource {
  readonly url: string;
  readonly calls: readonly FakeRequest[];
  /** The most that were under way at once. */
  readonly mostAtOnce: () => number;
  /** Calls under way now. */
  readonly underWay: () => number;
  /** The next `times` calls of `on` (path as a whole, or how it begins) go wrong so; without `on`, of any but the token's. */
  fail(fault: Fault, options?: { readonly times?: number; readonly on?: string | RegExp }): void;
  /** How many faults have not come about yet. */
  faultsLeft(): number;
  close(): Promise<void>;
}

/** @param tokenPath its calls are no system's own: faults without `on` leave them alone. */
export async function startFakeSource(
  route: FakeRoute,
  { tokenPath, gzip = false }: { readonly tokenPath?: string; readonly gzip?: boolean } = {},
): Promise<FakeSource> {
  const calls: FakeRequest[] = [];
  const faults: { fault: Fault; times: number; on: string | RegExp | undefined }[] = [];
  const sockets = new Set<Socket>();
  let underWay = 0;
  let most = 0;

  function faultFor(path: string): Fault | undefined {
    const found = faults.find(({ times, on }) => {
      if (times === 0) return false;
      if (on === undefined) return path !== tokenPath;
      return typeof on === "string" ? path.startsWith(on) : on.test(path);
    });
    if (found !== undefined) found.times -= 1;
    return found?.fault;
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    underWay += 1;
    most = Math.max(most, underWay);
    res.once("close", () => {
      underWay -= 1;
    });
    const url = new URL(req.url ?? "/", "http://fake");
    const chunks: Buffer[] = [];
    for await (const chunk of req) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const request: FakeRequest = {
      method: req.method ?? "",
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: req.headers,
      body: Buffer.concat(chunks),
    };
    calls.push(request);
    const fault = faultFor(request.path);
    switch (fault?.kind) {
      case "stall":
        return;
      case "reset":
        req.socket.destroy();
        return;
      case "answer":
        return give(res, fault, false);
      case "truncate":
      case undefined:
        return give(res, (await route(request)) ?? { httpStatus: 404 }, fault !== undefined);
    }
  }

  function give(res: ServerResponse, { httpStatus = 200, headers = {}, body }: FakeAnswer, isCut: boolean): void {
    const isJson = body !== undefined && !Buffer.isBuffer(body);
    const plain = Buffer.isBuffer(body) ? body : Buffer.from(body === undefined ? "" : JSON.stringify(body));
    const bytes = gzip && body !== undefined ? gzipSync(plain) : plain;
    const { date, ...rest } = headers;
    if (date !== undefined) res.sendDate = false;
    res.writeHead(httpStatus, {
      ...(isJson ? { "content-type": "application/json" } : {}),
      ...(gzip && body !== undefined ? { "content-encoding": "gzip" } : {}),
      ...(date === undefined ? {} : { date }),
      ...rest,
      ...(httpStatus === 204 ? {} : { "content-length": bytes.length }),
    });
    if (!isCut) {
      res.end(bytes);
      return;
    }
    res.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => res.destroy());
  }

  const server = http.createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      // A client that is gone is none of the test's business; whatever else is wrong must be seen.
      if (!res.headersSent) res.writeHead(500, { "x-fake-problem": String(error).replaceAll(/[^ -~]/g, "?") });
      res.end();
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no address");

  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    mostAtOnce: () => most,
    underWay: () => underWay,
    fail: (fault, { times = 1, on } = {}) => void faults.push({ fault, times, on }),
    faultsLeft: () => faults.reduce((sum, { times }) => sum + times, 0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A token endpoint of client credentials: counts what it gave, and knows which of them still counts. */
export interface FakeTokens {
  readonly route: FakeRoute;
  /** The tokens that were given, the last one last. */
  readonly given: readonly string[];
  /** Whether these headers have the newest token. */
  admits(request: FakeRequest): boolean;
  /** What was given counts no more, as after its time. */
  expire(): void;
}

export function createFakeTokens(
  path: string,
  { clientId, clientSecret, lifeSeconds = 3600 }: { clientId: string; clientSecret: string; lifeSeconds?: number },
): FakeTokens {
  const given: string[] = [];
  let valid: string | undefined;
  return {
    given,
    route(request): FakeAnswer | undefined {
      if (request.path !== path || request.method !== "POST") return undefined;
      const form = new URLSearchParams(request.body.toString());
      const isBasic =
        request.headers.authorization === `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
      const isForm = form.get("client_id") === clientId && form.get("client_secret") === clientSecret;
      if (form.get("grant_type") !== "client_credentials" || !(isBasic || isForm)) {
        return { httpStatus: 401, body: { error: "invalid_client" } };
      }
      valid = `token-${given.length + 1}-of-${clientId}`;
      given.push(valid);
      return { body: { access_token: valid, token_type: "Bearer", expires_in: lifeSeconds } };
    },
    admits: ({ headers }) => valid !== undefined && headers.authorization === `Bearer ${valid}`,
    expire(): void {
      valid = undefined;
    },
  };
}
