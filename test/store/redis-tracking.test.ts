/** The proof of each link, with links that fail exactly as the test says. What a real server does is in redis-faults. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createTracking } from "../../src/store/redis-tracking.ts";
import type { Tracking } from "../../src/store/redis-tracking.ts";
import { eventually } from "../support/eventually.ts";

interface Bench {
  readonly tracking: Tracking;
  readonly links: Links;
  readonly told: string[];
}

interface Links {
  isUp: boolean;
  listener: number | undefined;
  /** What happens at each probe and ping to come; nothing where the list is empty. */
  readonly probes: (() => unknown)[];
  readonly pings: (() => unknown)[];
  trackedBy: number | undefined;
  mayTrack: boolean;
  isBroken: boolean;
  starts: number;
  readonly drops: string[];
}

function aBench(t: TestContext): Bench {
  const told: string[] = [];
  const links: Links = {
    isUp: true,
    listener: 7,
    probes: [],
    pings: [],
    trackedBy: undefined,
    mayTrack: true,
    isBroken: false,
    starts: 0,
    drops: [],
  };
  const tracking = createTracking({
    hot: {
      isUp: () => links.isUp,
      probe: async () => links.probes.shift()?.(),
      startTracking: async (listener) => {
        if (!links.mayTrack) throw new Error("NOPERM");
        links.starts += 1;
        links.trackedBy = listener;
        links.isBroken = false;
      },
      isTrackingTo: async (listener) => links.trackedBy === listener && !links.isBroken,
      drop: () => links.drops.push("hot"),
    },
    listening: {
      id: () => links.listener,
      ping: async () => links.pings.shift()?.(),
      drop: () => links.drops.push("listening"),
    },
    now: () => new Date(0),
    onHealth: ({ state }) => told.push(state),
    onRegained: () => told.push("regained"),
    lastProblem: () => "refused",
  });
  t.after(() => tracking.close());
  return { tracking, links, told };
}

const fail = (): never => {
  throw new Error("no answer");
};

async function live(t: TestContext): Promise<Bench> {
  const bench = aBench(t);
  bench.tracking.check();
  await bench.tracking.settled();
  assert.equal(bench.tracking.isTracking(), true);
  bench.told.length = 0;
  return bench;
}

test("tracking begins when both connections are there, and what was read before counts no more", async (t) => {
  const { tracking, links, told } = aBench(t);
  links.listener = undefined;
  tracking.check();
  await eventually(() => assert.equal(tracking.health().state, "degraded"));
  links.listener = 7;
  tracking.check();
  await tracking.settled();
  assert.deepEqual(told, ["regained", "live"]);
  assert.equal(links.trackedBy, 7);
});

test("a proof that succeeds changes nothing", async (t) => {
  const { tracking, links, told } = await live(t);
  for (let round = 0; round < 3; round++) {
    links.probes.push(() => {});
    tracking.check();
    await eventually(() => assert.equal(links.probes.length, 0));
  }
  assert.deepEqual(told, []);
  assert.equal(links.starts, 1);
});

for (const link of ["probes", "pings"] as const) {
  test(`one missed answer of the ${link} is a pause`, async (t) => {
    const { tracking, links, told } = await live(t);
    links[link].push(fail, () => {});
    tracking.check();
    await eventually(() => assert.equal(links[link].length, 0));
    tracking.check();
    assert.deepEqual([told, links.drops], [[], []]);
  });
}

test("two missed answers of the server: it is down, and its connection is given up", async (t) => {
  const { tracking, links, told } = await live(t);
  links.probes.push(fail, fail);
  tracking.check();
  await eventually(() => assert.deepEqual(told, ["down"]));
  assert.deepEqual(links.drops, ["hot"]);
  assert.equal(tracking.isTracking(), false);
});

test("two missed answers of the listener: reads go on past the cache, and its connection is given up", async (t) => {
  const { tracking, links, told } = await live(t);
  links.pings.push(fail, fail);
  tracking.check();
  await eventually(() => assert.deepEqual(told, ["degraded"]));
  assert.deepEqual(links.drops, ["listening"]);
});

test("a redirection that the server calls broken is made anew, with nothing kept meanwhile", async (t) => {
  const { tracking, links, told } = await live(t);
  links.isBroken = true;
  tracking.check();
  await eventually(() => assert.deepEqual(told, ["degraded", "regained", "live"]));
  assert.equal(links.starts, 2);
});

test("a listener with another number is told to the server", async (t) => {
  const { tracking, links, told } = await live(t);
  links.listener = undefined;
  tracking.lost("closed");
  assert.equal(tracking.isTracking(), false, "from the very moment of the loss");
  links.listener = 8;
  tracking.check();
  await eventually(() => assert.deepEqual(told, ["degraded", "regained", "live"]));
  assert.equal(links.trackedBy, 8);
});

test("a server that is connected to anew is told anew whom to inform, whatever it says itself", async (t) => {
  const { tracking, links, told } = await live(t);
  tracking.lost("closed");
  await eventually(() => assert.deepEqual(told, ["degraded", "regained", "live"]));
  assert.equal(links.starts, 2);
});

test("a connection that is lost during a proof outweighs what the proof found", async (t) => {
  const { tracking, links, told } = await live(t);
  links.probes.push(() => {
    links.isUp = false;
    tracking.lost("closed");
    links.probes.push(() => {});
  });
  tracking.check();
  await eventually(() => assert.deepEqual(told, ["down"]));
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  assert.deepEqual(told, ["down"]);
  assert.equal(tracking.isTracking(), false);
});

test("a server that may not be asked to track is read every time", async (t) => {
  const { tracking, links, told } = aBench(t);
  links.mayTrack = false;
  tracking.check();
  await eventually(() => assert.match(tracking.health().detail, /NOPERM/));
  assert.equal(tracking.health().state, "degraded");
  assert.deepEqual(told, [], "the start is not over yet");
  await tracking.settled();
  assert.deepEqual(told, ["degraded"]);
});

test("after closing nothing is told any more", async (t) => {
  const { tracking, told } = await live(t);
  tracking.close();
  tracking.lost("closed");
  tracking.check();
  assert.equal(tracking.isTracking(), false);
  assert.deepEqual(told, []);
});
