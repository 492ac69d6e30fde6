/**
 * A managedDevice of Microsoft Graph v1.0 as a report. Only what a list of devices gives too is read: `udid` and others are null there.
 * Its detectedApps are not read: they have no bundle ids, are up to seven days old, and of personal devices they are the managed apps only.
 */
import * as z from "zod";
import type { InventoryReport, SourceVerdict } from "../../inventory/report.ts";
import type { Platform } from "../../policy/device.ts";
import { moment, spoken, text, word } from "../rest/words.ts";

export const managedDevice = z.object({
  id: z.string().min(1),
  userPrincipalName: text(),
  emailAddress: text(),
  userId: text(),
  operatingSystem: word(),
  osVersion: text(),
  androidSecurityPatchLevel: text(),
  serialNumber: text(),
  model: text(),
  managedDeviceOwnerType: word(),
  easDeviceId: text(),
  complianceState: word(),
  complianceGracePeriodExpirationDateTime: moment(),
  jailBroken: word(),
  lastSyncDateTime: moment(),
  enrolledDateTime: moment(),
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
  const { easDeviceId, androidSecurityPatchLevel: patch } = device;
  const platform = platformOf(device);
  if (!phones.has(platform) && easDeviceId === undefined) return undefined;
  return {
    source,
    sourceDeviceId: device.id,
    enrolled: true,
    // Empty until the phone has synchronised mail: nothing is said by it.
    ...spoken("easDeviceIds", easDeviceId === undefined ? undefined : [easDeviceId]),
    owner: ownerOf(device),
    platform,
    osVersion: device.osVersion,
    securityPatch: patch !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(patch) ? patch : undefined,
    model: device.model,
    serial: device.serialNumber,
    ownership: ownershipOf(device.managedDeviceOwnerType),
    compromised: flagOf(device.jailBroken),
    enrolledAt: device.enrolledDateTime,
    deviceAt: device.lastSyncDateTime,
    verdict: verdictOf(device, reasons),
  };
}

const phones: ReadonlySet<Platform> = new Set(["ios", "ipados", "android"]);

/** `error`, `conflict`, `unknown` and whatever else is said: the source itself cannot tell. */
function verdictOf(device: ManagedDevice, reasons: readonly string[]): SourceVerdict {
  switch (device.complianceState) {
    case "compliant":
      return { state: "compliant", reasons: [] };
    case "noncompliant":
      return { state: "noncompliant", reasons };
    case "ingraceperiod":
      return { state: "in-grace", reasons, until: device.complianceGracePeriodExpirationDateTime };
    default:
      return { state: "cannot-tell", reasons: [] };
  }
}

/** An iPad of an older enrolment calls its system iOS. */
function platformOf({ operatingSystem: system, model }: ManagedDevice): Platform {
  if (system.startsWith("ipados") || (system === "ios" && /^ipad/i.test(model ?? ""))) return "ipados";
  if (system.startsWith("ios")) return "ios";
  if (system.startsWith("android")) return "android";
  if (system.startsWith("macos") || system === "mac os") return "macos";
  return system.startsWith("windows") ? "windows" : "other";
}

function ownerOf({ emailAddress, userPrincipalName, userId }: ManagedDevice): InventoryReport["owner"] {
  if (emailAddress === undefined && userPrincipalName === undefined) return undefined;
  return { email: emailAddress, name: userPrincipalName, sourceUserId: userId };
}

function ownershipOf(type: string): NonNullable<InventoryReport["ownership"]> {
  switch (type) {
    case "company":
      return "corporate";
    case "personal":
      return "personal";
    default:
      return "unknown";
  }
}

/** Graph says it in words: `True`, `False`, `Unknown`. */
function flagOf(said: string): boolean | undefined {
  switch (said) {
    case "true":
      return true;
    case "false":
      return false;
    default:
      return undefined;
  }
}
