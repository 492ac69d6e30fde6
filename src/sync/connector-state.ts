/** How far a source's sync has come and how it is, as one document: whoever leads next goes on from here, and operators see it. */
import type { ConnectorFailure } from "../inventory/connector.ts";
import type { DocumentKey, Fields } from "../store/documents.ts";

export interface ConnectorState {
  /** The sync that is under way, or was when the program ended. */
  readonly run: RunState | undefined;
  /** Behind this, by our clock, nothing is missed: the next question for changes begins there. */
  readonly changedSince: Date | undefined;
  /** When the last full sync that came to its end had begun. */
  readonly fullAt: Date | undefined;
  readonly succeededAt: Date | undefined;
  /** Devices of the last full sync. */
  readonly devices: number | undefined;
  /** In a row. */
  readonly failures: number;
  readonly failure: FailureState | undefined;
  /** Not before. */
  readonly nextAt: Date | undefined;
  /** A full sync named so few devices that the others were left as they are. */
  readonly fewDevices: { readonly named: number; readonly before: number } | undefined;
  readonly wish: SyncWish | undefined;
  /** The number of the last wish that was fulfilled, or failed. */
  readonly fulfilled: number;
  /** Calls that the budget had left when this was written. */
  readonly budgetLeft: number | undefined;
}

export interface RunState {
  readonly kind: "full" | "changes";
  /** Names a full sync: devices that it named have this word. */
  readonly sweep: string;
  readonly startedAt: Date;
  readonly cursor: string | undefined;
  readonly pages: number;
  readonly devices: number;
  readonly total: number | undefined;
}

interface FailureState {
  readonly code: ConnectorFailure["code"];
  /** For operators; no credential, no device, no person in it. */
  readonly detail: string;
  readonly at: Date;
}

/** What an operator asked for; written by a command on any node. */
export interface SyncWish {
  readonly number: number;
  readonly full: boolean;
  /** Whether devices are un-enrolled however few the sync names. */
  readonly acceptFewer: boolean;
  readonly by: string;
}

export function stateKey(source: string): DocumentKey {
  return { kind: "connector", name: source };
}

const failureCodes: readonly ConnectorFailure["code"][] = [
  "refused",
  "throttled",
  "away",
  "unreadable",
  "not-possible",
];

export function readState(fields: Fields = new Map()): ConnectorState {
  const failureCode = failureCodes.find((code) => code === fields.get("failure"));
  const failedAt = timeIn(fields, "failedAt");
  const [named, before] = [countIn(fields, "fewNamed"), countIn(fields, "fewBefore")];
  const number = countIn(fields, "wish");
  return {
    run: readRun(fields),
    changedSince: timeIn(fields, "changedSince"),
    fullAt: timeIn(fields, "fullAt"),
    succeededAt: timeIn(fields, "succeededAt"),
    devices: countIn(fields, "devices"),
    failures: countIn(fields, "failures") ?? 0,
    failure:
      failureCode === undefined || failedAt === undefined
        ? undefined
        : { code: failureCode, detail: fields.get("failureDetail") ?? "", at: failedAt },
    nextAt: timeIn(fields, "nextAt"),
    fewDevices: named === undefined || before === undefined ? undefined : { named, before },
    wish:
      number === undefined
        ? undefined
        : {
            number,
            full: fields.get("wishFull") === "true",
            acceptFewer: fields.get("wishAcceptFewer") === "true",
            by: fields.get("wishBy") ?? "",
          },
    fulfilled: countIn(fields, "fulfilled") ?? 0,
    budgetLeft: countIn(fields, "budgetLeft"),
  };
}

function readRun(fields: Fields): RunState | undefined {
  const kind = fields.get("run");
  const startedAt = timeIn(fields, "startedAt");
  const sweep = fields.get("sweep");
  if ((kind !== "full" && kind !== "changes") || startedAt === undefined || sweep === undefined) return undefined;
  return {
    kind,
    sweep,
    startedAt,
    cursor: fields.get("cursor"),
    pages: countIn(fields, "pages") ?? 0,
    devices: countIn(fields, "runDevices") ?? 0,
    total: countIn(fields, "total"),
  };
}

export interface StateChange {
  readonly set: Fields;
  readonly remove: readonly string[];
}

/** All but the wish, which is others' to write. */
export function writtenState(state: ConnectorState): StateChange {
  const { run, failure, fewDevices } = state;
  const values: readonly (readonly [string, Date | string | number | undefined])[] = [
    ["run", run?.kind],
    ["sweep", run?.sweep],
    ["startedAt", run?.startedAt],
    ["cursor", run?.cursor],
    ["pages", run?.pages],
    ["runDevices", run?.devices],
    ["total", run?.total],
    ["changedSince", state.changedSince],
    ["fullAt", state.fullAt],
    ["succeededAt", state.succeededAt],
    ["devices", state.devices],
    ["failures", state.failures],
    ["failure", failure?.code],
    ["failureDetail", failure?.detail],
    ["failedAt", failure?.at],
    ["nextAt", state.nextAt],
    ["fewNamed", fewDevices?.named],
    ["fewBefore", fewDevices?.before],
    ["fulfilled", state.fulfilled],
    ["budgetLeft", state.budgetLeft],
  ];
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const [name, value] of values) {
    if (value === undefined) remove.push(name);
    else set.set(name, value instanceof Date ? value.toISOString() : String(value));
  }
  return { set, remove };
}

export function writtenWish({ number, full, acceptFewer, by }: SyncWish): Fields {
  return new Map([
    ["wish", String(number)],
    ["wishFull", String(full)],
    ["wishAcceptFewer", String(acceptFewer)],
    ["wishBy", by],
  ]);
}

function timeIn(fields: Fields, name: string): Date | undefined {
  const at = new Date(fields.get(name) ?? "");
  return Number.isNaN(at.getTime()) ? undefined : at;
}

function countIn(fields: Fields, name: string): number | undefined {
  const text = fields.get(name) ?? "";
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
