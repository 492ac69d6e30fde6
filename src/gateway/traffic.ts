/**
 * What passes, written down in batches and off every request's way: which phones were here, and what each campaign did to them
 * or would have done. A store that is away loses figures, and no phone notices.
 */
import type { DeviceId } from "../policy/device.ts";
import { campaignsIn, effectOf, isStranger } from "../policy/effect.ts";
import type { Verdict } from "../policy/verdict.ts";
import type { Sighting, TrafficStore } from "../store/store.ts";

export interface TrafficOptions {
  readonly store: Pick<TrafficStore, "noteSightings" | "addToTallies">;
  /** Under which names an effect of a campaign is counted. */
  readonly namesOf: (campaign: string, effect: string, isShadow: boolean) => readonly string[];
  /** Called when the counts of these names have grown. */
  readonly onCounted: (names: readonly string[]) => Promise<void>;
  readonly onFailure: (cause: unknown) => void;
  readonly now: () => Date;
}

export interface Seen {
  readonly id: DeviceId;
  readonly account: string;
  readonly verdict: Verdict;
}

export interface Traffic {
  /** Only for a request whose credential the mail server has accepted: anybody can invent device ids. */
  note(seen: Seen): void;
  /** Writes what was noted. Never throws. */
  flush(): Promise<void>;
  /** Writes what is left, and then no more. */
  stop(): Promise<void>;
}

/** A wave that hits too many is found out within this and the time of two round trips. */
const FLUSH_INTERVAL_MS = 2_000;
/** Five minutes: how exactly the last hour is known. In between, a phone that asks all the time is noted once. */
const AGAIN_MS = 300_000;
/** Phones that were noted lately; of more than these the oldest are noted again too soon, which is harmless. */
const NOTED_LIMIT = 200_000;
/** Phones of one batch. What finds no place is noted the next time that the phone asks. */
const BATCH_LIMIT = 20_000;
/** Different phones under one name and in one batch, likewise. */
const SUBJECTS_LIMIT = 20_000;
/** Device ids of one person in an hour: a person can invent them, and should not push the others out. */
const IDS_OF_ONE_LIMIT = 20;
const ACCOUNTS_LIMIT = 100_000;
const hourMs = 3_600_000;

interface Count {
  readonly subjects: Set<string>;
  decisions: number;
}

export function createTraffic({ store, namesOf, onCounted, onFailure, now }: TrafficOptions): Traffic {
  /** `id account` to when it was noted; the oldest first. */
  const noted = new Map<string, number>();
  let idsOf = new Map<string, number>();
  let idsSince = 0;
  let sightings: Sighting[] = [];
  let counts = new Map<string, Count>();
  let writing: Promise<void> | undefined;

  function noteSighting({ id, account }: Seen, at: Date): void {
    const key = `${id} ${account}`;
    const before = noted.get(key);
    if (before !== undefined && at.getTime() - before < AGAIN_MS) return;
    if (sightings.length >= BATCH_LIMIT || (before === undefined && !isWithinBudget(account, at))) return;
    noted.delete(key);
    noted.set(key, at.getTime());
    if (noted.size > NOTED_LIMIT) {
      const [oldest] = noted.keys();
      if (oldest !== undefined) noted.delete(oldest);
    }
    sightings.push({ id, account, at });
  }

  function isWithinBudget(account: string, at: Date): boolean {
    if (at.getTime() - idsSince >= hourMs || idsOf.size >= ACCOUNTS_LIMIT) {
      idsOf = new Map();
      idsSince = at.getTime();
    }
    const ids = (idsOf.get(account) ?? 0) + 1;
    idsOf.set(account, ids);
    return ids <= IDS_OF_ONE_LIMIT;
  }

  /** A stranger counts by the person: otherwise one person with many invented ids could make a campaign pause itself. */
  function count({ id, account, verdict }: Seen): void {
    const rulings = verdict.rulings ?? [];
    const subject = isStranger(rulings) ? `person ${account}` : id;
    for (const [campaign, { isShadow }] of campaignsIn(rulings)) {
      for (const name of namesOf(campaign, effectOf(rulings, campaign), isShadow)) {
        const known = counts.get(name) ?? { subjects: new Set(), decisions: 0 };
        counts.set(name, known);
        known.decisions += 1;
        if (known.subjects.size < SUBJECTS_LIMIT) known.subjects.add(subject);
      }
    }
  }

  /** What could not be written is lost: a store that is away for long must not fill the memory. */
  async function write(): Promise<void> {
    const [batch, counted] = [sightings, counts];
    sightings = [];
    counts = new Map();
    try {
      await store.noteSightings(batch);
      if (counted.size === 0) return;
      await store.addToTallies(
        [...counted].map(([name, { subjects, decisions }]) => ({ name, subjects: [...subjects], decisions })),
      );
      await onCounted([...counted.keys()]);
    } catch (cause) {
      for (const { id, account } of batch) noted.delete(`${id} ${account}`);
      onFailure(cause);
    }
  }

  /** One at a time: a slow store gets larger batches rather than more of them. */
  function flush(): Promise<void> {
    writing ??= write().finally(() => (writing = undefined));
    return writing;
  }

  const timer = setInterval(() => void flush(), FLUSH_INTERVAL_MS).unref();

  return {
    note(seen): void {
      noteSighting(seen, now());
      count(seen);
    },
    flush,
    async stop(): Promise<void> {
      clearInterval(timer);
      await writing;
      await flush();
    },
  };
}
