/**
 * What one node remembers of phones for a while, to notice that one of them goes in circles. It is bounded twice: whoever
 * invents phones or folders pushes out only what is remembered of their own.
 */
import { createHash } from "node:crypto";

/** One person's phone: another person may have a phone with the same id, and folders with the same. */
export interface RememberedPhone {
  readonly account: string;
  readonly id: string;
}

export interface PhoneMemory<Note> {
  recall(phone: RememberedPhone, about: string): Note | undefined;
  keep(phone: RememberedPhone, about: string, note: Note): void;
  forget(phone: RememberedPhone, about: string): void;
  /** Whether anything is remembered of this person's phones. */
  knows(phone: RememberedPhone): boolean;
}

/** 1 000: a person has a few phones, and a phone some 50 folders that it synchronises. */
const accountNotesLimit = 1_000;
/** 100 000, some 20 MB: as many phones as a node sees in an hour, of which few ever go in circles. */
const notesLimit = 100_000;

export function createPhoneMemory<Note>(): PhoneMemory<Note> {
  /** By account, and in it by a digest of what the note is about; the longest untouched first in both. */
  const accounts = new Map<string, Map<string, Note>>();
  let size = 0;

  function drop(account: string, notes: Map<string, Note>, key: string): void {
    if (notes.delete(key)) size -= 1;
    if (notes.size === 0) accounts.delete(account);
  }

  function dropOldest(account: string, notes: Map<string, Note>): void {
    const [oldest] = notes.keys();
    if (oldest !== undefined) drop(account, notes, oldest);
  }

  return {
    recall: (phone, about) => accounts.get(phone.account)?.get(keyOf(phone, about)),
    keep(phone, about, note): void {
      const { account } = phone;
      const key = keyOf(phone, about);
      const notes = accounts.get(account) ?? new Map<string, Note>();
      drop(account, notes, key);
      notes.set(key, note);
      accounts.delete(account);
      accounts.set(account, notes);
      size += 1;
      if (notes.size > accountNotesLimit) dropOldest(account, notes);
      if (size <= notesLimit) return;
      for (const [eldest, theirs] of accounts) return dropOldest(eldest, theirs);
    },
    forget(phone, about): void {
      const notes = accounts.get(phone.account);
      if (notes !== undefined) drop(phone.account, notes, keyOf(phone, about));
    },
    knows: ({ account }) => accounts.has(account),
  };
}

/** A digest: what a phone calls its folders may be long. */
function keyOf({ id }: RememberedPhone, about: string): string {
  return createHash("sha256")
    .update(JSON.stringify([id, about]))
    .digest("base64url")
    .slice(0, 22);
}
