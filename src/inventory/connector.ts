/**
 * The port of a connector: one management system that Postern asks, or that speaks to Postern. A connector knows its system's words
 * and nothing of the store, of time budgets or of who is the leader: `sync/` owns those, and it alone tries again.
 * `test/contracts/connector.ts` is the one suite that every connector must pass.
 */
import type { InventoryReport, ManagedKey } from "./report.ts";

/** What the connector can do, for operators, for the scheduler, and for the page of the person with the phone. */
export interface ConnectorAbilities {
  /** Whether a list of apps comes, and what its silence proves at best. */
  readonly apps: "all" | "managed-only" | "work-profile" | "none";
  /** Whether it names ids of ActiveSync. */
  readonly easDeviceIds: boolean;
  /** Whether it can be asked for changes since a cursor; otherwise every sync is a full one. */
  readonly incremental: boolean;
  /**
   * Whether it lists devices at all. A push only speaks by itself. One that does not list but can `refresh` keeps nothing of what devices
   * say: each device that is known from it has to be asked anew, by `refresh`, before its newest report is too old.
   */
  readonly lists: boolean;
  /**
   * How long a device usually takes to report anew when it is asked, in seconds from the shortest to the longest; an estimate, shown as
   * such. Undefined: it cannot be hurried.
   */
  readonly refresh: { readonly usualSeconds: readonly [number, number]; readonly unlockFirst: boolean } | undefined;
}

/** One page of a sync. The cursor lets another node go on behind it, after a crash too. */
export interface SyncPage {
  readonly reports: readonly InventoryReport[];
  /** Where the next page begins; undefined after the last one. At most 4 KiB of text. */
  readonly next: string | undefined;
  /** Devices in all, where the system says so: for the progress of a long sync. */
  readonly total?: number | undefined;
}

export interface ConnectorContext {
  /** Ends with the sync, the budget of time or the program. Every call to the system must pass it on. */
  readonly signal: AbortSignal;
  /**
   * Ids of apps that campaigns speak about, for a system that can be asked about single apps. The newest policy's at the time of the
   * call, and as campaigns spell them: phones of Apple compare ids with case, though campaigns do not.
   */
  readonly appIds: () => readonly string[];
  readonly now: () => Date;
}

export interface Connector {
  /** Its name in the configuration: the `source` of its reports. */
  readonly source: string;
  /** `intune`, `jamf` …: for people, and for the name of the manager in the notice. */
  readonly kind: string;
  readonly abilities: ConnectorAbilities;
  /**
   * Pages of all devices, from `cursor` on, or from the beginning. A device that is not in a full sync from beginning to end is managed
   * no more. @throws ConnectorFailure
   */
  full(cursor: string | undefined, context: ConnectorContext): AsyncIterable<SyncPage>;
  /** Devices that changed since then, by the system's clock. Absent where `incremental` is false. @throws ConnectorFailure */
  changed?: ((since: Date, context: ConnectorContext) => AsyncIterable<SyncPage>) | undefined;
  /** One device, as it is known there now; undefined where it is not. @throws ConnectorFailure */
  one?: ((sourceDeviceId: string, context: ConnectorContext) => Promise<InventoryReport | undefined>) | undefined;
  /**
   * Asks the system to have the device report anew. Resolves when the system has taken the order; the report comes by `one`, by
   * a sync or by itself. Absent where `abilities.refresh` is undefined. @throws ConnectorFailure
   */
  refresh?: ((sourceDeviceId: string, context: ConnectorContext) => Promise<void>) | undefined;
  /** What the system pushes: absent where it does not. */
  readonly receiver?: Receiver | undefined;
  /** One cheap call that shows whether address, credential and permissions are right. @throws ConnectorFailure */
  health(context: ConnectorContext): Promise<void>;
}

/** Requests that the management system itself sends, below `/v1/inventory/<source>` of the inventory listener. */
export interface Receiver {
  /** Bytes that a body may have. */
  readonly bodyLimitBytes: number;
  /** Pure but for its own state: it verifies over the raw bytes before it reads them, and never throws. */
  receive(request: ReceivedRequest, context: ConnectorContext): Promise<Received>;
}

export interface ReceivedRequest {
  readonly method: string;
  /** Below the source's own path, canonical, without query: "" or "/word". */
  readonly path: string;
  /** Lower-case names; a header that came twice is refused before. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface Received {
  /** What is to be taken in; the answer waits for it. */
  readonly reports: readonly InventoryReport[];
  /** Devices about which something is new at the system, and that are to be read there by `one`. */
  readonly signals: readonly string[];
  /** The same of other sources, by whoever may speak for them; those that are not there, or cannot be asked, are left out. */
  readonly elsewhere?: readonly ManagedKey[] | undefined;
  /** Devices of which the system must be asked anew, by `refresh`: just enrolled, or an answer was lost. */
  readonly refresh: readonly string[];
  /** Storing failed, and the sender will come again: what `receive` has remembered of this request is forgotten. */
  readonly undo?: (() => Promise<void>) | undefined;
  /**
   * What came from the system and could not be used, a line each for the log: a phone that refuses to answer, an answer that is
   * malformed. No device, no person in it.
   */
  readonly problems?: readonly string[];
  /**
   * The answer, when everything was stored. `results` are those of `reports`, in their order. Where storing failed, the listener
   * answers 503 itself, without this.
   */
  readonly answer: (results: readonly ReportResult[]) => ReceiverAnswer;
}

export type ReportResult =
  | { readonly kind: "accepted" | "stale" }
  | { readonly kind: "rejected"; readonly problem: string };

export interface ReceiverAnswer {
  readonly httpStatus: number;
  readonly headers?: ReadonlyMap<string, string> | undefined;
  /** JSON, where there is one. */
  readonly body?: unknown;
}

/** What went wrong at the management system. The message is for operators: no credential, no device, no person in it. */
export class ConnectorFailure extends Error {
  readonly code:
    /** Address, credential or permission: trying again does not help. */
    | "refused"
    /** It asks to be left alone, for `retryAfterMs` where it says how long. */
    | "throttled"
    /** No answer, a broken one, or one of its own faults: it may be well later. */
    | "away"
    /** It answered what this connector does not understand. */
    | "unreadable"
    /** It does not know the device, or will not do this for it. */
    | "not-possible";
  readonly retryAfterMs: number | undefined;
  constructor(code: ConnectorFailure["code"], message: string, more: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.name = "ConnectorFailure";
    this.code = code;
    this.retryAfterMs = more.retryAfterMs;
  }
}
