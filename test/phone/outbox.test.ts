import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { child, element, has, text } from "../../src/activesync/document.ts";
import { composeMail } from "../../src/phone/mime.ts";
import { nothing } from "./support/documents.ts";
import { asked, phoneFor, usedPhone, withCode } from "./support/phones.ts";
import { startServer } from "./support/scripted-server.ts";

const letter = { to: "bob@postern.test", subject: "Grüße", text: "Hello,\nBob.\n" };

function refusedMail(status: number) {
  return element("ComposeMail:SendMail", element("ComposeMail:Status", String(status)));
}

suite("a message in the outbox", () => {
  test("leaves it when the server answers with an empty 200", async (t) => {
    const { phone, server } = await usedPhone(t, [nothing]);
    assert.deepEqual(await phone.send(letter), { kind: "ok", sent: 1 });
    assert.deepEqual(phone.outbox(), []);
    const root = server.received[0]?.root;
    assert.ok(root !== undefined && has(root, "ComposeMail:SaveInSentItems"));
    const mime = child(root, "ComposeMail:Mime")?.content[0];
    assert.ok(mime instanceof Uint8Array, "bytes, not a string");
    assert.match(
      Buffer.from(mime).toString("latin1"),
      /^From: alice@postern\.test\r\nTo: bob@postern\.test\r\nSubject: =\?utf-8\?B\?R3LDvMOfZQ==\?=\r\n/u,
    );
  });

  test("is the body of the request up to 12.1", async (t) => {
    const { phone, server } = await usedPhone(t, [nothing], { protocolVersion: "12.1" });
    await phone.send(letter);
    const [request] = server.received;
    assert.equal(request?.headers["content-type"], "message/rfc822");
    assert.match(request?.query ?? "", /&SaveInSent=T$/u);
    assert.match(request?.bytes.toString("latin1") ?? "", /\r\n\r\nSGVsbG8sDQpCb2IuDQo=\r\n$/u);
  });

  test("stays at HTTP 503, and goes out when the server is back", async (t) => {
    const { phone, server } = await usedPhone(t, [{ httpStatus: 503, headers: { "Retry-After": "900" } }, nothing]);
    assert.deepEqual(await phone.send(letter), { kind: "busy", httpStatus: 503, retryAfterSeconds: 900 });
    assert.deepEqual(
      phone.outbox().map((message) => [message.subject, message.attempts]),
      [["Grüße", 1]],
    );
    assert.deepEqual(await phone.flushOutbox(), { kind: "ok", sent: 1 });
    const ids = server.received.map(({ root }) => root && text(root, "ComposeMail:ClientId"));
    assert.equal(ids[0], ids[1], "so that a server that took it the first time does not send it twice");
  });

  test("stays at status 111 while mail goes on", async (t) => {
    const { phone, server } = await usedPhone(t, ({ query }) =>
      query.startsWith("Cmd=SendMail") ? refusedMail(111) : nothing,
    );
    await phone.send(letter);
    const refreshed = await phone.refresh();
    assert.deepEqual(refreshed.kind === "ok" && refreshed.outboxTrouble, {
      kind: "command-status",
      command: "SendMail",
      commandStatus: 111,
    });
    assert.equal(phone.outbox().length, 1);
    assert.deepEqual(asked(server).slice(0, 3), ["SendMail", "SendMail", "Sync k1 inbox"]);
  });

  test("goes out by itself when the mail app is opened", async (t) => {
    const { phone } = await usedPhone(t, (_request, count) => (count === 1 ? 503 : nothing));
    await phone.send(letter);
    const refreshed = await phone.refresh();
    assert.equal(refreshed.kind === "ok" && refreshed.sent, 1);
    assert.deepEqual(phone.outbox(), []);
  });

  test("survives a lost connection and a new start of the phone", async (t) => {
    const { phone } = await usedPhone(t, () => "hang-up");
    await assert.rejects(phone.send(letter), withCode("connection-lost"));
    const server = await startServer(t, [nothing]);
    const next = phoneFor(t, server.url, { state: phone.state() });
    assert.deepEqual(await next.flushOutbox(), { kind: "ok", sent: 1 });
  });

  test("keeps the others waiting behind it", async (t) => {
    const { phone, server } = await usedPhone(t, [503, 503, nothing, nothing]);
    await phone.send(letter);
    await phone.send({ ...letter, subject: "Second" });
    assert.equal(server.received.length, 2, "the second is not tried where the first was refused");
    assert.deepEqual(await phone.flushOutbox(), { kind: "ok", sent: 2 });
  });

  test("never enters it with a header line in its address", async (t) => {
    const { phone } = await usedPhone(t, []);
    const forged = { ...letter, to: "bob@postern.test\r\nBcc: eve@postern.test" };
    await assert.rejects(phone.send(forged), withCode("options"));
    assert.deepEqual(phone.outbox(), []);
  });
});

test("a long subject is encoded in words that are readable one by one", () => {
  const subject = "Ä".repeat(60);
  const mime = composeMail({ from: "a@b.c", to: "d@e.f", subject, text: "", date: new Date(0) }).toString("latin1");
  const words = [...mime.matchAll(/=\?utf-8\?B\?([^?]+)\?=/gu)].map((word) =>
    Buffer.from(word[1] ?? "", "base64").toString("utf8"),
  );
  assert.ok(words.length > 1 && words.every((word) => /^Ä+$/u.test(word)));
  assert.equal(words.join(""), subject);
  assert.match(mime, /\r\nDate: Thu, 01 Jan 1970 00:00:00 \+0000\r\n/u);
});

test("a subject cannot add header lines", () => {
  const mime = composeMail({ from: "a@b.c", to: "d@e.f", subject: "x\r\nBcc: eve@g.h", text: "", date: new Date(0) });
  assert.doesNotMatch(mime.toString("latin1"), /^Bcc:/mu);
});
