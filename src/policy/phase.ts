/** When a campaign speaks to a device, and when it is enforced. */
import type { Campaign, Wave } from "./campaign.ts";
import type { DeviceRecord } from "./device.ts";
import { instantOf } from "./moment.ts";
import { earlier, later } from "./time.ts";
import type { Phase } from "./verdict.ts";

/** The times of one campaign for one device. */
export interface Schedule {
  readonly phase: Phase;
  /** The last minute in which mail flows; undefined where there is none. */
  readonly deadline: Date | undefined;
  readonly enforcedFrom: Date | undefined;
  /** When time alone changes the phase, or another reminder is due. */
  readonly changesAt: Date | undefined;
  /** How many reminders are due. */
  readonly reminders: number;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;

/** @param record undefined for a device that nobody reported: it has no zone, and no grace. */
export function scheduleOf(campaign: Campaign, wave: Wave, record: DeviceRecord | undefined, now: Date): Schedule {
  const zone = record?.timezone;
  const announce = wave.announce === undefined ? undefined : instantOf(wave.announce, zone);
  const announced = wave.deadline === undefined ? undefined : instantOf(wave.deadline, zone);
  const deadline = announced === undefined ? undefined : withGrace(announced, campaign, record);
  // Inclusive: the notice names a minute, and that minute still belongs to the owner.
  const enforcedFrom = deadline === undefined ? undefined : new Date(deadline.getTime() + minuteMs);
  if (announce !== undefined && now < announce) {
    return { phase: "scheduled", deadline, enforcedFrom, changesAt: announce, reminders: 0 };
  }
  if (enforcedFrom === undefined || now >= enforcedFrom) {
    return { phase: "enforced", deadline, enforcedFrom, changesAt: undefined, reminders: 0 };
  }
  const reminders = remindersOf(campaign, deadline);
  const next = reminders.find((at) => at > now);
  return {
    phase: "announced",
    deadline,
    enforcedFrom,
    changesAt: earlier(next, enforcedFrom),
    reminders: reminders.filter((at) => at <= now).length,
  };
}

/** A phone that was enrolled shortly before the deadline has the same time as everybody had. */
function withGrace(deadline: Date, { graceHours }: Campaign, record: DeviceRecord | undefined): Date {
  const { enrolledAt } = record ?? {};
  if (graceHours === 0 || enrolledAt === undefined) return deadline;
  // To the minute, as a deadline is.
  const ends = Math.ceil((enrolledAt.getTime() + graceHours * hourMs) / minuteMs) * minuteMs;
  return later(deadline, new Date(ends)) ?? deadline;
}

/** The instants at which people are reminded, the first first. */
export function remindersOf({ remindMinutes }: Campaign, deadline: Date | undefined): readonly Date[] {
  if (deadline === undefined) return [];
  return remindMinutes.toSorted((a, b) => b - a).map((minutes) => new Date(deadline.getTime() - minutes * minuteMs));
}
