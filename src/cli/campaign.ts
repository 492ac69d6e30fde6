/** `postern campaign`: announce, enforce, pause, take back; and what was done before. */
import { readFileSync } from "node:fs";
import { applying, idOf, inMode, modeOf, removing, rollingBackTo } from "../campaign/ledger.ts";
import { isInFile } from "../campaign/live-policy.ts";
import { planOf } from "../campaign/plan.ts";
import { formatFaults } from "../config/fault.ts";
import { POLICY_FILE_LIMIT_BYTES, readPolicyFile, writePolicyText } from "../config/policy-document.ts";
import type { ReadPolicy, WrittenPolicy } from "../config/policy-document.ts";
import type { Campaign, CampaignMode, Stances, Wave } from "../policy/campaign.ts";
import type { Moment } from "../policy/moment.ts";
import type { PolicyAct, PolicyVersion } from "../store/store.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";
import { act, planText, requirePolicyInStore, sayWhereItCounts, withLedger } from "./policy-command.ts";
import type { ActOptions, PolicyCommand } from "./policy-command.ts";
import { jsonText, momentText, print, printable, table, toned, warn } from "./terminal.ts";

interface ListOptions extends ConfigurationOptions {
  readonly json?: boolean | undefined;
}

export async function campaignList(options: ListOptions): Promise<void> {
  await withLedger(options, async ({ config, ledger }) => {
    const inFile = isInFile(config.policy);
    const { version, policy } = inFile ? { version: undefined, policy: config.policy } : await ledger.read();
    if (options.json === true) {
      const campaigns = policy.campaigns.map(({ id, title, mode, waves }) => ({
        id,
        title,
        mode,
        waves: waves.length,
      }));
      return print(jsonText({ source: inFile ? "file" : "store", version, campaigns }));
    }
    print(
      toned("quiet", inFile ? "from the configuration file" : `version ${version ?? 0} of the policy in the store`),
    );
    if (policy.campaigns.length === 0) return print("no campaigns");
    print(table([["id", "mode", "waves", "title"], ...policy.campaigns.map(rowOf)]));
    for (const campaign of policy.campaigns) for (const line of waveLines(campaign)) print(line);
  });
}

function rowOf({ id, mode, waves, title }: Campaign): string[] {
  return [id, mode, String(waves.length), printable(title)];
}

function waveLines({ id, waves }: Campaign): string[] {
  return waves.map((wave, index) => {
    const times = [wave.announce && `announced ${whenText(wave.announce)}`, deadlineText(wave)];
    const whom = audienceText(wave);
    return toned(
      "quiet",
      `  ${id} wave ${index + 1}: ${whom}; ${times.filter((each) => each !== undefined).join(", ")}`,
    );
  });
}

function deadlineText({ deadline }: Wave): string {
  return deadline === undefined ? "no deadline" : `deadline ${whenText(deadline)}`;
}

function whenText(moment: Moment): string {
  return moment.kind === "instant" ? momentText(moment.at) : `${moment.wall.replace("T", " ")} on the owner's clock`;
}

function audienceText({ audience }: Wave): string {
  const { regions, groups, platforms, ownerships, owners, share } = audience;
  const parts = [regions, groups, platforms, ownerships, owners].filter((part) => part.length > 0);
  const named = parts.map((part) => printable(part.slice(0, 5).join("/")) + (part.length > 5 ? "/…" : ""));
  if (share < 1) named.push(`${Math.round(share * 10_000) / 100}%`);
  return named.length === 0 ? "everybody" : named.join(" and ");
}

export async function campaignShow(id: string, options: ListOptions): Promise<void> {
  await withLedger(options, async ({ config, ledger }) => {
    sayWhereItCounts(config);
    const { written } = await ledger.read();
    const campaign = written.campaigns.find((each) => isNamed(each, id));
    if (campaign === undefined) throw new CommandFailed(1, `there is no campaign ${printable(id)} in the store`);
    if (options.json === true) return print(jsonText(campaign, 2));
    for (const line of writePolicyText(campaign).trimEnd().split("\n")) print(printable(line));
  });
}

function isNamed(entry: unknown, id: string): boolean {
  return typeof entry === "object" && entry !== null && "id" in entry && entry.id === id;
}

