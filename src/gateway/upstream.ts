/** One mail server behind the gate: the connections to it, and whole exchanges with it that the gate itself makes. */
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { ReadAnswerHeaders } from "./answer-headers.ts";
import { UpstreamFailure } from "./errors.ts";
import type { UpstreamAnswer } from "./protocol.ts";

export interface UpstreamOptions {
  readonly url: URL;
  /** PEM. Undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  readonly connectTimeoutMs: number;
  /** From the last byte of the request to the answer: long polls wait up to 59 minutes. */
  readonly responseTimeoutMs: number;
  /** Idle connections are dropped before the server drops them without saying so. */
  readonly idleSocketMs: number;
  readonly answerHeaders: ReadAnswerHeaders;
}

export interface Upstream {
  readonly url: URL;
  readonly responseTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly answerHeaders: ReadAnswerHeaders;
  /** Shared by all requests. */
  readonly agent: http.Agent;
  /**
   * A connection of its own for a client's connection. NTLM and Negotiate authenticate a connection, not a request:
   * whoever shares it reads the mail of whoever logged in on it. Once a client has begun to log in (`binds`), every later
   * request on its connection belongs to that login, whether it says so or not.
   */
  pinFor(connection: Socket, binds: boolean): http.Agent | undefined;
  /** A whole request and its whole answer. @throws UpstreamFailure */
  exchange(request: UpstreamRequest): Promise<UpstreamAnswer>;
  close(): void;
}

interface UpstreamRequest {
  readonly method: string;
  /** Canonical path and query. */
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | undefined;
  readonly answerLimitBytes: number;
  readonly timeoutMs: number;
  readonly agent?: http.Agent | undefined;
}

export function createUpstream(options: UpstreamOptions): Upstream {
  const { url, ca, idleSocketMs, answerHeaders } = options;
  const transport = url.protocol === "https:" ? https : http;
  const agentOptions = {
    keepAlive: true,
    // No cap: a held Ping occupies a connection for an hour, and a cap would hang everybody behind 256 of them.
    // The number of clients is limited where they are accepted.
    maxSockets: Infinity,
    maxFreeSockets: 256,
    timeout: idleSocketMs,
    ...(ca === undefined ? {} : { ca }),
  };
  const agent = new transport.Agent(agentOptions);
  const base = url.pathname.replace(/\/$/, "");

  const pins = new WeakMap<Socket, http.Agent>();

  function pinFor(connection: Socket, binds: boolean): http.Agent | undefined {
    const existing = pins.get(connection);
    if (existing !== undefined || !binds) return existing;
    const pin = new transport.Agent({ ...agentOptions, maxSockets: 1, maxFreeSockets: 1, timeout: 0 });
    pins.set(connection, pin);
    connection.once("close", () => pin.destroy());
    return pin;
  }

  function exchange(request: UpstreamRequest): Promise<UpstreamAnswer> {
    return new Promise((resolve, reject) => {
      const headers = Object.fromEntries(request.headers);
      if (request.body !== undefined) headers["content-length"] = String(request.body.byteLength);
      const outgoing = transport.request({
        ...(ca === undefined ? {} : { ca }),
        protocol: url.protocol,
        hostname: url.hostname.replaceAll(/^\[|\]$/g, ""),
        port: url.port === "" ? undefined : url.port,
        method: request.method,
        path: base + request.target,
        headers,
        agent: request.agent ?? agent,
      });
      const timer = setTimeout(() => {
        outgoing.destroy(new UpstreamFailure("upstream-timeout", undefined));
      }, request.timeoutMs);
      const fail = (cause: unknown): void => {
        clearTimeout(timer);
        reject(cause instanceof UpstreamFailure ? cause : new UpstreamFailure("upstream-unreachable", cause));
      };
      outgoing.on("error", fail);
      // An upstream that changes the protocol has not answered.
      outgoing.on("upgrade", (_incoming, socket) => {
        socket.destroy();
        fail(new UpstreamFailure("upstream-answer-refused", "protocol changed"));
      });
      outgoing.on("response", (incoming) => {
        const chunks: Buffer[] = [];
        let length = 0;
        incoming.on("data", (chunk: Buffer) => {
          length += chunk.byteLength;
          chunks.push(chunk);
          if (length > request.answerLimitBytes) {
            incoming.destroy(new UpstreamFailure("upstream-answer-refused", "answer too large"));
          }
        });
        incoming.on("error", fail);
        incoming.on("end", () => {
          clearTimeout(timer);
          const answered = answerHeaders(incoming.rawHeaders, request.headers);
          resolve({
            httpStatus: incoming.statusCode ?? 502,
            reason: incoming.statusMessage,
            headers: answered,
            body: Buffer.concat(chunks),
          });
        });
      });
      outgoing.end(request.body);
    });
  }

  return {
    url,
    responseTimeoutMs: options.responseTimeoutMs,
    connectTimeoutMs: options.connectTimeoutMs,
    answerHeaders,
    agent,
    pinFor,
    exchange,
    close: () => agent.destroy(),
  };
}
