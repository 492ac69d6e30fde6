/** Where a record comes from: whose word it is, how the phone was joined with it, and how old each part is. */
import { bindingDocument, decodeBinding } from "../inventory/binding-document.ts";
import { boundId } from "../inventory/bindings.ts";
import type { BoundId } from "../inventory/bindings.ts";
import { decodeManaged, managedDocument } from "../inventory/managed-document.ts";
import { reportParts } from "../inventory/managed.ts";
import type { ManagedDevice } from "../inventory/managed.ts";
import type { ManagedKey } from "../inventory/report.ts";
import type { DeviceId } from "../policy/device.ts";
import type { Store } from "../store/store.ts";
import { momentText, printable, spanText, table, toned } from "./terminal.ts";

export const problemTexts: Readonly<Record<NonNullable<BoundId["problem"]>, string>> = {
  "two-people": "phones of two people go by this id: it counts for neither. postern device bind decides",
  "letter-case": "another device's id differs in letter case only: it counts for neither. postern device bind decides",
  "alias-by-hand": "it is an alias of another device, made by hand, and stays so",
  "no-owner": "its source names nobody whose phone it is: it counts for nobody",
};

/** Undefined where no managed device was ever said to go by this id. @throws StoreUnavailable */
export async function originOf(store: Store, id: DeviceId, at: Date): Promise<Origin | undefined> {
  const [binding] = await store.readDocuments([bindingDocument(id)]);
  if (binding === undefined) return undefined;
  const bound = boundId(id, decodeBinding(binding));
  const keys = bound.binding === undefined ? [] : [bound.binding, ...bound.binding.contestedBy];
  const stored = await store.readDocuments(keys.map(managedDocument));
  const devices = keys.flatMap((key, place) => decodeManaged(key, stored[place], new Set()) ?? []);
  return {
    bound,
    ages: devices[0] === undefined ? {} : agesOf(devices[0], at),
    contestedBy: bound.binding?.contestedBy ?? [],
  };
}

export interface Origin {
  readonly bound: BoundId;
  /** Milliseconds since the device said each part of it; a part without one came without a time. */
  readonly ages: Readonly<Record<string, number>>;
  readonly contestedBy: readonly ManagedKey[];
}

function agesOf({ memory, report }: ManagedDevice, at: Date): Readonly<Record<string, number>> {
  const ages: Record<string, number> = {};
  for (const part of reportParts) {
    const partAt = memory.partsAt.get(part);
    if (partAt !== undefined) ages[part] = at.getTime() - partAt;
  }
  if (report.apps !== undefined) ages["apps"] = at.getTime() - report.apps.at.getTime();
  if (memory.ids.at !== undefined) ages["easDeviceIds"] = at.getTime() - memory.ids.at.getTime();
  return ages;
}

export function originText({ bound: { id, binding, problem }, ages, contestedBy }: Origin): string {
  const rows: [string, string][] = [];
  if (binding === undefined) rows.push(["bound", "to nothing"]);
  else {
    const { source, sourceDeviceId, how, by, at } = binding;
    const who = by === undefined ? how : `${how}, by ${by}`;
    rows.push(["bound", printable(`${id} to ${source} ${sourceDeviceId} (${who}) since ${momentText(at)}`)]);
  }
  const others = contestedBy.map(({ source, sourceDeviceId }) => `${source} ${sourceDeviceId}`);
  if (others.length > 0) rows.push(["also claimed for", printable(others.join(", "))]);
  const spans = Object.entries(ages).map(([part, ms]) => `${part} ${spanText(Math.max(0, ms))}`);
  if (spans.length > 0) rows.push(["ages", spans.join(", ")]);
  const told = table(rows);
  return problem === undefined ? told : `${told}\n${toned("bad", `! ${problemTexts[problem]}`)}`;
}
