/**
 * "I removed it, check again": one wish of a person to have a phone looked at anew. It stands in the store, so that the page on any
 * node can ask, the node that speaks with the source does it, and everybody who watches sees each step.
 */
import type { DeviceId } from "../policy/device.ts";

/** In the order in which they come. Where nobody saw one, it is left out, and the later ones come all the same. */
export const recheckSteps = [
  /** By the person. */
  "asked",
  /** The source took the order. */
  "sent",
  /** The phone reported anew. */
  "answered",
  /** Nothing is held against it any more. */
  "clear",
  /** Its first request for mail has passed. */
  "mail-back",
] as const;
export type RecheckStep = (typeof recheckSteps)[number];

/** Why it cannot go on. None of them is the person's fault, and each has words on the page. */
export const recheckEnds = [
  /** No source speaks for this phone. */
  "no-source",
  /** The source cannot be hurried; it reports by itself. */
  "cannot-hurry",
  /** The source did not take the order. */
  "source-refused",
  /** The source, or its budget, has no room now. */
  "busy",
  /** The phone did not answer in time. */
  "no-answer",
  /** It answered, and the reason for holding the mail is still there. */
  "still-there",
] as const;
export type RecheckEnd = (typeof recheckEnds)[number];

export interface Recheck {
  readonly device: DeviceId;
  /** From 1; another with each wish for this device. */
  readonly number: number;
  readonly askedAt: Date;
  /** When each step was taken. */
  readonly steps: Readonly<Partial<Record<RecheckStep, Date>>>;
  readonly end: RecheckEnd | undefined;
  readonly endedAt: Date | undefined;
  /** The source that was asked, as soon as it is known. */
  readonly source: string | undefined;
  /** Who asked: `page`, or the operator's name. */
  readonly by: string;
}

/** 15 minutes: one wish for a device is under way at a time, and not longer than this. It is forgotten twice as long after its last step. */
export const RECHECK_TTL_MS = 900_000;
/** 60 s: from one wish for a device to the next. */
export const RECHECK_GAP_MS = 60_000;

/** `too-soon`: `from` is the moment from which on another may be asked for. */
export type RecheckAnswer =
  | { readonly kind: "asked" | "under-way"; readonly recheck: Recheck }
  | { readonly kind: "too-soon"; readonly from: Date; readonly recheck: Recheck };

/** What pages, operators and the node that speaks with the sources do about wishes. Every call throws StoreUnavailable. */
export interface Rechecks {
  /**
   * Asks. Where one is under way, that is the answer; where the last one was asked for less than RECHECK_GAP_MS ago, it is too soon.
   */
  ask(device: DeviceId, by: string, at: Date): Promise<RecheckAnswer>;
  /** The last one; undefined where there was none, or it was forgotten. */
  read(device: DeviceId): Promise<Recheck | undefined>;
  /**
   * Takes a step, or ends it. False, and nothing happens, where `number` is not the last one, where that is over, or where the step
   * was taken before.
   */
  advance(
    device: DeviceId,
    number: number,
    to:
      | { readonly step: RecheckStep; readonly at: Date; readonly source?: string }
      | { readonly end: RecheckEnd; readonly at: Date },
  ): Promise<boolean>;
  /** Those under way, for the node that speaks with the sources. */
  open(now: Date): AsyncIterable<Recheck>;
  /**
   * Calls the listener whenever one was asked for or went on, on whichever node; `undefined` after a gap, when it may be any of them.
   * Returns the way to stop.
   */
  onChange(listener: (device: DeviceId | undefined) => void): () => void;
}
