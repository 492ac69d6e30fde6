/** What a campaign cuts, as one word: the same on every node and after every reading, and another as soon as it asks for something else. */
import { createHash } from "node:crypto";
import type { Campaign } from "../policy/campaign.ts";

/** Who is told when, in which words, and whether it only looks on, does not change whom it would cut. */
export function fingerprintOf({ requirements, waves, graceHours, stances }: Campaign): string {
  const text = JSON.stringify([requirements, waves, graceHours, stances], (_key, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
