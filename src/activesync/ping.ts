/** Ping (MS-ASCMD 2.2.1.13): read from a request, remembered between requests, and answered while the phone is in quarantine. */
import type { Decision, Remediation } from "../gateway/protocol.ts";
import type { MailboxChange, MailboxState, RememberedPing } from "../store/store.ts";
import { child, children, element, text } from "./document.ts";
import { allHeld } from "../policy/held-folders.ts";
import type { HeldFolders } from "../policy/held-folders.ts";
import { isEmptied, kindOf } from "./folders.ts";
import { currentRevision, QUARANTINE_REVISION_MS } from "./mailbox-view.ts";
import { createPhoneMemory } from "./phone-memory.ts";
import type { RememberedPhone } from "./phone-memory.ts";
import type { Element } from "./wbxml.ts";

/** Seconds. Below it a phone would ask too often, above it networks drop the connection (MS-ASCMD 2.2.3.87.1). */
const shortestHeartbeat = 60;
const longestHeartbeat = 3540;
/** A longer one is refused all the same, whatever it is. */
const readHeartbeatLimit = 86_400;
/** 200 folders, as many as a Sync may name: phones wait for under 50. Each is looked up, and all are remembered. */
const PING_FOLDERS_LIMIT = 200;
/** What MS-ASCMD allows an id, twice: some servers count bytes. A name of a class has 8 characters at most. */
const FOLDER_ID_LIMIT_CHARACTERS = 128;
const FOLDER_CLASS_LIMIT_CHARACTERS = 32;

/** A Ping as it was asked; parts that are left out stay as they were said before. */
export interface PingRequest {
  readonly heartbeatSeconds: number | undefined;
  readonly folders: RememberedPing["folders"] | undefined;
  /** Set where nothing of the folders is kept, nor said again. */
  readonly fault?: "too-many-folders" | "no-folder" | undefined;
}

export function readPing(document: Element | undefined): PingRequest {
  if (document === undefined) return { heartbeatSeconds: undefined, folders: undefined };
  const heartbeat = text(document, "Ping:HeartbeatInterval");
  const list = child(document, "Ping:Folders");
  const folders = list === undefined ? [] : children(list, "Ping:Folder");
  const heartbeatSeconds =
    heartbeat !== undefined && /^\d+$/.test(heartbeat) ? Math.min(Number(heartbeat), readHeartbeatLimit) : undefined;
  if (folders.length > PING_FOLDERS_LIMIT) return { heartbeatSeconds, folders: undefined, fault: "too-many-folders" };
  const named = folders.map((folder) => ({
    id: text(folder, "Ping:Id") ?? "",
    class: text(folder, "Ping:Class") ?? "",
  }));
  if (!named.every(isFolder)) return { heartbeatSeconds, folders: undefined, fault: "no-folder" };
  return { heartbeatSeconds, folders: named.length === 0 ? undefined : named };
}

function isFolder({ id, class: folderClass }: RememberedPing["folders"][number]): boolean {
  return id !== "" && id.length <= FOLDER_ID_LIMIT_CHARACTERS && folderClass.length <= FOLDER_CLASS_LIMIT_CHARACTERS;
}

/** The whole Ping that a request stands for; undefined where something was never said, or cannot be meant. */
export function completePing(request: PingRequest, remembered: RememberedPing | undefined): RememberedPing | undefined {
  if (request.fault !== undefined) return undefined;
  const heartbeatSeconds = request.heartbeatSeconds ?? remembered?.heartbeatSeconds;
  const folders = request.folders ?? remembered?.folders;
  return heartbeatSeconds === undefined || folders === undefined ? undefined : { heartbeatSeconds, folders };
}

export function samePing(a: RememberedPing, b: RememberedPing | undefined): boolean {
  return (
    b !== undefined &&
    a.heartbeatSeconds === b.heartbeatSeconds &&
    a.folders.length === b.folders.length &&
    a.folders.every(
      ({ id, class: folderClass }, index) => b.folders[index]?.id === id && b.folders[index].class === folderClass,
    )
  );
}

/** What is written down of a Ping that the gate answers: upstream has not heard of what the phone says in it. */
export function keptPing(
  request: PingRequest,
  ping: RememberedPing,
  { ping: before, unheard }: MailboxState,
): MailboxChange | undefined {
  const saysNothing = request.folders === undefined && request.heartbeatSeconds === undefined;
  if (saysNothing || (samePing(ping, before) && unheard.has("Ping"))) return undefined;
  return { ping, unheard: ["Ping"] };
}

/** All of it, for whoever has not heard of what is left out. */
export function wholePing({ heartbeatSeconds, folders }: RememberedPing): Element {
  return element(
    "Ping:Ping",
    element("Ping:HeartbeatInterval", String(heartbeatSeconds)),
    element(
      "Ping:Folders",
      folders.map(({ id, class: folderClass }) =>
        element(
          "Ping:Folder",
          element("Ping:Id", id),
          folderClass === "" ? undefined : element("Ping:Class", folderClass),
        ),
      ),
    ),
  );
}

function pingStatus(status: string, ...parts: readonly Element[]): Element {
  return element("Ping:Ping", element("Ping:Status", status), ...parts);
}

/** Status 2 must name folders: clients take one that names none for a broken answer. */
export function pingChanges(folders: readonly string[]): Element {
  return pingStatus("2", element("Ping:Folders", ...folders.map((id) => element("Ping:Folder", id))));
}

