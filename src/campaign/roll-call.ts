/**
 * Looks now and then at which devices have a record, so that those who come later are known to be new though their phones have
 * not been here yet. One node does it at a time; what two would do is the same.
 */
import { randomUUID } from "node:crypto";
import type { LetterStore, Store } from "../store/store.ts";

export interface RollCallOptions {
  readonly store: Pick<Store, "meetEverybody"> & Pick<LetterStore, "holdLease">;
  readonly onFailure: (cause: unknown) => void;
}

export interface RollCall {
  /** Ends the one under way. */
  close(): Promise<void>;
}

const LEASE = "roll-call";
/** How exactly it is known when a record came whose phone was not here. To look at a million takes some seconds of Redis. */
const EVERY_MS = 600_000;
/** Until the first one is through, nobody is new: soon, then, where another node was to do it and has ended. */
const LOOK_MS = 60_000;

export function openRollCall({ store, onFailure }: RollCallOptions): RollCall {
  const holder = randomUUID();
  let isClosed = false;
  let calledAt: number | undefined;
  let isHeld = false;
  let working: Promise<void> | undefined;
  const timer = setInterval(look, LOOK_MS).unref();
  look();

  function look(): void {
    if (isClosed || working !== undefined) return;
    if (calledAt !== undefined && performance.now() - calledAt < EVERY_MS) return;
    working = call().finally(() => (working = undefined));
  }

  async function call(): Promise<void> {
    try {
      isHeld = await store.holdLease(LEASE, holder, EVERY_MS);
      if (!isHeld) return;
      if (await store.meetEverybody(() => !isClosed)) calledAt = performance.now();
    } catch (cause) {
      onFailure(cause);
    }
  }

  return {
    async close(): Promise<void> {
      isClosed = true;
      clearInterval(timer);
      await working;
      // Whoever is next need not wait until it ends by itself.
      if (isHeld) await store.holdLease(LEASE, holder, 1).catch(onFailure);
    },
  };
}
