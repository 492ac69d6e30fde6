/** Connectors to NanoMDM and MicroMDM as the configuration has them. */
import type { ConnectorConfig } from "../../config/config.ts";
import { createMicroMdm, microMdmUser } from "../micromdm/micromdm.ts";
import { createNanoMdm, nanoMdmUser } from "../nanomdm/nanomdm.ts";
import type { ConnectorDeps, OpenedConnector } from "../registry.ts";
import { basic } from "../rest/authentication.ts";
import { openRest } from "../rest/rest.ts";
import type { Rest } from "../rest/rest.ts";
import type { AppleMdmSettings } from "./apple-mdm.ts";

type NanoMdmConfig = Extract<ConnectorConfig, { kind: "nanomdm" }>;
type MicroMdmConfig = Extract<ConnectorConfig, { kind: "micromdm" }>;

const secondMs = 1000;

export function openNanoMdm(config: NanoMdmConfig, deps: ConnectorDeps): OpenedConnector {
  const { webhookKey, nextWebhookKey, url } = config;
  const hmacKeys = [webhookKey, nextWebhookKey].flatMap((key) => key?.reveal() ?? []);
  const http = openHttp(config, url.pathname === "/" ? new URL("/v1", url) : url, nanoMdmUser, deps);
  return { connector: createNanoMdm(settingsOf(config, hmacKeys), deps, http), close: () => http.close() };
}

export function openMicroMdm(config: MicroMdmConfig, deps: ConnectorDeps): OpenedConnector {
  const http = openHttp(config, config.url, microMdmUser, deps);
  return { connector: createMicroMdm(settingsOf(config, []), deps, http), close: () => http.close() };
}

function settingsOf(config: NanoMdmConfig | MicroMdmConfig, hmacKeys: readonly string[]): AppleMdmSettings {
  const { name, webhookPath, ownerParameter, apps } = config;
  return {
    source: name,
    webhook: { hmacKeys, pathSecret: webhookPath?.reveal() },
    ownerParameter,
    wholeList: apps === "all",
  };
}

function openHttp(config: NanoMdmConfig | MicroMdmConfig, baseUrl: URL, user: string, deps: ConnectorDeps): Rest {
  const { ca, timeoutSeconds, concurrentRequests, recordTo, apiKey } = config;
  return openRest(
    { baseUrl, ca, timeoutMs: timeoutSeconds * secondMs, concurrent: concurrentRequests, recordTo },
    () => basic(user, apiKey?.reveal() ?? ""),
    deps,
  );
}
