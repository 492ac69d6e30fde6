/** Events as a stream that browsers read (HTML Standard, 9.2, server-sent events). */
import type { ServerResponse } from "node:http";
import type { AdminEvent, EventHub } from "./event-hub.ts";
import { Problem } from "./problem.ts";

/** Proxies drop connections on which nothing happens for 30 s and more. */
const HEARTBEAT_MS = 15_000;
/** Who does not read is not waited for: the stream ends, and the client asks anew. */
const UNREAD_LIMIT_BYTES = 65_536;
/** Timers cannot be set for longer, and no token lives so long. */
const TIMER_MAXIMUM_MS = 2_147_483_647;

export interface EventStreamOptions {
  readonly hub: EventHub;
  /** When the token ends with which the stream was asked for. */
  readonly expiresAt: Date | undefined;
  readonly now: () => Date;
  /** The first thing that is said, so that whoever connects knows where things stand. */
  readonly first: readonly AdminEvent[];
}

/** @throws Problem `busy` */
export function openEventStream({ hub, expiresAt, now, first }: EventStreamOptions): (res: ServerResponse) => void {
  let send: (event: AdminEvent) => void = () => undefined;
  const stop = hub.listen((event) => send(event));
  if (stop === undefined) throw new Problem("busy", { headers: { "Retry-After": "30" } });

  return (res) => {
    res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
    const write = (text: string): void => {
      if (res.writableLength > UNREAD_LIMIT_BYTES) res.destroy();
      else res.write(text);
    };
    send = ({ kind, ...data }) =>
      write(`event: ${kind}\ndata: ${JSON.stringify({ ...data, at: now().toISOString() })}\n\n`);
    write("retry: 5000\n\n");
    for (const event of first) send(event);
    const beat = setInterval(() => write(": still here\n\n"), HEARTBEAT_MS);
    const lifeMs = expiresAt === undefined ? TIMER_MAXIMUM_MS : expiresAt.getTime() - now().getTime();
    const end = setTimeout(() => res.end(), Math.min(Math.max(lifeMs, 0), TIMER_MAXIMUM_MS));
    end.unref();
    res.once("close", () => {
      clearInterval(beat);
      clearTimeout(end);
      stop();
    });
  };
}
