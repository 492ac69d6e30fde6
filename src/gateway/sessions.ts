/** Requests that wait: told at once when something about their device changes, or when time alone changes its verdict. */
import type { DeviceId } from "../policy/device.ts";
import type { Store } from "../store/store.ts";

export interface Sessions {
  /** How many changes there have been. A decision notes it before it reads facts, so that nothing is missed in between. */
  readonly changes: () => number;
  /**
   * Watches a device by all its spellings until `stop`. `next` resolves once for each time that a new decision is due, the
   * changes since `asOf` included.
   */
  watch(ids: readonly DeviceId[], asOf: number): Watch;
  /** Ends every wait: the program stops. */
  close(): void;
  /** How many requests wait at the moment. */
  size(): number;
}

export interface Watch {
  next(options: {
    readonly timeoutMs: number;
    readonly changesAt: Date | undefined;
  }): Promise<"changed" | "expired" | "stopped">;
  stop(): void;
}

/** setTimeout holds 2^31 - 1 ms; an hour is short enough to notice that the clock was set, and costs nothing. */
const longestTimerMs = 3_600_000;

/** @param source a new policy counts when it comes as `everything`, which says that it is in force here. */
export function createSessions(source: Pick<Store, "onChange">, now: () => number): Sessions {
  const watchers = new Map<DeviceId, Set<() => void>>();
  let stopping = false;
  let changes = 0;

  const all = (): Set<() => void> => new Set(watchers.values().flatMap((set) => set.values()));

  const unsubscribe = source.onChange((change) => {
    if (change.kind === "policy") return;
    changes += 1;
    if (change.kind === "everything") for (const each of all()) each();
    else for (const each of watchers.get(change.id) ?? []) each();
  });

  function watch(ids: readonly DeviceId[], asOf: number): Watch {
    // Whatever changed since then may have been this device; one decision too many costs microseconds.
    let pending = changes !== asOf;
    let stopped = false;
    let wake: (() => void) | undefined;
    const notify = (): void => {
      pending = true;
      wake?.();
    };
    for (const id of ids) watchers.set(id, (watchers.get(id) ?? new Set()).add(notify));

    async function next({ timeoutMs, changesAt }: Parameters<Watch["next"]>[0]): ReturnType<Watch["next"]> {
      const until = performance.now() + timeoutMs;
      for (;;) {
        if (stopped || stopping) return "stopped";
        if (pending || (changesAt !== undefined && now() >= changesAt.getTime())) {
          pending = false;
          return "changed";
        }
        const left = until - performance.now();
        if (left <= 0) return "expired";
        const untilChange = changesAt === undefined ? Infinity : changesAt.getTime() - now();
        await sleep(Math.min(left, untilChange, longestTimerMs));
      }
    }

    function sleep(ms: number): Promise<void> {
      return new Promise((resolve) => {
        const timer = setTimeout(done, Math.max(1, ms));
        function done(): void {
          clearTimeout(timer);
          wake = undefined;
          resolve();
        }
        wake = done;
      });
    }

    return {
      next,
      stop(): void {
        stopped = true;
        for (const id of ids) {
          const set = watchers.get(id);
          set?.delete(notify);
          if (set?.size === 0) watchers.delete(id);
        }
        wake?.();
      },
    };
  }

  return {
    changes: () => changes,
    watch,
    close(): void {
      stopping = true;
      unsubscribe();
      for (const each of all()) each();
    },
    size: () => all().size,
  };
}
