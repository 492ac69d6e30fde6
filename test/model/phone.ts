/**
 * The phone of the model: one request a step, to any gate, in the words of the specification. It is as strict as the strictest
 * client, and repeats a request whose answer was lost byte for byte.
 */
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { child, children, has, text } from "../../src/activesync/document.ts";
import { decode, encode } from "../../src/activesync/wbxml.ts";
import type { Element } from "../../src/activesync/wbxml.ts";
import { eventually } from "../support/eventually.ts";
import type { Exchange, NodeIndex, RawAnswer, RawRequest } from "./air.ts";
import * as documents from "./documents.ts";
import type { FolderRequest, Version } from "./documents.ts";
import { applyCommands, applyFolders, dropFolder, emptyMailbox, folderOf, queue } from "./mailbox.ts";
import type { Folder, Letter, Mailbox, Upload } from "./mailbox.ts";
import { assertNotTwice, assertSent, assertShowsNothing, assertStored, watchUpstream } from "./promises.ts";
import { keyWord, saidOf, summary } from "./telling.ts";
import type { World } from "./world.ts";

export interface Way {
  readonly node: NodeIndex;
  /** The answer is made, and the phone never sees it. */
  readonly lose: boolean;
}

/** A Sync as it was sent, so that it can be repeated and its answer be read. */
interface SentSync {
  readonly folders: readonly FolderRequest[];
  readonly body: Buffer;
  readonly waits: boolean;
}

interface SyncWishes {
  readonly afresh?: boolean;
  readonly getChanges?: boolean;
  /** Items for one folder in an answer. */
  readonly windowSize?: number;
}

type SyncNews =
  /** Per folder: something came, nothing is new, or what was uploaded has to wait. */
  | { readonly kind: "answered"; readonly folders: ReadonlyMap<Folder, "news" | "quiet" | "held"> }
  | { readonly kind: "unavailable" | "folders" | "in-full" | "lost" };

interface Waiting {
  readonly what: "ping" | "sync";
  readonly folders: readonly Folder[];
  readonly sent: SentSync | undefined;
  readonly exchange: Exchange;
  readonly node: NodeIndex;
  readonly heldBy: "upstream" | "gate";
}

type PingNews = "parked" | "changes" | "other" | "unavailable";

const wbxml = "application/vnd.ms-sync.wbxml";
const oursMark = "{50535451-";
/** The promise is one second; a machine that does other things as well gets five. */
const endsWithinMs = 5_000;
const saidAtOnceMs = 15;

export type ModelPhone = ReturnType<typeof createModelPhone>;

