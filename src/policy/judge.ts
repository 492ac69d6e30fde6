/** From facts to a verdict. Pure: the clock is an argument, and the same facts always give the same verdict. */
import { isOwner, waveFor, waveForEverybody } from "./audience.ts";
import type { Campaign, Leaning, Policy, Stances } from "./campaign.ts";
import type { DeviceRecord, Override } from "./device.ts";
import { exemptionFor } from "./exemption.ts";
import type { Exemption } from "./exemption.ts";
import type { Person } from "./person.ts";
import { scheduleOf } from "./phase.ts";
import type { Schedule } from "./phase.ts";
import { leaningOnUnknown, ofFaults, ofSource } from "./record-rulings.ts";
import type { LastKnown } from "./record-rulings.ts";
import { check } from "./requirement.ts";
import type { Requirement } from "./requirement.ts";
import type { CheckResult, Demand } from "./requirements/result.ts";
import { summarise } from "./summary.ts";
import { earlier, later } from "./time.ts";
import type { Finding, Ruling, Verdict } from "./verdict.ts";

export interface Facts {
  readonly record: DeviceRecord | undefined;
  /** Whose credential came with the request; undefined where the credential does not say. */
  readonly person: Person | undefined;
  /** What was decided about the device before, as far as it may still count. */
  readonly lastKnown: LastKnown;
}

const hourMs = 3_600_000;

export function judge(facts: Facts, policy: Policy, now: Date): Verdict {
  return summarise(
    facts.record === undefined ? rulingsOnStranger(facts, policy, now) : rulingsOn(facts.record, facts, policy, now),
  );
}

/** An operator's word comes first, then whose phone it is, then what is known of it. */
function rulingsOn(record: DeviceRecord, facts: Facts, policy: Policy, now: Date): Ruling[] {
  const override = inForce(record.override, now);
  const owned = belongsToPerson(record, facts.person, policy.homeDomains);
  // A blocked device is blocked for everybody, but why, and which it is, is told to its owner alone.
  if (override?.action === "block")
    return owned
      ? [ofOverride(override)]
      : [ofOverride({ ...override, why: undefined, who: undefined }), { ...notTheirs, action: "quarantine" }];
  const isContested = record.contested === true;
  if (!owned)
    return rulingsOnUnknown(isContested ? contested : notTheirs, { ...facts, record: undefined }, policy, now);
  const exempt = exemptionFor(policy.exemptions, undefined, facts, policy.homeDomains, now);
  const unreadable = ofFaults(record, policy.stances, facts.lastKnown);
  // An operator's word outranks what the source says, but not a record that cannot be read: the part that cannot be
  // read may be the very word that takes it back.
  if (override?.action === "allow" && unreadable === undefined) return [ofOverride(override)];
  if (exempt !== undefined && unreadable === undefined) return [ofExemption(exempt, undefined)];
  const unclear = unreadable === undefined ? [] : [unreadable];
  // What is known of it was true while it was managed; now it proves nothing, and excuses nobody.
  if (record.enrolled === false) return [...unclear, ...rulingsOnUnknown(notEnrolled, facts, policy, now)];
  return [
    ...unclear,
    ...(isContested ? [{ ...contested, action: leaningOnUnknown(policy.stances, facts.lastKnown) }] : []),
    ...ofSource(record, policy, now),
    ...ofAge(record, policy, now),
    ...policy.campaigns.flatMap((campaign) => ofCampaign(campaign, record, facts, policy, now)),
  ];
}

function rulingsOnStranger(facts: Facts, policy: Policy, now: Date): Ruling[] {
  return rulingsOnUnknown(notEnrolled, facts, policy, now);
}

type Unknown = Pick<Ruling, "state" | "reason" | "finding">;

/** No source knows it, or manages it any more. */
const notEnrolled: Unknown = { state: "not-enrolled", reason: "not-enrolled", finding: { kind: "not-enrolled" } };

