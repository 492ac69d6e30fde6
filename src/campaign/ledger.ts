/**
 * What operators do to the policy in the store: apply, retract, pause, excuse, roll back. Each act is a new version that says
 * who did it and why; nothing is ever changed in place, so the versions are the history.
 */
import { formatFault } from "../config/fault.ts";
import { EVERY_CAMPAIGN, readWrittenPolicy } from "../config/policy-document.ts";
import type { PolicyDocument, WrittenPolicy } from "../config/policy-document.ts";
import type { CampaignMode, Stances } from "../policy/campaign.ts";
import { PolicyUnreadable, StoreUnavailable } from "../store/store.ts";
import type { PolicyAct, PolicyStore, PolicyVersion } from "../store/store.ts";

/** Who acts, and why; both are kept with the version. */
export interface Author {
  readonly who: string;
  readonly why: string;
}

/** Why an act was refused; nothing was written. */
export class PolicyRefused extends Error {
  readonly code:
    | "unknown-campaign"
    | "unknown-exemption"
    | "unknown-version"
    | "not-changed"
    | "in-force"
    | "invalid"
    | "busy";
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

/** What an act would do now: for whoever must say yes to it. */
export interface Proposal {
  /** The number of the version that it changes; 0: none. */
  readonly version: number;
  /** As it is, without exemptions that are over: every act takes those out. */
  readonly before: WrittenPolicy;
  readonly change: PolicyChange;
}

export interface Ledger {
  /** The newest version as it was written, and what it means. @throws PolicyRefused, StoreUnavailable, PolicyUnreadable */
  read(): Promise<{ readonly version: number; readonly written: WrittenPolicy; readonly policy: PolicyDocument }>;
  /** @throws PolicyRefused, StoreUnavailable, PolicyUnreadable */
  propose(change: (written: WrittenPolicy) => PolicyChange): Promise<Proposal>;
  /**
   * Puts a change in force.
   *
   * @param isApproved asked about what is really written: another operator may have acted since a proposal was shown.
   * @throws PolicyRefused, StoreUnavailable, PolicyUnreadable
   */
  commit(
    change: (written: WrittenPolicy) => PolicyChange,
    author: Author,
    isApproved?: (proposal: Proposal) => boolean,
  ): Promise<PolicyVersion>;
  /** The newest first; what cannot be read is left out, and told. */
  history: PolicyStore["policyHistory"];
  /** @throws PolicyRefused where it is not there, StoreUnavailable, PolicyUnreadable */
  version(version: number): Promise<PolicyVersion>;
}

/** Two operators at once are rare, and more than two are a program that has gone wild. */
const ATTEMPTS_LIMIT = 5;
/** So many versions are looked at for one that can be read. */
const LOOK_BACK_LIMIT = 20;
const WHO_LIMIT = 256;
const WHY_LIMIT = 1_000;

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

  /** What stands in the store, for whoever acts. What nobody can read may be rolled back from, and nothing else. */
  async function present(): Promise<Present> {
    try {
      const stored = await store.readPolicy();
      return { number: stored?.version ?? 0, stored, unreadable: undefined };
    } catch (error) {
      if (!(error instanceof PolicyUnreadable)) throw error;
      const [stored] = await store.policyHistory(LOOK_BACK_LIMIT);
      return { number: error.version, stored, unreadable: error };
    }
  }

  function proposalOf(
    { number, stored, unreadable }: Present,
    change: (written: WrittenPolicy) => PolicyChange,
  ): Proposal {
    const before = withoutEnded(stored ?? { campaigns: [], exemptions: [] });
    const proposed = change(before);
    if (unreadable !== undefined && proposed.act !== "roll-back") throw unreadable;
    const written = withoutEnded(proposed.written);
    // Going back to what is there is a change all the same: it makes a version above any that a gate may know.
    if (proposed.act !== "roll-back" && isSame(before, written))
      throw new PolicyRefused("not-changed", "nothing would change: all of it is in force already, or over");
    // What cannot be read back would stop every node that starts anew.
    resolve(written);
    return { version: number, before, change: { ...proposed, written } };
  }

  /** An exemption that is over excuses nobody; only the limit of their number would feel it. */
  function withoutEnded({ campaigns, exemptions }: WrittenPolicy): WrittenPolicy {
    const read = readWrittenPolicy({ campaigns: [], exemptions: exemptions.map(fromAll) }, stances);
    if (!read.ok) return { campaigns, exemptions };
    const at = now();
    const over = new Set(exemptions.filter((_, index) => (read.policy.exemptions[index]?.until ?? at) <= at));
    return { campaigns, exemptions: exemptions.filter((exemption) => !over.has(exemption)) };
  }

  async function propose(change: (written: WrittenPolicy) => PolicyChange): Promise<Proposal> {
    return proposalOf(await present(), change);
  }

  async function commit(
    change: (written: WrittenPolicy) => PolicyChange,
    { who, why }: Author,
    isApproved: (proposal: Proposal) => boolean = () => true,
  ): Promise<PolicyVersion> {
    for (let attempt = 0; attempt < ATTEMPTS_LIMIT; attempt += 1) {
      const found = await present();
      const proposal = await proposalOrTellAgain(found, change);
      if (!isApproved(proposal))
        throw new PolicyRefused("busy", "somebody else has changed the policy meanwhile: this is another change now");
      const { act, about, written } = proposal.change;
      const number = found.number + 1;
      const version: PolicyVersion = {
        version: number,
        at: now(),
        act,
        about,
        who: who.slice(0, WHO_LIMIT),
        why: why.slice(0, WHY_LIMIT),
        campaigns: written.campaigns,
        exemptions: written.exemptions,
        runs: runsOf(found.stored, written, number),
      };
      if (await added(version)) return version;
    }
    throw new PolicyRefused("busy", "somebody else changes the policy at the same time; try again");
  }

