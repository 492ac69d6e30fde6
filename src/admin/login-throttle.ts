/** Who guesses tokens: failures of an address are counted, and after too many its break-glass tokens are not even looked at. */
import { networkOf } from "../gateway/network.ts";

/** A person who pastes the wrong token, and pastes it again. */
const FAILURES_LIMIT = 10;
const WINDOW_MS = 300_000;
/** Addresses remembered; beyond it the one whose window ends first is forgotten. */
const ADDRESSES_LIMIT = 10_000;

export interface LoginThrottle {
  /** Milliseconds until tokens from there are looked at again; 0: now. */
  waitMs(address: string): number;
  failed(address: string): void;
}

export function createLoginThrottle(nowMs: () => number): LoginThrottle {
  const failures = new Map<string, { count: number; readonly endsAt: number }>();

  function found(network: string): { count: number; readonly endsAt: number } | undefined {
    const entry = failures.get(network);
    if (entry === undefined || entry.endsAt > nowMs()) return entry;
    failures.delete(network);
    return undefined;
  }

  return {
    waitMs(address): number {
      const entry = found(networkOf(address));
      return entry === undefined || entry.count < FAILURES_LIMIT ? 0 : entry.endsAt - nowMs();
    },
    failed(address): void {
      const network = networkOf(address);
      const entry = found(network) ?? { count: 0, endsAt: nowMs() + WINDOW_MS };
      entry.count += 1;
      failures.set(network, entry);
      // In the order in which they came, and all windows are of one length.
      const [oldest] = failures.keys();
      if (failures.size > ADDRESSES_LIMIT && oldest !== undefined) failures.delete(oldest);
    },
  };
}
