/** What managed devices say, in the fields of the record by which a phone is judged. Pure. */
import { parseVersion } from "../policy/version.ts";
import type { KnownFacts } from "../store/record.ts";
import { inOrder } from "./app-lists.ts";
import type { InventoryReport, ReportedApps, SourceVerdict } from "./report.ts";

type Speaking = (part: keyof InventoryReport) => InventoryReport | undefined;

/**
 * @param reports of the managed devices that speak for one phone, the leading one first. What that one does not know is taken from
 * the next one that does.
 */
export function factsOf(reports: readonly [InventoryReport, ...InventoryReport[]]): KnownFacts {
  const [{ source, sourceDeviceId, enrolled }] = reports;
  const speaking: Speaking = (part) =>
    reports.find((report) => report[part] !== undefined) ?? reports.find((report) => Object.hasOwn(report, part));
  return {
    source,
    sourceDeviceId,
    enrolled,
    ...ownerFacts(speaking("owner")),
    ...plainFacts(speaking),
    ...compromisedFacts(reports),
    ...osFacts(speaking("osVersion")),
    ...appsFacts(reports),
    ...verdictFacts(reports),
  };
}

/** Both names belong together: another name of an earlier owner would be a second owner. */
function ownerFacts(report: InventoryReport | undefined): KnownFacts {
  return report === undefined ? {} : { owner: report.owner?.name ?? report.owner?.email, email: report.owner?.email };
}

function plainFacts(speaking: Speaking): KnownFacts {
  return {
    ...fact("groups", speaking("groups")),
    ...fact("region", speaking("region")),
    ...fact("timezone", speaking("timezone")),
    ...fact("locale", speaking("locale")),
    ...fact("platform", speaking("platform")),
    ...fact("securityPatch", speaking("securityPatch")),
    ...fact("model", speaking("model")),
    ...fact("ownership", speaking("ownership")),
    ...fact("deviceAt", speaking("deviceAt")),
    ...fact("enrolledAt", speaking("enrolledAt")),
  };
}

/** That a phone was broken into, or breaks a rule of its system, counts from whichever source says so, unless the leading one has heard from the phone since. */
function laterBad<R extends Pick<InventoryReport, "deviceAt">>(
  speaking: readonly R[],
  isBad: (report: R) => boolean,
): R | undefined {
  const [leading] = speaking;
  if (leading === undefined || isBad(leading)) return leading;
  return speaking.find((report) => isBad(report) && isLater(report.deviceAt, leading.deviceAt)) ?? leading;
}

function isLater(a: Date | undefined, b: Date | undefined): boolean {
  return a !== undefined && (b === undefined || a > b);
}

function compromisedFacts(reports: readonly InventoryReport[]): KnownFacts {
  const known = reports.filter(({ compromised }) => compromised !== undefined);
  const said = known.length > 0 ? known : reports.filter((report) => Object.hasOwn(report, "compromised"));
  return fact(
    "compromised",
    laterBad(said, ({ compromised }) => compromised === true),
  );
}

type PlainPart = keyof InventoryReport & keyof KnownFacts;

function fact<P extends PlainPart>(
  part: P,
  report: InventoryReport | undefined,
): { readonly [Q in P]?: InventoryReport[Q] } {
  const facts: { [Q in P]?: InventoryReport[Q] } = {};
  if (report !== undefined) facts[part] = report[part];
  return facts;
}

/** `26.1 (a) (23B85)`: the letter of a rapid security response counts, the build is for people. */
function osFacts(report: InventoryReport | undefined): KnownFacts {
  if (report === undefined) return {};
  const { osVersion, osExtra = "", osBuild = "" } = report;
  if (osVersion === undefined) return { osVersion };
  const inBrackets = (text: string): string => (text === "" ? "" : ` (${text.replaceAll(/[()\s]/g, "")})`);
  const spellings = [
    `${osVersion}${inBrackets(osExtra)}${inBrackets(osBuild)}`,
    `${osVersion}${inBrackets(osExtra)}`,
    `${osVersion}${inBrackets(osBuild)}`,
  ];
  return { osVersion: spellings.find((spelling) => parseVersion(spelling) !== undefined) ?? osVersion };
}

/**
 * The list of the first source that sees apps, and what another one has found besides: a banned app that is found is there, whatever the
 * first one can see. Unless that one has looked for it since.
 */
function appsFacts(reports: readonly InventoryReport[]): KnownFacts {
  const lists = reports.flatMap(({ apps }) => apps ?? []);
  const leading = lists.find(({ scope }) => scope !== "none") ?? lists[0];
  if (leading === undefined) return {};
  const { scope, at } = leading;
  const asked = leading.asked ?? [];
  const known = new Set(leading.apps.map(({ id }) => id.toLowerCase()));
  const found = lists.flatMap((list) => {
    const isOlder = list.at <= at;
    return list.apps.filter(({ id }) => !known.has(id.toLowerCase()) && !(isOlder && hasLookedFor(leading, id)));
  });
  const apps = inOrder([...leading.apps, ...new Map(found.map((app) => [app.id.toLowerCase(), app])).values()]);
  return {
    appsScope: scope,
    // Nobody has looked, so that nothing is known; an empty list would be one.
    apps: scope === "none" && apps.length === 0 ? undefined : apps,
    appsAsked: asked.length > 0 || scope === "asked-only" ? asked : undefined,
    appsAt: at,
  };
}

/** Whether an app that is not in the list is not on the phone. */
function hasLookedFor({ scope, asked = [] }: ReportedApps, id: string): boolean {
  return scope === "all" || (scope === "asked-only" && asked.includes(id.toLowerCase()));
}

const unheard: KnownFacts = { compliance: undefined, complianceUntil: undefined, reasons: undefined };

function verdictFacts(reports: readonly InventoryReport[]): KnownFacts {
  const verdicts = reports.flatMap(({ verdict, deviceAt }) => (verdict === undefined ? [] : [{ verdict, deviceAt }]));
  const certain = verdicts.filter(({ verdict }) => verdict.state !== "cannot-tell");
  const said = laterBad(certain.length > 0 ? certain : verdicts, ({ verdict }) => verdict.state === "noncompliant");
  if (said !== undefined) return ofVerdict(said.verdict);
  return reports.some((report) => Object.hasOwn(report, "verdict")) ? unheard : {};
}

function ofVerdict({ state, reasons, until }: SourceVerdict): KnownFacts {
  const said = reasons.length === 0 ? undefined : reasons;
  switch (state) {
    case "compliant":
      return { compliance: "compliant", complianceUntil: undefined, reasons: said };
    case "noncompliant":
      return { compliance: "noncompliant", complianceUntil: undefined, reasons: said };
    case "in-grace":
      return { compliance: "compliant", complianceUntil: until, reasons: said };
    case "cannot-tell":
      return unheard;
  }
}
