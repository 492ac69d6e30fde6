/**
 * What a phone whose mail flows asks about the notice. Upstream has no such item: what is about it is answered here, and only
 * the rest of the request goes on. The phone may have it from a quarantine as well as from a warning.
 */
import { UpstreamFailure } from "../gateway/errors.ts";
import type { Remediation, Reply } from "../gateway/protocol.ts";
import { element, isElement, text } from "./document.ts";
import { answerItemOperations, answerMoveItems } from "./held-answers.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { revisionOf } from "./quarantine-sync.ts";
import { documentReply, multipartReply } from "./replies.ts";
import { readingWbxml } from "./request-body.ts";
import { decode, encode, WbxmlError } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

/** An answer to MoveItems has some 100 bytes for each message. */
const movesAnswerBytes = 1_048_576;

interface Parts {
  readonly own: Element;
  /** Undefined where nothing is left to go upstream. */
  readonly rest: Element | undefined;
}

/** Undefined: it is not about the notice. Otherwise the answer, or what goes upstream of the request. */
export async function movesOfTheNotice(request: Element, context: Remediation): Promise<Reply | undefined> {
  const parts = readingWbxml(() => split(request, "Move:Move", (move) => text(move, "Move:SrcMsgId")));
  if (parts === undefined) return undefined;
  const own = readingWbxml(() => answerMoveItems(parts.own));
  if (parts.rest === undefined) return documentReply(own);
  const answer = await context.exchange(encode(parts.rest), movesAnswerBytes);
  if (answer.httpStatus !== 200) return { kind: "answer", httpStatus: answer.httpStatus, headers: [], body: undefined };
  // A message that was moved must be said to have moved, or the phone shows it where it is not.
  return documentReply({ ...own, content: [...readMoves(answer.body).content, ...own.content] });
}

function readMoves(body: Uint8Array): Element {
  try {
    const document = decode(body);
    if (document.tag === "Move:MoveItems") return document;
  } catch (error) {
    if (!(error instanceof WbxmlError)) throw error;
  }
  throw new UpstreamFailure("upstream-answer-refused", "answer is not that of the command");
}

/** What is fetched beside the notice is streamed, however large it is. The phone asks for the notice again, alone. */
export async function fetchesOfTheNotice(
  request: Element,
  acceptsMultipart: boolean,
  viewFor: (request: Element) => Promise<MailboxView | undefined>,
): Promise<{ readonly answer: Reply } | { readonly rest: Element } | undefined> {
  const parts = readingWbxml(() => split(request, "ItemOperations:Fetch", (fetch) => text(fetch, "AirSync:ServerId")));
  if (parts === undefined) return undefined;
  if (parts.rest !== undefined) return { rest: parts.rest };
  const view = await viewFor(parts.own);
  const document = view === undefined ? gone(parts.own) : readingWbxml(() => answerItemOperations(parts.own, view));
  return { answer: acceptsMultipart ? multipartReply(document) : documentReply(document) };
}

/** 6: the item is not there (MS-ASCMD 2.2.3.177.8). Nothing is held against the phone any more, so there is nothing to say. */
function gone(request: Element): Element {
  const fetches = request.content
    .filter(isElement)
    .map((fetch) =>
      element(
        "ItemOperations:Fetch",
        element("ItemOperations:Status", "6"),
        element("AirSync:CollectionId", text(fetch, "AirSync:CollectionId") ?? ""),
        element("AirSync:ServerId", text(fetch, "AirSync:ServerId") ?? ""),
      ),
    );
  return element(
    "ItemOperations:ItemOperations",
    element("ItemOperations:Status", "1"),
    element("ItemOperations:Response", ...fetches),
  );
}

function split(
  request: Element,
  tag: Element["tag"],
  itemIn: (part: Element) => string | undefined,
): Parts | undefined {
  const isOwn = (part: Element["content"][number]): boolean =>
    isElement(part) && part.tag === tag && isItemOfOurs(itemIn(part) ?? "");
  const own = request.content.filter(isOwn);
  if (own.length === 0) return undefined;
  const rest = request.content.filter((part) => !isOwn(part));
  return {
    own: { ...request, content: own },
    rest: rest.some(isElement) ? { ...request, content: rest } : undefined,
  };
}

/** In whichever folder: until the Inbox is known, the notice is in every mail folder. */
function isItemOfOurs(serverId: string): boolean {
  return revisionOf(serverId, serverId.slice(0, Math.max(0, serverId.lastIndexOf(":")))) !== undefined;
}
