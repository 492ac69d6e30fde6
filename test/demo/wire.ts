/** A mail server on a free port, and phones that put bytes on its wire: nothing between a test and the protocol. */
import http from "node:http";
import type { TestContext } from "node:test";
import { child, children, element, textOf } from "../../src/activesync/document.ts";
import { decode, encode, type Element, type TagName } from "../../src/activesync/wbxml.ts";
import { createMailServer, type MailServer, type MailServerOptions } from "../../src/demo/mail-server.ts";
import type { Timer } from "../../src/demo/waiting-room.ts";

export const noon = new Date("2026-11-24T12:00:00.000Z");

export const inbox = "5";
export const calendar = "1";
export const contacts = "2";
export const deletedItems = "3";
export const sentItems = "7";
export const tasks = "8";
export const projects = "9";

export interface RunningServer extends MailServer {
  readonly url: string;
  /** Lets every wait end that is not longer than that. */
  readonly passSeconds: (seconds: number) => void;
}

const users = [
  { name: "alice", password: "alice-demo", displayName: "Alice Archer" },
  { name: "bob", password: "bob-demo", displayName: "Bob Baker" },
];

/** Alice and Bob with empty mailboxes, where nothing else is asked for. */
export async function aMailServer(t: TestContext, options: Partial<MailServerOptions> = {}): Promise<RunningServer> {
  const hand = aHandWoundTimer();
  const server = createMailServer({ users, clock: () => noon, seed: "test", timer: hand.timer, ...options });
  const { url, close } = await server.listen();
  t.after(close);
  return { ...server, url, passSeconds: hand.passSeconds };
}

function aHandWoundTimer(): { readonly timer: Timer; readonly passSeconds: (seconds: number) => void } {
  const waiting = new Map<() => void, number>();
  return {
    timer(delayMs, callback) {
      waiting.set(callback, delayMs);
      return () => void waiting.delete(callback);
    },
    passSeconds(seconds) {
      for (const [callback, delayMs] of waiting) if (delayMs <= seconds * 1000) callback();
    },
  };
}

export interface WireAnswer {
  readonly httpStatus: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** @throws where the body is no WBXML */
  readonly root: Element;
}

export interface WireRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: Buffer | undefined;
  readonly signal?: AbortSignal;
}

export function send(
  url: string,
  { method = "POST", path, headers = {}, body, signal }: WireRequest,
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method,
      path,
      headers,
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const whole = Buffer.concat(chunks);
        resolve({
          httpStatus: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          get root() {
            return decode(whole);
          },
        });
      });
    });
    request.end(body);
  });
}

export function basic(login: string, password: string): string {
  return `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`;
}

export interface PhoneOptions {
  readonly user?: string;
  readonly deviceId?: string;
  readonly version?: string;
  readonly headers?: http.OutgoingHttpHeaders;
}

export interface Phone {
  /** Posts the document under the command that its root names. */
  post(root: Element | undefined, more?: PostOptions): Promise<WireAnswer>;
}

export interface PostOptions {
  readonly command?: string;
  readonly query?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
}

export function aPhone(server: RunningServer, options: PhoneOptions = {}): Phone {
  const { user = "alice", deviceId = "PHONE1", version = "14.1" } = options;
  return {
    post(root, { command, query = "", headers = {}, signal } = {}) {
      const name = command ?? root?.tag.split(":")[1] ?? "";
      return send(server.url, {
        path: `/Microsoft-Server-ActiveSync?Cmd=${name}&User=${user}&DeviceId=${deviceId}&DeviceType=Test${query}`,
        headers: {
          Authorization: basic(user, `${user}-demo`),
          "MS-ASProtocolVersion": version,
          ...(root === undefined ? {} : { "Content-Type": "application/vnd.ms-sync.wbxml" }),
          ...options.headers,
          ...headers,
        },
        body: root === undefined ? undefined : encode(root),
        ...(signal === undefined ? {} : { signal }),
      });
    },
  };
}

/** The elements on the way down that path, and the last of them; fails where one is missing. */
export function at(root: Element, ...path: readonly TagName[]): Element {
  let here = root;
  for (const tag of path) {
    const next = child(here, tag);
    if (next === undefined) throw new Error(`no ${tag} in ${here.tag}: ${JSON.stringify(here)}`);
    here = next;
  }
  return here;
}

