/** Previews: started here, looked for until they are done. */
import * as z from "zod";
import type { Ledger } from "../campaign/ledger.ts";
import type { Policy } from "../policy/campaign.ts";
import { POLICY_BODY_LIMIT_BYTES } from "./campaign-routes.ts";
import { readAddition } from "./policy-body.ts";
import type { PreviewJobs } from "./preview-jobs.ts";
import { Problem } from "./problem.ts";
import { defineRoute, noBody, nothing } from "./route.ts";
import type { Route } from "./route.ts";
import { time, writtenPolicy } from "./schemas.ts";

export interface PreviewRouteParts {
  readonly jobs: PreviewJobs;
  readonly ledger: Ledger;
  readonly configured: Policy;
}

const IMPORTANT_LIMIT = 1_000;

const job = z.looseObject({
  id: z.string(),
  state: z.enum(["running", "done", "failed"]),
  campaigns: z.array(z.string()),
  at: time,
  share: z.number(),
  records: z.int(),
});

export function previewRoutes(parts: PreviewRouteParts): readonly Route[] {
  return [
    defineRoute({
      method: "post",
      path: "/previews",
      role: "operator",
      tag: "previews",
      summary: "Begin to look who would be hit by campaigns, and when, before they are in force",
      bodyLimitBytes: POLICY_BODY_LIMIT_BYTES,
      params: nothing,
      query: nothing,
      body: z.strictObject({
        ...writtenPolicy,
        important: z.array(z.string().min(1).max(256)).max(IMPORTANT_LIMIT).default([]).meta({
          description: "People, or groups, whose phones are shown by name, beside preview.important.",
        }),
      }),
      answers: { 202: { description: "It has begun; Location is where to ask how far it is.", schema: job } },
      handle: async ({ body, actor }) => {
        const { policy } = await readAddition(body, parts);
        if (policy.campaigns.length === 0)
          throw new Problem("not-changed", { detail: "there is no campaign to preview" });
        const started = await parts.jobs.start(policy, body.important, actor.name);
        return {
          httpStatus: 202,
          location: `/api/v1/previews/${started.id}`,
          body: started,
          changed: { about: started.campaigns },
        };
      },
    }),
    defineRoute({
      method: "get",
      path: "/previews/{id}",
      role: "viewer",
      tag: "previews",
      summary: "How far a preview is, and its figures when it is done",
      params: z.strictObject({ id: z.string().regex(/^p-[0-9a-f]{16}$/) }),
      query: nothing,
      body: noBody,
      answers: { 200: { description: "The job; its figures are previews.", schema: job } },
      handle: async ({ params: { id } }) => {
        const found = await parts.jobs.find(id);
        if (found === undefined) throw new Problem("not-found", { detail: "no such preview, or its node has ended" });
        return { httpStatus: 200, body: found };
      },
    }),
  ];
}
