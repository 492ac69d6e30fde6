/**
 * From what is known of managed devices to the records of the ids at the gate. Whatever changed about a device or a claim, the ids that
 * it concerns are settled anew: whose they are, which of them has the record, and what stands in it. Pure but for the view.
 */
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import type { Fields } from "../store/documents.ts";
import { bindingDocument, decodeBinding, isSameKey } from "./binding-document.ts";
import type { BindingState, Claim } from "./binding-document.ts";
import { resolve } from "./join.ts";
import type { Claimed, Resolution } from "./join.ts";
import { decodeManaged, managedDocument } from "./managed-document.ts";
import type { ManagedDevice } from "./managed.ts";
import { factsOf } from "./project.ts";
import type { IntakeAlert, ManagedKey } from "./report.ts";
import type { StoredView } from "./stored-view.ts";
import { aliasKey, putBinding, recordKey, release, writeAlias, writeRecord } from "./written-record.ts";

/** 8: two sources, an old enrolment, a person's word, and as much again. */
export const CLAIMS_LIMIT = 8;

export interface SettleContext {
  readonly now: Date;
  readonly appIds: ReadonlySet<string>;
  readonly homeDomains: readonly string[];
  /** Whether a phone whose owner nobody names counts for nobody. */
  readonly ownerRequired: boolean;
  /** A digest of the settings, so that it can be told whether they are others. */
  readonly under: string;
  /** Devices that were read in this act, by what stands of them. */
  readonly decoded: WeakMap<Fields, ManagedDevice>;
}

export interface Settled {
  /** How many ids at the gate the device speaks for now. */
  readonly devices: number;
  readonly alerts: readonly IntakeAlert[];
}

export function readManaged(view: StoredView, key: ManagedKey, context: SettleContext): ManagedDevice | undefined {
  const fields = view.read(managedDocument(key));
  if (fields === undefined) return undefined;
  const device = context.decoded.get(fields) ?? decodeManaged(key, fields, context.appIds);
  if (device !== undefined) context.decoded.set(fields, device);
  return device;
}

export function writeManaged(view: StoredView, device: ManagedDevice, fields: Fields, context: SettleContext): void {
  context.decoded.set(fields, device);
  view.put(managedDocument(device), fields);
}

/** Every id that has to do with the device. */
function idsOf({ memory: { ids, bound } }: ManagedDevice): readonly DeviceId[] {
  const named = [...ids.current, ...ids.former].flatMap((id): DeviceId | [] => toDeviceId(id) ?? []);
  return [...new Set([...named, ...bound])];
}

/** @param before what was known until now: an id may be its no more */
export function settleDevice(
  view: StoredView,
  before: ManagedDevice | undefined,
  device: ManagedDevice,
  context: SettleContext,
): Settled {
  const alerts: IntakeAlert[] = [];
  const holders = new Map<string, ManagedKey>([[managedDocument(device).name, device]]);
  for (const id of new Set([...(before === undefined ? [] : idsOf(before)), ...idsOf(device)])) {
    const state = decodeBinding(view.read(bindingDocument(id)));
    claimFor(view, id, device, state, alerts, context);
    for (const holder of settleId(view, id, state, alerts, context)) holders.set(managedDocument(holder).name, holder);
  }
  let devices = 0;
  for (const [name, key] of holders) {
    const carried = carry(view, key, alerts, context);
    if (name === managedDocument(device).name) devices = carried;
  }
  return { devices, alerts };
}

/** Settles an id of which a claim was made or taken back by somebody. */
export function settleClaims(view: StoredView, id: DeviceId, before: BindingState, context: SettleContext): Settled {
  const alerts: IntakeAlert[] = [];
  let devices = 0;
  for (const holder of settleId(view, id, before, alerts, context)) devices += carry(view, holder, alerts, context);
  return { devices, alerts };
}

/** What the source itself says of an id: that it is the device's, or that it never was. */
function claimFor(
  view: StoredView,
  id: DeviceId,
  device: ManagedDevice,
  before: BindingState,
  alerts: IntakeAlert[],
  context: SettleContext,
): void {
  const { memory } = device;
  const spelling = [...memory.ids.current, ...memory.ids.former].find((each) => toDeviceId(each) === id);
  const isOwn = (claim: Claim): boolean =>
    isSameKey(claim, device) && (claim.how === "mdm" || claim.how === "managed-config");
  const known = before.claims.find(isOwn);
  let others = before.claims.filter((claim) => claim !== known);
  if (spelling === undefined) {
    if (known !== undefined) putBinding(view, id, { ...before, claims: others });
    return;
  }
  if (known?.spelling === spelling && known.how === memory.idsAre) return;
  if (known === undefined && before.claims.length >= CLAIMS_LIMIT) {
    if (!device.report.enrolled) return;
    // A phone has another device at its source with each enrolment, and the same id: what is managed no more makes room.
    const spent = spentClaim(view, before, context);
    if (spent === undefined) {
      const problem = `is claimed for more than ${CLAIMS_LIMIT} devices`;
      alerts.push({ kind: "id-unusable", easDeviceId: id, problem });
      return;
    }
    others = others.filter((claim) => claim !== spent);
  }
  const claim: Claim = {
    source: device.source,
    sourceDeviceId: device.sourceDeviceId,
    how: memory.idsAre,
    spelling,
    at: known?.at ?? context.now,
    account: "",
    by: undefined,
    over: [],
  };
  putBinding(view, id, { ...before, claims: [...others, claim] });
}

