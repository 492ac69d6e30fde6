/** Calendar entries and contacts: from what a person would write down to the properties that travel. */
import { createHash } from "node:crypto";
import { element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { Account } from "./accounts.ts";
import type { CardContent } from "./mailbox.ts";
import { toAddress } from "./message.ts";
import { formatCompactDate } from "./sync-changes.ts";

export interface NewCalendarEntry {
  readonly subject: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly location?: string;
  readonly attendees?: readonly string[];
  readonly allDay?: boolean;
  readonly note?: string;
}

export interface NewContact {
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly company?: string;
  readonly jobTitle?: string;
  readonly mobile?: string;
}

// A time zone without offset, names or summer time, which is what 172 bytes of zero mean (MS-ASDTYPE, TimeZone).
const UTC_TIME_ZONE = Buffer.alloc(172).toString("base64");

export function cardContent(card: NewCalendarEntry | NewContact, owner: Account, now: Date): CardContent {
  return { kind: "card", fields: "subject" in card ? calendarFields(card, owner, now) : contactFields(card) };
}

function calendarFields(entry: NewCalendarEntry, owner: Account, now: Date): readonly Element[] {
  const starts = formatCompactDate(entry.startsAt);
  const attendees = (entry.attendees ?? [])
    .map(toAddress)
    .map(({ name, address }) =>
      element(
        "Calendar:Attendee",
        element("Calendar:Email", address),
        element("Calendar:Name", name),
        element("Calendar:AttendeeType", "1"),
      ),
    );
  const uid = createHash("sha256").update(`${owner.name}\0${entry.subject}\0${starts}`).digest("hex").slice(0, 32);
  return [
    element("Calendar:Timezone", UTC_TIME_ZONE),
    element("Calendar:DtStamp", formatCompactDate(now)),
    element("Calendar:StartTime", starts),
    element("Calendar:Subject", entry.subject),
    element("Calendar:UID", uid),
    element("Calendar:OrganizerName", owner.displayName),
    element("Calendar:OrganizerEmail", owner.address.address),
    ...(attendees.length === 0 ? [] : [element("Calendar:Attendees", attendees)]),
    ...(entry.location === undefined ? [] : [element("Calendar:Location", entry.location)]),
    element("Calendar:EndTime", formatCompactDate(entry.endsAt)),
    ...noteFields(entry.note),
    element("Calendar:Sensitivity", "0"),
    element("Calendar:BusyStatus", "2"),
    element("Calendar:AllDayEvent", entry.allDay === true ? "1" : "0"),
    element("Calendar:Reminder", "15"),
    element("Calendar:MeetingStatus", attendees.length === 0 ? "0" : "1"),
  ];
}

function noteFields(note: string | undefined): readonly Element[] {
  if (note === undefined) return [];
  return [
    element(
      "AirSyncBase:Body",
      element("AirSyncBase:Type", "1"),
      element("AirSyncBase:EstimatedDataSize", String(Buffer.byteLength(note))),
      element("AirSyncBase:Truncated", "0"),
      element("AirSyncBase:Data", note),
    ),
  ];
}

function contactFields({ firstName, lastName, email, company, jobTitle, mobile }: NewContact): readonly Element[] {
  return [
    element("Contacts:FileAs", `${lastName}, ${firstName}`),
    element("Contacts:FirstName", firstName),
    element("Contacts:LastName", lastName),
    element("Contacts:Email1Address", `"${firstName} ${lastName}" <${email}>`),
    ...(company === undefined ? [] : [element("Contacts:CompanyName", company)]),
    ...(jobTitle === undefined ? [] : [element("Contacts:JobTitle", jobTitle)]),
    ...(mobile === undefined ? [] : [element("Contacts:MobilePhoneNumber", mobile)]),
  ];
}
