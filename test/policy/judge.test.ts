import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Policy } from "../../src/policy/campaign.ts";
import { appsScopes, platforms } from "../../src/policy/device.ts";
import type { DeviceRecord } from "../../src/policy/device.ts";
import { judge } from "../../src/policy/judge.ts";
import type { Facts } from "../../src/policy/judge.ts";
import { parsePerson } from "../../src/policy/person.ts";
import type { Reason, Verdict } from "../../src/policy/verdict.ts";
import { aCampaign, anApp, aPolicy, aRecord, ordinaryStances, tiktok } from "../support/records.ts";

const now = new Date("2026-11-24T12:00:00Z");
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);
const alice = parsePerson("alice");

interface Row {
  readonly title: string;
  readonly record: DeviceRecord | undefined;
  readonly policy?: Policy;
  readonly facts?: Partial<Facts>;
  readonly expected: readonly [Verdict["action"], Verdict["state"], Reason];
}

const rows: readonly Row[] = [
  { title: "a phone without the app reads its mail", record: aRecord(), expected: ["allow", "compliant", "compliant"] },
  {
    title: "a phone with the app is quarantined",
    record: aRecord({ apps: [tiktok] }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "letter case does not hide an app",
    record: aRecord({ apps: [anApp("COM.ZhiliaoApp.Musically")] }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "an iPad is held against the ids of iPhones",
    record: aRecord({ platform: "ipados", apps: [tiktok] }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "a phone of an unknown platform is held against every id",
    record: aRecord({ platform: undefined, apps: [anApp("com.ss.android.ugc.trill")] }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "an id of another platform is another app",
    record: aRecord({ platform: "ios", apps: [anApp("com.ss.android.ugc.trill")] }),
    expected: ["allow", "compliant", "compliant"],
  },
  {
    title: "a platform without ids is not concerned",
    record: aRecord({ platform: "windows", apps: [tiktok] }),
    expected: ["allow", "compliant", "compliant"],
  },
  {
    title: "an app that is found is proof even where the source sees managed apps only",
    record: aRecord({ appsScope: "managed-only", apps: [tiktok] }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  ...(["managed-only", "work-profile", "none", undefined] as const).map((appsScope) => ({
    title: `not found proves nothing where the source sees ${appsScope ?? "an unknown part"}`,
    record: aRecord({ appsScope, apps: [] }),
    expected: ["allow", "uninspectable", "uninspectable"] as const,
  })),
  {
    title: "not found is proof where exactly these ids were asked about",
    record: aRecord({ appsScope: "asked-only", appsAsked: ["com.zhiliaoapp.Musically"], apps: [] }),
    expected: ["allow", "compliant", "compliant"],
  },
  {
    title: "not found proves nothing where one of the ids was not asked about",
    record: aRecord({
      platform: "android",
      appsScope: "asked-only",
      appsAsked: ["com.zhiliaoapp.musically"],
      apps: [],
    }),
    expected: ["allow", "uninspectable", "uninspectable"],
  },
  {
    title: "a phone that never reported its apps is uninspectable",
    record: aRecord({ apps: undefined }),
    expected: ["allow", "uninspectable", "uninspectable"],
  },
  {
    title: "the stance of the campaign decides about a phone that cannot be inspected",
    record: aRecord({ apps: undefined }),
    policy: aPolicy({ campaigns: [aCampaign({ stances: { ...ordinaryStances, uninspectable: "quarantine" } })] }),
    expected: ["quarantine", "uninspectable", "uninspectable"],
  },
  {
    title: "mail flows before the deadline",
    record: aRecord({ apps: [tiktok] }),
    policy: aPolicy({ campaigns: [aCampaign({ deadline: hours(1) })] }),
    expected: ["allow", "in-grace", "in-grace"],
  },
  {
    title: "the minute of the deadline still belongs to the owner",
    record: aRecord({ apps: [tiktok] }),
    policy: aPolicy({ campaigns: [aCampaign({ deadline: new Date(now.getTime() - 59_999) })] }),
    expected: ["allow", "in-grace", "in-grace"],
  },
  {
    title: "the deadline is over when its minute is",
    record: aRecord({ apps: [tiktok] }),
    policy: aPolicy({ campaigns: [aCampaign({ deadline: new Date(now.getTime() - 60_000) })] }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "a wave for another region does not concern the phone",
    record: aRecord({ apps: [tiktok], region: "EU" }),
    policy: aPolicy({ campaigns: [aCampaign({ audience: { regions: ["us"] } })] }),
    expected: ["allow", "compliant", "compliant"],
  },
  {
    title: "a wave finds its region whatever the letter case",
    record: aRecord({ apps: [tiktok], region: "US" }),
    policy: aPolicy({ campaigns: [aCampaign({ audience: { regions: ["us"] } })] }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "a source that says noncompliant is believed",
    record: aRecord({ compliance: "noncompliant", reasons: ["com.zhiliaoapp.musically"] }),
    expected: ["quarantine", "non-compliant", "source-noncompliant"],
  },
  {
    title: "a source that says noncompliant is believed without any campaign",
    record: aRecord({ compliance: "noncompliant" }),
    policy: aPolicy({ campaigns: [] }),
    expected: ["quarantine", "non-compliant", "source-noncompliant"],
  },
  {
    title: "a source that says compliant does not outweigh an app that is there",
    record: aRecord({ compliance: "compliant", apps: [tiktok] }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "a phone that nobody reported is quarantined",
    record: undefined,
    expected: ["quarantine", "not-enrolled", "not-enrolled"],
  },
  {
    title: "an operator may let phones pass that nobody reported",
    record: undefined,
    policy: aPolicy({ campaigns: [], stances: { ...ordinaryStances, notEnrolled: "allow" } }),
    expected: ["allow", "not-enrolled", "not-enrolled"],
  },
  {
    title: "a campaign for everybody holds phones that nobody reported once its deadline is over",
    record: undefined,
    policy: aPolicy({
      campaigns: [aCampaign({ deadline: hours(-1) })],
      stances: { ...ordinaryStances, notEnrolled: "allow" },
    }),
    expected: ["quarantine", "not-enrolled", "not-enrolled"],
  },
  {
    title: "and is warned before",
    record: undefined,
    policy: aPolicy({
      campaigns: [aCampaign({ deadline: hours(1) })],
      stances: { ...ordinaryStances, notEnrolled: "allow" },
    }),
    expected: ["allow", "in-grace", "in-grace"],
  },
  {
    title: "an operator's allow outranks an app that is there",
    record: aRecord({
      apps: [tiktok],
      override: { action: "allow", why: undefined, who: undefined, until: undefined },
    }),
    expected: ["allow", "compliant", "override-allow"],
  },
  {
    title: "an operator's allow ends at its minute",
    record: aRecord({ apps: [tiktok], override: { action: "allow", why: undefined, who: undefined, until: now } }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "an operator's block outranks a clean phone",
    record: aRecord({ override: { action: "block", why: "lost", who: "bob", until: undefined } }),
    expected: ["block", "non-compliant", "override-block"],
  },
  {
    title: "a record of a colleague says nothing about the phone of this person",
    record: aRecord({ owner: "bob@corp.example", compliance: "compliant" }),
    expected: ["quarantine", "not-enrolled", "owner-mismatch"],
  },
  {
    title: "a record with an owner says nothing about a credential that names nobody",
    record: aRecord({ owner: "bob@corp.example" }),
    facts: { person: undefined },
    expected: ["quarantine", "not-enrolled", "owner-mismatch"],
  },
  ...["alice", "CORP\\alice", "alice@corp.example", "ALICE@CORP.example"].map((name) => ({
    title: `the owner is one person under the name ${name}`,
    record: aRecord({ owner: "Alice@corp.example" }),
    facts: { person: parsePerson(name) },
    expected: ["allow", "compliant", "compliant"] as const,
  })),
  {
    title: "with home domains, an account of another domain is another person",
    record: aRecord({ owner: "alice" }),
    policy: aPolicy({ homeDomains: ["corp.example"] }),
    facts: { person: parsePerson("alice@elsewhere.example") },
    expected: ["quarantine", "not-enrolled", "owner-mismatch"],
  },
  {
    title: "an operator's allow for a colleague's device is not for this person",
    record: aRecord({ owner: "bob", override: { action: "allow", why: undefined, who: undefined, until: undefined } }),
    expected: ["quarantine", "not-enrolled", "owner-mismatch"],
  },
  {
    title: "a phone that is managed no more is not enrolled, whatever is known of it",
    record: aRecord({ enrolled: false, apps: [tiktok], compliance: "noncompliant" }),
    policy: aPolicy({ campaigns: [], stances: { ...ordinaryStances, notEnrolled: "allow" } }),
    expected: ["allow", "not-enrolled", "not-enrolled"],
  },
  {
    title: "a campaign holds a phone that is managed no more, in the wave of its record",
    record: aRecord({ enrolled: false, region: "US" }),
    policy: aPolicy({
      campaigns: [aCampaign({ audience: { regions: ["us"] } })],
      stances: { ...ordinaryStances, notEnrolled: "allow" },
    }),
    expected: ["quarantine", "not-enrolled", "not-enrolled"],
  },
  {
    title: "an operator's allow outranks that a phone is managed no more",
    record: aRecord({
      enrolled: false,
      override: { action: "allow", why: undefined, who: undefined, until: undefined },
    }),
    expected: ["allow", "compliant", "override-allow"],
  },
  {
    title: "a record that says that it is enrolled is judged like one that says nothing",
    record: aRecord({ enrolled: true }),
    expected: ["allow", "compliant", "compliant"],
  },
  {
    title: "an id that two people claim opens nothing where nothing was known",
    record: aRecord({ owner: "alice", contested: true }),
    expected: ["quarantine", "unknown", "id-contested"],
  },
  {
    title: "and puts out nobody who was let in before",
    record: aRecord({ owner: "alice", contested: true }),
    facts: { lastKnown: "allow" },
    expected: ["allow", "unknown", "id-contested"],
  },
  {
    title: "an app that is known of it counts all the same",
    record: aRecord({ owner: "alice", contested: true, apps: [tiktok] }),
    facts: { lastKnown: "allow" },
    expected: ["quarantine", "non-compliant", "app-present"],
  },
  {
    title: "to whom the record does not belong it is not said whose it is",
    record: aRecord({ owner: "bob", contested: true, apps: [tiktok] }),
    facts: { lastKnown: "allow" },
    expected: ["allow", "unknown", "id-contested"],
  },
  {
    title: "an operator may choose how to lean on an id that two people claim",
    record: aRecord({ owner: "bob", contested: true }),
    policy: aPolicy({ campaigns: [], stances: { ...ordinaryStances, unknown: "allow" } }),
    expected: ["allow", "unknown", "id-contested"],
  },
  {
    title: "what the source still gives time for is told, and mail flows",
    record: aRecord({ compliance: "compliant", complianceUntil: hours(1), reasons: ["PIN"] }),
    expected: ["allow", "in-grace", "in-grace"],
  },
  {
    title: "when that time is over, the source need not say so again",
    record: aRecord({ compliance: "compliant", complianceUntil: now }),
    expected: ["quarantine", "non-compliant", "source-noncompliant"],
  },
  {
    title: "a field that cannot be read keeps the verdict that was known",
    record: aRecord({ faults: [{ field: "apps", problem: "no list" }] }),
    facts: { lastKnown: "allow" },
    expected: ["allow", "unknown", "record-unreadable"],
  },
  {
    title: "a field that cannot be read opens nothing where nothing was known",
    record: aRecord({ faults: [{ field: "compliance", problem: "no word of ours" }] }),
    expected: ["quarantine", "unknown", "record-unreadable"],
  },
  {
    title: "an operator's allow does not cover a record that cannot be read",
    record: aRecord({
      faults: [{ field: "apps", problem: "no list" }],
      override: { action: "allow", why: undefined, who: undefined, until: undefined },
    }),
    expected: ["quarantine", "unknown", "record-unreadable"],
  },
  {
    title: "a field that only serves the notice may be unreadable",
    record: aRecord({ faults: [{ field: "model", problem: "too long" }] }),
    expected: ["allow", "compliant", "compliant"],
  },
  {
    title: "an old report is stale",
    record: aRecord({ deviceAt: hours(-168), appsAt: hours(-168) }),
    expected: ["allow", "stale", "stale"],
  },
  {
    title: "a report one minute younger than the limit is not",
    record: aRecord({ deviceAt: new Date(hours(-168).getTime() + 60_000) }),
    expected: ["allow", "compliant", "compliant"],
  },
  {
    title: "a phone that reports without its apps has an old list of apps",
    record: aRecord({ deviceAt: hours(-1), appsAt: hours(-200) }),
    policy: aPolicy({ campaigns: [aCampaign({ stances: { ...ordinaryStances, stale: "quarantine" } })] }),
    expected: ["quarantine", "stale", "stale"],
  },
  {
    title: "an app in an old report is still an app that was found",
    record: aRecord({ apps: [tiktok], appsAt: hours(-200), deviceAt: hours(-200) }),
    expected: ["quarantine", "non-compliant", "app-present"],
  },
];

suite("verdicts", () => {
  for (const { title, record, policy, facts, expected } of rows) {
    test(title, () => {
      const verdict = judge({ record, person: alice, lastKnown: undefined, ...facts }, policy ?? aPolicy(), now);
      assert.deepEqual([verdict.action, verdict.state, verdict.reason], expected);
    });
  }
});

test("all that is found stays in the findings, the weightiest first", () => {
  const record = aRecord({ apps: [tiktok], compliance: "noncompliant", reasons: ["pin"] });
  const verdict = judge({ record, person: alice, lastKnown: undefined }, aPolicy(), now);
  assert.deepEqual(
    verdict.findings.map(({ kind }) => kind),
    ["app-present", "source-noncompliant"],
  );
});

test("a verdict says when time alone will change it", () => {
  const deadline = hours(5);
  const record = aRecord({ apps: [tiktok] });
  const verdict = judge(
    { record, person: alice, lastKnown: undefined },
    aPolicy({ campaigns: [aCampaign({ deadline })] }),
    now,
  );
  assert.equal(verdict.changesAt?.getTime(), deadline.getTime() + 60_000);
  const overridden = aRecord({ override: { action: "block", why: undefined, who: undefined, until: hours(2) } });
  assert.deepEqual(
    judge({ record: overridden, person: alice, lastKnown: undefined }, aPolicy(), now).changesAt,
    hours(2),
  );
});

test("the end of the time that a source gives is an event of its own", () => {
  const until = hours(3);
  const record = aRecord({ compliance: "compliant", complianceUntil: until, reasons: ["PIN"], deviceAt: hours(-1) });
  const at = (time: Date, policy = aPolicy({ campaigns: [] })): Verdict =>
    judge({ record, person: alice, lastKnown: undefined }, policy, time);
  assert.deepEqual([at(now).changesAt, at(now).holdsUntil], [until, until]);
  assert.deepEqual(at(now).demands, [
    {
      kind: "source-noncompliant",
      campaign: undefined,
      title: undefined,
      deadline: until,
      reasons: ["PIN"],
      foundAt: hours(-1),
    },
  ]);
  assert.equal(at(new Date(until.getTime() - 1)).action, "allow");
  assert.equal(at(until).action, "quarantine");
  // A campaign that asks for the source's word asks for it when that time is over.
  const asks = aPolicy({ campaigns: [aCampaign({ requirements: [{ kind: "source-compliant" }] })] });
  assert.deepEqual(
    [at(now, asks).action, at(now, asks).reason, at(now, asks).changesAt],
    ["allow", "compliant", until],
  );
  assert.deepEqual([at(until, asks).action, at(until, asks).reason], ["quarantine", "source-noncompliant"]);
});

test("the verdict changes exactly at the instant that was announced", () => {
  const policy = aPolicy({ campaigns: [aCampaign({ deadline: hours(5) })] });
  const facts: Facts = { record: aRecord({ apps: [tiktok] }), person: alice, lastKnown: undefined };
  const { changesAt } = judge(facts, policy, now);
  assert.ok(changesAt !== undefined);
  assert.equal(judge(facts, policy, new Date(changesAt.getTime() - 1)).action, "allow");
  assert.equal(judge(facts, policy, changesAt).action, "quarantine");
});

test("no report ever loosens what an app that is there demands", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...appsScopes, undefined),
      fc.constantFrom(
        ...platforms.filter((platform) => platform === "ios" || platform === "ipados" || platform === "android"),
      ),
      fc.constantFrom("compliant" as const, "noncompliant" as const, undefined),
      fc.array(fc.string().map(anApp)),
      fc.date({ noInvalidDate: true }),
      (appsScope, platform, compliance, others, at) => {
        const record = aRecord({
          appsScope,
          platform,
          compliance,
          apps: [...others, tiktok],
          appsAt: at,
          deviceAt: at,
        });
        const verdict = judge({ record, person: alice, lastKnown: "allow" }, aPolicy(), now);
        assert.equal(verdict.action, "quarantine");
        assert.equal(verdict.reason, "app-present");
      },
    ),
  );
});
