/** What every store promises about documents, about acts on several keys, and about what is built on them. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import { RECHECK_GAP_MS, RECHECK_TTL_MS } from "../../src/inventory/recheck.ts";
import { DOCUMENT_NAME_LIMIT } from "../../src/store/documents.ts";
import type { DocumentKey, FieldsKey } from "../../src/store/documents.ts";
import { lead, LeadershipLost, resign, transactAsLeader } from "../../src/store/leadership.ts";
import type { Store, StoreChange } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { deviceId } from "../support/records.ts";
import { fields } from "./store.ts";
import type { StorePlace } from "./store.ts";

const SECOND_MS = 1_500;
const phone = deviceId("ABC123");
const other = deviceId("OTHER9");
const managed: DocumentKey = { kind: "managed", name: "jamf 17" };

const put = (store: Store, key: FieldsKey, values: Record<string, string>, ttlMs?: number): Promise<void> =>
  store.transact([key], () => ({
    changes: [{ key, set: new Map(Object.entries(values)), ttlMs }],
    result: undefined,
  }));

async function namesOf(store: Store, beginning: string): Promise<string[]> {
  const names = new Set<string>();
  for await (const [name] of store.documents("managed", beginning)) names.add(name);
  return [...names].toSorted();
}

export function documentsContract(title: string, newPlace: (t: TestContext) => Promise<StorePlace>): void {
  suite(title, () => {
    test("a document is what was set, without what was removed, and gone with its last field", async (t) => {
      const store = await (await newPlace(t)).open();
      assert.deepEqual(await store.readDocuments([managed]), [undefined]);
      await put(store, managed, { a: "1", b: "2" });
      await store.transact([managed], () => ({
        changes: [{ key: managed, set: new Map([["c", "3"]]), remove: ["a"] }],
        result: undefined,
      }));
      assert.deepEqual(await store.readDocuments([managed]), [
        new Map([
          ["b", "2"],
          ["c", "3"],
        ]),
      ]);
      await store.transact([managed], () => ({ changes: [{ key: managed, remove: ["b", "c"] }], result: undefined }));
      assert.deepEqual(await store.readDocuments([managed]), [undefined]);
    });

    test("everything of a document may be replaced in one change", async (t) => {
      const store = await (await newPlace(t)).open();
      await put(store, managed, { a: "1", b: "2" });
      await store.transact([managed], () => ({
        changes: [{ key: managed, set: new Map([["b", "9"]]), remove: "everything" }],
        result: undefined,
      }));
      assert.deepEqual(await store.readDocuments([managed]), [new Map([["b", "9"]])]);
    });

    test("names are any text, and are found by how they begin", async (t) => {
      const store = await (await newPlace(t)).open();
      const names = ["jamf 1", "jamf 2*[x]?", "jamf é\n:%3A", "intune 1"];
      for (const name of names) await put(store, { kind: "managed", name }, { name });
      assert.deepEqual(await namesOf(store, "jamf "), names.slice(0, 3).toSorted());
      assert.deepEqual(await namesOf(store, "jamf 2*["), ["jamf 2*[x]?"]);
      assert.deepEqual(await namesOf(store, ""), names.toSorted());
      assert.deepEqual(await namesOf(store, "*"), []);
    });

    test("more documents than one page has are all found", async (t) => {
      const store = await (await newPlace(t)).open();
      const names = Array.from({ length: 450 }, (_, index) => `s ${String(index).padStart(4, "0")}`);
      await Promise.all(names.map((name) => put(store, { kind: "managed", name }, { name })));
      assert.deepEqual(await namesOf(store, "s "), names);
    });

    test(`a name has 1 to ${DOCUMENT_NAME_LIMIT} characters`, async (t) => {
      const store = await (await newPlace(t)).open();
      await put(store, { kind: "managed", name: "x".repeat(DOCUMENT_NAME_LIMIT) }, { a: "1" });
      for (const name of ["", "x".repeat(DOCUMENT_NAME_LIMIT + 1)]) {
        await assert.rejects(put(store, { kind: "managed", name }, { a: "1" }), RangeError);
        await assert.rejects(store.readDocuments([{ kind: "managed", name }]), RangeError);
      }
    });

    test("an act sees what stands there, and changes documents, records and aliases together", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.writeFields(phone, fields({ owner: "alice", groups: "sales" }));
      const keys: FieldsKey[] = [managed, { kind: "device", id: phone }, { kind: "alias", id: other }];
      const seen = await store.transact(keys, (stored) => ({
        changes: [
          { key: managed, set: new Map([["model", "iPhone"]]) },
          { key: { kind: "device", id: phone }, set: new Map([["owner", "bob"]]) },
          { key: { kind: "alias", id: other }, set: new Map([["id", phone]]) },
        ],
        result: stored,
      }));
      assert.deepEqual(seen, [
        undefined,
        new Map([
          ["owner", "alice"],
          ["groups", "sales"],
        ]),
        undefined,
      ]);
      const { record, id } = await store.facts([other], "");
      assert.equal(id, phone);
      assert.equal(record?.owner, "bob");
      assert.deepEqual(record?.groups, ["sales"]);
      await store.transact(keys, ([, , alias]) => ({
        changes: [
          { key: { kind: "device", id: phone }, remove: "everything" },
          { key: { kind: "alias", id: other }, remove: "everything" },
        ],
        result: assert.deepEqual(alias, new Map([["id", phone]])),
      }));
      assert.equal((await store.facts([other], "")).id, other);
      assert.equal((await store.facts([phone], "")).record, undefined);
    });

    test("what an act changed counts at once here, and within a second on another node", async (t) => {
      const place = await newPlace(t);
      const [here, there] = [await place.open(), await place.open()];
      for (const store of [here, there]) assert.equal((await store.facts([phone], "")).record, undefined);
      await put(here, { kind: "device", id: phone }, { owner: "alice" });
      assert.equal((await here.facts([phone], "")).record?.owner, "alice");
      await eventually(async () => assert.equal((await there.facts([phone], "")).record?.owner, "alice"), SECOND_MS);
    });

    test("of acts on the same document at the same time none is lost", async (t) => {
      const place = await newPlace(t);
      const nodes = [await place.open(), await place.open(), await place.open()];
      const addOne = (store: Store): Promise<number> =>
        store.transact([managed], ([found]) => {
          const count = Number(found?.get("count") ?? 0) + 1;
          return { changes: [{ key: managed, set: new Map([["count", String(count)]]) }], result: count };
        });
      const counts = await Promise.all(nodes.flatMap((store) => Array.from({ length: 20 }, () => addOne(store))));
      assert.deepEqual(
        counts.toSorted((a, b) => a - b),
        Array.from({ length: 60 }, (_, index) => index + 1),
      );
    });

    test("what an act throws ends it, and nothing is changed", async (t) => {
      const store = await (await newPlace(t)).open();
      const refusal = new Error("no");
      await assert.rejects(
        store.transact([managed], () => {
          throw refusal;
        }),
        (error) => error === refusal,
      );
      await put(store, managed, { a: "1" });
      assert.deepEqual(await store.readDocuments([managed]), [new Map([["a", "1"]])]);
    });

    test("an act may change only what it has named", async (t) => {
      const store = await (await newPlace(t)).open();
      const stranger = { kind: "device", id: phone } as const;
      await assert.rejects(
        store.transact([managed], () => ({
          changes: [
            { key: managed, set: new Map([["a", "1"]]) },
            { key: stranger, set: new Map([["owner", "eve"]]) },
          ],
          result: undefined,
        })),
        RangeError,
      );
      assert.deepEqual(await store.readDocuments([managed, stranger]), [undefined, undefined]);
    });

    test("a document with a life is gone when that is over, and a change gives it another", async (t) => {
      const store = await (await newPlace(t)).open();
      await put(store, managed, { a: "1" }, 60);
      const [found] = await store.readDocuments([managed]);
      assert.equal(found?.get("a"), "1");
      await eventually(async () => assert.deepEqual(await store.readDocuments([managed]), [undefined]), SECOND_MS);
      // What was there before its end does not come back.
      await put(store, managed, { b: "2" });
      assert.deepEqual(await store.readDocuments([managed]), [new Map([["b", "2"]])]);
      assert.deepEqual(await namesOf(store, ""), [managed.name]);
    });

    test("only documents that somebody waits for are told of, on every node", async (t) => {
      const place = await newPlace(t);
      const [here, there] = [await place.open(), await place.open()];
      const told: Record<"here" | "there", StoreChange[]> = { here: [], there: [] };
      here.onChange((change) => told.here.push(change));
      there.onChange((change) => told.there.push(change));
      await put(here, managed, { a: "1" });
      await put(here, { kind: "recheck", name: "ABC é" }, { a: "1" });
      const expected = { kind: "document", of: "recheck", name: "ABC é" };
      for (const changes of [told.here, told.there]) {
        await eventually(
          () =>
            assert.deepEqual(
              changes.find(({ kind }) => kind === "document"),
              expected,
            ),
          SECOND_MS,
        );
        assert.ok(changes.every((change) => change.kind !== "document" || change.of === "recheck"));
      }
    });

    test("one node leads at a time, and each new leader has a higher fence", async (t) => {
      const place = await newPlace(t);
      const [one, two] = [await place.open(), await place.open()];
      let at = Date.parse("2026-11-28T12:00:00Z");
      const now = (): Date => new Date(at);
      assert.deepEqual(await lead(one, "sync", "a", 10_000, now), { fence: 1, until: new Date(at + 10_000) });
      assert.equal(await lead(two, "sync", "b", 10_000, now), undefined);
      at += 5_000;
      assert.equal((await lead(one, "sync", "a", 10_000, now))?.fence, 1);
      at += 9_999;
      assert.equal(await lead(two, "sync", "b", 10_000, now), undefined);
      at += 1;
      assert.equal((await lead(two, "sync", "b", 10_000, now))?.fence, 2);
      assert.equal(await lead(one, "sync", "a", 10_000, now), undefined);
      // Whoever resigns makes room at once; whoever has lost the lead cannot take it from its successor.
      await resign(one, "sync", 1);
      assert.equal(await lead(one, "sync", "a", 10_000, now), undefined);
      await resign(two, "sync", 2);
      assert.equal((await lead(one, "sync", "a", 10_000, now))?.fence, 3);
    });

    test("a leader that slept through its term writes nothing after the next has begun", async (t) => {
      const place = await newPlace(t);
      const [one, two] = [await place.open(), await place.open()];
      let at = Date.parse("2026-11-28T12:00:00Z");
      const now = (): Date => new Date(at);
      const write = (store: Store, fence: number): Promise<void> =>
        transactAsLeader(store, { name: "sync", fence }, [managed], () => ({
          changes: [{ key: managed, set: new Map([["by", String(fence)]]) }],
          result: undefined,
        }));
      await lead(one, "sync", "a", 10_000, now);
      await write(one, 1);
      at += 10_000;
      await lead(two, "sync", "b", 10_000, now);
      await assert.rejects(write(one, 1), LeadershipLost);
      await write(two, 2);
      assert.equal((await two.readDocuments([managed]))[0]?.get("by"), "2");
    });

    test("of two who ask for one phone at once, one has asked, and the other hears of it", async (t) => {
      const place = await newPlace(t);
      const pages = [await place.open(), await place.open()].map((store) => createRechecks(store));
      const at = new Date("2026-11-28T12:00:00Z");
      const answers = await Promise.all(pages.map((page) => page.ask(phone, "page", at)));
      assert.deepEqual(answers.map(({ kind }) => kind).toSorted(), ["asked", "under-way"]);
      assert.deepEqual(new Set(answers.map(({ recheck }) => recheck.number)), new Set([1]));
    });

    test("a recheck goes step by step, on whichever node, and its end is its end", async (t) => {
      const place = await newPlace(t);
      const [page, sync] = [createRechecks(await place.open()), createRechecks(await place.open())];
      const heard: unknown[] = [];
      page.onChange((device) => heard.push(device));
      const at = new Date("2026-11-28T12:00:00Z");
      const later = (ms: number): Date => new Date(at.getTime() + ms);
      await sync.ask(phone, "page", at);
      assert.equal(await sync.advance(phone, 1, { step: "sent", at: later(100), source: "jamf" }), true);
      assert.equal(await page.advance(phone, 1, { step: "sent", at: later(900) }), false);
      assert.equal(await page.advance(phone, 2, { step: "answered", at: later(900) }), false);
      assert.equal(await page.advance(phone, 1, { step: "answered", at: later(2_000) }), true);
      await eventually(() => assert.ok(heard.includes(phone)), SECOND_MS);
      const open: unknown[] = [];
      for await (const each of sync.open(later(2_000))) open.push(each.device);
      assert.deepEqual(open, [phone]);
      assert.equal(await sync.advance(phone, 1, { end: "still-there", at: later(2_010) }), true);
      assert.equal(await sync.advance(phone, 1, { step: "clear", at: later(2_020) }), false);
      const recheck = await page.read(phone);
      assert.deepEqual(recheck?.steps, { asked: at, sent: later(100), answered: later(2_000) });
      assert.equal(recheck?.end, "still-there");
      assert.deepEqual(recheck?.endedAt, later(2_010));
      assert.equal(recheck?.source, "jamf");
      for await (const each of sync.open(later(2_100))) assert.fail(`${each.device} is over`);
    });

    test("another may be asked for a minute after the last, whether that has ended or not answered", async (t) => {
      const rechecks = createRechecks(await (await newPlace(t)).open());
      const at = new Date("2026-11-28T12:00:00Z");
      const later = (ms: number): Date => new Date(at.getTime() + ms);
      await rechecks.ask(phone, "page", at);
      assert.equal((await rechecks.ask(phone, "page", later(RECHECK_TTL_MS - 1))).kind, "under-way");
      const second = await rechecks.ask(phone, "page", later(RECHECK_TTL_MS));
      assert.deepEqual([second.kind, second.recheck.number], ["asked", 2]);
      const from = later(RECHECK_TTL_MS + RECHECK_GAP_MS);
      await rechecks.advance(phone, 2, { end: "busy", at: later(RECHECK_TTL_MS + 10) });
      const early = await rechecks.ask(phone, "page", new Date(from.getTime() - 1));
      assert.deepEqual(early.kind === "too-soon" && early.from, from);
      assert.equal((await rechecks.ask(phone, "page", from)).kind, "asked");
      // A clock that was set back locks nobody out.
      await rechecks.advance(phone, 3, { end: "busy", at: from });
      assert.equal((await rechecks.ask(phone, "page", at)).kind, "asked");
    });
  });
}
