/** Writes a message as RFC 822 text: what a phone gets that asks for MIME. */
import { createHash } from "node:crypto";
import { formatAddresses, type Attachment, type Message } from "./message.ts";

/** The message as it came, or as a mail program would have written it. The same message gives the same bytes. */
export function messageSource(message: Message): Buffer {
  return message.source ?? writeMime(message);
}

function writeMime(message: Message): Buffer {
  const head = [
    `From: ${encodeHeader(formatAddresses([message.from]))}`,
    `To: ${encodeHeader(formatAddresses(message.to))}`,
    ...(message.cc.length === 0 ? [] : [`Cc: ${encodeHeader(formatAddresses(message.cc))}`]),
    `Subject: ${encodeHeader(message.subject)}`,
    `Date: ${message.receivedAt.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${message.messageId}>`,
    "MIME-Version: 1.0",
    ...(message.importance === "normal" ? [] : [`Importance: ${message.importance}`]),
  ];
  // The boundary comes from the message, so that the source of one message never changes between two reads.
  const boundary = `=_${createHash("sha256").update(message.messageId).digest("hex").slice(0, 24)}`;
  const readable = writeReadable(message, `${boundary}_alt`);
  if (message.attachments.length === 0) return Buffer.from([...head, ...readable, ""].join("\r\n"));

  const parts = [readable, ...message.attachments.map(writeAttachment)];
  return Buffer.from(
    [...head, `Content-Type: multipart/mixed; boundary="${boundary}"`, "", ...bounded(parts, boundary), ""].join(
      "\r\n",
    ),
  );
}

function writeReadable({ text, html }: Message, boundary: string): readonly string[] {
  const plain = writeText("text/plain", text);
  if (html === undefined) return plain;
  const parts = [plain, writeText("text/html", html)];
  return [`Content-Type: multipart/alternative; boundary="${boundary}"`, "", ...bounded(parts, boundary)];
}

function bounded(parts: readonly (readonly string[])[], boundary: string): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) lines.push(`--${boundary}`, ...part);
  return [...lines, `--${boundary}--`];
}

function writeText(contentType: string, text: string): readonly string[] {
  return [`Content-Type: ${contentType}; charset=utf-8`, "Content-Transfer-Encoding: base64", "", wrapBase64(text)];
}

function writeAttachment(attachment: Attachment): readonly string[] {
  const name = encodeHeader(attachment.name);
  return [
    `Content-Type: ${attachment.contentType}; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    "Content-Transfer-Encoding: base64",
    "",
    wrapBase64(Buffer.concat([...attachment.chunks()])),
  ];
}

function wrapBase64(content: string | Buffer): string {
  return (
    Buffer.from(content)
      .toString("base64")
      .match(/.{1,76}/g)
      ?.join("\r\n") ?? ""
  );
}

const encodedWord = String.raw`[^\s"<>@,]*[^\x20-\x7e][^\s"<>@,]*`;
// White space between two encoded words is dropped by whoever reads them, so neighbours are encoded as one.
const encodedRun = new RegExp(`${encodedWord}(?: +${encodedWord})*`, "g");

/** RFC 2047 for what is not plain ASCII. A line break would let a subject write headers of its own. */
function encodeHeader(text: string): string {
  const oneLine = text.replaceAll(/[\r\n]+/g, " ");
  return oneLine.replaceAll(encodedRun, (words) => `=?utf-8?B?${Buffer.from(words).toString("base64")}?=`);
}
