/** Waits for what will be true soon: tests poll a condition, and never sleep for a time that somebody guessed. */
import { setTimeout } from "node:timers/promises";

const POLL_MS = 5;

/** Resolves with the result of the first check that does not throw; rejects with the last failure at the deadline. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 5_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await setTimeout(POLL_MS);
  }
}
