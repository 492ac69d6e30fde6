/**
 * What every connector must do, against a fake of its system over real HTTP. A connector's own test says how its fake speaks; see
 * `test/connectors/rest/contract.test.ts` for the shortest one.
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { inspect } from "node:util";
import * as fc from "fast-check";
import { ConnectorFailure } from "../../src/inventory/connector.ts";
import type { Connector, ConnectorContext, ReceivedRequest, SyncPage } from "../../src/inventory/connector.ts";
import type { InventoryReport } from "../../src/inventory/report.ts";
import { eventually } from "../support/eventually.ts";
import type { FakeSource, Fault } from "../support/fake-source.ts";

/** A device as the suite speaks of it; the fake says it in the words of its system. */
export interface FakeDevice {
  /** What must come as `sourceDeviceId`. */
  readonly id: string;
  readonly easDeviceId: string;
  readonly email: string;
  readonly osVersion: string;
  /** When the device last reported, and when the system last changed what it knows of it. */
  readonly at: Date;
}

export interface ConnectorWorld {
  /** A new connector, as after a restart; `wrong` comes with a credential that the system does not accept. */
  readonly connect: (credential?: "wrong") => Connector;
  readonly server: FakeSource;
  /** What the system knows, in the order of its list. The suite changes it; a device that stands there twice is listed twice. */
  readonly devices: FakeDevice[];
  /** What must be in no message: passwords, tokens, keys. Ids and addresses of the devices are added by the suite. */
  readonly secrets: readonly string[];
  /** The token that was given counts no more. Absent where the credential does not end. */
  readonly expireToken?: () => void;
  /** How often the system was told to have this device report anew. */
  readonly refreshed?: (id: string) => number;
  /** A genuine request of the system about this device, as the listener hands it over. */
  readonly event?: (device: FakeDevice) => ReceivedRequest;
}

export interface ConnectorUnderTest {
  readonly name: string;
  /** Devices on a page in this test: 2 or more. */
  readonly pageSize: number;
  /** Milliseconds after which a call is given up in this test: a second, which a busy machine does not need, and people can wait. */
  readonly timeoutMs: number;
  /** What the system tells of a device beyond its id. */
  readonly tells: readonly ("easDeviceIds" | "owner" | "osVersion" | "deviceAt")[];
  /** What of the port the connector has: what stands here is tested, and what does not must not be there. */
  readonly has: readonly ("full" | "changed" | "one" | "refresh" | "receiver")[];
  readonly credential: "token" | "static" | "none";
  /** The first id of the system, or a later one: `1`, `2` … by default. */
  readonly idOf?: (number: number) => string;
  start(t: TestContext): Promise<ConnectorWorld>;
}

const noon = new Date("2026-11-28T12:00:00.000Z");
const minuteMs = 60_000;

