/** From findings to a letter: what a person is told, in order, before it takes the form of plain text or of a page. */
import type { DeviceId, DeviceRecord } from "../policy/device.ts";
import type { Finding } from "../policy/verdict.ts";
import { detailsOf, platformOf } from "./details.ts";
import type { Detail } from "./details.ts";
import { appItem, appsOf, otherReasons, reportedItems } from "./found.ts";
import type { FoundApp, FoundItem } from "./found.ts";
import { managerNamed } from "./known-names.ts";
import type { Language, Matter, Setting } from "./language.ts";
import type { SpellMoment } from "./moment.ts";
import { datumOf, phrase } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

export interface Letter {
  readonly language: Language;
  readonly organisation: Datum;
  readonly subject: Phrase;
  readonly title: Phrase;
  /** Never empty: the first is what the letter is about, the others are what stands in the way besides. */
  readonly why: readonly [Phrase, ...Phrase[]];
  /** The first of what was found, for a list that stays a list; `foundInAll` counts the rest. */
  readonly found: readonly FoundItem[];
  readonly foundInAll: number;
  readonly stepsHeading: string;
  readonly steps: readonly Phrase[];
  readonly meanwhile: Language["meanwhile"];
  readonly after: Phrase;
  readonly ask: Phrase;
  readonly helpUrl: string | undefined;
  readonly details: readonly Detail[];
}

export interface LetterCase {
  readonly phase: "warned" | "held";
  readonly findings: readonly Finding[];
  readonly device: DeviceRecord | undefined;
  readonly deviceId: DeviceId;
  readonly timezone: string | undefined;
  readonly organisation: Datum;
  readonly helpUrl: string | undefined;
  readonly spellMoment: SpellMoment;
}

/** 8: nobody reads on, and a digest must not change with what nobody sees. */
const FOUND_LIMIT = 8;

/** What may be said to somebody whose name the record does not have. */
const impersonal: ReadonlySet<Finding["kind"]> = new Set(["owner-mismatch", "override"]);

/** The part of a case that is this reader's business. A record of somebody else's phone is not: not its apps, not its name. */
export function forReader<Case extends Pick<LetterCase, "findings" | "device">>(about: Case): Case {
  if (about.findings.every(({ kind }) => kind !== "owner-mismatch")) return about;
  return { ...about, device: undefined, findings: about.findings.filter(({ kind }) => impersonal.has(kind)) };
}

export function composeLetter(about: LetterCase, language: Language): Letter {
  const { findings, device, deviceId, organisation, helpUrl } = about;
  const timezone = about.timezone ?? device?.timezone;
  const say = (moment: Date): string | undefined => about.spellMoment(moment, timezone, language);
  const apps = appsOf(findings, device, { datum: language.found.unnamed });
  const [lead = { kind: "nothing-known" } as const, ...others] = mattersOf(about, apps, say);
  const setting: Setting = {
    organisation,
    platform: platformOf(device),
    manager: datumOf(managerNamed(device?.source)),
  };
  const reported = reportedItems(findings, device);
  const { steps, ...held } = language.tell(lead, setting);
  const isWarning = about.phase === "warned";
  const { subject, title, why, after } = isWarning ? language.warned.tell(lead, setting) : held;
  return {
    language,
    organisation,
    subject,
    title,
    why: [
      isWarning ? why : phrase`${why} ${language.instead}`,
      ...others.map((matter) => language.also(matter, setting)),
    ],
    found: [...apps.slice(0, FOUND_LIMIT).map((app) => appItem(app, language, say)), ...reported].slice(0, FOUND_LIMIT),
    foundInAll: apps.length + reported.length,
    stepsHeading: isWarning ? language.warned.stepsHeading : language.stepsHeading,
    steps,
    meanwhile: isWarning ? language.warned.meanwhile : language.meanwhile,
    after,
    ask: language.ask(organisation, helpUrl !== undefined),
    helpUrl,
    details: detailsOf(device, deviceId, findings, language),
  };
}

type Say = (moment: Date) => string | undefined;

/** What the letter is about, in the order of the findings; what several findings have in common is said once. */
function mattersOf(about: LetterCase, apps: readonly FoundApp[], say: Say): Matter[] {
  const matters = new Map<Matter["kind"], Matter>();
  for (const matter of about.findings.flatMap((finding) => mattersIn(finding, about, apps, say))) {
    if (!matters.has(matter.kind)) matters.set(matter.kind, matter);
  }
  return [...matters.values()];
}

function mattersIn(finding: Finding, about: LetterCase, apps: readonly FoundApp[], say: Say): Matter[] {
  const { findings, device } = about;
  switch (finding.kind) {
    case "app-present":
      return appsMatter(apps, device);
    case "source-noncompliant": {
      const named = appsOf([finding], device, { datum: "" }).length > 0 ? appsMatter(apps, device) : [];
      const onlyApps = named.length > 0 && otherReasons(finding.reasons, device).length === 0;
      return onlyApps ? named : [...named, { kind: "reported" }];
    }
    case "override":
      return [{ kind: "switched-off", why: datumOf(finding.why) }];
    case "not-enrolled":
      return [{ kind: "not-enrolled" }];
    case "owner-mismatch":
      return [{ kind: "owner-mismatch" }];
    case "stale":
      return [{ kind: "stale", reportedAt: say(finding.reportedAt), maxAgeHours: finding.maxAgeHours }];
    case "uninspectable": {
      const names = findings.flatMap((other) =>
        other.kind === "uninspectable" && other.unseen.kind === "app" ? [other.unseen.name] : [],
      );
      const [first, ...rest] = [...new Set(names)].flatMap((name) => datumOf(name) ?? []);
      return first === undefined ? [{ kind: "nothing-known" }] : [{ kind: "uninspectable", apps: [first, ...rest] }];
    }
    case "record-unreadable":
      return [{ kind: "record-unreadable" }];
    case "os-outdated":
    case "patch-outdated":
    case "compromised":
    case "report-overdue":
    case "not-enrolled-for":
      return [{ kind: "nothing-known" }];
  }
}

function appsMatter(apps: readonly FoundApp[], device: DeviceRecord | undefined): Matter[] {
  const [first, ...rest] = apps.map(({ name }) => name);
  if (first === undefined) return [];
  return [{ kind: "apps", apps: [first, ...rest], onlyInWorkProfile: device?.appsScope === "work-profile" }];
}
