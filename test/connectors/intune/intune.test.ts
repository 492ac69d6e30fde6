/** Intune against a fake Graph over real HTTP. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createIntune } from "../../../src/connectors/intune/intune.ts";
import { managedDevice, reportOf } from "../../../src/connectors/intune/managed-device.ts";
import type { Connector, ConnectorContext } from "../../../src/inventory/connector.ts";
import type { InventoryReport } from "../../../src/inventory/report.ts";
import { freeAdmission } from "../../../src/connectors/rest/admission.ts";
import { connectorContract } from "../../contracts/connector.ts";
import type { FakeDevice } from "../../contracts/connector.ts";
import { startFakeSource } from "../../support/fake-source.ts";
import type { FakeSource } from "../../support/fake-source.ts";
import { clientId, clientSecret, createFakeGraph, tenant, tokenPath } from "./fake-graph.ts";
import type { FakeGraph, GraphDevice } from "./fake-graph.ts";

const guid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

interface World {
  readonly server: FakeSource;
  readonly graph: FakeGraph;
  readonly connect: (secret?: string) => Connector;
}

async function aGraph(
  t: TestContext,
  devices: () => readonly GraphDevice[],
  policyStates?: ReadonlyMap<string, unknown>,
): Promise<World> {
  let url = "";
  const graph = createFakeGraph({ devices, url: () => url, ...(policyStates === undefined ? {} : { policyStates }) });
  const server = await startFakeSource((request) => graph.route(request), { tokenPath });
  ({ url } = server);
  const opened: (() => void)[] = [];
  t.after(async () => {
    for (const close of opened) close();
    await server.close();
  });
  return {
    server,
    graph,
    connect(secret = clientSecret) {
      const { connector, close } = createIntune(
        {
          source: "intune",
          baseUrl: new URL(url),
          loginUrl: new URL(url),
          tenant,
          clientId,
          clientSecret: secret,
          pageSize: 3,
          ca: undefined,
          timeoutMs: 1000,
          concurrent: 4,
          recordTo: undefined,
        },
        { now: () => new Date(), admission: freeAdmission, onRecordingFailure: assert.ifError },
      );
      opened.push(close);
      return connector;
    },
  };
}

const said = ({ id, easDeviceId, email, osVersion, at }: FakeDevice): GraphDevice => ({
  id,
  easDeviceId,
  emailAddress: email,
  userPrincipalName: email,
  operatingSystem: "iOS",
  osVersion,
  complianceState: "compliant",
  lastSyncDateTime: at.toISOString(),
});

connectorContract({
  name: "Intune",
  pageSize: 3,
  timeoutMs: 1000,
  tells: ["easDeviceIds", "owner", "osVersion", "deviceAt"],
  has: ["full", "changed", "one", "refresh"],
  credential: "token",
  idOf: guid,
  async start(t) {
    const devices: FakeDevice[] = [];
    const { server, graph, connect } = await aGraph(t, () => devices.map(said));
    return {
      server,
      devices,
      secrets: [clientSecret, "the-wrong-secret", `token-1-of-${clientId}`],
      connect: (credential) => connect(credential === "wrong" ? "the-wrong-secret" : clientSecret),
      expireToken: () => graph.tokens.expire(),
      refreshed: (id) => graph.orders.get(id) ?? 0,
    };
  },
});

const context: ConnectorContext = {
  signal: new AbortController().signal,
  appIds: () => [],
  now: () => new Date(),
};

const reported = (device: Partial<GraphDevice>, reasons: readonly string[] = []): InventoryReport | undefined =>
  reportOf("intune", managedDevice.parse({ id: guid(1), operatingSystem: "iOS", ...device }), reasons);

suite("a managed device of Intune", () => {
  test("says of its compliance what Intune says, and no more than that", () => {
    const until = "2026-12-01T10:00:00Z";
    const verdicts = (
      [
        ["compliant", { state: "compliant", reasons: [] }],
        ["noncompliant", { state: "noncompliant", reasons: ["Restricted apps"] }],
        ["inGracePeriod", { state: "in-grace", reasons: ["Restricted apps"], until: new Date(until) }],
        ["conflict", { state: "cannot-tell", reasons: [] }],
        ["error", { state: "cannot-tell", reasons: [] }],
        ["unknown", { state: "cannot-tell", reasons: [] }],
        ["configManager", { state: "cannot-tell", reasons: [] }],
        ["aWordOfTomorrow", { state: "cannot-tell", reasons: [] }],
        [null, { state: "cannot-tell", reasons: [] }],
      ] as const
    ).map(([complianceState, verdict]) => [complianceState, verdict] as const);
    for (const [complianceState, verdict] of verdicts) {
      const report = reported({ complianceState, complianceGracePeriodExpirationDateTime: until }, ["Restricted apps"]);
      assert.deepEqual(report?.verdict, verdict, String(complianceState));
    }
  });

  test("never speaks of apps: what Intune has found says neither which nor when", () => {
    assert.equal(reported({})?.apps, undefined);
  });

  test("says nothing of an id of ActiveSync as long as Intune does not know it", () => {
    for (const easDeviceId of [null, "", "  "]) assert.ok(!("easDeviceIds" in (reported({ easDeviceId }) ?? {})));
    assert.deepEqual(reported({ easDeviceId: "APPL1" })?.easDeviceIds, ["APPL1"]);
  });

  test("takes .NET's first and last moments for what they stand for", () => {
    const report = reported({
      lastSyncDateTime: "0001-01-01T00:00:00Z",
      enrolledDateTime: "0001-01-01T00:00:00Z",
      complianceState: "inGracePeriod",
      complianceGracePeriodExpirationDateTime: "9999-12-31T23:59:59Z",
    });
    assert.deepEqual([report?.deviceAt, report?.enrolledAt, report?.verdict?.until], [undefined, undefined, undefined]);
  });

  test("tells iPads, computers and phones apart", () => {
    const platforms = (
      [
        ["iOS", "iPhone 15", "ios"],
        ["iOS", "iPad Pro", "ipados"],
        ["iPadOS", "iPad", "ipados"],
        ["Android", "Pixel 9", "android"],
        ["AndroidForWork", "SM-S921", "android"],
      ] as const
    ).map((each) => each);
    for (const [operatingSystem, model, platform] of platforms)
      assert.equal(reported({ operatingSystem, model })?.platform, platform);
    for (const operatingSystem of ["Windows", "macOS", "ChromeOS", ""]) {
      assert.equal(reported({ operatingSystem }), undefined, "a computer without mail by ActiveSync is left out");
      assert.ok(reported({ operatingSystem, easDeviceId: "WIN1" }) !== undefined);
    }
  });

  test("says what is known of the owner, the ownership and the lock", () => {
    const report = reported({
      userPrincipalName: "alice@corp.example",
      emailAddress: "",
      managedDeviceOwnerType: "personal",
      jailBroken: "True",
      androidSecurityPatchLevel: "2026-10-05",
    });
    assert.deepEqual(report?.owner, { email: undefined, name: "alice@corp.example", sourceUserId: undefined });
    assert.deepEqual([report?.ownership, report?.compromised, report?.securityPatch], ["personal", true, "2026-10-05"]);
    const unknown = reported({ jailBroken: "Unknown", managedDeviceOwnerType: "unknown", userId: guid(7) });
    assert.deepEqual([unknown?.owner, unknown?.compromised, unknown?.ownership], [undefined, undefined, "unknown"]);
  });
});

suite("why Intune calls a phone noncompliant", () => {
  const noncompliant = (number: number): GraphDevice => ({
    id: guid(number),
    operatingSystem: "iOS",
    complianceState: number % 2 === 0 ? "compliant" : "noncompliant",
  });
  const states = {
    value: [
      {
        displayName: "iOS\r\nphones",
        state: "nonCompliant",
        settingStates: [
          { setting: "RestrictedApps", settingName: "Restricted apps", state: "nonCompliant" },
          { setting: "Passcode", settingName: "Passcode", state: "compliant" },
        ],
      },
      { displayName: "Everybody", state: "nonCompliant", settingStates: [] },
      { displayName: "Fine", state: "compliant" },
    ],
  };

  test("is asked of the noncompliant ones only", async (t) => {
    const { server, connect } = await aGraph(
      t,
      () => [1, 2, 3].map(noncompliant),
      new Map([
        [guid(1), states],
        [guid(3), { value: [] }],
      ]),
    );
    const [page] = await Array.fromAsync(connect().full(undefined, context));
    assert.deepEqual(
      page?.reports.map(({ verdict }) => verdict?.reasons),
      [["iOS phones: Restricted apps", "Everybody"], [], []],
    );
    assert.equal(server.calls.filter(({ path }) => path.endsWith("PolicyStates")).length, 2);
  });

  test("does not keep the verdict waiting where Graph wants to be left alone", async (t) => {
    const { server, connect } = await aGraph(t, () => [1, 3, 5].map(noncompliant));
    server.fail({ kind: "answer", httpStatus: 429 }, { on: /PolicyStates$/, times: 99 });
    const [page] = await Array.fromAsync(connect().full(undefined, context));
    assert.deepEqual(
      page?.reports.map(({ verdict }) => verdict),
      [1, 3, 5].map(() => ({ state: "noncompliant", reasons: [] })),
    );
    assert.ok(server.calls.filter(({ path }) => path.endsWith("PolicyStates")).length <= 4);
  });
});

test("a next page of another server is not followed, and no token goes there", async (t) => {
  const { server, connect } = await aGraph(t, () => []);
  server.fail(
    { kind: "answer", body: { value: [], "@odata.nextLink": "https://graph.attacker.example/v1.0/next" } },
    { on: "/v1.0" },
  );
  await assert.rejects(Array.fromAsync(connect().full(undefined, context)), { code: "unreadable" });
});
