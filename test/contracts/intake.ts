/** What becomes of what sources say, on every store. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { decodeManaged, managedDocument } from "../../src/inventory/managed-document.ts";
import { EAS_IDS_LIMIT } from "../../src/inventory/checked-report.ts";
import type { InventoryReport } from "../../src/inventory/report.ts";
import { judge } from "../../src/policy/judge.ts";
import { parsePerson } from "../../src/policy/person.ts";
import type { DeviceRecord } from "../../src/policy/device.ts";
import type { Verdict } from "../../src/policy/verdict.ts";
import type { CachedStore } from "../../src/store/cached-store.ts";
import { APPS_LIMIT, FUTURE_LIMIT_MS, GROUPS_LIMIT } from "../../src/store/record.ts";
import { anIntake, aPart, apps, aReport, at, inventoryNow, ruleIds } from "../support/inventory.ts";
import { aCampaign, anApp, aPolicy, deviceId } from "../support/records.ts";
import type { StorePlace } from "./store.ts";

const tiktok = "com.zhiliaoapp.musically";
const phone = deviceId("APPLF1");

async function recordOf(store: CachedStore, id = phone): Promise<DeviceRecord | undefined> {
  return (await store.facts([id], "alice")).record;
}

async function verdictOf(store: CachedStore, { as = "alice", id = phone, policy = aPolicy() } = {}): Promise<Verdict> {
  const record = await recordOf(store, id);
  return judge({ record, person: parsePerson(as), lastKnown: undefined }, policy, inventoryNow);
}

interface Golden {
  readonly title: string;
  readonly reports: readonly InventoryReport[];
  readonly expected: readonly [Verdict["action"], Verdict["reason"]];
  readonly alerts?: readonly string[];
}

const banned = apps([tiktok, "com.example.mail"], at(-10));
const clean = (time: Date) => apps(["com.example.mail"], time);

/** One line for each case of which sources are known to be capable. */
const golden: readonly Golden[] = [
  { title: "a banned app is there", reports: [aReport({ apps: banned })], expected: ["quarantine", "app-present"] },
  {
    title: "a banned app is gone with the next list",
    reports: [aReport({ apps: banned }), aPart({ deviceAt: at(-5), apps: clean(at(-5)) })],
    expected: ["allow", "compliant"],
  },
  {
    title: "a list that is older than the one that is known brings no app back",
    reports: [aReport({ apps: clean(at(-5)) }), aPart({ apps: banned })],
    expected: ["allow", "compliant"],
  },
  { title: "a list is missing", reports: [aReport()], expected: ["allow", "uninspectable"] },
  {
    title: "a list that is missing from the next report stays as it was",
    reports: [aReport({ apps: banned }), aReport({ deviceAt: at(-1), osVersion: "26.2" })],
    expected: ["quarantine", "app-present"],
  },
  {
    title: "a list that is empty all at once is a fault, and the last good one is kept",
    reports: [aReport({ apps: banned }), aPart({ apps: apps([], at(-5)) })],
    expected: ["quarantine", "app-present"],
    alerts: ["apps-vanished"],
  },
  {
    title: "a phone that never had apps has none",
    reports: [aReport({ apps: apps([], at(-5)) })],
    expected: ["allow", "compliant"],
  },
  {
    title: "a list of managed apps only proves nothing by its silence",
    reports: [aReport({ apps: apps(["com.example.mail"], at(-5), { scope: "managed-only" }) })],
    expected: ["allow", "uninspectable"],
  },
  {
    title: "a banned app in a list of managed apps is there",
    reports: [aReport({ apps: apps([tiktok], at(-5), { scope: "managed-only" }) })],
    expected: ["quarantine", "app-present"],
  },
  {
    title: "asked about the app alone, the phone does not have it",
    reports: [aReport({ apps: apps([], at(-5), { scope: "asked-only", asked: [tiktok] }) })],
    expected: ["allow", "compliant"],
  },
  {
    title: "asked about another app, nobody can tell",
    reports: [aReport({ apps: apps([], at(-5), { scope: "asked-only", asked: ["com.example.other"] }) })],
    expected: ["allow", "uninspectable"],
  },
  {
    title: "asked again about the app alone, it is gone from the list of all",
    reports: [aReport({ apps: banned }), aPart({ apps: apps([], at(-1), { scope: "asked-only", asked: [tiktok] }) })],
    expected: ["allow", "compliant"],
  },
  {
    title: "a list of iOS 26 with Apple's own apps is longer, and says the same",
    reports: [
      aReport({ apps: banned }),
      aPart({ apps: apps(["com.apple.mobilesafari", "com.apple.Music", "com.example.mail"], at(-1)) }),
    ],
    expected: ["allow", "compliant"],
  },
  {
    title: "an app that is still being installed is there",
    reports: [aReport({ apps: apps([{ id: tiktok, name: "TikTok", version: undefined }], at(-1)) })],
    expected: ["quarantine", "app-present"],
  },
  {
    title: "a personal enrolment without UDID and serial is a phone like any other",
    reports: [
      aReport({
        udid: undefined,
        serial: undefined,
        ownership: "personal",
        apps: apps([], at(-1), { scope: "managed-only" }),
      }),
    ],
    expected: ["allow", "uninspectable"],
  },
  {
    title: "the id at the gate comes after the list of apps",
    reports: [
      aPart({ owner: { name: "alice" }, platform: "ios", deviceAt: at(-10), apps: banned }),
      aPart({ easDeviceIds: ["applf1"], deviceAt: at(-8) }),
    ],
    expected: ["quarantine", "app-present"],
  },
  {
    title: "a phone that was un-enrolled is enrolled no more",
    reports: [aReport({ apps: clean(at(-10)) }), aPart({ enrolled: false, deviceAt: at(-2) })],
    expected: ["quarantine", "not-enrolled"],
  },
  {
    title: "a phone that was enrolled again is",
    reports: [
      aReport({ apps: clean(at(-10)) }),
      aPart({ enrolled: false, deviceAt: at(-5) }),
      aPart({ enrolledAt: at(-3), deviceAt: at(-3) }),
    ],
    expected: ["allow", "compliant"],
  },
  {
    title: "one id under two people is nobody's",
    reports: [
      aReport({ apps: clean(at(-10)), enrolledAt: at(-9000) }),
      aReport({
        sourceDeviceId: "18",
        owner: { name: "bob" },
        enrolledAt: at(-100),
        apps: clean(at(-9)),
      }),
    ],
    expected: ["quarantine", "id-contested"],
    alerts: ["id-contested"],
  },
];