export function textAt(root: Element, ...path: readonly TagName[]): string {
  return textOf(at(root, ...path));
}

export interface SyncParts {
  readonly folderId?: string;
  readonly parts?: readonly Element[];
  /** Beside the collections. */
  readonly more?: readonly Element[];
}

export function syncDocument(key: string, { folderId = inbox, parts = [], more = [] }: SyncParts = {}): Element {
  return element("AirSync:Sync", element("AirSync:Collections", syncCollection(key, folderId, parts)), more);
}

export function syncCollection(key: string, folderId: string, parts: readonly Element[] = []): Element {
  return element(
    "AirSync:Collection",
    element("AirSync:SyncKey", key),
    element("AirSync:CollectionId", folderId),
    parts,
  );
}

export function commands(...parts: readonly Element[]): Element {
  return element("AirSync:Commands", parts);
}

export function pingDocument(seconds: number, ...folderIds: readonly string[]): Element {
  return element(
    "Ping:Ping",
    element("Ping:HeartbeatInterval", String(seconds)),
    element(
      "Ping:Folders",
      folderIds.map((id) => element("Ping:Folder", element("Ping:Id", id), element("Ping:Class", "Email"))),
    ),
  );
}

const collectionPath = ["AirSync:Collections", "AirSync:Collection"] as const;

/** What a Sync says about its first collection. */
export function readSync(root: Element): {
  readonly key: string;
  readonly status: string;
  readonly more: boolean;
  readonly added: readonly Element[];
  readonly changed: readonly Element[];
  readonly deleted: readonly string[];
  readonly softDeleted: readonly string[];
  readonly responses: readonly Element[];
} {
  const collection = at(root, ...collectionPath);
  const list = child(collection, "AirSync:Commands") ?? element("AirSync:Commands");
  const ids = (tag: TagName): readonly string[] => children(list, tag).map((one) => textAt(one, "AirSync:ServerId"));
  const responses = child(collection, "AirSync:Responses");
  return {
    key: textAt(collection, "AirSync:SyncKey"),
    status: textAt(collection, "AirSync:Status"),
    more: child(collection, "AirSync:MoreAvailable") !== undefined,
    added: children(list, "AirSync:Add"),
    changed: children(list, "AirSync:Change"),
    deleted: ids("AirSync:Delete"),
    softDeleted: ids("AirSync:SoftDelete"),
    responses: responses?.content.filter((part) => typeof part === "object" && "tag" in part) ?? [],
  };
}

export function subjects(items: readonly Element[]): readonly string[] {
  return items.map((item) => textAt(item, "AirSync:ApplicationData", "Email:Subject"));
}

/** Primes the folder and fetches what is in it. Returns the key to go on with. */
export async function syncFromTheStart(phone: Phone, parts: SyncParts = {}): Promise<ReturnType<typeof readSync>> {
  const primed = readSync((await phone.post(syncDocument("0", { folderId: parts.folderId ?? inbox }))).root);
  const answer = await phone.post(syncDocument(primed.key, parts));
  if (answer.body.length === 0)
    return { ...primed, added: [], changed: [], deleted: [], softDeleted: [], responses: [] };
  return readSync(answer.root);
}

/** Alice's inbox with a message of each subject, the last of them the newest. */
export async function anInboxWith(
  t: TestContext,
  ...lines: readonly string[]
): Promise<{ server: RunningServer; phone: Phone }> {
  const server = await aMailServer(t);
  for (const [index, subject] of lines.entries()) {
    const receivedAt = new Date(noon.getTime() - (lines.length - index) * 60_000);
    server.deliver("alice", { from: "carol@demo.example", subject, text: `About ${subject}.`, receivedAt });
  }
  return { server, phone: aPhone(server) };
}

/** What a phone uploads about an item that it has. */
export function change(serverId: string, ...properties: readonly Element[]): Element {
  return element(
    "AirSync:Change",
    element("AirSync:ServerId", serverId),
    element("AirSync:ApplicationData", properties),
  );
}
