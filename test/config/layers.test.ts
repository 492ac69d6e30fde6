import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { settableKeys, variables } from "../../src/config/keys.ts";
import { formatFaults } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import { showConfig } from "../../src/config/show.ts";
import { aConfigDirectory } from "../support/config-directory.ts";

const smallest = "upstream: { url: http://mail.internal }\n";

test("a flag outranks the environment, which outranks the file, which outranks the default", (t) => {
  const directory = aConfigDirectory(t, `${smallest}log: { level: warn }\n`);
  const env = { POSTERN_LOG_LEVEL: "error" };
  const flags = { "log.level": "debug" };
  assert.equal(aConfigDirectory(t, smallest).load().log.level, "info");
  assert.equal(directory.load().log.level, "warn");
  assert.equal(directory.load({ env }).log.level, "error");
  assert.equal(directory.load({ env, flags }).log.level, "debug");
  assert.equal(directory.load({ env, flags: { "log.level": undefined } }).log.level, "error");
});

test("every key with one value has a variable of its own and, unless it is a secret, a flag", () => {
  const keys = settableKeys();
  assert.equal(new Set(keys.map(({ variable }) => variable)).size, keys.length);
  assert.equal(new Set(keys.map(({ flag, path }) => flag ?? path)).size, keys.length);
  const secrets = keys.filter(({ flag }) => flag === undefined).map(({ path }) => path);
  assert.deepEqual(secrets, ["store.redis.url", "store.redis.password", "letters.password"]);
  for (const secret of secrets) assert.ok(variables().has(`${variableOf(secret)}_FILE`), secret);
  assert.equal(variableOf("mail.limits.maxConnectionsPerAddress"), "POSTERN_MAIL_LIMITS_MAX_CONNECTIONS_PER_ADDRESS");
  assert.equal(variableOf("stance.phone-browser"), "POSTERN_STANCE_PHONE_BROWSER");

  function variableOf(path: string): string | undefined {
    return keys.find((key) => key.path === path)?.variable;
  }
});

test("numbers and lists can come from the environment", (t) => {
  const env = { POSTERN_UPSTREAM_IDLE_SOCKET_MS: "1500", POSTERN_MAIL_HOSTS: "a.example, b.example" };
  const { upstream, mail } = aConfigDirectory(t, `${smallest}mail: { hosts: [c.example, d.example] }\n`).load({ env });
  assert.equal(upstream.idleSocketMs, 1500);
  assert.deepEqual(mail.hosts, ["a.example", "b.example"]);
});

test("without a file, the environment alone is enough", () => {
  const loaded = loadConfig({ env: { POSTERN_UPSTREAM_URL: "http://mail.internal", PATH: "/bin" }, flags: {} });
  assert.ok(loaded.ok);
  assert.equal(loaded.config.secret.file, path.resolve("secrets/installation"));
});

test("without anything, the one key that is needed is named with the way to set it", () => {
  const loaded = loadConfig({ env: {}, flags: {} });
  assert.ok(!loaded.ok);
  assert.equal(
    formatFaults(loaded.faults),
    "upstream.url: must be given (or POSTERN_UPSTREAM_URL set)\n1 fault in the configuration\n",
  );
});

test("POSTERN_CONFIG names the file, and the command line outranks it", (t) => {
  const one = aConfigDirectory(t, `${smallest}log: { level: warn }\n`);
  const other = aConfigDirectory(t, `${smallest}log: { level: error }\n`);
  const env = { POSTERN_CONFIG: one.file };
  assert.equal(one.load({ file: undefined, env }).log.level, "warn");
  assert.equal(other.load({ env }).log.level, "error");
  const empty = "is empty; it must name the configuration file";
  assert.deepEqual(one.faults({ file: undefined, env: { POSTERN_CONFIG: "" } }), [`POSTERN_CONFIG ${empty}`]);
  assert.deepEqual(one.faults({ file: "", env }), [`--config ${empty}`]);
});

test("a path begins where it is written: at the file, or where the command was typed", (t) => {
  const directory = aConfigDirectory(t, `${smallest}store: { embedded: a.db }\nlastKnown: { file: /var/lib/known }\n`);
  const { store, lastKnown, secret } = directory.load({ env: { POSTERN_SECRET_FILE: "some/secret" } });
  assert.deepEqual(store, { kind: "embedded", file: path.join(directory.path, "a.db") });
  assert.equal(lastKnown.file, "/var/lib/known");
  assert.equal(secret.file, path.resolve("some/secret"));
});

test("who chooses a store from outside has decided against the one in the file", (t) => {
  const embedded = aConfigDirectory(t, `${smallest}store: { embedded: a.db }\n`);
  assert.equal(embedded.load({ env: { POSTERN_STORE_REDIS: "redis://cache" } }).store.kind, "redis");
  const redis = aConfigDirectory(t, `${smallest}store: { redis: redis://cache }\n`);
  assert.equal(redis.load({ flags: { "store.embedded": "a.db" } }).store.kind, "embedded");
});

