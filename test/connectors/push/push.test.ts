/** Signed pushes: who may, what is understood of them, and what is told of each record. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { createPush, PUSH_BODY_LIMIT_BYTES } from "../../../src/connectors/push/push.ts";
import type { PushSettings } from "../../../src/connectors/push/push.ts";
import { localKeys, remoteKeys } from "../../../src/connectors/rest/bearer-check.ts";
import { readRecords, RECORDS_LIMIT } from "../../../src/connectors/push/records.ts";
import type { ConnectorContext, Received, ReceivedRequest } from "../../../src/inventory/connector.ts";
import { connectorContract } from "../../contracts/connector.ts";
import { startFakeSource } from "../../support/fake-source.ts";

const now = new Date("2026-11-28T12:00:00Z");
const secret = "0123456789abcdef0123456789abcdef";
const context: ConnectorContext = { signal: new AbortController().signal, appIds: () => [], now: () => now };

function aMemory() {
  const words = new Set<string>();
  return {
    words,
    remember: async (word: string) => {
      if (words.has(word)) return false;
      words.add(word);
      return true;
    },
    forget: async (word: string) => void words.delete(word),
  };
}

function aPush(settings: Partial<PushSettings> = {}, deps = aMemory()) {
  const connector = createPush(
    { source: "scripts", secrets: [secret], bearer: undefined, deliveriesPerMinute: 100, ...settings },
    deps,
  );
  const { receiver } = connector;
  assert.ok(receiver !== undefined);
  return (request: ReceivedRequest, at = now): Promise<Received> =>
    receiver.receive(request, { ...context, now: () => at });
}

let deliveries = 0;

interface Signing {
  readonly at?: Date;
  readonly id?: string;
  readonly keys?: readonly string[];
  readonly type?: string;
  readonly method?: string;
  readonly path?: string;
}

function signed(
  body: string,
  { at = now, id, keys = [secret], type, method = "POST", path = "" }: Signing = {},
): ReceivedRequest {
  deliveries += 1;
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const delivery = id ?? `delivery-${deliveries}`;
  const over = method === "DELETE" ? path : body;
  const signatures = keys.map(
    (key) => `v1=${createHmac("sha256", key).update(`${timestamp}.${delivery}.${over}`).digest("hex")}`,
  );
  return {
    method,
    path,
    headers: new Map([
      ["content-type", type ?? "application/json"],
      ["postern-timestamp", timestamp],
      ["postern-id", delivery],
      ["postern-signature", signatures.join(", ")],
    ]),
    body: Buffer.from(body),
  };
}

const record = JSON.stringify({ sourceDeviceId: "1", deviceAt: "2026-11-28T11:00:00Z", osVersion: "26.1" });
const statusOf = (received: Received): number =>
  received.answer(received.reports.map(() => ({ kind: "accepted" }))).httpStatus;

suite("a push", () => {
  test("says of each record what became of it, in the order of the body", async () => {
    const body = [
      record,
      '{"source":"jamf","sourceDeviceId":"2","changed":true}',
      '{"sourceDeviceId":"2","changed":true}',
      "{nonsense",
      '{"sourceDeviceId":"3","osVersoin":"26.1"}',
      '{"sourceDeviceId":"4","source":"other"}',
      '{"sourceDeviceId":"5","apps":["com.a"]}',
      '{"sourceDeviceId":"6","enrolled":false}',
    ].join("\n");
    const received = await aPush()(signed(body, { type: "application/x-ndjson" }));
    assert.deepEqual(
      received.reports.map(({ sourceDeviceId, enrolled, source }) => [source, sourceDeviceId, enrolled]),
      [
        ["scripts", "1", true],
        ["scripts", "6", false],
      ],
    );
    assert.deepEqual(received.signals, []);
    assert.deepEqual(received.elsewhere, [{ source: "jamf", sourceDeviceId: "2" }]);
    assert.deepEqual(received.answer([{ kind: "stale" }, { kind: "rejected", problem: "no" }]), {
      httpStatus: 200,
      body: {
        results: [
          { result: "stale" },
          { result: "accepted" },
          { result: "rejected", problem: "source: must name another source, which can be asked about the device" },
          { result: "rejected", problem: "is not JSON" },
          { result: "rejected", problem: "has an unknown key osVersoin" },
          { result: "rejected", problem: "source: is another one" },
          {
            result: "rejected",
            problem: "appsScope: must be given with apps: what does an app that is not there prove? (and 1 more)",
          },
          { result: "rejected", problem: "no" },
        ],
      },
    });
  });

  test("tells what was left out from what is not known", async () => {
    const written = {
      sourceDeviceId: "1",
      easDeviceIds: ["APPL1"],
      owner: { email: "Alice@corp.example" },
      compromised: null,
      osVersion: null,
      deviceAt: "2026-11-28T12:00:00+01:00",
      apps: ["com.a", { id: "com.b", name: "B", version: null }],
      appsScope: "all",
      sourceVerdict: { state: "in-grace", until: "2026-12-01T00:00:00Z" },
    };
    const { reports } = await aPush()(signed(JSON.stringify({ devices: [written] })));
    assert.deepEqual(reports, [
      {
        source: "scripts",
        sourceDeviceId: "1",
        enrolled: true,
        easDeviceIds: ["APPL1"],
        owner: { email: "Alice@corp.example" },
        compromised: undefined,
        osVersion: undefined,
        deviceAt: new Date("2026-11-28T11:00:00Z"),
        apps: {
          scope: "all",
          at: new Date("2026-11-28T11:00:00Z"),
          apps: [
            { id: "com.a", name: undefined, version: undefined },
            { id: "com.b", name: "B", version: undefined },
          ],
        },
        verdict: { state: "in-grace", reasons: [], until: new Date("2026-12-01T00:00:00Z") },
      },
    ]);
  });

  test("that was signed with either of two keys counts, and with neither does not", async () => {
    const receive = aPush({ secrets: [secret, "b".repeat(32)] });
    assert.equal(statusOf(await receive(signed(record))), 200);
    assert.equal(statusOf(await receive(signed(record, { keys: ["b".repeat(32)] }))), 200);
    assert.equal(statusOf(await receive(signed(record, { keys: ["x".repeat(32), secret] }))), 200);
    assert.equal(statusOf(await receive(signed(record, { keys: ["x".repeat(32)] }))), 403);
  });

  test("of which one bit is another counts for nothing", async () => {
    const receive = aPush();
    const good = signed(record);
    const changed = Buffer.from(good.body);
    changed[3] = (changed[3] ?? 0) ^ 1;
    for (const bad of [
      { ...good, body: changed },
      { ...good, headers: new Map([...good.headers, ["postern-id", "delivery-other"]]) },
      { ...good, headers: new Map([...good.headers, ["postern-timestamp", String(now.getTime() / 1000 + 1)]]) },
      {
        ...good,
        headers: new Map([
          ...good.headers,
          ["postern-signature", (good.headers.get("postern-signature") ?? "").toUpperCase()],
        ]),
      },
    ]) {
      const received = await receive(bad);
      assert.deepEqual([received.reports, received.signals, received.answer([])], [[], [], { httpStatus: 403 }]);
    }
    assert.equal(statusOf(await receive(good)), 200);
  });

  test("counts for five minutes in both directions, and once", async () => {
    const memory = aMemory();
    const receive = aPush({}, memory);
    for (const [skewSeconds, httpStatus] of [
      [-300, 200],
      [300, 200],
      [-301, 403],
      [301, 403],
    ] as const) {
      assert.equal(
        statusOf(await receive(signed(record, { at: new Date(now.getTime() + skewSeconds * 1000) }))),
        httpStatus,
      );
    }
    const once = signed(record);
    assert.equal(statusOf(await receive(once)), 200);
    assert.equal(statusOf(await receive(once)), 403);
    // The other node of the same store.
    assert.equal(statusOf(await aPush({}, memory)(once)), 403);
  });

  test("that could not be stored may come again as it was", async () => {
    const receive = aPush();
    const request = signed(record);
    const received = await receive(request);
    await received.undo?.();
    assert.equal(statusOf(await receive(request)), 200);
  });

  test("comes later where the store or the minute has no room, and is not used up by that", async () => {
    const away = aPush({}, { ...aMemory(), remember: () => Promise.reject(new Error("away")) });
    assert.equal(statusOf(await away(signed(record))), 503);
    const receive = aPush({ deliveriesPerMinute: 2 });
    const requests = [signed(record), signed(record), signed(record)] as const;
    assert.equal(statusOf(await receive(requests[0])), 200);
    assert.equal(statusOf(await receive(requests[1])), 200);
    const { answer } = await receive(requests[2], new Date(now.getTime() + 30_000));
    assert.deepEqual(answer([]), { httpStatus: 429, headers: new Map([["retry-after", "30"]]) });
    assert.equal(statusOf(await receive(requests[2], new Date(now.getTime() + 60_000))), 200);
    // Nobody unproven uses the minute up.
    const quiet = aPush({ deliveriesPerMinute: 1 });
    for (let count = 0; count < 5; count += 1) await quiet(signed(record, { keys: ["x".repeat(32)] }));
    assert.equal(statusOf(await quiet(signed(record))), 200);
  });

  test("takes a device away by DELETE, whose path is what is signed", async () => {
    const receive = aPush();
    const { reports } = await receive(signed("", { method: "DELETE", path: "/a%2Fb%20c" }));
    assert.deepEqual(reports, [{ source: "scripts", sourceDeviceId: "a/b c", enrolled: false }]);
    for (const path of ["", "/", "/a/b", "/%E0%A4"]) {
      assert.equal(statusOf(await receive(signed("", { method: "DELETE", path }))), 404, path);
    }
    const other = { ...signed("", { method: "DELETE", path: "/a" }), path: "/b" };
    assert.equal(statusOf(await receive(other)), 403);
    assert.equal(statusOf(await receive(signed(record, { method: "PUT" }))), 404);
    assert.equal(statusOf(await receive(signed(record, { path: "/more" }))), 404);
  });

  test("in a form that nobody announced is refused as a whole", async () => {
    const receive = aPush();
    for (const [body, type] of [
      ["", "application/json"],
      ["null", "application/json"],
      ["[]", "application/json"],
      ['{"devices":7}', "application/json"],
      ['{"devices":[],"more":1}', "application/json"],
      [record, "text/plain"],
      [record, "application/x-www-form-urlencoded"],
    ] as const) {
      assert.equal(statusOf(await receive(signed(body, { type }))), 400, body);
    }
    const badText = { ...signed(record), body: Buffer.of(0xff, 0xfe) };
    assert.equal(statusOf(await receive(badText)), 403);
  });

  test("has so many records, and not one more", () => {
    const lines = (count: number): Buffer => Buffer.from(`${record}\n`.repeat(count));
    assert.equal(readRecords("scripts", "application/x-ndjson", lines(RECORDS_LIMIT))?.length, RECORDS_LIMIT);
    assert.equal(readRecords("scripts", "application/x-ndjson", lines(RECORDS_LIMIT + 1)), undefined);
    assert.ok(lines(RECORDS_LIMIT).length < PUSH_BODY_LIMIT_BYTES);
  });
});

suite("a push with a token", () => {
  async function anIssuer(t: TestContext, algorithm: "RS256" | "ES256" | "HS256" | "PS256" = "ES256") {
    const { publicKey, privateKey } = await generateKeyPair(algorithm === "HS256" ? "ES256" : algorithm, {
      extractable: true,
    });
    const jwk = { ...(await exportJWK(publicKey)), kid: "k1" };
    const server = await startFakeSource(() => ({ body: { keys: [jwk] } }));
    t.after(() => server.close());
    const token = (claims: Record<string, unknown> = {}): Promise<string> => {
      const unsigned = new SignJWT({ ...claims }).setProtectedHeader({ alg: algorithm, kid: "k1" });
      return unsigned.sign(algorithm === "HS256" ? Buffer.from(JSON.stringify(jwk)) : privateKey);
    };
    return { server, token, jwks: JSON.stringify({ keys: [jwk] }) };
  }
  const seconds = now.getTime() / 1000;
  const good = { iss: "https://id.corp.example", aud: "postern", exp: seconds + 60 };
  const bearing = (token: string): ReceivedRequest => ({
    method: "POST",
    path: "",
    headers: new Map([
      ["content-type", "application/json"],
      ["authorization", `Bearer ${token}`],
    ]),
    body: Buffer.from(record),
  });
  const settings = { issuer: "https://id.corp.example", audience: "postern" };

  test("counts from the issuer, for us, in its time", async (t) => {
    for (const algorithm of ["RS256", "ES256"] as const) {
      const { token, jwks } = await anIssuer(t, algorithm);
      const receive = aPush({ secrets: [], bearer: { ...settings, keys: localKeys(jwks) } });
      assert.equal(statusOf(await receive(bearing(await token(good)))), 200);
      for (const wrong of [
        { ...good, iss: "https://other.example" },
        { ...good, aud: "other" },
        { ...good, exp: seconds - 61 },
        { ...good, nbf: seconds + 61 },
        { iss: good.iss, aud: good.aud },
      ]) {
        const refused = await receive(bearing(await token(wrong)));
        assert.deepEqual([refused.reports, refused.answer([])], [[], { httpStatus: 403 }]);
      }
    }
  });

  test("counts in no other algorithm than those two, and not unsigned", async (t) => {
    for (const algorithm of ["HS256", "PS256"] as const) {
      const { token, jwks } = await anIssuer(t, algorithm);
      const receive = aPush({ secrets: [], bearer: { ...settings, keys: localKeys(jwks) } });
      assert.equal(statusOf(await receive(bearing(await token(good)))), 403);
    }
    const { jwks } = await anIssuer(t);
    const receive = aPush({ secrets: [], bearer: { ...settings, keys: localKeys(jwks) } });
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    assert.equal(statusOf(await receive(bearing(`${part({ alg: "none" })}.${part(good)}.`))), 403);
    assert.equal(statusOf(await receive({ ...bearing("x"), headers: new Map() })), 401);
  });

  test("of an issuer whose keys cannot be had comes later", async (t) => {
    const { token, server } = await anIssuer(t);
    const receive = aPush({ secrets: [], bearer: { ...settings, keys: remoteKeys(new URL(server.url)) } });
    assert.equal(statusOf(await receive(bearing(await token(good)))), 200);
    await server.close();
    const other = aPush({ secrets: [], bearer: { ...settings, keys: remoteKeys(new URL(server.url)) } });
    assert.equal(statusOf(await other(bearing(await token(good)))), 503);
  });
});

connectorContract({
  name: "push",
  pageSize: 2,
  timeoutMs: 1000,
  tells: ["easDeviceIds", "owner", "osVersion", "deviceAt"],
  has: ["receiver"],
  credential: "static",
  async start(t) {
    const server = await startFakeSource(() => undefined);
    t.after(() => server.close());
    const { words: _, ...memory } = aMemory();
    return {
      server,
      devices: [],
      secrets: [secret],
      connect: () =>
        createPush({ source: "scripts", secrets: [secret], bearer: undefined, deliveriesPerMinute: 1000 }, memory),
      event: ({ id, easDeviceId, email, osVersion, at }) =>
        signed(
          JSON.stringify({
            sourceDeviceId: id,
            easDeviceIds: [easDeviceId],
            owner: { email },
            osVersion,
            deviceAt: at,
          }),
        ),
    };
  },
});
