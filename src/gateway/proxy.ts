/** The way upstream: streamed both ways, never buffered. The only file that knows http-proxy-middleware. */
import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Readable, Transform } from "node:stream";
import { createProxyMiddleware } from "http-proxy-middleware";
import type { RequestHandler } from "http-proxy-middleware";
import { UpstreamFailure } from "./errors.ts";
import type { Upstream } from "./upstream.ts";

export interface ProxyOptions {
  /** Answers a client whose request upstream did not answer. */
  readonly fail: (failure: UpstreamFailure, req: IncomingMessage, res: ServerResponse) => void;
}

interface Passing {
  /** The canonical target: the only one that upstream ever sees. */
  readonly target: string;
  /** Every header that upstream sees, but for those that frame the body. */
  readonly headers: ReadonlyMap<string, string>;
  /** The connection of a client that logged in on its connection: nobody else uses it. */
  readonly pinned: Agent | undefined;
  /** Where the gate has read the body already, or reads along with it: this is what goes up. Else the client's own. */
  readonly body: Uint8Array | Transform | undefined;
  /** Sees copies of what streams by. It cannot slow anything down, and nothing waits for it. */
  readonly tap?: Tap | undefined;
  /** What must be done before anything of the answer goes down; undefined where nothing must. Never rejects. */
  readonly beforeAnswer?: ((httpStatus: number) => Promise<void> | undefined) | undefined;
}

export interface Tap {
  readonly answerHead: (httpStatus: number, headers: ReadonlyMap<string, readonly string[]>) => void;
  readonly answerChunk: (chunk: Buffer) => void;
  readonly answerEnd: () => void;
}

/** A request under way upstream. */
export interface Passed {
  /** Settles when the answer has gone down, or failed. */
  readonly done: Promise<void>;
  /** Whether upstream has begun to answer: what comes is its answer, or a broken one. */
  isAnswered(): boolean;
  /** Gives the request up upstream; the client is then answered by somebody else. */
  abandon(): void;
}

export interface Proxy {
  pass(req: IncomingMessage, res: ServerResponse, passing: Passing): Passed;
  /** Lets a WebSocket through: the client sees 101 only after upstream has said it. */
  upgrade(req: IncomingMessage, socket: Socket, head: Buffer, passing: Passing): void;
}

interface Underway {
  readonly passing: Passing;
  outgoing?: ClientRequest;
  answered: boolean;
  abandoned: boolean;
}

export function createProxy(upstream: Upstream, { fail }: ProxyOptions): Proxy {
  const underway = new WeakMap<IncomingMessage, Underway>();
  const streaming = middleware({ connection: "keep-alive" });
  const upgrading = middleware({});

  /** One for all requests: each one of them keeps a listener on the server for as long as the server lives. */
  function middleware(headers: Record<string, string>): RequestHandler {
    return createProxyMiddleware({
      agent: upstream.agent,
      proxyTimeout: upstream.responseTimeoutMs,
      headers,
      // Its own plugins would answer for us, and name the URL: device id and user stand in it.
      ejectPlugins: true,
      // Always the same target: what a request may choose is which connection it takes, and whether its body was read.
      router(req, _res, options) {
        const passing = underway.get(req)?.passing;
        if (passing?.pinned !== undefined) options.agent = passing.pinned;
        if (passing?.body !== undefined) options.buffer = streamOf(passing.body);
        return upstream.url;
      },
      plugins: [
        (proxy): void => {
          proxy.on("proxyReq", (outgoing, req) => {
            const state = underway.get(req);
            if (state !== undefined) state.outgoing = outgoing;
            if (state?.abandoned === true) outgoing.destroy();
            limitConnectTime(outgoing, upstream.connectTimeoutMs);
          });
          proxy.on("proxyRes", (incoming, req) => {
            const state = underway.get(req);
            if (state !== undefined) state.answered = true;
            const passing = state?.passing;
            const headers = upstream.answerHeaders(incoming.rawHeaders, passing?.headers ?? new Map());
            holdBack(incoming, passing?.beforeAnswer?.(incoming.statusCode ?? 502));
            tapAnswer(passing?.tap, incoming, headers);
            incoming.headers = Object.fromEntries([...headers].map(([name, values]) => [name, several(name, values)]));
          });
          proxy.on("error", (cause, req, res) => {
            if (req === undefined || res === undefined || underway.get(req)?.abandoned === true) return;
            const failure =
              cause instanceof UpstreamFailure ? cause : new UpstreamFailure("upstream-unreachable", cause);
            if ("setHeader" in res) fail(failure, req, res);
            else res.destroy();
          });
        },
      ],
    });
  }

  return {
    pass(req, res, passing): Passed {
      const state: Underway = { passing, answered: false, abandoned: false };
      underway.set(req, state);
      req.url = passing.target;
      req.headers = framed(passing, req);
      return {
        done: streaming(req, res),
        isAnswered: () => state.answered,
        abandon(): void {
          state.abandoned = true;
          if (passing.body instanceof Transform) {
            req.unpipe(passing.body);
            passing.body.destroy();
          }
          state.outgoing?.destroy();
        },
      };
    },
    upgrade(req, socket, head, passing): void {
      underway.set(req, { passing, answered: false, abandoned: false });
      req.url = passing.target;
      req.headers = { ...Object.fromEntries(passing.headers), connection: "Upgrade", upgrade: "websocket" };
      upgrading.upgrade(req, socket, head);
    },
  };
}

