import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../src/config/load.ts";
import { withDefaults } from "../../src/config/keys.ts";
import { configSchema } from "../../src/config/schema.ts";
import { aCertificate } from "../support/certificate.ts";
import { instantOf } from "../../src/policy/moment.ts";
import { aConfigDirectory } from "../support/config-directory.ts";

const smallest = "upstream: { url: http://mail.internal }\n";

test("the smallest configuration leaves every other key at its documented default", (t) => {
  const directory = aConfigDirectory(t, smallest);
  const { settings, sources, ...config } = directory.load();
  const stances = { notEnrolled: "quarantine", stale: "warn", uninspectable: "allow", unknown: "last-known" };
  const browser = { protocol: "browser", upstream: undefined, websocket: false };
  assert.deepEqual(config, {
    role: "all",
    inventory: {
      listen: undefined,
      tls: undefined,
      privacy: "all",
      join: { selfRegistration: "off", outlookMobile: "refuse" },
      connectors: [],
    },
    mail: {
      listen: { host: "127.0.0.1", port: 8080 },
      tls: undefined,
      trustedProxies: [],
      hosts: [],
      publicUrl: undefined,
      limits: {
        maxConnections: undefined,
        maxConnectionsPerAddress: 200,
        maxRequestsPerCredential: 30,
        strangeDevicesPerHour: 20,
        bodyBytes: 4 * 1024 * 1024,
      },
    },
    admin: {
      listen: { host: "127.0.0.1", port: 8081 },
      hosts: [],
      access: {
        breakGlassFile: path.join(directory.path, "secrets/break-glass"),
        localTokens: false,
        audience: "postern",
        actorClaim: "sub",
        rolesClaim: "roles",
        roles: { viewer: [], helpdesk: [], operator: [], admin: [] },
      },
    },
    upstream: {
      url: new URL("http://mail.internal"),
      ca: undefined,
      connectTimeoutMs: 5000,
      responseTimeoutMs: 3_600_000,
      idleSocketMs: 4000,
    },
    routes: [
      {
        path: "/Microsoft-Server-ActiveSync",
        protocol: "activesync",
        upstream: undefined,
        websocket: false,
        except: [],
      },
      { path: "/owa", ...browser, except: [] },
      { path: "/ecp", ...browser, except: [] },
      { path: "/SOGo", ...browser, except: ["/SOGo/dav", "/SOGo/Microsoft-Server-ActiveSync"] },
      { path: "/SOGo.woa", ...browser, except: ["/SOGo.woa/dav", "/SOGo.woa/Microsoft-Server-ActiveSync"] },
      { path: "/EWS", protocol: "ews", upstream: undefined, websocket: false, except: [] },
      { path: "/autodiscover", protocol: "autodiscover", upstream: undefined, websocket: false, except: [] },
    ],
    store: { kind: "embedded", file: path.join(directory.path, "data/postern.db") },
    secret: { file: path.join(directory.path, "secrets/installation"), previous: undefined },
    policy: { campaigns: [], exemptions: [], stances, maxReportAgeHours: 168, homeDomains: [] },
    phoneBrowser: "page",
    ews: { stance: "laptops", allowAgents: [] },
    heldFolders: { calendar: "hold", contacts: "hold", tasks: "hold", notes: "hold" },
    notice: {
      organisation: "your organisation",
      from: { name: "Mobile mail", address: "no-reply@postern.invalid" },
      helpUrl: undefined,
      language: "en",
    },
    selfService: { enabled: true, linkHours: 72 },
    letters: undefined,
    preview: { important: [] },
    audit: { journal: path.join(directory.path, "data/audit"), keepDays: 400 },
    log: { level: "info" },
    lastKnown: { file: undefined, allowHours: 24 },
  });
  assert.equal(sources.reveal().file, path.join(directory.path, "postern.yaml"));
  assert.ok(settings.length > 30);
});

