/** Carries messages from one mailbox to the others. Mail to somebody outside is written down and goes no further. */
import type { Account, Accounts } from "./accounts.ts";
import { toAddress, type Address, type Message, type NewMessage } from "./message.ts";

export interface SentMessage {
  readonly message: Message;
  /** Bcc included, which the message itself does not show. */
  readonly recipients: readonly Address[];
}

// What somebody who looks wants to see; a server that runs for weeks must not keep more.
const SENT_LIMIT = 1000;

export type Post = ReturnType<typeof createPost>;

export function createPost(accounts: Accounts, now: () => Date, mailDomain: string) {
  const sent = new Map<Account, SentMessage[]>();
  let messages = 0;

  function nextMessageId(): string {
    messages += 1;
    return `${messages}.message@${mailDomain}`;
  }

  return {
    nextMessageId,

    /** From somewhere outside into one mailbox. Returns the id of the new item. */
    deliver(account: Account, message: NewMessage): string {
      const { mailbox } = account;
      const folder =
        message.folder === undefined ? undefined : mailbox.folders().find(({ name }) => name === message.folder);
      if (message.folder !== undefined && folder === undefined) throw new RangeError(`no folder "${message.folder}"`);
      const whole: Message = {
        messageId: nextMessageId(),
        from: toAddress(message.from),
        to: message.to?.map(toAddress) ?? [account.address],
        cc: message.cc?.map(toAddress) ?? [],
        subject: message.subject,
        receivedAt: message.receivedAt ?? now(),
        text: message.text,
        html: message.html,
        attachments: message.attachments ?? [],
        importance: message.importance ?? "normal",
        source: undefined,
      };
      return put(account, (folder ?? mailbox.special("inbox")).id, whole, message.read ?? false);
    },

    /** From one of ours to everybody who is named. */
    send(sender: Account, { message, recipients }: SentMessage, saveInSent: boolean): void {
      const local = new Set(
        recipients.map(({ address }) => accounts.recipient(address)).filter((found) => found !== undefined),
      );
      for (const recipient of local) put(recipient, recipient.mailbox.special("inbox").id, message, false);
      if (saveInSent) put(sender, sender.mailbox.special("sent").id, message, true);
      const list = sent.get(sender) ?? [];
      list.push({ message, recipients });
      if (list.length > SENT_LIMIT) list.shift();
      sent.set(sender, list);
    },

    sentBy: (account: Account): readonly SentMessage[] => [...(sent.get(account) ?? [])],
  };
}

function put({ mailbox }: Account, folderId: string, message: Message, read: boolean): string {
  return mailbox.add(folderId, { kind: "mail", message, read, flag: undefined, categories: [] }).id;
}
