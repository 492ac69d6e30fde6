import type { App, DeviceRecord, Platform } from "../device.ts";
import { isInRange, parseVersion } from "../version.ts";
import type { VersionRange } from "../version.ts";
import type { CheckResult, Demand } from "./result.ts";

/** An app that must not be on the phone, by the ids it goes by on each platform. */
export interface AbsentRequirement {
  readonly kind: "absent";
  /** As people know it: it stands in the notice. */
  readonly name: string;
  /** Compared without case. `ios` ids also count on `ipados`. A platform without ids is not concerned. */
  readonly ids: ReadonlyMap<Platform, readonly string[]>;
  /** Only these versions are banned. Undefined: every one. */
  readonly versions: VersionRange | undefined;
}

/** `app-absent` or `app-present`. */
export function checkAbsent(requirement: AbsentRequirement, record: DeviceRecord, demand: Demand): CheckResult {
  const banned = idsFor(requirement, record.platform);
  if (banned.size === 0) return { kind: "not-concerned" };
  const cannotTell: CheckResult = { kind: "cannot-tell", unseen: { kind: "app", name: requirement.name } };

  // Found is proof whatever the scope: even a list of managed apps only does not name what is not there.
  // An id of another length is another one: most of a long list need not be spelled in small letters to see that.
  const lengths = new Set([...banned].map((id) => id.length));
  const found = record.apps?.filter(({ id }) => lengths.has(id.length) && banned.has(id.toLowerCase())) ?? [];
  const app = found.find((each) => isBannedVersion(each, requirement.versions) === true);
  if (app !== undefined) {
    return {
      kind: "failed",
      reason: "app-present",
      finding: { kind: "app-present", ...demand, appName: requirement.name, app, foundAt: record.appsAt },
    };
  }
  if (found.some((each) => isBannedVersion(each, requirement.versions) === undefined)) return cannotTell;
  if (record.apps === undefined) return cannotTell;
  return couldHaveSeen(record, banned) ? { kind: "met", reason: "app-absent", shownAt: record.appsAt } : cannotTell;
}

/** Undefined where only some versions are banned and nobody knows which one it is. */
function isBannedVersion({ version }: App, banned: VersionRange | undefined): boolean | undefined {
  if (banned === undefined) return true;
  const known = version === undefined ? undefined : parseVersion(version);
  return known === undefined ? undefined : isInRange(known, banned);
}

/** Not found is proof only where the source would have seen it. */
function couldHaveSeen(record: DeviceRecord, banned: ReadonlySet<string>): boolean {
  const asked = new Set(record.appsAsked.map((id) => id.toLowerCase()));
  switch (record.appsScope) {
    case "all":
      return isApple(record.platform) ? [...banned].every((id) => !id.startsWith("com.apple.") || asked.has(id)) : true;
    case "asked-only":
      return [...banned].every((id) => asked.has(id));
    case "managed-only":
    case "work-profile":
    case "none":
    case undefined:
      return false;
  }
}

/** Lists of all apps leave out those that come with Apple's systems, or did until iOS 26: one of them must have been looked for. */
function isApple(platform: Platform | undefined): boolean {
  return platform === undefined || platform === "ios" || platform === "ipados" || platform === "macos";
}

function idsFor(requirement: AbsentRequirement, platform: Platform | undefined): ReadonlySet<string> {
  const ids: string[] = [];
  for (const [listed, listedIds] of requirement.ids) {
    // A phone of an unknown platform is held against every id: an app found there is still an app found.
    const concerns = platform === undefined || platform === listed || (platform === "ipados" && listed === "ios");
    if (concerns) ids.push(...listedIds);
  }
  return new Set(ids.map((id) => id.toLowerCase()));
}
