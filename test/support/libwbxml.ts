/** How libwbxml 0.11 puts a document into XML, and where its names are not those of the specification. */
import type { TagName } from "../../src/activesync/tag-codes.ts";
import type { Element } from "../../src/activesync/wbxml.ts";

/** An element with its text and its children in order. Text is one character per byte of UTF-8. */
export interface XmlElement {
  readonly name: string;
  readonly content: readonly (XmlElement | string)[];
}

// Tags that came to the protocol after libwbxml was last touched, and a few that it never had.
export const tagsUnknownToLibwbxml: ReadonlySet<string> = new Set<TagName>([
  "Calendar:Attachment",
  "Calendar:Attachments",
  "Calendar:AttName",
  "Calendar:AttSize",
  "Calendar:AttOid",
  "Calendar:AttMethod",
  "Calendar:AttRemoved",
  "Calendar:DisplayName",
  "MeetingResponse:ProposedStartTime",
  "MeetingResponse:ProposedEndTime",
  "Ping:Version",
  "Provision:AccountOnlyRemoteWipe",
  "Search:Stores",
  "ComposeMail:Type",
  "Find:Find",
  "Find:SearchId",
  "Find:ExecuteSearch",
  "Find:MailBoxSearchCriterion",
  "Find:Query",
  "Find:Status",
  "Find:FreeText",
  "Find:Options",
  "Find:Range",
  "Find:DeepTraversal",
  "Find:Response",
  "Find:Result",
  "Find:Properties",
  "Find:Preview",
  "Find:HasAttachments",
  "Find:Total",
  "Find:DisplayCc",
  "Find:DisplayBcc",
  "Find:GalSearchCriterion",
  "Find:MaxPictures",
  "Find:MaxSize",
  "Find:Picture",
]);

// The same tokens under older or home-made names.
const otherNames: ReadonlyMap<string, string> = new Map<TagName, string>([
  ["Contacts:AssistantPhoneNumber", "Contacts:AssistantTelephoneNumber"],
  ["Email:Att0Id", "Email:AttOId"],
  ["Email:ReplyTo", "Email:Reply-To"],
  ["Email:DtStamp", "Email:DTStamp"],
  ["Email:Status", "Email:FlagStatus"],
  ["Calendar:Timezone", "Calendar:TimeZone"],
  ["Calendar:CompressedRTF", "Calendar:Compressed_RTF"],
  ["Calendar:DtStamp", "Calendar:DTStamp"],
  ["Calendar:Email", "Calendar:Attendee_Email"],
  ["Calendar:Name", "Calendar:Attendee_Name"],
  ["Calendar:AttendeeStatus", "Calendar:Attendee_Status"],
  ["Calendar:AttendeeType", "Calendar:Attendee_Type"],
  ["Calendar:OrganizerEmail", "Calendar:Organizer_Email"],
  ["Calendar:OrganizerName", "Calendar:Organizer_Name"],
  ["Calendar:Deleted", "Calendar:Exception_Deleted"],
  ["Calendar:ExceptionStartTime", "Calendar:Exception_StartTime"],
  ["Tasks:UtcDueDate", "Tasks:UTCDueDate"],
  ["Tasks:UtcStartDate", "Tasks:UTCStartDate"],
  ["Provision:RequireStorageCardEncryption", "Provision:DeviceEncryptionEnabled"],
  ["Settings:SMTPAddress", "Settings:SmtpAddress"],
  ["Settings:RightsManagementInformation", "Settings:ihsManagementInformation"],
  ["ComposeMail:Mime", "ComposeMail:MIME"],
  ["ComposeMail:Name", "ComposeMail:ForwardeeName"],
  ["ComposeMail:Email", "ComposeMail:ForwardeeEmail"],
  ["RightsManagement:Owner", "RightsManagement:RMOwner"],
  ["RightsManagement:RemoveRightsManagementProtection", "RightsManagement:RemoveRightsManagementDistribution"],
]);
const recurrence =
  /^(Email|Calendar|Tasks):(Type|Start|Until|Occurrences|Interval|Day|DayOfWeek|DayOfMonth|WeekOfMonth|MonthOfYear|Regenerate|DeadOccur)$/;
const address = /^Contacts:(Business|Home|Other)Address(City|Country|PostalCode|State|Street)$/;

// What these elements hold is written in base64, whether it came as a string or as bytes.
export const tagsInBase64: ReadonlySet<string> = new Set<TagName>([
  "ResolveRecipients:Data",
  "Search:ConversationId",
  "GAL:Data",
  "AirSyncBase:Content",
  "ItemOperations:ConversationId",
  "ComposeMail:Mime",
  "Email2:ConversationId",
  "Email2:ConversationIndex",
]);

/** What libwbxml should say about this document. */
export function asLibwbxmlReads(root: Element): XmlElement {
  const content: (XmlElement | string)[] = [];
  for (const part of root.content) {
    if (typeof part === "string" || part instanceof Uint8Array) addText(content, Buffer.from(part).toString("latin1"));
    else content.push(asLibwbxmlReads(part));
  }
  const name = libwbxmlName(root.tag);
  if (!tagsInBase64.has(root.tag)) return { name, content };
  return { name, content: content.map((part) => (typeof part === "string" ? btoa(part) : part)) };
}

function libwbxmlName(tag: TagName): string {
  if (tagsUnknownToLibwbxml.has(tag) || /^\d/.test(tag)) return "unknown";
  return (otherNames.get(tag) ?? tag)
    .replace(recurrence, "$1:Recurrence_$2")
    .replace(address, "Contacts:$1$2")
    .replace(/^GAL:/, "Gal:");
}

/** Reads the little of XML that libwbxml writes: elements, one namespace at a time, and text with five entities. */
export function readXml(xml: string): XmlElement {
  const document: (XmlElement | string)[] = [];
  let content = document;
  let namespace = "";
  const open: { readonly content: (XmlElement | string)[]; readonly namespace: string }[] = [];
  const body = xml.slice(xml.indexOf("<", xml.indexOf("<!DOCTYPE") + 1));
  for (const [whole, end, tag, ofNamespace, empty, text] of body.matchAll(
    /<(?:(\/)[^>]*|([\w-]+)(?: xmlns="([^"]*)")?(\/)?)>|([^<]+)/g,
  )) {
    if (text !== undefined) addText(content, withoutEntities(text));
    else if (end !== undefined) {
      const outer = open.pop();
      if (outer === undefined) throw new Error(`${whole} closes nothing`);
      ({ content, namespace } = outer);
    } else {
      const own = ofNamespace ?? namespace;
      const element = { name: tag === "unknown" ? tag : `${own}${tag}`, content: [] };
      content.push(element);
      if (empty !== undefined) continue;
      open.push({ content, namespace });
      ({ content } = element);
      namespace = own;
    }
  }
  const [root] = document;
  if (root === undefined || typeof root === "string" || document.length > 1) throw new Error(`not one root: ${xml}`);
  return root;
}

function addText(content: (XmlElement | string)[], text: string): void {
  const last = content.at(-1);
  if (typeof last === "string") content[content.length - 1] = last + text;
  else if (text !== "") content.push(text);
}

function withoutEntities(text: string): string {
  const characters = new Map([
    ["&lt;", "<"],
    ["&gt;", ">"],
    ["&quot;", '"'],
    ["&apos;", "'"],
    ["&amp;", "&"],
  ]);
  return text.replaceAll(/&[^;]*;/g, (entity) => {
    const character = characters.get(entity);
    if (character === undefined) throw new Error(`an entity that libwbxml does not write: ${entity}`);
    return character;
  });
}
