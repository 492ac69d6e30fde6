/** One store for both gates, which can be told not to answer: in memory, or a real Redis, where each gate has a cache of its own. */
import assert from "node:assert/strict";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Store, StoreChange } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { deviceId } from "../support/records.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { phoneId } from "./air.ts";

export interface SharedStore {
  /** For one gate, which closes it. */
  open(): Promise<Store>;
  /** Resolves when every gate has heard of it: how soon that is, is measured elsewhere. */
  write(fields: Readonly<Record<string, string>>, remove: readonly string[]): Promise<void>;
  /** Another id of the same phone. */
  bind(alias: string): Promise<void>;
  readonly isAway: () => boolean;
  goAway(): void;
  /** Every gate is told that anything may have changed, as Redis does it. */
  comeBack(): void;
  close(): Promise<void>;
}

interface Opened {
  readonly listeners: Set<(change: StoreChange) => void>;
  heard: number;
}

export async function openSharedStore(now: () => Date, redis: RedisServer | undefined): Promise<SharedStore> {
  await redis?.cli("FLUSHALL");
  const openReal = () =>
    openStore(redis === undefined ? { embedded: { path: ":memory:" } } : { redis: { url: redis.url } }, { now });
  const writer = await openReal();
  const opened = new Set<Opened>();
  let isAway = false;
  const unlessAway = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isAway) throw new StoreUnavailable(new Error("away"));
    return work();
  };

  return {
    async open(): Promise<Store> {
      const real = redis === undefined ? writer : await openReal();
      const own: Opened = { listeners: new Set(), heard: 0 };
      opened.add(own);
      const stop = real.onChange((change) => {
        if (change.kind !== "mailbox") own.heard += 1;
        for (const listener of own.listeners) listener(change);
      });
      return {
        ...real,
        facts: (candidates, account) => unlessAway(() => real.facts(candidates, account)),
        updateMailbox: (key, change) => unlessAway(() => real.updateMailbox(key, change)),
        onChange(listener): () => void {
          own.listeners.add(listener);
          return () => own.listeners.delete(listener);
        },
        async close(): Promise<void> {
          stop();
          opened.delete(own);
          if (redis !== undefined) await real.close();
        },
      };
    },
    async write(fields, remove): Promise<void> {
      const before = new Map([...opened].map((own) => [own, own.heard]));
      await writer.writeFields(deviceId(phoneId), { set: new Map(Object.entries(fields)), remove });
      await eventually(() => {
        for (const [own, heard] of before) assert.ok(own.heard > heard, "a gate has not heard of the record");
      });
    },
    bind: (alias) => writer.writeAlias(deviceId(alias), deviceId(phoneId)),
    isAway: () => isAway,
    goAway(): void {
      isAway = true;
    },
    comeBack(): void {
      isAway = false;
      for (const { listeners } of opened) for (const listener of listeners) listener({ kind: "everything" });
    },
    close: () => writer.close(),
  };
}
