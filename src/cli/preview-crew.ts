/** Threads that look at phones for a preview, as many as there are cores: one alone is busy for a minute and more with a million. */
import { availableParallelism } from "node:os";
import path from "node:path";
import { Worker } from "node:worker_threads";
import type { PreviewCrew } from "../campaign/preview.ts";
import { createBatchLook, firstSeenFor, sendQuestion } from "../campaign/preview-batch.ts";
import type { BatchFigures, PreviewBatch, PreviewQuestion, SentQuestion } from "../campaign/preview-batch.ts";
import type { StoreOptions } from "../store/open.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { CommandFailed } from "./exit.ts";

/** What a thread is given when it starts. Its password stays in the memory of this process. */
export interface WorkerTask {
  readonly store: StoreOptions;
  readonly question: SentQuestion;
}

export interface BatchOrder {
  readonly number: number;
  readonly batch: PreviewBatch;
}

export type BatchAnswer =
  | { readonly kind: "figures"; readonly number: number; readonly figures: BatchFigures }
  | { readonly kind: "unavailable"; readonly number: number; readonly problem: string };

export interface CrewOptions {
  /** For the first phones, which are looked at here. */
  readonly store: Pick<Store, "readRecords">;
  /** For every thread. */
  readonly storeOptions: StoreOptions;
  readonly workers?: number | undefined;
  readonly firstBatchesHere?: number | undefined;
}

export interface EndingCrew extends PreviewCrew {
  /** Ends the threads, whatever they are doing. */
  end(): void;
}

/** With more than four it is Redis that is waited for, which has one core. */
const WORKERS_LIMIT = 4;
/** One is read, one is judged, one is on the way. */
const BATCHES_PER_WORKER = 3;
/** 5 000 phones: to look at them takes no longer than to start a thread. */
const FIRST_BATCHES_HERE = 25;

/** Undefined where threads would be of no use: on one core, and for a store that only this thread can see. */
export function createPreviewCrew(options: CrewOptions): EndingCrew | undefined {
  const { storeOptions, workers = Math.min(availableParallelism(), WORKERS_LIMIT) } = options;
  if (workers < 2 && options.workers === undefined) return undefined;
  if ("embedded" in storeOptions && storeOptions.embedded.path === ":memory:") return undefined;
  return startingCrew({ ...options, workers });
}

function startingCrew(options: CrewOptions & { readonly workers: number }): EndingCrew {
  const { store, storeOptions, workers, firstBatchesHere = FIRST_BATCHES_HERE } = options;
  let given = 0;
  let lookHere: ReturnType<typeof createBatchLook> | undefined;
  let hands: readonly Hand[] | undefined;

  async function look(question: PreviewQuestion, batch: PreviewBatch): Promise<BatchFigures> {
    given += 1;
    if (given <= firstBatchesHere) {
      lookHere ??= createBatchLook(question);
      return lookHere(batch, await store.readRecords(batch.ids, firstSeenFor(question)));
    }
    hands ??= startHands({ store: storeOptions, question: sendQuestion(question) }, workers);
    const [first, ...others] = hands;
    const idlest = others.reduce(
      (best, hand) => (best === undefined || hand.load() < best.load() ? hand : best),
      first,
    );
    if (idlest === undefined) throw new CommandFailed(1, "there is no thread to look at devices");
    return idlest.look(batch);
  }

  return {
    batchesAtOnce: workers * BATCHES_PER_WORKER,
    look,
    end(): void {
      for (const hand of hands ?? []) hand.end();
    },
  };
}

function startHands(task: WorkerTask, count: number): readonly Hand[] {
  return Array.from({ length: count }, () => startHand(task));
}

interface Hand {
  readonly load: () => number;
  readonly look: (batch: PreviewBatch) => Promise<BatchFigures>;
  readonly end: () => void;
}

function startHand(task: WorkerTask): Hand {
  // The same file beside this one, as source or as what was built of it.
  const file = new URL(`./preview-worker${path.extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: task });
  const waiting = new Map<number, PromiseWithResolvers<BatchFigures>>();
  let failure: Error | undefined;
  let last = 0;

  worker.on("message", (answer: BatchAnswer) => {
    const order = waiting.get(answer.number);
    waiting.delete(answer.number);
    if (answer.kind === "figures") order?.resolve(answer.figures);
    else order?.reject(new StoreUnavailable(new Error(answer.problem)));
  });
  worker.on("messageerror", fail);
  worker.on("error", fail);
  worker.on("exit", () => fail(undefined));

  /** What a thread did not say is not known: figures without it would be wrong. */
  function fail(cause: unknown): void {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    failure ??= new CommandFailed(1, `a thread that looked at devices has ended before its work was done${why}`);
    for (const order of waiting.values()) order.reject(failure);
    waiting.clear();
  }

  return {
    load: () => waiting.size,
    async look(batch): Promise<BatchFigures> {
      if (failure !== undefined) throw failure;
      const order = Promise.withResolvers<BatchFigures>();
      last += 1;
      waiting.set(last, order);
      worker.postMessage({ number: last, batch } satisfies BatchOrder, []);
      return order.promise;
    },
    end(): void {
      fail(undefined);
      void worker.terminate();
    },
  };
}