export function createModelPhone(world: World, version: Version) {
  const mailbox: Mailbox = emptyMailbox();
  const upstreamWatch = watchUpstream(world.upstream);
  const diary: string[] = [];
  let waiting: Waiting[] = [];
  let lostSync: SentSync | undefined;
  /** The last full Sync, while an empty one means the same. */
  let repeatable: SentSync | undefined;
  let written = 0;
  let deletedNotice: number | undefined;

  /** @param mayBeGone whether it is about something that upstream may not have: up to 12.1 it says so by its HTTP status. */
  function check(answer: RawAnswer, command: string, mayBeGone = false): void {
    const mayBeUnavailable = world.storeIsAway() || world.expected() === "quarantine";
    assert.ok(
      answer.httpStatus === 200 || (answer.httpStatus === 503 && mayBeUnavailable) || (mayBeGone && version === "12.1"),
      `${command} was answered with HTTP ${answer.httpStatus}`,
    );
    assertShowsNothing(answer, world.expected());
    upstreamWatch.check(world.air.sent());
  }

  async function ask(
    request: RawRequest,
    { node, lose }: Way,
    said: string,
    isShort = false,
    mayBeGone = false,
  ): Promise<RawAnswer | undefined> {
    const exchange = world.air.send(node, request);
    const held = waiting.length;
    // Upstream may remember a Sync that waits as the last one: then a short Sync waits as well, and the phone gives it up.
    if (isShort) {
      while (exchange.answer() === undefined && world.upstream.parked() <= held) await setTimeout(1);
      if (exchange.answer() === undefined) exchange.giveUp();
    }
    const answer = await exchange.done;
    if (isShort && answer === "broken") {
      diary.push(`    ${said} → waits, and is given up`);
      await stopWaiting();
      return undefined;
    }
    if (answer === "broken") throw new Error(`${request.command} got no answer from gate ${node}`);
    diary.push(`    ${said} → ${lose ? "lost: " : ""}${summary(answer)}`);
    check(answer, request.command, mayBeGone);
    return lose ? undefined : answer;
  }

  const document = (command: string, root: Element): RawRequest => ({
    command,
    body: encode(root),
    contentType: wbxml,
    version,
  });

  function prepare(
    folders: readonly Folder[],
    wish: Required<Omit<SyncWishes, "afresh">> & { readonly waits: boolean },
  ): SentSync {
    const { waits, getChanges, windowSize } = wish;
    const requests = folders.map((folder): FolderRequest => {
      const uploads =
        folder.key === "0" || folder.fresh
          ? []
          : mailbox.pending.filter((upload) => folderOf(mailbox, upload) === folder);
      return { folder, key: folder.key, uploads, getChanges };
    });
    return { folders: requests, body: encode(documents.syncDocument(requests, { waits, windowSize }, version)), waits };
  }

  function hasUploads(folder: Folder): boolean {
    return mailbox.pending.some((upload) => folderOf(mailbox, upload) === folder);
  }

  /** Repeats what was lost first, unless the person has done something else meanwhile. */
  async function sync(
    folders: readonly Folder[],
    way: Way,
    { afresh = false, getChanges = true, windowSize = 50 }: SyncWishes = {},
  ): Promise<SyncNews> {
    await stopWaiting("sync");
    const sent =
      lostSync !== undefined && !afresh ? lostSync : prepare(folders, { getChanges, windowSize, waits: false });
    return sendSync(sent, way);
  }

  async function sendSync(sent: SentSync, way: Way): Promise<SyncNews> {
    const repeated = sent === lostSync;
    lostSync = undefined;
    repeatable = undefined;
    const request = { command: "Sync", body: sent.body, contentType: wbxml, version };
    const answer = await ask(request, way, `${repeated ? "repeats " : ""}Sync ${saidOf(sent.folders, sent.waits)}`);
    if (answer === undefined) {
      lostSync = sent;
      return { kind: "lost" };
    }
    return hearSync(sent, answer);
  }

  /** An empty Sync stands for the last full one, whose answer was that nothing is new. */
  async function syncEmpty(way: Way): Promise<SyncNews | undefined> {
    const sent = repeatable;
    if (sent === undefined) return undefined;
    await stopWaiting("sync");
    const answer = await ask(
      { command: "Sync", body: undefined, contentType: wbxml, version },
      way,
      "empty Sync",
      true,
    );
    return answer === undefined ? { kind: "lost" } : hearSync(sent, answer, "short");
  }

  async function syncPartial(folder: Folder, way: Way): Promise<SyncNews | undefined> {
    if (repeatable === undefined || folder.key === "0" || hasUploads(folder)) return undefined;
    const others = repeatable.folders.filter((each) => each.folder !== folder);
    const own: FolderRequest = { folder, key: folder.key, uploads: [], getChanges: true };
    await stopWaiting("sync");
    repeatable = undefined;
    const answer = await ask(
      document("Sync", documents.partialSync(folder, version)),
      way,
      `partial Sync ${folder.name}`,
      true,
    );
    if (answer === undefined) return { kind: "lost" };
    return hearSync({ folders: [...others, own], body: Buffer.alloc(0), waits: false }, answer, "short");
  }

  function hearSync(sent: SentSync, answer: RawAnswer, form: "full" | "short" = "full"): SyncNews {
    if (answer.httpStatus !== 200) return { kind: "unavailable" };
    const news = new Map<Folder, "news" | "quiet" | "held">();
    if (answer.body.byteLength === 0) {
      for (const request of sent.folders) hearSilence(request, news);
    } else {
      const root = decode(answer.body);
      const status = text(root, "AirSync:Status");
      if (status === "12") {
        mailbox.foldersStale = true;
        return { kind: "folders" };
      }
      if (status === "13") {
        assert.equal(form, "short", "a full Sync was answered with status 13");
        repeatable = undefined;
        return { kind: "in-full" };
      }
      assert.ok(status === undefined || status === "1", `a Sync was answered with status ${status}`);
      const list = child(root, "AirSync:Collections");
      const answers = list === undefined ? [] : children(list, "AirSync:Collection");
      for (const each of answers) {
        const id = text(each, "AirSync:CollectionId");
        const asked = sent.folders.find(({ folder }) => folder.id === id);
        assert.ok(asked !== undefined, `an answer speaks of folder ${id}, which was not asked about`);
        assert.ok(!news.has(asked.folder), `an answer speaks of folder ${id} twice`);
        news.set(asked.folder, hearCollection(asked, each));
      }
      for (const request of sent.folders) {
        if (news.has(request.folder)) continue;
        assert.notEqual(version, "12.1", `folder ${request.folder.name} was left out of an answer`);
        hearSilence(request, news);
      }
    }
    const isQuiet = [...news.values()].every((each) => each === "quiet");
    if (!isQuiet) repeatable = undefined;
    else if (form === "full" && !sent.waits) repeatable = sent;
    return { kind: "answered", folders: news };
  }

  function hearSilence({ folder, key, uploads }: FolderRequest, news: Map<Folder, "news" | "quiet" | "held">): void {
    assert.deepEqual(forUpstream(uploads), [], `what was uploaded to ${folder.name} was answered with silence`);
    assert.notEqual(key, "0", `the first key of ${folder.name} was answered with silence`);
    // Silence about a change or a deletion is success.
    settleUploads(folder, uploads, undefined);
    folder.fresh = false;
    news.set(folder, "quiet");
  }

  function hearCollection(request: FolderRequest, answer: Element): "news" | "quiet" | "held" {
    const { folder } = request;
    const key = text(answer, "AirSync:SyncKey");
    const status = text(answer, "AirSync:Status");
    const order = answer.content.map((part) => (typeof part === "object" && "tag" in part ? part.tag : ""));
    assert.ok(
      order.indexOf("AirSync:SyncKey") < order.indexOf("AirSync:Status"),
      "the key comes after the status, and old Android keeps it",
    );
    assert.ok(key !== undefined && key.length <= 64, `a key that no phone can keep: ${key}`);
    switch (status) {
      case "1":
        return hearSuccess(request, answer, key);
      case "3":
        assert.equal(key, "0", "status 3 with a key");
        assert.ok(
          folder.isReset || request.key.startsWith(oursMark),
          `${folder.name} was sent to start anew, and with it goes what the person has there`,
        );
        dropFolder(mailbox, folder);
        return "news";
      case "12":
        mailbox.foldersStale = true;
        return "held";
      case "16":
        assert.equal(key, request.key, "a folder that has to wait got another key");
        return "held";
      case undefined:
      default:
        throw new assert.AssertionError({ message: `${folder.name} was answered with status ${status}` });
    }
  }

  function hearSuccess({ folder, key: before, uploads }: FolderRequest, answer: Element, key: string) {
    const commands = child(answer, "AirSync:Commands");
    const more = has(answer, "AirSync:MoreAvailable");
    if (before === "0") {
      assert.notEqual(key, "0", `${folder.name} was primed without a key`);
      assert.equal(commands, undefined, `${folder.name} was primed with items`);
      folder.key = key;
      folder.fresh = true;
      folder.items = new Map();
      return "news";
    }
    folder.fresh = false;
    folder.key = key;
    settleUploads(folder, uploads, child(answer, "AirSync:Responses"));
    const applied = applyCommands(folder, commands);
    if (applied > 0 || more || forUpstream(uploads).length > 0)
      assert.notEqual(key, before, `${folder.name} has news under the key that it had before`);
    return applied > 0 || more || uploads.length > 0 ? "news" : "quiet";
  }

  /** Silence about a change or a deletion is success, silence about what was created is not (MS-ASCMD 2.2.3.154). */
  function settleUploads(folder: Folder, uploads: readonly Upload[], responses: Element | undefined): void {
    for (const upload of uploads) {
      const response = responses?.content.find(
        (part): part is Element => typeof part === "object" && "tag" in part && speaksOf(part, upload),
      );
      const status = response === undefined ? undefined : text(response, "AirSync:Status");
      if (upload.kind === "add") {
        if (response === undefined) continue;
        const id = text(response, "AirSync:ServerId");
        assert.ok(status === "1" && id !== undefined, `"${upload.subject}" was refused with status ${status}`);
        settle(upload);
        folder.items.set(id, { subject: upload.subject, read: false, location: undefined, isNotice: false });
        assertStored(upload, world.upstream);
        continue;
      }
      assert.ok(
        status === undefined || status === "1" || status === "8",
        `the ${upload.kind} of ${upload.item} was refused with status ${status}`,
      );
      settle(upload);
      // The day without the notice begins when a gate hears of it.
      if (upload.kind === "delete" && isOurItem(upload.item)) deletedNotice = world.now().getTime();
      if (status !== "8" && !isOurItem(upload.item)) assertStored(upload, world.upstream);
    }
  }

  function settle(upload: Upload): void {
    mailbox.pending = mailbox.pending.filter((each) => each !== upload);
  }

  /** What waits ends by itself, and is then heard. */
  function hearWaiting(): void {
    for (const each of waiting) {
      const answer = each.exchange.answer();
      if (answer === undefined) continue;
      waiting = waiting.filter((other) => other !== each);
      diary.push(
        `    the waiting ${each.what} ends at gate ${each.node} → ${answer === "broken" ? answer : summary(answer)}`,
      );
      if (answer === "broken") continue;
      check(answer, each.what);
      if (each.sent !== undefined) hearSync(each.sent, answer);
      else hearPing(answer);
    }
  }

  function hearPing(answer: RawAnswer): PingNews {
    if (answer.httpStatus !== 200) return "unavailable";
    const root = decode(answer.body);
    const status = text(root, "Ping:Status");
    if (status === "7") mailbox.foldersStale = true;
    if (status === "2") {
      const list = child(root, "Ping:Folders");
      assert.ok(
        list !== undefined && children(list, "Ping:Folder").length > 0,
        "a Ping says that something is new, and not where",
      );
      return "changes";
    }
    return "other";
  }

  async function startWaiting(what: "ping" | "sync", folders: readonly Folder[], node: NodeIndex): Promise<PingNews> {
    await stopWaiting(what);
    // What was lost is repeated before anything else is asked of its folders, or a server cannot know it again.
    if (what === "sync" && lostSync !== undefined) return "other";
    const usable = folders.filter((folder) => folder.key !== "0");
    if (usable.length === 0) return "other";
    const sent = what === "sync" ? prepare(usable, { waits: true, getChanges: true, windowSize: 50 }) : undefined;
    if (sent !== undefined) repeatable = undefined;
    const parkedBefore = world.upstream.parked();
    const body = sent?.body ?? encode(documents.pingDocument(usable));
    const exchange = world.air.send(node, {
      command: what === "sync" ? "Sync" : "Ping",
      body,
      contentType: wbxml,
      version,
    });
    const since = performance.now();
    const watchedBefore = waiting.filter((each) => each.node === node).length;
    const mayBeGate = world.expected() === "quarantine" || world.storeIsAway();
    for (;;) {
      if (exchange.answer() !== undefined) break;
      const isUpstream = world.upstream.parked() > parkedBefore;
      // A gate that watches over the request misses no change from then on.
      if (isUpstream || (mayBeGate && (await world.watched(node)) > watchedBefore)) {
        // What it says at once is soon here; what comes later is heard at the next step.
        if (!isUpstream) await setTimeout(saidAtOnceMs);
        if (exchange.answer() !== undefined) break;
        const heldBy = isUpstream ? "upstream" : "gate";
        diary.push(`    ${what} waits at gate ${node}, held by ${heldBy}`);
        waiting.push({ what, folders: usable, sent, exchange, node, heldBy });
        return "parked";
      }
      assert.ok(performance.now() - since < endsWithinMs, `a ${what} is neither answered nor held`);
      await setTimeout(1);
    }
    const answer = exchange.answer();
    if (answer === undefined || answer === "broken") throw new Error(`the ${what} got no answer from gate ${node}`);
    diary.push(`    ${sent === undefined ? what : `Sync ${saidOf(sent.folders, true)}`} → ${summary(answer)}`);
    check(answer, what);
    if (sent === undefined) return hearPing(answer);
    hearSync(sent, answer);
    return "changes";
  }

  async function stopWaiting(what?: "ping" | "sync"): Promise<void> {
    hearWaiting();
    const givenUp = waiting.filter((each) => what === undefined || each.what === what);
    for (const each of givenUp) each.exchange.giveUp();
    waiting = waiting.filter((each) => !givenUp.includes(each));
    // Upstream has noticed before the next step begins, or a sequence would not be the same the next time.
    const left = waiting.length;
    await eventually(() => assert.ok(world.upstream.parked() <= left, "upstream goes on waiting for nobody"));
    for (const node of new Set(givenUp.map((each) => each.node))) {
      const watched = waiting.filter((each) => each.node === node).length;
      await eventually(async () =>
        assert.ok((await world.watched(node)) <= watched, `gate ${node} watches over nobody`),
      );
    }
  }

  /** A verdict has changed both ways of "mail flows": whatever waits about mail ends. */
  async function assertWaitingEnds(): Promise<void> {
    const now = world.expected() === "quarantine" ? "upstream" : "gate";
    for (const each of waiting) {
      if (each.heldBy !== now || !each.folders.some(({ isReset }) => isReset)) continue;
      const ended = await Promise.race([each.exchange.done.then(() => true), setTimeout(endsWithinMs, false)]);
      assert.ok(ended, `the waiting ${each.what} goes on after the verdict has changed`);
    }
    hearWaiting();
  }

  /** What upstream has answered is on its way: it was said under the verdict of now, whatever the next step does to that. */
  async function hearNews(): Promise<void> {
    await eventually(() => {
      const held = waiting.filter(({ heldBy, exchange }) => heldBy === "upstream" && exchange.answer() === undefined);
      assert.ok(held.length <= world.upstream.parked(), "an answer of upstream does not arrive");
      const open = waiting.filter(({ exchange }) => exchange.answer() === undefined);
      assert.ok(world.upstream.parked() <= open.length, "upstream goes on waiting for nobody");
    });
    hearWaiting();
  }

  /** Whatever ends because of what has just happened is heard; what goes on is given up, so that the next step begins at rest. */
  async function letWaitingEnd(): Promise<void> {
    for (const each of waiting) await Promise.race([each.exchange.done, setTimeout(saidAtOnceMs)]);
    await stopWaiting();
  }

  async function folderSync(way: Way): Promise<boolean> {
    const answer = await ask(
      document("FolderSync", documents.folderSyncDocument(mailbox.folderKey)),
      way,
      `FolderSync ${keyWord(mailbox.folderKey)}`,
    );
    if (answer === undefined || answer.httpStatus !== 200) return false;
    applyFolders(mailbox, decode(answer.body));
    return true;
  }

  /** Whether the letter is gone from the outbox. Only an empty 200 says so (MS-ASCMD 2.2.1.17). */
  async function send(letter: Letter, way: Way): Promise<boolean> {
    letter.tries += 1;
    const { about } = letter;
    const command = about === undefined ? "SendMail" : "SmartReply";
    const request: RawRequest =
      version === "12.1"
        ? { command, body: documents.mimeOf(letter), contentType: "message/rfc822", version, mail: about ?? {} }
        : document(
            command,
            about === undefined
              ? documents.sendMailDocument(letter)
              : documents.replyDocument(letter, about.folder, about.item),
          );
    const said = about === undefined ? "" : ` about ${about.item}`;
    const answer = await ask(request, way, `${command} ${letter.subject}${said}`, false, about !== undefined);
    if (answer === undefined) return false;
    if (answer.httpStatus !== 200) {
      if (answer.httpStatus !== 503) withoutReference(letter, `HTTP ${answer.httpStatus}`);
      return false;
    }
    if (answer.body.byteLength > 0) {
      const root = decode(answer.body);
      assert.equal(root.tag, `ComposeMail:${command}`, "the phone does not find its Status");
      const status = text(root, "ComposeMail:Status");
      if (status === "150") withoutReference(letter, "status 150");
      // 118: it was sent before. That is what a phone hears whose first answer was lost.
      if (status !== "118") return false;
    }
    assertSent(letter, world.upstream);
    mailbox.outbox = mailbox.outbox.filter((each) => each !== letter);
    return true;
  }

  /** What was answered is gone upstream: the letter goes without, as Android sends it. The notice never is. */
  function withoutReference(letter: Letter, why: string): void {
    const { about } = letter;
    assert.ok(about !== undefined && !isOurItem(about.item), `${letter.subject} was refused for good: ${why}`);
    letter.about = undefined;
  }

  /** In two steps, and any gate may have either; the first answer may be lost. Whether the phone has a new key. */
  async function provision(first: NodeIndex, second: NodeIndex, lose = false): Promise<boolean> {
    const asked = await ask(
      document("Provision", documents.provisionDocument(undefined)),
      { node: first, lose },
      "Provision",
    );
    const offered = policyKeyIn(asked);
    if (offered === undefined) return false;
    const request = document("Provision", documents.provisionDocument(offered));
    const key = policyKeyIn(await ask(request, { node: second, lose: false }, "Provision, and keeps to it"));
    if (key === undefined) return false;
    world.air.setPolicyKey(Number(key));
    return true;
  }

  function policyKeyIn(answer: RawAnswer | undefined): string | undefined {
    if (answer === undefined || answer.httpStatus !== 200) return undefined;
    const root = decode(answer.body);
    const list = child(root, "Provision:Policies");
    const policy = list === undefined ? undefined : child(list, "Provision:Policy");
    assert.ok(policy !== undefined, "an answer to Provision has no policy");
    assert.deepEqual(
      [text(root, "Provision:Status"), text(policy, "Provision:Status")],
      ["1", "1"],
      "the policy was refused",
    );
    return text(policy, "Provision:PolicyKey");
  }

  async function move(items: readonly string[], from: Folder, to: Folder, way: Way): Promise<void> {
    const answer = await ask(document("MoveItems", documents.moveDocument(items, from.id, to.id)), way, "MoveItems");
    if (answer === undefined || answer.httpStatus !== 200) return;
    for (const response of children(decode(answer.body), "Move:Response")) {
      const item = text(response, "Move:SrcMsgId") ?? "";
      if (text(response, "Move:Status") !== "3") continue;
      const moved = text(response, "Move:DstMsgId");
      assert.ok(
        world.upstream.mailbox("alice").messages.some(({ id, folderId }) => id === moved && folderId === to.id),
        `the move of ${item} was acknowledged, and it has not moved`,
      );
      from.items.delete(item);
      mailbox.pending = mailbox.pending.filter((upload) => !("item" in upload) || upload.item !== item);
    }
  }

  const askOnly = async (command: string, root: Element, way: Way): Promise<void> =>
    void (await ask(document(command, root), way, command));

  return {
    mailbox,
    diary,
    sync,
    syncEmpty,
    syncPartial,
    startWaiting,
    stopWaiting,
    hearNews,
    assertWaitingEnds,
    letWaitingEnd,
    folderSync,
    provision,
    send,
    move,
    askOnly,
    version,
    hasLost: () => lostSync !== undefined,
    forgetLost(): void {
      lostSync = undefined;
    },
    /** A number that no other thing written on this phone has. */
    nextNumber(): number {
      written += 1;
      return written;
    },
    /** When it was last taken down that the person has deleted the notice. */
    get deletedNotice(): number | undefined {
      return deletedNotice;
    },
    queue(upload: Upload): void {
      queue(mailbox, upload);
    },
    checkEverything(): void {
      upstreamWatch.check(world.air.sent());
      assertNotTwice(mailbox.letters, world.upstream, version !== "12.1");
    },
  };
}

function speaksOf(response: Element, upload: Upload): boolean {
  switch (upload.kind) {
    case "add":
      return response.tag === "AirSync:Add" && text(response, "AirSync:ClientId") === upload.clientId;
    case "change":
    case "read":
      return response.tag === "AirSync:Change" && text(response, "AirSync:ServerId") === upload.item;
    case "delete":
      return response.tag === "AirSync:Delete" && text(response, "AirSync:ServerId") === upload.item;
  }
}

/**
 * What is said about the notice concerns nobody upstream. A gate that forwards the rest of a request takes it down, and the
 * answer of upstream then says nothing of it, under the key that upstream had before.
 */
function forUpstream(uploads: readonly Upload[]): Upload[] {
  return uploads.filter((upload) => !("item" in upload) || !isOurItem(upload.item));
}

export function isOurItem(id: string): boolean {
  return /:20000\d{5}$/.test(id);
}
