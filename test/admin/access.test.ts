/** Who may call what: every route of the table, with every role and with everything that is no good token. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import jsonwebtoken from "jsonwebtoken";
import { adminRoles as roles } from "../../src/config/admin-roles.ts";
import { anAdminSide, issuer, newSigning } from "../support/admin-api.ts";
import type { AdminSide } from "../support/admin-api.ts";

interface Walked {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly path: string;
  readonly role: string;
}

const samples: Readonly<Record<string, string>> = {
  "/confirmations/{id}": "/confirmations/c-0123456789abcdef",
  "/confirmations/{id}/confirm": "/confirmations/c-0123456789abcdef/confirm",
  "/previews/{id}": "/previews/p-0123456789abcdef",
};

async function walkedRoutes(admin: AdminSide): Promise<readonly Walked[]> {
  const { body }: { body: unknown } = await admin.as("viewer").get("/openapi.json").expect(200);
  assert.ok(typeof body === "object" && body !== null && "paths" in body);
  const walked: Walked[] = [];
  const paths: object = typeof body.paths === "object" && body.paths !== null ? body.paths : {};
  for (const [path, value] of Object.entries(paths)) {
    const operations: unknown = value;
    assert.ok(typeof operations === "object" && operations !== null);
    for (const method of ["get", "post", "put", "patch", "delete"] as const) {
      const operation: unknown = Object.entries(operations).find(([name]) => name === method)?.[1];
      if (operation === undefined) continue;
      assert.ok(typeof operation === "object" && operation !== null && "x-role" in operation);
      walked.push({ method, path: samples[path] ?? path.replace("{id}", "x1"), role: String(operation["x-role"]) });
    }
  }
  return walked;
}

/** A stream is left as soon as its head is there. */
async function statusOf(
  admin: AdminSide,
  { method, path }: Walked,
  authorization: string | undefined,
): Promise<number> {
  const leave = new AbortController();
  const response = await fetch(`${admin.app.admin.url}/api/v1${path}`, {
    method: method.toUpperCase(),
    signal: leave.signal,
    headers: { "If-Match": '"none"', ...(authorization === undefined ? {} : { authorization }) },
  });
  leave.abort();
  return response.status;
}

test("every route lets in its least role and those above it, and nobody else", async (t) => {
  const admin = await anAdminSide(t);
  const routes = await walkedRoutes(admin);
  assert.ok(routes.length > 25, String(routes.length));
  for (const route of routes) {
    for (const role of roles) {
      const status = await statusOf(admin, route, `Bearer ${admin.token({ roles: [`p-${role}`] })}`);
      const isAllowed = roles.indexOf(role) >= roles.findIndex((each) => each === route.role);
      if (isAllowed)
        assert.ok(![401, 403, 405, 500].includes(status), `${role} ${route.method} ${route.path}: ${status}`);
      else assert.equal(status, 403, `${role} ${route.method} ${route.path}`);
    }
  }
});

test("no route lets anybody in without a token, or with one that does not count", async (t) => {
  const admin = await anAdminSide(t);
  const iat = Math.floor(Date.now() / 1000);
  const head = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = head({ iss: issuer, aud: "postern", sub: "eve", iat, exp: iat + 600, roles: ["p-admin"] });
  const publicPem = JSON.stringify(admin.signing.jwk);
  const confused = `${head({ alg: "HS256", kid: "first" })}.${body}`;
  const roleClaim = { roles: ["p-admin"] };
  const bad: Readonly<Record<string, string | undefined>> = {
    none: undefined,
    basic: `Basic ${Buffer.from("admin:admin").toString("base64")}`,
    "no token": "Bearer",
    "alg none": `Bearer ${head({ alg: "none", kid: "first" })}.${body}.`,
    "alg None": `Bearer ${head({ alg: "None", kid: "first" })}.${body}.x`,
    "the public key as a shared secret": `Bearer ${confused}.${createHmac("sha256", publicPem).update(confused).digest("base64url")}`,
    expired: `Bearer ${admin.token({ ...roleClaim, claims: { iat: iat - 900, exp: iat - 60 } })}`,
    "wrong audience": `Bearer ${admin.token({ ...roleClaim, claims: { aud: "another" } })}`,
    "wrong issuer": `Bearer ${admin.token({ ...roleClaim, claims: { iss: "https://evil.example" } })}`,
    "living too long": `Bearer ${admin.token({ ...roleClaim, claims: { iat, exp: iat + 86_401 } })}`,
    "not valid yet": `Bearer ${admin.token({ ...roleClaim, claims: { nbf: iat + 600 } })}`,
    "of the future": `Bearer ${admin.token({ ...roleClaim, claims: { iat: iat + 600, exp: iat + 1200 } })}`,
    "another key under the same kid": `Bearer ${admin.token({ ...roleClaim, signing: newSigning("first") })}`,
    "a kid that nobody knows": `Bearer ${admin.token({ ...roleClaim, signing: newSigning("else") })}`,
    "a local token where none count": `Bearer ${jsonwebtoken.sign({ role: "admin" }, "x".repeat(32), { keyid: "local", issuer: "postern", audience: "postern", subject: "eve", expiresIn: 60 })}`,
    "its own key in its head": `Bearer ${admin.token({ ...roleClaim, header: { jwk: newSigning("x").jwk } })}`,
    "a place of its key in its head": `Bearer ${admin.token({ ...roleClaim, header: { jku: "https://evil.example/keys" } })}`,
    "a name with a line break": `Bearer ${admin.token({ ...roleClaim, claims: { sub: "eve\nadmin" } })}`,
    "no name": `Bearer ${admin.token({ ...roleClaim, claims: { sub: undefined } })}`,
    "too large": `Bearer ${admin.token({ ...roleClaim, claims: { more: "x".repeat(9_000) } })}`,
  };
  const routes = await walkedRoutes(admin);
  for (const [title, authorization] of Object.entries(bad)) {
    const [first] = routes;
    assert.ok(first !== undefined);
    const status = await statusOf(admin, first, authorization);
    assert.ok([401, 429].includes(status), `${title}: ${status}`);
  }
  for (const route of routes) {
    assert.equal(await statusOf(admin, route, undefined), 401, route.path);
    for (const title of ["alg none", "expired", "wrong audience"])
      assert.ok([401, 429].includes(await statusOf(admin, route, bad[title])), `${title} ${route.path}`);
  }
});

