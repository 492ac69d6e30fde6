/** A Fleet connector as the configuration has it. */
import type { ConnectorConfig } from "../../config/config.ts";
import type { ConnectorDeps, OpenedConnector } from "../registry.ts";
import { staticBearer } from "../rest/authentication.ts";
import { openRest } from "../rest/rest.ts";
import { restSettings } from "../rest/settings.ts";
import { createFleet } from "./fleet.ts";

type FleetConfig = Extract<ConnectorConfig, { kind: "fleet" }>;

/** With 100 pieces of software on each host some 5 MiB. */
const pageSize = 200;

export function openFleet(config: FleetConfig, deps: ConnectorDeps): OpenedConnector {
  const { name: source, url, token, premium, askEasDeviceIds, webhookSecret } = config;
  const rest = openRest(restSettings(config, url), () => staticBearer(token?.reveal() ?? ""), deps);
  const connector = createFleet(
    {
      source,
      pageSize,
      asksEasDeviceIds: askEasDeviceIds,
      refetchesPhones: premium,
      webhookSecret: webhookSecret?.reveal(),
    },
    rest,
    deps.now,
  );
  return { connector, close: () => rest.close() };
}
