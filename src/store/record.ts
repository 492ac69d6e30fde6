/**
 * The public hash of a device, as `docs/redis-contract.md` describes it for people who write it from a script, and the
 * record that policy judges. Reading never throws: what cannot be read is a fault, and its value is unknown.
 */
import { appsScopes, ownerships, platforms } from "../policy/device.ts";
import type { App, DeviceId, DeviceRecord, FieldFault } from "../policy/device.ts";
import {
  bad,
  FIELD_LIMIT_BYTES,
  fitsField,
  readDay,
  readFlag,
  readList,
  readLocale,
  readText,
  readTextItem,
  readTime,
  readTimeZone,
  readWord,
} from "./field-values.ts";
import type { Reading } from "./field-values.ts";
import { readAddress, readApp, readCompliance, readOverride, readPersonName } from "./record-values.ts";

/** Every field of the contract, in the order in which people read them. */
export const recordFields = [
  "owner",
  "email",
  "groups",
  "region",
  "timezone",
  "locale",
  "platform",
  "osVersion",
  "securityPatch",
  "model",
  "ownership",
  "appsScope",
  "apps",
  "appsAsked",
  "appsAt",
  "deviceAt",
  "enrolledAt",
  "enrolled",
  "contested",
  "compromised",
  "source",
  "sourceDeviceId",
  "compliance",
  "complianceUntil",
  "reasons",
  "override",
] as const;
export type RecordField = (typeof recordFields)[number];

/** 5 000: ten times what the fullest phone has; a longer list is a broken writer. */
export const APPS_LIMIT = 5_000;
/** 1 000: about what a Windows access token can hold (1 015). */
export const GROUPS_LIMIT = 1_000;
/** 100: they are shown to a person. */
export const REASONS_LIMIT = 100;
/** Names of fields that are not ours are listed for people; nobody reads more than these. */
export const UNKNOWN_FIELDS_LIMIT = 20;
/**
 * Clocks of writers differ by minutes. A report from further ahead would stay fresh for longer than it is true, and is
 * most often a local time without its zone.
 */
export const FUTURE_LIMIT_MS = 600_000;

type RecordFacts = Omit<DeviceRecord, "id">;

export interface ParsedRecord {
  readonly record: DeviceRecord;
  /** Fields that are not of the contract, perhaps misspelt; at most UNKNOWN_FIELDS_LIMIT of them. */
  readonly unknownFields: readonly string[];
  /** False where waiting alone would make another record of the same hash: a time in it still lies ahead. */
  readonly lasting: boolean;
}

const fieldNames: ReadonlySet<string> = new Set(recordFields);
const fieldsByLowerCase = new Map<string, RecordField>(recordFields.map((field) => [field.toLowerCase(), field]));

export function parseRecord(id: DeviceId, fields: ReadonlyMap<string, string>, now: Date): ParsedRecord {
  const { facts, unknownFields, lasting } = readFacts(fields, now);
  return { record: { id, ...facts }, unknownFields, lasting };
}

interface ReadFacts extends Omit<ParsedRecord, "record"> {
  readonly facts: RecordFacts;
}

