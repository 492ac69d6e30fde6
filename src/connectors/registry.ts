/** From what the configuration says of a management system to its connector. A new kind is a folder beside this file and a line here. */
import type { ConnectorConfig } from "../config/config.ts";
import { openFleet } from "./fleet/open.ts";
import { openIntune } from "./intune/open.ts";
import { openJamf } from "./jamf/open.ts";
import { openAndroidManagement } from "./android-management/open.ts";
import { openMicroMdm, openNanoMdm } from "./apple-mdm/open.ts";
import { openPush } from "./push/open.ts";
import { openWorkspaceOne } from "./workspace-one/open.ts";
import type { ConnectorDeps, OpenedConnector } from "./opening.ts";

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
