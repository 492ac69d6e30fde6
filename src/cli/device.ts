/** `postern device`: what the store knows of a phone, read and written by hand. */
import type { StoreConfig } from "../config/config.ts";
import { storeOptionsOf } from "../parts.ts";
import { toDeviceId } from "../policy/device.ts";
import type { DeviceId } from "../policy/device.ts";
import { openStore } from "../store/open.ts";
import { checkFields, parseRecord } from "../store/record.ts";
import { StoreUnavailable, StoreUnusable } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";

export interface DeviceCommandOptions extends ConfigurationOptions {
  readonly json?: boolean | undefined;
}

export async function deviceShow(idText: string, options: DeviceCommandOptions): Promise<void> {
  const id = requireId(idText);
  await withStore(options, async (store) => {
    const fields = await store.readFields(id);
    if (fields === undefined) throw new CommandFailed(1, `no record of ${id}`);
    const { record, unknownFields } = parseRecord(id, fields, new Date());
    if (options.json === true) {
      print(JSON.stringify({ ...record, unknownFields }, null, 2));
      return;
    }
    print(id);
    for (const [name, value] of [...fields].toSorted(byName)) print(`  ${name.padEnd(14)} ${printable(value)}`);
    for (const { field, problem } of record.faults) print(`  ! ${field} ${problem}`);
    for (const name of unknownFields) print(`  ! ${name} is no field of the contract and is ignored`);
  });
}

export async function deviceList(options: DeviceCommandOptions): Promise<void> {
  await withStore(options, async (store) => {
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
  const faults = checkFields(set, new Date());
  if (faults.length > 0)
    throw new CommandFailed(2, faults.map(({ field, problem }) => `${printable(field)} ${problem}`).join("\n"));
  await withStore(options, async (store) => {
    await store.writeFields(id, { set, remove });
    print(
      `${id}: ${[...set]
        .map(([name, value]) => `${name}=${printable(value)}`)
        .concat(remove.map((name) => `${name} removed`))
        .join("  ")}`,
    );
  });
}

export async function deviceForget(idText: string, options: DeviceCommandOptions): Promise<void> {
  const id = requireId(idText);
  await withStore(options, async (store) => {
    if (!(await store.forget(id))) throw new CommandFailed(1, `no record of ${id}`);
    print(`${id}: forgotten`);
  });
}

export async function deviceAlias(aliasText: string, idText: string, options: DeviceCommandOptions): Promise<void> {
  const alias = requireId(aliasText);
  const id = requireId(idText);
  await withStore(options, async (store) => {
    await store.writeAlias(alias, id);
    print(`${alias} → ${id}`);
  });
}

function requireId(text: string): DeviceId {
  const id = toDeviceId(text);
  if (id === undefined) throw new CommandFailed(2, "a device id is 1 to 64 letters and digits");
  return id;
}

async function withStore(options: ConfigurationOptions, work: (store: Store) => Promise<void>): Promise<void> {
  const { store: config } = requireConfig(options);
  const store = await open(config);
  try {
    await work(store);
  } catch (error) {
    if (error instanceof StoreUnavailable)
      throw new CommandFailed(4, `the store does not answer: ${store.health().detail}`);
    throw error;
  } finally {
    await store.close();
  }
}

async function open(config: StoreConfig): Promise<Store> {
  try {
    return await openStore(storeOptionsOf(config));
  } catch (error) {
    if (error instanceof StoreUnusable) throw new CommandFailed(3, error.message);
    throw error;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What is in a record came from a phone: nothing in it may steer a terminal. */
function printable(value: string): string {
  return value.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "�");
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}
