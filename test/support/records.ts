/** Builders for facts and policies: a test names what matters to it, everything else is ordinary. */
import type { Audience, Campaign, Policy, Stances, Wave } from "../../src/policy/campaign.ts";
import { toDeviceId } from "../../src/policy/device.ts";
import type { App, DeviceId, DeviceRecord } from "../../src/policy/device.ts";
import type { LastRequest } from "../../src/store/store.ts";
import type { Moment } from "../../src/policy/moment.ts";

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
    securityPatch: undefined,
    model: "iPhone 17",
    ownership: "corporate",
    appsScope: "all",
    apps: [],
    appsAsked: [],
    appsAt: undefined,
    deviceAt: undefined,
    enrolledAt: undefined,
    firstSeenAt: undefined,
    enrolled: undefined,
    contested: undefined,
    compromised: undefined,
    source: "test",
    sourceDeviceId: undefined,
    compliance: undefined,
    complianceUntil: undefined,
    reasons: [],
    override: undefined,
    faults: [],
    ...parts,
  };
}

export function aLastRequest(parts: Partial<LastRequest> = {}): LastRequest {
  const id = parts.id ?? deviceId("PHONE1");
  return {
    id,
    whose: "owner",
    account: "alice",
    at: new Date("2026-11-20T12:00:00Z"),
    spellings: [id],
    queryForm: "plain",
    version: "14.1",
    command: "Sync",
    deviceType: "iPhone",
    program: "Apple-iPhone14C5/2307.77",
    action: "allow",
    reason: "compliant",
    state: "compliant",
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

const everybody: Audience = { regions: [], groups: [], platforms: [], ownerships: [], owners: [], share: 1 };

export function aCampaign(
  parts: Partial<Campaign> & {
    readonly announce?: Date;
    readonly deadline?: Date;
    readonly audience?: Partial<Audience>;
  } = {},
): Campaign {
  const { announce, deadline, audience, ...rest } = parts;
  return {
    id: "tiktok",
    title: "TikTok is not permitted on phones that read company mail",
    requirements: [
      {
        kind: "absent",
        name: "TikTok",
        versions: undefined,
        ids: new Map([
          ["ios", ["com.zhiliaoapp.musically"]],
          ["android", ["com.zhiliaoapp.musically", "com.ss.android.ugc.trill"]],
        ]),
      },
    ],
    waves: [aWave({ announce, deadline, audience })],
    mode: "enforce",
    remindMinutes: [],
    graceHours: 0,
    graceFor: ["newly-enrolled"],
    guard: undefined,
    stances: ordinaryStances,
    wording: new Map(),
    ...rest,
  };
}

export function aWave(parts: {
  readonly announce?: Date | undefined;
  readonly deadline?: Date | undefined;
  readonly audience?: Partial<Audience> | undefined;
}): Wave {
  const at = (instant: Date | undefined): Moment | undefined => instant && { kind: "instant", at: instant };
  return {
    audience: { ...everybody, ...parts.audience },
    announce: at(parts.announce),
    deadline: at(parts.deadline),
  };
}

export function aPolicy(parts: Partial<Policy> = {}): Policy {
  return {
    campaigns: [aCampaign()],
    exemptions: [],
    stances: ordinaryStances,
    maxReportAgeHours: 168,
    homeDomains: [],
    ...parts,
  };
}
