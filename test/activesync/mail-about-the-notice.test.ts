/** A person answers the notice or forwards it: what was written goes out, and upstream never hears of an item that it does not have. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { attachNotice } from "../../src/activesync/forwarded-notice.ts";
import { element } from "../../src/activesync/document.ts";
import { NOTICE_MAIL_LIMIT_BYTES } from "../../src/activesync/mail-about-the-notice.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { Refusal } from "../../src/gateway/errors.ts";
import type { UpstreamAnswer } from "../../src/gateway/protocol.ts";
import { everywhere, inbox } from "../support/activesync-documents.ts";
import { aHeldPhone, answerFrom, documentFrom } from "../support/remediation.ts";
import type { AskOptions } from "../support/remediation.ts";

const ours = `${inbox}:2000000001`;
const warned: AskOptions = { warned: true };
const mail = Buffer.from(
  [
    "From: alice@demo.example",
    "To: it@corp.example",
    "Subject: Re: the notice",
    "MIME-Version: 1.0",
    "Content-Type: text/plain;",
    "\tcharset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "X-Mailer: Phone",
    "",
    "I have removed it. Grüße",
    "",
  ].join("\r\n"),
);
const commands = ["SmartReply", "SmartForward"] as const;
const answerOf = (httpStatus = 200, document?: Element): UpstreamAnswer => ({
  httpStatus,
  headers: new Map([["retry-after", ["60"]]]),
  body: document === undefined ? new Uint8Array() : encode(document),
});

function about(command: (typeof commands)[number], item: string, ...others: readonly Element[]): Element {
  return element(
    `ComposeMail:${command}`,
    element("ComposeMail:ClientId", "c1"),
    element("ComposeMail:Source", element("ComposeMail:FolderId", inbox), element("ComposeMail:ItemId", item)),
    element("ComposeMail:SaveInSentItems"),
    ...others,
    element("ComposeMail:Mime", mail),
  );
}

const sent = (mime: Buffer): Element =>
  element(
    "ComposeMail:SendMail",
    element("ComposeMail:ClientId", "c1"),
    element("ComposeMail:SaveInSentItems"),
    element("ComposeMail:Mime", mime),
  );

function mimeIn(body: Buffer): string {
  const [mime] = everywhere(decode(body), "ComposeMail:Mime");
  return mime === undefined ? "" : Buffer.from(mime.content[0] instanceof Uint8Array ? mime.content[0] : "").toString();
}

suite("a mail about the notice", () => {
  for (const version of ["14.0", "14.1", "16.0", "16.1"] as const) {
    test(`goes as a mail of its own, with what the person wrote and nothing else: ${version}`, async () => {
      const phone = aHeldPhone({ version, upstream: () => answerOf() });
      const reply = await phone.ask("SmartReply", about("SmartReply", ours), warned);
      assert.deepEqual(
        [answerFrom(reply).httpStatus, answerFrom(reply).body],
        [200, undefined],
        "an empty 200: the phone takes it out of its outbox",
      );
      assert.deepEqual(phone.spelledAnew, [
        { query: "Cmd=SendMail&User=alice&DeviceId=PHONEA&DeviceType=Phone", body: encode(sent(mail)) },
      ]);
    });
  }

  for (const version of ["2.5", "12.0", "12.1"] as const) {
    test(`goes as a mail of its own, as it is and with the wish to keep a copy: ${version}`, async () => {
      const phone = aHeldPhone({ version, upstream: () => answerOf() });
      const headers = { "content-type": "message/rfc822" };
      const query = `&SaveInSent=T&CollectionId=${inbox}&ItemId=${encodeURIComponent(ours)}`;
      await phone.ask("SmartReply", mail, { ...warned, headers, query });
      assert.deepEqual(phone.spelledAnew, [
        { query: "Cmd=SendMail&User=alice&DeviceId=PHONEA&DeviceType=Phone&SaveInSent=T", body: mail },
      ]);
    });
  }

  test("that is named in a base64 query keeps the wishes of that query, and no item", async () => {
    const phone = aHeldPhone({ version: "none", upstream: () => answerOf() });
    const head = Buffer.from([121, 3, 9, 4, 6, ...Buffer.from("PHONEA"), 0, 5, ...Buffer.from("Phone")]);
    const part = (tag: number, value: string | Uint8Array): Buffer =>
      Buffer.from([tag, Buffer.byteLength(value), ...Buffer.from(value)]);
    const query = Buffer.concat([head, part(1, inbox), part(3, ours), part(7, Uint8Array.of(1)), part(8, "alice")]);
    const wholeQuery = query.toString("base64");
    await phone.ask("SmartReply", mail, { ...warned, wholeQuery, headers: { "content-type": "message/rfc822" } });
    const [asked] = phone.spelledAnew;
    const bytes = Buffer.from(asked?.query ?? "", "base64");
    const expected = Buffer.concat([head, part(7, Uint8Array.of(1)), part(8, "alice")]);
    expected[1] = 1;
    assert.equal(bytes.toString("hex"), expected.toString("hex"));
  });

  test("is refused under the name of the phone's own command, so that the phone finds the Status", async () => {
    for (const command of commands) {
      const refusal = element("ComposeMail:SendMail", element("ComposeMail:Status", "119"));
      const phone = aHeldPhone({ upstream: () => answerOf(200, refusal) });
      assert.deepEqual(
        documentFrom(await phone.ask(command, about(command, ours), warned)),
        element(`ComposeMail:${command}`, element("ComposeMail:Status", "119")),
      );
    }
  });

  test("stays in the outbox while upstream is away, and keeps what upstream says about when to come back", async () => {
    const phone = aHeldPhone({ upstream: () => answerOf(503) });
    const { httpStatus, headers } = answerFrom(await phone.ask("SmartReply", about("SmartReply", ours), warned));
    assert.deepEqual([httpStatus, headers], [503, [["retry-after", "60"]]]);
  });

  test("is not said to be sent where upstream answers with something else", async () => {
    for (const body of [encode(element("Ping:Ping")), Buffer.from("<html>")]) {
      const phone = aHeldPhone({ upstream: () => ({ ...answerOf(), body }) });
      await assert.rejects(phone.ask("SmartReply", about("SmartReply", ours), warned), {
        code: "upstream-answer-refused",
      });
    }
  });

  test("has the notice attached where it is forwarded, unless the phone has put it in itself", async () => {
    const phone = aHeldPhone({ upstream: () => answerOf() });
    await phone.ask("SmartForward", about("SmartForward", ours), warned);
    await phone.ask("SmartForward", about("SmartForward", ours, element("ComposeMail:ReplaceMime")), warned);
    const [first, second] = phone.spelledAnew.map(({ body }) => mimeIn(body));
    assert.match(
      first ?? "",
      /^From: alice@demo\.example\r\nTo: it@corp\.example\r\nSubject: Re: the notice\r\nX-Mailer/,
    );
    assert.match(first ?? "", /Content-Type: message\/rfc822[^]*Subject: S\r\n/);
    assert.equal(second, mail.toString());
  });

  test("has nothing attached once nothing is held against the phone: the words are gone with it", async () => {
    const phone = aHeldPhone({ upstream: () => answerOf() });
    await phone.ask("SmartForward", about("SmartForward", ours), { allowed: true });
    assert.deepEqual(
      phone.spelledAnew.map(({ body }) => mimeIn(body)),
      [mail.toString()],
    );
  });

  test("about any other message goes upstream unread", async () => {
    for (const item of [`${inbox}:9`, `${inbox}:2000005000`, "2000000001", `${inbox}:20000000010`]) {
      const reply = await aHeldPhone().ask("SmartReply", about("SmartReply", item), warned);
      assert.deepEqual(reply, { kind: "pass", body: undefined }, item);
    }
  });

  test("waits in the outbox in quarantine, as every other mail", async () => {
    const phone = aHeldPhone();
    const answer = documentFrom(await phone.ask("SmartReply", about("SmartReply", ours)));
    assert.deepEqual(answer, element("ComposeMail:SmartReply", element("ComposeMail:Status", "111")));
  });
});

suite("an answer to an invitation", () => {
  const asks = (...items: readonly string[]): Element =>
    element(
      "MeetingResponse:MeetingResponse",
      items.map((item) =>
        element(
          "MeetingResponse:Request",
          element("MeetingResponse:UserResponse", "1"),
          element("MeetingResponse:CollectionId", inbox),
          element("MeetingResponse:RequestId", item),
        ),
      ),
    );
  const result = (item: string, status: string): Element =>
    element(
      "MeetingResponse:Result",
      element("MeetingResponse:RequestId", item),
      element("MeetingResponse:Status", status),
    );

  test("that is one to the notice is none, and upstream hears of the others alone", async () => {
    const taken = element("MeetingResponse:MeetingResponse", result(`${inbox}:9`, "1"));
    const phone = aHeldPhone({ upstream: () => answerOf(200, taken) });
    const both = documentFrom(await phone.ask("MeetingResponse", asks(`${inbox}:9`, ours), warned));
    assert.deepEqual(both, element("MeetingResponse:MeetingResponse", result(`${inbox}:9`, "1"), result(ours, "2")));
    assert.deepEqual(phone.forwarded, [decode(encode(asks(`${inbox}:9`)))]);
    const alone = documentFrom(await aHeldPhone().ask("MeetingResponse", asks(ours), warned));
    assert.deepEqual(alone, element("MeetingResponse:MeetingResponse", result(ours, "2")));
  });

  test("that is none to the notice goes as it is", async () => {
    const reply = await aHeldPhone().ask("MeetingResponse", asks(`${inbox}:9`), warned);
    assert.deepEqual(reply, { kind: "pass", body: encode(asks(`${inbox}:9`)) });
  });
});

suite("the notice in a mail", () => {
  test("leaves what the phone wrote as it is, byte for byte, with the fields that say what it is made of", () => {
    const whole = attachNotice(mail, "Subject: S\r\n\r\nTEXT\r\n").toString();
    const boundary = /boundary="([^"]+)"/.exec(whole)?.[1] ?? "";
    const [head, own, notice, end] = whole.split(`--${boundary}`);
    assert.equal(
      head,
      `From: alice@demo.example\r\nTo: it@corp.example\r\nSubject: Re: the notice\r\nX-Mailer: Phone\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`,
    );
    assert.equal(
      own,
      "\r\nContent-Type: text/plain;\r\n\tcharset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nI have removed it. Grüße\r\n\r\n",
    );
    assert.match(notice ?? "", /message\/rfc822[^]*\r\n\r\nSubject: S\r\n\r\nTEXT\r\n\r\n$/);
    assert.equal(end, "--\r\n");
  });

  test("is the same in a repetition, and finds the end of the headers however lines end", () => {
    const unix = Buffer.from("Subject: a\nContent-Type: text/html\n\n<p>b</p>\n");
    assert.deepEqual(attachNotice(unix, "N"), attachNotice(unix, "N"));
    assert.match(
      attachNotice(unix, "N").toString(),
      /^Subject: a\r\nMIME-Version[^]*Content-Type: text\/html\r\n\r\n<p>b/,
    );
    assert.match(attachNotice(Buffer.from("Subject: a\r\n\r\nb"), "N").toString(), /--=_\w+\r\n\r\nb\r\n/);
  });

  test("is left out of a mail that has no end of its headers", () => {
    assert.equal(attachNotice(Buffer.from("Subject: a"), "N").toString(), "Subject: a");
  });
});

test("a mail about the notice that upstream could read as something else goes nowhere", async () => {
  const query = `&ItemId=${encodeURIComponent(ours)}`;
  const document = { "content-type": "application/vnd.ms-sync.wbxml" };
  const sync = Buffer.from(encode(element("AirSync:Sync", element("AirSync:Collections"))));
  const ofAnotherVersion = Buffer.concat([Buffer.of(0x0b), sync.subarray(1)]);
  for (const [body, headers, code] of [
    [ofAnotherVersion, document, "body-unreadable"],
    [mail, document, "body-unreadable"],
    [sync, document, "command-contradicts-body"],
    [sync, { "content-type": "message/rfc822" }, "command-contradicts-body"],
  ] as const) {
    const phone = aHeldPhone({ version: "12.1", upstream: () => answerOf() });
    await assert.rejects(
      phone.ask("SmartReply", body, { ...warned, query, headers }),
      (error: unknown) => error instanceof Refusal && error.code === code,
      code,
    );
    assert.deepEqual(phone.spelledAnew, []);
  }
});

test("a mail about the notice is read whole up to its limit; a larger one is refused, and stays in the outbox", async () => {
  const query = `&ItemId=${encodeURIComponent(ours)}`;
  const headers = { "content-type": "message/rfc822" };
  const ofBytes = (bytes: number): Buffer => Buffer.concat([mail, Buffer.alloc(bytes - mail.byteLength, "a")]);
  const phone = aHeldPhone({ version: "12.1", upstream: () => answerOf() });
  await phone.ask("SmartReply", ofBytes(NOTICE_MAIL_LIMIT_BYTES), { ...warned, query, headers });
  assert.equal(phone.spelledAnew[0]?.body.byteLength, NOTICE_MAIL_LIMIT_BYTES);
  await assert.rejects(
    phone.ask("SmartReply", ofBytes(NOTICE_MAIL_LIMIT_BYTES + 1), { ...warned, query, headers }),
    (error: unknown) => error instanceof Refusal && error.httpStatus === 413,
  );
});
