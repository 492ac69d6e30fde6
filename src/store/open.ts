/** Opens the store that the configuration names. */
import { createStore } from "./cached-store.ts";
import type { CachedStore, StoreDeps } from "./cached-store.ts";
import { embeddedBackend } from "./embedded.ts";
import type { EmbeddedStoreOptions } from "./embedded.ts";
import type { CacheLimits } from "./facts-cache.ts";
import type { RedisStoreOptions } from "./redis-address.ts";
import { redisBackend } from "./redis.ts";

export type StoreOptions = ({ readonly redis: RedisStoreOptions } | { readonly embedded: EmbeddedStoreOptions }) & {
  readonly cache?: Partial<CacheLimits> | undefined;
};

/**
 * 50 000 devices of one node with 100 apps each are some 100 MB; a larger fleet works as well, with more reads.
 * Unknown ids are worth remembering only while somebody guesses them.
 */
const defaultLimits: CacheLimits = { knownEntries: 50_000, unknownEntries: 10_000 };

/**
 * Resolves with a store that is ready, or that has been trying for a second and goes on trying: ask `health()`.
 * @throws StoreUnusable where trying on cannot help.
 */
export async function openStore(options: StoreOptions, deps: Partial<StoreDeps> = {}): Promise<CachedStore> {
  const { now = () => new Date(), report = () => {} } = deps;
  const backend = "redis" in options ? redisBackend(options.redis, now) : embeddedBackend(options.embedded, now);
  const store = createStore(backend, { ...defaultLimits, ...options.cache }, { now, report });
  await store.settled();
  return store;
}
