/** What a connector is given when it is made from its configuration, and what is made. */
import type { Connector } from "../inventory/connector.ts";
import type { Admission } from "./rest/admission.ts";

export interface ConnectorDeps {
  readonly now: () => Date;
  /** A place for one call to the system, within its budget; every call is made with one. */
  readonly admission: Admission;
  /**
   * Remembers a word for so long, on all nodes. False: it is remembered already.
   * @throws StoreUnavailable
   */
  readonly remember: (word: string, ttlMs: number) => Promise<boolean>;
  /** @throws StoreUnavailable */
  readonly isRemembered: (word: string) => Promise<boolean>;
  /** What was remembered is forgotten. @throws StoreUnavailable */
  readonly forget: (word: string) => Promise<void>;
  /** `recordTo` cannot be written. */
  readonly onRecordingFailure: (cause: unknown) => void;
}

export interface OpenedConnector {
  readonly connector: Connector;
  close(): void;
}
