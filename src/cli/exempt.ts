/** `postern exempt`: excuses that end by themselves, and the help desk's glass to break. */
import { BREAK_GLASS_LIMIT_HOURS, breakGlassExemption, newExemptionId } from "../campaign/break-glass.ts";
import { endingExemption, excusing } from "../campaign/ledger.ts";
import { isInFile } from "../campaign/live-policy.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";
import { act, authorOf, requirePolicyInStore, withLedger } from "./policy-command.ts";
import type { ActOptions } from "./policy-command.ts";
import { jsonText, momentText, print, printable, table, toned } from "./terminal.ts";

export interface ExemptOptions extends ActOptions {
  readonly owner?: readonly string[] | undefined;
  readonly group?: readonly string[] | undefined;
  readonly device?: readonly string[] | undefined;
  readonly campaign: string;
  readonly until: string;
  readonly id?: string | undefined;
}

export async function exemptAdd(options: ExemptOptions): Promise<void> {
  const { owner, group, device, campaign, until } = options;
  const who = Object.fromEntries(Object.entries({ owner, group, device }).filter(([, value]) => value !== undefined));
  const { why, who: by } = authorOf(options);
  const id = options.id ?? newExemptionId();
  await excuse({ id, who, campaign, until, reason: why, by }, options);
}

export interface BreakGlassOptions extends ActOptions {
  readonly hours: number;
}

/** One person, for some hours, from everything but a block: what a help desk does when somebody must read their mail now. */
export async function breakGlass(owner: string, options: BreakGlassOptions): Promise<void> {
  if (options.hours < 1 || options.hours > BREAK_GLASS_LIMIT_HOURS)
    throw new CommandFailed(2, `--hours must be 1 to ${BREAK_GLASS_LIMIT_HOURS}`);
  const { why, who: by } = authorOf(options);
  const exemption = breakGlassExemption({ owner, hours: options.hours, why, by, now: new Date() });
  await excuse(exemption, { ...options, yes: true });
}

async function excuse(
  exemption: Readonly<Record<string, unknown>> & { readonly id: string },
  options: ActOptions,
): Promise<void> {
  await withLedger(options, async (command) => {
    requirePolicyInStore(command.config);
    const version = await act(command, excusing(exemption), options);
    if (options.json === true) print(jsonText({ version: version.version, exemption }));
    else print(`exemption ${exemption.id} is in force, version ${version.version}`);
  });
}

export async function exemptEnd(id: string, options: ActOptions): Promise<void> {
  await withLedger(options, async (command) => {
    requirePolicyInStore(command.config);
    const version = await act(command, endingExemption(id), options);
    if (options.json === true) print(jsonText({ version: version.version, ended: id }));
    else print(`exemption ${printable(id)} has ended, version ${version.version}`);
  });
}

export async function exemptList(options: ConfigurationOptions & { readonly json?: boolean }): Promise<void> {
  await withLedger(options, async ({ config, ledger }) => {
    const { exemptions } = isInFile(config.policy) ? config.policy : (await ledger.read()).policy;
    if (options.json === true) return print(jsonText(exemptions));
    if (exemptions.length === 0) return print("no exemptions");
    const now = new Date();
    print(
      table([
        ["id", "until", "campaign", "who", "by", "reason"],
        ...exemptions.map(({ id, until, campaign, who, by, reason }) => [
          id,
          until > now ? momentText(until) : toned("quiet", `${momentText(until)} (over)`),
          campaign ?? "all",
          printable([...who.owners, ...who.groups.map((group) => `group ${group}`), ...who.devices].join(" ")),
          printable(by),
          printable(reason),
        ]),
      ]),
    );
  });
}
