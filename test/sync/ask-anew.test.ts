import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Connector } from "../../src/inventory/connector.ts";
import { createIntake } from "../../src/inventory/intake.ts";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { createBudget } from "../../src/sync/budget.ts";
import { startSync } from "../../src/sync/sync.ts";
import { eventually } from "../support/eventually.ts";

const hourMs = 3_600_000;
const now = (): Date => new Date();
const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * hourMs);

/** A source that lists nothing, and what it is asked. */
function aSilentSource(source: string): { readonly connector: Connector; readonly asked: string[] } {
  const asked: string[] = [];
  const connector: Connector = {
    source,
    kind: "silent",
    abilities: {
      apps: "all",
      easDeviceIds: true,
      incremental: false,
      lists: false,
      refresh: { usualSeconds: [2, 20], unlockFirst: true },
    },
    full: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("it lists nothing")) }) }),
    refresh: async (id) => void asked.push(id),
    health: async () => undefined,
  };
  return { connector, asked };
}

test("devices of a source that lists nothing are asked anew when what they said is old, and only those", async (t: TestContext) => {
  const store = await openStore({ embedded: { path: ":memory:" } });
  t.after(() => store.close());
  const intakeOn = (ground: Store) =>
    createIntake({ store: ground, appIds: () => [], privacy: "all", homeDomains: [], ownerRequired: true, now });
  const device = (source: string, sourceDeviceId: string, hours: number, enrolled = true) => ({
    source,
    sourceDeviceId,
    enrolled,
    deviceAt: hoursAgo(hours),
  });
  await intakeOn(store).takeAll([
    device("mdm", "old", 9),
    device("mdm", "older", 900),
    device("mdm", "new", 7),
    device("mdm", "gone", 9, false),
    device("mdm-2", "of another source", 9),
  ]);

  const { connector, asked } = aSilentSource("mdm");
  const told: string[] = [];
  const sync = await startSync({
    sources: [
      {
        connector,
        close: () => undefined,
        budget: createBudget({ requestsPerMinute: 1000, concurrent: 5 }),
        schedule: { everyMs: 8 * hourMs, fullEveryMs: 24 * hourMs },
      },
    ],
    listen: undefined,
    store,
    intakeOn,
    rechecksOn: createRechecks,
    view: () => Promise.resolve({ managed: undefined, deviceAt: undefined, appsAt: undefined, isHeld: false }),
    appIds: () => [],
    hashDevice: () => "hash",
    tell: (event) =>
      void (event.kind === "log" && told.push(`${event.event} ${String(event.fields["devices"] ?? "")}`)),
    now,
  });
  t.after(() => sync.close());
  await eventually(() => assert.deepEqual(asked.toSorted(), ["old", "older"]));
  await eventually(() => assert.ok(told.includes("devices are asked anew 2"), told.join("; ")));
});
