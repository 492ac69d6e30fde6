/**
 * The hash behind one phone's mailbox state. Only Postern writes it, and all nodes do: each part has a field of its own,
 * so that two nodes do not undo each other. What cannot be read is left out; the phone then learns it anew.
 */
import { bad, fitsField, got, isJsonObject, readJson, readTime } from "./field-values.ts";
import type { Reading } from "./field-values.ts";
import type { FieldChange } from "./record.ts";
import type {
  MailboxChange,
  MailboxState,
  NoticeRevision,
  RememberedPing,
  ShadowKey,
  ShortCommand,
  WarningState,
} from "./store.ts";

/** 2 000: more folders than mail apps survive; the rest keep working, only their type is not remembered. */
export const MAILBOX_FOLDERS_LIMIT = 2_000;
/** 64 characters is what MS-ASCMD allows a ServerId (2.2.3.166); twice that for servers that count bytes. */
export const SERVER_ID_LIMIT = 128;
/** A phone that has not been seen for 400 days has been replaced: longer than a year's leave, and a bound for the store. */
export const MAILBOX_TTL_SECONDS = 400 * 86_400;
/** Revisions are part of a gateway key, which has room for no more. */
const REVISION_LIMIT = 4_999;
const FOLDER_TYPE_LIMIT = 255;
/** 3 540 s is the longest heartbeat that servers accept; a day leaves room for the odd one. */
const HEARTBEAT_LIMIT_SECONDS = 86_400;

const folderField = "folder:";
const issuedField = "issued:";
const unheardField = "unheard:";
const shortCommands: readonly ShortCommand[] = ["Sync", "Ping"];

export const emptyMailbox: MailboxState = {
  folders: new Map(),
  issued: new Set(),
  unheard: new Set(),
  ping: undefined,
  notice: undefined,
  warning: undefined,
};

export function parseMailbox(fields: ReadonlyMap<string, string>): MailboxState {
  const folders = new Map<string, number>();
  const issued = new Set<string>();
  for (const [field, text] of fields) {
    if (field.startsWith(folderField)) {
      const type = readNumber(text, FOLDER_TYPE_LIMIT);
      const id = field.slice(folderField.length);
      if (type !== undefined && isServerId(id) && folders.size < MAILBOX_FOLDERS_LIMIT) folders.set(id, type);
    } else if (field.startsWith(issuedField)) {
      // The name is what counts: a time that cannot be read does not make the key that the phone holds go away.
      const id = field.slice(issuedField.length);
      if (isServerId(id) && issued.size < MAILBOX_FOLDERS_LIMIT) issued.add(id);
    }
  }
  return {
    folders,
    issued,
    unheard: new Set(shortCommands.filter((command) => fields.has(unheardField + command))),
    ping: valueOf(fields, "ping", readPing),
    notice: valueOf(fields, "notice", readNotice),
    warning: valueOf(fields, "warning", readWarning),
  };
}

/** Whether a change can only be worked out against the hash as it stands: it replaces, or adds what has a limit. */
export function dependsOnCurrent(change: MailboxChange): boolean {
  return change.folders !== undefined || (change.issue?.length ?? 0) > 0;
}

/** The fields that a change sets and removes in a hash that holds `current`. */
export function encodeMailboxChange(
  change: MailboxChange,
  current: ReadonlyMap<string, string>,
  now: Date,
): FieldChange {
  const set = new Map<string, string>();
  const remove = new Set<string>();
  const here = [...current.keys()];
  const { folders, drained = [], issue = [], heard = [], unheard = [] } = change;

  for (const id of folders?.remove ?? []) remove.add(folderField + id);
  if (folders?.replace === true) for (const field of here) if (field.startsWith(folderField)) remove.add(field);
  // Drained before issued: a change that says both has issued a new key after the old one was given back.
  for (const id of drained) remove.add(issuedField + id);
  for (const command of heard) remove.add(unheardField + command);
  for (const command of unheard) set.set(unheardField + command, now.toISOString());

  const roomFor = (prefix: string): number =>
    MAILBOX_FOLDERS_LIMIT - here.filter((field) => field.startsWith(prefix) && !remove.has(field)).length;
  const isKept = (field: string): boolean => current.has(field) && !remove.has(field);

  let folderRoom = roomFor(folderField);
  for (const [id, type] of folders?.set ?? []) {
    const field = folderField + id;
    if (!isServerId(id) || readNumber(String(type), FOLDER_TYPE_LIMIT) === undefined) continue;
    if (!isKept(field) && folderRoom-- <= 0) continue;
    set.set(field, String(type));
  }
  let issueRoom = roomFor(issuedField);
  for (const id of new Set(issue)) {
    const field = issuedField + id;
    if (!isServerId(id) || (!isKept(field) && issueRoom-- <= 0)) continue;
    set.set(field, now.toISOString());
  }
  if (change.ping !== undefined) set.set("ping", JSON.stringify(change.ping));
  if (change.notice !== undefined) set.set("notice", JSON.stringify(change.notice));
  if (change.warning === null) remove.add("warning");
  else if (change.warning !== undefined) set.set("warning", JSON.stringify(change.warning));
  return { set, remove: [...remove].filter((field) => !set.has(field)) };
}

