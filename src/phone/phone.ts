/**
 * A small ActiveSync phone. It shows what a person would see behind any gateway or server, and shares nothing with the
 * gate except the codec, so that the one can be held against the other.
 */
import { randomBytes } from "node:crypto";
import { openConnection } from "./connection.ts";
import { dialectOf, newestCommon, type ProtocolVersion } from "./dialect.ts";
import { PhoneError } from "./errors.ts";
import { createExchange, type Identity, type ServerAbilities } from "./exchange.ts";
import { estimate, fetchItem, type BodyWish, type FetchedBody } from "./fetch.ts";
import { syncFolders, type FoldersChanged } from "./hierarchy.ts";
import { createJournal, type JournalEntry } from "./journal.ts";
import { defaultFolder, dropItem, findFolder, folderOf } from "./mailbox.ts";
import { moveItem, type Moved } from "./move.ts";
import { flushOutbox, queueMail, type NewMail, type Sent } from "./outbox.ts";
import type { Outcome, Trouble } from "./outcome.ts";
import { ping, type PingOutcome } from "./ping.ts";
import { provision, withProvisioning, type Provisioned } from "./provision.ts";
import { prepare, refreshAll, type Refreshed, type RefreshOptions } from "./refresh.ts";
import {
  emptyState,
  type Item,
  type Loss,
  type NewContact,
  type NewDraft,
  type NewEvent,
  type NewNote,
  type NewTask,
  type OutgoingMessage,
  type Pending,
  type PhoneState,
} from "./state.ts";
import { syncFolder, type FolderSynced, type SyncOptions } from "./sync.ts";
import { listContacts, listEvents, listFolders, listInbox, listMessages } from "./lists.ts";
import type { ContactEntry, EventEntry, FolderEntry, InboxMessage } from "./lists.ts";

export type PhoneOptions = {
  /** The server, or the whole address of its ActiveSync endpoint. */
  readonly url: string | URL;
  readonly user: string;
  /** What stands in From; where it is missing the user, completed by the name of the server. */
  readonly address?: string;
  readonly deviceId: string;
  readonly deviceType?: string;
  readonly userAgent?: string;
  /** Without it the phone asks with OPTIONS and takes the newest that it has been tried with. */
  readonly protocolVersion?: ProtocolVersion;
  readonly queryForm?: "plain" | "base64";
  /** In the base64 form: a hexadecimal id as bytes, as Windows phones write it. */
  readonly packDeviceId?: boolean;
  /** PEM. */
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly acceptLanguage?: string;
  readonly requestTimeoutMs?: number;
  /** Ping says everything every time. */
  readonly pingInFull?: boolean;
  /** Loses what it has not handed over when the server resets it, as Android's own mail app does. */
  readonly forgetful?: boolean;
  readonly state?: PhoneState;
  readonly now?: () => Date;
} & ({ readonly password: string } | { readonly token: string });

/** What an item is called by. */
interface ItemName {
  readonly folder: string;
  readonly id: string;
}

export interface Phone {
  options(): Promise<Outcome<ServerAbilities>>;
  provision(): Promise<Outcome<Provisioned>>;
  folderSync(): Promise<Outcome<FoldersChanged>>;
  /** By id or by name; `Inbox` is the inbox whatever it is called. @throws PhoneError */
  sync(folder: string, options?: SyncOptions): Promise<Outcome<FolderSynced>>;
  /** Everything that is due: policy, folders, outbox, all mail, and whatever else is in use. */
  refresh(options?: RefreshOptions): Promise<Outcome<Refreshed>>;
  ping(seconds: number, signal?: AbortSignal): Promise<PingOutcome>;
  fetch(item: ItemName, wish?: BodyWish): Promise<Outcome<FetchedBody>>;
  markRead(item: ItemName, read?: boolean): Promise<Outcome<FolderSynced>>;
  deleteItem(item: ItemName): Promise<Outcome<FolderSynced>>;
  /** Queues the message and tries to hand over the whole outbox. */
  send(mail: NewMail): Promise<Outcome<Sent>>;
  flushOutbox(): Promise<Outcome<Sent>>;
  addEvent(event: NewEvent): Promise<Outcome<FolderSynced>>;
  addContact(contact: NewContact): Promise<Outcome<FolderSynced>>;
  addTask(task: NewTask): Promise<Outcome<FolderSynced>>;
  addNote(note: NewNote): Promise<Outcome<FolderSynced>>;
  /** Kept on the server too, from 16.0. */
  saveDraft(draft: NewDraft): Promise<Outcome<FolderSynced>>;
  changeEvent(event: ItemName, to: NewEvent): Promise<Outcome<FolderSynced>>;
  /** Answers a message; its words are added by the server. */
  reply(message: ItemName, mail: NewMail): Promise<Outcome<Sent>>;
  /** A message stays where it was unless the server has moved it. */
  move(message: ItemName, folder: string): Promise<Outcome<Moved>>;
  getItemEstimate(folder: string): Promise<Outcome<{ items: number }>>;