test("each kind of bad token is refused by itself, not by the throttle", async (t) => {
  const admin = await anAdminSide(t);
  const iat = Math.floor(Date.now() / 1000);
  const cases = [
    { claims: { iat: iat - 900, exp: iat - 60 } },
    { claims: { aud: "another" } },
    { claims: { iss: "https://evil.example" } },
    { claims: { iat, exp: iat + 86_401 } },
    { signing: newSigning("first") },
    { header: { jwk: newSigning("x").jwk } },
    { header: { jku: "https://evil.example/keys" } },
  ];
  for (const wishes of cases) {
    const token = admin.token({ roles: ["p-admin"], ...wishes });
    const answer = await admin.bearing(token).get("/me").expect(401);
    assert.equal(answer.body.type, "urn:postern:problem:invalid-token");
    assert.match(String(answer.headers["www-authenticate"]), /^Bearer realm="postern", error="invalid_token"$/);
  }
});

test("a token that lives a whole day counts, and one second more does not", async (t) => {
  const admin = await anAdminSide(t);
  const iat = Math.floor(Date.now() / 1000);
  for (const [seconds, status] of [
    [86_400, 200],
    [86_401, 401],
  ] as const) {
    const token = admin.token({ roles: "p-viewer", claims: { iat, exp: iat + seconds } });
    await admin.bearing(token).get("/me").expect(status);
  }
});

test("the highest of several roles counts, and a token without one is told so", async (t) => {
  const admin = await anAdminSide(t);
  const me = async (claim: unknown) => admin.bearing(admin.token({ roles: claim })).get("/me");
  assert.equal((await me(["p-viewer", "p-operator", "other"])).body.role, "operator");
  assert.equal((await me("p-helpdesk")).body.role, "helpdesk");
  for (const claim of [undefined, [], "P-ADMIN", ["admin"], { a: "p-admin" }, 1]) {
    const answer = await me(claim);
    assert.deepEqual([answer.status, answer.body.detail], [403, "the token gives no role"], JSON.stringify(claim));
  }
});

suite("keys are rotated", () => {
  test("by a kid that is new in the file, while the old one still counts", async (t) => {
    let now = new Date();
    const admin = await anAdminSide(t, { now: () => now });
    const next = newSigning("second", "RS256");
    const ask = async (signing = next) => admin.bearing(admin.token({ roles: "p-viewer", signing })).get("/me");
    assert.equal((await ask()).status, 401);
    writeFileSync(admin.keysFile, JSON.stringify({ keys: [admin.signing.jwk, next.jwk] }));
    now = new Date(now.getTime() + 11_000);
    assert.equal((await ask()).status, 200);
    assert.equal((await ask(admin.signing)).status, 200);
    // A file that was damaged takes nobody's key away.
    writeFileSync(admin.keysFile, "{");
    now = new Date(now.getTime() + 11_000);
    assert.equal((await ask(newSigning("third"))).status, 401);
    assert.equal((await ask()).status, 200);
  });
});

suite("the break-glass token", () => {
  test("does everything, and each use is told", async (t) => {
    const admin = await anAdminSide(t);
    const { body } = await admin.bearing(admin.breakGlassToken).get("/me").expect(200);
    assert.deepEqual(body, { name: "break-glass", role: "admin", means: "break-glass" });
  });

  test("is made in a file that nobody else reads", async (t) => {
    const admin = await anAdminSide(t);
    const file = admin.keysFile.replace("keys.json", "break-glass");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(admin.breakGlassToken, /^[A-Za-z0-9_-]{43}$/);
  });

  test("cannot be guessed for long, and whoever has a good token is not kept out meanwhile", async (t) => {
    let now = new Date();
    const admin = await anAdminSide(t, { now: () => now });
    const guess = async (token: string) => admin.bearing(token).get("/me");
    for (let index = 0; index < 10; index += 1) assert.equal((await guess(`guess${index}`)).status, 401);
    const refused = await guess("guess10");
    assert.equal(refused.status, 429);
    assert.match(String(refused.headers["retry-after"]), /^\d{1,3}$/);
    assert.equal((await guess(admin.breakGlassToken)).status, 429);
    assert.equal((await guess(admin.token({ roles: "p-viewer" }))).status, 200);
    now = new Date(now.getTime() + 300_001);
    assert.equal((await guess(admin.breakGlassToken)).status, 200);
  });
});
