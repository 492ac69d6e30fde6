/** Jamf Pro against a fake of it over real HTTP. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createJamf } from "../../../src/connectors/jamf/jamf.ts";
import { mobileDevice, reportOf } from "../../../src/connectors/jamf/mobile-device.ts";
import { createWebhook } from "../../../src/connectors/jamf/webhook.ts";
import type { WebhookCredential } from "../../../src/connectors/rest/webhook-credential.ts";
import type { Connector, ConnectorContext, Received } from "../../../src/inventory/connector.ts";
import type { InventoryReport } from "../../../src/inventory/report.ts";
import { freeAdmission } from "../../../src/connectors/rest/admission.ts";
import { connectorContract } from "../../contracts/connector.ts";
import type { FakeDevice } from "../../contracts/connector.ts";
import { createFakeTokens, startFakeSource } from "../../support/fake-source.ts";
import type { FakeAnswer, FakeRequest, FakeSource, FakeTokens } from "../../support/fake-source.ts";

const tokenPath = "/api/v1/oauth/token";
const hook: WebhookCredential = { kind: "header", name: "x-postern", value: "the-hook-secret" };

/** A device with the sections that a test needs. */
interface Said {
  readonly mobileDeviceId: string;
  readonly general: Readonly<Record<string, unknown>> & { readonly lastInventoryUpdateDate: string };
  readonly userAndLocation: unknown;
  readonly applications: unknown;
}

interface World {
  readonly server: FakeSource;
  readonly tokens: FakeTokens;
  readonly orders: ReadonlyMap<string, number>;
  readonly connect: (secret?: string) => Connector;
}

/** Its answers have the sections that were asked for, and no others. */
async function aServer(t: TestContext, devices: () => readonly Said[]): Promise<World> {
  const tokens = createFakeTokens(tokenPath, { clientId: "postern", clientSecret: "the-client-secret" });
  const orders = new Map<string, number>();
  const route = (request: FakeRequest): ReturnType<FakeTokens["route"]> => {
    if (request.path === tokenPath) return tokens.route(request);
    if (!tokens.admits(request)) return { httpStatus: 401 };
    if (request.path === "/api/v2/mobile-devices/detail") return listOf(request.query);
    const order = /^\/JSSResource\/mobiledevicecommands\/command\/UpdateInventory\/id\/(.*)$/.exec(request.path);
    const id = order?.[1] ?? "";
    if (request.method !== "POST" || devices().every(({ mobileDeviceId }) => mobileDeviceId !== id))
      return { httpStatus: 404 };
    orders.set(id, (orders.get(id) ?? 0) + 1);
    const xml = `<mobile_device_command><command><name>UpdateInventory</name></command></mobile_device_command>`;
    return { httpStatus: 201, headers: { "content-type": "text/xml" }, body: Buffer.from(xml) };
  };
  const listOf = (query: URLSearchParams): FakeAnswer => {
    const filter = query.get("filter") ?? "";
    const since = /^lastInventoryUpdateDate=gt="([^"]+)"$/.exec(filter)?.[1];
    const id = /^mobileDeviceId=="(\d+)"$/.exec(filter)?.[1];
    if (filter !== "" && since === undefined && id === undefined) return { httpStatus: 400 };
    const names = query.getAll("section");
    const found = devices().filter(({ mobileDeviceId, general }) => {
      if (id !== undefined) return mobileDeviceId === id;
      return since === undefined || general.lastInventoryUpdateDate > since;
    });
    const size = Number(query.get("page-size"));
    const from = Number(query.get("page")) * size;
    const shown = <T>(name: string, section: T): T | null => (names.includes(name) ? section : null);
    const results = found
      .slice(from, from + size)
      .map(({ mobileDeviceId, general, userAndLocation, applications }) => ({
        mobileDeviceId,
        deviceType: "iOS",
        general: shown("GENERAL", general),
        userAndLocation: shown("USER_AND_LOCATION", userAndLocation),
        applications: shown("APPLICATIONS", applications),
      }));
    return { body: { totalCount: found.length, results } };
  };
  const server = await startFakeSource(route, { tokenPath });
  const opened: (() => void)[] = [];
  t.after(async () => {
    for (const close of opened) close();
    await server.close();
  });
  return {
    server,
    tokens,
    orders,
    connect(secret = "the-client-secret") {
      const { connector, close } = createJamf(
        {
          source: "jamf",
          baseUrl: new URL(server.url),
          clientId: "postern",
          clientSecret: secret,
          tokenPath,
          pageSize: 3,
          webhook: hook,
          ca: undefined,
          timeoutMs: 1000,
          concurrent: 5,
          recordTo: undefined,
        },
        { now: () => new Date(), admission: freeAdmission, onRecordingFailure: assert.ifError },
      );
      opened.push(close);
      return connector;
    },
  };
}

