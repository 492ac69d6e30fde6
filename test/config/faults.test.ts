import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFaults } from "../../src/config/fault.ts";
import { loadConfig } from "../../src/config/load.ts";
import { aConfigDirectory } from "../support/config-directory.ts";

const smallest = "upstream: { url: http://mail.internal }\n";

interface Case {
  readonly title: string;
  readonly yaml: string;
  readonly faults: readonly string[];
}

const shapes: readonly Case[] = [
  {
    title: "a misspelt key, with the key that was meant",
    yaml: `${smallest}mail:\n  listn: 127.0.0.1:8080\n`,
    faults: ['postern.yaml:3:3 mail.listn: unknown key; did you mean "listen"?'],
  },
  {
    title: "a key in another spelling",
    yaml: `${smallest}mail: { trusted-proxies: [], public_url: x }\n`,
    faults: [
      'postern.yaml:2:9 mail.trusted-proxies: unknown key; did you mean "trustedProxies"?',
      'postern.yaml:2:30 mail.public_url: unknown key; did you mean "publicUrl"?',
    ],
  },
  {
    title: "a key that belongs somewhere else",
    yaml: `${smallest}maxReportAgeHours: 5\n`,
    faults: ['postern.yaml:2:1 maxReportAgeHours: unknown key; did you mean "inventory.maxReportAgeHours"?'],
  },
  {
    title: "a key that looks like nothing",
    yaml: `${smallest}frobnicate: 5\n`,
    faults: ["postern.yaml:2:1 frobnicate: unknown key"],
  },
  {
    title: "a key that is missing, at what it is missing from",
    yaml: "mail: {}\nupstream:\n  idleSocketMs: 4000\n",
    faults: ["postern.yaml:2:1 upstream.url: must be given (or POSTERN_UPSTREAM_URL set)"],
  },
  {
    title: "an empty file",
    yaml: "# nothing yet\n",
    faults: ["postern.yaml:1:1 upstream.url: must be given (or POSTERN_UPSTREAM_URL set)"],
  },
  {
    title: "a section of which everything is commented out",
    yaml: `${smallest}mail:\n  # listen: x\ncampaigns:\n`,
    faults: [
      "postern.yaml:2:1 mail: is empty; give it a value, or take the key out",
      "postern.yaml:4:1 campaigns: is empty; give it a value, or take the key out",
    ],
  },
  {
    title: "a value of another kind",
    yaml: `upstream:
  url: 5
  idleSocketMs: "4000"
  connectTimeoutMs: 1.5
mail:
  hosts: mail.corp.example
  limits: [1]
store:
  redis: [redis://a]
stance: quarantine
notice: { organisation: true }
`,
    faults: [
      "postern.yaml:2:8 upstream.url: must be text; put it in quotes",
      "postern.yaml:3:17 upstream.idleSocketMs: must be a number",
      "postern.yaml:4:21 upstream.connectTimeoutMs: must be a whole number",
      "postern.yaml:6:10 mail.hosts: must be a list",
      "postern.yaml:7:11 mail.limits: must be a mapping of keys",
      "postern.yaml:9:10 store.redis: must be text or a mapping of keys",
      "postern.yaml:10:9 stance: must be a mapping of keys",
      "postern.yaml:11:25 notice.organisation: must be text; put it in quotes",
    ],
  },
  {
    title: "a word that is not on the list",
    yaml: `${smallest}stance: { stale: quarntine, unknown: maybe }\nlog: { level: Warning }\n`,
    faults: [
      'postern.yaml:2:18 stance.stale: must be one of allow, warn, quarantine; did you mean "quarantine"?',
      "postern.yaml:2:38 stance.unknown: must be one of last-known, allow, warn, quarantine",
      "postern.yaml:3:15 log.level: must be one of debug, info, warn, error",
    ],
  },
  {
    title: "amounts that are none",
    yaml: `${smallest}campaigns:
  - id: a
    title: T
    require: [{ absent: { name: X, ios: [a.b], versions: newest } }, { reported: { within: 0h } }]
    remind: [24, 31d]
    mode: enforced
    grace: 91d
    guard: { maxShare: 0%, maxDevices: 0 }
    waves: [{ audience: { share: 101% }, deadline: 2030-12-01T23:59Z }]
`,
    faults: [
      "postern.yaml:5:58 campaigns[0].require[0].absent.versions: must be versions such as >=26.1, <5.2 or >=1.0 <2.3",
      "postern.yaml:5:92 campaigns[0].require[1].reported.within: must be 1m to 366d",
      "postern.yaml:6:14 campaigns[0].remind[0]: must be text; put it in quotes",
      "postern.yaml:6:18 campaigns[0].remind[1]: must be 1m to 30d",
      'postern.yaml:7:11 campaigns[0].mode: must be one of enforce, shadow, paused, retracted; did you mean "enforce"?',
      "postern.yaml:8:12 campaigns[0].grace: must be 1m to 90d",
      "postern.yaml:9:24 campaigns[0].guard.maxShare: must be a percentage above 0 and up to 100, such as 5% or 0.5%",
      "postern.yaml:9:40 campaigns[0].guard.maxDevices: must be at least 1",
      "postern.yaml:10:34 campaigns[0].waves[0].audience.share: must be a percentage above 0 and up to 100, such as 5% or 0.5%",
    ],
  },
  {
    title: "letters without a mail server, and a password without a user",
    yaml: `${smallest}letters: { smtp: "http://mail", passwordFile: nowhere }
`,
    faults: [
      "postern.yaml:2:18 letters.smtp: must be a URL such as smtp://mail.internal:25 or smtps://mail.corp.example, without user name",
      "postern.yaml:2:33 letters.passwordFile: is of no use without username",
      "postern.yaml:2:47 letters.passwordFile: does not exist",
    ],
  },
  {
    title: "an exemption without an end, from a campaign that is not there, for nobody",
    yaml: `${smallest}exemptions:
  - { who: { owner: alice }, campaign: tiktok, reason: R, by: bob }
  - { who: {}, campaign: all, until: tomorrow, reason: R, by: bob }
  - { who: { device: A-1 }, campaign: all, until: "2026-02-30", reason: R, by: bob }
  - { who: { owner: alice }, campaign: all, until: "2026-03-29T02:30", timezone: Europe/Berlin, reason: R, by: bob }
`,
    faults: [
      "postern.yaml:3:5 exemptions[0].until: must be given",
      "postern.yaml:3:40 exemptions[0].campaign: is the id of no campaign here, nor all",
      "postern.yaml:4:12 exemptions[1].who: must name an owner, a group or a device",
      "postern.yaml:4:38 exemptions[1].until: must be a date, or a date and a time to the minute, such as 2026-12-01T18:00",
      "postern.yaml:5:22 exemptions[2].who.device: must be a device id: 1 to 64 letters and digits",
      "postern.yaml:5:51 exemptions[2].until: is no day or no time of the calendar",
      "postern.yaml:6:52 exemptions[3].until: does not exist in that timezone, because clocks are put forward then; write 2026-03-29T01:30 or 2026-03-29T03:30",
    ],
  },
];

