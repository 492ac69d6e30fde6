/** Pieces of requests and answers that several routes have. */
import * as z from "zod";
import { toDeviceId } from "../policy/device.ts";

const WHY_LIMIT_CHARACTERS = 1_000;
const PAGE_LIMIT = 500;

export const deviceIdParameter = z
  .string()
  .regex(/^[A-Za-z0-9]{1,64}$/, "a device id is 1 to 64 letters and digits")
  .transform((written, context) => {
    const id = toDeviceId(written);
    if (id !== undefined) return id;
    context.issues.push({ code: "custom", message: "is no device id", input: undefined });
    return z.NEVER;
  });

export const entryId = z.string().regex(/^[a-z0-9-]{1,64}$/, "1 to 64 lower-case letters, digits and hyphens");

/** What lies behind it is kept with the act, and read by people. */
export const why = z
  .string()
  .trim()
  .min(1)
  .max(WHY_LIMIT_CHARACTERS)
  .meta({ description: `Why, 1 to ${WHY_LIMIT_CHARACTERS} characters; kept in the history and the audit.` });

export const confirm = z
  .int()
  .min(0)
  .optional()
  .meta({ description: "How many phones may lose their mail, where a guard asked: the very number that it showed." });

/** Of a query: text that is a whole number. */
export function wholeText(minimum: number, maximum: number, byDefault: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .prefault(String(byDefault));
}

export const pageQuery = {
  limit: wholeText(1, PAGE_LIMIT, 100).meta({
    description: `About how many, 1 to ${PAGE_LIMIT}. A page may have some more, or fewer, or none, though others follow: go on while there is next.`,
  }),
  cursor: z.string().min(1).max(512).optional().meta({ description: "next of the page before." }),
} as const;

export const next = z.string().optional().meta({ description: "Where the next page begins; missing: there is none." });

/** Times are ISO 8601 in UTC. */
export const time = z.string().meta({ format: "date-time" });

/** Campaigns and exemptions as in a policy file; `policy-document.ts` reads them. */
const writtenCampaigns = z.array(z.record(z.string(), z.unknown())).meta({ policy: "campaigns" });
const writtenExemptions = z.array(z.record(z.string(), z.unknown())).meta({ policy: "exemptions" });

export const writtenPolicy = {
  campaigns: writtenCampaigns.default([]),
  exemptions: writtenExemptions.default([]),
} as const;

/** What an act made. */
export const versionHead = z.strictObject({
  version: z.int(),
  at: time,
  act: z.string(),
  about: z.array(z.string()),
  who: z.string(),
  why: z.string(),
});

export const plan = z.array(
  z.strictObject({
    kind: z.enum(["campaign", "exemption"]),
    id: z.string(),
    change: z.enum(["added", "changed", "removed"]),
    lines: z.array(z.strictObject({ side: z.enum(["same", "added", "removed"]), text: z.string() })),
  }),
);
