/** An Android Management connector as the configuration has it. */
import { readFileSync } from "node:fs";
import type { ConnectorConfig } from "../../config/config.ts";
import type { ConnectorDeps, OpenedConnector } from "../registry.ts";
import { remoteKeys } from "../rest/bearer-check.ts";
import { openRest } from "../rest/rest.ts";
import { restSettings } from "../rest/settings.ts";
import { createAndroidManagement } from "./android-management.ts";
import { readServiceAccount, serviceAccount } from "./service-account.ts";

type AndroidManagementConfig = Extract<ConnectorConfig, { kind: "android-management" }>;

/** Its own limit is 100. */
const pageSize = 100;
const scope = "https://www.googleapis.com/auth/androidmanagement";

/** @throws Error where the key file cannot be read */
export function openAndroidManagement(config: AndroidManagementConfig, deps: ConnectorDeps): OpenedConnector {
  const { name: source, enterprise, keyFile, ownerDomain, easDeviceIds, pubsub, apiUrl, tokenUrl } = config;
  const account = readServiceAccount(readFileSync(keyFile, "utf8"), tokenUrl);
  const rest = openRest(
    restSettings(config, apiUrl),
    (transport) => serviceAccount(account, scope, transport, deps.now),
    deps,
  );
  const connector = createAndroidManagement(
    {
      source,
      enterprise,
      pageSize,
      ownerDomain,
      easDeviceIds,
      pubsub: pubsub === undefined ? undefined : { ...pubsub, keys: remoteKeys(pubsub.jwksUrl) },
    },
    rest,
  );
  return { connector, close: () => rest.close() };
}
