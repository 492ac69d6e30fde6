/** The sync role: one node of all speaks with the management systems, and every node listens to them. */
import { randomBytes } from "node:crypto";
import type { OpenedConnector } from "../connectors/registry.ts";
import type { ConnectorContext, Received, ReceiverAnswer, ReportResult } from "../inventory/connector.ts";
import type { Rechecks } from "../inventory/recheck.ts";
import type { IntakeResult, ManagedKey } from "../inventory/report.ts";
import type { DeviceId } from "../policy/device.ts";
import { StoreUnavailable } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { askAnew } from "./ask-anew.ts";
import type { Budget } from "./budget.ts";
import { readState, stateKey } from "./connector-state.ts";
import type { ConnectorGauges, Tell } from "./events.ts";
import { createLead } from "./lead.ts";
import { listenInventory, storeAway } from "./listener.ts";
import type { InventoryListenerOptions, InventoryRequest } from "./listener.ts";
import { fencedStore } from "./ports.ts";
import type { SyncIntake } from "./ports.ts";
import { createRecheckRunner } from "./recheck-runner.ts";
import type { PhoneView } from "./recheck-runner.ts";
import type { Schedule } from "./schedule.ts";
import { createSignalQueue, noteSignal } from "./signals.ts";
import type { SignalQueue } from "./signals.ts";
import { runSource } from "./source-loop.ts";
import { tellResults } from "./source-run.ts";

export interface SyncSource extends OpenedConnector {
  readonly budget: Budget;
  readonly schedule: Schedule;
}

export interface SyncOptions {
  readonly sources: readonly SyncSource[];
  readonly listen: Pick<InventoryListenerOptions, "host" | "port" | "tls" | "openApi" | "limits"> | undefined;
  readonly store: Store;
  /** Made on top of a store, so that what is taken in for the leader is fenced. */
  readonly intakeOn: (store: Store) => SyncIntake;
  readonly rechecksOn: (store: Store) => Rechecks;
  /** @throws StoreUnavailable */
  readonly view: (device: DeviceId) => Promise<PhoneView>;
  readonly appIds: () => readonly string[];
  readonly hashDevice: (device: DeviceId) => string;
  readonly tell: Tell;
  readonly now: () => Date;
  readonly termMs?: number;
  readonly recheckGapsMs?: readonly number[];
}

