/** From facts to a verdict. Pure: the clock is an argument, and the same facts always give the same verdict. */
import { checkAbsent } from "./absent.ts";
import { isOwner, waveFor, waveForEverybody } from "./audience.ts";
import type { Campaign, Policy, Stances } from "./campaign.ts";
import type { DeviceRecord, Override } from "./device.ts";
import type { Person } from "./person.ts";
import type { Requirement } from "./requirement.ts";
import { reasons } from "./verdict.ts";
import type { ComplianceState, Finding, Reason, Verdict } from "./verdict.ts";

export interface Facts {
  readonly record: DeviceRecord | undefined;
  /** Whose credential came with the request; undefined where the credential does not say. */
  readonly person: Person | undefined;
  /** What was decided about the device before, as far as it may still count. */
  readonly lastKnown: "allow" | "quarantine" | "block" | undefined;
}

/** One thing that one rule says about the device. The strictest of them is the verdict. */
interface Opinion {
  readonly action: "allow" | "warn" | "quarantine" | "block";
  readonly state: ComplianceState;
  readonly reason: Reason;
  readonly finding?: Finding;
  readonly changesAt?: Date | undefined;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;

export function judge(facts: Facts, policy: Policy, now: Date): Verdict {
  return summarise(
    facts.record === undefined ? opinionsOfStranger(policy, now) : opinionsOf(facts.record, facts, policy, now),
  );
}

/** The verdict of a set of opinions: the strictest action, the weightiest reason, every finding. */
function summarise(opinions: readonly Opinion[]): Verdict {
  const ordered = opinions.toSorted((a, b) => weight(a) - weight(b));
  const [first] = ordered;
  const changes = opinions.flatMap(({ changesAt }) => changesAt ?? []).map((at) => at.getTime());
  return {
    action: first === undefined || first.action === "warn" ? "allow" : first.action,
    state: first?.state ?? "compliant",
    reason: first?.reason ?? "compliant",
    findings: ordered.flatMap(({ finding }) => finding ?? []),
    demands: ordered.flatMap(({ action, finding }) => (action === "allow" ? [] : (finding ?? []))),
    changesAt: changes.length === 0 ? undefined : new Date(Math.min(...changes)),
  };
}

const actionWeight = { block: 0, quarantine: 1, warn: 2, allow: 3 } as const;

/** The strictest first. */
const leanings = ["quarantine", "warn", "allow"] as const;

function weight({ action, reason }: Opinion): number {
  return actionWeight[action] * reasons.length + reasons.indexOf(reason);
}

function opinionsOfStranger(policy: Policy, now: Date): Opinion[] {
  const stances = [policy.stances.notEnrolled];
  let changesAt: Date | undefined;
  for (const campaign of policy.campaigns) {
    const wave = waveForEverybody(campaign);
    if (wave === undefined) continue;
    if (isEnforced(wave.deadline, now)) stances.push(campaign.stances.notEnrolled);
    else if (campaign.stances.notEnrolled !== "allow") changesAt = earlier(changesAt, enforcedFrom(wave.deadline));
  }
  const action = leanings.find((leaning) => stances.includes(leaning)) ?? "allow";
  return [{ action, state: "not-enrolled", reason: "not-enrolled", finding: { kind: "not-enrolled" }, changesAt }];
}

function opinionsOf(record: DeviceRecord, facts: Facts, policy: Policy, now: Date): Opinion[] {
  const override = inForce(record.override, now);
  const owned = belongsToPerson(record, facts.person, policy.homeDomains);
  // A blocked device is blocked for everybody, but why is told to its owner alone.
  if (override?.action === "block")
    return [ofOverride(owned ? override : { ...override, why: undefined, who: undefined })];
  if (!owned) return [ofOwnerMismatch(policy)];
  const unreadable = ofFaults(record, policy.stances, facts.lastKnown);
  // An operator's word outranks what the source says, but not a record that cannot be read: the part that cannot be
  // read may be the very word that takes it back.
  if (override?.action === "allow" && unreadable === undefined) return [ofOverride(override)];
  return [
    ...(unreadable === undefined ? [] : [unreadable]),
    ...ofSource(record),
    ...ofAge(record, policy, now),
    ...policy.campaigns.flatMap((campaign) => ofCampaign(campaign, record, policy, now)),
  ];
}

function inForce(override: Override | undefined, now: Date): Override | undefined {
  return override?.until !== undefined && override.until <= now ? undefined : override;
}

function ofOverride(override: Override): Opinion {
  if (override.action === "allow") {
    return { action: "allow", state: "compliant", reason: "override-allow", changesAt: override.until };
  }
  return {
    action: "block",
    state: "non-compliant",
    reason: "override-block",
    finding: { kind: "override", why: override.why, who: override.who },
    changesAt: override.until,
  };
}

/**
 * A device id is a name that a client chooses, not a proof. A record that names its owner says nothing about a phone that
 * presents the same id with somebody else's credential, or with one that names nobody.
 */
function belongsToPerson(record: DeviceRecord, person: Person | undefined, homeDomains: readonly string[]): boolean {
  if (record.owner === undefined && record.email === undefined) return true;
  return person !== undefined && isOwner(record, person, homeDomains);
}

function ofOwnerMismatch(policy: Policy): Opinion {
  return {
    action: policy.stances.notEnrolled,
    state: "not-enrolled",
    reason: "owner-mismatch",
    finding: { kind: "owner-mismatch" },
  };
}

/** Fields without which a verdict would be a guess. The others (model, locale …) only serve the notice. */
const decidingFields: ReadonlySet<string> = new Set([
  "owner",
  "email",
  "groups",
  "region",
  "platform",
  "ownership",
  "appsScope",
  "apps",
  "appsAsked",
  "appsAt",
  "deviceAt",
  "compliance",
  "override",
]);

function ofFaults(record: DeviceRecord, stances: Stances, lastKnown: Facts["lastKnown"]): Opinion | undefined {
  const fields = record.faults.map(({ field }) => field).filter((field) => decidingFields.has(field));
  if (fields.length === 0) return undefined;
  return {
    action: stances.unknown === "last-known" ? (lastKnown ?? "quarantine") : stances.unknown,
    state: "unknown",
    reason: "record-unreadable",
    finding: { kind: "record-unreadable", fields },
  };
}

function ofSource(record: DeviceRecord): Opinion[] {
  if (record.compliance !== "noncompliant") return [];
  const finding: Finding = {
    kind: "source-noncompliant",
    reasons: record.reasons,
    foundAt: record.deviceAt,
    campaign: undefined,
    title: undefined,
    deadline: undefined,
  };
  return [{ action: "quarantine", state: "non-compliant", reason: "source-noncompliant", finding }];
}

function ofAge(record: DeviceRecord, policy: Policy, now: Date): Opinion[] {
  const reportedAt = later(record.deviceAt, record.appsAt);
  return reportedAt === undefined ? [] : ofReportAge(reportedAt, policy, policy.stances.stale, now);
}

function ofReportAge(reportedAt: Date, policy: Policy, stance: Stances["stale"], now: Date): Opinion[] {
  const staleAt = new Date(reportedAt.getTime() + policy.maxReportAgeHours * hourMs);
  if (now < staleAt) {
    // Only worth an event when the stance then makes a difference.
    return stance === "allow" ? [] : [{ action: "allow", state: "compliant", reason: "compliant", changesAt: staleAt }];
  }
  const finding: Finding = { kind: "stale", reportedAt, maxAgeHours: policy.maxReportAgeHours };
  return [{ action: stance, state: "stale", reason: "stale", finding }];
}

function ofCampaign(campaign: Campaign, record: DeviceRecord, policy: Policy, now: Date): Opinion[] {
  const wave = waveFor(campaign, record, policy.homeDomains);
  if (wave === undefined) return [];
  return campaign.requirements.flatMap((requirement) => {
    const opinions = ofRequirement(requirement, campaign, wave.deadline, record, policy, now);
    return isEnforced(wave.deadline, now) ? opinions : opinions.map((opinion) => inGrace(opinion, wave.deadline));
  });
}

/** Before its deadline a rule says what it will say: mail flows, and the notice is there. */
function inGrace(opinion: Opinion, deadline: Date | undefined): Opinion {
  if (opinion.action === "allow" || opinion.action === "warn") return opinion;
  return {
    ...opinion,
    action: "warn",
    state: "in-grace",
    reason: "in-grace",
    changesAt: earlier(opinion.changesAt, enforcedFrom(deadline)),
  };
}

function ofRequirement(
  requirement: Requirement,
  campaign: Campaign,
  deadline: Date | undefined,
  record: DeviceRecord,
  policy: Policy,
  now: Date,
): Opinion[] {
  const { id, title, stances } = campaign;
  const result = checkAbsent(requirement, record);
  switch (result.kind) {
    case "not-concerned":
      return [];
    case "present": {
      const { app } = result;
      const finding: Finding = {
        kind: "app-present",
        campaign: id,
        title,
        appName: requirement.name,
        app,
        foundAt: record.appsAt,
        deadline,
      };
      return [{ action: "quarantine", state: "non-compliant", reason: "app-present", finding }];
    }
    case "cannot-tell": {
      const unseen = { kind: "app", name: requirement.name } as const;
      const finding: Finding = { kind: "uninspectable", campaign: id, title, unseen, deadline };
      return [{ action: stances.uninspectable, state: "uninspectable", reason: "uninspectable", finding }];
    }
    case "absent":
      // An old list shows what was there then. Whether the app is there now it cannot say.
      return record.appsAt === undefined ? [] : ofReportAge(record.appsAt, policy, stances.stale, now);
  }
}

/** Inclusive: the notice names a minute, and that minute still belongs to the owner. */
function enforcedFrom(deadline: Date | undefined): Date | undefined {
  return deadline === undefined ? undefined : new Date(deadline.getTime() + minuteMs);
}

function isEnforced(deadline: Date | undefined, now: Date): boolean {
  const from = enforcedFrom(deadline);
  return from === undefined || now >= from;
}

function earlier(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

function later(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