const campaigns: readonly Case[] = [
  {
    title: "an app by the name that people see, and one without ids",
    yaml: `${smallest}campaigns:
  - id: TikTok
    title: ""
    require:
      - absent: { name: TikTok, ios: [TikTok], android: ["835599320"], windows: ["a b"] }
      - absent:
          name: X
      - absent: { ios: [] }
      - { enrolled: true, os: { ios: ">=26" } }
`,
    faults: [
      "postern.yaml:3:9 campaigns[0].id: must be 1 to 64 lower-case letters, digits and hyphens",
      "postern.yaml:4:12 campaigns[0].title: must not be empty",
      "postern.yaml:6:39 campaigns[0].require[0].absent.ios[0]: must be a bundle id or package name such as com.example.app, not the name that people see",
      "postern.yaml:6:58 campaigns[0].require[0].absent.android[0]: must be a bundle id or package name such as com.example.app, not the name that people see",
      "postern.yaml:6:82 campaigns[0].require[0].absent.windows[0]: must be an app id: at most 255 letters, digits, dots, hyphens and underscores",
      "postern.yaml:8:11 campaigns[0].require[1].absent: must have the app's ids on one of ios, ipados, android, macos, windows",
      "postern.yaml:9:9 campaigns[0].require[2].absent.name: must be given",
      "postern.yaml:9:24 campaigns[0].require[2].absent.ios: must have at least 1 entry",
      "postern.yaml:10:9 campaigns[0].require[3]: must have exactly one of absent, os, reported, enrolled, not-compromised, source-compliant",
    ],
  },
  {
    title: "an audience that nobody can belong to",
    yaml: `${smallest}campaigns:
  - id: a
    title: T
    require: [{ absent: { name: X, ios: [a.b] } }]
    waves:
      - audience: { region: [], platform: iphone, owner: "a b", group: " vip", ownership: [corporate, byod] }
      - audience: { region: 5, platform: 5 }
`,
    faults: [
      "postern.yaml:7:29 campaigns[0].waves[0].audience.region: must have at least 1 entry",
      "postern.yaml:7:43 campaigns[0].waves[0].audience.platform: must be one of ios, ipados, android, macos, windows, other",
      "postern.yaml:7:58 campaigns[0].waves[0].audience.owner: must be a name such as alice, CORP\\alice or alice@corp.example, at most 256 characters",
      "postern.yaml:7:72 campaigns[0].waves[0].audience.group: must be 1 to 256 characters without spaces around them",
      "postern.yaml:7:103 campaigns[0].waves[0].audience.ownership[1]: must be one of corporate, personal, unknown",
      "postern.yaml:8:29 campaigns[0].waves[1].audience.region: must be text or a list",
      "postern.yaml:8:42 campaigns[0].waves[1].audience.platform: must be one of ios, ipados, android, macos, windows, other or a list",
    ],
  },
  {
    title: "two campaigns of one name, and a wave behind the one for everybody",
    yaml: `${smallest}campaigns:
  - { id: a, title: T, require: [{ absent: { name: X, ios: [a.b] } }], waves: [{ audience: {} }, { audience: { region: US } }] }
  - { id: a, title: T, require: [{ absent: { name: X, ios: [a.b] } }] }
`,
    faults: [
      "postern.yaml:3:98 campaigns[0].waves[1]: is never reached: waves[0] is for everybody already",
      "postern.yaml:4:11 campaigns[1].id: is the id of campaigns[0] too",
    ],
  },
];

