/** SendMail, SmartReply and SmartForward (MS-ASCMD 2.2.1.17, 20, 19): what a phone wrote goes out. */
import { child, has } from "../activesync/document.ts";
import type { Element, TagName } from "../activesync/wbxml.ts";
import type { Account } from "./accounts.ts";
import { displayName, type Message } from "./message.ts";
import { readMime, withoutBcc } from "./mime-reader.ts";
import { commonStatus, field, type Answer, type Office, type PhoneRequest } from "./phone-request.ts";
import type { SentMessage } from "./post.ts";

type ComposeRoot = "ComposeMail:SendMail" | "ComposeMail:SmartReply" | "ComposeMail:SmartForward";

const MIME_INVALID = 107;
const PREVIOUSLY_SENT = 118;
const NO_RECIPIENT = 119;
const ITEM_NOT_FOUND = 150;

// A phone repeats a message that it got no answer for within hours, not after thousands of others.
const SENT_IDS_LIMIT = 1000;

export function composeCommand(root: ComposeRoot): (request: PhoneRequest, office: Office) => Answer {
  return (request, office) => compose(root, request, office);
}

interface Draft {
  readonly clientId: string | undefined;
  readonly source: Buffer;
  readonly saveInSent: boolean;
  readonly replaceMime: boolean;
  readonly original: { readonly itemId: string } | undefined;
}

function compose(root: ComposeRoot, request: PhoneRequest, { post, now }: Office): Answer {
  const { account, device } = request;
  const refuse = (status: number): Answer => commonStatus(request, root, "ComposeMail:Status", status);
  const draft = readDraft(request);
  if (draft.source.length === 0) return refuse(MIME_INVALID);
  if (draft.clientId !== undefined && device.sentMessages.has(draft.clientId)) return refuse(PREVIOUSLY_SENT);

  const original = originalOf(root, draft, account);
  if (original === "missing") return refuse(ITEM_NOT_FOUND);
  const written = readSource(account, draft.source, now(), post.nextMessageId);
  if (written.recipients.length === 0) return refuse(NO_RECIPIENT);
  const quoted =
    original === undefined || draft.replaceMime
      ? written
      : { ...written, message: quote(root, written.message, original) };

  post.send(account, quoted, draft.saveInSent);
  if (draft.clientId !== undefined) rememberSent(device.sentMessages, draft.clientId);
  return { kind: "empty" };
}

/** As a document from 14.0 on; up to 12.1 the message is the body, and the rest stands in the query. */
function readDraft({ root, body, query }: PhoneRequest): Draft {
  if (root === undefined) {
    const original = query.longId ?? query.itemId;
    return {
      clientId: undefined,
      source: body,
      saveInSent: query.saveInSent,
      replaceMime: false,
      original: original === undefined ? undefined : { itemId: original },
    };
  }
  const source = child(root, "ComposeMail:Source");
  const original = field(source, "ComposeMail:LongId") ?? field(source, "ComposeMail:ItemId");
  return {
    clientId: field(root, "ComposeMail:ClientId"),
    source: bytesOf(child(root, "ComposeMail:Mime")),
    saveInSent: has(root, "ComposeMail:SaveInSentItems"),
    replaceMime: has(root, "ComposeMail:ReplaceMime"),
    original: original === undefined ? undefined : { itemId: original },
  };
}

function bytesOf(mime: Element | undefined): Buffer {
  const pieces = mime?.content.filter((part) => typeof part === "string" || part instanceof Uint8Array) ?? [];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

function originalOf(root: TagName, draft: Draft, account: Account): Message | "missing" | undefined {
  if (root === "ComposeMail:SendMail") return undefined;
  const item = account.mailbox.item(draft.original?.itemId ?? "");
  return item?.kind === "mail" ? item.message : "missing";
}

function readSource(account: Account, source: Buffer, now: Date, nextMessageId: () => string): SentMessage {
  const read = readMime(source);
  // Whoever logged in is the sender, whatever the message says. What says otherwise is not passed on as it is.
  const isHonest = read.from.some(({ address }) => address.toLowerCase() === account.address.address.toLowerCase());
  const message: Message = {
    messageId: read.messageId ?? nextMessageId(),
    from: account.address,
    to: read.to,
    cc: read.cc,
    subject: read.subject,
    receivedAt: now,
    text: read.text,
    html: read.html,
    attachments: read.attachments,
    importance: read.importance,
    source: isHonest ? withoutBcc(source) : undefined,
  };
  return { message, recipients: [...read.to, ...read.cc, ...read.bcc] };
}

/** Appends the original, which the phone leaves to the server because it may never have had all of it. */
function quote(root: ComposeRoot, written: Message, original: Message): Message {
  const heading = `${displayName(original.from)} wrote on ${original.receivedAt.toUTCString()}:`;
  const lines = original.text.split("\n").map((line) => `> ${line}`);
  const attachments = root === "ComposeMail:SmartForward" ? original.attachments : [];
  return {
    ...written,
    text: [written.text, "", heading, ...lines].join("\n"),
    html: undefined,
    attachments: [...written.attachments, ...attachments],
    source: undefined,
  };
}

function rememberSent(sentMessages: Set<string>, clientId: string): void {
  sentMessages.add(clientId);
  const oldest = sentMessages.size > SENT_IDS_LIMIT ? sentMessages.values().next().value : undefined;
  if (oldest !== undefined) sentMessages.delete(oldest);
}
