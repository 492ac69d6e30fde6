/** Previews of what an operator is about to do to the policy: of a file, or of any act of the ledger. */
import { formatFault } from "../config/fault.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import type { PolicyDocument, WrittenPolicy } from "../config/policy-document.ts";
import type { Policy } from "../policy/campaign.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { PolicyRefused } from "./ledger.ts";
import type { Ledger, PolicyChange } from "./ledger.ts";
import { isInFile } from "./live-policy.ts";
import { previewPolicy } from "./preview.ts";
import type { PreviewOptions } from "./preview.ts";
import type { Preview } from "./preview-result.ts";

export interface PreviewChangeOptions extends Omit<PreviewOptions, "before" | "after" | "about"> {
  readonly ledger: Pick<Ledger, "read" | "propose">;
  /** What the configuration file says: stances, home domains, and the policy where it stands there. */
  readonly configured: Policy;
}

/** What the file's campaigns would do, beside what is in force. @throws StoreUnavailable, PolicyRefused */
export async function previewFile(added: PolicyDocument, options: PreviewChangeOptions): Promise<readonly Preview[]> {
  const before = await inForce(options);
  const after: Policy = {
    ...before,
    campaigns: merged(before.campaigns, added.campaigns),
    exemptions: merged(before.exemptions, added.exemptions),
  };
  return previewPolicy({ ...options, before, after, about: added.campaigns.map(({ id }) => id) });
}

/**
 * What an act would do: to apply, to resume, to roll back. The campaigns that it makes stricter or other than they are.
 * @throws StoreUnavailable, and PolicyRefused where the act itself would be refused.
 */
export async function previewChange(
  change: (written: WrittenPolicy) => PolicyChange,
  options: PreviewChangeOptions,
): Promise<readonly Preview[]> {
  const { before, after } = await stepOf(change, options.ledger, options.configured);
  return previewPolicy({ ...options, before, after, about: changedIn(before, after) });
}

export interface GuardedCampaigns {
  readonly ids: readonly string[];
  /** One of them wants the yes of another person, as it is or as it will be: whoever asks does not take that out in the same act. */
  readonly needsSecondPerson: boolean;
}

/** Campaigns with a guard that the act would put in force, or make ask for something else. @throws PolicyRefused */
export async function guardedCampaigns(
  change: (written: WrittenPolicy) => PolicyChange,
  { ledger, configured }: Pick<PreviewChangeOptions, "ledger" | "configured">,
): Promise<GuardedCampaigns> {
  const { before, after } = await stepOf(change, ledger, configured);
  const changed = changedIn(before, after);
  const guarded = after.campaigns.filter(
    ({ id, mode, guard }) => mode === "enforce" && guard !== undefined && changed.includes(id),
  );
  const ids = guarded.map(({ id }) => id);
  const earlier = before.campaigns.filter(({ id }) => ids.includes(id));
  return { ids, needsSecondPerson: [...guarded, ...earlier].some(({ guard }) => guard?.secondPerson === true) };
}

async function stepOf(
  change: (written: WrittenPolicy) => PolicyChange,
  ledger: PreviewChangeOptions["ledger"],
  configured: Policy,
): Promise<{ readonly before: Policy; readonly after: Policy }> {
  const { before, change: proposed } = await ledger.propose(change);
  return { before: policyOf(before, configured), after: policyOf(proposed.written, configured) };
}

/** What cannot be read is not in force either: a way back from it is compared with nothing. */
function policyOf(written: WrittenPolicy, configured: Policy): Policy {
  const read = readWrittenPolicy(written, configured.stances);
  if (!read.ok) throw new PolicyRefused("invalid", read.faults.map(formatFault).join("\n"));
  return { ...configured, ...read.policy };
}

async function inForce({ ledger, configured }: PreviewChangeOptions): Promise<Policy> {
  if (isInFile(configured)) return configured;
  return { ...configured, ...(await ledger.read()).policy };
}

function changedIn(before: Policy, after: Policy): readonly string[] {
  const known = new Map(before.campaigns.map((campaign) => [campaign.id, campaign]));
  return after.campaigns
    .filter((campaign) => {
      if (campaign.mode !== "enforce" && campaign.mode !== "shadow") return false;
      const earlier = known.get(campaign.id);
      return (
        earlier === undefined || earlier.mode !== campaign.mode || fingerprintOf(earlier) !== fingerprintOf(campaign)
      );
    })
    .map(({ id }) => id);
}

function merged<T extends { readonly id: string }>(before: readonly T[], added: readonly T[]): readonly T[] {
  const newer = new Map(added.map((entry) => [entry.id, entry]));
  const known = new Set(before.map(({ id }) => id));
  return [...before.map((entry) => newer.get(entry.id) ?? entry), ...added.filter(({ id }) => !known.has(id))];
}
