/** Requests that are under way: told at once when something about their device changes, or when time alone changes its verdict. */
import type { DeviceId } from "../policy/device.ts";
import type { Store } from "../store/store.ts";

export interface Sessions {
  /** How many changes there have been. A decision notes it before it reads facts, so that nothing is missed in between. */
  readonly changes: () => number;
  /** Tells of each time that a new decision is due, until `stop`. */
  follow(options: FollowOptions): Following;
  /**
   * The same for somebody who waits for it: `next` resolves once for each time that a new decision is due, the changes since
   * `asOf` included.
   */
  watch(ids: readonly DeviceId[], asOf: number): Watch;
  /** Ends every wait, and tells nobody anything more: the program stops. */
  close(): void;
  /** How many requests wait at the moment. */
  size(): number;
}

interface FollowOptions {
  /** The device, by all its spellings. */
  readonly ids: readonly DeviceId[];
  readonly changesAt: Date | undefined;
  /** Whether the request waits for news, and is counted by `size`. */
  readonly waits: boolean;
  readonly onNews: () => void;
}

interface Following {
  /** When time alone is the next news. */
  expect(changesAt: Date | undefined): void;
  stop(): void;
}

export interface Watch {
  next(options: {
    readonly timeoutMs: number;
    readonly changesAt: Date | undefined;
  }): Promise<"changed" | "expired" | "stopped">;
  stop(): void;
}

/** setTimeout holds 2^31 - 1 ms. */
const longestTimerMs = 3_600_000;
/**
 * Deadlines are moments of the wall clock, and timers run on another one, which stands still while the machine sleeps and does
 * not hear that the clock was set. So the clock is looked at each second: one timer for all, however many wait.
 */
const clockCheckMs = 1_000;

/** Every request that passes has one, and thousands of them wait: it is as small as it can be, and needs no timer of its own. */
interface Follower {
  readonly ids: readonly DeviceId[];
  readonly waits: boolean;
  readonly onNews: () => void;
  /** Milliseconds since 1970; Infinity where time alone changes nothing. */
  due: number;
}

/** @param source a new policy counts when it comes as `everything`, which says that it is in force here. */
export function createSessions(source: Pick<Store, "onChange">, now: () => number): Sessions {
  const followers = new Set<Follower>();
  /** Nearly every device has one request under way, which needs no set of its own. */
  const byDevice = new Map<DeviceId, Follower | Set<Follower>>();
  const watches = new Set<() => void>();
  let stopping = false;
  let changes = 0;
  let waiting = 0;
  let timer: NodeJS.Timeout | undefined;
  let nextDue = Infinity;
  /** The clock when it was last looked at. */
  let seenAt = 0;

  const unsubscribe = source.onChange((change) => {
    if (change.kind === "policy" || change.kind === "document") return;
    changes += 1;
    if (change.kind === "everything") {
      for (const each of followers) each.onNews();
      return;
    }
    const found = byDevice.get(change.id);
    if (found instanceof Set) for (const each of found) each.onNews();
    else found?.onNews();
  });

  function follow({ ids, changesAt, waits, onNews }: FollowOptions): Following {
    const follower: Follower = { ids, waits, onNews, due: Infinity };
    followers.add(follower);
    for (const id of ids) add(id, follower);
    if (waits) waiting += 1;
    if (timer === undefined && !stopping) {
      seenAt = now();
      setTimer();
    }
    const expect = (at: Date | undefined): void => {
      follower.due = at?.getTime() ?? Infinity;
      arm(follower.due);
    };
    expect(changesAt);
    return { expect, stop: () => forget(follower) };
  }

  function add(id: DeviceId, follower: Follower): void {
    const found = byDevice.get(id);
    if (found === undefined) byDevice.set(id, follower);
    else if (found instanceof Set) found.add(follower);
    else if (found !== follower) byDevice.set(id, new Set([found, follower]));
  }

  function forget(follower: Follower): void {
    if (!followers.delete(follower)) return;
    if (follower.waits) waiting -= 1;
    for (const id of follower.ids) {
      const found = byDevice.get(id);
      if (found instanceof Set) found.delete(follower);
      if (found === follower || (found instanceof Set && found.size === 0)) byDevice.delete(id);
    }
    if (followers.size === 0) disarm();
  }

  /** For the first moment at which time alone is news for anybody. */
  function arm(due: number): void {
    if (due >= nextDue || stopping) return;
    nextDue = due;
    setTimer();
  }

  function setTimer(): void {
    clearTimeout(timer);
    timer = setTimeout(passTime, Math.min(Math.max(1, nextDue - now()), clockCheckMs));
    // Whoever waits keeps the program running by himself.
    timer.unref();
  }

  function disarm(): void {
    clearTimeout(timer);
    timer = undefined;
    nextDue = Infinity;
  }

  function passTime(): void {
    const at = now();
    // With a clock that was set back, what has been is to come: nobody's verdict is certain any more.
    const isBack = at < seenAt;
    seenAt = at;
    if (isBack || at >= nextDue) tellWhoIsDue(isBack ? Infinity : at);
    if (followers.size > 0) setTimer();
  }

  function tellWhoIsDue(at: number): void {
    nextDue = Infinity;
    for (const each of followers) {
      if (each.due <= at) {
        each.due = Infinity;
        each.onNews();
      }
      nextDue = Math.min(nextDue, each.due);
    }
  }

  function watch(ids: readonly DeviceId[], asOf: number): Watch {
    // Whatever changed since then may have been this device; one decision too many costs microseconds.
    let pending = changes !== asOf;
    let stopped = false;
    let wake: (() => void) | undefined;
    const rouse = (): void => wake?.();
    const onNews = (): void => {
      pending = true;
      rouse();
    };
    const following = follow({ ids, changesAt: undefined, waits: true, onNews });
    watches.add(rouse);

    async function next({ timeoutMs, changesAt }: Parameters<Watch["next"]>[0]): ReturnType<Watch["next"]> {
      const until = performance.now() + timeoutMs;
      following.expect(changesAt);
      for (;;) {
        if (stopped || stopping) return "stopped";
        if (pending) {
          pending = false;
          return "changed";
        }
        const left = until - performance.now();
        if (left <= 0) return "expired";
        await sleep(Math.min(left, longestTimerMs));
      }
    }

    function sleep(ms: number): Promise<void> {
      return new Promise((resolve) => {
        const sleeping = setTimeout(done, Math.max(1, ms));
        function done(): void {
          clearTimeout(sleeping);
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
        following.stop();
        watches.delete(rouse);
        rouse();
      },
    };
  }

  return {
    changes: () => changes,
    follow,
    watch,
    close(): void {
      stopping = true;
      unsubscribe();
      disarm();
      for (const rouse of watches) rouse();
    },
    size: () => waiting,
  };
}
