/** What a phone answered to a command of ours (Apple, "Device Management": DeviceInformation, InstalledApplicationList). */
import type { App, Platform } from "../../policy/device.ts";
import type { InventoryReport } from "../../inventory/report.ts";
import { readPlist, UnreadablePlist } from "../../plist/read-plist.ts";
import { isArray, isDictionary } from "../../plist/value.ts";
import type { PlistDictionary, PlistValue } from "../../plist/value.ts";
import type { CommandKind } from "./commands.ts";
import type { WebhookEvent } from "./webhook-event.ts";

export type ConnectEvent = Extract<WebhookEvent, { readonly kind: "connect" }>;

/** What is in a report beside its key, owner and time. */
export type DeviceFacts = Pick<
  InventoryReport,
  "easDeviceIds" | "platform" | "osVersion" | "osBuild" | "osExtra" | "model" | "serial" | "ownership"
>;

export type Answer =
  | { readonly kind: "device"; readonly facts: DeviceFacts }
  | { readonly kind: "apps"; readonly apps: readonly App[] }
  /** The phone would not or could not. `problem` has nothing of the phone or its owner in it. */
  | { readonly kind: "refused"; readonly problem: string }
  | { readonly kind: "unreadable"; readonly problem: string };

/** The body of the phone must say of itself what the server says of it: a server that read another UDID from it was misled. */
export function readAnswer(event: ConnectEvent, expected: CommandKind): Answer {
  let body: PlistValue;
  try {
    body = readPlist(event.payload);
  } catch (error) {
    if (error instanceof UnreadablePlist) return unreadable(error.message);
    throw error;
  }
  if (!isDictionary(body)) return unreadable("no dictionary");
  const isSame =
    textOf(body, "UDID") === event.udid &&
    textOf(body, "EnrollmentID") === event.enrollmentId &&
    textOf(body, "CommandUUID") === event.commandId &&
    textOf(body, "Status") === event.deviceStatus;
  if (!isSame) return unreadable("the phone and the server say different things of it");
  if (event.deviceStatus !== "Acknowledged") return { kind: "refused", problem: refusalOf(event.deviceStatus, body) };
  return expected === "device" ? readDevice(body) : readApps(body);
}

function unreadable(problem: string): Answer {
  return { kind: "unreadable", problem };
}

/** Where it is there and not empty. */
function textOf(dictionary: PlistDictionary, key: string): string | undefined {
  const value = dictionary.get(key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The first error of the chain, by its numbers: its words are the phone's own. */
function refusalOf(deviceStatus: string, body: PlistDictionary): string {
  if (deviceStatus === "CommandFormatError") return "it takes the command for malformed";
  const chain = body.get("ErrorChain");
  const first = isArray(chain) ? chain[0] : undefined;
  if (!isDictionary(first)) return "it gives no reason";
  const code = first.get("ErrorCode");
  const domain = textOf(first, "ErrorDomain") ?? "";
  return `${/^[A-Za-z.]{1,60}$/.test(domain) ? domain : "error"} ${typeof code === "bigint" ? String(code) : "without a number"}`;
}

function readDevice(body: PlistDictionary): Answer {
  const found = body.get("QueryResponses");
  if (!isDictionary(found)) return unreadable("no QueryResponses");
  // What the phone may not tell is missing, and is then not spoken about: an earlier answer said it with more rights.
  const text = (key: string): string | undefined => textOf(found, key);
  const easDeviceId = text("EASDeviceIdentifier");
  const [osVersion, osBuild, serial] = [text("OSVersion"), text("BuildVersion"), text("SerialNumber")];
  const model = text("ModelName") ?? text("ProductName");
  const platform = platformOf(text("ProductName"));
  return {
    kind: "device",
    facts: {
      ...(easDeviceId !== undefined && { easDeviceIds: [easDeviceId] }),
      ...(platform !== undefined && { platform }),
      // The letter of a rapid security response goes away with the next version, and is then not named.
      ...(osVersion !== undefined && { osVersion, osExtra: text("SupplementalOSVersionExtra") }),
      ...(osBuild !== undefined && { osBuild }),
      ...(model !== undefined && { model }),
      ...(serial !== undefined && { serial }),
      // Only an owner of many devices can supervise one.
      ...(found.get("IsSupervised") === true && { ownership: "corporate" }),
    },
  };
}

const families: readonly (readonly [beginning: string, platform: Platform])[] = [
  ["iPhone", "ios"],
  ["iPod", "ios"],
  ["iPad", "ipados"],
  ["Mac", "macos"],
  ["iMac", "macos"],
  ["VirtualMac", "macos"],
];

function platformOf(product: string | undefined): Platform | undefined {
  if (product === undefined) return undefined;
  return families.find(([beginning]) => product.startsWith(beginning))?.[1] ?? "other";
}

/**
 * An app that is still being installed is there: it will be in a moment. An entry without an id would be one that nobody can look for,
 * so that the list would prove nothing.
 */
function readApps(body: PlistDictionary): Answer {
  const list = body.get("InstalledApplicationList");
  if (!isArray(list)) return unreadable("no InstalledApplicationList");
  const apps: App[] = [];
  for (const item of list) {
    const id = isDictionary(item) ? textOf(item, "Identifier") : undefined;
    if (!isDictionary(item) || id === undefined) return unreadable("an app without an id");
    apps.push({ id, name: textOf(item, "Name"), version: textOf(item, "ShortVersion") ?? textOf(item, "Version") });
  }
  return { kind: "apps", apps };
}
