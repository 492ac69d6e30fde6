/** What operators do to the policy through the API: with the plan that they were shown, and the guard. */
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { confirmationOf } from "../campaign/guard.ts";
import { lookAtGuard, unguarded } from "../campaign/guarded-act.ts";
import type { GuardedAct } from "../campaign/guarded-act.ts";
import { keepPreview } from "../campaign/kept-preview.ts";
import { applying, inMode, PolicyRefused, removing, rollingBackTo } from "../campaign/ledger.ts";
import type { Ledger, PolicyChange, Proposal } from "../campaign/ledger.ts";
import { isInFile } from "../campaign/live-policy.ts";
import { guardedCampaigns } from "../campaign/preview-change.ts";
import { planOf } from "../campaign/plan.ts";
import type { PlanEntry } from "../campaign/plan.ts";
import type { PreviewCrew } from "../campaign/preview.ts";
import type { WrittenPolicy } from "../config/policy-document.ts";
import type { Policy } from "../policy/campaign.ts";
import type { PolicyVersion, Store } from "../store/store.ts";
import { policyTag } from "./entity-tag.ts";
import { Problem } from "./problem.ts";

export type Change = (written: WrittenPolicy) => PolicyChange;

/** An act as data, so that it can wait for another person. What it is was checked before. */
export const actRequest = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("apply"),
    campaigns: z.array(z.unknown()),
    exemptions: z.array(z.unknown()),
  }),
  z.strictObject({ kind: z.literal("resume"), campaign: z.string() }),
  z.strictObject({ kind: z.literal("pause"), campaign: z.string() }),
  z.strictObject({ kind: z.literal("retract"), campaign: z.string() }),
  z.strictObject({ kind: z.literal("remove"), campaign: z.string() }),
  z.strictObject({ kind: z.literal("roll-back"), version: z.int() }),
]);
export type ActRequest = z.output<typeof actRequest>;

export interface EndingCrew extends PreviewCrew {
  end(): void;
}

export interface PolicyActsOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly configured: Policy;
  readonly important: readonly string[];
  /** Threads for a look at the whole store; undefined: this one does it alone. */
  readonly createCrew: () => EndingCrew | undefined;
  readonly now: () => Date;
}

interface Acting {
  /** As it stands in the history. */
  readonly who: string;
  readonly why: string;
  /** How many phones may lose their mail, as the person said. */
  readonly confirm: number | undefined;
  /** The version that the person has seen; undefined: whichever is there. */
  readonly expected: number | undefined;
  /** Who asked, and who confirms, where somebody else has asked. */
  readonly asker?: string | undefined;
  readonly confirmer?: string | undefined;
}

export type Acted =
  | { readonly kind: "done"; readonly version: PolicyVersion; readonly before: WrittenPolicy }
  /** Everything is said but the yes of another person. */
  | {
      readonly kind: "needs-second-person";
      readonly version: number;
      readonly cut: number;
      readonly plan: readonly PlanEntry[];
    };

export interface PolicyActs {
  changeOf(request: ActRequest): Promise<Change>;
  /** @throws Problem, PolicyRefused, StoreUnavailable, PolicyUnreadable */
  plan(change: Change): Promise<{ readonly version: number; readonly entries: readonly PlanEntry[] }>;
  /** @throws Problem, PolicyRefused, StoreUnavailable, PolicyUnreadable */
  act(change: Change, acting: Acting): Promise<Acted>;
}

/** A look at a million phones takes both cores for a while. */
const LOOKS_AT_ONCE = 1;

