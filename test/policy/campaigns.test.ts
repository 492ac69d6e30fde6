/** Campaigns over time: announced, enforced, excused, looked at only, taken back. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Campaign, Policy } from "../../src/policy/campaign.ts";
import type { DeviceRecord } from "../../src/policy/device.ts";
import type { Exemption } from "../../src/policy/exemption.ts";
import { judge } from "../../src/policy/judge.ts";
import { ownerLocal } from "../../src/policy/moment.ts";
import { parsePerson } from "../../src/policy/person.ts";
import type { Verdict } from "../../src/policy/verdict.ts";
import { aCampaign, aPolicy, aRecord, aWave, deviceId, ordinaryStances, tiktok } from "../support/records.ts";

const noon = new Date("2026-11-24T12:00:00Z");
const minutes = (count: number): Date => new Date(noon.getTime() + count * 60_000);
const hours = (count: number): Date => minutes(count * 60);
const alice = parsePerson("alice");

const withTikTok = aRecord({ owner: "alice", apps: [tiktok] });

function judged(policy: Policy, now: Date = noon, record: DeviceRecord | undefined = withTikTok): Verdict {
  return judge({ record, person: alice, lastKnown: undefined }, policy, now);
}

function said({ action, state, reason }: Verdict): string {
  return `${action} ${state} ${reason}`;
}

const afternoon: Campaign = aCampaign({
  announce: hours(1),
  deadline: hours(12),
  remindMinutes: [60, 240],
});

suite("a campaign over an afternoon", () => {
  const policy = aPolicy({ campaigns: [afternoon] });
  const rows: readonly (readonly [
    title: string,
    at: Date,
    said: string,
    reminders: number | undefined,
    changesAt: Date | undefined,
  ])[] = [
    ["is silent before it is announced", noon, "allow compliant compliant", undefined, hours(1)],
    ["warns from the minute of the announcement", hours(1), "allow in-grace in-grace", undefined, hours(8)],
    ["reminds four hours before", hours(8), "allow in-grace in-grace", 1, hours(11)],
    ["reminds one hour before", hours(11), "allow in-grace in-grace", 2, minutes(12 * 60 + 1)],
    ["leaves the owner the last minute", minutes(12 * 60 + 0.9), "allow in-grace in-grace", 2, minutes(721)],
    ["cuts when that minute is over", minutes(721), "quarantine non-compliant app-present", undefined, undefined],
  ];
  for (const [title, at, expected, reminders, changesAt] of rows) {
    test(title, () => {
      const verdict = judged(policy, at);
      assert.equal(said(verdict), expected);
      assert.equal(verdict.reminders, reminders);
      assert.deepEqual(verdict.changesAt, changesAt);
      assert.equal(verdict.demands.length, at < hours(1) ? 0 : 1);
    });
  }

  test("is over for a phone that is clean", () => {
    assert.equal(said(judged(policy, hours(20), aRecord({ owner: "alice" }))), "allow compliant compliant");
  });

  test("tells whoever asks what it will say before it is announced", () => {
    const [ruling] = judged(policy).rulings ?? [];
    assert.equal(ruling?.campaign, "tiktok");
    assert.equal(ruling.phase, "scheduled");
    assert.equal(ruling.reason, "app-present");
    assert.deepEqual(ruling.enforcedFrom, minutes(721));
  });
});

suite("until when mail certainly flows", () => {
  const until = (campaign: Campaign, now = noon, record = withTikTok): Date | undefined =>
    judged(aPolicy({ campaigns: [campaign] }), now, record).holdsUntil;

  test("is the end of the deadline, not an announcement or a reminder", () => {
    assert.deepEqual(until(afternoon), minutes(721));
    assert.deepEqual(until(afternoon, hours(9)), minutes(721));
  });
  test("is the announcement where there is no deadline", () => {
    assert.deepEqual(until(aCampaign({ announce: hours(3) })), hours(3));
  });
  test("is never for a phone that is clean, nor by a campaign that only looks on", () => {
    assert.equal(until(afternoon, noon, aRecord({ owner: "alice" })), undefined);
    assert.equal(until({ ...afternoon, mode: "shadow" }), undefined);
  });
  test("is the end of an operator's word", () => {
    const override = { action: "allow", why: undefined, who: undefined, until: hours(2) } as const;
    assert.deepEqual(until(afternoon, noon, { ...withTikTok, override }), hours(2));
  });
});

suite("waves", () => {
  test("one campaign cuts each owner at the same time on their own clock", () => {
    const deadline = ownerLocal("2026-11-24T23:59", "UTC");
    const policy = aPolicy({ campaigns: [{ ...aCampaign(), waves: [{ ...aWave({}), deadline }] }] });
    const cut = (timezone: string | undefined): string | undefined =>
      judged(policy, noon, { ...withTikTok, timezone }).changesAt?.toISOString();
    assert.equal(cut("America/New_York"), "2026-11-25T05:00:00.000Z");
    assert.equal(cut("Europe/Berlin"), "2026-11-24T23:00:00.000Z");
    assert.equal(cut(undefined), "2026-11-25T00:00:00.000Z");
  });

  test("a device has the times of the first wave that it belongs to", () => {
    const campaign: Campaign = {
      ...aCampaign(),
      waves: [
        aWave({ audience: { regions: ["US"] }, deadline: hours(-1) }),
        aWave({ audience: { regions: ["EU"] }, deadline: hours(24) }),
      ],
    };
    const inRegion = (region: string): string =>
      said(judged(aPolicy({ campaigns: [campaign] }), noon, { ...withTikTok, region }));
    assert.equal(inRegion("US"), "quarantine non-compliant app-present");
    assert.equal(inRegion("EU"), "allow in-grace in-grace");
    assert.equal(inRegion("APAC"), "allow compliant compliant");
  });

  test("a share is about that part of all people, and a larger one holds all of a smaller one", () => {
    const inShare = (share: number, owner: string): boolean =>
      judge(
        { record: { ...withTikTok, owner }, person: parsePerson(owner), lastKnown: undefined },
        aPolicy({ campaigns: [aCampaign({ audience: { share } })] }),
        noon,
      ).action === "quarantine";
    const people = Array.from({ length: 4_000 }, (_, index) => `person${index}`);
    for (const share of [0.01, 0.1, 0.5]) {
      const chosen = people.filter((owner) => inShare(share, owner)).length / people.length;
      // Five standard deviations of so many people.
      const spread = 5 * Math.sqrt((share * (1 - share)) / people.length);
      assert.ok(Math.abs(chosen - share) < spread, `${share}: ${chosen}`);
    }
    assert.ok(people.filter((owner) => inShare(0.1, owner)).every((owner) => inShare(0.5, owner)));
  });

  test("all phones of one person are in a share together, and another campaign chooses other people", () => {
    const policyOf = (id: string): Policy => aPolicy({ campaigns: [aCampaign({ id, audience: { share: 0.5 } })] });
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z0-9]{1,20}$/), fc.stringMatching(/^[A-Z0-9]{1,20}$/), (one, other) => {
        const record = (id: string): DeviceRecord => ({ ...withTikTok, id: deviceId(id) });
        assert.equal(
          judged(policyOf("a"), noon, record(one)).action,
          judged(policyOf("a"), noon, record(other)).action,
        );
      }),
    );
    const byMail = { ...withTikTok, owner: undefined, email: "alice@corp.example" };
    assert.equal(
      judged(policyOf("a"), noon, byMail).action,
      judged(policyOf("a"), noon, { ...byMail, id: deviceId("ANOTHER") }).action,
    );
    const people = Array.from({ length: 200 }, (_, index) => ({
      ...withTikTok,
      id: deviceId(`P${index}`),
      owner: undefined,
    }));
    const chosen = (id: string): string => people.map((record) => judged(policyOf(id), noon, record).action).join();
    assert.notEqual(chosen("a"), chosen("b"));
  });

  test("a phone that was enrolled an hour before the deadline has its grace all the same", () => {
    const policy = aPolicy({ campaigns: [aCampaign({ deadline: hours(1), graceHours: 24 })] });
    const enrolled = (enrolledAt: Date | undefined): Date | undefined =>
      judged(policy, noon, { ...withTikTok, enrolledAt }).changesAt;
    assert.deepEqual(enrolled(noon), minutes(24 * 60 + 1));
    assert.deepEqual(
      enrolled(new Date(noon.getTime() + 1)),
      minutes(24 * 60 + 2),
      "the minute that it ends in is the owner's",
    );
    assert.deepEqual(enrolled(hours(-48)), minutes(61));
    assert.deepEqual(enrolled(undefined), minutes(61));
  });

  test("a phone that was seen first lately has the grace where the campaign asks for that, before the deadline and after it", () => {
    const campaign = aCampaign({ deadline: hours(1), graceHours: 24, graceFor: ["newly-seen"] });
    const ends = (record: Partial<DeviceRecord>, at = noon, own: Partial<Campaign> = {}): Date | string | undefined => {
      const { action, changesAt } = judged(aPolicy({ campaigns: [{ ...campaign, ...own }] }), at, {
        ...withTikTok,
        ...record,
      });
      return action === "allow" ? changesAt : action;
    };
    const both = ["newly-enrolled", "newly-seen"] as const;
    assert.deepEqual(ends({ firstSeenAt: noon }), minutes(24 * 60 + 1));
    assert.deepEqual(ends({ firstSeenAt: hours(10) }, hours(10)), minutes(34 * 60 + 1));
    assert.deepEqual(ends({ firstSeenAt: hours(10) }, minutes(34 * 60)), minutes(34 * 60 + 1));
    assert.equal(ends({ firstSeenAt: hours(10) }, minutes(34 * 60 + 1)), "quarantine");
    assert.deepEqual(ends({ firstSeenAt: hours(-48) }), minutes(61));
    assert.equal(ends({ firstSeenAt: "earlier" }, hours(2)), "quarantine");
    assert.equal(ends({ firstSeenAt: undefined }, hours(2)), "quarantine");
    assert.equal(ends({ enrolledAt: hours(2) }, hours(2)), "quarantine", "who was enrolled anew is not seen anew");
    assert.equal(ends({ firstSeenAt: hours(2) }, hours(2), { graceFor: ["newly-enrolled"] }), "quarantine");
    assert.equal(ends({ firstSeenAt: hours(2) }, hours(2), { graceHours: 0 }), "quarantine");
    assert.deepEqual(
      ends({ firstSeenAt: hours(2), enrolledAt: hours(3) }, hours(3), { graceFor: both }),
      minutes(27 * 60 + 1),
    );
    assert.deepEqual(
      ends({ firstSeenAt: hours(3), enrolledAt: hours(2) }, hours(3), { graceFor: both }),
      minutes(27 * 60 + 1),
    );
  });

  test("an id without a record has no grace, however new it is", () => {
    const campaign = aCampaign({ deadline: hours(1), graceHours: 24, graceFor: ["newly-seen", "newly-enrolled"] });
    const stances = { ...ordinaryStances, notEnrolled: "quarantine" } as const;
    const facts = { record: undefined, person: undefined, lastKnown: undefined };
    const policy = aPolicy({ campaigns: [{ ...campaign, stances }], stances: { ...stances, notEnrolled: "allow" } });
    assert.deepEqual(judge(facts, policy, noon).changesAt, minutes(61));
    assert.equal(judge(facts, policy, hours(2)).action, "quarantine");
  });

  test("a wave without a deadline is enforced from its announcement", () => {
    const policy = aPolicy({ campaigns: [aCampaign({ announce: hours(1) })] });
    assert.equal(said(judged(policy)), "allow compliant compliant");
    assert.equal(said(judged(policy, hours(1))), "quarantine non-compliant app-present");
  });
});

suite("several campaigns at once", () => {
  const update: Campaign = aCampaign({
    id: "update",
    title: "Update",
    requirements: [{ kind: "not-compromised" }],
    deadline: hours(2),
  });
  const ban = aCampaign({ deadline: hours(5) });
  const record = { ...withTikTok, compromised: true };

  test("ask for everything in one notice, the nearest deadline first", () => {
    const { demands } = judged(aPolicy({ campaigns: [ban, update] }), noon, record);
    assert.deepEqual(
      demands.map(({ kind }) => kind),
      ["compromised", "app-present"],
    );
  });

  test("the strictest is the verdict, and what only warns is still asked for", () => {
    const verdict = judged(aPolicy({ campaigns: [ban, update] }), hours(3), record);
    assert.equal(said(verdict), "quarantine non-compliant compromised");
    assert.deepEqual(
      verdict.demands.map(({ kind }) => kind),
      ["compromised", "app-present"],
    );
    assert.deepEqual(
      verdict.rulings?.map(({ campaign, reason }) => [campaign, reason]),
      [
        ["update", "compromised"],
        ["tiktok", "in-grace"],
      ],
    );
  });
});

suite("exemptions", () => {
  const anExemption = (parts: Partial<Exemption> = {}): Exemption => ({
    id: "e1",
    who: { owners: ["CORP\\alice"], groups: [], devices: [] },
    campaign: "tiktok",
    until: hours(1),
    reason: "tests the app",
    by: "bob",
    ...parts,
  });
  const policy = (exemption: Exemption, parts: Partial<Policy> = {}): Policy =>
    aPolicy({ exemptions: [exemption], ...parts });
  const quarantined = "quarantine non-compliant app-present";
  const exempted = "allow compliant exempted";

  test("excuse until their minute, and end by themselves", () => {
    const verdict = judged(policy(anExemption()));
    assert.equal(said(verdict), exempted);
    assert.deepEqual(verdict.changesAt, hours(1));
    assert.equal(verdict.rulings?.[0]?.exemption, "e1");
    assert.equal(said(judged(policy(anExemption()), new Date(hours(1).getTime() - 1))), exempted);
    assert.equal(said(judged(policy(anExemption()), hours(1))), quarantined);
  });

  const who: readonly (readonly [title: string, who: Partial<Exemption["who"]>, said: string])[] = [
    ["a person by another form of the name", { owners: ["alice@corp.example"] }, exempted],
    ["another person", { owners: ["bob"] }, quarantined],
    ["a group", { groups: ["testers"] }, exempted],
    ["another group", { groups: ["vip"] }, quarantined],
    ["a phone", { devices: [deviceId("PHONE1")] }, exempted],
    ["another phone", { devices: [deviceId("PHONE2")] }, quarantined],
  ];
  for (const [title, some, expected] of who) {
    test(`for ${title}`, () => {
      const exemption = anExemption({ who: { owners: [], groups: [], devices: [], ...some } });
      assert.equal(said(judged(policy(exemption), noon, { ...withTikTok, groups: ["Testers"] })), expected);
    });
  }

  test("from one campaign excuse from no other", () => {
    const campaigns = [aCampaign(), aCampaign({ id: "second" })];
    const verdict = judged(policy(anExemption(), { campaigns }));
    assert.equal(said(verdict), quarantined);
    assert.deepEqual(
      verdict.rulings?.map(({ campaign, reason }) => [campaign, reason]),
      [
        ["second", "app-present"],
        ["tiktok", "exempted"],
      ],
    );
  });

  const everything = anExemption({ campaign: undefined });
  test("from everything excuse from every campaign, and from the source's own word", () => {
    const record = { ...withTikTok, compliance: "noncompliant" as const };
    assert.equal(said(judged(policy(everything), noon, record)), exempted);
    assert.equal(said(judged(policy(anExemption()), noon, record)), "quarantine non-compliant source-noncompliant");
  });

  test("from everything let in a new phone that nobody has reported yet", () => {
    assert.equal(
      said(judge({ record: undefined, person: alice, lastKnown: undefined }, policy(everything), noon)),
      exempted,
    );
  });

  test("never excuse from an operator's own block, nor from a record that cannot be read", () => {
    const override = { action: "block", why: "lost", who: "bob", until: undefined } as const;
    assert.equal(
      said(judged(policy(everything), noon, { ...withTikTok, override })),
      "block non-compliant override-block",
    );
    const faults = [{ field: "override", problem: "is not one of allow, block" }];
    assert.equal(
      said(judged(policy(everything), noon, { ...withTikTok, faults })),
      "quarantine unknown record-unreadable",
    );
  });

  const strangers: readonly (readonly [title: string, who: Partial<Exemption["who"]>, person: string | undefined])[] = [
    ["somebody else who presents the id of an excused phone", { devices: [deviceId("PHONE1")] }, "mallory"],
    ["somebody else who presents the id of a phone of an excused group", { groups: ["vip"] }, "mallory"],
    ["a credential that names nobody", { owners: ["alice"] }, undefined],
  ];
  for (const [title, some, name] of strangers) {
    test(`do not excuse ${title}`, () => {
      const exemption = anExemption({ campaign: undefined, who: { owners: [], groups: [], devices: [], ...some } });
      const person = name === undefined ? undefined : parsePerson(name);
      const verdict = judge(
        { record: { ...withTikTok, groups: ["vip"] }, person, lastKnown: undefined },
        policy(exemption),
        noon,
      );
      assert.equal(said(verdict), "quarantine not-enrolled owner-mismatch");
    });
  }

  test("by address excuse an owner who logs in by another name", () => {
    const record = { ...withTikTok, owner: "asmith", email: "alice.smith@corp.example" };
    const exemption = anExemption({ who: { owners: ["alice.smith@corp.example"], groups: [], devices: [] } });
    const asked = { record, person: parsePerson("asmith"), lastKnown: undefined };
    assert.equal(said(judge(asked, policy(exemption), noon)), exempted);
  });

  test("of one person do not excuse a colleague who uses the phone", () => {
    const bob = parsePerson("bob");
    const verdict = judge({ record: withTikTok, person: bob, lastKnown: undefined }, policy(everything), noon);
    assert.equal(said(verdict), "quarantine not-enrolled owner-mismatch");
  });

  test("the one that lasts longest counts", () => {
    const longer = anExemption({ id: "e2", until: hours(9) });
    const verdict = judged(
      aPolicy({ exemptions: [anExemption(), longer, anExemption({ id: "e3", until: hours(-1) })] }),
    );
    assert.deepEqual(verdict.changesAt, hours(9));
  });
});

suite("modes", () => {
  test("a campaign that only looks on says what it would do, and mail flows without a notice", () => {
    const verdict = judged(aPolicy({ campaigns: [aCampaign({ mode: "shadow" })] }));
    assert.equal(said(verdict), "allow compliant compliant");
    assert.deepEqual(verdict.demands, []);
    assert.deepEqual(verdict.findings, []);
    assert.deepEqual(verdict.wouldBe, { action: "quarantine", reason: "app-present" });
    assert.equal(verdict.rulings?.[0]?.shadow, true);
  });

  test("what would be is not said where it is so anyway", () => {
    const campaigns = [aCampaign(), aCampaign({ id: "second", mode: "shadow" })];
    assert.equal(judged(aPolicy({ campaigns })).wouldBe, undefined);
  });

  for (const mode of ["paused", "retracted"] as const) {
    test(`a campaign that is ${mode} says nothing`, () => {
      const verdict = judged(aPolicy({ campaigns: [aCampaign({ mode })] }));
      assert.equal(said(verdict), "allow compliant compliant");
      assert.deepEqual(verdict.rulings, []);
    });
  }
});

suite("a campaign that asks for the source's own word", () => {
  const record = aRecord({ owner: "alice", compliance: "noncompliant", reasons: ["No passcode"] });
  const requirements = [{ kind: "source-compliant" }] as const;
  const verdictOf = (parts: Parameters<typeof aCampaign>[0]): string =>
    said(judged(aPolicy({ campaigns: [aCampaign({ requirements, ...parts })] }), noon, record));

  test("gives the phones of its waves until the deadline", () => {
    assert.equal(verdictOf({ deadline: hours(1) }), "allow in-grace in-grace");
    assert.equal(verdictOf({ deadline: hours(-1) }), "quarantine non-compliant source-noncompliant");
  });

  test("leaves all others to the rule that counts without it", () => {
    assert.equal(
      verdictOf({ deadline: hours(1), audience: { regions: ["EU"] } }),
      "quarantine non-compliant source-noncompliant",
    );
    assert.equal(verdictOf({ deadline: hours(1), mode: "shadow" }), "quarantine non-compliant source-noncompliant");
  });

  test("is not stricter when it is paused or taken back than it was", () => {
    assert.equal(verdictOf({ mode: "paused" }), "allow compliant compliant");
    assert.equal(verdictOf({ mode: "retracted" }), "allow compliant compliant");
  });
});

suite("fields that cannot be read", () => {
  const broken = (field: string): DeviceRecord => ({ ...withTikTok, faults: [{ field, problem: "is none" }] });

  for (const field of ["timezone", "osVersion", "securityPatch", "enrolledAt", "compromised", "model"]) {
    test(`${field} holds no mail where no campaign asks for it`, () => {
      assert.equal(said(judged(aPolicy({ campaigns: [] }), noon, broken(field))), "allow compliant compliant");
    });
  }

  test("what a campaign asks for and cannot be read is for its stance", () => {
    const record = { ...broken("compromised"), apps: [] };
    const asking = (uninspectable: "allow" | "quarantine"): string => {
      const stances = { ...ordinaryStances, uninspectable };
      const campaign = aCampaign({ requirements: [{ kind: "not-compromised" }], stances });
      return said(judged(aPolicy({ campaigns: [campaign] }), noon, record));
    };
    assert.equal(asking("allow"), "allow uninspectable uninspectable");
    assert.equal(asking("quarantine"), "quarantine uninspectable uninspectable");
  });
});

suite("somebody else's phone", () => {
  test("is held by a campaign's stance as a phone is that nobody has reported", () => {
    const campaign = aCampaign({ stances: { ...ordinaryStances, notEnrolled: "quarantine" } });
    const policy = aPolicy({ campaigns: [campaign], stances: { ...ordinaryStances, notEnrolled: "allow" } });
    const asBob = (record: DeviceRecord | undefined): Verdict =>
      judge({ record, person: parsePerson("bob"), lastKnown: undefined }, policy, noon);
    assert.equal(said(asBob(undefined)), "quarantine not-enrolled not-enrolled");
    assert.equal(said(asBob(withTikTok)), "quarantine not-enrolled owner-mismatch");
    assert.deepEqual(
      asBob(withTikTok).findings.map(({ kind }) => kind),
      ["owner-mismatch", "owner-mismatch"],
      "nothing of what is on the phone",
    );
  });
});

suite("phones that nobody has reported", () => {
  const strangers = (campaign: Campaign, now: Date = noon): Verdict =>
    judge(
      { record: undefined, person: alice, lastKnown: undefined },
      aPolicy({ campaigns: [campaign], stances: { ...ordinaryStances, notEnrolled: "allow" } }),
      now,
    );
  const enrolment = aCampaign({ requirements: [{ kind: "enrolled" }], deadline: hours(1) });

  test("are asked to enrol before the deadline, and cut after it", () => {
    assert.deepEqual(strangers(enrolment).demands, [
      { kind: "not-enrolled-for", campaign: "tiktok", title: enrolment.title, deadline: hours(1) },
    ]);
    assert.equal(said(strangers(enrolment)), "allow in-grace in-grace");
    assert.equal(said(strangers(enrolment, hours(2))), "quarantine not-enrolled not-enrolled");
  });

  test("are left alone by a campaign for a part of the people", () => {
    const us = aCampaign({ audience: { regions: ["US"] } });
    assert.equal(said(strangers(us)), "allow not-enrolled not-enrolled");
    assert.equal(said(strangers(aCampaign({ audience: { share: 0.5 } }))), "allow not-enrolled not-enrolled");
  });
});
