/** The REST client: what it holds to, whatever a server says. */
import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import * as z from "zod";
import { freeAdmission } from "../../../src/connectors/rest/admission.ts";
import { basic, header, nothing, staticBearer, together } from "../../../src/connectors/rest/authentication.ts";
import type { Authentication } from "../../../src/connectors/rest/authentication.ts";
import { createRestClient } from "../../../src/connectors/rest/client.ts";
import type { RestCall } from "../../../src/connectors/rest/client.ts";
import { byLink, byNumber, byToken } from "../../../src/connectors/rest/pager.ts";
import { at } from "../../../src/connectors/rest/path.ts";
import { openRest } from "../../../src/connectors/rest/rest.ts";
import { readRetryAfter } from "../../../src/connectors/rest/retry-after.ts";
import { bearer, clientCredentials } from "../../../src/connectors/rest/token.ts";
import { createTransport } from "../../../src/connectors/rest/transport.ts";
import { ConnectorFailure } from "../../../src/inventory/connector.ts";
import { aCertificate } from "../../support/certificate.ts";
import { createFakeTokens, startFakeSource } from "../../support/fake-source.ts";
import type { FakeRoute, FakeSource } from "../../support/fake-source.ts";

const signal = new AbortController().signal;
const now = (): Date => new Date("2026-11-28T12:00:00Z");
const anything = z.unknown();

async function aSystem(
  t: TestContext,
  route: FakeRoute,
  { authentication = nothing(), limitBytes = 1000, basePath = "/api/" } = {},
) {
  const server = await startFakeSource(route);
  const transport = createTransport({ ca: undefined, timeoutMs: 500, responseLimitBytes: limitBytes, concurrent: 2 });
  t.after(async () => {
    transport.close();
    await server.close();
  });
  return { server, transport, client: aClient(server, transport, authentication, basePath) };
}

function aClient(
  server: FakeSource,
  transport: ReturnType<typeof createTransport>,
  authentication: Authentication,
  basePath = "/api/",
) {
  return createRestClient({
    baseUrl: new URL(basePath, server.url),
    transport,
    authentication,
    admission: freeAdmission,
    now,
  });
}

async function failing(work: Promise<unknown>): Promise<ConnectorFailure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ConnectorFailure, String(error));
  return error;
}

