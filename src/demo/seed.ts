/** An ordinary week at an ordinary company: what the demonstration shows and what tests read. */
import type { NewCalendarEntry, NewContact } from "./card.ts";
import type { MailUser } from "./mail-server.ts";
import { attachmentOf, type Attachment, type NewMessage } from "./message.ts";
import { aliceMail, bobMail, type SeedMessage } from "./seed-mail.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const carol = "Carol Clerk <carol@demo.example>";
const alice = "Alice Archer <alice@demo.example>";
const bob = "Bob Baker <bob@demo.example>";

const contacts: readonly NewContact[] = [
  {
    firstName: "Carol",
    lastName: "Clerk",
    email: "carol@demo.example",
    company: "Demo Example Ltd",
    jobTitle: "Office manager",
    mobile: "+44 7700 900101",
  },
  {
    firstName: "Nadia",
    lastName: "Okafor",
    email: "nadia.okafor@harbour-logistics.example",
    company: "Harbour Logistics",
    jobTitle: "Key accounts",
    mobile: "+44 7700 900214",
  },
  {
    firstName: "Tomás",
    lastName: "Rivera",
    email: "tomas@rivera-print.example",
    company: "Rivera Print",
    mobile: "+44 7700 900377",
  },
  {
    firstName: "Ingrid",
    lastName: "Holm",
    email: "ingrid.holm@demo.example",
    company: "Demo Example Ltd",
    jobTitle: "Head of finance",
  },
];

/**
 * Alice and Bob, with a week of mail that ends shortly before `now`. Their passwords stand in the documentation of the
 * demonstration, which listens on this machine only.
 */
export function demoUsers(now: Date): readonly MailUser[] {
  return [
    {
      name: "alice",
      password: "alice-demo",
      displayName: "Alice Archer",
      messages: datedMail(aliceMail, now),
      calendar: aliceCalendar(now),
      contacts,
    },
    {
      name: "bob",
      password: "bob-demo",
      displayName: "Bob Baker",
      messages: datedMail(bobMail, now),
      calendar: bobCalendar(now),
      contacts: contacts.slice(0, 2),
    },
  ];
}

function datedMail(messages: readonly SeedMessage[], now: Date): readonly NewMessage[] {
  return messages.map(({ hoursAgo, files, ...message }) => {
    return {
      ...message,
      receivedAt: new Date(now.getTime() - hoursAgo * HOUR_MS),
      attachments: files?.map(attach) ?? [],
    };
  });
}

function attach(file: NonNullable<SeedMessage["files"]>[number]): Attachment {
  return "chunks" in file ? file : attachmentOf(file.name, file.contentType, file.content);
}

function aliceCalendar(now: Date): readonly NewCalendarEntry[] {
  return [
    meeting(now, 0, 9, 1, "Stand-up", { location: "Room 2", attendees: [bob, carol] }),
    meeting(now, 0, 14, 1, "Review of the supplier contract", { location: "Room 4", attendees: [bob] }),
    meeting(now, 1, 10, 1, "One to one with Bob", { attendees: [bob] }),
    meeting(now, 1, 12, 1, "Lunch with Nadia", { location: "The Quay", note: "She takes the 13:20 ferry back." }),
    meeting(now, 2, 15, 2, "Budget, second round", { location: "Board room", attendees: [carol] }),
    meeting(now, 3, 8, 1, "Dentist"),
    meeting(now, -1, 16, 1, "Retrospective", { location: "Room 2", attendees: [bob, carol] }),
    meeting(now, 7, 0, 24, "Office closed for the fire inspection", { allDay: true }),
  ];
}

function bobCalendar(now: Date): readonly NewCalendarEntry[] {
  return [
    meeting(now, 0, 9, 1, "Stand-up", { location: "Room 2", attendees: [alice, carol] }),
    meeting(now, 0, 14, 1, "Review of the supplier contract", { location: "Room 4", attendees: [alice] }),
    meeting(now, 2, 11, 1, "Warehouse tour", { location: "Gate 3" }),
    meeting(now, 4, 17, 1, "Pick up the kids"),
  ];
}

function meeting(
  now: Date,
  inDays: number,
  hour: number,
  hours: number,
  subject: string,
  details: Omit<NewCalendarEntry, "subject" | "startsAt" | "endsAt"> = {},
): NewCalendarEntry {
  const midnight = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  const startsAt = new Date(midnight + inDays * DAY_MS + hour * HOUR_MS);
  return { subject, startsAt, endsAt: new Date(startsAt.getTime() + hours * HOUR_MS), ...details };
}
