/** Whose phone an id at the gate is, on every store. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { bindingDocument, bindingOf, decodeBinding } from "../../src/inventory/binding-document.ts";
import type { BindingState } from "../../src/inventory/binding-document.ts";
import { decodeManaged, managedDocument } from "../../src/inventory/managed-document.ts";
import { FORMER_IDS_LIMIT } from "../../src/inventory/merge.ts";
import { CLAIMS_LIMIT } from "../../src/inventory/settle.ts";
import type { InventoryReport } from "../../src/inventory/report.ts";
import type { DeviceRecord } from "../../src/policy/device.ts";
import { judge } from "../../src/policy/judge.ts";
import { parsePerson } from "../../src/policy/person.ts";
import type { Reason } from "../../src/policy/verdict.ts";
import type { CachedStore } from "../../src/store/cached-store.ts";
import { anIntake, aPart, apps, aReport, at, inventoryNow } from "../support/inventory.ts";
import { aPolicy, deviceId } from "../support/records.ts";
import { fields } from "./store.ts";
import type { StorePlace } from "./store.ts";

const phone = deviceId("APPLF1");
const second = deviceId("OUTLOOK2");
const clean = apps(["com.example.mail"], at(-10));

async function recordOf(store: CachedStore, id = phone): Promise<DeviceRecord | undefined> {
  return (await store.facts([id], "alice")).record;
}

async function reasonFor(store: CachedStore, name: string, id = phone): Promise<Reason> {
  const record = await recordOf(store, id);
  return judge({ record, person: parsePerson(name), lastKnown: undefined }, aPolicy(), inventoryNow).reason;
}

async function bindingState(store: CachedStore, id = phone): Promise<BindingState> {
  return decodeBinding((await store.readDocuments([bindingDocument(id)]))[0]);
}

const bobs = (parts: Partial<InventoryReport> = {}): InventoryReport =>
  aReport({ sourceDeviceId: "18", owner: { name: "bob" }, apps: clean, ...parts });

export function joiningContract(title: string, newPlace: (t: TestContext) => Promise<StorePlace>): void {
  const aStore = async (t: TestContext): Promise<CachedStore> => (await newPlace(t)).open({ now: () => inventoryNow });

  suite(`${title}: ids`, () => {
    test("an id is found in any letter case, and its binding says how it is known", async (t) => {
      const store = await aStore(t);
      await anIntake(store).take(aReport({ easDeviceIds: ["applf1"] }));
      assert.equal((await recordOf(store))?.owner, "alice");
      const { claims, ...state } = await bindingState(store);
      assert.equal(claims.length, 1);
      assert.deepEqual(bindingOf(phone, { claims, ...state }), {
        source: "jamf",
        sourceDeviceId: "17",
        easDeviceId: phone,
        how: "mdm",
        account: "alice",
        at: inventoryNow,
        by: undefined,
        contestedBy: [],
      });
    });

    test("an id that the management system gave to the mail app says so", async (t) => {
      const store = await aStore(t);
      await anIntake(store).take(aReport({ easDeviceIdsAre: "managed-config" }));
      assert.equal((await bindingState(store)).claims[0]?.how, "managed-config");
    });

    test("an id outside the grammar is told once, and binds nothing", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      const report = aReport({ easDeviceIds: ["no-id", "x".repeat(65)] });
      await intake.takeEach(report, { ...report, deviceAt: at(-1) });
      assert.deepEqual(
        intake.alerts.map((alert) => alert.kind === "id-unusable" && [alert.easDeviceId.length, alert.problem]),
        [
          [5, "is not 1 to 64 letters and digits"],
          [65, "is not 1 to 64 letters and digits"],
        ],
      );
      assert.equal(await recordOf(store), undefined);
    });

    test("two devices of one source whose ids differ in letter case only: neither counts, and it is told", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.takeEach(
        aReport({ easDeviceIds: ["Applf1"] }),
        aReport({ sourceDeviceId: "18", easDeviceIds: ["APPLF1"] }),
      );
      assert.deepEqual(intake.alerts, [
        {
          kind: "id-unusable",
          easDeviceId: phone,
          problem: "differs from the id of another device in letter case only",
        },
      ]);
      assert.equal(await reasonFor(store, "alice"), "id-contested");
    });

    test("several ids of a phone are one record and its aliases", async (t) => {
      const store = await aStore(t);
      const result = await anIntake(store).take(aReport({ easDeviceIds: ["APPLF1", "OUTLOOK2"], apps: clean }));
      assert.deepEqual(result, { kind: "accepted", devices: 2, alerts: [] });
      assert.equal((await recordOf(store, second))?.id, phone);
      assert.equal(await store.readFields(second), undefined);
    });

    test("an id with a record by hand keeps what stands there, and is told the same", async (t) => {
      const store = await aStore(t);
      await store.writeFields(second, fields({ groups: "board", region: "EU", override: "block", owner: "someone" }));
      await anIntake(store).take(aReport({ easDeviceIds: ["APPLF1", "OUTLOOK2"], apps: clean }));
      const record = await recordOf(store, second);
      assert.deepEqual([record?.groups, record?.region, record?.override?.action], [["board"], "EU", "block"]);
      assert.deepEqual([record?.id, record?.owner, record?.email], [second, "alice", "alice@corp.example"]);
    });

    test("an alias by hand to the record of another device is left alone, and told", async (t) => {
      const store = await aStore(t);
      const other = deviceId("OTHER");
      await store.writeFields(other, fields({ owner: "carol" }));
      await store.writeAlias(second, other);
      const intake = anIntake(store);
      await intake.takeEach(aReport({ easDeviceIds: ["APPLF1", "OUTLOOK2"] }), aReport({ deviceAt: at(-1) }));
      assert.equal((await recordOf(store, second))?.owner, "carol");
      assert.deepEqual(intake.alerts, [
        { kind: "id-unusable", easDeviceId: second, problem: "is an alias of another device, made by hand" },
      ]);
      assert.equal((await bindingState(store, second)).problem, "alias-by-hand");
    });

    test("an id that its source names no more stays the phone's, until another device comes with it", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.takeEach(aReport({ apps: clean }), aPart({ easDeviceIds: ["OUTLOOK2"], deviceAt: at(-5) }));
      assert.equal((await recordOf(store))?.owner, "alice");
      await intake.take(bobs());
      assert.deepEqual(
        [await reasonFor(store, "bob"), await reasonFor(store, "alice")],
        ["compliant", "owner-mismatch"],
      );
      assert.deepEqual(intake.alerts, [
        { kind: "id-moved", easDeviceId: phone, before: { source: "jamf", sourceDeviceId: "17" } },
      ]);
      assert.equal((await recordOf(store, second))?.owner, "alice");
    });

    test(`${FORMER_IDS_LIMIT} ids that its source names no more are remembered of a device`, async (t) => {
      const store = await aStore(t);
      const ids = Array.from({ length: FORMER_IDS_LIMIT + 2 }, (_, index) => `ID${10 + index}`);
      await anIntake(store).takeAll(
        ids.map((id, index) => aReport({ easDeviceIds: [id], deviceAt: at(-100 + index) })),
      );
      const [stored] = await store.readDocuments([managedDocument(aReport())]);
      assert.equal(decodeManaged(aReport(), stored, new Set())?.memory.ids.former.length, FORMER_IDS_LIMIT);
      const owners = await Promise.all(ids.map(async (id) => (await recordOf(store, deviceId(id)))?.owner));
      assert.deepEqual(
        ids.filter((_, index) => owners[index] === undefined),
        ["ID26"],
        "and one more is let go",
      );
    });

    test(`one id is kept for ${CLAIMS_LIMIT} devices; one more is told and not kept`, async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      for (let device = 0; device <= CLAIMS_LIMIT; device += 1) {
        assert.deepEqual(intake.alerts, []);
        await intake.take(aReport({ sourceDeviceId: String(device) }));
      }
      assert.deepEqual(intake.alerts, [
        { kind: "id-unusable", easDeviceId: phone, problem: `is claimed for more than ${CLAIMS_LIMIT} devices` },
      ]);
      assert.equal((await bindingState(store)).claims.length, CLAIMS_LIMIT);
    });
  });

  suite(`${title}: whose it is`, () => {
    test("a phone that was enrolled anew once more than an id is kept for devices has its id all the same", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      for (let count = 0; count <= CLAIMS_LIMIT; count += 1) {
        const enrolment = { sourceDeviceId: `e${count}`, enrolledAt: at(count - 100), apps: clean };
        await intake.take(aReport(enrolment));
        if (count < CLAIMS_LIMIT) await intake.take(aPart({ sourceDeviceId: `e${count}`, enrolled: false }));
      }
      assert.equal(await reasonFor(store, "alice"), "compliant");
      assert.equal((await recordOf(store))?.sourceDeviceId, `e${CLAIMS_LIMIT}`);
      assert.deepEqual(intake.alerts, []);
      assert.equal((await bindingState(store)).claims.length, CLAIMS_LIMIT);
    });

    test("of one person's two enrolments the newer has the id, and nothing of the older stays", async (t) => {
      const store = await aStore(t);
      await anIntake(store).takeEach(
        aReport({ enrolledAt: at(-900), region: "EU", model: "iPhone 15" }),
        aReport({ sourceDeviceId: "18", enrolledAt: at(-20), model: "iPhone 17" }),
        aReport({ enrolledAt: at(-900), region: "EU", model: "iPhone 15", deviceAt: at(-1) }),
      );
      const record = await recordOf(store);
      assert.deepEqual([record?.sourceDeviceId, record?.model, record?.region], ["18", "iPhone 17", undefined]);
    });

    test("an id of a phone that was un-enrolled moves to the next one, and another person's is told", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.takeEach(aReport({ apps: clean }), aPart({ enrolled: false, deviceAt: at(-5) }));
      assert.equal((await bindingState(store)).holder?.sourceDeviceId, "17", "it keeps its binding");
      assert.deepEqual(intake.alerts, []);
      await intake.take(bobs());
      assert.equal(await reasonFor(store, "bob"), "compliant");
      assert.equal(await reasonFor(store, "alice"), "owner-mismatch");
      assert.deepEqual(
        intake.alerts.map(({ kind }) => kind),
        ["id-moved"],
      );
    });

    test("phones of two people: neither counts, until one of them is managed no more", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.takeEach(aReport({ enrolledAt: at(-900), apps: clean }), bobs({ enrolledAt: at(-20) }));
      assert.deepEqual(
        [await reasonFor(store, "alice"), await reasonFor(store, "bob")],
        ["id-contested", "id-contested"],
      );
      assert.deepEqual(intake.alerts, [
        { kind: "id-contested", easDeviceId: phone, others: [{ source: "jamf", sourceDeviceId: "18" }] },
      ]);
      await intake.takeEach(bobs({ deviceAt: at(-2) }));
      assert.equal(intake.alerts.length, 1, "told once");
      await intake.take(bobs({ enrolled: false, deviceAt: at(-1) }));
      assert.equal(await reasonFor(store, "alice"), "compliant");
    });

    test("a contested id takes its phone's other ids with it no more than needed", async (t) => {
      const store = await aStore(t);
      await anIntake(store).takeEach(
        aReport({ easDeviceIds: ["APPLF1", "OUTLOOK2"], enrolledAt: at(-900), apps: clean }),
        bobs({ enrolledAt: at(-20) }),
      );
      assert.equal(await reasonFor(store, "alice"), "id-contested");
      assert.equal(await reasonFor(store, "alice", second), "compliant");
    });

    test("an owner who is another at the source is another here, at once and told", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.takeEach(aReport({ apps: clean }), aReport({ owner: { email: "bob@corp.example" } }));
      assert.deepEqual(
        [await reasonFor(store, "bob"), await reasonFor(store, "alice")],
        ["compliant", "owner-mismatch"],
      );
      assert.deepEqual(
        intake.alerts.map(({ kind }) => kind),
        ["id-moved"],
      );
    });

    test("a phone whose owner nobody names is nobody's, and told once", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      const ownerless = aReport({ owner: undefined, apps: clean });
      await intake.takeEach(ownerless, { ...ownerless, deviceAt: at(-1) });
      assert.equal(await recordOf(store), undefined);
      assert.deepEqual(intake.alerts, [{ kind: "owner-missing" }]);
      assert.equal((await bindingState(store)).problem, "no-owner");
      await intake.take(aPart({ owner: { name: "alice" }, deviceAt: at(0) }));
      assert.equal(await reasonFor(store, "alice"), "compliant");
    });

    test("a phone that loses its owner at the source is nobody's again", async (t) => {
      const store = await aStore(t);
      await store.writeFields(phone, fields({ region: "EU" }));
      await anIntake(store).takeEach(aReport({ apps: clean }), aReport({ owner: undefined }));
      assert.equal(await reasonFor(store, "alice"), "not-enrolled");
      assert.equal(await reasonFor(store, "mallory"), "not-enrolled");
      assert.equal((await recordOf(store))?.region, "EU", "what somebody else wrote stays");
    });

    test("an owner that somebody else has written counts where the source names none", async (t) => {
      const store = await aStore(t);
      await store.writeFields(phone, fields({ owner: "alice" }));
      await anIntake(store).take(aReport({ owner: undefined, apps: clean }));
      assert.deepEqual(
        [await reasonFor(store, "alice"), await reasonFor(store, "bob")],
        ["compliant", "owner-mismatch"],
      );
    });

    test("where no owner is asked for, such a phone is everybody's, and told", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store, { ownerRequired: false });
      await intake.takeEach(
        aReport({ owner: undefined, apps: clean }),
        aReport({ owner: undefined, deviceAt: at(-1) }),
      );
      assert.deepEqual([await reasonFor(store, "alice"), await reasonFor(store, "bob")], ["compliant", "compliant"]);
      assert.deepEqual(intake.alerts, [{ kind: "owner-missing" }]);
    });
  });

  suite(`${title}: two sources for one phone`, () => {
    const inIntune = (parts: Partial<InventoryReport> = {}): InventoryReport => ({
      source: "intune",
      sourceDeviceId: "i-1",
      enrolled: true,
      easDeviceIds: ["applf1"],
      owner: { name: "alice@corp.example" },
      enrolledAt: at(-10),
      deviceAt: at(-5),
      verdict: { state: "noncompliant", reasons: ["PIN"] },
      apps: apps([], at(-5), { scope: "none" }),
      ...parts,
    });

    test("the one that was enrolled later leads, and what it does not know comes from the other", async (t) => {
      const store = await aStore(t);
      await anIntake(store).takeEach(aReport({ enrolledAt: at(-900), apps: clean, model: "iPhone 17" }), inIntune());
      const record = await recordOf(store);
      assert.deepEqual(
        [record?.source, record?.compliance, record?.appsScope, record?.appsAt, record?.model, record?.deviceAt],
        ["intune", "noncompliant", "all", at(-10), "iPhone 17", at(-5)],
      );
    });

    test("an app that one of them has found is there, unless the other has looked for it since", async (t) => {
      const app = "com.zhiliaoapp.musically";
      const older = apps([app, "com.example.mail"], at(-10));
      for (const [scope, minutes, asked, isThere] of [
        ["managed-only", -5, [], true],
        ["work-profile", -5, [], true],
        ["none", -5, [], true],
        ["asked-only", -5, ["com.example.other"], true],
        ["asked-only", -5, [app], false],
        ["asked-only", -20, [app], true],
        ["all", -5, [], false],
        ["all", -20, [], true],
      ] as const) {
        const store = await aStore(t);
        await anIntake(store).takeEach(
          aReport({ enrolledAt: at(-900), apps: older }),
          inIntune({ apps: apps(["com.example.mail"], at(minutes), { scope, asked }) }),
        );
        const found = (await recordOf(store))?.apps?.some(({ id }) => id === app) ?? false;
        assert.equal(found, isThere, `${scope} ${minutes} ${asked.join()}`);
      }
    });

    test("a bad sign of one of them counts, unless the leading one has heard from the phone since", async (t) => {
      for (const [minutes, counts] of [
        [-5, true],
        [-20, false],
      ] as const) {
        const store = await aStore(t);
        const bad = { state: "noncompliant", reasons: ["Apps"] } as const;
        const good = { state: "compliant", reasons: [] } as const;
        await anIntake(store).takeEach(
          aReport({ enrolledAt: at(-900), deviceAt: at(minutes), compromised: true, verdict: bad }),
          inIntune({ deviceAt: at(-10), compromised: false, verdict: good }),
        );
        const record = await recordOf(store);
        assert.deepEqual(
          [record?.compromised, record?.compliance, record?.reasons],
          counts ? [true, "noncompliant", ["Apps"]] : [false, "compliant", []],
          String(minutes),
        );
      }
    });

    test("what a source knew of a phone that it manages no more is out of the record", async (t) => {
      const store = await aStore(t);
      await anIntake(store).takeEach(
        aReport({ enrolledAt: at(-900), apps: clean }),
        inIntune(),
        inIntune({ enrolled: false, deviceAt: at(-1) }),
      );
      const record = await recordOf(store);
      assert.deepEqual([record?.source, record?.compliance, record?.enrolled], ["jamf", undefined, true]);
    });
  });

  suite(`${title}: records`, () => {
    test("what others wrote stays where no source speaks of it, and goes where it would be half of what one says", async (t) => {
      const store = await aStore(t);
      await store.writeFields(
        phone,
        fields({
          groups: "sales",
          timezone: "Europe/Berlin",
          email: "bob@corp.example",
          appsAsked: "a.b",
          reasons: "old",
        }),
      );
      const intake = anIntake(store);
      await intake.take(
        aReport({ owner: { name: "alice" }, apps: clean, verdict: { state: "compliant", reasons: [] } }),
      );
      const record = await recordOf(store);
      assert.deepEqual([record?.groups, record?.timezone], [["sales"], "Europe/Berlin"]);
      assert.deepEqual([record?.email, record?.appsAsked, record?.reasons], [undefined, [], []]);
      await intake.take(aPart({ groups: ["board"], deviceAt: at(-9) }));
      assert.deepEqual((await recordOf(store))?.groups, ["board"]);
    });

    test("a script that corrects a field is overruled by the next report, not before", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.take(aReport());
      await store.writeFields(phone, fields({ osVersion: "1.0", override: "allow" }));
      assert.deepEqual(await intake.take(aReport()), { kind: "stale" });
      await intake.take(aReport({ deviceAt: at(-1) }));
      const record = await recordOf(store);
      assert.deepEqual([record?.osVersion, record?.override?.action], ["26.1", "allow"]);
    });

    for (const [title, parts, osVersion] of [
      ["a build", { osBuild: "23B85" }, "26.1 (23B85)"],
      ["a rapid security response", { osExtra: "(a)", osBuild: "23B86" }, "26.1 (a) (23B86)"],
      ["a letter without brackets", { osExtra: "c" }, "26.1 (c)"],
      ["what no version can be compared with", { osBuild: "???" }, "26.1"],
    ] as const)
      test(`the version of the system with ${title} can be compared`, async (t) => {
        const store = await aStore(t);
        await anIntake(store).take(aReport(parts));
        assert.equal((await recordOf(store))?.osVersion, osVersion);
      });

    test("the source's verdict, with the time that it gives, and nothing where it cannot tell", async (t) => {
      const store = await aStore(t);
      const intake = anIntake(store);
      await intake.take(aReport({ verdict: { state: "in-grace", reasons: ["PIN"], until: at(60) } }));
      const graced = await recordOf(store);
      assert.deepEqual([graced?.compliance, graced?.complianceUntil, graced?.reasons], ["compliant", at(60), ["PIN"]]);
      await intake.take(aReport({ verdict: { state: "cannot-tell", reasons: ["error"] } }));
      const untold = await recordOf(store);
      assert.deepEqual([untold?.compliance, untold?.complianceUntil, untold?.reasons], [undefined, undefined, []]);
    });

    test("two nodes that take in parts of one device at once lose none of them", async (t) => {
      const place = await newPlace(t);
      const nodes = [await place.open(), await place.open()];
      const parts: Partial<InventoryReport>[] = [
        { osVersion: "26.3" },
        { model: "iPhone 17" },
        { region: "EU" },
        { groups: ["sales"] },
        { apps: clean },
        { locale: "de-DE" },
      ];
      await Promise.all(
        parts.map((part, index) => {
          const store = nodes[index % 2];
          assert.ok(store !== undefined);
          return anIntake(store).take(
            aPart({ easDeviceIds: ["APPLF1"], owner: { name: "alice" }, deviceAt: at(-10), ...part }),
          );
        }),
      );
      const [store] = nodes;
      assert.ok(store !== undefined);
      const fieldsThere = await store.readFields(phone);
      for (const name of ["osVersion", "model", "region", "groups", "apps", "locale", "owner"])
        assert.ok(fieldsThere?.has(name), name);
    });
  });
}
