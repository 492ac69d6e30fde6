/** What every store promises, whatever it keeps its data in. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { CachedStore } from "../../src/store/cached-store.ts";
import { emptyMailbox, MAILBOX_FOLDERS_LIMIT } from "../../src/store/mailbox-state.ts";
import { STRANGE_PEOPLE_LIMIT, STRANGERS_OF_ONE_LIMIT } from "../../src/store/last-requests.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import { PREVIEW_LIMIT_BYTES } from "../../src/store/traffic.ts";
import type { LastRequest, MailboxChange, PolicyVersion, StoreChange, StoreEvent } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { aLastRequest, deviceId } from "../support/records.ts";

/** Data of its own for one test, which several nodes may open. */
export interface StorePlace {
  open(deps?: { readonly now?: () => Date; readonly report?: (event: StoreEvent) => void }): Promise<CachedStore>;
}

export function fields(values: Readonly<Record<string, string>>): { set: Map<string, string>; remove: string[] } {
  return { set: new Map(Object.entries(values)), remove: [] };
}

/** "Within a second of it", and some room for a busy machine. */
const SECOND_MS = 1_500;

const phone = deviceId("ABC123");
const other = deviceId("OTHER9");
const hexSpelling = deviceId("414243313233");
const account = "alice@corp.example";

