/**
 * Microsoft Intune through Graph v1.0. There are no notifications about managed devices, so it is asked: for what has synchronised since,
 * and now and then for everything. Its verdict is what counts; a ban of an app is a compliance policy with restricted apps there.
 */
import * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { Connector, ConnectorContext, SyncPage } from "../../inventory/connector.ts";
import type { InventoryReport } from "../../inventory/report.ts";
import { byLink } from "../rest/pager.ts";
import { at } from "../rest/path.ts";
import { openRest } from "../rest/rest.ts";
import type { Rest, RestDeps, RestSettings } from "../rest/rest.ts";
import type { RestClient } from "../rest/client.ts";
import { clientCredentials } from "../rest/token.ts";
import { managedDevice, reportOf, selectedProperties } from "./managed-device.ts";
import type { ManagedDevice } from "./managed-device.ts";
import { askReasons } from "./reasons.ts";

/** `baseUrl` is where Graph is: `https://graph.microsoft.com`, or that of a national cloud. */
export interface IntuneSettings extends Omit<RestSettings, "headers"> {
  /** The connector's name. */
  readonly source: string;
  /** Where tokens come from: `https://login.microsoftonline.com`, or that of a national cloud. */
  readonly loginUrl: URL;
  /** The directory's id, or one of its domains. */
  readonly tenant: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** 1 to 1000. */
  readonly pageSize: number;
}

const devicePage = z.object({ value: z.array(managedDevice), "@odata.nextLink": z.string().optional() });

/** A connector, and the way to let go of its connections. */
export function createIntune(settings: IntuneSettings, deps: RestDeps): { connector: Connector; close: () => void } {
  const { baseUrl: graphUrl, loginUrl, tenant, clientId, clientSecret } = settings;
  const rest: Rest = openRest(
    { ...settings, baseUrl: new URL("/v1.0", graphUrl) },
    (transport) =>
      clientCredentials(
        {
          tokenUrl: new URL(`/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, loginUrl),
          clientId,
          clientSecret,
          scope: new URL("/.default", graphUrl).href,
          place: "form",
        },
        transport,
        deps.now,
      ),
    deps,
  );
  return { connector: connectorTo(settings, rest), close: () => rest.close() };
}

function connectorTo({ source, pageSize }: Pick<IntuneSettings, "source" | "pageSize">, http: RestClient): Connector {
  async function* list(
    filter: string | undefined,
    cursor: string | undefined,
    context: ConnectorContext,
  ): AsyncGenerator<SyncPage> {
    const pages = byLink({
      client: http,
      shape: devicePage,
      signal: context.signal,
      cursor,
      first: {
        path: at`/deviceManagement/managedDevices`,
        query: [
          ["$select", selectedProperties],
          ["$top", pageSize],
          ...(filter === undefined ? [] : [["$filter", filter] as const]),
        ],
      },
      next: (page) => page["@odata.nextLink"],
    });
    for await (const { page, next } of pages) yield { reports: await reportsOf(page.value, context), next };
  }

  async function reportsOf(devices: readonly ManagedDevice[], context: ConnectorContext): Promise<InventoryReport[]> {
    const reasons = await askReasons(http, devices, context.signal);
    return devices.flatMap((device) => reportOf(source, device, reasons.get(device.id) ?? []) ?? []);
  }

  return {
    source,
    kind: "intune",
    abilities: {
      apps: "none",
      easDeviceIds: true,
      incremental: true,
      lists: true,
      refresh: { usualSeconds: [60, 900], unlockFirst: false },
    },
    full: (cursor, context) => list(undefined, cursor, context),
    changed: (since, context) => list(`lastSyncDateTime gt ${since.toISOString()}`, undefined, context),
    async one(id, context) {
      const device = await http.find(
        { path: at`/deviceManagement/managedDevices/${id}`, query: [["$select", selectedProperties]] },
        managedDevice,
        context.signal,
      );
      if (device === undefined) return undefined;
      if (device.id.toLowerCase() !== id.toLowerCase()) {
        throw new ConnectorFailure("unreadable", "the system answers about another device");
      }
      return (await reportsOf([device], context))[0];
    },
    async refresh(id, { signal }) {
      await http.send(
        {
          method: "POST",
          path: at`/deviceManagement/managedDevices/${id}/syncDevice`,
          failures: new Map([
            [404, "not-possible"],
            [400, "not-possible"],
          ]),
        },
        signal,
      );
    },
    async health({ signal }) {
      await http.json(
        {
          path: at`/deviceManagement/managedDevices`,
          query: [
            ["$select", "id"],
            ["$top", 1],
          ],
        },
        z.object({ value: z.array(z.object({ id: z.string() })) }),
        signal,
      );
    },
  };
}
