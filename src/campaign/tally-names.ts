/** Under which names the gates count what a campaign does, or would do while it only looks on. */
import type { Campaign } from "../policy/campaign.ts";
import { effects } from "../policy/effect.ts";
import type { Effect } from "../policy/effect.ts";
import type { Tally, TrafficStore } from "../store/store.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** A campaign that asks for something else has counts of its own: the old ones say nothing about it. */
export function tallyName(campaign: string, fingerprint: string, isShadow: boolean, effect: string): string {
  return `${campaign}:${fingerprint}:${isShadow ? "would-be" : "was"}:${effect}`;
}

/** Worked out once for each campaign of a policy: every decision asks for it. */
export function createFingerprints(): (campaign: Campaign) => string {
  const known = new WeakMap<Campaign, string>();
  return (campaign) => {
    const fingerprint = known.get(campaign) ?? fingerprintOf(campaign);
    known.set(campaign, fingerprint);
    return fingerprint;
  };
}

export type EffectTallies = Readonly<Record<Effect, Tally>>;

/** @throws StoreUnavailable */
export async function readEffects(
  store: Pick<TrafficStore, "readTallies">,
  campaign: Campaign,
  isShadow: boolean,
): Promise<EffectTallies> {
  const fingerprint = fingerprintOf(campaign);
  const tallies = await store.readTallies(
    effects.map((effect) => tallyName(campaign.id, fingerprint, isShadow, effect)),
  );
  const of = (effect: Effect): Tally => tallies[effects.indexOf(effect)] ?? { subjects: 0, decisions: 0 };
  return { cut: of("cut"), warned: of("warned"), clean: of("clean"), excused: of("excused"), held: of("held") };
}
