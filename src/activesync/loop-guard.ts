/**
 * A phone that is told to start anew, to say more, or to come later may not understand, and ask the same again at once, for
 * ever. Whatever the gate answers is looked at on its way out: the same refusal is given a few times; then the phone is told to
 * look at its folders, which brings some clients back to their senses; then it is told to stay away for a while, and operators
 * hear of it. Nothing is ever let through to end a loop.
 *
 * Each node counts for itself. A phone that goes from node to node is stopped by each: it gets the refusal at most as many
 * times as are written here for each node, and never more.
 */
import type { Person } from "../policy/person.ts";
import type { LoopKind, Remediation, Reply } from "../gateway/protocol.ts";
import { child, children, has, text, textOf } from "./document.ts";
import { createPhoneMemory } from "./phone-memory.ts";
import type { RememberedPhone } from "./phone-memory.ts";
import { collectionsOf, idOf, syncStatus } from "./quarantine-sync.ts";
import type { ActiveSyncQuery } from "./query.ts";
import { documentReply, retryLater } from "./replies.ts";
import { featuresOf } from "./version.ts";
import { isPartial } from "./waiting.ts";
import { decode } from "./wbxml.ts";
import type { Element } from "./wbxml.ts";

type Answering = (query: ActiveSyncQuery, person: Person | undefined, context: Remediation) => Promise<Reply>;

/** How often one answer may be given within how long, and whether the phone is told to look at its folders before it is stopped. */
interface Patience {
  readonly answers: number;
  readonly withinMs: number;
  readonly thenFolders: boolean;
}

const minutes10 = 600_000;
const hour = 3_600_000;
const patience: Readonly<Record<LoopKind, Patience>> = {
  "sync-key-refused": { answers: 3, withinMs: minutes10, thenFolders: true },
  "sync-incomplete": { answers: 3, withinMs: minutes10, thenFolders: true },
  // A phone may have several folders with something to upload, and tries all of them at each synchronisation.
  "upload-refused": { answers: 10, withinMs: minutes10, thenFolders: false },
  // More often than a person can set up an account anew.
  "folder-restarted": { answers: 30, withinMs: minutes10, thenFolders: false },
  "folders-refused": { answers: 3, withinMs: minutes10, thenFolders: false },
  // Android's own client asks again at once after each of these.
  "ping-refused": { answers: 1, withinMs: 60_000, thenFolders: false },
  // As often as it is told (see `createNudges`). It is not stopped for it, because it is told no more.
  "ping-in-vain": { answers: 2, withinMs: hour, thenFolders: false },
};

/** Characters of a key by which it is told from another (MS-ASCMD 2.2.3.181.4 allows 64). */
const keyLimit = 64;

/** Longer than the count lasts: a phone that minds it begins with a clean slate. */
const stayAwaySeconds = 900;
/** As long as the shortest wait that a phone may ask for. */
const holdMs = 60_000;

type Turn = "answer" | "look-at-folders" | "stop";
const severity: readonly Turn[] = ["answer", "look-at-folders", "stop"];

interface Count {
  /** What was refused; another one is another circle. */
  readonly subject: string;
  readonly answers: number;
  readonly since: number;
}

/** One way in which this request goes, or does not go, in a circle. */
interface Step {
  readonly kind: LoopKind;
  /** The folder it is about; "" for the phone as a whole. */
  readonly folder: string;
  /**
   * The key that is refused. A phone that is held and released a few times comes with another one each time, and shows that it
   * has understood at another node perhaps; one that goes in a circle comes with the same.
   */
  readonly subject?: string;
  /** Whether the phone has got on, so that what was counted is forgotten. */
  readonly isProgress: boolean;
}

export function createLoopGuard(): (answer: Answering) => Answering {
  const memory = createPhoneMemory<Count>();

  function count(phone: RememberedPhone, { kind, folder, subject = "" }: Step, context: Remediation): Turn {
    const { answers, withinMs, thenFolders } = patience[kind];
    const now = context.now.getTime();
    const before = memory.recall(phone, about(kind, folder));
    // A clock that was set back must not keep a count for longer than it lasts.
    const lasts = before?.subject === subject && Math.abs(now - before.since) < withinMs;
    const after: Count = lasts ? { ...before, answers: before.answers + 1 } : { subject, answers: 1, since: now };
    memory.keep(phone, about(kind, folder), after);
    const tooMany = after.answers - answers;
    if (tooMany <= 0) return "answer";
    if (thenFolders && tooMany === 1) return "look-at-folders";
    if (tooMany === (thenFolders ? 2 : 1)) context.report(kind);
    return "stop";
  }

  /** What is to be done about the request: the worst of what its parts ask for. */
  function judge(phone: RememberedPhone, steps: readonly Step[], context: Remediation): Turn {
    for (const { kind, folder, isProgress } of steps) if (isProgress) memory.forget(phone, about(kind, folder));
    let worst: Turn = "answer";
    for (const step of steps) {
      const turn = step.isProgress ? "answer" : count(phone, step, context);
      if (severity.indexOf(turn) > severity.indexOf(worst)) worst = turn;
    }
    return worst;
  }

  return (answer) =>
    async function guarded(query, person, context): Promise<Reply> {
      // Other commands carry mail, which is no document, and no phone repeats them at once.
      if (!isCounted(query.command)) return answer(query, person, context);
      const { device } = context.decision;
      let body: Uint8Array | undefined;
      let waited = false;
      const reply = await answer(query, person, {
        ...context,
        async readBody(limitBytes): Promise<Uint8Array> {
          body = await context.readBody(limitBytes);
          return body;
        },
        nextDecision(timeoutMs): ReturnType<Remediation["nextDecision"]> {
          waited = true;
          return context.nextDecision(timeoutMs);
        },
      });
      // Nothing is counted for whoever has not proven to be the person: such a request is answered before its body is read.
      if (device === undefined || body === undefined || isRefusal(reply)) return reply;
      // What goes upstream is no circle of ours, and can only show that an earlier one is over.
      if (reply.kind === "pass" && !memory.knows(device)) return reply;
      const request = body.byteLength === 0 ? undefined : decode(body);
      const answered = documentOf(reply);
      if (query.command === "Sync") {
        const turn = judge(device, stepsOfSync(request, answered), context);
        if (turn === "answer") return reply;
        // Before 12.1 no phone was told anything about a Sync as a whole.
        const canBeTold = featuresOf(query.version ?? "12.1").emptySync;
        return turn === "look-at-folders" && canBeTold ? documentReply(syncStatus("12")) : retryLater(stayAwaySeconds);
      }
      if (query.command === "FolderSync") {
        const turn = judge(device, stepsOfFolderSync(request, answered), context);
        return turn === "answer" ? reply : retryLater(stayAwaySeconds);
      }
      if (query.command === "Ping" && answered !== undefined && !waited) {
        const turn = judge(device, stepsOfPing(answered), context);
        if (turn !== "answer" && !tellsOfChanges(answered)) await hold(context);
      }
      return reply;
    };
}

