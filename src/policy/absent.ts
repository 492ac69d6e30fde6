import type { App, DeviceRecord, Platform } from "./device.ts";
import type { AbsentRequirement } from "./requirement.ts";

/** What a record shows about an app that must not be there. */
export type AbsentResult =
  | { readonly kind: "not-concerned" }
  | { readonly kind: "absent" }
  | { readonly kind: "present"; readonly app: App }
  /** The source has no list, or one that could not have shown the app. */
  | { readonly kind: "cannot-tell" };

export function checkAbsent(requirement: AbsentRequirement, record: DeviceRecord): AbsentResult {
  const banned = idsFor(requirement, record.platform);
  if (banned.size === 0) return { kind: "not-concerned" };

  // Found is proof whatever the scope: even a list of managed apps only does not name what is not there.
  const app = record.apps?.find((candidate) => banned.has(candidate.id.toLowerCase()));
  if (app !== undefined) return { kind: "present", app };

  if (record.apps === undefined) return { kind: "cannot-tell" };
  return couldHaveSeen(record, banned) ? { kind: "absent" } : { kind: "cannot-tell" };
}

/** Not found is proof only where the source would have seen it. */
function couldHaveSeen(record: DeviceRecord, banned: ReadonlySet<string>): boolean {
  switch (record.appsScope) {
    case "all":
      return true;
    case "asked-only": {
      const asked = new Set(record.appsAsked.map((id) => id.toLowerCase()));
      return [...banned].every((id) => asked.has(id));
    }
    case "managed-only":
    case "work-profile":
    case "none":
    case undefined:
      return false;
  }
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
