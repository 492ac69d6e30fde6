/** Why a device is judged as it is: what was looked at, how old it is, what each rule says, and what will change it. */
import type { Policy } from "../policy/campaign.ts";
import { waveFor, waveForEverybody } from "../policy/audience.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import { judge } from "../policy/judge.ts";
import { parsePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import { scheduleOf } from "../policy/phase.ts";
import type { Grace } from "../policy/phase.ts";
import type { Ruling, Verdict } from "../policy/verdict.ts";
import type { LastRequest } from "../store/store.ts";

export interface ExplanationQuestion {
  /** The spellings that were looked up, in their order. */
  readonly tried: readonly DeviceId[];
  /** The one that led to a record, else the first. */
  readonly id: DeviceId;
  readonly record: DeviceRecord | undefined;
  /** Undefined: the owner of the record, else whoever asked last. */
  readonly person: string | undefined;
  readonly policy: Policy;
  readonly policyPlace: "configuration" | "store" | "nowhere";
  readonly policyVersion: number | undefined;
  /** The newest first. */
  readonly lastRequests: readonly LastRequest[];
  readonly at: Date;
}

export interface Explanation {
  /** What was asked last with the id, whatever the record says: the newest first. */
  readonly lastRequests: readonly LastRequest[];
  readonly tried: readonly DeviceId[];
  readonly id: DeviceId;
  readonly at: Date;
  readonly person: string | undefined;
  readonly policyPlace: ExplanationQuestion["policyPlace"];
  readonly policyVersion: number | undefined;
  readonly record: DeviceRecord | undefined;
  /** Milliseconds before `at`; undefined where that part was never reported. */
  readonly ages: { readonly [part in "device" | "apps" | "enrolled"]: number | undefined };
  readonly verdict: Verdict;
  /** Every campaign, those too that say nothing about the device. */
  readonly campaigns: readonly CampaignExplanation[];
  /** Rulings of the policy itself. */
  readonly general: readonly Ruling[];
  /** The first moment at which time alone makes it another verdict, as far as one can see; undefined where it never does. */
  readonly next: { readonly at: Date; readonly verdict: Verdict } | undefined;
}

export interface CampaignExplanation {
  readonly id: string;
  readonly title: string;
  readonly mode: string;
  /** The number of the wave, from 1; undefined where the device belongs to none. */
  readonly wave: number | undefined;
  readonly phase: "scheduled" | "announced" | "enforced" | undefined;
  readonly enforcedFrom: Date | undefined;
  /** Why it is later for this device than for others. */
  readonly grace: Grace | undefined;
  readonly rulings: readonly Ruling[];
}

/** More moments than a phone has deadlines, reminders and ages of reports: then nobody would read on. */
const MOMENTS_LIMIT = 50;

export function explain(question: ExplanationQuestion): Explanation {
  const { record, policy, at, lastRequests } = question;
  const name = question.person ?? record?.owner ?? record?.email ?? (lastRequests[0]?.account || undefined);
  const person = name === undefined ? undefined : parsePerson(name);
  const verdict = judgedAt(question, person, at);
  return {
    lastRequests,
    tried: question.tried,
    id: question.id,
    at,
    person: name,
    policyPlace: question.policyPlace,
    policyVersion: question.policyVersion,
    record,
    ages: {
      device: ageOf(record?.deviceAt, at),
      apps: ageOf(record?.appsAt, at),
      enrolled: ageOf(record?.enrolledAt, at),
    },
    verdict,
    campaigns: policy.campaigns.map((campaign) => ofCampaign(campaign, question, verdict)),
    general: (verdict.rulings ?? []).filter(({ campaign }) => campaign === undefined),
    next: nextOf(question, person, verdict),
  };
}

/** A reminder, or one of two reasons that goes, is a moment too, and leaves the verdict as it is. */
function nextOf(question: ExplanationQuestion, person: Person | undefined, now: Verdict): Explanation["next"] {
  let verdict = now;
  for (let moment = 0; moment < MOMENTS_LIMIT; moment += 1) {
    const { changesAt } = verdict;
    if (changesAt === undefined) return undefined;
    verdict = judgedAt(question, person, changesAt);
    if (isAnother(now, verdict)) return { at: changesAt, verdict };
  }
  return undefined;
}

function isAnother(a: Verdict, b: Verdict): boolean {
  return a.action !== b.action || a.reason !== b.reason || a.demands.length > 0 !== b.demands.length > 0;
}

function judgedAt({ record, policy }: ExplanationQuestion, person: Person | undefined, at: Date): Verdict {
  return judge({ record, person, lastKnown: undefined }, policy, at);
}

function ofCampaign(
  campaign: Policy["campaigns"][number],
  { record, policy, at }: ExplanationQuestion,
  { rulings = [] }: Verdict,
): CampaignExplanation {
  const wave = record === undefined ? waveForEverybody(campaign) : waveFor(campaign, record, policy.homeDomains);
  const schedule = wave === undefined ? undefined : scheduleOf(campaign, wave, record, at);
  return {
    id: campaign.id,
    title: campaign.title,
    mode: campaign.mode,
    wave: wave === undefined ? undefined : campaign.waves.indexOf(wave) + 1,
    phase: schedule?.phase,
    enforcedFrom: schedule?.enforcedFrom,
    grace: schedule?.grace && { newcomer: schedule.grace.newcomer, since: schedule.grace.since },
    rulings: rulings.filter((ruling) => ruling.campaign === campaign.id),
  };
}

function ageOf(reportedAt: Date | undefined, at: Date): number | undefined {
  return reportedAt === undefined ? undefined : at.getTime() - reportedAt.getTime();
}
