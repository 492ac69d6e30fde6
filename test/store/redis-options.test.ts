/** The ways to reach Redis, and the promise of the documentation that its user may do all that Postern does. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import type { CachedStore } from "../../src/store/cached-store.ts";
import { openStore } from "../../src/store/open.ts";
import { parseRedisAddress } from "../../src/store/redis-address.ts";
import type { RedisStoreOptions } from "../../src/store/redis-address.ts";
import { createRedisKeys, encodeName } from "../../src/store/redis-keys.ts";
import { StoreUnusable } from "../../src/store/store.ts";
import { auditContract } from "../contracts/audit.ts";
import { documentsContract } from "../contracts/documents.ts";
import { fields, storeContract } from "../contracts/store.ts";
import type { StorePlace } from "../contracts/store.ts";
import { requirePackage } from "../support/debian.ts";
import { eventually } from "../support/eventually.ts";
import { deviceId } from "../support/records.ts";
import { freePort, startRedis } from "../support/redis-server.ts";
import type { RedisServer } from "../support/redis-server.ts";

const phone = deviceId("ABC123");
const contract = await readFile(new URL("../../docs/redis-contract.md", import.meta.url), "utf8");

/** The line of the documentation for this user, with a password. */
function aclOf(user: string, password: string): string[] {
  const line = contract.split("\n").find((each) => each.startsWith(`ACL SETUSER ${user} `));
  assert.ok(line !== undefined);
  return line.replace(">PASSWORD", `>${password}`).split(" ");
}

async function aStore(t: TestContext, redis: RedisStoreOptions): Promise<CachedStore> {
  // Not what is tested here: a busy machine may take longer than a phone would wait.
  const store = await openStore({ redis: { timeoutMs: 5_000, ...redis } });
  t.after(() => store.close());
  return store;
}

let server: RedisServer;
before(async () => {
  server = await startRedis();
  await server.cli(...aclOf("postern", "gate-pass"));
  await server.cli(...aclOf("inventory", "script-pass"));
});
after(() => server.stop());

const gateUrl = (): string => `redis://postern:gate-pass@127.0.0.1:${server.port}/0`;

// The whole contract once more, so that a command that the documented user lacks cannot hide.
async function newPlace(t: TestContext): Promise<StorePlace> {
  const prefix = `postern:${randomUUID()}:`;
  return {
    async open(deps) {
      const store = await openStore({ redis: { url: gateUrl(), prefix, timeoutMs: 5_000 } }, deps);
      t.after(() => store.close());
      return store;
    },
  };
}

storeContract("the Redis store, as the user of the documentation", newPlace);
documentsContract("documents in Redis, as the user of the documentation", newPlace);
auditContract("the audit trail in Redis, as the user of the documentation", newPlace);

suite("the documentation", () => {
  test("its script user writes facts that count, and nothing else", async (t) => {
    const store = await aStore(t, { url: gateUrl() });
    const script = ["--user", "inventory", "--pass", "script-pass", "--no-auth-warning"];
    await server.cli(...script, "HSET", "postern:device:ABC123", "compliance", "noncompliant");
    await eventually(async () => assert.equal((await store.facts([phone], "a")).record?.compliance, "noncompliant"));
    await assert.rejects(server.cli(...script, "SET", "postern:policy", "{}"), /NOPERM/);
    await assert.rejects(server.cli(...script, "HSET", "postern:mailbox:ABC123:a", "ping", "{}"), /NOPERM/);
    await assert.rejects(server.cli(...script, "FLUSHALL"), /NOPERM/);
    await server.cli("FLUSHALL");
  });

  test("its examples are read without a fault", async (t) => {
    const store = await aStore(t, { url: gateUrl() });
    const examples = contract.replaceAll("\\\n", "").match(/^redis-cli HSET .*$/gm) ?? [];
    assert.ok(examples.length >= 4);
    for (const example of examples) {
      const shell = example.replace(/^redis-cli/, `redis-cli -p ${server.port}`);
      await promisify(execFile)("sh", ["-c", shell]);
    }
    const records = [];
    for await (const record of store.records()) records.push(record);
    assert.deepEqual(records.map(({ id }) => id).toSorted(), ["ABC", "DEF"]);
    for (const { faults } of records) assert.deepEqual(faults, []);
    await server.cli("FLUSHALL");
  });
});

suite("an address", () => {
  const place = { host: "redis.internal", port: 6379 };
  const plain = { place, db: 0, username: undefined, password: undefined, tls: undefined };
  const good: readonly (readonly [RedisStoreOptions, ReturnType<typeof parseRedisAddress>])[] = [
    [{ url: "redis://redis.internal" }, plain],
    [{ url: "redis://redis.internal:7000/3" }, { ...plain, place: { ...place, port: 7000 }, db: 3 }],
    [{ url: "redis://a%40b:p%3A%2F@redis.internal/" }, { ...plain, username: "a@b", password: "p:/" }],
    [{ url: "redis://:secret@redis.internal" }, { ...plain, password: "secret" }],
    [
      { url: "redis://u:old@redis.internal", password: "new" },
      { ...plain, username: "u", password: "new" },
    ],
    [{ url: "redis://[::1]:6379" }, { ...plain, place: { ...place, host: "::1" } }],
    [
      { url: "rediss://redis.internal", ca: "PEM" },
      { ...plain, tls: { ca: "PEM" } },
    ],
    [{ url: "redis://redis.internal", ca: "PEM" }, plain],
    [{ url: "unix:///run/redis%20one.sock?db=2" }, { ...plain, place: { path: "/run/redis one.sock" }, db: 2 }],
  ];
  for (const [options, address] of good) {
    test(`${options.url} is understood`, () => assert.deepEqual(parseRedisAddress(options), address));
  }

  for (const url of [
    "",
    "redis.internal",
    "http://u:s3cret@h",
    "redis://",
    "redis://u:s3cret@h/zero",
    "redis://h/-1",
    "redis://u:s3cret%zz@h",
    "unix://",
    "redis://h:99999",
  ]) {
    test(`${url === "" ? "an empty one" : url} is refused, and its password is not repeated`, () => {
      assert.throws(
        () => parseRedisAddress({ url }),
        (error) => error instanceof StoreUnusable && !/s3cret/.test(error.message),
      );
    });
  }

  for (const prefix of ["", "a*", "a?", "[a]", "a\\", "a b", "{a}:", "x".repeat(65)]) {
    test(`the prefix "${prefix.slice(0, 10)}" is refused`, async () => {
      assert.throws(() => createRedisKeys(prefix), StoreUnusable);
      await assert.rejects(openStore({ redis: { url: gateUrl(), prefix } }), StoreUnusable);
    });
  }

  test("an account in a key has only marks that mean nothing", () => {
    assert.equal(encodeName("a:b*?[c]{d}'(e)! ü%/\\"), "a%3Ab%2A%3F%5Bc%5D%7Bd%7D%27%28e%29%21%20%C3%BC%25%2F%5C");
    assert.match(encodeName("\uD800 \n\0"), /^[A-Za-z0-9._~%-]+$/);
  });
});

