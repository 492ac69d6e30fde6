/** The guard before an act, for whoever asks: what the act would cut, and whether that needs an explicit yes. */
import type { WrittenPolicy } from "../config/policy-document.ts";
import { checkGuard } from "./guard.ts";
import type { GuardCheck } from "./guard.ts";
import type { PolicyChange } from "./ledger.ts";
import { guardedCampaigns, previewChange } from "./preview-change.ts";
import type { PreviewChangeOptions } from "./preview-change.ts";
import type { Preview } from "./preview-result.ts";

type Exceeded = Extract<GuardCheck, { kind: "exceeded" }>;

export interface GuardedAct {
  /** Of the campaigns with a guard: to be kept for the nodes when the act is done. */
  readonly previews: readonly Preview[];
  readonly exceeded: readonly { readonly preview: Preview; readonly check: Exceeded }[];
  /** What has to be confirmed; of several campaigns the sum, because it is one act. Undefined: nothing has to be. */
  readonly toConfirm: Exceeded | undefined;
  readonly needsSecondPerson: boolean;
}

/** Where no guard has anything to say. */
export const unguarded: GuardedAct = { previews: [], exceeded: [], toConfirm: undefined, needsSecondPerson: false };

/**
 * Looks at the whole store where a campaign with a guard comes into force or asks for something else. Acts that only let mail
 * flow are never held up. @throws StoreUnavailable, PolicyRefused
 */
export async function lookAtGuard(
  change: (written: WrittenPolicy) => PolicyChange,
  options: PreviewChangeOptions,
): Promise<GuardedAct> {
  const guarded = await guardedCampaigns(change, options);
  if (guarded.ids.length === 0) return unguarded;
  const all = await previewChange(change, options);
  const previews = all.filter(({ campaign }) => guarded.ids.includes(campaign));
  const exceeded = previews.flatMap((preview) => {
    const check = checkGuard(preview);
    return check.kind === "exceeded" ? [{ preview, check }] : [];
  });
  const [first] = exceeded;
  return {
    previews,
    exceeded,
    toConfirm: first && { ...first.check, cut: exceeded.reduce((sum, { check }) => sum + check.cut, 0) },
    needsSecondPerson: guarded.needsSecondPerson,
  };
}
