/**
 * The chain: each line of a writer holds the seal of the one before it, and is sealed itself with a key that stands in no store.
 * Whoever can write into the store can take lines away, and cannot write, change, reorder or join any.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { fromCanonical, toCanonical } from "./entry.ts";
import type { AuditEntry } from "./entry.ts";

/** Who writes: one journal of one machine. */
export type Writer = string;

/** How far a writer is: the number and the seal of a line. 0 and 64 zeros: before the first. */
export interface Head {
  readonly writer: Writer;
  readonly sequence: number;
  readonly seal: string;
}

export interface Line extends Head {
  /** The seal of the line before it. */
  readonly previous: string;
  /** Which secret it was sealed with. */
  readonly keyId: string;
  readonly entry: AuditEntry;
}

export interface Chain {
  readonly keyId: string;
  /** The line that follows this one. */
  extend(head: Head, entry: AuditEntry): Head & { readonly text: string };
  /** What a line says, as far as its form goes, and what is wrong with its seal. */
  read(text: string): ReadLine;
  /** A signed mark: how far a writer is, or up to where its lines were removed. */
  mark(purpose: MarkPurpose, head: Head): string;
  readMark(purpose: MarkPurpose, writer: Writer, text: string): Head | undefined;
}

export type MarkPurpose = "head" | "trimmed";

export type ReadLine =
  | { readonly kind: "good"; readonly line: Line }
  /** Another secret made it, so that nothing can be said of it here. */
  | { readonly kind: "foreign"; readonly writer: Writer; readonly sequence: number; readonly keyId: string }
  | { readonly kind: "forged"; readonly writer: Writer; readonly sequence: number }
  | { readonly kind: "unreadable" };

const sealGrammar = /^[0-9a-f]{64}$/;
const writerGrammar = /^[0-9a-f]{16}$/;
const keyIdGrammar = /^[0-9a-f]{8}$/;

export const beginning = (writer: Writer): Head => ({ writer, sequence: 0, seal: "0".repeat(64) });

function isWriter(text: string): boolean {
  return writerGrammar.test(text);
}

/** The first part of a line says how it is written. */
const FORM = 1;

export function createChain(key: Uint8Array): Chain {
  const hmac = (words: string): string => createHmac("sha256", key).update(words).digest("hex");
  const keyId = hmac("audit key").slice(0, 8);
  const sealOf = (body: string): string => hmac(`audit line\n${body}`);
  const signatureOf = (purpose: MarkPurpose, { writer, sequence, seal }: Head): string =>
    hmac(`audit mark\n${purpose} ${writer} ${sequence} ${seal}`);

  function read(text: string): ReadLine {
    const [seal, body] = [text.slice(0, 64), text.slice(65)];
    const list = text[64] === " " && sealGrammar.test(seal) ? parseList(body) : undefined;
    if (list === undefined) return { kind: "unreadable" };
    const [form, lineKey, writer, sequence, previous, ...rest] = list;
    if (form !== FORM || typeof lineKey !== "string" || !keyIdGrammar.test(lineKey)) return { kind: "unreadable" };
    if (typeof writer !== "string" || !isWriter(writer) || !isSequence(sequence)) return { kind: "unreadable" };
    if (lineKey !== keyId) return { kind: "foreign", writer, sequence, keyId: lineKey };
    if (!isSame(sealOf(body), seal)) return { kind: "forged", writer, sequence };
    const entry = fromCanonical(rest);
    if (entry === undefined || typeof previous !== "string" || !sealGrammar.test(previous))
      return { kind: "unreadable" };
    return { kind: "good", line: { writer, sequence, seal, previous, keyId, entry } };
  }

  return {
    keyId,
    extend({ writer, sequence, seal: previous }, entry) {
      const body = JSON.stringify([FORM, keyId, writer, sequence + 1, previous, ...toCanonical(entry)]);
      const seal = sealOf(body);
      return { writer, sequence: sequence + 1, seal, text: `${seal} ${body}` };
    },
    read,
    mark: (purpose, head) => `${head.sequence} ${head.seal} ${signatureOf(purpose, head)}`,
    readMark(purpose, writer, text) {
      const [sequenceText = "", seal = "", signature = "", ...more] = text.split(" ");
      if (!/^\d{1,15}$/.test(sequenceText) || !sealGrammar.test(seal) || more.length > 0) return undefined;
      const head: Head = { writer, sequence: Number(sequenceText), seal };
      return isSame(signatureOf(purpose, head), signature) ? head : undefined;
    },
  };
}

function isSequence(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** What JSON would read in two ways is no line: only the one spelling that we write. */
function parseList(body: string): readonly unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(body);
    return Array.isArray(list) && JSON.stringify(list) === body ? list : undefined;
  } catch {
    return undefined;
  }
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Under which names the marks of a writer stand in the store. */
export const markName = (purpose: MarkPurpose, writer: Writer): string => `${purpose} ${writer}`;

export function readMarkName(name: string): { readonly purpose: MarkPurpose; readonly writer: Writer } | undefined {
  const [purpose, writer = "", ...more] = name.split(" ");
  if ((purpose !== "head" && purpose !== "trimmed") || !isWriter(writer) || more.length > 0) return undefined;
  return { purpose, writer };
}
