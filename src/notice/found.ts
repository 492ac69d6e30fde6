/** What a notice is about, in a list: each app to remove and each other thing to do, with the time that is left for it. */
import type { DeviceRecord } from "../policy/device.ts";
import type { Finding } from "../policy/verdict.ts";
import { systemOf } from "./details.ts";
import { appNamed } from "./known-names.ts";
import type { Language } from "./language.ts";
import { spellDay } from "./moment.ts";
import { datumOf } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";
import { wordingFor } from "./template.ts";
import type { CampaignWords } from "./template.ts";

export interface FoundItem {
  readonly name: Phrase;
  readonly due: Phrase | undefined;
  readonly notes: readonly Phrase[];
  /** Left out first where room is short. */
  readonly remarks: readonly Phrase[];
}

/** What a list is written with. */
export interface ListCase {
  readonly device: DeviceRecord | undefined;
  readonly language: Language;
  readonly say: (moment: Date) => string | undefined;
  readonly campaigns: readonly CampaignWords[];
  /** "Deadline: now" is not said while mail still flows. */
  readonly saysNow: boolean;
}

/** Of a demand that a person can meet, and that has a time for it. */
const dated: ReadonlySet<Finding["kind"]> = new Set([
  "app-present",
  "source-noncompliant",
  "os-outdated",
  "patch-outdated",
  "report-overdue",
  "compromised",
  "not-enrolled-for",
]);

/** The nearest deadline first, where there are deadlines; what has none is due already. Everything else keeps its place. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const byTime = findings
    .filter(({ kind }) => dated.has(kind))
    .toSorted((a, b) => compare(dueAt(a), dueAt(b)))
    .values();
  return findings.map((finding) => (dated.has(finding.kind) ? (byTime.next().value ?? finding) : finding));
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function dueAt(finding: Finding): number {
  return deadlineOf(finding)?.getTime() ?? -Infinity;
}

/** A deadline that is no date is none: sorting must not meet NaN. */
export function deadlineOf(finding: Finding): Date | undefined {
  const deadline = "deadline" in finding && dated.has(finding.kind) ? finding.deadline : undefined;
  return deadline === undefined || Number.isNaN(deadline.getTime()) ? undefined : deadline;
}

/** Every app to remove once, in the order of the findings. */
export function appsOf(findings: readonly Finding[], device: DeviceRecord | undefined, unnamed: string): Datum[] {
  const apps = new Map<string, Datum>();
  for (const name of findings.flatMap((finding) => appsIn(finding, device, unnamed))) {
    const key = name.datum.toLowerCase();
    if (!apps.has(key)) apps.set(key, name);
  }
  return [...apps.values()];
}

function appsIn(finding: Finding, device: DeviceRecord | undefined, unnamed: string): Datum[] {
  if (finding.kind === "app-present") {
    const { appName, app } = finding;
    return [datumOf(appName) ?? datumOf(app.name) ?? datumOf(app.id) ?? { datum: unnamed }];
  }
  return finding.kind === "source-noncompliant"
    ? finding.reasons.flatMap((reason) => datumOf(appNamed(reason, device)) ?? [])
    : [];
}

/** The reasons that name no app that we know. They are shown as they are: somebody at the help desk will know them. */
export function otherReasons(finding: Finding, device: DeviceRecord | undefined): Datum[] {
  if (finding.kind !== "source-noncompliant") return [];
  return finding.reasons
    .filter((reason) => datumOf(appNamed(reason, device)) === undefined)
    .flatMap((reason) => datumOf(reason) ?? []);
}

/** A thing that is asked for, before it is described: nobody reads more than the first few. */
interface Entry {
  readonly name: Phrase;
  readonly finding: Finding;
  readonly notes: readonly Phrase[];
}

/** 8: nobody reads on, and a digest must not change with what nobody sees. */
const FOUND_LIMIT = 8;

export interface FoundList {
  /** The first of what there is, for a list that stays a list; `all` counts the rest. */
  readonly items: readonly FoundItem[];
  readonly all: number;
  /** The time that all of it has in common; each item has its own where they differ. */
  readonly due: Phrase | undefined;
}

