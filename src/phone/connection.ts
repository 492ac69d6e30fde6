/** HTTP as a phone speaks it: one server, a few kept connections, whole answers of limited size. */
import { request as requestPlain, Agent as PlainAgent, type IncomingMessage } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { PhoneError, type PhoneErrorCode } from "./errors.ts";

/** Larger than any mail that a server lets through, small enough for every machine. Holds for packed and unpacked bytes. */
export const answerLimitBytes = 64 * 1024 * 1024;
const connectTimeoutMs = 15_000;

export interface ConnectionOptions {
  readonly url: URL;
  readonly ca: string | undefined;
  /** Accepts every certificate: only for looking at a server of one's own. */
  readonly insecure: boolean;
}

interface HttpRequest {
  readonly method: "OPTIONS" | "POST";
  /** Without the "?". */
  readonly query: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly httpStatus: number;
  header(name: string): string | undefined;
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

export interface Connection {
  /** Undefined where `signal` ended it. @throws PhoneError */
  send(request: HttpRequest): Promise<HttpAnswer | undefined>;
  close(): void;
}

export function openConnection({ url, ca, insecure }: ConnectionOptions): Connection {
  const secure = url.protocol === "https:";
  const agent = secure
    ? new TlsAgent({ keepAlive: true, rejectUnauthorized: !insecure, ...(ca === undefined ? {} : { ca }) })
    : new PlainAgent({ keepAlive: true });
  const open = secure ? requestTls : requestPlain;

  function sendOnce(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const path = url.pathname + (request.query === undefined ? "" : `?${request.query}`);
      const length = request.body?.length ?? 0;
      // Some servers answer 500 to a POST that does not say its length, even where there is nothing to send.
      const headers = {
        ...request.headers,
        ...(request.method === "POST" ? { "Content-Length": String(length) } : {}),
      };
      const outgoing = open(url, { method: request.method, path, headers, agent, signal });
      let connecting: NodeJS.Timeout | undefined;
      outgoing.on("socket", (socket) => {
        if (!socket.connecting) return;
        const late = new PhoneError("unreachable", `${url.host} does not answer`);
        connecting = setTimeout(() => outgoing.destroy(late), connectTimeoutMs);
        socket.once("connect", () => clearTimeout(connecting));
      });
      outgoing.on("error", (cause) => {
        clearTimeout(connecting);
        reject(outgoing.reusedSocket && isReset(cause) ? new StaleConnection(cause) : cause);
      });
      outgoing.on("response", (incoming) => {
        readAnswer(incoming).then(resolve, reject);
      });
      outgoing.end(request.body);
    });
  }

  return {
    async send(request) {
      const timeout = AbortSignal.timeout(request.timeoutMs);
      const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
      // A kept connection may have been closed by the server without a word: then the request never arrived, and one
      // try per kept connection finds a fresh one.
      for (;;) {
        try {
          return await sendOnce(request, signal);
        } catch (cause) {
          if (request.signal?.aborted === true) return undefined;
          if (timeout.aborted) throw new PhoneError("timeout", `no answer within ${request.timeoutMs} ms`, cause);
          if (!(cause instanceof StaleConnection)) throw asPhoneError(cause);
        }
      }
    },
    close: () => agent.destroy(),
  };
}

class StaleConnection extends Error {
  constructor(cause: unknown) {
    super("the kept connection was gone", { cause });
  }
}

function readAnswer(incoming: IncomingMessage): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= answerLimitBytes) return;
      incoming.destroy(new PhoneError("answer-too-large", `the answer is longer than ${answerLimitBytes} bytes`));
    });
    incoming.on("error", reject);
    incoming.on("end", () => {
      const packed = Buffer.concat(chunks);
      const encoded = incoming.headers["content-encoding"] === "gzip" && packed.length > 0;
      (encoded ? unpack(packed) : Promise.resolve(packed)).then((body) => resolve(asAnswer(incoming, body)), reject);
    });
  });
}

function asAnswer(incoming: IncomingMessage, body: Buffer): HttpAnswer {
  return {
    httpStatus: incoming.statusCode ?? 0,
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    cookies: incoming.headers["set-cookie"] ?? [],
    body,
  };
}

async function unpack(packed: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(packed, { maxOutputLength: answerLimitBytes });
  } catch (cause) {
    const tooLarge = codeOf(cause) === "ERR_BUFFER_TOO_LARGE";
    throw new PhoneError(
      tooLarge ? "answer-too-large" : "answer-unreadable",
      "the gzip answer cannot be unpacked",
      cause,
    );
  }
}

function asPhoneError(cause: unknown): PhoneError {
  if (cause instanceof PhoneError) return cause;
  const code = codeOf(cause) ?? "";
  return new PhoneError(errorCodeFor(code), code === "" ? String(cause) : code, cause);
}

function errorCodeFor(code: string): PhoneErrorCode {
  if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT)$/u.test(code)) {
    return "unreachable";
  }
  if (/CERT|TLS|SSL|^EPROTO$|SELF_SIGNED|UNABLE_TO/u.test(code)) return "tls";
  if (code.startsWith("HPE_")) return "answer-unreadable";
  return "connection-lost";
}

function isReset(cause: unknown): boolean {
  return codeOf(cause) === "ECONNRESET" || codeOf(cause) === "EPIPE";
}

function codeOf(cause: unknown): string | undefined {
  // Where a name has several addresses and none answers, the errors arrive bundled.
  if (cause instanceof AggregateError) return codeOf(cause.errors[0]);
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}
