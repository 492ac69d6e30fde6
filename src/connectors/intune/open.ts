/** An Intune connector as the configuration has it. */
import type { ConnectorConfig } from "../../config/config.ts";
import type { ConnectorDeps, OpenedConnector } from "../registry.ts";
import { restSettings } from "../rest/settings.ts";
import { createIntune } from "./intune.ts";

type IntuneConfig = Extract<ConnectorConfig, { kind: "intune" }>;

/** Graph gives up to 1 000; a page of 500 devices is some 500 KB. */
const pageSize = 500;

export function openIntune(config: IntuneConfig, deps: ConnectorDeps): OpenedConnector {
  const { name: source, tenant, clientId, clientSecret, graphUrl, loginUrl } = config;
  return createIntune(
    {
      ...restSettings(config, graphUrl),
      source,
      loginUrl,
      tenant,
      clientId,
      clientSecret: clientSecret?.reveal() ?? "",
      pageSize,
    },
    deps,
  );
}
