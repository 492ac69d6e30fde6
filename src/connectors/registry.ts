/** From what the configuration says of a management system to its connector. A new kind is a folder beside this file and a line here. */
import type { ConnectorConfig } from "../config/config.ts";
import type { Connector } from "../inventory/connector.ts";
import { openPush } from "./push/open.ts";
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
  /** What was remembered is forgotten. @throws StoreUnavailable */
  readonly forget: (word: string) => Promise<void>;
  /** `recordTo` cannot be written. */
  readonly onRecordingFailure: (cause: unknown) => void;
}

export interface OpenedConnector {
  readonly connector: Connector;
  close(): void;
}

type Kinds = {
  readonly [K in ConnectorConfig["kind"]]: (
    config: Extract<ConnectorConfig, { kind: K }>,
    deps: ConnectorDeps,
  ) => OpenedConnector;
};

const kinds: Kinds = {
  push: openPush,
};

export function openConnector(config: ConnectorConfig, deps: ConnectorDeps): OpenedConnector {
  return kinds[config.kind](config, deps);
}
