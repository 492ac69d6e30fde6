/** Before the deadline: mail flows, and the notice is one more message in the Inbox, of which upstream never hears. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { MailServer } from "../../src/demo/mail-server.ts";
import { protocolVersions } from "../../src/phone/dialect.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { decode } from "../../src/activesync/wbxml.ts";
import { mailboxOf, post } from "../hostile/wire.ts";
import { remove, sync, textsIn } from "../support/activesync-documents.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";

const start = new Date("2026-11-24T08:00:00Z");
const campaign = (deadline: string): string => `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "${deadline}", timezone: UTC }]
`;
const tomorrow = campaign("2026-11-25T12:00");
const aliceMail = ["Message 3 for alice", "Message 2 for alice", "Message 1 for alice"];

const fromIt = (phone: Phone): string[] =>
  phone
    .inbox()
    .filter(({ from }) => from.address === "it@corp.example")
    .map(({ subject }) => subject);
const real = (phone: Phone): string[] =>
  phone
    .inbox()
    .filter(({ from }) => from.address !== "it@corp.example")
    .map(({ subject }) => subject);

function assertUpstreamKnowsNothing(upstream: MailServer): void {
  for (const { body, url } of upstream.journal()) {
    const bytes = body?.toString("latin1") ?? "";
    assert.equal(bytes.includes("{50535451-"), false, `a key of ours: ${url}`);
    assert.equal(/:20000\d{5}/.test(bytes), false, `an item of ours: ${url}`);
  }
}

suite("a phone with a banned app before its deadline", () => {
  for (const protocolVersion of protocolVersions) {
    test(`reads its mail, with the notice among it, and without it once the app is gone: ${protocolVersion}`, async (t) => {
      const gate = await aGate(t, { config: tomorrow, now: () => start });
      await gate.reports("PHONEA", clean);
      const phone = gate.phone({ protocolVersion });
      await phone.refresh();
      assert.deepEqual(
        phone.inbox().map(({ subject }) => subject),
        aliceMail,
      );

      await gate.reports("PHONEA", withTiktok);
      await phone.refresh();
      assert.deepEqual(real(phone), aliceMail);
      assert.deepEqual(fromIt(phone), ["Remove TikTok from your iPhone to keep your mail"]);

      gate.upstream.deliver("alice", { from: "carol@corp.example", subject: "More mail", text: "." });
      await phone.refresh();
      await phone.refresh();
      assert.deepEqual(real(phone), ["More mail", ...aliceMail]);
      assert.equal(fromIt(phone).length, 1, "the notice is there once");

      await gate.reports("PHONEA", clean);
      await phone.refresh();
      assert.deepEqual(real(phone), ["More mail", ...aliceMail]);
      assert.deepEqual(fromIt(phone), []);
      assertUpstreamKnowsNothing(gate.upstream);
    });
  }
});

test("a new phone gets all its mail and the notice", async (t) => {
  const gate = await aGate(t, { config: tomorrow, now: () => start });
  await gate.reports("PHONEA", withTiktok);
  const phone = gate.phone();
  await phone.refresh();
  await phone.refresh();
  assert.deepEqual(real(phone), aliceMail);
  assert.equal(fromIt(phone).length, 1);
});

test("who deletes the notice does not see it again that day, and sees it the next", async (t) => {
  let at = start;
  const gate = await aGate(t, { config: campaign("2026-11-27T12:00"), now: () => at });
  await gate.reports("PHONEA", withTiktok);
  const phone = gate.phone();
  await phone.refresh();
  await phone.refresh();
  const notice = phone.inbox().find(({ from }) => from.address === "it@corp.example");
  assert.ok(notice !== undefined);
  await phone.markRead(notice);
  await phone.deleteItem(notice);
  await phone.refresh();
  assert.deepEqual(fromIt(phone), []);
  assert.deepEqual(real(phone), aliceMail);
  at = new Date(start.getTime() + 86_400_000 - 1);
  await phone.refresh();
  assert.deepEqual(fromIt(phone), []);
  at = new Date(start.getTime() + 86_400_000);
  await phone.refresh();
  assert.equal(fromIt(phone).length, 1);
  assertUpstreamKnowsNothing(gate.upstream);
});

test("what the person does to other messages goes upstream while the notice is there", async (t) => {
  const gate = await aGate(t, { config: tomorrow, now: () => start });
  await gate.reports("PHONEA", withTiktok);
  const phone = gate.phone();
  await phone.refresh();
  await phone.refresh();
  const other = phone.inbox().find(({ subject }) => subject === "Message 2 for alice");
  assert.ok(other !== undefined);
  await phone.markRead(other);
  await phone.deleteItem(other);
  const left = gate.upstream
    .mailbox("alice")
    .messages.filter(({ message }) => message.subject === "Message 2 for alice");
  assert.ok(
    left.every((item) => item.folderId !== "5"),
    "it is gone from the Inbox upstream",
  );
  await phone.refresh();
  assert.deepEqual(real(phone), ["Message 3 for alice", "Message 1 for alice"]);
  assert.equal(fromIt(phone).length, 1);
});

test("a Ping that upstream holds ends when the notice has come, and when it has gone", async (t) => {
  const gate = await aGate(t, { config: tomorrow, now: () => start });
  await gate.reports("PHONEA", clean);
  const phone = gate.phone();
  await phone.refresh();
  for (const [fields, count] of [
    [withTiktok, 1],
    [clean, 0],
  ] as const) {
    const pinged = phone.ping(480);
    await gate.upstream.whenParked(1);
    await gate.reports("PHONEA", fields);
    assert.equal((await pinged).kind, "changes");
    await phone.refresh();
    assert.equal(fromIt(phone).length, count);
    await gate.upstream.whenParked(0);
  }
});

test("deleting an older wording late does not make the gate forget the one that is there", async (t) => {
  const gate = await aGate(t, { config: tomorrow, now: () => start });
  await gate.reports("PHONEA", { ...withTiktok, model: "iPhone 1" });
  const phone = gate.phone();
  await phone.refresh();
  await phone.refresh();
  await gate.reports("PHONEA", { model: "iPhone 2" });
  await phone.refresh();
  const key = phone.state().folders.find(({ name }) => name === "Inbox")?.syncKey ?? "";
  await post(gate, "Sync", sync({ key, id: "5", commands: [remove("5:2000000001")] }));
  const { warning } = await mailboxOf(gate.store);
  assert.equal(warning?.shadow?.shows ?? warning?.shown, 2);
  assert.equal(warning?.dismissedAt, undefined);
});

for (const version of ["12.1", "14.1"]) {
  test(`a folder that is begun beside the Inbox gets its key, and the notice comes with the next request: ${version}`, async (t) => {
    const gate = await aGate(t, { config: tomorrow, now: () => start });
    await gate.reports("PHONEA", clean);
    const phone = gate.phone({ protocolVersion: version === "12.1" ? "12.1" : "14.1" });
    await phone.refresh();
    await gate.reports("PHONEA", withTiktok);
    const key = phone.state().folders.find(({ name }) => name === "Inbox")?.syncKey ?? "";
    const headers = { "MS-ASProtocolVersion": version };
    const both = await post(gate, "Sync", sync({ key, id: "5" }, { key: "0", id: "9" }), { headers });
    const begun = decode(both.body);
    assert.equal(textsIn(begun, "AirSync:SyncKey").includes("0"), false, "no folder is left with key 0");
    assert.ok(textsIn(begun, "AirSync:CollectionId").includes("9"));
    await phone.refresh();
    assert.equal(fromIt(phone).length, 1);
  });
}

test("when the deadline passes, the notice alone is left", async (t) => {
  let at = start;
  const gate = await aGate(t, { config: tomorrow, now: () => at });
  await gate.reports("PHONEA", withTiktok);
  const phone = gate.phone();
  await phone.refresh();
  await phone.refresh();
  assert.equal(real(phone).length, 3);
  at = new Date("2026-11-25T12:01:00Z");
  await phone.refresh();
  assert.deepEqual(real(phone), []);
  assert.equal(fromIt(phone).length, 1);
  await gate.reports("PHONEA", clean);
  await phone.refresh();
  assert.deepEqual(real(phone), aliceMail);
  assert.deepEqual(fromIt(phone), []);
  assertUpstreamKnowsNothing(gate.upstream);
});
