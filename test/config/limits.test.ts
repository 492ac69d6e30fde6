import assert from "node:assert/strict";
import { test } from "node:test";
import { aConfigDirectory } from "../support/config-directory.ts";

const numbers: readonly (readonly [key: string, least: number, most: number])[] = [
  ["mail.limits.maxConnections", 1, 1_000_000],
  ["mail.limits.maxConnectionsPerAddress", 1, 1_000_000],
  ["mail.limits.maxRequestsPerCredential", 1, 1_000_000],
  ["mail.limits.strangeDevicesPerHour", 1, 1_000_000],
  ["mail.limits.bodyBytes", 65_536, 67_108_864],
  ["upstream.connectTimeoutMs", 100, 60_000],
  ["upstream.responseTimeoutSeconds", 3541, 86_400],
  ["upstream.idleSocketMs", 100, 600_000],
  ["inventory.maxReportAgeHours", 1, 8760],
  ["lastKnown.allowHours", 1, 8760],
];

for (const [key, least, most] of numbers) {
  test(`${key} goes from ${least} to ${most}, and no further`, (t) => {
    assert.deepEqual(faultsWith(least), []);
    assert.deepEqual(faultsWith(most), []);
    assert.deepEqual(faultsWith(least - 1), [`${key}: must be at least ${least}`]);
    assert.deepEqual(faultsWith(most + 1), [`${key}: must be at most ${most}`]);
    for (const value of [least + 0.5, Number.NaN, Infinity]) assert.equal(faultsWith(value).length, 1, String(value));

    function faultsWith(value: number): string[] {
      const written = Number.isNaN(value) ? ".nan" : String(value).replace("Infinity", ".inf");
      const [section = "", ...rest] = key.split(".");
      const inner = rest.reduceRight((child, name) => `{ ${name}: ${child} }`, written);
      const url = "url: http://mail.internal";
      const yaml =
        section === "upstream" ? `upstream: { ${url}, ${inner.slice(1)}` : `upstream: { ${url} }\n${section}: ${inner}`;
      return messages(t, yaml);
    }
  });
}

const campaign = { id: "a", title: "T", require: [{ absent: { name: "X", ios: ["a.b"] } }] };
const owners = (count: number) => Array.from({ length: count }, (_, index) => `u${index}`);

/** What may grow, with the size at which it still fits: one more does not. */
const sizes: readonly (readonly [what: string, cap: number, tree: (size: number) => object])[] = [
  ["preview.important", 1000, (size) => ({ preview: { important: owners(size) } })],
  ["campaigns", 100, (size) => ({ campaigns: owners(size).map(named) })],
  ["campaigns[0].id", 64, (size) => ({ campaigns: [{ ...campaign, id: "a".repeat(size) }] })],
  ["campaigns[0].title", 200, (size) => ({ campaigns: [{ ...campaign, title: "ä".repeat(size) }] })],
  [
    "campaigns[0].require",
    50,
    (size) => ({ campaigns: [{ ...campaign, require: repeat(campaign.require[0], size) }] }),
  ],
  ["campaigns[0].require[0].absent.name", 200, (size) => absent({ name: "x".repeat(size), ios: ["a.b"] })],
  ["campaigns[0].require[0].absent.ios", 100, (size) => absent({ name: "X", ios: repeat("a.b", size) })],
  [
    "campaigns[0].require[0].absent.android[0]",
    255,
    (size) => absent({ name: "X", android: ["a.".padEnd(size, "b")] }),
  ],
  ["campaigns[0].waves", 100, (size) => waves(owners(size).map((region) => ({ audience: { region } })))],
  ["campaigns[0].waves[0].audience.owner", 1000, (size) => waves([{ audience: { owner: owners(size) } }])],
  ["campaigns[0].waves[0].audience.owner", 256, (size) => waves([{ audience: { owner: "a".repeat(size) } }])],
  ["campaigns[0].waves[0].audience.group", 256, (size) => waves([{ audience: { group: "g".repeat(size) } }])],
  ["routes", 100, (size) => ({ routes: owners(size).map((name) => ({ path: `/${name}`, protocol: "browser" })) })],
  ["routes[0].path", 256, (size) => ({ routes: [{ path: "/".padEnd(size, "a"), protocol: "browser" }] })],
  [
    "routes[0].except",
    100,
    (size) => ({ routes: [{ path: "/a", protocol: "browser", except: repeat("/a/b", size) }] }),
  ],
  ["mail.hosts", 1000, (size) => ({ mail: { hosts: repeat("a.example", size) } })],
  ["mail.hosts[0]", 253, (size) => ({ mail: { hosts: [`${"a.".repeat(100)}${"b".repeat(size - 200)}`] } })],
  ["mail.trustedProxies", 1000, (size) => ({ mail: { trustedProxies: repeat("10.0.0.0/8", size) } })],
  ["identity.domains", 1000, (size) => ({ identity: { domains: repeat("a.example", size) } })],
  ["notice.organisation", 200, (size) => ({ notice: { organisation: "x".repeat(size) } })],
  ["notice.from.address", 254, (size) => ({ notice: { from: { address: address(size) } } })],
  ["store.redis.prefix", 64, (size) => ({ store: { redis: { url: "redis://a", prefix: ":".padStart(size, "a") } } })],
  ["store.redis.password", 1024, (size) => ({ store: { redis: { url: "redis://a", password: "x".repeat(size) } } })],
  [
    "store.redis.username",
    256,
    (size) => ({ store: { redis: { url: "redis://a", username: "x".repeat(size), password: "p" } } }),
  ],
];

