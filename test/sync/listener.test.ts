/** The inventory listener: what reaches a receiver, what does not, and what is answered when the store is away. */
import assert from "node:assert/strict";
import https from "node:https";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { Connector, Receiver } from "../../src/inventory/connector.ts";
import { createRechecks } from "../../src/inventory/rechecks.ts";
import { openStore } from "../../src/store/open.ts";
import { StoreUnavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { listenInventory } from "../../src/sync/listener.ts";
import type { InventoryListenerOptions, InventoryRequest } from "../../src/sync/listener.ts";
import { createMemory, startSync } from "../../src/sync/sync.ts";
import { createPush } from "../../src/connectors/push/push.ts";
import { aCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { ask, exchangeBytes } from "../support/http.ts";
import { aListSource, aPlainIntake, enrolledIn } from "../support/sync-sources.ts";
import { signedHeaders } from "../support/signed-push.ts";

const receiver: Receiver = {
  bodyLimitBytes: 1000,
  receive: () => Promise.reject(new Error("not asked here")),
};

async function aListener(t: TestContext, more: Partial<InventoryListenerOptions> = {}) {
  const taken: InventoryRequest[] = [];
  const answers: number[] = [];
  const failures: unknown[] = [];
  const listener = await listenInventory({
    host: "127.0.0.1",
    port: 0,
    tls: undefined,
    receiverOf: (source) => (source === "jamf" ? receiver : undefined),
    take: async (_source, request) => {
      taken.push(request);
      return { httpStatus: 200, body: { ok: true } };
    },
    openApi: '{"openapi":"3.1.0"}',
    onAnswer: (_source, httpStatus) => answers.push(httpStatus),
    onFailure: (cause) => failures.push(cause),
    now: () => 0,
    ...more,
  });
  t.after(() => listener.close());
  const { port } = listener.address;
  const post = (
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: Buffer | string } = {},
  ) => ask(`http://127.0.0.1:${port}${path}`, { method: "POST", agent: false, ...options });
  return { taken, answers, failures, post, port };
}

suite("the inventory listener", () => {
  test("hands over what is for a source, raw, with the rest of its path", async (t) => {
    const { post, taken } = await aListener(t);
    const body = Buffer.from([0, 1, 2, 255]);
    assert.equal((await post("/v1/inventory/jamf/hook/a%20b", { body, headers: { "X-Key": "k" } })).status, 200);
    const [request] = taken;
    assert.deepEqual([request?.method, request?.path, request?.headers.get("x-key")], ["POST", "/hook/a%20b", "k"]);
    assert.deepEqual(Buffer.from(request?.body ?? []), body);
    for (const method of ["PUT", "DELETE"]) assert.equal((await post("/v1/inventory/jamf", { method })).status, 200);
    const { status, headers, body: said } = await post("/v1/inventory/jamf");
    assert.deepEqual([status, headers["content-type"], said.toString()], [200, "application/json", '{"ok":true}']);
  });

  test("says that it lives, and what can be said to it", async (t) => {
    const { post, answers } = await aListener(t);
    assert.equal((await post("/livez", { method: "GET" })).body.toString(), "ok\n");
    assert.equal((await post("/v1/openapi.json", { method: "GET" })).body.toString(), '{"openapi":"3.1.0"}');
    assert.equal((await post("/metrics", { method: "GET" })).status, 404);
    assert.deepEqual(answers, []);
  });

  test("knows one spelling of a path, and tells nothing about others", async (t) => {
    const { post, port, taken } = await aListener(t, { limits: { requestsPerMinute: 1000, refusedPerMinute: 1000 } });
    const paths = [
      "/",
      "/v1/inventory",
      "/v1/inventory/",
      "/v1/inventory/intune",
      "/V1/inventory/jamf",
      "/v1/inventory/JAMF",
      "//v1/inventory/jamf",
      "/v1/inventory//jamf",
      "/v1/inventory/jamf/",
      "/v1/inventory/jamf//a",
      "/v1/inventory/jamf?x=1",
      "/v1/inventory/./jamf",
      "/v1/inventory/jamf/../jamf",
      "/v1/inventory/jamf/%2e%2e",
      "/v1/inventory/jamf/%2E",
      "/v1/inventory/jam%66",
      "/v1/inventory/jamf/%zz",
      "/v1/inventory/jamf/%00",
      "/v1/inventory/jamf\\a",
      `/v1/inventory/jamf/${"a".repeat(1100)}`,
      "http://x/v1/inventory/jamf",
    ];
    for (const path of paths) {
      const [head = ""] = (
        await exchangeBytes(port, `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      ).split("\r\n");
      assert.match(head, /^HTTP\/1\.1 (404|400) /, path);
    }
    assert.equal((await post("/v1/inventory/jamf", { method: "PATCH" })).status, 404);
    assert.deepEqual(taken, []);
  });

  test("refuses what two programs could read differently, and what is packed", async (t) => {
    const { post, port, taken } = await aListener(t);
    const twice = await exchangeBytes(
      port,
      "POST /v1/inventory/jamf HTTP/1.1\r\nHost: x\r\nX-Key: a\r\nX-Key: b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    assert.match(twice, /^HTTP\/1\.1 400 /);
    const smuggled = await exchangeBytes(
      port,
      "POST /v1/inventory/jamf HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    assert.match(smuggled, /^HTTP\/1\.1 400 /);
    assert.equal((await post("/v1/inventory/jamf", { headers: { "content-encoding": "gzip" } })).status, 415);
    assert.deepEqual(taken, []);
  });

  test("takes a body of the limit, and not one byte more, announced or not", async (t) => {
    const { post, port } = await aListener(t);
    assert.equal((await post("/v1/inventory/jamf", { body: Buffer.alloc(1000) })).status, 200);
    assert.equal((await post("/v1/inventory/jamf", { body: Buffer.alloc(1001) })).status, 413);
    const chunked = (bytes: number): string =>
      `POST /v1/inventory/jamf HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${bytes.toString(16)}\r\n${"x".repeat(bytes)}\r\n0\r\n\r\n`;
    assert.match(await exchangeBytes(port, chunked(1000)), /^HTTP\/1\.1 200 /);
    assert.match(await exchangeBytes(port, chunked(1001)), /^HTTP\/1\.1 413 /);
  });

  test("lets no address ask, or try, without end", async (t) => {
    let now = 0;
    const { post } = await aListener(t, { now: () => now, limits: { requestsPerMinute: 5, refusedPerMinute: 2 } });
    for (let count = 0; count < 2; count += 1) assert.equal((await post("/v1/inventory/nobody")).status, 404);
    const third = await post("/v1/inventory/jamf");
    assert.deepEqual([third.status, third.headers["retry-after"]], [429, "60"]);
    now += 60_000;
    for (let count = 0; count < 5; count += 1) assert.equal((await post("/v1/inventory/jamf")).status, 200);
    assert.equal((await post("/v1/inventory/jamf")).status, 429);
    assert.equal((await post("/livez", { method: "GET" })).status, 200);
  });

  test("answers a fault of its own with a status, and nothing else", async (t) => {
    const { post, failures } = await aListener(t, { take: () => Promise.reject(new TypeError("secret")) });
    const { status, body } = await post("/v1/inventory/jamf");
    assert.deepEqual([status, body.toString(), failures.length], [500, "", 1]);
  });

  test("speaks TLS where it has a certificate", async (t) => {
    const tls = aCertificate("localhost");
    const { port } = await aListener(t, { tls });
    const status = await new Promise((resolve, reject) => {
      const request = https.get(`https://localhost:${port}/livez`, { agent: false, ca: tls.cert }, (res) => {
        res.resume();
        resolve(res.statusCode);
      });
      request.once("error", reject);
    });
    assert.equal(status, 200);
  });
});

