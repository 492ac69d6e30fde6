/** Each requirement: when it is met, when it fails, and when nobody can tell. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { DeviceRecord } from "../../src/policy/device.ts";
import { check } from "../../src/policy/requirement.ts";
import type { Requirement } from "../../src/policy/requirement.ts";
import { parseVersionRange } from "../../src/policy/version.ts";
import type { VersionRange } from "../../src/policy/version.ts";
import { aRecord, anApp, tiktok } from "../support/records.ts";

const now = new Date("2026-11-24T12:00:00Z");
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);
const demand = { campaign: "c", title: "T", deadline: undefined };

function range(text: string): VersionRange {
  const parsed = parseVersionRange(text);
  assert.ok(parsed !== undefined);
  return parsed;
}

const os: Requirement = {
  kind: "os",
  minimum: new Map([
    ["ios", range(">=26.1")],
    ["android", range(">=15")],
  ]),
  securityPatch: "2026-05-01",
};
const patchOnly: Requirement = { kind: "os", minimum: new Map(), securityPatch: "2026-05-01" };
const oldTikTok: Requirement = {
  kind: "absent",
  name: "TikTok",
  ids: new Map([["ios", ["com.zhiliaoapp.musically"]]]),
  versions: range("<30.5"),
};
const reported: Requirement = { kind: "reported", withinHours: 72 };
const version = (text: string | undefined): DeviceRecord["apps"] => [{ ...tiktok, version: text }];
const android = (parts: Partial<DeviceRecord>): DeviceRecord => aRecord({ platform: "android", ...parts });

const rows: readonly (readonly [title: string, requirement: Requirement, record: DeviceRecord, expected: string])[] = [
  ["iOS 26.1 is new enough", os, aRecord({ osVersion: "26.1" }), "met os-current"],
  ["iOS 26.1 in words is too", os, aRecord({ osVersion: "iOS 26.1 (23B85)" }), "met os-current"],
  ["iOS 26.0.1 is not", os, aRecord({ osVersion: "26.0.1" }), "failed os-outdated"],
  ["a beta of 26.1 is not", os, aRecord({ osVersion: "26.1 beta 2" }), "failed os-outdated"],
  ["26.9 is older than 26.10", os, aRecord({ osVersion: "26.10" }), "met os-current"],
  ["an iPad is held to iOS", os, aRecord({ platform: "ipados", osVersion: "18.7" }), "failed os-outdated"],
  ["a Mac is not concerned", os, aRecord({ platform: "macos", osVersion: "10.1" }), "not-concerned"],
  ["a phone without a version", os, aRecord({ osVersion: undefined }), "cannot-tell os"],
  ["a version that is none", os, aRecord({ osVersion: "newest" }), "cannot-tell os"],
  ["a phone of an unknown platform", os, aRecord({ platform: undefined }), "cannot-tell os"],
  ["Android of May", os, android({ osVersion: "15", securityPatch: "2026-05-01" }), "met os-current"],
  ["Android of April", os, android({ osVersion: "16", securityPatch: "2026-04-30" }), "failed patch-outdated"],
  ["an old Android of May", os, android({ osVersion: "14", securityPatch: "2026-05-01" }), "failed os-outdated"],
  ["Android without a patch level", os, android({ osVersion: "15" }), "cannot-tell security-patch"],
  ["an iPhone has no patch level", patchOnly, aRecord(), "not-concerned"],
  ["an app of a banned version", oldTikTok, aRecord({ apps: version("30.4.9") }), "failed app-present"],
  ["an app of a version that is not banned", oldTikTok, aRecord({ apps: version("30.5") }), "met app-absent"],
  ["an app of a version that nobody knows", oldTikTok, aRecord({ apps: version(undefined) }), "cannot-tell app"],
  ["no such app", oldTikTok, aRecord({ apps: [anApp("org.example")] }), "met app-absent"],
  ["a report of two days ago", reported, aRecord({ deviceAt: hours(-48) }), "met report-recent"],
  ["a report of apps counts too", reported, aRecord({ deviceAt: hours(-80), appsAt: hours(-1) }), "met report-recent"],
  ["a report that is old to the moment", reported, aRecord({ deviceAt: hours(-72) }), "failed report-overdue"],
  ["no report at all", reported, aRecord(), "failed report-overdue"],
  ["a record is an enrolment", { kind: "enrolled" }, aRecord(), "met enrolled"],
  ["a jailbroken phone", { kind: "not-compromised" }, aRecord({ compromised: true }), "failed compromised"],
  ["a phone that is whole", { kind: "not-compromised" }, aRecord({ compromised: false }), "met not-compromised"],
  ["a phone of which nobody knows", { kind: "not-compromised" }, aRecord(), "cannot-tell integrity"],
  [
    "a source that is content",
    { kind: "source-compliant" },
    aRecord({ compliance: "compliant" }),
    "met source-compliant",
  ],
  [
    "a source that is not",
    { kind: "source-compliant" },
    aRecord({ compliance: "noncompliant" }),
    "failed source-noncompliant",
  ],
  ["a source that says nothing", { kind: "source-compliant" }, aRecord(), "cannot-tell compliance"],
];

suite("requirements", () => {
  for (const [title, requirement, record, expected] of rows) {
    test(title, () => {
      const result = check(requirement, record, demand, now);
      const detail =
        result.kind === "cannot-tell" ? result.unseen.kind : result.kind === "not-concerned" ? "" : result.reason;
      assert.equal(`${result.kind} ${detail}`.trim(), expected);
    });
  }

  test("what failed says what was found and what would do", () => {
    const outdated = check(os, android({ osVersion: "14" }), demand, now);
    assert.deepEqual(outdated, {
      kind: "failed",
      reason: "os-outdated",
      finding: { kind: "os-outdated", ...demand, osVersion: "14", minimum: "15" },
    });
  });

  test("a report that is recent says until when", () => {
    const recent = check(reported, aRecord({ deviceAt: hours(-48) }), demand, now);
    assert.deepEqual(recent, { kind: "met", reason: "report-recent", until: hours(24) });
  });
});
