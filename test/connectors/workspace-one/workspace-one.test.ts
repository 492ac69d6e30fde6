/** Workspace ONE UEM against a fake of it over real HTTP. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { freeAdmission } from "../../../src/connectors/rest/admission.ts";
import { basic, header, together } from "../../../src/connectors/rest/authentication.ts";
import { openRest } from "../../../src/connectors/rest/rest.ts";
import { anyDevice, appList, reportOf } from "../../../src/connectors/workspace-one/device.ts";
import { createWorkspaceOne } from "../../../src/connectors/workspace-one/workspace-one.ts";
import type { Connector, ConnectorContext } from "../../../src/inventory/connector.ts";
import type { InventoryReport } from "../../../src/inventory/report.ts";
import { connectorContract } from "../../contracts/connector.ts";
import type { FakeDevice } from "../../contracts/connector.ts";
import { startFakeSource } from "../../support/fake-source.ts";
import type { FakeAnswer, FakeRequest, FakeSource } from "../../support/fake-source.ts";

interface World {
  readonly server: FakeSource;
  readonly orders: ReadonlyMap<string, number>;
  readonly connect: (password?: string) => Connector;
}

interface Said {
  readonly Id: { readonly Value: number };
  readonly LastSeen: string;
}

async function aServer(
  t: TestContext,
  devices: () => readonly Said[],
  { knowsFilter = true }: { readonly knowsFilter?: boolean } = {},
): Promise<World> {
  const orders = new Map<string, number>();
  const route = ({ path, query, headers, method }: FakeRequest): FakeAnswer => {
    const expected = `Basic ${Buffer.from("postern:the-password").toString("base64")}`;
    if (headers.authorization !== expected || headers["aw-tenant-code"] !== "the-tenant-code")
      return { httpStatus: 401 };
    if (path === "/API/mdm/devices/search") {
      const since = knowsFilter ? query.get("lastseen") : null;
      const found = devices().filter(({ LastSeen }) => since === null || `${LastSeen}Z` > since);
      const size = Number(query.get("pagesize"));
      const page = Number(query.get("page"));
      return {
        body: { Devices: found.slice(page * size, (page + 1) * size), Page: page, PageSize: size, Total: found.length },
      };
    }
    const [, id = "", what] = /^\/API\/mdm\/devices\/(\d+)(?:\/(\w+))?$/.exec(path) ?? [];
    const device = devices().find(({ Id }) => String(Id.Value) === id);
    if (device === undefined) return { httpStatus: 404 };
    if (what === undefined) return { body: device };
    if (what === "apps")
      return { body: { DeviceApps: [{ ApplicationIdentifier: `com.example.app${id}`, Version: "1" }] } };
    if (what !== "commands" || method !== "POST" || query.get("command") !== "DeviceQuery") return { httpStatus: 404 };
    orders.set(id, (orders.get(id) ?? 0) + 1);
    return { httpStatus: 202 };
  };
  const server = await startFakeSource(route);
  const opened: (() => void)[] = [];
  t.after(async () => {
    for (const close of opened) close();
    await server.close();
  });
  return {
    server,
    orders,
    connect(password = "the-password") {
      const rest = openRest(
        { baseUrl: new URL(server.url), ca: undefined, timeoutMs: 1000, concurrent: 4, recordTo: undefined },
        () => together(basic("postern", password), header("aw-tenant-code", "the-tenant-code")),
        { now: () => new Date(), admission: freeAdmission, onRecordingFailure: assert.ifError },
      );
      opened.push(() => rest.close());
      return createWorkspaceOne(
        {
          source: "uem",
          pageSize: 3,
          concurrent: 2,
          personalApps: "managed-only",
          webhook: { kind: "basic", username: "uem", password: "the-hook-password" },
        },
        rest,
      );
    },
  };
}

/** The server writes its times without a zone. */
const said = ({ id, easDeviceId, email, osVersion, at }: FakeDevice): Said & Record<string, unknown> => ({
  Id: { Value: Number(id) },
  EasIds: { EasId: [easDeviceId] },
  UserEmailAddress: email,
  UserName: "",
  Platform: "Apple",
  Model: "iPhone",
  OperatingSystem: osVersion,
  Ownership: "C",
  LastSeen: at.toISOString().replace("Z", ""),
  EnrollmentStatus: "Enrolled",
});

connectorContract({
  name: "Workspace ONE",
  pageSize: 3,
  timeoutMs: 1000,
  tells: ["easDeviceIds", "owner", "osVersion", "deviceAt"],
  has: ["full", "changed", "one", "refresh", "receiver"],
  credential: "static",
  async start(t) {
    const devices: FakeDevice[] = [];
    const { server, orders, connect } = await aServer(t, () => devices.map(said));
    return {
      server,
      devices,
      secrets: ["the-password", "the-wrong-password", "the-tenant-code", "the-hook-password"],
      connect: (credential) => connect(credential === "wrong" ? "the-wrong-password" : "the-password"),
      refreshed: (id) => orders.get(id) ?? 0,
      event: ({ id }) => ({
        method: "POST",
        path: "",
        headers: new Map([
          ["content-type", "application/json"],
          ["authorization", `Basic ${Buffer.from("uem:the-hook-password").toString("base64")}`],
        ]),
        body: Buffer.from(
          JSON.stringify({ EventType: "Compliance Status Changed", DeviceId: Number(id), UserEmailAddress: "" }),
        ),
      }),
    };
  },
});

