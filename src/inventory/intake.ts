/**
 * Takes in what sources say: one act of the store for some reports at a time, in which the device, its ids and their records are read
 * and changed together. Nobody ever sees half of it, and a report that comes twice, or late, changes nothing.
 */
import { hash } from "node:crypto";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import type { DocumentStore, Fields, FieldsKey } from "../store/documents.ts";
import { StoreUnavailable } from "../store/store.ts";
import { haveVanished } from "./app-lists.ts";
import { bindingDocument } from "./binding-document.ts";
import { checkReport } from "./checked-report.ts";
import type { CheckedReport } from "./checked-report.ts";
import { encodeManaged, managedBeginning, managedDocument, managedKeyOf } from "./managed-document.ts";
import { HEARD_STEP_MS } from "./managed.ts";
import type { ManagedDevice } from "./managed.ts";
import { mergeReport } from "./merge.ts";
import { indexOwner } from "./owner-index.ts";
import type {
  Intake,
  IntakeAlert,
  IntakeOptions,
  IntakeResult,
  InventoryReport,
  LookForMissing,
  ManagedKey,
} from "./report.ts";
import { readManaged, settleDevice, writeManaged } from "./settle.ts";
import type { SettleContext } from "./settle.ts";
import { objectIn } from "./stored-json.ts";
import { actOnView } from "./stored-view.ts";
import type { StoredView } from "./stored-view.ts";

export interface IntakeDeps {
  readonly store: Pick<DocumentStore, "transact" | "documents">;
  /** Ids of apps that the policy in force speaks about; undefined while nobody knows it: then nothing is taken in. */
  readonly appIds: () => readonly string[] | undefined;
  /** `rules-only`: nothing is kept of a list of apps but what rules ask about. */
  readonly privacy: "all" | "rules-only";
  readonly homeDomains: readonly string[];
  /** Whether a phone whose owner nobody names counts for nobody. */
  readonly ownerRequired: boolean;
  readonly now: () => Date;
  /** Hears each alert once it is stored. */
  readonly onAlert?: ((device: ManagedKey, alert: IntakeAlert) => void) | undefined;
}

/** 40 reports in one act: some milliseconds, for which phones on an embedded store may have to wait. */
const REPORTS_PER_ACT = 40;

type Settings = Pick<IntakeDeps, "privacy" | "homeDomains" | "ownerRequired">;

interface Moment {
  readonly now: Date;
  readonly appIds: ReadonlySet<string>;
}

export function createIntake(deps: IntakeDeps): Intake {
  const { store, onAlert } = deps;

  function moment(): Moment {
    const appIds = deps.appIds();
    // A list that is trimmed to no rules at all would say that nobody has looked for anything.
    if (appIds === undefined) throw new StoreUnavailable(new Error("the policy is not known yet"));
    return { now: deps.now(), appIds: new Set(appIds) };
  }

  async function takeSome(
    reports: readonly InventoryReport[],
    options: IntakeOptions,
  ): Promise<readonly IntakeResult[]> {
    const at = moment();
    const results = await actOnView(store, reports.flatMap(keysOf), (view) => {
      const context = settleContext(deps, at);
      return reports.map((report) => takeOne(view, report, deps, options, context));
    });
    for (const [index, result] of results.entries()) {
      const report = reports[index];
      if (result.kind === "accepted" && report !== undefined)
        for (const alert of result.alerts) onAlert?.(report, alert);
    }
    return results;
  }

  async function takeAll(
    reports: readonly InventoryReport[],
    options: IntakeOptions = {},
  ): Promise<readonly IntakeResult[]> {
    const results: IntakeResult[] = [];
    for (let first = 0; first < reports.length; first += REPORTS_PER_ACT)
      results.push(...(await takeSome(reports.slice(first, first + REPORTS_PER_ACT), options)));
    return results;
  }

  async function endSweep(source: string, sweep: string, startedAt: Date, look?: LookForMissing): Promise<number> {
    let count = 0;
    for await (const [name, fields] of store.documents("managed", managedBeginning(source))) {
      const key = managedKeyOf(name);
      if (key === undefined || fields.get("sweep") === sweep) continue;
      // Heard of since the sync began: it may be too new to be in it.
      if (Date.parse(fields.get("heardAt") ?? "") + HEARD_STEP_MS >= startedAt.getTime()) continue;
      // Pages shift while they are read, wherever somebody removes a device: it may be there and on no page.
      const found = look === undefined || !isManaged(fields) ? "gone" : await look(key.sourceDeviceId);
      if (typeof found === "object") await takeSome([found], { sweep });
      if (found !== "gone") continue;
      const at = moment();
      const first = [managedDocument(key)];
      if (await actOnView(store, first, (view) => miss(view, key, sweep, settleContext(deps, at)))) count += 1;
    }
    return count;
  }

  return {
    take: async (report, options = {}) => {
      const [result] = await takeSome([report], options);
      return result ?? { kind: "stale" };
    },
    takeAll,
    endSweep,
  };
}

function settleContext({ privacy, homeDomains, ownerRequired }: Settings, { now, appIds }: Moment): SettleContext {
  const under = hash("sha256", JSON.stringify([privacy, homeDomains, ownerRequired, [...appIds]]), "base64url");
  return { now, appIds, homeDomains, ownerRequired, under, decoded: new WeakMap() };
}

