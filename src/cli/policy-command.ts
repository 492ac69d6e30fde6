/** What every command does that reads or changes the policy in the store. */
import { userInfo } from "node:os";
import readline from "node:readline/promises";
import { isDeepStrictEqual } from "node:util";
import type { Audit } from "../audit/audit.ts";
import { policyValues } from "../audit/policy-values.ts";
import { createLedger, PolicyRefused } from "../campaign/ledger.ts";
import type { Author, Ledger, PolicyChange, Proposal } from "../campaign/ledger.ts";
import { isInFile } from "../campaign/live-policy.ts";
import { planOf } from "../campaign/plan.ts";
import type { PlanEntry } from "../campaign/plan.ts";
import type { Config } from "../config/config.ts";
import type { WrittenPolicy } from "../config/policy-document.ts";
import { PolicyUnreadable } from "../store/store.ts";
import type { PolicyVersion, Store } from "../store/store.ts";
import { withAudit } from "./audit-trail.ts";
import { requireWithinGuard } from "./campaign-guard.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";
import { withStore } from "./store.ts";
import { print, printable, toned, warn } from "./terminal.ts";

export interface ActOptions extends ConfigurationOptions {
  readonly why: string;
  readonly by?: string | undefined;
  readonly yes?: boolean | undefined;
  /** How many phones may lose their mail, where a guard asks. */
  readonly confirm?: number | undefined;
  readonly json?: boolean | undefined;
}

export interface PolicyCommand {
  readonly config: Config;
  readonly store: Store;
  readonly ledger: Ledger;
}

/** For reading: the policy of the store, whether or not it counts. */
export async function withLedger<T>(
  options: ConfigurationOptions,
  work: (command: PolicyCommand) => Promise<T>,
): Promise<T> {
  const config = requireConfig(options);
  return withStore(config, async (store) => {
    const ledger = createLedger({ store, stances: config.policy.stances, now: () => new Date() });
    try {
      return await work({ config, store, ledger });
    } catch (error) {
      if (error instanceof PolicyRefused) throw new CommandFailed(exitCodeOf(error), error.message);
      if (error instanceof PolicyUnreadable)
        throw new CommandFailed(
          1,
          `${printable(error.message)}. A newer Postern has written it, or it was damaged. Use that Postern, or put an earlier ` +
            "version in force: postern campaign history, then postern campaign roll-back.",
        );
      throw error;
    }
  });
}

function exitCodeOf({ code }: PolicyRefused): 1 | 2 {
  return code === "busy" || code === "unknown-version" ? 1 : 2;
}

/**
 * Shows what would change, asks where somebody can answer, then does just that: where another operator has acted meanwhile so
 * that it would be another change, it is shown and asked for again. To take one campaign back or to pause it is never
 * stricter, whatever the campaign is by now, and goes on.
 */
export async function act(
  command: PolicyCommand,
  change: (written: WrittenPolicy) => PolicyChange,
  options: ActOptions,
): Promise<PolicyVersion> {
  return withAudit(command.config, command.store, ({ audit }) => actNoted(command, audit, change, options));
}

async function actNoted(
  command: PolicyCommand,
  audit: Audit,
  change: (written: WrittenPolicy) => PolicyChange,
  options: ActOptions,
): Promise<PolicyVersion> {
  const { ledger } = command;
  const author = authorOf(options);
  const proposed = async (): Promise<Proposal> => {
    try {
      return await ledger.propose(change);
    } catch (error) {
      if (isThereAlready(error)) await ledger.commit(change, author, () => false);
      throw error;
    }
  };
  for (;;) {
    const proposal = await proposed();
    const shown = planIn(proposal);
    if (options.json !== true) for (const entry of shown) print(planText(entry));
    await requireWithinGuard({ ...command, audit }, change, { ...options, ...author });
    if (options.yes !== true) await requireYes();
    const isApproved = (now: Proposal): boolean =>
      ["retract", "pause"].includes(now.change.act) || isDeepStrictEqual(planIn(now), shown);
    try {
      return await commitNoted({ ledger, audit }, { change, author, proposal, isApproved });
    } catch (error) {
      if (!(error instanceof PolicyRefused) || error.code !== "busy" || options.json === true) throw error;
      warn(`${error.message}:`);
      if (options.yes !== true) continue;
      for (const entry of planIn(await ledger.propose(change))) print(planText(entry));
      throw error;
    }
  }
}

interface Commitment {
  readonly change: (written: WrittenPolicy) => PolicyChange;
  readonly author: Author;
  /** What is written unless somebody acts meanwhile. */
  readonly proposal: Proposal;
  readonly isApproved: (proposal: Proposal) => boolean;
}

function commitNoted(
  { ledger, audit }: { readonly ledger: Ledger; readonly audit: Audit },
  { change, author, proposal, isApproved }: Commitment,
): Promise<PolicyVersion> {
  const draft = { kind: "policy", actor: author.who, why: author.why } as const;
  const partsOf = ({ before, change: { act: name, about, written } }: Proposal) => ({
    act: name,
    about,
    ...policyValues(before, written),
  });
  return audit.act({ ...draft, ...partsOf(proposal) }, async () => {
    let written = proposal;
    const version = await ledger.commit(change, author, (now) => {
      written = now;
      return isApproved(now);
    });
    return { result: version, version: version.version, ...partsOf(written) };
  });
}

/** Names what was asked for and is there; `ledger.commit` tells it to every node again, in case the act before could not. */
function isThereAlready(error: unknown): boolean {
  return error instanceof PolicyRefused && error.code === "not-changed";
}

function planIn({ before, change }: Proposal): readonly PlanEntry[] {
  return planOf(before, change.written);
}

/** Beside what is only shown of the store. */
export function sayWhereItCounts({ policy }: Config): void {
  if (isInFile(policy))
    warn("campaigns or exemptions stand in the configuration file: what is in the store does not count");
}

/** Whatever is written into the store would not count, and the operator would not see why. */
export function requirePolicyInStore({ policy }: Config): void {
  if (isInFile(policy))
    throw new CommandFailed(
      2,
      "campaigns or exemptions stand in the configuration file, so that the policy of the store does not count; change them there, or take them out of it first",
    );
}

export function authorOf({ by, why }: Pick<ActOptions, "by" | "why">): Author {
  if (why.trim() === "") throw new CommandFailed(2, "--why must say why");
  return { who: by ?? userInfo().username, why: why.trim() };
}

async function requireYes(): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CommandFailed(2, "nothing was changed: say --yes where nobody can be asked");
  const asking = readline.createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question("Put this in force? Type yes: ");
    if (answer.trim().toLowerCase() !== "yes") throw new CommandFailed(2, "nothing was changed");
  } finally {
    asking.close();
  }
}

const marks = { same: "  ", added: "+ ", removed: "- " } as const;
const tones = { same: "quiet", added: "good", removed: "bad" } as const;

/** Lines that stay are shown next to those that do not, so that a reader knows where they are. */
const CONTEXT_LINES = 2;

export function planText({ kind, id, change, lines }: PlanEntry): string {
  const isShown = (index: number): boolean =>
    lines.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(({ side }) => side !== "same");
  const body = lines.flatMap(({ side, text }, index) => {
    if (isShown(index)) return [toned(tones[side], `    ${marks[side]}${printable(text)}`)];
    return index === 0 || isShown(index - 1) ? [toned("quiet", "      …")] : [];
  });
  return [toned("strong", `${kind} ${printable(id)}: ${change}`), ...body].join("\n");
}
