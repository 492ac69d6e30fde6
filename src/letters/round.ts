/**
 * One round of letters: everybody who should have one by now gets it, and nobody gets one twice. A letter is claimed in the
 * store before it is sent. Where the sender dies in between, it is not sent again: a person who was told twice stops reading.
 */
import { runOf } from "../campaign/ledger.ts";
import type { Campaign, Policy } from "../policy/campaign.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { LetterEntry, LetterKey, LetterStore, PolicyVersion, Store } from "../store/store.ts";
import type { Courier, OutgoingLetter } from "./courier.ts";
import { dueLetters, toldNothing } from "./due.ts";
import type { DueLetter, Told } from "./due.ts";

export interface RoundOptions {
  readonly store: Pick<Store, "records" | "facts"> & LetterStore;
  readonly courier: Courier;
  readonly compose: Compose;
  readonly policy: Policy;
  /** The run of each campaign; empty where campaigns stand in the configuration file. */
  readonly runs: PolicyVersion["runs"];
  /** The same for every round of one sender. */
  readonly memory: RoundMemory;
  readonly now: () => Date;
  /** Asked between two letters: somebody else may do the work from then on. */
  readonly mayGoOn: () => boolean;
  readonly onProblem: (problem: LetterProblem) => void;
}

/** What one round leaves to the next. */
export interface RoundMemory {
  /** How letters ended that the store has not been told yet: first thing in the next round. */
  readonly untold: (() => Promise<void>)[];
  /** Phones without an address that were reported, by campaign and run. */
  readonly withoutAddress: Set<string>;
}

export function createRoundMemory(): RoundMemory {
  return { untold: [], withoutAddress: new Set() };
}

type Letter =
  | (DueLetter & { readonly record: DeviceRecord })
  /** To whoever was told; without a record where the phone is another person's now, or forgotten. */
  | { readonly campaign: Campaign; readonly kind: "correction"; readonly record: DeviceRecord | undefined };

/** The words of one letter, for whoever reads it. */
export type Compose = (letter: Letter) => Pick<OutgoingLetter, "subject" | "text" | "html" | "language" | "from">;

export interface LetterProblem {
  readonly campaign: string;
  readonly device: DeviceId;
  readonly kind: "refused" | "postponed" | "unknown" | "no-address";
  readonly detail: string;
}

export interface RoundResult {
  readonly sent: number;
  readonly refused: number;
  readonly postponed: number;
  readonly unknown: number;
  /** Phones whose owner should have a letter and has no address. */
  readonly withoutAddress: number;
}

/** After so many the mail server has something against this letter; an operator sees it in the report. */
const ATTEMPTS_LIMIT = 5;
/** So many in a row that say nothing of the letter, and the mail server is away: the round ends, and the next one goes on. */
const AWAY_IN_A_ROW_LIMIT = 3;
/** So many mailboxes in a row are no accident of theirs: the mail server is full, or has had enough of us for now. */
const POSTPONED_IN_A_ROW_LIMIT = 20;
/** A fleet in which more have no address hears of some of them again. */
const WITHOUT_ADDRESS_LIMIT = 100_000;

/** What was sent of one run to one phone's owner. */
interface Book {
  readonly campaign: Campaign;
  readonly run: number;
  readonly told: Map<DeviceId, Told>;
  /** Letters that were postponed, by device, kind and number; what was tried since is no longer here. */
  readonly postponed: Map<string, number>;
  /** Addresses that were told, and have not been told that it was taken back. */
  readonly uncorrected: readonly Correction[];
}

interface Correction {
  readonly device: DeviceId;
  readonly to: string;
  readonly number: number;
}

