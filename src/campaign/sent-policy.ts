/** A policy as it goes to another thread. Only the times on owners' clocks are more than data: they are made anew there. */
import type { Campaign, Policy, Wave } from "../policy/campaign.ts";
import { ownerLocal } from "../policy/moment.ts";
import type { Moment } from "../policy/moment.ts";

export interface SentPolicy extends Omit<Policy, "campaigns"> {
  readonly campaigns: readonly SentCampaign[];
}

interface SentCampaign extends Omit<Campaign, "waves"> {
  readonly waves: readonly [SentWave, ...SentWave[]];
}

interface SentWave extends Pick<Wave, "audience"> {
  readonly announce: SentMoment | undefined;
  readonly deadline: SentMoment | undefined;
}

type SentMoment = Extract<Moment, { kind: "instant" }> | Omit<Extract<Moment, { kind: "owner-local" }>, "instantIn">;

export function sendPolicy(policy: Policy): SentPolicy {
  return {
    ...policy,
    campaigns: policy.campaigns.map((campaign) => ({ ...campaign, waves: ofWaves(campaign.waves, sendMoment) })),
  };
}

export function receivePolicy(sent: SentPolicy): Policy {
  return {
    ...sent,
    campaigns: sent.campaigns.map((campaign) => ({ ...campaign, waves: ofWaves(campaign.waves, receiveMoment) })),
  };
}

interface Times<T> extends Pick<Wave, "audience"> {
  readonly announce: T | undefined;
  readonly deadline: T | undefined;
}

function ofWaves<From, To>(
  [first, ...rest]: readonly [Times<From>, ...Times<From>[]],
  convert: (moment: From) => To,
): readonly [Times<To>, ...Times<To>[]] {
  const ofWave = ({ audience, announce, deadline }: Times<From>): Times<To> => ({
    audience,
    announce: announce === undefined ? undefined : convert(announce),
    deadline: deadline === undefined ? undefined : convert(deadline),
  });
  return [ofWave(first), ...rest.map(ofWave)];
}

function sendMoment(moment: Moment): SentMoment {
  if (moment.kind === "instant") return moment;
  const { kind, wall, fallbackZone } = moment;
  return { kind, wall, fallbackZone };
}

function receiveMoment(sent: SentMoment): Moment {
  return sent.kind === "instant" ? sent : ownerLocal(sent.wall, sent.fallbackZone);
}
