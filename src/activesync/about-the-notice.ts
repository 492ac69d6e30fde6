/**
 * What a phone whose mail flows asks about the notice. Upstream has no such item: what is about it is answered here, and only
 * the rest of the request goes on. The phone may have it from a quarantine as well as from a warning.
 */
import { UpstreamFailure } from "../gateway/errors.ts";
import type { Remediation, Reply } from "../gateway/protocol.ts";
import { element, isElement, text } from "./document.ts";
import { answerItemOperations, answerMeetingResponse, answerMoveItems } from "./held-answers.ts";
import type { MailboxView } from "./mailbox-view.ts";
import { isItemOfOurs } from "./quarantine-sync.ts";
import { documentReply, multipartReply } from "./replies.ts";
import { readingWbxml } from "./request-body.ts";
import { decode, encode, WbxmlError } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

/** An answer to MoveItems or MeetingResponse has some 100 bytes for each message. */
const answerLimitBytes = 1_048_576;

interface Parts {
  readonly own: Element;
  /** Undefined where nothing is left to go upstream. */
  readonly rest: Element | undefined;
}

/** Undefined: it is not about the notice. Otherwise the answer to all of it. */
export function movesOfTheNotice(request: Element, context: Remediation): Promise<Reply | undefined> {
  const parts = readingWbxml(() => split(request, "Move:Move", (move) => text(move, "Move:SrcMsgId")));
  return answeredTogether(parts, answerMoveItems, context);
}

/** The same for invitations. 2: it is none (MS-ASCMD 2.2.3.177.9). */
export function invitationsOfTheNotice(request: Element, context: Remediation): Promise<Reply | undefined> {
  const itemIn = (each: Element): string | undefined => text(each, "MeetingResponse:RequestId");
  const parts = readingWbxml(() => split(request, "MeetingResponse:Request", itemIn));
  return answeredTogether(parts, (own) => answerMeetingResponse(own, "2"), context);
}

/** What upstream has done must be said to be done, or the phone shows a message where it is not, and asks again. */
async function answeredTogether(
  parts: Parts | undefined,
  answerOwn: (own: Element) => Element,
  context: Remediation,
): Promise<Reply | undefined> {
  if (parts === undefined) return undefined;
  const own = readingWbxml(() => answerOwn(parts.own));
  if (parts.rest === undefined) return documentReply(own);
  const answer = await context.exchange(encode(parts.rest), answerLimitBytes);
  if (answer.httpStatus !== 200) return { kind: "answer", httpStatus: answer.httpStatus, headers: [], body: undefined };
  return documentReply({ ...own, content: [...readAnswer(answer.body, own.tag).content, ...own.content] });
}

function readAnswer(body: Uint8Array, tag: Element["tag"]): Element {
  try {
    const document = decode(body);
    if (document.tag === tag) return document;
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
