/** Waiting that ends early: with a signal, or with news. */
import { setTimeout as wait } from "node:timers/promises";

interface News {
  tell(): void;
  /** Resolves when something was told, after so long, or with the signal. */
  within(ms: number, signal: AbortSignal): Promise<void>;
}

/** News that came while nobody waited are not lost. */
export function createNews(): News {
  let pending = false;
  let wake: (() => void) | undefined;
  return {
    tell(): void {
      pending = true;
      wake?.();
    },
    async within(ms, signal): Promise<void> {
      if (!pending) {
        const told = Promise.withResolvers<void>();
        wake = told.resolve;
        const over = new AbortController();
        await Promise.race([told.promise, pause(ms, AbortSignal.any([signal, over.signal]))]);
        over.abort();
        wake = undefined;
      }
      pending = false;
    },
  };
}

/** Ends early with the signal, and without an error. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await wait(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
