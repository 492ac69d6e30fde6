/**
 * A person answers the notice, or forwards it. Upstream has no such item, and would refuse the mail for ever; some phones then
 * send it without the reference, and others keep it in their outbox. So it goes upstream as a mail of its own: what the person
 * has written, to whom it was written. Upstream tells its repetition by its ClientId, as it does with any mail.
 */
import type { Person } from "../policy/person.ts";
import type { Remediation, Reply } from "../gateway/protocol.ts";
import { UpstreamFailure } from "../gateway/errors.ts";
import { isMail } from "./body-scan.ts";
import { rootOf } from "./commands.ts";
import { element, has, isElement, mapElements } from "./document.ts";
import { attachNotice } from "./forwarded-notice.ts";
import { readingAnswer, steeringOf } from "./forwarding.ts";
import { addressee } from "./mailbox-view.ts";
import { composeNotice } from "./notice-mime.ts";
import { sendMailQuery } from "./query.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { documentReply } from "./replies.ts";
import { documentIn } from "./request-body.ts";
import { decode, encode } from "./wbxml.ts";
import type { Element, TagName } from "./wbxml.ts";

/** 32 MiB: what mail servers take from phones. It is read whole, because it is another command that goes upstream. */
export const NOTICE_MAIL_LIMIT_BYTES = 33_554_432;

/** A Status, or nothing. */
const answerLimitBytes = 65_536;

type MailCommand = "SmartReply" | "SmartForward";

/** What a mail of its own has (MS-ASCMD 2.2.1.17): everything else is about the item. */
const partsOfMail: ReadonlySet<TagName> = new Set<TagName>([
  "ComposeMail:ClientId",
  "ComposeMail:AccountId",
  "ComposeMail:SaveInSentItems",
  "ComposeMail:Mime",
  "RightsManagement:TemplateID",
]);

/** @throws Refusal, UpstreamFailure */
export async function mailAboutTheNotice(
  command: MailCommand,
  { canonical }: ActiveSyncQuery,
  person: Person | undefined,
  context: Remediation,
): Promise<Reply> {
  const bytes = await context.readBody(NOTICE_MAIL_LIMIT_BYTES);
  const attached = command === "SmartForward" ? await noticeToAttach(person, context) : undefined;
  // By the same reading as the scan of a body that passes: upstream must not take for a document what went up as a mail.
  const mail = isMail(context.request.headers.get("content-type"), bytes)
    ? withNotice(bytes, attached)
    : encode(sendMailOf(documentIn(command, bytes), attached));
  const answer = await context.exchange(mail, answerLimitBytes, sendMailQuery(canonical));
  const { httpStatus, body } = answer;
  const headers = steeringOf(answer);
  if (httpStatus !== 200 || body.byteLength === 0) return { kind: "answer", httpStatus, headers, body: undefined };
  const reply = documentReply(readStatus(body, command));
  return { ...reply, headers: [...reply.headers, ...headers] };
}

/** Undefined where nothing is held against the phone any more: its words are gone with it. */
async function noticeToAttach(
  person: Person | undefined,
  { decision: { notice, device }, now }: Remediation,
): Promise<string | undefined> {
  if (notice === undefined || device === undefined) return undefined;
  return composeNotice(notice, addressee(person, device.account), device.mailbox.notice?.at ?? now);
}

function withNotice(mail: Uint8Array, notice: string | undefined): Uint8Array {
  return notice === undefined ? mail : attachNotice(mail, notice);
}

/** A phone that says ReplaceMime has put into its mail whatever it wants to have there (MS-ASCMD 2.2.3.148). */
function sendMailOf(request: Element, notice: string | undefined): Element {
  const isComplete = has(request, "ComposeMail:ReplaceMime");
  const mail = mapElements(request, (part) => {
    if (!partsOfMail.has(part.tag)) return undefined;
    if (part.tag !== "ComposeMail:Mime" || isComplete || notice === undefined) return part;
    return element(part.tag, attachNotice(bytesOf(part), notice));
  });
  return { ...mail, tag: "ComposeMail:SendMail" };
}

function bytesOf({ content }: Element): Buffer {
  return Buffer.concat(content.flatMap((part) => (isElement(part) ? [] : [Buffer.from(part)])));
}

/** The phone looks for the Status under the name of its own command. */
function readStatus(body: Uint8Array, command: MailCommand): Element {
  const document = readingAnswer(() => decode(body));
  const root = rootOf(command);
  if (document.tag !== "ComposeMail:SendMail" || root === undefined)
    throw new UpstreamFailure("upstream-answer-refused", "answer is not that of the command");
  return { ...document, tag: root };
}
