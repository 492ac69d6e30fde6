/**
 * A phone that speaks Apple's protocol for device management: it wakes when it is pushed, asks for commands, and answers each. Its property
 * lists are written by hand as iOS writes them, and it reads commands by itself, so that no fault of the product confirms itself.
 */
import { setTimeout } from "node:timers/promises";

export interface SimulatedApp {
  readonly id: string;
  readonly name?: string;
  readonly version?: string;
  readonly isInstalling?: boolean;
}

export interface SimulatedIphone {
  readonly udid: string;
  /** For User Enrollment: the phone has no UDID for the server then. */
  readonly enrollmentId?: string | undefined;
  readonly easDeviceId: string;
  osVersion: string;
  osExtra?: string;
  productName: string;
  serial: string;
  isSupervised: boolean;
  /** Query parameters of the address in its enrolment profile. */
  readonly urlParameters?: Readonly<Record<string, string>> | undefined;
  apps: readonly SimulatedApp[];
  isLocked: boolean;
  /** Milliseconds from the push until it speaks. */
  delayMs: number;
  /** Milliseconds for working on each command. */
  workMs: number;
  /** Answers that it gives to the next commands instead of the right ones. */
  readonly script: ("NotNow" | "Error" | "CommandFormatError" | { readonly plist: string })[];
}

export function aSimulatedIphone(more: Partial<SimulatedIphone> = {}): SimulatedIphone {
  return {
    udid: "00008030-001A2B3C4D5E002E",
    easDeviceId: "APPLEIPHONE0001ABCDEF0001",
    osVersion: "26.1",
    productName: "iPhone17,1",
    serial: "F17XK0001",
    isSupervised: false,
    apps: [{ id: "com.example.notes", name: "Notes & more", version: "1.2.3" }],
    isLocked: false,
    delayMs: 0,
    workMs: 0,
    script: [],
    ...more,
  };
}

export interface ReadCommand {
  readonly uuid: string;
  readonly requestType: string;
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/** Undefined: no command. */
export function readCommand(plist: string): ReadCommand | undefined {
  const textAfter = (key: string): string | undefined =>
    new RegExp(`<key>${key}</key>\\s*<string>([^<]*)</string>`).exec(plist)?.[1];
  const uuid = textAfter("CommandUUID");
  const requestType = textAfter("RequestType");
  if (uuid === undefined || requestType === undefined || !plist.trimEnd().endsWith("</plist>")) return undefined;
  const lists = [...plist.matchAll(/<key>(\w+)<\/key>\s*<array>(.*?)<\/array>/gs)].map(
    ([, key = "", items = ""]) =>
      [key, [...items.matchAll(/<string>([^<]*)<\/string>/g)].map(([, item = ""]) => item)] as const,
  );
  return { uuid, requestType, lists: new Map(lists) };
}

/** The phone's next word: `Idle` without a command. */
export async function answerOf(
  phone: SimulatedIphone,
  command: ReadCommand | undefined,
): Promise<{ readonly status: string; readonly plist: string }> {
  await setTimeout(command === undefined ? phone.delayMs : phone.workMs);
  if (command === undefined) return { status: "Idle", plist: document(phone, "Idle", undefined, "") };
  const scripted = phone.script.shift();
  if (typeof scripted === "object") {
    const status = /<key>Status<\/key>\s*<string>(\w+)<\/string>/.exec(scripted.plist)?.[1] ?? "Acknowledged";
    return { status, plist: scripted.plist.replaceAll("{CommandUUID}", command.uuid).replaceAll("{UDID}", phone.udid) };
  }
  const status = scripted ?? (phone.isLocked ? "NotNow" : "Acknowledged");
  return { status, plist: document(phone, status, command.uuid, contentOf(phone, status, command)) };
}

function contentOf(phone: SimulatedIphone, status: string, { requestType, lists }: ReadCommand): string {
  if (status === "Error") {
    return `\t<key>ErrorChain</key>\n\t<array>\n\t\t<dict>\n\t\t\t<key>ErrorCode</key>\n\t\t\t<integer>12021</integer>\n\t\t\t<key>ErrorDomain</key>\n\t\t\t<string>MCMDMErrorDomain</string>\n\t\t\t<key>LocalizedDescription</key>\n\t\t\t<string>„${phone.serial}“ darf nicht</string>\n\t\t</dict>\n\t</array>\n`;
  }
  if (status !== "Acknowledged") return "";
  if (requestType === "DeviceInformation") {
    const facts: Readonly<Record<string, string | boolean | undefined>> = {
      EASDeviceIdentifier: phone.easDeviceId,
      OSVersion: phone.osVersion,
      SupplementalOSVersionExtra: phone.osExtra,
      BuildVersion: "23B85",
      ModelName: phone.productName.replace(/\d.*/, ""),
      ProductName: phone.productName,
      SerialNumber: phone.enrollmentId === undefined ? phone.serial : undefined,
      IsSupervised: phone.isSupervised,
    };
    const told = (lists.get("Queries") ?? []).flatMap((key) => entry(key, facts[key]));
    return `\t<key>QueryResponses</key>\n\t<dict>\n${told.join("")}\t</dict>\n`;
  }
  if (requestType === "InstalledApplicationList") {
    const asked = lists.get("Identifiers");
    // With case, as Apple does it.
    const named = asked === undefined ? phone.apps : phone.apps.filter(({ id }) => asked.includes(id));
    return `\t<key>InstalledApplicationList</key>\n\t<array>\n${named.map(appEntry).join("")}\t</array>\n`;
  }
  return "";
}

function appEntry({ id, name, version, isInstalling = false }: SimulatedApp): string {
  const facts = [
    ...entry("Identifier", id),
    ...entry("Installing", isInstalling),
    ...entry("Name", name),
    ...entry("ShortVersion", version),
  ];
  return `\t\t<dict>\n${facts.join("")}\t\t</dict>\n`;
}

function entry(key: string, value: string | boolean | undefined): readonly string[] {
  if (value === undefined) return [];
  const written = typeof value === "string" ? `<string>${escape(value)}</string>` : `<${value}/>`;
  return [`\t\t\t<key>${key}</key>\n\t\t\t${written}\n`];
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function document(phone: SimulatedIphone, status: string, uuid: string | undefined, content: string): string {
  const whose =
    phone.enrollmentId === undefined
      ? `\t<key>UDID</key>\n\t<string>${phone.udid}</string>\n`
      : `\t<key>EnrollmentID</key>\n\t<string>${phone.enrollmentId}</string>\n`;
  const command = uuid === undefined ? "" : `\t<key>CommandUUID</key>\n\t<string>${uuid}</string>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
${command}${content}\t<key>Status</key>
\t<string>${status}</string>
${whose}</dict>
</plist>
`;
}
