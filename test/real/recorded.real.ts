/**
 * Three clients that nobody here wrote, as they were recorded, come to the gate while their phone is held: whatever they ask,
 * they get an answer that their own parsers take, and the mail server hears of none of it that touches mail.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { child, children, element, text } from "../../src/activesync/document.ts";
import { decode, type Element } from "../../src/activesync/wbxml.ts";
import { requirePackage } from "../support/debian.ts";
import { people } from "./support/people.ts";
import { askRaw } from "./support/raw-phone.ts";
import { foldersIn, recorded, type Recorded, recordedFolders, replaceTexts } from "./support/recorded.ts";
import { seededSubjects } from "./support/seed.ts";
import { setStage, type Stage } from "./support/stage.ts";
import { acceptAnswer, type AnswerOnTheWire, collectionsIn } from "./support/strict-client.ts";

/** A Ping that lasts longer is one that waits. */
const HELD_AFTER_MS = 1000;
/** Whatever else lasts longer will not be answered. */
const PATIENCE_MS = 30_000;

// Not asked again: the base64 queries of one client leave out a byte that the format has (MS-ASHTTP 2.2.1.1.1.1), and what
// curl sent was to see how a server takes what no client sends.
const sessions = ["go141", "go121", "gogz", "jsas", "py", "zpush140", "zpush449", "zpjsas"] as const;

interface Visitor {
  readonly session: string;
  /** What stands in the recording, and what stands in its place here. */
  readonly texts: Map<string, string>;
  /** The key that each folder has now. */
  readonly keys: Map<string, string>;
  readonly noticed: Element[];
}

suite("a client that somebody else wrote, while its phone is held", () => {
  let stage: Stage;
  let libwbxml: string;
  let scratch: string;
  before(async () => {
    libwbxml = await requirePackage("libwbxml2-utils", "wbxml2xml");
    scratch = await mkdtemp(path.join(tmpdir(), "postern-recorded-"));
    stage = await setStage();
  });
  after(async () => {
    await stage.end();
    await rm(scratch, { recursive: true });
  });

  for (const session of sessions) {
    const exchanges = recorded.filter((each) => each.session === session);
    const [first] = exchanges;
    test(`${first?.client} with ${exchanges.length} requests (${session})`, async () => {
      const visitor = await begin(exchanges);
      for (const exchange of exchanges) {
        const request = asItWouldAskNow(exchange, visitor);
        const answer = await ask(stage.gate.mailUrl, request);
        if (answer === "held") {
          assert.equal(request.command, "Ping", `exchange ${exchange.number} is not answered`);
          continue;
        }
        try {
          await accept(request, answer, visitor);
        } catch (error) {
          throw new Error(`exchange ${exchange.number}, ${exchange.command}`, { cause: error });
        }
      }
      const asksForMail = exchanges.some(({ command }) => command === "Sync") && session !== "gogz";
      assert.equal(visitor.noticed.length, asksForMail ? 1 : 0, "the notice came, once");
    });
  }

  test("the mail server was asked for folders and policies, and for nothing else", async () => {
    const log = await stage.sogo.log();
    const asked = new Set([...log.matchAll(/<(\w+) xmlns="\w+:">/g)].map(([, name]) => name));
    for (const name of [
      "SendMail",
      "SmartReply",
      "MoveItems",
      "Sync",
      "Ping",
      "ItemOperations",
      "Search",
      "FolderCreate",
    ])
      assert.ok(!asked.has(name), name);
    assert.ok(asked.has("FolderSync"));
  });

  /** Reports its phone, and finds the folders of this server that stand for those of the recording. */
  async function begin(exchanges: readonly Recorded[]): Promise<Visitor> {
    const first = exchanges.find(({ command }) => command !== "OPTIONS");
    assert.ok(first);
    const { session, target, headers } = first;
    const deviceId = /DeviceId=(\w+)/.exec(target)?.[1] ?? "";
    await stage.report(deviceId, "noncompliant", "com.zhiliaoapp.musically");
    const [, encoded = ""] = (headers["Authorization"] ?? headers["authorization"] ?? "").split(" ");
    const person = Buffer.from(encoded, "base64").toString().startsWith("alice:") ? people.alice : people.bob;
    const body = element("FolderHierarchy:FolderSync", element("FolderHierarchy:SyncKey", "0"));
    const { document } = await askRaw(`${stage.gate.mailUrl}/Microsoft-Server-ActiveSync`, person, {
      command: "FolderSync",
      deviceId,
      body,
    });
    assert.ok(document);
    const here = foldersIn(document);
    const recordedAs = session === "gogz" ? recordedFolders("go121") : recordedFolders(session);
    const texts = new Map<string, string>();
    for (const [id, type] of recordedAs) {
      const same = here.find(([, hereType]) => hereType === type);
      if (same !== undefined) texts.set(id, same[0]);
    }
    return { session, texts, keys: new Map(), noticed: [] };
  }

  async function accept(request: Recorded, answer: AnswerOnTheWire, visitor: Visitor): Promise<void> {
    const root = acceptAnswer(request, answer);
    for (const subject of seededSubjects) assert.ok(!answer.body.includes(subject), "a byte of mail");
    if (root === undefined) return;
    if (answer.headers["content-type"] === "application/vnd.ms-sync.wbxml") await readByLibwbxml(answer.body);
    for (const collection of root.tag === "AirSync:Sync" ? collectionsIn(root) : []) {
      visitor.keys.set(text(collection, "AirSync:CollectionId") ?? "", text(collection, "AirSync:SyncKey") ?? "");
      const commands = child(collection, "AirSync:Commands");
      if (commands !== undefined) visitor.noticed.push(...children(commands, "AirSync:Add"));
    }
  }

  async function readByLibwbxml(bytes: Buffer): Promise<void> {
    const file = path.join(scratch, "answer.wbxml");
    await writeFile(file, bytes);
    await promisify(execFile)(libwbxml, ["-l", "ACTIVESYNC", "-o", "-", file]);
  }
});

/** With the folders of this server, and with the keys that its folders have by now, as the client itself would ask. */
function asItWouldAskNow(exchange: Recorded, { texts, keys }: Visitor): Recorded {
  const { document } = exchange;
  if (document === undefined || exchange.headers["Content-Encoding"] !== undefined) return exchange;
  const now = new Map(texts);
  for (const collection of document.tag === "AirSync:Sync" ? collectionsIn(document) : []) {
    const folder = text(collection, "AirSync:CollectionId") ?? "";
    const sent = text(collection, "AirSync:SyncKey") ?? "";
    const key = keys.get(texts.get(folder) ?? folder);
    if (sent !== "0" && key !== undefined) now.set(sent, key);
  }
  const replaced = replaceTexts(exchange.body, now);
  return { ...exchange, body: replaced, document: decode(replaced) };
}

function ask(url: string, { command, method, target, headers, body }: Recorded): Promise<AnswerOnTheWire | "held"> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(command === "Ping" ? HELD_AFTER_MS : PATIENCE_MS);
    const all = { ...headers, "Content-Length": String(body.byteLength) };
    const request = http.request(url + target, { method, headers: all, signal }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ httpStatus: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on("error", (error) => (signal.aborted ? resolve("held") : reject(error)));
    request.end(body);
  });
}
