/** Clients that send or read so slowly that they do it on purpose, or are gone. Each costs its own connection only. */
import type { IncomingMessage, ServerResponse } from "node:http";

export interface SlowClients {
  watch(req: IncomingMessage, res: ServerResponse): void;
  close(): void;
}

/** A body may start as it likes for this long; then it keeps up the rate. */
const graceMs = 10_000;
const bytesPerSecond = 1024;
/** An answer of which nothing was taken for this long has nobody to take it. */
const stalledAnswerMs = 60_000;
const checkIntervalMs = 1000;

interface Watched {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly startedAt: number;
  readonly receivedBefore: number;
  taken: number;
  takenAt: number;
}

export function createSlowClients(): SlowClients {
  const watched = new Set<Watched>();

  function check(): void {
    const now = performance.now();
    for (const each of watched) {
      if (sendsTooSlowly(each, now) || readsNothing(each, now)) each.req.socket.destroy();
    }
  }

  const timer = setInterval(check, checkIntervalMs);
  timer.unref();

  return {
    watch(req, res): void {
      const now = performance.now();
      const each: Watched = { req, res, startedAt: now, receivedBefore: req.socket.bytesRead, taken: 0, takenAt: now };
      watched.add(each);
      res.once("close", () => watched.delete(each));
    },
    close: () => clearInterval(timer),
  };
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