suite("what is pushed", () => {
  const secret = "0123456789abcdef0123456789abcdef";

  async function aPushNode(t: TestContext) {
    const store = await openStore({ embedded: { path: ":memory:" } });
    t.after(() => store.close());
    let isAway = false;
    const halting: Store = {
      ...store,
      transact: (keys, decide) =>
        isAway && keys.some(({ kind }) => kind === "managed")
          ? Promise.reject(new StoreUnavailable(new Error("away")))
          : store.transact(keys, decide),
    };
    const node = async () => {
      const connector: Connector = createPush(
        { source: "scripts", secrets: [secret], bearer: undefined, deliveriesPerMinute: 100 },
        createMemory(halting, "scripts"),
      );
      const pushing = { ...aListSource("scripts"), connector };
      const list = aListSource("list");
      const sync = await startSync({
        sources: [pushing, list],
        listen: { host: "127.0.0.1", port: 0, tls: undefined, openApi: "{}" },
        store: halting,
        intakeOn: aPlainIntake,
        rechecksOn: createRechecks,
        view: () => Promise.resolve({ managed: undefined, deviceAt: undefined, appsAt: undefined, isHeld: false }),
        appIds: () => [],
        hashDevice: () => "",
        tell: () => undefined,
        now: () => new Date(),
      });
      t.after(() => sync.close());
      const push = (body: string, id: string) =>
        ask(`http://127.0.0.1:${sync.address?.port}/v1/inventory/scripts`, {
          method: "POST",
          agent: false,
          headers: { "content-type": "application/json", ...signedHeaders(secret, body, { id }) },
          body,
        });
      return { push, list };
    };
    return { store, node, setAway: (away: boolean) => (isAway = away) };
  }

  test("is stored before it is answered; the other node takes no second copy", async (t) => {
    const { store, node } = await aPushNode(t);
    const [a, b] = [await node(), await node()];
    const first = await a.push('{"sourceDeviceId":"1"}', "delivery-1");
    assert.deepEqual([first.status, first.body.toString()], [200, '{"results":[{"result":"accepted"}]}']);
    assert.deepEqual(await enrolledIn(store, "scripts"), ["1"]);
    const again = await b.push('{"sourceDeviceId":"1"}', "delivery-1");
    assert.deepEqual([again.status, again.body.toString()], [403, ""]);
  });

  test("while the store is away comes again later, as it was", async (t) => {
    const { store, node, setAway } = await aPushNode(t);
    const { push } = await node();
    setAway(true);
    const away = await push('{"sourceDeviceId":"1"}', "delivery-1");
    assert.deepEqual([away.status, away.headers["retry-after"]], [503, "5"]);
    setAway(false);
    assert.equal((await push('{"sourceDeviceId":"1"}', "delivery-1")).status, 200);
    assert.deepEqual(await enrolledIn(store, "scripts"), ["1"]);
  });

  test("as a hint about another source has that one asked", async (t) => {
    const { store, node } = await aPushNode(t);
    const { push, list } = await node();
    list.devices.push({ id: "7", at: new Date("2026-01-01T00:00:00Z") });
    const body =
      '{"devices":[{"source":"list","sourceDeviceId":"7","changed":true},{"source":"nobody","sourceDeviceId":"7","changed":true}]}';
    assert.equal((await push(body, "delivery-2")).status, 200);
    await eventually(() => assert.ok(list.asked.includes("one 7")));
    await eventually(async () => assert.deepEqual(await Array.fromAsync(store.documents("connector", "nobody/")), []));
  });
});
