/** Clients that send or read so slowly that they do it on purpose, or are gone. Each costs its own connection only. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { CutCause } from "./connections.ts";

export interface SlowClients {
  watch(req: IncomingMessage, res: ServerResponse): void;
  close(): void;
}

export interface SlowClientsOptions {
  /** A body may start as it likes for this long; then it keeps up the rate. */
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
  readonly startedAt: number;
  readonly receivedBefore: number;
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

  function sendsTooSlowly({ req, startedAt, receivedBefore }: Watched, now: number): boolean {
    if (req.complete || req.isPaused() || now - startedAt < graceMs) return false;
    // While upstream takes nothing, the gate takes nothing either: that is not the client's slowness.
    if (req.readableLength > 0) return false;
    return req.socket.bytesRead - receivedBefore < ((now - startedAt) / 1000) * bytesPerSecond;
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
        startedAt: now,
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
