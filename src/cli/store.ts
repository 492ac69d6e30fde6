/** How commands reach the store that the configuration names. */
import type { Config } from "../config/config.ts";
import { storeOptionsOf } from "../parts.ts";
import { openStore } from "../store/open.ts";
import { StoreUnavailable, StoreUnusable } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { CommandFailed } from "./exit.ts";

/** @throws CommandFailed with exit code 3 where it cannot be used, 4 where it does not answer. */
export async function withStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await open(config);
  try {
    return await work(store);
  } catch (error) {
    if (error instanceof StoreUnavailable)
      throw new CommandFailed(4, `the store does not answer: ${store.health().detail}`);
    throw error;
  } finally {
    await store.close();
  }
}

async function open(config: Config): Promise<Store> {
  try {
    return await openStore(storeOptionsOf(config.store));
  } catch (error) {
    if (error instanceof StoreUnusable) throw new CommandFailed(3, error.message);
    throw error;
  }
}
