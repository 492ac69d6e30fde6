/** Requests of programs that other people wrote, recorded at other servers: this one must understand them as those did. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import index from "../fixtures/captures/index.json" with { type: "json" };
import { child, children, textOf } from "../../src/activesync/document.ts";
import { decode, encode, type Content, type Element, type TagName } from "../../src/activesync/wbxml.ts";
import {
  aMailServer,
  at,
  calendar,
  contacts,
  deletedItems,
  inbox,
  projects,
  send,
  tasks,
  textAt,
  type RunningServer,
  type WireAnswer,
} from "./wire.ts";

type Exchange = (typeof index.exchanges)[number];

const folder = new URL("../fixtures/captures/", import.meta.url);

const users = [
  { name: "alice", password: "alice-Pw-1", displayName: "Alice Archer" },
  { name: "bob", password: "bob-Pw-2", displayName: "Bob Baker" },
];

/** As the server was that the programs were recorded with: its domain, and heartbeats of a few seconds. */
function aServer(t: TestContext): Promise<RunningServer> {
  const heartbeat = { minimumSeconds: 5, maximumSeconds: 3540 };
  return aMailServer(t, { users, domain: { mail: "postern.test", windows: "POSTERN" }, heartbeat });
}

function readHead({ request }: Exchange): {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
} {
  const [line = "", ...lines] = readFileSync(new URL(request.head, folder), "latin1").trimEnd().split("\r\n");
  const [method = "", path = ""] = line.split(" ");
  const pairs = lines.map((header): [string, string] => {
    const colon = header.indexOf(":");
    return [header.slice(0, colon), header.slice(colon + 1).trim()];
  });
  const own = new Set(["host", "content-length", "connection", "transfer-encoding"]);
  return { method, path, headers: Object.fromEntries(pairs.filter(([name]) => !own.has(name.toLowerCase()))) };
}

function readBody({ request }: Exchange): Buffer | undefined {
  const file = request.onTheWire ?? request.body;
  return file === null || !existsSync(new URL(file, folder)) ? undefined : readFileSync(new URL(file, folder));
}

/** Ends a wait as soon as there is one, so that a recorded Ping costs no time. */
async function impatiently(server: RunningServer, answer: Promise<WireAnswer>): Promise<WireAnswer> {
  void server.whenParked(1).then(() => server.passSeconds(3600));
  return answer;
}

test("every recorded request is answered, and none of them with HTTP 500", async (t) => {
  for (const exchange of index.exchanges) {
    const server = await aServer(t);
    const { method, path, headers } = readHead(exchange);
    const answer = await impatiently(server, send(server.url, { method, path, headers, body: readBody(exchange) }));
    const name = `${exchange.number} ${exchange.command} ${exchange.client}`;
    assert.ok(answer.httpStatus < 500, `${name}: HTTP ${answer.httpStatus}`);
    assert.equal(server.journal().at(-1)?.failure, undefined, name);
  }
});

test("who was refused by the recorded server for the credential alone is refused here", async (t) => {
  const server = await aServer(t);
  for (const exchange of index.exchanges) {
    const { method, path, headers } = readHead(exchange);
    if (method !== "OPTIONS") continue;
    const answer = await send(server.url, { method, path, headers });
    assert.equal(answer.httpStatus, exchange.response.httpStatus, exchange.request.head);
  }
});

/** The folders of the recorded servers by what they are; a folder that the program made itself is looked up in the answer. */
const folderByType: ReadonlyMap<string, string> = new Map([
  ["2", inbox],
  ["4", deletedItems],
  ["7", tasks],
  ["8", calendar],
  ["9", contacts],
  ["12", projects],
]);

interface Replay {
  readonly folders: Map<string, string>;
  readonly keys: Map<string, string>;
  readonly items: Map<string, string>;
  hierarchyKey: string;
}

function learnRecorded(replay: Replay, recorded: Element): void {
  if (recorded.tag !== "FolderHierarchy:FolderSync") return;
  for (const added of children(at(recorded, "FolderHierarchy:Changes"), "FolderHierarchy:Add")) {
    const known = folderByType.get(textAt(added, "FolderHierarchy:Type"));
    if (known !== undefined) replay.folders.set(textAt(added, "FolderHierarchy:ServerId"), known);
  }
}

const folderTags: ReadonlySet<TagName> = new Set<TagName>([
  "AirSync:CollectionId",
  "GetItemEstimate:CollectionId",
  "ComposeMail:FolderId",
  "Ping:Id",
  "Move:SrcFldId",
  "Move:DstFldId",
]);
const itemTags: ReadonlySet<TagName> = new Set<TagName>(["AirSync:ServerId", "ComposeMail:ItemId", "Move:SrcMsgId"]);

