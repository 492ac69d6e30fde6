/** The letters of that week. */
import { generatedAttachment, type Attachment, type NewMessage } from "./message.ts";

export interface SeedMessage extends Omit<NewMessage, "receivedAt" | "attachments"> {
  readonly hoursAgo: number;
  readonly files?: readonly (
    | Attachment
    | { readonly name: string; readonly contentType: string; readonly content: string }
  )[];
}

const alice = "Alice Archer <alice@demo.example>";
const bob = "Bob Baker <bob@demo.example>";
const carol = "Carol Clerk <carol@demo.example>";
const ingrid = "Ingrid Holm <ingrid.holm@demo.example>";
const nadia = "Nadia Okafor <nadia.okafor@harbour-logistics.example>";
const tomas = "Tomás Rivera <tomas@rivera-print.example>";
const travel = "Northline Rail <tickets@northline.example>";
const desk = "Service desk <service.desk@demo.example>";

/** How much a phone on a slow line has to wait for, and a gate must not hold. */
export const LARGE_ATTACHMENT_BYTES = 5 * 1024 * 1024;

export const aliceMail: readonly SeedMessage[] = [
  {
    hoursAgo: 0.1,
    from: nadia,
    to: [alice],
    cc: [bob],
    subject: "Pallets for Thursday: 14 or 16?",
    text: "Hi Alice,\n\nthe driver can take sixteen if we stack the light ones. Fourteen is what the order says. Can you tell me by four today, so that I can book the bay?\n\nThanks,\nNadia",
  },
  {
    hoursAgo: 2.6,
    from: carol,
    to: [alice, bob],
    subject: "Room 4 has a new screen",
    text: "Morning both,\n\nthe old cable does not fit any more. There is an adapter in the drawer under the phone. Please put it back afterwards, it is the only one.\n\nCarol",
  },
  {
    hoursAgo: 4.2,
    from: ingrid,
    to: [alice],
    subject: "Budget: your three open lines",
    importance: "high",
    text: "Alice,\n\nthree lines are still without an owner: packaging, the second van, and the trade fair. I close the sheet on Friday noon. What has no owner by then is cut.\n\nIngrid",
    html: "<html><body><p>Alice,</p><p>three lines are still without an owner:</p><ul><li>packaging</li><li>the second van</li><li>the trade fair</li></ul><p>I close the sheet on <b>Friday noon</b>. What has no owner by then is cut.</p><p>Ingrid</p></body></html>",
    files: [
      {
        name: "budget-open-lines.csv",
        contentType: "text/csv",
        content: "line;amount;owner\r\npackaging;18400;\r\nsecond van;32900;\r\ntrade fair;12750;\r\n",
      },
    ],
  },
  {
    hoursAgo: 7.45,
    from: tomas,
    to: [alice],
    subject: "Proof of the brochure, second version",
    text: "Dear Alice,\n\nthe blue on page 3 is now the one from your style guide. If nothing else comes up I start the press tomorrow at seven.\n\nSaludos,\nTomás",
  },
  {
    hoursAgo: 25.7,
    from: bob,
    to: [alice],
    subject: "Meter readings for the whole year",
    read: true,
    text: "As promised. It is one big table; open it at your desk rather than on the phone.\n\nBob",
    files: [generatedAttachment("meter-readings.csv", LARGE_ATTACHMENT_BYTES)],
  },
  {
    hoursAgo: 28.05,
    from: travel,
    to: [alice],
    subject: "Your ticket to Leeds, Tuesday 07:42",
    read: true,
    text: "Coach C, seat 41, window.\nOutward 07:42, arriving 09:58. Return 17:12, arriving 19:31.\nYour collection code is 6QF2M8.",
  },
  {
    hoursAgo: 46.55,
    from: carol,
    to: [alice, bob, ingrid],
    subject: "Fire inspection next week: the office is closed for a day",
    read: true,
    text: "Hello everybody,\n\nthe inspectors need every room for a whole day. Please work from home, and take your plants off the window sills the evening before.\n\nCarol",
  },
  {
    hoursAgo: 49.35,
    from: desk,
    to: [alice],
    subject: "[#48213] Your second monitor has arrived",
    read: true,
    text: "It stands in the service desk, second floor, with your name on it. We are there until five.",
  },
  {
    hoursAgo: 72.8,
    from: nadia,
    to: [alice],
    subject: "Supplier contract with our changes",
    read: true,
    folder: "Projects",
    text: "Dear Alice,\n\nour lawyers touched clauses 4 and 11, nothing else. 4 is only about wording. 11 moves the notice period from three months to two, and that is the one to talk about.\n\nBest wishes,\nNadia",
  },
  {
    hoursAgo: 95.3,
    from: bob,
    to: [alice],
    subject: "Names for the warehouse tour",
    read: true,
    folder: "Projects",
    text: "Five so far: you, me, Ingrid, and two from Harbour. They want to know shoe sizes, because of the safety boots.\n\nBob",
  },
  {
    hoursAgo: 119.1,
    from: ingrid,
    to: [alice],
    subject: "Thank you",
    read: true,
    text: "The numbers for October were the first that nobody had a question about. Thank you for that.\n\nIngrid",
  },
  {
    hoursAgo: 24.6,
    from: alice,
    to: [ingrid],
    subject: "Re: Budget: your three open lines",
    read: true,
    folder: "Sent Items",
    text: "I take packaging. Bob should take the van. The trade fair I would cut.\n\nAlice",
  },
];

