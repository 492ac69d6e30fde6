/** Streams of events (HTML, 9.2) that stay open while a page is: counted, kept alive, and ended with the program. */
import type { PageStream } from "../gateway/own-pages.ts";

export interface StreamsOptions {
  readonly perDevice: number;
  readonly perNetwork: number;
  readonly inAll: number;
}

export interface Streams {
  /** Undefined where one has as many as it may have; otherwise a place, which must be taken by `hold`. */
  reserve(device: string, network: string): Reservation | undefined;
  size(): number;
  /** Ends all of them, and lets none in any more. */
  close(): void;
}

interface Reservation {
  /** From now on it is kept alive, and its place is free again when it has ended. */
  hold(stream: PageStream): void;
}

/** 20 s: networks of phones forget a connection on which nothing was said for half a minute. */
const HEARTBEAT_MS = 20_000;
/** 15 min, as long as a check may take. A browser opens another one by itself, and a forgotten page does not stay for days. */
export const STREAM_LIMIT_MS = 900_000;

/** What the browser waits before it opens a stream again, in milliseconds. */
export const streamBeginning = "retry: 5000\n\n";

export function createStreams({ perDevice, perNetwork, inAll }: StreamsOptions): Streams {
  const open = new Map<PageStream, number>();
  const counts = new Map<string, number>();
  let reserved = 0;
  let closed = false;

  const timer = setInterval(() => {
    const since = performance.now() - STREAM_LIMIT_MS;
    for (const [stream, openedAt] of open) {
      if (openedAt < since) stream.end();
      // A comment: it says nothing, and shows a connection that is gone.
      else stream.send(":\n\n");
    }
  }, HEARTBEAT_MS);
  timer.unref();

  function change(key: string, by: 1 | -1): void {
    const count = (counts.get(key) ?? 0) + by;
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
  }

  return {
    reserve(device, network): Reservation | undefined {
      const keys = [`device ${device}`, `network ${network}`] as const;
      const isFull =
        reserved >= inAll || (counts.get(keys[0]) ?? 0) >= perDevice || (counts.get(keys[1]) ?? 0) >= perNetwork;
      if (closed || isFull) return undefined;
      reserved += 1;
      for (const key of keys) change(key, 1);
      return {
        hold(stream): void {
          open.set(stream, performance.now());
          stream.onClose(() => {
            if (!open.delete(stream)) return;
            reserved -= 1;
            for (const key of keys) change(key, -1);
          });
          if (closed) stream.end();
        },
      };
    },
    size: () => open.size,
    close(): void {
      closed = true;
      clearInterval(timer);
      for (const stream of open.keys()) stream.end();
    },
  };
}
