/**
 * Which phones were asked and have not answered. A lost answer can be read nowhere: only asking again brings it back. But commands
 * for a phone that lies in a drawer wait at the management system, and asking again and again would heap them up there.
 * This is the memory of one process. What a new one does not know costs one question to each phone at its next contact.
 */

/** 2 min: a phone that speaks with its management system answers within seconds. */
const ANSWER_DEADLINE_MS = 120_000;
/** 24 h: whatever is thought to wait at the management system, a phone is asked anew after so long. */
const QUEUED_LIMIT_MS = 86_400_000;
/** 50 000 phones, some 300 bytes each. One that is forgotten is asked once too often. */
export const OUTSTANDING_LIMIT = 50_000;

interface Entry {
  readonly digest: string;
  readonly askedAt: number;
  /** Ids of the commands without an answer. */
  readonly waiting: ReadonlySet<string>;
  /** It has spoken with its management system since, so that whatever waited there was handed out. */
  readonly isHeard: boolean;
}

export interface Outstanding {
  asked(device: string, digest: string, commandIds: readonly string[], now: Date): void;
  /** Whether these very questions still wait for the phone, so that it only needs to be woken. */
  isQueued(device: string, digest: string, now: Date): boolean;
  /** Whether answers to these questions may still come. */
  awaits(device: string, digest: string): boolean;
  answered(device: string, commandId: string, now: Date): void;
  /** It is locked or busy: the command waits on, and the phone comes back by itself. */
  postponed(device: string, now: Date): void;
  /** It spoke about something else. @returns whether it is to be asked anew: an answer was lost, or it was never asked. */
  heard(device: string, now: Date): boolean;
  /** Nothing waits for it any more: it enrols, or has left. */
  forget(device: string): void;
}

export function createOutstanding(): Outstanding {
  const entries = new Map<string, Entry>();

  /** To the end of the line, so that the longest unasked is forgotten first. */
  function put(device: string, entry: Entry): void {
    entries.delete(device);
    entries.set(device, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= OUTSTANDING_LIMIT) break;
      entries.delete(oldest);
    }
  }

  const nothing = (now: Date): Entry => ({ digest: "", askedAt: now.getTime(), waiting: new Set(), isHeard: true });

  return {
    asked(device, digest, commandIds, now) {
      put(device, { digest, askedAt: now.getTime(), waiting: new Set(commandIds), isHeard: false });
    },
    isQueued(device, digest, now) {
      const entry = entries.get(device);
      if (entry === undefined || entry.waiting.size === 0 || entry.isHeard || entry.digest !== digest) return false;
      return now.getTime() - entry.askedAt < QUEUED_LIMIT_MS;
    },
    awaits(device, digest) {
      const entry = entries.get(device);
      return entry !== undefined && entry.digest === digest && entry.waiting.size > 0;
    },
    answered(device, commandId, now) {
      const entry = entries.get(device) ?? nothing(now);
      const waiting = new Set([...entry.waiting].filter((each) => each !== commandId));
      put(device, { ...entry, waiting, isHeard: true });
    },
    postponed(device, now) {
      const entry = entries.get(device);
      if (entry !== undefined) put(device, { ...entry, askedAt: now.getTime(), isHeard: false });
    },
    heard(device, now) {
      const entry = entries.get(device);
      if (entry === undefined) {
        put(device, nothing(now));
        return true;
      }
      const isLost = entry.waiting.size > 0 && now.getTime() - entry.askedAt >= ANSWER_DEADLINE_MS;
      // Once: whoever makes a phone speak without end does not make it be asked without end.
      put(device, { ...entry, isHeard: true, ...(isLost && { askedAt: now.getTime() }) });
      return isLost;
    },
    forget: (device) => void entries.delete(device),
  };
}
