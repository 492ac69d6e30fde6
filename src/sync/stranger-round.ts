/**
 * Now and again the node that leads looks at who was at a gate with an id that no record knows, where the configuration lets such an id be
 * its owner's phone. What is bound is bound in one act, and never twice, so that it matters to nobody that two nodes may do so at once.
 */
import type { Strangers } from "../inventory/strangers.ts";
import type { LastRequest } from "../store/store.ts";
import type { Tell } from "./events.ts";

export interface StrangerRoundDeps {
  readonly strangers: Pick<Strangers, "considerSince">;
  readonly seen: () => AsyncIterable<LastRequest>;
  readonly isLeading: () => boolean;
  readonly tell: Tell;
  readonly now: () => Date;
  readonly everyMs?: number;
}

/** 15 s: a person who sets up a mail app waits for it. */
const EVERY_MS = 15_000;
/** Gates write what they have seen some seconds later, and their clocks differ: whoever is looked at twice is not bound twice. */
const OVERLAP_MS = 120_000;

export function openStrangerRound(deps: StrangerRoundDeps): { close(): Promise<void> } {
  const { strangers, seen, isLeading, tell, now, everyMs = EVERY_MS } = deps;
  let since = new Date(0);
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;

  async function round(): Promise<void> {
    const begunAt = now();
    try {
      const bound = await strangers.considerSince(seen(), since);
      since = new Date(begunAt.getTime() - OVERLAP_MS);
      if (bound > 0)
        tell({
          kind: "log",
          level: "info",
          event: "ids at the gate were bound to their owners' phones",
          fields: { bound },
        });
    } catch (cause) {
      tell({
        kind: "log",
        level: "warn",
        event: "nobody could look at the ids that no record knows",
        fields: { cause: cause instanceof Error ? cause.name : typeof cause },
      });
    } finally {
      isRunning = false;
    }
  }

  const timer = setInterval(() => {
    if (isRunning || !isLeading()) return;
    isRunning = true;
    running = round();
  }, everyMs);
  timer.unref();

  return {
    async close(): Promise<void> {
      clearInterval(timer);
      await running;
    },
  };
}
