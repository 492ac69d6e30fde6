/** The lists of apps of one device, merged: whatever the order in which they come, the same ones are kept and the same one counts. */
import type { App } from "../policy/device.ts";
import type { CheckedReport } from "./checked-report.ts";
import type { AppList, AppLists } from "./managed.ts";
import type { ReportedApps } from "./report.ts";

export const noApps: AppLists = { whole: undefined, empty: undefined, single: new Map() };

export function mergeApps(known: AppLists, { apps, listed }: CheckedReport): AppLists {
  if (apps === undefined || listed === undefined) return known;
  const { at, asked = [] } = apps;
  if (listed.scope === "asked-only") return mergeSingle(known, apps);
  if (listed.scope === "all" && listed.count === 0) {
    if (known.empty !== undefined && known.empty.at > at) return known;
    return { ...known, empty: { at, asked: apps.scope === "all" ? undefined : asked } };
  }
  if (known.whole !== undefined && known.whole.at > at) return known;
  return withoutOlder({ ...known, whole: { scope: apps.scope, apps: apps.apps, asked, at, count: listed.count } });
}

/** Of each app the newest answer. One that was found without being asked for is an answer too. */
function mergeSingle(known: AppLists, { apps, asked = [], at }: ReportedApps): AppLists {
  const found = new Map(apps.map((app) => [app.id.toLowerCase(), app]));
  const single = new Map(known.single);
  for (const id of new Set([...asked, ...found.keys()])) {
    const before = single.get(id);
    if (before === undefined || before.at <= at) single.set(id, { at, app: found.get(id) });
  }
  return withoutOlder({ ...known, single });
}

/** A whole list answers every question that was asked before it, even by not naming the app. */
function withoutOlder({ whole, empty, single }: AppLists): AppLists {
  if (whole === undefined) return { whole, empty, single };
  return {
    whole,
    empty: empty !== undefined && empty.at <= whole.at ? undefined : empty,
    single: new Map([...single].filter(([, { at }]) => at > whole.at)),
  };
}

/**
 * The list that counts. An empty list of all apps is believed where no other is known, or where the device was enrolled anew since:
 * otherwise it is an answer that went wrong, and the last good list counts. How long a list is says nothing else.
 */
export function countingApps(
  lists: AppLists,
  enrolledAt: Date | undefined,
  appIds: ReadonlySet<string>,
): ReportedApps | undefined {
  const base = baseOf(lists, enrolledAt);
  const single = [...lists.single].filter(([, { at }]) => base === undefined || at > base.at);
  if (single.length === 0) return base && { scope: base.scope, apps: base.apps, asked: base.asked, at: base.at };
  const answers = new Map(single);
  // All that rules ask about was asked about since: the answers are newer than the list, and say enough.
  const isEnough = appIds.size > 0 && [...appIds].every((id) => answers.has(id));
  if (base === undefined || base.scope === "none" || isEnough) return ofAnswers(answers, appIds);
  const found = single.flatMap(([, { app }]) => app ?? []);
  return {
    scope: base.scope,
    apps: inOrder([...base.apps.filter(({ id }) => !answers.has(id.toLowerCase())), ...found]),
    asked: base.scope === "asked-only" ? [...new Set([...base.asked, ...answers.keys()])].toSorted() : base.asked,
    // The oldest that is in it: nobody has looked for the other apps since.
    at: base.at,
  };
}

/** As old as the oldest answer that a rule asks for. */
function ofAnswers(answers: AppLists["single"], appIds: ReadonlySet<string>): ReportedApps {
  const entries = [...answers].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const ofRules = entries.filter(([id]) => appIds.has(id));
  const ages = (ofRules.length > 0 ? ofRules : entries).map(([, { at }]) => at.getTime());
  return {
    scope: "asked-only",
    apps: entries.flatMap(([, { app }]): App[] => (app === undefined ? [] : [app])),
    asked: entries.map(([id]) => id),
    at: new Date(Math.min(...ages)),
  };
}

/** By their ids, so that the same apps are the same text however they came together. */
export function inOrder(apps: readonly App[]): readonly App[] {
  const keyed = apps.map((app): [string, App] => [app.id.toLowerCase(), app]);
  return keyed
    .toSorted(([a, first], [b, second]) => compare(a, b) || compare(first.id, second.id))
    .map(([, app]) => app);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function baseOf({ whole, empty }: AppLists, enrolledAt: Date | undefined): AppList | undefined {
  if (empty === undefined || !isBelieved(whole, empty.at, enrolledAt)) return whole;
  const { at, asked } = empty;
  return { scope: asked === undefined ? "all" : "asked-only", apps: [], asked: asked ?? [], at, count: 0 };
}

function isBelieved(whole: AppList | undefined, emptyAt: Date, enrolledAt: Date | undefined): boolean {
  if (whole === undefined) return true;
  if (emptyAt <= whole.at) return false;
  return whole.count === 0 || (enrolledAt !== undefined && enrolledAt > whole.at && enrolledAt <= emptyAt);
}

/** Whether the newest list is one that is not believed. */
export function haveVanished(lists: AppLists, enrolledAt: Date | undefined): boolean {
  const { whole, empty } = lists;
  return empty !== undefined && whole !== undefined && empty.at > whole.at && !isBelieved(whole, empty.at, enrolledAt);
}

/** What may be kept under a stricter rule than that under which it was kept. */
export function onlyRules(lists: AppLists, appIds: ReadonlySet<string>): AppLists {
  const { whole, empty, single } = lists;
  const isRule = (id: string): boolean => appIds.has(id.toLowerCase());
  const isAll = whole?.scope === "all";
  return {
    whole: whole && {
      ...whole,
      scope: isAll ? "asked-only" : whole.scope,
      apps: whole.apps.filter(({ id }) => isRule(id)),
      // Apple's own were kept only where a rule named them.
      asked: isAll
        ? [...appIds].filter((id) => !id.startsWith("com.apple.") || whole.asked.includes(id)).toSorted()
        : whole.asked.filter(isRule),
    },
    empty: empty && { at: empty.at, asked: empty.asked?.filter(isRule) ?? [...appIds].toSorted() },
    single: new Map([...single].filter(([id]) => isRule(id))),
  };
}
