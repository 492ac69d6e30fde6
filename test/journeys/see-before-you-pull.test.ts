/** A campaign that looks on, and one that hits too many: whole gates, with phones in front of them. */
import assert from "node:assert/strict";
import { hkdfSync, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createChain } from "../../src/audit/chain.ts";
import { auditOldestFirst } from "../../src/audit/listing.ts";
import { verifyAudit } from "../../src/audit/verify.ts";
import { applying, createLedger } from "../../src/campaign/ledger.ts";
import { GUARD_NAME } from "../../src/campaign/watch.ts";
import { openStore } from "../../src/store/open.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { eventually } from "../support/eventually.ts";
import { aGate, withTiktok } from "../support/gate.ts";
import type { Gate } from "../support/gate.ts";
import { ordinaryStances } from "../support/records.ts";
import { startRedis } from "../support/redis-server.ts";

const author = { who: "bob", why: "the order of today" };
const tiktok = {
  id: "tiktok",
  title: "TikTok is not permitted",
  require: [{ absent: { name: "TikTok", ios: ["com.zhiliaoapp.musically"] } }],
};
const subjects = (phone: Phone): string[] => phone.inbox().map(({ subject }) => subject);
const metrics = async ({ app }: Gate): Promise<string> => (await fetch(`${app.admin.url}/metrics`)).text();
/** The gates write what they note every two seconds. */
const SOON_MS = 20_000;

function aLogFile(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, "log");
}

function linesOf(file: string): ReadonlyMap<string, unknown>[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const parsed: unknown = JSON.parse(line);
      return new Map(Object.entries(typeof parsed === "object" && parsed !== null ? parsed : {}));
    });
}

suite("see before you pull", () => {
  test("a campaign that looks on lets mail flow, and is logged, counted and noted", async (t) => {
    const logFile = aLogFile(t);
    const gate = await aGate(t, { config: "", logFile });
    const ledger = createLedger({ store: gate.store, stances: ordinaryStances, now: () => new Date() });
    await ledger.commit(applying({ campaigns: [{ ...tiktok, mode: "shadow" }], exemptions: [] }), author);
    await gate.reports("PHONEA", withTiktok);
    const phone = gate.phone();
    await eventually(async () => {
      await phone.refresh();
      assert.match(
        await metrics(gate),
        /campaign_decisions_total\{campaign="tiktok",mode="shadow",effect="cut"\} [1-9]/,
      );
    }, SOON_MS);
    assert.equal(subjects(phone).length, 3);
    assert.doesNotMatch(await metrics(gate), /mode="enforce"/);

    await eventually(async () => {
      const [sighting] = await Array.fromAsync(gate.store.sightings(new Date(0)));
      assert.deepEqual([sighting?.id, sighting?.account], ["PHONEA", "alice"]);
    }, SOON_MS);
    const decision = linesOf(logFile).find(
      (line) => line.get("event") === "decision" && line.get("wouldBe") !== undefined,
    );
    assert.deepEqual(
      [decision?.get("verdict"), decision?.get("wouldBe"), decision?.get("wouldBeReason")],
      ["allow", "quarantine", "app-present"],
    );
  });

  test("a request that the mail server has not accepted is noted nowhere", async (t) => {
    const gate = await aGate(t);
    await gate.reports("PHONEA", withTiktok);
    await gate.phone({ deviceId: "PHONEA", password: "guessed" }).refresh();
    await gate.phone({ deviceId: "INVENTED", password: "guessed" }).refresh();
    const known = gate.phone({ deviceId: "KNOWN" });
    await known.refresh();
    await eventually(async () => {
      const sightings = await Array.fromAsync(gate.store.sightings(new Date(0)));
      assert.deepEqual(
        sightings.map(({ id }) => id),
        ["KNOWN"],
      );
    }, SOON_MS);
  });

  test("a campaign that two gates enforce on more phones than its guard allows pauses itself, and mail is back", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const prefix = `${randomUUID()}:`;
    const logFiles = [aLogFile(t), aLogFile(t)];
    const gates = await Promise.all(
      logFiles.map(async (logFile) =>
        aGate(t, {
          config: "",
          logFile,
          store: await openStore({ redis: { url: redis.url, prefix, timeoutMs: 5_000 } }),
        }),
      ),
    );
    const [one, another] = gates;
    assert.ok(one !== undefined && another !== undefined);
    const ids = ["PHONE1", "PHONE2", "PHONE3", "PHONE4"];
    for (const id of ids) await one.reports(id, withTiktok);
    const phones = ids.map((deviceId, index) => (index % 2 === 0 ? one : another).phone({ deviceId }));

    const ledger = createLedger({ store: one.store, stances: ordinaryStances, now: () => new Date() });
    await ledger.commit(applying({ campaigns: [{ ...tiktok, guard: { maxDevices: 3 } }], exemptions: [] }), author);
    await eventually(async () => {
      for (const phone of phones) await phone.refresh();
      assert.equal((await ledger.read()).policy.campaigns[0]?.mode, "paused");
    }, SOON_MS);
    const [pause] = await ledger.history(1);
    assert.equal(pause?.act, "pause");
    assert.ok(pause.who.startsWith(`${GUARD_NAME} `));
    await eventually(async () => {
      for (const phone of phones) {
        await phone.refresh();
        assert.equal(subjects(phone).length, 3);
      }
    }, SOON_MS);

    const shouts = logFiles.flatMap(linesOf).filter((line) => line.get("level") === "error");
    assert.deepEqual(
      shouts.map((line) => [line.get("event"), line.get("campaign"), line.get("cut"), line.get("limit")]),
      [["a campaign has paused itself: it cuts far more phones than foreseen", "tiktok", 4, 3]],
    );
    const told = (await Promise.all(gates.map(metrics))).join("\n");
    assert.equal(told.match(/^postern_guard_tripped_total\{campaign="tiktok"\} 1$/gm)?.length, 1);

    // Of two gates each change is in the audit trail once.
    const chain = createChain(new Uint8Array(hkdfSync("sha256", new Uint8Array(32).fill(7), "", "postern audit", 32)));
    await eventually(async () => {
      const lines = await Array.fromAsync(auditOldestFirst(one.store, chain, {}));
      const words = lines.map(({ entry: { kind, act, device } }) => [kind, act, device ?? ""].join(" ").trim());
      const verdicts = ids.flatMap((id) => [`verdict allow ${id}`, `verdict quarantine ${id}`]);
      assert.deepEqual(words.toSorted(), ["guard-tripped pause", ...verdicts].toSorted());
      const tripped = lines.find(({ entry }) => entry.kind === "guard-tripped")?.entry;
      assert.deepEqual(
        [tripped?.actor, tripped?.version, tripped?.after],
        [pause.who, pause.version, { cut: "4", limit: "3" }],
      );
    }, SOON_MS);
    const { breaks, writers } = await verifyAudit({ store: one.store, journal: undefined, chain });
    assert.deepEqual([breaks, writers], [[], 2]);
  });
});