export function intakeContract(title: string, newPlace: (t: TestContext) => Promise<StorePlace>): void {
  const aStore = async (t: TestContext): Promise<CachedStore> => (await newPlace(t)).open({ now: () => inventoryNow });

  suite(`${title}: golden cases`, () => {
    for (const { title: name, reports, expected, alerts = [] } of golden) {
      test(name, async (t) => {
        const store = await aStore(t);
        const intake = anIntake(store);
        await intake.takeEach(...reports);
        const { action, reason } = await verdictOf(store);
        assert.deepEqual([action, reason], expected);
        assert.deepEqual(
          intake.alerts.map(({ kind }) => kind),
          alerts,
        );
        assert.deepEqual((await recordOf(store))?.faults, []);
      });
    }
  });

  suite(`${title}: ages`, () => {
    test("the same report twice changes nothing", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      const report = aReport({ apps: banned, groups: ["sales"] });
      assert.deepEqual(await intake.take(report), { kind: "accepted", devices: 1, alerts: [] });
      const before = await store.readFields(phone);
      assert.deepEqual(await intake.take(report), { kind: "stale" });
      assert.deepEqual(await store.readFields(phone), before);
    });

    test("an older report fills what was not known, and replaces nothing", async (t) => {
      const store = await aStore(t);
      await anIntake(store).takeEach(
        aReport({ osVersion: "26.2", deviceAt: at(-5) }),
        aReport({ osVersion: "26.1", model: "iPhone 17", deviceAt: at(-50) }),
      );
      const record = await recordOf(store);
      assert.deepEqual([record?.osVersion, record?.model, record?.deviceAt], ["26.2", "iPhone 17", at(-5)]);
    });

    test("what people change at the source counts though the device has not reported since", async (t) => {
      const store = await aStore(t);
      await anIntake(store).takeEach(aReport(), aReport({ verdict: { state: "noncompliant", reasons: ["PIN"] } }));
      assert.equal((await recordOf(store))?.compliance, "noncompliant");
    });

    test("a report without a time counts when it comes, and holds up none that has one", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.takeEach(aReport(), aPart({ osVersion: "26.2" }));
      assert.equal((await recordOf(store))?.osVersion, "26.2");
      assert.deepEqual((await recordOf(store))?.deviceAt, at(-10));
      await intake.take(aPart({ osVersion: "26.3", deviceAt: at(-9) }));
      assert.equal((await recordOf(store))?.osVersion, "26.3");
    });

    test("a check-out without a time counts from now on", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.takeEach(aReport(), aPart({ enrolled: false }));
      assert.equal((await recordOf(store))?.enrolled, false);
      assert.deepEqual(await intake.take(aReport({ deviceAt: at(-1) })), { kind: "accepted", devices: 1, alerts: [] });
      assert.equal((await recordOf(store))?.enrolled, false, "what was said before it");
      await intake.take(aReport({ deviceAt: at(1) }));
      assert.equal((await recordOf(store))?.enrolled, true);
    });

    test("an old check-out does not undo a later enrolment", async (t) => {
      const store = await aStore(t);
      await anIntake(store).takeEach(aReport({ deviceAt: at(-3) }), aPart({ enrolled: false, deviceAt: at(-5) }));
      assert.equal((await recordOf(store))?.enrolled, true);
    });

    test("a time further ahead than clocks differ is refused, and nothing is changed", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      const limit = new Date(inventoryNow.getTime() + FUTURE_LIMIT_MS);
      const past = new Date(limit.getTime() + 1);
      for (const [report, problem] of [
        [aReport({ deviceAt: past }), "deviceAt lies in the future"],
        [aReport({ enrolledAt: past }), "enrolledAt lies in the future"],
        [aReport({ apps: apps([], past) }), "apps.at lies in the future"],
        [aReport({ deviceAt: new Date(Number.NaN) }), "deviceAt is no time"],
      ] as const)
        assert.deepEqual(await intake.take(report), { kind: "rejected", problem });
      assert.equal(await recordOf(store), undefined);
      assert.equal(
        (await intake.take(aReport({ deviceAt: limit, enrolledAt: limit, apps: apps([], limit) }))).kind,
        "accepted",
      );
    });

    test("a device that a full sync does not name is managed no more, until it is heard of", async (t) => {
      const store = await aStore(t);
      let now = inventoryNow;
      const intake = anIntake(store, { now: () => now });
      const other = aReport({ sourceDeviceId: "18", easDeviceIds: ["APPLF2"] });
      const elsewhere = aReport({ source: "intune", easDeviceIds: ["APPLF3"] });
      await intake.takeAll([aReport(), other, elsewhere], { sweep: "1" });
      now = at(60);
      await intake.takeAll([other], { sweep: "2" });
      assert.equal(await intake.endSweep("jamf", "2", at(55)), 1);
      assert.equal(await intake.endSweep("jamf", "2", at(55)), 0);
      assert.equal((await recordOf(store))?.enrolled, false);
      assert.equal((await recordOf(store, deviceId("APPLF2")))?.enrolled, true);
      assert.equal((await recordOf(store, deviceId("APPLF3")))?.enrolled, true);
      await intake.takeAll([aReport()], { sweep: "3" });
      assert.equal((await recordOf(store))?.enrolled, true);
      assert.equal(await intake.endSweep("jamf", "4", at(0)), 0, "heard of since that sync began");
    });

    test("an old check-out of a device that a full sync did not name does not bring it back", async (t) => {
      const store = await aStore(t);
      let now = inventoryNow;
      const intake = anIntake(store, { now: () => now });
      await intake.takeAll([aReport({ enrolledAt: at(-20) })], { sweep: "1" });
      now = at(60);
      assert.equal(await intake.endSweep("jamf", "2", at(55)), 1);
      await intake.take(aPart({ enrolled: false, deviceAt: at(-30) }));
      assert.equal((await recordOf(store))?.enrolled, false);
    });

    test("a device that a full sync names is managed still, though what it says of it cannot be taken", async (t) => {
      const store = await aStore(t);
      let now = inventoryNow;
      const intake = anIntake(store, { now: () => now });
      await intake.takeAll([aReport()], { sweep: "1" });
      now = at(60);
      // As it looks from a machine whose clock is behind: of a whole fleet at once.
      const [result] = await intake.takeAll([aReport({ deviceAt: at(90) })], { sweep: "2" });
      assert.equal(result?.kind, "rejected");
      assert.equal(await intake.endSweep("jamf", "2", at(55)), 0);
      const record = await recordOf(store);
      assert.deepEqual([record?.enrolled, record?.deviceAt], [true, at(-10)]);
      await intake.takeAll([aReport({ enrolled: false, deviceAt: at(90) })], { sweep: "3" });
      assert.equal(await intake.endSweep("jamf", "3", at(110)), 1, "named as one that is not managed");
    });
  });

  suite(`${title}: lists of apps`, () => {
    test("an empty list counts for a phone that was enrolled anew", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.takeEach(aReport({ apps: banned }), aPart({ apps: apps([], at(-5)) }));
      assert.equal((await verdictOf(store)).reason, "app-present");
      await intake.take(aPart({ enrolledAt: at(-7), deviceAt: at(-4) }));
      assert.deepEqual((await recordOf(store))?.apps, []);
      assert.equal((await verdictOf(store)).reason, "compliant");
    });

    test("an empty list of all apps that came first gives way to one with apps", async (t) => {
      const store = await aStore(t);
      await anIntake(store).takeEach(aReport({ apps: apps([], at(-5)) }), aPart({ apps: banned }));
      assert.equal((await verdictOf(store)).reason, "app-present");
    });

    test("answers about single apps are put together, as old as the oldest that a rule asks for", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store, { appIds: () => [tiktok, "com.example.other"] });
      await intake.takeEach(
        aReport({ apps: apps([tiktok], at(-9), { scope: "asked-only", asked: [tiktok] }) }),
        aPart({ apps: apps([], at(-5), { scope: "asked-only", asked: ["com.example.Other"] }) }),
      );
      const record = await recordOf(store);
      assert.deepEqual(record?.apps, [anApp(tiktok)]);
      assert.deepEqual(record.appsAsked, ["com.example.other", tiktok]);
      assert.deepEqual(record.appsAt, at(-9));
    });

    test("an answer about one app changes the list of all, and leaves its age", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store, { appIds: () => [tiktok, "com.example.other"] });
      await intake.takeEach(
        aReport({ apps: banned }),
        aPart({ apps: apps([], at(-5), { scope: "asked-only", asked: [tiktok] }) }),
      );
      const record = await recordOf(store);
      assert.deepEqual(
        [record?.appsScope, record?.apps, record?.appsAt],
        ["all", [anApp("com.example.mail")], at(-10)],
      );
    });

    test("Apple's own apps are kept only where a rule names them, and absent only where one did", async (t) => {
      const store = await aStore(t);
      const list = apps(["com.apple.news", "com.apple.Music", tiktok], at(-5));
      await anIntake(store, { appIds: () => ["com.apple.music"] }).take(aReport({ apps: list }));
      const record = await recordOf(store);
      assert.deepEqual(record?.apps, [anApp("com.apple.Music"), anApp(tiktok)]);
      const ban = (id: string) =>
        aPolicy({
          campaigns: [
            aCampaign({
              requirements: [{ kind: "absent", name: "It", versions: undefined, ids: new Map([["ios", [id]]]) }],
            }),
          ],
        });
      assert.equal((await verdictOf(store, { policy: ban("com.apple.music") })).reason, "app-present");
      assert.equal((await verdictOf(store, { policy: ban("com.apple.news") })).reason, "uninspectable");
      await anIntake(store, { appIds: () => ["com.apple.news", "com.apple.tv"] }).take(
        aPart({ apps: { ...list, at: at(-4) } }),
      );
      assert.equal((await verdictOf(store, { policy: ban("com.apple.news") })).reason, "app-present");
      assert.equal((await verdictOf(store, { policy: ban("com.apple.tv") })).reason, "compliant");
    });

    test("on Android an app of that name is like any other", async (t) => {
      const store = await aStore(t);
      await anIntake(store).take(aReport({ platform: "android", apps: apps(["com.apple.android.music"], at(-5)) }));
      assert.deepEqual((await recordOf(store))?.apps, [anApp("com.apple.android.music")]);
    });

    test("with rules-only nothing is kept but what rules ask about, and a later rule cannot tell", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store, { privacy: "rules-only" });
      await intake.take(aReport({ apps: banned }));
      const record = await recordOf(store);
      assert.deepEqual(
        [record?.appsScope, record?.apps, record?.appsAsked],
        ["asked-only", [anApp(tiktok)], [...ruleIds]],
      );
      const stored = (await store.readDocuments([managedDocument(aReport())]))[0];
      assert.doesNotMatch([...(stored ?? [])].join("\n"), /com\.example\.mail/);
      assert.equal(decodeManaged(aReport(), stored, new Set(ruleIds))?.appsCount, 2);
      const other = aPolicy({
        campaigns: [
          aCampaign({
            requirements: [
              { kind: "absent", name: "Mail", versions: undefined, ids: new Map([["ios", ["com.example.mail"]]]) },
            ],
          }),
        ],
      });
      assert.equal((await verdictOf(store, { policy: other })).reason, "uninspectable");
      await intake.take(aPart({ apps: apps([], at(-5)) }));
      assert.equal((await verdictOf(store)).reason, "app-present", "an empty list is a fault here too");
    });

    test("what was kept of all apps is trimmed with the next report under rules-only", async (t) => {
      const store = await aStore(t);
      await anIntake(store).take(aReport({ apps: banned }));
      await anIntake(store, { privacy: "rules-only" }).take(aPart({ deviceAt: at(-1) }));
      const [stored, record] = [(await store.readDocuments([managedDocument(aReport())]))[0], await recordOf(store)];
      assert.doesNotMatch([...(stored ?? [])].join("\n"), /com\.example\.mail/);
      assert.deepEqual([record?.appsScope, record?.apps, record?.appsAt], ["asked-only", [anApp(tiktok)], at(-10)]);
    });

    test("while nobody knows the rules nothing is taken in", async (t) => {
      const store = await aStore(t);
      await assert.rejects(anIntake(store, { appIds: () => undefined }).take(aReport({ apps: banned })), {
        code: "store-unavailable",
      });
    });
  });

  suite(`${title}: limits`, () => {
    const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `a.b${index}`);

    test("lists are taken up to their limits and refused beyond", async (t) => {
      const intake = anIntake(await aStore(t));
      const groups = (count: number): string[] => Array.from({ length: count }, (_, index) => `g${index}`);
      const eas = (count: number): string[] => Array.from({ length: count }, (_, index) => `EAS${index}`);
      const rows: readonly (readonly [InventoryReport, string | undefined])[] = [
        [aReport({ apps: apps(ids(APPS_LIMIT), at(-1)) }), undefined],
        [aReport({ apps: apps(ids(APPS_LIMIT + 1), at(-1)) }), `apps has more than ${APPS_LIMIT} elements`],
        [aReport({ groups: groups(GROUPS_LIMIT) }), undefined],
        [aReport({ groups: groups(GROUPS_LIMIT + 1) }), `groups has more than ${GROUPS_LIMIT} elements`],
        [aReport({ easDeviceIds: eas(EAS_IDS_LIMIT) }), undefined],
        [aReport({ easDeviceIds: eas(EAS_IDS_LIMIT + 1) }), `easDeviceIds has more than ${EAS_IDS_LIMIT} elements`],
        [aReport({ source: "a".repeat(64) }), undefined],
        [aReport({ source: "a".repeat(65) }), "source is not 1 to 64 of a-z, 0-9 and -"],
        [aReport({ source: "Jamf" }), "source is not 1 to 64 of a-z, 0-9 and -"],
        [aReport({ sourceDeviceId: "x".repeat(200) }), undefined],
        [aReport({ sourceDeviceId: "x".repeat(201) }), "sourceDeviceId is longer than 200 characters"],
        [aReport({ region: "x".repeat(257) }), "region is longer than 256 characters"],
      ];
      for (const [report, problem] of rows) {
        const result = await intake.take(report);
        assert.deepEqual(result.kind === "rejected" ? result.problem : undefined, problem);
      }
    });

    test("names of apps that do not fit are left out, but for those of rules; ids that do not fit are refused", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      const list = [...ids(3_000), tiktok].map((id) => ({ id, name: "n".repeat(100), version: "1.0" }));
      assert.equal((await intake.take(aReport({ apps: apps(list, at(-1)) }))).kind, "accepted");
      const record = await recordOf(store);
      assert.equal(record?.apps?.length, 3_001);
      assert.deepEqual(
        record.apps.filter(({ name }) => name !== undefined).map(({ id }) => id),
        [tiktok],
      );
      assert.deepEqual(record.faults, []);
      const wide = Array.from({ length: APPS_LIMIT }, (_, index) => `${"x".repeat(60)}${index}`);
      assert.deepEqual(await intake.take(aReport({ apps: apps(wide, at(0)) })), {
        kind: "rejected",
        problem: "apps is larger than 262144 bytes",
      });
    });

    test("what is only shown is left out where it cannot be read, and spoils nothing", async (t) => {
      const store = await aStore(t);
      await anIntake(store).take(
        aReport({
          model: "a\u0000b",
          timezone: "Mars/Olympus",
          locale: "??",
          owner: { name: "Alice Smith", email: "alice@corp.example" },
          verdict: { state: "noncompliant", reasons: ["", "a\nb", "PIN", ...Array.from({ length: 200 }, () => "x")] },
          apps: apps(["", "a\u0007", tiktok], at(-1)),
        }),
      );
      const record = await recordOf(store);
      assert.deepEqual(record?.faults, []);
      assert.deepEqual([record?.model, record?.timezone, record?.owner], [undefined, undefined, "alice@corp.example"]);
      assert.deepEqual(record?.apps, [anApp(tiktok)]);
      assert.equal(record?.reasons.length, 100);
    });
  });
}