const said = ({ id, easDeviceId, email, osVersion, at }: FakeDevice): Said => ({
  mobileDeviceId: id,
  general: { osVersion, lastInventoryUpdateDate: at.toISOString(), managed: true, exchangeDeviceId: easDeviceId },
  userAndLocation: { username: "", emailAddress: email },
  applications: [],
});

const eventOf = (webhookEvent: string, jssID: unknown, eventTimestamp: unknown = 1_795_867_200_000): Buffer =>
  Buffer.from(
    JSON.stringify({
      webhook: { id: 1, name: "Postern", webhookEvent, eventTimestamp },
      event: {
        jssID,
        udid: "0000-UDID",
        serialNumber: "C0FFEE",
        deviceName: "phone",
        osVersion: "26.1",
        username: "x",
      },
    }),
  );

connectorContract({
  name: "Jamf Pro",
  pageSize: 3,
  timeoutMs: 1000,
  tells: ["easDeviceIds", "owner", "osVersion", "deviceAt"],
  has: ["full", "changed", "one", "refresh", "receiver"],
  credential: "token",
  async start(t) {
    const devices: FakeDevice[] = [];
    const { server, tokens, orders, connect } = await aServer(t, () => devices.map(said));
    return {
      server,
      devices,
      secrets: ["the-client-secret", "the-wrong-secret", "the-hook-secret", "token-1-of-postern"],
      connect: (credential) => connect(credential === "wrong" ? "the-wrong-secret" : "the-client-secret"),
      expireToken: () => tokens.expire(),
      refreshed: (id) => orders.get(id) ?? 0,
      event: ({ id }) => ({
        method: "POST",
        path: "",
        headers: new Map([
          ["content-type", "application/json"],
          ["x-postern", "the-hook-secret"],
        ]),
        body: eventOf("MobileDeviceInventoryCompleted", Number(id)),
      }),
    };
  },
});

const at = "2026-11-28T10:00:00.000Z";
const reported = (device: Readonly<Record<string, unknown>>): InventoryReport | undefined =>
  reportOf("jamf", mobileDevice.parse({ mobileDeviceId: "17", deviceType: "iOS", ...device }));

suite("a mobile device of Jamf Pro", () => {
  const banned = { identifier: "com.zhiliaoapp.musically", name: "TikTok", version: "420100", shortVersion: "42.1" };

  test("has the apps that the phone had when it looked", () => {
    const report = reported({
      general: { lastInventoryUpdateDate: at, deviceOwnershipType: "Institutional" },
      applications: [banned, { identifier: "", name: "Nameless" }, { identifier: "com.example.mail", version: "7" }],
    });
    assert.deepEqual(report?.apps, {
      scope: "all",
      at: new Date(at),
      apps: [
        { id: "com.zhiliaoapp.musically", name: "TikTok", version: "42.1" },
        { id: "com.example.mail", name: undefined, version: "7" },
      ],
    });
  });

  test("proves nothing about other apps where the company sees its own only", () => {
    for (const [deviceOwnershipType, scope, ownership] of [
      ["UserEnrollment", "managed-only", "personal"],
      ["AccountDrivenUserEnrollment", "managed-only", "personal"],
      ["PersonalDeviceProfile", "all", "personal"],
      ["AccountDrivenDeviceEnrollment", "all", "corporate"],
      ["Institutional", "all", "corporate"],
      [null, "all", "unknown"],
    ] as const) {
      const report = reported({ general: { lastInventoryUpdateDate: at, deviceOwnershipType }, applications: [] });
      assert.deepEqual([report?.apps?.scope, report?.ownership], [scope, ownership], String(deviceOwnershipType));
    }
  });

  test("does not speak of apps without a list, or without the time of it", () => {
    assert.equal(reported({ general: { lastInventoryUpdateDate: at }, applications: null })?.apps, undefined);
    assert.equal(reported({ general: {}, applications: [banned] })?.apps, undefined);
    assert.equal(
      reported({ general: { lastInventoryUpdateDate: "1970-01-01T00:00:00Z" }, applications: [banned] })?.deviceAt,
      undefined,
    );
  });

  test("is enrolled as long as Jamf manages it, and has the parts of its version", () => {
    assert.equal(reported({ general: { managed: false } })?.enrolled, false);
    assert.equal(reported({ general: { managed: null } })?.enrolled, true);
    const report = reported({
      general: {
        osVersion: "26.1",
        osBuild: "23B85",
        osRapidSecurityResponse: "(a)",
        osSupplementalBuildVersion: "23B86",
      },
    });
    assert.deepEqual([report?.osVersion, report?.osBuild, report?.osExtra], ["26.1", "23B86", "(a)"]);
  });

  test("is compromised in the words of either version of the interface", () => {
    for (const [security, compromised] of [
      [{ jailbreakStatus: "Normal" }, false],
      [{ jailbreakStatus: "Compromised" }, true],
      [{ jailBreakDetected: true }, true],
      [{ jailBreakDetected: "false" }, false],
      [{ jailbreakStatus: "Unknown" }, undefined],
    ] as const)
      assert.equal(reported({ security })?.compromised, compromised, JSON.stringify(security));
    assert.ok(!("compromised" in (reported({ security: null }) ?? {})));
  });

  test("is a phone or an iPad; a television reads no mail", () => {
    assert.equal(reported({ hardware: { modelIdentifier: "iPad14,1" } })?.platform, "ipados");
    assert.equal(reported({ hardware: { modelIdentifier: "iPhone17,1" } })?.platform, "ios");
    assert.equal(reported({ deviceType: "tvOS" }), undefined);
  });

  test("does not speak of an owner where that section is missing, and says when nobody is known", () => {
    assert.ok(!("owner" in (reported({ userAndLocation: null }) ?? {})));
    const nobody = reported({ userAndLocation: { username: " ", emailAddress: "" } });
    assert.ok(nobody !== undefined && "owner" in nobody && nobody.owner === undefined);
  });
});

