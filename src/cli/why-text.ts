/** Why a phone is judged as it is, for whoever is on the telephone with its owner: what came, what is known, what counts, what helps. */
import type { CampaignExplanation, Explanation } from "../campaign/explanation.ts";
import type { DeviceRecord } from "../policy/device.ts";
import type { Finding, Ruling, Verdict } from "../policy/verdict.ts";
import type { LastRequest } from "../store/store.ts";
import { momentText, printable, spanText, table, toned } from "./terminal.ts";

/** @param now for the age of the last request, which is what it is whatever time was asked about. */
export function explanationText(explanation: Explanation, now: Date): string {
  const { id, verdict, campaigns, general, record } = explanation;
  const faults = (record?.faults ?? []).map(({ field, problem }) => toned("bad", `! ${field} ${problem}`));
  const parts = [
    lastRequestsText(explanation, now),
    `${toned("strong", id)}  ${verdictText(verdict)}\n${table(factRows(explanation))}`,
    ...(faults.length === 0 ? [] : [faults.join("\n")]),
    ...(general.length === 0 ? [] : [[toned("strong", "the policy itself"), ...general.map(rulingText)].join("\n")]),
    ...campaigns.map((campaign) => campaignText(campaign, explanation)),
    [nextText(explanation), ...whatHelps(explanation)].join("\n"),
  ];
  return parts.join("\n\n");
}

function lastRequestsText({ lastRequests }: Explanation, now: Date): string {
  const title = toned("strong", "last request");
  const [last, ...others] = lastRequests;
  if (last === undefined) return `${title}  none that the mail server has accepted, as far as is remembered`;
  const rows = [
    ["  when", `${momentText(last.at)}, ${agoText(now.getTime() - last.at.getTime())}`],
    ["  who", whoText(last)],
    [
      "  what",
      `${printable(last.command)}, ${last.version === undefined ? "no version said" : `version ${printable(last.version)}`}`,
    ],
    ["  id sent", sentText(last)],
    [
      "  phone",
      [last.deviceType, last.program].flatMap((word) => (word === undefined ? [] : printable(word))).join(", ") || "-",
    ],
    ["  answer", answerText(last)],
  ];
  const more = others.map((each) =>
    toned(
      "quiet",
      `  also ${agoText(now.getTime() - each.at.getTime())}: ${whoText(each)}: ${printable(each.command)}, ${answerText(each)}`,
    ),
  );
  return [title, table(rows), ...more].join("\n");
}

function sentText({ spellings: [sent, ...others], queryForm }: LastRequest): string {
  const form = queryForm === undefined ? "" : `, in a ${queryForm} query`;
  return others.length === 0 ? `${sent}${form}` : `${sent}${form}; the gate tried ${others.join(", ")} too`;
}

function whoText({ account, whose }: LastRequest): string {
  const name = account === "" ? "a credential that names nobody" : printable(account);
  switch (whose) {
    case "owner":
      return name;
    case "somebody-else":
      return `${name}, whom the record does not name`;
    case "stranger":
      return `${name}; the gate found no record`;
  }
}

function answerText({ action, reason, state }: LastRequest): string {
  return `${action} ${reason} (${state})`.replace(` (${reason})`, "");
}

function agoText(ms: number): string {
  return ms < 2_000 ? "just now" : `${spanText(ms)} ago`;
}

function factRows(explanation: Explanation): string[][] {
  const { at, person, policyVersion, policyPlace, record, ages } = explanation;
  const policy = policyPlace === "store" ? `version ${policyVersion ?? 0}` : "the configuration file";
  return [
    ["  judged", `${momentText(at)}, for ${person === undefined ? "nobody in particular" : printable(person)}`],
    ["  policy", policyPlace === "nowhere" ? "none" : policy],
    ["  ids", idsText(explanation)],
    ...(record === undefined ? [["  record", "none: no source has reported it"]] : recordRows(record, ages)),
  ];
}

function idsText({ id, tried }: Explanation): string {
  const others = tried.filter((each) => each !== id);
  const found = tried.includes(id) ? id : `${id}, by an alias`;
  return others.length === 0 ? found : `${found}; tried ${others.join(", ")} too`;
}

function recordRows(record: DeviceRecord, ages: Explanation["ages"]): string[][] {
  const identity = [record.owner ?? record.email ?? "nobody's", record.platform, record.osVersion, record.model];
  return [
    ["  record", printable(identity.filter((part) => part !== undefined).join(", "))],
    [
      "  source",
      `${printable(record.source ?? "one without a name")}, ${ages.device === undefined ? "which does not say when it reported" : `last report ${agoText(ages.device)}`}`,
    ],
    ["  apps", appsText(record, ages.apps)],
    ...(ages.enrolled === undefined ? [] : [["  enrolled", agoText(ages.enrolled)]]),
    ["  first seen", firstSeenText(record.firstSeenAt)],
  ];
}

function appsText({ apps, appsScope, faults }: DeviceRecord, age: number | undefined): string {
  const unread = faults.some(({ field }) => field === "apps") ? "a list that cannot be read" : "no list";
  const scope = appsScope === undefined ? "nobody says what the source can see" : `the source sees ${appsScope}`;
  return [
    apps === undefined ? unread : `${apps.length} reported`,
    ...(age === undefined ? [] : [agoText(age)]),
    scope,
  ].join(", ");
}

