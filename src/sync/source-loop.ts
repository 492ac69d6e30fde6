/** The work for one source while this node leads: syncs when they are due, a pause after a failure, and whatever operators ask for. */
import { ConnectorFailure } from "../inventory/connector.ts";
import type { Connector } from "../inventory/connector.ts";
import type { DocumentStore } from "../store/documents.ts";
import { LeadershipLost } from "../store/leadership.ts";
import type { Store } from "../store/store.ts";
import { StoreUnavailable } from "../store/store.ts";
import { backOffMs } from "./back-off.ts";
import type { Budget } from "./budget.ts";
import { readState, stateKey, writtenState } from "./connector-state.ts";
import type { ConnectorState } from "./connector-state.ts";
import type { Tell } from "./events.ts";
import { createNews, pause } from "./pause.ts";
import type { SyncIntake } from "./ports.ts";
import { nextRun } from "./schedule.ts";
import type { Due, Schedule } from "./schedule.ts";
import { runSync } from "./source-run.ts";

export interface SourceLoopOptions {
  readonly connector: Connector;
  readonly schedule: Schedule;
  readonly budget: Budget;
  /** Fenced, with what is read of it and told by it. */
  readonly store: Pick<DocumentStore, "transact" | "readDocuments"> & Pick<Store, "onChange">;
  /** Fenced. */
  readonly intake: SyncIntake;
  readonly appIds: () => readonly string[];
  readonly tell: Tell;
  readonly now: () => Date;
  /** Ends with the lead. */
  readonly signal: AbortSignal;
  readonly newSweep: () => string;
  readonly random?: () => number;
}

/** How often the clock is looked at: timers stand still while a machine sleeps. */
const LOOK_MS = 1000;
/** A sync that takes longer than this is given up, and taken up again at its cursor. */
const RUN_LIMIT_MS = 7_200_000;
/** Pause while the store is away. */
const STORE_AWAY_MS = 2000;

/** Resolves when the signal has ended. @throws LeadershipLost */
export async function runSource(options: SourceLoopOptions): Promise<void> {
  const { connector, store, signal, random = Math.random } = options;
  const key = stateKey(connector.source);
  const news = createNews();
  const stop = store.onChange((change) => {
    const isOurs = change.kind === "document" && change.of === "connector" && change.name === connector.source;
    if (isOurs || change.kind === "everything") news.tell();
  });
  let chance = random();
  try {
    while (!signal.aborted) {
      const state = await read();
      const due = state && nextRun(state, options.schedule, connector.abilities, options.now(), chance);
      const dueInMs = due === undefined ? Number.POSITIVE_INFINITY : due.at.getTime() - options.now().getTime();
      if (state !== undefined && due !== undefined && dueInMs <= 0) {
        await attempt(due, state);
        chance = random();
      } else await news.within(state === undefined ? STORE_AWAY_MS : Math.min(dueInMs, LOOK_MS), signal);
    }
  } finally {
    stop();
  }

  async function read(): Promise<ConnectorState | undefined> {
    try {
      const [fields] = await store.readDocuments([key]);
      return readState(fields);
    } catch (error) {
      if (error instanceof StoreUnavailable) return undefined;
      throw error;
    }
  }

  async function attempt(due: Due, state: ConnectorState): Promise<void> {
    try {
      await sync(due, state);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LeadershipLost) throw error;
      if (!(error instanceof StoreUnavailable)) throw error;
      options.tell({
        kind: "log",
        level: "warn",
        event: "a sync waits for the store",
        fields: { source: connector.source },
      });
      await pause(STORE_AWAY_MS, signal);
    }
  }

  async function sync({ kind, wish }: Due, state: ConnectorState): Promise<void> {
    const { source } = connector;
    const timeout = AbortSignal.timeout(RUN_LIMIT_MS);
    const context = { signal: AbortSignal.any([signal, timeout]), appIds: options.appIds, now: options.now };
    const beganAt = performance.now();
    let newest = state;
    const save = async (next: ConnectorState): Promise<ConnectorState> => {
      newest = await write(next);
      return newest;
    };
    try {
      const acceptFewer = wish !== undefined && state.wish?.acceptFewer === true;
      const done = await runSync(kind, state, acceptFewer, { ...options, save, context });
      if (wish !== undefined) await save({ ...done, fulfilled: wish });
      options.tell({
        kind: "log",
        level: "info",
        event: "sync",
        fields: {
          source,
          sync: kind,
          devices: kind === "full" ? done.devices : undefined,
          durationMs: Math.round(performance.now() - beganAt),
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StoreUnavailable || error instanceof LeadershipLost) throw error;
      const failure = failureOf(error, timeout.aborted);
      const failures = newest.failures + 1;
      const now = options.now();
      const delayMs = backOffMs(failure, failures, random());
      await save({
        ...newest,
        failures,
        failure: { code: failure.code, detail: failure.message, at: now },
        nextAt: new Date(now.getTime() + delayMs),
        ...(wish === undefined ? {} : { fulfilled: wish }),
      });
      options.tell({
        kind: "log",
        level: failure.code === "away" || failure.code === "throttled" ? "warn" : "error",
        event: "sync failed",
        fields: { source, code: failure.code, detail: failure.message, failures, retryInMs: delayMs },
      });
    }
  }

  /** The wish may have changed meanwhile: it is read back in the same act. */
  function write(next: ConnectorState): Promise<ConnectorState> {
    const withBudget = { ...next, budgetLeft: options.budget.left() };
    const change = writtenState(withBudget);
    return store.transact([key], ([fields]) => ({
      changes: [{ key, ...change }],
      result: { ...withBudget, wish: readState(fields).wish },
    }));
  }
}

/** What is no failure of a connector is a fault of ours, or an answer that nobody foresaw: not this source's end, nor the others'. */
function failureOf(error: unknown, isTimeout: boolean): ConnectorFailure {
  if (error instanceof ConnectorFailure) return error;
  if (isTimeout) return new ConnectorFailure("away", `the sync did not end in ${RUN_LIMIT_MS} ms`);
  const name = error instanceof Error ? error.name : typeof error;
  return new ConnectorFailure("unreadable", `a fault of the connector (${name})`, { cause: error });
}
