/** The notice as an RFC 5322 message, for phones that ask for MIME. The same bytes whenever it is asked for. */
import { createHash } from "node:crypto";
import MailComposer from "nodemailer/lib/mail-composer";
import type { Notice } from "../notice/notice.ts";

export async function composeNotice(notice: Notice, to: string, at: Date): Promise<string> {
  const fixed = createHash("sha256").update(`${notice.digest} ${at.toISOString()} ${to}`).digest("hex").slice(0, 32);
  const composer = new MailComposer({
    from: notice.from,
    // An account name alone is no address; a message needs one.
    to: to.includes("@") ? to : { name: to, address: `${to}@invalid` },
    subject: notice.subject,
    date: at,
    messageId: `<${fixed}@postern.invalid>`,
    baseBoundary: fixed,
    text: notice.text,
    html: notice.html,
    headers: { "Auto-Submitted": "auto-generated" },
  });
  const message = await composer.compile().build();
  return message.toString("utf8");
}
