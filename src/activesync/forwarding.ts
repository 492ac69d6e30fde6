/**
 * What goes upstream for a phone in quarantine: policies and wipe orders, who the phone is, and the names of folders. Each was
 * read whole first and is spelled anew by the gate; the answer is read too before it goes down.
 */
import type { Remediation, Reply, UpstreamAnswer } from "../gateway/protocol.ts";
import { UpstreamFailure } from "../gateway/errors.ts";
import type { Tag } from "./code-pages.ts";
import { element, text } from "./document.ts";
import { learnFolders } from "./folders.ts";
import { bearsMark } from "./gateway-key.ts";
import { answerSettings, splitSettings } from "./held-answers.ts";
import { documentReply } from "./replies.ts";
import { readingWbxml } from "./request-body.ts";
import { decode, encode } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

/** A hierarchy of 2 000 folders has some 200 KiB; policies have a few. */
const answerLimitBytes = 1_048_576;

/** Remote wipe must still reach the phone, and a policy key made here would be worth nothing after release. */
export async function forwardProvision(request: Element, context: Remediation): Promise<Reply> {
  const answer = await exchange(request, context);
  return answer.document === undefined ? answer.relayed : documentReply(answer.document);
}

/** Names of folders, never what is in them. Keys stay upstream's own, so nothing has to be repaired after release. */
export async function forwardFolderSync(request: Element, context: Remediation): Promise<Reply> {
  const key = readingWbxml(() => text(request, "FolderHierarchy:SyncKey"));
  if (key !== undefined && bearsMark(key)) {
    return documentReply(element("FolderHierarchy:FolderSync", element("FolderHierarchy:Status", "9")));
  }
  const answer = await exchange(request, context);
  const { document } = answer;
  if (document === undefined) return answer.relayed;
  const folders = readingWbxml(() => learnFolders(request, document));
  if (folders !== undefined) await context.remember({ folders });
  return documentReply(document);
}

/** Who the phone is goes on; what acts on mail (the absence message, rights) is denied here. */
export async function forwardSettings(request: Element, context: Remediation): Promise<Reply> {
  const { forward, denied } = splitSettings(request);
  if (forward === undefined) return documentReply(answerSettings(undefined, denied));
  const answer = await exchange(forward, context);
  return answer.document === undefined ? answer.relayed : documentReply(answerSettings(answer.document, denied));
}

type Exchanged =
  | { readonly document: Element; readonly relayed?: never }
  /** No document came back; the HTTP status is all that the phone is told. */
  | { readonly document: undefined; readonly relayed: Reply };

async function exchange(request: Element, context: Remediation): Promise<Exchanged> {
  const answer = await context.exchange(encode(request), answerLimitBytes);
  if (answer.httpStatus !== 200) return { document: undefined, relayed: withoutBody(answer) };
  // No body is an answer too: "nothing to say".
  if (answer.body.byteLength === 0) return { document: undefined, relayed: withoutBody(answer) };
  return { document: readAnswer(answer, request.tag) };
}

/** The namespaces that an answer to each of these commands is made of. Anything else could be mail. */
const expectedPages: ReadonlyMap<string, readonly string[]> = new Map<Tag, readonly string[]>([
  ["Provision:Provision", ["Provision", "Settings"]],
  ["FolderHierarchy:FolderSync", ["FolderHierarchy"]],
  ["Settings:Settings", ["Settings"]],
]);

function readAnswer({ body }: UpstreamAnswer, tag: Element["tag"]): Element {
  let document: Element;
  try {
    document = decode(body);
  } catch (error) {
    throw new UpstreamFailure("upstream-answer-refused", error);
  }
  const pages = expectedPages.get(tag) ?? [];
  if (document.tag !== tag || !isMadeOf(document, pages)) {
    throw new UpstreamFailure("upstream-answer-refused", "answer is not that of the command");
  }
  return document;
}

function isMadeOf(document: Element, pages: readonly string[]): boolean {
  const open: Element[] = [document];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!pages.includes(next.tag.slice(0, next.tag.indexOf(":")))) return false;
    for (const part of next.content) if (typeof part === "object" && "tag" in part) open.push(part);
  }
  return true;
}

/** Headers that steer a client: challenges, redirections (already rewritten), throttling. A body that was not read stays here. */
const steering: ReadonlySet<string> = new Set([
  "ms-asprotocolcommands",
  "ms-asprotocolversions",
  "ms-server-activesync",
  "retry-after",
  "www-authenticate",
  "x-ms-asthrottle",
  "x-ms-location",
  "x-ms-rp",
]);

function withoutBody({ httpStatus, headers }: UpstreamAnswer): Reply {
  const kept = [...headers]
    .filter(([name]) => steering.has(name))
    .flatMap(([name, values]) => values.map((value) => [name, value] as const));
  return { kind: "answer", httpStatus, headers: kept, body: undefined };
}
