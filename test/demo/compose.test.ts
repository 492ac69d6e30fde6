import assert from "node:assert/strict";
import { test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import type { Element, TagName } from "../../src/activesync/wbxml.ts";
import { generatedAttachment } from "../../src/demo/message.ts";
import {
  aMailServer,
  aPhone,
  basic,
  inbox,
  send,
  sentItems,
  syncFromTheStart,
  textAt,
  type RunningServer,
} from "./wire.ts";

function mime(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("\r\n"));
}

const hello = mime(
  "From: alice@demo.example",
  "To: Bob <bob@demo.example>",
  "Subject: Hello",
  "",
  "Are you there?",
  "",
);

function compose(tag: TagName, source: Buffer, ...parts: readonly Element[]): Element {
  return element(tag, element("ComposeMail:ClientId", "id-1"), parts, element("ComposeMail:Mime", source));
}

const save = element("ComposeMail:SaveInSentItems");

function letters(server: RunningServer, user: string): readonly (readonly [string, string])[] {
  return server.mailbox(user).messages.map(({ folderId, message }) => [folderId, message.subject]);
}

test("a message that a phone sends reaches the other mailbox, and the answer is an empty 200", async (t) => {
  const server = await aMailServer(t);
  const answer = await aPhone(server).post(compose("ComposeMail:SendMail", hello, save));
  assert.deepEqual([answer.httpStatus, answer.headers["content-length"]], [200, "0"]);
  assert.deepEqual(letters(server, "bob"), [[inbox, "Hello"]]);
  assert.deepEqual(letters(server, "alice"), [[sentItems, "Hello"]]);
  assert.deepEqual(
    server.mailbox("alice").sent[0]?.recipients.map(({ address }) => address),
    ["bob@demo.example"],
  );
});

test("without SaveInSentItems no copy is kept, but it can still be seen that it was sent", async (t) => {
  const server = await aMailServer(t);
  await aPhone(server).post(compose("ComposeMail:SendMail", hello));
  assert.deepEqual(letters(server, "alice"), []);
  assert.equal(server.mailbox("alice").sent.length, 1);
});

test("a message that is sent again after a lost answer reaches nobody twice", async (t) => {
  const server = await aMailServer(t);
  const phone = aPhone(server);
  await phone.post(compose("ComposeMail:SendMail", hello, save));
  const again = await phone.post(compose("ComposeMail:SendMail", hello, save));
  assert.equal(textAt(again.root, "ComposeMail:Status"), "118");
  assert.equal(server.mailbox("bob").messages.length, 1);
});

test("up to 12.1 the message is the body, and the query says whether to keep it", async (t) => {
  const server = await aMailServer(t);
  const answer = await send(server.url, {
    path: "/Microsoft-Server-ActiveSync?Cmd=SendMail&User=alice&DeviceId=OLD1&DeviceType=Test&SaveInSent=T",
    headers: {
      Authorization: basic("alice", "alice-demo"),
      "MS-ASProtocolVersion": "12.1",
      "Content-Type": "message/rfc822",
    },
    body: hello,
  });
  assert.deepEqual([answer.httpStatus, answer.body.length], [200, 0]);
  assert.deepEqual(letters(server, "bob"), [[inbox, "Hello"]]);
  assert.deepEqual(letters(server, "alice"), [[sentItems, "Hello"]]);
});

test("who gets a blind copy is not told to the others", async (t) => {
  const server = await aMailServer(t);
  const source = mime(
    "From: alice@demo.example",
    "To: carol@elsewhere.example",
    "Bcc: someone@else.example,",
    "\tbob@demo.example",
    "Subject: Quiet",
    "",
    "Text",
  );
  await aPhone(server).post(compose("ComposeMail:SendMail", source));
  const [message] = server.mailbox("bob").messages;
  assert.equal(message?.message.subject, "Quiet");
  assert.equal(
    message?.message.source?.toString(),
    mime("From: alice@demo.example", "To: carol@elsewhere.example", "Subject: Quiet", "", "Text").toString(),
  );
  assert.equal(server.mailbox("alice").sent[0]?.recipients.length, 3);
});

