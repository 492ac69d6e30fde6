/** A host of Fleet as a report. */
import * as z from "zod";
import type { InventoryReport, ReportedApps } from "../../inventory/report.ts";
import type { Platform } from "../../policy/device.ts";
import { id, moment, part, spoken, text, word } from "../rest/words.ts";

export const host = z.object({
  id: id(),
  uuid: text(),
  hardware_serial: text(),
  hardware_model: text(),
  platform: word(),
  os_version: text(),
  detail_updated_at: moment(),
  software_updated_at: moment(),
  last_enrolled_at: moment(),
  mdm: part(z.object({ enrollment_status: word() })),
  software: part(
    z.array(
      z.object({
        name: text(),
        version: text(),
        bundle_identifier: text(),
        // Of an Android app.
        application_id: text(),
      }),
    ),
  ),
  end_users: part(
    z.array(z.object({ idp_username: text(), other_emails: part(z.array(z.object({ email: text() }))) })),
  ),
  device_mapping: part(z.array(z.object({ email: text() }))),
});
export type Host = z.output<typeof host>;

/** Computers are Fleet's main trade, and none of ours. */
export function isPhone({ platform }: Host): boolean {
  return platformOf(platform) !== undefined;
}

export function isApple({ platform }: Host): boolean {
  return platform === "ios" || platform === "ipados";
}

/** Undefined for a computer. */
export function reportOf(source: string, each: Host, easDeviceId: string | undefined): InventoryReport | undefined {
  const platform = platformOf(each.platform);
  if (platform === undefined) return undefined;
  const status = each.mdm?.enrollment_status ?? "";
  return {
    source,
    sourceDeviceId: each.id,
    enrolled: status === "" || status.startsWith("on"),
    ...spoken("easDeviceIds", easDeviceId === undefined ? undefined : [easDeviceId]),
    ...spoken("owner", ownerOf(each)),
    platform,
    // It writes the system's name in front: `iOS 17.5.1`.
    osVersion: each.os_version?.replace(/^[A-Za-z]+(?: OS)? /, ""),
    model: each.hardware_model,
    serial: each.hardware_serial,
    udid: each.uuid,
    ownership: ownershipOf(status),
    enrolledAt: each.last_enrolled_at,
    deviceAt: each.detail_updated_at,
    ...spoken("apps", appsOf(each, status)),
  };
}

/** Of an iPhone that a person has enrolled by hand it keeps the apps that it has installed itself; of Android the work profile. */
function appsOf({ software, software_updated_at: at, platform }: Host, status: string): ReportedApps | undefined {
  if (software === undefined || at === undefined) return undefined;
  return {
    scope: platform === "android" ? "work-profile" : /automatic|company/.test(status) ? "all" : "managed-only",
    at,
    apps: software.flatMap(({ name, version, bundle_identifier: bundle, application_id: application }) => {
      const appId = bundle ?? application;
      return appId === undefined ? [] : [{ id: appId, name, version }];
    }),
  };
}

function platformOf(word: string): Platform | undefined {
  switch (word) {
    case "ios":
    case "ipados":
    case "android":
      return word;
    default:
      return undefined;
  }
}

function ownerOf({ end_users: users = [], device_mapping: mapping = [] }: Host): InventoryReport["owner"] {
  const [user] = users;
  const email = user?.other_emails?.[0]?.email ?? mapping[0]?.email;
  const name = user?.idp_username;
  return email === undefined && name === undefined
    ? undefined
    : { email: email ?? (name?.includes("@") === true ? name : undefined), name };
}

function ownershipOf(status: string): NonNullable<InventoryReport["ownership"]> {
  if (/personal/.test(status)) return "personal";
  return /automatic|company/.test(status) ? "corporate" : "unknown";
}