export function connectorContract(subject: ConnectorUnderTest): void {
  const { pageSize, tells, has, idOf = String } = subject;
  const can = (part: ConnectorUnderTest["has"][number]): boolean => has.includes(part);

  function aDevice(number: number, more: Partial<FakeDevice> = {}): FakeDevice {
    return {
      id: idOf(number),
      easDeviceId: `APPL${String(number).padStart(8, "0")}`,
      email: `person.${number}@corp.example`,
      osVersion: `26.${number % 10}`,
      at: new Date(noon.getTime() - number * minuteMs),
      ...more,
    };
  }

  async function aWorld(t: TestContext, count = pageSize * 2 + 1): Promise<ConnectorWorld> {
    const world = await subject.start(t);
    world.devices.push(...Array.from({ length: count }, (_, index) => aDevice(index + 1)));
    return world;
  }

  function assertTold(report: InventoryReport | undefined, device: FakeDevice, connector: Connector): void {
    assert.ok(report !== undefined, "there is a report");
    assert.equal(report.source, connector.source);
    assert.equal(report.sourceDeviceId, device.id);
    assert.equal(report.enrolled, true);
    if (tells.includes("easDeviceIds")) assert.deepEqual(report.easDeviceIds, [device.easDeviceId]);
    if (tells.includes("osVersion")) assert.equal(report.osVersion, device.osVersion);
    if (tells.includes("owner")) {
      assert.ok([report.owner?.email, report.owner?.name].includes(device.email), "the owner is named");
    }
    // The device's own time, to the second: some systems have no more.
    if (tells.includes("deviceAt")) assert.equal(secondsOf(report.deviceAt), secondsOf(device.at));
  }

  /** What went wrong, as a failure of the connector that tells nobody's secret. */
  async function failureOf(work: () => Promise<unknown>, world: ConnectorWorld): Promise<ConnectorFailure> {
    const thrown = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof ConnectorFailure, `a ConnectorFailure, not ${inspect(thrown)}`);
    const told = inspect(thrown, { depth: 10, showHidden: true });
    const kept = [...world.secrets, ...world.devices.flatMap(({ email, easDeviceId }) => [email, easDeviceId])];
    for (const secret of kept) assert.ok(!told.includes(secret), `the failure tells ${secret}: ${told}`);
    return thrown;
  }

  suite(`${subject.name} as a connector`, () => {
    test("has what it says it can do, and nothing else", async (t) => {
      const connector = (await aWorld(t)).connect();
      assert.match(connector.source, /^[a-z0-9-]{1,64}$/);
      assert.equal(connector.abilities.lists, can("full"));
      assert.equal(connector.abilities.incremental, can("changed"));
      assert.equal(connector.changed !== undefined, can("changed"));
      assert.equal(connector.one !== undefined, can("one"));
      assert.equal(connector.abilities.refresh !== undefined, can("refresh"));
      assert.equal(connector.refresh !== undefined, can("refresh"));
      assert.equal(connector.receiver !== undefined, can("receiver"));
      assert.equal(connector.abilities.easDeviceIds, tells.includes("easDeviceIds"));
    });

    if (can("full")) describeFull();
    if (can("changed")) describeChanged();
    if (can("one")) describeOne();
    if (can("refresh")) describeRefresh();
    if (can("receiver")) describeReceiver();
    if (can("full") || can("one")) describeHealth();
  });

  function describeFull(): void {
    const all = (connector: Connector, context = aContext()): Promise<SyncPage[]> =>
      Array.fromAsync(connector.full(undefined, context));
    const idsOf = (pages: readonly SyncPage[]): string[] =>
      pages.flatMap(({ reports }) => reports.map(({ sourceDeviceId }) => sourceDeviceId));

    test("names every device once in a full sync of several pages", async (t) => {
      const world = await aWorld(t);
      const connector = world.connect();
      const pages = await all(connector);
      assert.ok(pages.length > 1, "more than one page");
      assert.deepEqual(idsOf(pages).toSorted(), world.devices.map(({ id }) => id).toSorted());
      for (const device of world.devices) {
        const report = pages.flatMap(({ reports }) => reports).find((each) => each.sourceDeviceId === device.id);
        assertTold(report, device, connector);
      }
      assert.equal(pages.at(-1)?.next, undefined, "the last page is the last");
      for (const { next, total } of pages.slice(0, -1)) {
        assert.ok(next !== undefined && Buffer.byteLength(next) <= 4096, "a cursor of at most 4 KiB");
        if (total !== undefined) assert.equal(total, world.devices.length);
      }
    });

    test("names nobody where there is nobody", async (t) => {
      const world = await aWorld(t, 0);
      assert.deepEqual(idsOf(await all(world.connect())), []);
    });

    test("ends when the last page is exactly full", async (t) => {
      const world = await aWorld(t, pageSize * 2);
      assert.equal(idsOf(await all(world.connect())).length, pageSize * 2);
    });

    test("goes on behind a page after the program was killed", async (t) => {
      const world = await aWorld(t);
      const before: SyncPage[] = [];
      for await (const page of world.connect().full(undefined, aContext())) {
        before.push(page);
        break;
      }
      const cursor = before[0]?.next;
      assert.ok(cursor !== undefined);
      const after = await Array.fromAsync(world.connect().full(cursor, aContext()));
      assert.deepEqual(idsOf([...before, ...after]).toSorted(), world.devices.map(({ id }) => id).toSorted());
    });

    test("says the same twice of a device that the system lists twice", async (t) => {
      const world = await aWorld(t);
      const [first] = world.devices;
      assert.ok(first !== undefined);
      world.devices.push(first);
      const reports = (await all(world.connect()))
        .flatMap((page) => page.reports)
        .filter(({ sourceDeviceId }) => sourceDeviceId === first.id);
      assert.ok(reports.length >= 1);
      for (const report of reports) assert.deepEqual(report, reports[0]);
    });

    test("tells the device's own time, however wrong our clock is", async (t) => {
      for (const skewMinutes of [-20, 20]) {
        const world = await aWorld(t, 1);
        const context = aContext({ now: () => new Date(noon.getTime() + skewMinutes * minuteMs) });
        const connector = world.connect();
        const [report] = (await all(connector, context)).flatMap((page) => page.reports);
        const [device] = world.devices;
        assert.ok(device !== undefined);
        assertTold(report, device, connector);
      }
    });

    describeFaults((world, context) => all(world.connect(), context));

    if (subject.credential === "token") {
      test("fetches its token anew once it has ended, in the middle of a sync", async (t) => {
        const world = await aWorld(t);
        const { expireToken } = world;
        assert.ok(expireToken !== undefined);
        const pages: SyncPage[] = [];
        for await (const page of world.connect().full(undefined, aContext())) {
          pages.push(page);
          if (pages.length === 1) expireToken();
        }
        assert.deepEqual(idsOf(pages).toSorted(), world.devices.map(({ id }) => id).toSorted());
      });
    }
  }

  /** What must hold for any call; shown on the one that each connector of lists has. */
  function describeFaults(work: (world: ConnectorWorld, context: ConnectorContext) => Promise<unknown>): void {
    const failing = async (t: TestContext, fault: Fault, times = 1): Promise<ConnectorFailure> => {
      const world = await aWorld(t);
      world.server.fail(fault, { times });
      const failure = await failureOf(() => work(world, aContext()), world);
      assert.equal(world.server.faultsLeft(), times - 1, "it was asked once, and not again");
      return failure;
    };
    const answer = (httpStatus: number, headers: Readonly<Record<string, string>> = {}): Fault => ({
      kind: "answer",
      httpStatus,
      headers,
      body: { error: "secret-of-the-answer" },
    });

    test("says how long the system wants to be left alone", async (t) => {
      const inSeconds = await failing(t, answer(429, { "retry-after": "7" }), 2);
      assert.deepEqual([inSeconds.code, inSeconds.retryAfterMs], ["throttled", 7000]);
      const date = noon.toUTCString();
      const until = new Date(noon.getTime() + 30_000).toUTCString();
      const atDate = await failing(t, answer(503, { "retry-after": until, date }), 2);
      assert.deepEqual([atDate.code, atDate.retryAfterMs], ["throttled", 30_000]);
      const untold = await failing(t, answer(429), 2);
      assert.deepEqual([untold.code, untold.retryAfterMs], ["throttled", undefined]);
    });

    test("tells a system that is away from one that refuses, and from one that it does not understand", async (t) => {
      const cases: readonly (readonly [Fault, ConnectorFailure["code"]])[] = [
        [answer(500), "away"],
        [answer(503), "away"],
        [{ kind: "truncate" }, "away"],
        [{ kind: "reset" }, "away"],
        [{ kind: "stall" }, "away"],
        [answer(403), "refused"],
        [{ kind: "answer", httpStatus: 302, headers: { location: "http://192.0.2.1/" } }, "refused"],
        [{ kind: "answer", headers: { "content-type": "text/html" }, body: Buffer.from("<html>") }, "unreadable"],
        [{ kind: "answer", headers: { "content-type": "application/json" }, body: Buffer.from("[{") }, "unreadable"],
        [{ kind: "answer", body: "a text, and no list" }, "unreadable"],
      ];
      for (const [fault, code] of cases) {
        const failure = await failing(t, fault, 2);
        assert.equal(failure.code, code, inspect(fault));
        assert.ok(!failure.message.includes("secret-of-the-answer"));
      }
    });

    test("asks nothing once the work has been given up, and lets go of what it asked", async (t) => {
      const world = await aWorld(t);
      const before = world.server.calls.length;
      await assert.rejects(work(world, aContext({ signal: AbortSignal.abort(new Error("given up")) })), /given up/);
      assert.equal(world.server.calls.length, before);

      const controller = new AbortController();
      world.server.fail({ kind: "stall" });
      const asked = work(world, aContext({ signal: controller.signal }));
      asked.catch(() => undefined);
      await eventually(() => assert.equal(world.server.faultsLeft(), 0));
      controller.abort(new Error("given up"));
      await assert.rejects(asked, /given up/);
      await eventually(() => assert.equal(world.server.underWay(), 0));
    });

    test("says so when nothing is there any more", async (t) => {
      const world = await aWorld(t);
      await world.server.close();
      assert.equal((await failureOf(() => work(world, aContext()), world)).code, "away");
    });
  }

  function describeChanged(): void {
    const changed = async (connector: Connector, since: Date, context = aContext()): Promise<InventoryReport[]> => {
      assert.ok(connector.changed !== undefined);
      return (await Array.fromAsync(connector.changed(since, context))).flatMap(({ reports }) => reports);
    };

    test("names the devices that changed since then, all of them", async (t) => {
      const world = await aWorld(t);
      const since = new Date(noon.getTime() + minuteMs);
      const fresh = world.devices.slice(0, pageSize + 1).map((device, index) =>
        aDevice(index + 1, {
          id: device.id,
          osVersion: "27.0",
          at: new Date(noon.getTime() + (index + 2) * minuteMs),
        }),
      );
      world.devices.splice(0, fresh.length, ...fresh);
      const connector = world.connect();
      const reports = await changed(connector, since);
      for (const device of fresh) {
        assertTold(
          reports.find(({ sourceDeviceId }) => sourceDeviceId === device.id),
          device,
          connector,
        );
      }
      assert.ok(reports.length < world.devices.length, "and not simply all devices");
    });

    test("names nobody where nothing changed", async (t) => {
      const world = await aWorld(t);
      assert.deepEqual(await changed(world.connect(), new Date(noon.getTime() + minuteMs)), []);
    });
  }

  function describeOne(): void {
    test("reads one device, and knows when there is none", async (t) => {
      const world = await aWorld(t);
      const connector = world.connect();
      assert.ok(connector.one !== undefined);
      for (const device of world.devices.slice(0, 2)) {
        assertTold(await connector.one(device.id, aContext()), device, connector);
      }
      assert.equal(await connector.one(idOf(99_999), aContext()), undefined);
    });

    test("stays at one device, whatever its id looks like", async (t) => {
      const world = await aWorld(t);
      const connector = world.connect();
      assert.ok(connector.one !== undefined);
      const { one } = connector;
      for (const id of ["../1", "..", ".", "1/apps", "1?x=1", "1#x", "%2e%2e", "a b", "\u{1F4F1}", "\uD800", ""]) {
        const report = await one(id, aContext()).catch((error: unknown) => {
          assert.ok(error instanceof ConnectorFailure, inspect(error));
        });
        assert.equal(report, undefined, id);
      }
    });
  }

  function describeRefresh(): void {
    test("has a device report anew, by one order", async (t) => {
      const world = await aWorld(t);
      const connector = world.connect();
      const [device] = world.devices;
      assert.ok(connector.refresh !== undefined && world.refreshed !== undefined && device !== undefined);
      await connector.refresh(device.id, aContext());
      assert.equal(world.refreshed(device.id), 1);
    });

    test("says that an order for a device that is not there is not possible", async (t) => {
      const world = await aWorld(t);
      const { refresh } = world.connect();
      assert.ok(refresh !== undefined);
      assert.equal((await failureOf(() => refresh(idOf(99_999), aContext()), world)).code, "not-possible");
    });
  }

  function describeHealth(): void {
    test("knows whether address and credential are right", async (t) => {
      const world = await aWorld(t);
      await world.connect().health(aContext());
      if (subject.credential !== "none") {
        const before = world.server.calls.length;
        const failure = await failureOf(() => world.connect("wrong").health(aContext()), world);
        assert.equal(failure.code, "refused");
        assert.ok(world.server.calls.length - before <= 4, "a wrong credential is not tried again and again");
      }
      await world.server.close();
      assert.equal((await failureOf(() => world.connect().health(aContext()), world)).code, "away");
    });
  }

  function describeReceiver(): void {
    const partsOf = (world: ConnectorWorld) => {
      const connector = world.connect();
      const { receiver } = connector;
      const { event } = world;
      assert.ok(receiver !== undefined && event !== undefined);
      const receive = (request: ReceivedRequest, context = aContext()) => receiver.receive(request, context);
      return { connector, receive, event };
    };
    const accepted = { kind: "accepted" } as const;

    test("hears of a device by what the system sends", async (t) => {
      const world = await aWorld(t);
      const { connector, receive, event } = partsOf(world);
      const [device] = world.devices;
      assert.ok(device !== undefined);
      const received = await receive(event(device));
      const { reports, signals, refresh } = received;
      assert.ok(reports.length + signals.length + refresh.length > 0, "it says something");
      for (const report of reports) {
        assert.equal(report.source, connector.source);
        assert.equal(report.sourceDeviceId, device.id);
      }
      for (const id of [...signals, ...refresh]) assert.equal(id, device.id);
      const { httpStatus } = received.answer(reports.map(() => accepted));
      assert.ok(httpStatus >= 200 && httpStatus < 300, String(httpStatus));
    });

    test("hears events in any order, each with the time of the device", async (t) => {
      const world = await aWorld(t);
      const { receive, event } = partsOf(world);
      const older = aDevice(1, { at: new Date(noon.getTime() - 10 * minuteMs) });
      for (const device of [aDevice(1, { at: noon }), older]) {
        const { reports } = await receive(event(device));
        for (const { deviceAt } of reports) {
          if (deviceAt !== undefined) assert.equal(secondsOf(deviceAt), secondsOf(device.at));
        }
      }
    });

    if (subject.credential !== "none") {
      test("believes nobody who does not prove to be the system, and tells him nothing", async (t) => {
        const world = await aWorld(t);
        const { receive, event } = partsOf(world);
        const [device] = world.devices;
        assert.ok(device !== undefined);
        const genuine = event(device);
        const bare = new Map([["content-type", genuine.headers.get("content-type") ?? "application/json"]]);
        const { reports, signals, refresh, answer } = await receive({ ...genuine, headers: bare });
        assert.deepEqual([reports, signals, refresh], [[], [], []]);
        const { httpStatus, body } = answer([]);
        assert.ok(httpStatus === 401 || httpStatus === 403, String(httpStatus));
        assert.equal(body, undefined);
      });
    }

    test("stands whatever it is sent", async (t) => {
      const world = await aWorld(t);
      const { receive, event } = partsOf(world);
      const genuine = event(aDevice(1));
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            fc.uint8Array({ maxLength: 200 }),
            fc.nat(genuine.body.byteLength).map((end) => genuine.body.slice(0, end)),
            fc.json().map((text) => Buffer.from(text)),
          ),
          fc.boolean(),
          async (body, withHeaders) => {
            const received = await receive({ ...genuine, body, headers: withHeaders ? genuine.headers : new Map() });
            const { httpStatus } = received.answer(received.reports.map(() => accepted));
            assert.ok(httpStatus >= 200 && httpStatus < 500, String(httpStatus));
          },
        ),
        { numRuns: 100 },
      );
    });
  }
}

function aContext(more: Partial<ConnectorContext> = {}): ConnectorContext {
  return { signal: new AbortController().signal, appIds: () => [], now: () => noon, ...more };
}

function secondsOf(date: Date | undefined): number | undefined {
  return date === undefined ? undefined : Math.floor(date.getTime() / 1000);
}
