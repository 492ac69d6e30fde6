/** What the program gives to its operators: the admin API as the configuration asks for it. `app.ts` puts it on its listener. */
import os from "node:os";
import { openAdminApi } from "./admin/admin-api.ts";
import type { AdminApi, AdminApiOptions } from "./admin/admin-api.ts";
import type { AuditPort } from "./admin/audit-port.ts";
import { openTokenKeys } from "./admin/token-keys.ts";
import type { Audit } from "./audit/audit.ts";
import type { AuditKind, Values } from "./audit/entry.ts";
import { createPreviewCrew } from "./cli/preview-crew.ts";
import type { Config } from "./config/config.ts";
import { formatOrigin, formatPath } from "./config/fault.ts";
import { openInstallationSecret } from "./config/secret.ts";
import { LOCAL_TOKEN_PURPOSE, storeOptionsOf } from "./parts.ts";
import { toDeviceId } from "./policy/device.ts";
import { errorChain } from "./telemetry/log.ts";
import type { Log } from "./telemetry/log.ts";
import { version } from "./version.ts";

export interface OperatorsOptions extends Pick<
  AdminApiOptions,
  "store" | "ledger" | "health" | "policyVersion" | "hub" | "now"
> {
  readonly config: Config;
  readonly audit: Audit;
  readonly log: Log;
  /** A key for each purpose, the same on every node. */
  readonly key: (purpose: string) => Uint8Array;
  /** Whether the store is the one that the configuration names, which threads can open too. */
  readonly isConfiguredStore: boolean;
}

export function openOperators({ config, log, key, isConfiguredStore, audit, ...parts }: OperatorsOptions): AdminApi {
  const { admin, policy, preview } = config;
  const onFailure = (cause: unknown): void =>
    log.warn("failed beside an answer", { code: "admin", cause: errorChain(cause) });
  return openAdminApi({
    ...parts,
    configured: policy,
    important: preview.important,
    createCrew: () =>
      isConfiguredStore
        ? createPreviewCrew({ store: parts.store, storeOptions: storeOptionsOf(config.store) })
        : undefined,
    hosts: admin.hosts,
    settings: config.settings.map(({ path, value, origin }) => ({
      path: formatPath(path),
      value,
      origin: formatOrigin(origin),
    })),
    connectors: config.inventory.connectors.map(({ name, kind }) => ({ name, kind })),
    version,
    host: os.hostname(),
    issued: issuedOf(admin.access, parts.now, log),
    localSecret: admin.access.localTokens ? key(LOCAL_TOKEN_PURPOSE) : undefined,
    breakGlassToken: breakGlassOf(admin.access.breakGlassFile, log),
    onBreakGlass: (address) => log.warn("the break-glass credential was used", { address }),
    onRefused: (address) => log.warn("a login to the admin API failed", { address }),
    audit: auditOf(audit),
    cursorSecret: key("admin-cursor"),
    onFailure,
  });
}

/** Each act is an entry of the audit trail, on disk and in the store, before anybody is told that it was done. */
function auditOf(audit: Audit): AuditPort {
  return {
    async append({ at, act, actor, means, role, address, why, about, before, after }): Promise<void> {
      const kind = kindOf(act);
      const device = kind === "policy" || kind === "guard-confirmed" ? undefined : toDeviceId(about[0] ?? "");
      await audit.append([
        {
          kind,
          at,
          act: `${act} by ${means} of a ${role}`,
          actor,
          why,
          address,
          device,
          about: device === undefined ? about : [],
          before: valuesOf(before),
          after: valuesOf(after),
        },
      ]);
    },
  };
}

/** @param route such as `post /campaigns/apply` */
function kindOf(route: string): AuditKind {
  if (route.includes("/confirmations")) return "guard-confirmed";
  if (route.endsWith("/recheck")) return "recheck";
  if (route === "delete /devices/{id}") return "device-forget";
  return route.includes("/devices/") ? "device-set" : "policy";
}

function valuesOf(what: unknown): Values {
  if (typeof what !== "object" || what === null) return {};
  return Object.fromEntries(
    Object.entries(what).flatMap(([name, value]: [string, unknown]) =>
      value === undefined ? [] : [[name, typeof value === "string" ? value : JSON.stringify(value)]],
    ),
  );
}

function issuedOf(access: Config["admin"]["access"], now: () => Date, log: Log): AdminApiOptions["issued"] {
  const { keysFile, issuer, audience, actorClaim, rolesClaim, roles } = access;
  if (keysFile === undefined || issuer === undefined) return undefined;
  const keys = openTokenKeys({
    file: keysFile,
    nowMs: () => now().getTime(),
    onProblem: (problem) => log.error("the admin API goes on with the keys that it had", { file: keysFile, problem }),
  });
  return { keys, issuer, audience, actorClaim, rolesClaim, roles };
}

/** Without it mail still flows, so it is no reason not to start. */
function breakGlassOf(file: string, log: Log): Uint8Array | undefined {
  const opened = openInstallationSecret(file);
  if (!opened.ok) {
    log.error("there is no break-glass credential", { file, problem: opened.problem });
    return undefined;
  }
  if (opened.value.created)
    log.warn("made a new break-glass credential; whoever can read the file may do everything on the admin API", {
      file,
    });
  return opened.value.secret.reveal();
}
