/** `postern device`: what the store knows of a phone, read and written by hand. */
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import { checkFields, parseRecord } from "../store/record.ts";
import { originOf, originText } from "./origin.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";
import { withStore } from "./store.ts";
import { print, printable, toned } from "./terminal.ts";
import { firstSeenText } from "./why-text.ts";

export interface DeviceCommandOptions extends ConfigurationOptions {
  readonly json?: boolean | undefined;
}

export async function deviceShow(idText: string, options: DeviceCommandOptions): Promise<void> {
  const id = requireId(idText);
  await withStore(requireConfig(options), async (store) => {
    const fields = await store.readFields(id);
    if (fields === undefined) {
      const claimed = await originOf(store, id, new Date());
      const told = claimed === undefined ? "" : `\n${originText(claimed)}`;
      throw new CommandFailed(1, `no record of ${id}${told}`);
    }
    const now = new Date();
    const { record, unknownFields } = parseRecord(id, fields, now);
    const firstSeenAt = (await store.readRecords([id]))[0]?.firstSeenAt;
    const origin = await originOf(store, id, now);
    if (options.json === true) {
      print(JSON.stringify({ ...record, firstSeenAt, unknownFields, origin }, null, 2));
      return;
    }
    print(id);
    for (const [name, value] of [...fields].toSorted(byName)) print(`  ${name.padEnd(14)} ${printable(value)}`);
    print(toned("quiet", `  first seen     ${firstSeenText(firstSeenAt)}`));
    for (const { field, problem } of record.faults) print(`  ! ${field} ${problem}`);
    for (const name of unknownFields) print(`  ! ${name} is no field of the contract and is ignored`);
    if (origin !== undefined) print(originText(origin));
  });
}

export async function deviceList(options: DeviceCommandOptions): Promise<void> {
  await withStore(requireConfig(options), async (store) => {
    for await (const record of store.records()) {
      if (options.json === true) print(JSON.stringify(record));
      else print([record.id, record.owner ?? "-", record.platform ?? "-", record.compliance ?? "-"].join("\t"));
    }
  });
}

/** `field=value` sets, `field=` removes. Nothing is written unless all of it can be read back as it was meant. */
export async function deviceSet(
  idText: string,
  assignments: readonly string[],
  options: DeviceCommandOptions,
): Promise<void> {
  const id = requireId(idText);
  const { set, remove } = assignmentsOf(assignments);
  const faults = checkFields(set, new Date());
  if (faults.length > 0)
    throw new CommandFailed(2, faults.map(({ field, problem }) => `${printable(field)} ${problem}`).join("\n"));
  await withStore(requireConfig(options), async (store) => {
    await store.writeFields(id, { set, remove });
    print(
      `${id}: ${[...set]
        .map(([name, value]) => `${name}=${printable(value)}`)
        .concat(remove.map((name) => `${name} removed`))
        .join("  ")}`,
    );
  });
}

/** @throws CommandFailed with exit code 2. */
export function assignmentsOf(assignments: readonly string[]): {
  readonly set: ReadonlyMap<string, string>;
  readonly remove: readonly string[];
} {
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const assignment of assignments) {
    const equals = assignment.indexOf("=");
    if (equals < 1) throw new CommandFailed(2, `${printable(assignment)}: write field=value, or field= to remove it`);
    const name = assignment.slice(0, equals);
    const value = assignment.slice(equals + 1);
    if (value === "") remove.push(name);
    else set.set(name, value);
  }
  return { set, remove };
}

export async function deviceForget(idText: string, options: DeviceCommandOptions): Promise<void> {
  const id = requireId(idText);
  await withStore(requireConfig(options), async (store) => {
    if (!(await store.forget(id))) throw new CommandFailed(1, `no record of ${id}`);
    print(`${id}: forgotten`);
  });
}

export async function deviceAlias(aliasText: string, idText: string, options: DeviceCommandOptions): Promise<void> {
  const alias = requireId(aliasText);
  const id = requireId(idText);
  await withStore(requireConfig(options), async (store) => {
    await store.writeAlias(alias, id);
    print(`${alias} → ${id}`);
  });
}

export function requireId(text: string): DeviceId {
  const id = toDeviceId(text);
  if (id === undefined) throw new CommandFailed(2, "a device id is 1 to 64 letters and digits");
  return id;
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}
