/**
 * A device of Workspace ONE UEM and its apps as a report. Versions of the server differ in the case of their keys, so all of them are read in
 * small letters.
 */
import * as z from "zod";
import type { InventoryReport, ReportedApps, SourceVerdict } from "../../inventory/report.ts";
import type { Platform } from "../../policy/device.ts";
import { id, moment, part, spoken, text, withLowerCaseKeys, word } from "../rest/words.ts";

/** A list that comes as an empty object where it is empty. */
function listIn(key: string) {
  return z
    .unknown()
    .optional()
    .optional()
    .transform((given) => z.object({ [key]: z.array(z.string()) }).safeParse(given).data?.[key] ?? []);
}

const device = z.object({
  id: z.object({ value: id() }),
  udid: text(),
  serialnumber: text(),
  username: text(),
  useremailaddress: text(),
  ownership: word(),
  platform: word(),
  model: text(),
  operatingsystem: text(),
  osbuildversion: text(),
  securitypatchdate: text(),
  lastseen: moment(),
  lastenrolledon: moment(),
  enrollmentstatus: word(),
  compliancestatus: word(),
  compromisedstatus: part(z.union([z.boolean(), word()])),
  easid: text(),
  easids: listIn("easid"),
  compliancesummary: z
    .unknown()
    .optional()
    .transform((given) => complianceSummary.safeParse(given).data?.devicecompliance ?? []),
});
const complianceSummary = z.object({
  devicecompliance: z.array(z.object({ compliantstatus: part(z.boolean()), policyname: text() })),
});

export const anyDevice = z.preprocess(withLowerCaseKeys, device);
export type WorkspaceOneDevice = z.output<typeof device>;

export const devicePage = z.preprocess(
  withLowerCaseKeys,
  z.object({ devices: part(z.array(device)), total: part(z.int().nonnegative()) }),
);

const app = z.object({ applicationidentifier: text(), applicationname: text(), version: text() });
export const appList = z.preprocess(
  withLowerCaseKeys,
  z.union([
    z.array(app),
    z.object({ deviceapps: z.array(app) }).transform(({ deviceapps }) => deviceapps),
    z.object({ applications: z.array(app) }).transform(({ applications }) => applications),
  ]),
);
export type AppList = z.output<typeof appList>;

export interface Visibility {
  /** Whether Workspace ONE collects all apps of phones that belong to people; by default it keeps to its own. */
  readonly personalApps: "all" | "managed-only";
}

/** Whether a phone is asked for its apps: it is one, and it is managed. */
export function isPhone(each: WorkspaceOneDevice): boolean {
  return isEnrolled(each) && ["ios", "ipados", "android"].includes(platformOf(each));
}

/** Undefined for a computer without an id of ActiveSync. */
export function reportOf(
  source: string,
  each: WorkspaceOneDevice,
  apps: AppList | undefined,
  visibility: Visibility,
): InventoryReport | undefined {
  const platform = platformOf(each);
  const easDeviceIds = [
    ...new Set([each.easid, ...each.easids].filter((one) => one !== undefined && one.trim() !== "")),
  ];
  if (!["ios", "ipados", "android"].includes(platform) && easDeviceIds.length === 0) return undefined;
  const patch = /^\d{4}-\d{2}-\d{2}/.exec(each.securitypatchdate ?? "")?.[0];
  return {
    source,
    sourceDeviceId: each.id.value,
    enrolled: isEnrolled(each),
    ...spoken("easDeviceIds", easDeviceIds.length === 0 ? undefined : easDeviceIds.flatMap((one) => one ?? [])),
    owner:
      each.useremailaddress === undefined && each.username === undefined
        ? undefined
        : { email: each.useremailaddress, name: each.username },
    platform,
    osVersion: each.operatingsystem,
    osBuild: each.osbuildversion,
    securityPatch: patch,
    model: each.model,
    serial: each.serialnumber,
    udid: each.udid,
    ownership: ownershipOf(each.ownership),
    compromised: compromisedOf(each.compromisedstatus),
    enrolledAt: each.lastenrolledon,
    deviceAt: each.lastseen,
    ...spoken("apps", appsOf(each, apps, visibility)),
    ...spoken("verdict", verdictOf(each)),
  };
}

/** The server does not say when a phone made its list: when it was seen last is the latest that it can be. */
function appsOf(
  each: WorkspaceOneDevice,
  apps: AppList | undefined,
  { personalApps }: Visibility,
): ReportedApps | undefined {
  if (apps === undefined || each.lastseen === undefined) return undefined;
  return {
    scope: ownershipOf(each.ownership) === "corporate" ? "all" : personalApps,
    at: each.lastseen,
    apps: apps.flatMap(({ applicationidentifier, applicationname, version }) =>
      applicationidentifier === undefined ? [] : [{ id: applicationidentifier, name: applicationname, version }],
    ),
  };
}

function isEnrolled({ enrollmentstatus }: WorkspaceOneDevice): boolean {
  return enrollmentstatus === "" || enrollmentstatus === "enrolled";
}

/** `Apple` is what it calls iPhones and iPads. */
function platformOf({ platform, model }: WorkspaceOneDevice): Platform {
  if (/^(apple|ios|ipados)$/.test(platform))
    return platform === "ipados" || /ipad/i.test(model ?? "") ? "ipados" : "ios";
  if (platform.startsWith("android")) return "android";
  if (/^(applemacos|appleosx|macos|mac os x)$/.test(platform.replaceAll(" ", ""))) return "macos";
  return platform.startsWith("win") ? "windows" : "other";
}

/** `C` and `S` are the company's, dedicated and shared; `E` is the employee's. */
function ownershipOf(letter: string): NonNullable<InventoryReport["ownership"]> {
  if (/^(c|s|corporate.*)$/.test(letter)) return "corporate";
  return /^(e|employee.*)$/.test(letter) ? "personal" : "unknown";
}

function compromisedOf(said: boolean | string | undefined): boolean | undefined {
  if (typeof said === "boolean") return said;
  if (said === "true" || said === "compromised") return true;
  return said === "false" || said === "notcompromised" || said === "not compromised" ? false : undefined;
}

/** Undefined where nothing is said: a site without compliance policies has no verdict. */
function verdictOf({ compliancestatus, compliancesummary }: WorkspaceOneDevice): SourceVerdict | undefined {
  const reasons = compliancesummary.flatMap(({ compliantstatus, policyname }) =>
    compliantstatus === false && policyname !== undefined ? [policyname] : [],
  );
  switch (compliancestatus.replaceAll(/[ -]/g, "")) {
    case "":
      return undefined;
    case "compliant":
      return { state: "compliant", reasons: [] };
    case "noncompliant":
      return { state: "noncompliant", reasons };
    default:
      return { state: "cannot-tell", reasons: [] };
  }
}
