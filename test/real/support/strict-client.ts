/**
 * What the parsers of real clients ask of an answer, each rule the strictest that one of them has: Android's mail app reads in
 * the order of the document, takes a Ping without a body or without the folders that it speaks of for a broken server, and
 * believes an upload stored that an answer does not speak of.
 */
import assert from "node:assert/strict";
import { child, children, has, text } from "../../../src/activesync/document.ts";
import { decode, type Element, type TagName } from "../../../src/activesync/wbxml.ts";

export interface AnswerOnTheWire {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface Asked {
  readonly command: string;
  readonly version: string | undefined;
  readonly document: Element | undefined;
}

/** @returns the document, where there is one. @throws AssertionError */
export function acceptAnswer(asked: Asked, answer: AnswerOnTheWire): Element | undefined {
  const { httpStatus, headers, body } = answer;
  assert.equal(headers["content-length"], String(body.byteLength), "its length is said");
  if (httpStatus === 503) {
    assert.match(String(headers["retry-after"]), /^\d+$/);
    assert.ok(mayComeAgain(asked), `503 to ${asked.command}`);
    return undefined;
  }
  assert.equal(httpStatus, 200);
  if (body.byteLength === 0) {
    assert.ok(["Sync", "OPTIONS"].includes(asked.command), `nothing in answer to ${asked.command}`);
    assert.equal(asked.document !== undefined && uploads(asked.document), false, "an upload that was not stored");
    return undefined;
  }
  const root = decode(documentIn(headers["content-type"], body));
  const [, name = ""] = root.tag.split(":");
  assert.equal(name, asked.command);
  rules.get(asked.command)?.(root, asked);
  return root;
}

/** What can wait on the phone. Of an older one only mail and files, which have no status of their own before 14.0. */
function mayComeAgain({ command, version, document }: Asked): boolean {
  if (command === "Sync") return document !== undefined && uploads(document);
  return version === "12.1" && ["SendMail", "SmartReply", "SmartForward", "GetAttachment"].includes(command);
}

/** MS-ASCMD 2.2.1.10.1: the number of parts, where each begins and how long it is; the first is the document. */
function documentIn(contentType: string | string[] | undefined, body: Buffer): Buffer {
  if (contentType === "application/vnd.ms-sync.wbxml") return body;
  assert.equal(contentType, "application/vnd.ms-sync.multipart");
  const [start, length] = [body.readUInt32LE(4), body.readUInt32LE(8)];
  assert.equal(start, 4 + 8 * body.readUInt32LE(0));
  return body.subarray(start, start + length);
}

const rules: ReadonlyMap<string, (root: Element, asked: Asked) => void> = new Map([
  ["Sync", acceptSync],
  ["Ping", acceptPing],
  ["SendMail", (root) => assert.match(text(root, "ComposeMail:Status") ?? "", /^1\d\d$/)],
  ["SmartReply", (root) => assert.match(text(root, "ComposeMail:Status") ?? "", /^1\d\d$/)],
  ["MoveItems", acceptMoves],
  ["Search", acceptSearch],
  ["ItemOperations", acceptItems],
  [
    "FolderSync",
    (root) => assert.deepEqual(tags(root).slice(0, 2), ["FolderHierarchy:Status", "FolderHierarchy:SyncKey"]),
  ],
  ["FolderCreate", (root) => assert.notEqual(text(root, "FolderHierarchy:Status"), "1")],
  ["FolderUpdate", (root) => assert.notEqual(text(root, "FolderHierarchy:Status"), "1")],
  ["FolderDelete", (root) => assert.notEqual(text(root, "FolderHierarchy:Status"), "1")],
]);

const behindStatus = new Set<TagName>(["AirSync:MoreAvailable", "AirSync:Responses", "AirSync:Commands"]);

function acceptSync(root: Element, { document }: Asked): void {
  const asked = document === undefined ? [] : collectionsIn(document);
  const collections = collectionsIn(root);
  if (collections.length === 0) assert.match(text(root, "AirSync:Status") ?? "", /^1[2-6]$/);
  for (const collection of collections) {
    // Android's mail app keeps the last key that it reads, and forgets it at the status: the other order loops for ever.
    const order: TagName[] = ["AirSync:SyncKey", "AirSync:CollectionId", "AirSync:Status"];
    assert.deepEqual(tags(collection).slice(0, 3), order);
    for (const tag of tags(collection).slice(3)) assert.ok(behindStatus.has(tag), tag);
    const [key, status] = [text(collection, "AirSync:SyncKey"), text(collection, "AirSync:Status")];
    assert.notEqual(key, "");
    assert.equal(status === "3", key === "0", "a folder starts anew at 0, and only then");
    const same = asked.find((each) => text(each, "AirSync:CollectionId") === text(collection, "AirSync:CollectionId"));
    assert.ok(same, "a folder that was not asked about");
    if (status === "1") acceptUploads(same, collection);
    const commands = child(collection, "AirSync:Commands");
    for (const add of commands === undefined ? [] : children(commands, "AirSync:Add"))
      assert.deepEqual(tags(add), ["AirSync:ServerId", "AirSync:ApplicationData"]);
  }
}

/** Whatever was uploaded and is not spoken of is taken for stored (MS-ASCMD 2.2.3.154). */
function acceptUploads(asked: Element, answered: Element): void {
  const commands = child(asked, "AirSync:Commands");
  const responses = child(answered, "AirSync:Responses");
  for (const kind of ["AirSync:Add", "AirSync:Change", "AirSync:Delete"] satisfies TagName[]) {
    const key = kind === "AirSync:Add" ? "AirSync:ClientId" : "AirSync:ServerId";
    for (const upload of commands === undefined ? [] : children(commands, kind)) {
      const spoken = responses === undefined ? [] : children(responses, kind);
      const same = spoken.find((each) => text(each, key) === text(upload, key));
      assert.ok(same !== undefined && text(same, "AirSync:Status") !== "1", "an upload that was not stored");
    }
  }
}

function acceptPing(root: Element): void {
  assert.equal(tags(root)[0], "Ping:Status");
  const status = text(root, "Ping:Status");
  const folders = child(root, "Ping:Folders");
  assert.equal(status === "2", folders !== undefined && children(folders, "Ping:Folder").length > 0);
  assert.equal(status === "5", has(root, "Ping:HeartbeatInterval"));
}

function acceptMoves(root: Element, { document }: Asked): void {
  const moves = document === undefined ? [] : children(document, "Move:Move");
  const responses = children(root, "Move:Response");
  assert.deepEqual(
    responses.map((each) => text(each, "Move:SrcMsgId")),
    moves.map((each) => text(each, "Move:SrcMsgId")),
  );
  for (const each of responses) assert.notEqual(text(each, "Move:Status"), "3", "3 says that it was moved");
}

function acceptSearch(root: Element): void {
  const response = child(root, "Search:Response");
  const store = response === undefined ? undefined : child(response, "Search:Store");
  assert.ok(store);
  // Older phones read both without looking whether they are there.
  assert.deepEqual([text(store, "Search:Range"), text(store, "Search:Total")], ["0-0", "0"]);
}

function acceptItems(root: Element): void {
  assert.deepEqual(tags(root), ["ItemOperations:Status", "ItemOperations:Response"]);
  const response = child(root, "ItemOperations:Response");
  for (const fetched of response === undefined ? [] : children(response, "ItemOperations:Fetch"))
    assert.equal(tags(fetched)[0], "ItemOperations:Status");
}

export function collectionsIn(root: Element): Element[] {
  const list = child(root, "AirSync:Collections");
  return list === undefined ? [] : children(list, "AirSync:Collection");
}

function uploads(document: Element): boolean {
  return collectionsIn(document).some((collection) => has(collection, "AirSync:Commands"));
}

function tags(element: Element): TagName[] {
  return element.content.flatMap((part) => (typeof part === "string" || part instanceof Uint8Array ? [] : [part.tag]));
}