/** Somebody else's phone, or one that only says so: what its record says is nobody's business, and excuses nobody. */
const notTheirs: Unknown = { state: "not-enrolled", reason: "owner-mismatch", finding: { kind: "owner-mismatch" } };

/** It may be the phone of either, so that what the record says is not shown to be true of this one. */
const contested: Unknown = { state: "unknown", reason: "id-contested", finding: { kind: "id-contested" } };

function rulingsOnUnknown(unknown: Unknown, facts: Facts, policy: Policy, now: Date): Ruling[] {
  const exempt = exemptionFor(policy.exemptions, undefined, facts, policy.homeDomains, now);
  if (exempt !== undefined) return [ofExemption(exempt, undefined)];
  return [
    { ...unknown, action: leaningOn(unknown, policy.stances, facts.lastKnown) },
    ...policy.campaigns.flatMap((campaign) => ofCampaignOnUnknown(campaign, unknown, facts, policy, now)),
  ];
}

function leaningOn({ state }: Unknown, stances: Stances, lastKnown: LastKnown): Ruling["action"] {
  return state === "unknown" ? leaningOnUnknown(stances, lastKnown) : stances.notEnrolled;
}

function ofCampaignOnUnknown(campaign: Campaign, unknown: Unknown, facts: Facts, policy: Policy, now: Date): Ruling[] {
  const { record, lastKnown } = facts;
  if (isSilent(campaign)) return [];
  const wave = record === undefined ? waveForEverybody(campaign) : waveFor(campaign, record, policy.homeDomains);
  if (wave === undefined) return [];
  const exempt = exemptionFor(policy.exemptions, campaign.id, facts, policy.homeDomains, now);
  if (exempt !== undefined) return [ofExemption(exempt, campaign)];
  const schedule = scheduleOf(campaign, wave, record, now);
  const { id, title, stances } = campaign;
  const asksForIt = unknown.reason === "not-enrolled" && campaign.requirements.some(({ kind }) => kind === "enrolled");
  const finding: Finding | undefined = asksForIt
    ? { kind: "not-enrolled-for", campaign: id, title, deadline: schedule.deadline }
    : unknown.finding;
  return [inCampaign({ ...unknown, action: leaningOn(unknown, stances, lastKnown), finding }, campaign, schedule)];
}

function isSilent({ mode }: Campaign): boolean {
  return mode === "paused" || mode === "retracted";
}

function inForce(override: Override | undefined, now: Date): Override | undefined {
  return override?.until !== undefined && override.until <= now ? undefined : override;
}

function ofOverride(override: Override): Ruling {
  if (override.action === "allow") {
    return {
      action: "allow",
      state: "compliant",
      reason: "override-allow",
      changesAt: override.until,
      holdsUntil: override.until,
    };
  }
  return {
    action: "block",
    state: "non-compliant",
    reason: "override-block",
    finding: { kind: "override", why: override.why, who: override.who },
    changesAt: override.until,
  };
}

function ofExemption({ id, until }: Exemption, campaign: Campaign | undefined): Ruling {
  return {
    action: "allow",
    state: "compliant",
    reason: "exempted",
    campaign: campaign?.id,
    exemption: id,
    changesAt: until,
    holdsUntil: until,
    shadow: campaign?.mode === "shadow",
  };
}

/**
 * A device id is a name that a client chooses, not a proof. A record that names its owner says nothing about a phone that
 * presents the same id with somebody else's credential, or with one that names nobody.
 */
export function belongsToPerson(
  record: DeviceRecord,
  person: Person | undefined,
  homeDomains: readonly string[],
): boolean {
  if (record.owner === undefined && record.email === undefined) return true;
  return person !== undefined && isOwner(record, person, homeDomains);
}

function ofAge(record: DeviceRecord, policy: Policy, now: Date): Ruling[] {
  const reportedAt = later(record.deviceAt, record.appsAt);
  const ruling = reportedAt === undefined ? undefined : ofReportAge(reportedAt, policy, policy.stances.stale, now);
  return ruling === undefined ? [] : [ruling];
}

