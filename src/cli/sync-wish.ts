/** A sync that an operator wants now: the wish stands in the store, and whoever leads fulfils it. */
import { setTimeout as wait } from "node:timers/promises";
import type { Store } from "../store/store.ts";
import { readState, stateKey, writtenWish } from "../sync/connector-state.ts";
import type { ConnectorState } from "../sync/connector-state.ts";
import { CommandFailed } from "./exit.ts";
import { createProgress } from "./progress.ts";

/** How often it is looked at; a person watches. */
const LOOK_MS = 250;
/** Where nobody takes a wish up within this, nobody leads. */
const TAKEN_UP_MS = 45_000;

/** The number of the wish. @throws StoreUnavailable */
export function askForSync(
  store: Store,
  name: string,
  wanted: { readonly full: boolean; readonly acceptFewer: boolean; readonly by: string },
): Promise<number> {
  const key = stateKey(name);
  return store.transact([key], ([fields]) => {
    const { wish: last, fulfilled } = readState(fields);
    const number = Math.max(last?.number ?? 0, fulfilled) + 1;
    return { changes: [{ key, set: writtenWish({ number, ...wanted }) }], result: number };
  });
}

/** Resolves with the state when the wish was fulfilled, or has failed. @throws CommandFailed, StoreUnavailable */
export async function followSync(
  store: Store,
  name: string,
  number: number,
  withinMs: number,
): Promise<ConnectorState> {
  const progress = createProgress(process.stderr);
  const beganAt = performance.now();
  let isTakenUp = false;
  try {
    for (;;) {
      const [fields] = await store.readDocuments([stateKey(name)]);
      const state = readState(fields);
      if (state.fulfilled >= number) return state;
      isTakenUp ||= state.run !== undefined;
      if (state.run !== undefined) {
        const { devices, total } = state.run;
        progress.report(shareOf(state.run) ?? 0, `${devices}${total === undefined ? "" : ` of ${total}`} devices`);
      }
      const ms = performance.now() - beganAt;
      if (!isTakenUp && ms > TAKEN_UP_MS && (state.nextAt ?? new Date(0)) <= new Date()) {
        throw new CommandFailed(
          1,
          `${name}: nobody takes it up: is a node of the role sync or all running on this store?`,
        );
      }
      if (ms > withinMs) throw new CommandFailed(1, `${name}: not done yet; it goes on: postern inventory status`);
      await wait(LOOK_MS);
    }
  } finally {
    progress.end();
  }
}

/** Undefined where nobody knows how many there are. */
export function shareOf({ devices, total }: NonNullable<ConnectorState["run"]>): number | undefined {
  return total === undefined || total === 0 ? undefined : Math.min(1, devices / total);
}
