/** The Android Management API against a fake of it over real HTTP, with real keys. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { createLocalJWKSet, exportJWK, importPKCS8, importSPKI, SignJWT } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { createAndroidManagement } from "../../../src/connectors/android-management/android-management.ts";
import type { AndroidManagementSettings } from "../../../src/connectors/android-management/android-management.ts";
import { androidDevice, reportOf } from "../../../src/connectors/android-management/device.ts";
import { readServiceAccount, serviceAccount } from "../../../src/connectors/android-management/service-account.ts";
import { freeAdmission } from "../../../src/connectors/rest/admission.ts";
import { openRest } from "../../../src/connectors/rest/rest.ts";
import type { Connector, ConnectorContext, Received } from "../../../src/inventory/connector.ts";
import type { InventoryReport } from "../../../src/inventory/report.ts";
import { connectorContract } from "../../contracts/connector.ts";
import type { FakeDevice } from "../../contracts/connector.ts";
import { startFakeSource } from "../../support/fake-source.ts";
import type { FakeAnswer, FakeRequest, FakeSource } from "../../support/fake-source.ts";

const noon = new Date("2026-11-28T12:00:00Z");
const enterprise = "LC0123";
const aKeyPair = () =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
const google = aKeyPair();
const account = aKeyPair();
const stranger = aKeyPair();
const googleKeys = createLocalJWKSet({
  keys: [{ ...(await exportJWK(await importSPKI(google.publicKey, "RS256"))), kid: "g1", alg: "RS256" }],
});

const plainSettings: AndroidManagementSettings = {
  source: "android",
  enterprise,
  pageSize: 3,
  ownerDomain: "corp.example",
  easDeviceIds: "device-id",
  pubsub: {
    keys: googleKeys,
    issuer: "https://accounts.google.com",
    audience: "postern",
    serviceAccount: "push@project.iam.gserviceaccount.com",
  },
};

type Said = Readonly<Record<string, unknown>> & { readonly name: string };

async function aServer(t: TestContext, devices: () => readonly Said[]) {
  let valid = "";
  let given = 0;
  const route = ({ path, query, headers, body, method }: FakeRequest): FakeAnswer => {
    if (path === "/token") return tokenOf(new URLSearchParams(body.toString()));
    if (valid === "" || headers.authorization !== `Bearer ${valid}`) return { httpStatus: 401 };
    const list = `/v1/enterprises/${enterprise}/devices`;
    if (method !== "GET") return { httpStatus: 405 };
    if (path === list) {
      const size = Number(query.get("pageSize"));
      const from = Number(Buffer.from(query.get("pageToken") ?? "", "base64url").toString() || 0);
      const found = devices().slice(from, from + size);
      const isLast = from + size >= devices().length;
      // What is empty is left out, as protocol buffers do.
      return {
        body: {
          ...(found.length === 0 ? {} : { devices: found }),
          ...(isLast ? {} : { nextPageToken: Buffer.from(String(from + size)).toString("base64url") }),
        },
      };
    }
    const device = devices().find(({ name }) => path === `/v1/${name}`);
    return device === undefined ? { httpStatus: 404 } : { body: device };
  };
  const tokenOf = (form: URLSearchParams): FakeAnswer => {
    try {
      jsonwebtoken.verify(form.get("assertion") ?? "", account.publicKey, {
        algorithms: ["RS256"],
        issuer: "postern@project.iam.gserviceaccount.com",
        audience: new URL("/token", server.url).href,
      });
    } catch {
      return { httpStatus: 400, body: { error: "invalid_grant" } };
    }
    given += 1;
    valid = `token-${given}-of-android`;
    return { body: { access_token: valid, expires_in: 3599, token_type: "Bearer" } };
  };
  const server: FakeSource = await startFakeSource(route, { tokenPath: "/token" });
  const opened: (() => void)[] = [];
  t.after(async () => {
    for (const close of opened) close();
    await server.close();
  });
  return {
    server,
    expire: () => (valid = ""),
    connect(privateKey = account.privateKey): Connector {
      const file = JSON.stringify({
        type: "service_account",
        client_email: "postern@project.iam.gserviceaccount.com",
        private_key: privateKey,
        private_key_id: "k1",
        token_uri: "https://attacker.example/token",
      });
      const credentials = readServiceAccount(file, new URL("/token", server.url));
      const rest = openRest(
        { baseUrl: new URL(server.url), ca: undefined, timeoutMs: 1000, concurrent: 2, recordTo: undefined },
        (transport) => serviceAccount(credentials, "scope", transport, () => new Date()),
        { now: () => new Date(), admission: freeAdmission, onRecordingFailure: assert.ifError },
      );
      opened.push(() => rest.close());
      return createAndroidManagement(plainSettings, rest);
    },
  };
}

const nameOf = (id: string): string => `enterprises/${enterprise}/devices/${id}`;
const said = ({ id, email, osVersion, at }: FakeDevice): Said => ({
  name: nameOf(id),
  user: { accountIdentifier: email.split("@")[0] },
  softwareInfo: { androidVersion: osVersion },
  lastStatusReportTime: at.toISOString(),
});

async function pushToken(claims: Readonly<Record<string, unknown>> = {}, key = google.privateKey): Promise<string> {
  const seconds = noon.getTime() / 1000;
  const payload = {
    iss: "https://accounts.google.com",
    aud: "postern",
    email: "push@project.iam.gserviceaccount.com",
    email_verified: true,
    exp: seconds + 600,
    ...claims,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "g1" }).sign(await importPKCS8(key, "RS256"));
}
const genuineToken = await pushToken();

const messageOf = (device: unknown, notificationType = "STATUS_REPORT"): Buffer =>
  Buffer.from(
    JSON.stringify({
      message: {
        attributes: { notificationType },
        data: Buffer.from(JSON.stringify(device)).toString("base64"),
        messageId: "1",
        publishTime: noon.toISOString(),
      },
      subscription: "projects/p/subscriptions/s",
    }),
  );

connectorContract({
  name: "Android Management",
  pageSize: 3,
  timeoutMs: 1000,
  // Its ids of ActiveSync are its own ids, which the suite's are not.
  tells: ["owner", "osVersion", "deviceAt"],
  has: ["full", "one", "receiver"],
  credential: "token",
  idOf: (number) => `3a${number}`,
  async start(t) {
    const devices: FakeDevice[] = [];
    const { server, connect, expire } = await aServer(t, () => devices.map(said));
    return {
      server,
      devices,
      secrets: [account.privateKey, stranger.privateKey, "token-1-of-android", genuineToken],
      connect: (credential) => withoutIds(connect(credential === "wrong" ? stranger.privateKey : undefined)),
      expireToken: expire,
      event: (device) => ({
        method: "POST",
        path: "",
        headers: new Map([
          ["content-type", "application/json"],
          ["authorization", `Bearer ${genuineToken}`],
        ]),
        body: messageOf(said(device)),
      }),
    };
  },
});

/** The suite knows ids of ActiveSync that the system was told; here they are the device's own. */
function withoutIds(connector: Connector): Connector {
  return { ...connector, abilities: { ...connector.abilities, easDeviceIds: false } };
}

