import { later } from "../time.ts";
import type { DeviceRecord } from "../device.ts";
import type { CheckResult, Demand } from "./result.ts";

/** A phone that has reported to its source lately. */
export interface ReportedRequirement {
  readonly kind: "reported";
  readonly withinHours: number;
}

const hourMs = 3_600_000;

/** `report-recent` or `report-overdue`. */
export function checkReported(
  { withinHours }: ReportedRequirement,
  record: DeviceRecord,
  demand: Demand,
  now: Date,
): CheckResult {
  const reportedAt = later(record.deviceAt, record.appsAt);
  const until = reportedAt === undefined ? undefined : new Date(reportedAt.getTime() + withinHours * hourMs);
  if (until !== undefined && now < until) return { kind: "met", reason: "report-recent", until };
  return {
    kind: "failed",
    reason: "report-overdue",
    finding: { kind: "report-overdue", ...demand, reportedAt, withinHours },
  };
}