function isServerId(id: string): boolean {
  return id !== "" && id.length <= SERVER_ID_LIMIT;
}

function readNumber(text: string, limit: number): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= limit ? number : undefined;
}

function valueOf<T>(
  fields: ReadonlyMap<string, string>,
  field: string,
  read: (value: unknown) => Reading<T>,
): T | undefined {
  const text = fields.get(field);
  if (text === undefined || !fitsField(text)) return undefined;
  const json = readJson(text);
  const reading = json.ok ? read(json.value) : json;
  return reading.ok ? reading.value : undefined;
}

function readPing(value: unknown): Reading<RememberedPing> {
  if (!isJsonObject(value)) return bad("is not an object");
  const { heartbeatSeconds, folders } = value;
  if (!isWhole(heartbeatSeconds, HEARTBEAT_LIMIT_SECONDS)) return bad("has no heartbeat");
  if (!Array.isArray(folders) || folders.length > MAILBOX_FOLDERS_LIMIT) return bad("has no folders");
  const read: { id: string; class: string }[] = [];
  for (const folder of folders) {
    if (!isJsonObject(folder) || typeof folder["id"] !== "string" || typeof folder["class"] !== "string") {
      return bad("has a folder without id and class");
    }
    read.push({ id: folder["id"], class: folder["class"] });
  }
  return got({ heartbeatSeconds, folders: read });
}

function readNotice(value: unknown): Reading<NoticeRevision> {
  if (!isJsonObject(value)) return bad("is not an object");
  const { revision, digest, language, at } = value;
  const time = typeof at === "string" ? readTime(at) : bad("has no time");
  if (!isWhole(revision, REVISION_LIMIT) || revision === 0 || typeof digest !== "string" || !time.ok) {
    return bad("is not a revision");
  }
  // A language that cannot be read is one that is not known: the revision is as good without.
  return got({ revision, digest, ...(typeof language === "string" ? { language } : {}), at: time.value });
}

function readWarning(value: unknown): Reading<WarningState> {
  if (!isJsonObject(value) || typeof value["collectionId"] !== "string") return bad("is no warning");
  const { collectionId, shown, dismissedAt, shadow } = value;
  const time = typeof dismissedAt === "string" ? readTime(dismissedAt) : got(undefined);
  const key = shadow === undefined ? got(undefined) : readShadow(shadow);
  if (!isRevision(shown) || !time.ok || !key.ok) return bad("is no warning");
  return got({ collectionId, shown, dismissedAt: time.value, shadow: key.value });
}

function readShadow(value: unknown): Reading<ShadowKey> {
  if (!isJsonObject(value)) return bad("is no shadow");
  const { key, real, shows, before, missed } = value;
  if (typeof key !== "string" || typeof real !== "string" || !isRevision(shows)) return bad("is no shadow");
  if (missed !== undefined && typeof missed !== "string") return bad("is no shadow");
  const one = before === undefined ? got(undefined) : readKeyBefore(before);
  if (!one.ok) return one;
  return got({
    key,
    real,
    shows,
    ...(one.value === undefined ? {} : { before: one.value }),
    ...(missed === undefined ? {} : { missed }),
  });
}

function readKeyBefore(value: unknown): Reading<NonNullable<ShadowKey["before"]>> {
  if (!isJsonObject(value)) return bad("is no key");
  const { key, shows } = value;
  return typeof key === "string" && isRevision(shows) ? got({ key, shows }) : bad("is no key");
}

function isRevision(value: unknown): value is number | undefined {
  return value === undefined || (isWhole(value, REVISION_LIMIT) && value > 0);
}

function isWhole(value: unknown, limit: number): value is number {
  return Number.isInteger(value) && typeof value === "number" && value >= 0 && value <= limit;
}
