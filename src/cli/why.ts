/** `postern device why`: why a phone is judged as it is, and what would change it. */
import { explain } from "../campaign/explanation.ts";
import type { CampaignExplanation, Explanation } from "../campaign/explanation.ts";
import { isInFile } from "../campaign/live-policy.ts";
import { readWrittenPolicy } from "../config/policy-document.ts";
import { spellingsOf } from "../policy/device.ts";
import type { DeviceRecord } from "../policy/device.ts";
import type { Ruling, Verdict } from "../policy/verdict.ts";
import { checkFields, encodeFields, parseRecord } from "../store/record.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { requireConfig } from "./configuration.ts";
import { originOf, originText } from "./origin.ts";
import { assignmentsOf, requireId } from "./device.ts";
import { CommandFailed } from "./exit.ts";
import { withStore } from "./store.ts";
import { momentText, print, printable, spanText, table, toned } from "./terminal.ts";

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
      policyVersion: stored?.version,
      at,
    });
    const origin = await originOf(store, facts.id, at);
    if (options.json === true) return print(JSON.stringify({ ...explanation, origin }, null, 2));
    print(explanationText(explanation));
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
  const assumedRecord = parseRecord(id, fields, at).record;
  const added = apps.map((app) => ({ id: app, name: undefined, version: undefined }));
  return apps.length === 0 ? assumedRecord : { ...assumedRecord, apps: [...(assumedRecord.apps ?? []), ...added] };
}

function explanationText(explanation: Explanation): string {
  const { id, tried, at, person, record, verdict, campaigns, general, next, policyVersion } = explanation;
  const others = tried.filter((each) => each !== id);
  const lines = [
    `${toned("strong", id)}  ${verdictText(verdict)}`,
    "",
    table([
      ["judged", `${momentText(at)}, for ${person === undefined ? "nobody in particular" : printable(person)}`],
      ["policy", policyVersion === undefined ? "the configuration file, or none" : `version ${policyVersion}`],
      ["also tried", others.length === 0 ? "-" : others.join(" ")],
      ...recordRows(record, explanation),
    ]),
    "",
    ...(general.length === 0 ? [] : [toned("strong", "the policy itself"), ...general.map(rulingText), ""]),
    ...campaigns.flatMap((campaign) => campaignLines(campaign).concat("")),
  ];
  if (record !== undefined && record.faults.length > 0)
    lines.push(...record.faults.map(({ field, problem }) => toned("bad", `! ${field} ${problem}`)), "");
  lines.push(
    next === undefined ? "Time alone changes nothing." : `Next: ${momentText(next.at)} → ${verdictText(next.verdict)}`,
    whatHelps(verdict),
  );
  return lines.join("\n");
}

function recordRows(record: DeviceRecord | undefined, { ages }: Explanation): [string, string][] {
  if (record === undefined) return [["record", "none: no source has reported it"]];
  const age = (ms: number | undefined): string => (ms === undefined ? "never" : `${spanText(Math.max(0, ms))} ago`);
  const identity = [record.owner ?? record.email ?? "nobody's", record.platform, record.osVersion, record.model];
  return [
    ["record", printable(identity.filter((part) => part !== undefined).join(", "))],
    ["source", `${printable(record.source ?? "-")}, last report ${age(ages.device)}`],
    ["apps", `${record.apps?.length ?? "none"} reported, ${record.appsScope ?? "unknown"} scope, ${age(ages.apps)}`],
  ];
}

function campaignLines({ id, title, mode, wave, phase, enforcedFrom, rulings }: CampaignExplanation): string[] {
  const where =
    wave === undefined
      ? "not concerned"
      : [`wave ${wave}`, phase, enforcedFrom && `enforced from ${momentText(enforcedFrom)}`]
          .filter((part) => part !== undefined)
          .join(", ");
  return [
    `${toned("strong", `campaign ${id}`)} (${mode}): ${printable(title)}`,
    `  ${where}`,
    ...rulings.map(rulingText),
  ];
}

function rulingText({ action, reason, exemption, finding, changesAt, shadow }: Ruling): string {
  const tone = action === "allow" ? "good" : action === "warn" ? "warning" : "bad";
  const notes = [
    finding === undefined ? undefined : findingText(finding),
    exemption === undefined ? undefined : `exemption ${exemption}`,
    shadow === true ? "looks on only" : undefined,
    changesAt === undefined ? undefined : `until ${momentText(changesAt)}`,
  ].filter((note) => note !== undefined);
  return `  ${toned(tone, action)} ${reason}${notes.length === 0 ? "" : `: ${notes.join("; ")}`}`;
}

function findingText(finding: NonNullable<Ruling["finding"]>): string | undefined {
  switch (finding.kind) {
    case "app-present":
      return printable(`${finding.appName} (${finding.app.id})`);
    case "os-outdated":
      return printable(`${finding.osVersion}, asked ${finding.minimum}`);
    case "patch-outdated":
      return printable(`patch level ${finding.securityPatch}, asked ${finding.minimum}`);
    case "report-overdue":
      return finding.reportedAt === undefined ? "never reported" : `last report ${momentText(finding.reportedAt)}`;
    case "source-noncompliant":
      return finding.reasons.length === 0 ? undefined : printable(finding.reasons.join(", "));
    case "uninspectable":
      return finding.unseen.kind === "app"
        ? printable(`${finding.unseen.name} cannot be seen`)
        : `${finding.unseen.kind} cannot be seen`;
    case "override":
      return [finding.why, finding.who && `by ${finding.who}`]
        .filter((part) => part !== undefined)
        .map(printable)
        .join(", ");
    case "stale":
      return `last report ${momentText(finding.reportedAt)}`;
    case "record-unreadable":
      return finding.fields.join(", ");
    case "compromised":
    case "not-enrolled":
    case "not-enrolled-for":
    case "owner-mismatch":
    case "id-contested":
      return undefined;
  }
}

function verdictText({ action, state, reason, demands }: Verdict): string {
  const tone = action === "allow" ? (demands.length > 0 ? "warning" : "good") : "bad";
  return `${toned(tone, action === "allow" && demands.length > 0 ? "allow, with a notice" : action)} ${reason} (${state})`;
}

/** The answer to "what must happen that this phone gets its mail?" */
function whatHelps({ action, demands }: Verdict): string {
  if (action === "allow" && demands.length === 0) return "Mail flows.";
  const kinds = [...new Set(demands.map(({ kind }) => kind))].map((kind) => remedies[kind]);
  return `What helps: ${kinds.join("; ")}.`;
}

const remedies: Readonly<Record<Verdict["demands"][number]["kind"], string>> = {
  "app-present": "remove the app and let the phone report, or an exemption",
  "os-outdated": "update the phone and let it report",
  "patch-outdated": "update the phone and let it report",
  compromised: "the help desk looks at the phone",
  "report-overdue": "let the phone report",
  "source-noncompliant": "whatever the management system names, or its word changes",
  "not-enrolled": "enrol the phone, or an exemption from everything",
  "not-enrolled-for": "enrol the phone, or an exemption",
  uninspectable: "a source that can see it, or an exemption",
  override: "take the override back: device set ID override=",
  "owner-mismatch": "the owner of the record uses it, or the record is corrected",
  "id-contested": "say whose phone it is: device bind ID",
  stale: "let the phone report",
  "record-unreadable": "correct the field: device show ID",
};
