/**
 * A policy by itself: campaigns and exemptions as people write them into a file of their own, and as the store keeps them.
 * A file holds one campaign, or `campaigns` and `exemptions` in lists.
 */
import { createHash } from "node:crypto";
import { stringify } from "yaml";
import * as z from "zod";
import type { Campaign, Stances } from "../policy/campaign.ts";
import type { Exemption } from "../policy/exemption.ts";
import { campaigns } from "./campaign-schema.ts";
import type { ParsedCampaign } from "./campaign-schema.ts";
import { parseConfigDocument } from "./document.ts";
import { EVERY_CAMPAIGN, exemptions } from "./exemption-schema.ts";
import { formatPath, sortFaults } from "./fault.ts";
import type { ConfigFault } from "./fault.ts";
import { findingsOf } from "./issues.ts";
import type { Finding } from "./issues.ts";
import { checkPolicy } from "./policy-consistency.ts";
import { isMapping } from "./tree.ts";

export { EVERY_CAMPAIGN };

/** 1 MiB, as the configuration file: whatever is larger is another file by mistake. */
export const POLICY_FILE_LIMIT_BYTES = 1_048_576;

/** What is in force beside the file's own settings. */
export interface PolicyDocument {
  readonly campaigns: readonly Campaign[];
  readonly exemptions: readonly Exemption[];
}

/** As it was written: plain values, nothing resolved. This is what the store keeps and what a plan compares. */
export interface WrittenPolicy {
  readonly campaigns: readonly unknown[];
  readonly exemptions: readonly unknown[];
}

export type ReadPolicy =
  | { readonly ok: true; readonly policy: PolicyDocument; readonly written: WrittenPolicy }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

export const policySchema = z.strictObject({ campaigns, exemptions });

/**
 * @param stances what a campaign inherits where it does not say otherwise.
 * @param elsewhere ids of campaigns that the file's exemptions may name although they do not stand in it.
 */
export function readPolicyFile(
  text: string,
  file: string,
  stances: Stances,
  elsewhere: readonly string[] = [],
): ReadPolicy {
  const document = parseConfigDocument(text);
  const written = document.faults.map(({ path, position, message }): ConfigFault => ({
    origin: { kind: "file", file, position },
    path: formatPath(path),
    message,
  }));
  if (document.broken) return { ok: false, faults: sortFaults(written) };
  // One campaign stands by itself, without a list around it.
  const isOne = isMapping(document.tree) && Object.hasOwn(document.tree, "require");
  const tree = isOne ? { campaigns: [document.tree] } : (document.tree ?? {});
  const read = readTree(tree, stances, elsewhere);
  if (read.ok && written.length === 0) return read;
  const findings = read.ok ? [] : read.findings;
  const faults = findings.map(({ path, message, side }): ConfigFault => {
    const inFile = isOne ? path.slice(2) : path;
    const position = document.positionOf(inFile) ?? document.positionOf(inFile.slice(0, -1));
    return { origin: { kind: "file", file, position: position?.[side] }, path: formatPath(inFile), message };
  });
  return { ok: false, faults: sortFaults([...written, ...faults]) };
}

/** An entry as people write it. */
export function writePolicyText(entry: unknown): string {
  return stringify(entry, { lineWidth: 0 });
}

/** What the store keeps. It was checked before it was written; another version of the program may still read it otherwise. */
export function readWrittenPolicy(
  written: WrittenPolicy,
  stances: Stances,
  elsewhere: readonly string[] = [],
): ReadPolicy {
  const read = readTree({ campaigns: written.campaigns, exemptions: written.exemptions }, stances, elsewhere);
  if (read.ok) return read;
  return {
    ok: false,
    faults: sortFaults(
      read.findings.map(({ path, message }) => ({ origin: { kind: "store" }, path: formatPath(path), message })),
    ),
  };
}

type ReadTree = Extract<ReadPolicy, { ok: true }> | { readonly ok: false; readonly findings: readonly Finding[] };

function readTree(tree: unknown, stances: Stances, elsewhere: readonly string[] = []): ReadTree {
  const parsed = policySchema.safeParse(tree);
  const findings = [...(parsed.success ? [] : findingsOf(parsed.error.issues, tree)), ...checkPolicy(tree, elsewhere)];
  if (!parsed.success || findings.length > 0) return { ok: false, findings };
  return {
    ok: true,
    policy: {
      campaigns: parsed.data.campaigns.map((campaign) => campaignOf(campaign, stances)),
      exemptions: parsed.data.exemptions,
    },
    written: { campaigns: listAt(tree, "campaigns"), exemptions: listAt(tree, "exemptions").map(withId) },
  };
}

/** An exemption without an id is named after what it says, so that the same one is not there twice. */
function withId(exemption: unknown): unknown {
  if (!isMapping(exemption) || exemption["id"] !== undefined) return exemption;
  const digest = createHash("sha256").update(JSON.stringify(exemption)).digest("hex").slice(0, 12);
  return { id: `exemption-${digest}`, ...exemption };
}

function listAt(tree: unknown, key: string): readonly unknown[] {
  const value = isMapping(tree) ? tree[key] : undefined;
  return Array.isArray(value) ? value : [];
}

export function campaignOf(parsed: ParsedCampaign, stances: Stances): Campaign {
  return {
    id: parsed.id,
    title: parsed.title,
    requirements: parsed.require,
    waves: parsed.waves,
    mode: parsed.mode,
    remindMinutes: parsed.remind,
    graceHours: (parsed.grace ?? 0) / 60,
    graceFor: parsed.graceFor ?? ["newly-enrolled"],
    guard: parsed.guard,
    stances: { ...stances, ...parsed.stance },
    wording: parsed.notice,
  };
}