function readFacts(fields: ReadonlyMap<string, string>, now: Date): ReadFacts {
  const faults: FieldFault[] = [];
  let lasting = true;

  function take<T>(field: RecordField, read: (text: string) => Reading<T>): T | undefined {
    const text = fields.get(field);
    if (text === undefined) return undefined;
    const reading = fitsField(text) ? read(text) : bad(`is larger than ${FIELD_LIMIT_BYTES} bytes`);
    if (reading.ok) return reading.value;
    faults.push({ field, problem: reading.problem });
    return undefined;
  }

  function readPastTime(text: string): Reading<Date> {
    const time = readTime(text);
    if (!time.ok || time.value.getTime() <= now.getTime() + FUTURE_LIMIT_MS) return time;
    lasting = false;
    return bad("lies in the future; a local time needs its offset, as in 2026-11-20T12:00+01:00");
  }

  const unknownFields = findUnknown(fields, faults);
  const facts: RecordFacts = {
    owner: take("owner", readPersonName),
    email: take("email", readAddress),
    groups: take("groups", (text) => readList(text, GROUPS_LIMIT, readTextItem)) ?? [],
    region: take("region", (text) => readText(text)),
    timezone: take("timezone", readTimeZone),
    locale: take("locale", readLocale),
    platform: take("platform", (text) => readWord(text, platforms)),
    osVersion: take("osVersion", (text) => readText(text)),
    securityPatch: take("securityPatch", readDay),
    model: take("model", (text) => readText(text)),
    ownership: take("ownership", (text) => readWord(text, ownerships)) ?? "unknown",
    appsScope: take("appsScope", (text) => readWord(text, appsScopes)),
    apps: take("apps", (text) => readList(text, APPS_LIMIT, readApp)),
    appsAsked: take("appsAsked", (text) => readList(text, APPS_LIMIT, readTextItem)) ?? [],
    appsAt: take("appsAt", readPastTime),
    deviceAt: take("deviceAt", readPastTime),
    enrolledAt: take("enrolledAt", readPastTime),
    // No field of the hash: `first-seen.ts` knows it.
    firstSeenAt: undefined,
    enrolled: take("enrolled", readFlag),
    contested: take("contested", readFlag),
    compromised: take("compromised", readFlag),
    source: take("source", (text) => readText(text)),
    sourceDeviceId: take("sourceDeviceId", (text) => readText(text)),
    compliance: take("compliance", readCompliance),
    complianceUntil: take("complianceUntil", readTime),
    reasons: take("reasons", (text) => readList(text, REASONS_LIMIT, readTextItem)) ?? [],
    override: take("override", readOverride),
    faults,
  };
  return { facts, unknownFields, lasting };
}

/** A record of which nothing can be read, such as a key of another type: every field counts as unknown. */
export function unreadableRecord(id: DeviceId, problem: string): DeviceRecord {
  const { facts } = readFacts(new Map(), new Date(0));
  return { id, ...facts, faults: recordFields.map((field) => ({ field, problem })) };
}

/** What `device set` tells a person before it writes: everything that would not count as they mean it. */
export function checkFields(fields: ReadonlyMap<string, string>, now: Date): readonly FieldFault[] {
  const faults: FieldFault[] = [];
  for (const name of fields.keys()) {
    const meant = fieldsByLowerCase.get(name.toLowerCase());
    if (meant === undefined) faults.push({ field: name, problem: `is not one of ${recordFields.join(", ")}` });
  }
  return [...faults, ...readFacts(fields, now).facts.faults];
}

/**
 * Names that are not ours are harmless, except where only the case differs: whoever wrote `Compliance` believes that the
 * phone is judged by it, so that field is unknown rather than absent.
 */
function findUnknown(fields: ReadonlyMap<string, string>, faults: FieldFault[]): readonly string[] {
  const unknown: string[] = [];
  for (const name of fields.keys()) {
    if (fieldNames.has(name)) continue;
    const meant = fieldsByLowerCase.get(name.toLowerCase());
    if (meant !== undefined) faults.push({ field: meant, problem: `is spelled ${name}; the name is ${meant}` });
    if (unknown.length < UNKNOWN_FIELDS_LIMIT) unknown.push(name.slice(0, 64).toWellFormed());
  }
  return unknown;
}

export interface FieldChange {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
}

/** What a source knows of a device. A part that is left out stays as it is; one that is undefined is removed. */
export type KnownFacts = { readonly [F in RecordField]?: DeviceRecord[F] | undefined };

/** The inverse of `parseRecord`, in the spelling that every reader understands. */
export function encodeFields(facts: KnownFacts): FieldChange {
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const field of recordFields) {
    if (!Object.hasOwn(facts, field)) continue;
    const text = encodeValue(facts[field]);
    if (text === undefined) remove.push(field);
    else set.set(field, text);
  }
  return { set, remove };
}

function encodeValue(value: KnownFacts[RecordField]): string | undefined {
  if (value === undefined) return undefined;
  // Systems say "" where they know nothing; written down it would be a field that cannot be read.
  if (typeof value === "string") return value.trim() === "" ? undefined : value;
  if (typeof value === "boolean") return String(value);
  if (value instanceof Date) return value.toISOString();
  if ("action" in value) return JSON.stringify(value);
  return JSON.stringify(value.map((item) => (typeof item === "string" ? item : encodeApp(item))));
}

function encodeApp(app: App): App | string {
  return app.name === undefined && app.version === undefined ? app.id : app;
}