/**
 * How often a phone is told to look into a folder in which there is something that it has not seen. It may never look (a
 * folder that it no longer shows), and a Ping that always comes back at once drains its battery.
 */
export interface Nudges {
  allow(phone: RememberedPhone, folder: string, now: number): boolean;
  /** The phone has looked. The next time that there is something, it is told as often again. */
  settle(phone: RememberedPhone, folder: string): void;
}

const nudgesAtOnce = 3;
const nudgeAgainMs = 3_600_000;

export function createNudges(): Nudges {
  const memory = createPhoneMemory<{ readonly count: number; readonly last: number }>();
  return {
    allow(phone, folder, now): boolean {
      const before = memory.recall(phone, folder);
      // A clock that was set back must not keep a phone from its notice for longer than an hour.
      const lately = before !== undefined && Math.abs(now - before.last) < nudgeAgainMs;
      if (lately && before.count >= nudgesAtOnce) return false;
      memory.keep(phone, folder, { count: (before?.count ?? 0) + 1, last: now });
      return true;
    },
    settle: (phone, folder) => memory.forget(phone, folder),
  };
}

/** Answers a Ping of a phone in quarantine: sends it to fetch the notice, and then waits with it for its release. */
export async function answerPing(
  request: PingRequest,
  context: Remediation,
  nudges: Nudges,
  held: HeldFolders,
): Promise<Element> {
  const { device } = context.decision;
  // 6 names how many there may be, 4 says that the request is none (MS-ASCMD 2.2.3.177.11).
  if (request.fault === "too-many-folders")
    return pingStatus("6", element("Ping:MaxFolders", String(PING_FOLDERS_LIMIT)));
  if (request.fault === "no-folder") return pingStatus("4");
  const ping = completePing(request, device?.mailbox.ping);
  if (device === undefined || ping === undefined) return pingStatus("3");
  const bound = heartbeatBound(ping.heartbeatSeconds);
  if (bound !== undefined) return pingStatus("5", element("Ping:HeartbeatInterval", String(bound)));
  const said = keptPing(request, ping, device.mailbox);
  if (said !== undefined) await context.remember(said);

  const mailbox: MailboxState = { ...device.mailbox, ping };
  const isReworded = isOutdated(context);
  const nudged = ping.folders
    .map(({ id }) => id)
    .filter((id) => {
      const kind = kindOf({ collectionId: id, collection: undefined }, mailbox, held);
      if (!isEmptied(kind)) return false;
      if (!mailbox.issued.has(id) || (kind === "inbox" && isReworded))
        return nudges.allow(device, id, context.now.getTime());
      nudges.settle(device, id);
      return false;
    });
  if (nudged.length > 0) return pingChanges(nudged);
  return waitForNews(ping, context, held);
}

/** Whether the Inbox gets a new revision of the notice when the phone looks. Its words may have changed between two Pings. */
function isOutdated({ decision: { device, notice }, now }: Remediation): boolean {
  if (device === undefined || notice === undefined) return false;
  const known = device.mailbox.notice;
  return currentRevision(known, notice, QUARANTINE_REVISION_MS, now) !== known;
}

async function waitForNews(ping: RememberedPing, context: Remediation, held: HeldFolders): Promise<Element> {
  const digest = context.decision.notice?.digest;
  const until = performance.now() + ping.heartbeatSeconds * 1000;
  for (;;) {
    const next: Decision | "expired" | "gone" = await context.nextDecision(until - performance.now());
    if (next === "expired" || next === "gone") return timeIsOver(ping, context, held);
    // Held folders too: changes wait for them upstream.
    if (next.verdict.action === "allow") return pingChanges(ping.folders.map(({ id }) => id));
    if (next.notice !== undefined && next.notice.digest !== digest && next.device !== undefined) {
      const { mailbox } = next.device;
      const inboxes = ping.folders
        .map(({ id }) => id)
        .filter((id) => kindOf({ collectionId: id, collection: undefined }, mailbox, held) === "inbox");
      if (inboxes.length > 0) return pingChanges(inboxes);
    }
  }
}

/** What is new in a folder that is allowed is known upstream only, so the phone looks each time that it has waited. */
function timeIsOver(ping: RememberedPing, { decision }: Remediation, held: HeldFolders): Element {
  const mailbox = decision.device?.mailbox;
  const allowed = ping.folders
    .map(({ id }) => id)
    .filter(
      (id) => mailbox !== undefined && kindOf({ collectionId: id, collection: undefined }, mailbox, held) === "allowed",
    );
  return allowed.length === 0 ? pingStatus("1") : pingChanges(allowed);
}

function heartbeatBound(seconds: number): number | undefined {
  if (seconds < shortestHeartbeat) return shortestHeartbeat;
  return seconds > longestHeartbeat ? longestHeartbeat : undefined;
}

/** The exact answer that ends a Ping which upstream holds, when its phone enters quarantine. */
export function interruptPing(
  request: PingRequest | undefined,
  mailbox: MailboxState,
  held: HeldFolders = allHeld,
): Element | undefined {
  const ping = request === undefined ? undefined : completePing(request, mailbox.ping);
  // What the phone waits for is not known: it says it again in full.
  if (ping === undefined) return pingStatus("3");
  const state: MailboxState = { ...mailbox, ping };
  const mail = ping.folders
    .map(({ id }) => id)
    .filter((id) => isEmptied(kindOf({ collectionId: id, collection: undefined }, state, held)));
  return mail.length === 0 ? undefined : pingChanges(mail);
}
