import assert from "node:assert/strict";
import { test } from "node:test";
import { child, element } from "../../src/activesync/document.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import {
  aMailServer,
  aPhone,
  at,
  inbox,
  pingDocument,
  send,
  basic,
  syncDocument,
  textAt,
  type Phone,
  type RunningServer,
} from "./wire.ts";
import { encode } from "../../src/activesync/wbxml.ts";

function provisionDocument(...parts: readonly Element[]): Element {
  return element(
    "Provision:Provision",
    element(
      "Provision:Policies",
      element("Provision:Policy", element("Provision:PolicyType", "MS-EAS-Provisioning-WBXML"), parts),
    ),
  );
}

const policyPath = ["Provision:Policies", "Provision:Policy"] as const;

async function provision(phone: Phone): Promise<string> {
  const shown = await phone.post(provisionDocument());
  const temporary = textAt(shown.root, ...policyPath, "Provision:PolicyKey");
  const accepted = await phone.post(
    provisionDocument(element("Provision:PolicyKey", temporary), element("Provision:Status", "1")),
  );
  return textAt(accepted.root, ...policyPath, "Provision:PolicyKey");
}

function withKey(server: RunningServer, key: string, version = "14.1"): Phone {
  return aPhone(server, { version, headers: { "X-MS-PolicyKey": key } });
}

test("a phone without a policy is told to take one: Status 142, and up to 12.1 HTTP 449", async (t) => {
  const server = await aMailServer(t, { provisioning: true });
  const answer = await aPhone(server).post(syncDocument("0"));
  assert.deepEqual([answer.httpStatus, textAt(answer.root, "AirSync:Status")], [200, "142"]);
  const folders = element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", "0"));
  const second = await withKey(server, "0", "14.0").post(folders);
  assert.equal(textAt(second.root, "FolderHierarchy:Status"), "142");
  assert.equal((await aPhone(server, { version: "12.1" }).post(syncDocument("0"))).httpStatus, 449);
  assert.equal(textAt((await aPhone(server).post(pingDocument(480, inbox))).root, "Ping:Status"), "142");
});

test("a policy is shown, acknowledged, and its key opens the mailbox", async (t) => {
  const server = await aMailServer(t, { provisioning: true });
  const phone = aPhone(server);
  const shown = await phone.post(provisionDocument());
  const policy = at(shown.root, ...policyPath);
  assert.equal(textAt(policy, "Provision:Status"), "1");
  assert.equal(textAt(policy, "Provision:Data", "Provision:EASProvisionDoc", "Provision:DevicePasswordEnabled"), "1");
  const temporary = textAt(policy, "Provision:PolicyKey");
  assert.equal(textAt((await withKey(server, temporary).post(syncDocument("0"))).root, "AirSync:Status"), "142");

  const key = await provision(phone);
  assert.notEqual(key, temporary);
  const answer = await withKey(server, key).post(syncDocument("0"));
  assert.equal(child(answer.root, "AirSync:Status"), undefined);
  assert.notEqual(child(answer.root, "AirSync:Collections"), undefined);
});

test("a wrong key is Status 144, and a Ping needs none once the phone has one", async (t) => {
  const server = await aMailServer(t, { provisioning: true });
  const key = await provision(aPhone(server));
  const wrong = String(Number(key) + 1);
  assert.equal(textAt((await withKey(server, wrong).post(syncDocument("0"))).root, "AirSync:Status"), "144");

  const ping = aPhone(server).post(pingDocument(480, inbox));
  await server.whenParked(1);
  server.passSeconds(480);
  assert.equal(textAt((await ping).root, "Ping:Status"), "1");
});

test("a base64 query carries its key in itself", async (t) => {
  const server = await aMailServer(t, { provisioning: true });
  const query = (code: number, key: number): string => {
    const policyKey = Buffer.alloc(4);
    policyKey.writeUInt32LE(key);
    const device = Buffer.from("BLOB1");
    return Buffer.concat([
      Buffer.of(141, code, 9, 4, device.length),
      device,
      Buffer.of(4),
      policyKey,
      Buffer.from("\x04Test"),
    ]).toString("base64");
  };
  const post = (code: number, key: number, root: Element): ReturnType<typeof send> =>
    send(server.url, {
      path: `/Microsoft-Server-ActiveSync?${query(code, key)}`,
      headers: { Authorization: basic("alice", "alice-demo") },
      body: encode(root),
    });
  const shown = await post(20, 0, provisionDocument());
  const temporary = at(shown.root, ...policyPath, "Provision:PolicyKey");
  const accepted = await post(20, 0, provisionDocument(temporary, element("Provision:Status", "1")));
  const key = Number(textAt(accepted.root, ...policyPath, "Provision:PolicyKey"));
  assert.equal(textAt((await post(0, 0, syncDocument("0"))).root, "AirSync:Status"), "142");
  assert.notEqual(child((await post(0, key, syncDocument("0"))).root, "AirSync:Collections"), undefined);
});

for (const [name, parts, status] of [
  [
    "acknowledges a key that it was not given",
    [element("Provision:PolicyKey", "1"), element("Provision:Status", "1")],
    "5",
  ],
] as const) {
  test(`a phone that ${name} gets policy status ${status}`, async (t) => {
    const server = await aMailServer(t, { provisioning: true });
    const answer = await aPhone(server).post(provisionDocument(...parts));
    assert.equal(textAt(answer.root, ...policyPath, "Provision:Status"), status);
  });
}

test("a phone that says that it did not apply the policy gets no key", async (t) => {
  const server = await aMailServer(t, { provisioning: true });
  const phone = aPhone(server);
  const shown = await phone.post(provisionDocument());
  const key = at(shown.root, ...policyPath, "Provision:PolicyKey");
  const answer = await phone.post(provisionDocument(key, element("Provision:Status", "3")));
  assert.equal(child(at(answer.root, ...policyPath), "Provision:PolicyKey"), undefined);
});

test("an unknown kind of policy is policy status 3, and no policy at all a protocol error", async (t) => {
  const server = await aMailServer(t, { provisioning: true });
  const old = element(
    "Provision:Provision",
    element(
      "Provision:Policies",
      element("Provision:Policy", element("Provision:PolicyType", "MS-WAP-Provisioning-XML")),
    ),
  );
  assert.equal(textAt((await aPhone(server).post(old)).root, ...policyPath, "Provision:Status"), "3");
  assert.equal(textAt((await aPhone(server).post(element("Provision:Provision"))).root, "Provision:Status"), "2");
});

test("where policies are off, a phone hears that there is none, and needs none", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  const information = element(
    "Settings:DeviceInformation",
    element("Settings:Set", element("Settings:Model", "Phone")),
  );
  const answer = await phone.post(element("Provision:Provision", information, provisionDocument().content));
  assert.equal(textAt(answer.root, ...policyPath, "Provision:Status"), "2");
  assert.equal(textAt(answer.root, "Settings:DeviceInformation", "Settings:Status"), "1");
  assert.equal((await phone.post(syncDocument("0"))).httpStatus, 200);
});