for (const [what, cap, tree] of sizes) {
  test(`${what} fits with ${cap}, and with ${cap + 1} it does not`, (t) => {
    const upstream = { url: "http://mail.internal" };
    assert.deepEqual(messages(t, JSON.stringify({ upstream, ...tree(cap) })), []);
    const [fault = "", ...others] = messages(t, JSON.stringify({ upstream, ...tree(cap + 1) }));
    assert.ok(fault.startsWith(`${what}: must `), fault);
    assert.deepEqual(others, []);
  });
}

test("lists that must not be empty are not", (t) => {
  const upstream = { url: "http://mail.internal" };
  const empty = { ...campaign, require: [], waves: [] };
  assert.deepEqual(messages(t, JSON.stringify({ upstream, routes: [], campaigns: [empty] })), [
    "campaigns[0].require: must have at least 1 entry",
    "campaigns[0].waves: must have at least 1 entry",
    "routes: must have at least 1 entry",
  ]);
});

test("a configuration of 1 MiB loads, and one byte more is refused unread", (t) => {
  const yaml = "upstream: { url: http://mail.internal }\n#";
  const full = yaml.padEnd(1024 * 1024, "x");
  assert.deepEqual(aConfigDirectory(t, full).faults(), []);
  assert.deepEqual(aConfigDirectory(t, `${full}x`).faults(), ["postern.yaml is larger than 1 MiB"]);
});

function messages(t: Parameters<typeof aConfigDirectory>[0], yaml: string): string[] {
  return aConfigDirectory(t, yaml)
    .faults()
    .map((line) => line.replace(/^postern\.yaml:\d+:\d+ /, ""))
    .toSorted();
}

function named(id: string): object {
  return { ...campaign, id };
}

function repeat<T>(value: T, count: number): T[] {
  return Array.from({ length: count }, () => value);
}

function absent(requirement: object): object {
  return { campaigns: [{ ...campaign, require: [{ absent: requirement }] }] };
}

function waves(list: readonly object[]): object {
  return { campaigns: [{ ...campaign, waves: list }] };
}

function address(size: number): string {
  const local = "a".repeat(64);
  const domain = `${"b".repeat(63)}.${"c".repeat(63)}.`;
  return `${local}@${domain}${"d".repeat(size - local.length - 1 - domain.length)}`;
}
