/** From an act of the policy to what the API answers. */
import { isDeepStrictEqual } from "node:util";
import { idOf, modeOf } from "../campaign/ledger.ts";
import type { WrittenPolicy } from "../config/policy-document.ts";
import type { PolicyVersion } from "../store/store.ts";
import type { Confirmations } from "./confirmations.ts";
import { policyTag, policyVersionOf } from "./entity-tag.ts";
import type { Acted, ActRequest, Change, PolicyActs } from "./policy-acts.ts";
import { Problem } from "./problem.ts";
import type { Actor, Answer, Call } from "./route.ts";

export interface ActParts {
  readonly acts: PolicyActs;
  readonly confirmations: Confirmations;
}

type ActCall = Call<unknown, unknown, { readonly why: string; readonly confirm?: number | undefined }>;

/** Who did it, for the history: the name, how they were known where that is no ordinary token, and from where. */
export function whoOf({ actor, address }: Pick<Call<unknown, unknown, unknown>, "actor" | "address">): string {
  return `${actor.name}${actor.means === "local-token" ? " by local token" : ""} (${address})`;
}

/** @throws Problem, PolicyRefused, StoreUnavailable, PolicyUnreadable */
export async function answerAct(parts: ActParts, request: ActRequest, call: ActCall): Promise<Answer> {
  const { acts, confirmations } = parts;
  const { why, confirm } = call.body;
  const acted = await acts.act(await acts.changeOf(request), {
    who: whoOf(call),
    why,
    confirm,
    expected: policyVersionOf(call.ifMatch),
  });
  if (acted.kind === "done") return doneAnswer(acted);
  requireNamed(call.actor);
  const { version, cut, plan } = acted;
  const pending = await confirmations.add({ asker: call.actor.name, why, version, cut, request });
  if (pending === undefined) throw new Problem("busy", { detail: "too many acts wait for a confirmation" });
  const { request: _, ...shown } = pending;
  return {
    httpStatus: 202,
    location: `/api/v1/confirmations/${pending.id}`,
    body: { confirmation: { ...shown, act: request.kind }, plan },
    changed: { about: [pending.id], after: { asked: request.kind, cut } },
  };
}

/** An act that no guard looks at. @param more what the answer says besides. */
export async function answerChange(
  { acts }: ActParts,
  change: Change,
  call: ActCall,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  const expected = policyVersionOf(call.ifMatch);
  const acted = await acts.act(change, { who: whoOf(call), why: call.body.why, confirm: call.body.confirm, expected });
  if (acted.kind !== "done")
    throw new Problem("conflict", { detail: "it needs a confirmation that this act cannot have" });
  return doneAnswer(acted, more);
}

/** Nobody knows who has the glass broken, so it is nobody's second person. @throws Problem */
export function requireNamed({ means }: Actor): void {
  if (means === "break-glass")
    throw new Problem("same-person", {
      detail: "the break-glass token is no person: log in to ask for this, or to confirm it",
    });
}

export function doneAnswer(
  { version, before }: Extract<Acted, { kind: "done" }>,
  more: Readonly<Record<string, unknown>> = {},
): Answer {
  return {
    httpStatus: 200,
    etag: policyTag(version.version),
    body: { ...headOf(version), modes: modesOf(version), ...more },
    changed: { about: version.about, ...differenceOf(before, version) },
  };
}

export function headOf({ version, at, act, about, who, why }: PolicyVersion) {
  return { version, at, act, about, who, why };
}

function modesOf({ campaigns, about }: PolicyVersion): Readonly<Record<string, string>> {
  return Object.fromEntries(
    campaigns
      .filter((campaign) => about.includes(idOf(campaign)))
      .map((campaign) => [idOf(campaign), modeOf(campaign)]),
  );
}

/** Only what is another one: the rest of a large policy is no part of what was done. */
function differenceOf(
  before: WrittenPolicy,
  after: WrittenPolicy,
): { readonly before: unknown; readonly after: unknown } {
  const without = (entries: readonly unknown[], others: readonly unknown[]): readonly unknown[] => {
    const known = new Map(others.map((entry) => [idOf(entry), entry]));
    return entries.filter((entry) => !isDeepStrictEqual(known.get(idOf(entry)), entry));
  };
  return {
    before: {
      campaigns: without(before.campaigns, after.campaigns),
      exemptions: without(before.exemptions, after.exemptions),
    },
    after: {
      campaigns: without(after.campaigns, before.campaigns),
      exemptions: without(after.exemptions, before.exemptions),
    },
  };
}
