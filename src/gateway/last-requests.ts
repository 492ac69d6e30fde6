/**
 * The last request of each phone, written down in batches and off every request's way: at most once a minute for a device, and
 * for all ids without a record of one person together. A store that is away loses it, and no phone notices.
 */
import type { DeviceId } from "../policy/device.ts";
import type { LastRequest, LastRequestStore } from "../store/store.ts";

export interface LastRequestsOptions {
  readonly store: Pick<LastRequestStore, "noteLastRequests">;
  readonly onFailure: (cause: unknown) => void;
  readonly now: () => Date;
}

export interface LastRequests {
  /** Only for a request whose credential the mail server has accepted: anybody can invent device ids. */
  note(request: LastRequest): void;
  /** Writes what is due. Never throws. */
  flush(): Promise<void>;
  /** Writes what is left, due or not, and then no more. */
  stop(): Promise<void>;
}

const FLUSH_INTERVAL_MS = 2_000;
/** The newest request waits until the one before is so old, so that what is kept is the last one and not the first of a burst. */
const AGAIN_MS = 60_000;
/** Devices, and people with strange ids, that wait; what finds no place is noted the next time that the phone asks. */
const WAITING_LIMIT = 50_000;
/** Those that were written lately; of more than these the oldest are written again too soon, which is harmless. */
const WRITTEN_LIMIT = 200_000;
/** Ids without a record of one person, the newest of which stay: the store keeps no more. */
const STRANGE_IDS_LIMIT = 10;

export function createLastRequests({ store, onFailure, now }: LastRequestsOptions): LastRequests {
  /** By the device and whose request it was, or by the person: what is written together. */
  const waiting = new Map<string, Map<DeviceId, LastRequest>>();
  /** When it was written, in milliseconds; the oldest first. */
  const written = new Map<string, number>();
  let writing: Promise<void> | undefined;

  function note(request: LastRequest): void {
    const key = request.whose === "stranger" ? `person ${request.account}` : `${request.whose} ${request.id}`;
    const together = waiting.get(key) ?? new Map<DeviceId, LastRequest>();
    if (waiting.size >= WAITING_LIMIT && !waiting.has(key)) return;
    waiting.set(key, together);
    together.delete(request.id);
    together.set(request.id, request);
    const [oldest] = together.keys();
    if (together.size > STRANGE_IDS_LIMIT && oldest !== undefined) together.delete(oldest);
  }

  function isDue(key: string, at: number): boolean {
    const before = written.get(key);
    // A clock that was set back must not stop it.
    return before === undefined || Math.abs(at - before) >= AGAIN_MS;
  }

  async function write(which: "due" | "all"): Promise<void> {
    const at = now().getTime();
    const keys = [...waiting.keys()].filter((key) => which === "all" || isDue(key, at));
    const requests = keys.flatMap((key) => [...(waiting.get(key)?.values() ?? [])]);
    for (const key of keys) {
      waiting.delete(key);
      written.delete(key);
      written.set(key, at);
    }
    for (const key of written.keys()) {
      if (written.size <= WRITTEN_LIMIT) break;
      written.delete(key);
    }
    if (requests.length === 0) return;
    try {
      await store.noteLastRequests(requests);
    } catch (cause) {
      for (const key of keys) written.delete(key);
      onFailure(cause);
    }
  }

  /** One at a time: a slow store gets larger batches rather than more of them. */
  function flush(): Promise<void> {
    writing ??= write("due").finally(() => (writing = undefined));
    return writing;
  }

  const timer = setInterval(() => void flush(), FLUSH_INTERVAL_MS).unref();

  return {
    note,
    flush,
    async stop(): Promise<void> {
      clearInterval(timer);
      await writing;
      await write("all");
    },
  };
}