test("a password from outside is added to the server in the file, and replaces the one there", (t) => {
  const directory = aConfigDirectory(t, `${smallest}store: { redis: redis://cache/7 }\n`);
  const other = aConfigDirectory(t, `${smallest}store: { redis: { url: redis://cache/7, password: old } }\n`);
  const file = directory.write("password", "fresh\n");
  for (const env of [{ POSTERN_STORE_REDIS_PASSWORD_FILE: file }, { POSTERN_STORE_REDIS_PASSWORD: "fresh" }]) {
    for (const { load } of [directory, other]) {
      const { store } = load({ env });
      assert.ok(store.kind === "redis");
      assert.equal(store.password?.reveal(), "fresh");
      assert.equal(store.database, 7);
    }
  }
});

test("a whole Redis URL can come from a file", (t) => {
  const directory = aConfigDirectory(t, smallest);
  const file = directory.write("redis-url", "redis://bob:hunter2@cache:7000/1\n");
  for (const name of ["POSTERN_STORE_REDIS_FILE", "POSTERN_STORE_REDIS_URL_FILE"]) {
    const { store } = directory.load({ env: { [name]: file } });
    assert.ok(store.kind === "redis");
    assert.deepEqual([store.host, store.port, store.password?.reveal()], ["cache", 7000, "hunter2"]);
  }
});

test("a variable that nobody understands is a fault, with the one that was meant", (t) => {
  const env = {
    POSTERN_UPSTREM_URL: "http://a",
    POSTERN_MAIL_PORT: "8080",
    POSTERN_CAMPAIGNS: "[]",
    POSTERNX: "not ours",
    POSTERN_LOG_LEVEL: "loud",
    POSTERN_STORE_EMBEDDED: "",
    POSTERN_UPSTREAM_IDLE_SOCKET_MS: "4s",
    POSTERN_MAIL_HOSTS: "a.example,,b.example",
    POSTERN_STORE_REDIS: "redis://a",
    POSTERN_STORE_REDIS_URL: "redis://b",
  };
  assert.deepEqual(aConfigDirectory(t, smallest).faults({ env }), [
    "POSTERN_CAMPAIGNS unknown variable",
    "POSTERN_LOG_LEVEL log.level: must be one of debug, info, warn, error",
    "POSTERN_MAIL_HOSTS mail.hosts[1]: must be a host name without scheme or port, such as mail.corp.example; other scripts as xn--…",
    "POSTERN_MAIL_PORT unknown variable",
    "POSTERN_STORE_EMBEDDED store.embedded: is empty; give it a value, or unset the variable",
    "POSTERN_STORE_REDIS_URL store.redis.url: is set by POSTERN_STORE_REDIS too",
    "POSTERN_UPSTREAM_IDLE_SOCKET_MS upstream.idleSocketMs: must be a number",
    "POSTERN_UPSTREM_URL unknown variable; did you mean POSTERN_UPSTREAM_URL?",
  ]);
});

test("what Kubernetes tells every container about a service called postern is no setting", (t) => {
  const env = {
    POSTERN_SERVICE_HOST: "10.0.0.1",
    POSTERN_SERVICE_PORT: "80",
    POSTERN_SERVICE_PORT_HTTP: "80",
    POSTERN_PORT: "tcp://10.0.0.1:80",
    POSTERN_PORT_80_TCP: "tcp://10.0.0.1:80",
    POSTERN_PORT_80_TCP_PROTO: "tcp",
    POSTERN_PORT_80_TCP_ADDR: "10.0.0.1",
    POSTERN_ADMIN_SERVICE_HOST: "10.0.0.2",
    POSTERN_ADMIN_PORT: "tcp://10.0.0.2:80",
  };
  assert.deepEqual(aConfigDirectory(t, smallest).faults({ env }), []);
});

test("a flag cannot hold a secret, and one that does not exist is a fault", (t) => {
  const flags = { "store.redis.password": "hunter2", "mail.nothing": "x", "log.level": "loud" };
  assert.deepEqual(aConfigDirectory(t, smallest).faults({ flags }), [
    "--log-level log.level: must be one of debug, info, warn, error",
    "mail.nothing is no key that a flag can set",
    "store.redis.password is a secret; everybody on this machine can read a command line",
  ]);
});

test("config show prints every value with where it came from, and can be read again", (t) => {
  const directory = aConfigDirectory(
    t,
    `${smallest}mail:\n  hosts: [a.example]\ncampaigns:
  - id: a
    title: "T: no"
    require: [{ absent: { name: X, ios: [a.b] } }]
    waves: [{ deadline: 2026-11-20T23:59, timezone: America/New_York, audience: { region: "NO" } }]
`,
  );
  const config = directory.load({ env: { POSTERN_LOG_LEVEL: "warn" }, flags: { "admin.listen": "[::1]:9000" } });
  const shown = showConfig(config).replaceAll(`${directory.path}/`, "");
  for (const line of [
    "  listen: 127.0.0.1:8080 # default",
    "  hosts: [a.example] # postern.yaml:3",
    '  listen: "[::1]:9000" # --admin-listen',
    "  url: http://mail.internal # postern.yaml:1",
    "  level: warn # POSTERN_LOG_LEVEL",
    '    title: "T: no" # postern.yaml:6',
    "        deadline: 2026-11-20T23:59 # postern.yaml:8",
    "  embedded: data/postern.db # default",
  ]) {
    assert.ok(shown.split("\n").includes(line), `${line}\nin\n${shown}`);
  }

  const { settings: _, sources: _sources, ...again } = aConfigDirectory(t, showConfig(config)).load();
  const { settings: __, sources: __sources, ...first } = config;
  assert.deepEqual(again, first);
});
