/** Campaigns as they are written, and what they become. */
import * as z from "zod";
import type { Audience, Stances, Wave } from "../policy/campaign.ts";
import { ownerships, platforms } from "../policy/device.ts";
import type { Platform } from "../policy/device.ts";
import { PERSON_NAME_LIMIT, parsePerson } from "../policy/person.ts";
import type { Requirement } from "../policy/requirement.ts";
import { deadlineGrammar, readDeadlineText, readTimezone, resolveDeadline } from "./deadline.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { oneOrMany, text, wording } from "./schema-parts.ts";
import { campaignNotice } from "./wording-schema.ts";

/** More than anybody runs at once; each of them is judged at every cache miss. */
const CAMPAIGNS_LIMIT = 100;
const REQUIREMENTS_LIMIT = 50;
const WAVES_LIMIT = 100;
/** App ids of one platform: an app has a handful of spellings, one for each store and market. */
const APP_IDS_LIMIT = 100;
/** Real ids have well under a hundred characters. */
const APP_ID_LIMIT = 255;
/** Words in one part of an audience. A longer list of people is a group. */
const AUDIENCE_WORDS_LIMIT = 1000;
const AUDIENCE_WORD_LIMIT = 256;

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

/** `other` is no platform whose ids anybody could know. */
const platformKeys = ["ios", "ipados", "android", "macos", "windows"] as const;

const appIdGrammar = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Identifiers with a dot. The name that people see has none, and a ban on it would silently find nothing. */
function readDottedAppId(written: string): Reading<string> {
  const id = readAppId(written);
  if (id.ok && !/[^.]\.[^.]/.test(written)) {
    return bad("must be a bundle id or package name such as com.example.app, not the name that people see");
  }
  return id;
}

function readAppId(written: string): Reading<string> {
  if (appIdGrammar.test(written) && written.length <= APP_ID_LIMIT) return good(written);
  return bad(`must be an app id: at most ${APP_ID_LIMIT} letters, digits, dots, hyphens and underscores`);
}

function appIds(read: (written: string) => Reading<string>, description: string, example: string) {
  const id = text(read, {
    description: `One id, up to ${APP_ID_LIMIT} characters. Compared without case.`,
    examples: [example],
    pattern: appIdGrammar.source,
    maxLength: APP_ID_LIMIT,
  });
  return z
    .array(id)
    .min(1)
    .max(APP_IDS_LIMIT)
    .meta({ description: `${description} 1 to ${APP_IDS_LIMIT} ids.` })
    .optional();
}

const absent = z
  .strictObject({
    name: wording({
      description: "The app as people know it: it stands in the notice.",
      examples: ["TikTok"],
    }),
    ios: appIds(readDottedAppId, "Bundle ids on iPhones; they also count on iPads.", "com.example.app"),
    ipados: appIds(readDottedAppId, "Bundle ids that exist on iPads only.", "com.example.app.tablet"),
    android: appIds(readDottedAppId, "Package names on Android.", "com.example.app"),
    macos: appIds(readDottedAppId, "Bundle ids on Macs.", "com.example.app.mac"),
    windows: appIds(readAppId, "Package family names on Windows.", "Example.App_8wekyb3d8bbwe"),
  })
  .superRefine((requirement, context) => {
    if (platformKeys.every((platform) => requirement[platform] === undefined)) {
      context.addIssue({ code: "custom", message: `must have the app's ids on one of ${platformKeys.join(", ")}` });
    }
  })
  .meta({
    description:
      "An app that must not be on the phone, by the ids it goes by. A platform without ids is not concerned.",
    anyOf: platformKeys.map((platform) => ({ required: [platform] })),
  });

const requirement = z
  .strictObject({ absent })
  .transform(({ absent: written }): Requirement => {
    const ids = new Map<Platform, readonly string[]>();
    for (const platform of platformKeys) {
      const listed = written[platform];
      if (listed !== undefined) ids.set(platform, listed);
    }
    return { kind: "absent", name: written.name, ids };
  })
  .meta({ description: "One condition that can be checked." });

