/** Jamf Pro: numbered pages of devices with their apps, what has changed since by a filter, and webhooks that say which device to read. */
import * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { Connector, ConnectorContext, SyncPage } from "../../inventory/connector.ts";
import type { RestClient } from "../rest/client.ts";
import { byNumber } from "../rest/pager.ts";
import { at } from "../rest/path.ts";
import { openRest } from "../rest/rest.ts";
import type { RestDeps, RestSettings } from "../rest/rest.ts";
import { clientCredentials } from "../rest/token.ts";
import { mobileDevice, reportOf, sections } from "./mobile-device.ts";
import { createWebhook } from "./webhook.ts";
import type { WebhookCredential } from "../rest/webhook-credential.ts";
import { refreshTimes } from "../refresh-times.ts";

export interface JamfSettings extends Omit<RestSettings, "headers"> {
  /** The connector's name. */
  readonly source: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** `/api/v1/oauth/token`; older servers have `/api/oauth/token` alone. */
  readonly tokenPath: string;
  /** 1 to 2000. */
  readonly pageSize: number;
  /** Undefined: no webhook is taken. */
  readonly webhook: WebhookCredential | undefined;
}

const devicePage = z.object({ totalCount: z.int().nonnegative(), results: z.array(mobileDevice) });

/** A connector, and the way to let go of its connections. */
export function createJamf(settings: JamfSettings, deps: RestDeps): { connector: Connector; close: () => void } {
  const { baseUrl, clientId, clientSecret, tokenPath } = settings;
  const tokenUrl = new URL(`${baseUrl.pathname.replace(/\/$/, "")}${tokenPath}`, baseUrl);
  const rest = openRest(
    settings,
    (transport) =>
      clientCredentials({ tokenUrl, clientId, clientSecret, scope: undefined, place: "form" }, transport, deps.now),
    deps,
  );
  return { connector: connectorTo(settings, rest), close: () => rest.close() };
}

function connectorTo(
  { source, pageSize, webhook }: Pick<JamfSettings, "source" | "pageSize" | "webhook">,
  http: RestClient,
): Connector {
  const wanted = sections.map((section) => ["section", section] as const);

  /** RSQL, the filter language of Jamf's interface. */
  async function* list(
    filter: string | undefined,
    cursor: string | undefined,
    { signal }: ConnectorContext,
  ): AsyncGenerator<SyncPage> {
    const pages = byNumber({
      client: http,
      shape: devicePage,
      signal,
      cursor,
      firstNumber: 0,
      pageSize,
      call: (number) => ({
        path: at`/api/v2/mobile-devices/detail`,
        query: [
          ...wanted,
          ["page", number],
          ["page-size", pageSize],
          // By id: a device that comes while pages are read comes at the end.
          ["sort", "mobileDeviceId:asc"],
          ...(filter === undefined ? [] : [["filter", filter] as const]),
        ],
      }),
      items: ({ results }) => results.length,
      total: ({ totalCount }) => totalCount,
    });
    for await (const { page, next } of pages) {
      const reports = page.results.flatMap((device) => reportOf(source, device) ?? []);
      yield { reports, next, total: page.totalCount };
    }
  }

  return {
    source,
    kind: "jamf",
    abilities: {
      apps: "all",
      easDeviceIds: true,
      incremental: true,
      lists: true,
      refresh: refreshTimes.jamf,
    },
    full: (cursor, context) => list(undefined, cursor, context),
    changed: (since, context) => list(`lastInventoryUpdateDate=gt="${since.toISOString()}"`, undefined, context),
    async one(id, { signal }) {
      // An id of Jamf is a number; whatever else it is would be a filter of its own.
      if (!isId(id)) return undefined;
      const { results } = await http.json(
        {
          path: at`/api/v2/mobile-devices/detail`,
          query: [...wanted, ["page", 0], ["page-size", 2], ["filter", `mobileDeviceId=="${id}"`]],
        },
        devicePage,
        signal,
      );
      const [device, second] = results;
      if (second !== undefined || (device !== undefined && device.mobileDeviceId !== id)) {
        throw new ConnectorFailure("unreadable", "the system answers about other devices than it was asked about");
      }
      return device === undefined ? undefined : reportOf(source, device);
    },
    async refresh(id, { signal }) {
      if (!isId(id)) throw new ConnectorFailure("not-possible", "the id is none of this system's");
      // The order exists in the Classic API only, and answers in XML.
      await http.send(
        {
          method: "POST",
          path: at`/JSSResource/mobiledevicecommands/command/UpdateInventory/id/${id}`,
          failures: new Map([
            [404, "not-possible"],
            [400, "not-possible"],
          ]),
        },
        signal,
      );
    },
    receiver: webhook === undefined ? undefined : createWebhook(source, webhook),
    async health({ signal }) {
      await http.json(
        {
          path: at`/api/v2/mobile-devices/detail`,
          query: [
            ["section", "GENERAL"],
            ["page", 0],
            ["page-size", 1],
          ],
        },
        devicePage,
        signal,
      );
    },
  };
}

function isId(id: string): boolean {
  return /^\d{1,18}$/.test(id);
}
