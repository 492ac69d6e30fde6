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
  const banned = bannedOn(requirement, record.platform);
  const { ids, lengths } = banned;
  if (ids.size === 0) return { kind: "not-concerned" };
  const cannotTell: CheckResult = { kind: "cannot-tell", unseen: { kind: "app", name: requirement.name } };

  // Found is proof whatever the scope: even a list of managed apps only does not name what is not there.
  const found = record.apps?.filter(({ id }) => lengths.has(id.length) && ids.has(id.toLowerCase())) ?? [];
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
function couldHaveSeen(record: DeviceRecord, banned: BannedIds): boolean {
  switch (record.appsScope) {
    case "all":
      return banned.lookedFor.length === 0 || !isApple(record.platform) || wasAsked(record, banned.lookedFor);
    case "asked-only":
      return wasAsked(record, [...banned.ids]);
    case "managed-only":
    case "work-profile":
    case "none":
    case undefined:
      return false;
  }
}

function wasAsked({ appsAsked }: DeviceRecord, ids: readonly string[]): boolean {
  const asked = new Set(appsAsked.map((id) => id.toLowerCase()));
  return ids.every((id) => asked.has(id));
}

/** Lists of all apps leave out those that come with Apple's systems, or did until iOS 26: one of them must have been looked for. */
function isApple(platform: Platform | undefined): boolean {
  return platform === undefined || platform === "ios" || platform === "ipados" || platform === "macos";
}

interface BannedIds {
  readonly ids: ReadonlySet<string>;
  /** An id of another length is another one: most of a long list need not be spelled in small letters to see that. */
  readonly lengths: ReadonlySet<number>;
  /** Those that a list of all apps of an Apple device may leave out. */
  readonly lookedFor: readonly string[];
}

/** Made once for each requirement and platform, and gone with it. */
const known = new WeakMap<AbsentRequirement, Map<Platform | undefined, BannedIds>>();

function bannedOn(requirement: AbsentRequirement, platform: Platform | undefined): BannedIds {
  const ofRequirement = known.get(requirement) ?? new Map<Platform | undefined, BannedIds>();
  known.set(requirement, ofRequirement);
  const before = ofRequirement.get(platform);
  if (before !== undefined) return before;
  const ids = idsFor(requirement, platform);
  const made = {
    ids,
    lengths: new Set([...ids].map((id) => id.length)),
    lookedFor: [...ids].filter((id) => id.startsWith("com.apple.")),
  };
  ofRequirement.set(platform, made);
  return made;
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