test("each kind of folder without mail is held, allowed or wiped on its own", (t) => {
  const yaml = `${smallest}quarantine: { heldFolders: { contacts: allow, calendar: wipe } }\n`;
  assert.deepEqual(aConfigDirectory(t, yaml).load().heldFolders, {
    calendar: "wipe",
    contacts: "allow",
    tasks: "hold",
    notes: "hold",
  });
});

test("both example files load", () => {
  for (const name of ["minimal.yaml", "postern.example.yaml"]) {
    const file = fileURLToPath(new URL(`../../config/${name}`, import.meta.url));
    const loaded = loadConfig({ file, env: {}, flags: {} });
    assert.ok(loaded.ok, name);
  }
});

test("the example's campaign is one that judges TikTok, wave by wave", () => {
  const file = fileURLToPath(new URL("../../config/postern.example.yaml", import.meta.url));
  const loaded = loadConfig({ file, env: {}, flags: {} });
  assert.ok(loaded.ok);
  const [campaign] = loaded.config.policy.campaigns;
  assert.deepEqual(campaign?.requirements, [
    {
      kind: "absent",
      name: "TikTok",
      versions: undefined,
      ids: new Map([
        ["ios", ["com.zhiliaoapp.musically", "com.ss.iphone.ugc.Ame"]],
        ["android", ["com.zhiliaoapp.musically", "com.ss.android.ugc.trill", "com.zhiliaoapp.musically.go"]],
      ]),
    },
  ]);
  assert.deepEqual(
    campaign.waves.map(({ audience, deadline }) => [
      audience.regions,
      deadline === undefined ? "" : instantOf(deadline, undefined).toISOString(),
    ]),
    [
      [["US"], "2026-11-21T04:59:00.000Z"],
      [["DE", "FR"], "2026-11-21T22:59:00.000Z"],
      [[], "2026-11-27T23:59:00.000Z"],
    ],
  );
  assert.equal(campaign.stances.uninspectable, "quarantine");
  assert.equal(campaign.stances.notEnrolled, "quarantine");
});

