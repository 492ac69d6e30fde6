/** Clients that send or read so slowly that they do it on purpose, or are gone. Each costs its own connection only. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CutCause } from "./connections.ts";

export interface SlowClients {
  watch(req: IncomingMessage, res: ServerResponse): void;
  close(): void;
}

export interface SlowClientsOptions {
  /** In each span of this length a body keeps up the rate on average. */
  readonly graceMs: number;
  readonly bytesPerSecond: number;
  /** An answer of which nothing was taken for this long has nobody to take it. */
  readonly stalledAnswerMs: number;
  readonly checkIntervalMs: number;
  readonly onCut: (cause: CutCause) => void;
}

/** What mail clients are held to. */
export const SLOWEST = {
  graceMs: 10_000,
  bytesPerSecond: 1024,
  stalledAnswerMs: 60_000,
  checkIntervalMs: 1000,
} as const;

interface Watched {
  readonly req: IncomingMessage;
  /** When the span began that is being looked at, and what had come by then: an early burst is no credit for later. */
  spanAt: number;
  receivedBefore: number;
  answered: boolean;
  taken: number;
  takenAt: number;
}

export function createSlowClients({
  graceMs,
  bytesPerSecond,
  stalledAnswerMs,
  checkIntervalMs,
  onCut,
}: SlowClientsOptions): SlowClients {
  const watched = new Set<Watched>();

  function check(): void {
    const now = performance.now();
    for (const each of watched) {
      if (isOver(each)) {
        watched.delete(each);
        continue;
      }
      const cause = sendsTooSlowly(each, now) ? "slow-body" : readsNothing(each, now) ? "unread-answer" : undefined;
      if (cause === undefined) continue;
      onCut(cause);
      watched.delete(each);
      each.req.socket.destroy();
    }
  }

  function sendsTooSlowly(each: Watched, now: number): boolean {
    const { req } = each;
    if (req.complete) return false;
    // While upstream takes nothing, the gate takes nothing either: that is not the client's slowness.
    if (req.isPaused() || req.readableLength > 0) {
      beginSpan(each, now);
      return false;
    }
    const spanMs = now - each.spanAt;
    if (spanMs < graceMs) return false;
    if (req.socket.bytesRead - each.receivedBefore < (spanMs / 1000) * bytesPerSecond) return true;
    beginSpan(each, now);
    return false;
  }

  function beginSpan(each: Watched, now: number): void {
    each.spanAt = now;
    each.receivedBefore = each.req.socket.bytesRead;
  }

  function readsNothing(each: Watched, now: number): boolean {
    const { socket } = each.req;
    const taken = socket.bytesWritten - socket.writableLength;
    if (taken !== each.taken || socket.writableLength === 0) {
      each.taken = taken;
      each.takenAt = now;
    }
    return now - each.takenAt > stalledAnswerMs;
  }

  const timer = setInterval(check, checkIntervalMs);
  timer.unref();

  return {
    watch(req, res): void {
      const now = performance.now();
      const each: Watched = {
        req,
        spanAt: now,
        receivedBefore: req.socket.bytesRead,
        answered: false,
        taken: 0,
        takenAt: now,
      };
      watched.add(each);
      res.once("close", () => {
        each.answered = true;
        if (isOver(each)) watched.delete(each);
      });
    },
    close: () => clearInterval(timer),
  };
}

/** An early answer does not end a request: its body is read and dropped until it is complete, and may not trickle on for ever. */
function isOver({ req, answered }: Watched): boolean {
  return req.socket.destroyed || (answered && req.complete);
}
