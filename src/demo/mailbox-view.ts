/** A mailbox as somebody sees it who stands beside the server: for tests, which must not need the protocol to look. */
import type { Account } from "./accounts.ts";
import { folderClass, type Folder } from "./folder.ts";
import type { CardItem, MailItem } from "./mailbox.ts";
import { field } from "./phone-request.ts";
import type { Post, SentMessage } from "./post.ts";
import { fieldOf, parseCompactDate } from "./sync-changes.ts";

interface CalendarView {
  readonly id: string;
  readonly subject: string;
  readonly location: string | undefined;
  readonly startsAt: Date | undefined;
  readonly endsAt: Date | undefined;
}

interface ContactView {
  readonly id: string;
  readonly name: string;
  readonly email: string | undefined;
}

interface TaskView {
  readonly id: string;
  readonly subject: string;
  readonly complete: boolean;
}

interface NoteView {
  readonly id: string;
  readonly subject: string;
}

export interface MailboxView {
  readonly folders: readonly Folder[];
  /** In every folder, the oldest first. */
  readonly messages: readonly MailItem[];
  /** What this person has sent, whether or not a copy was kept. */
  readonly sent: readonly SentMessage[];
  readonly calendar: readonly CalendarView[];
  readonly contacts: readonly ContactView[];
  readonly tasks: readonly TaskView[];
  readonly notes: readonly NoteView[];
}

export function inspectMailbox(account: Account, post: Post): MailboxView {
  const { mailbox } = account;
  const folders = mailbox.folders();
  const cards = (kind: ReturnType<typeof folderClass>): readonly CardItem[] =>
    folders
      .filter((folder) => folderClass(folder) === kind)
      .flatMap(({ id }) => mailbox.items(id))
      .filter((item) => item.kind === "card");
  return {
    folders,
    messages: folders
      .flatMap(({ id }) => mailbox.items(id))
      .filter((item) => item.kind === "mail")
      .sort((a, b) => a.message.receivedAt.getTime() - b.message.receivedAt.getTime()),
    sent: post.sentBy(account),
    calendar: cards("Calendar").map((item) => ({
      id: item.id,
      subject: fieldOf(item, "Calendar:Subject") ?? "",
      location: locationOf(item),
      startsAt: parseCompactDate(fieldOf(item, "Calendar:StartTime")),
      endsAt: parseCompactDate(fieldOf(item, "Calendar:EndTime")),
    })),
    contacts: cards("Contacts").map((item) => ({
      id: item.id,
      name: [fieldOf(item, "Contacts:FirstName"), fieldOf(item, "Contacts:LastName")]
        .filter((part) => part !== undefined)
        .join(" "),
      email: fieldOf(item, "Contacts:Email1Address"),
    })),
    tasks: cards("Tasks").map((item) => ({
      id: item.id,
      subject: fieldOf(item, "Tasks:Subject") ?? "",
      complete: fieldOf(item, "Tasks:Complete") === "1",
    })),
    notes: cards("Notes").map((item) => ({ id: item.id, subject: fieldOf(item, "Notes:Subject") ?? "" })),
  };
}

/** Spelled anew from 16.0. */
function locationOf(item: CardItem): string | undefined {
  const place = item.fields.find(({ tag }) => tag === "AirSyncBase:Location");
  return fieldOf(item, "Calendar:Location") ?? field(place, "AirSyncBase:DisplayName");
}