export interface Sync {
  /** Where the inventory listener is; undefined where there is none. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  isLeading(): boolean;
  close(): Promise<void>;
}

/** How often the numbers are told. */
const STATE_EVERY_MS = 5000;

export async function startSync(options: SyncOptions): Promise<Sync> {
  const { sources, store, intakeOn, rechecksOn, tell, now, appIds } = options;
  const bySource = new Map(sources.map((each) => [each.connector.source, each]));
  const closing = new AbortController();
  const queues = new Map<string, SignalQueue>();
  const context: Omit<ConnectorContext, "signal"> = { appIds, now };

  async function work(fence: number, signal: AbortSignal): Promise<void> {
    const fenced = fencedStore(store, fence);
    const intake = intakeOn(fenced);
    const ending = new AbortController();
    const ended = AbortSignal.any([signal, ending.signal]);
    const common = { store: fenced, intake, tell, now, signal: ended };
    const rechecks = createRecheckRunner({
      ...common,
      rechecks: rechecksOn(fenced),
      sources: bySource,
      view: options.view,
      context,
      hashDevice: options.hashDevice,
      ...(options.recheckGapsMs !== undefined && { gapsMs: options.recheckGapsMs }),
    });
    const all = [rechecks.run()];
    for (const { connector, budget, schedule } of sources) {
      if (connector.abilities.lists) {
        all.push(runSource({ ...common, connector, budget, schedule, appIds, newSweep: () => newSweep(now()) }));
      }
      if (!connector.abilities.lists && connector.refresh !== undefined) {
        all.push(askAnew({ ...common, connector, everyMs: schedule.everyMs }));
      }
      if (connector.one === undefined && connector.refresh === undefined) continue;
      const queue = createSignalQueue({ ...common, connector, context });
      queues.set(connector.source, queue);
      all.push(queue.run());
    }
    try {
      await Promise.all(all);
    } finally {
      // One that failed ends the others: whoever leads next begins all of it anew.
      ending.abort();
      await Promise.allSettled(all);
      queues.clear();
    }
  }

  const listenerIntake = intakeOn(store);

  async function take(source: string, request: InventoryRequest): Promise<ReceiverAnswer> {
    const receiver = bySource.get(source)?.connector.receiver;
    if (receiver === undefined) return { httpStatus: 404 };
    let received: Received | undefined;
    try {
      received = await receiver.receive(request, { ...context, signal: closing.signal });
      const { reports, signals, refresh, elsewhere = [], problems = [], answer } = received;
      for (const detail of problems) {
        tell({ kind: "log", level: "warn", event: "a source said what cannot be used", fields: { source, detail } });
      }
      const results = reports.length === 0 ? [] : await listenerIntake.takeAll(reports);
      tellResults(source, results, tell);
      const own = (sourceDeviceId: string): ManagedKey => ({ source, sourceDeviceId });
      await note([...signals.map(own), ...elsewhere], "read");
      await note(refresh.map(own), "refresh");
      return answer(results.map(toResult));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await received?.undo?.().catch(() => undefined);
      return storeAway;
    }
  }

  async function note(keys: readonly ManagedKey[], kind: "read" | "refresh"): Promise<void> {
    for (const { source, sourceDeviceId } of keys) {
      const connector = bySource.get(source)?.connector;
      if (connector?.one !== undefined || connector?.refresh !== undefined) {
        await noteSignal(store, source, sourceDeviceId, kind, now());
      }
    }
  }

  const listener =
    options.listen === undefined
      ? undefined
      : await listenInventory({
          ...options.listen,
          receiverOf: (source) => bySource.get(source)?.connector.receiver,
          take,
          onAnswer: (source, httpStatus) => tell({ kind: "request", source, httpStatus }),
          onFailure(cause): void {
            const name = cause instanceof Error ? cause.name : typeof cause;
            tell({
              kind: "log",
              level: "error",
              event: "a request to the inventory listener failed",
              fields: { cause: name },
            });
          },
          now: () => now().getTime(),
        });

  const lead = createLead({
    store,
    holder: randomBytes(12).toString("hex"),
    work,
    tell,
    now,
    ...(options.termMs !== undefined && { termMs: options.termMs }),
  });

  async function tellState(): Promise<void> {
    const documents = await store.readDocuments(sources.map(({ connector }) => stateKey(connector.source)));
    const connectors = sources.map(({ connector, budget }, index): ConnectorGauges => {
      const { succeededAt, failures, devices } = readState(documents[index]);
      return {
        source: connector.source,
        succeededAtMs: succeededAt?.getTime(),
        failures,
        devices,
        budgetLeft: budget.left(),
        waiting: budget.waiting(),
        signals: queues.get(connector.source)?.waiting() ?? 0,
      };
    });
    tell({ kind: "state", leading: lead.isLeading(), connectors });
  }
  // While the store is away, the numbers stay as they were: the store's own say why.
  const telling = setInterval(() => void tellState().catch(() => undefined), STATE_EVERY_MS);
  void tellState().catch(() => undefined);

  return {
    address: listener?.address,
    isLeading: () => lead.isLeading(),
    async close(): Promise<void> {
      clearInterval(telling);
      closing.abort();
      await listener?.close();
      await lead.close();
      for (const source of sources) source.close();
    },
  };
}

function newSweep(now: Date): string {
  return `${now.toISOString()}-${randomBytes(4).toString("hex")}`;
}

function toResult(result: IntakeResult): ReportResult {
  return result.kind === "rejected" ? { kind: "rejected", problem: result.problem } : { kind: result.kind };
}

/** Remembers a word on all nodes, for signatures that count once. */
export function createMemory(
  store: Pick<Store, "transact" | "readDocuments">,
  source: string,
): {
  readonly remember: (word: string, ttlMs: number) => Promise<boolean>;
  readonly isRemembered: (word: string) => Promise<boolean>;
  readonly forget: (word: string) => Promise<void>;
} {
  const keyOf = (word: string) => ({ kind: "connector", name: `${source}/${word}` }) as const;
  return {
    remember: (word, ttlMs) =>
      store.transact([keyOf(word)], ([fields]) => ({
        changes: fields === undefined ? [{ key: keyOf(word), set: new Map([["seen", "true"]]), ttlMs }] : [],
        result: fields === undefined,
      })),
    async isRemembered(word) {
      const [fields] = await store.readDocuments([keyOf(word)]);
      return fields !== undefined;
    },
    forget: (word) =>
      store.transact([keyOf(word)], () => ({
        changes: [{ key: keyOf(word), remove: "everything" }],
        result: undefined,
      })),
  };
}
