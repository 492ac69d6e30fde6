/** What a management system is asked at most: so many calls in any minute, and so many at once. One for each system, whoever calls. */
import type { Admission } from "../connectors/rest/admission.ts";

export interface BudgetOptions {
  readonly requestsPerMinute: number;
  readonly concurrent: number;
  /** Milliseconds of a clock that is never set. */
  readonly clock?: () => number;
  readonly minuteMs?: number;
}

export interface Budget extends Admission {
  /** Calls that wait for their turn. */
  waiting(): number;
  /** Calls that may be made at this moment without waiting for time to pass. */
  left(): number;
}

interface Waiter {
  readonly admit: () => void;
}

export function createBudget({
  requestsPerMinute,
  concurrent,
  clock = () => performance.now(),
  minuteMs = 60_000,
}: BudgetOptions): Budget {
  const begun: number[] = [];
  const waiters: Waiter[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  function forgetOld(): void {
    const from = clock() - minuteMs;
    let old = 0;
    while (old < begun.length && (begun[old] ?? 0) <= from) old += 1;
    begun.splice(0, old);
  }

  /** Milliseconds until the minute has room; 0 where it has. */
  function roomAfterMs(): number {
    forgetOld();
    const oldest = begun[begun.length - requestsPerMinute];
    return oldest === undefined ? 0 : Math.max(1, oldest + minuteMs - clock());
  }

  function admitNext(): void {
    clearTimeout(timer);
    timer = undefined;
    while (waiters.length > 0 && underWay < concurrent) {
      const afterMs = roomAfterMs();
      if (afterMs > 0) {
        timer = setTimeout(admitNext, afterMs);
        timer.unref();
        return;
      }
      begun.push(clock());
      underWay += 1;
      waiters.shift()?.admit();
    }
  }

  return {
    enter(signal): Promise<() => void> {
      if (signal.aborted) return Promise.reject(reasonOf(signal));
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const abort = (): void => {
        const place = waiters.indexOf(waiter);
        if (place !== -1) waiters.splice(place, 1);
        reject(reasonOf(signal));
      };
      const waiter: Waiter = {
        admit(): void {
          signal.removeEventListener("abort", abort);
          let hasLeft = false;
          resolve(() => {
            if (hasLeft) return;
            hasLeft = true;
            underWay -= 1;
            admitNext();
          });
        },
      };
      signal.addEventListener("abort", abort, { once: true });
      waiters.push(waiter);
      admitNext();
      return promise;
    },
    waiting: () => waiters.length,
    left(): number {
      forgetOld();
      return Math.max(0, Math.min(requestsPerMinute - begun.length, concurrent - underWay));
    },
  };
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("the call was given up");
}
