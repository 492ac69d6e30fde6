/** Campaigns: shown, planned, put in force, taken back; and what was done before. */
import * as z from "zod";
import { idOf, runOf } from "../campaign/ledger.ts";
import type { Ledger } from "../campaign/ledger.ts";
import { isInFile } from "../campaign/live-policy.ts";
import { readKeptPreview } from "../campaign/kept-preview.ts";
import { planOf } from "../campaign/plan.ts";
import { readEffects } from "../campaign/tally-names.ts";
import type { Campaign, Policy } from "../policy/campaign.ts";
import type { Store } from "../store/store.ts";
import { answerAct, headOf } from "./act-answers.ts";
import type { ActParts } from "./act-answers.ts";
import { policyTag } from "./entity-tag.ts";
import { countLetters } from "./letter-figures.ts";
import { readAddition } from "./policy-body.ts";
import { Problem } from "./problem.ts";
import { defineRoute, noBody, nothing } from "./route.ts";
import type { Route } from "./route.ts";
import { confirm, entryId, plan, time, versionHead, wholeText, why, writtenPolicy } from "./schemas.ts";

export interface CampaignRouteParts extends ActParts {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly configured: Policy;
}

/** As a policy file. */
export const POLICY_BODY_LIMIT_BYTES = 1_048_576;
const HISTORY_PAGE_LIMIT = 200;
/** As many acts as explain the figures of a campaign. */
const ACTS_SHOWN = 100;

const params = z.strictObject({ id: entryId });
const acting = z.strictObject({ why, confirm });
const done = {
  200: {
    description: "It is in force.",
    schema: versionHead.extend({ modes: z.record(z.string(), z.string()) }),
  },
} as const;
const guarded = {
  ...done,
  202: {
    description: "Another person has to confirm it at /confirmations/{id}/confirm.",
    schema: z.strictObject({ confirmation: z.looseObject({ id: z.string(), cut: z.int(), expiresAt: time }), plan }),
  },
} as const;
const campaignSummary = z.looseObject({ id: z.string(), title: z.string(), mode: z.string() });

