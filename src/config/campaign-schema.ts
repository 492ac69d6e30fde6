/** Campaigns as they are written, and what they become. */
import * as z from "zod";
import { campaignModes, newcomers } from "../policy/campaign.ts";
import type { Guard, Stances } from "../policy/campaign.ts";
import { durationPattern, readDuration, readShare, sharePattern } from "./amounts.ts";
import { requirement } from "./requirement-schema.ts";
import { oneOrMany, text, whole, wording } from "./schema-parts.ts";
import { waves } from "./wave-schema.ts";
import { campaignNotice } from "./wording-schema.ts";

/** More than anybody runs at once; each of them is judged at every cache miss. */
const CAMPAIGNS_LIMIT = 100;
const REQUIREMENTS_LIMIT = 50;
/** Nobody reads more of them. */
const REMINDERS_LIMIT = 10;
/** 30 days before the deadline. */
const REMINDER_LIMIT_MINUTES = 30 * 1_440;
/** 90 days. */
const GRACE_LIMIT_MINUTES = 90 * 1_440;

export const stanceKeys = {
  "not-enrolled": z.enum(["allow", "warn", "quarantine"]).meta({
    description:
      "A device that no source has ever reported, or that belongs to somebody else than the person who asks.",
  }),
  stale: z.enum(["allow", "warn", "quarantine"]).meta({
    description: "A device whose newest report is older than inventory.maxReportAgeHours.",
  }),
  uninspectable: z.enum(["allow", "warn", "quarantine"]).meta({
    description: "A device whose source cannot see whether the app is there, such as a personal phone.",
  }),
  unknown: z.enum(["last-known", "allow", "warn", "quarantine"]).meta({
    description:
      "A device whose record cannot be read. last-known keeps what was decided before, and quarantines where nothing was.",
  }),
};

const campaignStance = z
  .strictObject({
    "not-enrolled": stanceKeys["not-enrolled"].optional(),
    stale: stanceKeys.stale.optional(),
    uninspectable: stanceKeys.uninspectable.optional(),
    unknown: stanceKeys.unknown.optional(),
  })
  .transform((written): Partial<Stances> => {
    const { "not-enrolled": notEnrolled, stale, uninspectable, unknown } = written;
    return {
      ...(notEnrolled === undefined ? {} : { notEnrolled }),
      ...(stale === undefined ? {} : { stale }),
      ...(uninspectable === undefined ? {} : { uninspectable }),
      ...(unknown === undefined ? {} : { unknown }),
    };
  })
  .prefault({})
  .meta({
    description: "Where this campaign leans another way than the stance of everybody. What is left out is inherited.",
  });

const reminder = text(readDuration(REMINDER_LIMIT_MINUTES), {
  description: "So long before the deadline, in minutes, hours or days; up to 30d.",
  examples: ["24h"],
  pattern: durationPattern,
});

const guard = z
  .strictObject({
    maxShare: text(readShare, {
      description: "At most this part of all devices with a record. Default: 100%.",
      examples: ["5%"],
      pattern: sharePattern,
    }).optional(),
    maxDevices: whole(1, 100_000_000, {
      description: "At most so many devices, 1 to 100000000. Default: no limit by number.",
    }).optional(),
    secondPerson: z
      .boolean()
      .meta({
        description:
          "The explicit yes must come from somebody else than whoever asked; only the admin API can tell them apart, so the " +
          "command line then refuses. Default: false.",
      })
      .optional(),
  })
  .transform(({ maxShare = 1, maxDevices = Infinity, secondPerson }): Guard => ({
    maxShare,
    maxDevices,
    ...(secondPerson === true && { secondPerson }),
  }))
  .meta({
    description:
      "How many phones the campaign may cut. Applying more needs a second, explicit yes; a campaign that comes to cut more " +
      "pauses itself.",
  });

const campaign = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, "must be 1 to 64 lower-case letters, digits and hyphens")
      .meta({
        description: "Names the campaign in commands, logs and the audit; no two have the same.",
        examples: ["tiktok"],
      }),
    title: wording({
      description: "What is asked, in one sentence for the person with the phone.",
      examples: ["TikTok is not permitted on phones that read company mail"],
    }),
    require: z
      .array(requirement)
      .min(1)
      .max(REQUIREMENTS_LIMIT)
      .meta({ description: `What must be true of a phone; all of it. 1 to ${REQUIREMENTS_LIMIT} entries.` }),
    waves,
    mode: z
      .enum(campaignModes)
      .meta({
        description:
          "enforce: phones that do not fulfil it are quarantined. shadow: it only looks on, and what it would do is counted. " +
          "paused and retracted: nothing at all; the first is meant to go on.",
      })
      .default("enforce"),
    remind: z
      .array(reminder)
      .max(REMINDERS_LIMIT)
      .prefault([])
      .meta({
        description: `When people are told again before the deadline. Up to ${REMINDERS_LIMIT} entries. Default: not at all.`,
        examples: [["24h", "4h", "1h"]],
      }),
    grace: text(readDuration(GRACE_LIMIT_MINUTES), {
      description:
        "How long a new phone has all the same where it comes shortly before the deadline or after it, in minutes, hours or " +
        "days; up to 90d. Default: none.",
      examples: ["24h"],
      pattern: durationPattern,
    }).optional(),
    graceFor: oneOrMany(z.enum(newcomers), newcomers.length, {
      description:
        "Which phones are new: newly-enrolled by the enrolledAt of their records, newly-seen from the moment at which Postern " +
        "saw them first with a record, which no source and no client can renew. Default: newly-enrolled.",
    }).optional(),
    guard: guard.optional(),
    stance: campaignStance,
    notice: campaignNotice,
  })
  .meta({ description: "Something that phones must fulfil to read mail." });

export const campaigns = z
  .array(campaign)
  .max(CAMPAIGNS_LIMIT)
  .prefault([])
  .meta({ description: `Up to ${CAMPAIGNS_LIMIT}. What stands here is shown by the API and not changed by it.` });

export type ParsedCampaign = z.output<typeof campaign>;
