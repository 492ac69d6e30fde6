/** What the server remembers about a phone between two requests. */
import { createHash } from "node:crypto";
import type { Element } from "../activesync/wbxml.ts";
import { readBodyWish, type BodyWish } from "./body-wish.ts";
import { createKeyRing, type KeyRing } from "./sync-keys.ts";
import type { SyncRequest } from "./sync-request.ts";

export interface CollectionState {
  /** What the phone has: the revision of each item by its id. */
  readonly known: ReadonlyMap<string, number>;
  /** The items that the phone uploaded in the request that led to this state, by its own name for them. */
  readonly added: ReadonlyMap<string, string>;
}

export interface CollectionOptions {
  readonly filterType: number;
  readonly body: BodyWish;
}

export interface Collection {
  readonly ring: KeyRing<CollectionState>;
  /** Of the last request that said any: a phone may leave them out afterwards (MS-ASCMD, Options of Sync). */
  options: CollectionOptions;
}

export interface PingParameters {
  readonly heartbeatSeconds: number;
  readonly folderIds: readonly string[];
}

export interface Device {
  /** Mailbox and device id: the same id in two mailboxes is two phones. */
  readonly name: string;
  readonly deviceId: string;
  readonly hierarchy: KeyRing<ReadonlyMap<string, string>>;
  readonly collections: Map<string, Collection>;
  ping: PingParameters | undefined;
  sync: SyncRequest | undefined;
  information: Element | undefined;
  /** The ClientId of every message that this phone has sent: a repeat must not reach anybody twice. */
  readonly sentMessages: Set<string>;
  temporaryPolicyKey: number | undefined;
  policyKey: number | undefined;
  policyKeysIssued: number;
}

// More than any demonstration or load test has. The phone that has been silent longest starts again with key 0.
const DEVICE_LIMIT = 100_000;

export type Devices = ReturnType<typeof createDevices>;

export function createDevices(seed: string) {
  const known = new Map<string, Device>();

  function create(name: string, deviceId: string): Device {
    return {
      name,
      deviceId,
      hierarchy: createKeyRing(`${seed}\0${name}\0hierarchy`),
      collections: new Map(),
      ping: undefined,
      sync: undefined,
      information: undefined,
      sentMessages: new Set(),
      temporaryPolicyKey: undefined,
      policyKey: undefined,
      policyKeysIssued: 0,
    };
  }

  return {
    device(accountName: string, deviceId: string): Device {
      const name = `${accountName}/${deviceId.toUpperCase()}`;
      const device = known.get(name) ?? create(name, deviceId);
      // Set anew, so that the order of the map is the order of the last contact.
      known.delete(name);
      known.set(name, device);
      const oldest = known.size > DEVICE_LIMIT ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
      return device;
    },

    collection(device: Device, folderId: string): Collection {
      const collection = device.collections.get(folderId) ?? {
        ring: createKeyRing<CollectionState>(`${seed}\0${device.name}\0${folderId}`),
        options: { filterType: 0, body: readBodyWish(undefined) },
      };
      device.collections.set(folderId, collection);
      return collection;
    },

    /** A policy key that this phone has not had before. 0 means "none", so it is never given out. */
    issuePolicyKey(device: Device): number {
      device.policyKeysIssued += 1;
      const digest = createHash("sha256").update(`${seed}\0${device.name}\0policy${device.policyKeysIssued}`).digest();
      return (digest.readUInt32LE() % 4_000_000_000) + 1;
    },
  };
}
