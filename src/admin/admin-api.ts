/** Puts the API together from the parts of the program that it stands on. */
import type { Router } from "express";
import type { Ledger } from "../campaign/ledger.ts";
import type { Policy } from "../policy/campaign.ts";
import type { Store } from "../store/store.ts";
import type { Health } from "../telemetry/health.ts";
import { createAccess } from "./access.ts";
import type { AccessOptions } from "./access.ts";
import { createApi } from "./api.ts";
import type { AuditPort } from "./audit-port.ts";
import { createConfirmations } from "./confirmations.ts";
import { createCursors } from "./cursor.ts";
import type { EventHub } from "./event-hub.ts";
import { openNodes } from "./nodes.ts";
import { createPolicyActs } from "./policy-acts.ts";
import type { EndingCrew } from "./policy-acts.ts";
import { createPreviewJobs } from "./preview-jobs.ts";
import type { Route } from "./route.ts";
import { createRoutes } from "./routes.ts";
import type { ShownSetting } from "./system-routes.ts";
import { createTokenReader } from "./token.ts";
import type { TokenOptions } from "./token.ts";

export interface AdminApiOptions
  extends Omit<TokenOptions, "nowMs">, Pick<AccessOptions, "breakGlassToken" | "onBreakGlass" | "onRefused"> {
  readonly store: Store;
  readonly ledger: Ledger;
  /** What the configuration file says. */
  readonly configured: Policy;
  readonly important: readonly string[];
  readonly createCrew: () => EndingCrew | undefined;
  readonly hosts: readonly string[];
  readonly settings: readonly ShownSetting[];
  /** Those of the configuration. */
  readonly connectors: readonly { readonly name: string; readonly kind: string }[];
  readonly version: string;
  /** The name of this machine. */
  readonly host: string;
  readonly health: () => Health;
  /** Of the policy in force here. */
  readonly policyVersion: () => number | undefined;
  readonly hub: EventHub;
  readonly audit: AuditPort;
  /** For cursors; the same on every node. */
  readonly cursorSecret: Uint8Array;
  readonly now: () => Date;
  readonly onFailure: (cause: unknown) => void;
}

export interface AdminApi {
  readonly router: Router;
  readonly routes: readonly Route[];
  close(): Promise<void>;
}

export function openAdminApi(options: AdminApiOptions): AdminApi {
  const { store, now, cursorSecret } = options;
  const nowMs = (): number => now().getTime();
  const nodes = openNodes(options);
  const jobs = createPreviewJobs(options);
  const routes = createRoutes({
    ...options,
    cursors: createCursors(cursorSecret),
    acts: createPolicyActs(options),
    confirmations: createConfirmations(store, now),
    jobs,
    nodes,
  });
  const access = createAccess({ ...options, readToken: createTokenReader({ ...options, nowMs }), nowMs });
  return {
    router: createApi({ ...options, routes, access }),
    routes,
    async close(): Promise<void> {
      await jobs.close();
      await nodes.close();
    },
  };
}
