/** "Check again": every way in which it goes on or ends, and what the source is asked for it. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { ConnectorFailure } from "../../src/inventory/connector.ts";
import type { Recheck } from "../../src/inventory/recheck.ts";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import { toDeviceId } from "../../src/policy/device.ts";
import { openStore } from "../../src/store/open.ts";
import type { SyncEvent } from "../../src/sync/events.ts";
import { createRecheckRunner } from "../../src/sync/recheck-runner.ts";
import type { PhoneView } from "../../src/sync/recheck-runner.ts";
import { eventually } from "../support/eventually.ts";
import { aListSource, aPlainIntake } from "../support/sync-sources.ts";
import type { ListSource } from "../support/sync-sources.ts";

const device = toDeviceId("APPL1");
assert.ok(device !== undefined);
const phone = device;
const hurried = { usualSeconds: [1, 5], unlockFirst: false } as const;
const earlier = new Date("2026-11-28T10:00:00Z");
const later = new Date("2026-11-28T11:00:00Z");

interface Stage {
  readonly source: ListSource;
  /** What is known of the phone; the test changes it. */
  view: PhoneView;
  readonly told: SyncEvent[];
  readonly clock: { offsetMs: number };
  ask(by?: string): Promise<Recheck>;
  read(): Promise<Recheck>;
  /** Until it has ended so. */
  ended(outcome: Recheck["end"]): Promise<Recheck>;
}

async function aStage(t: TestContext, source: ListSource, more: Partial<PhoneView> = {}): Promise<Stage> {
  const store = await openStore({ embedded: { path: ":memory:" } });
  const rechecks = createRechecks(store);
  const told: SyncEvent[] = [];
  const clock = { offsetMs: 0 };
  const now = (): Date => new Date(Date.now() + clock.offsetMs);
  const ending = new AbortController();
  const stage: Stage = {
    source,
    view: {
      managed: { source: "list", sourceDeviceId: "d1" },
      deviceAt: earlier,
      appsAt: earlier,
      isHeld: true,
      ...more,
    },
    told,
    clock,
    async ask(by = "page") {
      return (await rechecks.ask(phone, by, now())).recheck;
    },
    async read() {
      const recheck = await rechecks.read(phone);
      assert.ok(recheck !== undefined);
      return recheck;
    },
    ended: (outcome) =>
      eventually(async () => {
        const recheck = await stage.read();
        assert.equal(recheck.end, outcome);
        return recheck;
      }),
  };
  const running = createRecheckRunner({
    rechecks,
    sources: new Map([["list", source]]),
    view: async () => stage.view,
    intake: aPlainIntake(store),
    context: { appIds: () => [], now },
    hashDevice: () => "hash-of-phone",
    tell: (event) => told.push(event),
    signal: ending.signal,
    gapsMs: [5],
  }).run();
  t.after(async () => {
    ending.abort();
    await running;
    await store.close();
  });
  return stage;
}