suite("one server", () => {
  for (const timeoutMs of [9, 10_001, NaN]) {
    test(`${timeoutMs} ms to answer are refused`, async () => {
      await assert.rejects(openStore({ redis: { url: server.url, timeoutMs } }), StoreUnusable);
    });
  }

  test("two prefixes are two stores", async (t) => {
    const [one, two] = [
      await aStore(t, { url: server.url, prefix: "one:" }),
      await aStore(t, { url: server.url, prefix: "two:" }),
    ];
    await one.writeFields(phone, fields({ owner: "alice" }));
    assert.equal((await two.facts([phone], "a")).record, undefined);
    assert.equal((await one.facts([phone], "a")).record?.owner, "alice");
  });

  test("two databases are two stores", async (t) => {
    const [one, two] = [
      await aStore(t, { url: server.url }),
      await aStore(t, { url: `redis://127.0.0.1:${server.port}/5` }),
    ];
    await two.writeFields(phone, fields({ owner: "alice" }));
    assert.equal((await one.facts([phone], "a")).record, undefined);
    await server.cli("-n", "5", "HSET", "postern:device:ABC123", "owner", "bob");
    await eventually(async () => assert.equal((await two.facts([phone], "a")).record?.owner, "bob"));
  });

  test("a socket in the file system is as good as a port", async (t) => {
    const store = await aStore(t, { url: server.socketUrl, prefix: "socket:" });
    await store.writeFields(phone, fields({ owner: "alice" }));
    assert.equal((await store.facts([phone], "a")).record?.owner, "alice");
  });

  test("a user who may not track changes reads every time, and the operator is told", async (t) => {
    await server.cli(...aclOf("postern", "gate-pass"), "-client|tracking");
    t.after(() => server.cli(...aclOf("postern", "gate-pass")));
    const store = await aStore(t, { url: gateUrl(), prefix: "postern:untracked:" });
    assert.equal(store.health().state, "degraded");
    assert.match(store.health().detail, /NOPERM/);
    for (const owner of ["alice", "bob"]) {
      await server.cli("HSET", "postern:untracked:device:ABC123", "owner", owner);
      assert.equal((await store.facts([phone], "a")).record?.owner, owner);
    }
    assert.deepEqual(store.cacheSizes(), { known: 0, unknown: 0 });
  });
});

suite("TLS", () => {
  let folder: string;
  let secure: RedisServer;
  let port: number;
  let ca: string;
  let key: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "postern-tls-"));
    const [keyFile, certFile] = [path.join(folder, "key.pem"), path.join(folder, "cert.pem")];
    const openssl = await requirePackage("openssl", "openssl");
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const names = ["-subj", "/CN=redis.test", "-addext", "subjectAltName=DNS:redis.test"];
    await promisify(execFile)(openssl, [
      "req",
      "-x509",
      ...curve,
      "-keyout",
      keyFile,
      "-out",
      certFile,
      "-days",
      "2",
      ...names,
    ]);
    [ca, key] = await Promise.all([readFile(certFile, "utf8"), readFile(keyFile, "utf8")]);
    port = await freePort();
    const files = ["--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile];
    secure = await startRedis("--tls-port", String(port), ...files, "--tls-auth-clients", "yes");
  });
  after(async () => {
    await secure.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("a server with the expected name and certificate, that knows us by ours, is used", async (t) => {
    const store = await aStore(t, { url: `rediss://127.0.0.1:${port}`, ca, cert: ca, key, servername: "redis.test" });
    assert.equal(store.health().state, "live");
    await store.writeFields(phone, fields({ owner: "alice" }));
    await secure.cli("HSET", "postern:device:ABC123", "owner", "bob");
    await eventually(async () => assert.equal((await store.facts([phone], "a")).record?.owner, "bob"));
  });

  for (const [title, options] of [
    ["a certificate that nobody we trust has signed", { servername: "redis.test" }],
    ["a certificate for another name", { servername: "other.test" }],
  ] as const) {
    test(`${title} is not spoken to`, async (t) => {
      const trusted = options.servername === "other.test" ? { ca } : {};
      const store = await aStore(t, { url: `rediss://127.0.0.1:${port}`, cert: ca, key, ...trusted, ...options });
      assert.equal(store.health().state, "down");
      assert.match(store.health().detail, /certificate|altnames/i);
    });
  }
});
