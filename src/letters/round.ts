/**
 * One round of letters: everybody who should have one by now gets it, and nobody gets one twice. A letter is claimed in the
 * store before it is sent. Where the sender dies in between, it is not sent again: a person who was told twice stops reading.
 */
import type { Campaign, Policy } from "../policy/campaign.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { LetterEntry, LetterKey, LetterStore, PolicyVersion, Store } from "../store/store.ts";
import type { Courier, OutgoingLetter } from "./courier.ts";
import { dueLetters, toldNothing } from "./due.ts";
import type { DueLetter, Told } from "./due.ts";
import { runOf } from "./run.ts";

export interface RoundOptions {
  readonly store: Pick<Store, "records" | "facts"> & LetterStore;
  readonly courier: Courier;
  readonly compose: Compose;
  readonly policy: Policy;
  /** Every version of the policy, the newest first; empty where campaigns stand in the configuration file. */
  readonly history: readonly PolicyVersion[];
  readonly now: () => Date;
  /** Asked between two letters: somebody else may do the work from then on. */
  readonly mayGoOn: () => boolean;
  readonly onProblem: (problem: LetterProblem) => void;
}

/** The words of one letter, for whoever reads it. */
export type Compose = (
  letter: DueLetter | { readonly campaign: Campaign; readonly kind: "correction" },
  record: DeviceRecord,
) => Pick<OutgoingLetter, "subject" | "text" | "html" | "language" | "from">;

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
/** So many in a row, and the mail server is away: the round ends, and the next one goes on. */
const POSTPONED_IN_A_ROW_LIMIT = 3;

/** What was sent of one run to one phone's owner. */
interface Book {
  readonly campaign: Campaign;
  readonly run: number;
  readonly told: Map<DeviceId, Told>;
  /** Letters that were postponed, by device, kind and number; what was tried since is no longer here. */
  readonly postponed: Map<string, number>;
  /** Owners who were told, and have not been told that it was taken back. */
  readonly uncorrected: Set<DeviceId>;
}

export async function sendRound(options: RoundOptions): Promise<RoundResult> {
  const { store, policy, history, now, mayGoOn } = options;
  const result = { sent: 0, refused: 0, postponed: 0, unknown: 0, withoutAddress: 0 };
  const books = new Map<string, Book>();
  for (const campaign of policy.campaigns) {
    if (campaign.mode === "enforce" || campaign.mode === "retracted")
      books.set(campaign.id, await readBook(store, campaign, runOf(history, campaign.id)));
  }
  let inARow = 0;

  for (const book of books.values()) {
    if (book.campaign.mode !== "retracted") continue;
    for (const device of book.uncorrected) {
      if (isOver()) return result;
      const { record } = await store.facts([device], undefined);
      if (record !== undefined) await send(book, { campaign: book.campaign, kind: "correction" }, record);
    }
  }
  if (policy.campaigns.every(({ mode }) => mode !== "enforce")) return result;
  for await (const record of store.records()) {
    if (isOver()) return result;
    const toldOf = (campaign: string): Told => books.get(campaign)?.told.get(record.id) ?? toldNothing;
    for (const letter of dueLetters(record, policy, toldOf, now())) {
      const book = books.get(letter.campaign.id);
      if (book !== undefined) await send(book, letter, record);
    }
  }
  return result;

  function isOver(): boolean {
    return inARow >= POSTPONED_IN_A_ROW_LIMIT || !mayGoOn();
  }

  async function send(book: Book, letter: Parameters<Compose>[0], record: DeviceRecord): Promise<void> {
    const number = "number" in letter ? letter.number : 0;
    const problem = (kind: LetterProblem["kind"], detail: string): void =>
      options.onProblem({ campaign: book.campaign.id, device: record.id, kind, detail });
    if (record.email === undefined) {
      result.withoutAddress += 1;
      return problem("no-address", "the record has no email");
    }
    const before = book.postponed.get(postponedKey(record.id, letter.kind, number)) ?? 0;
    if (before >= ATTEMPTS_LIMIT) return;
    const key: LetterKey = {
      campaign: book.campaign.id,
      run: book.run,
      device: record.id,
      kind: letter.kind,
      number,
      attempt: before + 1,
    };
    if (!(await store.claimLetter(key, now()))) return;
    const identity = JSON.stringify([key.campaign, key.run, key.device, key.kind, key.number]);
    const delivery = await options.courier.deliver({ to: record.email, identity, ...options.compose(letter, record) });
    result[delivery.kind] += 1;
    inARow = delivery.kind === "postponed" ? inARow + 1 : 0;
    if (delivery.kind !== "sent") problem(delivery.kind, delivery.detail);
    // What nobody knows stays claimed: it is shown to an operator, and never sent again.
    if (delivery.kind === "unknown") return;
    const detail = delivery.kind === "sent" ? "" : delivery.detail;
    await store.settleLetter({ ...key, state: delivery.kind, at: now(), detail });
    if (delivery.kind === "sent" && letter.kind === "announcement") await coverReminders(key, letter.remindersDue);
  }

  /** Whoever is told for the first time when reminders are due already need not be reminded a minute later. */
  async function coverReminders(key: LetterKey, remindersDue: number): Promise<void> {
    for (let number = 1; number <= remindersDue; number += 1)
      await store.claimLetter({ ...key, kind: "reminder", number, attempt: 1 }, now());
  }
}

async function readBook(store: LetterStore, campaign: Campaign, run: number): Promise<Book> {
  const told = new Map<DeviceId, Told>();
  const postponed = new Map<string, number>();
  const settled = new Set<string>();
  const corrected = new Set<DeviceId>();
  const notified = new Set<DeviceId>();
  for await (const letter of store.letters(campaign.id, run)) {
    const key = postponedKey(letter.device, letter.kind, letter.number);
    if (letter.state === "postponed") {
      postponed.set(key, Math.max(postponed.get(key) ?? 0, letter.attempt));
      continue;
    }
    settled.add(key);
    if (letter.kind === "correction") corrected.add(letter.device);
    else told.set(letter.device, withLetter(told.get(letter.device) ?? toldNothing, letter));
    // Whoever was certainly not told has nothing to be corrected.
    if (letter.kind !== "correction" && letter.state !== "refused") notified.add(letter.device);
  }
  for (const key of settled) postponed.delete(key);
  const uncorrected = new Set([...notified].filter((device) => !corrected.has(device)));
  return { campaign, run, told, postponed, uncorrected };
}

function withLetter(told: Told, { kind, number }: LetterEntry): Told {
  switch (kind) {
    case "announcement":
      return { ...told, announced: true };
    case "reminder":
      return { ...told, reminders: Math.max(told.reminders, number) };
    case "confirmation":
      return { ...told, confirmed: true };
    case "correction":
      return told;
  }
}

function postponedKey(device: DeviceId, kind: string, number: number): string {
  return `${device} ${kind} ${number}`;
}
