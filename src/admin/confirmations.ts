/** Acts that wait for the yes of another person, shared by all nodes. They end by themselves. */
import { randomBytes } from "node:crypto";
import * as z from "zod";
import type { DocumentKey, DocumentStore, Fields } from "../store/documents.ts";
import { actRequest } from "./policy-acts.ts";

/** One hour: what was asked in the morning is another act in the evening. */
const CONFIRMATION_TTL_MS = 3_600_000;
/** More than these that wait are a program that has gone wild. */
const CONFIRMATIONS_LIMIT = 20;

const confirmation = z.strictObject({
  id: z.string(),
  asker: z.string(),
  why: z.string(),
  at: z.string(),
  expiresAt: z.string(),
  /** The version of the policy that the asker has seen. */
  version: z.int(),
  cut: z.int(),
  request: actRequest,
});
export type PendingConfirmation = z.output<typeof confirmation>;

export interface Confirmations {
  /** Undefined where too many wait. @throws StoreUnavailable */
  add(pending: Omit<PendingConfirmation, "id" | "at" | "expiresAt">): Promise<PendingConfirmation | undefined>;
  list(): Promise<readonly PendingConfirmation[]>;
  find(id: string): Promise<PendingConfirmation | undefined>;
  /** Whether it was there. */
  remove(id: string): Promise<boolean>;
}

export function createConfirmations(store: DocumentStore, now: () => Date): Confirmations {
  async function list(): Promise<readonly PendingConfirmation[]> {
    const found = new Map<string, PendingConfirmation>();
    for await (const [id, fields] of store.documents("confirmation", "")) {
      const pending = read(fields);
      if (pending !== undefined && new Date(pending.expiresAt) > now()) found.set(id, pending);
    }
    return [...found.values()].toSorted((a, b) => (a.at < b.at ? -1 : 1));
  }

  return {
    list,
    async add(asked) {
      if ((await list()).length >= CONFIRMATIONS_LIMIT) return undefined;
      const at = now();
      const pending: PendingConfirmation = {
        ...asked,
        id: `c-${randomBytes(8).toString("hex")}`,
        at: at.toISOString(),
        expiresAt: new Date(at.getTime() + CONFIRMATION_TTL_MS).toISOString(),
      };
      const key = keyOf(pending.id);
      await store.transact([key], () => ({
        changes: [{ key, set: new Map([["confirmation", JSON.stringify(pending)]]), ttlMs: CONFIRMATION_TTL_MS }],
        result: undefined,
      }));
      return pending;
    },
    async find(id) {
      const [fields] = await store.readDocuments([keyOf(id)]);
      const pending = fields === undefined ? undefined : read(fields);
      return pending !== undefined && new Date(pending.expiresAt) > now() ? pending : undefined;
    },
    remove(id) {
      const key = keyOf(id);
      return store.transact([key], ([stored]) => ({
        changes: stored === undefined ? [] : [{ key, remove: "everything" as const }],
        result: stored !== undefined,
      }));
    },
  };
}

function keyOf(id: string): DocumentKey {
  return { kind: "confirmation", name: id };
}

function read(fields: Fields): PendingConfirmation | undefined {
  try {
    return confirmation.safeParse(JSON.parse(fields.get("confirmation") ?? "null")).data;
  } catch {
    return undefined;
  }
}