  /** What the person sees, newest first. */
  inbox(): InboxMessage[];
  messages(folder: string): InboxMessage[];
  folders(): FolderEntry[];
  outbox(): OutgoingMessage[];
  calendar(): EventEntry[];
  contacts(): ContactEntry[];
  /** What was done here and is not acknowledged. */
  pending(): Pending[];
  /** What was written here and is gone without having reached the server. */
  losses(): Loss[];
  version(): ProtocolVersion;
  state(): PhoneState;
  journal(): readonly JournalEntry[];
  close(): void;
}

const testedVersions: readonly ProtocolVersion[] = ["2.5", "12.0", "12.1", "14.0", "14.1"];
const requestTimeoutMs = 90_000;

export function createPhone(options: PhoneOptions): Phone {
  const url = endpoint(options.url);
  const state = structuredClone(options.state ?? emptyState(options.user, options.deviceId));
  if (state.user !== options.user || state.deviceId !== options.deviceId) {
    throw new PhoneError("state", "this is the state of another phone or of another person");
  }
  const identity = identify(options);
  const connection = openConnection({ url, ca: options.ca, insecure: options.insecure ?? false });
  const journal = createJournal();
  const exchange = withProvisioning(
    createExchange({
      identity,
      connection,
      state,
      journal,
      requestTimeoutMs: options.requestTimeoutMs ?? requestTimeoutMs,
    }),
  );
  const now = options.now ?? (() => new Date());
  const from = options.address ?? (options.user.includes("@") ? options.user : `${options.user}@${url.hostname}`);
  const forgetful = options.forgetful ?? false;

  /** Everything but OPTIONS depends on the version, so it is found out first. */
  async function ready(): Promise<Trouble | undefined> {
    if (identity.version !== undefined || state.version !== null) return undefined;
    const abilities = await exchange.askAbilities();
    if (abilities.kind !== "ok") return abilities;
    const common = newestCommon(
      abilities.versions.filter((version) => testedVersions.some((each) => each === version)),
    );
    const version = common ?? newestCommon(abilities.versions);
    if (version === undefined) throw new PhoneError("answer-unreadable", "OPTIONS names no protocol version we know");
    checkQueryForm(version, identity.queryForm);
    state.version = version;
    return undefined;
  }

  async function whenReady<Result>(run: () => Promise<Result>): Promise<Result | Trouble> {
    return (await ready()) ?? run();
  }

  const sync = (folder: string, wishes: SyncOptions): Promise<Outcome<FolderSynced>> =>
    whenReady(() => syncFolder(exchange, folder, wishes, forgetful));

  async function upload(kind: Parameters<typeof defaultFolder>[1], entry: (folder: string) => Pending) {
    return whenReady(async () => {
      const trouble = await prepare(exchange, forgetful);
      if (trouble !== undefined) return trouble;
      const folder = defaultFolder(state, kind);
      state.pending.push(entry(folder.id));
      return syncFolder(exchange, folder.id, {}, forgetful);
    });
  }

  return {
    options: () => exchange.askAbilities(),
    provision: () => whenReady(() => provision(exchange)),
    folderSync: () => whenReady(() => syncFolders(exchange, forgetful)),
    sync: async (folder, wishes = {}) => sync(findFolder(state, folder).id, wishes),
    refresh: (wishes = {}) => whenReady(() => refreshAll(exchange, wishes, from, forgetful)),
    ping: (seconds, signal) =>
      whenReady(() => ping(exchange, { seconds, signal, inFull: options.pingInFull ?? false, forgetful })),
    fetch: (item, wish = "text") => whenReady(() => fetchItem(exchange, item.folder, item.id, wish)),

    async markRead({ folder, id }, read = true) {
      const item = itemIn(state, folder, id, "message");
      item.read = read;
      replacePending(state, { kind: "read", folder, item: id, read });
      return sync(folder, {});
    },
    async deleteItem({ folder, id }) {
      itemIn(state, folder, id);
      dropItem(folderOf(state, folder), id);
      replacePending(state, { kind: "delete", folder, item: id });
      return sync(folder, {});
    },
    async send(mail) {
      queueMail(exchange, mail, from, now());
      return whenReady(() => flushOutbox(exchange, from));
    },
    flushOutbox: () => whenReady(() => flushOutbox(exchange, from)),
    addEvent: (event) => upload("Calendar", (folder) => ({ kind: "add-event", folder, clientId: newId(), event })),
    addContact: (contact) =>
      upload("Contacts", (folder) => ({ kind: "add-contact", folder, clientId: newId(), contact })),
    addTask: (task) => upload("Tasks", (folder) => ({ kind: "add-task", folder, clientId: newId(), task })),
    addNote: (note) => upload("Notes", (folder) => ({ kind: "add-note", folder, clientId: newId(), note })),
    saveDraft: (draft) => upload("Drafts", (folder) => ({ kind: "add-draft", folder, clientId: newId(), draft })),
    async changeEvent({ folder, id }, event) {
      const item = itemIn(state, folder, id, "event");
      Object.assign(item, event);
      replacePending(state, { kind: "change-event", folder, item: id, event });
      return sync(folder, {});
    },
    async reply(message, mail) {
      queueMail(exchange, mail, from, now(), message);
      return whenReady(() => flushOutbox(exchange, from));
    },
    move: (message, folder) => whenReady(() => moveItem(exchange, message, findFolder(state, folder))),
    getItemEstimate: (folder) => whenReady(() => estimate(exchange, findFolder(state, folder))),

    inbox: () => listInbox(state),
    messages: (folder) => listMessages(findFolder(state, folder)),
    folders: () => listFolders(state),
    outbox: () => structuredClone(state.outbox),
    calendar: () => listEvents(state),
    contacts: () => listContacts(state),
    pending: () => structuredClone(state.pending),
    losses: () => structuredClone(state.losses),
    version: () => exchange.dialect().version,
    state: () => structuredClone(state),
    journal: () => journal.entries(),
    close: () => connection.close(),
  };
}

