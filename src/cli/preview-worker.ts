/** A thread that looks at phones for a preview: over a connection of its own, batch by batch. `preview-crew.ts` starts it. */
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { createBatchLook, firstSeenFor, receiveQuestion } from "../campaign/preview-batch.ts";
import { openStore } from "../store/open.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { BatchAnswer, BatchOrder, WorkerTask } from "./preview-crew.ts";

async function work(port: MessagePort, task: WorkerTask): Promise<void> {
  const store = await openStore(task.store);
  const question = receiveQuestion(task.question);
  const addUp = createBatchLook(question);
  const needed = firstSeenFor(question);
  // Several orders may be under way: one is read while another is judged.
  port.on("message", (order: BatchOrder) => void answer(order).then((said) => port.postMessage(said)));

  async function answer({ number, batch }: BatchOrder): Promise<BatchAnswer> {
    try {
      const figures = addUp(batch, await store.readRecords(batch.ids, needed));
      return { kind: "figures", number, figures };
    } catch (error) {
      // What else goes wrong ends the thread, and with it the preview.
      if (!(error instanceof StoreUnavailable)) throw error;
      return { kind: "unavailable", number, problem: store.health().detail };
    }
  }
}

/** It comes from `preview-crew.ts` in this very process. */
function isTask(value: unknown): value is WorkerTask {
  return typeof value === "object" && value !== null && "store" in value && "question" in value;
}

const task: unknown = workerData;
if (parentPort === null || !isTask(task)) throw new Error("this is a thread of a preview, not a program");
await work(parentPort, task);
