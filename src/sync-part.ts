/** The sync role as the configuration asks for it, on an open store: in a thread of a gate, or in a program of its own. */
import { openLivePolicy } from "./campaign/live-policy.ts";
import type { LivePolicyEvent } from "./campaign/live-policy.ts";
import type { Config, ConnectorConfig } from "./config/config.ts";
import { openConnector } from "./connectors/registry.ts";
import { inventoryOpenApi } from "./inventory/open-api.ts";
import { bindingDocument, decodeBinding } from "./inventory/binding-document.ts";
import { createIntake } from "./inventory/intake.ts";
import { decodeManaged, managedDocument } from "./inventory/managed-document.ts";
import { createRechecks } from "./inventory/rechecks.ts";
import type { IntakeAlert, ManagedKey } from "./inventory/report.ts";
import { appIdsOf, writtenAppIdsOf } from "./policy/app-ids.ts";
import type { DeviceId } from "./policy/device.ts";
import { spellingsOf } from "./policy/device.ts";
import { judge } from "./policy/judge.ts";
import { parsePerson } from "./policy/person.ts";
import { StoreUnavailable } from "./store/store.ts";
import type { Store } from "./store/store.ts";
import { createBudget } from "./sync/budget.ts";
import type { Tell } from "./sync/events.ts";
import type { PhoneView } from "./sync/recheck-runner.ts";
import { createMemory, startSync } from "./sync/sync.ts";
import type { Sync, SyncSource } from "./sync/sync.ts";
import { createDeviceHash } from "./telemetry/device-hash.ts";
import { version } from "./version.ts";

export interface SyncPartDeps {
  readonly store: Store;
  /** Of the log: the same device has the same hash in every line. */
  readonly logKey: Uint8Array;
  readonly tell: Tell;
  /** Where the gate of the same process tells them, nothing is told here. */
  readonly onPolicy: (event: LivePolicyEvent) => void;
  readonly now: () => Date;
}

/** Whether there is anything to do. */
export function hasSyncWork({ inventory }: Config): boolean {
  return inventory.connectors.length > 0 || inventory.listen !== undefined;
}

/** @throws what keeps the listener from listening, or a connector from being opened */
export async function startSyncPart(config: Config, deps: SyncPartDeps): Promise<Sync> {
  const { store, tell, now } = deps;
  const { inventory } = config;
  const livePolicy = await openLivePolicy({ store, configured: config.policy, report: deps.onPolicy, now });
  const appIds = (): readonly string[] | undefined => {
    const inForce = livePolicy.current();
    return inForce === undefined ? undefined : appIdsOf(inForce.policy);
  };

  async function view(device: DeviceId): Promise<PhoneView> {
    const [fields] = await store.readDocuments([bindingDocument(device)]);
    const { holder, problem } = decodeBinding(fields);
    const managed = problem === undefined ? holder : undefined;
    const known = managed === undefined ? undefined : await readManaged(managed);
    const inForce = livePolicy.current();
    if (inForce === undefined) throw new StoreUnavailable(new Error("the policy is not known yet"));
    const { record } = await store.facts(spellingsOf(device), undefined);
    const name = record?.owner ?? record?.email;
    const person = name === undefined ? undefined : parsePerson(name);
    const verdict = judge({ record, person, lastKnown: undefined }, inForce.policy, now());
    return {
      managed,
      deviceAt: known?.report.deviceAt,
      appsAt: known?.report.apps?.at,
      isHeld: verdict.action !== "allow",
    };
  }

  async function readManaged(key: ManagedKey): Promise<ReturnType<typeof decodeManaged>> {
    const [fields] = await store.readDocuments([managedDocument(key)]);
    return decodeManaged(key, fields, new Set(appIds()));
  }

  const sources: SyncSource[] = [];
  try {
    for (const connector of inventory.connectors) sources.push(openSource(connector, deps));
    const sync = await startSync({
      sources,
      listen:
        inventory.listen === undefined
          ? undefined
          : {
              ...inventory.listen,
              tls:
                inventory.tls === undefined ? undefined : { cert: inventory.tls.cert, key: inventory.tls.key.reveal() },
              openApi: JSON.stringify(inventoryOpenApi(version)),
            },
      store,
      intakeOn: (ground) =>
        createIntake({
          store: ground,
          appIds,
          privacy: inventory.privacy,
          homeDomains: config.policy.homeDomains,
          ownerRequired: true,
          now,
          onAlert: (key, alert) => tellAlert(tell, key, alert),
        }),
      rechecksOn: createRechecks,
      view,
      appIds(): readonly string[] {
        const inForce = livePolicy.current();
        return inForce === undefined ? [] : writtenAppIdsOf(inForce.policy);
      },
      hashDevice: createDeviceHash(deps.logKey),
      tell,
      now,
    });
    return {
      ...sync,
      async close(): Promise<void> {
        await sync.close();
        livePolicy.close();
      },
    };
  } catch (error) {
    for (const source of sources) source.close();
    livePolicy.close();
    throw error;
  }
}

const minuteMs = 60_000;

function openSource(config: ConnectorConfig, { store, tell, now }: SyncPartDeps): SyncSource {
  const source = config.name;
  const budget = createBudget({
    requestsPerMinute: "requestsPerMinute" in config ? config.requestsPerMinute : 600,
    concurrent: "concurrentRequests" in config ? config.concurrentRequests : 1,
  });
  const opened = openConnector(config, {
    now,
    admission: budget,
    ...createMemory(store, source),
    onRecordingFailure(cause): void {
      const name = cause instanceof Error ? cause.name : typeof cause;
      tell({ kind: "log", level: "error", event: "a recording cannot be written", fields: { source, cause: name } });
    },
  });
  const minutes = (key: "every" | "fullEvery", usual: number): number => {
    const written = new Map<string, unknown>(Object.entries(config)).get(key);
    return (typeof written === "number" ? written : usual) * minuteMs;
  };
  return { ...opened, budget, schedule: { everyMs: minutes("every", 15), fullEveryMs: minutes("fullEvery", 1440) } };
}

/** Which device it is, an operator sees with `device bindings`; the log has its source only. */
function tellAlert(tell: Tell, { source }: ManagedKey, { kind }: IntakeAlert): void {
  tell({ kind: "log", level: "warn", event: "look at what a source says", fields: { source, alert: kind } });
}