test("a message that claims another sender goes out under the name of whoever logged in", async (t) => {
  const server = await aMailServer(t);
  const forged = mime("From: ceo@demo.example", "To: bob@demo.example", "Subject: Pay at once", "", "Text");
  await aPhone(server).post(compose("ComposeMail:SendMail", forged));
  assert.equal(server.mailbox("bob").messages[0]?.message.from.address, "alice@demo.example");
});

for (const [name, source, status] of [
  ["is empty", Buffer.alloc(0), "107"],
  ["goes to nobody", mime("From: alice@demo.example", "Subject: Nobody", "", "Text"), "119"],
] as const) {
  test(`a message that ${name} is refused with Status ${status}, never acknowledged`, async (t) => {
    const server = await aMailServer(t);
    const answer = await aPhone(server).post(compose("ComposeMail:SendMail", source));
    assert.equal(textAt(answer.root, "ComposeMail:Status"), status);
    const old = await aPhone(server, { version: "12.1" }).post(compose("ComposeMail:SendMail", source));
    assert.equal(old.httpStatus, 400);
  });
}

test("a reply quotes the original unless the phone has done so itself", async (t) => {
  const server = await aMailServer(t);
  const id = server.deliver("alice", {
    from: "Bob <bob@demo.example>",
    subject: "Question",
    text: "Fourteen\nor sixteen?",
  });
  const source = element(
    "ComposeMail:Source",
    element("ComposeMail:FolderId", inbox),
    element("ComposeMail:ItemId", id),
  );
  const phone = aPhone(server);
  const document = (clientId: string, ...parts: readonly Element[]): Element =>
    element(
      "ComposeMail:SmartReply",
      element("ComposeMail:ClientId", clientId),
      source,
      parts,
      element("ComposeMail:Mime", hello),
    );
  await phone.post(document("a"));
  await phone.post(document("b", element("ComposeMail:ReplaceMime")));
  const [quoted, plain] = server.mailbox("bob").messages.map(({ message }) => message.text);
  assert.match(quoted ?? "", /^Are you there\?\n\nBob wrote on [^\n]+:\n> Fourteen\n> or sixteen\?$/);
  assert.equal(plain, "Are you there?");
});

test("a forwarded message takes its attachments along", async (t) => {
  const server = await aMailServer(t);
  const id = server.deliver("alice", {
    from: "carol@demo.example",
    subject: "Table",
    text: "See the table.",
    attachments: [generatedAttachment("table.csv", 100_000)],
  });
  const source = element(
    "ComposeMail:Source",
    element("ComposeMail:FolderId", inbox),
    element("ComposeMail:ItemId", id),
  );
  await aPhone(server).post(compose("ComposeMail:SmartForward", hello, source));
  const forwarded = server.mailbox("bob").messages[0]?.message;
  assert.deepEqual(
    forwarded?.attachments.map(({ name, sizeBytes }) => [name, sizeBytes]),
    [["table.csv", 100_000]],
  );
});

test("a reply to a message that is gone is Status 150, and is not sent", async (t) => {
  const server = await aMailServer(t);
  const source = element(
    "ComposeMail:Source",
    element("ComposeMail:FolderId", inbox),
    element("ComposeMail:ItemId", "5:99"),
  );
  const answer = await aPhone(server).post(compose("ComposeMail:SmartReply", hello, source));
  assert.equal(textAt(answer.root, "ComposeMail:Status"), "150");
  assert.deepEqual(server.mailbox("bob").messages, []);
});

test("what one phone sends wakes the other person's phone, and can be read there", async (t) => {
  const server = await aMailServer(t);
  await aPhone(server).post(compose("ComposeMail:SendMail", hello));
  const { added } = await syncFromTheStart(aPhone(server, { user: "bob" }));
  const [message] = added;
  assert.equal(
    textAt(message ?? element("AirSync:Add"), "AirSync:ApplicationData", "Email:From"),
    '"Alice Archer" <alice@demo.example>',
  );
});
