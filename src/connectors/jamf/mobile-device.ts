/** A mobile device of the Jamf Pro API (`/v2/mobile-devices/detail`) as a report. Sections that a server leaves out are not spoken of. */
import * as z from "zod";
import type { InventoryReport, ReportedApps } from "../../inventory/report.ts";
import type { Platform } from "../../policy/device.ts";
import { id, moment, part, spoken, text, word } from "../rest/words.ts";

const flag = z.union([z.boolean(), word()]);

export const mobileDevice = z.object({
  mobileDeviceId: id(),
  deviceType: word(),
  general: part(
    z.object({
      udid: text(),
      osVersion: text(),
      osBuild: text(),
      osRapidSecurityResponse: text(),
      osSupplementalBuildVersion: text(),
      lastInventoryUpdateDate: moment(),
      lastEnrolledDate: moment(),
      managed: part(z.boolean()),
      deviceOwnershipType: word(),
      exchangeDeviceId: text(),
    }),
  ),
  hardware: part(z.object({ serialNumber: text(), model: text(), modelIdentifier: text() })),
  userAndLocation: part(z.object({ username: text(), emailAddress: text() })),
  applications: part(z.array(z.object({ identifier: text(), name: text(), version: text(), shortVersion: text() }))),
  // The two names of one thing, as servers of different versions have it.
  security: part(z.object({ jailbreakStatus: part(flag), jailBreakDetected: part(flag) })),
});
export type MobileDevice = z.output<typeof mobileDevice>;

/** What a device is asked for; GENERAL alone comes where nothing is said. */
export const sections = ["GENERAL", "HARDWARE", "USER_AND_LOCATION", "APPLICATIONS", "SECURITY"] as const;

/** Undefined for an Apple TV and whatever else reads no mail. */
export function reportOf(source: string, device: MobileDevice): InventoryReport | undefined {
  const { general, hardware, userAndLocation, security } = device;
  const platform = platformOf(device);
  if (platform === undefined) return undefined;
  const ownershipType = general?.deviceOwnershipType ?? "";
  return {
    source,
    sourceDeviceId: device.mobileDeviceId,
    enrolled: general?.managed !== false,
    // Known to Jamf once the phone has an Exchange account; before that nothing is said by it.
    ...spoken("easDeviceIds", general?.exchangeDeviceId === undefined ? undefined : [general.exchangeDeviceId]),
    ...(userAndLocation === undefined ? {} : { owner: ownerOf(userAndLocation) }),
    platform,
    osVersion: general?.osVersion,
    osBuild: general?.osSupplementalBuildVersion ?? general?.osBuild,
    osExtra: general?.osRapidSecurityResponse,
    ...(hardware === undefined
      ? {}
      : { model: hardware.model ?? hardware.modelIdentifier, serial: hardware.serialNumber }),
    udid: general?.udid,
    ownership: ownershipOf(ownershipType),
    ...(security === undefined
      ? {}
      : { compromised: compromisedOf(security.jailbreakStatus ?? security.jailBreakDetected ?? "") }),
    enrolledAt: general?.lastEnrolledDate,
    deviceAt: general?.lastInventoryUpdateDate,
    ...spoken("apps", appsOf(device, ownershipType)),
  };
}

/** Without the time at which the device looked, a list proves nothing. */
function appsOf({ applications, general }: MobileDevice, ownershipType: string): ReportedApps | undefined {
  const at = general?.lastInventoryUpdateDate;
  if (applications === undefined || at === undefined) return undefined;
  return {
    scope: managedOnly.has(ownershipType) ? "managed-only" : "all",
    at,
    apps: applications.flatMap(({ identifier, name, version, shortVersion }) =>
      identifier === undefined ? [] : [{ id: identifier, name, version: shortVersion ?? version }],
    ),
  };
}

/** Apple's User Enrollment, by a profile or by an account: the company sees what it has installed itself. */
const managedOnly: ReadonlySet<string> = new Set(["userenrollment", "accountdrivenuserenrollment"]);

function platformOf({ deviceType, hardware }: MobileDevice): Platform | undefined {
  if (deviceType !== "" && !/^(ios|ipados|unknown)$/.test(deviceType)) return undefined;
  const isPad = [deviceType, hardware?.modelIdentifier, hardware?.model].some((each) => /^ipad/i.test(each ?? ""));
  return isPad ? "ipados" : "ios";
}

function ownerOf({ username, emailAddress }: NonNullable<MobileDevice["userAndLocation"]>): InventoryReport["owner"] {
  return emailAddress === undefined && username === undefined ? undefined : { email: emailAddress, name: username };
}

/** `Institutional` is the company's; so is a device that a person has enrolled with an account as a whole. */
function ownershipOf(type: string): NonNullable<InventoryReport["ownership"]> {
  switch (type) {
    case "institutional":
    case "accountdrivendeviceenrollment":
      return "corporate";
    case "personaldeviceprofile":
    case "userenrollment":
    case "accountdrivenuserenrollment":
      return "personal";
    default:
      return "unknown";
  }
}

function compromisedOf(said: boolean | string): boolean | undefined {
  switch (said) {
    case true:
    case "true":
    case "compromised":
    case "jailbroken":
      return true;
    case false:
    case "false":
    case "normal":
    case "not compromised":
      return false;
    default:
      return undefined;
  }
}