/** As far as is known: what is gone already need not be looked for. */
function isManaged(fields: Fields): boolean {
  return !fields.has("isMissing") && objectIn(fields.get("enrolment"))["enrolled"] === true;
}

/** What an act most probably looks at: enough for a device that is known and whose ids the report names. */
function keysOf(report: InventoryReport): readonly FieldsKey[] {
  const ids = (report.easDeviceIds ?? []).flatMap((id): DeviceId | [] => toDeviceId(id) ?? []);
  const ofIds = ids.flatMap((id): FieldsKey[] => [bindingDocument(id), { kind: "device", id }, { kind: "alias", id }]);
  return nameFits(report) ? [managedDocument(report), ...ofIds] : [];
}

/** A key that is no name of a document is refused with the report. */
function nameFits({ source, sourceDeviceId }: ManagedKey): boolean {
  return source.length <= 64 && sourceDeviceId.length <= 200;
}

function takeOne(
  view: StoredView,
  report: InventoryReport,
  { privacy }: Settings,
  { sweep }: IntakeOptions,
  context: SettleContext,
): IntakeResult {
  const { now, appIds } = context;
  const stored = nameFits(report) ? view.read(managedDocument(report)) : undefined;
  const digest = digestOf(report, context.under);
  if (stored?.get("digest") === digest && !stored.has("isMissing")) {
    view.put(managedDocument(report), heard(stored, now, sweep));
    return { kind: "stale" };
  }
  const known = nameFits(report) ? readManaged(view, report, context) : undefined;
  const checked = checkReport(report, { now, privacy, appIds, platform: known?.report.platform });
  if (!checked.ok) {
    // What it says is lost, but the source has named it: that alone must not make it a device that is gone.
    if (stored !== undefined && sweep !== undefined && report.enrolled)
      view.put(managedDocument(report), new Map(stored).set("sweep", sweep));
    return { kind: "rejected", problem: checked.problem };
  }
  const device = mergeReport(known, checked.value, { now, privacy, appIds, sweep });
  const fields = new Map([...encodeManaged(device), ["digest", digest] as const]);
  const isNews = !saysTheSame(stored, fields);
  writeManaged(view, device, isNews || stored === undefined ? fields : heard(fields, now, sweep, stored), context);
  indexOwner(view, known, device);
  // Even where nothing is new about the device: it may have to be settled under other settings than before.
  const { devices, alerts } = settleDevice(view, known, device, context);
  if (!isNews) return { kind: "stale" };
  return { kind: "accepted", devices, alerts: [...ownAlerts(known, device, checked.value), ...alerts] };
}

/** The same report under the same settings says the same: most devices of a full sync have not reported since the last one. */
function digestOf(report: InventoryReport, under: string): string {
  const { apps, ...others } = report;
  // The list apart: plain data is written several times as fast as what has a Date in it.
  const list =
    apps === undefined ? "" : `${apps.at.getTime()} ${apps.scope}\n${JSON.stringify([apps.apps, apps.asked])}`;
  return hash("sha256", `${under}\n${JSON.stringify(others)}\n${list}`, "base64url");
}

/** When it was heard of last, and in which sync, is no news. */
const bookkeeping: ReadonlySet<string> = new Set(["heardAt", "sweep", "digest"]);

function heard(fields: Fields, now: Date, sweep: string | undefined, stored: Fields = fields): Fields {
  const heardAt = stored.get("heardAt") ?? "";
  const isAnew = !(now.getTime() - Date.parse(heardAt) < HEARD_STEP_MS);
  const next = new Map(fields).set("heardAt", isAnew ? now.toISOString() : heardAt);
  return sweep === undefined ? next : next.set("sweep", sweep);
}

function saysTheSame(stored: Fields | undefined, merged: Fields): boolean {
  const names = new Set([...(stored?.keys() ?? []), ...merged.keys()]);
  return [...names].every((name) => bookkeeping.has(name) || stored?.get(name) === merged.get(name));
}

function ownAlerts(known: ManagedDevice | undefined, device: ManagedDevice, report: CheckedReport): IntakeAlert[] {
  const alerts: IntakeAlert[] = [];
  const { apps, parts } = device.memory;
  const isNewlyEmpty = apps.empty?.at.getTime() !== known?.memory.apps.empty?.at.getTime();
  if (isNewlyEmpty && haveVanished(apps, parts.enrolledAt))
    alerts.push({ kind: "apps-vanished", before: apps.whole?.count ?? 0 });
  const before = new Set([...(known?.memory.ids.current ?? []), ...(known?.memory.ids.former ?? [])]);
  for (const id of report.easDeviceIds ?? []) {
    if (toDeviceId(id) === undefined && !before.has(id))
      alerts.push({ kind: "id-unusable", easDeviceId: id, problem: "is not 1 to 64 letters and digits" });
  }
  return alerts;
}

/** A device that a full sync did not name. Whatever is heard of it later, however old, brings it back. */
function miss(view: StoredView, key: ManagedKey, sweep: string, context: SettleContext): boolean {
  const known = readManaged(view, key, context);
  if (known === undefined || known.sweep === sweep || known.memory.isMissing) return false;
  const device: ManagedDevice = {
    ...known,
    memory: { ...known.memory, isMissing: true },
    report: { ...known.report, enrolled: false },
  };
  writeManaged(view, device, encodeManaged(device), context);
  settleDevice(view, known, device, context);
  return true;
}
