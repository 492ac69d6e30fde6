/**
 * Which phones were asked and have not answered, on all nodes: one asks, and any of them may hear the answer. A lost answer can be read
 * nowhere, and only asking again brings it back; but commands for a phone that lies in a drawer wait at the management system, and asking
 * again and again would heap them up there.
 */
import { createHash } from "node:crypto";

/** What all nodes remember, each word for its time. Each call throws StoreUnavailable. */
export interface SharedMemory {
  /** False: it is remembered already. */
  readonly remember: (word: string, ttlMs: number) => Promise<boolean>;
  readonly isRemembered: (word: string) => Promise<boolean>;
  readonly forget: (word: string) => Promise<void>;
}

/** 2 min: a phone that speaks with its management system answers within seconds. */
const ANSWER_DEADLINE_MS = 120_000;
/** 24 h: whatever is thought to wait at the management system, a phone is asked anew after so long. */
const QUEUED_LIMIT_MS = 86_400_000;
/** 7 days: a phone of which nobody knows any more that it was asked is asked when it is next heard of. */
const KNOWN_LIMIT_MS = 604_800_000;

export interface Outstanding {
  /** Notes that it is to be asked now. False: these very questions still wait for it, and it only needs to be woken. */
  begin(device: string, digest: string): Promise<boolean>;
  /** Its questions were not taken, or all of them were answered: nothing of them waits any more. */
  end(device: string, digest: string): Promise<void>;
  /** Whether answers to these questions may still come. */
  awaits(device: string, digest: string): Promise<boolean>;
  /** It spoke about something else. @returns whether it is to be asked anew: it was never asked, or its answer was lost. */
  heard(device: string, digest: string): Promise<boolean>;
  /** It enrols, it has left, or its answer could not be kept: nothing waits for it, and it is asked when it is next heard of. */
  forget(device: string, digest: string): Promise<void>;
}

export function createOutstanding({ remember, isRemembered, forget }: SharedMemory): Outstanding {
  return {
    async begin(device, digest) {
      const { queued, quiet, known } = wordsFor(device, digest);
      if (!(await remember(queued, QUEUED_LIMIT_MS))) return false;
      await remember(quiet, ANSWER_DEADLINE_MS);
      await remember(known, KNOWN_LIMIT_MS);
      return true;
    },
    end: (device, digest) => forget(wordsFor(device, digest).queued),
    awaits: (device, digest) => isRemembered(wordsFor(device, digest).queued),
    async heard(device, digest) {
      const { queued, quiet, known } = wordsFor(device, digest);
      if (await remember(known, KNOWN_LIMIT_MS)) return true;
      if (!(await isRemembered(queued))) return false;
      // It may only come for what waits, and is then asked once too often. But whoever makes a phone speak without end does not make it be
      // asked without end.
      if (!(await remember(quiet, ANSWER_DEADLINE_MS))) return false;
      await forget(queued);
      return true;
    },
    async forget(device, digest) {
      const { queued, known } = wordsFor(device, digest);
      await forget(queued);
      await forget(known);
    },
  };
}

/** By a digest: ids of phones belong into no name of a key. */
function wordsFor(device: string, digest: string) {
  const phone = createHash("sha256").update(device).digest("hex").slice(0, 32);
  return { queued: `asked/${phone}/${digest}`, quiet: `quiet/${phone}`, known: `known/${phone}` };
}
