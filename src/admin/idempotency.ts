/**
 * A write that may be repeated: under one key it is done once, by whichever node, and whoever asks again gets the same answer. Only
 * what was done is kept: a write that was refused has changed nothing and is looked at anew.
 */
import { createHash, randomBytes } from "node:crypto";
import type { DocumentKey, DocumentStore } from "../store/documents.ts";
import { Problem } from "./problem.ts";
import type { Answer } from "./route.ts";

const KEPT_MS = 86_400_000;
/** A node that ends half-way holds the key for so long. The longest act looks at a million phones. */
const UNDER_WAY_MS = 300_000;
const KEY_LIMIT_CHARACTERS = 128;
/** A longer answer is kept without its body. */
const ANSWER_LIMIT_CHARACTERS = 262_144;

export interface IdempotentRequest {
  readonly key: string;
  /** Keys of two people have nothing to do with each other. */
  readonly actor: string;
  /** Method, path and preconditions. */
  readonly what: string;
  readonly body: unknown;
}

export interface Repeated {
  readonly answer: Answer;
  readonly isRepeated: boolean;
}

type Found =
  | { readonly kind: "mine" }
  | { readonly kind: "other" }
  | { readonly kind: "under-way" }
  | { readonly kind: "done"; readonly text: string };

/** @throws Problem, StoreUnavailable, and whatever the work throws */
export async function once(
  store: Pick<DocumentStore, "transact">,
  { key, actor, what, body }: IdempotentRequest,
  work: () => Promise<Answer>,
): Promise<Repeated> {
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > KEY_LIMIT_CHARACTERS)
    throw new Problem("bad-request", {
      detail: `Idempotency-Key must be 1 to ${KEY_LIMIT_CHARACTERS} visible characters`,
    });
  const document: DocumentKey = { kind: "idempotency", name: digestOf([actor, key]) };
  const request = digestOf([what, body ?? null]);
  const holder = randomBytes(12).toString("hex");

  const found = await store.transact<Found>([document], ([stored]) => {
    if (stored !== undefined && stored.get("request") !== request) return { changes: [], result: { kind: "other" } };
    const text = stored?.get("answer");
    if (text !== undefined) return { changes: [], result: { kind: "done", text } };
    // The same holder: the store was asked twice because the first answer was lost.
    if (stored !== undefined && stored.get("holder") !== holder) return { changes: [], result: { kind: "under-way" } };
    const set = new Map([
      ["request", request],
      ["holder", holder],
    ]);
    return { changes: [{ key: document, set, ttlMs: UNDER_WAY_MS }], result: { kind: "mine" } };
  });
  switch (found.kind) {
    case "other":
      throw new Problem("idempotency-mismatch");
    case "under-way":
      throw new Problem("idempotency-in-progress", { headers: { "Retry-After": "1" } });
    case "done":
      return { answer: readAnswer(found.text), isRepeated: true };
    case "mine":
      return { answer: await done(), isRepeated: false };
  }

  async function done(): Promise<Answer> {
    try {
      const answer = await work();
      // The act is done: that its answer could not be kept is no reason to call it a failure.
      await settle(writeAnswer(answer)).catch(() => {});
      return answer;
    } catch (error) {
      await settle(undefined).catch(() => {});
      throw error;
    }
  }

  function settle(answer: string | undefined): Promise<void> {
    return store.transact([document], ([stored]) => {
      if (stored?.get("holder") !== holder) return { changes: [], result: undefined };
      return {
        changes: [
          answer === undefined
            ? { key: document, remove: "everything" as const }
            : { key: document, set: new Map([["answer", answer]]), ttlMs: KEPT_MS },
        ],
        result: undefined,
      };
    });
  }
}

function writeAnswer({ httpStatus, body, etag, location }: Answer): string {
  const text = JSON.stringify({ httpStatus, body, etag, location });
  return text.length <= ANSWER_LIMIT_CHARACTERS ? text : JSON.stringify({ httpStatus, etag, location });
}

function readAnswer(text: string): Answer {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Problem("internal");
  const { httpStatus, body, etag, location }: Partial<Record<keyof Answer, unknown>> = value;
  return {
    httpStatus: Number(httpStatus),
    body,
    etag: typeof etag === "string" ? etag : undefined,
    location: typeof location === "string" ? location : undefined,
  };
}

function digestOf(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