/** Of the claims of sources for devices that are managed no more, the oldest. */
function spentClaim(view: StoredView, { claims }: BindingState, context: SettleContext): Claim | undefined {
  return claims
    .filter(({ how }) => how === "mdm" || how === "managed-config")
    .filter((claim) => readManaged(view, claim, context)?.report.enrolled !== true)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())[0];
}

/** Says whose the id is. Returns the devices whose ids it is, or was. */
function settleId(
  view: StoredView,
  id: DeviceId,
  before: BindingState,
  alerts: IntakeAlert[],
  context: SettleContext,
): readonly ManagedKey[] {
  const state = decodeBinding(view.read(bindingDocument(id)));
  const resolution = resolutionOf(view, id, state, context);
  const { holder, account, contestedBy, problem } = resolution;
  // Whether the others still hold is found out when the record is written.
  const isOther = state.problem === "no-owner" || state.problem === "alias-by-hand";
  putBinding(view, id, {
    ...state,
    holder,
    account,
    contestedBy,
    problem: problem ?? (isOther ? state.problem : undefined),
  });
  alerts.push(...alertsOf(id, before, resolution));
  if (holder === undefined) release(view, id);
  return [before.holder, holder].flatMap((key) => key ?? []);
}

function resolutionOf(view: StoredView, id: DeviceId, state: BindingState, context: SettleContext): Resolution {
  const claimed = state.claims
    .filter((claim) => !isVetoed(claim, state))
    .flatMap((claim): Claimed | [] => {
      const device = readManaged(view, claim, context);
      return device === undefined ? [] : { claim, device };
    });
  return resolve(id, claimed, context.homeDomains);
}

function isVetoed(claim: Claim, { vetoed }: BindingState): boolean {
  return (claim.how === "mdm" || claim.how === "managed-config") && vetoed.includes(managedDocument(claim).name);
}

function alertsOf(
  id: DeviceId,
  before: BindingState,
  { holder, account, problem, contestedBy }: Resolution,
): IntakeAlert[] {
  const isNew = contestedBy.some((key) => !before.contestedBy.some((known) => isSameKey(known, key)));
  if (problem === "two-people" && isNew) return [{ kind: "id-contested", easDeviceId: id, others: contestedBy }];
  if (problem === "letter-case" && isNew)
    return [
      { kind: "id-unusable", easDeviceId: id, problem: "differs from the id of another device in letter case only" },
    ];
  const hasMoved =
    before.holder !== undefined && holder !== undefined && before.account !== account && before.account !== "";
  return hasMoved && before.holder !== undefined ? [{ kind: "id-moved", easDeviceId: id, before: before.holder }] : [];
}

/**
 * Writes the records of all ids of a device: one of them has the record, the others are its aliases. An id that had a record before, by
 * hand perhaps, keeps it, and is told the same. Returns how many ids the device speaks for.
 */
function carry(view: StoredView, key: ManagedKey, alerts: IntakeAlert[], context: SettleContext): number {
  const device = readManaged(view, key, context);
  if (device === undefined) return 0;
  const ids = idsOf(device)
    .filter((id) => {
      const { holder } = decodeBinding(view.read(bindingDocument(id)));
      return holder !== undefined && isSameKey(holder, key);
    })
    .toSorted();
  const usable = ids.filter((id) => isFree(view, id, ids, alerts));
  const hasRecord = (id: DeviceId): boolean => view.read(recordKey(id)) !== undefined;
  const isClear = (id: DeviceId): boolean => decodeBinding(view.read(bindingDocument(id))).contestedBy.length === 0;
  const clear = usable.filter(isClear);
  const canonical =
    clear.find((id) => decodeBinding(view.read(bindingDocument(id))).wrote.length > 0) ??
    clear.find(hasRecord) ??
    clear[0];
  // Whoever speaks for one of its ids speaks for the phone, so that all ids of a phone say the same.
  const speakers = new Map([[managedDocument(device).name, device.report]]);
  for (const id of clear)
    for (const other of resolutionOf(view, id, decodeBinding(view.read(bindingDocument(id))), context).devices)
      speakers.set(managedDocument(other).name, other.report);
  const [leading = device.report, ...others] = speakers.values();
  const facts = factsOf([leading, ...others]);
  let speaking = 0;
  for (const id of usable) {
    const isRecord = id === canonical || !isClear(id) || hasRecord(id);
    const counts = isRecord
      ? writeRecord(view, id, facts, alerts, context.ownerRequired)
      : writeAlias(view, id, canonical);
    if (counts && isClear(id)) speaking += 1;
  }
  return speaking;
}

/** An alias to the record of another device that was made by hand is somebody's decision: it is left alone, and told. */
function isFree(view: StoredView, id: DeviceId, ids: readonly DeviceId[], alerts: IntakeAlert[]): boolean {
  const state = decodeBinding(view.read(bindingDocument(id)));
  const target = toDeviceId(view.read(aliasKey(id))?.get("id") ?? "");
  const isForeign =
    target !== undefined &&
    target !== state.target &&
    !ids.includes(target) &&
    view.read(recordKey(id)) === undefined &&
    view.read(recordKey(target)) !== undefined;
  if (isForeign && state.problem !== "alias-by-hand")
    alerts.push({ kind: "id-unusable", easDeviceId: id, problem: "is an alias of another device, made by hand" });
  if (isForeign) putBinding(view, id, { ...state, problem: "alias-by-hand" });
  return !isForeign;
}
