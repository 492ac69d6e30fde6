/** One sync of one source: page by page into the intake, with a cursor behind each, and the end of a full one. */
import { ConnectorFailure } from "../inventory/connector.ts";
import type { Connector, ConnectorContext, SyncPage } from "../inventory/connector.ts";
import type { IntakeResult, LookForMissing } from "../inventory/report.ts";
import type { ConnectorState, RunState } from "./connector-state.ts";
import type { Tell } from "./events.ts";
import type { SyncIntake } from "./ports.ts";
import { isResumable } from "./schedule.ts";

export interface RunDeps {
  readonly connector: Connector;
  /** Fenced. */
  readonly intake: SyncIntake;
  /** Writes the state, fenced; returns it with the wish as it is by now. */
  readonly save: (state: ConnectorState) => Promise<ConnectorState>;
  readonly context: ConnectorContext;
  readonly tell: Tell;
  /** A new word for each full sync. */
  readonly newSweep: () => string;
}

/** Fewer than half of the devices that were there: rather a fault than the truth, where there were at least ten. */
const FEW_SHARE = 0.5;
const FEW_LEAST = 10;
/** 200 devices that a full sync did not name are asked about one by one; of more the list is believed. */
const LOOKS_LIMIT = 200;
/** 10 min: what a system stored by a clock behind ours is asked for again. */
const OVERLAP_MS = 600_000;

/** The state after a sync that came to its end. @throws ConnectorFailure, StoreUnavailable, LeadershipLost: the state is that of the last page */
export async function runSync(
  kind: "full" | "changes",
  before: ConnectorState,
  acceptFewer: boolean,
  deps: RunDeps,
): Promise<ConnectorState> {
  const { connector, context, save, newSweep } = deps;
  const goesOn = before.run?.kind === kind && kind === "full" && isResumable(before, context.now());
  let run: RunState =
    goesOn && before.run !== undefined
      ? before.run
      : {
          kind,
          sweep: newSweep(),
          startedAt: context.now(),
          cursor: undefined,
          pages: 0,
          devices: 0,
          total: undefined,
        };
  // It broke off behind its last page, at its end: to read all of it again would count each device twice.
  const isRead = goesOn && run.pages > 0 && run.cursor === undefined;
  let state = await save({ ...before, run });
  try {
    for await (const page of isRead ? [] : pagesOf(connector, run, before, context)) {
      context.signal.throwIfAborted();
      await take(page, run, deps);
      run = behind(run, page);
      state = await save({ ...state, run });
    }
  } catch (error) {
    // A cursor that the system does not take any more: the next one begins anew.
    const isSpent = goesOn && run.pages === before.run?.pages && error instanceof ConnectorFailure;
    if (isSpent && (error.code === "unreadable" || error.code === "refused")) await save({ ...state, run: undefined });
    throw error;
  }
  return save(await ended(run, state, acceptFewer, deps));
}

function behind(run: RunState, { reports, next, total }: SyncPage): RunState {
  return {
    ...run,
    cursor: next,
    pages: run.pages + 1,
    devices: run.devices + reports.filter(({ enrolled }) => enrolled).length,
    total: total ?? run.total,
  };
}

function pagesOf(
  connector: Connector,
  run: RunState,
  { changedSince }: ConnectorState,
  context: ConnectorContext,
): AsyncIterable<SyncPage> {
  if (run.kind === "changes" && connector.changed !== undefined && changedSince !== undefined) {
    return connector.changed(changedSince, context);
  }
  return connector.full(run.cursor, context);
}

async function take({ reports }: SyncPage, run: RunState, { connector, intake, tell }: RunDeps): Promise<void> {
  const options = run.kind === "full" ? { sweep: run.sweep } : {};
  tellResults(connector.source, await intake.takeAll(reports, options), tell);
}

/** Counted by what became of them; what an operator must look at is told by its kind. */
export function tellResults(source: string, results: readonly IntakeResult[], tell: Tell): void {
  for (const [result, some] of Map.groupBy(results, ({ kind }) => kind)) {
    tell({ kind: "reports", source, result, count: some.length });
  }
  const problems = new Map<string, number>();
  for (const each of results) {
    if (each.kind === "rejected") problems.set(each.problem, (problems.get(each.problem) ?? 0) + 1);
    if (each.kind === "accepted") for (const { kind: alert } of each.alerts) tell({ kind: "alert", source, alert });
  }
  for (const [problem, count] of problems) {
    tell({ kind: "log", level: "warn", event: "reports were not taken", fields: { source, problem, count } });
  }
}

async function ended(
  run: RunState,
  state: ConnectorState,
  acceptFewer: boolean,
  { connector, intake, tell, context }: RunDeps,
): Promise<ConnectorState> {
  const common = {
    ...state,
    run: undefined,
    succeededAt: context.now(),
    changedSince: new Date(run.startedAt.getTime() - OVERLAP_MS),
    failures: 0,
    failure: undefined,
    nextAt: undefined,
  };
  if (run.kind === "changes") return common;
  const { source } = connector;
  const before = state.devices;
  const isFew = before !== undefined && before >= FEW_LEAST && run.devices < before * FEW_SHARE;
  if (isFew && !acceptFewer) {
    tell({ kind: "alert", source, alert: "few-devices" });
    tell({
      kind: "log",
      level: "error",
      event: "a source names fewer than half of its devices: nobody is un-enrolled by that until an operator says so",
      fields: { source, named: run.devices, before },
    });
    return { ...common, fullAt: run.startedAt, fewDevices: { named: run.devices, before } };
  }
  // Before the first full sync nobody was there who could be missing.
  const look = lookAt(connector, context);
  const gone = before === undefined ? 0 : await intake.endSweep(source, run.sweep, run.startedAt, look);
  if (gone > 0) {
    tell({ kind: "log", level: "info", event: "devices are managed no more", fields: { source, devices: gone } });
  }
  return { ...common, fullAt: run.startedAt, devices: run.devices, fewDevices: undefined };
}

/**
 * Looks for devices that were on no page. Where the system cannot say it of one, that one stays as it is until the next full sync, and where
 * it is away, so do all that are left.
 */
function lookAt({ one }: Connector, context: ConnectorContext): LookForMissing | undefined {
  if (one === undefined) return undefined;
  let looks = 0;
  let isAway = false;
  return async (sourceDeviceId) => {
    if (looks >= LOOKS_LIMIT) return "gone";
    if (isAway) return "unknown";
    looks += 1;
    try {
      return (await one(sourceDeviceId, context)) ?? "gone";
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof ConnectorFailure)) throw error;
      isAway ||= error.code !== "unreadable" && error.code !== "not-possible";
      return "unknown";
    }
  };
}
