/** What lies in every Inbox from the start: one message of each shape that a phone meets. */
import { DOMAIN, people, type PersonName } from "./people.ts";

export interface Letter {
  readonly to: PersonName;
  readonly subject: string;
  readonly text: string;
  readonly from?: string;
}

/** A plain message, ready to be delivered or sent. */
export function letter({ to, subject, text, from = `Carol Clerk <carol@${DOMAIN}>` }: Letter): string {
  return message({ to, from, subject, sentAt: new Date(), type: "text/plain; charset=utf-8", content: text });
}

export const seededSubjects = [
  "A plain message",
  "An HTML message",
  "A message with an attachment",
  "Gr\u00fc\u00dfe \u{1f30d}",
] as const;

export function seedMessages(to: PersonName, now: Date): string[] {
  const [plain, html, attachment, unicode] = seededSubjects;
  const [firstName] = people[to].fullName.split(" ");
  const shapes = [
    {
      subject: plain,
      type: "text/plain; charset=us-ascii",
      content: `Hello ${firstName},\n\nthis is plain text.\n\nCarol`,
    },
    {
      subject: html,
      type: 'multipart/alternative; boundary="alt"',
      content: parts("alt", [
        `Content-Type: text/plain; charset=utf-8\n\nHello ${firstName}, in plain text.`,
        `Content-Type: text/html; charset=utf-8\n\n<html><body><h1>Hello ${firstName}</h1><p>In <b>HTML</b>.</p></body></html>`,
      ]),
    },
    {
      subject: attachment,
      type: 'multipart/mixed; boundary="mix"',
      content: parts("mix", ["Content-Type: text/plain; charset=utf-8\n\nThe report is attached.", report]),
    },
    { subject: unicode, type: "text/plain; charset=utf-8", content: "Gr\u00fc\u00dfe aus K\u00f6ln \u2713 \u{1f30d}" },
  ];
  const from = `Carol Clerk <carol@${DOMAIN}>`;
  return shapes.map((shape, index) => {
    const hoursAgo = shapes.length - index;
    return message({ to, from, ...shape, sentAt: new Date(now.getTime() - hoursAgo * 3_600_000) });
  });
}

const onePage = "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj";
const report = `Content-Type: application/pdf; name="report.pdf"
Content-Disposition: attachment; filename="report.pdf"
Content-Transfer-Encoding: base64

${Buffer.from(`%PDF-1.1\n${onePage}\ntrailer<</Root 1 0 R>>\n%%EOF\n`).toString("base64")}`;

interface Message {
  readonly to: PersonName;
  readonly from: string;
  readonly subject: string;
  readonly sentAt: Date;
  readonly type: string;
  readonly content: string;
}

function message({ to, from, subject, sentAt, type, content }: Message): string {
  const { fullName, address } = people[to];
  const isAscii = /^[ -~]*$/.test(subject);
  const headers = [
    `From: ${from}`,
    `To: ${fullName} <${address}>`,
    `Date: ${sentAt.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${crypto.randomUUID()}@${DOMAIN}>`,
    `Subject: ${isAscii ? subject : `=?utf-8?B?${Buffer.from(subject).toString("base64")}?=`}`,
    "MIME-Version: 1.0",
    `Content-Type: ${type}`,
    "Content-Transfer-Encoding: 8bit",
  ];
  return `${headers.join("\n")}\n\n${content}\n`;
}

function parts(boundary: string, contents: readonly string[]): string {
  return `${contents.map((content) => `--${boundary}\n${content}\n`).join("")}--${boundary}--`;
}
