import assert from "node:assert/strict";
import { test } from "node:test";
import { child, element } from "../../src/activesync/document.ts";
import { aMailServer, aPhone, anInboxWith, at, syncFromTheStart, textAt } from "./wire.ts";

const pictures = element(
  "AirSync:Options",
  element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", "1"), element("AirSyncBase:TruncationSize", "5")),
);

test("a body is cut where the phone asks for it, never inside a character, and its full size is told", async (t) => {
  const server = await aMailServer(t);
  server.deliver("alice", { from: "carol@demo.example", subject: "s", text: "abcdé and more" });
  const { added } = await syncFromTheStart(aPhone(server), { parts: [pictures] });
  const body = at(added[0] ?? element("AirSync:Add"), "AirSync:ApplicationData", "AirSyncBase:Body");
  assert.equal(textAt(body, "AirSyncBase:Data"), "abcd");
  assert.equal(textAt(body, "AirSyncBase:Truncated"), "1");
  assert.equal(textAt(body, "AirSyncBase:EstimatedDataSize"), "15");
});

for (const [type, expected] of [
  ["1", /^Hello$/],
  ["2", /^<p>Hello<\/p>$/],
  ["4", /^From: carol@demo\.example\r\n[\s\S]*Subject: s\r\n/],
] as const) {
  test(`body type ${type} is given to the phone that asks for it`, async (t) => {
    const server = await aMailServer(t);
    server.deliver("alice", { from: "carol@demo.example", subject: "s", text: "Hello", html: "<p>Hello</p>" });
    const wish = element(
      "AirSync:Options",
      element("AirSync:MIMESupport", "2"),
      element("AirSyncBase:BodyPreference", element("AirSyncBase:Type", type)),
    );
    const { added } = await syncFromTheStart(aPhone(server), { parts: [wish] });
    const body = at(added[0] ?? element("AirSync:Add"), "AirSync:ApplicationData", "AirSyncBase:Body");
    assert.equal(textAt(body, "AirSyncBase:Type"), type);
    assert.match(textAt(body, "AirSyncBase:Data"), expected);
  });
}

test("conversations are for 14.0 and later: 12.1 gets none", async (t) => {
  const { server } = await anInboxWith(t, "first");
  for (const [version, expected] of [
    ["12.1", false],
    ["14.0", true],
    ["14.1", true],
  ] as const) {
    const { added } = await syncFromTheStart(aPhone(server, { version, deviceId: `V${version.replace(".", "")}` }));
    const data = at(added[0] ?? element("AirSync:Add"), "AirSync:ApplicationData");
    assert.equal(child(data, "Email2:ConversationId") !== undefined, expected, version);
  }
});