/** @throws CommandFailed with exit code 3 and every fault of the file. */
export function requirePolicyFile(
  file: string,
  stances: Stances,
  elsewhere: readonly string[] = [],
): Extract<ReadPolicy, { ok: true }> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandFailed(3, `${file}: ${error instanceof Error ? error.message : "cannot be read"}`);
  }
  if (Buffer.byteLength(text) > POLICY_FILE_LIMIT_BYTES)
    throw new CommandFailed(3, `${file}: is larger than ${POLICY_FILE_LIMIT_BYTES} bytes`);
  const read = readPolicyFile(text, file, stances, elsewhere);
  if (!read.ok) throw new CommandFailed(3, formatFaults(read.faults));
  return read;
}

/** What the file would change, and nothing else. */
export async function campaignPlan(file: string, options: ListOptions): Promise<void> {
  await withLedger(options, async ({ config, ledger }) => {
    const added = await requireAddition(file, { config, ledger });
    sayWhereItCounts(config);
    const { before, change } = await ledger.propose(applying(added));
    const entries = planOf(before, change.written);
    if (options.json === true) return print(jsonText(entries));
    for (const entry of entries) print(planText(entry));
  });
}

export async function campaignApply(file: string, options: ActOptions): Promise<void> {
  await withLedger(options, async (command) => {
    requirePolicyInStore(command.config);
    const written = await requireAddition(file, command);
    done(await act(command, applying(written), options), options);
  });
}

/** A file with exemptions only may name campaigns of the store. */
async function requireAddition(
  file: string,
  { config, ledger }: Pick<PolicyCommand, "config" | "ledger">,
): Promise<WrittenPolicy> {
  const { stances } = config.policy;
  const { written } = await ledger.read();
  return requirePolicyFile(file, stances, written.campaigns.map(idOf)).written;
}

export async function campaignRemove(id: string, options: ActOptions): Promise<void> {
  await withLedger(options, async (command) => {
    requirePolicyInStore(command.config);
    done(await act(command, removing(id), options), options);
  });
}

export async function campaignMode(
  id: string,
  mode: CampaignMode,
  name: PolicyAct,
  options: ActOptions,
): Promise<void> {
  await withLedger(options, async (command) => {
    requirePolicyInStore(command.config);
    done(await act(command, inMode(id, mode, name), options), options);
  });
}

interface HistoryOptions extends ListOptions {
  readonly limit: number;
}

export async function campaignHistory(options: HistoryOptions): Promise<void> {
  await withLedger(options, async ({ ledger }) => {
    const versions = await ledger.history(options.limit, (version, problem) =>
      warn(`version ${version} cannot be read: it ${printable(problem)}`),
    );
    if (options.json === true) return print(jsonText(versions.map(headOf)));
    if (versions.length === 0) return print("nothing was ever done");
    print(
      table([
        ["version", "when", "act", "what", "who", "why"],
        ...versions.map((version) => [
          String(version.version),
          momentText(version.at),
          printable(version.act),
          printable(version.about.join(" ")),
          printable(version.who),
          printable(version.why),
        ]),
      ]),
    );
  });
}

function headOf({
  version,
  at,
  act: name,
  about,
  who,
  why,
}: PolicyVersion): Omit<PolicyVersion, keyof WrittenPolicy | "runs"> {
  return { version, at, act: name, about, who, why };
}

/** From one version to another; without the second, to the one in force. */
export async function campaignDiff(from: number, to: number | undefined, options: ListOptions): Promise<void> {
  await withLedger(options, async ({ ledger }) => {
    const before = await ledger.version(from);
    const after = to === undefined ? (await ledger.read()).written : await ledger.version(to);
    const entries = planOf(before, after);
    if (options.json === true) return print(jsonText(entries));
    if (entries.length === 0) return print("no difference");
    for (const entry of entries) print(planText(entry));
  });
}

export async function campaignRollBack(version: number, options: ActOptions): Promise<void> {
  await withLedger(options, async (command) => {
    requirePolicyInStore(command.config);
    const target = await command.ledger.version(version);
    done(await act(command, rollingBackTo(target), options), options);
  });
}

function done(version: PolicyVersion, { json }: ActOptions): void {
  const modes = Object.fromEntries(
    version.campaigns.flatMap((campaign) => {
      const id = version.about.find((each) => isNamed(campaign, each));
      return id === undefined ? [] : [[id, modeOf(campaign)]];
    }),
  );
  if (json === true) print(jsonText({ ...headOf(version), modes }));
  else print(`version ${version.version} is in force: ${printable(version.act)} ${printable(version.about.join(" "))}`);
}
