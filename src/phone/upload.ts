/** What is created on the phone, in the terms of the server (MS-ASCAL, MS-ASCNTC). */
import { element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { Dialect } from "./dialect.ts";
import type { Pending } from "./state.ts";

// MS-ASDTYPE 2.7.6: bias, two names, two dates; all of it zero is UTC.
const timeZoneUtc = Buffer.alloc(172).toString("base64");

/** The order is the one that servers and clients have kept since 2.5: some of them read in order. */
export function eventData(dialect: Dialect, { clientId, event }: Extract<Pending, { kind: "add-event" }>): Element[] {
  const location = dialect.sixteen
    ? element("AirSyncBase:Location", element("AirSyncBase:DisplayName", event.location))
    : element("Calendar:Location", event.location);
  return [
    element("Calendar:Timezone", timeZoneUtc),
    element("Calendar:AllDayEvent", "0"),
    element("Calendar:BusyStatus", "2"),
    // From 16.0 the server alone writes these two, and knows the event again by ClientUid.
    ...(dialect.sixteen ? [] : [element("Calendar:DtStamp", compact(event.start))]),
    element("Calendar:EndTime", compact(event.end)),
    ...(event.location === "" ? [] : [location]),
    element("Calendar:Sensitivity", "0"),
    element("Calendar:Subject", event.subject),
    element("Calendar:StartTime", compact(event.start)),
    dialect.sixteen ? element("Calendar:ClientUid", clientId) : element("Calendar:UID", clientId),
    element("Calendar:MeetingStatus", "0"),
  ];
}

export function contactData({ contact }: Extract<Pending, { kind: "add-contact" }>): Element[] {
  return [
    element("Contacts:Email1Address", contact.email),
    element("Contacts:FileAs", `${contact.lastName}, ${contact.firstName}`),
    element("Contacts:FirstName", contact.firstName),
    element("Contacts:LastName", contact.lastName),
  ];
}

/** MS-ASDTYPE 2.7.5: times in the calendar have no dashes and no colons. */
function compact(iso: string): string {
  return new Date(iso).toISOString().replace(/[-:]|\.\d+/gu, "");
}
