/**
 * What operators do to the policy in the store: apply, retract, pause, excuse, roll back. Each act is a new version that says
 * who did it and why; nothing is ever changed in place, so the versions are the history.
 */
import { formatFault } from "../config/fault.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import type { PolicyDocument, WrittenPolicy } from "../config/policy-document.ts";
import type { CampaignMode, Stances } from "../policy/campaign.ts";
import type { PolicyAct, PolicyStore, PolicyVersion } from "../store/store.ts";

/** Who acts, and why; both are kept with the version. */
export interface Author {
  readonly who: string;
  readonly why: string;
}

/** Why an act was refused; nothing was written. */
export class PolicyRefused extends Error {
  readonly code: "unknown-campaign" | "unknown-exemption" | "unknown-version" | "not-changed" | "invalid" | "busy";
  constructor(code: PolicyRefused["code"], message: string) {
    super(message);
    this.name = "PolicyRefused";
    this.code = code;
  }
}

export interface LedgerOptions {
  readonly store: PolicyStore;
  /** What campaigns inherit: that of the configuration file. */
  readonly stances: Stances;
  readonly now: () => Date;
}

/** What an act makes of the policy that is there. */
export interface PolicyChange {
  readonly act: PolicyAct;
  readonly about: readonly string[];
  readonly written: WrittenPolicy;
}

export interface Ledger {
  /** The newest version as it was written, and what it means. */
  read(): Promise<{ readonly version: number; readonly written: WrittenPolicy; readonly policy: PolicyDocument }>;
  /** Puts a change in force. @throws PolicyRefused, StoreUnavailable */
  commit(change: (written: WrittenPolicy) => PolicyChange, author: Author): Promise<PolicyVersion>;
  /** The newest first. */
  history(limit: number): Promise<readonly PolicyVersion[]>;
}

/** Two operators at once are rare, and more than two are a program that has gone wild. */
const ATTEMPTS_LIMIT = 5;
export const WHO_LIMIT = 256;
export const WHY_LIMIT = 1_000;

export function createLedger({ store, stances, now }: LedgerOptions): Ledger {
  async function read(): ReturnType<Ledger["read"]> {
    const stored = await store.readPolicy();
    const written = stored ?? { campaigns: [], exemptions: [] };
    return { version: stored?.version ?? 0, written, policy: resolve(written) };
  }

  function resolve(written: WrittenPolicy): PolicyDocument {
    const read = readWrittenPolicy(written, stances);
    if (read.ok) return read.policy;
    throw new PolicyRefused("invalid", read.faults.map(formatFault).join("\n"));
  }

  async function commit(
    change: (written: WrittenPolicy) => PolicyChange,
    { who, why }: Author,
  ): Promise<PolicyVersion> {
    for (let attempt = 0; attempt < ATTEMPTS_LIMIT; attempt += 1) {
      const stored = await store.readPolicy();
      const { act, about, written } = change(stored ?? { campaigns: [], exemptions: [] });
      // What cannot be read back would stop every node that starts anew.
      resolve(written);
      const version: PolicyVersion = {
        version: (stored?.version ?? 0) + 1,
        at: now(),
        act,
        about,
        who: who.slice(0, WHO_LIMIT),
        why: why.slice(0, WHY_LIMIT),
        campaigns: written.campaigns,
        exemptions: written.exemptions,
      };
      if (await store.addPolicy(version)) return version;
    }
    throw new PolicyRefused("busy", "somebody else changes the policy at the same time; try again");
  }

  return { read, commit, history: (limit) => store.policyHistory(limit) };
}

/** Adds campaigns and exemptions; one with the same id is replaced. A campaign that was retracted comes back. */
export function applying(added: WrittenPolicy): (written: WrittenPolicy) => PolicyChange {
  return (written) => {
    const campaigns = merged(written.campaigns, added.campaigns);
    const exemptions = merged(written.exemptions, added.exemptions);
    const about = [...added.campaigns, ...added.exemptions].map(idOf);
    if (JSON.stringify([campaigns, exemptions]) === JSON.stringify([written.campaigns, written.exemptions]))
      throw new PolicyRefused("not-changed", "nothing would change: all of it is in force already");
    return { act: "apply", about, written: { campaigns, exemptions } };
  };
}

/** One campaign in another mode. */
export function inMode(id: string, mode: CampaignMode, act: PolicyAct): (written: WrittenPolicy) => PolicyChange {
  return ({ campaigns, exemptions }) => {
    const before = campaigns.find((campaign) => idOf(campaign) === id);
    if (before === undefined) throw new PolicyRefused("unknown-campaign", `there is no campaign ${id}`);
    if (modeOf(before) === mode)
      throw new PolicyRefused("not-changed", `campaign ${id} is ${stateWords[mode]} already`);
    const changed = campaigns.map((campaign) => (idOf(campaign) === id ? withKey(campaign, "mode", mode) : campaign));
    return { act, about: [id], written: { campaigns: changed, exemptions } };
  };
}

const stateWords: Readonly<Record<CampaignMode, string>> = {
  enforce: "enforced",
  shadow: "looking on only",
  paused: "paused",
  retracted: "retracted",
};

/** One exemption more, or another one in its place. */
export function excusing(exemption: Readonly<Record<string, unknown>>): (written: WrittenPolicy) => PolicyChange {
  return ({ campaigns, exemptions }) => ({
    act: "exempt",
    about: [idOf(exemption)],
    written: { campaigns, exemptions: merged(exemptions, [exemption]) },
  });
}

export function endingExemption(id: string): (written: WrittenPolicy) => PolicyChange {
  return ({ campaigns, exemptions }) => {
    const left = exemptions.filter((exemption) => idOf(exemption) !== id);
    if (left.length === exemptions.length) throw new PolicyRefused("unknown-exemption", `there is no exemption ${id}`);
    return { act: "end-exemption", about: [id], written: { campaigns, exemptions: left } };
  };
}

/** Everything as it was in another version. */
export function rollingBackTo(version: PolicyVersion): (written: WrittenPolicy) => PolicyChange {
  return () => ({ act: "roll-back", about: [`version ${version.version}`], written: version });
}

function merged(before: readonly unknown[], added: readonly unknown[]): readonly unknown[] {
  const replaced = new Map(added.map((entry) => [idOf(entry), entry]));
  const kept = before.map((entry) => {
    const newer = replaced.get(idOf(entry));
    replaced.delete(idOf(entry));
    return newer ?? entry;
  });
  return [...kept, ...replaced.values()];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function idOf(entry: unknown): string {
  const id = isObject(entry) ? entry["id"] : undefined;
  return typeof id === "string" ? id : "";
}

export function modeOf(campaign: unknown): string {
  const mode = isObject(campaign) ? campaign["mode"] : undefined;
  return typeof mode === "string" ? mode : "enforce";
}

function withKey(entry: unknown, key: string, value: unknown): unknown {
  return isObject(entry) ? { ...entry, [key]: value } : entry;
}
