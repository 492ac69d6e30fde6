/** A message that is being written on a phone, from 16.0 on in the folder of drafts (MS-ASEMAIL, IsDraft). */
import { randomUUID } from "node:crypto";
import { child } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { ItemContent } from "./mailbox.ts";
import { parseAddresses, type Address } from "./message.ts";
import { field } from "./phone-request.ts";

export function readDraft(data: Element, from: Address, now: Date): ItemContent {
  return {
    kind: "mail",
    message: {
      messageId: `${randomUUID()}@drafts`,
      from,
      to: parseAddresses(field(data, "Email:To") ?? ""),
      cc: parseAddresses(field(data, "Email:Cc") ?? ""),
      subject: field(data, "Email:Subject") ?? "",
      receivedAt: now,
      text: field(child(data, "AirSyncBase:Body"), "AirSyncBase:Data") ?? "",
      html: undefined,
      attachments: [],
      importance: "normal",
      source: undefined,
    },
    read: true,
    flag: undefined,
    categories: [],
  };
}
