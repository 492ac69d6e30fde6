/** The sync role in a thread of its own: what it parses never keeps a phone waiting, and what ends it does not end the gate. */
import path from "node:path";
import { Worker } from "node:worker_threads";
import type { ConfigSources } from "./config/sources.ts";
import type { SyncEvent, Tell } from "./sync/events.ts";

/** What the thread is given. Passwords stay in the memory of this process. */
export interface ThreadTask {
  readonly sources: ConfigSources;
  readonly logKey: Uint8Array;
}

export type ThreadMessage =
  | { readonly kind: "event"; readonly event: SyncEvent }
  | { readonly kind: "started"; readonly address: Address | undefined }
  | { readonly kind: "failed"; readonly code: string | undefined; readonly message: string };

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface SyncThread {
  readonly address: Address | undefined;
  /** Lets it come to an end; ends it after so long. */
  close(graceMs: number): Promise<void>;
  /** Ends it as a fault would: it is started anew. */
  end(): Promise<void>;
}

export interface ThreadTimes {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** A thread that ends again and again costs no more than a start each minute. */
const usualTimes: ThreadTimes = { firstMs: 1000, mostMs: 60_000 };

/** @throws what kept it from starting the first time; later it is started anew, however often. */
export async function startSyncThread(
  task: ThreadTask,
  tell: Tell,
  times: ThreadTimes = usualTimes,
): Promise<SyncThread> {
  let isClosing = false;
  let failures = 0;
  let again: NodeJS.Timeout | undefined;
  let current = begin();
  const address = await current.started;
  void watch(current);

  function begin(): Running {
    const running = startWorker(task, tell);
    // Whoever waits for it hears of it; nobody may.
    running.started.catch(() => undefined);
    return running;
  }

  async function watch(running: Running): Promise<void> {
    const beganAt = performance.now();
    const problem = await running.ended;
    if (isClosing) return;
    failures = performance.now() - beganAt > 5 * times.mostMs ? 1 : failures + 1;
    const retryInMs = Math.min(times.mostMs, times.firstMs * 2 ** (failures - 1));
    tell({
      kind: "log",
      level: "error",
      event: "the thread that speaks with the sources has ended; it is started anew",
      fields: { detail: problem, retryInMs },
    });
    again = setTimeout(() => {
      current = begin();
      void watch(current);
    }, retryInMs);
    again.unref();
  }

  return {
    address,
    end: () => current.end(),
    async close(graceMs): Promise<void> {
      isClosing = true;
      clearTimeout(again);
      await current.close(graceMs);
    },
  };
}

interface Running {
  readonly started: Promise<Address | undefined>;
  /** Resolves with what is known of why. */
  readonly ended: Promise<string>;
  end(): Promise<void>;
  close(graceMs: number): Promise<void>;
}

function startWorker(task: ThreadTask, tell: Tell): Running {
  // The same file beside this one, as source or as what was built of it.
  const file = new URL(`./sync-worker${path.extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: task });
  const started = Promise.withResolvers<Address | undefined>();
  const ended = Promise.withResolvers<string>();
  let problem = "it ended by itself";
  worker.on("message", (message: ThreadMessage) => {
    switch (message.kind) {
      case "event":
        return tell(message.event);
      case "started":
        return started.resolve(message.address);
      case "failed": {
        problem = message.message;
        const error = new Error(message.message);
        return started.reject(message.code === undefined ? error : Object.assign(error, { code: message.code }));
      }
    }
  });
  worker.on("error", (error: unknown) => {
    // Its message may quote what was read.
    problem = error instanceof Error ? error.name : typeof error;
  });
  worker.once("exit", () => {
    started.reject(new Error(problem));
    ended.resolve(problem);
  });
  return {
    started: started.promise,
    ended: ended.promise,
    async end(): Promise<void> {
      await worker.terminate();
    },
    async close(graceMs): Promise<void> {
      worker.postMessage("close", []);
      const timer = setTimeout(() => void worker.terminate(), graceMs);
      await ended.promise;
      clearTimeout(timer);
    },
  };
}
