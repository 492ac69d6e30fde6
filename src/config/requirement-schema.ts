/** The conditions that a campaign can ask for, as they are written and what they become. */
import * as z from "zod";
import type { Platform } from "../policy/device.ts";
import type { Requirement } from "../policy/requirement.ts";
import type { OsRequirement } from "../policy/requirements/os.ts";
import { parseVersionRange } from "../policy/version.ts";
import type { VersionRange } from "../policy/version.ts";
import { durationPattern, readDuration } from "./amounts.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { text, wording } from "./schema-parts.ts";
import type { KeyNotes } from "./schema-parts.ts";

/** App ids of one platform: an app has a handful of spellings, one for each store and market. */
const APP_IDS_LIMIT = 100;
/** Real ids have well under a hundred characters. */
const APP_ID_LIMIT = 255;
/** A year: whoever reports less often reports nothing. */
const REPORT_LIMIT_MINUTES = 366 * 1_440;

function readVersionRange(written: string): Reading<VersionRange> {
  const range = parseVersionRange(written);
  return range === undefined ? bad("must be versions such as >=26.1, <5.2 or >=1.0 <2.3") : good(range);
}

function versionRange(notes: KeyNotes) {
  return text(readVersionRange, { ...notes, maxLength: 64 });
}

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
    versions: versionRange({
      description: "Only these versions are banned. Default: every version.",
      examples: ["<5.2", ">=1.0 <2.3"],
    }).optional(),
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

const minimum = (system: string, example: string) =>
  versionRange({ description: `The versions of ${system} that will do.`, examples: [example] }).optional();

function readPatchLevel(written: string): Reading<string> {
  const [, date = ""] = /^(?:>= ?)?(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))$/.exec(written) ?? [];
  return date === "" ? bad("must be the date of a security patch level, such as 2026-05-01") : good(date);
}

const os = z
  .strictObject({
    ios: minimum("iOS, and of iPadOS where that is not named", ">=26.1"),
    ipados: minimum("iPadOS", ">=26.1"),
    android: minimum("Android", ">=15"),
    macos: minimum("macOS", ">=26.1"),
    windows: minimum("Windows", ">=10.0.22631"),
    "android-security-patch": text(readPatchLevel, {
      description: "The oldest security patch level of Android that will do.",
      examples: ["2026-05-01"],
    }).optional(),
  })
  .superRefine((written, context) => {
    if (Object.values(written).every((value) => value === undefined)) {
      context.addIssue({ code: "custom", message: `must name the versions of one of ${platformKeys.join(", ")}` });
    }
  })
  .transform((written): OsRequirement => {
    const minimums = new Map<Platform, VersionRange>();
    for (const platform of platformKeys) {
      const range = written[platform];
      if (range !== undefined) minimums.set(platform, range);
    }
    return { kind: "os", minimum: minimums, securityPatch: written["android-security-patch"] };
  })
  .meta({ description: "A system that is new enough. A platform that is not named is not concerned." });

const reported = z
  .strictObject({
    within: text(readDuration(REPORT_LIMIT_MINUTES), {
      description: "How long ago the last report may be, in minutes, hours or days; up to 366d.",
      examples: ["72h"],
      pattern: durationPattern,
    }),
  })
  .meta({ description: "A phone that has reported to its management system lately." });

/** Each of them is asked for by its name alone. */
const always = (description: string) => z.literal(true).meta({ description });

/** One entry asks for one thing: then each has its own line in the notice, and in what `why` tells. */
const requirementKeys = {
  absent: absent.optional(),
  os: os.optional(),
  reported: reported.optional(),
  enrolled: always(
    "A phone that some source has reported. What becomes of another is said by stance.not-enrolled.",
  ).optional(),
  "not-compromised": always("A phone that its source does not call jailbroken or rooted.").optional(),
  "source-compliant": always(
    "A phone that its management system calls compliant. With it, the times of this campaign count for phones that are " +
      "not; without it, such a phone is quarantined at once.",
  ).optional(),
};

export const requirement = z
  .strictObject(requirementKeys)
  .superRefine((written, context) => {
    if (Object.values(written).filter((value) => value !== undefined).length !== 1) {
      context.addIssue({
        code: "custom",
        message: `must have exactly one of ${Object.keys(requirementKeys).join(", ")}`,
      });
    }
  })
  .transform((written, context): Requirement => {
    if (written.absent !== undefined) return absentOf(written.absent);
    if (written.os !== undefined) return written.os;
    if (written.reported !== undefined) return { kind: "reported", withinHours: written.reported.within / 60 };
    if (written.enrolled === true) return { kind: "enrolled" };
    if (written["not-compromised"] === true) return { kind: "not-compromised" };
    if (written["source-compliant"] === true) return { kind: "source-compliant" };
    context.issues.push({ code: "custom", message: "must not be empty", input: undefined });
    return z.NEVER;
  })
  .meta({ description: "One condition that can be checked; exactly one key." });

function absentOf(written: z.output<typeof absent>): Requirement {
  const ids = new Map<Platform, readonly string[]>();
  for (const platform of platformKeys) {
    const listed = written[platform];
    if (listed !== undefined) ids.set(platform, listed);
  }
  return { kind: "absent", name: written.name, ids, versions: written.versions };
}
