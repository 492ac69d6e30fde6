/**
 * One round of letters: everybody who should have one by now gets it, and nobody gets one twice. A letter is claimed in the
 * store before it is sent. Where the sender dies in between, it is not sent again: a person who was told twice stops reading.
 */
import { runOf } from "../campaign/ledger.ts";
import type { Campaign, Policy } from "../policy/campaign.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { Addressee, Envelope, LetterEntry, LetterKey, LetterStore, PolicyVersion, Store } from "../store/store.ts";
import { ATTEMPTS_LIMIT, readBook, triesKey } from "./book.ts";
import type { Book } from "./book.ts";
import type { Courier, OutgoingLetter } from "./courier.ts";
import { dueLetters, ownerNameOf, toldNothing } from "./due.ts";
import type { DueLetter, Told } from "./due.ts";
import { envelopeIdOf, newEnvelope } from "./envelope.ts";

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

/** So many in a row that say nothing of the letter, and the mail server is away: the round ends, and the next one goes on. */
const AWAY_IN_A_ROW_LIMIT = 3;
/** So many mailboxes in a row are no accident of theirs: the mail server is full, or has had enough of us for now. */
const POSTPONED_IN_A_ROW_LIMIT = 20;
/** A fleet in which more have no address hears of some of them again. */
const WITHOUT_ADDRESS_LIMIT = 100_000;

type Recipient = Addressee & Pick<LetterKey, "device" | "number">;

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
    for (const recipient of book.uncorrected) {
      if (isOver()) return result;
      const { record } = await store.facts([recipient.device], undefined);
      const theirs = record?.email === recipient.to ? record : undefined;
      await send(book, { campaign: book.campaign, kind: "correction", record: theirs }, recipient);
    }
  }
  if (policy.campaigns.every(({ mode }) => mode !== "enforce")) return result;
  for await (const record of store.records()) {
    if (isOver()) return result;
    const toldOf = (campaign: string): Told => books.get(campaign)?.told.get(record.id) ?? toldNothing;
    for (const letter of dueLetters(record, policy, toldOf, now())) {
      const book = books.get(letter.campaign.id);
      if (book === undefined) continue;
      const { id: device, email: to } = record;
      if (to === undefined) withoutAddress(book, device);
      else {
        const recipient = { device, to, person: ownerNameOf(record) ?? to, number: letter.number };
        await send(book, { ...letter, record }, recipient);
      }
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

  async function send(book: Book, letter: Letter, recipient: Recipient): Promise<void> {
    const { device, number, ...addressee } = recipient;
    const { kind } = letter;
    const tries = book.tries.get(triesKey({ device, kind, number }));
    if (tries !== undefined && (tries.postponed >= ATTEMPTS_LIMIT || now() < tries.againAt)) return;
    const { campaign, run } = { campaign: book.campaign.id, run: book.run };
    const key: LetterKey = { campaign, run, device, kind, number, attempt: (tries?.last ?? 0) + 1 };
    if (!(await store.claimLetter(key, now(), addressee))) return;
    const envelope = newEnvelope(key);
    await noteEnvelope(envelope, key, addressee);
    const envelopeId = envelopeIdOf(envelope);
    const delivery = await options.courier.deliver({ to: addressee.to, envelopeId, ...options.compose(letter) });
    result[delivery.kind] += 1;
    const isAway = delivery.kind === "postponed" && delivery.isAway;
    awayInARow = isAway ? awayInARow + 1 : 0;
    postponedInARow = delivery.kind === "postponed" ? postponedInARow + 1 : 0;
    if (delivery.kind !== "sent")
      options.onProblem({ campaign: key.campaign, device, kind: delivery.kind, detail: delivery.detail });
    // What nobody knows stays claimed: it is shown to an operator, and never sent again.
    if (delivery.kind === "unknown") return;
    const detail = delivery.kind === "sent" ? "" : delivery.detail;
    const entry: LetterEntry = { ...key, ...addressee, state: isAway ? "waiting" : delivery.kind, at: now(), detail };
    const isFirst = delivery.kind === "sent" && letter.kind === "announcement";
    await tellStore(async () => {
      await store.settleLetter(entry);
      if (isFirst) await coverReminders(entry, letter.remindersDue);
    });
  }

  /** A letter that could not be known again is not sent yet: it has been claimed, and the next round has to hear that it may. */
  async function noteEnvelope(envelope: Envelope, key: LetterKey, addressee: Addressee): Promise<void> {
    try {
      await store.noteEnvelope(envelope, key);
    } catch (error) {
      const entry: LetterEntry = { ...key, ...addressee, state: "waiting", at: now(), detail: "the store was away" };
      memory.untold.push(() => store.settleLetter(entry));
      throw error;
    }
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
  async function coverReminders(announcement: LetterEntry, remindersDue: number): Promise<void> {
    for (let number = 1; number <= remindersDue; number += 1) {
      const reminder: LetterEntry = { ...announcement, kind: "reminder", number, attempt: 1, state: "covered" };
      if (await store.claimLetter(reminder, now(), reminder)) await store.settleLetter(reminder);
    }
  }
}