const contradictions: readonly Case[] = [
  {
    title: "times before a deadline that no wave has",
    yaml: `${smallest}campaigns:
  - { id: a, title: T, require: [{ enrolled: true }], remind: [24h], grace: 1d }
  - { id: b, title: T, require: [{ enrolled: true }], remind: [], waves: [{ audience: { region: EU } }] }
  - { id: c, title: T, require: [{ enrolled: true }], remind: [24h], waves: [{ audience: { region: EU } }, { deadline: 2030-12-01T23:59Z }] }
`,
    faults: [
      "postern.yaml:3:63 campaigns[0].remind: counts from a deadline, and no wave has one",
      "postern.yaml:3:77 campaigns[0].grace: counts from a deadline, and no wave has one",
    ],
  },
  {
    title: "who is new, without how long that counts",
    yaml: `${smallest}campaigns:
  - { id: a, title: T, require: [{ enrolled: true }], graceFor: newly-seen, waves: [{ deadline: 2030-12-01T23:59Z }] }
  - { id: b, title: T, require: [{ enrolled: true }], graceFor: [newly-seen] }
  - { id: c, title: T, require: [{ enrolled: true }], grace: 1d, graceFor: [newly-seen, newly-enrolled], waves: [{ deadline: 2030-12-01T23:59Z }] }
`,
    faults: [
      "postern.yaml:3:65 campaigns[0].graceFor: needs grace beside it: how long",
      "postern.yaml:4:65 campaigns[1].graceFor: counts from a deadline, and no wave has one",
    ],
  },
  {
    title: "two stores",
    yaml: `${smallest}store: { redis: redis://a, embedded: b.db }\n`,
    faults: ["postern.yaml:2:28 store.embedded: stands beside redis; only one of them can be the store"],
  },
  {
    title: "a Redis server that is described twice or not at all",
    yaml: `${smallest}store: { redis: { url: "redis://u:p@a", password: q } }\n`,
    faults: ["postern.yaml:2:51 store.redis.password: stands in the URL too; only one of them can hold"],
  },
  {
    title: "a Redis server without address",
    yaml: `${smallest}store: { redis: { prefix: "a:" } }\n`,
    faults: ["postern.yaml:2:10 store.redis.url: must be given, or urlFile"],
  },
  {
    title: "authorities for a server that is not asked for a certificate",
    yaml: `upstream: { url: http://mail.internal, ca: missing.pem }\nstore: { redis: { url: redis://a, ca: missing.pem } }\n`,
    faults: [
      "postern.yaml:1:44 upstream.ca: is for a mail server with an https URL only",
      "postern.yaml:1:44 upstream.ca: does not exist",
      "postern.yaml:2:39 store.redis.ca: is for rediss:// only",
      "postern.yaml:2:39 store.redis.ca: does not exist",
    ].toSorted(),
  },
  {
    title: "two listeners on one address",
    yaml: `${smallest}mail: { listen: 0.0.0.0:9000 }\nadmin: { listen: 127.0.0.1:9000 }\n`,
    faults: ["postern.yaml:3:18 admin.listen: is the address of the other listener too"],
  },
  {
    title: "a listener on the address that the other one has by default",
    yaml: `${smallest}mail: { listen: 127.0.0.1:8081 }\n`,
    faults: ["postern.yaml:2:17 mail.listen: is the address of the other listener too"],
  },
  {
    title: "a mail server that is the gate itself",
    yaml: `upstream: { url: "http://127.0.0.1:8080" }
routes: [{ path: /owa, protocol: browser, upstream: "http://127.0.0.1:8080" }]
`,
    faults: [
      "postern.yaml:1:18 upstream.url: leads back to mail.listen: every request would go round for ever",
      "postern.yaml:2:53 routes[0].upstream: leads back to mail.listen: every request would go round for ever",
    ],
  },
  {
    title: "a public URL whose host is refused",
    yaml: `${smallest}mail: { hosts: [a.example], publicUrl: https://b.example }\n`,
    faults: [
      "postern.yaml:2:40 mail.publicUrl: names a host that is not in mail.hosts, so whoever follows it is refused",
    ],
  },
  {
    title: "routes that overlap, whatever their case",
    yaml: `${smallest}routes:
  - { path: /owa, protocol: browser }
  - { path: /OWA, protocol: browser }
  - { path: /owa/x, protocol: browser }
  - { path: /owa.x, protocol: browser }
  - { path: /a, protocol: browser, except: [/a/b] }
  - { path: /a/b/c, protocol: activesync }
`,
    faults: [
      "postern.yaml:4:13 routes[1].path: is the path of routes[0] too",
      "postern.yaml:5:13 routes[2].path: lies within routes[0]; list it in the except of that route, or leave it out",
    ],
  },
  {
    title: "routes that cannot be",
    yaml: `${smallest}routes:
  - { path: /owa/, protocol: browser }
  - { path: /a/../b, protocol: browser }
  - { path: "/a%2fb", protocol: browser }
  - { path: /Postern/x, protocol: browser }
  - { path: /eas, protocol: activesync, websocket: true, except: [/eas, /other] }
`,
    faults: [
      ...["3:13 routes[0]", "4:13 routes[1]", "5:13 routes[2]"].map(
        (where) =>
          `postern.yaml:${where}.path: must be an absolute path of letters, digits and . _ - without a slash at its end, such as /owa; at most 256 characters`,
      ),
      "postern.yaml:6:13 routes[3].path: must not be /postern: the gate's own pages are there",
      "postern.yaml:7:52 routes[4].websocket: is for browser routes only",
      "postern.yaml:7:67 routes[4].except[0]: must lie below the path of its route",
      "postern.yaml:7:73 routes[4].except[1]: must lie below the path of its route",
    ],
  },
];

