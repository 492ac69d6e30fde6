/** Ping (MS-ASCMD 2.2.1.13): held until there is something to fetch. */
import { child, children, element } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { PingParameters } from "./devices.ts";
import { answerDocument, field, type Answer, type Office, type PhoneRequest } from "./phone-request.ts";
import { pendingChanges, type Known } from "./sync-changes.ts";

const EXPIRED = 1;
const CHANGES = 2;
const PARAMETERS_MISSING = 3;
const MALFORMED = 4;
const HEARTBEAT_REFUSED = 5;
const TOO_MANY_FOLDERS = 6;
const HIERARCHY_CHANGED = 7;

const FOLDER_LIMIT = 200;

export async function pingCommand(request: PhoneRequest, office: Office): Promise<Answer> {
  const { account, device } = request;
  const waitName = `${device.name}/ping`;
  office.waitingRoom.replace(waitName);

  const parameters = readParameters(request.root, device.ping);
  if (parameters === undefined) return answerPing(PARAMETERS_MISSING);
  if (parameters === "malformed") return answerPing(MALFORMED);
  const { heartbeatSeconds, folderIds } = parameters;
  const { minimumSeconds, maximumSeconds } = office.heartbeat;
  if (heartbeatSeconds < minimumSeconds || heartbeatSeconds > maximumSeconds) {
    const nearest = heartbeatSeconds < minimumSeconds ? minimumSeconds : maximumSeconds;
    return answerPing(HEARTBEAT_REFUSED, element("Ping:HeartbeatInterval", String(nearest)));
  }
  if (folderIds.length > FOLDER_LIMIT) {
    return answerPing(TOO_MANY_FOLDERS, element("Ping:MaxFolders", String(FOLDER_LIMIT)));
  }
  const exist = (): boolean => folderIds.every((id) => account.mailbox.folder(id) !== undefined);
  if (!exist()) return answerPing(HIERARCHY_CHANGED);
  device.ping = parameters;

  const baselines = readBaselines(folderIds, request, office);
  const changed = (): readonly string[] => changedFolders(baselines, request, office);
  let news = changed();
  if (news.length > 0) return answerChanges(news);
  const end = await office.waitingRoom.wait({
    name: waitName,
    mailbox: account.mailbox,
    concerns(folderId): boolean {
      if (!exist()) return true;
      if (folderId === undefined || !baselines.has(folderId)) return false;
      // Kept as it was then: a Sync of the same phone that waits may fetch it before this Ping is answered.
      news = changed();
      return news.length > 0;
    },
    timeoutMs: heartbeatSeconds * 1000,
    gone: request.gone,
  });
  if (end !== "changed") return answerPing(EXPIRED);
  return exist() ? answerChanges(news) : answerPing(HIERARCHY_CHANGED);
}

function readParameters(
  root: Element | undefined,
  cached: PingParameters | undefined,
): PingParameters | "malformed" | undefined {
  // Each half may be left out once it has been said, and so may the whole body.
  const heartbeat = field(root, "Ping:HeartbeatInterval");
  const list = root === undefined ? undefined : child(root, "Ping:Folders");
  const folders =
    list === undefined ? undefined : children(list, "Ping:Folder").map((folder) => field(folder, "Ping:Id"));
  if (heartbeat !== undefined && !/^\d+$/.test(heartbeat)) return "malformed";
  if (folders?.some((id) => id === undefined || id === "") === true) return "malformed";

  const heartbeatSeconds = heartbeat === undefined ? cached?.heartbeatSeconds : Number(heartbeat);
  const folderIds = folders?.filter((id) => id !== undefined) ?? cached?.folderIds;
  if (heartbeatSeconds === undefined || folderIds === undefined || folderIds.length === 0) return undefined;
  return { heartbeatSeconds, folderIds: [...new Set(folderIds)] };
}

/** What the phone knows of each folder. One that was never synced counts as known, or its Ping would never rest. */
function readBaselines(
  folderIds: readonly string[],
  { account, device }: PhoneRequest,
  { devices }: Office,
): ReadonlyMap<string, Known> {
  return new Map(
    folderIds.map((id) => {
      const state = devices.collection(device, id).ring.current?.state;
      return [id, state?.known ?? new Map(account.mailbox.items(id).map((item) => [item.id, item.revision]))];
    }),
  );
}

function changedFolders(
  baselines: ReadonlyMap<string, Known>,
  { account, device }: PhoneRequest,
  { devices, now }: Office,
): readonly string[] {
  return [...baselines].flatMap(([id, known]) => {
    const folder = account.mailbox.folder(id);
    if (folder === undefined) return [];
    const { ring, options } = devices.collection(device, id);
    // A Sync may have moved on while the Ping was waiting: then that is what the phone knows.
    const latest = ring.current?.state.known ?? known;
    return pendingChanges(account.mailbox, folder, latest, options, now()).length > 0 ? [id] : [];
  });
}

function answerChanges(folderIds: readonly string[]): Answer {
  const folders = folderIds.map((id) => element("Ping:Folder", id));
  return answerPing(CHANGES, element("Ping:Folders", folders));
}

function answerPing(status: number, ...parts: readonly Element[]): Answer {
  return answerDocument("Ping:Ping", element("Ping:Status", String(status)), ...parts);
}
