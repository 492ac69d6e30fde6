/** What is created or changed on the phone, in the terms of the server (MS-ASCAL, MS-ASCNTC, MS-ASTASK, MS-ASNOTE, MS-ASEMAIL). */
import { element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { Dialect } from "./dialect.ts";
import type { NewContact, NewDraft, NewEvent, NewNote, NewTask, Pending } from "./state.ts";

// MS-ASDTYPE 2.7.6: bias, two names, two dates; all of it zero is UTC.
const timeZoneUtc = Buffer.alloc(172).toString("base64");

export function addedData(dialect: Dialect, entry: Extract<Pending, { clientId: string }>): Element[] {
  switch (entry.kind) {
    case "add-event":
      return [
        ...eventData(dialect, entry.event),
        // From 16.0 the server alone writes the UID, and knows the event again by ClientUid.
        element(dialect.sixteen ? "Calendar:ClientUid" : "Calendar:UID", entry.clientId),
        element("Calendar:MeetingStatus", "0"),
      ];
    case "add-contact":
      return contactData(entry.contact);
    case "add-task":
      return taskData(entry.task);
    case "add-note":
      return noteData(entry.note);
    case "add-draft":
      return draftData(entry.draft);
  }
}

/** The order is the one that servers and clients have kept since 2.5: some of them read in order. */
export function eventData(dialect: Dialect, event: NewEvent): Element[] {
  const location = dialect.sixteen
    ? element("AirSyncBase:Location", element("AirSyncBase:DisplayName", event.location))
    : element("Calendar:Location", event.location);
  return [
    element("Calendar:Timezone", timeZoneUtc),
    element("Calendar:AllDayEvent", "0"),
    element("Calendar:BusyStatus", "2"),
    // From 16.0 the server alone writes it.
    ...(dialect.sixteen ? [] : [element("Calendar:DtStamp", compact(event.start))]),
    element("Calendar:EndTime", compact(event.end)),
    ...(event.location === "" ? [] : [location]),
    element("Calendar:Sensitivity", "0"),
    element("Calendar:Subject", event.subject),
    element("Calendar:StartTime", compact(event.start)),
  ];
}

function contactData(contact: NewContact): Element[] {
  return [
    element("Contacts:Email1Address", contact.email),
    element("Contacts:FileAs", `${contact.lastName}, ${contact.firstName}`),
    element("Contacts:FirstName", contact.firstName),
    element("Contacts:LastName", contact.lastName),
  ];
}

function taskData(task: NewTask): Element[] {
  return [
    element("Tasks:Subject", task.subject),
    element("Tasks:Importance", "1"),
    element("Tasks:Complete", "0"),
    element("Tasks:Sensitivity", "0"),
    element("Tasks:ReminderSet", "0"),
  ];
}

function noteData(note: NewNote): Element[] {
  return [element("Notes:Subject", note.subject), element("Notes:MessageClass", "IPM.StickyNote"), bodyOf(note.text)];
}

function draftData(draft: NewDraft): Element[] {
  return [element("Email:To", draft.to), element("Email:Subject", draft.subject), bodyOf(draft.text)];
}

function bodyOf(text: string): Element {
  return element("AirSyncBase:Body", element("AirSyncBase:Type", "1"), element("AirSyncBase:Data", text));
}

/** MS-ASDTYPE 2.7.5: times in the calendar have no dashes and no colons. */
function compact(iso: string): string {
  return new Date(iso).toISOString().replace(/[-:]|\.\d+/gu, "");
}
