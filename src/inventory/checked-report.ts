/** The first look at a report: what cannot be true or cannot be kept is refused with its reason, what is only shown is left out. */
import { appsScopes } from "../policy/device.ts";
import type { App, Platform } from "../policy/device.ts";
import { parsePerson } from "../policy/person.ts";
import { FIELD_LIMIT_BYTES, readDay, readLocale, readText, readTimeZone } from "../store/field-values.ts";
import type { Reading } from "../store/field-values.ts";
import { APPS_LIMIT, FUTURE_LIMIT_MS, GROUPS_LIMIT, REASONS_LIMIT } from "../store/record.ts";
import { inOrder } from "./app-lists.ts";
import type { InventoryReport, ManagedOwner, ReportedApps, SourceVerdict } from "./report.ts";

/** 16: a phone has one or two mail apps; a source that names more names other phones. */
export const EAS_IDS_LIMIT = 16;
/** 200 characters, so that the name of a document fits. */
const SOURCE_DEVICE_ID_LIMIT = 200;

const sourceGrammar = /^[a-z0-9-]{1,64}$/;

export interface CheckedReport extends InventoryReport {
  /** What the list was as it came; undefined where there was none. */
  readonly listed: { readonly count: number; readonly scope: ReportedApps["scope"] } | undefined;
}

export interface CheckContext {
  readonly now: Date;
  readonly privacy: "all" | "rules-only";
  /** Ids of apps that rules speak about, lower-case. */
  readonly appIds: ReadonlySet<string>;
  /** As far as earlier reports have told. */
  readonly platform: Platform | undefined;
}

export function checkReport(report: InventoryReport, context: CheckContext): Reading<CheckedReport> {
  const problem = problemWith(report, context);
  if (problem !== undefined) return { ok: false, problem };
  const { easDeviceIds = [], apps } = report;
  const checked: CheckedReport = {
    ...report,
    ...shown(report),
    ...(Object.hasOwn(report, "owner") && { owner: readableOwner(report.owner) }),
    ...(Object.hasOwn(report, "verdict") && { verdict: readableVerdict(report.verdict) }),
    ...(easDeviceIds.length > 0 && { easDeviceIds: [...new Set(easDeviceIds)].toSorted() }),
    ...(apps !== undefined && { apps: keptApps(apps, { ...context, platform: report.platform ?? context.platform }) }),
    listed: apps && { count: apps.apps.length, scope: apps.scope },
  };
  return { ok: true, value: checked };
}

/** Undefined where all that decides something can be kept as it is. */
function problemWith(report: InventoryReport, { now }: CheckContext): string | undefined {
  const {
    source,
    sourceDeviceId,
    easDeviceIds = [],
    groups = [],
    region,
    apps,
    deviceAt,
    enrolledAt,
    verdict,
  } = report;
  if (!sourceGrammar.test(source)) return "source is not 1 to 64 of a-z, 0-9 and -";
  const id = readText(sourceDeviceId, SOURCE_DEVICE_ID_LIMIT);
  if (!id.ok) return `sourceDeviceId ${id.problem}`;
  if (id.value !== sourceDeviceId) return "sourceDeviceId has spaces around it";
  if (easDeviceIds.length > EAS_IDS_LIMIT) return `easDeviceIds has more than ${EAS_IDS_LIMIT} elements`;
  if (groups.length > GROUPS_LIMIT) return `groups has more than ${GROUPS_LIMIT} elements`;
  for (const group of groups) {
    const read = readText(group);
    if (!read.ok) return `groups has an element that ${read.problem}`;
  }
  const read = region === undefined || region.trim() === "" ? undefined : readText(region);
  if (read?.ok === false) return `region ${read.problem}`;
  if (verdict?.until !== undefined && Number.isNaN(verdict.until.getTime())) return "verdict.until is no time";
  return (
    problemWithApps(apps) ??
    problemWithTime("deviceAt", deviceAt, now) ??
    problemWithTime("enrolledAt", enrolledAt, now) ??
    problemWithTime("apps.at", apps?.at, now)
  );
}

function problemWithApps(reported: ReportedApps | undefined): string | undefined {
  if (reported === undefined) return undefined;
  const { scope, apps, asked = [] } = reported;
  if (!appsScopes.includes(scope)) return `apps.scope is not one of ${appsScopes.join(", ")}`;
  if (apps.length > APPS_LIMIT) return `apps has more than ${APPS_LIMIT} elements`;
  if (asked.length > APPS_LIMIT) return `apps.asked has more than ${APPS_LIMIT} elements`;
  for (const id of asked) {
    const read = readText(id);
    if (!read.ok) return `apps.asked has an element that ${read.problem}`;
  }
  // Names can be left out where they do not fit; ids cannot.
  return sizeOf(apps.map(bare)) > FIELD_LIMIT_BYTES ? `apps is larger than ${FIELD_LIMIT_BYTES} bytes` : undefined;
}

/** A time from further ahead would make everything that is true later look old. */
function problemWithTime(name: string, time: Date | undefined, now: Date): string | undefined {
  if (time === undefined) return undefined;
  if (Number.isNaN(time.getTime())) return `${name} is no time`;
  return time.getTime() > now.getTime() + FUTURE_LIMIT_MS ? `${name} lies in the future` : undefined;
}

