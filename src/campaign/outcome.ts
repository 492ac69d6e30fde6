/** What a policy that is not in force yet would do to one phone. Pure: the clock is an argument. */
import { waveFor, waveForEverybody } from "../policy/audience.ts";
import type { Campaign, Policy, Wave } from "../policy/campaign.ts";
import type { DeviceRecord } from "../policy/device.ts";
import { effectOf } from "../policy/effect.ts";
import type { Effect } from "../policy/effect.ts";
import { judge } from "../policy/judge.ts";
import type { Person } from "../policy/person.ts";
import { scheduleOf } from "../policy/phase.ts";
import type { Reason, Ruling, Verdict } from "../policy/verdict.ts";

export interface PolicyStep {
  readonly before: Policy;
  readonly after: Policy;
  /** Campaigns of `after` that are looked at. */
  readonly about: readonly string[];
}

export interface Outcome {
  readonly campaign: string;
  /** Which wave of the campaign speaks about the phone, from 0. */
  readonly wave: number;
  /** What it comes to, at the phone's deadline where one lies ahead. */
  readonly effect: Effect;
  /** With `cut`: when the mail stops. Undefined: at once. */
  readonly from: Date | undefined;
  /** The deadline is later than the wave's: the phone was enrolled shortly before it. */
  readonly isGraced: boolean;
  /** Whether the person is told now. */
  readonly isWarnedNow: boolean;
  /** With `cut`: whether the mail is kept back today already. */
  readonly isCutToday: boolean;
  readonly reason: Ruling["reason"];
}

export type OutcomesOf = (record: DeviceRecord | undefined, person: Person | undefined) => readonly Outcome[];

/** A campaign that looks on only is looked at as if it were enforced: that is what one wants to know before it is. */
export function createOutcomes({ before, after, about }: PolicyStep, now: Date): OutcomesOf {
  const campaigns = after.campaigns.map((campaign): Campaign =>
    about.includes(campaign.id) && campaign.mode === "shadow" ? { ...campaign, mode: "enforce" } : campaign,
  );
  const enforced: Policy = { ...after, campaigns };
  const examined = campaigns.filter(({ id, mode }) => about.includes(id) && mode === "enforce");

  return function outcomesOf(record, person): readonly Outcome[] {
    const outcomes: Outcome[] = [];
    let nowVerdict: Verdict | undefined;
    let cutToday: boolean | undefined;
    for (const campaign of examined) {
      const wave = record === undefined ? waveForEverybody(campaign) : waveFor(campaign, record, after.homeDomains);
      if (wave === undefined) continue;
      nowVerdict ??= judge({ record, person, lastKnown: undefined }, enforced, now);
      const outcome = outcomeIn(campaign, wave, record, person, nowVerdict.rulings ?? []);
      if (outcome.effect === "cut") cutToday ??= isCut(judge({ record, person, lastKnown: undefined }, before, now));
      outcomes.push({ ...outcome, isCutToday: outcome.effect === "cut" && cutToday === true });
    }
    return outcomes;
  };

  function outcomeIn(
    campaign: Campaign,
    wave: Wave,
    record: DeviceRecord | undefined,
    person: Person | undefined,
    rulings: readonly Ruling[],
  ): Omit<Outcome, "isCutToday"> {
    const effect = effectOf(rulings, campaign.id);
    const { enforcedFrom } = scheduleOf(campaign, wave, record, now);
    const base = {
      campaign: campaign.id,
      wave: campaign.waves.indexOf(wave),
      from: undefined,
      isGraced: false,
      isWarnedNow: effect === "warned",
    };
    const isSettled =
      effect === "cut" ||
      effect === "held" ||
      enforcedFrom === undefined ||
      enforcedFrom <= now ||
      // Whoever fulfils all of it fulfils it then: nothing is judged twice of the many.
      (effect === "clean" &&
        !rulings.some((ruling) => ruling.campaign === campaign.id && ruling.finding !== undefined));
    if (isSettled) return { ...base, effect, reason: reasonIn(rulings, campaign.id) };
    const reporting =
      record === undefined ? undefined : goingOnReporting(record, enforcedFrom.getTime() - now.getTime());
    const later = judge({ record: reporting, person, lastKnown: undefined }, enforced, enforcedFrom).rulings ?? [];
    const reason = reasonIn(later, campaign.id);
    if (effectOf(later, campaign.id) !== "cut") return { ...base, effect, reason };
    const announced = scheduleOf({ ...campaign, graceHours: 0 }, wave, record, now).enforcedFrom;
    return {
      ...base,
      effect: "cut",
      reason,
      from: enforcedFrom,
      isGraced: announced?.getTime() !== enforcedFrom.getTime(),
    };
  }
}

/** Whoever reports today will have reported again by then; otherwise every report would be too old for a deadline next week. */
function goingOnReporting(record: DeviceRecord, ms: number): DeviceRecord {
  const moved = (at: Date | undefined): Date | undefined => at && new Date(at.getTime() + ms);
  return { ...record, deviceAt: moved(record.deviceAt), appsAt: moved(record.appsAt) };
}

function isCut({ action }: Verdict): boolean {
  return action === "quarantine" || action === "block";
}

/** The weightiest word of the campaign, or of what outranks it. */
function reasonIn(rulings: readonly Ruling[], campaign: string): Outcome["reason"] {
  const unreadable: Reason = "record-unreadable";
  const fallback = rulings.find((ruling) => ruling.campaign === undefined)?.reason ?? "compliant";
  if (fallback === unreadable) return unreadable;
  return rulings.find((ruling) => ruling.campaign === campaign)?.reason ?? fallback;
}
