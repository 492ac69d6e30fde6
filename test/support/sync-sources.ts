/** Sources for tests of the sync role: a connector over a list that the test changes, and an intake that keeps what it was told. */
import type { Connector, ConnectorAbilities, ConnectorContext, SyncPage } from "../../src/inventory/connector.ts";
import type { InventoryReport } from "../../src/inventory/report.ts";
import type { Store } from "../../src/store/store.ts";
import { createBudget } from "../../src/sync/budget.ts";
import type { SyncIntake } from "../../src/sync/ports.ts";
import type { SyncSource } from "../../src/sync/sync.ts";

export interface ListedDevice {
  readonly id: string;
  readonly at: Date;
}

export interface ListSource extends SyncSource {
  readonly devices: ListedDevice[];
  /** What was asked: `full`, `full 2` (from a cursor), `changed`, `one ID`, `refresh ID`. */
  readonly asked: string[];
  /** Called before each answer; whatever it throws is what the system says, and it may wait. */
  before: (what: string, context: ConnectorContext) => void | Promise<void>;
}

export function aListSource(
  source: string,
  {
    pageSize = 2,
    everyMs = 3_600_000,
    fullEveryMs = 86_400_000,
    incremental = true,
    refresh,
    one = true,
    easDeviceIds = false,
  }: {
    readonly pageSize?: number;
    readonly everyMs?: number;
    readonly fullEveryMs?: number;
    readonly incremental?: boolean;
    readonly refresh?: ConnectorAbilities["refresh"];
    readonly one?: boolean;
    /** Each device has one, and an owner. */
    readonly easDeviceIds?: boolean;
  } = {},
): ListSource {
  const devices: ListedDevice[] = [];
  const asked: string[] = [];
  const reportOf = ({ id, at }: ListedDevice): InventoryReport => ({
    source,
    sourceDeviceId: id,
    enrolled: true,
    deviceAt: at,
    ...(easDeviceIds && { easDeviceIds: [`EAS${id}`], owner: { name: `owner-of-${id}` } }),
  });

  async function ask(what: string, context: ConnectorContext): Promise<void> {
    context.signal.throwIfAborted();
    asked.push(what);
    await made.before(what, context);
    context.signal.throwIfAborted();
  }

  async function* pages(
    name: string,
    from: number,
    some: readonly ListedDevice[],
    context: ConnectorContext,
  ): AsyncGenerator<SyncPage> {
    for (let start = from; ; start += pageSize) {
      await ask(start === 0 ? name : `${name} ${start}`, context);
      const end = start + pageSize;
      const next = end < some.length ? String(end) : undefined;
      yield { reports: some.slice(start, end).map(reportOf), next, total: some.length };
      if (next === undefined) return;
    }
  }

  const connector: Connector = {
    source,
    kind: "list",
    abilities: { apps: "none", easDeviceIds, incremental, lists: true, refresh },
    full: (cursor, context) => pages("full", Number(cursor ?? 0), devices, context),
    ...(incremental && {
      changed: (since: Date, context: ConnectorContext) =>
        pages(
          "changed",
          0,
          devices.filter(({ at }) => at > since),
          context,
        ),
    }),
    ...(one && {
      async one(id: string, context: ConnectorContext) {
        await ask(`one ${id}`, context);
        const found = devices.find((device) => device.id === id);
        return found === undefined ? undefined : reportOf(found);
      },
    }),
    ...(refresh !== undefined && { refresh: (id: string, context: ConnectorContext) => ask(`refresh ${id}`, context) }),
    health: async () => undefined,
  };
  const made: ListSource = {
    connector,
    close: () => undefined,
    budget: createBudget({ requestsPerMinute: 1000, concurrent: 5 }),
    schedule: { everyMs, fullEveryMs },
    devices,
    asked,
    before: () => undefined,
  };
  return made;
}

/** Keeps reports as documents, as the intake does, and so by the same acts: what is fenced is fenced here too. */
export function aPlainIntake(store: Pick<Store, "transact" | "documents">): SyncIntake {
  const keyOf = (source: string, id: string) => ({ kind: "managed", name: `${source}/${id}` }) as const;
  return {
    async takeAll(reports, { sweep } = {}) {
      for (const { source, sourceDeviceId, enrolled, deviceAt } of reports) {
        const key = keyOf(source, sourceDeviceId);
        const set = new Map([
          ["enrolled", String(enrolled)],
          ["deviceAt", deviceAt?.toISOString() ?? ""],
          ...(sweep === undefined ? [] : [["sweep", sweep] as const]),
        ]);
        await store.transact([key], () => ({ changes: [{ key, set }], result: undefined }));
      }
      return reports.map(() => ({ kind: "accepted", devices: 1, alerts: [] }));
    },
    async endSweep(source, sweep) {
      let gone = 0;
      for await (const [name, fields] of store.documents("managed", `${source}/`)) {
        if (fields.get("sweep") === sweep || fields.get("enrolled") === "false") continue;
        const key = { kind: "managed", name } as const;
        await store.transact([key], () => ({
          changes: [{ key, set: new Map([["enrolled", "false"]]) }],
          result: undefined,
        }));
        gone += 1;
      }
      return gone;
    },
  };
}

/** Ids of devices that are enrolled there. */
export async function enrolledIn(store: Pick<Store, "documents">, source: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const [name, fields] of store.documents("managed", `${source}/`)) {
    if (fields.get("enrolled") === "true") ids.push(name.slice(source.length + 1));
  }
  return ids.toSorted();
}
