/** Reports may come twice and in any order: what is known in the end is the same. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { openStore } from "../../src/store/open.ts";
import type { InventoryReport, ReportedApps } from "../../src/inventory/report.ts";
import { anIntake, apps, at, inventoryNow, ruleIds } from "../support/inventory.ts";
import { deviceId } from "../support/records.ts";

const ids = ["APPLA", "APPLB", "APPLC"].map(deviceId);
const devices = [
  { source: "jamf", sourceDeviceId: "1" },
  { source: "jamf", sourceDeviceId: "2" },
  { source: "intune", sourceDeviceId: "1" },
] as const;

interface Event {
  readonly device: number;
  /** Minutes; the device says one thing at one time, in as many reports as it likes. */
  readonly time: number;
  readonly speaks: readonly Part[];
}

const parts = ["ids", "owner", "os", "apps", "verdict", "enrolledAt", "model"] as const;
type Part = (typeof parts)[number];

const event: fc.Arbitrary<Event> = fc.record({
  device: fc.nat({ max: devices.length - 1 }),
  time: fc.integer({ min: -9, max: -1 }),
  speaks: fc.subarray([...parts]),
});

/** What a device says at a time: chosen once for each, so that there is one truth. */
function choose<T>(seed: number, { device, time }: Event, part: string, from: readonly [T, ...T[]]): T {
  let hash = seed;
  for (const letter of `${device} ${time} ${part}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  return from[(hash >>> 8) % from.length] ?? from[0];
}

function reportOf(seed: number, said: Event): InventoryReport {
  const { device, time, speaks } = said;
  const from = <T>(part: string, ...values: [T, ...T[]]): T => choose(seed, said, part, values);
  const lists: [ReportedApps, ...ReportedApps[]] = [
    apps([...ruleIds, "a.b"], at(time)),
    apps(["a.b"], at(time)),
    apps([], at(time)),
    apps([], at(time), { scope: "asked-only", asked: ruleIds }),
    apps(ruleIds, at(time), { scope: "asked-only", asked: [...ruleIds, "c.d"] }),
    apps([], at(time), { scope: "asked-only", asked: ["c.d"] }),
    apps(["e.f"], at(time), { scope: "managed-only" }),
    apps([], at(time), { scope: "none" }),
  ];
  const all: Readonly<Record<Part, Partial<InventoryReport>>> = {
    ids: { easDeviceIds: from("ids", ["APPLA"], ["APPLA", "APPLB"], ["applb"], ["APPLC", "APPLA"]) },
    owner: { owner: from("owner", { name: "alice" }, { email: "alice@corp.example" }, { name: "bob" }, undefined) },
    os: { osVersion: from("os", "26.1", "26.2", undefined), platform: "ios" },
    apps: { apps: from("apps", ...lists) },
    verdict: {
      verdict: from<InventoryReport["verdict"]>(
        "verdict",
        { state: "compliant", reasons: [] },
        { state: "noncompliant", reasons: ["PIN"] },
        { state: "in-grace", reasons: ["PIN"], until: at(60) },
        { state: "cannot-tell", reasons: [] },
        undefined,
      ),
    },
    enrolledAt: { enrolledAt: at(from("enrolledAt", time, time - 3)) },
    model: { model: from("model", "iPhone 17", "iPhone 16", undefined) },
  };
  const enrolled = from("enrolled", true, true, true, false);
  const key = devices[device % devices.length] ?? devices[0];
  const report: InventoryReport = { ...key, enrolled, deviceAt: at(time) };
  for (const part of speaks) Object.assign(report, all[part]);
  return report;
}

async function outcomeOf(
  reports: readonly InventoryReport[],
  privacy: "all" | "rules-only",
  isBatch: boolean,
): Promise<unknown> {
  const store = await openStore({ embedded: { path: ":memory:" } }, { now: () => inventoryNow });
  try {
    const intake = anIntake(store, { privacy });
    const results = isBatch ? await intake.takeAll(reports) : [];
    if (!isBatch) for (const report of reports) results.concat(await intake.take(report));
    const records = [];
    for (const id of ids) {
      const { record } = await store.facts([id], "alice");
      assert.deepEqual(record?.faults ?? [], []);
      records.push(record && { ...record, id: undefined });
    }
    return records;
  } finally {
    await store.close();
  }
}

suite("any order", () => {
  for (const privacy of ["all", "rules-only"] as const) {
    test(`and any repetition of reports ends in the same records, where ${privacy} is kept`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(event, { minLength: 1, maxLength: 10 }),
          fc.nat(),
          fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
          fc.boolean(),
          async (events, seed, dice, isBatch) => {
            const reports = events.map((each) => reportOf(seed, each));
            const again = reports.filter((_, index) => (dice[index] ?? 0) % 3 === 0);
            const others = [...reports, ...again]
              .map((report, index): [number, InventoryReport] => [dice[19 - (index % 20)] ?? 0, report])
              .toSorted(([a], [b]) => a - b)
              .map(([, report]) => report);
            assert.deepEqual(await outcomeOf(others, privacy, isBatch), await outcomeOf(reports, privacy, false));
          },
        ),
        { numRuns: 50 },
      );
    });
  }
});
