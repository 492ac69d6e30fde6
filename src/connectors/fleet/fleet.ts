/** Fleet: numbered pages of hosts with their software, and webhooks of failing policies as a hint to read a host again. */
import * as z from "zod";
import { ConnectorFailure } from "../../inventory/connector.ts";
import type { Connector, ConnectorContext, Received, Receiver, SyncPage } from "../../inventory/connector.ts";
import type { RestClient } from "../rest/client.ts";
import { byNumber } from "../rest/pager.ts";
import { at } from "../rest/path.ts";
import { isSame } from "../rest/webhook-credential.ts";
import { answered, readJsonBody } from "../rest/receiving.ts";
import { createEasIds } from "./eas-ids.ts";
import { host, isApple, isPhone, reportOf } from "./host.ts";
import type { Host } from "./host.ts";

export interface FleetSettings {
  /** The connector's name. */
  readonly source: string;
  /** 1 to 500. */
  readonly pageSize: number;
  /** Whether iPhones are asked for their id of ActiveSync. */
  readonly asksEasDeviceIds: boolean;
  /** Whether the edition serves a refetch of iPhones and iPads: Fleet Premium does. */
  readonly refetchesPhones: boolean;
  /** The last part of the webhook's path, which nobody else knows; undefined: no webhook is taken. */
  readonly webhookSecret: string | undefined;
}

/** 1 MiB: a batch of 1 000 hosts is some 200 KiB. */
const BODY_LIMIT_BYTES = 1_048_576;
/** Hosts of one webhook that are read again. */
const SIGNALS_LIMIT = 1_000;

const hostPage = z.object({ hosts: z.array(host) });
const oneHost = z.object({ host });
/** Without what is known to be wrong with each piece of software, which is heavy, and with whose the host is. */
const details = [
  ["populate_software", "without_vulnerability_details"],
  ["device_mapping", "true"],
] as const;

export function createFleet(settings: FleetSettings, http: RestClient, now: () => Date): Connector {
  const { source, pageSize, asksEasDeviceIds, refetchesPhones, webhookSecret } = settings;
  const easIds = createEasIds(http, now);

  const reported = (each: Host) => reportOf(source, each, each.uuid === undefined ? undefined : easIds.idOf(each.uuid));

  async function* full(cursor: string | undefined, { signal }: ConnectorContext): AsyncGenerator<SyncPage> {
    const pages = byNumber({
      client: http,
      shape: hostPage,
      signal,
      cursor,
      firstNumber: 0,
      pageSize,
      call: (number) => ({
        path: at`/api/v1/fleet/hosts`,
        query: [["page", number], ["per_page", pageSize], ["order_key", "id"], ...details],
      }),
      items: ({ hosts }) => hosts.length,
    });
    if (asksEasDeviceIds) await easIds.learn(signal);
    for await (const { page, next } of pages) {
      const phones = page.hosts.filter(isPhone);
      if (asksEasDeviceIds) {
        const unknown = phones.filter(isApple).flatMap(({ uuid }) => uuid ?? []);
        await easIds.ask(
          unknown.filter((uuid) => easIds.idOf(uuid) === undefined),
          signal,
        );
      }
      yield { reports: phones.flatMap((each) => reported(each) ?? []), next };
    }
  }

  return {
    source,
    kind: "fleet",
    abilities: {
      apps: "all",
      easDeviceIds: asksEasDeviceIds,
      incremental: false,
      lists: true,
      refresh: refetchesPhones ? { usualSeconds: [60, 3600], unlockFirst: true } : undefined,
    },
    full,
    async one(id, { signal }) {
      if (!isId(id)) return undefined;
      if (asksEasDeviceIds) await easIds.learn(signal);
      const found = await http.find({ path: at`/api/v1/fleet/hosts/${id}`, query: details }, oneHost, signal);
      if (found === undefined) return undefined;
      if (found.host.id !== id)
        throw new ConnectorFailure("unreadable", "the system answers about another host than it was asked about");
      return reported(found.host);
    },
    ...(refetchesPhones
      ? {
          async refresh(id: string, { signal }: ConnectorContext) {
            if (!isId(id)) throw new ConnectorFailure("not-possible", "the id is none of this system's");
            await http.send(
              {
                method: "POST",
                path: at`/api/v1/fleet/hosts/${id}/refetch`,
                failures: new Map([[404, "not-possible"]]),
              },
              signal,
            );
          },
        }
      : {}),
    receiver: webhookSecret === undefined ? undefined : createReceiver(webhookSecret),
    async health({ signal }) {
      await http.json(
        {
          path: at`/api/v1/fleet/hosts`,
          query: [
            ["page", 0],
            ["per_page", 1],
          ],
        },
        hostPage,
        signal,
      );
    },
  };
}

function isId(id: string): boolean {
  return /^\d{1,18}$/.test(id);
}

const failingPolicy = z.object({ hosts: z.array(z.object({ id: z.int().nonnegative() })) });

/** It is sent when a host starts failing, once a day, and never when it recovers: no more than a hint. */
function createReceiver(secret: string): Receiver {
  return {
    bodyLimitBytes: BODY_LIMIT_BYTES,
    async receive({ method, path, body }): Promise<Received> {
      if (!isSame(path, `/${secret}`)) return answered(401);
      if (method !== "POST") return answered(404);
      const read = readJsonBody(body, failingPolicy);
      if (read === undefined) return answered(400);
      const ids = read.hosts.slice(0, SIGNALS_LIMIT).map(({ id }) => String(id));
      return { ...answered(200), signals: [...new Set(ids)] };
    },
  };
}
