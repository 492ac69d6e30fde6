/** One person, for some hours, from everything but a block: what a help desk does when somebody must read their mail now. */
import { randomBytes } from "node:crypto";
import { EVERY_CAMPAIGN } from "../config/policy-document.ts";

/** Longer is no emergency but an exemption, which somebody else decides about. */
export const BREAK_GLASS_LIMIT_HOURS = 72;

const hourMs = 3_600_000;
const minuteMs = 60_000;

export interface BreakGlass {
  readonly owner: string;
  /** 1 to BREAK_GLASS_LIMIT_HOURS. */
  readonly hours: number;
  readonly why: string;
  readonly by: string;
  readonly now: Date;
}

/** As it is written into the policy. */
export function breakGlassExemption({ owner, hours, why, by, now }: BreakGlass) {
  // To the minute, and never less than was said.
  const until = new Date(Math.ceil((now.getTime() + hours * hourMs) / minuteMs) * minuteMs);
  return {
    id: newExemptionId(),
    who: { owner },
    campaign: EVERY_CAMPAIGN,
    until: `${until.toISOString().slice(0, 16)}Z`,
    reason: why,
    by,
  };
}

export function newExemptionId(): string {
  return `x-${randomBytes(4).toString("hex")}`;
}