suite("a call", () => {
  test("goes below the base URL, with its query in order and its body", async (t) => {
    const { server, client } = await aSystem(t, () => ({ body: { ok: true } }), {
      authentication: together(basic("postern", "pass:word"), header("AW-Tenant-Code", "abc")),
    });
    const calls: RestCall[] = [
      {
        path: at`/hosts/${"a/b ?#"}`,
        query: [
          ["section", "A"],
          ["section", "B"],
          ["page", 0],
        ],
      },
      { method: "POST", path: at`/x`, body: { json: { a: 1 } } },
      { method: "POST", path: at`/x`, body: { form: { a: "1 2" } } },
      { method: "PUT", path: at`/x`, body: { bytes: Buffer.from("<x/>"), contentType: "application/xml" } },
    ];
    for (const call of calls) assert.deepEqual(await client.json(call, anything, signal), { ok: true });
    assert.deepEqual(
      server.calls.map(({ method, path, query, headers, body }) => [
        method,
        path,
        query.toString(),
        headers["content-type"],
        body.toString(),
      ]),
      [
        ["GET", "/api/hosts/a/b ?#", "section=A&section=B&page=0", undefined, ""],
        ["POST", "/api/x", "", "application/json", '{"a":1}'],
        ["POST", "/api/x", "", "application/x-www-form-urlencoded", "a=1+2"],
        ["PUT", "/api/x", "", "application/xml", "<x/>"],
      ],
    );
    const [first] = server.calls;
    assert.equal(first?.headers.authorization, `Basic ${Buffer.from("postern:pass:word").toString("base64")}`);
    assert.equal(first?.headers["aw-tenant-code"], "abc");
  });

  test("takes an answer of the limit, and not one byte more, packed or not", async (t) => {
    for (const pack of [(bytes: Buffer) => bytes, (bytes: Buffer) => gzipSync(bytes)]) {
      const headersOf = (bytes: Buffer): Record<string, string> => ({
        "content-type": "application/json",
        ...(bytes.length < 200 ? { "content-encoding": "gzip" } : {}),
      });
      const { client } = await aSystem(t, ({ query }) => {
        const body = pack(Buffer.from(`"${"x".repeat(Number(query.get("n")) - 2)}"`));
        return { body, headers: headersOf(body) };
      });
      const ask = (bytes: number) => client.json({ path: at`/`, query: [["n", bytes]] }, z.string(), signal);
      assert.equal((await ask(1000)).length, 998);
      assert.equal((await failing(ask(1001))).code, "unreadable");
    }
  });

  test("follows a redirect that stays on the server, and none that leaves it or goes round", async (t) => {
    const elsewhere = await startFakeSource(() => ({ body: {} }));
    t.after(() => elsewhere.close());
    const { client, server } = await aSystem(t, ({ path }) => {
      if (path === "/api/new") return { body: "here" };
      const targets = new Map([
        ["/api/old", "/api/new"],
        ["/api/round", "/api/round"],
        ["/api/away", `${elsewhere.url}/api/new`],
      ]);
      const location = targets.get(path);
      return location === undefined ? undefined : { httpStatus: 302, headers: { location } };
    });
    assert.equal(await client.json({ path: at`/old` }, anything, signal), "here");
    for (const path of [at`/away`, at`/round`]) {
      assert.equal((await failing(client.json({ path }, anything, signal))).code, "refused");
    }
    assert.equal((await failing(client.send({ method: "POST", path: at`/old` }, signal))).code, "refused");
    assert.equal(elsewhere.calls.length, 0);
    assert.ok(server.calls.length < 12);
  });

  test("knows what is not there, and what a status means for it", async (t) => {
    const { client } = await aSystem(t, ({ path }) => (path === "/api/there" ? { body: 1 } : undefined));
    assert.equal(await client.find({ path: at`/there` }, anything, signal), 1);
    assert.equal(await client.find({ path: at`/not` }, anything, signal), undefined);
    assert.equal((await failing(client.json({ path: at`/not` }, anything, signal))).code, "refused");
    const failures = new Map([[404, "not-possible" as const]]);
    const failure = await failing(client.send({ path: at`/not/${"F00D"}`, failures }, signal));
    assert.equal(failure.code, "not-possible");
    assert.equal(failure.message, "GET /not/…: HTTP 404, nothing is there");
    assert.equal((await client.send({ path: at`/not` }, signal, [404])).httpStatus, 404);
  });

  test("says where an answer is something else, and quotes nothing of it", async (t) => {
    const { client } = await aSystem(t, () => ({ body: { list: [{ name: "alice" }], "alice@corp.example": 7 } }));
    const shape = z.object({ list: z.array(z.object({ name: z.number() })) }).catchall(z.string());
    const { code, message } = await failing(client.json({ path: at`/` }, shape, signal));
    assert.equal(code, "unreadable");
    assert.match(message, /at list\[0\]\.name \(invalid_type\), … \(invalid_type\)$/);
  });

  test("goes through the proxy that leads out, and past it where that is said", async (t) => {
    const proxied: string[] = [];
    const proxy = http.createServer((req, res) => {
      proxied.push(req.url ?? "");
      res.writeHead(200, { "content-type": "application/json" }).end('"by the proxy"');
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, "127.0.0.1", resolve);
    });
    t.after(() => {
      proxy.close();
      proxy.closeAllConnections();
    });
    const address = proxy.address();
    assert.ok(typeof address === "object" && address !== null);
    const server = await startFakeSource(() => ({ body: "straight" }));
    t.after(() => server.close());
    const ask = async (noProxy: string): Promise<unknown> => {
      const proxyEnv = { HTTP_PROXY: `http://127.0.0.1:${address.port}`, NO_PROXY: noProxy };
      const transport = createTransport({
        ca: undefined,
        timeoutMs: 2000,
        responseLimitBytes: 1000,
        concurrent: 1,
        proxyEnv,
      });
      t.after(() => transport.close());
      return aClient(server, transport, nothing(), "/").json({ path: at`/x` }, anything, signal);
    };
    assert.equal(await ask(""), "by the proxy");
    assert.deepEqual(proxied, [`${server.url}/x`]);
    assert.equal(await ask("127.0.0.1"), "straight");
  });

  test("is trusted by the authorities that were named, and by no others", async (t) => {
    const { cert, key } = aCertificate("localhost");
    const server = https.createServer({ cert, key }, (_req, res) => {
      res.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const client = (ca: string | undefined) => {
      const rest = openRest(
        {
          baseUrl: new URL(`https://localhost:${address.port}`),
          ca,
          timeoutMs: 2000,
          concurrent: 1,
          recordTo: undefined,
        },
        nothing,
        { now, admission: freeAdmission, onRecordingFailure: assert.ifError },
      );
      t.after(() => rest.close());
      return rest;
    };
    assert.deepEqual(await client(cert).json({ path: at`/` }, anything, signal), {});
    const { code, message } = await failing(client(undefined).json({ path: at`/` }, anything, signal));
    assert.deepEqual([code, message], ["away", "GET /: its certificate comes from no authority that is trusted here"]);
  });
});

suite("a token", () => {
  const credentials = { clientId: "postern", clientSecret: "geheim", scope: "all" };

  test("is fetched once for calls that come at once, and again shortly before it ends", async (t) => {
    for (const place of ["form", "basic"] as const) {
      const tokens = createFakeTokens("/api/token", { ...credentials, lifeSeconds: 3600 });
      const { server, transport } = await aSystem(
        t,
        (request) => tokens.route(request) ?? { body: tokens.admits(request) },
      );
      let clock = now().getTime();
      const tokenUrl = new URL("/api/token", server.url);
      const client = aClient(
        server,
        transport,
        clientCredentials({ ...credentials, place, tokenUrl }, transport, () => new Date(clock)),
      );
      const ask = () => client.json({ path: at`/` }, anything, signal);
      assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [true, true, true]);
      clock += 3_299_000;
      await ask();
      assert.equal(tokens.given.length, 1);
      clock += 2000;
      assert.equal(await ask(), true);
      assert.equal(tokens.given.length, 2);
    }
  });

  test("that is refused is fetched anew once, and all calls that were refused with it go on", async (t) => {
    const tokens = createFakeTokens("/api/token", credentials);
    const { server, transport } = await aSystem(t, (request) => {
      if (request.path === "/api/token") return tokens.route(request);
      return tokens.admits(request) ? { body: true } : { httpStatus: 401 };
    });
    const tokenUrl = new URL("/api/token", server.url);
    const client = aClient(
      server,
      transport,
      clientCredentials({ ...credentials, place: "form", tokenUrl }, transport, now),
    );
    const ask = () => client.json({ path: at`/` }, anything, signal);
    await ask();
    tokens.expire();
    assert.deepEqual(await Promise.all([ask(), ask(), ask(), ask()]), [true, true, true, true]);
    assert.equal(tokens.given.length, 2);
    // Within seconds it has ended again: a system that refuses whatever it gives.
    tokens.expire();
    assert.equal((await failing(ask())).code, "refused");
    assert.equal(tokens.given.length, 2);
  });

  test("that never comes harms only those who wait for it", async () => {
    const asked = Promise.withResolvers<void>();
    const authentication = bearer(() => {
      asked.resolve();
      return new Promise(() => undefined);
    }, now);
    const controller = new AbortController();
    const waiting = authentication.headers(controller.signal);
    await asked.promise;
    controller.abort(new Error("given up"));
    await assert.rejects(waiting, /given up/);
  });

  test("that was made by hand is not fetched anew", async (t) => {
    const { client, server } = await aSystem(t, () => ({ httpStatus: 401 }), { authentication: staticBearer("abc") });
    assert.equal((await failing(client.json({ path: at`/` }, anything, signal))).code, "refused");
    assert.equal(server.calls.length, 1);
    assert.equal(server.calls[0]?.headers.authorization, "Bearer abc");
  });
});

