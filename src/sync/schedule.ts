/** What a source is to be asked next, and when. Pure: the clock is an argument. */
import type { ConnectorAbilities } from "../inventory/connector.ts";
import type { ConnectorState } from "./connector-state.ts";

export interface Schedule {
  readonly everyMs: number;
  readonly fullEveryMs: number;
}

export interface Due {
  readonly kind: "full" | "changes";
  readonly at: Date;
  /** The wish that it fulfils. */
  readonly wish: number | undefined;
}

/** A tenth, so that sources and sites drift apart. */
const JITTER = 0.1;
/** What was begun longer ago is begun anew: cursors do not live for ever, and neither do lists. */
const RESUME_LIMIT_MS = 86_400_000;

/** @param random 0 to 1, the same for each question until the run begins. Undefined: the source lists nothing. */
export function nextRun(
  state: ConnectorState,
  { everyMs, fullEveryMs }: Schedule,
  { lists, incremental }: Pick<ConnectorAbilities, "lists" | "incremental">,
  now: Date,
  random: number,
): Due | undefined {
  if (!lists) return undefined;
  const { run, fullAt, succeededAt, changedSince, nextAt, wish, fulfilled, failures } = state;
  const notBefore = nextAt ?? new Date(0);
  if (wish !== undefined && wish.number > fulfilled) {
    // A wish goes past the usual times, but not past what the system asked for.
    const isFull = wish.full || !incremental || fullAt === undefined || run?.kind === "full";
    return { kind: isFull ? "full" : "changes", at: failures > 0 ? later(now, notBefore) : now, wish: wish.number };
  }
  const fullDue =
    fullAt === undefined ? now : after(fullAt, incremental ? fullEveryMs : Math.min(everyMs, fullEveryMs), random);
  // A system that lists all and cannot say what has changed must not keep us from listing all.
  const isOverdue = run?.kind === "changes" && fullDue <= now;
  if (run !== undefined && !isOverdue) return { kind: run.kind, at: later(now, notBefore), wish: undefined };
  const changesDue = after(succeededAt ?? new Date(0), everyMs, random);
  const isFull = !incremental || changedSince === undefined || fullDue <= changesDue || fullDue <= now;
  return { kind: isFull ? "full" : "changes", at: later(isFull ? fullDue : changesDue, notBefore), wish: undefined };
}

/** Whether a full sync that was broken off can be taken up where it was. */
export function isResumable(state: ConnectorState, now: Date): boolean {
  const { run } = state;
  if (run === undefined) return false;
  const ageMs = now.getTime() - run.startedAt.getTime();
  return ageMs >= 0 && ageMs < RESUME_LIMIT_MS;
}

function after(moment: Date, spanMs: number, random: number): Date {
  return new Date(moment.getTime() + Math.round(spanMs * (1 + JITTER * (random - 0.5))));
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
