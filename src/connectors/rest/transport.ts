/**
 * One request, one answer, over HTTP/1.1. Bounded in time and size, and led nowhere: no redirect is followed here, no cookie kept.
 * On `node:https` and not on `fetch`, because the one that comes with Node takes no authorities of its own for a single server.
 */
import http from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import https from "node:https";
import { createGunzip } from "node:zlib";
import { ConnectorFailure } from "../../inventory/connector.ts";

export interface TransportOptions {
  /** PEM; undefined: the public authorities. */
  readonly ca: string | undefined;
  /** Milliseconds from the first word of a call to the last of its answer. */
  readonly timeoutMs: number;
  /** Bytes of an answer's body, unpacked. */
  readonly responseLimitBytes: number;
  /** Calls at once; more wait for a connection. */
  readonly concurrent: number;
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, where a proxy leads out of the company; undefined: none is used. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | undefined;
  /** How messages name it: no query, no id. */
  readonly name: string;
}

export interface IncomingAnswer {
  readonly httpStatus: number;
  /** Lower-case names; what came twice is joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface Transport {
  /** @throws ConnectorFailure `away` or `unreadable`; the reason of the signal, where that has ended */
  exchange(request: OutgoingRequest, signal: AbortSignal): Promise<IncomingAnswer>;
  /** Ends idle connections. */
  close(): void;
}

export function createTransport({
  ca,
  timeoutMs,
  responseLimitBytes,
  concurrent,
  proxyEnv,
}: TransportOptions): Transport {
  const common = {
    keepAlive: true,
    maxSockets: concurrent,
    ...(proxyEnv !== undefined && { proxyEnv: { ...proxyEnv } }),
  };
  const plain = new http.Agent(common);
  const secure = new https.Agent({
    ...common,
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca }),
  });

  async function exchange(request: OutgoingRequest, signal: AbortSignal): Promise<IncomingAnswer> {
    signal.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = AbortSignal.any([signal, timeout]);
    try {
      const incoming = await send(request, ended);
      const { statusCode: httpStatus = 0 } = incoming;
      return { httpStatus, headers: headersOf(incoming), body: await read(request, incoming, ended) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ConnectorFailure) throw error;
      if (timeout.aborted) throw new ConnectorFailure("away", `${request.name}: no whole answer in ${timeoutMs} ms`);
      // What Node says of a connection names hosts and ports only, and is worth reading; other messages may quote what was sent.
      throw new ConnectorFailure("away", `${request.name}: ${problemOf(error)}`);
    }
  }

  function send({ method, url, headers, body }: OutgoingRequest, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const isSecure = url.protocol === "https:";
      const options: RequestOptions = {
        method,
        signal,
        agent: isSecure ? secure : plain,
        headers: {
          "accept-encoding": "gzip",
          ...Object.fromEntries(headers),
          ...(body === undefined && method === "GET" ? {} : { "content-length": body?.byteLength ?? 0 }),
        },
      };
      const outgoing = isSecure ? https.request(url, options) : http.request(url, options);
      outgoing.once("response", resolve);
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }

  /** Counted as it is unpacked: a small answer may be a large one, packed. */
  async function read(request: OutgoingRequest, incoming: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
    const packing = incoming.headers["content-encoding"]?.toLowerCase() ?? "identity";
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: unknown): void => {
      if (!Buffer.isBuffer(chunk)) return;
      bytes += chunk.length;
      if (bytes > responseLimitBytes) {
        throw new ConnectorFailure("unreadable", `${request.name}: an answer of more than ${responseLimitBytes} bytes`);
      }
      chunks.push(chunk);
    };
    try {
      if (packing === "identity") for await (const chunk of incoming) take(chunk);
      else if (packing === "gzip") {
        const unpacked = createGunzip();
        incoming.once("error", (error) => unpacked.destroy(error));
        signal.addEventListener("abort", () => unpacked.destroy(), { once: true });
        for await (const chunk of incoming.pipe(unpacked)) take(chunk);
      } else throw new ConnectorFailure("unreadable", `${request.name}: an answer packed in a way nobody asked for`);
    } finally {
      // What is left of it would keep the connection.
      if (!incoming.complete) incoming.destroy();
    }
    return Buffer.concat(chunks);
  }

  return {
    exchange,
    close(): void {
      plain.destroy();
      secure.destroy();
    },
  };
}

function headersOf({ headersDistinct }: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(Object.entries(headersDistinct).map(([name, values]) => [name, (values ?? []).join(", ")]));
}

const problems: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens at its address"],
  ["ENOTFOUND", "its host name is not known"],
  ["EAI_AGAIN", "its host name cannot be looked up now"],
  ["ECONNRESET", "the connection broke"],
  ["EPIPE", "the connection broke"],
  ["ETIMEDOUT", "its address does not answer"],
  ["EHOSTUNREACH", "its address cannot be reached"],
  ["ENETUNREACH", "its address cannot be reached"],
  ["Z_BUF_ERROR", "the answer breaks off"],
  ["Z_DATA_ERROR", "the answer cannot be unpacked"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate comes from no authority that is trusted here"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "its certificate comes from no authority that is trusted here"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "its certificate comes from no authority that is trusted here"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "its certificate comes from no authority that is trusted here"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name"],
]);

function problemOf(error: unknown): string {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  // A code is one of Node's own words: upper-case letters, and nothing of what was sent.
  return problems.get(code) ?? (/^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : "no answer");
}
