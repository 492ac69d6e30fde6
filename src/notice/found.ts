/** What was found on the phone, in a list: the apps to remove, and what the management system reports besides. */
import type { DeviceRecord } from "../policy/device.ts";
import type { Finding } from "../policy/verdict.ts";
import { appNamed } from "./known-names.ts";
import type { Language } from "./language.ts";
import { datumOf } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

export interface FoundItem {
  readonly name: Datum;
  readonly notes: readonly Phrase[];
  /** Left out first where room is short. */
  readonly rule: Phrase | undefined;
}

/** An app to remove, whoever found it. */
export interface FoundApp {
  readonly name: Datum;
  /** What stands under its icon, where that is something else. */
  readonly shownAs: Datum | undefined;
  readonly foundAt: Date | undefined;
  /** Undefined: at once. */
  readonly deadline: Date | undefined;
  readonly rule: Datum | undefined;
}

/** Every app to remove once, the nearest deadline first; what has no deadline is due already. */
export function appsOf(findings: readonly Finding[], device: DeviceRecord | undefined, unnamed: Datum): FoundApp[] {
  const apps = new Map<string, FoundApp>();
  for (const app of findings.flatMap((finding) => appsIn(finding, device, unnamed))) {
    const key = app.name.datum.toLowerCase();
    const before = apps.get(key);
    if (before === undefined || compareDue(app, before) < 0) apps.set(key, app);
  }
  return [...apps.values()].toSorted(compareDue);
}

function compareDue(a: FoundApp, b: FoundApp): number {
  const [dueA, dueB] = [dueAt(a), dueAt(b)];
  return dueA === dueB ? 0 : dueA - dueB;
}

function dueAt({ deadline }: FoundApp): number {
  // A deadline that is no date is none: sorting must not meet NaN.
  const at = deadline?.getTime() ?? -Infinity;
  return Number.isNaN(at) ? -Infinity : at;
}

function appsIn(finding: Finding, device: DeviceRecord | undefined, unnamed: Datum): FoundApp[] {
  if (finding.kind === "app-present") {
    const { appName, app, foundAt, deadline, title } = finding;
    const name = datumOf(appName) ?? datumOf(app.name) ?? datumOf(app.id) ?? unnamed;
    const label = datumOf(app.name);
    const shownAs = label?.datum.toLowerCase() === name.datum.toLowerCase() ? undefined : label;
    return [{ name, shownAs, foundAt, deadline, rule: datumOf(title) }];
  }
  if (finding.kind !== "source-noncompliant") return [];
  const { foundAt } = finding;
  return finding.reasons.flatMap((reason) => {
    const name = datumOf(appNamed(reason, device));
    return name === undefined ? [] : [{ name, shownAs: undefined, foundAt, deadline: undefined, rule: undefined }];
  });
}

/** The reasons that name no app that we know. They are shown as they are: somebody at the help desk will know them. */
export function otherReasons(reasons: readonly string[], device: DeviceRecord | undefined): Datum[] {
  const data = reasons
    .filter((reason) => datumOf(appNamed(reason, device)) === undefined)
    .flatMap((reason) => datumOf(reason) ?? []);
  return [...new Map(data.map((datum) => [datum.datum, datum])).values()];
}

export function appItem(
  { name, shownAs, foundAt, deadline, rule }: FoundApp,
  { found }: Language,
  say: (moment: Date) => string | undefined,
): FoundItem {
  const at = foundAt && say(foundAt);
  const due = deadline && say(deadline);
  return {
    name,
    notes: [
      ...(shownAs === undefined ? [] : [found.shownAs(shownAs)]),
      due === undefined ? found.dueNow : found.due(due),
      ...(at === undefined ? [] : [found.at(at)]),
    ],
    rule: rule && found.rule(rule),
  };
}

export function reportedItems(findings: readonly Finding[], device: DeviceRecord | undefined): FoundItem[] {
  const reasons = findings.flatMap((finding) => (finding.kind === "source-noncompliant" ? finding.reasons : []));
  return otherReasons(reasons, device).map((name) => ({ name, notes: [], rule: undefined }));
}
