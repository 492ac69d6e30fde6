/** What the sync role needs of others. */
import type { IntakeResult, InventoryReport, LookForMissing } from "../inventory/report.ts";
import type { Act, DocumentStore, Fields, FieldsKey } from "../store/documents.ts";
import { transactAsLeader } from "../store/leadership.ts";

/** The part of the intake that syncs use; `inventory/report.ts` has the whole. */
export interface SyncIntake {
  /** @throws StoreUnavailable, LeadershipLost */
  takeAll(
    reports: readonly InventoryReport[],
    options?: { readonly sweep?: string | undefined },
  ): Promise<readonly IntakeResult[]>;
  /** @throws StoreUnavailable, LeadershipLost */
  endSweep(source: string, sweep: string, startedAt: Date, look?: LookForMissing): Promise<number>;
}

/** The one name under which nodes agree who speaks with the sources. */
export const LEADER_NAME = "sync";

/** A store whose acts are only carried out while this leader leads: whatever is made on top of it is fenced. */
export function fencedStore<S extends Pick<DocumentStore, "transact">>(store: S, fence: number): S {
  return {
    ...store,
    transact: <T>(
      keys: readonly FieldsKey[],
      decide: (stored: readonly (Fields | undefined)[]) => Act<T>,
    ): Promise<T> => transactAsLeader(store, { name: LEADER_NAME, fence }, keys, decide),
  };
}