suite("a list in pages", () => {
  test("leads nowhere but on within the system", async (t) => {
    const elsewhere = await startFakeSource(() => ({ body: {} }));
    t.after(() => elsewhere.close());
    for (const link of [
      `${elsewhere.url}/api/p`,
      "//192.0.2.1/api/p",
      "/other/p",
      "http://[",
      "/api/../x",
      `/api/${"x".repeat(5000)}`,
    ]) {
      const { client } = await aSystem(t, () => ({ body: { next: link } }), { limitBytes: 10_000 });
      const pages = byLink({
        client,
        shape: z.object({ next: z.string() }),
        signal,
        cursor: undefined,
        first: { path: at`/p` },
        next: ({ next }) => next,
      });
      assert.equal((await failing(Array.fromAsync(pages))).code, "unreadable", link);
    }
    assert.equal(elsewhere.calls.length, 0);
  });

  test("that goes round is ended", async (t) => {
    const { client } = await aSystem(t, () => ({ body: { next: "same" } }));
    const pages = byToken({
      client,
      shape: z.object({ next: z.string() }),
      signal,
      cursor: undefined,
      call: (token) => ({ path: at`/p`, query: token === undefined ? [] : [["t", token]] }),
      next: ({ next }) => next,
    });
    assert.equal((await failing(Array.fromAsync(pages))).code, "unreadable");
  });

  test("ends where it ends: after a page that is not full, or at the total", async (t) => {
    for (const [count, withTotal, calls] of [
      [0, false, 1],
      [3, false, 2],
      [4, false, 3],
      [4, true, 2],
      [5, true, 3],
    ] as const) {
      const { client, server } = await aSystem(t, ({ query }) => {
        const from = Number(query.get("page")) * 2;
        return { body: { items: Array.from({ length: Math.min(2, Math.max(0, count - from)) }), total: count } };
      });
      const pages = byNumber({
        client,
        shape: z.object({ items: z.array(z.null()), total: z.number() }),
        signal,
        cursor: undefined,
        firstNumber: 0,
        pageSize: 2,
        call: (page) => ({ path: at`/p`, query: [["page", page]] }),
        items: ({ items }) => items.length,
        total: (page) => (withTotal ? page.total : undefined),
      });
      const all = (await Array.fromAsync(pages)).flatMap(({ page: { items } }) => items);
      assert.equal(all.length, count);
      assert.equal(server.calls.length, calls, `${count} ${withTotal}`);
    }
    const { client } = await aSystem(t, () => ({ body: {} }));
    const spoilt = byNumber({
      client,
      shape: anything,
      signal,
      cursor: "-1",
      firstNumber: 0,
      pageSize: 2,
      call: () => ({ path: at`/` }),
      items: () => 0,
    });
    assert.equal((await failing(Array.fromAsync(spoilt))).code, "unreadable");
  });
});

test("Retry-After is read as seconds or as a date by the sender's own clock, up to a day", () => {
  const sent = "Sat, 28 Nov 2026 11:00:00 GMT";
  const cases: readonly (readonly [string | undefined, string | undefined, number | undefined])[] = [
    [undefined, undefined, undefined],
    ["0", undefined, 0],
    [" 120 ", undefined, 120_000],
    ["86400", undefined, 86_400_000],
    ["86401", undefined, 86_400_000],
    ["1e3", undefined, undefined],
    ["-1", undefined, undefined],
    ["soon", undefined, undefined],
    ["Sat, 28 Nov 2026 12:00:10 GMT", undefined, 10_000],
    ["Sat, 28 Nov 2026 11:00:10 GMT", sent, 10_000],
    ["Sat, 28 Nov 2026 10:00:00 GMT", sent, 0],
    ["Sat, 99 Nov 2026 11:00:10 GMT", sent, undefined],
  ];
  for (const [written, date, expected] of cases)
    assert.equal(readRetryAfter(written, date, now()), expected, String(written));
});
