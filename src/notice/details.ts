/** What the help desk asks for first: which phone, by which ID, whose. */
import type { DeviceId, DeviceRecord, Platform } from "../policy/device.ts";
import type { Finding } from "../policy/verdict.ts";
import type { Language } from "./language.ts";
import { datumOf, phrase } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

export type Detail = readonly [label: string, value: Phrase];

export function detailsOf(
  device: DeviceRecord | undefined,
  deviceId: DeviceId,
  findings: readonly Finding[],
  language: Language,
): Detail[] {
  const { details } = language;
  const account = datumOf(device?.email ?? device?.owner);
  const fields = findings.flatMap((finding) => (finding.kind === "record-unreadable" ? finding.fields : []));
  const unreadable = datumOf([...new Set(fields)].join(", "));
  const rows: readonly (readonly [label: string, value: Phrase | undefined])[] = [
    [details.phone, device && phoneOf(device, language)],
    // A string, never shortened: it is of no use unless it is whole, and its grammar is safe anywhere.
    [details.phoneId, [deviceId]],
    [details.account, account && [account]],
    [details.fields, unreadable && [unreadable]],
  ];
  return rows.flatMap(([label, value]): Detail[] => (value === undefined ? [] : [[label, value]]));
}

function phoneOf(device: DeviceRecord, { names, details }: Language): Phrase | undefined {
  const model = datumOf(device.model);
  const version = datumOf(device.osVersion);
  if (version === undefined) return model && [model];
  const name = model ?? names[platformOf(device) ?? "unknown"];
  return phrase`${name}${details.comma}${systemOf(device, version)}`;
}

const systems: Readonly<Partial<Record<Platform, string>>> = {
  ios: "iOS",
  ipados: "iPadOS",
  android: "Android",
  macos: "macOS",
  windows: "Windows",
};

/** Some sources write "26.1", others "iOS 26.1". */
export function systemOf(device: DeviceRecord | undefined, version: Datum): Phrase {
  const platform = platformOf(device);
  const system = platform === undefined ? undefined : systems[platform];
  return system !== undefined && /^\d/.test(version.datum) ? [`${system} `, version] : [version];
}

/** Many systems call an iPad's platform iOS; its model tells. */
export function platformOf(device: DeviceRecord | undefined): Platform | undefined {
  if (device?.platform === "ios" && device.model?.toLowerCase().startsWith("ipad") === true) return "ipados";
  return device?.platform;
}
