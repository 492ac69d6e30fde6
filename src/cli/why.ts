/** `postern device why`: why a phone is judged as it is, and what would change it. */
import { explain } from "../campaign/explanation.ts";
import { isInFile } from "../campaign/live-policy.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import { spellingsOf } from "../policy/device.ts";
import type { DeviceRecord } from "../policy/device.ts";
import { checkFields, encodeFields, parseRecord } from "../store/record.ts";
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
  await withStore(config, async (store) => {
    const facts = await store.facts(tried, undefined);
    const stored = isInFile(config.policy) ? undefined : await store.readPolicy();
    const read = stored === undefined ? undefined : readWrittenPolicy(stored, config.policy.stances);
    if (read?.ok === false) throw new CommandFailed(3, "the policy in the store cannot be read by this version");
    const explanation = explain({
      tried,
      id: facts.id,
      record: options.with === undefined ? facts.record : assumed(facts.record, facts.id, options.with, at),
      person: options.as,
      policy: { ...config.policy, ...read?.policy },
      policyPlace: isInFile(config.policy) ? "configuration" : stored === undefined ? "nowhere" : "store",
      policyVersion: stored?.version,
      lastRequests: await store.lastRequests([...new Set([facts.id, ...tried])]),
      at,
    });
    const origin = await originOf(store, facts.id, at);
    if (options.json === true) return print(jsonText({ ...explanation, origin }, 2));
    print(explanationText(explanation, new Date()));
    if (origin !== undefined) print(`\n${originText(origin)}`);
  });
}

/** The record as it would be with other fields: `app=ID` adds one app. */
function assumed(
  record: DeviceRecord | undefined,
  id: DeviceRecord["id"],
  assignments: readonly string[],
  at: Date,
): DeviceRecord {
  const apps = assignments.filter((each) => each.startsWith("app=")).map((each) => each.slice("app=".length));
  const { set, remove } = assignmentsOf(assignments.filter((each) => !each.startsWith("app=")));
  const faults = checkFields(set, at);
  if (faults.length > 0)
    throw new CommandFailed(2, faults.map(({ field, problem }) => `${printable(field)} ${problem}`).join("\n"));
  const fields = new Map(record === undefined ? [] : encodeFields(record).set);
  for (const name of remove) fields.delete(name);
  for (const [name, value] of set) fields.set(name, value);
  const assumedRecord = { ...parseRecord(id, fields, at).record, firstSeenAt: record?.firstSeenAt };
  const added = apps.map((app) => ({ id: app, name: undefined, version: undefined }));
  return apps.length === 0 ? assumedRecord : { ...assumedRecord, apps: [...(assumedRecord.apps ?? []), ...added] };
}
