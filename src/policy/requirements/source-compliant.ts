import type { DeviceRecord } from "../device.ts";
import type { CheckResult, Demand } from "./result.ts";

/**
 * A phone that its management system calls compliant. Without such a campaign a phone that is called non-compliant is
 * quarantined at once; with it, the campaign's times count for the phones of its waves.
 */
export interface SourceCompliantRequirement {
  readonly kind: "source-compliant";
}

/** What the source says of it now. Some give time to put things right; when that is over, nobody says so again. */
export function sourceWord(
  { compliance, complianceUntil }: DeviceRecord,
  now: Date,
): "compliant" | "in-grace" | "noncompliant" | undefined {
  if (compliance !== "compliant" || complianceUntil === undefined) return compliance;
  return now < complianceUntil ? "in-grace" : "noncompliant";
}

/** `source-compliant` or `source-noncompliant`. */
export function checkSourceCompliant(record: DeviceRecord, demand: Demand, now: Date): CheckResult {
  switch (sourceWord(record, now)) {
    case "compliant":
      return { kind: "met", reason: "source-compliant", shownAt: record.deviceAt };
    case "in-grace":
      return { kind: "met", reason: "source-compliant", shownAt: record.deviceAt, until: record.complianceUntil };
    case "noncompliant":
      return {
        kind: "failed",
        reason: "source-noncompliant",
        finding: { kind: "source-noncompliant", ...demand, reasons: record.reasons, foundAt: record.deviceAt },
      };
    case undefined:
      return { kind: "cannot-tell", unseen: { kind: "compliance" } };
  }
}
