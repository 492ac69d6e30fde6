/** Which programs serve on this store: each says so every few seconds, and is missed when it does not. */
import { randomBytes } from "node:crypto";
import type { DocumentKey, DocumentStore } from "../store/documents.ts";
import type { Health } from "../telemetry/health.ts";

const NOTE_EVERY_MS = 10_000;
/** Two that were lost, and some. */
const MISSED_AFTER_MS = 30_000;

interface NodeEntry {
  readonly id: string;
  readonly host: string;
  readonly version: string;
  readonly startedAt: string;
  readonly seenAt: string;
  readonly state: Health["state"];
  readonly detail: string;
  /** The version of the policy that is in force there; undefined: none, or the configuration file's. */
  readonly policyVersion: number | undefined;
}

export interface Nodes {
  /** Which of them this is. */
  readonly id: string;
  /** @throws StoreUnavailable */
  list(): Promise<readonly NodeEntry[]>;
  close(): Promise<void>;
}

export interface NodesOptions {
  readonly store: DocumentStore;
  readonly host: string;
  readonly version: string;
  readonly now: () => Date;
  readonly health: () => Health;
  readonly policyVersion: () => number | undefined;
}

export function openNodes({ store, host, version, now, health, policyVersion }: NodesOptions): Nodes {
  const id = randomBytes(6).toString("hex");
  const startedAt = now().toISOString();
  const key: DocumentKey = { kind: "node", name: id };
  let noting: Promise<void> | undefined;

  function entryNow(): NodeEntry {
    const { state, detail } = health();
    const seenAt = now().toISOString();
    return { id, host, version, startedAt, seenAt, state, detail, policyVersion: policyVersion() };
  }

  function note(): void {
    if (noting !== undefined) return;
    const entry = entryNow();
    const write = (): Promise<void> =>
      store.transact([key], () => ({
        changes: [{ key, set: new Map([["node", JSON.stringify(entry)]]), ttlMs: MISSED_AFTER_MS }],
        result: undefined,
      }));
    // A store that is away has said so elsewhere, and the next time is soon.
    noting = write()
      .catch(() => {})
      .finally(() => (noting = undefined));
  }

  const timer = setInterval(note, NOTE_EVERY_MS);
  timer.unref();
  note();

  return {
    id,
    async list() {
      const found = new Map<string, NodeEntry>();
      for await (const [name, fields] of store.documents("node", "")) {
        const entry: unknown = JSON.parse(fields.get("node") ?? "null");
        if (isEntry(entry)) found.set(name, entry);
      }
      found.set(id, entryNow());
      return [...found.values()].toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
    },
    async close() {
      clearInterval(timer);
      // Who cannot be told will miss this node in time.
      if (health().store === "down") return;
      await noting;
      await store
        .transact([key], () => ({ changes: [{ key, remove: "everything" as const }], result: undefined }))
        .catch(() => {});
    },
  };
}

function isEntry(value: unknown): value is NodeEntry {
  return typeof value === "object" && value !== null && "id" in value && "host" in value && "startedAt" in value;
}