const context: ConnectorContext = { signal: new AbortController().signal, appIds: () => [], now: () => new Date() };
const reported = (
  device: Readonly<Record<string, unknown>>,
  apps?: unknown,
  personalApps: "all" | "managed-only" = "managed-only",
): InventoryReport | undefined =>
  reportOf(
    "uem",
    anyDevice.parse({ Id: { Value: 7 }, Platform: "Apple", LastSeen: "2026-11-28T10:00:00.123", ...device }),
    apps === undefined ? undefined : appList.parse(apps),
    { personalApps },
  );

suite("a device of Workspace ONE", () => {
  test("is read whatever the case of its keys, and whatever an empty list looks like", () => {
    const ids = [
      { EasIds: { EasId: ["A1", "A2"] } },
      { EASIDS: { EASID: ["A1", "A2"] } },
      { EasId: "A1", EasIds: { easid: ["A1", "A2"] } },
    ];
    for (const each of ids) assert.deepEqual(reported(each)?.easDeviceIds, ["A1", "A2"], JSON.stringify(each));
    for (const EasIds of [{}, [], null, undefined, { EasId: [] }, { EasId: [" "] }])
      assert.equal(reported({ EasIds })?.easDeviceIds, undefined, JSON.stringify(EasIds));
    const lower = anyDevice.parse({ id: { value: "7" }, platform: "Android", lastseen: "2026-11-28T10:00:00" });
    assert.equal(reportOf("uem", lower, undefined, { personalApps: "all" })?.platform, "android");
  });

  test("was seen at a time of UTC, which the server does not say", () => {
    assert.deepEqual(reported({})?.deviceAt, new Date("2026-11-28T10:00:00.123Z"));
    assert.deepEqual(reported({ LastSeen: "2026-11-28T10:00:00+02:00" })?.deviceAt, new Date("2026-11-28T08:00:00Z"));
  });

  test("proves nothing about apps that it is not shown", () => {
    const apps = {
      DeviceApps: [{ ApplicationIdentifier: "com.zhiliaoapp.musically", ApplicationName: "TikTok", Version: "1" }, {}],
    };
    const list = [{ id: "com.zhiliaoapp.musically", name: "TikTok", version: "1" }];
    for (const [Ownership, personalApps, scope] of [
      ["C", "managed-only", "all"],
      ["S", "managed-only", "all"],
      ["E", "managed-only", "managed-only"],
      ["E", "all", "all"],
      ["Undefined", "managed-only", "managed-only"],
    ] as const) {
      const report = reported({ Ownership }, apps, personalApps);
      assert.deepEqual([report?.apps?.scope, report?.apps?.apps], [scope, list], Ownership);
    }
    assert.equal(reported({}, undefined)?.apps, undefined);
    assert.equal(reported({ LastSeen: null }, apps)?.apps, undefined, "without a time a list proves nothing");
    assert.equal(reported({}, [{ applicationIdentifier: "a.b" }])?.apps?.apps[0]?.id, "a.b");
  });

  test("is trusted while it is enrolled, and has the verdict of the server with its policies", () => {
    assert.equal(reported({ EnrollmentStatus: "EnterpriseWipePending" })?.enrolled, false);
    assert.equal(reported({ EnrollmentStatus: "Enrolled" })?.enrolled, true);
    const failed = {
      ComplianceStatus: "NonCompliant",
      ComplianceSummary: {
        DeviceCompliance: [
          { CompliantStatus: true, PolicyName: "Passcode" },
          { CompliantStatus: false, PolicyName: "Apps" },
        ],
      },
    };
    assert.deepEqual(reported(failed)?.verdict, { state: "noncompliant", reasons: ["Apps"] });
    assert.deepEqual(reported({ ComplianceStatus: "Compliant" })?.verdict, { state: "compliant", reasons: [] });
    assert.deepEqual(reported({ ComplianceStatus: "Pending" })?.verdict, { state: "cannot-tell", reasons: [] });
    assert.ok(!("verdict" in (reported({}) ?? {})));
    for (const [CompromisedStatus, compromised] of [
      [true, true],
      ["NotCompromised", false],
      ["Unknown", undefined],
    ] as const)
      assert.equal(reported({ CompromisedStatus })?.compromised, compromised);
  });

  test("is left out where it is a computer without mail by ActiveSync", () => {
    assert.equal(reported({ Platform: "WinRT" }), undefined);
    assert.equal(reported({ Platform: "AppleOsX", EasId: "MAC1" })?.platform, "macos");
    assert.equal(reported({ Platform: "Apple", Model: "iPad Air" })?.platform, "ipados");
  });
});

test("a server that does not know the filter is not asked for the apps of everybody", async (t) => {
  const devices = [1, 2, 3, 4].map((number) => ({
    Id: { Value: number },
    Platform: "Apple",
    LastSeen: number === 4 ? "2026-11-28T12:00:00" : "2026-11-27T12:00:00",
  }));
  const { server, connect } = await aServer(t, () => devices, { knowsFilter: false });
  const connector = connect();
  assert.ok(connector.changed !== undefined);
  const pages = await Array.fromAsync(connector.changed(new Date("2026-11-28T00:00:00Z"), context));
  assert.deepEqual(
    pages.flatMap(({ reports }) => reports.map(({ sourceDeviceId }) => sourceDeviceId)),
    ["4"],
  );
  assert.deepEqual(
    server.calls.filter(({ path }) => path.endsWith("/apps")).map(({ path }) => path),
    ["/API/mdm/devices/4/apps"],
  );
});
