/** Fleet against a fake of it over real HTTP. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import * as z from "zod";
import { createFleet } from "../../../src/connectors/fleet/fleet.ts";
import { host, reportOf } from "../../../src/connectors/fleet/host.ts";
import { freeAdmission } from "../../../src/connectors/rest/admission.ts";
import { staticBearer } from "../../../src/connectors/rest/authentication.ts";
import { openRest } from "../../../src/connectors/rest/rest.ts";
import type { Connector, ConnectorContext } from "../../../src/inventory/connector.ts";
import type { InventoryReport } from "../../../src/inventory/report.ts";
import { readPlist } from "../../../src/plist/read-plist.ts";
import { isArray, isDictionary } from "../../../src/plist/value.ts";
import { writePlist } from "../../../src/plist/write-plist.ts";
import { connectorContract } from "../../contracts/connector.ts";
import type { FakeDevice } from "../../contracts/connector.ts";
import { startFakeSource } from "../../support/fake-source.ts";
import type { FakeAnswer, FakeRequest, FakeSource } from "../../support/fake-source.ts";

const hookSecret = "0123456789abcdef0123456789abcdef";
const noon = new Date("2026-11-28T12:00:00Z");

const commandOrder = z.object({ command: z.base64(), host_uuids: z.array(z.string()) });

interface Said {
  readonly id: number;
  readonly uuid: string;
}

interface World {
  readonly server: FakeSource;
  readonly orders: ReadonlyMap<string, number>;
  /** Hosts that were asked for their id, command by command. */
  readonly asked: readonly (readonly string[])[];
  readonly connect: (options?: { token?: string; asks?: boolean; premium?: boolean; now?: () => Date }) => Connector;
}

/** @param idOf what a phone answers when it is asked for its id; undefined: it has not answered yet */
async function aServer(
  t: TestContext,
  hosts: () => readonly Said[],
  idOf: (uuid: string) => string | undefined = () => undefined,
): Promise<World> {
  const orders = new Map<string, number>();
  const commands: string[][] = [];
  const route = ({ path, query, headers, method, body }: FakeRequest): FakeAnswer => {
    if (headers.authorization !== "Bearer the-token")
      return { httpStatus: 401, body: { message: "Authentication required" } };
    if (path === "/api/v1/fleet/hosts") {
      const size = Number(query.get("per_page"));
      const page = Number(query.get("page"));
      return { body: { hosts: hosts().slice(page * size, (page + 1) * size) } };
    }
    if (path === "/api/v1/fleet/commands/run") return runOf(body);
    if (path === "/api/v1/fleet/commands/results") return resultsOf(query.get("command_uuid") ?? "");
    const [, id = "", what] = /^\/api\/v1\/fleet\/hosts\/(\d+)(\/refetch)?$/.exec(path) ?? [];
    const found = hosts().find((each) => String(each.id) === id);
    if (found === undefined) return { httpStatus: 404, body: { message: "Resource Not Found" } };
    if (what === undefined) return { body: { host: found } };
    if (method !== "POST") return { httpStatus: 405 };
    orders.set(id, (orders.get(id) ?? 0) + 1);
    return { body: {} };
  };
  const runOf = (body: Buffer): FakeAnswer => {
    const order = commandOrder.safeParse(JSON.parse(body.toString()));
    if (!order.success) return { httpStatus: 400 };
    const list = readPlist(Buffer.from(order.data.command, "base64"));
    const command = isDictionary(list) ? list.get("Command") : undefined;
    const queries = isDictionary(command) ? command.get("Queries") : undefined;
    if (!isArray(queries) || queries[0] !== "EASDeviceIdentifier") return { httpStatus: 400 };
    commands.push(order.data.host_uuids);
    return { body: { command_uuid: `command-${commands.length}`, request_type: "DeviceInformation" } };
  };
  const resultsOf = (uuid: string): FakeAnswer => {
    const results = (commands[Number(uuid.slice("command-".length)) - 1] ?? []).flatMap((host_uuid) => {
      const id = idOf(host_uuid);
      if (id === undefined) return [];
      const answer = new Map([["QueryResponses", new Map(id === "" ? [] : [["EASDeviceIdentifier", id]])]]);
      return [{ host_uuid, status: "Acknowledged", result: Buffer.from(writePlist(answer)).toString("base64") }];
    });
    return { body: results.length === 0 ? {} : { results } };
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
    asked: commands,
    connect({ token = "the-token", asks = false, premium = true, now = () => noon } = {}) {
      const rest = openRest(
        { baseUrl: new URL(server.url), ca: undefined, timeoutMs: 1000, concurrent: 2, recordTo: undefined },
        () => staticBearer(token),
        { now, admission: freeAdmission, onRecordingFailure: assert.ifError },
      );
      opened.push(() => rest.close());
      return createFleet(
        { source: "fleet", pageSize: 3, asksEasDeviceIds: asks, refetchesPhones: premium, webhookSecret: hookSecret },
        rest,
        now,
      );
    },
  };
}

