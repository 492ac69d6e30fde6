/** Who would be hit: held against a count that is made the slow way. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createBoundedCounts, OTHERS } from "../../src/campaign/bounded-counts.ts";
import { previewPolicy } from "../../src/campaign/preview.ts";
import type { PreviewOptions } from "../../src/campaign/preview.ts";
import type { Preview, PreviewedPhone } from "../../src/campaign/preview-result.ts";
import type { Campaign, Policy } from "../../src/policy/campaign.ts";
import type { DeviceRecord } from "../../src/policy/device.ts";
import { judge } from "../../src/policy/judge.ts";
import { ownerLocal } from "../../src/policy/moment.ts";
import { parsePerson } from "../../src/policy/person.ts";
import type { Sighting } from "../../src/store/store.ts";
import { aCampaign, aPolicy, aRecord, aWave, deviceId, ordinaryStances, tiktok } from "../support/records.ts";

const now = new Date("2026-11-20T12:00:00Z");
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);

interface Fleet {
  readonly records?: readonly DeviceRecord[];
  readonly sightings?: readonly Sighting[];
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Of the one campaign that is asked about. */
async function preview(
  campaign: Campaign,
  { records = [], sightings = [] }: Fleet,
  options: Partial<PreviewOptions> & { readonly policy?: Partial<Policy> } = {},
): Promise<Preview> {
  const before = options.before ?? aPolicy({ campaigns: [], ...options.policy });
  const after = options.after ?? { ...before, campaigns: [...before.campaigns, campaign] };
  const [result] = await previewPolicy({
    store: {
      records: () => each(records),
      list: () => each(records.map(({ id }) => id)),
      sightings: (since) => each(sightings.filter(({ at }) => at >= since)),
    },
    now,
    ...options,
    before,
    after,
    about: [campaign.id],
  });
  assert.ok(result !== undefined);
  return result;
}

function phones(count: number, parts: (index: number) => Partial<DeviceRecord>): DeviceRecord[] {
  return Array.from({ length: count }, (_, index) => aRecord({ id: deviceId(`P${index}`), ...parts(index) }));
}

