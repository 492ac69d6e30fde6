/** Lets a request through, and keeps an eye on it while upstream holds it. */
import { Buffer } from "node:buffer";
import type { MailboxChange, Store } from "../store/store.ts";
import type { Decide } from "./decide.ts";
import { idsOf } from "./decide.ts";
import type { Visit } from "./gateway.ts";
import type { Reply, UpstreamAnswer } from "./protocol.ts";
import type { Passed, Proxy, Tap } from "./proxy.ts";
import { relay, writeAnswer } from "./reply.ts";
import { readBody } from "./body.ts";
import type { Sessions } from "./sessions.ts";
import type { Upstream } from "./upstream.ts";

export interface PassStepOptions {
  readonly proxyOf: (upstream: Upstream) => Proxy;
  readonly decide: Decide;
  readonly sessions: Sessions;
  readonly store: Pick<Store, "updateMailbox">;
  readonly now: () => Date;
  /** Called when upstream has shown by its answer that it knows whoever asks. */
  readonly onProven: (visit: Visit) => void;
  /** Called when upstream has refused the credential of whoever asks. */
  readonly onDoubted: (visit: Visit) => void;
  /** Called when something beside the answer itself went wrong: what was learnt could not be written down, for instance. */
  readonly onBackgroundFailure: (error: unknown, visit: Visit) => void;
}

type PassReply = Extract<Reply, { kind: "pass" }>;

/** Larger Pings and waiting Syncs are not kept; they can then only be answered as if they had come empty. */
const keptRequestBytes = 65_536;
/** A FolderSync answer of 2 000 folders has some 200 KiB. */
const learntAnswerBytes = 1_048_576;
/** Autodiscover documents have a few KiB. */
const rewrittenBytes = 1_048_576;
/** A question of Autodiscover has 500 bytes, and anybody may ask. */
const questionLimitBytes = 65_536;

export function createPass({
  proxyOf,
  decide,
  sessions,
  store,
  now,
  onProven,
  onDoubted,
  onBackgroundFailure,
}: PassStepOptions) {
  return async function pass(visit: Visit, read?: PassReply): Promise<void> {
    const body = read?.body;
    if (visit.claim.rewrite !== undefined) return passRewritten(visit, visit.claim.rewrite);
    const { req, res, accepted, claim } = visit;
    const { request, route } = accepted;
    const copy = claim.learn !== undefined || claim.interrupt !== undefined ? createCopy(body) : undefined;
    const passed = proxyOf(route.upstream).pass(req, res, {
      target: targetOf(visit),
      headers: request.headers,
      pinned: route.upstream.pinFor(req.socket, request.credential.scheme === "connection"),
      body,
      tap: copy?.tap,
    });
    const unwatch = copy === undefined || claim.interrupt === undefined ? undefined : watchOver(visit, passed, copy);
    await passed.done;
    const interrupted = unwatch?.() === true;
    // Whoever upstream does not know teaches nothing.
    const accepted200 = res.headersSent && res.statusCode === 200;
    const heard = interrupted || accepted200;
    if (accepted200 && !interrupted) onProven(visit);
    if (res.headersSent && res.statusCode === 401) onDoubted(visit);
    if (copy !== undefined && claim.learn !== undefined && heard) await learn(visit, copy);
    if (read?.whenAnswered !== undefined && res.headersSent && res.statusCode === 200)
      await write(visit, read.whenAnswered);
  };

  /**
   * While upstream holds the request, a verdict that changes ends it with the exact answer of its protocol. What is returned
   * ends the watch, and says whether it did that.
   */
  function watchOver(visit: Visit, passed: Passed, copy: Copy): () => boolean {
    const { claim, decision, res } = visit;
    const watch = sessions.watch(idsOf(claim.subject, decision), decision.asOf);
    let interrupted = false;
    const follow = async (): Promise<void> => {
      let { changesAt } = decision.verdict;
      for (;;) {
        const news = await watch.next({ timeoutMs: Infinity, changesAt });
        if (news !== "changed" || res.headersSent) return;
        const next = await decide(claim.subject);
        ({ changesAt } = next.verdict);
        if (next.verdict.action === "defer" || next.device === undefined) continue;
        const reply = claim.interrupt?.(copy.request(), next, now());
        if (res.headersSent) return;
        if (reply?.kind !== "answer") continue;
        interrupted = true;
        passed.abandon();
        return writeAnswer(res, reply);
      }
    };
    follow().catch((error: unknown) => onBackgroundFailure(error, visit));
    return () => {
      watch.stop();
      return interrupted;
    };
  }

  async function learn(visit: Visit, copy: Copy): Promise<void> {
    const { claim, decision } = visit;
    const request = copy.request();
    if (request === undefined || decision.device === undefined) return;
    try {
      const change = claim.learn?.(request, copy.answer(), decision.device.mailbox);
      if (change !== undefined) await write(visit, change);
    } catch (error) {
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

export function targetOf({ accepted, claim }: Pick<Visit, "accepted" | "claim">): string {
  const { path } = accepted.request;
  return claim.forwardQuery === undefined ? path : `${path}?${claim.forwardQuery}`;
}

interface Copy {
  readonly tap: Tap;
  /** Undefined where it was larger than what is kept. */
  request(): Uint8Array | undefined;
  /** Undefined where it is not complete, or larger than what is kept. */
  answer(): UpstreamAnswer | undefined;
}

function createCopy(bodyRead: Uint8Array | undefined): Copy {
  const request = createBounded(keptRequestBytes);
  const answer = createBounded(learntAnswerBytes);
  let head: Pick<UpstreamAnswer, "httpStatus" | "headers"> | undefined;
  let complete = false;
  return {
    tap: {
      requestChunk: request.add,
      answerHead(httpStatus, headers): void {
        head = { httpStatus, headers };
      },
      answerChunk: answer.add,
      answerEnd(): void {
        complete = true;
      },
    },
    request: () => bodyRead ?? request.bytes(),
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
