/**
 * What goes upstream for a phone in quarantine: policies and wipe orders, who the phone is, and the names of folders. Each was
 * read whole first and is spelled anew by the gate; the answer is read too before it goes down.
 */
import type { Remediation, Reply, UpstreamAnswer } from "../gateway/protocol.ts";
import { UpstreamFailure } from "../gateway/errors.ts";
import { element, text } from "./document.ts";
import { learnFolders } from "./folders.ts";
import { bearsMark } from "./gateway-key.ts";
import { answerSettings, splitSettings } from "./held-answers.ts";
import { documentReply } from "./replies.ts";
import { readingWbxml } from "./request-body.ts";
import { decode, encode, WbxmlError } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

/** A hierarchy of 2 000 folders has some 200 KiB; policies have a few. */
const answerLimitBytes = 1_048_576;

/** Remote wipe must still reach the phone, and a policy key made here would be worth nothing after release. */
export async function forwardProvision(request: Element, context: Remediation): Promise<Reply> {
  const answer = await exchange(request, context, ["Provision", "Settings"]);
  return answer.document === undefined ? answer.relayed : relayDocument(answer.document, answer);
}

/** Names of folders, never what is in them. Keys stay upstream's own, so nothing has to be repaired after release. */
export async function forwardFolderSync(request: Element, context: Remediation): Promise<Reply> {
  const key = readingWbxml(() => text(request, "FolderHierarchy:SyncKey"));
  if (key !== undefined && bearsMark(key)) {
    return documentReply(hierarchyAnew());
  }
  // A phone synchronises nothing while its FolderSync fails, and would not get the notice. Whatever has changed waits.
  const unchanged = key === undefined || key === "" || key === "0" ? undefined : documentReply(unchangedFolders(key));
  let answer: Exchanged;
  try {
    answer = await exchange(request, context, ["FolderHierarchy"]);
  } catch (error) {
    if (unchanged !== undefined && isAway(error)) return unchanged;
    throw error;
  }
  const { document } = answer;
  if (document === undefined)
    return awayStatuses.has(answer.httpStatus) ? (unchanged ?? answer.relayed) : answer.relayed;
  const folders = readingAnswer(() => learnFolders(request, document));
  if (folders !== undefined) await context.remember({ folders });
  return relayDocument(document, answer);
}

/** 9: the key is not valid (MS-ASCMD 2.2.3.177.4). The phone asks for the whole list of folders, which upstream has. */
export function hierarchyAnew(): Element {
  return element("FolderHierarchy:FolderSync", element("FolderHierarchy:Status", "9"));
}

/** What a mail server, or what stands before it, says while it cannot answer. */
const awayStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

export function isAway(error: unknown): boolean {
  return error instanceof UpstreamFailure && error.code !== "upstream-answer-refused";
}

/** The same key and no changes (MS-ASCMD 2.2.3.181.1). */
function unchangedFolders(key: string): Element {
  return element(
    "FolderHierarchy:FolderSync",
    element("FolderHierarchy:Status", "1"),
    element("FolderHierarchy:SyncKey", key),
    element("FolderHierarchy:Changes", element("FolderHierarchy:Count", "0")),
  );
}

/** Who the phone is goes on; what acts on mail (the absence message, rights) is denied here. */
export async function forwardSettings(request: Element, context: Remediation): Promise<Reply> {
  const { forward, denied } = splitSettings(request);
  if (forward === undefined) return documentReply(answerSettings(undefined, denied));
  const answer = await exchange(forward, context, ["Settings"]);
  return answer.document === undefined
    ? answer.relayed
    : relayDocument(answerSettings(answer.document, denied), answer);
}

export interface Exchanged {
  readonly httpStatus: number;
  /** Undefined where no document came back: the HTTP status and what steers a client are all that the phone is told. */
  readonly document: Element | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly relayed: Reply;
}

/**
 * @param pages the namespaces that an answer to this command is made of. Anything else could be mail.
 * @throws UpstreamFailure
 */
export async function exchange(
  request: Element,
  context: Remediation,
  pages: readonly string[],
  limitBytes = answerLimitBytes,
): Promise<Exchanged> {
  const answer = await context.exchange(encode(request), limitBytes);
  const { httpStatus, body } = answer;
  const headers = steeringOf(answer);
  // No body is an answer too: "nothing to say".
  const document = httpStatus === 200 && body.byteLength > 0 ? readAnswer(answer, request.tag, pages) : undefined;
  return { httpStatus, document, headers, relayed: { kind: "answer", httpStatus, headers, body: undefined } };
}

export function relayDocument(document: Element, { headers }: Exchanged): Reply {
  const reply = documentReply(document);
  return { ...reply, headers: [...reply.headers, ...headers] };
}

/** What cannot be read in one way is upstream's fault here, and not the phone's. */
export function readingAnswer<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof WbxmlError ? new UpstreamFailure("upstream-answer-refused", error) : error;
  }
}

function readAnswer({ body }: UpstreamAnswer, tag: Element["tag"], pages: readonly string[]): Element {
  const document = readingAnswer(() => decode(body));
  if (document.tag !== tag || !isMadeOf(document, pages)) {
    throw new UpstreamFailure("upstream-answer-refused", "answer is not that of the command");
  }
  return document;
}

export function isMadeOf(document: Element, pages: readonly string[]): boolean {
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

export function steeringOf({ headers }: UpstreamAnswer): Exchanged["headers"] {
  return [...headers]
    .filter(([name]) => steering.has(name))
    .flatMap(([name, values]) => values.map((value) => [name, value] as const));
}
