/** Why a device is judged as it is: what was looked at, how old it is, what each rule says, and what will change it. */
import type { Policy } from "../policy/campaign.ts";
import { waveFor, waveForEverybody } from "../policy/audience.ts";
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import { judge } from "../policy/judge.ts";
import { parsePerson } from "../policy/person.ts";
import type { Person } from "../policy/person.ts";
import { scheduleOf } from "../policy/phase.ts";
import type { Ruling, Verdict } from "../policy/verdict.ts";

export interface ExplanationQuestion {
  /** The spellings that were looked up, in their order. */
  readonly tried: readonly DeviceId[];
  /** The one that led to a record, else the first. */
  readonly id: DeviceId;
  readonly record: DeviceRecord | undefined;
  /** Undefined: the owner of the record. */
  readonly person: string | undefined;
  readonly policy: Policy;
  readonly policyVersion: number | undefined;
  readonly at: Date;
}

export interface Explanation {
  readonly tried: readonly DeviceId[];
  readonly id: DeviceId;
  readonly at: Date;
  readonly person: string | undefined;
  readonly policyVersion: number | undefined;
  readonly record: DeviceRecord | undefined;
  /** Milliseconds before `at`; undefined where that part was never reported. */
  readonly ages: { readonly device: number | undefined; readonly apps: number | undefined };
  readonly verdict: Verdict;
  /** Every campaign, those too that say nothing about the device. */
  readonly campaigns: readonly CampaignExplanation[];
  /** Rulings of the policy itself. */
  readonly general: readonly Ruling[];
  /** The next verdict that time alone makes another one, or one for another reason; undefined where it never does. */
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
  readonly rulings: readonly Ruling[];
}

export function explain(question: ExplanationQuestion): Explanation {
  const { record, policy, at } = question;
  const name = question.person ?? record?.owner ?? record?.email;
  const person = name === undefined ? undefined : parsePerson(name);
  const verdict = judgedAt(question, person, at);
  return {
    tried: question.tried,
    id: question.id,
    at,
    person: name,
    policyVersion: question.policyVersion,
    record,
    ages: { device: ageOf(record?.deviceAt, at), apps: ageOf(record?.appsAt, at) },
    verdict,
    campaigns: policy.campaigns.map((campaign) => ofCampaign(campaign, question, verdict)),
    general: (verdict.rulings ?? []).filter(({ campaign }) => campaign === undefined),
    next: nextAfter(verdict, (moment) => judgedAt(question, person, moment)),
  };
}

/** Reminders come and go without another verdict; a policy has few of them, and what is further away can be asked for. */
const MOMENTS_LIMIT = 100;

function nextAfter(verdict: Verdict, judgedThen: (moment: Date) => Verdict): Explanation["next"] {
  let at = verdict.changesAt;
  for (let count = 0; at !== undefined && count < MOMENTS_LIMIT; count += 1) {
    const then = judgedThen(at);
    if (outcomeOf(then) !== outcomeOf(verdict)) return { at, verdict: then };
    at = then.changesAt;
  }
  return undefined;
}

function outcomeOf({ action, reason, state, demands }: Verdict): string {
  return JSON.stringify([action, reason, state, demands.length > 0]);
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
    rulings: rulings.filter((ruling) => ruling.campaign === campaign.id),
  };
}

function ageOf(reportedAt: Date | undefined, at: Date): number | undefined {
  return reportedAt === undefined ? undefined : at.getTime() - reportedAt.getTime();
}
