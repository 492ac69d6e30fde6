/**
 * A managedDevice of Microsoft Graph v1.0 as a report. Only what a list of devices gives too is read: `udid` and others are null there.
 * Its detectedApps are not read: they have no bundle ids, are up to seven days old, and of personal devices they are the managed apps only.
 */
import * as z from "zod";
import type { InventoryReport, SourceVerdict } from "../../inventory/report.ts";
import type { Platform } from "../../policy/device.ts";

const text = z.string().nullish();

export const managedDevice = z.object({
  id: z.string().min(1),
  userPrincipalName: text,
  emailAddress: text,
  userId: text,
  operatingSystem: text,
  osVersion: text,
  androidSecurityPatchLevel: text,
  serialNumber: text,
  model: text,
  managedDeviceOwnerType: text,
  easDeviceId: text,
  complianceState: text,
  complianceGracePeriodExpirationDateTime: text,
  jailBroken: text,
  lastSyncDateTime: text,
  enrolledDateTime: text,
});
export type ManagedDevice = z.output<typeof managedDevice>;

/** What is asked for: a device has some sixty properties more. */
export const selectedProperties = Object.keys(managedDevice.shape).join(",");

/** Undefined for a computer that has no mailbox by ActiveSync: Intune manages many, and Postern looks at phones. */
export function reportOf(
  source: string,
  device: ManagedDevice,
  reasons: readonly string[],
): InventoryReport | undefined {
  const platform = platformOf(device);
  const easDeviceId = said(device.easDeviceId);
  if ((platform === "windows" || platform === "macos" || platform === "other") && easDeviceId === undefined)
    return undefined;
  const patch = said(device.androidSecurityPatchLevel);
  return {
    source,
    sourceDeviceId: device.id,
    enrolled: true,
    // Empty until the phone has synchronised mail: nothing is said by it.
    ...(easDeviceId === undefined ? {} : { easDeviceIds: [easDeviceId] }),
    owner: ownerOf(device),
    platform,
    osVersion: said(device.osVersion),
    securityPatch: patch !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(patch) ? patch : undefined,
    model: said(device.model),
    serial: said(device.serialNumber),
    ownership: ownershipOf(device),
    compromised: flagOf(device.jailBroken),
    enrolledAt: timeOf(device.enrolledDateTime),
    deviceAt: timeOf(device.lastSyncDateTime),
    verdict: verdictOf(device, reasons),
  };
}

/** `error`, `conflict`, `unknown` and whatever else is said: the source itself cannot tell. */
function verdictOf(device: ManagedDevice, reasons: readonly string[]): SourceVerdict {
  switch ((device.complianceState ?? "").trim().toLowerCase()) {
    case "compliant":
      return { state: "compliant", reasons: [] };
    case "noncompliant":
      return { state: "noncompliant", reasons };
    case "ingraceperiod":
      return { state: "in-grace", reasons, until: timeOf(device.complianceGracePeriodExpirationDateTime) };
    default:
      return { state: "cannot-tell", reasons: [] };
  }
}

/** An iPad of an older enrolment calls its system iOS. */
function platformOf({ operatingSystem, model }: ManagedDevice): Platform {
  const system = (operatingSystem ?? "").toLowerCase();
  if (system.startsWith("ipados") || (system === "ios" && /^ipad/i.test(model ?? ""))) return "ipados";
  if (system.startsWith("ios")) return "ios";
  if (system.startsWith("android")) return "android";
  if (system.startsWith("macos") || system === "mac os") return "macos";
  return system.startsWith("windows") ? "windows" : "other";
}

function ownerOf(device: ManagedDevice): InventoryReport["owner"] {
  const owner = {
    email: said(device.emailAddress),
    name: said(device.userPrincipalName),
    sourceUserId: said(device.userId),
  };
  return owner.email === undefined && owner.name === undefined ? undefined : owner;
}

function ownershipOf({ managedDeviceOwnerType }: ManagedDevice): NonNullable<InventoryReport["ownership"]> {
  switch ((managedDeviceOwnerType ?? "").toLowerCase()) {
    case "company":
      return "corporate";
    case "personal":
      return "personal";
    default:
      return "unknown";
  }
}

/** Graph says it in words: `True`, `False`, `Unknown`. */
function flagOf(word: string | null | undefined): boolean | undefined {
  switch ((word ?? "").toLowerCase()) {
    case "true":
      return true;
    case "false":
      return false;
    default:
      return undefined;
  }
}

/** .NET's first and last moments stand for "never" and "without end". */
function timeOf(word: string | null | undefined): Date | undefined {
  const at = new Date(word ?? "");
  const year = at.getUTCFullYear();
  return Number.isNaN(year) || year < 2000 || year > 9000 ? undefined : at;
}

function said(word: string | null | undefined): string | undefined {
  const trimmed = (word ?? "").trim();
  return trimmed === "" ? undefined : trimmed;
}
