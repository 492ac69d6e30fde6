import assert from "node:assert/strict";
import { test } from "node:test";
import { demoUsers } from "../../src/demo/seed.ts";
import { LARGE_ATTACHMENT_BYTES } from "../../src/demo/seed-mail.ts";
import { aMailServer, aPhone, calendar, contacts, inbox, noon, subjects, syncFromTheStart } from "./wire.ts";

test("the demonstration starts with a week of mail, a calendar and contacts for two people", async (t) => {
  const server = await aMailServer(t, { users: demoUsers(noon) });
  for (const user of ["alice", "bob"]) {
    const { messages, calendar: entries, contacts: people } = server.mailbox(user);
    assert.ok(messages.length >= 10, user);
    assert.ok(entries.length >= 4, user);
    assert.ok(people.length >= 2, user);
    for (const { message } of messages) assert.ok(message.receivedAt < noon, message.subject);
  }
});

test("a phone gets all of it, the newest message first", async (t) => {
  const server = await aMailServer(t, { users: demoUsers(noon) });
  const phone = aPhone(server);
  const mail = subjects((await syncFromTheStart(phone, { folderId: inbox })).added);
  assert.equal(mail[0], "Pallets for Thursday: 14 or 16?");
  assert.equal(mail.length, 9);
  assert.equal((await syncFromTheStart(phone, { folderId: calendar })).added.length, 8);
  assert.equal((await syncFromTheStart(phone, { folderId: contacts })).added.length, 4);
});

test("one message carries an attachment that is too large to be held", () => {
  const attachments = demoUsers(noon).flatMap(({ messages }) =>
    (messages ?? []).flatMap((message) => message.attachments ?? []),
  );
  assert.ok(attachments.some(({ sizeBytes }) => sizeBytes === LARGE_ATTACHMENT_BYTES));
});