export const bobMail: readonly SeedMessage[] = [
  {
    hoursAgo: 1.2,
    from: alice,
    to: [bob],
    subject: "Can you take the second van?",
    text: "Ingrid closes the budget on Friday, and the van has no owner. It is yours in all but name anyway.\n\nAlice",
  },
  {
    hoursAgo: 2.45,
    from: carol,
    to: [alice, bob],
    subject: "Room 4 has a new screen",
    text: "Morning both,\n\nthe old cable does not fit any more. There is an adapter in the drawer under the phone. Please put it back afterwards, it is the only one.\n\nCarol",
  },
  {
    hoursAgo: 5.7,
    from: nadia,
    to: [bob],
    subject: "Gate 3, not gate 5",
    text: "The tour starts at gate 3. Gate 5 has been shut since the storm. Parking is free on the left side only.\n\nNadia",
  },
  {
    hoursAgo: 8.05,
    from: desk,
    to: [bob],
    subject: "[#48240] Password of the scanner in the warehouse",
    text: "We have set a new one and put it into the safe folder. Please do not send it around by mail.",
  },
  {
    hoursAgo: 27.55,
    from: ingrid,
    to: [bob],
    subject: "Fuel cards",
    read: true,
    text: "Two of the nine cards were used on a Sunday. Was that you? If so, all is well; I only need a word for the file.\n\nIngrid",
  },
  {
    hoursAgo: 30.35,
    from: tomas,
    to: [bob],
    subject: "Labels: 4 000 or 5 000?",
    read: true,
    text: "Five thousand cost eleven pounds more than four. I would take five.\n\nTomás",
  },
  {
    hoursAgo: 46.8,
    from: carol,
    to: [alice, bob, ingrid],
    subject: "Fire inspection next week: the office is closed for a day",
    read: true,
    text: "Hello everybody,\n\nthe inspectors need every room for a whole day. Please work from home, and take your plants off the window sills the evening before.\n\nCarol",
  },
  {
    hoursAgo: 54.3,
    from: "Northgate School <office@northgate-school.example>",
    to: [bob],
    subject: "Friday: school ends at half past three",
    read: true,
    text: "Dear parents,\n\nbecause of the concert on Friday the school ends at 15:30. The after-school club is open as usual.",
  },
  {
    hoursAgo: 77.1,
    from: nadia,
    to: [bob],
    subject: "Photographs of the dented pallet",
    read: true,
    folder: "Projects",
    text: "Here they are. The dent was there before we loaded it; you see our stamp underneath.\n\nNadia",
    files: [
      { name: "pallet-1.txt", contentType: "text/plain", content: "North side, 11:04. The dent is a hand wide.\r\n" },
      { name: "pallet-2.txt", contentType: "text/plain", content: "Stamp of 6 November below the dent.\r\n" },
    ],
  },
  {
    hoursAgo: 100.6,
    from: alice,
    to: [bob],
    subject: "Holidays in December",
    read: true,
    text: "I am away from the 19th to the 2nd. Can you look after the Leeds order? It should be quiet.\n\nAlice",
  },
  {
    hoursAgo: 26.2,
    from: bob,
    to: [alice],
    subject: "Meter readings for the whole year",
    read: true,
    folder: "Sent Items",
    text: "As promised. It is one big table; open it at your desk rather than on the phone.\n\nBob",
  },
];