export async function sendRound(options: RoundOptions): Promise<RoundResult> {
  const { store, policy, runs, memory, now, mayGoOn } = options;
  const result = { sent: 0, refused: 0, postponed: 0, unknown: 0, withoutAddress: 0 };
  for (let [tell] = memory.untold; tell !== undefined; [tell] = memory.untold) {
    await tell();
    memory.untold.shift();
  }
  const books = new Map<string, Book>();
  for (const campaign of policy.campaigns) {
    if (campaign.mode === "enforce" || campaign.mode === "retracted")
      books.set(campaign.id, await readBook(store, campaign, runOf(runs, campaign.id)));
  }
  let awayInARow = 0;
  let postponedInARow = 0;

  for (const book of books.values()) {
    if (book.campaign.mode !== "retracted") continue;
    for (const { device, to, number } of book.uncorrected) {
      if (isOver()) return result;
      const { record } = await store.facts([device], undefined);
      const theirs = record?.email === to ? record : undefined;
      await send(book, { campaign: book.campaign, kind: "correction", record: theirs }, { device, to, number });
    }
  }
  if (policy.campaigns.every(({ mode }) => mode !== "enforce")) return result;
  for await (const record of store.records()) {
    if (isOver()) return result;
    const toldOf = (campaign: string): Told => books.get(campaign)?.told.get(record.id) ?? toldNothing;
    for (const letter of dueLetters(record, policy, toldOf, now())) {
      const book = books.get(letter.campaign.id);
      if (book === undefined) continue;
      if (record.email === undefined) withoutAddress(book, record.id);
      else await send(book, { ...letter, record }, { device: record.id, to: record.email, number: letter.number });
    }
  }
  return result;

  function isOver(): boolean {
    return awayInARow >= AWAY_IN_A_ROW_LIMIT || postponedInARow >= POSTPONED_IN_A_ROW_LIMIT || !mayGoOn();
  }

  function withoutAddress({ campaign, run }: Book, device: DeviceId): void {
    result.withoutAddress += 1;
    const key = `${campaign.id} ${run} ${device}`;
    if (memory.withoutAddress.has(key)) return;
    if (memory.withoutAddress.size >= WITHOUT_ADDRESS_LIMIT) memory.withoutAddress.clear();
    memory.withoutAddress.add(key);
    options.onProblem({ campaign: campaign.id, device, kind: "no-address", detail: "the record has no email" });
  }

  async function send(book: Book, letter: Letter, { device, to, number }: Correction): Promise<void> {
    const before = book.postponed.get(postponedKey(device, letter.kind, number)) ?? 0;
    if (before >= ATTEMPTS_LIMIT) return;
    const { run } = book;
    const key: LetterKey = { campaign: book.campaign.id, run, device, kind: letter.kind, number, attempt: before + 1 };
    if (!(await store.claimLetter(key, now(), to))) return;
    const identity = JSON.stringify([key.campaign, key.run, key.device, key.kind, key.number]);
    const delivery = await options.courier.deliver({ to, identity, ...options.compose(letter) });
    result[delivery.kind] += 1;
    awayInARow = delivery.kind === "postponed" && delivery.isAway ? awayInARow + 1 : 0;
    postponedInARow = delivery.kind === "postponed" ? postponedInARow + 1 : 0;
    if (delivery.kind !== "sent")
      options.onProblem({ campaign: key.campaign, device, kind: delivery.kind, detail: delivery.detail });
    // What nobody knows stays claimed: it is shown to an operator, and never sent again.
    if (delivery.kind === "unknown") return;
    const detail = delivery.kind === "sent" ? "" : delivery.detail;
    const entry: LetterEntry = { ...key, state: delivery.kind, at: now(), to, detail };
    const isFirst = delivery.kind === "sent" && letter.kind === "announcement";
    await tellStore(async () => {
      await store.settleLetter(entry);
      if (isFirst) await coverReminders(entry, letter.remindersDue);
    });
  }

  /** A store that is away just then must not make a postponed letter one that nobody knows of. Both may be told twice. */
  async function tellStore(tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } catch (error) {
      memory.untold.push(tell);
      throw error;
    }
  }

  /** Whoever is told for the first time when reminders are due already need not be reminded a minute later. */
  async function coverReminders({ to, ...key }: LetterEntry, remindersDue: number): Promise<void> {
    for (let number = 1; number <= remindersDue; number += 1)
      await store.claimLetter({ ...key, kind: "reminder", number, attempt: 1 }, now(), to);
  }
}

async function readBook(store: LetterStore, campaign: Campaign, run: number): Promise<Book> {
  const told = new Map<DeviceId, Told>();
  const postponed = new Map<string, number>();
  const settled = new Set<string>();
  /** By device: each address, and the number of its correction. */
  const corrections = new Map<DeviceId, Map<string, number>>();
  const corrected = new Set<string>();
  const notified = new Map<DeviceId, Set<string>>();
  for await (const letter of store.letters(campaign.id, run)) {
    const { device, kind, number, state, to } = letter;
    const key = postponedKey(device, kind, number);
    if (kind === "correction")
      corrections.set(device, (corrections.get(device) ?? new Map<string, number>()).set(to, number));
    if (state === "postponed") {
      postponed.set(key, Math.max(postponed.get(key) ?? 0, letter.attempt));
      continue;
    }
    settled.add(key);
    if (kind === "correction") corrected.add(correctedKey(device, to));
    else told.set(device, withLetter(told.get(device) ?? toldNothing, letter));
    // Whoever was certainly not told has nothing to be corrected.
    if (kind !== "correction" && state !== "refused")
      notified.set(device, (notified.get(device) ?? new Set<string>()).add(to));
  }
  for (const key of settled) postponed.delete(key);
  const uncorrected = [...notified].flatMap(([device, addresses]) => {
    const numbers = corrections.get(device) ?? new Map<string, number>();
    let next = Math.max(-1, ...numbers.values()) + 1;
    return [...addresses]
      .filter((to) => !corrected.has(correctedKey(device, to)))
      .map((to): Correction => ({ device, to, number: numbers.get(to) ?? next++ }));
  });
  return { campaign, run, told, postponed, uncorrected };
}

function withLetter(told: Told, { kind, number }: LetterEntry): Told {
  switch (kind) {
    case "announcement":
      return { ...told, announced: Math.max(told.announced, number + 1) };
    case "reminder":
      return { ...told, reminders: Math.max(told.reminders, number) };
    case "confirmation":
      return { ...told, confirmed: Math.max(told.confirmed, number + 1) };
    case "correction":
      return told;
  }
}

function postponedKey(device: DeviceId, kind: string, number: number): string {
  return `${device} ${kind} ${number}`;
}

function correctedKey(device: DeviceId, to: string): string {
  return `${device} ${to}`;
}