for (const { title, yaml, faults } of [...shapes, ...campaigns, ...contradictions]) {
  test(`a fault is shown where it stands: ${title}`, (t) => {
    assert.deepEqual(aConfigDirectory(t, yaml).faults(), faults);
  });
}

const values: readonly (readonly [key: string, bad: readonly string[]])[] = [
  [
    "mail.listen",
    ["8080", ":8080", "*:8080", "127.0.0.1", "127.0.0.1:", "a:65536", "::1:80", "[::1%eth0]:80", "a b:1"],
  ],
  ["mail.listen", ["127.1:80", "0x7f.1:80", "256.0.0.1:80", "http://a:80", "-a:80", "a_b:80", `${"a".repeat(64)}:80`]],
  ["mail.hosts", ["a.example:443", "https://a.example", "*.example", "bücher.example", "::1", "a..b"]],
  [
    "mail.trustedProxies",
    [
      "10.0.0.1/8",
      "10.0.0.0/33",
      "0.0.0.0/0",
      "::/0",
      "::ffff:10.0.0.0/104",
      "0:0:0:0:0:ffff:a00:0/104",
      "10.0.0/8",
      "all",
    ],
  ],
  [
    "mail.trustedProxies",
    ["2001:db8::1/32", "2001:db8::/129", "10.0.0.0/8/8", "10.0.0.0/", "fe80::1%eth0", "a.example"],
  ],
  [
    "mail.publicUrl",
    [
      "http://a.example",
      "https://a.example/mail",
      "https://u@a.example",
      "https://a.example?x",

      "a.example",
    ],
  ],
  [
    "upstream.url",
    ["ftp://a", "http://u:p@a", "http://a?x=1", "http://a#x", "http://a:0", "http://a:65536", "//a", "HTTP://a"],
  ],
  [
    "upstream.url",
    [
      "http:\\\\a",
      "http://a/%2e",
      "http://a/../b",
      "http://a//b",
      "http://127.1",
      "http:///a",
      "http://[::1",
      "http://xn--zzzz--",
      "a",
    ],
  ],
  [
    "store.redis.url",
    ["http://a", "redis://", "redis://a/b", "redis://a:0", "redis://a:65536", "redis://a/10000", "redis://a?x=1"],
  ],
  ["store.redis.url", ["redis://u:p@ss@a", "redis://u:p/s@a", "redis://u:%zz@a", "redis://a,b", "REDIS://a"]],
  ["store.redis.prefix", ["postern", ":", "a b:", "ä:"]],
  ["identity.domains", ["@corp.example", "corp.example.", "corp example", "*.corp.example"]],
  ["notice.organisation", [" a", "a\nBcc: b", "a\rb", 'a"b', "a<b", "a\\b", "a\u202Eb", "a\u0000b", "a\u2028b", "  "]],
  ["notice.from.name", ["a\nSubject: b", "<a>"]],
  ["notice.from.address", ["a", "a@", "@b", "a b@c", "a@b@c", "a@b\n", ".a@b", "a..b@c", "<a@b>", "a@b,c@d"]],
  [
    "notice.helpUrl",
    [
      "http://a.example",
      "https://u:p@a.example",
      'https://a.example/"',
      "https://a.example/<",
      "https://a b",
      "javascript:1",
    ],
  ],
];