export function campaignRoutes(parts: CampaignRouteParts): readonly Route[] {
  const { acts, store, ledger, configured } = parts;

  async function inForce() {
    if (isInFile(configured)) return { version: undefined, campaigns: configured.campaigns, runs: {} };
    const { version, policy } = await ledger.read();
    return { version, campaigns: policy.campaigns, runs: (await store.readPolicy())?.runs ?? {} };
  }

  async function found(id: string): Promise<{ readonly campaign: Campaign; readonly run: number }> {
    const { campaigns, runs } = await inForce();
    const campaign = campaigns.find((each) => each.id === id);
    if (campaign === undefined) throw new Problem("not-found", { detail: "there is no such campaign" });
    return { campaign, run: runOf(runs, id) };
  }

  const modes = [
    ["pause", "Let a campaign do nothing until it is resumed", "optional"],
    ["retract", "Take a campaign back: all mail flows again, on every node, within seconds", "optional"],
    ["resume", "Enforce a campaign that was paused, retracted or only looked on", "required"],
    ["remove", "Take a retracted or paused campaign out of the policy", "required"],
  ] as const;

  return [
    defineRoute({
      method: "get",
      path: "/campaigns",
      role: "viewer",
      tag: "campaigns",
      summary: "The campaigns in force",
      params: nothing,
      query: nothing,
      body: noBody,
      answers: {
        200: {
          description: "ETag is that of the policy, for If-Match.",
          schema: z.strictObject({
            source: z.enum(["file", "store"]),
            version: z.int().optional(),
            items: z.array(campaignSummary),
          }),
        },
      },
      handle: async () => {
        const { version, campaigns } = await inForce();
        const items = campaigns.map(({ id, title, mode, waves, guard }) => ({
          id,
          title,
          mode,
          guard,
          waves: waves.map(({ audience, announce, deadline }) => ({ audience, announce, deadline })),
        }));
        const etag = version === undefined ? undefined : policyTag(version);
        return { httpStatus: 200, etag, body: { source: version === undefined ? "file" : "store", version, items } };
      },
    }),
    defineRoute({
      method: "get",
      path: "/campaigns/{id}",
      role: "viewer",
      tag: "campaigns",
      summary: "One campaign as it was written, what it has done, its last preview and its acts",
      params,
      query: nothing,
      body: noBody,
      answers: { 200: { description: "The campaign.", schema: z.looseObject({ id: z.string(), mode: z.string() }) } },
      handle: async ({ params: { id } }) => {
        const { campaign } = await found(id);
        const stored = isInFile(configured) ? undefined : await ledger.read();
        const versions = await ledger.history(ACTS_SHOWN);
        return {
          httpStatus: 200,
          etag: stored && policyTag(stored.version),
          body: {
            id,
            title: campaign.title,
            mode: campaign.mode,
            written: stored?.written.campaigns.find((each) => idOf(each) === id),
            was: await readEffects(store, campaign, false),
            wouldBe: await readEffects(store, campaign, true),
            preview: await readKeptPreview(store, id),
            acts: versions.filter(({ about }) => about.includes(id)).map(headOf),
          },
        };
      },
    }),
    defineRoute({
      method: "get",
      path: "/campaigns/{id}/letters",
      role: "viewer",
      tag: "campaigns",
      summary: "How many letters were sent, by kind and state, and some of those that did not arrive",
      params,
      query: nothing,
      body: noBody,
      answers: {
        200: {
          description: "The figures of the campaign's present run.",
          schema: z.looseObject({
            run: z.int(),
            isComplete: z.boolean(),
            counts: z.array(z.looseObject({ letters: z.int() })),
          }),
        },
      },
      handle: async ({ params: { id } }) => {
        const { run } = await found(id);
        return { httpStatus: 200, body: { run, ...(await countLetters(store.letters(id, run))) } };
      },
    }),
    defineRoute({
      method: "post",
      path: "/campaigns/plan",
      role: "viewer",
      tag: "campaigns",
      summary: "What campaigns and exemptions would change, line by line; nothing is done",
      readsOnly: true,
      bodyLimitBytes: POLICY_BODY_LIMIT_BYTES,
      params: nothing,
      query: nothing,
      body: z.strictObject(writtenPolicy),
      answers: {
        200: {
          description: "ETag is that of the policy which it would change: say it with If-Match to apply just that.",
          schema: z.strictObject({ version: z.int(), entries: plan }),
        },
      },
      handle: async ({ body }) => {
        const { written } = await readAddition(body, parts);
        const planned = await acts.plan(await acts.changeOf({ kind: "apply", ...mutable(written) }));
        return { httpStatus: 200, etag: policyTag(planned.version), body: planned };
      },
    }),
    defineRoute({
      method: "post",
      path: "/campaigns/apply",
      role: "operator",
      tag: "campaigns",
      summary: "Put campaigns and exemptions in force",
      ifMatch: "required",
      bodyLimitBytes: POLICY_BODY_LIMIT_BYTES,
      params: nothing,
      query: nothing,
      body: z.strictObject({ ...writtenPolicy, why, confirm }),
      answers: guarded,
      handle: async (call) => {
        const { written } = await readAddition(call.body, parts);
        return answerAct(parts, { kind: "apply", ...mutable(written) }, call);
      },
    }),
    ...modes.map(([kind, summary, ifMatch]) =>
      defineRoute({
        method: "post",
        path: `/campaigns/{id}/${kind}`,
        role: "operator",
        tag: "campaigns",
        summary,
        ifMatch,
        params,
        query: nothing,
        body: acting,
        answers: kind === "resume" ? guarded : done,
        handle: async (call) => answerAct(parts, { kind, campaign: call.params.id }, call),
      }),
    ),
    defineRoute({
      method: "post",
      path: "/policy/roll-back",
      role: "operator",
      tag: "policy",
      summary: "Everything as it was in a version; what has come since stays as retracted",
      ifMatch: "required",
      params: nothing,
      query: nothing,
      body: z.strictObject({ version: z.int().min(1), why, confirm }),
      answers: guarded,
      handle: async (call) => answerAct(parts, { kind: "roll-back", version: call.body.version }, call),
    }),
    defineRoute({
      method: "get",
      path: "/policy/history",
      role: "viewer",
      tag: "policy",
      summary: "Every act, with who and why, the newest first",
      params: nothing,
      query: z.strictObject({
        limit: wholeText(1, HISTORY_PAGE_LIMIT, 50),
        before: z
          .string()
          .regex(/^\d{1,9}$/)
          .transform(Number)
          .optional()
          .meta({ description: "Only versions below this one." }),
      }),
      body: noBody,
      answers: {
        200: {
          description: "Versions that cannot be read are named.",
          schema: z.strictObject({
            items: z.array(versionHead),
            unreadable: z.array(z.int()),
            next: z.int().optional(),
          }),
        },
      },
      handle: async ({ query: { limit, before = Infinity } }) => {
        const unreadable: number[] = [];
        const all = await ledger.history(HISTORY_KEPT, (version) => unreadable.push(version));
        const older = all.filter(({ version }) => version < before);
        const items = older.slice(0, limit).map(headOf);
        const next = older.length > limit ? items.at(-1)?.version : undefined;
        return { httpStatus: 200, body: { items, unreadable: unreadable.filter((version) => version < before), next } };
      },
    }),
    defineRoute({
      method: "get",
      path: "/policy/diff",
      role: "viewer",
      tag: "policy",
      summary: "The difference of two versions; without the second, to the one in force",
      params: nothing,
      query: z.strictObject({
        from: z
          .string()
          .regex(/^\d{1,9}$/)
          .transform(Number),
        to: z
          .string()
          .regex(/^\d{1,9}$/)
          .transform(Number)
          .optional(),
      }),
      body: noBody,
      answers: { 200: { description: "What differs.", schema: z.strictObject({ entries: plan }) } },
      handle: async ({ query: { from, to } }) => {
        const after = to === undefined ? (await ledger.read()).written : await ledger.version(to);
        return { httpStatus: 200, body: { entries: planOf(await ledger.version(from), after) } };
      },
    }),
  ];
}

/** All that are kept: `store/policy-version.ts`. */
const HISTORY_KEPT = 1_000;

function mutable({
  campaigns,
  exemptions,
}: {
  readonly campaigns: readonly unknown[];
  readonly exemptions: readonly unknown[];
}) {
  return { campaigns: [...campaigns], exemptions: [...exemptions] };
}
