/** From what the configuration says of a management system to its connector. A new kind is a folder beside this file and a line here. */
import type { ConnectorConfig } from "../config/config.ts";
import type { Connector } from "../inventory/connector.ts";
import { openFleet } from "./fleet/open.ts";
import { openIntune } from "./intune/open.ts";
import { openJamf } from "./jamf/open.ts";
import { openAndroidManagement } from "./android-management/open.ts";
import { openMicroMdm, openNanoMdm } from "./apple-mdm/open.ts";
import { openPush } from "./push/open.ts";
import { openWorkspaceOne } from "./workspace-one/open.ts";
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

export function openConnector(config: ConnectorConfig, deps: ConnectorDeps): OpenedConnector {
  switch (config.kind) {
    case "push":
      return openPush(config, deps);
    case "intune":
      return openIntune(config, deps);
    case "jamf":
      return openJamf(config, deps);
    case "android-management":
      return openAndroidManagement(config, deps);
    case "fleet":
      return openFleet(config, deps);
    case "workspace-one":
      return openWorkspaceOne(config, deps);
    case "nanomdm":
      return openNanoMdm(config, deps);
    case "micromdm":
      return openMicroMdm(config, deps);
  }
}