function isCounted(command: ActiveSyncQuery["command"]): boolean {
  return command === "Sync" || command === "FolderSync" || command === "Ping";
}

function isRefusal(reply: Reply): boolean {
  return reply.kind === "answer" && reply.httpStatus !== 200;
}

/** A Ping that was answered the same way just before gets its answer late. The phone is free as soon as it is let through. */
async function hold(context: Remediation): Promise<void> {
  const until = performance.now() + holdMs;
  for (;;) {
    const next = await context.nextDecision(until - performance.now());
    if (next === "expired" || next === "gone" || next.verdict.action === "allow") return;
  }
}

function about(kind: LoopKind, folder: string): string {
  return `${kind} ${folder}`;
}

function documentOf(reply: Reply): Element | undefined {
  if (reply.kind !== "answer" || reply.httpStatus !== 200 || reply.body === undefined) return undefined;
  const isDocument = reply.headers.some(
    ([name, value]) => name === "Content-Type" && value === "application/vnd.ms-sync.wbxml",
  );
  return isDocument ? decode(reply.body) : undefined;
}

function stepsOfSync(request: Element | undefined, answered: Element | undefined): Step[] {
  const isWhole = request !== undefined && !isPartial(request);
  const incomplete: Step = { kind: "sync-incomplete", folder: "", isProgress: isWhole };
  if (!isWhole) return answered !== undefined && text(answered, "AirSync:Status") === "13" ? [incomplete] : [];
  const statuses = new Map(
    (answered === undefined ? [] : collectionsOf(answered)).map((each) => [idOf(each), text(each, "AirSync:Status")]),
  );
  const steps = collectionsOf(request).flatMap((collection): Step[] => {
    const folder = idOf(collection);
    const status = statuses.get(folder);
    const fetched: Step = { kind: "ping-in-vain", folder, isProgress: true };
    // 3: start anew. 16, and 5 before there was 16: what is uploaded was not taken (MS-ASCMD 2.2.3.177.17).
    const subject = (text(collection, "AirSync:SyncKey") ?? "").slice(0, keyLimit);
    if (status === "3") return [fetched, { kind: "sync-key-refused", folder, subject, isProgress: false }];
    if (status === "16" || status === "5") return [fetched, { kind: "upload-refused", folder, isProgress: false }];
    const found = [fetched];
    if (has(collection, "AirSync:Commands")) found.push({ kind: "upload-refused", folder, isProgress: true });
    if (text(collection, "AirSync:SyncKey") !== "0") return found;
    found.push({ kind: "sync-key-refused", folder, isProgress: true });
    // What upstream makes of it is not ours to count.
    if (status !== undefined) found.push({ kind: "folder-restarted", folder, isProgress: false });
    return found;
  });
  return [incomplete, ...steps];
}

function stepsOfFolderSync(request: Element | undefined, answered: Element | undefined): Step[] {
  const isRefused = answered !== undefined && text(answered, "FolderHierarchy:Status") === "9";
  const startsAnew = request !== undefined && text(request, "FolderHierarchy:SyncKey") === "0";
  if (!isRefused && !startsAnew) return [];
  return [{ kind: "folders-refused", folder: "", isProgress: !isRefused }];
}

function stepsOfPing(answered: Element): Step[] {
  if (!tellsOfChanges(answered)) return [{ kind: "ping-refused", folder: "", isProgress: false }];
  const folders = child(answered, "Ping:Folders");
  const named = folders === undefined ? [] : children(folders, "Ping:Folder");
  return named.map((each) => ({
    kind: "ping-in-vain",
    folder: textOf(each),
    isProgress: false,
  }));
}

function tellsOfChanges(answered: Element): boolean {
  return text(answered, "Ping:Status") === "2";
}
