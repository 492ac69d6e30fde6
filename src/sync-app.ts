/** The program in the role sync: no phones and no mail, only management systems, and the listener for operators. */
import { hkdfSync } from "node:crypto";
import { createAdmin, listenAdmin } from "./admin/admin.ts";
import type { Config } from "./config/config.ts";
import { storeOptionsOf } from "./parts.ts";
import { reportPolicy, reportStore, reportSync } from "./reports.ts";
import { openStore } from "./store/open.ts";
import { startSyncPart } from "./sync-part.ts";
import type { Address } from "./sync-thread.ts";
import { healthOf } from "./telemetry/health.ts";
import type { Health } from "./telemetry/health.ts";
import type { Log } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { version } from "./version.ts";

export interface SyncApp {
  readonly admin: Address;
  /** Undefined: nobody may speak to it. */
  readonly inventory: Address | undefined;
  health(): Health;
  stop(): Promise<void>;
}

/** @throws what kept it from starting; whatever was opened is closed again. */
export async function startSyncApp(
  config: Config,
  {
    log,
    secret,
    now = () => new Date(),
  }: { readonly log: Log; readonly secret: Uint8Array; readonly now?: () => Date },
): Promise<SyncApp> {
  const opened = new AsyncDisposableStack();
  try {
    const metrics = createMetrics(version);
    const store = await openStore(storeOptionsOf(config.store), { now, report: (event) => reportStore(log, event) });
    opened.defer(async () => {
      await store.close();
      log.flush();
    });
    let isStarted = false;
    let isStopping = false;
    const health = (): Health =>
      healthOf({
        started: isStarted,
        stopping: isStopping,
        store: store.health(),
        // Nobody is judged here: what the policy says of apps is waited for, and says so itself.
        policyKnown: true,
        lastKnownDevices: 0,
      });
    metrics.observe(() => {
      const { state } = store.health();
      return {
        waiting: 0,
        connections: 0,
        pageStreams: 0,
        storeUp: state !== "down",
        storeDegraded: state === "degraded",
        lastKnownDevices: 0,
        policyVersion: 0,
        policyInDoubt: false,
      };
    });
    const admin = await listenAdmin(createAdmin({ health, metrics }), config.admin.listen);
    opened.defer(() => admin.close());
    const sync = await startSyncPart(config, {
      store,
      logKey: new Uint8Array(hkdfSync("sha256", secret, "", "postern log", 32)),
      tell: (event) => reportSync(log, metrics, event),
      onPolicy: (event) => reportPolicy(log, event),
      now,
    });
    opened.defer(() => sync.close());
    isStarted = true;
    return {
      admin: admin.address,
      inventory: sync.address,
      health,
      async stop(): Promise<void> {
        isStopping = true;
        await opened.disposeAsync();
      },
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}
