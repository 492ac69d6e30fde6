/** A server on a port of its own that answers what it is told to, and keeps what it was asked. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import type { Element } from "../../../src/activesync/wbxml.ts";
import { decode, encode } from "../../../src/activesync/wbxml.ts";

export interface Received {
  readonly method: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** Undefined where the body was empty or something else. */
  readonly root: Element | undefined;
}

export interface Answer {
  readonly httpStatus?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Element | Uint8Array;
}

/** A document is a 200 with it, a number is a bare HTTP status; `silent` never answers, `hang-up` drops the connection. */
export type Scripted = Element | number | Answer | "silent" | "hang-up";
export type Script = readonly Scripted[] | ((request: Received, count: number) => Scripted);

export interface ScriptedServer {
  readonly url: string;
  readonly received: Received[];
  /** Resolves when so many requests have come. */
  arrived(count: number): Promise<void>;
}

/** HTTP status of a request that the script does not provide for. */
export const beyondTheScript = 599;

export async function startServer(t: TestContext, script: Script): Promise<ScriptedServer> {
  const received: Received[] = [];
  const waiting: { readonly count: number; resolve(): void }[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const request = receive(incoming, Buffer.concat(chunks));
      received.push(request);
      const scripted = typeof script === "function" ? script(request, received.length) : script[received.length - 1];
      answer(outgoing, scripted ?? beyondTheScript);
      for (const each of waiting) if (received.length >= each.count) each.resolve();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    arrived: (count) =>
      received.length >= count ? Promise.resolve() : new Promise((resolve) => void waiting.push({ count, resolve })),
  };
}

function receive(incoming: IncomingMessage, bytes: Buffer): Received {
  const [, query = ""] = (incoming.url ?? "").split("?");
  const isDocument = bytes.length > 0 && incoming.headers["content-type"] === "application/vnd.ms-sync.wbxml";
  return {
    method: incoming.method ?? "",
    query,
    headers: incoming.headers,
    bytes,
    root: isDocument ? decode(bytes) : undefined,
  };
}

function answer(outgoing: ServerResponse, scripted: Scripted): void {
  if (scripted === "silent") return;
  if (scripted === "hang-up") {
    outgoing.destroy();
    return;
  }
  if (typeof scripted === "number") {
    outgoing.writeHead(scripted, { "Content-Length": "0" }).end();
    return;
  }
  if ("tag" in scripted) {
    answer(outgoing, { body: scripted });
    return;
  }
  const { httpStatus = 200, headers = {}, body } = scripted;
  const bytes = body === undefined ? Buffer.alloc(0) : "tag" in body ? encode(body) : body;
  const type = bytes.length > 0 ? { "Content-Type": "application/vnd.ms-sync.wbxml" } : {};
  outgoing.writeHead(httpStatus, { ...type, "Content-Length": String(bytes.length), ...headers }).end(bytes);
}