function newId(): string {
  return randomBytes(16).toString("hex");
}

/** A later word about the same item takes the place of the earlier one. */
function replacePending(state: PhoneState, entry: Extract<Pending, { item: string }>): void {
  state.pending = state.pending.filter(
    (other) => !("item" in other) || other.folder !== entry.folder || other.item !== entry.item,
  );
  state.pending.push(entry);
}

function itemIn(state: PhoneState, folder: string, id: string): Item;
function itemIn<Kind extends Item["kind"]>(
  state: PhoneState,
  folder: string,
  id: string,
  kind: Kind,
): Extract<Item, { kind: Kind }>;
function itemIn(state: PhoneState, folder: string, id: string, kind?: Item["kind"]): Item {
  const item = folderOf(state, folder).items.find((each) => each.id === id);
  if (item === undefined || (kind !== undefined && item.kind !== kind)) {
    throw new PhoneError("no-such-item", `no ${kind ?? "item"} ${id} in folder ${folder}`);
  }
  return item;
}

/** Where a server is named without a path, the path is the one that every ActiveSync server has. */
function endpoint(given: string | URL): URL {
  if (!URL.canParse(String(given))) throw new PhoneError("options", "the address of the server cannot be read");
  const url = new URL(given);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new PhoneError("options", "the address of the server begins with http: or https:");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new PhoneError("options", "the address of the server holds no user, no query and no fragment");
  }
  if (url.pathname === "/") url.pathname = "/Microsoft-Server-ActiveSync";
  return url;
}

function identify(options: PhoneOptions): Identity {
  const { user, deviceId, deviceType = "SmartPhone", queryForm = "plain", packDeviceId = false } = options;
  if (user === "") throw new PhoneError("options", "the user has no name");
  // MS-ASHTTP 2.2.1.1.1.2: what is outside of this no server has to understand.
  if (!/^[A-Za-z0-9]{1,32}$/u.test(deviceId))
    throw new PhoneError("options", "a device id is 1 to 32 letters and digits");
  if (packDeviceId && !/^([0-9A-Fa-f]{2})+$/u.test(deviceId)) {
    throw new PhoneError("options", "only a hexadecimal device id can be packed");
  }
  if (options.protocolVersion !== undefined) checkQueryForm(options.protocolVersion, queryForm);
  return {
    user,
    authorization:
      "token" in options
        ? `Bearer ${options.token}`
        : `Basic ${Buffer.from(`${user}:${options.password}`).toString("base64")}`,
    deviceId,
    packedDeviceId: packDeviceId ? Buffer.from(deviceId, "hex") : deviceId,
    deviceType,
    userAgent: options.userAgent ?? "Postern-Phone/1.0",
    acceptLanguage: options.acceptLanguage,
    queryForm,
    version: options.protocolVersion,
    echoCookies: "token" in options,
  };
}

function checkQueryForm(version: ProtocolVersion, form: Identity["queryForm"]): void {
  if (form === "plain" || dialectOf(version).base64Query) return;
  throw new PhoneError("options", `protocol version ${version} has no base64 query`);
}
