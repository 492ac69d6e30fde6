/**
 * "I removed it, check again", on the node that speaks with the sources: the source is told to have the phone report anew, and its answer
 * is waited for. Nothing here loosens a verdict: only a newer report does, and what it makes of the phone is judged as ever.
 */
import { ConnectorFailure } from "../inventory/connector.ts";
import type { Connector, ConnectorContext } from "../inventory/connector.ts";
import { RECHECK_TTL_MS } from "../inventory/recheck.ts";
import type { Recheck, RecheckEnd, Rechecks } from "../inventory/recheck.ts";
import type { ManagedKey } from "../inventory/report.ts";
import type { DeviceId } from "../policy/device.ts";
import { StoreUnavailable } from "../store/store.ts";
import { LeadershipLost } from "../store/leadership.ts";
import type { Budget } from "./budget.ts";
import type { Tell } from "./events.ts";
import { pause } from "./pause.ts";
import type { SyncIntake } from "./ports.ts";
import { tellResults } from "./source-run.ts";

/** What is known of a phone at this moment. */
export interface PhoneView {
  /** The managed device that it is; undefined: no source speaks for it. */
  readonly managed: ManagedKey | undefined;
  /** When the device last reported anything, and its apps; by its own clock. */
  readonly deviceAt: Date | undefined;
  readonly appsAt: Date | undefined;
  /** Whether its mail is held, judged at this moment. */
  readonly isHeld: boolean;
}

export interface RecheckRunnerOptions {
  /** Fenced. */
  readonly rechecks: Rechecks;
  readonly sources: ReadonlyMap<string, { readonly connector: Connector; readonly budget: Budget }>;
  /** @throws StoreUnavailable */
  readonly view: (device: DeviceId) => Promise<PhoneView>;
  /** Fenced. */
  readonly intake: SyncIntake;
  readonly context: Omit<ConnectorContext, "signal">;
  readonly hashDevice: (device: DeviceId) => string;
  readonly tell: Tell;
  readonly signal: AbortSignal;
  /** Milliseconds between two looks: growing, the last one again and again. */
  readonly gapsMs?: readonly number[];
}

export interface RecheckRunner {
  /** Resolves with the end of the signal. @throws LeadershipLost */
  run(): Promise<void>;
}

const usualGapsMs = [2000, 3000, 5000, 10_000, 15_000, 30_000] as const;
/** Calls that wait for this source; with more, the person is told to come back later. */
const WAITING_LIMIT = 20;
/** Phones that are looked at once; more wait. */
const AT_ONCE_LIMIT = 50;
/** A phone reports in parts: what is held by its old list of apps is given so long for the new one. */
const SETTLE_MS = 30_000;
/** Of the looks at a device whose source pushes, each so many go to the source. */
const LOOK_EACH_PUSHED = 3;
/** Two minutes at least, and twice what is usual. */
const ANSWER_LEAST_MS = 120_000;

