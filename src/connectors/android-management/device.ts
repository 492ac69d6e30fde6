/** A device of the Android Management API v1 as a report. */
import * as z from "zod";
import type { InventoryReport, ReportedApps, SourceVerdict } from "../../inventory/report.ts";
import { moment, part, spoken, text, word } from "../rest/words.ts";

export const androidDevice = z.object({
  /** `enterprises/LC0…/devices/3a…` */
  name: z.string().regex(/^enterprises\/[\w-]{1,100}\/devices\/[\w-]{1,100}$/),
  user: part(z.object({ accountIdentifier: text() })),
  state: word(),
  ownership: word(),
  managementMode: word(),
  enrollmentTime: moment(),
  lastStatusReportTime: moment(),
  policyCompliant: part(z.boolean()),
  nonComplianceDetails: part(
    z.array(z.object({ settingName: text(), packageName: text(), nonComplianceReason: text() })),
  ),
  softwareInfo: part(z.object({ androidVersion: text(), androidBuildNumber: text(), securityPatchLevel: text() })),
  hardwareInfo: part(z.object({ model: text(), serialNumber: text() })),
  securityPosture: part(z.object({ devicePosture: word() })),
  applicationReports: part(
    z.array(z.object({ packageName: text(), displayName: text(), versionName: text(), state: word() })),
  ),
});
export type AndroidDevice = z.output<typeof androidDevice>;

export interface Naming {
  /** Behind the account's own name, which is no address; undefined: it says nothing about the owner. */
  readonly ownerDomain: string | undefined;
  /** Whether Gmail was told the device's own id as its id of ActiveSync. */
  readonly easDeviceIds: "device-id" | "none";
}

export function idOf({ name }: Pick<AndroidDevice, "name">): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

export function reportOf(
  source: string,
  device: AndroidDevice,
  { ownerDomain, easDeviceIds }: Naming,
): InventoryReport {
  const { softwareInfo, hardwareInfo, securityPosture } = device;
  const account = device.user?.accountIdentifier;
  const patch = softwareInfo?.securityPatchLevel;
  return {
    source,
    sourceDeviceId: idOf(device),
    enrolled: device.state !== "deleted",
    ...(easDeviceIds === "none" ? {} : { easDeviceIds: [idOf(device)], easDeviceIdsAre: "managed-config" as const }),
    ...(ownerDomain === undefined
      ? {}
      : { owner: account === undefined ? undefined : { name: `${account}@${ownerDomain}`, sourceUserId: account } }),
    platform: "android",
    ...(softwareInfo === undefined
      ? {}
      : {
          osVersion: softwareInfo.androidVersion,
          osBuild: softwareInfo.androidBuildNumber,
          securityPatch: patch !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(patch) ? patch : undefined,
        }),
    ...(hardwareInfo === undefined ? {} : { model: hardwareInfo.model, serial: hardwareInfo.serialNumber }),
    ownership: ownershipOf(device.ownership),
    ...(securityPosture === undefined ? {} : { compromised: compromisedOf(securityPosture.devicePosture) }),
    enrolledAt: device.enrollmentTime,
    deviceAt: device.lastStatusReportTime,
    ...spoken("apps", appsOf(device)),
    ...spoken("verdict", verdictOf(device)),
  };
}

/** Of a phone that belongs to a person only its work profile is seen. What was removed is listed too, where the policy asks for it. */
function appsOf({ applicationReports, managementMode, lastStatusReportTime }: AndroidDevice): ReportedApps | undefined {
  if (applicationReports === undefined || lastStatusReportTime === undefined) return undefined;
  return {
    scope: managementMode === "device_owner" ? "all" : "work-profile",
    at: lastStatusReportTime,
    apps: applicationReports.flatMap(({ packageName, displayName, versionName, state }) =>
      packageName === undefined || state === "removed"
        ? []
        : [{ id: packageName, name: displayName, version: versionName }],
    ),
  };
}

function ownershipOf(said: string): NonNullable<InventoryReport["ownership"]> {
  if (said === "company_owned") return "corporate";
  return said === "personally_owned" ? "personal" : "unknown";
}

/** `at_risk` is an old system or the like, and nothing that was broken into. */
function compromisedOf(posture: string): boolean | undefined {
  if (posture === "potentially_compromised") return true;
  return posture === "secure" || posture === "at_risk" ? false : undefined;
}

function verdictOf({ policyCompliant, nonComplianceDetails = [] }: AndroidDevice): SourceVerdict | undefined {
  if (policyCompliant === undefined) return undefined;
  if (policyCompliant) return { state: "compliant", reasons: [] };
  const reasons = nonComplianceDetails.map(({ settingName, packageName, nonComplianceReason }) =>
    [settingName, packageName, nonComplianceReason].filter((each) => each !== undefined).join(" "),
  );
  return { state: "noncompliant", reasons: [...new Set(reasons.filter((reason) => reason !== ""))] };
}
