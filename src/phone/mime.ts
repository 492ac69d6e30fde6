/** A short text as a mail (RFC 5322, 2045, 2047). */
import { randomUUID } from "node:crypto";
import { PhoneError } from "./errors.ts";

export interface MailText {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly date: Date;
}

// RFC 2047 allows 75 characters for an encoded word: 12 of frame, and base64 makes 4 of 3.
const bytesPerWord = 45;

/** @throws PhoneError `options` where an address could smuggle in a header line of its own. */
export function composeMail({ from, to, subject, text, date }: MailText): Buffer {
  for (const address of [from, to]) {
    if (/[\u0000-\u001f\u007f]/u.test(address) || !address.includes("@")) {
      throw new PhoneError("options", "not an address to send mail with");
    }
  }
  const body = Buffer.from(text.replace(/\r\n|\r|\n/gu, "\r\n"));
  const head = [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${encodeHeader(subject.replace(/[\u0000-\u001f\u007f]+/gu, " "))}`,
    `Date: ${date.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${randomUUID()}@${
      from
        .split("@")
        .at(-1)
        ?.replace(/[^\w.-]/gu, "") ?? "phone"
    }>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
  ];
  const lines = body.toString("base64").match(/.{1,76}/gu) ?? [];
  return Buffer.from([...head, "", ...lines, ""].join("\r\n"));
}

function encodeHeader(text: string): string {
  if (/^[\u0020-\u007e]{0,60}$/u.test(text)) return text;
  const words: string[] = [];
  let word = "";
  // By characters and not by bytes: an encoded word has to be readable by itself.
  for (const character of text) {
    if (Buffer.byteLength(word + character) > bytesPerWord) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  words.push(word);
  return words.map((each) => `=?utf-8?B?${Buffer.from(each).toString("base64")}?=`).join("\r\n ");
}
