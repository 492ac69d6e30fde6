/** Takes the lead when nobody has it, goes on while it can, and lets the work end with it. */
import { LeadershipLost, lead, resign } from "../store/leadership.ts";
import type { Store } from "../store/store.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { Tell } from "./events.ts";
import { pause } from "./pause.ts";
import { LEADER_NAME } from "./ports.ts";

export interface LeadOptions {
  readonly store: Pick<Store, "transact">;
  /** Another for each run of the program. */
  readonly holder: string;
  /** What the leader does until the signal ends. */
  readonly work: (fence: number, signal: AbortSignal) => Promise<void>;
  readonly tell: Tell;
  readonly now: () => Date;
  readonly termMs?: number;
}

export interface Lead {
  isLeading(): boolean;
  /** Lets the work end and gives the lead back. */
  close(): Promise<void>;
}

/** Many times the two seconds by which clocks may differ, and short enough that a node that died is replaced soon. */
const TERM_MS = 30_000;

export function createLead({ store, holder, work, tell, now, termMs = TERM_MS }: LeadOptions): Lead {
  const closing = new AbortController();
  let leading: { readonly fence: number; readonly end: AbortController; readonly done: Promise<void> } | undefined;
  let untilMs = 0;

  async function renew(): Promise<void> {
    try {
      const term = await lead(store, LEADER_NAME, holder, termMs, now);
      if (term === undefined) return await stopWork("another node leads");
      untilMs = term.until.getTime();
      if (leading !== undefined && leading.fence !== term.fence) await stopWork("another node led meanwhile");
      leading ??= begin(term.fence);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      // Until the term ends nobody else leads; after it, somebody may.
      if (now().getTime() >= untilMs) await stopWork("the store is away");
    }
  }

  function begin(fence: number): NonNullable<typeof leading> {
    const end = new AbortController();
    tell({ kind: "log", level: "info", event: "this node speaks with the sources now", fields: { fence } });
    const done = work(fence, end.signal).catch((error: unknown) => {
      if (!(error instanceof LeadershipLost)) {
        const cause = error instanceof Error ? error.name : typeof error;
        tell({ kind: "log", level: "error", event: "the work for the sources failed", fields: { cause } });
      }
      // It is begun anew with the next renewal, under another fence where another one leads.
      end.abort();
      if (leading?.end === end) leading = undefined;
    });
    return { fence, end, done };
  }

  async function stopWork(why: string): Promise<void> {
    if (leading === undefined) return;
    const { end, done } = leading;
    leading = undefined;
    end.abort();
    tell({ kind: "log", level: "warn", event: "this node speaks with the sources no more", fields: { why } });
    await done;
  }

  const running = (async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await renew();
      await pause(termMs / 3, closing.signal);
    }
  })();
  running.catch((error: unknown) => {
    const cause = error instanceof Error ? error.name : typeof error;
    tell({ kind: "log", level: "error", event: "nobody can be asked who leads", fields: { cause } });
  });

  return {
    isLeading: () => leading !== undefined,
    async close(): Promise<void> {
      closing.abort();
      await running.catch(() => undefined);
      if (leading === undefined) return;
      const { fence, end, done } = leading;
      leading = undefined;
      end.abort();
      await done;
      await resign(store, LEADER_NAME, fence).catch(() => undefined);
    },
  };
}
