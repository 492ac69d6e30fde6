import type { DeviceRecord, Platform } from "../device.ts";
import { isInRange, parseVersion } from "../version.ts";
import type { VersionRange } from "../version.ts";
import type { CheckResult, Demand } from "./result.ts";

/** A system that is new enough. A platform that is not named is not concerned. */
export interface OsRequirement {
  readonly kind: "os";
  /** What is named for `ios` also counts on `ipados`, unless that is named itself. */
  readonly minimum: ReadonlyMap<Platform, VersionRange>;
  /** The oldest Android security patch level, `YYYY-MM-DD`. Undefined: any. */
  readonly securityPatch: string | undefined;
}

/** `os-current`, `os-outdated` or `patch-outdated`. */
export function checkOs({ minimum, securityPatch }: OsRequirement, record: DeviceRecord, demand: Demand): CheckResult {
  const { platform } = record;
  // Nobody knows which of the minimums would be the one that counts.
  if (platform === undefined) return { kind: "cannot-tell", unseen: { kind: "os" } };
  const wanted = minimum.get(platform) ?? (platform === "ipados" ? minimum.get("ios") : undefined);
  const wantsPatch = platform === "android" && securityPatch !== undefined;
  if (wanted === undefined && !wantsPatch) return { kind: "not-concerned" };

  if (wanted !== undefined) {
    const version = record.osVersion === undefined ? undefined : parseVersion(record.osVersion);
    if (version === undefined || record.osVersion === undefined) return { kind: "cannot-tell", unseen: { kind: "os" } };
    if (!isInRange(version, wanted)) {
      const finding = { kind: "os-outdated", ...demand, osVersion: record.osVersion, minimum: bare(wanted) } as const;
      return { kind: "failed", reason: "os-outdated", finding };
    }
  }
  if (wantsPatch) {
    if (record.securityPatch === undefined) return { kind: "cannot-tell", unseen: { kind: "security-patch" } };
    // Both are written as year, month and day, so that their order is that of the text.
    if (record.securityPatch < securityPatch) {
      const finding = {
        kind: "patch-outdated",
        ...demand,
        securityPatch: record.securityPatch,
        minimum: securityPatch,
      } as const;
      return { kind: "failed", reason: "patch-outdated", finding };
    }
  }
  // A system is never taken back to an older one, so the age of the report does not matter.
  return { kind: "met", reason: "os-current" };
}

/** As the notice says it: `26.1`, not `>=26.1`. */
function bare({ text }: VersionRange): string {
  return text.replace(/^>= */, "");
}