suite("a recheck", () => {
  test("sends the order, waits for the phone, and is clear when nothing is held any more", async (t) => {
    const stage = await aStage(t, aListSource("list", { refresh: hurried }));
    await stage.ask("alice");
    await eventually(async () => assert.ok((await stage.read()).steps.sent !== undefined));
    assert.equal((await stage.read()).source, "list");
    assert.equal((await stage.read()).steps.answered, undefined);
    stage.view = { ...stage.view, appsAt: later, deviceAt: later, isHeld: false };
    await eventually(async () => assert.ok((await stage.read()).steps.clear !== undefined));
    const { steps, end } = await stage.read();
    assert.deepEqual([Object.keys(steps), end], [["asked", "sent", "answered", "clear"], undefined]);
    assert.equal(stage.source.asked.filter((what) => what.startsWith("refresh")).length, 1);
    assert.ok(stage.source.asked.includes("one d1"), "a source that does not push is read");
    const logged = stage.told.filter((event) => event.kind === "log");
    assert.ok(logged.some(({ fields }) => fields["by"] === "alice" && fields["device"] === "hash-of-phone"));
    assert.ok(!JSON.stringify(stage.told).includes("APPL1"));
  });

  test("is not clear because the verdict says so, but because the phone reported", async (t) => {
    const stage = await aStage(t, aListSource("list", { refresh: hurried }));
    await stage.ask();
    await eventually(async () => assert.ok((await stage.read()).steps.sent !== undefined));
    stage.view = { ...stage.view, isHeld: false };
    await eventually(() => assert.ok(stage.source.asked.length > 5));
    assert.equal((await stage.read()).steps.answered, undefined);
  });

  test("says that the reason is still there, where the new list of apps still has it", async (t) => {
    const stage = await aStage(t, aListSource("list", { refresh: hurried }));
    await stage.ask();
    await eventually(async () => assert.ok((await stage.read()).steps.sent !== undefined));
    stage.view = { ...stage.view, appsAt: later };
    const { steps } = await stage.ended("still-there");
    assert.ok(steps.answered !== undefined && steps.clear === undefined);
  });

  test("waits a while for the list, where the phone has told something else first", async (t) => {
    const stage = await aStage(t, aListSource("list", { refresh: hurried }));
    await stage.ask();
    await eventually(async () => assert.ok((await stage.read()).steps.sent !== undefined));
    stage.view = { ...stage.view, deviceAt: later };
    const reads = stage.source.asked.length;
    await eventually(() => assert.ok(stage.source.asked.length > reads + 3));
    assert.equal((await stage.read()).end, undefined);
    stage.clock.offsetMs += 31_000;
    await stage.ended("still-there");
  });

  test("ends where the phone does not answer in time", async (t) => {
    const stage = await aStage(t, aListSource("list", { refresh: hurried }));
    await stage.ask();
    await eventually(async () => assert.ok((await stage.read()).steps.sent !== undefined));
    stage.clock.offsetMs += 119_000;
    const reads = stage.source.asked.length;
    await eventually(() => assert.ok(stage.source.asked.length > reads + 3));
    assert.equal((await stage.read()).end, undefined);
    stage.clock.offsetMs += 2000;
    await stage.ended("no-answer");
  });

  test("ends at once where nobody can be asked, and says why", async (t) => {
    const unknown = await aStage(t, aListSource("list", { refresh: hurried }), { managed: undefined });
    await unknown.ask();
    await unknown.ended("no-source");
    const gone = await aStage(t, aListSource("list", { refresh: hurried }), {
      managed: { source: "no-longer-configured", sourceDeviceId: "d1" },
    });
    await gone.ask();
    await gone.ended("no-source");
    const slow = await aStage(t, aListSource("list", { one: false }));
    await slow.ask();
    await slow.ended("cannot-hurry");
    for (const [code, outcome] of [
      ["throttled", "busy"],
      ["away", "source-refused"],
      ["refused", "source-refused"],
      ["not-possible", "source-refused"],
    ] as const) {
      const stage = await aStage(t, aListSource("list", { refresh: hurried }));
      stage.source.before = () => {
        throw new ConnectorFailure(code, "no");
      };
      await stage.ask();
      await stage.ended(outcome);
    }
  });

  test("is busy where too many calls wait for the source", async (t) => {
    const source = aListSource("list", { refresh: hurried });
    const ending = new AbortController();
    const calls = Array.from({ length: 26 }, () => source.budget.enter(ending.signal));
    const stage = await aStage(t, source);
    await stage.ask();
    await stage.ended("busy");
    assert.deepEqual(source.asked, []);
    ending.abort(new Error("over"));
    await Promise.allSettled(calls);
  });

  test("reads a device whose source cannot be hurried: it may know more by now", async (t) => {
    const source = aListSource("list");
    const stage = await aStage(t, source);
    source.before = () => {
      stage.view = { ...stage.view, appsAt: later, isHeld: false };
    };
    await stage.ask();
    await eventually(async () => assert.ok((await stage.read()).steps.clear !== undefined));
    assert.deepEqual(source.asked, ["one d1"]);
  });

  test("goes on where another leader left it, without a second order", async (t) => {
    const store = await openStore({ embedded: { path: ":memory:" } });
    const rechecks = createRechecks(store);
    const { recheck } = await rechecks.ask(phone, "page", new Date());
    await rechecks.advance(phone, recheck.number, { step: "sent", at: new Date(), source: "list" });
    const source = aListSource("list", { refresh: hurried });
    const ending = new AbortController();
    const running = createRecheckRunner({
      rechecks,
      sources: new Map([["list", source]]),
      view: async () => ({
        managed: { source: "list", sourceDeviceId: "d1" },
        deviceAt: later,
        appsAt: later,
        isHeld: false,
      }),
      intake: aPlainIntake(store),
      context: { appIds: () => [], now: () => new Date() },
      hashDevice: () => "",
      tell: () => undefined,
      signal: ending.signal,
      gapsMs: [5],
    }).run();
    t.after(async () => {
      ending.abort();
      await running;
      await store.close();
    });
    await eventually(async () => assert.ok((await rechecks.read(phone))?.steps.clear !== undefined));
    assert.deepEqual(source.asked, []);
  });
});