export function createPolicyActs(options: PolicyActsOptions): PolicyActs {
  const { store, ledger, configured, important, createCrew, now } = options;
  let looks = 0;

  async function changeOf(request: ActRequest): Promise<Change> {
    switch (request.kind) {
      case "apply":
        return applying(request);
      case "resume":
        return inMode(request.campaign, "enforce", "resume");
      case "pause":
        return inMode(request.campaign, "paused", "pause");
      case "retract":
        return inMode(request.campaign, "retracted", "retract");
      case "remove":
        return removing(request.campaign);
      case "roll-back":
        return rollingBackTo(await ledger.version(request.version));
    }
  }

  /** Whatever is written into the store would not count, and the operator would not see why. */
  function requirePolicyInStore(): void {
    if (isInFile(configured)) throw new Problem("policy-in-file");
  }

  async function act(change: Change, acting: Acting): Promise<Acted> {
    requirePolicyInStore();
    const { who, why, expected } = acting;
    const shown = await proposed(change, acting);
    if (expected !== undefined && shown.version !== expected) throw stale(shown.version);
    const guarded = await look(change);
    if (!isConfirmed(guarded, shown, acting))
      return {
        kind: "needs-second-person",
        version: shown.version,
        cut: guarded.toConfirm?.cut ?? 0,
        plan: planIn(shown),
      };
    for (const preview of guarded.previews) await keepPreview(store, preview, who);
    // To take back and to pause is never stricter, whatever the campaign is by now.
    const isApproved = (proposal: Proposal): boolean =>
      (expected === undefined || proposal.version === expected) &&
      (["retract", "pause"].includes(proposal.change.act) || isDeepStrictEqual(planIn(proposal), planIn(shown)));
    const version = await ledger.commit(change, { who, why }, isApproved);
    return { kind: "done", version, before: shown.before };
  }

  async function proposed(change: Change, { who, why }: Acting): Promise<Proposal> {
    try {
      return await ledger.propose(change);
    } catch (error) {
      // It is there already, perhaps because the act before could not tell it: that is done again.
      if (error instanceof PolicyRefused && error.code === "not-changed")
        await ledger.commit(change, { who, why }, () => false);
      throw error;
    }
  }

  /** Only what a guard looks at waits for a place: to take back must never have to. */
  async function look(change: Change): Promise<GuardedAct> {
    if ((await guardedCampaigns(change, { ledger, configured })).ids.length === 0) return unguarded;
    if (looks >= LOOKS_AT_ONCE) throw new Problem("busy", { headers: { "Retry-After": "10" } });
    looks += 1;
    const crew = createCrew();
    try {
      return await lookAtGuard(change, { store, ledger, configured, now: now(), important, crew });
    } finally {
      looks -= 1;
      crew?.end();
    }
  }

  return {
    changeOf,
    act,
    async plan(change) {
      requirePolicyInStore();
      const proposal = await ledger.propose(change);
      return { version: proposal.version, entries: planIn(proposal) };
    },
  };
}

/** False: only the other person is missing. @throws Problem with the figures */
function isConfirmed(
  { toConfirm, exceeded, needsSecondPerson }: GuardedAct,
  shown: Proposal,
  { confirm, who, asker, confirmer }: Acting,
): boolean {
  if (toConfirm === undefined) return true;
  const confirmed = confirmationOf(toConfirm, { devices: confirm, who: confirmer ?? who }, asker);
  switch (confirmed) {
    case "yes":
      return !needsSecondPerson || confirmer !== undefined;
    case "same-person":
      throw new Problem("same-person");
    case "not-confirmed":
    case "other-number":
      throw new Problem(confirmed === "other-number" ? "confirmation-mismatch" : "guard-exceeded", {
        detail: `say confirm: ${toConfirm.cut} to go on; nothing was changed`,
        members: {
          confirm: toConfirm.cut,
          needsSecondPerson,
          campaigns: exceeded.map(({ preview, check: { cut, records, maxShare, maxDevices } }) => ({
            campaign: preview.campaign,
            cut,
            records,
            maxShare,
            maxDevices,
            important: preview.important.filter(({ effect }) => effect === "cut"),
          })),
          plan: planIn(shown),
        },
      });
  }
}

function planIn({ before, change }: Proposal): readonly PlanEntry[] {
  return planOf(before, change.written);
}

function stale(version: number): Problem {
  return new Problem("precondition-failed", { members: { current: policyTag(version) } });
}