/** Each thing once; of two that have the same name, the one that is due first. */
export function listOf(findings: readonly Finding[], about: ListCase): FoundList {
  const entries = new Map<string, Entry>();
  for (const entry of findings.flatMap((finding) => entriesIn(finding, about))) {
    const key = entry.name.map((part) => (typeof part === "string" ? part : part.datum.toLowerCase())).join("");
    if (!entries.has(key)) entries.set(key, entry);
  }
  const [first, ...others] = entries.values();
  if (first === undefined) return { items: [], all: 0, due: undefined };
  const isCommon = others.length > 0 && others.every(({ finding }) => dueAt(finding) === dueAt(first.finding));
  return {
    items: [first, ...others].slice(0, FOUND_LIMIT).map(({ name, finding, notes }) => ({
      name,
      due: isCommon ? undefined : dueOf(finding, about),
      notes,
      remarks: remarksOf(finding, about),
    })),
    all: entries.size,
    due: isCommon ? dueOf(first.finding, about) : undefined,
  };
}

function entriesIn(finding: Finding, { device, language }: ListCase): Entry[] {
  const words = language.about;
  const entry = (name: Phrase, notes: readonly Phrase[] = []): Entry => ({ name, finding, notes });
  switch (finding.kind) {
    case "app-present":
      return appsIn(finding, device, words.unnamed).map((name) => {
        const label = datumOf(finding.app.name);
        const isKnownAs = label === undefined || label.datum.toLowerCase() === name.datum.toLowerCase();
        return entry([name], isKnownAs ? [] : [words.shownAs(label)]);
      });
    case "source-noncompliant":
      return [...appsIn(finding, device, words.unnamed), ...otherReasons(finding, device)].map((name) => entry([name]));
    case "os-outdated": {
      const version = datumOf(finding.osVersion);
      const name = words.os(minimumOf(finding, device, language));
      return [entry(name, version === undefined ? [] : [words.now(systemOf(device, version))])];
    }
    case "patch-outdated": {
      const patch = dayOf(finding.securityPatch, language);
      return [entry(words.patch(minimumOf(finding, device, language)), patch === undefined ? [] : [words.now(patch)])];
    }
    case "report-overdue":
      return [entry(words.checkIn)];
    case "compromised":
      return [entry(words.helpDesk)];
    case "not-enrolled-for":
      return [entry(words.setUp)];
    case "override":
    case "not-enrolled":
    case "owner-mismatch":
    case "id-contested":
    case "stale":
    case "uninspectable":
    case "record-unreadable":
      return [];
  }
}

function dueOf(finding: Finding, { language, say, saysNow }: ListCase): Phrase | undefined {
  const deadline = deadlineOf(finding);
  const spelled = deadline && say(deadline);
  if (spelled !== undefined) return language.about.due(spelled);
  return saysNow ? language.about.dueNow : undefined;
}

function remarksOf(finding: Finding, { language, say, campaigns }: ListCase): Phrase[] {
  const words = language.about;
  const at = "foundAt" in finding && finding.foundAt !== undefined ? say(finding.foundAt) : undefined;
  const title = wordingFor(finding, campaigns, language)?.title ?? ("title" in finding ? finding.title : undefined);
  const told = datumOf(title);
  return [...(at === undefined ? [] : [words.at(at)]), ...(told === undefined ? [] : [words.rule(told)])];
}

type Outdated = Extract<Finding, { kind: "os-outdated" | "patch-outdated" }>;

/** What the campaign asks for, as people say it: "iOS 26.2", "1 May 2026". */
export function minimumOf(finding: Outdated, device: DeviceRecord | undefined, language: Language): Phrase {
  const minimum = datumOf(finding.minimum);
  if (finding.kind === "patch-outdated") return dayOf(finding.minimum, language) ?? [];
  return minimum === undefined ? [] : systemOf(device, minimum);
}

function dayOf(day: string, language: Language): Phrase | undefined {
  const spelled = spellDay(day, language);
  if (spelled !== undefined) return [spelled];
  const datum = datumOf(day);
  return datum && [datum];
}
