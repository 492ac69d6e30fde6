/** Workspace ONE UEM: numbered pages of devices, the apps of each by a call of its own, and event notifications as a sign to read one. */
import * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { Connector, ConnectorContext, Received, Receiver, SyncPage } from "../../inventory/connector.ts";
import type { InventoryReport } from "../../inventory/report.ts";
import type { RestClient } from "../rest/client.ts";
import { byNumber } from "../rest/pager.ts";
import { at } from "../rest/path.ts";
import { withLowerCaseKeys } from "../rest/words.ts";
import { createWebhookCheck } from "../rest/webhook-credential.ts";
import type { WebhookCredential } from "../rest/webhook-credential.ts";
import { answered, readJsonBody } from "../rest/receiving.ts";
import { anyDevice, appList, devicePage, isPhone, reportOf } from "./device.ts";
import type { AppList, Visibility, WorkspaceOneDevice } from "./device.ts";

export interface WorkspaceOneSettings extends Visibility {
  /** The connector's name. */
  readonly source: string;
  /** 1 to 500. */
  readonly pageSize: number;
  /** Calls for apps at once. */
  readonly concurrent: number;
  /** Undefined: no event notification is taken. */
  readonly webhook: WebhookCredential | undefined;
}

/** 256 KiB: a notification is some 1 KiB. */
const BODY_LIMIT_BYTES = 262_144;

export function createWorkspaceOne(settings: WorkspaceOneSettings, http: RestClient): Connector {
  const { source, pageSize, concurrent, webhook } = settings;

  async function* list(
    since: Date | undefined,
    cursor: string | undefined,
    context: ConnectorContext,
  ): AsyncGenerator<SyncPage> {
    const pages = byNumber({
      client: http,
      shape: devicePage,
      signal: context.signal,
      cursor,
      firstNumber: 0,
      pageSize,
      call: (number) => ({
        path: at`/API/mdm/devices/search`,
        query: [
          ["page", number],
          ["pagesize", pageSize],
          ...(since === undefined ? [] : [["lastseen", since.toISOString()] as const]),
        ],
      }),
      items: ({ devices }) => devices?.length ?? 0,
      total: ({ total }) => total,
    });
    for await (const { page, next } of pages) {
      // A server that does not know the filter gives everybody; asking each of them for apps would take hours.
      const found = (page.devices ?? []).filter(({ lastseen }) => since === undefined || (lastseen ?? since) > since);
      yield {
        reports: await reportsOf(found, context.signal),
        next,
        total: since === undefined ? page.total : undefined,
      };
    }
  }

  /** A few at once: each phone costs a call. */
  async function reportsOf(devices: readonly WorkspaceOneDevice[], signal: AbortSignal): Promise<InventoryReport[]> {
    const apps = new Map<WorkspaceOneDevice, AppList | undefined>();
    const left = devices.filter(isPhone);
    const work = async (): Promise<void> => {
      for (let device = left.shift(); device !== undefined; device = left.shift())
        apps.set(device, await http.find({ path: at`/API/mdm/devices/${device.id.value}/apps` }, appList, signal));
    };
    await Promise.all(Array.from({ length: concurrent }, work));
    return devices.flatMap((device) => reportOf(source, device, apps.get(device), settings) ?? []);
  }

  return {
    source,
    kind: "workspace-one",
    abilities: {
      apps: "all",
      easDeviceIds: true,
      incremental: true,
      lists: true,
      refresh: { usualSeconds: [10, 90], unlockFirst: true },
    },
    full: (cursor, context) => list(undefined, cursor, context),
    changed: (since, context) => list(since, undefined, context),
    async one(id, { signal }) {
      if (!isId(id)) return undefined;
      const device = await http.find({ path: at`/API/mdm/devices/${id}` }, anyDevice, signal);
      if (device === undefined) return undefined;
      if (device.id.value !== id)
        throw new ConnectorFailure("unreadable", "the system answers about another device than it was asked about");
      return (await reportsOf([device], signal))[0];
    },
    async refresh(id, { signal }) {
      if (!isId(id)) throw new ConnectorFailure("not-possible", "the id is none of this system's");
      await http.send(
        {
          method: "POST",
          path: at`/API/mdm/devices/${id}/commands`,
          query: [["command", "DeviceQuery"]],
          failures: new Map([
            [404, "not-possible"],
            [400, "not-possible"],
          ]),
        },
        signal,
      );
    },
    receiver: webhook === undefined ? undefined : createReceiver(webhook),
    async health({ signal }) {
      await http.json(
        {
          path: at`/API/mdm/devices/search`,
          query: [
            ["page", 0],
            ["pagesize", 1],
          ],
        },
        devicePage,
        signal,
      );
    },
  };
}

/** Its device ids are numbers; it has GUIDs too, which other interfaces of it take. */
function isId(id: string): boolean {
  return /^\d{1,18}$/.test(id);
}

const notification = z.preprocess(
  withLowerCaseKeys,
  z.object({ deviceid: z.union([z.string().regex(/^\d{1,18}$/), z.int().nonnegative().transform(String)]).nullish() }),
);

/** What a notification says of a device is not looked at: it is not signed. It is a sign to read that device. */
function createReceiver(credential: WebhookCredential): Receiver {
  const isSystem = createWebhookCheck(credential);
  return {
    bodyLimitBytes: BODY_LIMIT_BYTES,
    async receive({ method, path, headers, body }): Promise<Received> {
      if (!isSystem(headers)) return answered(401);
      if (method !== "POST" || path !== "") return answered(404);
      const read = readJsonBody(body, notification);
      if (read === undefined) return answered(400);
      return typeof read.deviceid === "string" ? { ...answered(200), signals: [read.deviceid] } : answered(200);
    },
  };
}