suite("a preview", () => {
  test("tells apart who is clean, told, cut at once and cut at a deadline, by region and platform", async () => {
    const campaign = aCampaign({
      waves: [
        aWave({ audience: { regions: ["US"] } }),
        aWave({ audience: { regions: ["EU"] }, deadline: hours(10) }),
        aWave({ audience: { regions: ["APAC"] }, announce: hours(5), deadline: hours(20) }),
      ],
    });
    const regions = ["US", "EU", "APAC", "LATAM"];
    const records = phones(40, (index) => ({
      region: regions[index % 4],
      platform: index < 20 ? "ios" : "android",
      apps: index % 8 < 4 ? [tiktok] : [],
    }));
    const result = await preview(campaign, { records });
    assert.equal(result.records, 40);
    assert.deepEqual([result.concerned, result.clean, result.cut, result.cutNow], [30, 15, 15, 5]);
    assert.equal(result.newlyCut, 15);
    assert.equal(result.warnedNow, 5);
    assert.deepEqual(result.deadlines, [
      { from: new Date(hours(10).getTime() + 60_000).toISOString(), cut: 5 },
      { from: new Date(hours(20).getTime() + 60_000).toISOString(), cut: 5 },
    ]);
    assert.deepEqual(
      result.waves.map(({ concerned, cut }) => [concerned, cut]),
      [
        [10, 5],
        [10, 5],
        [10, 5],
      ],
    );
    assert.deepEqual(
      result.regions.map(({ name, concerned, cut }) => [name, concerned, cut]),
      [
        ["APAC", 10, 5],
        ["EU", 10, 5],
        ["US", 10, 5],
      ],
    );
    assert.deepEqual(result.platforms.map(({ name, concerned }) => `${name} ${concerned}`).toSorted(), [
      "android 15",
      "ios 15",
    ]);
    assert.deepEqual(result.reasons, [{ name: "app-present", cut: 15 }]);
    assert.equal(result.sample.length, 15);
  });

  test("has a deadline for each clock where the owners' clocks count, and counts late enrolments apart", async () => {
    const deadline = ownerLocal("2026-11-21T23:59", "UTC");
    const campaign = aCampaign({
      waves: [{ ...aWave({}), deadline }],
      graceHours: 48,
    });
    const zones = ["Europe/Berlin", "America/New_York", undefined];
    const records = [
      ...phones(9, (index) => ({ timezone: zones[index % 3], apps: [tiktok] })),
      aRecord({ id: deviceId("LATE"), apps: [tiktok], enrolledAt: hours(-1) }),
    ];
    const result = await preview(campaign, { records });
    assert.deepEqual(result.deadlines, [
      { from: "2026-11-21T23:00:00.000Z", cut: 3 },
      { from: "2026-11-22T00:00:00.000Z", cut: 3 },
      { from: "2026-11-22T05:00:00.000Z", cut: 3 },
    ]);
    assert.deepEqual([result.graced, result.cut, result.cutNow], [1, 10, 0]);
    assert.equal(result.waves[0]?.first, "2026-11-21T23:00:00.000Z");
    assert.equal(result.waves[0]?.last, "2026-11-22T11:01:00.000Z");
  });

  test("gives phones that were seen first lately their grace where the campaign asks for it", async () => {
    const records = [
      aRecord({ id: deviceId("NEW"), apps: [tiktok], firstSeenAt: hours(-1) }),
      aRecord({ id: deviceId("OLD"), apps: [tiktok], firstSeenAt: hours(-100) }),
      aRecord({ id: deviceId("OLDER"), apps: [tiktok], firstSeenAt: "earlier" }),
      aRecord({ id: deviceId("UNSEEN"), apps: [tiktok] }),
    ];
    const campaign = aCampaign({ deadline: hours(-2), graceHours: 48, graceFor: ["newly-seen"] });
    const { graced, cut, cutNow } = await preview(campaign, { records });
    assert.deepEqual([graced, cut, cutNow], [1, 4, 3]);
  });

  test("does not take the report of a phone that goes on reporting for too old at a deadline next month", async () => {
    const stances = { ...ordinaryStances, stale: "quarantine" } as const;
    const campaign = aCampaign({ deadline: hours(24 * 30), stances });
    const records = [
      aRecord({ id: deviceId("FRESH"), appsAt: hours(-1), deviceAt: hours(-1) }),
      aRecord({ id: deviceId("OLD"), appsAt: hours(-24 * 8), deviceAt: hours(-24 * 8) }),
    ];
    const result = await preview(campaign, { records });
    assert.deepEqual([result.clean, result.cut], [1, 1]);
    assert.deepEqual(result.stances.stale, { devices: 1, warned: 0, cut: 1 });
  });

  test("says by stance what nobody can tell", async () => {
    const stances = { ...ordinaryStances, stale: "warn", uninspectable: "quarantine" } as const;
    const campaign = aCampaign({ stances });
    const records = [
      aRecord({ id: deviceId("BYOD"), appsScope: "work-profile" }),
      aRecord({ id: deviceId("OLD"), appsAt: hours(-24 * 30) }),
      aRecord({ id: deviceId("BROKEN"), faults: [{ field: "apps", problem: "is cut off" }] }),
    ];
    const result = await preview(campaign, { records });
    assert.deepEqual(result.stances.uninspectable, { devices: 1, warned: 0, cut: 1 });
    assert.deepEqual(result.stances.stale, { devices: 1, warned: 1, cut: 0 });
    // What cannot be read is held by the policy itself, whatever a campaign says.
    assert.deepEqual(result.stances.unknown, { devices: 1, warned: 0, cut: 0 });
    assert.deepEqual([result.cut, result.warned, result.held], [1, 1, 1]);
  });

  test("counts phones of the last hour, and those that no source knows, once each", async () => {
    const policy = { stances: { ...ordinaryStances, notEnrolled: "allow" } } as const;
    const campaign = aCampaign();
    const records = phones(4, (index) => ({ apps: index < 2 ? [tiktok] : [], owner: `p${index}` }));
    const seen = (id: string, account: string, at = hours(-0.5)): Sighting => ({ id: deviceId(id), account, at });
    const sightings = [
      seen("P0", "p0"),
      seen("P3", "p3"),
      seen("STRANGER", "eve"),
      seen("STRANGER", "mallory"),
      seen("EARLIER", "eve", hours(-2)),
    ];
    const { traffic, stances, cut, newlyCut, concerned } = await preview(campaign, { records, sightings }, { policy });
    assert.deepEqual(traffic, { seen: 3, isComplete: true, concerned: 3, cut: 2, strangers: 1, strangersCut: 1 });
    assert.deepEqual(stances["not-enrolled"], { devices: 1, warned: 0, cut: 1 });
    assert.deepEqual([cut, newlyCut, concerned], [3, 3, 5]);
  });

  test("does not blame a campaign for phones that are held today already", async () => {
    const other = aCampaign({ id: "other" });
    const before = aPolicy({ campaigns: [other] });
    const records = [
      aRecord({ id: deviceId("HELD"), apps: [tiktok] }),
      aRecord({ id: deviceId("BLOCKED"), override: { action: "block", why: "lost", who: "bob", until: undefined } }),
      aRecord({ id: deviceId("OUTLAW"), compliance: "noncompliant" }),
      aRecord({
        id: deviceId("LET"),
        apps: [tiktok],
        override: { action: "allow", why: "x", who: "b", until: undefined },
      }),
    ];
    const result = await preview(aCampaign(), { records }, { before });
    assert.deepEqual([result.cut, result.newlyCut, result.held, result.excused], [1, 0, 2, 1]);
  });

  test("counts who is excused, unless the excuse ends before the deadline", async () => {
    const excuse = (id: string, until: Date) =>
      ({
        id,
        who: { owners: [id], groups: [], devices: [] },
        campaign: "tiktok",
        until,
        reason: "R",
        by: "bob",
      }) as const;
    const policy = { exemptions: [excuse("long", hours(200)), excuse("short", hours(2))] };
    const records = ["long", "short"].map((owner) => aRecord({ id: deviceId(owner), owner, apps: [tiktok] }));
    const result = await preview(aCampaign({ deadline: hours(10) }), { records }, { policy });
    assert.deepEqual([result.excused, result.cut, result.cutNow], [1, 1, 0]);
  });

  test("shows what a campaign that only looks on would do, and nothing of one that is paused", async () => {
    const records = phones(3, () => ({ apps: [tiktok] }));
    const shadow = await preview(aCampaign({ mode: "shadow" }), { records });
    assert.deepEqual([shadow.mode, shadow.cut], ["shadow", 3]);
    const paused = await preview(aCampaign({ mode: "paused" }), { records });
    assert.deepEqual([paused.mode, paused.concerned, paused.cut], ["paused", 0, 0]);
  });

  test("names important people, by their names in any form and by their groups, those who are cut first", async () => {
    const policy = { homeDomains: ["corp.example"] };
    const records = [
      aRecord({ id: deviceId("A"), owner: "CORP\\ceo" }),
      aRecord({ id: deviceId("B"), owner: "cfo@corp.example", apps: [tiktok], region: "US" }),
      aRecord({ id: deviceId("C"), owner: "pa", groups: ["Board"], apps: [tiktok] }),
      aRecord({ id: deviceId("D"), owner: "ceo@elsewhere.example", apps: [tiktok] }),
      aRecord({ id: deviceId("E"), owner: "nobody", apps: [tiktok] }),
    ];
    const important = ["ceo@corp.example", "cfo", "board"];
    const result = await preview(aCampaign(), { records }, { policy, important });
    assert.deepEqual(
      result.important.map(({ device, effect }) => [device, effect]),
      [
        ["B", "cut"],
        ["C", "cut"],
        ["A", "clean"],
      ],
    );
  });

  test("tells every phone that is concerned to whoever lists them, and waits for them", async () => {
    const records = phones(20, (index) => ({
      apps: index % 2 === 0 ? [tiktok] : [],
      region: index < 10 ? "US" : "EU",
    }));
    const heard: PreviewedPhone[] = [];
    let busy = 0;
    await preview(
      aCampaign({ audience: { regions: ["US"] } }),
      { records },
      {
        async onPhone(phone): Promise<void> {
          busy += 1;
          assert.equal(busy, 1);
          await Promise.resolve();
          heard.push(phone);
          busy -= 1;
        },
      },
    );
    assert.deepEqual(
      heard.map(({ id, outcome }) => `${id} ${outcome.effect}`),
      records.slice(0, 10).map(({ id, apps }) => `${id} ${apps?.length === 0 ? "clean" : "cut"}`),
    );
  });

  test("has the figures of a count that is made phone by phone, whatever is in the store", async () => {
    await fc.assert(
      fc.asyncProperty(aFleet, async ({ records, deadline, isAnnounced, share }) => {
        const campaign = aCampaign({
          waves: [
            aWave({ audience: { regions: ["US"] }, deadline, announce: isAnnounced ? undefined : hours(1) }),
            aWave({ audience: { platforms: ["ios"], share } }),
          ],
          stances: { ...ordinaryStances, stale: "quarantine", uninspectable: "warn" },
        });
        const result = await preview(campaign, { records });
        assert.deepEqual(
          {
            cut: result.cut,
            cutNow: result.cutNow,
            sum: result.clean + result.warned + result.cut + result.excused + result.held,
            newlyCut: result.newlyCut,
            us: result.regions.find(({ name }) => name === "US")?.cut ?? 0,
            later: result.deadlines.reduce((sum, { cut }) => sum + cut, 0) + result.graced,
          },
          counted(campaign, records, deadline),
        );
      }),
      { numRuns: 150 },
    );
  });
});