const shownTexts = ["osVersion", "osBuild", "osExtra", "model", "serial", "udid", "region"] as const;

/** What is only shown to people, or would be unknown where it cannot be read, is unknown then. */
function shown(report: InventoryReport): Partial<InventoryReport> {
  const read: {
    -readonly [P in (typeof shownTexts)[number] | "securityPatch" | "timezone" | "locale"]?: string | undefined;
  } = {};
  for (const part of shownTexts) if (Object.hasOwn(report, part)) read[part] = readable(report[part], readText);
  if (Object.hasOwn(report, "securityPatch")) read.securityPatch = readable(report.securityPatch, readDay);
  if (Object.hasOwn(report, "timezone")) read.timezone = readable(report.timezone, readTimeZone);
  if (Object.hasOwn(report, "locale")) read.locale = readable(report.locale, readLocale);
  return read;
}

function readable(text: string | undefined, read: (text: string) => Reading<string>): string | undefined {
  const reading = text === undefined ? undefined : read(text);
  return reading?.ok === true ? reading.value : undefined;
}

/** Only names by which a credential can be known. A display name is none: `Alice Smith` would make the record unreadable. */
function readableOwner(owner: ManagedOwner | undefined): ManagedOwner | undefined {
  const email = readable(owner?.email, readText);
  const name = readable(owner?.name, readText);
  const readableEmail = email?.includes("@") === true && parsePerson(email) !== undefined ? email : undefined;
  const readableName = name !== undefined && parsePerson(name) !== undefined ? name : undefined;
  if (readableEmail === undefined && readableName === undefined) return undefined;
  return { email: readableEmail, name: readableName, sourceUserId: readable(owner?.sourceUserId, readText) };
}

/** Reasons are shown to a person, and more than REASONS_LIMIT of them to nobody. */
function readableVerdict(verdict: SourceVerdict | undefined): SourceVerdict | undefined {
  if (verdict === undefined) return undefined;
  const reasons = verdict.reasons.flatMap((reason) => readable(reason, readText) ?? []);
  return { ...verdict, reasons: reasons.slice(0, REASONS_LIMIT) };
}

const applePlatforms: ReadonlySet<Platform | undefined> = new Set(["ios", "ipados", "macos", undefined]);
const appleBeginning = "com.apple.";

/**
 * What is kept of a list. Systems from iOS 26 on name Apple's own apps as well: some sixty, the same on each phone. With
 * `rules-only` nothing is kept but what rules ask about, so that a list of all apps becomes an answer about those.
 */
function keptApps({ scope, apps, asked = [], at }: ReportedApps, context: CheckContext): ReportedApps {
  const { privacy, appIds, platform } = context;
  const isApple = applePlatforms.has(platform);
  const isRule = (id: string): boolean => appIds.has(id.toLowerCase());
  const isKept = ({ id }: App): boolean => {
    const lowerId = id.toLowerCase();
    return appIds.has(lowerId) || (privacy === "all" && !(isApple && lowerId.startsWith(appleBeginning)));
  };
  const kept: App[] = [];
  for (const app of apps) {
    const read = isKept(app) ? readableApp(app) : undefined;
    if (read !== undefined) kept.push(read);
  }
  const fitting = sizeOf(kept) > FIELD_LIMIT_BYTES ? kept.map((app) => (isRule(app.id) ? app : bare(app))) : kept;
  const ordered = inOrder(fitting);
  const lower = (ids: Iterable<string>): string[] => [...new Set([...ids].map((id) => id.toLowerCase()))].toSorted();
  switch (scope) {
    case "all":
      return privacy === "rules-only"
        ? { scope: "asked-only", apps: ordered, asked: lower(appIds), at }
        : { scope, apps: ordered, asked: lower(appIds).filter((id) => isApple && id.startsWith(appleBeginning)), at };
    case "asked-only":
      return { scope, apps: ordered, asked: lower(asked).filter((id) => privacy === "all" || appIds.has(id)), at };
    case "managed-only":
    case "work-profile":
    case "none":
      return { scope, apps: ordered, asked: [], at };
  }
}

/** An id that is none can be none of a rule's either; a name or version that cannot be shown is not. */
function readableApp({ id, name, version }: App): App | undefined {
  const read = readText(id);
  return read.ok ? { id: read.value, name: readable(name, readText), version: readable(version, readText) } : undefined;
}

function bare({ id }: App): App {
  return { id, name: undefined, version: undefined };
}

/** Bytes of the list as the field of a record. */
function sizeOf(apps: readonly App[]): number {
  const letters = apps.reduce(
    (sum, { id, name = "", version = "" }) => sum + id.length + name.length + version.length,
    0,
  );
  // A letter is 6 bytes at most, as an escape. Only a list that may be too long is written to be measured.
  const most = letters * 6 + apps.length * 40;
  return most <= FIELD_LIMIT_BYTES ? most : Buffer.byteLength(JSON.stringify(apps.map(appText)));
}

function appText(app: App): App | string {
  return app.name === undefined && app.version === undefined ? app.id : app;
}
