/** Threads that look at phones: the figures are those of one who looks alone, or there are none. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { previewPolicy } from "../../src/campaign/preview.ts";
import type { PreviewCrew, PreviewOptions } from "../../src/campaign/preview.ts";
import { createBatchLook, receiveQuestion, sendQuestion } from "../../src/campaign/preview-batch.ts";
import type { PreviewBatch } from "../../src/campaign/preview-batch.ts";
import { createPreviewCrew } from "../../src/cli/preview-crew.ts";
import { CommandFailed } from "../../src/cli/exit.ts";
import { ownerLocal } from "../../src/policy/moment.ts";
import { openStore } from "../../src/store/open.ts";
import type { StoreOptions } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { aCampaign, aPolicy, aWave, deviceId, ordinaryStances } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";

const now = new Date("2026-11-20T12:00:00Z");
const before = (hours: number): string => new Date(now.getTime() - hours * 3_600_000).toISOString();

/** More than two threads have at once, and with more words of each kind than are told apart. */
const PHONES = 1_500;

function fieldsOf(index: number): ReadonlyMap<string, string> {
  return new Map([
    ["owner", `person${index}@corp.example`],
    ["region", ["US", "EU", `R${index % 400}`][index % 3] ?? ""],
    ["groups", JSON.stringify([`group ${index % 600}`, "everybody"])],
    ["timezone", ["Europe/Berlin", "Asia/Tokyo", "nonsense"][index % 3] ?? ""],
    ["platform", index % 4 === 0 ? "android" : "ios"],
    ["osVersion", `26.${index % 5}`],
    ["appsScope", index % 7 === 0 ? "work-profile" : "all"],
    ["apps", index % 5 === 0 ? '["com.zhiliaoapp.musically"]' : index % 11 === 0 ? "[broken" : '["com.example.notes"]'],
    ["appsAt", before(index % 300)],
    ["enrolledAt", before(index % 40)],
  ]);
}

const waves = [
  aWave({ audience: { regions: ["US"] }, deadline: new Date(now.getTime() + 36_000_000) }),
  { ...aWave({ audience: { share: 0.7 } }), deadline: ownerLocal("2026-11-21T23:59", "UTC") },
] as const;
const tiktok = {
  ...aCampaign({ stances: { ...ordinaryStances, stale: "warn", uninspectable: "quarantine" } }),
  waves,
  graceHours: 48,
};
const other = aCampaign({ id: "other", mode: "shadow" });
const question: Omit<PreviewOptions, "store"> = {
  before: aPolicy({ campaigns: [] }),
  after: aPolicy({ campaigns: [tiktok, other] }),
  about: ["other", "tiktok"],
  now,
  important: ["person7", "group 9"],
};

async function filled(t: TestContext, options: StoreOptions): Promise<Store> {
  const store = await openStore(options, { now: () => now });
  t.after(() => store.close());
  const ids = Array.from({ length: PHONES }, (_, index) => deviceId(`P${String(index).padStart(5, "0")}`));
  for (let first = 0; first < PHONES; first += 100)
    await Promise.all(
      ids
        .slice(first, first + 100)
        .map((id, index) => store.writeFields(id, { set: fieldsOf(first + index), remove: [] })),
    );
  await store.noteSightings([
    ...ids.filter((_, index) => index % 9 === 0).map((id) => ({ id, account: "somebody", at: now })),
    { id: deviceId("STRANGER"), account: "eve", at: now },
  ]);
  return store;
}

function newFile(t: TestContext): StoreOptions {
  const folder = mkdtempSync(path.join(tmpdir(), "postern-crew-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { embedded: { path: path.join(folder, "postern.db") } };
}

async function sameFiguresWithThreads(t: TestContext, options: StoreOptions): Promise<void> {
  const store = await filled(t, options);
  const alone = await previewPolicy({ ...question, store });
  assert.equal(alone[1]?.records, PHONES);
  assert.ok(alone[1].cut > 0 && alone[1].graced > 0 && alone[1].important.length > 0 && alone[1].traffic.cut > 0);
  for (const [workers, firstBatchesHere] of [
    [1, 0],
    [2, 0],
    [2, 3],
  ] as const) {
    const crew = createPreviewCrew({ store, storeOptions: options, workers, firstBatchesHere });
    const shares: number[] = [];
    const together = await previewPolicy({ ...question, store, crew, onProgress: (share) => shares.push(share) });
    crew?.end();
    assert.deepEqual(together, alone);
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    );
  }
}

suite("threads that look at phones", () => {
  test("have the figures of one who looks alone, from a file", async (t) => {
    await sameFiguresWithThreads(t, newFile(t));
  });

  test("have the figures of one who looks alone, from Redis, whose order of names is the same for both", async (t) => {
    const server = await startRedis();
    t.after(() => server.stop());
    await sameFiguresWithThreads(t, { redis: { url: server.url } });
  });

  test("end the preview with a reason where one of them ends, rather than with fewer phones", async (t) => {
    const options = newFile(t);
    const store = await filled(t, options);
    // A file that none of them can open, though the one who lists the phones can.
    const crew = createPreviewCrew({
      store,
      storeOptions: { embedded: { path: path.join(tmpdir(), "postern-crew", "\0") } },
      workers: 2,
      firstBatchesHere: 1,
    });
    t.after(() => crew?.end());
    await assert.rejects(previewPolicy({ ...question, store, crew }), (error) => {
      assert.ok(error instanceof CommandFailed);
      assert.match(
        error.message,
        /a thread that looked at devices has ended before its work was done: the file of the/,
      );
      return true;
    });
  });

  test("end the preview where they are ended from outside", async (t) => {
    const options = newFile(t);
    const store = await filled(t, options);
    const crew = createPreviewCrew({ store, storeOptions: options, workers: 2, firstBatchesHere: 0 });
    assert.ok(crew !== undefined);
    await assert.rejects(
      previewPolicy({ ...question, store, crew, onProgress: () => crew.end() }),
      /has ended before its work was done/,
    );
  });

  test("are not started for a store that only one thread can see", () => {
    const store = { readRecords: async () => [] };
    assert.equal(createPreviewCrew({ store, storeOptions: { embedded: { path: ":memory:" } }, workers: 2 }), undefined);
  });
});

suite("a crew", () => {
  test("that finds a record gone leaves its phone to those that no source knows", async (t) => {
    const store = await filled(t, newFile(t));
    const lookAt = createBatchLook(receiveQuestion(structuredClone(sendQuestion(question))));
    const gone = deviceId("P00000");
    const crew: PreviewCrew = {
      batchesAtOnce: 2,
      look: async (_, batch: PreviewBatch) =>
        lookAt(
          batch,
          (await store.readRecords(batch.ids)).filter(({ id }) => id !== gone),
        ),
    };
    const [withIt] = await previewPolicy({ ...question, store });
    const [without] = await previewPolicy({ ...question, store, crew });
    assert.equal(without?.records, PHONES - 1);
    assert.deepEqual([withIt?.traffic.strangers, without?.traffic.strangers], [1, 2]);
    assert.equal(without?.traffic.seen, withIt?.traffic.seen);
  });
});
