/**
 * Whether what was read from Redis may be kept. Redis tells a second connection which keys changed; that chain is proved
 * link by link every second, and as soon as one link is in doubt nothing counts any more that was read before.
 *
 *   read ── hot connection ── CLIENT TRACKING … REDIRECT id ── connection id listens ── drop from the cache
 */
import type { StoreHealth } from "./store.ts";

/** The connection that reads and writes. */
interface HotLink {
  readonly isUp: () => boolean;
  /** Reads a key: proves that the server answers, has its data and lets us read it. */
  readonly probe: () => Promise<unknown>;
  /** Has the server send the names of changed keys to the connection with this id. */
  readonly startTracking: (listener: number) => Promise<unknown>;
  /** Whether the server itself says that it does. */
  readonly isTrackingTo: (listener: number) => Promise<boolean>;
  /** Closes a connection that does not answer; another is made by itself. */
  readonly drop: () => void;
}

/** The connection that hears of changes. */
interface ListeningLink {
  /** The server's number for it, from the moment it listens; undefined while it does not. */
  readonly id: () => number | undefined;
  readonly ping: () => Promise<unknown>;
  readonly drop: () => void;
}

export interface Tracking {
  /** Looks now: something came up, or an answer is overdue. */
  check(): void;
  /** A connection closed. Nothing counts from this moment on. */
  lost(detail: string): void;
  isTracking(): boolean;
  health(): StoreHealth;
  /** Resolves when tracking works for the first time, or when that takes longer than a start may. */
  settled(): Promise<void>;
  close(): void;
}

export interface TrackingOptions {
  readonly hot: HotLink;
  readonly listening: ListeningLink;
  readonly now: () => Date;
  readonly onHealth: (health: StoreHealth) => void;
  /** Tracking works (again): what was read until now may be out of date. */
  readonly onRegained: () => void;
  /** What went wrong last with a connection, for the operator. */
  readonly lastProblem: () => string;
}

const PROOF_INTERVAL_MS = 1_000;
/** For what does not announce its end, such as a server that loads its data. */
const RECOVERY_INTERVAL_MS = 200;
/** A program starts without its store rather than not at all. */
const START_LIMIT_MS = 1_000;

type Outcome = Pick<StoreHealth, "state" | "detail">;

export function createTracking({ hot, listening, now, onHealth, onRegained, lastProblem }: TrackingOptions): Tracking {
  let health: StoreHealth = { state: "down", since: now(), detail: "not connected yet" };
  /** The listener that the server was told to inform; undefined after either connection was lost. */
  let trackedBy: number | undefined;
  /** Rises with each loss: what was found out across one does not count. */
  let losses = 0;
  let isChecking = false;
  let mustCheckAgain = false;
  let isClosed = false;
  /** How the start went is told once it is known; what comes and goes during it is of no use to anybody. */
  let hasStarted = false;
  let timer: NodeJS.Timeout | undefined;

  const start = Promise.withResolvers<void>();
  const startTimer = setTimeout(() => {
    start.resolve();
    hasStarted = true;
    onHealth(health);
  }, START_LIMIT_MS);

  function check(): void {
    if (isClosed) return;
    mustCheckAgain = true;
    if (!isChecking) void run();
  }

  async function run(): Promise<void> {
    isChecking = true;
    clearTimeout(timer);
    do {
      mustCheckAgain = false;
      const before = losses;
      const outcome = await examine();
      // Closing counts as a loss.
      if (before === losses) settle(outcome);
    } while (mustCheckAgain);
    isChecking = false;
    if (!isClosed)
      timer = setTimeout(check, health.state === "down" ? RECOVERY_INTERVAL_MS : PROOF_INTERVAL_MS).unref();
  }

  async function examine(): Promise<Outcome> {
    if (!hot.isUp()) return { state: "down", detail: lastProblem() };
    const listener = listening.id();
    const [probe, silence] = await Promise.all([
      problemOf(() => hot.probe()),
      listener === undefined ? undefined : problemOf(() => listening.ping()),
    ]);
    if (probe !== undefined) {
      // Also where the server did answer, and refused: the address may lead to another one by now.
      hot.drop();
      return { state: "down", detail: probe };
    }
    if (silence !== undefined) {
      listening.drop();
      return { state: "degraded", detail: `the connection that hears of changes: ${silence}` };
    }
    if (listener === undefined) return { state: "degraded", detail: `nobody hears of changes: ${lastProblem()}` };
    return examineTracking(listener);
  }

  async function examineTracking(listener: number): Promise<Outcome> {
    try {
      if (trackedBy === listener && (await hot.isTrackingTo(listener))) return { state: "live", detail: "" };
      if (health.state === "live") settle({ state: "degraded", detail: "the server stopped telling of changes" });
      const before = losses;
      await hot.startTracking(listener);
      if (before === losses) trackedBy = listener;
      return { state: "live", detail: "" };
    } catch (error) {
      return { state: "degraded", detail: `the server does not tell of changes: ${messageOf(error)}` };
    }
  }

  function settle({ state, detail }: Outcome): void {
    if (state === health.state) {
      health = { ...health, detail };
      return;
    }
    health = { state, detail, since: now() };
    if (state === "live") {
      hasStarted = true;
      clearTimeout(startTimer);
      onRegained();
    }
    if (hasStarted) onHealth(health);
    if (hasStarted) start.resolve();
  }

  return {
    check,
    lost(detail): void {
      losses += 1;
      trackedBy = undefined;
      if (isClosed) return;
      settle({ state: hot.isUp() ? "degraded" : "down", detail });
      check();
    },
    isTracking: () => health.state === "live",
    health: () => health,
    settled: () => start.promise,
    close(): void {
      isClosed = true;
      mustCheckAgain = false;
      losses += 1;
      trackedBy = undefined;
      clearTimeout(timer);
      clearTimeout(startTimer);
      start.resolve();
      health = { state: "down", since: now(), detail: "closed" };
    },
  };
}

/** One missed answer is a pause of the server or of ourselves, two in a row are a fault. */
async function problemOf(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch {
    try {
      await ask();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "it failed";
}