const said = ({ id, email, osVersion, at }: FakeDevice): Said & Record<string, unknown> => ({
  id: Number(id),
  uuid: `UDID-${id}`,
  platform: "ios",
  os_version: `iOS ${osVersion}`,
  detail_updated_at: at.toISOString(),
  mdm: { enrollment_status: "On (automatic)" },
  end_users: [{ idp_username: email, other_emails: [] }],
});

connectorContract({
  name: "Fleet",
  pageSize: 3,
  timeoutMs: 1000,
  tells: ["owner", "osVersion", "deviceAt"],
  has: ["full", "one", "refresh", "receiver"],
  credential: "static",
  async start(t) {
    const devices: FakeDevice[] = [];
    const { server, orders, connect } = await aServer(t, () => devices.map(said));
    return {
      server,
      devices,
      secrets: ["the-token", "the-wrong-token", hookSecret],
      connect: (credential) => withoutSecretPath(connect(credential === "wrong" ? { token: "the-wrong-token" } : {})),
      refreshed: (id) => orders.get(id) ?? 0,
      event: ({ id }) => ({
        method: "POST",
        path: "",
        headers: new Map([
          ["content-type", "application/json"],
          ["x-path", `/${hookSecret}`],
        ]),
        body: Buffer.from(
          JSON.stringify({ timestamp: noon, policy: { id: 1 }, hosts: [{ id: Number(id), hostname: "x" }] }),
        ),
      }),
    };
  },
});

/** The suite takes headers away to see whether a sender is believed; here it is the path that proves it. */
function withoutSecretPath(connector: Connector): Connector {
  const { receiver } = connector;
  if (receiver === undefined) return connector;
  return {
    ...connector,
    receiver: {
      ...receiver,
      receive: (request, context) =>
        receiver.receive({ ...request, path: request.headers.get("x-path") ?? "/" }, context),
    },
  };
}

const context: ConnectorContext = { signal: new AbortController().signal, appIds: () => [], now: () => noon };
const reported = (each: Readonly<Record<string, unknown>>, easId?: string): InventoryReport | undefined =>
  reportOf("fleet", host.parse({ id: 7, platform: "ios", ...each }), easId);

suite("a host of Fleet", () => {
  const software = [
    { name: "TikTok", version: "42.1", source: "ios_apps", bundle_identifier: "com.zhiliaoapp.musically" },
    { name: "something without an id", version: "1" },
  ];

  test("proves nothing about apps where Fleet keeps its own only", () => {
    for (const [platform, enrollment_status, scope] of [
      ["ios", "On (automatic)", "all"],
      ["ipados", "On (company-owned)", "all"],
      ["ios", "On (manual)", "managed-only"],
      ["ios", "On (personal)", "managed-only"],
      ["ios", undefined, "managed-only"],
      ["android", "On (automatic)", "work-profile"],
    ] as const) {
      const report = reported({
        platform,
        mdm: { enrollment_status },
        software,
        software_updated_at: noon.toISOString(),
      });
      assert.deepEqual(report?.apps, {
        scope,
        at: noon,
        apps: [{ id: "com.zhiliaoapp.musically", name: "TikTok", version: "42.1" }],
      });
    }
  });

  test("that was never heard of has no time, and a list without a time proves nothing", () => {
    const never = reported({
      detail_updated_at: "2000-01-01T00:00:00Z",
      software,
      software_updated_at: "2000-01-01T00:00:00Z",
    });
    assert.deepEqual([never?.deviceAt, never?.apps], [undefined, undefined]);
  });

  test("is left out where it is a computer, and trusted while its management is on", () => {
    for (const platform of ["darwin", "windows", "ubuntu", "chrome"]) assert.equal(reported({ platform }), undefined);
    assert.equal(reported({ mdm: { enrollment_status: "Off" } })?.enrolled, false);
    assert.equal(reported({ mdm: { enrollment_status: "On (manual)" } })?.enrolled, true);
  });

  test("has its owner from either of the two places", () => {
    assert.deepEqual(reported({ end_users: [{ idp_username: "alice@corp.example" }] })?.owner, {
      email: "alice@corp.example",
      name: "alice@corp.example",
    });
    assert.deepEqual(reported({ device_mapping: [{ email: "bob@corp.example", source: "mdm" }] })?.owner, {
      email: "bob@corp.example",
      name: undefined,
    });
    assert.ok(!("owner" in (reported({}) ?? {})));
    assert.equal(reported({ os_version: "iPadOS 17.5.1" })?.osVersion, "17.5.1");
  });
});

