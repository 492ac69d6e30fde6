/** What a SOAP request to EWS asks for: only as much of it as an answer needs. Nothing is forwarded for having been read here. */
import { readXml, UnreadableXml } from "../xml/read-xml.ts";
import type { XmlElement } from "../xml/read-xml.ts";
import { isAnsweredForEachMailbox } from "./operations.ts";
import { serverVersionOf } from "./server-version.ts";
import type { ServerVersion } from "./server-version.ts";

export const soapNamespace = "http://schemas.xmlsoap.org/soap/envelope/";
export const messagesNamespace = "http://schemas.microsoft.com/exchange/services/2006/messages";
export const typesNamespace = "http://schemas.microsoft.com/exchange/services/2006/types";

export interface SoapMessage {
  /** The name of the first element in the Body, where it is one of EWS. */
  readonly operation: string | undefined;
  readonly serverVersion: ServerVersion | undefined;
  /** How many mailboxes a question about free and busy times names; 0 for every other operation. */
  readonly mailboxes: number;
}

/** 64 KiB: the operation of every real request stands within its first 4 KiB. */
export const HEAD_LIMIT_CHARACTERS = 65_536;
/** Exchange answers for 100 mailboxes at a time. */
export const MAILBOXES_LIMIT = 100;
/** 512 KiB: 100 mailboxes take a tenth of it. */
const MAILBOXES_LIMIT_CHARACTERS = 524_288;

/** `unreadable`: no SOAP 1.1, no UTF-8, or not readable in exactly one way. */
export function readSoap(body: Uint8Array): SoapMessage | "unreadable" {
  try {
    return readMessage(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    // A TypeError is what the decoder says to bytes that are no UTF-8.
    if (error instanceof UnreadableXml || error instanceof TypeError) return "unreadable";
    throw error;
  }
}

/** @throws UnreadableXml */
function readMessage(document: string): SoapMessage {
  const sections = new Set<string>();
  let section: string | undefined;
  let operation: string | undefined;
  let version: string | undefined;
  let mailboxes = 0;
  for (const element of readXml(document)) {
    if (element.kind !== "start") continue;
    if (operation !== undefined) {
      if (isIn(element, typesNamespace, "MailboxData")) mailboxes += 1;
      if (mailboxes === MAILBOXES_LIMIT || element.at > MAILBOXES_LIMIT_CHARACTERS) break;
      continue;
    }
    if (element.at > HEAD_LIMIT_CHARACTERS) break;
    if (element.depth === 1 && !isIn(element, soapNamespace, "Envelope")) throw new UnreadableXml("no SOAP 1.1");
    if (element.depth === 2) section = openSection(element, sections);
    if (element.depth !== 3) continue;
    if (section === "Header" && isIn(element, typesNamespace, "RequestServerVersion")) {
      if (version !== undefined) throw new UnreadableXml("two versions");
      version = element.attributes.get("Version") ?? "";
    }
    if (section !== "Body") continue;
    if (element.namespace !== messagesNamespace) break;
    operation = element.name;
    if (!isAnsweredForEachMailbox(operation)) break;
  }
  return { operation, serverVersion: serverVersionOf(version), mailboxes };
}

/** SOAP 1.1, section 4: one Header, in front of one Body. Of two, one reader takes the first and another the last. */
function openSection({ name, namespace }: XmlElement, sections: Set<string>): string | undefined {
  if (namespace !== soapNamespace) return undefined;
  if (sections.has(name) || (name === "Header" && sections.has("Body")))
    throw new UnreadableXml("envelope in another order");
  sections.add(name);
  return name;
}

function isIn(element: XmlElement, namespace: string, name: string): boolean {
  return element.namespace === namespace && element.name === name;
}