test("every kind of value arrives as the program needs it", (t) => {
  const { cert, key } = aCertificate();
  const directory = aConfigDirectory(
    t,
    `
mail:
  listen: "[::1]:0"
  tls: { cert: tls/mail.crt, key: tls/mail.key }
  trustedProxies: [10.0.0.0/8, 192.0.2.7, "2001:db8::/32", "::1"]
  hosts: [Mail.Corp.Example, 192.0.2.1, "[2001:db8::1]"]
  publicUrl: https://mail.corp.example:8443/
  limits: { maxConnections: 5000 }
upstream: { url: "https://exchange.corp.example:444/base/", ca: ca.pem }
routes:
  - { path: /mail, protocol: browser, websocket: true, except: [/mail/private], upstream: http://webmail }
  - { path: /mail/private/x, protocol: activesync }
store:
  redis: { url: "rediss://bob@[::1]:6380/3", passwordFile: redis-password, ca: ca.pem, prefix: "gate:" }
identity: { domains: [Corp.Example, corp.local] }
notice: { helpUrl: "https://help.corp.example/phones?from=mail#top" }
campaigns:
  - id: a
    title: Müller & Söhne, 社内
    require: [{ absent: { name: X, ipados: [a.b], macos: [a.c], windows: [Some_8wek] } }]
    waves: [{ audience: { region: US, group: [vip, it], platform: [ios], ownership: personal, owner: ["CORP\\\\alice"] } }]
    stance: { unknown: allow }
`,
  );
  directory.write("tls/mail.crt", cert);
  directory.write("tls/mail.key", key);
  directory.write("ca.pem", `# our own\n${cert}\n${aCertificate().cert}`);
  directory.write("redis-password", "pass word\r\n");

  const { mail, upstream, routes, store, policy, notice } = directory.load();
  assert.deepEqual(mail.listen, { host: "::1", port: 0 });
  assert.equal(mail.tls?.cert, cert);
  assert.equal(mail.tls.key.reveal(), key);
  assert.deepEqual(mail.trustedProxies, [
    { address: "10.0.0.0", prefixLength: 8, family: "ipv4" },
    { address: "192.0.2.7", prefixLength: 32, family: "ipv4" },
    { address: "2001:db8::", prefixLength: 32, family: "ipv6" },
    { address: "::1", prefixLength: 128, family: "ipv6" },
  ]);
  assert.deepEqual(mail.hosts, ["mail.corp.example", "192.0.2.1", "[2001:db8::1]"]);
  assert.equal(mail.publicUrl?.origin, "https://mail.corp.example:8443");
  assert.equal(mail.limits.maxConnections, 5000);
  assert.equal(upstream.url.href, "https://exchange.corp.example:444/base");
  assert.match(upstream.ca ?? "", /our own/);
  assert.equal(routes[0]?.upstream?.href, "http://webmail/");
  assert.equal(routes[0].websocket, true);
  assert.ok(store.kind === "redis");
  const { password, ca, ...redis } = store;
  assert.equal(password?.reveal(), "pass word");
  assert.match(ca ?? "", /BEGIN CERTIFICATE/);
  assert.deepEqual(redis, {
    kind: "redis",
    host: "::1",
    port: 6380,
    database: 3,
    tls: true,
    username: "bob",
    prefix: "gate:",
  });
  assert.deepEqual(policy.homeDomains, ["corp.example", "corp.local"]);
  assert.equal(notice.helpUrl?.href, "https://help.corp.example/phones?from=mail#top");
  const [campaign] = policy.campaigns;
  const [requirement] = campaign?.requirements ?? [];
  assert.ok(requirement?.kind === "absent");
  assert.deepEqual([...requirement.ids.keys()], ["ipados", "macos", "windows"]);
  assert.deepEqual(campaign?.waves, [
    {
      audience: {
        regions: ["US"],
        groups: ["vip", "it"],
        platforms: ["ios"],
        ownerships: ["personal"],
        owners: ["CORP\\alice"],
        share: 1,
      },
      announce: undefined,
      deadline: undefined,
    },
  ]);
  assert.deepEqual(campaign.stances, { ...policy.stances, unknown: "allow" });
});

test("a campaign without waves is for everybody at once", (t) => {
  const campaign = "{ id: a, title: T, require: [{ absent: { name: X, ios: [a.b] } }] }";
  const config = aConfigDirectory(t, `${smallest}campaigns: [${campaign}]\n`).load();
  const everybody = { regions: [], groups: [], platforms: [], ownerships: [], owners: [], share: 1 };
  assert.deepEqual(config.policy.campaigns[0]?.waves, [
    { audience: everybody, announce: undefined, deadline: undefined },
  ]);
});

test("a URL alone is a Redis server with the default prefix", (t) => {
  const { store } = aConfigDirectory(t, `${smallest}store: { redis: "redis://:p%40ss@cache_1" }\n`).load();
  assert.ok(store.kind === "redis");
  assert.equal(store.password?.reveal(), "p@ss");
  assert.deepEqual(
    [store.host, store.port, store.database, store.tls, store.username, store.prefix],
    ["cache_1", 6379, 0, false, undefined, "postern:"],
  );
});

test("files for editors on Windows load: a byte order mark, CRLF, and JSON, which is YAML", (t) => {
  const yaml = '\uFEFF{ "upstream": { "url": "http://mail.internal" },\r\n "mail": { "hosts": ["a.example"] } }\r\n';
  assert.deepEqual(aConfigDirectory(t, yaml).load().mail.hosts, ["a.example"]);
});

test("what the keys say they default to is what the schema fills in", () => {
  const tree = {
    upstream: { url: "http://mail.internal" },
    routes: [{ path: "/a", protocol: "browser" }],
    store: { redis: { url: "redis://cache" } },
    campaigns: [{ id: "a", title: "T", require: [{ absent: { name: "X", ios: ["a.b"] } }] }],
  };
  assert.deepEqual(configSchema.parse(withDefaults(tree)), configSchema.parse(tree));
});
