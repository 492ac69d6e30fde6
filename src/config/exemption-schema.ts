/** Exemptions as they are written, and what they become. */
import * as z from "zod";
import type { Exemption } from "../policy/exemption.ts";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import { readTimezone, readUntil, resolveUntil, untilGrammar } from "./moment.ts";
import { bad, good } from "./reading.ts";
import type { Reading } from "./reading.ts";
import { oneOrMany, text, wording } from "./schema-parts.ts";
import { AUDIENCE_WORDS_LIMIT, owner, word } from "./wave-schema.ts";

/** More exemptions than this are a rule of their own: an audience, or a group. */
const EXEMPTIONS_LIMIT = 10_000;

function readDevice(written: string): Reading<DeviceId> {
  const id = toDeviceId(written);
  return id === undefined ? bad("must be a device id: 1 to 64 letters and digits") : good(id);
}

const who = z
  .strictObject({
    owner: oneOrMany(owner, AUDIENCE_WORDS_LIMIT, { description: "People, with all of their phones." }).optional(),
    group: oneOrMany(word, AUDIENCE_WORDS_LIMIT, {
      description: "Groups, as the record of the device names them.",
    }).optional(),
    device: oneOrMany(text(readDevice, { description: "One device id." }), AUDIENCE_WORDS_LIMIT, {
      description: "Single phones.",
    }).optional(),
  })
  .superRefine((written, context) => {
    if (Object.values(written).every((value) => value === undefined))
      context.addIssue({ code: "custom", message: "must name an owner, a group or a device" });
  })
  .meta({ description: "Whom it excuses; one match is enough." });

/** Excuses from every campaign, and from what the policy itself holds against a phone. */
export const EVERY_CAMPAIGN = "all";

const exemption = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, "must be 1 to 64 lower-case letters, digits and hyphens")
      .meta({ description: "Names it in commands, logs and the audit. Default: its place in the list." })
      .optional(),
    who,
    campaign: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, "must be the id of a campaign, or all")
      .meta({
        description:
          "The campaign that it excuses from; all: from every campaign, and from what the policy itself holds against a phone.",
        examples: ["tiktok", "all"],
      }),
    until: text(readUntil, {
      description:
        "When it ends, by itself and to the minute; every exemption has an end. A date alone is the first minute of that day.",
      examples: ["2026-12-01", "2026-12-01T18:00", "2026-12-01T18:00Z"],
      pattern: untilGrammar.source,
    }),
    timezone: text(readTimezone, {
      description: "IANA time zone of until where it has no offset. Default: UTC.",
      examples: ["Europe/Berlin"],
    }).optional(),
    reason: wording({ description: "Why.", examples: ["tests the app for the security team"] }),
    by: wording({ description: "Who has decided it.", examples: ["bob@corp.example"] }),
  })
  .transform((written, context): Omit<Exemption, "id"> & { readonly id: string | undefined } => {
    const until = resolveUntil(written.until, written.timezone);
    if (!until.ok) {
      context.issues.push({ code: "custom", message: until.problem, path: [until.key], input: undefined });
      return z.NEVER;
    }
    return {
      id: written.id,
      who: {
        owners: written.who.owner ?? [],
        groups: (written.who.group ?? []).map((group) => group.toLowerCase()),
        devices: written.who.device ?? [],
      },
      campaign: written.campaign === EVERY_CAMPAIGN ? undefined : written.campaign,
      until: until.value,
      reason: written.reason,
      by: written.by,
    };
  })
  .meta({ description: "A named, reasoned excuse that ends by itself." });

export const exemptions = z
  .array(exemption)
  .max(EXEMPTIONS_LIMIT)
  .prefault([])
  .transform((list): readonly Exemption[] =>
    list.map((each, index) => ({ ...each, id: each.id ?? `exemption-${index + 1}` })),
  )
  .meta({ description: `Up to ${EXEMPTIONS_LIMIT}. What stands here is shown by the API and not changed by it.` });
