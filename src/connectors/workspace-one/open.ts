/** A Workspace ONE connector as the configuration has it. */
import type { ConnectorConfig } from "../../config/config.ts";
import type { ConnectorDeps, OpenedConnector } from "../registry.ts";
import { basic, header, together } from "../rest/authentication.ts";
import type { Authentication } from "../rest/authentication.ts";
import { openRest } from "../rest/rest.ts";
import { restSettings } from "../rest/settings.ts";
import { clientCredentials } from "../rest/token.ts";
import type { Transport } from "../rest/transport.ts";
import { webhookCredentialOf } from "../rest/webhook-settings.ts";
import { createWorkspaceOne } from "./workspace-one.ts";

type WorkspaceOneConfig = Extract<ConnectorConfig, { kind: "workspace-one" }>;

/** Its own limit is 500. */
const pageSize = 500;

export function openWorkspaceOne(config: WorkspaceOneConfig, deps: ConnectorDeps): OpenedConnector {
  const { name: source, url, webhook, personalApps, concurrentRequests: concurrent } = config;
  const rest = openRest(
    {
      ...restSettings(config, url),
      // Its interface has versions, which this header names.
      headers: new Map([["accept", "application/json;version=1"]]),
    },
    (transport) => authenticationOf(config, transport, deps.now),
    deps,
  );
  const connector = createWorkspaceOne(
    {
      source,
      pageSize,
      concurrent,
      personalApps,
      webhook: webhook === undefined ? undefined : webhookCredentialOf(webhook),
    },
    rest,
  );
  return { connector, close: () => rest.close() };
}

function authenticationOf(
  { tokenUrl, clientId, clientSecret, username, password, tenantCode }: WorkspaceOneConfig,
  transport: Transport,
  now: () => Date,
): Authentication {
  const key = tenantCode === undefined ? [] : [header("aw-tenant-code", tenantCode.reveal())];
  const proof =
    tokenUrl === undefined
      ? basic(username ?? "", password?.reveal() ?? "")
      : clientCredentials(
          {
            tokenUrl,
            clientId: clientId ?? "",
            clientSecret: clientSecret?.reveal() ?? "",
            scope: undefined,
            place: "form",
          },
          transport,
          now,
        );
  return together(proof, ...key);
}
