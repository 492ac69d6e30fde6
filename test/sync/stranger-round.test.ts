import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createBindings } from "../../src/inventory/bindings.ts";
import { createStrangers } from "../../src/inventory/strangers.ts";
import { openStore } from "../../src/store/open.ts";
import type { LastRequest } from "../../src/store/store.ts";
import type { SyncEvent } from "../../src/sync/events.ts";
import { openStrangerRound } from "../../src/sync/stranger-round.ts";
import { eventually } from "../support/eventually.ts";
import { anIntake, aReport } from "../support/inventory.ts";
import { deviceId } from "../support/records.ts";

const outlook: LastRequest = {
  id: deviceId("0UTL00K"),
  whose: "stranger",
  account: "alice",
  at: new Date(),
  spellings: [deviceId("0UTL00K")],
  queryForm: "plain",
  version: "16.1",
  command: "Sync",
  deviceType: "Outlook",
  program: "Outlook-iOS-Android/1.0",
  action: "quarantine",
  reason: "not-enrolled",
  state: "not-enrolled",
};

async function aRound(t: TestContext) {
  const store = await openStore({ embedded: { path: ":memory:" } });
  await anIntake(store).take(aReport());
  const told: SyncEvent[] = [];
  const state = { isLeading: false, isBroken: false };
  const settings = { store, homeDomains: ["corp.example"] };
  const now = (): Date => new Date();
  const bindings = createBindings({ ...settings, appIds: () => [], ownerRequired: true, now });
  const round = openStrangerRound({
    strangers: createStrangers({ ...settings, bindings, join: { selfRegistration: "off", outlookMobile: "owner" } }),
    seen(): AsyncIterable<LastRequest> {
      if (state.isBroken) throw new TypeError("broken");
      return store.strangers();
    },
    isLeading: () => state.isLeading,
    tell: (event) => told.push(event),
    now,
    everyMs: 2,
  });
  t.after(async () => {
    await round.close();
    await store.close();
  });
  const owner = async (): Promise<string | undefined> => (await store.facts([outlook.id], "alice")).record?.owner;
  return { store, told, state, owner };
}

test("the node that leads binds an id that was seen to its owner's phone, once", async (t) => {
  const { store, told, state, owner } = await aRound(t);
  await store.noteLastRequests([outlook]);
  assert.equal(await owner(), undefined);
  state.isLeading = true;
  await eventually(async () => assert.equal(await owner(), "alice"));
  await store.noteLastRequests([{ ...outlook, at: new Date() }]);
  await eventually(() => assert.equal(told.length, 1));
  assert.deepEqual(told[0]?.kind === "log" && told[0].fields, { bound: 1 });
});

test("a look that fails is told, and the next one goes on", async (t) => {
  const { store, told, state, owner } = await aRound(t);
  await store.noteLastRequests([outlook]);
  state.isBroken = true;
  state.isLeading = true;
  await eventually(() => assert.ok(told.some((event) => event.kind === "log" && event.level === "warn")));
  assert.equal(await owner(), undefined);
  state.isBroken = false;
  await eventually(async () => assert.equal(await owner(), "alice"));
});
