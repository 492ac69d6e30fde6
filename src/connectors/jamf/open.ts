/** A Jamf Pro connector as the configuration has it. */
import type { ConnectorConfig } from "../../config/config.ts";
import type { ConnectorDeps, OpenedConnector } from "../registry.ts";
import { restSettings } from "../rest/settings.ts";
import { createJamf } from "./jamf.ts";
import { webhookCredentialOf } from "../rest/webhook-settings.ts";

type JamfConfig = Extract<ConnectorConfig, { kind: "jamf" }>;

/** With 100 apps on each phone some 2 MiB. */
const pageSize = 100;

export function openJamf(config: JamfConfig, deps: ConnectorDeps): OpenedConnector {
  const { name: source, url, clientId, clientSecret, tokenPath, webhook } = config;
  return createJamf(
    {
      ...restSettings(config, url),
      source,
      clientId,
      clientSecret: clientSecret?.reveal() ?? "",
      tokenPath,
      pageSize,
      webhook: webhook === undefined ? undefined : webhookCredentialOf(webhook),
    },
    deps,
  );
}
