/** How keys are spelled in Redis; `docs/redis-contract.md` is the same for people. */
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import type { Key } from "./backend.ts";
import { toldDocuments } from "./documents.ts";
import type { DocumentKind, FieldsKey, ToldDocumentKind } from "./documents.ts";
import { StoreUnusable } from "./store.ts";

export interface RedisKeys {
  nameOf(key: Key): string;
  /** A set of the accounts with a mailbox state on this device, so that all of them can be forgotten. */
  accountsOf(id: DeviceId): string;
  /** What the name of a changed key says; undefined where it is none of ours, or none that can be read. */
  parse(name: string): ParsedKey | undefined;
  /** For SCAN: every key of a device record. */
  readonly devicePattern: string;
  readonly policy: string;
  fieldsOf(key: FieldsKey): string;
  /** For SCAN: every document of a kind whose name begins so. */
  documentPattern(kind: DocumentKind, beginning: string): string;
  /** The name of a document of that kind; undefined for a key that is none. */
  documentName(kind: DocumentKind, key: string): string | undefined;
  bookOf(book: string): string;
  leaseOf(name: string): string;
  /** A hash of every version, by its number. */
  readonly policyHistory: string;
  /** A stream: the audit trail of all writers. */
  readonly audit: string;
  /** A hash: how far each writer of the audit trail is, signed. */
  readonly auditMarks: string;
  /** When the first look at everybody began: whoever comes after it is new. */
  readonly firstSeenSince: string;
  /** The last request of whoever the record names, or of somebody else with the same id. */
  lastRequestOf(id: DeviceId, isOwners: boolean): string;
  /** A hash of the ids without a record that each account came with. */
  readonly strangers: string;
  /** A sorted set of phones that were at the gate, by the time. */
  readonly seen: string;
  /** Subjects under a name. Names are those of campaigns and what belongs to them: nothing that a client chooses. */
  tallyOf(name: string): string;
  /** Decisions under a name. */
  decisionsOf(name: string): string;
  previewOf(campaign: string): string;
  /** Whoever reads keys that begin with these wants to know when they change. None is the beginning of another. */
  readonly tracked: readonly string[];
}

type ParsedKey =
  | { readonly kind: Key["kind"]; readonly id: DeviceId }
  | { readonly kind: "policy" }
  | { readonly kind: "document"; readonly of: ToldDocumentKind; readonly name: string };

export const DEFAULT_PREFIX = "postern:";

// Without *, ?, [ and \: the prefix is part of a pattern for SCAN. Without { and }: they would choose a Cluster slot.
const prefixGrammar = /^[A-Za-z0-9._:-]{1,64}$/;

/** @throws StoreUnusable for a prefix that could not be told from a pattern. */
export function createRedisKeys(prefix: string): RedisKeys {
  if (!prefixGrammar.test(prefix)) {
    throw new StoreUnusable("the prefix of keys is not 1 to 64 letters, digits, dots, colons, dashes or underscores");
  }
  const beginnings = {
    device: `${prefix}device:`,
    alias: `${prefix}alias:`,
    mailbox: `${prefix}mailbox:`,
    "first-seen": `${prefix}first-seen:`,
  } as const;
  const kinds = ["device", "alias", "mailbox", "first-seen"] as const;
  const policy = `${prefix}policy`;
  const policyHistory = `${policy}:history`;

  function nameOf(key: Key): string {
    switch (key.kind) {
      case "device":
      case "alias":
      case "first-seen":
        return beginnings[key.kind] + key.id;
      case "mailbox":
        return `${beginnings.mailbox}${key.id}:${encodeName(key.account)}`;
    }
  }

  function parse(name: string): ParsedKey | undefined {
    // The prefix of the one is told with the other. The history is what counts, and it is written first.
    if (name === policy || name === policyHistory) return { kind: "policy" };
    const kind = kinds.find((each) => name.startsWith(beginnings[each]));
    if (kind === undefined) return parseDocument(name);
    const [text = ""] = name.slice(beginnings[kind].length).split(":");
    const id = toDeviceId(text);
    // Only the spelling that is read can concern anybody: a key with lower-case letters is never looked at.
    return id === undefined || id !== text ? undefined : { kind, id };
  }

  function parseDocument(key: string): ParsedKey | undefined {
    for (const of of toldDocuments) {
      const name = documentName(of, key);
      if (name !== undefined) return { kind: "document", of, name };
    }
    return undefined;
  }

  function documentName(kind: DocumentKind, key: string): string | undefined {
    const beginning = `${prefix}${kind}:`;
    return key.startsWith(beginning) ? decodeName(key.slice(beginning.length)) : undefined;
  }

  function fieldsOf(key: FieldsKey): string {
    return "id" in key ? nameOf(key) : `${prefix}${key.kind}:${encodeName(key.name)}`;
  }

  return {
    nameOf,
    fieldsOf,
    documentName,
    documentPattern: (kind, beginning) => `${prefix}${kind}:${encodeName(beginning)}*`,
    accountsOf: (id) => `${prefix}accounts:${id}`,
    parse,
    devicePattern: `${beginnings.device}*`,
    bookOf: (book) => `${prefix}book:${book}`,
    leaseOf: (name) => `${prefix}lease:${name}`,
    policy,
    policyHistory,
    audit: `${prefix}audit`,
    auditMarks: `${prefix}audit-marks`,
    firstSeenSince: `${prefix}first-seen-since`,
    lastRequestOf: (id, isOwners) => `${prefix}last-request:${id}${isOwners ? "" : ":other"}`,
    strangers: `${prefix}strangers`,
    seen: `${prefix}seen`,
    tallyOf: (name) => `${prefix}tally:${name}`,
    decisionsOf: (name) => `${prefix}decisions:${name}`,
    previewOf: (campaign) => `${prefix}preview:${campaign}`,
    tracked: [...Object.values(beginnings), policy, ...toldDocuments.map((kind) => `${prefix}${kind}:`)],
  };
}

/** Names that others choose: of accounts, and of documents. Only letters, digits, `.`, `_`, `-` and `~` stay as they are: nothing that could end the key or mean something in it. */
export function encodeName(account: string): string {
  return encodeURIComponent(account.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The inverse of `encodeName`; undefined for what it never writes. */
export function decodeName(text: string): string | undefined {
  try {
    const name = decodeURIComponent(text);
    return encodeName(name) === text ? name : undefined;
  } catch {
    return undefined;
  }
}
