/** From findings to a letter: what a person is told, in order, before it takes the form of plain text or of a page. */
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { Finding } from "../policy/verdict.ts";
import type { Placeholder } from "../policy/wording.ts";
import { detailsOf, platformOf } from "./details.ts";
import type { Detail } from "./details.ts";
import { appsOf, deadlineOf, inOrder, listOf, minimumOf } from "./found.ts";
import type { FoundList } from "./found.ts";
import { managerNamed } from "./known-names.ts";
import type { Language, Matter, Phase, Setting, Telling } from "./language.ts";
import { mattersOf } from "./matters.ts";
import type { Subject } from "./matters.ts";
import type { SpellMoment } from "./moment.ts";
import { datumOf, plain } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";
import { fillIn, wordingFor } from "./template.ts";
import type { CampaignWords, Places } from "./template.ts";

export interface Letter {
  readonly language: Language;
  readonly organisation: Datum;
  /** The title too. */
  readonly subject: Phrase;
  readonly why: Phrase;
  readonly consequence: Phrase;
  readonly found: FoundList;
  readonly stepsHeading: string;
  /** For what the letter is about, … */
  readonly steps: readonly Phrase[];
  /** … for what stands in the way besides, one step each, … */
  readonly furtherSteps: readonly Phrase[];
  /** … and for letting it be known. */
  readonly lastSteps: readonly Phrase[];
  readonly meanwhile: readonly Phrase[];
  readonly after: Phrase;
  readonly ask: Phrase;
  readonly helpUrl: string | undefined;
  /** The address of the page about this phone. */
  readonly link: string | undefined;
  readonly details: readonly Detail[];
}

export interface LetterCase {
  readonly phase: Phase;
  readonly findings: readonly Finding[];
  readonly device: DeviceRecord | undefined;
  readonly deviceId: DeviceId;
  readonly timezone: string | undefined;
  readonly campaigns: readonly CampaignWords[];
  readonly organisation: Datum;
  readonly helpUrl: string | undefined;
  readonly link: string | undefined;
  readonly spellMoment: SpellMoment;
}

/** What may be said to somebody whose name the record does not have. */
const impersonal: ReadonlySet<Finding["kind"]> = new Set(["owner-mismatch", "override"]);

/** The part of a case that is this reader's business. A record of somebody else's phone is not: not its apps, not its name. */
export function forReader<Case extends Pick<LetterCase, "findings" | "device">>(about: Case): Case {
  // Of an id that two people claim the record may be the other one's.
  if (about.findings.length > 0 && about.findings.every(({ kind }) => kind === "id-contested"))
    return { ...about, device: undefined };
  if (about.findings.every(({ kind }) => kind !== "owner-mismatch")) return about;
  return { ...about, device: undefined, findings: about.findings.filter(({ kind }) => impersonal.has(kind)) };
}

export function composeLetter(about: LetterCase, language: Language): Letter {
  const { device, deviceId, organisation, helpUrl, phase } = about;
  const findings = inOrder(about.findings);
  const timezone = about.timezone ?? device?.timezone;
  const say = (moment: Date): string | undefined => about.spellMoment(moment, timezone, language);
  const apps = appsOf(findings, device, language.about.unnamed);
  const [lead, ...rest] = mattersOf(findings, { device, language, say, apps });
  const others = reportingLast(rest.map(({ matter }) => matter));
  const setting = settingOf(about, language);
  const told = language.tell(lead.matter, setting);
  const wording = wordingFor(lead.finding, about.campaigns, language);
  const places = placesOf(lead, apps, about, setting, language, say);
  const worded = fillIn(wording, places, withBriefDeadline(places, lead, about, language));
  return {
    language,
    organisation,
    subject: worded.subject !== undefined && fitsSubject(worded.subject) ? worded.subject : told.subject,
    why: worded.why ?? told.why,
    consequence: language.consequence(
      setting,
      findings.some((finding) => deadlineOf(finding) !== undefined),
    ),
    found: listOf(findings, { device, language, say, campaigns: about.campaigns, saysNow: phase === "held" }),
    stepsHeading: language.stepsHeading[phase],
    steps: worded.steps ?? told.steps,
    furtherSteps: others.map((matter) => language.tell(matter, setting).briefly),
    lastSteps: worded.steps === undefined && needsReport([lead.matter, ...others]) ? [language.report(setting)] : [],
    meanwhile: language.meanwhile.items[phase],
    after: worded.after ?? afterOf(told, phase, language),
    ask: language.ask(organisation, helpUrl !== undefined),
    helpUrl,
    link: about.link,
    details: detailsOf(device, deviceId, findings, language),
  };
}