function readAudienceWord(written: string): Reading<string> {
  if (
    written !== "" &&
    written.trim() === written &&
    !/\p{Cc}/u.test(written) &&
    written.length <= AUDIENCE_WORD_LIMIT
  ) {
    return good(written);
  }
  return bad(`must be 1 to ${AUDIENCE_WORD_LIMIT} characters without spaces around them`);
}

function readOwner(written: string): Reading<string> {
  if (parsePerson(written) !== undefined) return good(written);
  return bad(
    `must be a name such as alice, CORP\\alice or alice@corp.example, at most ${PERSON_NAME_LIMIT} characters`,
  );
}

const word = text(readAudienceWord, {
  description: "One word. Compared without case.",
  maxLength: AUDIENCE_WORD_LIMIT,
});
const owner = text(readOwner, {
  description: "One person. All forms of the name are equal.",
  maxLength: PERSON_NAME_LIMIT,
});

const everybody: Audience = { regions: [], groups: [], platforms: [], ownerships: [], owners: [] };

const audience = z
  .strictObject({
    region: oneOrMany(word, AUDIENCE_WORDS_LIMIT, {
      description: "Regions, such as US, as the record of the device names them.",
    }).optional(),
    group: oneOrMany(word, AUDIENCE_WORDS_LIMIT, { description: "Groups; one of them is enough." }).optional(),
    platform: oneOrMany(z.enum(platforms), platforms.length, { description: "Platforms." }).optional(),
    ownership: oneOrMany(z.enum(ownerships), ownerships.length, { description: "Whose phone it is." }).optional(),
    owner: oneOrMany(owner, AUDIENCE_WORDS_LIMIT, {
      description: "Account names or addresses of the owners, such as alice@corp.example.",
    }).optional(),
  })
  .transform((written): Audience => ({
    regions: written.region ?? [],
    groups: written.group ?? [],
    platforms: written.platform ?? [],
    ownerships: written.ownership ?? [],
    owners: written.owner ?? [],
  }))
  .meta({ description: "Whom the wave is for. Every key that is given must match; without keys it is for everybody." });

const wave = z
  .strictObject({
    audience: audience.prefault({}),
    deadline: text(readDeadlineText, {
      description:
        "The last minute in which mail still flows; the minute itself belongs to the owner of the phone. A local date and " +
        "time with timezone beside it, or with an offset at its end. A time that clocks skip is refused, and one that they " +
        "show twice needs its offset. Without a deadline the wave is in force at once.",
      examples: ["2026-11-20T23:59", "2026-11-01T01:30-04:00"],
      pattern: deadlineGrammar.source,
    }).optional(),
    timezone: text(readTimezone, {
      description: "IANA time zone of a deadline without offset.",
      examples: ["America/New_York", "Europe/Berlin", "UTC"],
    }).optional(),
  })
  .transform((written, context): Wave => {
    const deadline = resolveDeadline(written.deadline, written.timezone);
    if (deadline.ok) return { audience: written.audience, deadline: deadline.value };
    context.issues.push({ code: "custom", message: deadline.problem, path: [deadline.key], input: undefined });
    return z.NEVER;
  })
  .meta({ description: "A part of the people, with its own deadline." });

const inForceAtOnce: Wave = { audience: everybody, deadline: undefined };

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
    waves: z
      .array(wave)
      .min(1)
      .max(WAVES_LIMIT)
      .prefault([{}])
      .transform(([first = inForceAtOnce, ...others]): readonly [Wave, ...Wave[]] => [first, ...others])
      .meta({
        description:
          `Whom the campaign is for, and until when; the first wave that a device belongs to decides its deadline. ` +
          `1 to ${WAVES_LIMIT} entries. Default: everybody, at once.`,
      }),
    stance: campaignStance,
    notice: campaignNotice,
  })
  .meta({ description: "Something that phones must fulfil to read mail." });

export const campaigns = z
  .array(campaign)
  .max(CAMPAIGNS_LIMIT)
  .prefault([])
  .meta({ description: `Up to ${CAMPAIGNS_LIMIT}. What stands here is shown by the API and not changed by it.` });
