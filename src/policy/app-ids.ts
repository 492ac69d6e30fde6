import type { Policy } from "./campaign.ts";

/**
 * Every app that a campaign speaks about, lower-case and in order. A paused campaign may go on at any time; one that was taken back
 * asks nothing any more.
 */
export function appIdsOf(policy: Pick<Policy, "campaigns">): readonly string[] {
  return [...new Set(writtenAppIdsOf(policy).map((id) => id.toLowerCase()))].toSorted();
}

/** The same as campaigns spell them: phones of Apple compare with case when they are asked about single apps. */
export function writtenAppIdsOf({ campaigns }: Pick<Policy, "campaigns">): readonly string[] {
  const ids = new Set<string>();
  for (const { mode, requirements } of campaigns) {
    if (mode === "retracted") continue;
    for (const requirement of requirements) {
      if (requirement.kind !== "absent") continue;
      for (const platformIds of requirement.ids.values()) for (const id of platformIds) ids.add(id);
    }
  }
  return [...ids].toSorted();
}
