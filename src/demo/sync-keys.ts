/**
 * The SyncKeys of one folder, or of the hierarchy, on one phone. The server keeps two states: the one that the phone should
 * have, and the one before it, because the answer that carried the newest key may have been lost (MS-ASCMD 3.1.5.9).
 */
import { createHash } from "node:crypto";
import type { Element } from "../activesync/wbxml.ts";

export interface SyncStep<State> {
  readonly key: string;
  readonly state: State;
  /** The request that led here and what it was answered; undefined for a key that was given out for key 0. */
  readonly bornOf: { readonly digest: string; readonly answer: Element } | undefined;
}

export interface KeyRing<State> {
  current: SyncStep<State> | undefined;
  previous: SyncStep<State> | undefined;
  epoch: number;
  counter: number;
  /** Names the folder, the phone and the server, so that no key is good anywhere else. */
  readonly name: string;
}

export function createKeyRing<State>(name: string): KeyRing<State> {
  return { current: undefined, previous: undefined, epoch: 0, counter: 0, name };
}

/** Key 0: whatever was known before is forgotten, and its keys with it. */
export function prime<State>(ring: KeyRing<State>, state: State): string {
  ring.epoch += 1;
  ring.counter = 1;
  ring.previous = undefined;
  ring.current = { key: keyText(ring), state, bornOf: undefined };
  return ring.current.key;
}

export function findStep<State>(ring: KeyRing<State>, key: string): SyncStep<State> | undefined {
  return [ring.current, ring.previous].find((step) => step?.key === key);
}

/** The answer that was given to exactly this request, if it was the last that moved the key. */
export function repeatedAnswer<State>(ring: KeyRing<State>, key: string, digest: string): Element | undefined {
  const isRepeat = ring.previous?.key === key && ring.current?.bornOf?.digest === digest;
  return isRepeat ? ring.current?.bornOf?.answer : undefined;
}

/**
 * From `step` to a new key. `answer` gets the key and builds what is sent. Where `step` is the older of the two, the newer
 * one was never received, and is dropped; its key is not used again.
 */
export function advance<State>(
  ring: KeyRing<State>,
  step: SyncStep<State>,
  state: State,
  digest: string,
  answer: (key: string) => Element,
): Element {
  ring.counter += 1;
  const key = keyText(ring);
  const element = answer(key);
  ring.previous = step;
  ring.current = { key, state, bornOf: { digest, answer: element } };
  return element;
}

function keyText({ name, epoch, counter }: KeyRing<unknown>): string {
  const hex = createHash("sha256").update(`${name}\0${epoch}`).digest("hex");
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  return `{${groups.join("-")}}${counter}`;
}