suite("the ids of ActiveSync of Fleet's iPhones", () => {
  const iphone = (id: number): Said => ({ ...said(aFake(String(id))), id });
  const aFake = (id: string): FakeDevice => ({
    id,
    easDeviceId: "",
    email: "a@corp.example",
    osVersion: "26.1",
    at: noon,
  });
  const idsOf = async (connector: Connector): Promise<unknown[]> =>
    (await Array.fromAsync(connector.full(undefined, context))).flatMap(({ reports }) =>
      reports.map((each) => each.easDeviceIds),
    );

  test("are asked for once, and told as soon as the phones have answered", async (t) => {
    const answers = new Map<string, string>();
    const { asked, connect } = await aServer(
      t,
      () => [1, 2, 3, 4].map(iphone),
      (uuid) => answers.get(uuid),
    );
    let now = noon;
    const connector = connect({ asks: true, now: () => now });
    assert.deepEqual(await idsOf(connector), [undefined, undefined, undefined, undefined]);
    assert.deepEqual(asked, [["UDID-1", "UDID-2", "UDID-3"], ["UDID-4"]]);
    answers.set("UDID-1", "APPL1").set("UDID-2", "");
    assert.deepEqual(await idsOf(connector), [["APPL1"], undefined, undefined, undefined]);
    answers.set("UDID-3", "APPL3").set("UDID-4", "APPL4");
    assert.deepEqual(await idsOf(connector), [["APPL1"], undefined, ["APPL3"], ["APPL4"]]);
    assert.equal(asked.length, 2, "nobody was asked twice");
    now = new Date(noon.getTime() + 86_400_000);
    await idsOf(connector);
    assert.deepEqual(asked.slice(2), [["UDID-2"]], "a day later only the one whose id is not known");
  });

  test("are not asked for unless the operator wants it", async (t) => {
    const { asked, connect } = await aServer(t, () => [1].map(iphone));
    await idsOf(connect());
    assert.deepEqual(asked, []);
  });

  test("that cannot be read are nobody's", async (t) => {
    const { server, connect } = await aServer(
      t,
      () => [1].map(iphone),
      () => undefined,
    );
    const connector = connect({ asks: true });
    await idsOf(connector);
    const result = Buffer.from("<!DOCTYPE plist [<!ENTITY a 'b'>]><plist><string>&a;</string></plist>").toString(
      "base64",
    );
    server.fail(
      { kind: "answer", body: { results: [{ host_uuid: "UDID-1", status: "Acknowledged", result }] } },
      { on: "/api/v1/fleet/commands/results" },
    );
    assert.deepEqual(await idsOf(connector), [undefined]);
  });
});

test("the free edition cannot hurry a phone, and does not say that it can", async (t) => {
  const { connect } = await aServer(t, () => []);
  const connector = connect({ premium: false });
  assert.deepEqual([connector.refresh, connector.abilities.refresh], [undefined, undefined]);
});

test("a webhook is believed at its secret path only", async (t) => {
  const { connect } = await aServer(t, () => []);
  const { receiver } = connect();
  assert.ok(receiver !== undefined);
  const body = Buffer.from(JSON.stringify({ hosts: [{ id: 7 }, { id: 7 }, { id: 8 }] }));
  const receive = (path: string) => receiver.receive({ method: "POST", path, headers: new Map(), body }, context);
  assert.deepEqual((await receive(`/${hookSecret}`)).signals, ["7", "8"]);
  for (const path of ["", "/", `/${hookSecret}/`, `/${hookSecret.slice(1)}`, `/${hookSecret.toUpperCase()}`]) {
    const { signals, answer } = await receive(path);
    assert.deepEqual([signals, answer([]).httpStatus], [[], 401], path);
  }
});
