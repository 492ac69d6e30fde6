/** A campaign that is taken back and applied anew begins a new run: whoever was told in the one before is told again. */
import { idOf, modeOf } from "../campaign/ledger.ts";
import type { PolicyVersion } from "../store/store.ts";

/**
 * The version by which the campaign was last taken back before it was applied as it is now, or 0. While it is retracted, the
 * run is the one that this has ended.
 *
 * @param history every version, the newest first.
 */
export function runOf(history: readonly PolicyVersion[], id: string): number {
  const isRetracted = ({ campaigns }: PolicyVersion): boolean =>
    campaigns.some((campaign) => idOf(campaign) === id && modeOf(campaign) === "retracted");
  const first = history.findIndex((version) => !isRetracted(version));
  if (first < 0) return 0;
  const before = history.slice(first).findIndex(isRetracted);
  // The newest retracted version may be followed by others that left it as it was; the oldest of them is the act.
  if (before < 0) return 0;
  const retracted = history.slice(first + before);
  const since = retracted.findIndex((version) => !isRetracted(version));
  return (since < 0 ? retracted.at(-1) : retracted[since - 1])?.version ?? 0;
}