function settingOf({ device, organisation, phase }: LetterCase, { tag, names }: Language): Setting {
  const platform = platformOf(device);
  const manager = datumOf(managerNamed(device?.source, tag));
  return { phase, organisation, platform, name: names[platform ?? "unknown"], manager };
}

/** What a person changes on the phone becomes known with its next report, … */
const changed: ReadonlySet<Matter["kind"]> = new Set(["apps", "os", "patch"]);
/** … and these have the opening of that app among their own steps. */
const reporting: ReadonlySet<Matter["kind"]> = new Set(["reported", "stale", "uninspectable"]);

function reportingLast(matters: readonly Matter[]): Matter[] {
  return matters.toSorted((a, b) => Number(reporting.has(a.kind)) - Number(reporting.has(b.kind)));
}

function needsReport(matters: readonly Matter[]): boolean {
  return matters.some(({ kind }) => changed.has(kind)) && !reporting.has(matters.at(-1)?.kind ?? "apps");
}

function afterOf({ after }: Telling, phase: Phase, { afterReport, afterWarning }: Language): Phrase {
  if (after === undefined) return afterReport[phase];
  return phase === "held" ? after : afterWarning;
}

/** A subject stays below 120 characters: phones cut longer ones, and it is still one line of a header. */
const SUBJECT_LIMIT_CHARS = 119;
/** From generous to tight, in bytes of each name. */
const subjectRooms = [64, 40, 24, 12, 4];

function fitsSubject(subject: Phrase): boolean {
  return subjectRooms.some((datumBytes) => plain(subject, datumBytes).length <= SUBJECT_LIMIT_CHARS);
}

export function subjectOf({ subject }: Letter): string {
  const texts = subjectRooms.map((datumBytes) => plain(subject, datumBytes));
  return texts.find((text) => text.length <= SUBJECT_LIMIT_CHARS) ?? texts.at(-1) ?? "";
}

function placesOf(
  { matter, finding }: Subject,
  found: readonly Datum[],
  { device, organisation, helpUrl }: LetterCase,
  { name }: Setting,
  language: Language,
  say: (moment: Date) => string | undefined,
): Places {
  const deadline = finding && deadlineOf(finding);
  const spelled = deadline && say(deadline);
  const apps = matter.kind === "uninspectable" ? matter.apps : found;
  const isOutdated = finding?.kind === "os-outdated" || finding?.kind === "patch-outdated";
  const version = datumOf(finding?.kind === "patch-outdated" ? finding.securityPatch : device?.osVersion);
  const places: readonly (readonly [Placeholder, Phrase | undefined])[] = [
    ["app", apps.length === 0 ? undefined : language.list(apps)],
    ["deadline", spelled === undefined ? undefined : [spelled]],
    ["device", [name]],
    ["helpUrl", helpUrl === undefined ? undefined : [helpUrl]],
    ["minimum", isOutdated ? minimumOf(finding, device, language) : undefined],
    ["organisation", [organisation]],
    ["version", version && [version]],
  ];
  return new Map(places.flatMap(([place, value]) => (value === undefined ? [] : [[place, value] as const])));
}

/** The name of a zone would fill a subject by itself. */
function withBriefDeadline(
  places: Places,
  { finding }: Subject,
  { spellMoment, timezone, device }: LetterCase,
  language: Language,
): Places {
  const deadline = finding && deadlineOf(finding);
  const brief = deadline && spellMoment(deadline, timezone ?? device?.timezone, language, "brief");
  return brief === undefined ? places : new Map([...places, ["deadline", [brief]]]);
}
