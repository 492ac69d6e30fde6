import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { formatFaults } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { ConfigSources } from "../../src/config/sources.ts";
import { createSecret } from "../../src/config/secret.ts";
import { showConfig } from "../../src/config/show.ts";
import { aCertificate } from "../support/certificate.ts";
import { aConfigDirectory } from "../support/config-directory.ts";

const smallest = "upstream: { url: http://mail.internal }\n";
/** What must never be printed. */
const canary = "hunter2canary";

/** Every way in which something ends in a log, on a terminal or in an answer. */
function printed(value: unknown): string {
  return [
    JSON.stringify(value),
    inspect(value, { depth: Infinity, showHidden: true, getters: true, maxStringLength: Infinity }),
    inspect(value, { depth: Infinity, customInspect: false }),
    String(value),
  ].join("\n");
}

test("a secret shows as stars in every way of printing it, and gives itself out only when asked", () => {
  const secret = createSecret(canary);
  assert.equal(
    `${secret.toString()} ${JSON.stringify({ secret })} ${inspect({ secret })}`,
    '*** {"secret":"***"} { secret: *** }',
  );
  assert.ok(!printed({ secret, spread: { ...secret } }).includes(canary));
  assert.throws(() => structuredClone(secret));
  assert.equal(secret.reveal(), canary);
});

const good: readonly (readonly [title: string, store: string, env: Readonly<Record<string, string>>])[] = [
  ["a URL alone", `{ redis: "redis://bob:${canary}@cache/1" }`, {}],
  ["a URL with a password and no user", `{ redis: "redis://:${canary}@cache/1" }`, {}],
  ["a URL in a mapping", `{ redis: { url: "rediss://bob:${canary}@cache/1" } }`, {}],
  ["a password beside the URL", `{ redis: { url: "redis://cache", password: "${canary}" } }`, {}],
  ["a password in a file", "{ redis: { url: redis://cache, passwordFile: password } }", {}],
  ["a URL in a file", "{ redis: { urlFile: url } }", {}],
  ["a variable with the URL", "{}", { POSTERN_STORE_REDIS: `redis://bob:${canary}@cache/1` }],
  ["a variable with the password", "{ redis: redis://cache }", { POSTERN_STORE_REDIS_PASSWORD: canary }],
];

for (const [title, store, env] of good) {
  test(`a password is used and never shown: ${title}`, (t) => {
    const directory = aConfigDirectory(t, `${smallest}store: ${store}\n`);
    directory.write("password", `${canary}\n`);
    directory.write("url", `redis://bob:${canary}@cache/1\n`);
    const config = directory.load({ env });
    assert.ok(config.store.kind === "redis");
    assert.equal(config.store.password?.reveal(), canary);
    const shown = showConfig(config);
    assert.ok(!shown.includes(canary), shown);
    assert.ok(!printed(config).includes(canary), printed(config));
  });
}