const reported = (
  device: Readonly<Record<string, unknown>>,
  settings: Partial<AndroidManagementSettings> = {},
): InventoryReport =>
  reportOf("android", androidDevice.parse({ name: nameOf("3a1"), ...device }), { ...plainSettings, ...settings });

suite("a device of Android Management", () => {
  const applicationReports = [
    { packageName: "com.zhiliaoapp.musically", displayName: "TikTok", versionName: "42.1", state: "INSTALLED" },
    { packageName: "com.ss.android.ugc.trill", displayName: "TikTok", state: "REMOVED" },
    { packageName: "com.example.mail" },
  ];

  test("has the apps that are installed, of the whole phone or of its work profile", () => {
    for (const [managementMode, scope] of [
      ["DEVICE_OWNER", "all"],
      ["PROFILE_OWNER", "work-profile"],
      [undefined, "work-profile"],
    ] as const) {
      const report = reported({ managementMode, applicationReports, lastStatusReportTime: noon.toISOString() });
      assert.deepEqual(report.apps, {
        scope,
        at: noon,
        apps: [
          { id: "com.zhiliaoapp.musically", name: "TikTok", version: "42.1" },
          { id: "com.example.mail", name: undefined, version: undefined },
        ],
      });
    }
    assert.ok(!("apps" in reported({ applicationReports })), "without a time a list proves nothing");
    assert.ok(!("apps" in reported({ lastStatusReportTime: noon.toISOString() })), "reports of apps are off");
  });

  test("has an owner and an id of ActiveSync only where the operator has said what they are", () => {
    const device = { user: { accountIdentifier: "alice" } };
    assert.deepEqual(reported(device).owner, { name: "alice@corp.example", sourceUserId: "alice" });
    assert.ok(!("owner" in reported(device, { ownerDomain: undefined })));
    assert.deepEqual([reported({}).easDeviceIds, reported({}).easDeviceIdsAre], [["3a1"], "managed-config"]);
    assert.ok(!("easDeviceIds" in reported({}, { easDeviceIds: "none" })));
  });

  test("has the verdict, the posture and the state of the API", () => {
    const details = [{ settingName: "applications", packageName: "a.b", nonComplianceReason: "APP_INSTALLED" }];
    assert.deepEqual(reported({ policyCompliant: false, nonComplianceDetails: details }).verdict, {
      state: "noncompliant",
      reasons: ["applications a.b APP_INSTALLED"],
    });
    assert.deepEqual(reported({ policyCompliant: true }).verdict, { state: "compliant", reasons: [] });
    assert.ok(!("verdict" in reported({})));
    for (const [devicePosture, compromised] of [
      ["SECURE", false],
      ["AT_RISK", false],
      ["POTENTIALLY_COMPROMISED", true],
      ["POSTURE_UNSPECIFIED", undefined],
    ] as const)
      assert.equal(reported({ securityPosture: { devicePosture } }).compromised, compromised);
    assert.deepEqual([reported({ state: "DELETED" }).enrolled, reported({ state: "ACTIVE" }).enrolled], [false, true]);
    assert.equal(reported({ softwareInfo: { securityPatchLevel: "2026-10-05" } }).securityPatch, "2026-10-05");
    assert.equal(reported({ ownership: "PERSONALLY_OWNED" }).ownership, "personal");
  });
});

