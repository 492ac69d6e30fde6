/**
 * The pages that the gate has itself, below `/postern`, on the listener of the mail. Nothing of such a request goes anywhere else: it
 * needs no credential, and has no place among the requests of phones. The pages are plain data in, plain data out, but for streams.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Arrived } from "./accept.ts";
import { readBody } from "./body.ts";
import { Refusal } from "./errors.ts";
import { networkOf } from "./network.ts";
import type { Reply } from "./protocol.ts";
import { writeAnswer } from "./reply.ts";
import type { Target } from "./target.ts";

/** Matched without case, as all paths. No route may lead there: `config/route-schema.ts` sees to it. */
const ownSegment = "postern";

export interface PageRequest {
  readonly method: "GET" | "HEAD" | "POST";
  /** Decoded, below `/postern`. */
  readonly segments: readonly string[];
  readonly query: string | undefined;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** As the client called the gate, with its port. */
  readonly host: string;
  /** By which clients are counted. */
  readonly network: string;
}

export interface PageStream {
  send(text: string): void;
  end(): void;
  /** Called once, however it ended. */
  onClose(listener: () => void): void;
}

type Headers = readonly (readonly [name: string, value: string])[];

export type PageReply =
  | Extract<Reply, { kind: "answer" }>
  /** An answer that goes on: `open` is called when its head is on the way, and also where the client has left already. */
  | { readonly kind: "stream"; readonly headers: Headers; readonly open: (stream: PageStream) => void };

/** @throws Refusal; anything else that goes wrong is answered as it is for mail. */
export type Pages = (request: PageRequest) => Promise<PageReply>;

export interface OwnPages {
  has(target: Target): boolean;
  answer(arrived: Arrived, req: IncomingMessage, res: ServerResponse): Promise<void>;
}

/** 1 KiB: their forms have nothing to fill in. */
const FORM_LIMIT_BYTES = 1024;
/** 64 KiB: whoever takes no more of a stream does not look at it. */
const UNTAKEN_LIMIT_BYTES = 65_536;

/** @param pages Undefined: there are none, and what is asked for below `/postern` does not exist. */
export function createOwnPages(pages: Pages | undefined): OwnPages {
  return {
    has: ({ segments: [first] }) => first?.toLowerCase() === ownSegment,
    async answer({ method, target, head, clientAddress }, req, res): Promise<void> {
      if (pages === undefined) throw new Refusal("not-routed", 404, "there are no pages of the gate's own");
      if (method !== "GET" && method !== "HEAD" && method !== "POST")
        throw new Refusal("method-not-allowed", 405, "method is not used by the gate's own pages");
      if (head.wantsUpgrade !== undefined) throw new Refusal("upgrade-refused", 400, "upgrade of a page");
      if (head.hasBody) await readBody(req, FORM_LIMIT_BYTES, false);
      const reply = await pages({
        method,
        segments: target.segments.slice(1),
        query: target.query,
        headers: head.headers,
        host: head.host,
        network: networkOf(clientAddress),
      });
      if (reply.kind === "answer") return writeAnswer(res, reply);
      stream(reply, res);
    },
  };
}

function stream({ headers, open }: Extract<PageReply, { kind: "stream" }>, res: ServerResponse): void {
  if (!res.destroyed) {
    for (const [name, value] of headers) res.appendHeader(name, value);
    res.writeHead(200);
    res.flushHeaders();
  }
  open({
    send(text): void {
      if (res.destroyed || res.writableEnded) return;
      if (res.writableLength > UNTAKEN_LIMIT_BYTES) res.destroy();
      else res.write(text);
    },
    end: () => void res.end(),
    onClose(listener): void {
      if (res.closed) listener();
      else res.once("close", listener);
    },
  });
}
