/**
 * Devices of which a source said that something is new. They stand in the store, one document for each, until they were read: a signal
 * comes once, on any node, and the one that speaks with the source may be another, or not be there yet.
 */
import { ConnectorFailure } from "../inventory/connector.ts";
import type { Connector, ConnectorContext } from "../inventory/connector.ts";
import type { DocumentKey, DocumentStore } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { backOffMs } from "./back-off.ts";
import type { Tell } from "./events.ts";
import { createNews, pause } from "./pause.ts";
import type { SyncIntake } from "./ports.ts";
import { tellResults } from "./source-run.ts";

/** A day: what was not read by then is found by the next full sync. */
const SIGNAL_TTL_MS = 86_400_000;
/** Signals of one source that are held in memory; more wait in the store. */
const QUEUE_LIMIT = 10_000;
/** How often the store is looked through, for what was not told. */
const LOOK_MS = 30_000;

export type SignalKind = "read" | "refresh";

function prefixOf(source: string): string {
  return `${source}/signal/`;
}

function signalKey(source: string, sourceDeviceId: string): DocumentKey {
  return { kind: "connector", name: `${prefixOf(source)}${sourceDeviceId}` };
}

/** Notes one; a device that is noted already is noted once. @throws StoreUnavailable */
export function noteSignal(
  store: Pick<DocumentStore, "transact">,
  source: string,
  sourceDeviceId: string,
  kind: SignalKind,
  at: Date,
): Promise<void> {
  const key = signalKey(source, sourceDeviceId);
  return store.transact([key], ([before]) => {
    // An order to report anew outranks a look at what is known.
    const wanted = before?.get("kind") === "refresh" ? "refresh" : kind;
    const set = new Map([
      ["kind", wanted],
      ["at", at.toISOString()],
    ]);
    return { changes: [{ key, set, ttlMs: SIGNAL_TTL_MS }], result: undefined };
  });
}

export interface SignalQueueOptions {
  readonly connector: Connector;
  /** Fenced. */
  readonly store: Pick<Store, "transact" | "documents" | "readDocuments" | "onChange">;
  /** Fenced. */
  readonly intake: SyncIntake;
  readonly context: Omit<ConnectorContext, "signal">;
  readonly tell: Tell;
  readonly signal: AbortSignal;
  readonly random?: () => number;
}

export interface SignalQueue {
  waiting(): number;
  /** Resolves with the end of the signal. @throws LeadershipLost, StoreUnavailable */
  run(): Promise<void>;
}

export function createSignalQueue(options: SignalQueueOptions): SignalQueue {
  const { connector, store, intake, tell, signal, random = Math.random } = options;
  const { source } = connector;
  const context: ConnectorContext = { ...options.context, signal };
  const prefix = prefixOf(source);
  /** In the order in which they came. */
  const queue = new Set<string>();
  const news = createNews();
  let failures = 0;

  function add(name: string): void {
    if (queue.size < QUEUE_LIMIT) queue.add(name.slice(prefix.length));
    news.tell();
  }

  async function look(): Promise<void> {
    for await (const [name] of store.documents("connector", prefix)) {
      if (queue.size >= QUEUE_LIMIT) return;
      queue.add(name.slice(prefix.length));
    }
  }

  /** False: the source has no room now, and the device stays where it is. */
  async function work(id: string): Promise<boolean> {
    const key = signalKey(source, id);
    const [fields] = await store.readDocuments([key]);
    if (fields === undefined) return true;
    try {
      if (fields.get("kind") === "refresh" && connector.refresh !== undefined) await connector.refresh(id, context);
      else if (connector.one !== undefined) {
        const report = (await connector.one(id, context)) ?? { source, sourceDeviceId: id, enrolled: false };
        tellResults(source, await intake.takeAll([report]), tell);
      }
      failures = 0;
    } catch (error) {
      if (!(error instanceof ConnectorFailure)) throw error;
      if (error.code === "throttled" || error.code === "away" || error.code === "refused") {
        failures += 1;
        await pause(backOffMs(error, failures, random()), signal);
        return false;
      }
      const { code, message: detail } = error;
      tell({ kind: "log", level: "warn", event: "a device could not be read", fields: { source, code, detail } });
    }
    // A signal that came meanwhile stays for another look.
    await store.transact([key], ([now]) => ({
      changes: now?.get("at") === fields.get("at") ? [{ key, remove: "everything" }] : [],
      result: undefined,
    }));
    return true;
  }

  return {
    waiting: () => queue.size,
    async run(): Promise<void> {
      const stop = store.onChange((change) => {
        if (change.kind === "everything") news.tell();
        else if (change.kind === "document" && change.of === "connector" && change.name.startsWith(prefix))
          add(change.name);
      });
      try {
        while (!signal.aborted) {
          const [id] = queue;
          if (id === undefined) {
            await look();
            if (queue.size === 0) await news.within(LOOK_MS, signal);
          } else {
            const isDone = await work(id);
            queue.delete(id);
            // It may be this one alone that the source cannot speak about: the others come before it now.
            if (!isDone) queue.add(id);
          }
        }
      } finally {
        stop();
      }
    },
  };
}
