/** What the audit trail says: one entry for each act of an operator and each change of a device's verdict, from closed lists. */
import { createHash } from "node:crypto";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";

export const auditKinds = [
  /** An act on the policy: apply, retract, pause, resume, remove, roll-back, exempt, end-exemption. `version` is the one it made. */
  "policy",
  /** An operator has said yes to cutting more phones than the guard of a campaign lets pass. */
  "guard-confirmed",
  /** A campaign has cut far more phones than foreseen, and the gate has paused it, or could not. */
  "guard-tripped",
  /** Fields of a record were written by hand, an override among them. */
  "device-set",
  "device-forget",
  /** Another spelling of an id was bound to a device. */
  "device-alias",
  /** An id at the gate was bound by hand to a device of a management system. */
  "device-bind",
  /** An operator has asked for a device to be looked at anew. */
  "recheck",
  /** The verdict of a device is another than before. */
  "verdict",
  /** Changes of verdicts that could not be kept, because the store was away for too long. */
  "verdicts-lost",
  /** How far the other writers are: what is cut off from their ends later is missed. */
  "witness",
  /** The store had lost entries of this writer, which were put there again. */
  "restored",
  /** Entries older than `audit.keepDays` were removed from the store. */
  "trimmed",
] as const;
export type AuditKind = (typeof auditKinds)[number];

/** `unknown`: it was begun, and whoever did it never heard how it ended: the program or the store went away meanwhile. */
export const outcomes = ["done", "unknown"] as const;
type Outcome = (typeof outcomes)[number];

/** Values by name: fields of a record, or entries of a policy as JSON. */
export type Values = Readonly<Record<string, string>>;

export interface AuditEntry {
  readonly at: Date;
  readonly kind: AuditKind;
  readonly outcome: Outcome;
  /** What exactly was done, where the kind alone does not say it: `retract`, or the verdict's new word. Empty otherwise. */
  readonly act: string;
  /** Who decided it, as they are called; `postern` where nobody did. */
  readonly actor: string;
  /** Why; of a verdict its reason. Empty where nobody said. */
  readonly why: string;
  /** From where: user and machine of a command, the address of a call. Empty where that is not known. */
  readonly address: string;
  readonly device: DeviceId | undefined;
  /** Campaigns and exemptions that it is about. */
  readonly about: readonly string[];
  /** The version of the policy that it made. */
  readonly version: number | undefined;
  readonly before: Values;
  readonly after: Values;
}

/** What every entry has a sensible value for. */
export type EntryDraft = Pick<AuditEntry, "kind" | "actor"> & {
  readonly [Part in Exclude<keyof AuditEntry, "kind" | "actor">]?: AuditEntry[Part] | undefined;
};

const ACTOR_LIMIT = 256;
const WHY_LIMIT = 1_000;
const ADDRESS_LIMIT = 256;
const ACT_LIMIT = 64;
/** Campaigns and exemptions of one act. */
const ABOUT_LIMIT = 200;
/** A name among `about`, and of a value. */
const NAME_LIMIT = 300;
/** Values on one side of an entry; a whole policy has fewer. */
const VALUES_LIMIT = 1_000;
/** 16 384 characters: a campaign at length. What is cut off is told by its digest. */
const VALUE_LIMIT = 16_384;

export function entryOf(draft: EntryDraft, at: Date): AuditEntry {
  return {
    at: new Date(draft.at ?? at),
    kind: draft.kind,
    outcome: draft.outcome ?? "done",
    act: text(draft.act, ACT_LIMIT),
    actor: text(draft.actor, ACTOR_LIMIT),
    why: text(draft.why, WHY_LIMIT),
    address: text(draft.address, ADDRESS_LIMIT),
    device: draft.device,
    about: namesOf(draft.about ?? []),
    version: draft.version,
    before: valuesOf(draft.before ?? {}),
    after: valuesOf(draft.after ?? {}),
  };
}

function text(words: string | undefined, limit: number): string {
  return (words ?? "").toWellFormed().slice(0, limit).toWellFormed();
}

function namesOf(names: readonly string[]): readonly string[] {
  const kept = names.slice(0, ABOUT_LIMIT).map((name) => text(name, NAME_LIMIT));
  return names.length > ABOUT_LIMIT ? [...kept, `and ${names.length - ABOUT_LIMIT} more`] : kept;
}

function valuesOf(values: Values): Values {
  const all = Object.entries(values).toSorted(([a], [b]) => compare(a, b));
  const kept = all.slice(0, VALUES_LIMIT).map(([name, value]) => [text(name, NAME_LIMIT), shortened(value)] as const);
  if (all.length > VALUES_LIMIT) kept.push(["…", `and ${all.length - VALUES_LIMIT} more`]);
  return Object.fromEntries(kept);
}

function shortened(value: string): string {
  const whole = value.toWellFormed();
  if (whole.length <= VALUE_LIMIT) return whole;
  const digest = createHash("sha256").update(whole).digest("hex");
  return `${text(whole, VALUE_LIMIT)}… (${whole.length} characters, SHA-256 ${digest})`;
}

/** By code units: the order must not depend on anybody's language. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The one form of an entry, from which its seal is made. A list, in this order for good; what is new goes to its end. */
export type Canonical = readonly unknown[];

export function toCanonical(entry: AuditEntry): Canonical {
  const { at, kind, outcome, act, actor, why, address, device, about, version, before, after } = entry;
  const place = [at.getTime(), kind, outcome, act, actor, why, address];
  return [...place, device ?? null, about, version ?? null, pairsOf(before), pairsOf(after)];
}

function pairsOf(values: Values): readonly (readonly [string, string])[] {
  return Object.entries(values).toSorted(([a], [b]) => compare(a, b));
}

/** Undefined for what no entry of this form is. */
export function fromCanonical(list: Canonical): AuditEntry | undefined {
  const [atMs, kindWord, outcomeWord, act, actor, why, address, deviceText, about, version, before, after] = list;
  const kind = auditKinds.find((each) => each === kindWord);
  const outcome = outcomes.find((each) => each === outcomeWord);
  if (kind === undefined || outcome === undefined) return undefined;
  if (typeof atMs !== "number" || Number.isNaN(new Date(atMs).getTime())) return undefined;
  if (typeof act !== "string" || typeof actor !== "string") return undefined;
  if (typeof why !== "string" || typeof address !== "string") return undefined;
  const device = typeof deviceText === "string" ? toDeviceId(deviceText) : null;
  if (deviceText !== null && typeof deviceText !== "string") return undefined;
  if (device === undefined || !isVersion(version)) return undefined;
  const [names, old, young] = [textsIn(about), valuesIn(before), valuesIn(after)];
  if (names === undefined || old === undefined || young === undefined) return undefined;
  return {
    at: new Date(atMs),
    kind,
    outcome,
    act,
    actor,
    why,
    address,
    device: device ?? undefined,
    about: names,
    version: version ?? undefined,
    before: old,
    after: young,
  };
}

function isVersion(value: unknown): value is number | null {
  return value === null || (typeof value === "number" && Number.isSafeInteger(value));
}

function textsIn(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((each) => typeof each === "string");
  return texts.length === value.length ? texts : undefined;
}

function valuesIn(value: unknown): Values | undefined {
  if (!Array.isArray(value)) return undefined;
  const pairs: [string, string][] = [];
  for (const pair of value) {
    const [name, text, ...more] = textsIn(pair) ?? [];
    if (name === undefined || text === undefined || more.length > 0) return undefined;
    pairs.push([name, text]);
  }
  return Object.fromEntries(pairs);
}