  /** Where everything is as wanted, an act before may have been interrupted between writing it and telling it. */
  async function proposalOrTellAgain(
    found: Present,
    change: (written: WrittenPolicy) => PolicyChange,
  ): Promise<Proposal> {
    try {
      return proposalOf(found, change);
    } catch (error) {
      const isThere = error instanceof PolicyRefused && error.code === "not-changed";
      if (isThere && found.stored?.version === found.number) await store.addPolicy(found.stored);
      throw error;
    }
  }

  /** A connection that broke has perhaps done it: the same version again is no second one. */
  async function added(version: PolicyVersion): Promise<boolean> {
    try {
      return await store.addPolicy(version);
    } catch (error) {
      if (error instanceof RangeError) throw new PolicyRefused("invalid", error.message);
      if (error instanceof StoreUnavailable) return store.addPolicy(version);
      throw error;
    }
  }

  async function version(wanted: number): Promise<PolicyVersion> {
    const found = await store.readPolicyVersion(wanted);
    if (found === undefined) throw new PolicyRefused("unknown-version", `there is no version ${wanted}`);
    return found;
  }

  return {
    read,
    propose,
    commit,
    history: (limit, onUnreadable) => store.policyHistory(limit, onUnreadable),
    version,
  };
}

interface Present {
  /** That of the newest version, readable or not; 0: none. */
  readonly number: number;
  /** The newest that can be read. */
  readonly stored: PolicyVersion | undefined;
  readonly unreadable: PolicyUnreadable | undefined;
}

/** Whether it is over does not depend on the campaign, which may stand elsewhere. */
function fromAll(exemption: unknown): unknown {
  return withKey(exemption, "campaign", EVERY_CAMPAIGN);
}

/** A campaign that is new, or no longer retracted, begins a run; every other one goes on with its own. */
function runsOf(before: PolicyVersion | undefined, after: WrittenPolicy, version: number): Record<string, number> {
  const known = new Map(before?.campaigns.map((campaign) => [idOf(campaign), modeOf(campaign)]));
  const entries = after.campaigns.map((campaign): [string, number] => {
    const id = idOf(campaign);
    const mode = known.get(id);
    const isNew = mode === undefined || (mode === "retracted" && modeOf(campaign) !== "retracted");
    return [id, isNew ? version : runOf(before?.runs ?? {}, id)];
  });
  return Object.fromEntries(entries);
}

/** 0 where nobody knows it, and for campaigns in the configuration file. */
export function runOf(runs: Readonly<Record<string, number>>, id: string): number {
  return Object.hasOwn(runs, id) ? (runs[id] ?? 0) : 0;
}

/** Adds campaigns and exemptions; one with the same id is replaced. A campaign that was retracted comes back. */
export function applying(added: WrittenPolicy): (written: WrittenPolicy) => PolicyChange {
  return (written) => {
    const campaigns = merged(written.campaigns, added.campaigns);
    const exemptions = merged(written.exemptions, added.exemptions);
    const about = [...added.campaigns, ...added.exemptions].map(idOf);
    if (isSame({ campaigns, exemptions }, written))
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

/**
 * Everything as it was in another version. What has come since stays as retracted: whoever was told of it must be told that it
 * was taken back.
 */
export function rollingBackTo(version: PolicyVersion): (written: WrittenPolicy) => PolicyChange {
  return ({ campaigns }) => {
    const then = new Set(version.campaigns.map(idOf));
    const since = campaigns.filter((campaign) => !then.has(idOf(campaign)));
    const retracted = since.map((campaign) => withKey(campaign, "mode", "retracted"));
    const written = { campaigns: [...version.campaigns, ...retracted], exemptions: version.exemptions };
    return { act: "roll-back", about: [`version ${version.version}`], written };
  };
}

/** Out of the policy, with the exemptions from it. Only what does nothing any more: everybody who was told is told so first. */
export function removing(id: string): (written: WrittenPolicy) => PolicyChange {
  return ({ campaigns, exemptions }) => {
    const campaign = campaigns.find((each) => idOf(each) === id);
    if (campaign === undefined) throw new PolicyRefused("unknown-campaign", `there is no campaign ${id}`);
    if (!["retracted", "paused"].includes(modeOf(campaign)))
      throw new PolicyRefused("in-force", `campaign ${id} is in force: retract it, then remove it`);
    const written = {
      campaigns: campaigns.filter((each) => each !== campaign),
      exemptions: exemptions.filter((each) => textOf(each, "campaign") !== id),
    };
    return { act: "remove", about: [id], written };
  };
}

function isSame(one: WrittenPolicy, other: WrittenPolicy): boolean {
  return JSON.stringify([one.campaigns, one.exemptions]) === JSON.stringify([other.campaigns, other.exemptions]);
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
  return textOf(entry, "id") ?? "";
}

export function modeOf(campaign: unknown): string {
  return textOf(campaign, "mode") ?? "enforce";
}

function textOf(entry: unknown, key: string): string | undefined {
  const value = isObject(entry) ? entry[key] : undefined;
  return typeof value === "string" ? value : undefined;
}

function withKey(entry: unknown, key: string, value: unknown): unknown {
  return isObject(entry) ? { ...entry, [key]: value } : entry;
}
