/** Campaigns and exemptions in a request, read as those of a file are. */
import { idOf } from "../campaign/ledger.ts";
import type { Ledger } from "../campaign/ledger.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import type { PolicyDocument, WrittenPolicy } from "../config/policy-document.ts";
import type { Policy } from "../policy/campaign.ts";
import { Problem } from "./problem.ts";

/**
 * Exemptions may name campaigns of the store. @throws Problem with every fault; PolicyRefused, StoreUnavailable, PolicyUnreadable
 */
export async function readAddition(
  added: WrittenPolicy,
  { ledger, configured }: { readonly ledger: Ledger; readonly configured: Policy },
): Promise<{ readonly policy: PolicyDocument; readonly written: WrittenPolicy }> {
  if (added.campaigns.length + added.exemptions.length === 0)
    throw new Problem("not-changed", { detail: "there is neither a campaign nor an exemption" });
  const { written } = await ledger.read();
  const read = readWrittenPolicy(added, configured.stances, written.campaigns.map(idOf));
  if (read.ok) return read;
  const errors = read.faults.map(({ path, message }) => ({ in: "body", pointer: path, detail: message }));
  throw new Problem("invalid-request", { members: { errors: errors.slice(0, FAULTS_SHOWN) } });
}

const FAULTS_SHOWN = 50;
