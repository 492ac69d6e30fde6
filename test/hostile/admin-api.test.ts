/** Who attacks the admin side: pages on the web, bodies and paths that read in two ways, names that are markup, cursors made up. */
import assert from "node:assert/strict";
import http from "node:http";
import { suite, test } from "node:test";
import { anAdminSide, tiktok } from "../support/admin-api.ts";
import type { AdminSide } from "../support/admin-api.ts";
import { clean } from "../support/gate.ts";

interface Raw {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

function raw(
  admin: AdminSide,
  wishes: {
    readonly method?: string;
    readonly path: string;
    readonly headers?: http.OutgoingHttpHeaders;
    readonly body?: string | Buffer;
  },
): Promise<Raw> {
  const { host, port } = admin.app.admin;
  const { method = "GET", path, headers = {}, body } = wishes;
  const authorization = `Bearer ${admin.token({ roles: ["p-admin"] })}`;
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, headers: { authorization, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

const json = { "content-type": "application/json" };

suite("a page on the web", () => {
  test("does not reach the API under a name of its own (DNS rebinding), and addresses and listed names do", async (t) => {
    const admin = await anAdminSide(t);
    const asked = async (host: string) => (await raw(admin, { path: "/api/v1/me", headers: { host } })).status;
    for (const host of [
      "evil.example",
      "evil.example:8081",
      "localhost.evil.example",
      "postern.corp.example.evil",
      "a b",
    ])
      assert.equal(await asked(host), 421, host);
    for (const host of ["localhost", "LOCALHOST:9", "127.0.0.1:1", "[::1]:8081", "postern.corp.example", "10.1.2.3"])
      assert.equal(await asked(host), 200, host);
  });

  test("of another origin may not call it, and no answer says that it may", async (t) => {
    const admin = await anAdminSide(t);
    for (const origin of ["https://evil.example", "null", "http://localhost.evil.example"]) {
      const answer = await raw(admin, { path: "/api/v1/me", headers: { origin } });
      assert.equal(answer.status, 403);
      assert.equal(answer.headers["access-control-allow-origin"], undefined);
    }
    const preflight = await raw(admin, {
      method: "OPTIONS",
      path: "/api/v1/me",
      headers: { origin: "https://evil.example", "access-control-request-method": "GET" },
    });
    assert.equal(preflight.status, 403);
    assert.equal((await raw(admin, { method: "OPTIONS", path: "/api/v1/me" })).status, 405);
  });

  test("cannot send a form: bodies are JSON, and nothing else", async (t) => {
    const admin = await anAdminSide(t);
    const body = JSON.stringify({ owner: "eve", hours: 1, why: "x" });
    const path = "/api/v1/exemptions/break-glass";
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/json; charset=utf-16",
      undefined,
    ])
      assert.equal(
        (await raw(admin, { method: "POST", path, body, headers: type === undefined ? {} : { "content-type": type } }))
          .status,
        415,
        String(type),
      );
    assert.equal(
      (await raw(admin, { method: "POST", path, body, headers: { ...json, "content-encoding": "gzip" } })).status,
      415,
    );
    assert.equal(
      (await raw(admin, { method: "POST", path, body, headers: { "content-type": "application/json; charset=UTF-8" } }))
        .status,
      200,
    );
  });
});

suite("what reads in two ways is refused:", () => {
  test("a body with a key twice, a key that is a prototype, bad UTF-8, no JSON, or too deep", async (t) => {
    const admin = await anAdminSide(t);
    const path = "/api/v1/exemptions/break-glass";
    const send = async (body: string | Buffer) =>
      (await raw(admin, { method: "POST", path, body, headers: json })).status;
    const good = '"owner":"eve","hours":1,"why":"x"';
    assert.equal(await send(`{${good},"hours":72}`), 400);
    assert.equal(await send(`{${good},"h\\u006furs":72}`), 400);
    assert.equal(await send(`{${good},"__proto__":{"hours":72}}`), 400);
    assert.equal(await send(Buffer.concat([Buffer.from(`{${good},"x":"`), Buffer.from([0xff, 0x22, 0x7d])])), 400);
    assert.equal(await send(`{${good}`), 400);
    assert.equal(await send(`${"[".repeat(33)}${"]".repeat(33)}`), 400);
    assert.equal(await send(`${"[".repeat(32)}${"]".repeat(32)}`), 422);
    assert.equal(await send(`{${good},"more":1}`), 422);
    assert.equal(await send(`\uFEFF{${good}}`), 400);
    assert.equal((await admin.as("viewer").get("/policy/history")).body.items.length, 0);
    assert.equal(await send(`{${good}}`), 200);
  });

  test("a query with a name twice, an unknown name, or none", async (t) => {
    const admin = await anAdminSide(t);
    const asked = async (query: string) => (await raw(admin, { path: `/api/v1/devices?${query}` })).status;
    assert.equal(await asked("limit=5"), 200);
    for (const query of [
      "limit=5&limit=6",
      "limit[]=5",
      "limit[a]=5",
      "nosuch=1",
      "limit=1e2",
      "limit=501",
      "limit=0",
      "limit=+5",
      "__proto__=1",
    ])
      assert.equal(await asked(query), 422, query);
    for (const query of ["limit", "=5", "limit=%ff", "limit=%", `owner=${"x".repeat(4_100)}`, "a=1&".repeat(33)])
      assert.equal(await asked(query), 400, query.slice(0, 20));
  });

  test("a path in other letters, with a slash at its end, or with signs that mean something", async (t) => {
    const admin = await anAdminSide(t);
    await admin.reports("PHONEA", clean);
    const asked = async (path: string) => (await raw(admin, { path })).status;
    assert.equal(await asked("/api/v1/devices/PHONEA"), 200);
    for (const path of [
      "/api/v1/Devices",
      "/api/v1/devices/",
      "/API/v1/devices",
      "/api/v1//devices",
      "/api/v1/devices/..%2fconfig/",
    ])
      assert.ok([404, 422].includes((await asked(path)) ?? 0), path);
    assert.equal(await asked("/api/v1/devices/%ff"), 400);
    // Row 16: an id is checked before any key is made of it.
    for (const id of [
      "*",
      "a:b",
      "%7B%7D",
      "a%0Ab",
      "__proto__",
      "PHONEA%00",
      "%E2%84%AA",
      "x".repeat(65),
      "A".repeat(3_000),
    ])
      assert.equal(await asked(`/api/v1/devices/${id}`), 422, id.slice(0, 20));
    assert.equal(await asked(`/api/v1/devices/${"x".repeat(64)}`), 404);
  });

  test("a body where none belongs, and one that is too large", async (t) => {
    const admin = await anAdminSide(t);
    const get = await raw(admin, { path: "/api/v1/me", body: "{}", headers: { ...json, "content-length": 2 } });
    assert.equal(get.status, 400);
    const sized = async (bytes: number) => {
      const frame = JSON.stringify({ owner: "eve", hours: 1, why: "" });
      const body = JSON.stringify({ owner: "eve", hours: 1, why: "x".repeat(bytes - frame.length) });
      return (await raw(admin, { method: "POST", path: "/api/v1/exemptions/break-glass", body, headers: json })).status;
    };
    assert.equal(await sized(65_536), 422);
    assert.equal(await sized(65_537), 413);
    const chunked = await raw(admin, {
      method: "POST",
      path: "/api/v1/exemptions/break-glass",
      body: Buffer.alloc(70_000, 0x20),
      headers: { ...json, "transfer-encoding": "chunked" },
    });
    assert.equal(chunked.status, 413);
  });
});

test("a cursor that was changed, made up, or given for another list is refused", async (t) => {
  const admin = await anAdminSide(t);
  for (let index = 0; index < 30; index += 1) await admin.reports(`D${index}`, { ...clean, region: "US" });
  const { body } = await admin.as("viewer").get("/devices?limit=5&region=US").expect(200);
  const cursor = String(body.next);
  const asked = async (query: string) => (await admin.as("viewer").get(`/devices?limit=5&${query}`)).status;
  assert.equal(await asked(`region=US&cursor=${cursor}`), 200);
  assert.equal(await asked(`region=EU&cursor=${cursor}`), 400);
  assert.equal(await asked(`cursor=${cursor}`), 400);
  for (let index = 0; index < cursor.length; index += 1) {
    const changed = cursor.slice(0, index) + (cursor[index] === "A" ? "B" : "A") + cursor.slice(index + 1);
    assert.equal(await asked(`region=US&cursor=${changed}`), 400, String(index));
  }
  for (const made of ["0", "AAAA", "x".repeat(512), `${cursor}A`, cursor.slice(1)])
    assert.equal(await asked(`region=US&cursor=${made}`), 400, made);
  assert.equal(await asked(`region=US&cursor=${"x".repeat(513)}`), 422);
});

test("names that are markup come back as JSON that no browser takes for a page", async (t) => {
  const admin = await anAdminSide(t);
  const markup = "<script>alert(1)</script>";
  await admin.reports("PHONEA", { ...clean, model: markup });
  const answer = await raw(admin, { path: "/api/v1/devices/PHONEA" });
  assert.equal(answer.headers["content-type"], "application/json; charset=utf-8");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.ok(answer.text.includes(markup));
  const lines = await raw(admin, { path: `/api/v1/devices?cursor=${encodeURIComponent("a\r\nSet-Cookie: x=1")}` });
  assert.deepEqual([lines.status, lines.headers["set-cookie"]], [400, undefined]);
});

test("tags and keys in headers are read in one way or refused", async (t) => {
  const admin = await anAdminSide(t);
  const apply = (headers: Record<string, string>) =>
    admin.as("operator").send("post", "/campaigns/apply", { campaigns: [tiktok], why: "x" }, headers);
  for (const tag of ["policy-0", 'W/"policy-0"', '"policy-0", "policy-1"', '""', '"policy-0'])
    assert.equal((await apply({ "If-Match": tag })).status, 400, tag);
  for (const tag of ['"record-0"', '"policy-x"', '"policy-1"'])
    assert.equal((await apply({ "If-Match": tag })).status, 412, tag);
  for (const key of ["x".repeat(129), "a b"])
    assert.equal((await apply({ "If-Match": '"policy-0"', "Idempotency-Key": key })).status, 400, key.slice(0, 9));
  assert.equal((await apply({ "If-Match": '"policy-0"', "Idempotency-Key": "x".repeat(128) })).status, 200);
});

test("an answer of anything but JSON cannot be had, and no problem tells what broke inside", async (t) => {
  const admin = await anAdminSide(t);
  assert.equal((await raw(admin, { path: "/api/v1/me", headers: { accept: "text/html" } })).status, 406);
  const missing = await raw(admin, { path: "/api/v1/nosuch" });
  assert.equal(missing.headers["content-type"], "application/problem+json; charset=utf-8");
  assert.equal(missing.status, 404);
  const wrong = await raw(admin, { method: "DELETE", path: "/api/v1/campaigns" });
  assert.deepEqual([wrong.status, wrong.headers.allow], [405, "GET"]);
});