/** The request with this server's names for folders, items and keys in place of the recorded ones. */
function translate(element: Element, replay: Replay, folderId = ""): Element {
  const named = child(element, "AirSync:CollectionId") ?? child(element, "GetItemEstimate:CollectionId");
  const within = named === undefined ? folderId : (replay.folders.get(textOf(named)) ?? textOf(named));
  const text = element.content.every((part) => typeof part === "string") ? element.content.join("") : undefined;
  const say = (value: string | undefined): Element =>
    value === undefined ? element : { ...element, content: [value] };
  if (text !== undefined && folderTags.has(element.tag)) return say(replay.folders.get(text));
  if (text !== undefined && itemTags.has(element.tag)) return say(replay.items.get(within === "" ? inbox : within));
  if (element.tag === "AirSync:SyncKey" && text !== "0") return say(replay.keys.get(within));
  if (element.tag === "FolderHierarchy:SyncKey" && text !== "0") return say(replay.hierarchyKey);
  if (element.tag === "FolderHierarchy:ServerId" && text !== undefined) return say(replay.folders.get(text));
  const content = element.content.map((part): Content => {
    return typeof part === "string" || part instanceof Uint8Array ? part : translate(part, replay, within);
  });
  return { ...element, content };
}

function learnAnswer(replay: Replay, answer: Element, recorded: Element | undefined): void {
  if (answer.tag === "AirSync:Sync") {
    for (const collection of children(at(answer, "AirSync:Collections"), "AirSync:Collection")) {
      const folderId = textAt(collection, "AirSync:CollectionId");
      replay.keys.set(folderId, textAt(collection, "AirSync:SyncKey"));
      const commands = child(collection, "AirSync:Commands");
      const [first] = commands === undefined ? [] : children(commands, "AirSync:Add");
      if (first !== undefined) replay.items.set(folderId, textAt(first, "AirSync:ServerId"));
    }
  }
  const key = child(answer, "FolderHierarchy:SyncKey");
  if (key !== undefined) replay.hierarchyKey = textOf(key);
  const made = child(answer, "FolderHierarchy:ServerId");
  const recordedId = recorded === undefined ? undefined : child(recorded, "FolderHierarchy:ServerId");
  if (made !== undefined && recordedId !== undefined) replay.folders.set(textOf(recordedId), textOf(made));
}

/** Where each command has the status that says how it went. */
const statusPaths: ReadonlyMap<TagName, readonly TagName[]> = new Map<TagName, readonly TagName[]>([
  ["AirSync:Sync", ["AirSync:Collections", "AirSync:Collection", "AirSync:Status"]],
  ["FolderHierarchy:FolderSync", ["FolderHierarchy:Status"]],
  ["FolderHierarchy:FolderCreate", ["FolderHierarchy:Status"]],
  ["FolderHierarchy:FolderUpdate", ["FolderHierarchy:Status"]],
  ["FolderHierarchy:FolderDelete", ["FolderHierarchy:Status"]],
  ["GetItemEstimate:GetItemEstimate", ["GetItemEstimate:Response", "GetItemEstimate:Status"]],
  ["ItemOperations:ItemOperations", ["ItemOperations:Response", "ItemOperations:Fetch", "ItemOperations:Status"]],
  ["Move:MoveItems", ["Move:Response", "Move:Status"]],
  ["Search:Search", ["Search:Response", "Search:Store", "Search:Status"]],
  ["Settings:Settings", ["Settings:Status"]],
  ["Provision:Provision", ["Provision:Status"]],
]);

/** Undefined for an empty answer, and for a Ping, whose outcome depends on what else happened that day. */
function outcome(answer: Element | undefined): string | undefined {
  const path = answer === undefined ? undefined : statusPaths.get(answer.tag);
  return answer === undefined || path === undefined ? undefined : textAt(answer, ...path);
}

for (const session of ["go141", "jsas", "py", "go121", "gob64"]) {
  test(`the program of the session ${session} finds its way through a whole day here as it did there`, async (t) => {
    const server = await aServer(t);
    const exchanges = index.exchanges.filter(
      (exchange) => exchange.session === session && exchange.command !== "OPTIONS",
    );
    const attachments = [
      { name: "a.pdf", contentType: "application/pdf", sizeBytes: 3, chunks: () => [Buffer.from("PDF")] },
    ];
    for (const { name } of users)
      server.deliver(name, { from: "carol@postern.test", subject: "A plain message", text: "Hello.", attachments });
    const replay: Replay = { folders: new Map(), keys: new Map(), items: new Map(), hierarchyKey: "0" };
    for (const exchange of exchanges) {
      const recordedAnswer =
        exchange.response.body === null ? undefined : decode(readFileSync(new URL(exchange.response.body, folder)));
      if (recordedAnswer !== undefined) learnRecorded(replay, recordedAnswer);
      const body = readBody(exchange);
      const { method, path, headers } = readHead(exchange);
      const translated = body === undefined ? undefined : encode(translate(decode(body), replay));
      const answer = await impatiently(server, send(server.url, { method, path, headers, body: translated }));
      const name = `${exchange.number} ${exchange.command}`;
      assert.equal(answer.httpStatus, 200, name);
      const root = answer.body.length === 0 ? undefined : answer.root;
      if (root !== undefined) learnAnswer(replay, root, recordedAnswer);
      const said = outcome(root);
      // The name of an attachment is the recorded server's own.
      if (said === undefined || namesAttachment(body)) continue;
      assert.equal(said, outcome(recordedAnswer) ?? "1", name);
    }
    assert.ok(
      server.mailbox(session === "jsas" || session === "go121" ? "alice" : "bob").messages.length >= 2,
      "what was sent has arrived",
    );
  });
}

function namesAttachment(body: Buffer | undefined): boolean {
  const fetch = body === undefined ? undefined : child(decode(body), "ItemOperations:Fetch");
  return fetch !== undefined && child(fetch, "AirSyncBase:FileReference") !== undefined;
}