test("config show keeps of a Redis URL what an operator looks for", (t) => {
  const directory = aConfigDirectory(t, `${smallest}store: { redis: "rediss://bob:${canary}@cache:7000/3" }\n`);
  assert.match(showConfig(directory.load()), /url: rediss:\/\/\*\*\*@cache:7000\/3 # /);
  const plain = aConfigDirectory(t, `${smallest}store: { redis: { url: "redis://cache/3", password: x } }\n`);
  assert.match(showConfig(plain.load()), /url: redis:\/\/cache\/3 # .*\n +password: "\*\*\*" # /);
});

test("a private key is used and never shown", (t) => {
  const { cert, key } = aCertificate();
  const directory = aConfigDirectory(t, `${smallest}mail: { tls: { cert: a.crt, key: a.key } }\n`);
  directory.write("a.crt", cert);
  directory.write("a.key", key);
  const config = directory.load();
  assert.equal(config.mail.tls?.key.reveal(), key);
  const line = key.split("\n")[1] ?? "";
  assert.ok(line.length > 30);
  assert.ok(!`${printed(config)}${showConfig(config)}`.includes(line));
});

/** The secret stands where it belongs and is wrong, or stands where it does not belong. */
const misplaced: readonly (readonly [title: string, yaml: string, sources?: Partial<ConfigSources>])[] = [
  ["an unescaped password", `store: { redis: "redis://bob:${canary}@x@cache" }`],
  ["a password where the user stands", `store: { redis: "redis://${canary}@cache/1" }`],
  ["a password for a user", `store: { redis: { url: redis://cache, username: ${canary} } }`],
  ["a URL of another scheme", `store: { redis: { url: "http://bob:${canary}@cache" } }`],
  ["a URL in a list", `store: { redis: ["redis://bob:${canary}@cache"] }`],
  ["a URL as a key", `store: { redis: { "redis://bob:${canary}@cache": } }`],
  ["a URL without quotes in braces", `store: { {redis://bob:${canary}@cache} }`],
  ["a password under a key that does not exist", `store: { redis: { url: redis://a, pasword: ${canary} } }`],
  ["a password of another kind", `store: { redis: { url: redis://a, password: [${canary}] } }`],
  ["a password twice", `store: { redis: { url: "redis://a:${canary}@b", password: ${canary} } }`],
  ["two passwords under one key", `store: { redis: { url: redis://a, password: x, password: ${canary} } }`],
  ["a password beside its file", `store: { redis: { url: redis://a, password: ${canary}, passwordFile: password } }`],
  ["a password for the name of its file", `store: { redis: { url: redis://a, passwordFile: ${canary} } }`],
  ["a URL file with something else in it", "store: { redis: { urlFile: wrong } }"],
  ["a password that is an alias to YAML", `store: { redis: { url: redis://a, password: *${canary} } }`],
  ["a password that is an anchor to YAML", `store: { redis: { url: redis://a, password: &${canary} } }`],
  ["a password that is a tag to YAML", `store: { redis: { url: redis://a, password: !${canary} } }`],
  ["a password that is a reserved character to YAML", `store: { redis: { url: redis://a, password: @${canary} } }`],
  ["a password that is a directive to YAML", `%${canary}\n---\nx: 1`],
  ["a password that is an escape to YAML", `store: { redis: { url: redis://a, password: "\\q${canary}" } }`],
  ["a password that is a mapping to YAML", `store: { redis: { url: redis://a, password: a: ${canary} } }`],
  ["a quote that is not closed", `store: { redis: { url: redis://a, password: "${canary} } }`],
  ["a tab", `store:\n\tredis: ${canary}`],
  [
    "a user name in the URL of the mail server",
    `mail: {}\nroutes: [{ path: /a, protocol: browser, upstream: "http://u:${canary}@a" }]`,
  ],
  ["a help page with a password", `notice: { helpUrl: "https://u:${canary}@a.example" }`],
  ["a secret for the name of a certificate", `mail: { tls: { cert: "${canary}", key: "${canary}" } }`],
  ["a secret for a listener", `mail: { listen: "${canary}" }`],
  ["a secret for a word of a list", `stance: { stale: ${canary} }`],
  ["a secret for a campaign", `campaigns: [{ id: "${canary}!", title: "${canary}\\n", require: ${canary} }]`],
  ["a secret for a document", canary],
  ["a variable with a wrong URL", "", { env: { POSTERN_STORE_REDIS: `redis://a:${canary}@` } }],
  ["a variable for another key", "", { env: { POSTERN_MAIL_LISTEN: canary, POSTERN_STORE_PASSWORD: canary } }],
  ["a flag", "", { flags: { "store.redis.password": canary, "mail.listen": canary } }],
];

for (const [title, yaml, sources] of misplaced) {
  test(`a fault never repeats a secret: ${title}`, (t) => {
    const start = yaml.startsWith("%") || yaml === canary ? "" : smallest;
    const directory = aConfigDirectory(t, `${start}${yaml}\n`);
    directory.write("password", `${canary}\n`);
    directory.write("wrong", `${canary}\n`);
    const loaded = loadConfig({ file: directory.file, env: {}, flags: {}, ...sources });
    assert.ok(!loaded.ok, "there is a fault");
    assert.ok(loaded.faults.length > 0);
    const said = `${formatFaults(loaded.faults)}${printed(loaded)}`;
    assert.ok(!said.includes(canary), said);
  });
}

test("a secret file is named by its key when it is missing, empty, too large, or no text", (t) => {
  const directory = aConfigDirectory(t, `${smallest}store: { redis: { url: redis://a, passwordFile: password } }\n`);
  const fault = "postern.yaml:2:49 store.redis.passwordFile:";
  assert.deepEqual(directory.faults(), [`${fault} does not exist`]);
  directory.write("password", "\n");
  assert.deepEqual(directory.faults(), [`${fault} is empty`]);
  directory.write("password", "x".repeat(8 * 1024 + 1));
  assert.deepEqual(directory.faults(), [`${fault} is larger than 8 KiB`]);
  directory.write("password", Buffer.of(0xff, 0xfe, 0x41));
  assert.deepEqual(directory.faults(), [`${fault} is not UTF-8 text`]);
  directory.write("password", "x".repeat(1025));
  assert.deepEqual(directory.faults(), ["postern.yaml:2:49 store.redis.password: must have at most 1024 characters"]);
});

test("a certificate that cannot serve is found before anything listens", (t) => {
  const one = aCertificate();
  const other = aCertificate();
  const tls = `${smallest}mail: { tls: { cert: a.crt, key: a.key } }\n`;
  const directory = aConfigDirectory(t, tls);
  const faultsWith = (cert: string, key: string): string[] => {
    directory.write("a.crt", cert);
    directory.write("a.key", key);
    return directory.faults();
  };
  assert.deepEqual(faultsWith(one.cert, one.key), []);
  assert.deepEqual(faultsWith(`${one.cert}${other.cert}`, one.key), []);
  assert.deepEqual(faultsWith(one.cert, other.key), [
    "postern.yaml:2:34 mail.tls.key: is not the key of the certificate",
  ]);
  assert.deepEqual(faultsWith("nothing", one.key), [
    "postern.yaml:2:22 mail.tls.cert: holds no certificate in PEM form",
  ]);
  assert.deepEqual(faultsWith(one.cert.replace("\nMII", "\nAAA"), one.key), [
    "postern.yaml:2:22 mail.tls.cert: holds no certificate in PEM form",
  ]);
  assert.deepEqual(faultsWith(one.cert, one.cert), [
    "postern.yaml:2:34 mail.tls.key: holds no private key in PEM form that can be read without a passphrase",
  ]);
});