for (const [key, written] of values) {
  for (const value of written) {
    test(`${key} cannot be ${JSON.stringify(value)}`, (t) => {
      const isList = ["mail.hosts", "mail.trustedProxies", "identity.domains"].includes(key);
      const yaml = nested(key.split("."), isList ? [value] : value);
      const directory = aConfigDirectory(t, key.startsWith("upstream.") ? yaml : `${smallest}${yaml}`);
      const env = key === "store.redis.prefix" ? { POSTERN_STORE_REDIS: "redis://a" } : {};
      const [fault, ...others] = directory.faults({ env });
      assert.match(fault ?? "", new RegExp(`^postern\\.yaml:\\d+:\\d+ ${key.replaceAll(".", "\\.")}(\\[0\\])?: `));
      assert.deepEqual(others, []);
    });
  }
}

/** JSON is YAML, with every character where it can be counted. */
function nested(path: readonly string[], value: unknown): string {
  const [key = "", ...rest] = path;
  const inner = rest.reduceRight<unknown>((child, name) => ({ [name]: child }), value);
  return `${key}: ${JSON.stringify(inner)}\n`;
}

test("everything that is wrong is said at once, in the order of the file, with the count at the end", (t) => {
  const directory = aConfigDirectory(
    t,
    `campaigns:
  - id: a
    title: T
    require: [{ absent: { name: X, ios: [X] } }]
    waves:
      - { deadline: 2026-11-20T23:59, extra: 1 }
  - id: a
mail:
  listn: 1
  tls: { cert: missing.crt, key: missing.key }
  publicUrl: https://b.example
  hosts: [a.example]
routes: [{ path: /owa, protocol: browsr }, { path: /OWA, protocol: browser }]
store: { redis: { urlFile: missing } }
`,
  );
  const loaded = loadConfig({ file: directory.file, env: { POSTERN_X: "1" }, flags: { "log.level": "loud" } });
  assert.ok(!loaded.ok);
  assert.deepEqual(formatFaults(loaded.faults).replaceAll(`${directory.path}/`, "").split("\n"), [
    "postern.yaml:1:1 upstream.url: must be given (or POSTERN_UPSTREAM_URL set)",
    "postern.yaml:4:42 campaigns[0].require[0].absent.ios[0]: must be a bundle id or package name such as com.example.app, not the name that people see",
    "postern.yaml:6:21 campaigns[0].waves[0].deadline: needs a timezone beside it, such as timezone: America/New_York, or an offset at its end",
    "postern.yaml:6:39 campaigns[0].waves[0].extra: unknown key",
    "postern.yaml:7:5 campaigns[1].require: must be given",
    "postern.yaml:7:5 campaigns[1].title: must be given",
    "postern.yaml:7:9 campaigns[1].id: is the id of campaigns[0] too",
    'postern.yaml:9:3 mail.listn: unknown key; did you mean "listen"?',
    "postern.yaml:10:16 mail.tls.cert: does not exist",
    "postern.yaml:10:34 mail.tls.key: does not exist",
    "postern.yaml:11:14 mail.publicUrl: names a host that is not in mail.hosts, so whoever follows it is refused",
    'postern.yaml:13:34 routes[0].protocol: must be one of activesync, browser, ews, autodiscover; did you mean "browser"?',
    "postern.yaml:13:52 routes[1].path: is the path of routes[0] too",
    "postern.yaml:14:28 store.redis.urlFile: does not exist",
    "POSTERN_X unknown variable",
    "--log-level log.level: must be one of debug, info, warn, error",
    "16 faults in the configuration",
    "",
  ]);
});