/** By the verdict alone: what is held without the campaign is not its doing. */
function counted(campaign: Campaign, records: readonly DeviceRecord[], deadline: Date): Record<string, number> {
  const without = aPolicy({ campaigns: [] });
  const withCampaign = aPolicy({ campaigns: [campaign] });
  const isCut = (record: DeviceRecord, policy: Policy, at: Date): boolean => {
    const person = record.owner === undefined ? undefined : parsePerson(record.owner);
    const { action } = judge({ record, person, lastKnown: undefined }, policy, at);
    return action === "quarantine" || action === "block";
  };
  const speaks = (record: DeviceRecord): boolean => {
    const person = record.owner === undefined ? undefined : parsePerson(record.owner);
    // In force for everybody whom it could concern at all.
    const everything = { ...campaign, requirements: [{ kind: "enrolled" } as const] };
    const { rulings = [] } = judge(
      { record: { ...record, override: undefined, faults: [] }, person, lastKnown: undefined },
      aPolicy({ campaigns: [everything] }),
      hours(10_000),
    );
    return rulings.some((ruling) => ruling.campaign === campaign.id);
  };
  const enforcedFrom = new Date(deadline.getTime() + 60_000);
  const shifted = (record: DeviceRecord): DeviceRecord => {
    const by = Math.max(0, enforcedFrom.getTime() - now.getTime());
    return { ...record, appsAt: record.appsAt && new Date(record.appsAt.getTime() + by) };
  };
  const blamed = records.filter((record) => !isCut(record, without, now));
  const atOnce = blamed.filter((record) => isCut(record, withCampaign, now));
  const later = blamed.filter(
    (record) =>
      record.region === "US" &&
      !atOnce.includes(record) &&
      deadline > now &&
      isCut(shifted(record), withCampaign, enforcedFrom),
  );
  return {
    cut: atOnce.length + later.length,
    cutNow: atOnce.length,
    sum: records.filter(speaks).length,
    newlyCut: atOnce.length + later.length,
    us: [...atOnce, ...later].filter(({ region }) => region === "US").length,
    later: later.length,
  };
}

