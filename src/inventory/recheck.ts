/**
 * "I removed it, check again": one request of a person to have a phone looked at anew. It stands in the store, so that the page on any
 * node can ask, the node that speaks with the source does it, and everybody who watches sees each step.
 */
import type { DeviceId } from "../policy/device.ts";

/** In the order in which they come. A step is taken once; the later ones are only reached through the earlier. */
export const recheckSteps = ["asked", "sent", "answered", "clear", "mail-back"] as const;
export type RecheckStep = (typeof recheckSteps)[number];

/** Why it cannot go on. None of them is the person's fault, and each has words on the page. */
export type RecheckEnd =
  /** No source speaks for this phone. */
  | "no-source"
  /** The source cannot be hurried; it reports by itself. */
  | "cannot-hurry"
  /** The source did not take the order. */
  | "source-refused"
  /** The source, or its budget, has no room now. */
  | "busy"
  /** The phone did not answer in time. */
  | "no-answer"
  /** It answered, and the reason for holding the mail is still there. */
  | "still-there";

export interface Recheck {
  readonly device: DeviceId;
  /** Counts up with each request for this device. */
  readonly number: number;
  /** When each step was reached. `asked` is always there. */
  readonly steps: Readonly<Partial<Record<RecheckStep, Date>>>;
  readonly end: RecheckEnd | undefined;
  readonly endedAt: Date | undefined;
  /** The source that was asked, as soon as it is known. */
  readonly source: string | undefined;
  /** Who asked: `page`, or the operator's name. */
  readonly by: string;
}

/** One request of a device is under way at a time, for at most so long. */
export const RECHECK_TTL_MS = 900_000;
/** 60 s: between two requests for one device. */
export const RECHECK_GAP_MS = 60_000;

/** What pages and operators may do about a recheck. */
export interface Rechecks {
  /**
   * Asks. Where one is under way, that one is returned; where the last one was asked for less than RECHECK_GAP_MS ago, the time from
   * which on another may be asked for. @throws StoreUnavailable
   */
  ask(
    device: DeviceId,
    by: string,
    at: Date,
  ): Promise<
    | { readonly kind: "asked" | "under-way"; readonly recheck: Recheck }
    | { readonly kind: "too-soon"; readonly from: Date; readonly recheck: Recheck }
  >;
  /** The last one; undefined where there was none, or it was forgotten (RECHECK_TTL_MS after it ended). @throws StoreUnavailable */
  read(device: DeviceId): Promise<Recheck | undefined>;
  /**
   * Takes a step, or ends it. Nothing happens where `number` is not the one under way, or the step was taken before.
   * @throws StoreUnavailable
   */
  advance(
    device: DeviceId,
    number: number,
    to:
      | { readonly step: RecheckStep; readonly at: Date; readonly source?: string }
      | { readonly end: RecheckEnd; readonly at: Date },
  ): Promise<void>;
  /** Those under way, for the node that speaks with the sources. */
  open(): AsyncIterable<Recheck>;
  /** Calls the listener whenever one was asked for or went on, on whichever node. Returns the way to stop. */
  onChange(listener: (device: DeviceId) => void): () => void;
}
