/** A mail of the phone with the notice attached (RFC 2046, 5.2.1): what the phone has written stays as it is, byte for byte. */
import { createHash } from "node:crypto";

/** Fields that say what the body is made of, and go with it into its part (RFC 2045, 3). */
const ofTheBody = /^(?:content-[!-9;-~]+|mime-version)\s*:/i;

/**
 * A mail without an end of its headers is sent as it is.
 * @param notice an RFC 5322 message in 7 bits.
 */
export function attachNotice(mail: Uint8Array, notice: string): Buffer {
  const bytes = Buffer.from(mail.buffer, mail.byteOffset, mail.byteLength);
  const parts = splitHeaders(bytes);
  if (parts === undefined) return bytes;
  const boundary = `=_${createHash("sha256").update(bytes).update(notice).digest("hex").slice(0, 40)}`;
  const own = parts.fields.filter((field) => !ofTheBody.test(field));
  const moved = parts.fields.filter((field) => ofTheBody.test(field) && !/^mime-version/i.test(field));
  const head = [
    ...own,
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    ...moved,
    "",
    "",
  ];
  const tail = [
    "",
    `--${boundary}`,
    "Content-Type: message/rfc822",
    'Content-Disposition: attachment; filename="notice.eml"',
    "",
    notice,
    `--${boundary}--`,
    "",
  ];
  return Buffer.concat([Buffer.from(head.join("\r\n"), "latin1"), parts.body, Buffer.from(tail.join("\r\n"))]);
}

/** Fields with the lines that continue them. Phones end lines as they like. */
function splitHeaders(mail: Buffer): { readonly fields: readonly string[]; readonly body: Buffer } | undefined {
  const text = mail.toString("latin1");
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return undefined;
  const fields = text.slice(0, end.index).split(/\r?\n(?![ \t])/);
  return { fields, body: mail.subarray(end.index + end[0].length) };
}
