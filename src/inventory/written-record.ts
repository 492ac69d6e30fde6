/**
 * The record of an id at the gate, as far as sources own it. What others wrote stays where no source speaks of it, and everything that
 * was written for a managed device is taken back when the id is not its any more. Pure but for the view.
 */
import type { DeviceId } from "../policy/device.ts";
import type { FieldsKey } from "../store/documents.ts";
import { encodeFields } from "../store/record.ts";
import type { KnownFacts } from "../store/record.ts";
import { bindingDocument, decodeBinding, encodeBinding } from "./binding-document.ts";
import type { BindingState } from "./binding-document.ts";
import type { IntakeAlert } from "./report.ts";
import type { StoredView } from "./stored-view.ts";

export function recordKey(id: DeviceId): FieldsKey {
  return { kind: "device", id };
}

export function aliasKey(id: DeviceId): FieldsKey {
  return { kind: "alias", id };
}

/** @returns whether it counts for anybody */
export function writeRecord(
  view: StoredView,
  id: DeviceId,
  facts: KnownFacts,
  alerts: IntakeAlert[],
  ownerRequired: boolean,
): boolean {
  const state = decodeBinding(view.read(bindingDocument(id)));
  const { set } = encodeFields({ ...facts, contested: state.contestedBy.length > 0 ? true : undefined });
  const fields = withoutFields(new Map(view.read(recordKey(id))), state.wrote, set);
  for (const [name, value] of set) fields.set(name, value);
  const isOwned = fields.has("owner") || fields.has("email");
  removeAlias(view, id, state);
  if (!isOwned && ownerRequired) {
    if (state.problem !== "no-owner") alerts.push({ kind: "owner-missing" });
    putBinding(view, id, { ...state, target: undefined, problem: "no-owner" });
    release(view, id);
    return false;
  }
  if (!isOwned && state.problem === undefined && state.wrote.length === 0) alerts.push({ kind: "owner-missing" });
  view.put(recordKey(id), fields);
  putBinding(view, id, { ...state, ...settled(state), target: undefined, wrote: [...set.keys()].toSorted() });
  return true;
}

/** What stood in the way of a record is out of it. */
function settled({ contestedBy, problem }: BindingState): Pick<BindingState, "problem"> {
  return { problem: contestedBy.length > 0 ? problem : undefined };
}

/** Fields that say one thing together: where a source says one of them, what others wrote into the rest would be said by nobody. */
const together = [
  ["owner", "email"],
  ["appsScope", "apps", "appsAsked", "appsAt"],
  ["compliance", "complianceUntil", "reasons"],
] as const;

function withoutFields(
  fields: Map<string, string>,
  wrote: readonly string[],
  set: ReadonlyMap<string, string>,
): Map<string, string> {
  for (const name of wrote) fields.delete(name);
  for (const group of together) if (group.some((name) => set.has(name))) for (const name of group) fields.delete(name);
  return fields;
}

export function writeAlias(view: StoredView, id: DeviceId, canonical: DeviceId | undefined): boolean {
  if (canonical === undefined) return false;
  const state = decodeBinding(view.read(bindingDocument(id)));
  view.put(aliasKey(id), new Map([["id", canonical]]));
  putBinding(view, id, { ...state, ...settled(state), target: canonical, wrote: [] });
  return decodeBinding(view.read(bindingDocument(canonical))).problem === undefined;
}

function removeAlias(view: StoredView, id: DeviceId, { target }: BindingState): void {
  if (target !== undefined && view.read(aliasKey(id))?.get("id") === target) view.put(aliasKey(id), new Map());
}

/**
 * Takes back what was written for a device that this id is no longer bound to. What others wrote stays, and is no phone of anybody:
 * what is left might name no owner, and a record without one is everybody's.
 */
export function release(view: StoredView, id: DeviceId): void {
  const state = decodeBinding(view.read(bindingDocument(id)));
  removeAlias(view, id, state);
  const stored = view.read(recordKey(id));
  if (state.wrote.length > 0 && stored !== undefined) {
    const fields = withoutFields(new Map(stored), state.wrote, new Map());
    if (fields.size > 0) fields.set("enrolled", "false");
    view.put(recordKey(id), fields);
  }
  const isLeft = state.wrote.length > 0 && view.read(recordKey(id)) !== undefined;
  putBinding(view, id, { ...state, target: undefined, wrote: isLeft ? ["enrolled"] : [] });
}

export function putBinding(view: StoredView, id: DeviceId, state: BindingState): void {
  view.put(bindingDocument(id), encodeBinding(state));
}
