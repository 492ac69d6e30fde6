/** Builders for facts and policies: a test names what matters to it, everything else is ordinary. */
import type { Audience, Campaign, Policy, Stances } from "../../src/policy/campaign.ts";
import { toDeviceId } from "../../src/policy/device.ts";
import type { App, DeviceId, DeviceRecord } from "../../src/policy/device.ts";

export function deviceId(text: string): DeviceId {
  const id = toDeviceId(text);
  if (id === undefined) throw new Error(`no device id: ${text}`);
  return id;
}

export function aRecord(parts: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    id: deviceId("PHONE1"),
    owner: undefined,
    email: undefined,
    groups: [],
    region: undefined,
    timezone: undefined,
    locale: undefined,
    platform: "ios",
    osVersion: "26.1",
    model: "iPhone 17",
    ownership: "corporate",
    appsScope: "all",
    apps: [],
    appsAsked: [],
    appsAt: undefined,
    deviceAt: undefined,
    source: "test",
    sourceDeviceId: undefined,
    compliance: undefined,
    reasons: [],
    override: undefined,
    faults: [],
    ...parts,
  };
}

export function anApp(id: string): App {
  return { id, name: undefined, version: undefined };
}

export const tiktok = anApp("com.zhiliaoapp.musically");

export const ordinaryStances: Stances = {
  notEnrolled: "quarantine",
  stale: "allow",
  uninspectable: "allow",
  unknown: "last-known",
};

const everybody: Audience = { regions: [], groups: [], platforms: [], ownerships: [], owners: [] };

export function aCampaign(
  parts: Partial<Campaign> & { readonly deadline?: Date; readonly audience?: Partial<Audience> } = {},
): Campaign {
  const { deadline, audience, ...rest } = parts;
  return {
    id: "tiktok",
    title: "TikTok is not permitted on phones that read company mail",
    requirements: [
      {
        kind: "absent",
        name: "TikTok",
        ids: new Map([
          ["ios", ["com.zhiliaoapp.musically"]],
          ["android", ["com.zhiliaoapp.musically", "com.ss.android.ugc.trill"]],
        ]),
      },
    ],
    waves: [{ audience: { ...everybody, ...audience }, deadline }],
    stances: ordinaryStances,
    wording: new Map(),
    ...rest,
  };
}

export function aPolicy(parts: Partial<Policy> = {}): Policy {
  return { campaigns: [aCampaign()], stances: ordinaryStances, maxReportAgeHours: 168, homeDomains: [], ...parts };
}