export function storeContract(title: string, newPlace: (t: TestContext) => Promise<StorePlace>): void {
  suite(title, () => {
    test("an id that nobody has reported has no record, and its first spelling counts", async (t) => {
      const store = await (await newPlace(t)).open();
      const facts = await store.facts([phone, hexSpelling], account);
      assert.equal(facts.id, phone);
      assert.equal(facts.record, undefined);
      assert.deepEqual(facts.mailbox, emptyMailbox);
    });

    test("a record is found under any spelling, and the most trusted spelling with a record counts", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(hexSpelling, fields({ owner: "bob" }));
      assert.equal((await store.facts([phone, hexSpelling], account)).id, hexSpelling);
      await store.writeFields(phone, fields({ owner: "alice" }));
      const facts = await store.facts([phone, hexSpelling], account);
      assert.equal(facts.id, phone);
      assert.equal(facts.record?.owner, "alice");
    });

    test("an alias leads to its device, and a record of the spelling itself counts for more", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(other, fields({ owner: "alice" }));
      await store.writeAlias(phone, other);
      assert.equal((await store.facts([phone], account)).id, other);
      assert.equal((await store.facts([hexSpelling, phone], account)).record?.owner, "alice");
      await store.writeFields(phone, fields({ owner: "bob" }));
      assert.equal((await store.facts([phone], account)).id, phone);
    });

    test("an alias that leads to nothing, to itself, or in a circle is harmless", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeAlias(phone, other);
      assert.equal((await store.facts([phone], account)).id, phone);
      await store.writeAlias(other, phone);
      assert.equal((await store.facts([phone], account)).id, phone);
      await store.writeAlias(phone, phone);
      assert.equal((await store.facts([phone], account)).id, phone);
    });

    test("an alias is one step: the alias of an alias leads nowhere", async (t) => {
      const store = await (await newPlace(t)).open();
      const canonical = deviceId("CANONICAL");
      await store.writeFields(canonical, fields({ owner: "alice" }));
      await store.writeAlias(other, canonical);
      await store.writeAlias(phone, other);
      assert.equal((await store.facts([phone], account)).record, undefined);
    });

    test("a record that an alias waited for counts as soon as it is there", async (t) => {
      const place = await newPlace(t);
      const [store, elsewhere] = [await place.open(), await place.open()];
      await store.writeAlias(phone, other);
      await store.facts([phone], account);
      const changes = listen(store);
      await elsewhere.writeFields(other, fields({ owner: "alice" }));
      await eventually(
        () => assert.ok(changes.some((change) => change.kind === "device" && change.id === phone)),
        SECOND_MS,
      );
      assert.equal((await store.facts([phone], account)).id, other);
    });

    test("the mailbox state is the one of the canonical id and of the account", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(other, fields({ owner: "alice" }));
      await store.writeAlias(phone, other);
      await store.updateMailbox({ device: other, account }, { issue: ["5"] });
      await store.updateMailbox({ device: phone, account }, { issue: ["6"] });
      assert.deepEqual((await store.facts([phone], account)).mailbox.issued, new Set(["5"]));
      assert.deepEqual((await store.facts([phone], "bob")).mailbox.issued, new Set());
      assert.deepEqual((await store.facts([phone], undefined)).mailbox.issued, new Set());
    });

    test("what a node wrote itself is there at once, whatever it had read before", async (t) => {
      const store = await (await newPlace(t)).open();
      const owner = async (): Promise<string | undefined> => (await store.facts([phone], account)).record?.owner;
      for (let round = 0; round < 20; round++) {
        await store.writeFields(phone, fields({ owner: `alice${round}`, model: "Pixel" }));
        assert.equal(await owner(), `alice${round}`);
        await store.writeFields(phone, { set: new Map(), remove: ["owner"] });
        assert.equal(await owner(), undefined);
        await store.updateMailbox({ device: phone, account }, { issue: [`${round}`] });
        assert.ok((await store.facts([phone], account)).mailbox.issued.has(`${round}`));
      }
    });

    test("what another node wrote is there within a second, and is told", async (t) => {
      const place = await newPlace(t);
      const [here, there] = [await place.open(), await place.open()];
      await here.writeFields(phone, fields({ compliance: "compliant" }));
      const changes = listen(there);
      await eventually(async () => {
        assert.equal((await there.facts([phone], account)).record?.compliance, "compliant");
      }, SECOND_MS);

      changes.length = 0;
      await here.writeFields(phone, fields({ compliance: "noncompliant" }));
      await eventually(() => assert.ok(changes.some((each) => each.kind === "device" && each.id === phone)), SECOND_MS);
      assert.equal((await there.facts([phone], account)).record?.compliance, "noncompliant");

      changes.length = 0;
      await here.updateMailbox({ device: phone, account }, { issue: ["7"] });
      await eventually(
        () => assert.ok(changes.some((each) => each.kind === "mailbox" && each.id === phone)),
        SECOND_MS,
      );
      assert.deepEqual((await there.facts([phone], account)).mailbox.issued, new Set(["7"]));

      changes.length = 0;
      await here.forget(phone);
      await eventually(() => assert.ok(changes.some((each) => each.kind === "device" && each.id === phone)), SECOND_MS);
      assert.equal((await there.facts([phone], account)).record, undefined);
    });

    test("facts that are asked for when a change is told are never older than it", async (t) => {
      const place = await newPlace(t);
      const [here, there] = [await place.open(), await place.open()];
      await here.writeFields(phone, fields({ osVersion: "0" }));
      await there.facts([phone], account);
      let newest: Promise<string | undefined> | undefined;
      there.onChange(() => {
        newest = there.facts([phone], account).then(({ record }) => record?.osVersion);
      });
      for (let round = 1; round <= 30; round++) await here.writeFields(phone, fields({ osVersion: String(round) }));
      // Whatever came between, the last change that is told must show the last value, without asking again.
      await eventually(async () => assert.equal(await newest, "30"), SECOND_MS);
    });

    test("each part of a mailbox state is remembered as it was given", async (t) => {
      const store = await (await newPlace(t)).open();
      const ping = { heartbeatSeconds: 900, folders: [{ id: "5", class: "Email" }] };
      const notice = { revision: 4999, digest: "a1b2", at: new Date("2026-11-20T12:00:00Z") };
      const shadow = { key: "ours", real: "theirs", shows: 3 };
      const warning = { collectionId: "5", shown: 3, dismissedAt: new Date("2026-11-20T13:00:00Z"), shadow };
      await update(store, { folders: { replace: false, set: new Map([["5", 2]]), remove: [] }, ping, notice, warning });
      await update(store, { issue: ["5", "6"] });
      await update(store, { drained: ["6"], unheard: ["Sync", "Ping"] });
      await update(store, { heard: ["Ping"] });
      const { mailbox } = await store.facts([phone], account);
      assert.deepEqual(mailbox, {
        folders: new Map([["5", 2]]),
        issued: new Set(["5"]),
        unheard: new Set(["Sync"]),
        ping,
        notice,
        warning,
      });
      await update(store, { warning: null });
      assert.equal((await store.facts([phone], account)).mailbox.warning, undefined);
    });

    test("folders are added, removed, or all replaced", async (t) => {
      const store = await (await newPlace(t)).open();
      const folders = async (): Promise<unknown> =>
        Object.fromEntries((await store.facts([phone], account)).mailbox.folders);
      await update(store, {
        folders: {
          replace: true,
          set: new Map([
            ["1", 2],
            ["2", 3],
            ["3", 4],
          ]),
          remove: [],
        },
      });
      await update(store, { folders: { replace: false, set: new Map([["4", 12]]), remove: ["2", "unheard-of"] } });
      assert.deepEqual(await folders(), { "1": 2, "3": 4, "4": 12 });
      await update(store, { issue: ["1"], folders: { replace: true, set: new Map([["1", 5]]), remove: [] } });
      assert.deepEqual(await folders(), { "1": 5 });
      await update(store, { folders: { replace: true, set: new Map(), remove: [] } });
      assert.deepEqual(await folders(), {});
      assert.deepEqual((await store.facts([phone], account)).mailbox.issued, new Set(["1"]));
    });

    test("two nodes that change different parts at once do not undo each other", async (t) => {
      const place = await newPlace(t);
      const [here, there] = [await place.open(), await place.open()];
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => [
          update(here, { issue: [`h${index}`] }),
          update(there, { folders: { replace: false, set: new Map([[`t${index}`, 2]]), remove: [] } }),
        ]).flat(),
      );
      await eventually(async () => {
        for (const store of [here, there]) {
          const { mailbox } = await store.facts([phone], account);
          assert.deepEqual([mailbox.issued.size, mailbox.folders.size], [20, 20]);
        }
      }, SECOND_MS);
    });

    test("a mailbox state takes as many folders as its limit, and no more", async (t) => {
      const store = await (await newPlace(t)).open();
      const set = new Map(Array.from({ length: MAILBOX_FOLDERS_LIMIT }, (_, index) => [`f${index}`, 12] as const));
      await update(store, { folders: { replace: true, set, remove: [] } });
      assert.equal((await store.facts([phone], account)).mailbox.folders.size, MAILBOX_FOLDERS_LIMIT);
      await update(store, {
        folders: {
          replace: false,
          set: new Map([
            ["one more", 12],
            ["f0", 13],
          ]),
          remove: [],
        },
      });
      const { folders } = (await store.facts([phone], account)).mailbox;
      assert.equal(folders.size, MAILBOX_FOLDERS_LIMIT);
      assert.equal(folders.has("one more"), false);
      assert.equal(folders.get("f0"), 13);
    });

    test("accounts with marks that mean something elsewhere are all different accounts", async (t) => {
      const store = await (await newPlace(t)).open();
      const accounts = [
        "",
        "a:b",
        "a%3ab",
        "a%3Ab",
        "a",
        "*",
        "a*",
        "[a]",
        "{a}",
        "a b",
        "a\nb",
        "a\0b",
        "ünï",
        "'a'",
        "__proto__",
      ];
      accounts.push("x".repeat(256), "é".repeat(256), "\\", "a/b", "a!b~c");
      for (const [index, name] of accounts.entries()) {
        await store.updateMailbox({ device: phone, account: name }, { issue: [`key${index}`] });
      }
      for (const [index, name] of accounts.entries()) {
        const { mailbox } = await store.facts([phone], name);
        assert.deepEqual([...mailbox.issued], [`key${index}`], JSON.stringify(name));
      }
      await store.writeFields(phone, fields({ owner: "alice" }));
      await store.forget(phone);
      for (const name of accounts) assert.equal((await store.facts([phone], name)).mailbox.issued.size, 0, name);
    });

    test("fields come back to the byte, whatever they are called and hold", async (t) => {
      const store = await (await newPlace(t)).open();
      const odd = new Map([
        ["__proto__", "polluted"],
        ["constructor", "x"],
        ["", "a field without a name"],
        ["zero\0byte", "a\0b"],
        ["lines", "a\r\nb"],
        ["unicode", "日本 ünï 🙂"],
        ["large", "x".repeat(300_000)],
      ]);
      await store.writeFields(phone, { set: odd, remove: [] });
      assert.deepEqual(await store.readFields(phone), odd);
      const { record } = await store.facts([phone], account);
      assert.deepEqual(record?.faults, []);
      assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
    });

    test("a field that cannot be read is a fault and never an error", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(phone, fields({ compliance: "maybe", apps: "[{", override: "{}", appsAt: "yesterday" }));
      const { record } = await store.facts([phone], account);
      assert.deepEqual(record?.faults.map(({ field }) => field).sort(), ["apps", "appsAt", "compliance", "override"]);
      assert.equal(record?.compliance, undefined);
    });

    test("a time that still lies ahead is read again, until it has come", async (t) => {
      let time = new Date("2026-11-20T12:00:00Z");
      const store = await (await newPlace(t)).open({ now: () => time });
      await store.writeFields(phone, fields({ appsAt: "2026-11-20T13:00:00Z" }));
      assert.equal((await store.facts([phone], account)).record?.faults[0]?.field, "appsAt");
      time = new Date("2026-11-20T13:00:00Z");
      assert.deepEqual((await store.facts([phone], account)).record?.faults, []);
    });

    test("removing and setting the same field sets it", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(phone, fields({ owner: "alice", model: "Pixel" }));
      await store.writeFields(phone, { set: new Map([["owner", "bob"]]), remove: ["owner", "model"] });
      assert.deepEqual(await store.readFields(phone), new Map([["owner", "bob"]]));
    });

    test("a record without fields is no record", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(phone, fields({ owner: "alice" }));
      await store.writeFields(phone, { set: new Map(), remove: ["owner"] });
      assert.equal(await store.readFields(phone), undefined);
      assert.equal((await store.facts([phone], account)).record, undefined);
      await store.writeFields(phone, { set: new Map(), remove: [] });
      assert.deepEqual(await all(store.list()), []);
    });

    test("forgetting removes the record, its mailbox states and the aliases that are named", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(phone, fields({ owner: "alice" }));
      await store.writeFields(other, fields({ owner: "bob" }));
      await store.writeAlias(hexSpelling, phone);
      await store.writeAlias(deviceId("KEPT"), other);
      for (const name of [account, "bob"])
        await store.updateMailbox({ device: phone, account: name }, { issue: ["5"] });
      await store.updateMailbox({ device: other, account }, { issue: ["5"] });

      assert.equal(await store.forget(phone, [hexSpelling]), true);
      assert.equal((await store.facts([phone], account)).record, undefined);
      for (const name of [account, "bob"]) assert.equal((await store.facts([phone], name)).mailbox.issued.size, 0);
      await store.writeFields(phone, fields({ owner: "carol" }));
      assert.equal((await store.facts([hexSpelling], account)).record, undefined);
      assert.equal((await store.facts([deviceId("KEPT")], account)).mailbox.issued.size, 1);
      assert.equal(await store.forget(deviceId("NEVERSEEN")), false);
    });

    test("every device with a record is listed, with its record", async (t) => {
      const store = await (await newPlace(t)).open();
      const ids = Array.from({ length: 1_250 }, (_, index) => deviceId(`D${index}`));
      for (const id of ids) await store.writeFields(id, fields({ owner: `person-${id.toLowerCase()}` }));
      await store.writeAlias(phone, other);
      await store.updateMailbox({ device: phone, account }, { issue: ["1"] });
      assert.deepEqual([...new Set(await all(store.list()))].sort(), ids.toSorted());
      const records = await all(store.records());
      assert.deepEqual([...new Set(records.map(({ id }) => id))].sort(), ids.toSorted());
      for (const { id, owner } of records) assert.equal(owner, `person-${id.toLowerCase()}`);
    });

    test("records can be paged through, and whoever goes on later sees every one that stays", async (t) => {
      const store = await (await newPlace(t)).open();
      const ids = Array.from({ length: 700 }, (_, index) => deviceId(`D${index}`));
      for (const id of ids) await store.writeFields(id, fields({ owner: "a" }));
      const seen = new Set<string>();
      let place: string | undefined;
      let pages = 0;
      do {
        const page = await store.recordPage(place, 50);
        assert.ok(page.records.length < 200, `${page.records.length} records in a page of 50`);
        for (const { id } of page.records) seen.add(id);
        place = page.next;
        pages += 1;
        // What goes and comes meanwhile moves nobody out of sight.
        await store.forget(deviceId(`GONE${pages}`));
        await store.writeFields(deviceId(`GONE${pages + 1}`), fields({ owner: "b" }));
      } while (place !== undefined);
      assert.ok(pages > 5);
      assert.deepEqual(
        ids.filter((id) => !seen.has(id)),
        [],
      );
    });

    test("who stops reading the list half-way leaves nothing behind", async (t) => {
      const store = await (await newPlace(t)).open();
      for (let index = 0; index < 300; index++) await store.writeFields(deviceId(`D${index}`), fields({ owner: "a" }));
      for await (const id of store.list()) if (id !== "") break;
      assert.equal((await store.facts([deviceId("D7")], account)).record?.owner, "a");
    });

    test("many who ask at once get the same answer", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(phone, fields({ owner: "alice" }));
      const answers = await Promise.all(Array.from({ length: 100 }, () => store.facts([phone], account)));
      for (const { record } of answers) assert.equal(record?.owner, "alice");
    });

    test("who stops listening hears nothing more, and one who throws does not deafen the others", async (t) => {
      const events: StoreEvent[] = [];
      const store = await (await newPlace(t)).open({ report: (event) => events.push(event) });
      const heard: string[] = [];
      const stop = store.onChange(() => heard.push("stopped"));
      store.onChange(() => {
        throw new Error("a listener with a fault");
      });
      store.onChange(() => heard.push("kept"));
      stop();
      await store.writeFields(phone, fields({ owner: "alice" }));
      assert.ok(heard.includes("kept"));
      assert.ok(!heard.includes("stopped"));
      assert.ok(events.some(({ kind }) => kind === "listener-failed"));
    });

    test("a store without a policy says so, and then keeps every version of it", async (t) => {
      const store = await (await newPlace(t)).open();
      assert.equal(await store.readPolicy(), undefined);
      assert.deepEqual(await store.policyHistory(10), []);
      const versions = [1, 2, 3].map((version) => aVersion(version));
      for (const version of versions) assert.equal(await store.addPolicy(version), true);
      assert.deepEqual(await store.readPolicy(), versions[2]);
      assert.deepEqual(await store.policyHistory(10), versions.toReversed());
      assert.deepEqual(await store.policyHistory(1), versions.slice(2));
    });

    test("an act that was interrupted may be repeated, and an act that a newer program calls otherwise is read", async (t) => {
      const store = await (await newPlace(t)).open();
      const version = { ...aVersion(1), act: "an act of next year" };
      assert.equal(await store.addPolicy(version), true);
      assert.equal(await store.addPolicy(version), true, "the same again");
      assert.equal(await store.addPolicy({ ...version, why: "another" }), false);
      assert.deepEqual(await store.readPolicy(), version);
      assert.deepEqual(await store.readPolicyVersion(1), version);
      assert.equal(await store.readPolicyVersion(2), undefined);
    });

    test("of two who add the same version of a policy one is refused, and nothing is lost", async (t) => {
      const place = await newPlace(t);
      const [one, other] = [await place.open(), await place.open()];
      const added = await Promise.all([
        one.addPolicy(aVersion(1, "alice")),
        other.addPolicy(aVersion(1, "bob")),
        one.addPolicy(aVersion(1, "carol")),
      ]);
      assert.equal(added.filter(Boolean).length, 1);
      const [inForce, seenByOther] = [await one.readPolicy(), await other.readPolicy()];
      assert.deepEqual(inForce, seenByOther);
      assert.equal(inForce?.who, ["alice", "bob", "carol"][added.indexOf(true)]);
      assert.equal(await other.addPolicy(aVersion(2)), true);
      assert.equal((await one.readPolicy())?.version, 2);
    });

    test("a new policy is told to every node within a second", async (t) => {
      const place = await newPlace(t);
      const [one, other] = [await place.open(), await place.open()];
      const changes = listen(other);
      await one.addPolicy(aVersion(1));
      await eventually(() => assert.ok(changes.some(({ kind }) => kind === "policy")), SECOND_MS);
      await one.addPolicy(aVersion(2));
      await eventually(() => assert.ok(changes.filter(({ kind }) => kind === "policy").length >= 2), SECOND_MS);
    });

    test("nobody is new before the first look at everybody, nor whoever that look finds", async (t) => {
      const place = await newPlace(t);
      const [one, another] = [await place.open(), await place.open()];
      await one.writeFields(phone, fields({ owner: "alice" }));
      const seen = async (id = phone): Promise<unknown> => (await another.facts([id], account)).record?.firstSeenAt;
      assert.equal(await one.meet(phone), false);
      assert.equal(await seen(), undefined);
      assert.equal(await one.meetEverybody(() => false), false);
      assert.equal(await seen(), undefined, "who is stopped has not looked at everybody");
      assert.equal(await one.meetEverybody(() => true), true);
      await eventually(async () => assert.equal(await seen(), "earlier"), SECOND_MS);
      await another.meet(phone);
      await one.meetEverybody(() => true);
      assert.equal(await seen(), "earlier");
      assert.equal((await one.readRecords([phone]))[0]?.firstSeenAt, "earlier");
    });

    test("a device is new from the moment on at which it is seen first with a record, for every node and for good", async (t) => {
      let time = new Date("2026-11-20T12:00:00Z");
      const place = await newPlace(t);
      const [one, another] = [await place.open({ now: () => time }), await place.open({ now: () => time })];
      await one.meetEverybody(() => true);
      assert.equal(await one.meet(phone), false, "an id without a record is not met");
      assert.equal((await one.facts([phone], account)).record, undefined);

      time = new Date("2026-11-20T12:10:00Z");
      await one.writeFields(phone, fields({ owner: "alice" }));
      assert.equal(
        (await one.facts([phone], account)).record?.firstSeenAt,
        undefined,
        "what was invented before is new now",
      );
      assert.equal((await another.facts([phone], account)).record?.firstSeenAt, undefined);
      assert.equal(await one.meet(phone), true);
      const firstSeen = new Date("2026-11-20T12:10:00Z");
      assert.deepEqual((await one.facts([phone], account)).record?.firstSeenAt, firstSeen);

      time = new Date("2026-11-20T13:00:00Z");
      await another.meet(phone);
      await another.meetEverybody(() => true);
      await another.writeFields(phone, { set: new Map([["firstSeenAt", time.toISOString()]]), remove: ["owner"] });
      await eventually(
        async () => assert.deepEqual((await another.facts([phone], account)).record?.firstSeenAt, firstSeen),
        SECOND_MS,
      );
      await one.forget(phone);
      await one.writeFields(phone, fields({ owner: "alice" }));
      await one.meet(phone);
      await one.meetEverybody(() => true);
      assert.deepEqual((await one.facts([phone], undefined)).record?.firstSeenAt, firstSeen, "nor by a new record");
      assert.deepEqual(
        (await all(one.records())).map(({ firstSeenAt }) => firstSeenAt),
        [firstSeen],
      );
      assert.deepEqual(
        (await another.readRecords([phone])).map(({ firstSeenAt }) => firstSeenAt),
        [firstSeen],
      );
    });

    test("a record whose phone never came is new from the next look on", async (t) => {
      let time = new Date("2026-11-20T12:00:00Z");
      const store = await (await newPlace(t)).open({ now: () => time });
      await store.meetEverybody(() => true);
      const ids = Array.from({ length: 450 }, (_, index) => deviceId(`N${index}`));
      for (const id of ids) await store.writeFields(id, fields({ owner: "alice" }));
      time = new Date("2026-11-20T12:10:00Z");
      await store.meetEverybody(() => true);
      time = new Date("2027-07-01T12:00:00Z");
      await store.meetEverybody(() => true);
      // More than 400 days after the first look, and fewer after the last one.
      time = new Date("2028-01-01T12:00:00Z");
      const seen = new Set((await all(store.records())).map(({ firstSeenAt }) => String(firstSeenAt)));
      assert.deepEqual(seen, new Set([String(new Date("2026-11-20T12:10:00Z"))]));
    });

    test("the last requests with an id are kept: the owner's, somebody else's, and those that came before its record", async (t) => {
      const place = await newPlace(t);
      const [one, another] = [await place.open(), await place.open()];
      const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
      assert.deepEqual(await one.lastRequests([phone, other]), []);
      const owners = aLastRequest({
        id: phone,
        at: minutesAgo(3),
        spellings: [hexSpelling, phone],
        queryForm: "base64",
      });
      const silent = { queryForm: undefined, version: undefined, deviceType: undefined, program: undefined };
      const eves = aLastRequest({ id: phone, whose: "somebody-else", account: "eve", at: minutesAgo(2), ...silent });
      const early = aLastRequest({
        id: phone,
        whose: "stranger",
        account: "",
        at: minutesAgo(60),
        reason: "not-enrolled",
      });
      await one.noteLastRequests([{ ...owners, at: minutesAgo(9) }, owners, eves, early, aLastRequest({ id: other })]);
      assert.deepEqual(await another.lastRequests([phone]), [eves, owners, early]);
      await another.noteLastRequests([{ ...owners, command: "Ping", at: minutesAgo(1) }]);
      assert.deepEqual(
        (await one.lastRequests([phone])).map(({ command }) => command),
        ["Ping", "Sync", "Sync"],
      );
      assert.deepEqual(await all(one.strangers()), [early]);
      const again = { ...early, at: minutesAgo(30) };
      await another.noteLastRequests([again]);
      await another.noteLastRequests([{ ...early, at: minutesAgo(45) }]);
      assert.deepEqual(await all(one.strangers()), [{ ...again, firstAt: early.at }]);

      const long = "x".repeat(500);
      await one.noteLastRequests([{ ...owners, program: long, deviceType: long }]);
      assert.deepEqual(
        (await one.lastRequests([phone])).find(({ whose }) => whose === "owner")?.program,
        long.slice(0, 120),
      );
      await one.forget(phone);
      assert.deepEqual(await one.lastRequests([phone]), [{ ...again, firstAt: early.at }]);
      await one.noteLastRequests([]);
    });

    test("ids without a record have a few places for each person, the newest, and for so long", async (t) => {
      let time = new Date("2026-11-20T12:00:00Z");
      const store = await (await newPlace(t)).open({ now: () => time });
      const strange = (id: string, person: string, minute: number): LastRequest =>
        aLastRequest({
          id: deviceId(id),
          whose: "stranger",
          account: person,
          at: new Date(time.getTime() + minute * 60_000),
        });
      await store.noteLastRequests([strange("ALICES", "alice", 0)]);
      const eves = Array.from({ length: STRANGERS_OF_ONE_LIMIT + 1 }, (_, index) =>
        strange(`E${index}`, "eve (1)", index),
      );
      await store.noteLastRequests(eves.slice(0, -1));
      assert.equal((await all(store.strangers())).length, STRANGERS_OF_ONE_LIMIT + 1);
      await store.noteLastRequests(eves.slice(-1));
      await store.noteLastRequests([strange("E5", "eve (1)", 30)]);
      const told = (await all(store.strangers())).map(({ id, account: person }) => `${id} ${person}`).toSorted();
      assert.deepEqual(told, ["ALICES alice", ...eves.slice(1).map(({ id }) => `${id} eve (1)`)].toSorted());
      time = new Date("2026-12-20T12:00:00Z");
      assert.equal((await all(store.strangers())).length, STRANGERS_OF_ONE_LIMIT + 1);
      time = new Date("2026-12-20T12:20:00Z");
      assert.deepEqual(
        (await all(store.strangers())).map(({ id }) => String(id)),
        ["E5"],
      );
    });

    test("of too many people with strange ids those are forgotten who were here longest ago", async (t) => {
      const store = await (await newPlace(t)).open();
      const at = Date.now();
      const strange = (index: number): LastRequest =>
        aLastRequest({
          id: deviceId(`S${index}`),
          whose: "stranger",
          account: `person${index}`,
          at: new Date(at + index),
        });
      const count = async (): Promise<number> => new Set((await all(store.strangers())).map(({ id }) => id)).size;
      for (let first = 0; first < STRANGE_PEOPLE_LIMIT; first += 1_000)
        await store.noteLastRequests(Array.from({ length: 1_000 }, (_, index) => strange(first + index)));
      assert.equal(await count(), STRANGE_PEOPLE_LIMIT);
      await store.noteLastRequests([strange(STRANGE_PEOPLE_LIMIT)]);
      assert.equal(await count(), STRANGE_PEOPLE_LIMIT * 0.9);
      const ids = new Set((await all(store.strangers())).map(({ id }) => String(id)));
      assert.deepEqual(
        [ids.has("S0"), ids.has("S1000"), ids.has("S1001"), ids.has("S10000")],
        [false, false, true, true],
      );
    });

    test("phones that were at the gate are told with the newest time, and forgotten after some hours", async (t) => {
      let time = new Date("2026-11-20T12:00:00Z");
      const place = await newPlace(t);
      const [one, another] = [await place.open({ now: () => time }), await place.open({ now: () => time })];
      const seen = async (since: Date): Promise<unknown> =>
        (await all(another.sightings(since)))
          .map(({ id, account, at }) => `${id} ${account} ${at.toISOString().slice(11, 16)}`)
          .toSorted();
      const minutesAgo = (minutes: number): Date => new Date(time.getTime() - minutes * 60_000);
      assert.deepEqual(await seen(minutesAgo(60)), []);
      await one.noteSightings([]);
      await one.noteSightings([
        { id: phone, account, at: minutesAgo(70) },
        { id: phone, account: "bob with a space", at: minutesAgo(50) },
        { id: other, account: "", at: minutesAgo(5) },
      ]);
      await another.noteSightings([{ id: other, account: "", at: minutesAgo(6) }]);
      assert.deepEqual(await seen(minutesAgo(60)), ["ABC123 bob with a space 11:10", "OTHER9  11:55"]);
      assert.equal((await all(another.sightings(minutesAgo(80)))).length, 3);
      time = new Date("2026-11-20T13:00:00Z");
      await one.noteSightings([{ id: hexSpelling, account, at: time }]);
      assert.equal((await all(another.sightings(new Date(0)))).length, 3);
      time = new Date("2026-11-20T20:00:00Z");
      await one.noteSightings([{ id: hexSpelling, account, at: time }]);
      assert.deepEqual(await seen(new Date(0)), ["414243313233 alice@corp.example 20:00"]);
    });

    test("thousands of phones that were at the gate are told, each of them", async (t) => {
      const store = await (await newPlace(t)).open();
      const at = new Date();
      const ids = Array.from({ length: 2_500 }, (_, index) => deviceId(`S${index}`));
      await store.noteSightings(ids.map((id) => ({ id, account, at })));
      const told = await all(store.sightings(new Date(at.getTime() - 1)));
      assert.deepEqual([...new Set(told.map(({ id }) => id))].toSorted(), ids.toSorted());
    });

    test("what two nodes count is one count: each phone once, each decision", async (t) => {
      const place = await newPlace(t);
      const [one, another] = [await place.open(), await place.open()];
      assert.deepEqual(await one.readTallies(["cut"]), [{ subjects: 0, decisions: 0 }]);
      await Promise.all([
        one.addToTallies([
          { name: "cut", subjects: ["A", "B"], decisions: 5 },
          { name: "clean", subjects: [], decisions: 1 },
        ]),
        another.addToTallies([{ name: "cut", subjects: ["B", "C"], decisions: 2 }]),
      ]);
      await one.addToTallies([]);
      await one.addToTallies([{ name: "cut", subjects: ["A"], decisions: 1 }]);
      assert.deepEqual(await another.readTallies(["clean", "cut", "never"]), [
        { subjects: 0, decisions: 1 },
        { subjects: 3, decisions: 8 },
        { subjects: 0, decisions: 0 },
      ]);
      assert.deepEqual(await another.readTallies([]), []);
    });

    test("thousands of phones are counted within two in a hundred", async (t) => {
      const store = await (await newPlace(t)).open();
      for (let first = 0; first < 5_000; first += 1_000) {
        const subjects = Array.from({ length: 1_500 }, (_, index) => `PHONE${first + index}`);
        await store.addToTallies([{ name: "cut", subjects, decisions: 1_500 }]);
      }
      const [tally] = await store.readTallies(["cut"]);
      assert.equal(tally?.decisions, 7_500);
      assert.ok(Math.abs((tally?.subjects ?? 0) - 5_500) <= 110, `${tally?.subjects}`);
    });

    test("the last preview of a campaign is kept for every node", async (t) => {
      const place = await newPlace(t);
      const [one, another] = [await place.open(), await place.open()];
      assert.equal(await another.readPreview("tiktok"), undefined);
      await one.keepPreview("tiktok", "{}");
      await one.keepPreview("tiktok", '{"title":"ünï"}');
      await one.keepPreview("update", "[]");
      assert.equal(await another.readPreview("tiktok"), '{"title":"ünï"}');
      await assert.rejects(one.keepPreview("tiktok", "ü".repeat(PREVIEW_LIMIT_BYTES / 2 + 1)), RangeError);
    });

    test("who reads every record is told how far it has come, to the end", async (t) => {
      const store = await (await newPlace(t)).open();
      for (let index = 0; index < 1_500; index++) {
        await store.writeFields(deviceId(`${index.toString(36)}X`), fields({ owner: "a" }));
      }
      const shares: number[] = [];
      await all(store.records((share) => shares.push(share)));
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => a - b),
      );
      assert.equal(shares.at(-1), 1);
      assert.ok(shares.length >= 2);
    });

    test("a letter is claimed once, whoever asks, and its end is kept", async (t) => {
      const place = await newPlace(t);
      const [one, otherNode] = [await place.open(), await place.open()];
      const key = { campaign: "tiktok", run: 3, device: phone, kind: "reminder", number: 2, attempt: 1 } as const;
      const at = new Date("2026-11-20T12:00:00Z");
      const alice = { to: "alice@corp.example", person: "alice" };
      const claims = await Promise.all([
        one.claimLetter(key, at, alice),
        otherNode.claimLetter(key, at, alice),
        one.claimLetter(key, at, alice),
      ]);
      assert.equal(claims.filter(Boolean).length, 1);
      assert.deepEqual(await all(otherNode.letters("tiktok", 3)), [
        { ...key, ...alice, state: "claimed", at, detail: "" },
      ]);
      await one.settleLetter({ ...key, ...alice, state: "refused", at, detail: "550 nobody here" });
      assert.deepEqual(await all(otherNode.letters("tiktok", 3)), [
        { ...key, ...alice, state: "refused", at, detail: "550 nobody here" },
      ]);
      assert.equal(await otherNode.claimLetter(key, at, alice), false);
      assert.equal(await otherNode.claimLetter({ ...key, number: 1 }, at, alice), true);
      assert.equal(await otherNode.claimLetter({ ...key, run: 4 }, at, alice), true);
      assert.equal(await otherNode.claimLetter({ ...key, attempt: 2 }, at, alice), true);
      assert.deepEqual(await all(one.letters("another", 3)), []);
    });

    test("a letter that comes back is known by its envelope, and stays one that came back", async (t) => {
      const place = await newPlace(t);
      const [one, otherNode] = [await place.open(), await place.open()];
      const key = { campaign: "tiktok", run: 3, device: phone, kind: "announcement", number: 0, attempt: 2 } as const;
      const [at, later] = [new Date("2026-11-20T12:00:00Z"), new Date("2026-11-20T13:00:00Z")];
      const alice = { to: "alice@corp.example", person: "alice" };
      const envelope = { campaign: "tiktok", run: 3, secret: "0123456789abcdef01234567" };
      assert.equal(await one.bounceLetter(envelope, later, "550 nobody"), undefined, "there is no such envelope");
      await one.claimLetter(key, at, alice);
      await one.noteEnvelope(envelope, key);
      const bounced = { ...key, ...alice, state: "bounced", at: later, detail: "550 nobody" } as const;
      assert.deepEqual(await otherNode.bounceLetter(envelope, later, "550 nobody"), bounced);
      // The sender was slower: it says only now that the letter has gone.
      await one.settleLetter({ ...key, ...alice, state: "sent", at, detail: "" });
      assert.deepEqual(await all(one.letters("tiktok", 3)), [bounced]);
      assert.deepEqual(await one.bounceLetter(envelope, new Date(0), "another"), bounced, "the first time counts");
      for (const other of [
        { ...envelope, run: 4 },
        { ...envelope, campaign: "tik" },
        { ...envelope, secret: "1".repeat(24) },
      ])
        assert.equal(await one.bounceLetter(other, later, "550"), undefined);
    });

    test("what the mail server has not taken cannot come back", async (t) => {
      const store = await (await newPlace(t)).open();
      const key = { campaign: "tiktok", run: 3, device: phone, kind: "announcement", number: 0, attempt: 1 } as const;
      const [at, detail] = [new Date("2026-11-20T12:00:00Z"), "451 later"];
      const postponed = { ...key, to: "alice@corp.example", person: "alice", state: "postponed", at, detail } as const;
      const envelope = { campaign: "tiktok", run: 3, secret: "0123456789abcdef01234567" };
      await store.settleLetter(postponed);
      await store.noteEnvelope(envelope, key);
      assert.deepEqual(await store.bounceLetter(envelope, at, "550 nobody"), postponed);
      assert.deepEqual(await all(store.letters("tiktok", 3)), [postponed]);
    });

    test("thousands of letters of one run all come at least once", async (t) => {
      const store = await (await newPlace(t)).open();
      const at = new Date(0);
      const ids = Array.from({ length: 2_500 }, (_, index) => deviceId(`P${index}`));
      await Promise.all(
        ids.map((device) =>
          store.claimLetter({ campaign: "c", run: 0, device, kind: "announcement", number: 0, attempt: 1 }, at, {
            to: "a@corp.example",
            person: "a",
          }),
        ),
      );
      const seen = new Set((await all(store.letters("c", 0))).map(({ device }) => device));
      assert.equal(seen.size, ids.length);
    });

    test("a lease has one holder, who may keep it, until its time is over", async (t) => {
      const place = await newPlace(t);
      const [one, otherNode] = [await place.open(), await place.open()];
      assert.equal(await one.holdLease("work", "a", 60_000), true);
      assert.equal(await otherNode.holdLease("work", "b", 60_000), false);
      assert.equal(await otherNode.holdLease("another", "b", 60_000), true);
      assert.equal(await one.holdLease("work", "a", 50), true);
      await eventually(async () => assert.equal(await otherNode.holdLease("work", "b", 60_000), true), SECOND_MS);
      assert.equal(await one.holdLease("work", "a", 60_000), false);
    });

    test("a store that works says so, and says since when", async (t) => {
      const events: StoreEvent[] = [];
      const store = await (await newPlace(t)).open({ report: (event) => events.push(event) });
      assert.equal(store.health().state, "live");
      assert.ok(store.health().since.getTime() <= Date.now());
      assert.deepEqual(
        events.map((event) => event.kind === "health" && event.health.state),
        ["live"],
      );
    });

    test("a store that is closed is closed twice without harm, and answers nothing more", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(phone, fields({ owner: "alice" }));
      await store.facts([phone], account);
      await store.close();
      await store.close();
      assert.notEqual(store.health().state, "live");
      await assert.rejects(store.facts([phone], account), StoreUnavailable);
      await assert.rejects(store.writeFields(phone, fields({ owner: "bob" })), StoreUnavailable);
      await assert.rejects(all(store.list()), StoreUnavailable);
    });
  });

  function update(store: CachedStore, change: MailboxChange): Promise<void> {
    return store.updateMailbox({ device: phone, account }, change);
  }
}

function aVersion(version: number, who = "bob"): PolicyVersion {
  return {
    version,
    at: new Date("2026-11-20T12:00:00Z"),
    act: "apply",
    about: ["tiktok"],
    who,
    why: "the order of today",
    campaigns: [{ id: "tiktok", title: "T", require: [{ enrolled: true }] }],
    exemptions: [],
    runs: { tiktok: 1 },
  };
}

export function listen(store: CachedStore): StoreChange[] {
  const changes: StoreChange[] = [];
  store.onChange((change) => changes.push(change));
  return changes;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
