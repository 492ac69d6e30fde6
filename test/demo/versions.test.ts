/** What the server says differently in the versions that it speaks without announcing them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { child, element } from "../../src/activesync/document.ts";
import {
  aMailServer,
  aPhone,
  anInboxWith,
  at,
  commands,
  readSync,
  syncDocument,
  syncFromTheStart,
  textAt,
} from "./wire.ts";

const getChanges = element("AirSync:GetChanges");
const drafts = "4";

test("2.5 has bodies in Email, and nothing that came later", async (t) => {
  const { server } = await anInboxWith(t, "first");
  const phone = aPhone(server, { version: "2.5" });
  const options = element("AirSync:Options", element("AirSync:Truncation", "0"));
  const { added } = await syncFromTheStart(phone, { parts: [getChanges, options] });
  const data = at(added[0] ?? element("AirSync:Add"), "AirSync:ApplicationData");
  assert.equal(textAt(data, "Email:Body"), "");
  assert.equal(textAt(data, "Email:BodySize"), "12");
  assert.equal(textAt(data, "Email:BodyTruncated"), "1");
  for (const tag of ["AirSyncBase:Body", "Email:Flag", "Email:ContentClass", "Email2:ConversationId"] as const) {
    assert.equal(child(data, tag), undefined, tag);
  }
});

test("2.5 gives a whole message to a phone that takes all mail so", async (t) => {
  const { server } = await anInboxWith(t, "first");
  const options = element("AirSync:Options", element("AirSync:MIMESupport", "2"));
  const { added } = await syncFromTheStart(aPhone(server, { version: "2.5" }), { parts: [getChanges, options] });
  const data = at(added[0] ?? element("AirSync:Add"), "AirSync:ApplicationData");
  assert.match(textAt(data, "Email:MIMEData"), /^Subject: first\r$/m);
  assert.equal(textAt(data, "Email:MIMETruncated"), "0");
  assert.equal(child(data, "Email:Body"), undefined);
});

test("in 2.5 changes are wished for by an element, and not by leaving it out", async (t) => {
  const { server } = await anInboxWith(t, "first");
  assert.deepEqual((await syncFromTheStart(aPhone(server, { version: "2.5" }))).added, []);
  assert.equal((await syncFromTheStart(aPhone(server, { version: "12.0", deviceId: "OTHER" }))).added.length, 1);
});

test("up to 12.0 every answer has its folders and their class, though nothing is new", async (t) => {
  const server = await aMailServer(t);
  for (const [version, expected] of [
    ["2.5", "Email"],
    ["12.0", "Email"],
    ["12.1", undefined],
  ] as const) {
    const phone = aPhone(server, { version, deviceId: `V${version.replace(".", "")}` });
    const { key } = readSync((await phone.post(syncDocument("0"))).root);
    const again = await phone.post(syncDocument(key));
    assert.equal(again.body.length > 0, expected !== undefined);
    if (expected !== undefined)
      assert.equal(textAt(again.root, "AirSync:Collections", "AirSync:Collection", "AirSync:Class"), expected);
  }
});

test("2.5 has neither ItemOperations nor Settings", async (t) => {
  const phone = aPhone(await aMailServer(t), { version: "2.5" });
  for (const root of [element("ItemOperations:ItemOperations"), element("Settings:Settings")]) {
    assert.equal((await phone.post(root)).httpStatus, 501);
  }
});

test("a draft is taken from 16.0 on, in the folder of drafts only", async (t) => {
  const server = await aMailServer(t);
  const draft = commands(
    element(
      "AirSync:Add",
      element("AirSync:ClientId", "c1"),
      element("AirSync:ApplicationData", element("Email:To", "bob@demo.example"), element("Email:Subject", "Draft")),
    ),
  );
  const statusOf = async (version: string, folderId: string): Promise<string> => {
    const phone = aPhone(server, { version, deviceId: `V${version.replace(".", "")}F${folderId}` });
    const { key } = readSync((await phone.post(syncDocument("0", { folderId }))).root);
    const answer = readSync((await phone.post(syncDocument(key, { folderId, parts: [draft] }))).root);
    return textAt(answer.responses[0] ?? element("AirSync:Add"), "AirSync:Status");
  };
  assert.equal(await statusOf("14.1", drafts), "6");
  assert.equal(await statusOf("16.1", "5"), "6");
  assert.deepEqual(server.mailbox("alice").messages, []);
  assert.equal(await statusOf("16.1", drafts), "1");
  assert.deepEqual(
    server.mailbox("alice").messages.map(({ message, folderId }) => [message.subject, folderId]),
    [["Draft", drafts]],
  );
});
