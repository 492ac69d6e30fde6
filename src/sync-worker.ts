/** The thread of the sync role: over a store connection of its own. `sync-thread.ts` starts it, and starts it anew. */
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { formatFaults } from "./config/fault.ts";
import { loadConfig } from "./config/load.ts";
import { storeOptionsOf } from "./parts.ts";
import { openStore } from "./store/open.ts";
import { startSyncPart } from "./sync-part.ts";
import type { ThreadMessage, ThreadTask } from "./sync-thread.ts";

async function work(port: MessagePort, { sources, logKey }: ThreadTask): Promise<void> {
  const say = (message: ThreadMessage): void => port.postMessage(message);
  const closing = Promise.withResolvers<void>();
  port.on("message", () => closing.resolve());
  const opened = new AsyncDisposableStack();
  try {
    // Read again, and not handed over: secrets are no data that is copied. What was changed in the file since is in force here then.
    const loaded = loadConfig(sources);
    if (!loaded.ok) throw new Error(formatFaults(loaded.faults));
    const now = (): Date => new Date();
    const store = await openStore(storeOptionsOf(loaded.config.store), { now });
    opened.defer(() => store.close());
    const sync = await startSyncPart(loaded.config, {
      store,
      logKey,
      now,
      tell: (event) => say({ kind: "event", event }),
      onPolicy: () => undefined,
    });
    opened.defer(() => sync.close());
    say({ kind: "started", address: sync.address });
    await closing.promise;
  } catch (error) {
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
    say({ kind: "failed", code, message: error instanceof Error ? error.message : "unknown" });
  } finally {
    await opened.disposeAsync();
    port.close();
  }
}

/** It comes from `sync-thread.ts` in this very process. */
function isTask(value: unknown): value is ThreadTask {
  return typeof value === "object" && value !== null && "sources" in value && "logKey" in value;
}

const task: unknown = workerData;
if (parentPort === null || !isTask(task)) throw new Error("this is a thread of a gate, not a program");
await work(parentPort, task);
