/** A Sync request, read (MS-ASCMD 2.2.1.21): whole, or completed from the one before it. */
import { child, children, has } from "../activesync/document.ts";
import { encode, type Element } from "../activesync/wbxml.ts";
import { createHash } from "node:crypto";
import { readBodyWish } from "./body-wish.ts";
import type { CollectionOptions } from "./devices.ts";
import { elements, field, isSince, type HeartbeatLimits, type PhoneRequest, type Version } from "./phone-request.ts";

export interface SyncRequest {
  readonly collections: readonly SyncCollection[];
  readonly waitSeconds: number | undefined;
  readonly windowSize: number;
}

export interface SyncCollection {
  readonly syncKey: string;
  readonly folderId: string;
  readonly getChanges: boolean;
  readonly deletesAsMoves: boolean;
  readonly windowSize: number;
  /** Undefined where the request leaves them out: those of the request before it are still in force. */
  readonly options: CollectionOptions | undefined;
  readonly commands: readonly Element[];
  /** Of the collection as it was sent: two equal ones are one request and its repetition. */
  readonly digest: string;
}

/** A status for the whole command, and the limit that goes with some of them. */
export interface SyncFailure {
  readonly status: number;
  readonly limit: number | undefined;
}

// MS-ASCMD, WindowSize, Wait and Limit: what a request may ask for at once.
const WINDOW_DEFAULT = 100;
const WINDOW_LIMIT = 512;
const WAIT_LIMIT_MINUTES = 59;
const COLLECTION_LIMIT = 200;

const INCOMPLETE = { status: 13, limit: undefined };
const MALFORMED = { status: 4, limit: undefined };

export function readSyncRequest(
  { root, version }: Pick<PhoneRequest, "root" | "version">,
  cached: SyncRequest | undefined,
  heartbeat: HeartbeatLimits,
): SyncRequest | SyncFailure {
  // No body is "the same again". Its uploads are not repeated: those were answered.
  if (root === undefined) return cached ?? INCOMPLETE;
  const partial = has(root, "AirSync:Partial");
  if (partial && cached === undefined) return INCOMPLETE;

  const wait = readWait(root, heartbeat);
  if (wait.failure !== undefined) return wait.failure;

  const collections: SyncCollection[] = [];
  const list = child(root, "AirSync:Collections");
  for (const collection of list === undefined ? [] : children(list, "AirSync:Collection")) {
    const read = readCollection(collection, version);
    if (read === undefined) return MALFORMED;
    collections.push(read);
  }
  const named = new Set(collections.map(({ folderId }) => folderId));
  const kept = partial ? (cached?.collections.filter(({ folderId }) => !named.has(folderId)) ?? []) : [];
  const all = [...collections, ...kept];
  if (all.length === 0) return MALFORMED;
  if (all.length > COLLECTION_LIMIT) return { status: 15, limit: COLLECTION_LIMIT };
  const windowSize = field(root, "AirSync:WindowSize");
  return {
    collections: all,
    waitSeconds: wait.seconds ?? (partial ? cached?.waitSeconds : undefined),
    windowSize:
      windowSize === undefined && partial ? (cached?.windowSize ?? WINDOW_LIMIT) : readWindow(windowSize, WINDOW_LIMIT),
  };
}

/** What an empty request or a Partial one refers to later. */
export function withoutCommands(request: SyncRequest): SyncRequest {
  return { ...request, collections: request.collections.map((collection) => ({ ...collection, commands: [] })) };
}

function readWait(
  root: Element,
  limits: HeartbeatLimits,
): { readonly seconds: number | undefined; readonly failure?: SyncFailure } {
  const wait = field(root, "AirSync:Wait");
  const heartbeat = field(root, "AirSync:HeartbeatInterval");
  if (wait !== undefined && heartbeat !== undefined) return { seconds: undefined, failure: MALFORMED };
  if (wait !== undefined) return readBounded(Number(wait), 1, WAIT_LIMIT_MINUTES, 60);
  if (heartbeat === undefined) return { seconds: undefined };
  return readBounded(Number(heartbeat), limits.minimumSeconds, limits.maximumSeconds, 1);
}

function readBounded(
  value: number,
  minimum: number,
  maximum: number,
  unitSeconds: number,
): ReturnType<typeof readWait> {
  if (value >= minimum && value <= maximum) return { seconds: value * unitSeconds };
  return { seconds: undefined, failure: { status: 14, limit: value < minimum ? minimum : maximum } };
}

function readCollection(collection: Element, version: Version): SyncCollection | undefined {
  const syncKey = field(collection, "AirSync:SyncKey");
  const folderId = field(collection, "AirSync:CollectionId");
  if (syncKey === undefined || syncKey === "" || folderId === undefined || folderId === "") return undefined;
  const options = child(collection, "AirSync:Options");
  const getChanges = field(collection, "AirSync:GetChanges");
  return {
    syncKey,
    folderId,
    // An empty element says yes: the Firefox OS client writes it that way. In 2.5 that is the way, and none says no.
    getChanges: getChanges === undefined ? isSince(version, "12.0") : getChanges === "" || getChanges === "1",
    deletesAsMoves: field(collection, "AirSync:DeletesAsMoves") !== "0",
    windowSize: readWindow(field(collection, "AirSync:WindowSize"), WINDOW_DEFAULT),
    options: options === undefined ? undefined : readCollectionOptions(options),
    commands: elements(child(collection, "AirSync:Commands")),
    digest: createHash("sha256").update(encode(collection)).digest("base64"),
  };
}

export function readCollectionOptions(options: Element | undefined): CollectionOptions {
  return { filterType: Number(field(options, "AirSync:FilterType") ?? 0), body: readBodyWish(options) };
}

function readWindow(text: string | undefined, otherwise: number): number {
  const size = Number(text ?? otherwise);
  return size >= 1 && size <= WINDOW_LIMIT ? size : WINDOW_LIMIT;
}
