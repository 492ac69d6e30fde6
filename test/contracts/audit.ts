/** What every store promises about the audit trail. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { AUDIT_BATCH_LIMIT, AUDIT_PAGE_LIMIT } from "../../src/store/audit-log.ts";
import type { AuditStore } from "../../src/store/audit-log.ts";
import type { StorePlace } from "./store.ts";

async function linesOf(store: AuditStore): Promise<readonly (string | undefined)[]> {
  return (await store.auditAfter(undefined, AUDIT_PAGE_LIMIT)).map(({ line }) => line);
}

export function auditContract(title: string, newPlace: (t: TestContext) => Promise<StorePlace>): void {
  suite(title, () => {
    test("lines are taken with their mark, all or none, and read in both directions", async (t) => {
      const store = await (await newPlace(t)).open();
      assert.deepEqual(await store.auditMarks(), new Map());
      assert.deepEqual(await store.auditAfter(undefined, 10), []);
      const first = { mark: "head a", before: undefined, after: "2", lines: ["one", "two"] };
      assert.equal(await store.appendAudit(first), true);
      assert.equal(await store.appendAudit(first), false, "what is there already is not there twice");
      assert.equal(await store.appendAudit({ ...first, before: "1", after: "3", lines: ["lost"] }), false);
      const also = new Map([["trimmed a", "0"]]);
      assert.equal(await store.appendAudit({ ...first, before: "2", after: "3", also, lines: ["three"] }), true);
      assert.equal(await store.appendAudit({ ...first, mark: "head b", lines: ["four"] }), true);
      assert.deepEqual(
        await store.auditMarks(),
        new Map([
          ["head a", "3"],
          ["trimmed a", "0"],
          ["head b", "2"],
        ]),
      );
      assert.deepEqual(await linesOf(store), ["one", "two", "three", "four"]);
      const [newest, next] = await store.auditBefore(undefined, 2);
      assert.deepEqual([newest?.line, next?.line], ["four", "three"]);
      assert.deepEqual(
        (await store.auditBefore(next?.place, 10)).map(({ line }) => line),
        ["two", "one"],
      );
      assert.deepEqual(
        (await store.auditAfter(next?.place, 10)).map(({ line }) => line),
        ["four"],
      );
      assert.ok(Math.abs((newest?.storedAtMs ?? 0) - Date.now()) < 60_000);
    });

    test("what is removed is gone with everything before it, and never comes again", async (t) => {
      const store = await (await newPlace(t)).open();
      await store.appendAudit({ mark: "head a", before: undefined, after: "3", lines: ["one", "two", "three"] });
      const [, second, third] = await store.auditAfter(undefined, 10);
      await store.trimAudit(second?.place ?? "", { set: new Map([["trimmed a", "2"]]), remove: ["nothing"] });
      assert.deepEqual(await linesOf(store), ["three"]);
      assert.equal((await store.auditMarks()).get("trimmed a"), "2");
      await store.trimAudit(third?.place ?? "", { set: new Map(), remove: ["trimmed a"] });
      assert.deepEqual(await linesOf(store), []);
      assert.equal((await store.auditMarks()).has("trimmed a"), false);
      await store.appendAudit({ mark: "head a", before: "3", after: "4", lines: ["four"] });
      assert.deepEqual(
        (await store.auditAfter(third?.place, 10)).map(({ line }) => line),
        ["four"],
      );
    });

    test("of writers that write at once none is lost, and each one's lines keep their order", async (t) => {
      const place = await newPlace(t);
      const stores = [await place.open(), await place.open(), await place.open()];
      const write = async (store: AuditStore, name: string): Promise<void> => {
        for (let number = 0; number < 15; number += 1) {
          const before = number === 0 ? undefined : String(number);
          const lines = [`${name} ${number}`];
          assert.equal(
            await store.appendAudit({ mark: `head ${name}`, before, after: String(number + 1), lines }),
            true,
          );
        }
      };
      await Promise.all(stores.map((store, index) => write(store, `w${index}`)));
      const [store] = stores;
      assert.ok(store !== undefined);
      const found = await linesOf(store);
      assert.equal(found.length, 45);
      for (const name of ["w0", "w1", "w2"])
        assert.deepEqual(
          found.filter((line) => line?.startsWith(name)),
          Array.from({ length: 15 }, (_, number) => `${name} ${number}`),
        );
    });

    test(`at most ${AUDIT_BATCH_LIMIT} lines are taken, and ${AUDIT_PAGE_LIMIT} rows given, at once`, async (t) => {
      const store = await (await newPlace(t)).open();
      const append = (count: number, before: string | undefined) =>
        store.appendAudit({
          mark: "head a",
          before,
          after: String(count),
          lines: Array.from({ length: count }, (_, index) => String(index)),
        });
      assert.equal(await append(AUDIT_BATCH_LIMIT, undefined), true);
      await assert.rejects(append(AUDIT_BATCH_LIMIT + 1, String(AUDIT_BATCH_LIMIT)), RangeError);
      await assert.rejects(append(0, String(AUDIT_BATCH_LIMIT)), RangeError);
      assert.equal((await store.auditAfter(undefined, AUDIT_PAGE_LIMIT)).length, AUDIT_BATCH_LIMIT);
      for (const limit of [0, AUDIT_PAGE_LIMIT + 1]) {
        await assert.rejects(store.auditAfter(undefined, limit), RangeError);
        await assert.rejects(store.auditBefore(undefined, limit), RangeError);
      }
    });
  });
}