test("a fault carries its place as data, for whoever does not print it", (t) => {
  const { file } = aConfigDirectory(t, "upstream:\n  url: nowhere\n");
  const loaded = loadConfig({ file, env: {}, flags: {} });
  assert.ok(!loaded.ok);
  assert.deepEqual(loaded.faults, [
    {
      origin: { kind: "file", file, position: { line: 2, column: 8 } },
      path: "upstream.url",
      message: "must be a URL, such as http://mail.internal or https://10.0.0.5:8443",
    },
  ]);
});

test("a file that cannot be read is named without a line", (t) => {
  const directory = aConfigDirectory(t, smallest);
  assert.deepEqual(directory.faults({ file: `${directory.path}/other.yaml` }), ["other.yaml does not exist"]);
  assert.deepEqual(directory.faults({ file: directory.path }), [`${directory.path} is a directory`]);
});

test("of a thousand faults a hundred are printed", (t) => {
  const { file } = aConfigDirectory(t, Array.from({ length: 1000 }, (_, index) => `k${index}: 1\n`).join(""));
  const loaded = loadConfig({ file, env: {}, flags: {} });
  assert.ok(!loaded.ok);
  const lines = formatFaults(loaded.faults).split("\n");
  assert.deepEqual(lines.slice(-3), ["… and 901 more", "1001 or more faults in the configuration", ""]);
  assert.equal(lines.length, 103);
});

test("a file name cannot write on the terminal", (t) => {
  const directory = aConfigDirectory(t, smallest);
  const file = directory.write("a\u001b[2Jb\nc.yaml", "x: 1\n");
  assert.equal(directory.faults({ file })[0]?.startsWith("a?[2Jb?c.yaml:1:1 "), true);
});
