/** A person writes back to the notice, or forwards it: over HTTP, with a mail server that knows no such message. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { element } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import type { MailServer } from "../../src/demo/mail-server.ts";
import { dialectOf, protocolVersions } from "../../src/phone/dialect.ts";
import type { Phone } from "../../src/phone/phone.ts";
import { post, target, basic } from "../hostile/wire.ts";
import { aGate, clean, withTiktok } from "../support/gate.ts";
import { ask } from "../support/http.ts";

const start = new Date("2026-11-24T08:00:00Z");
const warning = `
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent: { name: TikTok, ios: [com.zhiliaoapp.musically] }
    waves: [{ deadline: "2026-11-25T12:00", timezone: UTC }]
`;
const answer = { to: "bob@demo.example", subject: "Re: TikTok", text: "I have removed it." };

function noticeOn(phone: Phone) {
  const notice = phone.inbox().find(({ from }) => from.address === "it@corp.example");
  assert.ok(notice !== undefined);
  const inbox = phone.state().folders.find(({ type }) => type === 2);
  return { folder: inbox?.id ?? "", id: notice.id };
}

function assertArrivedOnce(upstream: MailServer, subject: string): void {
  const { sent, messages, folders } = upstream.mailbox("alice");
  assert.deepEqual(
    sent.map(({ message }) => message.subject),
    [subject],
  );
  const copies = folders.find(({ name }) => name === "Sent Items")?.id;
  assert.equal(messages.filter(({ folderId }) => folderId === copies).length, 1, "and a copy is kept");
  for (const { body, url } of upstream.journal())
    assert.equal(/:20000\d{5}|%3A20000\d{5}/i.test(`${url} ${body?.toString("latin1") ?? ""}`), false, url);
}

suite("an answer to the notice", () => {
  for (const protocolVersion of protocolVersions) {
    for (const queryForm of ["plain", "base64"] as const) {
      if (queryForm === "base64" && !dialectOf(protocolVersion).base64Query) continue;
      test(`goes out while mail flows: ${protocolVersion}, ${queryForm} query`, async (t) => {
        const gate = await aGate(t, { config: warning, now: () => start });
        await gate.reports("PHONEA", withTiktok);
        const phone = gate.phone({ protocolVersion, queryForm });
        await phone.refresh();
        const outcome = await phone.reply(noticeOn(phone), answer);
        assert.equal(outcome.kind, "ok", JSON.stringify(outcome));
        assert.deepEqual(phone.outbox(), []);
        assertArrivedOnce(gate.upstream, answer.subject);
      });

      test(`waits in quarantine, and goes out after it: ${protocolVersion}, ${queryForm} query`, async (t) => {
        const gate = await aGate(t);
        await gate.reports("PHONEA", withTiktok);
        const phone = gate.phone({ protocolVersion, queryForm });
        await phone.refresh();
        await phone.reply(noticeOn(phone), answer);
        assert.equal(phone.outbox().length, 1);
        await gate.reports("PHONEA", clean);
        // All that was of the gate's is gone before the outbox is tried again.
        for (const { name } of phone.state().folders) await phone.sync(name);
        await phone.refresh();
        assert.deepEqual(phone.outbox(), []);
        assertArrivedOnce(gate.upstream, answer.subject);
      });
    }
  }

  test("that upstream refuses stays in the outbox, and is refused in the phone's own words", async (t) => {
    const gate = await aGate(t, { config: warning, now: () => start });
    await gate.reports("PHONEA", withTiktok);
    const phone = gate.phone({ protocolVersion: "14.1" });
    await phone.refresh();
    const { folder, id } = noticeOn(phone);
    const noRecipient = Buffer.from("Subject: nobody\r\n\r\nHello");
    const reply = element(
      "ComposeMail:SmartReply",
      element("ComposeMail:ClientId", "c1"),
      element("ComposeMail:Source", element("ComposeMail:FolderId", folder), element("ComposeMail:ItemId", id)),
      element("ComposeMail:Mime", noRecipient),
    );
    const refused = await post(gate, "SmartReply", reply);
    const status = element("ComposeMail:SmartReply", element("ComposeMail:Status", "119"));
    assert.equal(refused.body.toString("hex"), encode(status).toString("hex"));
  });
});

suite("a notice that is forwarded", () => {
  const mail = [
    "From: alice@demo.example",
    "To: bob@demo.example",
    "Subject: Fwd: TikTok",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "What is that?",
    "",
  ].join("\r\n");

  for (const version of ["12.1", "14.1"] as const) {
    // 3 MiB: more than is read before it is known what the mail is about.
    for (const attachedBytes of [0, 3 * 1_048_576]) {
      test(`arrives with the notice attached: ${version}, ${attachedBytes} bytes more`, async (t) => {
        const gate = await aGate(t, { config: warning, now: () => start });
        await gate.reports("PHONEA", withTiktok);
        const phone = gate.phone({ protocolVersion: version });
        await phone.refresh();
        const { folder, id } = noticeOn(phone);
        const mime = Buffer.from(mail + `${"a".repeat(76)}\r\n`.repeat(attachedBytes / 78));
        const isDocument = version !== "12.1";
        const body = isDocument
          ? encode(
              element(
                "ComposeMail:SmartForward",
                element("ComposeMail:ClientId", "c1"),
                element(
                  "ComposeMail:Source",
                  element("ComposeMail:FolderId", folder),
                  element("ComposeMail:ItemId", id),
                ),
                element("ComposeMail:SaveInSentItems"),
                element("ComposeMail:Mime", mime),
              ),
            )
          : mime;
        const named = isDocument ? "" : `&CollectionId=${folder}&ItemId=${id}&SaveInSent=T`;
        const sent = await ask(gate.url + target("SmartForward") + named, {
          method: "POST",
          headers: {
            Authorization: basic(),
            "MS-ASProtocolVersion": version,
            "Content-Type": isDocument ? "application/vnd.ms-sync.wbxml" : "message/rfc822",
            "Content-Length": String(body.byteLength),
          },
          body,
        });
        assert.deepEqual([sent.status, sent.body.byteLength], [200, 0]);
        assertArrivedOnce(gate.upstream, "Fwd: TikTok");
        const [forwarded] = gate.upstream.mailbox("alice").sent;
        assert.match(forwarded?.message.text ?? "", /^What is that\?/);
        const [attached] = forwarded?.message.attachments ?? [];
        assert.deepEqual([attached?.name, attached?.contentType], ["notice.eml", "message/rfc822"]);
        assert.match(forwarded?.message.source?.toString() ?? "", /Subject: Remove TikTok from your iPhone to keep/);
      });
    }
  }
});
