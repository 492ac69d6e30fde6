/** Search and ResolveRecipients (MS-ASCMD 2.2.1.16, 2.2.1.15): messages in the mailbox, people in the company. */
import { child, children, element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { Account, Accounts } from "./accounts.ts";
import { readBodyWish } from "./body-wish.ts";
import { itemProperties } from "./item-data.ts";
import type { MailItem, Mailbox } from "./mailbox.ts";
import { formatAddress } from "./message.ts";
import { answerDocument, elements, field, type Answer, type Office, type PhoneRequest } from "./phone-request.ts";

const OK = "1";
const REQUEST_INVALID = "2";
const RESULT_LIMIT = 100;

interface Range {
  readonly first: number;
  readonly last: number;
}

export function searchCommand(request: PhoneRequest, { accounts }: Office): Answer {
  const store = request.root === undefined ? undefined : child(request.root, "Search:Store");
  const query = store === undefined ? undefined : child(store, "Search:Query");
  const options = store === undefined ? undefined : child(store, "Search:Options");
  if (store === undefined || query === undefined) return answerDocument("Search:Search", status(REQUEST_INVALID));
  const range = readRange(field(options, "Search:Range"));
  switch ((field(store, "Search:Name") ?? "").toLowerCase()) {
    case "mailbox":
      return answerResults(searchMailbox(query, options, request), range);
    case "gal":
      return answerResults(searchPeople(query, accounts), range);
    default:
      return answerStore(status(REQUEST_INVALID));
  }
}

function searchMailbox(
  query: Element,
  options: Element | undefined,
  { account, version }: PhoneRequest,
): readonly Element[] {
  const terms = readTerms(query);
  const words = (field(terms, "Search:FreeText") ?? "").toLowerCase();
  const folderId = field(terms, "AirSync:CollectionId");
  const wish = readBodyWish(options);
  return matching(account.mailbox, words, folderId).map((item) =>
    element(
      "Search:Result",
      element("AirSync:Class", "Email"),
      element("Search:LongId", item.id),
      element("AirSync:CollectionId", item.folderId),
      element("Search:Properties", itemProperties(item, wish, version)),
    ),
  );
}

/** The words stand under an And, or directly in the query. */
function readTerms(query: Element): Element {
  return elements(query).find(({ tag }) => tag === "Search:And") ?? query;
}

function matching(mailbox: Mailbox, words: string, folderId: string | undefined): readonly MailItem[] {
  const folders = mailbox.folders().filter(({ id }) => folderId === undefined || folderId === "0" || id === folderId);
  const items = folders.flatMap(({ id }) => mailbox.items(id)).filter((item) => item.kind === "mail");
  return items
    .filter(({ message }) => {
      const text = [message.subject, formatAddress(message.from), message.text].join("\n").toLowerCase();
      return words !== "" && text.includes(words);
    })
    .sort((a, b) => b.message.receivedAt.getTime() - a.message.receivedAt.getTime());
}

function searchPeople(query: Element, accounts: Accounts): readonly Element[] {
  const text = query.content.filter((part) => typeof part === "string").join("");
  return people(text, accounts).map(({ displayName, name, address }) =>
    element(
      "Search:Result",
      element(
        "Search:Properties",
        element("GAL:DisplayName", displayName),
        element("GAL:Alias", name),
        element("GAL:EmailAddress", address.address),
      ),
    ),
  );
}

function people(text: string, accounts: Accounts): readonly Account[] {
  const start = text.trim().toLowerCase();
  if (start === "") return [];
  return accounts.all().filter(({ displayName, address }) => {
    const words = [...displayName.toLowerCase().split(/\s+/), displayName.toLowerCase(), address.address.toLowerCase()];
    return words.some((word) => word.startsWith(start));
  });
}

function readRange(text: string | undefined): Range {
  const match = /^(\d{1,6})-(\d{1,6})$/.exec(text ?? "");
  const first = Number(match?.[1] ?? 0);
  const last = Number(match?.[2] ?? RESULT_LIMIT - 1);
  return { first, last: Math.min(last, first + RESULT_LIMIT - 1) };
}

function answerResults(results: readonly Element[], { first, last }: Range): Answer {
  const shown = results.slice(first, last + 1);
  // Old Android programs want a range and a total even where nothing was found.
  return answerStore(
    status(OK),
    shown.length === 0 ? [element("Search:Result")] : shown,
    element("Search:Range", `${first}-${Math.max(first, first + shown.length - 1)}`),
    element("Search:Total", String(results.length)),
  );
}

function answerStore(...parts: readonly (Element | readonly Element[])[]): Answer {
  return answerDocument("Search:Search", status(OK), element("Search:Response", element("Search:Store", ...parts)));
}

function status(value: string): Element {
  return element("Search:Status", value);
}

const NOBODY = "4";
const AMBIGUOUS = "2";

export function resolveRecipients({ root }: PhoneRequest, { accounts }: Office): Answer {
  const asked = root === undefined ? [] : children(root, "ResolveRecipients:To");
  const responses = asked.map((to) => {
    const text = to.content.filter((part) => typeof part === "string").join("");
    const found = people(text, accounts);
    const outcome = found.length === 0 ? NOBODY : found.length === 1 ? OK : AMBIGUOUS;
    return element(
      "ResolveRecipients:Response",
      element("ResolveRecipients:To", text),
      element("ResolveRecipients:Status", outcome),
      element("ResolveRecipients:RecipientCount", String(found.length)),
      found.map(recipientElement),
    );
  });
  return answerDocument("ResolveRecipients:ResolveRecipients", element("ResolveRecipients:Status", OK), responses);
}

const FROM_DIRECTORY = "1";

function recipientElement({ displayName, address }: Account): Element {
  return element(
    "ResolveRecipients:Recipient",
    element("ResolveRecipients:Type", FROM_DIRECTORY),
    element("ResolveRecipients:DisplayName", displayName),
    element("ResolveRecipients:EmailAddress", address.address),
  );
}
