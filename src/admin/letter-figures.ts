/** How many letters about a campaign went which way, in memory that the number of phones does not make grow for ever. */
import { letterKinds, letterStates } from "../store/store.ts";
import type { LetterEntry } from "../store/store.ts";

/** Some 50 MB while the figures are made. */
const LETTERS_LIMIT = 300_000;
const UNDELIVERED_SHOWN_LIMIT = 100;

export interface LetterFigures {
  readonly counts: readonly { readonly kind: string; readonly state: string; readonly letters: number }[];
  readonly undelivered: readonly LetterEntry[];
  /** False where there were more letters than are looked at. */
  readonly isComplete: boolean;
}

/** @param letters in no order, one perhaps twice; the last attempt is what became of a letter. @throws StoreUnavailable */
export async function countLetters(letters: AsyncIterable<LetterEntry>): Promise<LetterFigures> {
  const last = new Map<string, readonly [attempt: number, kind: number, state: number]>();
  const undelivered = new Map<string, LetterEntry>();
  let isComplete = true;
  for await (const letter of letters) {
    const key = `${letter.device} ${letter.kind} ${letter.number}`;
    const known = last.get(key);
    if (known === undefined && last.size >= LETTERS_LIMIT) {
      isComplete = false;
      break;
    }
    if (known !== undefined && known[0] > letter.attempt) continue;
    last.set(key, [letter.attempt, letterKinds.indexOf(letter.kind), letterStates.indexOf(letter.state)]);
    undelivered.delete(key);
    const isMissing = letter.state !== "sent" && letter.state !== "covered";
    if (isMissing && undelivered.size < UNDELIVERED_SHOWN_LIMIT) undelivered.set(key, letter);
  }
  const counts = letterKinds.flatMap((kind, kindIndex) =>
    letterStates.map((state, stateIndex) => ({
      kind,
      state,
      letters: last
        .values()
        .filter(([, k, s]) => k === kindIndex && s === stateIndex)
        .toArray().length,
    })),
  );
  return {
    counts: counts.filter(({ letters: count }) => count > 0),
    undelivered: [...undelivered.values()],
    isComplete,
  };
}
