/** Lets a request through, once its body has been looked at, and keeps an eye on it until its answer has gone down. */
import { Buffer } from "node:buffer";
import type { MailboxChange, Store } from "../store/store.ts";
import type { Oversight, OverseeOptions } from "./cut.ts";
import { answerWithdrawn, createOversee } from "./cut.ts";
import type { Visit } from "./gateway.ts";
import type { Reply, UpstreamAnswer } from "./protocol.ts";
import type { Proxy, Tap } from "./proxy.ts";
import { relay, writeAnswer } from "./reply.ts";
import { readBody } from "./body.ts";
import { keyRefused, screen } from "./screen.ts";
import type { Screened, Taken } from "./screen.ts";
import type { Upstream } from "./upstream.ts";

export interface PassStepOptions extends OverseeOptions {
  readonly proxyOf: (upstream: Upstream) => Proxy;
  readonly store: Pick<Store, "updateMailbox">;
  /** Called when upstream has shown by its answer that it knows whoever asks. */
  readonly onProven: (visit: Visit) => void;
  /** Called when upstream has refused the credential of whoever asks. */
  readonly onDoubted: (visit: Visit) => void;
}

type PassReply = Extract<Reply, { kind: "pass" }>;

/** `attend`: upstream has not heard of the request, for there is something in it that only the gate understands. */
export type Passage = { readonly kind: "passed" } | { readonly kind: "attend"; readonly taken: Taken };

const passedOn: Passage = { kind: "passed" };

/** A FolderSync answer of 2 000 folders has some 200 KiB. */
const learntAnswerBytes = 1_048_576;
/** Autodiscover documents have a few KiB. */
const rewrittenBytes = 1_048_576;
/** A question of Autodiscover has 500 bytes, and anybody may ask. */
const questionLimitBytes = 65_536;

