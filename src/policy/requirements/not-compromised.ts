import type { DeviceRecord } from "../device.ts";
import type { CheckResult, Demand } from "./result.ts";

/** A phone that its source does not call jailbroken or rooted. */
export interface NotCompromisedRequirement {
  readonly kind: "not-compromised";
}

/** `not-compromised` or `compromised`. */
export function checkNotCompromised(record: DeviceRecord, demand: Demand): CheckResult {
  if (record.compromised === undefined) return { kind: "cannot-tell", unseen: { kind: "integrity" } };
  if (record.compromised) return { kind: "failed", reason: "compromised", finding: { kind: "compromised", ...demand } };
  return { kind: "met", reason: "not-compromised", shownAt: record.deviceAt };
}
