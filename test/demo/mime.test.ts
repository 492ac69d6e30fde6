import assert from "node:assert/strict";
import { test } from "node:test";
import {
  attachmentOf,
  formatAddress,
  generatedAttachment,
  parseAddresses,
  textFromHtml,
  toAddress,
  type Message,
} from "../../src/demo/message.ts";
import { readMime, withoutBcc } from "../../src/demo/mime-reader.ts";
import { messageSource } from "../../src/demo/mime-writer.ts";

function mime(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("\r\n"));
}

const message: Message = {
  messageId: "1@demo.example",
  from: { name: "Tomás Rivera", address: "tomas@rivera-print.example" },
  to: [{ name: "Alice, Archer", address: "alice@demo.example" }],
  cc: [{ name: "", address: "bob@demo.example" }],
  subject: "Übergröße für €5",
  receivedAt: new Date("2026-11-24T12:00:00Z"),
  text: "Grüße\nTomás",
  html: "<p>Grüße</p>",
  attachments: [attachmentOf("größe.csv", "text/csv", "1;2\r\n")],
  importance: "high",
  source: undefined,
};

test("what is written can be read again", () => {
  const read = readMime(messageSource(message));
  assert.deepEqual(read.from, [message.from]);
  assert.deepEqual(read.to, message.to);
  assert.deepEqual(read.cc, message.cc);
  assert.equal(read.subject, message.subject);
  assert.equal(read.text, message.text);
  assert.equal(read.html, message.html);
  assert.equal(read.importance, "high");
  assert.equal(read.messageId, message.messageId);
  assert.deepEqual(
    read.attachments.map(({ name, contentType, chunks }) => [
      name,
      contentType,
      Buffer.concat([...chunks()]).toString(),
    ]),
    [["größe.csv", "text/csv", "1;2\r\n"]],
  );
});

test("a subject with a line break writes no header of its own", () => {
  const read = readMime(messageSource({ ...message, subject: "Hello\r\nBcc: everybody@demo.example" }));
  assert.deepEqual(read.bcc, []);
});

for (const [name, source, expected] of [
  ["bare line feeds", Buffer.from("Subject: a\nTo: b@c\n\nText\n"), { subject: "a", text: "Text" }],
  ["folded headers", mime("Subject: one", " two", "", "Text"), { subject: "one two", text: "Text" }],
  [
    "encoded words in a row",
    mime("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1?Q?_aus_K=F6ln?=", "", ""),
    { subject: "Grüße aus Köln", text: "" },
  ],
  [
    "quoted-printable in Latin-1",
    mime(
      "Content-Type: text/plain; charset=iso-8859-1",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "K=F6=",
      "ln",
    ),
    { subject: "", text: "Köln" },
  ],
  [
    "a charset that nobody knows",
    mime("Content-Type: text/plain; charset=klingon", "", "Text"),
    { subject: "", text: "Text" },
  ],
  [
    "only HTML",
    mime("Content-Type: text/html", "", "<p>One</p><p>Two &amp; three</p>"),
    { subject: "", text: "One\nTwo & three" },
  ],
  ["no headers at all", mime("", "Text"), { subject: "", text: "Text" }],
  ["nothing", Buffer.alloc(0), { subject: "", text: "" }],
] as const) {
  test(`a message with ${name} is read`, () => {
    const { subject, text } = readMime(source);
    assert.deepEqual({ subject, text }, expected);
  });
}

test("parts within parts are read, and a thousand of them do no harm", () => {
  let source = mime("Content-Type: text/plain", "", "innermost");
  for (let level = 0; level < 1000; level += 1) {
    source = Buffer.concat([
      mime(`Content-Type: multipart/mixed; boundary="b${level}"`, "", `--b${level}`, ""),
      source,
      mime("", `--b${level}--`),
    ]);
  }
  assert.equal(readMime(source).text, "");
  const nested = mime(
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "innermost",
    "--b--",
  );
  assert.equal(readMime(nested).text, "innermost");
});

test("a message cut anywhere is still read", () => {
  const source = messageSource(message);
  for (let length = 0; length < source.length; length += 1) readMime(source.subarray(0, length));
});

test("blind copies are taken out wherever they stand, and nothing else is", () => {
  const rest = ["From: a@b", "To: c@d", "", "Bcc: stays, it is text"];
  for (const at of [0, 1, 2]) {
    const source = mime(...rest.slice(0, at), "bcc: e@f,", "\tg@h", ...rest.slice(at));
    assert.equal(withoutBcc(source).toString(), rest.join("\r\n"));
  }
});

test("addresses are read as people write them", () => {
  assert.deepEqual(parseAddresses('"Archer, Alice" <a@b>, c@d,, Bob <e@f>'), [
    { name: "Archer, Alice", address: "a@b" },
    { name: "", address: "c@d" },
    { name: "Bob", address: "e@f" },
  ]);
  assert.equal(formatAddress(toAddress("Bob <e@f>")), '"Bob" <e@f>');
});

test("HTML becomes text without its styles", () => {
  assert.equal(textFromHtml("<style>p{}</style><h1>A</h1><p>B<br>C&nbsp;D</p>"), "A\nB\nC D");
});

test("a generated attachment has its size to the byte and the same bytes each time", () => {
  for (const sizeBytes of [0, 1, 65_536, 200_001]) {
    const attachment = generatedAttachment("a.csv", sizeBytes);
    const [first, second] = [Buffer.concat([...attachment.chunks()]), Buffer.concat([...attachment.chunks()])];
    assert.equal(first.length, sizeBytes);
    assert.ok(first.equals(second));
  }
});