suite("a message of Pub/Sub", () => {
  const context: ConnectorContext = { signal: new AbortController().signal, appIds: () => [], now: () => noon };
  const receive = async (t: TestContext, body: Uint8Array, token: string | undefined): Promise<Received> => {
    const { connect } = await aServer(t, () => []);
    const { receiver } = connect();
    assert.ok(receiver !== undefined);
    const headers = new Map(token === undefined ? [] : [["authorization", `Bearer ${token}`]]);
    return receiver.receive({ method: "POST", path: "", headers, body }, context);
  };
  const device = { name: nameOf("3a1"), lastStatusReportTime: noon.toISOString() };

  test("is believed of Google, for us, and of the account that the operator has named", async (t) => {
    const good = await receive(t, messageOf(device), genuineToken);
    assert.deepEqual([good.reports.length, good.answer([]).httpStatus], [1, 204]);
    const wrong = [
      await pushToken({ iss: "https://accounts.attacker.example" }),
      await pushToken({ aud: "other" }),
      await pushToken({ email: "other@project.iam.gserviceaccount.com" }),
      await pushToken({ email_verified: false }),
      await pushToken({ exp: noon.getTime() / 1000 - 61 }),
      await pushToken({}, stranger.privateKey),
    ];
    for (const token of wrong) {
      const refused = await receive(t, messageOf(device), token);
      assert.deepEqual([refused.reports, refused.answer([]).httpStatus], [[], 403]);
    }
    assert.equal((await receive(t, messageOf(device), undefined)).answer([]).httpStatus, 401);
  });

  test("of another kind or enterprise is acknowledged, so that it does not come again, and has no effect", async (t) => {
    const others = [
      messageOf(device, "test"),
      messageOf({ ...device, name: "enterprises/OTHER/devices/3a1" }),
      messageOf({ name: "../x" }),
      Buffer.from('{"message":{"data":"!!"}}'),
    ];
    for (const body of others) {
      const { reports, signals, answer } = await receive(t, body, genuineToken);
      assert.deepEqual([reports, signals, answer([]).httpStatus], [[], [], 204]);
    }
    assert.equal((await receive(t, Buffer.from("{}"), genuineToken)).answer([]).httpStatus, 400);
  });
});

test("a key file that is none is refused without a word of what is in it", () => {
  for (const text of [
    "",
    "{",
    '{"type":"service_account","private_key":"the-secret-key"}',
    '{"type":"authorized_user"}',
  ]) {
    assert.throws(
      () => readServiceAccount(text, new URL("https://x.example/")),
      (error: unknown) =>
        error instanceof Error && !error.message.includes("the-secret-key") && error.cause === undefined,
    );
  }
});