export function firstSeenText(at: DeviceRecord["firstSeenAt"]): string {
  if (at === undefined) return "not noted yet";
  return at === "earlier" ? "before anybody noted it" : momentText(at);
}

function campaignText(campaign: CampaignExplanation, { record, general }: Explanation): string {
  const { id, title, mode, rulings } = campaign;
  const head = `${toned("strong", `campaign ${id}`)} (${mode}): ${printable(title)}`;
  if (mode === "paused" || mode === "retracted") return `${head}\n  ${toned("quiet", "says nothing")}`;
  if (campaign.wave === undefined)
    return `${head}\n  ${toned("quiet", record === undefined ? "no wave is for phones without a record" : "not concerned")}`;
  const isSilent = rulings.length === 0;
  const silence = general.some(isExcuse)
    ? "not asked: what the policy itself says comes first"
    : "asks nothing of this phone";
  return [
    head,
    `  ${timesText(campaign)}`,
    ...rulings.map(rulingText),
    ...(isSilent ? [`  ${toned("quiet", silence)}`] : []),
  ].join("\n");
}

function isExcuse({ reason }: Ruling): boolean {
  return reason === "exempted" || reason === "override-allow" || reason === "override-block";
}

function timesText({ wave, phase, enforcedFrom, grace }: CampaignExplanation): string {
  const from = enforcedFrom === undefined ? undefined : momentText(enforcedFrom);
  const words = {
    scheduled: from === undefined ? "not announced yet" : `not announced yet, enforced from ${from}`,
    announced: from === undefined ? "announced" : `announced, enforced from ${from}`,
    enforced: from === undefined ? "enforced, without a deadline" : `enforced since ${from}`,
  };
  const times = `wave ${wave}, ${words[phase ?? "enforced"]}`;
  if (grace === undefined) return times;
  return `${times}: with grace, ${grace.newcomer.replace("-", " ")} ${momentText(grace.since)}`;
}

function rulingText({ action, reason, exemption, finding, changesAt, holdsUntil, shadow }: Ruling): string {
  const tone = action === "allow" ? "good" : action === "warn" ? "warning" : "bad";
  const notes = [
    finding === undefined ? undefined : findingText(finding),
    exemption === undefined ? undefined : `exemption ${printable(exemption)}`,
    shadow === true ? "looks on only" : undefined,
    // Of a warning the moment that matters is the one at which mail stops; of all else the one at which it is another.
    holdsUntil !== undefined && action !== "allow"
      ? `mail flows until ${momentText(holdsUntil)}`
      : changesAt === undefined
        ? undefined
        : `until ${momentText(changesAt)}`,
  ].filter((note) => note !== undefined && note !== "");
  return `  ${toned(tone, action)} ${reason}${notes.length === 0 ? "" : `: ${notes.join("; ")}`}`;
}

function findingText(finding: Finding): string | undefined {
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
  const words = action === "allow" && demands.length > 0 ? "allow, with a notice:" : action;
  return `${toned(tone, words)} ${reason === state ? reason : `${reason} (${state})`}`;
}

function nextText({ next }: Explanation): string {
  return next === undefined
    ? "Time alone changes nothing."
    : `Next: ${momentText(next.at)} → ${verdictText(next.verdict)}`;
}

/** The answer to "what must happen that this phone gets its mail?", and then to "and that it keeps it?". */
function whatHelps({ id, verdict }: Explanation): string[] {
  const rulings = (verdict.rulings ?? []).filter(({ shadow }) => shadow !== true);
  const holding = rulings.filter(({ action }) => action === "quarantine" || action === "block");
  const telling = rulings.filter(({ action }) => action === "warn");
  const helps = remediesFor(holding, id);
  const keeps = remediesFor(telling, id).filter((remedy) => !helps.includes(remedy));
  const soonest = telling
    .flatMap(({ enforcedFrom }) => enforcedFrom ?? [])
    .toSorted((a, b) => a.getTime() - b.getTime())[0];
  const before = soonest === undefined ? "What ends the notice" : `Before ${momentText(soonest)}`;
  return [
    helps.length === 0 ? "Mail flows." : `What helps: ${helps.join("; ")}.`,
    ...(keeps.length === 0 ? [] : [`${before}: ${keeps.join("; ")}.`]),
  ];
}

function remediesFor(rulings: readonly Ruling[], id: string): string[] {
  return [...new Set(rulings.flatMap(({ finding }) => (finding === undefined ? [] : remedies[finding.kind](id))))];
}

const remedies: Readonly<Record<Finding["kind"], (id: string) => string>> = {
  "app-present": () => "remove the app and let the phone report, or an exemption",
  "os-outdated": () => "update the phone and let it report",
  "patch-outdated": () => "update the phone and let it report",
  compromised: () => "the help desk looks at the phone",
  "report-overdue": () => "let the phone report",
  "source-noncompliant": () => "whatever the management system names, or its word changes",
  "not-enrolled": () => "enrol the phone, or an exemption from everything",
  "not-enrolled-for": () => "enrol the phone, or an exemption",
  uninspectable: () => "a source that can see it, or an exemption",
  override: (id) => `take the override back: device set ${id} override=`,
  "id-contested": (id) => `say whose phone it is: device bind ${id}`,
  "owner-mismatch": () => "the owner of the record uses it, or the record is corrected",
  stale: () => "let the phone report",
  "record-unreadable": (id) => `correct the field: device show ${id}`,
};
