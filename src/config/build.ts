/** From what was checked to what the program is given. Nothing here can go wrong any more. */
import type { Stances } from "../policy/campaign.ts";
import { campaignOf } from "./policy-document.ts";
import type { Config, Setting, StoreConfig } from "./config.ts";
import type { ConfigSources } from "./sources.ts";
import type { Material } from "./material.ts";
import type { ParsedConfig } from "./schema.ts";
import { createSecret } from "./secret.ts";
import { defaultDatabase } from "./store-schema.ts";

export function buildConfig(
  parsed: ParsedConfig,
  material: Material,
  sources: ConfigSources,
  settings: readonly Setting[],
): Config {
  const { mail, admin, upstream, stance, notice } = parsed;
  const stances: Stances = {
    notEnrolled: stance["not-enrolled"],
    stale: stance.stale,
    uninspectable: stance.uninspectable,
    unknown: stance.unknown,
  };
  return {
    role: parsed.role,
    mail: {
      listen: mail.listen,
      tls: material.tls,
      trustedProxies: mail.trustedProxies,
      hosts: mail.hosts,
      publicUrl: mail.publicUrl,
      limits: {
        maxConnections: mail.limits.maxConnections,
        maxConnectionsPerAddress: mail.limits.maxConnectionsPerAddress,
        maxRequestsPerCredential: mail.limits.maxRequestsPerCredential,
        strangeDevicesPerHour: mail.limits.strangeDevicesPerHour,
        bodyBytes: mail.limits.bodyBytes,
      },
    },
    admin,
    upstream: {
      url: upstream.url,
      ca: material.upstreamCa,
      connectTimeoutMs: upstream.connectTimeoutMs,
      responseTimeoutMs: upstream.responseTimeoutSeconds * 1000,
      idleSocketMs: upstream.idleSocketMs,
    },
    routes: parsed.routes.map((route) => ({ ...route, upstream: route.upstream })),
    store: storeOf(parsed, material),
    secret: { file: parsed.secret.file, previous: material.previousSecret },
    policy: {
      campaigns: parsed.campaigns.map((campaign) => campaignOf(campaign, stances)),
      exemptions: parsed.exemptions,
      stances,
      maxReportAgeHours: parsed.inventory.maxReportAgeHours,
      homeDomains: parsed.identity.domains,
    },
    inventory: inventoryOf(parsed, material),
    phoneBrowser: stance["phone-browser"],
    ews: { stance: stance.ews, allowAgents: parsed.ews.allowAgents },
    heldFolders: parsed.quarantine.heldFolders,
    notice: {
      organisation: notice.organisation,
      from: notice.from,
      helpUrl: notice.helpUrl,
      language: notice.language,
    },
    selfService: parsed.selfService,
    letters: lettersOf(parsed),
    preview: { important: parsed.preview.important },
    audit: { journal: parsed.audit.journal, keepDays: parsed.audit.keepDays },
    log: { level: parsed.log.level },
    lastKnown: { file: parsed.lastKnown.file, allowHours: parsed.lastKnown.allowHours },
    sources: createSecret(sources),
    settings,
  };
}

const defaultInventoryListen = { host: "127.0.0.1", port: 8082 };

function inventoryOf({ inventory }: ParsedConfig, { inventoryTls, connectorCas }: Material): Config["inventory"] {
  const { listen, privacy, join } = inventory;
  const connectors = inventory.connectors.map((connector, index) => {
    const ca = connectorCas[index];
    return ca === undefined ? connector : { ...connector, ca };
  });
  return {
    listen: listen ?? (connectors.length > 0 ? defaultInventoryListen : undefined),
    tls: inventoryTls,
    privacy,
    join,
    connectors,
  };
}

function lettersOf({ letters }: ParsedConfig): Config["letters"] {
  if (letters === undefined) return undefined;
  const { smtp, username, password, perMinute } = letters;
  return { ...smtp, username, password: password === undefined ? undefined : createSecret(password), perMinute };
}

function storeOf({ store }: ParsedConfig, { redisCa }: Material): StoreConfig {
  if (store.redis !== undefined) return { kind: "redis", ...store.redis, ca: redisCa };
  return { kind: "embedded", file: store.embedded ?? defaultDatabase };
}
