/** What a record itself says of a phone, whatever campaigns ask: that it cannot be read, or that its source holds something against it. */
import { waveFor } from "./audience.ts";
import type { Policy, Stances } from "./campaign.ts";
import type { DeviceRecord } from "./device.ts";
import { sourceWord } from "./requirements/source-compliant.ts";
import type { Finding, Ruling } from "./verdict.ts";

export type LastKnown = "allow" | "quarantine" | "block" | undefined;

/**
 * Fields without which every verdict would be a guess. Others count where a campaign asks for them (`osVersion`, `compromised`,
 * `timezone`, …): there they are unknown, and its stance decides. The rest only serves the notice.
 */
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
  "enrolled",
  "contested",
  "compliance",
  "complianceUntil",
  "override",
]);

export function ofFaults(record: DeviceRecord, stances: Stances, lastKnown: LastKnown): Ruling | undefined {
  const fields = record.faults.map(({ field }) => field).filter((field) => decidingFields.has(field));
  if (fields.length === 0) return undefined;
  return {
    action: leaningOnUnknown(stances, lastKnown),
    state: "unknown",
    reason: "record-unreadable",
    finding: { kind: "record-unreadable", fields },
  };
}

/** Nobody was ever let in by a record that says nothing certain; somebody who was is not put out by it. */
export function leaningOnUnknown(stances: Stances, lastKnown: LastKnown): Ruling["action"] {
  return stances.unknown === "last-known" ? (lastKnown ?? "quarantine") : stances.unknown;
}

/**
 * The source's own word counts at once, unless a campaign asks for it and so sets its time. One that was paused or taken
 * back still does: taking an order back must not be stricter than the order. What the source still gives time for is told.
 */
export function ofSource(record: DeviceRecord, policy: Policy, now: Date): Ruling[] {
  const word = sourceWord(record, now);
  if (word === undefined || word === "compliant" || isTaken(record, policy)) return [];
  const finding: Finding = {
    kind: "source-noncompliant",
    campaign: undefined,
    title: undefined,
    deadline: word === "in-grace" ? record.complianceUntil : undefined,
    reasons: record.reasons,
    foundAt: record.deviceAt,
  };
  if (word === "noncompliant")
    return [{ action: "quarantine", state: "non-compliant", reason: "source-noncompliant", finding }];
  const { complianceUntil: changesAt } = record;
  return [{ action: "warn", state: "in-grace", reason: "in-grace", finding, changesAt, holdsUntil: changesAt }];
}

function isTaken(record: DeviceRecord, policy: Policy): boolean {
  return policy.campaigns.some(
    (campaign) =>
      campaign.mode !== "shadow" &&
      campaign.requirements.some(({ kind }) => kind === "source-compliant") &&
      waveFor(campaign, record, policy.homeDomains) !== undefined,
  );
}