const aFleet = fc.record({
  deadline: fc.integer({ min: -100, max: 400 }).map(hours),
  isAnnounced: fc.boolean(),
  share: fc.double({ min: 0.05, max: 1, noNaN: true }),
  records: fc
    .array(
      fc.record({
        region: fc.constantFrom("US", "EU", undefined),
        platform: fc.constantFrom("ios", "android", undefined),
        owner: fc.constantFrom("alice", "bob@corp.example", undefined),
        apps: fc.constantFrom([tiktok], [], undefined),
        appsScope: fc.constantFrom("all", "work-profile"),
        appsAt: fc.option(fc.integer({ min: -400, max: 0 }).map(hours), { nil: undefined }),
        compliance: fc.constantFrom("compliant", "noncompliant", undefined),
        override: fc.constantFrom(undefined, undefined, {
          action: "block",
          why: undefined,
          who: undefined,
          until: undefined,
        }),
        faults: fc.constantFrom([], [], [], [{ field: "apps", problem: "is cut off" }]),
      }),
      { maxLength: 40 },
    )
    .map((list) => list.map((parts, index): DeviceRecord => aRecord({ ...parts, id: deviceId(`P${index}`) }))),
});

suite("figures by a word of the records", () => {
  test("have as many words as their limit, and the rest together", () => {
    const counts = createBoundedCounts(3);
    for (let index = 0; index < 10; index += 1) counts.of(`region ${index}`).concerned += 1;
    counts.of("region 2").cut += 1;
    counts.of(undefined).concerned += 1;
    assert.deepEqual(
      counts.list().map(({ name, concerned }) => [name, concerned]),
      [
        ["region 2", 1],
        ["region 0", 1],
        ["region 1", 1],
        [OTHERS, 8],
      ],
    );
  });
});
