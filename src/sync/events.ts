/** What the sync role tells: plain data, because it may come from a thread of its own. */

export type SyncEvent =
  | {
      readonly kind: "log";
      readonly level: "info" | "warn" | "error";
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
    }
  /** What became of reports. */
  | { readonly kind: "reports"; readonly source: string; readonly result: string; readonly count: number }
  | { readonly kind: "alert"; readonly source: string; readonly alert: string }
  | { readonly kind: "recheck"; readonly outcome: string }
  /** An answer of the inventory listener. */
  | { readonly kind: "request"; readonly source: string; readonly httpStatus: number }
  | { readonly kind: "state"; readonly leading: boolean; readonly connectors: readonly ConnectorGauges[] };

export interface ConnectorGauges {
  readonly source: string;
  /** Milliseconds since 1970; undefined: never. */
  readonly succeededAtMs: number | undefined;
  readonly failures: number;
  readonly devices: number | undefined;
  readonly budgetLeft: number;
  /** Calls that wait for their turn. */
  readonly waiting: number;
  /** Devices that a source has spoken of and that are not read yet. */
  readonly signals: number;
}

export type Tell = (event: SyncEvent) => void;