function framed({ headers, body }: Passing, req: IncomingMessage): Record<string, string> {
  const all = Object.fromEntries(headers);
  if (body instanceof Uint8Array) {
    all["content-length"] = String(body.byteLength);
    // What was read is sent on unpacked.
    delete all["content-encoding"];
  }
  // Said aloud: for a DELETE without a length the proxy would write "Content-Length: 0", and then the body behind it, where
  // upstream would take it for the next request on the connection.
  else if (req.headers["transfer-encoding"] !== undefined) all["transfer-encoding"] = "chunked";
  // The proxy hands this to the answer, where it decides whether the client's connection stays open.
  if (/\bclose\b/i.test(req.headers.connection ?? "")) all["connection"] = "close";
  return all;
}

function streamOf(body: Uint8Array | Transform): Readable {
  if (body instanceof Transform) return body;
  return new Readable({
    read(): void {
      this.push(body);
      this.push(null);
    },
  });
}

/** Joined, two challenges would be one that no client understands, and two cookies one broken cookie. */
function several(name: string, values: readonly string[]): string | string[] {
  const [only] = values;
  if (values.length === 1 && only !== undefined && name !== "set-cookie") return only;
  return [...values];
}

/** The proxy pipes the answer down when it has the head; here it does so when it may. Paused, a tap does not make it flow. */
function holdBack(incoming: IncomingMessage, until: Promise<void> | undefined): void {
  if (until === undefined) return;
  incoming.pause();
  const pipe = incoming.pipe.bind(incoming);
  incoming.pipe = (destination, options) => {
    const pipeDown = async (): Promise<void> => {
      await until;
      if (!incoming.destroyed) pipe(destination, options);
    };
    void pipeDown();
    return destination;
  };
}

function tapAnswer(
  tap: Tap | undefined,
  incoming: IncomingMessage,
  headers: ReadonlyMap<string, readonly string[]>,
): void {
  if (tap === undefined) return;
  tap.answerHead(incoming.statusCode ?? 502, headers);
  incoming.on("data", tap.answerChunk);
  incoming.on("end", tap.answerEnd);
}

function limitConnectTime(outgoing: ClientRequest, connectTimeoutMs: number): void {
  const { socket } = outgoing;
  if (socket === null || !socket.connecting) return;
  const timer = setTimeout(
    () => outgoing.destroy(new UpstreamFailure("upstream-timeout", undefined)),
    connectTimeoutMs,
  );
  socket.once("connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
}