suite("a webhook of Jamf Pro", () => {
  const context: ConnectorContext = { signal: new AbortController().signal, appIds: () => [], now: () => new Date() };
  const receive = (body: Uint8Array, headers = new Map([["x-postern", "the-hook-secret"]])): Promise<Received> =>
    createWebhook("jamf", hook).receive({ method: "POST", path: "", headers, body }, context);

  test("says which device to read, however its id is written", async () => {
    for (const id of [17, "17"]) assert.deepEqual((await receive(eventOf("MobileDeviceEnrolled", id))).signals, ["17"]);
  });

  test("ends the trust in a phone at once when it is unenrolled, in either spelling and either unit of time", async () => {
    for (const [event, stamp] of [
      ["MobileDeviceUnEnrolled", 1_795_867_200_000],
      ["MobileDeviceUnenrolled", 1_795_867_200],
    ] as const) {
      const { reports } = await receive(eventOf(event, 17, stamp));
      assert.deepEqual(reports, [
        { source: "jamf", sourceDeviceId: "17", enrolled: false, deviceAt: new Date(1_795_867_200_000) },
      ]);
    }
  });

  test("is taken and has no effect where it is about something else", async () => {
    for (const body of [
      eventOf("MobileDeviceCheckIn", 17),
      eventOf("DeviceRateLimited", undefined),
      eventOf("ComputerAdded", 3),
    ]) {
      const { reports, signals, refresh, answer } = await receive(body);
      assert.deepEqual([reports, signals, refresh, answer([]).httpStatus], [[], [], [], 200]);
    }
  });

  test("is refused without the header or the password that the operator has set", async () => {
    const event = eventOf("MobileDeviceEnrolled", 17);
    for (const given of ["", "the-hook-secret ", "THE-HOOK-SECRET", "the-hook-secre"]) {
      const { signals, answer } = await receive(event, new Map([["x-postern", given]]));
      assert.deepEqual([signals, answer([]).httpStatus], [[], 401]);
    }
    const basic = createWebhook("jamf", { kind: "basic", username: "jamf", password: "the-password" });
    const authorization = `Basic ${Buffer.from("jamf:the-password").toString("base64")}`;
    const right = await basic.receive(
      { method: "POST", path: "", headers: new Map([["authorization", authorization]]), body: event },
      context,
    );
    assert.deepEqual(right.signals, ["17"]);
  });

  test("is refused where it cannot be read", async () => {
    for (const text of [
      "",
      "{",
      "[]",
      '{"webhook":{},"event":{}}',
      '{"webhook":{"webhookEvent":"x"},"event":{"jssID":"../1"}}',
    ])
      assert.equal((await receive(Buffer.from(text))).answer([]).httpStatus, 400, text);
  });
});
