/** What people say about whose an id at the gate is, on every store. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createBindings } from "../../src/inventory/bindings.ts";
import type { Bindings, BindOrder, BoundId } from "../../src/inventory/bindings.ts";
import { PERSON_DEVICES_LIMIT } from "../../src/inventory/owner-index.ts";
import { createStrangers } from "../../src/inventory/strangers.ts";
import type { JoinSettings, Stranger, Strangers } from "../../src/inventory/strangers.ts";
import type { InventoryReport } from "../../src/inventory/report.ts";
import { judge } from "../../src/policy/judge.ts";
import { parsePerson } from "../../src/policy/person.ts";
import type { Reason } from "../../src/policy/verdict.ts";
import type { CachedStore } from "../../src/store/cached-store.ts";
import { anIntake, apps, aReport, at, inventoryNow, ruleIds } from "../support/inventory.ts";
import { aPolicy, deviceId } from "../support/records.ts";
import { fields } from "./store.ts";
import type { StorePlace } from "./store.ts";

const phone = deviceId("APPLF1");
const strange = deviceId("0UTL00K");
const clean = apps(["com.example.mail"], at(-10));
const alices = aReport({ enrolledAt: at(-900), apps: clean });
const bobs = (parts: Partial<InventoryReport> = {}): InventoryReport =>
  aReport({ sourceDeviceId: "18", owner: { name: "bob" }, enrolledAt: at(-20), apps: clean, ...parts });

async function reasonFor(store: CachedStore, name: string, id = phone): Promise<Reason> {
  const { record } = await store.facts([id], name);
  return judge({ record, person: parsePerson(name), lastKnown: undefined }, aPolicy(), inventoryNow).reason;
}

function order(parts: Partial<BindOrder> = {}): BindOrder {
  return { id: phone, source: "jamf", sourceDeviceId: "17", how: "operator", by: "olga", ...parts };
}

async function all(bindings: Bindings): Promise<readonly BoundId[]> {
  const found: BoundId[] = [];
  for await (const each of bindings.list()) found.push(each);
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

export function bindingsContract(title: string, newPlace: (t: TestContext) => Promise<StorePlace>): void {
  const open = async (t: TestContext) => {
    const store = await (await newPlace(t)).open({ now: () => inventoryNow });
    const homeDomains = ["corp.example"];
    const bindings = createBindings({
      store,
      appIds: () => ruleIds,
      homeDomains,
      ownerRequired: true,
      now: () => inventoryNow,
    });
    const strangers = (join: JoinSettings): Strangers => createStrangers({ store, bindings, join, homeDomains });
    return { store, bindings, strangers, intake: anIntake(store) };
  };

  suite(`${title}: operators`, () => {
    test("bind an id that no source knows, and take it back", async (t) => {
      const { store, bindings, intake } = await open(t);
      await intake.take(alices);
      assert.deepEqual(await bindings.bind(order({ id: strange })), {
        kind: "bound",
        problem: undefined,
        account: "alice",
      });
      assert.equal(await reasonFor(store, "alice", strange), "compliant");
      assert.equal(await reasonFor(store, "bob", strange), "owner-mismatch");
      const bound = await bindings.read(strange);
      assert.deepEqual([bound?.binding?.how, bound?.binding?.by], ["operator", "olga"]);
      assert.equal(await bindings.unbind(strange), true);
      assert.equal(await reasonFor(store, "alice", strange), "not-enrolled");
      assert.equal(await reasonFor(store, "alice"), "compliant");
      assert.equal(await bindings.unbind(strange), false);
    });

    test("cannot bind to what nobody has reported, or what is managed no more", async (t) => {
      const { bindings, intake } = await open(t);
      assert.deepEqual(await bindings.bind(order()), { kind: "no-such-device" });
      await intake.takeEach(alices, aReport({ enrolled: false, deviceAt: at(-1) }));
      assert.deepEqual(await bindings.bind(order({ id: strange })), { kind: "not-enrolled" });
    });

    test("decide whose a contested id is, by naming from whom it is taken, and that holds", async (t) => {
      const { store, bindings, intake } = await open(t);
      await intake.takeEach(alices, bobs());
      const toBob = order({ sourceDeviceId: "18" });
      assert.deepEqual(await bindings.bind(toBob), { kind: "of-others", accounts: ["alice"] });
      assert.deepEqual(await bindings.bind({ ...toBob, takenFrom: ["carol"] }), {
        kind: "of-others",
        accounts: ["alice"],
      });
      assert.equal(await reasonFor(store, "bob"), "id-contested", "nothing was changed by asking");
      assert.equal((await bindings.bind({ ...toBob, takenFrom: ["alice@corp.example"] })).kind, "bound");
      assert.deepEqual(
        [await reasonFor(store, "bob"), await reasonFor(store, "alice")],
        ["compliant", "owner-mismatch"],
      );
      await intake.takeEach({ ...alices, deviceAt: at(-2) }, bobs({ deviceAt: at(-1) }));
      assert.equal(await reasonFor(store, "bob"), "compliant", "their sources say what they said before");
      assert.equal(intake.alerts.filter(({ kind }) => kind === "id-contested").length, 1);
    });

    test("have decided against what was claimed then, not against what comes later", async (t) => {
      const { store, bindings, intake } = await open(t);
      await intake.takeEach(alices, bobs());
      await bindings.bind(order({ sourceDeviceId: "18", takenFrom: ["alice"] }));
      await intake.take(aReport({ sourceDeviceId: "19", owner: { name: "carol" }, enrolledAt: at(-1) }));
      assert.equal(await reasonFor(store, "bob"), "id-contested");
    });

    test("have decided about a phone of its owner then, not of the next one", async (t) => {
      const { store, bindings, intake } = await open(t);
      await intake.take(alices);
      await bindings.bind(order({ id: strange }));
      await intake.take(aReport({ owner: { name: "bob" }, deviceAt: at(-1) }));
      assert.equal(await reasonFor(store, "bob"), "compliant", "its own id goes with the phone");
      assert.deepEqual(
        [await reasonFor(store, "bob", strange), await reasonFor(store, "alice", strange)],
        ["not-enrolled", "not-enrolled"],
      );
    });

    test("are asked before they take an id from whoever a record by hand names", async (t) => {
      const { store, bindings, intake } = await open(t);
      await intake.take(alices);
      await store.writeFields(strange, fields({ owner: "carol", groups: "board" }));
      assert.deepEqual(await bindings.bind(order({ id: strange })), { kind: "of-others", accounts: ["carol"] });
      assert.equal((await bindings.bind(order({ id: strange, takenFrom: ["carol"] }))).kind, "bound");
      assert.deepEqual((await store.facts([strange], "alice")).record?.groups, ["board"]);
    });

    test("say that a source is wrong about an id, and its next report does not bring it back", async (t) => {
      const { store, bindings, intake } = await open(t);
      await intake.takeEach(alices, bobs());
      assert.equal(await bindings.unbind(phone), true);
      await intake.takeEach({ ...alices, deviceAt: at(-2) }, bobs({ deviceAt: at(-1) }));
      assert.deepEqual(
        [await reasonFor(store, "alice"), await reasonFor(store, "bob")],
        ["not-enrolled", "not-enrolled"],
      );
      await bindings.bind(order({ takenFrom: ["bob"] }));
      assert.equal(await reasonFor(store, "alice"), "compliant");
    });

    test("see every id, how it is known, and what is wrong with it", async (t) => {
      const { bindings, intake } = await open(t);
      await intake.takeEach(
        alices,
        bobs(),
        aReport({ sourceDeviceId: "20", easDeviceIds: ["NOBODYS"], owner: undefined }),
      );
      await bindings.bind(order({ id: strange }));
      assert.deepEqual(
        (await all(bindings)).map(({ id, binding, problem }) => [id, binding?.how, problem]),
        [
          [strange, "operator", undefined],
          [phone, "mdm", "two-people"],
          ["NOBODYS", "mdm", "no-owner"],
        ],
      );
    });
  });

  suite(`${title}: strangers`, () => {
    const outlook: Stranger = {
      id: strange,
      account: "alice",
      deviceType: "Outlook",
      program: "Outlook-iOS-Android/1.0",
    };
    const samsung: Stranger = { ...outlook, deviceType: "SamsungDevice", program: "Android-SAMSUNG-SM-S921B/101.14" };
    const refusing: JoinSettings = { selfRegistration: "off", outlookMobile: "refuse" };
    const byOwner: JoinSettings = { ...refusing, outlookMobile: "owner" };
    const approving: JoinSettings = { ...refusing, selfRegistration: "approve" };
    const allowing: JoinSettings = { ...refusing, selfRegistration: "allow" };
    const onAndroid = aReport({ sourceDeviceId: "30", easDeviceIds: ["ANDR0ID"], platform: "android", apps: clean });

    interface Row {
      readonly title: string;
      readonly reports?: readonly InventoryReport[];
      readonly stranger?: Stranger;
      readonly join?: JoinSettings;
      readonly asked?: boolean;
      readonly expected: string;
      readonly reason: Reason;
    }
    const rows: readonly Row[] = [
      {
        title: "nothing comes of it unless the configuration says so",
        join: refusing,
        expected: "refuse",
        reason: "not-enrolled",
      },
      {
        title: "Outlook is the owner's one phone where that is allowed",
        join: byOwner,
        expected: "bound",
        reason: "compliant",
      },
      {
        title: "a phone that is un-enrolled is none",
        join: byOwner,
        reports: [alices, aReport({ enrolled: false, deviceAt: at(-1) })],
        expected: "refuse",
        reason: "not-enrolled",
      },
      {
        title: "with two phones an operator decides",
        join: byOwner,
        reports: [alices, onAndroid],
        expected: "ask",
        reason: "not-enrolled",
      },
      {
        title: "a laptop is no phone",
        join: byOwner,
        reports: [alices, aReport({ sourceDeviceId: "31", easDeviceIds: ["MAC"], platform: "macos" })],
        expected: "bound",
        reason: "compliant",
      },
      {
        title: "another person's phone is none of theirs",
        join: byOwner,
        stranger: { ...outlook, account: "bob" },
        expected: "refuse",
        reason: "not-enrolled",
      },
      {
        title: "the same account of another domain is another person",
        join: byOwner,
        stranger: { ...outlook, account: "alice@elsewhere.example" },
        expected: "refuse",
        reason: "not-enrolled",
      },
      {
        title: "a credential that names nobody proves nothing",
        join: byOwner,
        stranger: { ...outlook, account: "" },
        expected: "refuse",
        reason: "not-enrolled",
      },
      {
        title: "another mail app is not Outlook",
        join: byOwner,
        stranger: samsung,
        expected: "refuse",
        reason: "not-enrolled",
      },
      {
        title: "its owner registers it, and an operator approves",
        join: approving,
        reports: [onAndroid],
        stranger: samsung,
        asked: true,
        expected: "ask",
        reason: "not-enrolled",
      },
      {
        title: "its owner registers it",
        join: allowing,
        reports: [onAndroid],
        stranger: samsung,
        asked: true,
        expected: "bound",
        reason: "compliant",
      },
      {
        title: "nobody has registered it",
        join: allowing,
        reports: [onAndroid],
        stranger: samsung,
        expected: "ask",
        reason: "not-enrolled",
      },
      {
        title: "an Android app is not on an iPhone",
        join: allowing,
        stranger: samsung,
        asked: true,
        expected: "refuse",
        reason: "not-enrolled",
      },
    ];
    for (const {
      title: name,
      reports = [alices],
      stranger = outlook,
      join = refusing,
      asked,
      expected,
      reason,
    } of rows) {
      test(name, async (t) => {
        const { store, strangers, intake } = await open(t);
        await intake.takeEach(...reports);
        assert.equal((await strangers(join).considerStranger(stranger, asked)).kind, expected);
        assert.equal(await reasonFor(store, "alice", strange), reason);
      });
    }

    test(`${PERSON_DEVICES_LIMIT} devices of one account name are found by it, and further ones are not`, async (t) => {
      const { strangers, intake } = await open(t);
      const phones = Array.from({ length: PERSON_DEVICES_LIMIT + 1 }, (_, index) =>
        aReport({ sourceDeviceId: String(index), easDeviceIds: [`ID${index}`] }),
      );
      await intake.takeAll(phones);
      const found = await strangers(byOwner).look(outlook);
      assert.equal(found.kind === "ask" && found.devices.length, PERSON_DEVICES_LIMIT);
    });

    test("an id that is bound, has a record or was taken back is never bound by its owner", async (t) => {
      const { store, bindings, strangers, intake } = await open(t);
      await intake.takeEach(alices, bobs({ easDeviceIds: ["BOBS"] }));
      const consider = async (id: string): Promise<string> =>
        (await strangers(byOwner).considerStranger({ ...outlook, id: deviceId(id) })).kind;
      assert.equal(await consider("BOBS"), "bound");
      assert.equal(await reasonFor(store, "bob", deviceId("BOBS")), "compliant", "and stays whose it is");
      await store.writeFields(strange, fields({ owner: "alice" }));
      assert.equal(await consider(strange), "taken");
      await bindings.unbind(phone);
      assert.equal(await consider(phone), "taken");
    });

    test("what an owner said gives way to what a device says", async (t) => {
      const { store, strangers, intake } = await open(t);
      await intake.take(alices);
      await strangers(byOwner).considerStranger(outlook);
      await intake.take(bobs({ easDeviceIds: [strange] }));
      assert.deepEqual(
        [await reasonFor(store, "bob", strange), await reasonFor(store, "alice", strange)],
        ["compliant", "owner-mismatch"],
      );
      assert.deepEqual(
        intake.alerts.map(({ kind }) => kind),
        ["id-moved"],
      );
    });

    test("a phone that is un-enrolled takes its owner's Outlook with it, and brings it back", async (t) => {
      const { store, strangers, intake } = await open(t);
      await intake.take(alices);
      await strangers(byOwner).considerStranger(outlook);
      await intake.take(aReport({ enrolled: false, deviceAt: at(-5) }));
      assert.equal(await reasonFor(store, "alice", strange), "not-enrolled");
      await intake.take(aReport({ deviceAt: at(-1) }));
      assert.equal(await reasonFor(store, "alice", strange), "compliant");
    });
  });
}
