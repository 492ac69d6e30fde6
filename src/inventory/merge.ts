/**
 * What is known of a managed device, and one report more. Each part has an age of its own, and of each the newest counts, so that
 * reports may come twice and in any order. Of two that are equally old the one that came last counts: what people change at the
 * source (an owner, a verdict) changes without the device. Pure.
 */
import { countingApps, mergeApps, noApps, onlyRules } from "./app-lists.ts";
import type { CheckedReport } from "./checked-report.ts";
import { reportParts } from "./managed.ts";
import type { ManagedDevice, ManagedMemory, ReportPart, ReportParts } from "./managed.ts";
import type { InventoryReport, ManagedKey } from "./report.ts";

export interface MergeContext {
  readonly now: Date;
  readonly privacy: "all" | "rules-only";
  readonly appIds: ReadonlySet<string>;
  /** The full sync that names the device; undefined where it was heard of in another way. */
  readonly sweep: string | undefined;
}

/** 16: former ids are of use for as long as a mail app of that phone still goes by them. */
export const FORMER_IDS_LIMIT = 16;

const nothing: ManagedMemory = {
  parts: {},
  partsAt: new Map(),
  deviceAt: undefined,
  enrolment: { enrolled: true, at: undefined },
  isMissing: false,
  ids: { current: [], former: [], at: undefined },
  idsAre: "mdm",
  apps: noApps,
  bound: [],
};

export function mergeReport(
  known: ManagedDevice | undefined,
  report: CheckedReport,
  context: MergeContext,
): ManagedDevice {
  const before = known?.memory ?? nothing;
  const memory: ManagedMemory = {
    ...mergeParts(before, report),
    deviceAt: newest(before.deviceAt, report.deviceAt),
    enrolment: mergeEnrolment(before.enrolment, report, context.now, known === undefined),
    // Whatever is heard of it brings it back, but not that it has left.
    isMissing: !report.enrolled && before.isMissing,
    ...mergeIds(before, report),
    apps: mergeApps(context.privacy === "all" ? before.apps : onlyRules(before.apps, context.appIds), report),
    bound: before.bound,
  };
  return managedDevice(report, memory, {
    heardAt: context.now,
    sweep: context.sweep ?? known?.sweep,
    appIds: context.appIds,
  });
}

/** As it is told to everybody else: of the parts that are known, the ones that count. */
export function managedDevice(
  { source, sourceDeviceId }: ManagedKey,
  memory: ManagedMemory,
  {
    heardAt,
    sweep,
    appIds,
  }: { readonly heardAt: Date; readonly sweep: string | undefined; readonly appIds: ReadonlySet<string> },
): ManagedDevice {
  const { parts, enrolment, isMissing, deviceAt, ids } = memory;
  const { groups, ownership, ...others } = parts;
  const apps = countingApps(memory.apps, parts.enrolledAt, appIds);
  const report: InventoryReport = {
    source,
    sourceDeviceId,
    enrolled: enrolment.enrolled && !isMissing,
    ...others,
    ...(groups !== undefined && { groups }),
    ...(ownership !== undefined && { ownership }),
    ...(ids.current.length > 0 && { easDeviceIds: ids.current, easDeviceIdsAre: memory.idsAre }),
    ...(deviceAt !== undefined && { deviceAt }),
    ...(apps !== undefined && { apps }),
  };
  return { source, sourceDeviceId, report, appsCount: memory.apps.whole?.count, heardAt, sweep, memory };
}

function mergeParts(before: ManagedMemory, report: CheckedReport): Pick<ManagedMemory, "parts" | "partsAt"> {
  const parts: { -readonly [P in ReportPart]?: ReportParts[P] } = { ...before.parts };
  const partsAt = new Map(before.partsAt);
  const at = report.deviceAt?.getTime();
  for (const part of reportParts) {
    if (!Object.hasOwn(report, part)) continue;
    const knownAt = partsAt.get(part);
    if (at !== undefined && knownAt !== undefined && at < knownAt) continue;
    copyPart(parts, report, part);
    // Without a time of its own it is as old as what it replaces: a report with one can still replace it.
    if (at !== undefined) partsAt.set(part, at);
  }
  return { parts, partsAt };
}

function copyPart<P extends ReportPart>(to: { -readonly [Q in P]?: ReportParts[Q] }, from: ReportParts, part: P): void {
  to[part] = from[part];
}

/**
 * A check-out counts from its time on, and from now where it has none. It is taken back by what the device said, or was enrolled,
 * later; by a report without any time at once.
 */
function mergeEnrolment(
  before: ManagedMemory["enrolment"],
  report: CheckedReport,
  now: Date,
  isFirst: boolean,
): ManagedMemory["enrolment"] {
  const saidAt = newest(report.deviceAt, report.enrolledAt);
  const at = report.enrolled ? saidAt : (report.deviceAt ?? now);
  if (isFirst || at === undefined || before.at === undefined) {
    // Enrolled since nobody knows when, which no check-out is older than.
    return { enrolled: report.enrolled, at: at ?? (report.enrolled && before.enrolled ? before.at : undefined) };
  }
  if (at < before.at) return before;
  // Of a check-out and a report of the same moment the check-out counts, whichever comes first.
  if (at.getTime() === before.at.getTime()) return { enrolled: report.enrolled && before.enrolled, at };
  return { enrolled: report.enrolled, at };
}

function mergeIds(before: ManagedMemory, report: CheckedReport): Pick<ManagedMemory, "ids" | "idsAre"> {
  const { ids } = before;
  const { easDeviceIds: named = [], deviceAt } = report;
  if (named.length === 0) return { ids, idsAre: before.idsAre };
  const isOlder = deviceAt !== undefined && ids.at !== undefined && deviceAt < ids.at;
  const current = isOlder ? ids.current : named;
  const former = [...new Set([...ids.former, ...ids.current, ...named])]
    .filter((id) => !current.includes(id))
    .toSorted();
  return {
    ids: { current, former: former.slice(0, FORMER_IDS_LIMIT), at: newest(ids.at, deviceAt) },
    idsAre: isOlder ? before.idsAre : (report.easDeviceIdsAre ?? "mdm"),
  };
}

function newest(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
