/** What a verdict comes to for one campaign: the word in which previews, counts and reports speak. */
import type { Ruling } from "./verdict.ts";

/**
 * `cut`: the campaign keeps the mail back. `warned`: mail flows, and the person is told. `clean`: nothing is held against the
 * phone, or not yet. `excused`: an exemption or an operator's word. `held`: the mail is kept back whatever the campaign says,
 * so that the campaign has no part in it.
 */
export const effects = ["cut", "warned", "clean", "excused", "held"] as const;
export type Effect = (typeof effects)[number];

export function effectOf(rulings: readonly Ruling[], campaign: string): Effect {
  let isExcused = false;
  let isHeld = false;
  let own: Effect | undefined;
  for (const ruling of rulings) {
    if (ruling.campaign === undefined) {
      isHeld ||= ruling.action === "quarantine" || ruling.action === "block";
      isExcused ||= ruling.reason === "exempted" || ruling.reason === "override-allow";
    } else if (ruling.campaign === campaign) {
      own = stronger(own, effectOfOwn(ruling));
    }
  }
  if (isHeld) return "held";
  return own ?? (isExcused ? "excused" : "clean");
}

/** Every campaign that has spoken about the device. */
export function campaignsIn(rulings: readonly Ruling[]): ReadonlyMap<string, { readonly isShadow: boolean }> {
  const campaigns = new Map<string, { readonly isShadow: boolean }>();
  for (const { campaign, shadow } of rulings)
    if (campaign !== undefined) campaigns.set(campaign, { isShadow: shadow === true });
  return campaigns;
}

/** No source knows the device, or knows it as somebody else's. */
export function isStranger(rulings: readonly Ruling[]): boolean {
  return rulings.some(({ state }) => state === "not-enrolled");
}

function effectOfOwn({ action, reason }: Ruling): Effect {
  switch (action) {
    case "quarantine":
    case "block":
      return "cut";
    case "warn":
      return "warned";
    case "allow":
      return reason === "exempted" ? "excused" : "clean";
  }
}

const weight: Readonly<Record<Effect, number>> = { held: 4, cut: 3, warned: 2, excused: 1, clean: 0 };

function stronger(a: Effect | undefined, b: Effect): Effect {
  return a !== undefined && weight[a] > weight[b] ? a : b;
}
