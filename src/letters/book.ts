/** What the store knows of the letters of one run: who was told what, what must be tried again, and what must be taken back. */
import type { Campaign } from "../policy/campaign.ts";
import type { DeviceId } from "../policy/device.ts";
import type { Addressee, LetterEntry, LetterKey, LetterStore } from "../store/store.ts";
import { toldNothing } from "./due.ts";
import type { Announcement, Told } from "./due.ts";

export interface Book {
  readonly campaign: Campaign;
  readonly run: number;
  readonly told: ReadonlyMap<DeviceId, Told>;
  /** Letters that the mail server has not taken so far, by `triesKey`. */
  readonly tries: ReadonlyMap<string, Tries>;
  /** Addresses that were told, and have not been told that it was taken back. */
  readonly uncorrected: readonly Correction[];
}

interface Tries {
  /** The number of the last attempt. */
  readonly last: number;
  /** Those of them that the mail server answered with "later". One while it was away says nothing of the letter. */
  readonly postponed: number;
  /** The next attempt is not made before. */
  readonly againAt: Date;
}

interface Correction extends Addressee {
  readonly device: DeviceId;
  readonly number: number;
}

/** After so many the mail server has something against this letter; an operator sees it in the report. */
export const ATTEMPTS_LIMIT = 5;
/** Then three times as long after each further one: the last is made seven hours after the first, whatever is full until then. */
const FIRST_PAUSE_MS = 600_000;
const PAUSE_FACTOR = 3;

export function triesKey({ device, kind, number }: Pick<LetterKey, "device" | "kind" | "number">): string {
  return `${device} ${kind} ${number}`;
}

export async function readBook(store: LetterStore, campaign: Campaign, run: number): Promise<Book> {
  const told = new Map<DeviceId, Told>();
  const unsettled = new Map<string, Map<number, LetterEntry>>();
  const settled = new Set<string>();
  /** By device: each address, and the number of its correction. */
  const corrections = new Map<DeviceId, Map<string, number>>();
  const corrected = new Set<string>();
  const notified = new Map<DeviceId, Map<string, Addressee>>();
  for await (const letter of store.letters(campaign.id, run)) {
    const { device, kind, number, state, to } = letter;
    const key = triesKey(letter);
    if (kind === "correction")
      corrections.set(device, (corrections.get(device) ?? new Map<string, number>()).set(to, number));
    if (state === "postponed" || state === "waiting") {
      unsettled.set(key, (unsettled.get(key) ?? new Map<number, LetterEntry>()).set(letter.attempt, letter));
      continue;
    }
    settled.add(key);
    if (kind === "correction") corrected.add(correctedKey(device, to));
    else told.set(device, withLetter(told.get(device) ?? toldNothing, letter));
    // Whoever was certainly not told has nothing to be corrected.
    if (kind !== "correction" && (state === "sent" || state === "claimed"))
      notified.set(device, (notified.get(device) ?? new Map<string, Addressee>()).set(to, letter));
  }
  const tries = new Map<string, Tries>();
  for (const [key, attempts] of unsettled) {
    if (settled.has(key)) continue;
    const tried = triesOf([...attempts.values()]);
    tries.set(key, tried);
    const last = attempts.get(tried.last);
    // What is given up is told to nobody a second time; a new owner of the phone has an announcement of their own.
    if (last?.kind === "announcement" && tried.postponed >= ATTEMPTS_LIMIT)
      told.set(last.device, withLetter(told.get(last.device) ?? toldNothing, last));
  }
  const uncorrected = [...notified].flatMap(([device, addressees]) => {
    const numbers = corrections.get(device) ?? new Map<string, number>();
    let next = Math.max(-1, ...numbers.values()) + 1;
    return [...addressees.values()]
      .filter(({ to }) => !corrected.has(correctedKey(device, to)))
      .map(({ to, person }): Correction => ({ device, to, person, number: numbers.get(to) ?? next++ }));
  });
  return { campaign, run, told, tries, uncorrected };
}

function triesOf(attempts: readonly LetterEntry[]): Tries {
  const postponed = attempts.filter(({ state }) => state === "postponed");
  const lastAt = Math.max(0, ...postponed.map(({ at }) => at.getTime()));
  const pauseMs = postponed.length === 0 ? 0 : FIRST_PAUSE_MS * PAUSE_FACTOR ** (postponed.length - 1);
  return {
    last: Math.max(...attempts.map(({ attempt }) => attempt)),
    postponed: postponed.length,
    againAt: new Date(lastAt + pauseMs),
  };
}

function withLetter(told: Told, letter: LetterEntry): Told {
  const { kind, number } = letter;
  switch (kind) {
    case "announcement":
      return {
        ...told,
        announcements: [...told.announcements.filter((each) => each.number !== number), announcementOf(letter)],
      };
    case "reminder":
      return { ...told, reminders: Math.max(told.reminders, number) };
    case "confirmation":
      return told.confirmed.includes(number) ? told : { ...told, confirmed: [...told.confirmed, number] };
    case "correction":
      return told;
  }
}

function announcementOf({ number, to, person, state }: LetterEntry): Announcement {
  return { number, to, person, isDelivered: state === "sent" || state === "claimed" };
}

function correctedKey(device: DeviceId, to: string): string {
  return `${device} ${to}`;
}
