/** What the program gives to its operators: the admin API as the configuration asks for it. `app.ts` puts it on its listener. */
import os from "node:os";
import { openAdminApi } from "./admin/admin-api.ts";
import type { AdminApi, AdminApiOptions } from "./admin/admin-api.ts";
import type { AuditPort } from "./admin/audit-port.ts";
import { openTokenKeys } from "./admin/token-keys.ts";
import { createPreviewCrew } from "./cli/preview-crew.ts";
import type { Config } from "./config/config.ts";
import { formatOrigin, formatPath } from "./config/fault.ts";
import { openInstallationSecret } from "./config/secret.ts";
import { LOCAL_TOKEN_PURPOSE, storeOptionsOf } from "./parts.ts";
import { createPersonHash } from "./telemetry/device-hash.ts";
import { errorChain } from "./telemetry/log.ts";
import type { Log } from "./telemetry/log.ts";
import { version } from "./version.ts";

export interface OperatorsOptions extends Pick<
  AdminApiOptions,
  "store" | "ledger" | "health" | "policyVersion" | "hub" | "now"
> {
  readonly config: Config;
  readonly log: Log;
  /** A key for each purpose, the same on every node. */
  readonly key: (purpose: string) => Uint8Array;
  /** Whether the store is the one that the configuration names, which threads can open too. */
  readonly isConfiguredStore: boolean;
}

export function openOperators({ config, log, key, isConfiguredStore, ...parts }: OperatorsOptions): AdminApi {
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
    audit: auditOf(log, key),
    cursorSecret: key("admin-cursor"),
    onFailure,
  });
}

/** Until an audit takes them they are lines of the log, in which no person and no device has a name. */
function auditOf(log: Log, key: (purpose: string) => Uint8Array): AuditPort {
  const hashPerson = createPersonHash(key("log"));
  return {
    append: async ({ act, actor, means, role, address }) =>
      log.info("operator", { act, person: hashPerson(actor), means, role, address }),
  };
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
