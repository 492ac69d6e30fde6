/** Where Pings and waiting Syncs are held until their mailbox changes, their time is up, or their phone hangs up. */
import type { Mailbox } from "./mailbox.ts";

export type WaitEnd = "changed" | "expired" | "replaced" | "gone";

export interface Wait {
  /** A phone has one Ping and one waiting Sync at a time: a newer one means that it has given up on the older. */
  readonly name: string;
  readonly mailbox: Mailbox;
  /** Called at every change of the mailbox: whether it is one to wake up for. */
  readonly concerns: (folderId: string | undefined) => boolean;
  readonly timeoutMs: number;
  readonly gone: AbortSignal;
}

/** Calls back after a while; returns the function that forgets about it. */
export type Timer = (delayMs: number, callback: () => void) => () => void;

export const realTimer: Timer = (delayMs, callback) => {
  const timeout = setTimeout(callback, delayMs);
  return () => clearTimeout(timeout);
};

export type WaitingRoom = ReturnType<typeof createWaitingRoom>;

export function createWaitingRoom(timer: Timer) {
  const waiting = new Map<string, (end: WaitEnd) => void>();
  const arrivals = new Set<() => void>();

  function dismiss(name: string, end: WaitEnd): void {
    waiting.get(name)?.(end);
  }

  return {
    count: (): number => waiting.size,

    /** Resolves as soon as so many wait, which may be at once. */
    whenCount: (count: number): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (waiting.size !== count) return;
          arrivals.delete(look);
          resolve();
        };
        arrivals.add(look);
        look();
      }),

    wait({ name, mailbox, concerns, timeoutMs, gone }: Wait): Promise<WaitEnd> {
      dismiss(name, "replaced");
      if (gone.aborted) return Promise.resolve("gone");
      return new Promise((resolve) => {
        const end = (reason: WaitEnd): void => {
          stopTimer();
          stopWatching();
          gone.removeEventListener("abort", hangUp);
          waiting.delete(name);
          for (const look of arrivals) look();
          resolve(reason);
        };
        const hangUp = (): void => end("gone");
        const stopTimer = timer(timeoutMs, () => end("expired"));
        const look = (folderId: string | undefined): void => {
          if (waiting.get(name) === end && concerns(folderId)) end("changed");
        };
        // Not at once: the Sync that is just changing the mailbox has yet to note that its own phone knows of the change.
        const stopWatching = mailbox.watch((folderId) => queueMicrotask(() => look(folderId)));
        gone.addEventListener("abort", hangUp);
        waiting.set(name, end);
        for (const look of arrivals) look();
      });
    },

    /** Ends the wait of that name, if there is one. */
    replace: (name: string): void => dismiss(name, "replaced"),

    closeAll(): void {
      for (const end of waiting.values()) end("gone");
    },
  };
}
