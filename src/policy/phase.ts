/** When a campaign speaks to a device, and when it is enforced. */
import type { Campaign, Newcomer, Policy, Wave } from "./campaign.ts";
import type { DeviceRecord } from "./device.ts";
import { instantOf } from "./moment.ts";
import { earlier } from "./time.ts";
import type { Phase } from "./verdict.ts";

/** The times of one campaign for one device. */
export interface Schedule {
  readonly phase: Phase;
  /** The last minute in which mail flows; undefined where there is none. */
  readonly deadline: Date | undefined;
  readonly enforcedFrom: Date | undefined;
  /** Why the deadline is later than the wave's; undefined where it is not. */
  readonly grace: Grace | undefined;
  /** When time alone changes the phase, or another reminder is due. */
  readonly changesAt: Date | undefined;
  /** How many reminders are due. */
  readonly reminders: number;
}

/** What made a device new, and when. */
export interface Grace {
  readonly newcomer: Newcomer;
  readonly since: Date;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;

/** @param record undefined for a device that nobody reported: it has no zone, and no grace. */
export function scheduleOf(campaign: Campaign, wave: Wave, record: DeviceRecord | undefined, now: Date): Schedule {
  const zone = record?.timezone;
  const announce = wave.announce === undefined ? undefined : instantOf(wave.announce, zone);
  const announced = wave.deadline === undefined ? undefined : instantOf(wave.deadline, zone);
  const grace = announced === undefined ? undefined : graceOf(announced, campaign, record);
  const deadline = grace?.ends ?? announced;
  // Inclusive: the notice names a minute, and that minute still belongs to the owner.
  const enforcedFrom = deadline === undefined ? undefined : new Date(deadline.getTime() + minuteMs);
  if (announce !== undefined && now < announce) {
    return { phase: "scheduled", deadline, enforcedFrom, grace, changesAt: announce, reminders: 0 };
  }
  if (enforcedFrom === undefined || now >= enforcedFrom) {
    return { phase: "enforced", deadline, enforcedFrom, grace, changesAt: undefined, reminders: 0 };
  }
  const reminders = remindersOf(campaign, deadline);
  const next = reminders.find((at) => at > now);
  return {
    phase: "announced",
    deadline,
    enforcedFrom,
    grace,
    changesAt: earlier(next, enforcedFrom),
    reminders: reminders.filter((at) => at <= now).length,
  };
}

/**
 * A phone that came shortly before the deadline, or after it, has the same time as everybody had. Only one with a record: an id
 * is a name that a client chooses, and another one is always new.
 */
function graceOf(
  deadline: Date,
  { graceHours, graceFor }: Campaign,
  record: DeviceRecord | undefined,
): (Grace & { readonly ends: Date }) | undefined {
  let latest: (Grace & { readonly ends: Date }) | undefined;
  for (const newcomer of graceHours === 0 ? [] : graceFor) {
    const since = sinceOf(newcomer, record);
    if (since === undefined) continue;
    // To the minute, as a deadline is.
    const ends = new Date(Math.ceil((since.getTime() + graceHours * hourMs) / minuteMs) * minuteMs);
    if (ends > (latest?.ends ?? deadline)) latest = { newcomer, since, ends };
  }
  return latest;
}

function sinceOf(newcomer: Newcomer, record: DeviceRecord | undefined): Date | undefined {
  switch (newcomer) {
    case "newly-enrolled":
      return record?.enrolledAt;
    case "newly-seen":
      return record?.firstSeenAt === "earlier" ? undefined : record?.firstSeenAt;
  }
}

/** Whether it matters when a device was seen first. */
export function asksWhenSeen({ campaigns }: Pick<Policy, "campaigns">): boolean {
  return campaigns.some(({ graceHours, graceFor }) => graceHours > 0 && graceFor.includes("newly-seen"));
}

/** The instants at which people are reminded, the first first. */
export function remindersOf({ remindMinutes }: Campaign, deadline: Date | undefined): readonly Date[] {
  if (deadline === undefined) return [];
  return remindMinutes.toSorted((a, b) => b - a).map((minutes) => new Date(deadline.getTime() - minutes * minuteMs));
}