export function createPass({ proxyOf, store, onProven, onDoubted, ...options }: PassStepOptions) {
  const { onBackgroundFailure } = options;
  const oversee = createOversee(options);

  /** @param read what the gate has made of a request that it read itself. */
  return async function pass(visit: Visit, read?: PassReply): Promise<Passage> {
    if (visit.claim.rewrite !== undefined) {
      await passRewritten(visit, visit.claim.rewrite);
      return passedOn;
    }
    const oversight = oversee(visit);
    try {
      return await passOverseen(visit, read, oversight);
    } finally {
      oversight.stop();
    }
  };

  async function passOverseen(visit: Visit, read: PassReply | undefined, oversight: Oversight): Promise<Passage> {
    const { req, res, accepted, claim } = visit;
    const { request, route } = accepted;
    const screened = await screenedBody(visit, read);
    if (screened?.kind === "ours") return { kind: "attend", taken: screened.taken };
    // Nothing has gone up yet, and now nothing will.
    if (await oversight.isWithdrawn()) {
      await answerWithdrawn(visit);
      return passedOn;
    }
    const broken = screened?.kind === "stream" ? Promise.withResolvers<never>() : undefined;
    const onFailure = (error: unknown): void => {
      passed.abandon();
      broken?.reject(error);
    };
    const asked = screened?.kind === "whole" ? (screened.body ?? nothing) : undefined;
    const copy = claim.learn === undefined ? undefined : createCopy();
    const passed = proxyOf(route.upstream).pass(req, res, {
      target: targetOf(visit),
      headers: request.headers,
      pinned: route.upstream.pinFor(req.socket, request.credential.scheme === "connection"),
      body: screened?.kind === "stream" ? screened.open(onFailure) : screened?.body,
      tap: copy?.tap,
      beforeAnswer: (httpStatus) =>
        httpStatus === 200 && read?.whenAnswered !== undefined ? writeFirst(visit, read.whenAnswered) : undefined,
    });
    oversight.begin(passed, asked);
    await (broken === undefined ? passed.done : Promise.race([passed.done, broken.promise]));
    const outcome = oversight.stop();
    // Whoever upstream does not know teaches nothing.
    const isHeard = outcome === "untouched" && res.headersSent && res.statusCode === 200;
    if (isHeard) onProven(visit);
    if (outcome === "untouched" && res.headersSent && res.statusCode === 401) onDoubted(visit);
    if (isHeard || outcome === "answered") await learn(visit, asked, copy?.answer());
    return passedOn;
  }

  /** Undefined: the body streams up as it comes. */
  async function screenedBody(visit: Visit, read: PassReply | undefined): Promise<Screened | undefined> {
    if (read?.body !== undefined) return { kind: "whole", body: read.body };
    if (visit.claim.scan === undefined) return undefined;
    const screened = await screen(visit, visit.claim.scan());
    // Whoever heard of it before has said all there was to say about it.
    if (screened.kind === "ours" && visit.taken !== undefined) throw keyRefused();
    return screened;
  }

  async function learn(visit: Visit, asked: Uint8Array | undefined, answer: UpstreamAnswer | undefined): Promise<void> {
    const { claim, decision } = visit;
    if (claim.learn === undefined || asked === undefined || decision.device === undefined) return;
    try {
      const change = claim.learn(asked, answer, decision.device.mailbox);
      if (change !== undefined) await write(visit, change);
    } catch (error) {
      onBackgroundFailure(error, visit);
    }
  }

  /** Written before the phone has the answer: what it asks next, at any node, is answered by what is written. */
  async function writeFirst(visit: Visit, change: MailboxChange): Promise<void> {
    try {
      await write(visit, change);
    } catch (error) {
      // The phone is attended to for longer than need be, and has its answer.
      onBackgroundFailure(error, visit);
    }
  }

  async function write({ decision: { device } }: Visit, change: MailboxChange): Promise<void> {
    if (device !== undefined) await store.updateMailbox({ device: device.id, account: device.account }, change);
  }

  /** For the few documents that name internal hosts: read whole, changed, sent on. */
  async function passRewritten(visit: Visit, rewrite: NonNullable<Visit["claim"]["rewrite"]>): Promise<void> {
    const { req, res, accepted } = visit;
    const { request, route } = accepted;
    const body = request.hasBody ? await readBody(req, questionLimitBytes, true) : undefined;
    const answer = await route.upstream.exchange({
      method: request.method,
      target: targetOf(visit),
      headers: new Map([...request.headers, ["accept-encoding", "identity"]]),
      body,
      answerLimitBytes: rewrittenBytes,
      timeoutMs: 30_000,
      agent: route.upstream.pinFor(req.socket, request.credential.scheme === "connection"),
    });
    const rewritten = rewrite(answer, request);
    writeAnswer(res, relay(rewritten.httpStatus, rewritten.headers, rewritten.body));
  }
}

export type PassStep = ReturnType<typeof createPass>;

export function targetOf(
  { accepted, claim }: Pick<Visit, "accepted" | "claim">,
  query: string | undefined = claim.forwardQuery,
): string {
  const { path } = accepted.request;
  return query === undefined ? path : `${path}?${query}`;
}

const nothing = new Uint8Array();

interface Copy {
  readonly tap: Tap;
  /** Undefined where it is not complete, or larger than what is kept. */
  answer(): UpstreamAnswer | undefined;
}

function createCopy(): Copy {
  const answer = createBounded(learntAnswerBytes);
  let head: Pick<UpstreamAnswer, "httpStatus" | "headers"> | undefined;
  let complete = false;
  return {
    tap: {
      answerHead(httpStatus, headers): void {
        head = { httpStatus, headers };
      },
      answerChunk: answer.add,
      answerEnd(): void {
        complete = true;
      },
    },
    answer(): UpstreamAnswer | undefined {
      const body = answer.bytes();
      return head === undefined || body === undefined || !complete ? undefined : { ...head, body };
    },
  };
}

function createBounded(limitBytes: number): { add: (chunk: Buffer) => void; bytes: () => Buffer | undefined } {
  let chunks: Buffer[] | undefined = [];
  let length = 0;
  return {
    add(chunk): void {
      length += chunk.byteLength;
      if (length > limitBytes) chunks = undefined;
      chunks?.push(chunk);
    },
    bytes: () => (chunks === undefined ? undefined : Buffer.concat(chunks)),
  };
}