/** Undefined where nothing is to be said about the age, now or later. */
function ofReportAge(reportedAt: Date, policy: Policy, stance: Leaning, now: Date): Ruling | undefined {
  const staleAt = new Date(reportedAt.getTime() + policy.maxReportAgeHours * hourMs);
  if (now < staleAt) {
    // Only worth an event when the stance then makes a difference.
    return stance === "allow"
      ? undefined
      : { action: "allow", state: "compliant", reason: "report-recent", changesAt: staleAt, holdsUntil: staleAt };
  }
  const finding: Finding = { kind: "stale", reportedAt, maxAgeHours: policy.maxReportAgeHours };
  return { action: stance, state: "stale", reason: "stale", finding };
}

function ofCampaign(campaign: Campaign, record: DeviceRecord, facts: Facts, policy: Policy, now: Date): Ruling[] {
  const wave = isSilent(campaign) ? undefined : waveFor(campaign, record, policy.homeDomains);
  if (wave === undefined) return [];
  const exempt = exemptionFor(policy.exemptions, campaign.id, facts, policy.homeDomains, now);
  if (exempt !== undefined) return [ofExemption(exempt, campaign)];
  const schedule = scheduleOf(campaign, wave, record, now);
  const demand: Demand = { campaign: campaign.id, title: campaign.title, deadline: schedule.deadline };
  return campaign.requirements.flatMap((requirement) =>
    ofRequirement(requirement, record, demand, campaign, policy, now).map((ruling) =>
      inCampaign(ruling, campaign, schedule),
    ),
  );
}

function ofRequirement(
  requirement: Requirement,
  record: DeviceRecord,
  demand: Demand,
  campaign: Campaign,
  policy: Policy,
  now: Date,
): Ruling[] {
  const result = check(requirement, record, demand, now);
  switch (result.kind) {
    case "not-concerned":
      return [];
    case "failed":
      return [{ action: "quarantine", state: "non-compliant", reason: result.reason, finding: result.finding }];
    case "cannot-tell":
      return [
        {
          action: campaign.stances.uninspectable,
          state: "uninspectable",
          reason: "uninspectable",
          finding: { kind: "uninspectable", ...demand, unseen: result.unseen },
        },
      ];
    case "met":
      return ofMet(result, campaign, policy, now);
  }
}

/** An old list shows what was there then. Whether the app is there now it cannot say. */
function ofMet(result: Extract<CheckResult, { kind: "met" }>, campaign: Campaign, policy: Policy, now: Date): Ruling[] {
  const { reason, shownAt, until } = result;
  const age = shownAt === undefined ? undefined : ofReportAge(shownAt, policy, campaign.stances.stale, now);
  if (age?.reason === "stale") return [age];
  const changesAt = earlier(until, age?.changesAt);
  return [{ action: "allow", state: "compliant", reason, changesAt, holdsUntil: changesAt }];
}

/** Before its deadline a rule says what it will say: mail flows, and the notice is there. Before it is announced: nothing. */
function inCampaign(ruling: Ruling, campaign: Campaign, schedule: Schedule): Ruling {
  const { phase, enforcedFrom } = schedule;
  const asked: Ruling = {
    ...ruling,
    campaign: campaign.id,
    phase,
    enforcedFrom,
    changesAt: earlier(ruling.changesAt, schedule.changesAt),
    shadow: campaign.mode === "shadow",
  };
  if (ruling.action === "allow") return asked;
  // Without a deadline the announcement is the moment.
  const holdsUntil = ruling.action === "quarantine" ? (enforcedFrom ?? schedule.changesAt) : undefined;
  switch (phase) {
    case "scheduled":
      return { ...asked, action: "allow", state: "compliant", holdsUntil };
    case "announced":
      return ruling.action === "quarantine"
        ? { ...asked, holdsUntil, action: "warn", state: "in-grace", reason: "in-grace", reminders: schedule.reminders }
        : asked;
    case "enforced":
      return asked;
  }
}
