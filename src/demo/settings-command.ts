/** Settings (MS-ASCMD 2.2.1.18): what a phone is, who its person is, and the absence note. */
import { child, element, has } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { Account } from "./accounts.ts";
import type { Mailbox } from "./mailbox.ts";
import { answerDocument, elements, isSince, type Answer, type PhoneRequest, type Version } from "./phone-request.ts";

const OK = "1";
const PROTOCOL_ERROR = "2";
const BAD_ARGUMENTS = "5";
const DENIED_BY_POLICY = "7";

export function settingsCommand(request: PhoneRequest): Answer {
  const asked = elements(request.root);
  if (asked.length === 0) return answerDocument("Settings:Settings", element("Settings:Status", PROTOCOL_ERROR));
  const answers = asked.map((part) => answerPart(part, request)).filter((part) => part !== undefined);
  return answerDocument("Settings:Settings", element("Settings:Status", OK), answers);
}

function answerPart(part: Element, { account, device, version }: PhoneRequest): Element | undefined {
  const name: string = part.tag;
  switch (name) {
    case "Settings:DeviceInformation":
      device.information = part;
      return element(part.tag, status(OK));
    case "Settings:UserInformation":
      return element(part.tag, status(OK), element("Settings:Get", userInformation(account, version)));
    case "Settings:Oof":
      return answerOof(part, account.mailbox);
    case "Settings:DevicePassword":
      return element(part.tag, status(OK));
    case "Settings:RightsManagementInformation":
      return element(part.tag, status(DENIED_BY_POLICY));
    default:
      return undefined;
  }
}

function status(value: string): Element {
  return element("Settings:Status", value);
}

function userInformation({ displayName, address }: Account, version: Version): Element {
  // Accounts came with 14.1; before that a person has addresses and nothing else.
  if (!isSince(version, "14.1"))
    return element("Settings:EmailAddresses", element("Settings:SMTPAddress", address.address));
  return element(
    "Settings:Accounts",
    element(
      "Settings:Account",
      element("Settings:UserDisplayName", displayName),
      element("Settings:EmailAddresses", element("Settings:PrimarySmtpAddress", address.address)),
    ),
  );
}

function answerOof(part: Element, mailbox: Mailbox): Element {
  const set = child(part, "Settings:Set");
  if (set !== undefined) {
    mailbox.setAbsence(elements(set));
    return element(part.tag, status(OK));
  }
  if (!has(part, "Settings:Get")) return element(part.tag, status(BAD_ARGUMENTS));
  const state = mailbox.absence().length === 0 ? [element("Settings:OofState", "0")] : mailbox.absence();
  return element(part.tag, status(OK), element("Settings:Get", state));
}