export function createRecheckRunner(options: RecheckRunnerOptions): RecheckRunner {
  const { rechecks, sources, view, intake, tell, signal, hashDevice, gapsMs = usualGapsMs } = options;
  const context: ConnectorContext = { ...options.context, signal };
  const { now } = options.context;
  const running = new Map<DeviceId, Promise<void>>();
  let lost: LeadershipLost | undefined;

  function begin(recheck: Recheck): void {
    if (running.has(recheck.device) || running.size >= AT_ONCE_LIMIT || signal.aborted) return;
    const work = follow(recheck)
      .catch((error: unknown) => {
        if (error instanceof LeadershipLost) lost = error;
        // It stays open in the store, and is found again by the next look.
        else if (!(error instanceof StoreUnavailable) && !signal.aborted) {
          const cause = error instanceof Error ? error.name : typeof error;
          tell({ kind: "log", level: "error", event: "a recheck failed", fields: { cause } });
        }
      })
      .finally(() => running.delete(recheck.device));
    running.set(recheck.device, work);
  }

  async function follow(recheck: Recheck): Promise<void> {
    const { device, number, by } = recheck;
    const end = async (why: RecheckEnd): Promise<void> => {
      if (!(await rechecks.advance(device, number, { end: why, at: now() }))) return;
      tell({ kind: "recheck", outcome: why });
      tell({ kind: "log", level: "info", event: "recheck", fields: { device: hashDevice(device), by, outcome: why } });
    };
    const before = await view(device);
    const source = before.managed === undefined ? undefined : sources.get(before.managed.source);
    if (before.managed === undefined || source === undefined) return end("no-source");
    const { connector, budget } = source;
    const { sourceDeviceId } = before.managed;

    if (recheck.steps.sent === undefined) {
      if (connector.refresh === undefined) {
        // It may know more than was asked of it so far, and that costs one call.
        if (connector.one === undefined) return end("cannot-hurry");
        const why = await tried(() => readOne(connector, sourceDeviceId));
        if (why !== undefined) return end(why);
        const after = await view(device);
        if (!isNewer(after, before)) return end("cannot-hurry");
        return answered(recheck, connector.source, after.isHeld, end);
      }
      if (budget.waiting() > WAITING_LIMIT) return end("busy");
      const { refresh } = connector;
      const why = await tried(() => refresh(sourceDeviceId, context));
      if (why !== undefined) return end(why);
      const isSent = await rechecks.advance(device, number, { step: "sent", at: now(), source: connector.source });
      if (!isSent) return;
      tell({
        kind: "log",
        level: "info",
        event: "recheck",
        fields: { device: hashDevice(device), by, source: connector.source, outcome: "sent" },
      });
    } else if (!before.isHeld) return answered(recheck, connector.source, false, end);
    await waitForAnswer(recheck, before, connector, end);
  }

  async function waitForAnswer(
    recheck: Recheck,
    before: PhoneView,
    connector: Connector,
    end: (why: RecheckEnd) => Promise<void>,
  ): Promise<void> {
    const { device, askedAt } = recheck;
    const usualMs = (connector.abilities.refresh?.usualSeconds[1] ?? 0) * 1000;
    const deadline = Math.min(
      askedAt.getTime() + RECHECK_TTL_MS - 10_000,
      now().getTime() + Math.max(ANSWER_LEAST_MS, usualMs * 2),
    );
    let settleBy: number | undefined;
    for (let look = 0; !signal.aborted; look += 1) {
      await pause(gapsMs[Math.min(look, gapsMs.length - 1)] ?? 1000, signal);
      if (signal.aborted) return;
      const latest = await rechecks.read(device);
      if (latest?.number !== recheck.number || latest.end !== undefined) return;
      // Where the source pushes, its report comes by itself, if that was set up there: looking costs calls that others need.
      const isTurn = connector.receiver === undefined || look % LOOK_EACH_PUSHED === LOOK_EACH_PUSHED - 1;
      if (isTurn && connector.one !== undefined && before.managed !== undefined) {
        await tried(() => readOne(connector, before.managed?.sourceDeviceId ?? ""));
      }
      const after = await view(device);
      if (isNewer(after, before)) {
        const hasApps = before.appsAt === undefined || isLater(after.appsAt, before.appsAt);
        if (!after.isHeld || hasApps) return answered(recheck, connector.source, after.isHeld, end);
        settleBy ??= now().getTime() + SETTLE_MS;
      }
      if (settleBy !== undefined && now().getTime() >= settleBy) return answered(recheck, connector.source, true, end);
      if (now().getTime() >= deadline) return end("no-answer");
    }
  }

  async function answered(
    { device, number, by }: Recheck,
    source: string,
    isHeld: boolean,
    end: (why: RecheckEnd) => Promise<void>,
  ): Promise<void> {
    await rechecks.advance(device, number, { step: "answered", at: now(), source });
    if (isHeld) return end("still-there");
    if (!(await rechecks.advance(device, number, { step: "clear", at: now() }))) return;
    tell({ kind: "recheck", outcome: "clear" });
    tell({
      kind: "log",
      level: "info",
      event: "recheck",
      fields: { device: hashDevice(device), by, outcome: "clear" },
    });
  }

  async function readOne(connector: Connector, sourceDeviceId: string): Promise<void> {
    const report = await connector.one?.(sourceDeviceId, context);
    const { source } = connector;
    const said = report ?? { source, sourceDeviceId, enrolled: false };
    tellResults(source, await intake.takeAll([said]), tell);
  }

  /** Why it could not be done; undefined where it was. */
  async function tried(work: () => Promise<void>): Promise<RecheckEnd | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ConnectorFailure)) throw error;
      const { code, message: detail } = error;
      tell({ kind: "log", level: "warn", event: "a source did not take an order", fields: { code, detail } });
      return code === "throttled" ? "busy" : "source-refused";
    }
  }

  return {
    async run(): Promise<void> {
      const asked: (DeviceId | undefined)[] = [undefined];
      const stop = rechecks.onChange((device) => asked.push(device));
      try {
        for (let round = 0; !signal.aborted; round += 1) {
          if (lost !== undefined) throw lost;
          // What was not told, or had no place, is looked for in the store from time to time.
          const all = asked.splice(0);
          if (all.includes(undefined) || round % 100 === 99)
            await Array.fromAsync(rechecks.open(now()), begin).catch(unlessAway);
          else for (const device of new Set(all)) if (device !== undefined) await beginIfOpen(device).catch(unlessAway);
          if (asked.length === 0) await pause(100, signal);
        }
      } finally {
        stop();
        await Promise.all(running.values());
      }
    },
  };

  async function beginIfOpen(device: DeviceId): Promise<void> {
    const recheck = await rechecks.read(device);
    const isOpen = recheck !== undefined && recheck.end === undefined && recheck.steps.answered === undefined;
    if (isOpen && now().getTime() < recheck.askedAt.getTime() + RECHECK_TTL_MS) begin(recheck);
  }
}

function unlessAway(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}

function isNewer(after: PhoneView, before: PhoneView): boolean {
  return isLater(after.appsAt, before.appsAt) || isLater(after.deviceAt, before.deviceAt);
}

function isLater(a: Date | undefined, b: Date | undefined): boolean {
  return a !== undefined && (b === undefined || a > b);
}
