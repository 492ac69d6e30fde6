/** Exemptions: excuses that end by themselves, and the help desk's glass to break. */
import * as z from "zod";
import { BREAK_GLASS_LIMIT_HOURS, breakGlassExemption, newExemptionId } from "../campaign/break-glass.ts";
import { endingExemption, excusing } from "../campaign/ledger.ts";
import type { Ledger } from "../campaign/ledger.ts";
import { isInFile } from "../campaign/live-policy.ts";
import type { Policy } from "../policy/campaign.ts";
import { answerChange } from "./act-answers.ts";
import type { ActParts } from "./act-answers.ts";
import { policyTag } from "./entity-tag.ts";
import { readAddition } from "./policy-body.ts";
import { defineRoute, noBody, nothing } from "./route.ts";
import type { Answer, Route } from "./route.ts";
import { entryId, time, versionHead, why } from "./schemas.ts";

export interface ExemptionRouteParts extends ActParts {
  readonly ledger: Ledger;
  readonly configured: Policy;
  readonly now: () => Date;
}

const names = z.array(z.string().min(1).max(256)).min(1).max(1_000).optional();
const added = {
  200: {
    description: "It is in force.",
    schema: versionHead.extend({
      modes: z.record(z.string(), z.string()),
      exemption: z.looseObject({ id: z.string() }),
    }),
  },
} as const;

export function exemptionRoutes(parts: ExemptionRouteParts): readonly Route[] {
  const { ledger, configured, now } = parts;

  /** Checked as an exemption of a file is, so that every fault has its place. */
  async function excuse(
    exemption: Readonly<Record<string, unknown>> & { readonly id: string },
    call: Parameters<typeof answerChange>[2],
  ): Promise<Answer> {
    await readAddition({ campaigns: [], exemptions: [exemption] }, parts);
    return answerChange(parts, excusing(exemption), call, { exemption });
  }

  return [
    defineRoute({
      method: "get",
      path: "/exemptions",
      role: "viewer",
      tag: "exemptions",
      summary: "The exemptions in force",
      params: nothing,
      query: nothing,
      body: noBody,
      answers: {
        200: {
          description: "ETag is that of the policy, for If-Match.",
          schema: z.strictObject({
            source: z.enum(["file", "store"]),
            items: z.array(z.looseObject({ id: z.string(), until: time })),
          }),
        },
      },
      handle: async () => {
        if (isInFile(configured)) return { httpStatus: 200, body: { source: "file", items: configured.exemptions } };
        const { version, policy } = await ledger.read();
        return { httpStatus: 200, etag: policyTag(version), body: { source: "store", items: policy.exemptions } };
      },
    }),
    defineRoute({
      method: "post",
      path: "/exemptions",
      role: "operator",
      tag: "exemptions",
      summary: "Excuse people, groups or phones from a campaign",
      ifMatch: "optional",
      bodyLimitBytes: 262_144,
      params: nothing,
      query: nothing,
      body: z.strictObject({
        id: entryId.optional(),
        owner: names,
        group: names,
        device: names,
        campaign: entryId.meta({ description: "The campaign, or all." }),
        until: z.string().max(64).meta({ description: "When it ends by itself: 2026-12-01 or 2026-12-01T18:00Z." }),
        timezone: z.string().max(64).optional(),
        why,
      }),
      answers: added,
      handle: async (call) => {
        const { id = newExemptionId(), owner, group, device, campaign, until, timezone, why: reason } = call.body;
        const who = withoutUndefined({ owner, group, device });
        const exemption = { id, who, campaign, until, ...withoutUndefined({ timezone }), reason, by: call.actor.name };
        return excuse(exemption, call);
      },
    }),
    defineRoute({
      method: "post",
      path: "/exemptions/break-glass",
      role: "helpdesk",
      tag: "exemptions",
      summary: "Let one person read mail for some hours, whatever is held against their phones but a block",
      params: nothing,
      query: nothing,
      body: z.strictObject({
        owner: z.string().min(1).max(256),
        hours: z.int().min(1).max(BREAK_GLASS_LIMIT_HOURS),
        why,
      }),
      answers: added,
      handle: async (call) => {
        const { owner, hours, why: reason } = call.body;
        return excuse(breakGlassExemption({ owner, hours, why: reason, by: call.actor.name, now: now() }), call);
      },
    }),
    defineRoute({
      method: "post",
      path: "/exemptions/{id}/end",
      role: "operator",
      tag: "exemptions",
      summary: "End an exemption now",
      ifMatch: "optional",
      params: z.strictObject({ id: entryId }),
      query: nothing,
      body: z.strictObject({ why }),
      answers: {
        200: { description: "It has ended.", schema: versionHead.extend({ modes: z.record(z.string(), z.string()) }) },
      },
      handle: async (call) => answerChange(parts, endingExemption(call.params.id), call),
    }),
  ];
}

function withoutUndefined(entries: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}
