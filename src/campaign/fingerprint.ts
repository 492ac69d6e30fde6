/** What a campaign cuts, as one word: the same on every node and after every reading, and another as soon as it asks for something else. */
import { createHash } from "node:crypto";
import type { Campaign } from "../policy/campaign.ts";

/** Who is told when, in which words, and whether it only looks on, does not change whom it would cut. */
export function fingerprintOf({ requirements, waves, graceHours, graceFor, stances }: Campaign): string {
  // What is as it was before there was a choice keeps its word.
  const grace = graceHours === 0 || graceFor.join() === "newly-enrolled" ? graceHours : [graceHours, ...graceFor];
  const text = JSON.stringify([requirements, waves, grace, stances], (_key, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
