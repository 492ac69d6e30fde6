/** The part of the store that belongs to other parts of the program: small sets of fields under names, and acts upon several at once. */
import type { DeviceId } from "../policy/device.ts";

/**
 * `managed`: a device as its source knows it. `binding`: which of them an id at the gate belongs to. `person`: which are whose.
 * `registration`: what an owner says about an id at the gate, until an operator agrees. `recheck`: a person's wish to be looked at anew.
 * `connector`: how far a sync has come, and its health. `leader`: who does the work that one node does for all. `verdict`: the last one of
 * a device that the audit trail has. `idempotency`: a write of the admin API and its answer, for whoever repeats it. `confirmation`: an
 * act that waits for another person's yes. `preview-job`: a preview under way, or its figures. `node`: a program that serves.
 * What stands in them is read by the part that wrote it.
 */
const documentKinds = [
  "managed",
  "binding",
  "person",
  "recheck",
  "registration",
  "connector",
  "leader",
  "verdict",
  "idempotency",
  "confirmation",
  "preview-job",
  "node",
] as const;
export type DocumentKind = (typeof documentKinds)[number];

/** Kinds whose changes `Store.onChange` tells. The others change a thousand times a second during a sync, and nobody waits for them. */
export const toldDocuments = ["recheck", "connector", "verdict"] as const satisfies readonly DocumentKind[];
export type ToldDocumentKind = (typeof toldDocuments)[number];

/** 300 characters: a source's name and its own id of a device. */
export const DOCUMENT_NAME_LIMIT = 300;

export interface DocumentKey {
  readonly kind: DocumentKind;
  /** 1 to DOCUMENT_NAME_LIMIT characters of any text. */
  readonly name: string;
}

/** What an act may read and change: documents, records of devices, and aliases, whose only field is `id`. */
export type FieldsKey = DocumentKey | { readonly kind: "device" | "alias"; readonly id: DeviceId };

export type Fields = ReadonlyMap<string, string>;

export interface FieldsChange {
  readonly key: FieldsKey;
  readonly set?: Fields | undefined;
  /** Before anything is set. What is left without fields is not there. */
  readonly remove?: readonly string[] | "everything" | undefined;
  /** From now on, for a document; undefined: it stays until it is removed. */
  readonly ttlMs?: number | undefined;
}

export interface Act<T> {
  readonly changes: readonly FieldsChange[];
  readonly result: T;
}

export interface DocumentStore {
  /** In the order of the keys, past the cache; undefined where nothing is. @throws StoreUnavailable */
  readDocuments(keys: readonly FieldsKey[]): Promise<readonly (Fields | undefined)[]>;
  /**
   * Every document of a kind whose name begins so, in no order, in bounded memory; one may come twice while others write.
   * @throws StoreUnavailable
   */
  documents(kind: DocumentKind, beginning: string): AsyncIterable<readonly [name: string, fields: Fields]>;
  /**
   * Changes what stands under these keys as one act: `decide` sees all of it, in the order of the keys, and nobody writes in between.
   * It is called anew where somebody did, so it is pure; what it throws ends the act and leaves all as it was. Only keys that were
   * named may be changed (RangeError otherwise). Returns what `decide` returned as its result.
   * @throws StoreUnavailable, also where others were faster each time
   */
  transact<T>(keys: readonly FieldsKey[], decide: (stored: readonly (Fields | undefined)[]) => Act<T>): Promise<T>;
}
