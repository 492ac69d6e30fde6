/** `postern device why`: why a phone is judged as it is, and what would change it. */
import { explainDevice } from "../campaign/device-question.ts";
import type { Supposed } from "../campaign/device-question.ts";
import { spellingsOf } from "../policy/device.ts";
import { PolicyRefused } from "../campaign/ledger.ts";
import { checkFields } from "../store/record.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { requireConfig } from "./configuration.ts";
import { originOf, originText } from "./origin.ts";
import { assignmentsOf, requireId } from "./device.ts";
import { CommandFailed } from "./exit.ts";
import { withStore } from "./store.ts";
import { jsonText, print, printable } from "./terminal.ts";
import { explanationText } from "./why-text.ts";

export interface WhyOptions extends ConfigurationOptions {
  readonly as?: string | undefined;
  readonly at?: string | undefined;
  readonly with?: readonly string[] | undefined;
  readonly json?: boolean | undefined;
}

export async function deviceWhy(idText: string, options: WhyOptions): Promise<void> {
  const tried = spellingsOf(requireId(idText));
  const at = options.at === undefined ? new Date() : new Date(options.at);
  if (Number.isNaN(at.getTime())) throw new CommandFailed(2, "--at must be a time such as 2026-11-20T23:59Z");
  const config = requireConfig(options);
  const supposed = options.with === undefined ? undefined : supposedOf(options.with, at);
  await withStore(config, async (store) => {
    const explanation = await explainDevice(
      { store, configured: config.policy },
      { tried, person: options.as, at, supposed },
    ).catch((error: unknown) => {
      if (error instanceof PolicyRefused)
        throw new CommandFailed(3, "the policy in the store cannot be read by this version");
      throw error;
    });
    const origin = await originOf(store, explanation.id, at);
    if (options.json === true) return print(jsonText({ ...explanation, origin }, 2));
    print(explanationText(explanation, new Date()));
    if (origin !== undefined) print(`\n${originText(origin)}`);
  });
}

/** `app=ID` adds one app, the others set fields or remove them. */
function supposedOf(assignments: readonly string[], at: Date): Supposed {
  const apps = assignments.filter((each) => each.startsWith("app=")).map((each) => each.slice("app=".length));
  const { set, remove } = assignmentsOf(assignments.filter((each) => !each.startsWith("app=")));
  const faults = checkFields(set, at);
  if (faults.length > 0)
    throw new CommandFailed(2, faults.map(({ field, problem }) => `${printable(field)} ${problem}`).join("\n"));
  return { set, remove, apps };
}
